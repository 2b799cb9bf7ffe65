//! Owners, modes and device nodes that a container's file declares.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::world::{RunWith, World};

/// Adds to the file of `web`.
fn declare(world: &World, text: &str) {
    let path = world.file("web");
    fs::write(&path, fs::read_to_string(&path).unwrap() + text).unwrap();
}

fn permission(path: &str, mode: &str, more: &str) -> String {
    format!(
        "\n[[permission]]\npath = \"{path}\"\nowner = \"www\"\ngroup = \"logs\"\nmode = \"{mode}\"\n{more}\n"
    )
}

#[test]
fn what_create_declares_holds_when_the_container_is_entered() {
    for storage in ["overlay", "nullfs"] {
        let world = World::installed();
        let args = ["create", "web", "--storage", storage, "--permission", "var/data/=www:www:1770"];
        world.command(args).ran(&["--permission", "www/index.html=www:logs:0640"]).ok();
        assert_eq!(world.sh("stat -c '%u:%g %a' /var/data").ok(), "80:80 1770\n", "{storage}");
        assert_eq!(world.sh("stat -c '%u:%g %a' /www/index.html").ok(), "80:4 640\n", "{storage}");
        world.run(["config", "web", "--permission", "www/index.html=root:root:0600"]).ok();
        assert_eq!(world.sh("stat -c '%u:%g %a' /www/index.html").ok(), "0:0 600\n", "{storage}");
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn a_difference_is_told_fixed_or_refused_as_declared() {
    let world = World::with_sleeper("overlay");
    let line = "www/index.html is root:root 0644, wanted www:logs 0600";
    declare(&world, &permission("www/index.html", "0600", ""));
    let started = world.run(["start", "web"]);
    assert!(started.err.contains(line), "{started}");
    started.ok();
    assert!(world.run(["status", "web"]).ok().contains(line));
    world.run(["stop", "web"]).ok();
    let file = fs::read_to_string(world.file("web")).unwrap();
    fs::write(
        world.file("web"),
        file.replace("mode = \"0600\"", "mode = \"0600\"\non_difference = \"refuse\""),
    )
    .unwrap();
    world.run(["start", "web"]).fails(78, &["web is not as its file declares", line]);
    world.assert_quiet();
    let file = fs::read_to_string(world.file("web")).unwrap();
    fs::write(world.file("web"), file.replace("\"refuse\"", "\"fix\"")).unwrap();
    world.run(["start", "web"]).ok();
    assert!(!world.run(["status", "web"]).ok().contains("wanted"));
    world.run(["stop", "web"]).ok();
    assert!(!world.run(["status", "web"]).ok().contains("wanted"), "it stays so");
}

#[test]
fn a_planted_link_leads_nowhere_outside() {
    let world = World::with_web("overlay");
    let outside = world.dir().join("outside");
    fs::write(&outside, "the host's").unwrap();
    world.sh(&format!("ln -s {} /www/log; rm -r /home/www; ln -s /etc /home/www", outside.display())).ok();
    declare(&world, &permission("www/log", "0777", "kind = \"file\"\non_difference = \"fix\""));
    world.run(["exec", "web", "--", "true"]).fails(73, &["log is a link"]);
    let stat = fs::metadata(&outside).unwrap();
    assert_eq!((stat.uid(), stat.mode() & 0o777), (0, 0o644));
    world.assert_quiet();
    let file = fs::read_to_string(world.file("web")).unwrap();
    fs::write(world.file("web"), file.replace("www/log", "home/www/passwd")).unwrap();
    assert!(!world.run(["exec", "web", "--", "true"]).fails(73, &["home/www"]).is_empty());
    world.assert_quiet();
}

#[test]
fn declared_nodes_are_there_and_only_safe_ones() {
    let world = World::with_web("overlay");
    declare(&world, "\n[[node]]\npath = \"var/null\"\ndevice = \"null\"\n");
    assert_eq!(
        world.sh("echo gone > /var/null; stat -c '%t:%T %F' /var/null").ok(),
        "1:3 character special file\n"
    );
    let file = fs::read_to_string(world.file("web")).unwrap();
    fs::write(world.file("web"), file.replace("\"null\"", "\"sda\"")).unwrap();
    world.sh("true").fails(78, &["no safe device", "urandom"]);
}

#[test]
fn mistakes_in_a_declaration_are_named() {
    let world = World::with_web("overlay");
    world.run(["config", "web", "--permission", "etc/passwd=root:root:9999"]).fails(64, &["9999"]);
    declare(&world, &permission("www/index.html", "9", ""));
    world.run(["exec", "web", "--", "true"]).fails(78, &["www/index.html", "\"9\" is no mode"]);
    let file = fs::read_to_string(world.file("web")).unwrap();
    fs::write(
        world.file("web"),
        file.replace("\"9\"", "\"0600\"")
            .replace("owner = \"www\"", "owner = \"nobody\"\non_difference = \"fix\""),
    )
    .unwrap();
    world.run(["exec", "web", "--", "true"]).fails(78, &["no such user or group inside"]);
}
