//! Which release is taken, and where it is looked for.

use qchroot_api::{ErrorKind, Platform, Release, ReleaseSource, ReleaseWish, Result, toml};
use qchroot_release_distset::Distset;
use qchroot_testkit::FakeHost;

use crate::support::{Mirror, install, refused, resolve, wish};

fn at(url: &str) -> toml::Table {
    toml::Table::from_iter([("url".to_owned(), url.into())])
}

#[test]
fn a_release_is_found_in_every_place_where_mirrors_have_it() {
    let here = std::env::consts::ARCH;
    let target = if here == "aarch64" { "arm64/aarch64" } else { "amd64/amd64" };
    let old = format!("{}/14.3-RELEASE", target.split('/').next().unwrap());
    for path in [format!("{target}/14.3-RELEASE"), old, String::new()] {
        let mirror = Mirror::below(&path);
        let mut options = at(mirror.url());
        options.insert("target".into(), target.into());
        install(&wish(options)).unwrap();
    }
    let mirror = Mirror::below("amd64/amd64/14.2-RELEASE");
    let error = refused(&wish(at(mirror.url())));
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string().matches("/MANIFEST").count(), 3, "{error}");
    assert!(error.hint_text().unwrap().contains("archive"), "{error:?}");
}

/// The release of that name is taken, not another that lies above it.
#[test]
fn the_place_with_the_name_of_the_release_comes_first() {
    let mirror = Mirror::below("amd64/amd64/14.3-RELEASE");
    let mut options = at(mirror.url());
    options.insert("target".into(), "amd64/amd64".into());
    let digest = resolve(&wish(options.clone())).unwrap().digest;
    let above = std::path::Path::new(mirror.url()).join("MANIFEST");
    let text = std::fs::read_to_string(mirror.path("MANIFEST")).unwrap();
    std::fs::write(above, text.replace(&text[13..23], "0123456789")).unwrap();
    assert_eq!(resolve(&wish(options)).unwrap().digest, digest);
}

#[test]
fn the_next_mirror_is_asked_when_one_does_not_have_it() {
    let (empty, mirror) = (tempfile::tempdir().unwrap(), Mirror::new());
    let mut options = at(empty.path().to_str().unwrap());
    options.insert("mirrors".into(), toml::Value::Array(vec![mirror.url().into()]));
    let release = resolve(&wish(options.clone())).unwrap();
    let remembered: Vec<_> = release.remember.keys().collect();
    assert_eq!(remembered.len(), 2, "no mirror may bring in another MANIFEST: {remembered:?}");
    install(&wish(options)).unwrap();
}

#[test]
fn only_production_releases_without_insistence() {
    let mirror = Mirror::new();
    for (release, why) in [
        ("14.3-RELEASE-p3", "patch level"),
        ("14.3-RC1", "test version"),
        ("14.3-BETA2", "test version"),
        ("15.0-ALPHA1", "test version"),
        ("14.3-STABLE", "snapshot"),
        ("15.0-CURRENT", "snapshot"),
        ("mine", "not the name"),
    ] {
        let mut wish = ReleaseWish { release: Some(release.into()), ..wish(at(mirror.url())) };
        let error = refused(&wish);
        assert_eq!(error.kind(), ErrorKind::BadData, "{release}: {error}");
        assert!(error.message().contains(why), "{error}");
        assert!(error.hint_text().unwrap().contains("--any-release"), "{error:?}");
        wish.any = true;
        let found = resolve(&wish).unwrap();
        assert_eq!(found.version, release);
        assert_eq!(found.remember.is_empty(), why == "snapshot", "a snapshot is another one every week");
    }
    let wish = ReleaseWish { release: Some("../14.3-RELEASE".into()), any: true, options: at(mirror.url()) };
    assert_eq!(refused(&wish).kind(), ErrorKind::Usage);
}

/// What a host of FreeBSD 14.3-RELEASE-p2 answers; MANIFEST of the mirror is copied to it.
fn on_freebsd(release: Option<&str>, any: bool, mirror: &Mirror) -> Result<Release> {
    let host = FakeHost::new(Platform::Freebsd);
    host.plant_bytes("/sets/MANIFEST", &std::fs::read(mirror.path("MANIFEST")).unwrap(), 0o644);
    let wish = ReleaseWish { release: release.map(ToOwned::to_owned), any, options: at("/sets") };
    Distset.resolve(&wish, &host)
}

#[test]
fn the_hosts_own_release_is_the_default() {
    let mirror = Mirror::new();
    assert_eq!(on_freebsd(None, false, &mirror).unwrap().version, "14.3-RELEASE");
    assert_eq!(on_freebsd(Some("14.2-RELEASE"), false, &mirror).unwrap().version, "14.2-RELEASE");
    let error = on_freebsd(Some("13.5-RELEASE"), false, &mirror).unwrap_err();
    assert!(error.message().contains("another major release than the host's 14.3-RELEASE-p2"), "{error}");
    assert_eq!(on_freebsd(Some("13.5-RELEASE"), true, &mirror).unwrap().version, "13.5-RELEASE");

    let none = ReleaseWish { release: None, any: false, options: at(mirror.url()) };
    let error = Distset.resolve(&none, &FakeHost::new(Platform::Linux)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.hint_text().unwrap().contains("--release 14.3-RELEASE"), "{error:?}");
}

/// Before anything is asked for over the network.
#[test]
fn what_comes_unprotected_must_be_pinned_or_signed() {
    for url in ["http://mirror.invalid/pub/FreeBSD/releases", "ftp://mirror.invalid/pub/FreeBSD/releases"] {
        let error = refused(&wish(at(url)));
        assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
        assert!(error.message().contains("nothing vouches"), "{error}");
        assert!(error.hint_text().unwrap().contains("manifest_sha256"), "{error:?}");
    }
    let archive = toml::toml! { archive = true };
    assert!(refused(&wish(archive)).message().contains("ftp-archive.freebsd.org"));
    let both = toml::toml! { archive = true url = "/sets" };
    assert_eq!(refused(&wish(both)).fact("key"), Some("archive"));
}
