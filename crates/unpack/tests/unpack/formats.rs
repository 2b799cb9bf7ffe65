//! Archives as real programs write them: nothing of an entry is lost.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;

use crate::support::{archive, entry, file, pax, unpack};
use qchroot_api::NodeKind;
use tar::EntryType;

/// Runs a program to its end and gives what it printed.
fn run(directory: &Path, argv: &[&str]) -> Vec<u8> {
    #[expect(clippy::disallowed_methods, reason = "the archives are to be made by the real programs")]
    let mut command = std::process::Command::new(argv[0]);
    let output = command.args(&argv[1..]).current_dir(directory).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", argv[0]));
    assert!(output.status.success(), "{argv:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn long_name() -> String {
    format!("deep/{}/{}", "d".repeat(120), "f".repeat(200))
}

/// A tree with something of everything.
fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir_all(at(&long_name()).parent().unwrap()).unwrap();
    fs::write(at(&long_name()), "long").unwrap();
    fs::write(at("plain"), vec![b'p'; 1_500_000]).unwrap();
    fs::write(at("setuid"), "s").unwrap();
    fs::set_permissions(at("setuid"), fs::Permissions::from_mode(0o4751)).unwrap();
    fs::hard_link(at("plain"), at("zlink")).unwrap();
    symlink("/etc/../nowhere", at("symlink")).unwrap();
    fs::write(dir.path().join(OsStr::from_bytes(b"not-\xff-utf8")), "u").unwrap();
    let sparse = File::create(at("sparse")).unwrap();
    for piece in 0..60 {
        sparse.write_all_at(&[b'x'; 5000], piece * 1_000_000).unwrap();
    }
    sparse.set_len(70_000_000).unwrap();
    run(dir.path(), &["mkfifo", "fifo"]);
    run(dir.path(), &["mknod", "device", "c", "1", "3"]);
    dir
}

fn looks_like_the_tree(bytes: &[u8], with_holes: bool) {
    let (memory, summary) = unpack(bytes).unwrap();
    assert_eq!(summary.bytes, bytes.len() as u64);
    assert_eq!(memory.get(long_name().as_bytes()).1, b"long");
    assert_eq!(memory.get(b"not-\xff-utf8").1, b"u");
    assert_eq!(memory.get(b"setuid").0.mode, 0o4751);
    assert_eq!(memory.get(b"symlink").0.kind, NodeKind::Symlink { to: "/etc/../nowhere".into() });
    assert_eq!(memory.get(b"fifo").0.kind, NodeKind::Fifo);
    assert_eq!(memory.get(b"device").0.kind, NodeKind::Device { block: false, major: 1, minor: 3 });
    let linked = [memory.get(b"plain"), memory.get(b"zlink")]
        .map(|(node, _)| matches!(node.kind, NodeKind::HardLink { .. }));
    assert_ne!(linked[0], linked[1], "one is a link to the other");
    assert_eq!(memory.get(b"").0.kind, NodeKind::Directory);
    let sparse = &memory.get(b"sparse").1;
    assert_eq!(sparse.len(), 70_000_000);
    assert!(
        sparse
            .chunks(1_000_000)
            .take(60)
            .all(|piece| piece.iter().take_while(|&&b| b == b'x').count() == 5000)
    );
    assert_eq!(sparse.iter().filter(|&&byte| byte == b'x').count(), 60 * 5000);
    let last = memory.progress.last().unwrap();
    assert_eq!((last.entries, last.total_bytes), (summary.entries, Some(bytes.len() as u64)));
    if with_holes {
        assert!(bytes.len() < 10_000_000, "the archive was to be sparse: {}", bytes.len());
    }
}

#[test]
fn every_way_tar_writes_a_tree() {
    let dir = tree();
    looks_like_the_tree(&run(dir.path(), &["tar", "-cf", "-", "--format=gnu", "."]), false);
    looks_like_the_tree(&run(dir.path(), &["tar", "-cf", "-", "--format=gnu", "-S", "."]), true);
    looks_like_the_tree(&run(dir.path(), &["tar", "-cf", "-", "--format=pax", "."]), false);
    for version in ["0.1", "1.0"] {
        let version = format!("--sparse-version={version}");
        looks_like_the_tree(
            &run(dir.path(), &["tar", "-cf", "-", "--format=pax", "-S", &version, "."]),
            true,
        );
    }
    looks_like_the_tree(&run(dir.path(), &["tar", "-cf", "-", "-P", "-S", "."]), true);
}

