//! A tree of every kind of file, and everything that can be told of a tree's files.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{CString, OsStr};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use rustix::fs::{AtFlags, Timespec, Timestamps, XattrFlags, lgetxattr, llistxattr, lsetxattr, utimensat};
use sha2::{Digest, Sha256};

/// A capability to bind to low ports, as setcap(8) writes it: revision 2, effective.
const NET_BIND: &[u8] = &[1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A list in the form of `system.posix_acl_access`: owner rw-, user 1000 r--, group r--, mask r--, others none.
const LIST: &[u8] = &[
    2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xe8, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
    16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
];

fn attribute(at: &Path, name: &str, value: &[u8]) {
    lsetxattr(at, name, value, XattrFlags::empty())
        .unwrap_or_else(|error| panic!("{name} of {at:?}: {error}"));
}

fn at_time(at: &Path, seconds: i64, nanos: i64) {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanos };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(rustix::fs::CWD, at, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// Makes every kind of file below `top`; marks of removed files only where `layer` is set.
pub fn plant(top: &Path, layer: bool) {
    let all = top.join("all");
    fs::create_dir_all(all.join("deep/er")).unwrap();
    let write = |name: &str, content: &[u8]| {
        fs::write(all.join(name), content).unwrap();
        all.join(name)
    };
    chown(write("owned", b"owned\n"), Some(80), Some(4_000_000)).unwrap();
    fs::set_permissions(write("set-id", b"x"), fs::Permissions::from_mode(0o6755)).unwrap();
    attribute(&write("capable", b"x"), "security.capability", NET_BIND);
    attribute(&write("listed", b"x"), "system.posix_acl_access", LIST);
    let noted = write("noted", b"");
    attribute(&noted, "user.a=b%41\nc", b"with\nlines and \0 zeros");
    attribute(&noted, "trusted.own", &[0xff; 300]);
    at_time(&write("old", b"x"), -2, 250_000_000);
    fs::hard_link(write("first", b"one file"), all.join("deep/second")).unwrap();
    fs::write(all.join(OsStr::from_bytes(b"not \xff\xfe utf-8")), b"x").unwrap();
    fs::write(all.join("deep").join(OsStr::from_bytes(&[&[0xfe; 150][..], b"long"].concat())), b"x").unwrap();
    fs::write(all.join("deep/er").join("n".repeat(255)), b"long").unwrap();
    symlink("t".repeat(300), all.join("link")).unwrap();
    lchown(all.join("link"), Some(5), Some(6)).unwrap();
    let holes = File::create(all.join("holes")).unwrap();
    holes.set_len(64 << 20).unwrap();
    holes.write_all_at(b"in the middle", 20 << 20).unwrap();
    holes.write_all_at(&[7; 100_000], 40 << 20).unwrap();
    File::create(all.join("one hole")).unwrap().set_len(10_000_000).unwrap();
    let node = |name: &str, kind, device| {
        mknod(&all.join(name), kind, Mode::from_bits_truncate(0o620), device).unwrap()
    };
    node("pipe", SFlag::S_IFIFO, 0);
    node("null", SFlag::S_IFCHR, makedev(1, 3));
    if layer {
        node("gone", SFlag::S_IFCHR, 0);
        fs::hard_link(all.join("gone"), all.join("gone too")).unwrap();
        attribute(&all.join("deep"), "trusted.overlay.opaque", b"y");
    }
    fs::set_permissions(all.join("deep/er"), fs::Permissions::from_mode(0o1700)).unwrap();
    at_time(&all.join("deep/er"), 1_000_000_000, 123_456_789);
}

/// Everything below a directory and itself: path → kind, mode, owner, time, content, attributes, names.
pub fn of(top: &Path, attributes: bool) -> BTreeMap<PathBuf, String> {
    let (mut found, mut names) = (BTreeMap::new(), HashMap::new());
    let mut todo = vec![PathBuf::new()];
    while let Some(path) = todo.pop() {
        let at = top.join(&path);
        let stat = fs::symlink_metadata(&at).unwrap();
        if stat.is_dir() {
            todo.extend(fs::read_dir(&at).unwrap().map(|entry| path.join(entry.unwrap().file_name())));
        }
        names.entry((stat.dev(), stat.ino())).or_insert_with(Vec::new).push(path.clone());
        found.insert(path, describe(&at, &stat, attributes));
    }
    for mut same in names.into_values().filter(|same| same.len() > 1) {
        same.sort();
        same.iter().for_each(|path| found.get_mut(path).unwrap().push_str(&format!(" = {same:?}")));
    }
    found
}

fn describe(at: &Path, stat: &fs::Metadata, attributes: bool) -> String {
    let content = if stat.is_symlink() {
        format!("{:?}", fs::read_link(at).unwrap())
    } else if stat.is_file() {
        let sparse = stat.blocks() * 512 < stat.size() / 2;
        let digest = Sha256::digest(fs::read(at).unwrap());
        format!(
            "{} {} sparse {sparse}",
            stat.size(),
            digest.iter().map(|b| format!("{b:02x}")).collect::<String>()
        )
    } else {
        format!("{:x}", stat.rdev())
    };
    let (time, nanos) = (stat.mtime(), stat.mtime_nsec());
    let mut text = format!("{:o} {}:{} {time}.{nanos} {content}", stat.mode(), stat.uid(), stat.gid());
    if attributes {
        text.push_str(&xattrs(at));
    }
    text
}

/// Without what overlayfs notes about the layers of this host.
fn xattrs(at: &Path) -> String {
    let mut names = vec![0; 1 << 16];
    let length = llistxattr(at, &mut names).unwrap_or(0);
    let mut all: Vec<&[u8]> =
        names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()).collect();
    all.retain(|name| !name.starts_with(b"trusted.overlay.") || name.ends_with(b".opaque"));
    all.sort_unstable();
    let value = |name: &[u8]| {
        let mut value = vec![0; 1 << 16];
        let length = lgetxattr(at, CString::new(name).unwrap(), &mut value).unwrap();
        format!(" {:?}={:?}", String::from_utf8_lossy(name), &value[..length])
    };
    all.into_iter().map(value).collect()
}

/// Asserts that nothing differs.
#[track_caller]
pub fn assert_same(before: &BTreeMap<PathBuf, String>, now: &BTreeMap<PathBuf, String>) {
    let all: std::collections::BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let differs: String = all
        .into_iter()
        .filter(|path| before.get(*path) != now.get(*path))
        .map(|path| format!("\n{path:?}\n  {:?}\n  {:?}", before.get(path), now.get(path)))
        .collect();
    assert!(differs.is_empty(), "{differs}");
}
