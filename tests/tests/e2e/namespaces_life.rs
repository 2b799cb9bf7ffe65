//! The life of a container in a sandbox: what else is done with one, over a reboot, and many times over.

use std::fs;
use std::path::Path;

use crate::tree::Tree;
use crate::world::World;

const STORAGES: [&str; 3] = ["overlay", "nullfs", "md"];

#[test]
fn fifty_starts_and_stops_leave_nothing() {
    let world = World::with_sleeper_in("overlay", "namespaces");
    let cycle = || {
        assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
        assert_eq!(world.run(["stop", "web"]).ok(), "web: Chroot is stopped.\n");
    };
    cycle();
    let except = ["log", "run/web/sleeper.status"]; // with the time in them
    let before = Tree::without(&world.root, &except);
    (0..50).for_each(|_| cycle());
    world.assert_quiet();
    before.assert_same(&Tree::without(&world.root, &except), "after fifty starts");
    world.assert_sound();
}

#[test]
fn after_a_power_cut_it_is_stopped_and_starts() {
    for storage in STORAGES {
        let world = World::with_sleeper_in(storage, "namespaces");
        world.sh("echo precious > /root/file").ok();
        world.run(["start", "web"]).ok();
        world.pull_the_plug();
        fs::remove_dir_all(world.root.join("run")).unwrap();
        assert_eq!(world.state("web"), "stopped", "{storage}");
        world.run(["start", "web"]).ok();
        assert_eq!(world.sh("cat /root/file").ok(), "precious\n");
        world.run(["stop", "web"]).ok();
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn snapshots_copies_and_exports_are_as_without_a_sandbox() {
    for storage in STORAGES {
        let world = World::with_sleeper_in(storage, "namespaces");
        world.sh("echo old > /root/file").ok();
        world.run(["snapshot", "web", "monday"]).ok();
        world.sh("echo new > /root/file").ok();
        world.run(["start", "web"]).ok();
        let file = world.dir().join("web.qchroot");
        let file = file.to_str().unwrap();
        for refused in
            [&["rollback", "web", "--snapshot", "monday"][..], &["rename", "web", "www"], &["delete", "web"]]
        {
            world.run(refused).fails(75, &["hint: "]);
        }
        world.run(["stop", "web"]).ok();
        world.run(["export", "web", file]).ok();
        world.run(["rollback", "web", "--snapshot", "monday"]).ok();
        assert_eq!(world.sh("cat /root/file").ok(), "old\n", "{storage}");
        world.run(["import", file, "copy"]).ok();
        world.run(["clone", "copy", "other"]).ok();
        world.run(["rename", "other", "last"]).ok();
        for name in ["copy", "last"] {
            assert_eq!(world.report(name)["isolation"], "namespaces");
            assert_eq!(world.run(["exec", name, "cat", "/root/file"]).ok(), "new\n", "{storage}");
            let inside = world.run(["exec", name, "cat", "/proc/sys/kernel/hostname"]).ok();
            assert_eq!(inside, format!("{name}\n"));
            world.run(["start", name]).ok();
        }
        world.run(["stop", "-A"]).ok();
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn an_upgrade_reaches_one_that_is_stopped() {
    for storage in STORAGES {
        let world = World::with_sleeper_in(storage, "namespaces");
        world.sh("echo precious > /root/file").ok();
        world.install("tiny-1.1").ok();
        world.run(["start", "web"]).ok();
        world.run(["stop", "web"]).ok();
        world.run(["upgrade", "web"]).ok();
        world.run(["start", "web"]).ok();
        assert_eq!(world.sh("cat /root/file").ok(), "precious\n");
        world.run(["stop", "web"]).ok();
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn a_tree_shows_no_trace() {
    let world = World::installed();
    let tree = world.dir().join("tree");
    unpack(&world.archive(), &tree);
    world.run(["create", "web", "--source-tree", tree.to_str().unwrap(), "--isolation", "namespaces"]).ok();
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    let before = Tree::without(&tree, &[]);
    world.run(["start", "web"]).ok();
    assert_eq!(world.mounts(), Vec::<std::path::PathBuf>::new());
    world.run(["stop", "web"]).ok();
    before.assert_same(&Tree::without(&tree, &[]), "after a stop");
    // Also where its init did not live to see the stop.
    world.run(["start", "web"]).ok();
    let init = crate::sandbox::holder(&world.lib("web/root.init")).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(init), nix::sys::signal::Signal::SIGKILL).unwrap();
    crate::world::until("list knows", || world.state("web") == "partial");
    world.run(["stop", "web"]).ok();
    before.assert_same(&Tree::without(&tree, &[]), "after the end of its init");
    world.assert_quiet();
}

fn unpack(archive: &Path, into: &Path) {
    fs::create_dir(into).unwrap();
    let mut archive = tar::Archive::new(fs::File::open(archive).unwrap());
    archive.set_preserve_ownerships(true);
    archive.unpack(into).unwrap();
}
