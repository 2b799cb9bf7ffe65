//! The host's own Debian, made for real from the host's own mirrors.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use qchroot_api::{ErrorKind, Release, ReleaseSource, ReleaseWish, Result, toml};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use qchroot_release_debian::Debian;

fn resolve(release: Option<&str>, any: bool, options: toml::Table) -> Result<Release> {
    Debian.resolve(&ReleaseWish { release: release.map(str::to_owned), any, options }, &Machine::new())
}

#[test]
fn the_hosts_own_debian_boots_a_shell() {
    let machine = Machine::new();
    assert!(machine.is_superuser(), "this test must be run as root");
    let release = resolve(None, false, toml::toml! { packages = ["netbase"] }).unwrap();
    let dir = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o700)).tempdir().unwrap();
    let beside = tempfile::tempdir().unwrap();
    let mut said = BTreeSet::new();
    let mut show = |progress: &qchroot_api::Progress| {
        said.insert(progress.what.clone());
    };
    let mut work = machine.work(&place(dir.path(), &beside), &mut show).unwrap();
    Debian.fill(&release, work.as_mut()).unwrap();
    drop(work);
    assert!(said.iter().any(|line| line.contains("installing essential packages")), "{said:?}");

    let root = dir.path();
    assert_eq!(fs::metadata(root).unwrap().permissions().mode() & 0o7777, 0o755);
    assert!(fs::metadata(root.join("dev/null")).unwrap().file_type().is_char_device());
    assert!(root.join("etc/protocols").exists(), "netbase was asked for");
    let sources = fs::read_to_string(root.join("etc/apt/sources.list")).unwrap();
    assert!(sources.lines().all(|line| line.is_empty() || line.starts_with("deb ")), "{sources}");
    let settings = fs::read_to_string(root.join("etc/apt/apt.conf.d/99mmdebstrap")).unwrap_or_default();
    assert_eq!(settings, "", "how the host reaches its mirrors stays on the host");
    assert_eq!(inside(root, &["/bin/sh", "-c", "echo ok"]), "ok\n");
    assert_eq!(inside(root, &["dpkg", "--audit"]), "");
}

/// The rest of the workplace lies in a directory that goes with the test.
fn place(staging: &Path, beside: &tempfile::TempDir) -> Workplace {
    let path = |name| beside.path().join(name).try_into().unwrap();
    Workplace { cache: path("cache"), log: path("log"), ..Workplace::beside(staging.try_into().unwrap()) }
}

fn inside(root: &Path, argv: &[&str]) -> String {
    #[expect(clippy::disallowed_methods, reason = "to prove that the programs of the userland run")]
    let mut command = std::process::Command::new("chroot");
    command.arg(root).args(argv).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{argv:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_digest_follows_what_is_asked_for() {
    let plain = resolve(None, false, toml::Table::new()).unwrap();
    assert!(plain.id().is_ok());
    assert!(plain.version.ends_with(&format!("-{}", plain.pins["arch"])), "{}", plain.version);
    assert_eq!(plain.digest, resolve(Some(&plain.version), false, toml::Table::new()).unwrap().digest);
    for options in [
        toml::toml! { packages = ["vim"] },
        toml::toml! { variant = "apt" },
        toml::toml! { mirror = "http://x/y" },
    ] {
        assert_ne!(plain.digest, resolve(None, false, options).unwrap().digest);
    }
    let one = resolve(None, false, toml::toml! { packages = ["a", "b"] }).unwrap();
    assert_eq!(one.digest, resolve(None, false, toml::toml! { packages = ["b", "a", "b"] }).unwrap().digest);
}

#[test]
fn another_release_is_taken_only_when_asked_for() {
    let error = resolve(Some("sid"), false, toml::Table::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(error.message().contains("sid"), "{error}");
    let release = resolve(Some("sid"), true, toml::Table::new()).unwrap();
    assert!(release.version.contains("-sid-"), "{}", release.version);
    assert!(release.pins["entries"].contains(" sid "), "{}", release.pins["entries"]);
}

#[test]
fn a_mirror_that_cannot_be_reached_is_told() {
    let release = resolve(None, false, toml::toml! { mirror = "http://localhost:9/debian" }).unwrap();
    let (machine, dir, beside) = (Machine::new(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut show = |_: &qchroot_api::Progress| {};
    let mut work = machine.work(&place(dir.path(), &beside), &mut show).unwrap();
    let error = Debian.fill(&release, work.as_mut()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(!error.causes().is_empty() && error.hint_text().is_some(), "{error:?}");
}