#[test]
fn every_compression_and_several_members() {
    let dir = tree();
    let out = tempfile::tempdir().unwrap();
    let tar = out.path().join("t.tar");
    run(dir.path(), &["tar", "-cSf", tar.to_str().unwrap(), "."]);
    let plain = fs::read(&tar).unwrap();
    let digest = unpack(&plain).unwrap().1.sha256;
    let theirs = String::from_utf8(run(out.path(), &["sha256sum", "t.tar"])).unwrap();
    assert_eq!(theirs.split_once(' ').unwrap().0, digest);
    let (half, rest) = plain.split_at(plain.len() / 2 - 77);
    fs::write(out.path().join("1"), half).unwrap();
    fs::write(out.path().join("2"), rest).unwrap();
    let ways: [&[&str]; 5] = [
        &["gzip", "-c"],
        &["xz", "-c", "-T2", "--block-size=100KiB"],
        &["xz", "-0", "-c"],
        &["zstd", "-c", "-q"],
        &["bzip2", "-c"],
    ];
    for way in ways {
        looks_like_the_tree(&run(out.path(), &[way, &["t.tar"]].concat()), true);
        let members = [run(out.path(), &[way, &["1"]].concat()), run(out.path(), &[way, &["2"]].concat())];
        looks_like_the_tree(&members.concat(), true);
    }
}

#[test]
fn pax_records_reach_the_writer() {
    let capability = b"\x01\0\0\x02\n\n\0\0";
    let records: [(&str, &[u8]); 7] = [
        ("path", "über/path".as_bytes()),
        ("mtime", b"1700000000.123456789"),
        ("uid", b"3000000000"),
        ("gid", b"4000000000"),
        ("SCHILY.xattr.security.capability", capability),
        ("SCHILY.fflags", b"schg,uarch"),
        ("SCHILY.xattr.user.note", b"n"),
    ];
    let (memory, _) = unpack(&archive(&[pax(&records), file(b"short", b"c"), file(b"next", b"d")])).unwrap();
    let node = &memory.get("über/path".as_bytes()).0;
    assert_eq!(
        (node.mtime, node.uid, node.gid),
        ((1_700_000_000, 123_456_789), 3_000_000_000, 4_000_000_000)
    );
    assert_eq!(node.xattrs[0], (b"security.capability".to_vec(), capability.to_vec()));
    assert_eq!(node.xattrs[1], (b"user.note".to_vec(), b"n".to_vec()));
    assert_eq!(node.flags.as_deref(), Some("schg,uarch"));
    let next = &memory.get(b"next").0;
    assert_eq!((next.uid, next.mtime, next.xattrs.len(), &next.flags), (7, (1_700_000_000, 0), 0, &None));
}

#[test]
fn a_global_record_holds_until_an_entry_says_otherwise() {
    let global = entry(b"g", EntryType::XGlobalHeader, "", b"11 mtime=5\n20 comment=a commit\n");
    let (memory, _) =
        unpack(&archive(&[global, file(b"a", b""), pax(&[("mtime", b"6")]), file(b"b", b"")])).unwrap();
    assert_eq!((memory.get(b"a").0.mtime.0, memory.get(b"b").0.mtime.0), (5, 6));
}

#[test]
fn a_size_in_a_pax_record_wins_over_the_header() {
    let lies = crate::support::sized(b"a", EntryType::Regular, "", 0, b"hello");
    let (memory, _) = unpack(&archive(&[pax(&[("size", b"5")]), lies, file(b"b", b"x")])).unwrap();
    assert_eq!((memory.get(b"a").1.as_slice(), memory.get(b"b").1.as_slice()), (&b"hello"[..], &b"x"[..]));
}
