//! Exports that are damaged, or were made to do harm: refused, and nothing is left of them.

use std::fs;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::program::Ran;
use crate::tree::Tree;
use crate::world::World;

/// Nothing but what was there before may be there after a refusal.
struct Target {
    world: World,
    before: Tree,
    file: PathBuf,
}

impl Target {
    fn new() -> Self {
        let world = World::with_web("overlay");
        world.sh("echo some text > /root/file; ln /root/file /root/other; rm /etc/group").ok();
        let file = world.dir().join("export");
        world.run(["export", "web", file.to_str().unwrap()]).ok();
        world.run(["delete", "--wait", "web"]).ok();
        fs::create_dir_all(world.lib(".journal")).unwrap();
        let before = world.lasting();
        Self { world, before, file }
    }

    /// Imports these bytes, which must fail; how.
    #[track_caller]
    fn refuses(&self, bytes: &[u8], what: &str) -> Ran {
        fs::write(&self.file, bytes).unwrap();
        let ran = self.world.run(["import", self.file.to_str().unwrap()]);
        assert!(ran.status != 0 && ran.status != 70 && ran.status < 128, "{what}: {ran}");
        self.before.assert_same(&self.world.lasting(), what);
        ran
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let target = Target::new();
    let whole = fs::read(&target.file).unwrap();
    let near_the_end = whole.len() - 60..whole.len();
    for length in (0..whole.len()).step_by(23).chain(near_the_end.step_by(5)) {
        target.refuses(&whole[..length], &format!("cut off after {length} bytes"));
    }
    target.refuses(&[&whole[..], b"x"].concat(), "one byte more");
    fs::write(&target.file, &whole).unwrap();
    target.world.run(["import", target.file.to_str().unwrap()]).ok();
    assert_eq!(target.world.sh("cat /root/other").ok(), "some text\n");
}

#[test]
fn a_file_with_one_bit_flipped_anywhere_is_refused() {
    let target = Target::new();
    let whole = fs::read(&target.file).unwrap();
    let near_the_end = whole.len() - 60..whole.len();
    for at in (0..whole.len()).step_by(11).chain(near_the_end) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        target.refuses(&damaged, &format!("bit flipped at {at}"));
    }
    target.world.assert_sound();
}

/// An export made by somebody who can make a seal.
struct Forged {
    header: String,
    container: String,
    tar: Builder<Vec<u8>>,
}

const CONTAINER: &str = "format = 1\nrelease = \"ID\"\n\n[storage]\nbackend = \"nullfs\"\n\n[isolation]\nbackend = \
                         \"chroot\"\n";

impl Forged {
    /// The two first members as an export of this system would have them, for `entries` members.
    fn of(target: &Target, entries: u64) -> Self {
        let releases = target.world.run(["release", "list", "--json"]).json();
        let id = releases[0]["id"].as_str().unwrap();
        let text = fs::read_to_string(target.world.lib(&format!("releases/{id}/release.toml"))).unwrap();
        let digest = text.lines().find_map(|line| line.strip_prefix("digest = ")).unwrap();
        let header = format!(
            "format = 1\nname = \"web\"\nstorage = \"nullfs\"\nentries = {entries}\nbytes = 10000\nallocated = 0\n\
             [release]\nid = \"{id}\"\nversion = \"tiny-1.0\"\ndigest = {digest}\nbrand = \"linux\"\nsource = \"x\"\n"
        );
        Self { header, container: CONTAINER.replace("ID", id), tar: Builder::new(vec![]) }
    }

    fn entry(mut self, path: &str, kind: EntryType, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.tar.append(&header, content).unwrap();
        self
    }

    fn file(self, path: &str) -> Self {
        self.entry(path, EntryType::Regular, "", b"text")
    }

    fn sealed(self) -> Vec<u8> {
        let (header, container) = (self.header.clone(), self.container.clone());
        let head = Self { header: String::new(), container: String::new(), tar: Builder::new(vec![]) }
            .entry("qchroot-export.toml", EntryType::Regular, "", header.as_bytes())
            .entry("container.toml", EntryType::Regular, "", container.as_bytes());
        let head = head.tar.get_ref().clone();
        let all = [head, self.tar.into_inner().unwrap()].concat();
        let mut file = zstd::encode_all(&all[..], 3).unwrap();
        let digest = Sha256::digest(&file);
        file.extend(b"\x5e\x2a\x4d\x18\x28\x00\x00\x00QCHROOT1");
        file.extend(digest);
        file
    }
}

#[test]
fn a_forged_file_that_keeps_the_rules_is_taken() {
    let target = Target::new();
    let forged = Forged::of(&target, 2).entry("data/", EntryType::Directory, "", b"").file("data/a");
    fs::write(&target.file, forged.sealed()).unwrap();
    target.world.run(["import", target.file.to_str().unwrap()]).ok();
    assert_eq!(fs::read_to_string(target.world.lib("web/root/a")).unwrap(), "text");
}

