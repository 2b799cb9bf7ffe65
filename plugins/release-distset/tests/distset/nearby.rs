//! A FreeBSD host with sets that another tool has left, with the package of MANIFESTs, and without a network.

use qchroot_api::{Error, ErrorKind, ReleaseSource, ReleaseWish, toml};
use qchroot_release_distset::Distset;
use qchroot_testkit::FakeHost;

use crate::support::Mirror;

const MANIFEST: &str = "/usr/local/share/freebsd/MANIFESTS/amd64-amd64-14.3-RELEASE";

fn wish(url: &str) -> ReleaseWish {
    let options =
        toml::Table::from_iter([("url".to_owned(), url.into()), ("target".to_owned(), "amd64/amd64".into())]);
    ReleaseWish { release: Some("14.3-RELEASE".into()), any: false, options }
}

/// Nobody listens at port 1.
fn unreachable(host: &FakeHost) -> Error {
    Distset.resolve(&wish("https://127.0.0.1:1/releases"), host).unwrap_err()
}

fn hint(error: &Error) -> &str {
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    error.hint_text().unwrap()
}

#[test]
fn without_a_network_the_way_out_is_told() {
    let error = unreachable(&FakeHost::freebsd());
    assert!(hint(&error).contains("url=/mnt/usr/freebsd-dist"), "{error}");
    assert!(hint(&error).contains("--source host --any-release"), "{error}");
}

#[test]
fn sets_that_others_have_left_are_proposed() {
    let host = FakeHost::freebsd();
    let plant = |dir: &str| {
        host.plant_file(format!("{dir}/MANIFEST"), "", 0o644);
        host.plant_file(format!("{dir}/base.txz"), "", 0o644);
    };
    plant("/usr/freebsd-dist");
    assert!(hint(&unreachable(&host)).contains("if the installer's sets"), "{}", unreachable(&host));
    plant("/usr/local/bastille/cache/14.2-RELEASE");
    assert!(!hint(&unreachable(&host)).contains("bastille"), "that is another release");
    plant("/usr/local/bastille/cache/14.3-RELEASE");
    assert!(hint(&unreachable(&host)).ends_with("-o url=/usr/local/bastille/cache/14.3-RELEASE"));
}

#[test]
fn the_package_of_manifests_vouches() {
    let mirror = Mirror::below("amd64/amd64/14.3-RELEASE");
    let http = mirror.http();
    let host = FakeHost::freebsd();
    let resolve = |url: &str, any| Distset.resolve(&ReleaseWish { any, ..wish(url) }, &host);
    // A name that leads nowhere, RFC 6761.
    let elsewhere = || resolve("http://mirror.invalid/releases", false).unwrap_err();
    assert!(elsewhere().message().contains("nothing vouches"), "{}", elsewhere());

    let manifest = std::fs::read_to_string(mirror.path("MANIFEST")).unwrap();
    host.plant_file(MANIFEST, &manifest, 0o444);
    assert_eq!(elsewhere().kind(), ErrorKind::Unavailable, "plain HTTP will do: {}", elsewhere());
    assert_eq!(resolve(&http.url(""), false).unwrap().version, "14.3-RELEASE");
    mirror.edit(|text| text.replace("\ton", "\toff"));
    let error = resolve(&http.url(""), false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(error.message().contains("freebsd-release-manifests"), "{error}");
    assert!(resolve(&http.url(""), true).is_ok(), "whoever insists may have another");
}
