//! Archives that mean harm: whatever they hold, nothing outside the staging directory changes, and the entry is
//! named.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use qchroot_api::ErrorKind;
use tar::EntryType;

use crate::support::{Entry, Lab, run, says};

/// What is beside the staging directory, with everything that a write could change.
fn outside(lab: &Lab) -> String {
    let all = "find . -path ./staging -prune -o -path ./made.tar -prune -o -type f -printf %p:%m:%U:%G:%s:%n:%T@\\n";
    run(lab.dir(), all)
}

/// A lab with something of the host's beside the staging directory.
fn lab() -> Lab {
    let lab = Lab::new();
    fs::create_dir(lab.dir().join("host")).unwrap();
    fs::write(lab.dir().join("host/passwd"), "the host's").unwrap();
    lab
}

#[test]
fn ways_out_are_refused_by_name_and_lead_nowhere() {
    let probe = lab();
    let host = probe.dir().join("host").to_str().unwrap().to_owned();
    let passwd = format!("{host}/passwd");
    let cases: Vec<(&str, Vec<Entry>)> = vec![
        ("../host/new", vec![Entry::file("../host/new", "x")]),
        ("a/../../host/new", vec![Entry::file("a/../../host/new", "x")]),
        ("/../host/passwd", vec![Entry::file("/../host/passwd", "x")]),
        ("..", vec![Entry::dir("..")]),
        ("abs/new", vec![Entry::symlink("abs", &host), Entry::file("abs/new", "x")]),
        ("rel/passwd", vec![Entry::symlink("rel", "../host"), Entry::file("rel/passwd", "x")]),
        ("deep/a/new", vec![Entry::symlink("deep", &host), Entry::dir("deep/a/new")]),
        (
            "two/new",
            vec![Entry::symlink("one", &host), Entry::symlink("two", "one"), Entry::file("two/new", "x")],
        ),
        ("stolen", vec![Entry::symlink("dir", &host), Entry::hard("stolen", "dir/passwd")]),
        ("stolen", vec![Entry::hard("stolen", "../host/passwd")]),
        ("stolen", vec![Entry::hard("stolen", &passwd)]),
        ("plain/below", vec![Entry::file("plain", "x"), Entry::file("plain/below", "x")]),
        ("fifo/below", vec![Entry::special("fifo", EntryType::Fifo), Entry::file("fifo/below", "x")]),
        ("null/below", vec![Entry::special("null", EntryType::Char), Entry::file("null/below", "x")]),
        ("etc", vec![Entry::dir("etc"), Entry::file("etc", "x")]),
        ("etc", vec![Entry::dir("etc"), Entry::symlink("etc", &host)]),
        ("again", vec![Entry::dir("etc"), Entry::hard("again", "etc")]),
        ("name is empty", vec![Entry::file("", "x")]),
        (".", vec![Entry::file(".", "x")]),
        ("./", vec![Entry::symlink("./", &host)]),
    ];
    for (name, entries) in cases {
        let lab = lab();
        let before = outside(&lab);
        // The cases name the first lab's host directory, absolute: neither may change.
        let first = outside(&probe);
        says(&lab.write(&entries).unwrap_err(), ErrorKind::BadData, &[name]);
        assert_eq!((outside(&lab), outside(&probe)), (before, first), "{name}");
        assert!(!lab.at("stolen").exists(), "{name}");
    }
}

