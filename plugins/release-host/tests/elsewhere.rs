//! Hosts that are not like the one the tests run on.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

use qchroot_api::{Error, ErrorKind, Release, ReleaseSource, ReleaseWish, Result, toml};
use qchroot_engine::{Host, Workplace};
use qchroot_release_host::HostPackages;
use qchroot_testkit::FakeHost;

mod ubuntu;

const STAGING: &str = "/q/staging";

fn host() -> FakeHost {
    let host = FakeHost::linux();
    ubuntu::plant(&host);
    host.plant_dir(STAGING, 0o755);
    host
}

fn resolve(host: &FakeHost, options: toml::Table) -> Result<Release> {
    HostPackages.resolve(&ReleaseWish { options, ..ReleaseWish::default() }, host)
}

fn fill(host: &FakeHost, release: &Release) -> Result<()> {
    let mut show = |_: &qchroot_api::Progress| {};
    HostPackages.fill(release, &mut *host.work(&Workplace::beside(STAGING.into()), &mut show)?)
}

fn text(host: &FakeHost, path: &str) -> Option<String> {
    host.text(format!("{STAGING}/{path}"))
}

#[track_caller]
fn says(error: &Error, kind: ErrorKind, words: &[&str]) {
    let text = format!("{error} {}", error.hint_text().unwrap_or(""));
    assert!(error.kind() == kind && words.iter().all(|word| text.contains(word)), "{kind:?} {text}");
}

#[test]
fn ubuntu_is_copied_as_it_is_packaged() {
    let host = host();
    fill(&host, &resolve(&host, toml::Table::new()).unwrap()).unwrap();
    assert_eq!(text(&host, "usr/bin/sh").as_deref(), Some("dash\n"), "in the merged /usr");
    assert_eq!(text(&host, "usr/lib/x86_64-linux-gnu/libc.so.6").as_deref(), Some("libc\n"), "it is needed");
    assert_eq!(text(&host, "usr/bin/vim"), None, "nobody asked for it");
    assert_eq!(text(&host, "etc/dpkg/origins/default").as_deref(), Some("Vendor: Ubuntu\n"));
    let passwd = text(&host, "etc/passwd").unwrap();
    assert!(passwd.starts_with("root:x:0:0:") && !passwd.contains("ubuntu"), "{passwd}");
    let status = text(&host, "var/lib/dpkg/status").unwrap();
    assert!(status.contains("Package: dash") && !status.contains("Package: vim"), "{status}");
}

#[test]
fn wanted_packages_come_along_and_unknown_ones_are_named() {
    let host = host();
    fill(&host, &resolve(&host, toml::toml! { packages = ["vim"] }).unwrap()).unwrap();
    assert_eq!(text(&host, "usr/bin/vim").as_deref(), Some("vim\n"));
    says(&resolve(&host, toml::toml! { packages = ["emacs"] }).unwrap_err(), ErrorKind::NotFound, &["emacs"]);
}

#[test]
fn a_file_that_is_not_as_packaged_is_refused_with_its_package() {
    let host = host();
    let release = resolve(&host, toml::Table::new()).unwrap();
    host.plant_file("/usr/bin/sh", "evil\n", 0o755);
    says(&fill(&host, &release).unwrap_err(), ErrorKind::BadData, &["/bin/sh", "dash", "--reinstall"]);
}

#[test]
fn a_host_without_dpkg_is_told_what_it_can_use() {
    let error = resolve(&FakeHost::linux(), toml::Table::new()).unwrap_err();
    says(&error, ErrorKind::Unavailable, &["dpkg", "tarball"]);
}
