//! Archives that mean harm, given to `install`: refused with the entry named, or contained; and after a refusal
//! everything is as it was.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use tar::{EntryType, Header};

use crate::program::Ran;
use crate::tree::Tree;
use crate::world::{RunWith, World};

/// One entry, its name written as it is.
fn entry(name: &[u8], kind: EntryType, link: &str, content: &[u8]) -> Vec<u8> {
    sized(name, kind, link, content.len() as u64, content)
}

/// The same, with a header that may lie about the length.
fn sized(name: &[u8], kind: EntryType, link: &str, size: u64, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    if !link.is_empty() {
        header.set_link_name_literal(link).unwrap();
    }
    header.set_mode(0o4755);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_700_000_000);
    header.set_size(size);
    header.set_device_major(1).unwrap();
    header.set_device_minor(3).unwrap();
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(name: &str) -> Vec<u8> {
    entry(name.as_bytes(), EntryType::Regular, "", b"planted")
}

/// A name of any length, GNU's way.
fn long(name: &str) -> Vec<u8> {
    let name = [name.as_bytes(), b"\0"].concat();
    [entry(b"././@LongLink", EntryType::GNULongName, "", &name), file("short")].concat()
}

fn symlink(name: &str, to: &str) -> Vec<u8> {
    entry(name.as_bytes(), EntryType::Symlink, to, b"")
}

fn hard(name: &str, to: &str) -> Vec<u8> {
    entry(name.as_bytes(), EntryType::Link, to, b"")
}

/// A world whose archive has these entries, with something of the host's beside it.
struct Attack {
    world: World,
    host: Tree,
}

impl Attack {
    fn new(entries: &[Vec<u8>]) -> Self {
        let world = World::new();
        let archive = [entry(b"usr/bin/", EntryType::Directory, "", b""), entries.concat(), vec![0; 1024]];
        fs::write(world.archive(), archive.concat()).unwrap();
        fs::create_dir(world.dir().join("host")).unwrap();
        fs::write(world.dir().join("host/passwd"), "the host's").unwrap();
        let host = Tree::without(world.dir(), &["root"]);
        Self { world, host }
    }

    fn install(&self) -> Ran {
        self.world.install("evil-1.0")
    }

    #[track_caller]
    fn is_refused(&self, words: &[&str]) {
        self.world.run(["release", "list"]).ok();
        self.install().fails(65, words);
        self.host.assert_same(&Tree::without(self.world.dir(), &["root"]), "outside");
        let left: Vec<_> = fs::read_dir(self.world.lib("releases")).unwrap().flatten().collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(!self.world.lib("current").exists());
        self.world.assert_sound();
        self.world.assert_quiet();
    }
}

#[test]
fn ways_out_of_the_tree_are_refused_and_nothing_is_left() {
    let host = "../../../../../../host";
    let deep = "d/".repeat(10_000);
    for (entries, named) in [
        (vec![file("../../../host/planted")], "host/planted"),
        (vec![file("/../../planted")], "planted"),
        (vec![symlink("out", host), file("out/planted")], "out/planted"),
        (vec![symlink("out", "/etc"), file("out/qchroot-was-here")], "out/qchroot-was-here"),
        (vec![symlink("out", "/etc"), hard("stolen", "out/passwd")], "stolen"),
        (vec![hard("stolen", "/etc/passwd")], "stolen"),
        (vec![hard("stolen", "../../../host/passwd")], "host/passwd"),
        (vec![file("file"), file("file/below")], "file/below"),
        (vec![long(&format!("{deep}planted"))], "d/d/d/d"),
        (vec![long(&"n".repeat(300))], "nnnn"),
        (vec![sized(b"nothing", EntryType::Regular, "", 1 << 40, b"")], "entry nothing"),
        (vec![sized(b"endless", EntryType::Regular, "", u64::MAX, b"")], "entry endless"),
        (vec![sized(b"pax", EntryType::XHeader, "", 1 << 33, b"")], "extended header"),
        (vec![sized(b"cut", EntryType::Regular, "", 9000, b"short")], "entry cut"),
        (vec![vec![0; 1024], file("after-the-end")], "after its end"),
        (vec![entry(b"\x1b[2J/../x", EntryType::Regular, "", b"")], "u{1b}[2J"),
    ] {
        Attack::new(&entries).is_refused(&[named]);
    }
    assert!(!Path::new("/etc/qchroot-was-here").exists());
}

