//! Mirrors on the network: laid out as FreeBSD's are, down, stale, lying, or cut off in the middle.

use std::fs;
use std::path::{Path, PathBuf};

use qchroot_api::{ErrorKind, ReleaseWish, toml};
use qchroot_testkit::server::{Fault, HttpServer};
use tempfile::TempDir;

use crate::support::{Mirror, install, install_in, refused, resolve, wish};

const PATH: &str = "releases/amd64/amd64/14.3-RELEASE";

fn mirror() -> Mirror {
    Mirror::below(PATH)
}

fn from(urls: &[String]) -> ReleaseWish {
    let mut options = toml::toml! { target = "amd64/amd64" };
    options.insert("url".into(), urls[0].as_str().into());
    let more = urls[1..].iter().map(|url| url.as_str().into()).collect();
    options.insert("mirrors".into(), toml::Value::Array(more));
    wish(options)
}

fn releases(server: &HttpServer) -> String {
    server.url("/releases")
}

fn is_whole(dir: &TempDir) {
    assert_eq!(fs::metadata(dir.path().join("tree/bin/test")).unwrap().len(), 160_000);
}

#[test]
fn mirrors_speak_http_and_ftp() {
    let mirror = mirror();
    let (http, ftp) = (mirror.http(), mirror.ftp());
    for url in [releases(&http), ftp.url("/releases"), http.url(&format!("/{PATH}"))] {
        is_whole(&install(&from(&[url])).unwrap());
    }
    let digest = |url| resolve(&from(&[url])).unwrap().digest;
    assert_eq!(digest(releases(&http)), digest(ftp.url("/releases")));
}

#[test]
fn a_mirror_in_trouble_leads_to_the_next() {
    let mirror = mirror();
    let (good, bad, gone) = (mirror.http(), mirror.http(), HttpServer::start());
    let urls = [releases(&gone), releases(&bad), releases(&good)];
    for (file, fault) in [
        ("MANIFEST", Fault::Status(503)),
        ("MANIFEST", Fault::Status(404)),
        ("base.txz", Fault::Status(404)),
        ("base.txz", Fault::CloseAfter(10)),
    ] {
        bad.fault(&format!("/{PATH}/{file}"), fault);
        is_whole(&install(&from(&urls)).unwrap());
        bad.heal(&format!("/{PATH}/{file}"));
    }
    bad.fault(&format!("/{PATH}/MANIFEST"), Fault::Status(503));
    let error = refused(&from(&urls[..2]));
    assert_eq!(error.kind(), ErrorKind::Unavailable, "one of them may have it: {error}");
    assert_eq!(refused(&from(&urls[..1])).kind(), ErrorKind::NotFound);
}

/// Neither at first nor when it is tried again, nor out of the cache.
#[test]
fn a_mirror_that_lies_is_never_believed() {
    let mirror = mirror();
    let server = mirror.http();
    let good = fs::read(mirror.path("base.txz")).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() - 100] ^= 1;
    for lie in [flipped, [&good[..], &[0; 8]].concat(), good[..good.len() - 4].to_vec()] {
        let dir = TempDir::new().unwrap();
        fs::write(mirror.path("base.txz"), lie).unwrap();
        for _ in 0..3 {
            let error = install_in(&dir, &from(&[releases(&server)])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
            assert!(error.to_string().contains("base.txz"), "{error}");
        }
        fs::write(mirror.path("base.txz"), &good).unwrap();
        install_in(&dir, &from(&[releases(&server)])).unwrap();
        is_whole(&dir);
    }
}

fn files(at: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn what_the_cache_holds_is_checked_anew() {
    let mirror = mirror();
    let server = mirror.http();
    let dir = TempDir::new().unwrap();
    install_in(&dir, &from(&[releases(&server)])).unwrap();
    let cached: Vec<PathBuf> = files(&dir.path().join("tree.cache"))
        .into_iter()
        .filter(|at| fs::metadata(at).unwrap().len() > 1000)
        .collect();
    assert!(!cached.is_empty(), "nothing is cached");
    let fetched = server.offsets(&format!("/{PATH}/base.txz")).len();
    install_in(&dir, &from(&[releases(&server)])).unwrap();
    assert_eq!(server.offsets(&format!("/{PATH}/base.txz")).len(), fetched, "it was fetched again");
    for file in cached {
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&file, bytes).unwrap();
    }
    match install_in(&dir, &from(&[releases(&server)])) {
        Ok(()) => is_whole(&dir),
        Err(error) => assert_eq!(error.kind(), ErrorKind::BadData, "{error}"),
    }
    install_in(&dir, &from(&[releases(&server)])).unwrap();
    is_whole(&dir);
}
