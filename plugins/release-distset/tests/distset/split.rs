//! Releases before 9.0, made as `release/scripts/info.sh` and split(1) make them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use qchroot_api::{ErrorKind, ReleaseWish, toml};
use qchroot_testkit::server::{Fault, FtpServer, HttpServer};
use tempfile::TempDir;

use crate::support::{Mirror, install, refused, resolve, run};

/// A mirror with `i386/VERSION/SET`.
struct Old {
    dir: TempDir,
    set: PathBuf,
    wish: ReleaseWish,
}

impl Old {
    fn new(version: &str, name: &str, lists: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let set = dir.path().join("i386").join(version).join(name);
        fs::create_dir_all(&set).unwrap();
        write_set(&set, name);
        lists.iter().for_each(|list| write_list(&set, list));
        let mut options = toml::toml! { format = "split" target = "i386/i386" };
        options.insert("url".into(), dir.path().to_str().unwrap().into());
        Self { dir, set, wish: ReleaseWish { release: Some(version.into()), any: false, options } }
    }

    fn rewrite(&self, file: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let path = self.set.join(file);
        fs::write(&path, change(fs::read(&path).unwrap())).unwrap();
    }

    /// Tells the truth about files that were changed.
    fn publish(&self, name: &str) {
        write_info(&self.set, name);
        write_list(&self.set, "CHECKSUM.SHA256");
    }
}

/// The base system of [`Mirror`] as one gzip archive in parts.
fn write_set(set: &Path, name: &str) {
    let modern = Mirror::new();
    run("xz", &["-dk", "base.txz"], &modern.at);
    run("gzip", &["-n", "base.tar"], &modern.at);
    let archive = modern.path("base.tar.gz");
    run("split", &["-a", "2", "-b", "10000", archive.to_str().unwrap(), &format!("{name}.")], set);
    write_info(set, name);
    fs::write(set.join("install.sh"), "#!/bin/sh\ncat base.?? | tar --unlink -xpzf - -C ${DESTDIR:-/}\n")
        .unwrap();
}

fn parts(set: &Path, name: &str) -> Vec<String> {
    let names = fs::read_dir(set).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut parts: Vec<String> =
        names.filter(|file| file.len() == name.len() + 3 && file.starts_with(name)).collect();
    parts.sort();
    parts
}

fn write_info(set: &Path, name: &str) {
    let parts = parts(set, name);
    let mut text = format!("Pieces =  {}\n", parts.len());
    for part in parts {
        let sum = run("cksum", &[&part], set);
        let words: Vec<&str> = sum.split_whitespace().collect();
        text += &format!("cksum.{} = {} {}\n", part.rsplit_once('.').unwrap().1, words[0], words[1]);
    }
    fs::write(set.join(format!("{name}.inf")), text).unwrap();
}

fn write_list(set: &Path, list: &str) {
    let (program, word) = if list == "CHECKSUM.MD5" { ("md5sum", "MD5") } else { ("sha256sum", "SHA256") };
    let _ = fs::remove_file(set.join(list));
    let mut files: Vec<String> =
        fs::read_dir(set).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.retain(|file| !file.starts_with("CHECKSUM"));
    files.sort();
    let line = |file: String| {
        let sum = run(program, &[&file], set);
        format!("{word} ({file}) = {}\n", sum.split_whitespace().next().unwrap())
    };
    fs::write(set.join(list), files.into_iter().map(line).collect::<String>()).unwrap();
}

#[test]
fn parts_become_one_userland() {
    let old = Old::new("8.4-RELEASE", "base", &["CHECKSUM.MD5", "CHECKSUM.SHA256"]);
    assert!(parts(&old.set, "base").len() > 10);
    let release = resolve(&old.wish).unwrap();
    assert_eq!(release.version, "8.4-RELEASE");
    let list = old.set.join("CHECKSUM.SHA256");
    assert!(release.remember.contains_key(list.to_str().unwrap()), "{:?}", release.remember);
    let dir = install(&old.wish).unwrap();
    let root = dir.path().join("tree");
    let meta = |path: &str| fs::symlink_metadata(root.join(path)).unwrap();
    assert_eq!(meta("bin/test").ino(), meta("bin/[").ino());
    assert_eq!(meta("bin/rcp").mode() & 0o7777, 0o4555);
    assert!(old.dir.path().exists());
}

#[test]
fn md5_alone_needs_insistence() {
    let mut old = Old::new("4.11-RELEASE", "bin", &["CHECKSUM.MD5"]);
    let error = refused(&old.wish);
    assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
    assert!(error.message().contains("only MD5"), "{error}");
    old.wish.any = true;
    install(&old.wish).unwrap();
    old.rewrite("bin.ac", |mut bytes| {
        bytes[7] ^= 1;
        bytes
    });
    assert!(refused(&old.wish).to_string().contains("bin.ac has the MD5"));
}

