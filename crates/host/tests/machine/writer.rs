//! The writer stays in its directory whatever an archive says.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

use camino::Utf8PathBuf;
use qchroot_api::{Command, ErrorKind, Node, NodeKind, Progress, Result};
use qchroot_engine::{Host, Workplace};

use crate::support::Lab;

fn node(path: &str, kind: NodeKind) -> Node {
    let mtime = (1_234_567_890, 5);
    Node { path: path.into(), kind, mode: 0o755, uid: 3, gid: 4, mtime, xattrs: vec![], flags: None }
}

fn file(path: &str, content: &str) -> (Node, Vec<u8>) {
    (node(path, NodeKind::File { size: content.len() as u64 }), content.into())
}

fn link(path: &str, to: &str) -> (Node, Vec<u8>) {
    (node(path, NodeKind::Symlink { to: to.into() }), vec![])
}

fn hard(path: &str, to: &str) -> (Node, Vec<u8>) {
    (node(path, NodeKind::HardLink { to: to.into() }), vec![])
}

fn dir(path: &str) -> (Node, Vec<u8>) {
    (node(path, NodeKind::Directory), vec![])
}

/// Writes all entries into the root.
fn write(lab: &Lab, entries: Vec<(Node, Vec<u8>)>) -> Result<()> {
    let mut show = |_: &Progress| {};
    let mut work = lab.machine.work(&Workplace::beside(&lab.root), &mut show)?;
    for (node, content) in entries {
        work.tree().write(&node, &mut content.as_slice())?;
    }
    work.tree().finish()
}

#[test]
fn entries_that_lead_out_are_refused_by_name() {
    let outside = |lab: &Lab| lab.host.to_string();
    let lab = Lab::new();
    fs::write(lab.host.join("secret"), "x").unwrap();
    let host = outside(&lab);
    let cases = [
        (vec![file("a/../../../host/new", "x")], "a/../../../host/new"),
        (vec![link("etc", &host), file("etc/new", "x")], "etc/new"),
        (vec![link("abs", &host), dir("abs/new")], "abs/new"),
        (vec![link("dir", "../../host"), hard("stolen", "dir/secret")], "stolen"),
        (vec![hard("stolen2", "../../host/secret")], "../../host/secret"),
        (vec![hard("stolen3", "nowhere")], "stolen3"),
        (vec![file("plain", "x"), file("plain/below", "x")], "plain/below"),
    ];
    for (entries, name) in cases {
        let error = write(&lab, entries).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    assert_eq!(lab.host_names(), ["secret"]);
    assert!(!lab.root.join("stolen").exists());
}

#[test]
fn a_file_over_a_link_replaces_the_link() {
    let lab = Lab::new();
    fs::write(lab.host.join("kept"), "the host's").unwrap();
    symlink(lab.host.join("kept"), lab.root.join("passwd")).unwrap();
    write(&lab, vec![file("passwd", "its own")]).unwrap();
    assert_eq!(fs::read_to_string(lab.host.join("kept")).unwrap(), "the host's");
    assert_eq!(fs::read_to_string(lab.root.join("passwd")).unwrap(), "its own");
}

#[test]
fn a_file_over_a_directory_is_refused() {
    let lab = Lab::new();
    let error = write(&lab, vec![dir("etc"), file("etc", "x")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(lab.root.join("etc").is_dir());
}

#[test]
fn what_an_entry_says_is_what_is_there() {
    let lab = Lab::new();
    let mut program = file("./usr/bin/su", "program");
    program.0.mode = 0o4711;
    program.0.xattrs = vec![(b"user.note".to_vec(), b"v".to_vec())];
    let mut closed = dir("usr");
    closed.0.mode = 0o700;
    let device = node("null", NodeKind::Device { block: false, major: 1, minor: 3 });
    write(&lab, vec![closed, program, hard("/usr/bin/sudo", "./usr/bin/su"), (device, vec![])]).unwrap();
    let su = fs::metadata(lab.root.join("usr/bin/su")).unwrap();
    assert_eq!((su.uid(), su.gid(), su.mode() & 0o7777, su.nlink()), (3, 4, 0o4711, 2));
    let usr = fs::metadata(lab.root.join("usr")).unwrap();
    assert_eq!((usr.mode() & 0o7777, usr.mtime(), usr.mtime_nsec()), (0o700, 1_234_567_890, 5));
    assert_eq!(fs::metadata(lab.root.join("usr/bin")).unwrap().mode() & 0o7777, 0o755);
    let null = fs::metadata(lab.root.join("null")).unwrap();
    assert_eq!((null.mode() & 0o7777, null.uid()), (0o755, 3));
}

#[test]
fn zeros_become_holes_and_the_content_is_the_same() {
    let lab = Lab::new();
    let mut content = vec![0_u8; 4 << 20];
    content[1 << 20] = 1;
    content.push(2);
    let entry = node("sparse", NodeKind::File { size: content.len() as u64 });
    write(&lab, vec![(entry, content.clone())]).unwrap();
    assert!(fs::read(lab.root.join("sparse")).unwrap() == content);
    assert!(fs::metadata(lab.root.join("sparse")).unwrap().blocks() * 512 < 1 << 20);
}

#[test]
fn content_that_ends_early_is_bad_data() {
    let lab = Lab::new();
    let error = write(&lab, vec![(node("cut", NodeKind::File { size: 10 }), b"short".to_vec())]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(error.to_string().contains("cut"), "{error}");
}

#[test]
fn names_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let lab = Lab::new();
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(b"dir\xff/na\xfeme"));
    let (mut entry, content) = file("", "x");
    entry.path.clone_from(&path);
    write(&lab, vec![(entry, content)]).unwrap();
    assert!(lab.root.as_std_path().join(path).exists());
}

#[test]
fn a_program_shows_its_errors_line_by_line_and_gives_its_status() {
    let lab = Lab::new();
    let mut lines = vec![];
    let mut show = |progress: &Progress| lines.push(progress.what.clone());
    let mut work = lab.machine.work(&Workplace::beside(&lab.root), &mut show).unwrap();
    let script = "echo out; echo one >&2; printf 'two\\rthree' >&2; env | grep -c HOME; exit 3";
    let output = work.run(&Command::new(["sh", "-c", script])).unwrap();
    drop(work);
    assert_eq!((output.status, output.stdout.as_str()), (3, "out\n0\n"));
    assert_eq!(lines, ["one", "two", "three"]);
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    let lab = Lab::new();
    let mut show = |_: &Progress| {};
    let mut work = lab.machine.work(&Workplace::beside(&lab.root), &mut show).unwrap();
    let error = work.run(&Command::new(["no-such-program"])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("no-such-program"), "{error}");
    let missing = Utf8PathBuf::from("/no/such/file");
    assert!(work.open(&missing).err().unwrap().to_string().contains("/no/such/file"));
}