#[test]
fn members_that_lead_out_or_do_not_belong_there_are_refused_by_name() {
    let target = Target::new();
    let outside = target.world.dir().join("outside");
    fs::create_dir(&outside).unwrap();
    let outside_text = outside.to_str().unwrap();
    let out = format!("data/{}", "../".repeat(12) + &outside_text[1..] + "/evil");
    let absolute = format!("{outside_text}/evil");
    let two = || Forged::of(&target, 2);
    let link = |to: &str| two().entry("data/way", EntryType::Symlink, to, b"");
    let cases: Vec<(Forged, &str)> = vec![
        (two().file("data/good").file(&out), "leads out"),
        (two().file(&absolute), "evil"),
        (two().file("/data/evil"), "/data/evil"),
        (two().file("evil"), "bad member evil"),
        (two().file("database/evil"), "bad member database/evil"),
        (two().file("qchroot-export.toml"), "bad member qchroot-export.toml"),
        (two().file("disk.img"), "bad member disk.img"),
        (link(outside_text).file("bad entry way/evil"), "bad entry way/evil"),
        (link("..").file("bad entry way/evil"), "way"),
        (two().entry("data/evil", EntryType::Link, "/etc/passwd", b""), "data/evil"),
        (two().entry("data/evil", EntryType::Link, "container.toml", b""), "data/evil"),
        (two().entry("data/evil", EntryType::Link, "data/not-there", b""), "evil"),
        (two().entry("data", EntryType::Regular, "", b"x"), "has no name"),
        (two().file("data/a").file("data/b").file("data/c"), "more than 4 entries"),
        (two().file("data/a"), "1 members where its header says 2"),
        (two().file("data/a").entry("data/b", EntryType::Regular, "", &vec![7; 9 << 20]), "more than"),
    ];
    for (forged, told) in cases {
        let ran = target.refuses(&forged.sealed(), told);
        assert!(ran.status == 65 && ran.err.contains(told), "no {told:?} in {ran}");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "{told}");
    }
}

#[test]
fn what_the_texts_say_is_checked_before_anything_is_unpacked() {
    let target = Target::new();
    type Change = fn(&mut Forged);
    let cases: [(Change, i32, &str); 9] = [
        (|f| f.header = f.header.replace("format = 1", "format = 2"), 78, "format 2"),
        (|f| f.header = f.header.replace("bytes", "bites"), 78, "export.toml):5:1: unknown field `bites`"),
        (|f| f.header = f.header.replace("\"web\"", "\"../web\""), 78, "bad container name"),
        (|f| f.header = f.header.replace("allocated = 0", "allocated = 9000000000000000000"), 74, "free"),
        (|f| f.header = f.header.replace("\"nullfs\"", "\"overlay\""), 65, "names storage nullfs"),
        (|f| f.header = f.header.replace("\"linux\"", "\"freebsd\""), 78, "does not suit web"),
        (
            |f| f.container = f.container.replace("[isolation]", "run = 1\n[isolation]"),
            78,
            ":7:1: unknown field `run`",
        ),
        (
            |f| f.container = f.container.replace("[isolation]", "options = { evil = 1 }\n[isolation]"),
            78,
            "container.toml):7:13",
        ),
        (
            |f| f.container.push_str("\n[[service]]\nname = \"../../x\"\ncommand = [\"x\"]\n"),
            64,
            "bad service name",
        ),
    ];
    for (change, status, told) in cases {
        let mut forged = Forged::of(&target, 1).file("data/a");
        change(&mut forged);
        let ran = target.refuses(&forged.sealed(), told);
        assert!(ran.status == status && ran.err.contains(told), "no {told:?} in {ran}");
    }
}

#[test]
fn a_disk_that_is_not_what_the_header_says_is_refused() {
    let target = Target::new();
    for (length, content, told) in [
        (8 << 20, vec![0_u8; 8 << 20], "there is no ext4"),
        (8 << 20, vec![0_u8; 4096], "a file disk.img of 8388608 bytes belongs there"),
    ] {
        let mut forged = Forged::of(&target, 1).entry("disk.img", EntryType::Regular, "", &content);
        forged.header =
            forged.header.replace("\"nullfs\"", "\"md\"").replace("bytes = 10000", "bytes = 8388608");
        forged.header.push_str(&format!("[disk]\nfs = \"ext4\"\nlength = {length}\n"));
        forged.container = forged.container.replace("\"nullfs\"", "\"md\"\noptions = { size = \"64M\" }");
        let ran = target.refuses(&forged.sealed(), told);
        assert!(ran.status == 65 && ran.err.contains(told), "no {told:?} in {ran}");
    }
}

#[test]
fn devices_that_could_do_harm_are_left_out_with_a_warning() {
    let target = Target::new();
    let mut forged = Forged::of(&target, 4);
    for (path, major) in [("data/disk", 8), ("data/null", 1)] {
        let mut header = Header::new_ustar();
        header.set_path(path).unwrap();
        header.set_entry_type(if major == 8 { EntryType::Block } else { EntryType::Char });
        header.set_mode(0o666);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(0);
        header.set_device_major(major).unwrap();
        header.set_device_minor(if major == 8 { 0 } else { 3 }).unwrap();
        header.set_cksum();
        forged.tar.append(&header, &b""[..]).unwrap();
    }
    let forged = forged.entry("data/same", EntryType::Link, "data/disk", b"").file("data/file");
    fs::write(&target.file, forged.sealed()).unwrap();
    let ran = target.world.run(["import", target.file.to_str().unwrap()]);
    assert!(ran.status == 0 && ran.err.contains("device disk was left out"), "{ran}");
    let names = fs::read_dir(target.world.lib("web/root")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["file", "null"]);
}
