//! A FreeBSD host as a userland.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

use std::sync::{Arc, Mutex};

use qchroot_api::{Brand, Error, ErrorKind, Output, Release, ReleaseSource, ReleaseWish, Result, toml};
use qchroot_engine::{Host, Workplace};
use qchroot_release_host::HostPackages;
use qchroot_testkit::FakeHost;

mod bsd;

const STAGING: &str = "/q/staging";

fn host() -> FakeHost {
    let host = FakeHost::freebsd();
    bsd::plant(&host);
    host.plant_dir(STAGING, 0o755);
    host
}

fn insisting() -> ReleaseWish {
    ReleaseWish { any: true, ..ReleaseWish::default() }
}

fn resolve(host: &FakeHost) -> Release {
    HostPackages.resolve(&insisting(), host).unwrap()
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
fn programs_come_along_and_nothing_of_the_machine() {
    let host = host();
    let release = resolve(&host);
    assert_eq!(release.brand, Brand::Freebsd);
    assert_eq!(release.version, "14.3-RELEASE-p2-host", "the patch level is what the files have");
    fill(&host, &release).unwrap();
    assert_eq!(text(&host, "bin/sh").as_deref(), Some("sh\n"));
    assert_eq!(text(&host, "etc/rc.d/cron").as_deref(), Some("# cron\n"));
    assert_eq!(text(&host, "root/.profile").as_deref(), Some("# profile\n"), "everybody's, not root's own");
    let all = host.files([STAGING]).to_string();
    for part in ["secret", "alice", "mysql", "kernel", "sh.debug", "rc.conf", "ssh_host"] {
        assert!(!all.contains(part), "{part} in\n{all}");
    }
    for part in
        ["sys: a link 0777 0:0 -> usr/src/sys", "0:0 -> /usr/share/misc/termcap", "4555", "1777", "var/run"]
    {
        assert!(all.contains(part), "{part} not in\n{all}");
    }
}

#[test]
fn configuration_is_as_it_was_brought_along_where_that_is_kept() {
    let host = host();
    fill(&host, &resolve(&host)).unwrap();
    assert_eq!(text(&host, "etc/login.conf").as_deref(), Some("default:\n"), "not the edited one");
}

#[test]
fn users_are_the_fixed_ones_without_passwords_and_their_database_is_made() {
    let host = host();
    let asked = Arc::new(Mutex::new(vec![]));
    let heard = Arc::clone(&asked);
    host.on_run("pwd_mkdb", move |argv| {
        heard.lock().unwrap().push(argv.join(" "));
        Output { status: 0, stdout: String::new(), stderr: String::new() }
    });
    fill(&host, &resolve(&host)).unwrap();
    assert_eq!(
        text(&host, "etc/master.passwd").unwrap(),
        "root:*:0:0::0:0:Charlie &:/root:/bin/sh\n\
         daemon:*:1:1::0:0:Owner of many system processes:/root:/usr/sbin/nologin\n\
         www:*:80:80::0:0:World Wide Web Owner:/nonexistent:/usr/sbin/nologin\n\
         nobody:*:65534:65534::0:0:Unprivileged user:/nonexistent:/usr/sbin/nologin\n"
    );
    assert_eq!(
        text(&host, "etc/group").unwrap(),
        "wheel:*:0:root\noperator:*:5:root\nmail:*:6:\nwww:*:80:\n"
    );
    assert_eq!(
        *asked.lock().unwrap(),
        [format!("pwd_mkdb -i -p -d {STAGING}/etc {STAGING}/etc/master.passwd")]
    );
}

#[test]
fn a_failing_pwd_mkdb_is_an_error() {
    let host = host();
    let release = resolve(&host);
    host.on_run("pwd_mkdb", |_| Output {
        status: 1,
        stdout: String::new(),
        stderr: "pwd_mkdb: /q/staging/etc/pwd.db.tmp: No space left on device\n".into(),
    });
    says(&fill(&host, &release).unwrap_err(), ErrorKind::System, &["database of users", "No space left"]);
}

#[test]
fn the_user_has_to_insist_and_is_told_of_checked_sets() {
    let error = HostPackages.resolve(&ReleaseWish::default(), &host()).unwrap_err();
    says(&error, ErrorKind::BadData, &["nobody can tell", "checksums", "--any-release", "distset"]);
}

#[test]
fn a_host_that_changes_meanwhile_is_refused() {
    let host = host();
    let release = resolve(&host);
    host.plant_file("/bin/sh", "another sh\n", 0o555);
    says(&fill(&host, &release).unwrap_err(), ErrorKind::BadData, &["changed"]);
}

#[test]
fn packages_and_other_releases_are_not_the_hosts() {
    let host = host();
    let wish = ReleaseWish { options: toml::toml! { packages = ["vim"] }, ..insisting() };
    says(&HostPackages.resolve(&wish, &host).unwrap_err(), ErrorKind::Config, &["packages", "pkg(8)"]);
    let wish = ReleaseWish { release: Some("12.4-RELEASE".into()), ..insisting() };
    says(&HostPackages.resolve(&wish, &host).unwrap_err(), ErrorKind::BadData, &["12.4-RELEASE"]);
}

#[test]
fn half_a_system_is_none() {
    let host = host();
    host.uproot("/libexec/ld-elf.so.1");
    let error = HostPackages.resolve(&insisting(), &host).unwrap_err();
    says(&error, ErrorKind::Unavailable, &["/libexec/ld-elf.so.1", "distset"]);
}
