//! Trees that go onto disks, and what is on a disk, for the tests of disks.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskFs, DiskInfo, DiskStep, Mount, MountFs, Observe, Place, Step};
use rustix::fs::{
    CWD, FileType, Mode, Timespec, Timestamps, XattrFlags, lgetxattr, llistxattr, lsetxattr, mknodat,
    utimensat,
};

use crate::support::Lab;

pub(crate) const ALL: [DiskFs; 3] = [DiskFs::Ext4, DiskFs::Xfs, DiskFs::Btrfs];
pub(crate) const MIB: u64 = 1 << 20;

/// A tree with one of each thing that can be lost on the way, and `files` ordinary files.
pub(crate) fn plant(at: &Utf8Path, files: u64) {
    fs::create_dir_all(at.join("bin")).unwrap();
    fs::create_dir_all(at.join("many")).unwrap();
    fs::write(at.join("bin/su"), "program").unwrap();
    chown(at.join("bin/su"), Some(7), Some(8)).unwrap();
    fs::set_permissions(at.join("bin/su"), fs::Permissions::from_mode(0o4755)).unwrap();
    fs::hard_link(at.join("bin/su"), at.join("second")).unwrap();
    symlink("/etc/nowhere", at.join("link")).unwrap();
    symlink("x".repeat(200), at.join("long-link")).unwrap();
    let sparse = fs::File::create(at.join("sparse")).unwrap();
    sparse.set_len(512 * MIB).unwrap();
    rustix::io::pwrite(&sparse, b"middle", 100 * MIB).unwrap();
    let mode = Mode::from_raw_mode(0o666);
    mknodat(CWD, at.join("null").as_str(), FileType::CharacterDevice, mode, 0x103).unwrap();
    mknodat(CWD, at.join("pipe").as_str(), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    for (name, value) in
        [("user.note", &b"kept"[..]), ("trusted.flags", b"schg"), ("security.capability", CAPS)]
    {
        lsetxattr(at.join("second").as_str(), name, value, XattrFlags::empty()).unwrap();
    }
    lsetxattr(at.join("many").as_str(), "system.posix_acl_access", ACL, XattrFlags::empty()).unwrap();
    for number in 0..files {
        fs::write(at.join("many").join(number.to_string()), pattern(number)).unwrap();
    }
    let time = Timespec { tv_sec: 1_000_000_000, tv_nsec: 123_456_789 };
    let times = Timestamps { last_access: time, last_modification: time };
    for name in ["bin/su", "link", "bin", "many", ""] {
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        utimensat(CWD, at.join(name).as_str(), &times, flags).unwrap();
    }
}

/// `cap_net_raw=ep`, version 2; capabilities(7).
const CAPS: &[u8] = b"\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";

/// `u::rwx,u:7:rwx,g::r-x,m::rwx,o::r-x`; acl(5).
const ACL: &[u8] =
    b"\x02\0\0\0\x01\0\x07\0\xff\xff\xff\xff\x02\0\x07\0\x07\0\0\0\x04\0\x05\0\xff\xff\xff\xff\
    \x10\0\x07\0\xff\xff\xff\xff\x20\0\x05\0\xff\xff\xff\xff";

/// Content that no other file has.
fn pattern(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let length = usize::try_from(state >> 50).unwrap();
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u8::try_from(state & 0xFF).unwrap()
    };
    (0..length).map(step).collect()
}

/// Everything below a directory, and what it carries, by path.
pub(crate) fn listing(top: &Utf8Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut names = BTreeMap::new();
    walk(top, "", &mut all, &mut names);
    all
}