#[test]
fn each_part_is_checked() {
    let old = Old::new("8.4-RELEASE", "base", &["CHECKSUM.SHA256"]);
    let good = fs::read(old.set.join("base.ad")).unwrap();
    let mut flipped = good.clone();
    flipped[100] ^= 1;
    for (bad, why) in [
        (flipped, "base.ad"),
        (good[..9_999].to_vec(), "base.ad"),
        ([&good[..], b"x"].concat(), "base.ad"),
        (vec![], "base.ad"),
    ] {
        old.rewrite("base.ad", |_| bad);
        let error = refused(&old.wish);
        assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    fs::remove_file(old.set.join("base.ad")).unwrap();
    assert_eq!(refused(&old.wish).kind(), ErrorKind::NotFound);
}

#[test]
fn lists_and_description_must_fit_together() {
    let old = Old::new("8.4-RELEASE", "base", &["CHECKSUM.SHA256"]);
    let list = fs::read_to_string(old.set.join("CHECKSUM.SHA256")).unwrap();
    let refusal = |content: &str| {
        old.rewrite("CHECKSUM.SHA256", |_| content.into());
        let error = refused(&old.wish);
        assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
        error.to_string()
    };
    let without = |file: &str| -> String {
        list.lines().filter(|line| !line.contains(file)).map(|l| format!("{l}\n")).collect()
    };
    assert!(refusal(&without("(base.ab)")).contains("pieces of base"));
    assert!(refusal(&list[..list.len() - 10]).contains("not in order"));
    assert!(refusal("").contains("pieces of base"));
    old.rewrite("CHECKSUM.SHA256", |_| list.clone().into());
    old.rewrite("base.inf", |bytes| String::from_utf8(bytes).unwrap().replace("cksum.ab", "cksum.zz").into());
    assert!(refused(&old.wish).to_string().contains("base.inf has the SHA-256"));
    write_list(&old.set, "CHECKSUM.SHA256");
    assert!(refused(&old.wish).to_string().contains("does not tell cksum and size of base.ab"));
    old.publish("base");
    install(&old.wish).unwrap();
}

/// Everything is published truthfully, and the archive itself is not whole.
#[test]
fn an_archive_without_its_last_part_is_cut_off() {
    let old = Old::new("8.4-RELEASE", "base", &["CHECKSUM.SHA256"]);
    fs::remove_file(old.set.join(parts(&old.set, "base").pop().unwrap())).unwrap();
    old.publish("base");
    let error = refused(&old.wish);
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(error.to_string().contains("cut off"), "{error}");
}

#[test]
fn options_that_mean_nothing_here_are_refused() {
    let old = Old::new("8.4-RELEASE", "base", &["CHECKSUM.SHA256"]);
    for (key, value) in [
        ("profile", "full".into()),
        ("manifest_sha256", "0".repeat(64).into()),
        ("key", "/k.pub".into()),
        ("format", "zip".into()),
        ("sets", toml::Value::Array(vec!["../base".into()])),
    ] {
        let mut wish = old.wish.clone();
        wish.options.insert(key.into(), value);
        let error = refused(&wish);
        assert_eq!((error.kind(), error.fact("key")), (ErrorKind::Config, Some(key)), "{error}");
    }
    let mut wish = old.wish.clone();
    wish.options.insert("sets".into(), toml::Value::Array(vec!["dict".into()]));
    assert_eq!(refused(&wish).kind(), ErrorKind::NotFound);
}

#[test]
fn parts_come_over_the_network_too() {
    for (version, name, list) in
        [("8.4-RELEASE", "base", "CHECKSUM.SHA256"), ("5.2.1-RELEASE", "base", "CHECKSUM.MD5")]
    {
        let mut old = Old::new(version, name, &[list]);
        old.wish.any = list == "CHECKSUM.MD5";
        let (http, ftp) = (HttpServer::serving(old.dir.path()), FtpServer::serving(old.dir.path()));
        for url in [http.url("/"), ftp.url("/")] {
            old.wish.options.insert("url".into(), url.into());
            let dir = install(&ReleaseWish { any: true, ..old.wish.clone() }).unwrap();
            assert_eq!(fs::metadata(dir.path().join("tree/bin/test")).unwrap().len(), 160_000);
        }
        old.wish.options.insert("url".into(), http.url("/").into());
        http.fault(&format!("/i386/{version}/base/base.ac"), Fault::Become(vec![0; 10_000]));
        let error = refused(&old.wish);
        assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
        assert!(error.to_string().contains("base.ac"), "{error}");
    }
}