#[test]
fn bombs_are_refused_and_nothing_is_left() {
    for pack in ["gzip", "xz"] {
        let attack = Attack::new(&[entry(b"zeros", EntryType::Regular, "", &vec![0; 68 << 20])]);
        let packed = File::create(attack.world.dir().join("packed")).unwrap();
        let status = Command::new(pack).arg("-c").arg(attack.world.archive()).stdout(packed).status();
        assert!(status.unwrap().success());
        fs::rename(attack.world.dir().join("packed"), attack.world.archive()).unwrap();
        let attack = Attack { host: Tree::without(attack.world.dir(), &["root"]), world: attack.world };
        attack.is_refused(&["entry zeros", "400 times its size"]);
    }
}

#[test]
fn what_is_odd_but_harmless_is_contained() {
    let attack = Attack::new(&[
        file("/absolute"),
        entry(b"name\xff\n\x1b[2J", EntryType::Regular, "", b"odd"),
        symlink("etc", "/etc"),
        entry(b"etc/", EntryType::Directory, "", b""),
        file("etc/passwd"),
        symlink("to-host", "/etc/passwd"),
        hard("link-to-link", "to-host"),
        file("to-host"),
        entry(b"dev/null", EntryType::Char, "", b""),
        entry(b"pipe", EntryType::Fifo, "", b""),
        file("pipe"),
        file("twice"),
        file("twice"),
        file("usr/bin/su"),
    ]);
    let (before, passwd) = (fs::metadata("/etc").unwrap().mtime_nsec(), fs::read("/etc/passwd").unwrap());
    attack.install().ok();
    attack.host.assert_same(&Tree::without(attack.world.dir(), &["root"]), "outside");
    assert_eq!(fs::metadata("/etc").unwrap().mtime_nsec(), before);
    assert_eq!(fs::read("/etc/passwd").unwrap(), passwd);
    let text = |path: &str| fs::read_to_string(attack.world.lib("template").join(path)).unwrap();
    for path in ["absolute", "etc/passwd", "to-host", "pipe", "twice"] {
        assert_eq!(text(path), "planted", "{path}");
    }
    let su = fs::metadata(attack.world.lib("sharedfs/usr/bin/su")).unwrap();
    assert_eq!((su.mode() & 0o7777, su.uid()), (0o4755, 0));
}

/// More memory than this for data is not given to the program: bytes.
const MEMORY: u64 = 200 << 20;

#[test]
fn a_million_entries_fit_into_bounded_memory() {
    let world = World::new();
    let mut out = BufWriter::new(File::create(world.archive()).unwrap());
    out.write_all(&entry(b"usr/bin/", EntryType::Directory, "", b"")).unwrap();
    for n in 0..1_000_000 {
        // A thousand names again and again: what counts is the entries, not the room on the disk.
        let name = format!("usr/share/many/{}/", n % 1000);
        out.write_all(&entry(name.as_bytes(), EntryType::Directory, "", b"")).unwrap();
    }
    out.write_all(&[0; 1024]).unwrap();
    out.into_inner().unwrap();
    let install = world.command(["install", "--source", "tarball", "--any-release"]);
    let mut limited = Command::new("prlimit");
    limited.arg(format!("--data={MEMORY}")).arg("--").arg(install.get_program()).args(install.get_args());
    limited.ran(&["-o", &format!("path={}", world.archive().display()), "-o", "version=many-1.0"]).ok();
    assert_eq!(fs::read_dir(world.lib("sharedfs/usr/share/many")).unwrap().count(), 1000);
}
