//! What MANIFEST says is what is installed, and nothing that differs from it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use qchroot_api::{ErrorKind, toml};

use crate::support::{Mirror, install, refused, resolve, wish};

fn options(mirror: &Mirror) -> toml::Table {
    toml::Table::from_iter([("url".to_owned(), mirror.url().into())])
}

fn with(mirror: &Mirror, key: &str, value: impl Into<toml::Value>) -> toml::Table {
    let mut options = options(mirror);
    options.insert(key.into(), value.into());
    options
}

fn list(names: &[&str]) -> toml::Value {
    toml::Value::Array(names.iter().map(|&name| name.into()).collect())
}

#[test]
fn the_base_system_is_installed_as_it_was_packed() {
    let mirror = Mirror::new();
    let dir = install(&wish(options(&mirror))).unwrap();
    let root = dir.path().join("tree");
    let meta = |path: &str| fs::symlink_metadata(root.join(path)).unwrap();
    assert_eq!(meta("bin/test").ino(), meta("bin/[").ino(), "hard links are kept");
    assert_eq!(meta("bin/[").len(), 160_000);
    assert_eq!(meta("bin/rcp").permissions().mode() & 0o7777, 0o4555);
    assert_eq!(meta("tmp").permissions().mode() & 0o7777, 0o1777);
    assert_eq!(meta("bin/rcp").mtime(), 1_700_000_000);
    assert_eq!(fs::read_link(root.join("etc/localtime")).unwrap().as_os_str(), "../usr/share/zoneinfo/UTC");
    assert!(!root.join("boot").exists() && !root.join("usr/lib32").exists(), "only the base system");
    let rest: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(rest.iter().all(|name| name.to_str().unwrap().starts_with("tree")), "{rest:?}");
}

#[test]
fn profiles_and_names_choose_sets() {
    let mirror = Mirror::new();
    for (options, expected) in [
        (with(&mirror, "profile", "base"), [true, true, false, false]),
        (with(&mirror, "profile", "full"), [true, true, false, false]),
        (with(&mirror, "sets", list(&["lib32"])), [false, true, false, false]),
        (with(&mirror, "sets", list(&["base", "kernel.txz"])), [true, false, true, false]),
        (with(&mirror, "sets", list(&["base-dbg"])), [false, false, false, true]),
    ] {
        let dir = install(&wish(options.clone())).unwrap();
        let root = dir.path().join("tree");
        let found = ["bin/test", "usr/lib32/libc.so.7", "boot/kernel/kernel", "usr/lib/debug"];
        assert_eq!(found.map(|path| root.join(path).exists()), expected, "{options}");
    }
    let error = refused(&wish(with(&mirror, "sets", list(&["lib3"]))));
    assert_eq!((error.kind(), error.hint_text()), (ErrorKind::NotFound, Some("did you mean lib32?")));
    assert_eq!(refused(&wish(with(&mirror, "profile", "huge"))).fact("key"), Some("profile"));
}

#[test]
fn the_digest_follows_the_content_and_not_the_mirror() {
    let mirror = Mirror::new();
    let digest = |options| resolve(&wish(options)).unwrap().digest;
    let base = digest(options(&mirror));
    assert_eq!(base, digest(with(&mirror, "sets", list(&["base"]))));
    assert_ne!(base, digest(with(&mirror, "sets", list(&["base", "lib32"]))));
    assert_ne!(base, digest(with(&mirror, "target", "arm64/aarch64")));
    let mut elsewhere = options(&mirror);
    elsewhere.insert("url".into(), format!("file://{}", mirror.url()).into());
    assert_eq!(base, digest(elsewhere));
    mirror.write_set("base.txz", |tar| crate::support::file(tar, "bin/new", 0o555, b"new"));
    mirror.write_manifest();
    assert_ne!(base, digest(options(&mirror)));
}

