//! Releases before 9.0: sets in parts, in a directory and on an image.

use std::fs;
use std::path::Path;

use qchroot_api::{ErrorKind, toml};

use crate::support::{Lab, run, says};

/// A set in parts of 4 KiB, with its description and checksums, as release(7) of that time made them.
fn put_split(lab: &Lab, directory: &str, set: &str, list: &str, files: &[&str]) {
    let at = lab.medium.join(directory).join(set);
    fs::create_dir_all(&at).unwrap();
    let archive = lab.path("set.tgz");
    lab.pack(files, &["-czf", archive.to_str().unwrap()]);
    run("split", &["-b", "128", archive.to_str().unwrap(), &format!("{set}.")], &at);
    let (mut parts, mut sums) = (names(&at), String::new());
    parts.sort();
    let mut info = format!("Pieces =  {}\n", parts.len());
    for part in &parts {
        let cksum = run("cksum", &[part], &at);
        let numbers: Vec<&str> = cksum.split(' ').collect();
        info += &format!("cksum.{} = {} {}\n", &part[part.len() - 2..], numbers[0], numbers[1]);
    }
    fs::write(at.join(format!("{set}.inf")), info).unwrap();
    let (program, word) = if list == "CHECKSUM.MD5" { ("md5sum", "MD5") } else { ("sha256sum", "SHA256") };
    for file in names(&at) {
        let sum = run(program, &[&file], &at);
        sums += &format!("{word} ({file}) = {}\n", sum.split(' ').next().unwrap());
    }
    fs::write(at.join(list), sums).unwrap();
}

fn names(at: &Path) -> Vec<String> {
    fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn sets_in_parts_are_checked_and_joined() {
    for as_image in [false, true] {
        let lab = Lab::new();
        put_split(&lab, "6.1-RELEASE", "base", "CHECKSUM.SHA256", &["bin/sh", "etc/rc.conf"]);
        put_split(&lab, "6.1-RELEASE", "dict", "CHECKSUM.SHA256", &["usr/share/dict/words"]);
        let medium = if as_image { lab.image(&["-R"]) } else { lab.medium.clone() };
        let release =
            Lab::resolve(&medium, None, false, toml::toml! { dists = ["minimal", "dict"] }).unwrap();
        assert_eq!(release.version, "6.1-RELEASE");
        lab.fill(&release).unwrap();
        assert_eq!(lab.text("bin/sh"), "bin/sh");
        assert_eq!(lab.text("usr/share/dict/words"), "usr/share/dict/words");
    }
}

#[test]
fn sets_at_the_top_take_their_release_from_the_disc() {
    let lab = Lab::new();
    put_split(&lab, "", "base", "CHECKSUM.SHA256", &["bin/sh"]);
    lab.put("cdrom.inf", "CD_VERSION = 7.4-RELEASE\nCD_VOLUME = 1\n");
    let release = Lab::resolve(&lab.medium, None, false, toml::Table::new()).unwrap();
    assert_eq!(release.version, "7.4-RELEASE");
    lab.fill(&release).unwrap();
    assert_eq!(lab.text("bin/sh"), "bin/sh");
}

#[test]
fn a_part_that_was_changed_is_refused() {
    let lab = Lab::new();
    put_split(&lab, "6.1-RELEASE", "base", "CHECKSUM.SHA256", &["bin/sh", "etc/rc.conf"]);
    let release = Lab::resolve(&lab.medium, None, false, toml::Table::new()).unwrap();
    let part = lab.medium.join("6.1-RELEASE/base/base.ab");
    let mut bytes = fs::read(&part).unwrap();
    bytes[3] ^= 1;
    fs::write(&part, bytes).unwrap();
    says(&lab.fill(&release).unwrap_err(), ErrorKind::BadData, &["base.ab"]);
}

#[test]
fn forgeable_checksums_alone_are_not_enough() {
    let lab = Lab::new();
    put_split(&lab, "4.11-RELEASE", "bin", "CHECKSUM.MD5", &["bin/sh"]);
    let resolve = |any| Lab::resolve(&lab.medium, None, any, toml::Table::new());
    says(&resolve(false).unwrap_err(), ErrorKind::BadData, &["MD5", "--any-release"]);
    lab.fill(&resolve(true).unwrap()).unwrap();
    assert_eq!(lab.text("bin/sh"), "bin/sh");
}
