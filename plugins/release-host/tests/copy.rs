//! The running system's own packages, copied for real, and used through chroot(8).

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use qchroot_api::{ErrorKind, Release, ReleaseSource, ReleaseWish, toml};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use qchroot_release_host::HostPackages;

fn wish(options: toml::Table) -> ReleaseWish {
    ReleaseWish { options, ..ReleaseWish::default() }
}

fn fill(release: &Release, staging: &Path) -> Vec<String> {
    let machine = Machine::new();
    assert!(machine.is_superuser(), "this test must be run as root");
    let mut said = BTreeSet::new();
    let mut show = |progress: &qchroot_api::Progress| {
        said.insert(progress.what.clone());
    };
    let mut work = machine.work(&Workplace::beside(staging.try_into().unwrap()), &mut show).unwrap();
    HostPackages.fill(release, work.as_mut()).unwrap();
    drop(work);
    said.into_iter().collect()
}

/// What a program inside prints.
fn inside(root: &Path, argv: &[&str]) -> String {
    #[expect(clippy::disallowed_methods, reason = "to prove that the programs of the userland run")]
    let mut command = std::process::Command::new("chroot");
    let output = command
        .arg(root)
        .args(argv)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{argv:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_host_becomes_a_userland_of_its_own() {
    let release = HostPackages.resolve(&wish(toml::Table::new()), &Machine::new()).unwrap();
    assert!(release.version.ends_with("-host"), "{}", release.version);
    assert!(release.id().is_ok());
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let start = Instant::now();
    fill(&release, root);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());

    assert_eq!(inside(root, &["/bin/sh", "-c", "echo ok"]), "ok\n");
    assert_eq!(inside(root, &["awk", "BEGIN { print 6 * 7 }"]), "42\n", "a link of update-alternatives");
    assert_eq!(inside(root, &["perl", "-e", "print 'p'"]), "p");
    assert_eq!(inside(root, &["id", "-un"]), "root\n");
    assert_eq!(inside(root, &["su", "-s", "/bin/sh", "daemon", "-c", "id -un"]), "daemon\n");
    assert_eq!(inside(root, &["dpkg", "--audit"]), "", "dpkg finds its database in order");
    let version = inside(root, &["dpkg-query", "-W", "-f", "${Version}", "coreutils"]);
    assert_eq!(version, inside(Path::new("/"), &["dpkg-query", "-W", "-f", "${Version}", "coreutils"]));

    let mode = |path: &str| fs::symlink_metadata(root.join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(
        ["", "tmp", "root", "etc/shadow", "usr/bin/su"].map(mode),
        [0o755, 0o1777, 0o700, 0o640, 0o4755]
    );
    assert_eq!(fs::read_link(root.join("bin")).unwrap(), Path::new("usr/bin"));
    let perl = fs::metadata(root.join("usr/bin/perl")).unwrap();
    assert_eq!(perl.nlink(), fs::metadata("/usr/bin/perl").unwrap().nlink(), "hard links are kept");
    nothing_of_the_hosts_own(root);
}

/// No user, no password, no file that no package brought.
fn nothing_of_the_hosts_own(root: &Path) {
    let shadow = fs::read_to_string(root.join("etc/shadow")).unwrap();
    assert!(shadow.lines().all(|line| line.split(':').nth(1) == Some("*")), "{shadow}");
    assert!(shadow.starts_with("root:*:"));
    let passwd = fs::read_to_string(root.join("etc/passwd")).unwrap();
    let ids = passwd.lines().map(|line| line.split(':').nth(2).unwrap().parse::<u32>().unwrap());
    assert!(ids.into_iter().all(|id| id < 1000 || id == 65534), "{passwd}");
    for path in
        ["etc/hostname", "etc/machine-id", "etc/ssh", "root/.ssh", "home/user", "etc/apt/sources.list"]
    {
        assert!(!root.join(path).exists(), "{path}");
    }
}

#[test]
fn the_digest_follows_the_packages() {
    let resolve = |options| HostPackages.resolve(&wish(options), &Machine::new());
    let bare = resolve(toml::toml! { packages = [] }).unwrap();
    assert_eq!(bare.digest, resolve(toml::toml! { packages = [] }).unwrap().digest);
    assert_ne!(bare.digest, resolve(toml::toml! { packages = ["tzdata"] }).unwrap().digest);
    let error = resolve(toml::toml! { packages = ["no-such-package"] }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("no-such-package"), "{error}");
}

/// Runs the test `name` of this program where `path` has another content.
fn with_changed(path: &str, name: &str) {
    let dir = tempfile::tempdir().unwrap();
    let changed = dir.path().join("changed");
    fs::write(&changed, "changed\n").unwrap();
    #[expect(clippy::disallowed_methods, reason = "a mount namespace in which a file of the host is another")]
    let mut command = std::process::Command::new("unshare");
    command.args([
        "--mount",
        "--propagation=private",
        "sh",
        "-ec",
        "mount --bind \"$1\" \"$2\"; exec \"$3\" --exact \"$4\" --ignored",
        "sh",
    ]);
    command.arg(&changed).arg(path).arg(std::env::current_exe().unwrap()).arg(name);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_changed_program_is_refused() {
    with_changed("/usr/bin/od", "od_is_changed");
}

#[test]
#[ignore = "run by a_changed_program_is_refused"]
fn od_is_changed() {
    let (machine, dir) = (Machine::new(), tempfile::tempdir().unwrap());
    let mut show = |_: &qchroot_api::Progress| {};
    let mut work = machine.work(&Workplace::beside(dir.path().try_into().unwrap()), &mut show).unwrap();
    let mut wanted = wish(toml::toml! { packages = [] });
    let release = HostPackages.resolve(&wanted, &machine).unwrap();
    let error = HostPackages.fill(&release, work.as_mut()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(["/usr/bin/od", "coreutils"].iter().all(|word| error.message().contains(word)), "{error}");
    drop(work);
    wanted.any = true;
    let any = HostPackages.resolve(&wanted, &machine).unwrap();
    assert_ne!(any.digest, release.digest);
    let dir = tempfile::tempdir().unwrap();
    fill(&any, dir.path());
    assert_eq!(fs::read_to_string(dir.path().join("usr/bin/od")).unwrap(), "changed\n");
}

#[test]
fn a_changed_configuration_file_is_left_out() {
    with_changed("/etc/bash.bashrc", "bashrc_is_changed");
}

#[test]
#[ignore = "run by a_changed_configuration_file_is_left_out"]
fn bashrc_is_changed() {
    let release = HostPackages.resolve(&wish(toml::toml! { packages = [] }), &Machine::new()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let said = fill(&release, dir.path());
    assert!(!dir.path().join("etc/bash.bashrc").exists());
    assert!(
        said.iter().any(|line| line.contains("left out") && line.contains("/etc/bash.bashrc")),
        "{said:?}"
    );
}