#[test]
fn later_entries_replace_earlier_ones_and_never_what_those_lead_to() {
    let lab = lab();
    let passwd = lab.dir().join("host/passwd").to_str().unwrap().to_owned();
    let host = lab.dir().join("host").to_str().unwrap().to_owned();
    let before = outside(&lab);
    lab.write(&[
        Entry::symlink("passwd", &passwd),
        Entry::file("passwd", "its own"),
        Entry::symlink("etc", &host),
        Entry::dir("etc").mode(0o777),
        Entry::file("etc/passwd", "its own"),
        Entry::symlink("to-host", &passwd),
        Entry::hard("link-to-link", "to-host"),
        Entry::file("twice", "one"),
        Entry::hard("first", "twice"),
        Entry::file("twice", "two"),
        Entry::special("pipe", EntryType::Fifo),
        Entry::file("pipe", "no pipe"),
        Entry::special("null", EntryType::Char).mode(0o666),
        Entry::hard("also-null", "null"),
        Entry::file("null", "no device"),
        Entry::file("/absolute", "inside"),
        Entry::file("././/a/./b", "inside"),
    ])
    .unwrap();
    assert_eq!(outside(&lab), before);
    let text = |name: &str| fs::read_to_string(lab.at(name)).unwrap();
    assert_eq!((text("passwd"), text("etc/passwd")), ("its own".into(), "its own".into()));
    assert_eq!((text("first"), text("twice")), ("one".into(), "two".into()));
    assert_eq!((text("pipe"), text("null")), ("no pipe".into(), "no device".into()));
    assert_eq!((text("absolute"), text("a/b")), ("inside".into(), "inside".into()));
    assert_eq!(fs::read_link(lab.at("link-to-link")).unwrap(), Path::new(&passwd));
    let null = fs::symlink_metadata(lab.at("also-null")).unwrap();
    assert!(null.file_type().is_char_device() && null.nlink() == 1);
    assert!(fs::symlink_metadata(lab.at("etc")).unwrap().is_dir());
}

#[test]
fn a_hard_link_keeps_what_its_file_is_and_set_id_bits_survive_the_owner() {
    let lab = Lab::new();
    lab.write(&[
        Entry::file("su", "x").mode(0o6755),
        Entry::hard("sudo", "./su").mode(0o777),
        Entry::dir("tmp").mode(0o1777),
        Entry::dir("mail").mode(0o2775),
    ])
    .unwrap();
    let mode = |name: &str| fs::metadata(lab.at(name)).unwrap().mode() & 0o7777;
    assert_eq!((mode("su"), mode("sudo"), mode("tmp"), mode("mail")), (0o6755, 0o6755, 0o1777, 0o2775));
    assert_eq!(fs::metadata(lab.at("sudo")).unwrap().nlink(), 2);
}

#[test]
fn names_of_any_bytes_and_lengths_are_kept_or_refused_by_name() {
    let lab = Lab::new();
    let odd = |bytes: &[u8]| lab.at("").join(std::ffi::OsStr::from_bytes(bytes)).symlink_metadata().is_ok();
    let long = [b'n'; 255];
    lab.write(&[
        Entry::file(*b"not-\xff\xfe-text", "x"),
        Entry::file(*b"new\nline\x1b[2J", "x"),
        Entry::file(*b"-rf *; $(true)", "x"),
        Entry::file(long, "x"),
        Entry::file("d/".repeat(199) + "deepest", "x"),
    ])
    .unwrap();
    assert!(odd(b"not-\xff\xfe-text") && odd(b"new\nline\x1b[2J") && odd(b"-rf *; $(true)") && odd(&long));
    let refused = |entry: Entry, words: &[&str]| {
        let lab = Lab::new();
        says(&lab.write(&[Entry::dir("good"), entry]).unwrap_err(), ErrorKind::BadData, words);
        assert_eq!(fs::read_dir(lab.at("")).unwrap().count(), 1, "{words:?} left something behind");
    };
    refused(Entry::file([b'n'; 256], "x"), &["nnnn", "longer than"]);
    refused(Entry::file("d/".repeat(10_000) + "f", "x"), &["d/d/d", "directories deep"]);
    refused(Entry::dir("x").with("path", *b"a\0b"), &["zero byte"]);
    refused(Entry::symlink("link", &"t/".repeat(5000)), &["link", "longer than"]);
}

