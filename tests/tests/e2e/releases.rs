//! Several releases: what runs is not disturbed by an install, failed installs change nothing, and a release that
//! does not fit the host is refused or warned of.

use std::fs;

use crate::userland;
use crate::world::{World, free_port, page, until};

fn current(world: &World) -> String {
    fs::read_link(world.lib("current")).unwrap().file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_running_container_keeps_its_release_and_new_ones_get_the_new() {
    for storage in ["overlay", "nullfs"] {
        let world = World::with_web(storage);
        let port = free_port();
        let command = format!("http=httpd -f -p 127.0.0.1:{port} -h /www");
        world.run(["config", "web", "--command", &command]).ok();
        world.run(["start", "web"]).ok();
        let (old, inside) = (current(&world), world.inside());

        userland::write_with(&world.archive(), &[("usr/bin/new-tool", "#!/bin/sh\necho new\n")]);
        let said = world.install("tiny-1.1").ok();
        let new = current(&world);
        assert!(new != old && said == format!("{new} is installed\n"), "{said}");
        until("httpd answers", || page(port).is_some());
        // httpd has a process for each request that is under way.
        until("only the same processes are there", || world.inside() == inside);
        assert_eq!(world.report("web")["release"], old);
        assert_eq!(world.sh("new-tool").status, 127);

        world.run(["restart", "web"]).ok();
        assert_eq!(world.sh("new-tool").status, 127, "it keeps its release until it is told otherwise");
        world.run(["create", "next", "--storage", storage]).ok();
        assert_eq!(world.run(["exec", "next", "new-tool"]).ok(), "new\n");
        world.run(["create", "past", "--storage", storage, "--release", &old]).ok();
        assert_eq!(world.run(["exec", "past", "new-tool"]).status, 127);
        let releases = world.run(["release", "list", "--json"]).json();
        let marks: Vec<bool> = releases.as_array().unwrap().iter().map(|r| r["current"] == true).collect();
        assert_eq!(marks.iter().filter(|mark| **mark).count(), 1, "{releases}");
    }
}

#[test]
fn installing_the_same_again_changes_nothing() {
    let world = World::installed();
    let before = world.lasting();
    world.install("tiny-1.0").ok();
    before.assert_same(&world.lasting(), "the second install");
}

#[test]
fn an_install_that_fails_leaves_the_current_release() {
    let world = World::with_sleeper("overlay");
    world.run(["start", "web"]).ok();
    let (before, inside) = (world.lasting(), world.inside());
    let archive = world.archive();
    let path = format!("path={}", archive.display());
    let wrong = format!("sha256={}", "0".repeat(64));
    let install = |more: &[&str]| {
        let args = ["install", "--source", "tarball", "-o", &path, "-o", "version=tiny-1.1"];
        world.run(args.iter().chain(more))
    };
    install(&["-o", &wrong]).fails(65, &["has the SHA-256", "hint: "]);
    install(&["-o", "sha256=abc"]).fails(78, &["is no SHA-256"]);
    install(&[]).fails(65, &["cannot be checked", "--any-release"]);

    let bytes = fs::read(&archive).unwrap();
    for (content, said) in [
        (&bytes[..bytes.len() / 2], "userland.tar"),
        (&bytes[..1000], "userland.tar"),
        (&b"not an archive"[..], "userland.tar"),
    ] {
        fs::write(&archive, content).unwrap();
        install(&["--any-release"]).fails(65, &[said]);
    }
    before.assert_same(&world.lasting(), "the failed installs");
    assert_eq!(world.inside(), inside);
    assert_eq!(world.run(["create", "next"]).ok(), "next: created\n");
    world.assert_sound();
}

/// Makes the current release look like one of another major version than the host's, that nobody insisted on.
fn disguise(world: &World) {
    let file = world.lib("current/release.toml");
    let text = fs::read_to_string(&file).unwrap();
    let host = fs::read_to_string("/etc/os-release").unwrap();
    let id = host.lines().find_map(|line| line.strip_prefix("ID=")).unwrap().trim_matches('"');
    let text = text.replace("version = \"tiny-1.0\"", &format!("version = \"{id}-3-x\""));
    fs::write(&file, text.replace("insisted = true", "insisted = false")).unwrap();
}

#[test]
fn another_major_release_is_refused_with_what_to_do() {
    let world = World::with_sleeper("overlay");
    disguise(&world);
    for args in [&["start", "web"][..], &["exec", "web", "true"]] {
        world
            .run(args)
            .fails(78, &["-3-x", "another major release", "hint: run `qchroot install --across-major`"]);
        world.assert_quiet();
    }
    assert_eq!(world.state("web"), "stopped");
    let file = world.lib("current/release.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("insisted = false", "insisted = true")).unwrap();
    let ran = world.run(["start", "web"]);
    assert!(ran.err.contains("warning: web runs ") && ran.err.contains("such as ps and top"), "{ran}");
    assert_eq!(ran.ok(), "web: Start chroot completed.\n");
}

#[test]
fn installing_another_major_release_beside_containers_needs_insistence() {
    let world = World::with_web("overlay");
    let before = world.lasting();
    world
        .install("tiny-2.0")
        .fails(78, &["tiny-2.0 after tiny-1.0", "there are containers", "--across-major"]);
    before.assert_same(&world.lasting(), "the refused install");
    let archive = format!("path={}", world.archive().display());
    let args = ["install", "--source", "tarball", "--any-release", "--across-major", "-o", &archive];
    world.run(args.iter().chain(&["-o", "version=tiny-2.0"])).ok();
    assert!(current(&world).starts_with("tiny-2.0-"));
}
