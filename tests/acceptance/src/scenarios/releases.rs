//! Where releases come from: what nobody vouches for, what the machine itself has, and what is looked at afterwards.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::ran::Ran;
use crate::scenario::{Scenario, both, freebsd};
use crate::userland;
use crate::world::World;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        both("releases::sets_that_manifest_does_not_vouch_for_leave_nothing", unvouched),
        both("releases::a_changed_file_of_a_base_is_found", verified),
        both("releases::one_archive_becomes_a_userland", archived).limit(240),
        both("releases::a_shell_with_just_what_it_needs", minimal),
        both("releases::what_this_machine_lacks_is_told", lacking),
        freebsd("releases::without_a_network_the_way_out_is_told", offline),
        freebsd("releases::the_hosts_own_files_become_a_userland", own).limit(600),
    ]
}

/// A directory with this run's `base.txz`, and a MANIFEST of the scenario's.
fn sets(world: &World, name: &str, change: impl FnOnce(String) -> Option<String>) -> PathBuf {
    let good = world.dir().parent().unwrap().join("sets").canonicalize().unwrap();
    let at = world.dir().join(name);
    fs::create_dir(&at).unwrap();
    fs::hard_link(good.join("base.txz"), at.join("base.txz"))
        .or_else(|_| fs::copy(good.join("base.txz"), at.join("base.txz")).map(drop))
        .unwrap();
    if let Some(manifest) = change(fs::read_to_string(good.join("MANIFEST")).unwrap()) {
        fs::write(at.join("MANIFEST"), manifest).unwrap();
    }
    at
}

fn install(world: &World, at: &Path) -> Ran {
    world.run(userland::install_args(at))
}

fn unvouched(world: &World) {
    let other_digest = |text: String| {
        let digest = text.split('\t').nth(1).unwrap().to_owned();
        Some(text.replace(&digest, &digest.chars().rev().collect::<String>()))
    };
    install(world, &sets(world, "other", other_digest)).fails(65, &["base.txz", "SHA-256"]);
    let no_row = |text: String| Some(text.replace("base", "lib32"));
    install(world, &sets(world, "no-row", no_row)).fails(66, &["MANIFEST lists no set \"base\""]);
    install(world, &sets(world, "none", |_| None)).fails(66, &["there is no MANIFEST"]);
    let fewer_entries = |text: String| {
        let entries = text.split('\t').nth(2).unwrap().to_owned();
        Some(text.replace(&format!("\t{entries}\t"), "\t1\t"))
    };
    install(world, &sets(world, "fewer", fewer_entries)).fails(65, &["base.txz", "entries"]);
    assert_eq!(world.run(["release", "list", "--json"]).json(), serde_json::json!([]));
    world.assert_sound();
}

fn verified(world: &World) {
    world.install().ok();
    world.run(["release", "verify"]).says("files as installed");
    let file = world.lib("template/etc/passwd");
    fs::OpenOptions::new().append(true).open(file).unwrap().write_all(b"evil\n").unwrap();
    let ran = world.run(["release", "verify"]);
    assert!(ran.status == 65 && ran.out.ends_with(": template/etc/passwd: content\n"), "{ran}");
}

fn archived(world: &World) {
    let tar = world.dir().join("world-1.tar");
    userland::archive(&tar).unwrap();
    let (path, digest) = (format!("path={}", tar.display()), userland::sha256(&tar).unwrap());
    let install = ["install", "--source", "tarball", "-o", &path];
    world.run(install).fails(65, &[&digest]);
    let wrong = format!("sha256={}", "0".repeat(64));
    world.run(install.iter().copied().chain(["-o", &wrong])).fails(65, &["SHA-256"]);
    world.run(install.iter().copied().chain(["-o", &format!("sha256={digest}")])).says("is installed");
    world.create("web", "nullfs", "chroot").ok();
    world.sh("echo alive").says("alive");
    world.run(["delete", "web"]).ok();
    world.assert_sound();
}

fn minimal(world: &World) {
    world.run(["install", "--source", "minimal", "-o", "programs=sh,id,cat"]).says("is installed");
    world.create("web", "nullfs", "chroot").ok();
    world.sh("id -un && cat /etc/hosts").says("root");
    world.sh("ls /").fails(127, &[]);
    world
        .run(["install", "--source", "minimal", "-o", "programs=no-such-program"])
        .fails(66, &["no-such-program"]);
    world.assert_quiet();
    world.assert_sound();
}

fn lacking(world: &World) {
    let install = |source: &str, more: &[&str]| world.run(["install", "--source", source].iter().chain(more));
    install("pkgbase", &["--release", "13.2-RELEASE"]).fails(69, &["since 15.0", "distset"]);
    install("buildworld", &["-o", "src=/no/such/tree"]).fails(66, &["/no/such/tree"]);
    install("media", &["-o", "path=/no/such/medium"]).fails(66, &["/no/such/medium"]);
    install("tarball", &["-o", "path=/no/such.tar", "--any-release"]).fails(66, &["/no/such.tar"]);
    world.assert_sound();
}

/// Nobody listens at port 1.
fn offline(world: &World) {
    let url = "url=https://127.0.0.1:1/releases";
    world
        .run(["install", "--source", "distset", "--any-release", "-o", url])
        .fails(69, &["127.0.0.1", "/usr/freebsd-dist", "--source host --any-release"]);
    world.assert_sound();
}

fn own(world: &World) {
    world.run(["install", "--source", "host"]).fails(65, &["nobody can tell", "--any-release"]);
    world.run(["install", "--source", "host", "--any-release"]).says("is installed");
    for secret in ["etc/rc.conf", "etc/fstab", "etc/ssh/ssh_host_rsa_key", "root/.ssh", "usr/local/etc"] {
        assert!(!world.lib("template").join(secret).exists(), "{secret} is in the template");
    }
    assert!(world.lib("sharedfs/libexec/ld-elf.so.1").is_file());
    world.create("web", "nullfs", "chroot").ok();
    world.sh("id -un").says("root");
    world.sh("test ! -w /bin && test -d /var/empty && test -f /etc/rc.subr").ok();
    world.run(["delete", "web"]).ok();
    world.assert_sound();
}
