//! What pkg(8) is asked for, and what is refused before it is.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

use qchroot_api::{Error, ErrorKind, Release, ReleaseSource, ReleaseWish, Result, toml};
use qchroot_engine::{Host, Workplace};
use qchroot_release_pkgbase::Pkgbase;
use qchroot_testkit::FakeHost;

mod pkg;

use pkg::{REPOSITORY, plant, said, wish};

const STAGING: &str = "/q/staging";
const CONF: &str = "/q/staging/usr/local/etc/pkg/repos/FreeBSD-base.conf";

fn host() -> FakeHost {
    let host = FakeHost::freebsd();
    host.plant_dir(STAGING, 0o755);
    host
}

fn with(key: &str, value: impl Into<toml::Value>) -> ReleaseWish {
    let mut wish = wish();
    wish.options.insert(key.into(), value.into());
    wish
}

fn fill(host: &FakeHost, release: &Release) -> Result<()> {
    let mut show = |_: &qchroot_api::Progress| {};
    Pkgbase.fill(release, &mut *host.work(&Workplace::beside(STAGING.into()), &mut show)?)
}

#[track_caller]
fn refused(wish: &ReleaseWish, host: &FakeHost, kind: ErrorKind, words: &[&str]) -> Error {
    let error = Pkgbase.resolve(wish, host).unwrap_err();
    let text = format!("{error} {:?} {}", error.causes(), error.hint_text().unwrap_or(""));
    assert!(error.kind() == kind && words.iter().all(|word| text.contains(word)), "{kind:?} {text}");
    error
}

#[test]
fn the_set_is_installed_from_the_signed_repository_and_the_cache_emptied() {
    let host = host();
    let asked = plant(&host);
    fill(&host, &Pkgbase.resolve(&wish(), &host).unwrap()).unwrap();
    let options = format!(
        "pkg --rootdir {STAGING} --repo-conf-dir {STAGING}/usr/local/etc/pkg/repos -o IGNORE_OSVERSION=yes -o ABI=FreeBSD:15:amd64"
    );
    let lines: Vec<String> = asked.lock().unwrap().iter().map(|argv| argv.join(" ")).collect();
    assert_eq!(
        lines,
        [
            format!("{options} update -r FreeBSD-base"),
            format!("{options} install -U -y -r FreeBSD-base FreeBSD-set-minimal-jail"),
            format!("{options} clean -a -y"),
        ]
    );
    let key = format!("{STAGING}/usr/share/keys/pkgbase-15/trusted/awskms-15");
    assert_eq!(host.text(key).as_deref(), Some("fingerprint"), "where pkg(8) looks for it");
    assert_eq!(host.text(CONF).unwrap(), "FreeBSD-base: { enabled: no }\n");
}

#[test]
fn pkg_is_told_of_the_repository_while_it_works() {
    let host = host();
    plant(&host);
    let machine = host.clone();
    host.on_run("pkg", move |argv| {
        if argv[1..] == ["-N"] {
            return said(0, "");
        }
        said(1, &machine.text(CONF).unwrap_or_default())
    });
    let error = fill(&host, &Pkgbase.resolve(&wish(), &host).unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Unavailable, "pkg update ended with status 1"));
    let conf = error.causes().join("\n");
    assert!(conf.contains("signature_type: \"fingerprints\""), "{conf}");
    assert!(conf.contains("fingerprints: \"/usr/share/keys/pkgbase-15\""), "{conf}");
    assert!(error.hint_text().unwrap().contains("/q/staging.log"), "{error:?}");
}

#[test]
fn another_list_of_packages_is_another_release() {
    let host = host();
    plant(&host);
    let before = Pkgbase.resolve(&wish(), &host).unwrap();
    let more = Pkgbase.resolve(&with("packages", vec!["FreeBSD-set-base-jail"]), &host).unwrap();
    assert_ne!(before.digest, more.digest);
    host.plant_file(format!("{REPOSITORY}/data.pkg"), "newer packages", 0o644);
    let error = fill(&host, &before).unwrap_err();
    assert!(error.kind() == ErrorKind::BadData && error.message().contains("changed"), "{error}");
    assert_ne!(before.digest, Pkgbase.resolve(&wish(), &host).unwrap().digest);
}

#[test]
fn releases_without_packages_and_hosts_without_pkg_are_told_of_sets() {
    let host = host();
    let old = ReleaseWish { release: Some("14.3-RELEASE".into()), ..wish() };
    refused(&old, &host, ErrorKind::Unavailable, &["14.3-RELEASE", "since 15.0", "distset"]);
    host.plant_file("/usr/share/keys/pkgbase-15/trusted/awskms-15", "fingerprint", 0o644);
    refused(&wish(), &host, ErrorKind::Unavailable, &["pkg(8)", "pkg bootstrap"]);
    host.on_run("pkg", |_| said(1, "pkg: pkg is not installed"));
    refused(&wish(), &host, ErrorKind::Unavailable, &["pkg bootstrap"]);
}

#[test]
fn what_nobody_signed_needs_insisting() {
    let host = host();
    plant(&host);
    let unsigned = ReleaseWish { any: false, ..with("keys", "none") };
    refused(&unsigned, &host, ErrorKind::BadData, &["without signatures", "--any-release"]);
    assert!(Pkgbase.resolve(&with("keys", "none"), &host).is_ok());
    refused(&with("keys", "/nowhere"), &host, ErrorKind::NotFound, &["/nowhere/trusted"]);
    host.uproot("/usr/share/keys");
    refused(&wish(), &host, ErrorKind::NotFound, &["/usr/share/keys/pkg/trusted", "-o keys="]);
}

#[test]
fn no_option_reaches_pkg_as_anything_else() {
    let host = host();
    plant(&host);
    for (key, value) in [
        ("packages", toml::Value::from(vec!["--script=x"])),
        ("packages", vec!["a b"].into()),
        ("abi", "FreeBSD:15:amd64\" x".into()),
        ("abi", "Linux:6:x86_64".into()),
        ("url", "https://mirror/\",\n  signature_type: \"none".into()),
        ("keys", "keys".into()),
    ] {
        assert_eq!(refused(&with(key, value), &host, ErrorKind::Config, &[]).fact("key"), Some(key));
    }
}

#[test]
fn packages_that_make_no_userland_are_none() {
    let host = host();
    plant(&host);
    let release = Pkgbase.resolve(&wish(), &host).unwrap();
    host.on_run("pkg", |_| said(0, ""));
    let error = fill(&host, &release).unwrap_err();
    assert_eq!((error.kind(), error.fact("key")), (ErrorKind::Config, Some("packages")), "{error}");
}