fn walk(top: &Utf8Path, path: &str, all: &mut BTreeMap<String, String>, names: &mut BTreeMap<u64, String>) {
    let at = top.join(path.trim_start_matches('/'));
    let stat = fs::symlink_metadata(&at).unwrap();
    let first = names.entry(stat.ino()).or_insert_with(|| path.to_owned()).clone();
    let content = match stat.file_type() {
        kind if kind.is_symlink() => fs::read_link(&at).unwrap().as_os_str().as_bytes().to_vec(),
        kind if kind.is_file() && stat.len() < 64 * MIB => fs::read(&at).unwrap(),
        kind if kind.is_file() => sum(&at),
        _ => vec![],
    };
    let size = if stat.is_dir() { 0 } else { stat.len() };
    let line = format!(
        "{:o} {}:{} {size} {}.{:09} {:x} {first} {:?} {}",
        stat.mode(),
        stat.uid(),
        stat.gid(),
        stat.mtime(),
        stat.mtime_nsec(),
        stat.rdev(),
        attributes(&at),
        digest(&content)
    );
    all.insert(path.to_owned(), line);
    if stat.is_dir() {
        let entries =
            fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut entries: Vec<String> = entries.collect();
        entries.sort();
        entries.iter().for_each(|name| walk(top, &format!("{path}/{name}"), all, names));
    }
}

/// What a long sparse file has in its middle, and how much of it is there.
fn sum(at: &Utf8Path) -> Vec<u8> {
    let file = fs::File::open(at).unwrap();
    let mut middle = [0; 64];
    rustix::io::pread(&file, &mut middle[..], 100 * MIB - 8).unwrap();
    assert!(file.metadata().unwrap().blocks() * 512 < MIB, "{at} is sparse no more");
    middle.to_vec()
}

fn digest(content: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    hasher.finish()
}

fn attributes(at: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = [0_u8; 4096];
    let length = llistxattr(at.as_str(), &mut names[..]).unwrap();
    let names = names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty());
    // Where XFS keeps what is listed as an ACL too.
    let names = names.filter(|name| !name.starts_with(b"trusted.SGI_ACL_"));
    let value = |name: &[u8]| {
        let mut value = [0_u8; 4096];
        let length = lgetxattr(at.as_str(), name, &mut value[..]).unwrap();
        (String::from_utf8(name.to_vec()).unwrap(), value[..length].to_vec())
    };
    names.map(value).collect()
}

/// Compares two listings and shows the first difference alone.
pub(crate) fn assert_same(left: &BTreeMap<String, String>, right: &BTreeMap<String, String>, what: &str) {
    let paths = left.keys().chain(right.keys());
    for path in paths {
        assert_eq!(left.get(path), right.get(path), "{what}: {path:?}");
    }
}

/// What is on a disk, by mounting it in the lab's root.
pub(crate) fn on_disk(lab: &Lab, file: &Utf8Path, fs: DiskFs) -> BTreeMap<String, String> {
    let mount = Mount::new(Place::host(&lab.root), MountFs::Disk { file: file.to_owned(), fs });
    lab.apply(&Step::Mount(mount.clone())).unwrap();
    let mut found = listing(&lab.root);
    // e2fsck(8) makes it, for what it finds.
    found.remove("/lost+found");
    lab.apply(&Step::Unmount(mount)).unwrap();
    found
}

pub(crate) fn look(lab: &Lab, file: &Utf8Path) -> DiskInfo {
    (&lab.machine as &dyn Observe).disk(file).unwrap().unwrap()
}

/// The disk of a base whose template is `tree`.
pub(crate) fn template(lab: &Lab, fs: DiskFs, tree: &Utf8Path) -> (Utf8PathBuf, Step) {
    let at = lab.host.join("disks").join(format!("{fs}.img"));
    let step = DiskStep::Template { at: at.clone(), fs, tree: tree.into(), dirs: vec![], links: vec![] };
    (at, Step::Disk(step))
}

/// A planted tree and the disk made of it.
pub(crate) fn ready(lab: &Lab, fs: DiskFs, files: u64) -> Utf8PathBuf {
    let tree = lab.host.join("tree");
    if !tree.exists() {
        plant(&tree, files);
    }
    let (at, step) = template(lab, fs, &tree);
    lab.apply(&step).unwrap();
    at
}

pub(crate) fn clone(from: &Utf8Path, to: &Utf8Path, fs: DiskFs, size: u64) -> Step {
    Step::Disk(DiskStep::Clone { from: from.into(), to: to.into(), fs, size, reserve: false })
}

pub(crate) fn names(dir: &Utf8Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
