//! Bases: recorded when they are installed, verified against that, listed with who needs them, removed when nobody
//! does.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::program::Ran;
use crate::userland;
use crate::world::{HostProcess, World, until};

fn current(world: &World) -> String {
    fs::read_link(world.lib("current")).unwrap().file_name().unwrap().to_str().unwrap().to_owned()
}

/// Installs one more release; its identity.
fn another(world: &World, version: &str, more: &[(&str, &str)]) -> String {
    userland::write_with(&world.archive(), more);
    world.install(version).ok();
    current(world)
}

fn base(world: &World, id: &str) -> PathBuf {
    world.lib("releases").join(id)
}

#[test]
fn every_file_of_a_base_is_recorded_as_other_tools_read_it() {
    let world = World::new();
    userland::write_with(&world.archive(), &[("etc/Grüße mit Leerzeichen#", "hello\n")]);
    world.install("tiny-1.0").ok();
    let id = current(&world);
    let listed = Command::new("bsdtar").arg("-tvf").arg(base(&world, &id).join("manifest.mtree")).output();
    let listed = Ran::new("bsdtar", &listed.expect("Debian's libarchive-tools is installed")).ok();
    let line = |path: &str| {
        let found = listed.lines().find(|line| line.contains(path));
        found.unwrap_or_else(|| panic!("no {path} in {listed}")).to_owned()
    };
    let busybox = fs::metadata("/bin/busybox").unwrap().len().to_string();
    assert!(line("sharedfs/bin/busybox").starts_with("-rwxr-xr-x"), "{listed}");
    assert!(line("sharedfs/bin/busybox").contains(&busybox), "{listed}");
    assert!(line("sharedfs/bin/cat -> busybox").starts_with('l'), "{listed}");
    assert!(line("template/tmp").starts_with("drwxrwxrwt"), "{listed}");
    assert!(line("template/dev/null").starts_with("crw-rw-rw-"), "{listed}");
    assert!(listed.contains("mit Leerzeichen#") || listed.contains("mit\\040Leerzeichen"), "{listed}");
    let files = listed.lines().filter(|line| !line.ends_with('.')).count();
    assert_eq!(world.run(["release", "verify"]).ok(), format!("{id}: {} files as installed\n", files - 2));
}