/// A set that differs from its row is refused each time, whatever differs.
#[test]
fn a_set_that_is_not_what_manifest_says_is_refused() {
    let mirror = Mirror::new();
    let path = mirror.path("base.txz");
    let good = fs::read(&path).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let cases = [
        ("flipped", flipped),
        ("truncated", good[..good.len() - 4].to_vec()),
        ("empty", vec![]),
        ("extended by zeros", [&good[..], &[0; 4]].concat()),
        ("extended by a second archive", [&good[..], &good[..]].concat()),
        ("another set", fs::read(mirror.path("lib32.txz")).unwrap()),
    ];
    for (what, content) in cases {
        fs::write(&path, content).unwrap();
        for _ in 0..2 {
            let error = refused(&wish(options(&mirror)));
            assert_eq!(error.kind(), ErrorKind::BadData, "{what}: {error}");
            assert!(error.to_string().contains("base.txz"), "{what}: {error}");
        }
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(refused(&wish(options(&mirror))).kind(), ErrorKind::NotFound);
    fs::write(&path, good).unwrap();
    install(&wish(options(&mirror))).unwrap();
}

#[test]
fn the_number_of_entries_counts() {
    let mirror = Mirror::new();
    let row = |text: &str| text.lines().find(|line| line.starts_with("base.txz")).unwrap().to_owned();
    for change in [1_i64, -1] {
        let right = Mirror::new();
        right.edit(|text| {
            let columns: Vec<String> = row(&text).split('\t').map(ToOwned::to_owned).collect();
            let entries = columns[2].parse::<i64>().unwrap() + change;
            text.replace(&row(&text), &row(&text).replacen(&columns[2], &entries.to_string(), 1))
        });
        let error = refused(&wish(options(&right)));
        assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
        assert!(error.to_string().contains("entries"), "{error}");
    }
    install(&wish(options(&mirror))).unwrap();
}

#[test]
fn without_a_manifest_or_a_row_nothing_is_installed() {
    let mirror = Mirror::new();
    let whole = fs::read_to_string(mirror.path("MANIFEST")).unwrap();
    let refusal = |content: &str| {
        fs::write(mirror.path("MANIFEST"), content).unwrap();
        refused(&wish(options(&mirror)))
    };
    let without_base: String =
        whole.lines().filter(|line| !line.starts_with("base.txz")).collect::<Vec<_>>().join("\n");
    assert_eq!(refusal(&without_base).kind(), ErrorKind::NotFound);
    for bad in ["", "\n", "<html>Not found</html>\n", &whole[..whole.len() - 2], &whole[..whole.len() / 2]] {
        let error = refusal(bad);
        assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
        assert!(error.fact("manifest").unwrap().ends_with("/MANIFEST"), "{error:?}");
    }
    let endless = fs::File::create(mirror.path("MANIFEST")).unwrap();
    endless.set_len(1 << 40).unwrap();
    assert_eq!(refused(&wish(options(&mirror))).kind(), ErrorKind::BadData);
    fs::remove_file(mirror.path("MANIFEST")).unwrap();
    let mut insisting = wish(options(&mirror));
    for any in [false, true] {
        insisting.any = any;
        let error = refused(&insisting);
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains("there is no MANIFEST"), "{error}");
    }
}

#[test]
fn a_pinned_manifest_is_the_only_one_that_will_do() {
    let mirror = Mirror::new();
    let pin = mirror.manifest_sha256();
    let release = resolve(&wish(options(&mirror))).unwrap();
    let address = mirror.path("MANIFEST").to_str().unwrap().to_owned();
    assert_eq!(release.remember.get(&address), Some(&pin), "what is not pinned is remembered");
    let pinned = wish(with(&mirror, "manifest_sha256", pin.to_uppercase()));
    assert!(resolve(&pinned).unwrap().remember.is_empty());
    install(&pinned).unwrap();
    mirror.edit(|text| text.replace("The set base", "The set Base"));
    let error = refused(&pinned);
    assert_eq!((error.kind(), error.fact("key")), (ErrorKind::BadData, Some("manifest_sha256")), "{error}");
    let error = refused(&wish(with(&mirror, "manifest_sha256", "abc")));
    assert_eq!((error.kind(), error.fact("key")), (ErrorKind::Config, Some("manifest_sha256")), "{error}");
}
