//! Mirrors on this machine, made of real packages from the host's own; and sources in all the forms that they have.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use qchroot_api::{Error, ErrorKind, Release, ReleaseSource, ReleaseWish, Result, toml};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use qchroot_release_debian::Debian;
use qchroot_testkit::FakeHost;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const OS_RELEASE: &str = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n";

fn host(program: &str, args: &[&str], dir: &Path) -> String {
    #[expect(clippy::disallowed_methods, reason = "to have real packages in a real repository")]
    let mut command = std::process::Command::new(program);
    let output =
        command.args(args).current_dir(dir).env("DEBIAN_FRONTEND", "noninteractive").output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A directory of the essential packages, as apt has them, with an index and no signature.
fn mirror(dir: &Path) -> PathBuf {
    let debs = dir.join("debs");
    fs::create_dir_all(debs.join("partial")).unwrap();
    let archives = format!("-oDir::Cache::archives={}", debs.display());
    let apt = ["-qq", "-oDir::State::status=/dev/null", "-oDebug::NoLocking=1", &archives];
    let install = ["--yes", "--no-install-recommends", "--download-only", "install", "?essential"];
    host("apt-get", &[&apt[..], &install].concat(), dir);
    let packages = host("dpkg-scanpackages", &["--multiversion", "."], &debs);
    index(&debs, &packages, "bookworm");
    // apt reads it as a user of its own.
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    debs
}

/// Writes the index of a repository that calls itself `suite`.
fn index(debs: &Path, packages: &str, suite: &str) {
    fs::write(debs.join("Packages"), packages).unwrap();
    let digest: String = Sha256::digest(packages).iter().map(|byte| format!("{byte:02x}")).collect();
    let release =
        format!("Suite: {suite}\nCodename: {suite}\nSHA256:\n {digest} {} Packages\n", packages.len());
    fs::write(debs.join("Release"), release).unwrap();
}

fn fill(release: &Release, dir: &TempDir) -> Result<PathBuf> {
    let machine = Machine::new();
    assert!(machine.is_superuser(), "this test must be run as root");
    let top = qchroot_api::camino::Utf8Path::from_path(dir.path()).unwrap();
    let staging = top.join("staging");
    let _ = fs::remove_dir_all(&staging);
    fs::create_dir(&staging).unwrap();
    let place = Workplace { staging: staging.clone(), cache: top.join("cache"), log: top.join("log") };
    let mut show = |_: &qchroot_api::Progress| {};
    Debian.fill(release, machine.work(&place, &mut show)?.as_mut())?;
    Ok(staging.into())
}

#[track_caller]
fn says(error: &Error, kind: ErrorKind, words: &[&str]) {
    let text = format!("{error} {}", error.hint_text().unwrap_or(""));
    assert!(error.kind() == kind && words.iter().all(|word| text.contains(word)), "{kind:?} {text}");
}

#[test]
fn packages_in_a_directory_become_a_userland_for_whoever_insists() {
    let dir = tempfile::tempdir().unwrap();
    let debs = mirror(dir.path());
    let line = format!("deb [trusted=yes] file:{} ./", debs.display());
    let resolve = |any, packages: &[&str]| {
        let mut options = toml::toml! { variant = "essential" };
        options.insert("mirror".into(), line.as_str().into());
        options.insert("packages".into(), packages.to_vec().into());
        Debian.resolve(&ReleaseWish { release: None, any, options }, &Machine::new())
    };
    says(&resolve(false, &[]).unwrap_err(), ErrorKind::BadData, &["trusted", "--any-release"]);
    let release = resolve(true, &[]).unwrap();
    let missing = fill(&resolve(true, &["no-such-package"]).unwrap(), &dir).unwrap_err();
    says(&missing, ErrorKind::NotFound, &["no-such-package", "has no package"]);
    let root = fill(&release, &dir).unwrap();
    assert!(root.join("usr/bin/dpkg").exists() && root.join("bin/sh").exists());

    let packages = fs::read_to_string(debs.join("Packages")).unwrap();
    index(&debs, &format!("{packages}\nPackage: more\n"), "bookworm");
    assert_ne!(resolve(true, &[]).unwrap().digest, release.digest, "the digest follows the mirror's index");
    index(&debs, &packages, "sarge");
    says(&fill(&release, &dir).unwrap_err(), ErrorKind::BadData, &["nothing", "bookworm"]);
}

/// What is resolved on a host with these sources.
fn entries(sources: &str, any: bool, suite: Option<&str>) -> String {
    let host = FakeHost::linux();
    host.plant_file("/etc/os-release", OS_RELEASE, 0o644);
    host.plant_file("/etc/apt/sources.list.d/debian.sources", sources, 0o644);
    host.on_run("mmdebstrap", |_| unreachable!("nothing is run to resolve"));
    let options = suite.map(|suite| ("suite".to_owned(), suite.into())).into_iter().collect();
    let release = Debian.resolve(&ReleaseWish { release: None, any, options }, &host).unwrap();
    release.pins["entries"].clone()
}

const STANZA: &str = "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm bookworm-updates\n\
                      Components: main\n";

#[test]
fn a_key_written_into_the_sources_is_used() {
    let key = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEZ\n -----END PGP PUBLIC KEY BLOCK-----\n";
    let entries = entries(&format!("{STANZA}Enabled: Yes\n{key}"), false, None);
    assert_eq!(entries.matches("-----BEGIN PGP").count(), 2, "one for each suite: {entries}");
    assert!(entries.contains("Suites: bookworm-updates\n"), "{entries}");
}

#[test]
fn sources_that_are_switched_off_do_not_count() {
    for off in ["no", "No", "false", "0"] {
        let other = STANZA.replace("deb.debian.org", "off.example");
        let entries = entries(&format!("{STANZA}\n{other}Enabled: {off}\n"), false, None);
        assert!(entries.contains("deb.debian.org") && !entries.contains("off.example"), "{entries}");
    }
}

#[test]
fn trust_without_a_signature_is_passed_on_only_to_whoever_insists() {
    let sources = format!("{STANZA}Trusted: yes\n");
    assert!(!entries(&sources, false, None).contains("trusted"));
    assert!(entries(&sources, true, None).contains("[trusted=yes]"));
}

#[test]
fn of_another_suite_only_what_it_has_is_asked_for() {
    let next = entries(STANZA, true, Some("trixie"));
    assert!(next.contains(" trixie main") && next.contains(" trixie-updates main"), "{next}");
    let rolling = entries(STANZA, true, Some("sid"));
    assert!(rolling.contains(" sid main") && !rolling.contains("sid-updates"), "{rolling}");
}