/// An archive of one file of zeros behind a header that tells the truth.
fn zeros(lab: &Lab, megabytes: u64) -> std::path::PathBuf {
    let path = lab.dir().join("zeros");
    File::create(&path).unwrap().set_len(megabytes << 20).unwrap();
    run(lab.dir(), "tar -cf zeros.tar zeros");
    path.with_extension("tar")
}

#[test]
fn bombs_of_every_kind_are_refused_by_name() {
    for pack in ["gzip -9", "bzip2 -9", "xz -1", "zstd -q --rm"] {
        let lab = Lab::new();
        zeros(&lab, 100);
        run(lab.dir(), &format!("{pack} zeros.tar"));
        let mut packed = fs::read_dir(lab.dir()).unwrap().flatten().map(|entry| entry.path());
        let packed = packed.find(|path| path.to_str().unwrap().contains("zeros.tar.")).unwrap();
        let error = lab.unpack(&packed).unwrap_err();
        says(&error, ErrorKind::BadData, &["entry zeros", "400 times its size"]);
        assert!(fs::metadata(lab.at("zeros")).is_ok_and(|file| file.blocks() == 0), "zeros take no room");
    }
}

#[test]
fn a_terabyte_of_nothing_is_refused_before_it_is_written() {
    let lab = Lab::new();
    File::create(lab.dir().join("nothing")).unwrap().set_len(1 << 40).unwrap();
    for format in ["--format=gnu", "--format=pax --sparse-version=1.0", "--format=pax --sparse-version=0.1"] {
        run(lab.dir(), &format!("tar {format} -S -cf nothing.tar nothing"));
        let error = lab.unpack(&lab.dir().join("nothing.tar")).unwrap_err();
        says(&error, ErrorKind::BadData, &["entry nothing", "bytes"]);
        assert!(!lab.at("nothing").exists());
    }
}

#[test]
fn headers_without_end_are_refused() {
    let lab = Lab::new();
    let error = lab.write(&[Entry::file("bomb", "x").with("comment", vec![b'c'; 5 << 20])]).unwrap_err();
    says(&error, ErrorKind::BadData, &["extended header", "5242"]);
    let long = vec![b'x'; 1 << 20];
    let error = lab.write(&[Entry::file("fits", "x").with("SCHILY.xattr.user.big", long)]).unwrap_err();
    assert!(error.to_string().contains("fits: user.big"), "{error}");
}

#[test]
fn cut_off_changed_and_continued_archives_are_refused_by_name() {
    let lab = Lab::new();
    let big = "content ".repeat(5000);
    lab.write(&[Entry::file("first", &big), Entry::file("second", &big)]).unwrap();
    let whole = fs::read(lab.dir().join("made.tar")).unwrap();
    let refused = |bytes: &[u8], words: &[&str]| {
        let lab = Lab::new();
        let path = lab.dir().join("made.tar");
        fs::write(&path, bytes).unwrap();
        says(&lab.unpack(&path).unwrap_err(), ErrorKind::BadData, words);
    };
    refused(&whole[..30_000], &["first", "cut off"]);
    refused(&whole[..60_000], &["second", "cut off"]);
    refused(&whole[..whole.len() - 1024], &["second", "cut off"]);
    refused(&[&whole[..], &whole[..]].concat(), &["second", "after its end"]);
    refused(&[&whole[..], b"#!/bin/sh"].concat(), &["second", "after its end"]);
    let mut changed = whole.clone();
    changed[40_448 + 512 + 10] ^= 1;
    refused(&changed, &["checksum"]);
    let mut gzip = Vec::new();
    for part in whole.chunks(50_000) {
        let mut file = File::create(lab.dir().join("part")).unwrap();
        file.write_all(part).unwrap();
        run(lab.dir(), "gzip -f part");
        gzip.extend(fs::read(lab.dir().join("part.gz")).unwrap());
    }
    fs::write(lab.dir().join("members.tgz"), gzip).unwrap();
    let again = Lab::new();
    again.unpack(&lab.dir().join("members.tgz")).unwrap();
    assert_eq!(fs::read_to_string(again.at("second")).unwrap(), big);
}