#[test]
fn drift_is_told_by_file() {
    let world = World::installed();
    let id = current(&world);
    let at = |path: &str| base(&world, &id).join(path);
    let mode = |path: &str, mode| {
        fs::set_permissions(at(path), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    let page = fs::read(at("template/www/index.html")).unwrap();
    fs::write(at("template/www/index.html"), page.to_ascii_uppercase()).unwrap();
    mode("sharedfs/bin/busybox", 0o4755);
    chown(at("template/etc/passwd"), Some(1000), None).unwrap();
    fs::remove_file(at("template/etc/group")).unwrap();
    fs::write(at("sharedfs/bin/backdoor"), "").unwrap();
    fs::remove_file(at("sharedfs/bin/cat")).unwrap();
    symlink("elsewhere", at("sharedfs/bin/cat")).unwrap();
    fs::remove_file(at("sharedfs/bin/true")).unwrap();
    fs::create_dir(at("sharedfs/bin/true")).unwrap();

    let ran = world.run(["release", "verify", &id]);
    assert_eq!(ran.status, 65, "{ran}");
    let expected = [
        "sharedfs/bin/backdoor: extra",
        "sharedfs/bin/busybox: mode",
        "sharedfs/bin/cat: target",
        "sharedfs/bin/true: type, mode",
        "template/etc/group: missing",
        "template/etc/passwd: owner",
        "template/www/index.html: content",
    ];
    let expected: String = expected.iter().map(|line| format!("{id}: {line}\n")).collect();
    assert_eq!(ran.out, expected);
    let json: Value = serde_json::from_str(&world.run(["release", "verify", "--json"]).out).unwrap();
    assert_eq!(json[0]["drift"][1]["path"], "sharedfs/bin/busybox");
    assert_eq!(json[0]["drift"][1]["what"][0], "mode");
}

#[test]
fn a_damaged_record_is_told() {
    let world = World::installed();
    let id = current(&world);
    let record = base(&world, &id).join("manifest.mtree");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace("type=file", "type=file ")).unwrap();
    world.run(["release", "verify", &id]).fails(65, &["is damaged", "its SHA-256 was", "hint: "]);
    fs::remove_file(&record).unwrap();
    world.run(["release", "verify", &id]).fails(65, &["is damaged", "it is missing"]);
    world.run(["release", "verify", "tiny-9-000000000000"]).fails(66, &["is not installed"]);
}

#[test]
fn the_list_says_who_needs_a_release() {
    let world = World::with_web("overlay");
    let old = current(&world);
    let new = another(&world, "tiny-1.1", &[("etc/motd", "new\n")]);
    world.run(["create", "next"]).ok();
    let json = world.run(["release", "list", "--json"]).json();
    let line = |id: &str| json.as_array().unwrap().iter().find(|line| line["id"] == id).unwrap().clone();
    let (first, second) = (line(&old), line(&new));
    assert_eq!(first["containers"], serde_json::json!(["web"]));
    assert_eq!(second["containers"], serde_json::json!(["next"]));
    assert_eq!((&first["current"], &second["current"]), (&false.into(), &true.into()));
    for line in [&first, &second] {
        assert!(line["size_bytes"].as_u64().unwrap() > 100_000, "{line}");
        assert!(line["installed"].as_u64().unwrap() > 1_700_000_000, "{line}");
        assert_eq!((&line["source"], &line["brand"]), (&"tarball".into(), &"linux".into()));
    }
    let text = world.run(["release", "list"]).ok();
    let current_line = text.lines().find(|line| line.starts_with('*')).unwrap();
    assert!(current_line.contains(&new) && text.contains("CONTAINERS"), "{text}");
}

#[test]
fn what_is_needed_is_not_removed() {
    let world = World::with_web("overlay");
    let old = current(&world);
    world.run(["release", "remove", &old]).fails(75, &["is needed", "web", "hint: "]);
    let new = another(&world, "tiny-1.1", &[("etc/motd", "new\n")]);
    world.run(["release", "remove", &new]).fails(75, &["is what new containers get", "hint: "]);
    world.run(["release", "remove", &old]).fails(75, &["pinned to it: web"]);

    world.run(["upgrade", "web"]).ok();
    world.run(["release", "remove", &old]).fails(75, &["a rollback would bring"]);
    world.run(["delete", "--wait", "web"]).ok();
    let before = world.lasting();
    let shown = world.run(["--dry-run", "release", "remove", &old]).ok();
    assert!(shown.contains("rename ") && shown.contains("freed"), "{shown}");
    before.assert_same(&world.lasting(), "a dry run");
    let said = world.run(["release", "remove", &old]).ok();
    assert!(said.starts_with(&format!("{old}: removed\n")) && said.ends_with("iB freed\n"), "{said}");
    world.run(["release", "remove", &new]).ok();
    assert_eq!(world.run(["release", "list", "--json"]).json(), serde_json::json!([]));
    world.run(["create", "web"]).fails(66, &["no release is installed"]);
    world.assert_sound();
}

#[test]
fn a_started_container_keeps_its_base_whatever_its_file_says() {
    let world = World::with_sleeper("overlay");
    let old = current(&world);
    let new = another(&world, "tiny-1.1", &[("etc/motd", "new\n")]);
    world.run(["start", "web"]).ok();
    let text = fs::read_to_string(world.file("web")).unwrap();
    fs::write(world.file("web"), text.replace(&old, &new)).unwrap();
    world.run(["release", "remove", &old]).fails(75, &["started from it: web"]);
    assert_eq!(world.run(["release", "prune"]).ok(), "0 B freed\n");
    world.run(["stop", "web"]).ok();
    world.run(["release", "prune"]).ok();
    assert!(!base(&world, &old).exists());
}

#[test]
fn prune_takes_what_nobody_needs_and_old_downloads() {
    let world = World::with_web("nullfs");
    let pinned = current(&world);
    let unused = another(&world, "tiny-1.1", &[("etc/motd", "one\n")]);
    let current = another(&world, "tiny-1.2", &[("etc/motd", "two\n")]);
    let cache = world.lib(".cache");
    fs::create_dir_all(&cache).unwrap();
    for name in ["old", "new"] {
        fs::write(cache.join(name), "downloaded").unwrap();
    }
    Ran::of(Command::new("touch").args(["-d", "2020-01-01"]).arg(cache.join("old"))).ok();
    let before = world.lasting();
    let shown = world.run(["--dry-run", "release", "prune"]).ok();
    assert!(shown.contains(&format!("{unused}: would be removed")), "{shown}");
    before.assert_same(&world.lasting(), "a dry run");
    let said = world.run(["release", "prune", "--json"]).json();
    assert_eq!(said["releases"], serde_json::json!([unused]));
    assert_eq!(said["cache"], serde_json::json!(["old"]));
    assert!(said["bytes"].as_u64().unwrap() > 100_000, "{said}");
    assert!(!base(&world, &unused).exists() && !cache.join("old").exists());
    assert!(base(&world, &pinned).exists() && base(&world, &current).exists() && cache.join("new").exists());
    assert_eq!(world.run(["release", "prune"]).ok(), "0 B freed\n");
    world.assert_sound();
}

/// Two programs at once: either the container is there and its base too, or it was refused.
#[test]
fn a_removal_that_races_with_create_never_takes_its_base() {
    let world = World::installed();
    let first = current(&world);
    let _second = another(&world, "tiny-1.1", &[("etc/motd", "new\n")]);
    let archive = world.dir().join("first.tar");
    userland::write(&archive);
    for round in 0..12 {
        if !base(&world, &first).exists() {
            let path = format!("path={}", archive.display());
            let args = ["install", "--source", "tarball", "--any-release", "-o", &path, "-o"];
            world.run(args.iter().chain(&["version=tiny-1.0"])).ok();
            another(&world, "tiny-1.1", &[("etc/motd", "new\n")]);
        }
        let name = format!("c{round}");
        let create = world.command(["create", &name, "--release", &first, "--storage", "nullfs"]).spawn();
        let removed = world.run(["release", "remove", &first]);
        let created = create.unwrap().wait().unwrap().success();
        assert_ne!(created, removed.status == 0, "{removed}");
        assert_eq!(created, base(&world, &first).exists(), "{removed}");
        if created {
            world.run(["exec", &name, "true"]).ok();
            world.run(["delete", "--wait", &name]).ok();
        }
    }
    world.assert_sound();
}

#[test]
fn an_install_waits_for_nobody_and_a_removal_says_who_is_at_work() {
    let world = World::installed();
    let id = current(&world);
    let lock = world.root.join("run/.lock/.install");
    let flock = HostProcess::start(Command::new("flock").arg(&lock).args(["sleep", "1000"]));
    let is_locked = || !Command::new("flock").args(["-n"]).arg(&lock).arg("true").status().unwrap().success();
    until("the lock is taken", is_locked);
    world.run(["release", "remove", &id]).fails(75, &["another install or removal"]);
    drop(flock);
}
