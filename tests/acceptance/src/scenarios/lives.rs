//! The life of a container, in each isolation and on each storage that both systems have; the manual's phrases.

use crate::scenario::{Scenario, both, linux};
use crate::system::{FREEBSD, ISOLATIONS};
use crate::world::{World, until};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        both("lives::nullfs_in_a_chroot", |world| life(world, "nullfs", ISOLATIONS[0])),
        both("lives::nullfs_in_the_stronger_isolation", |world| life(world, "nullfs", ISOLATIONS[1])),
        both("lives::md_in_a_chroot", |world| life(world, "md", ISOLATIONS[0])),
        both("lives::md_in_the_stronger_isolation", |world| life(world, "md", ISOLATIONS[1])),
        linux("lives::overlay_in_a_chroot", |world| life(world, "overlay", ISOLATIONS[0])),
    ]
}

fn life(world: &World, storage: &str, isolation: &str) {
    world.with_web(storage, isolation);
    world.assert_quiet();
    assert_eq!(world.run(["start", "web"]).ok(), "web: Bypassed; No service configured yet\n");
    world.run(["config", "web", "nosuch"]).fails(66, &["web", "nosuch"]);
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    world.run(["config", "web"]).says("sleeper");

    assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
    assert_eq!(world.run(["start", "web"]).ok(), "web: Error; Chroot is already started.\n");
    until("the service runs", || world.run(["ps", "web"]).ok().contains("sleep 1000"));
    let report = world.report("web");
    assert_eq!(report["state"], "started");
    assert_eq!((&report["storage"], &report["isolation"]), (&storage.into(), &isolation.into()));
    assert_eq!(report["services"][0]["name"], "sleeper");
    assert_eq!(world.disks().len(), usize::from(storage == "md"), "{:?}", world.disks());
    assert!(isolation == "namespaces" || !world.mounts().is_empty(), "only a sandbox's mounts are hidden");
    world.run(["status", "web"]).says("sleeper");
    let listed = world.run(["ps", "web", "--json"]).json();
    let pid = listed[0]["pid"].as_i64().unwrap();
    assert!(world.inside().contains(&i32::try_from(pid).unwrap()), "{listed}; {:?}", world.inside());
    let shared = if storage == "overlay" { "" } else { "&& ! echo theirs > /bin/theirs" };
    world.sh(&format!("echo mine > /etc/mine {shared}")).ok();
    world.run(["delete", "web"]).fails(75, &["web"]);

    assert_eq!(world.run(["stop", "web"]).ok(), "web: Chroot is stopped.\n");
    assert_eq!(world.run(["stop", "web"]).ok(), "web: Error; Chroot is already stopped.\n");
    world.assert_quiet();
    assert_eq!(world.state("web"), "stopped");
    assert_eq!(world.sh("cat /etc/mine; exit 7").fails(7, &[]), "");
    world.sh("kill -KILL $$").fails(128 + 9, &[]);
    let absent = if FREEBSD { "/usr/bin/nosuch" } else { "/bin/nosuch" };
    world.run(["exec", "web", "--", absent]).fails(127, &[]);
    world.run(["exec", "web", "--", "/etc/mine"]).fails(126, &[]);
    world.assert_quiet();
    world.run(["delete", "--wait", "web"]).ok();
    assert!(!world.lib("web").exists() && !world.file("web").exists());
    world.run(["list", "web"]).fails(66, &["web"]);
    world.assert_sound();
}
