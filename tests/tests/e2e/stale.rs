//! Run files that an earlier run left: pid files that name others, sockets that nobody answers on, locks of nobody.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use crate::world::{HostProcess, World};

/// A daemon whose script believes a pid file, as many do.
const BELIEVER: &str = "#!/bin/sh
case $1 in
start) kill -0 $(cat /var/run/daemon.pid) 2>/dev/null && exit 0
       sleep 7654 & echo $! > /var/run/daemon.pid ;;
stop) kill $(cat /var/run/daemon.pid) ;;
esac
";

/// `web` on storage nullfs, and the directories of its run files, which have something of each kind in them.
fn littered() -> (World, PathBuf) {
    let world = World::with_sleeper("nullfs");
    let run = world.lib("web/root/run");
    fs::create_dir_all(run.join("daemon/deep")).unwrap();
    litter(&run);
    (world, run)
}

fn litter(run: &std::path::Path) {
    for file in
        ["daemon.pid", "daemon/pid", "daemon/deep/x.lock", "LCK..ttyS0", "state", "daemon/motd", "utmp"]
    {
        fs::write(run.join(file), "1\n").unwrap();
    }
    let _ = fs::remove_file(run.join("daemon/socket"));
    drop(UnixListener::bind(run.join("daemon/socket")).unwrap());
}

fn left(run: &std::path::Path) -> Vec<String> {
    let mut names = vec![];
    for dir in ["", "daemon", "daemon/deep"] {
        let entries = fs::read_dir(run.join(dir)).unwrap().flatten();
        names.extend(entries.map(|entry| format!("{dir}/{}", entry.file_name().into_string().unwrap())));
    }
    names.sort();
    names
}

fn cycle(world: &World) {
    world.run(["start", "web"]).ok();
    world.run(["stop", "web", "--timeout", "5"]).ok();
}

/// What stays when the host has booted, and what stays otherwise.
const DIRECTORIES: [&str; 3] = ["/daemon", "/utmp", "daemon/deep"];
const AFTERWARDS: [&str; 5] = ["/daemon", "/state", "/utmp", "daemon/deep", "daemon/motd"];

#[test]
fn all_go_before_the_first_start_after_a_boot_and_those_that_name_a_process_before_each() {
    let (world, run) = littered();
    cycle(&world);
    assert_eq!(left(&run), DIRECTORIES);
    litter(&run);
    cycle(&world);
    assert_eq!(left(&run), AFTERWARDS);
    fs::write(world.root.join("run/web/boot"), "another boot").unwrap();
    litter(&run);
    cycle(&world);
    assert_eq!(left(&run), DIRECTORIES);
    fs::remove_dir_all(world.root.join("run")).unwrap();
    litter(&run);
    world.run(["exec", "web", "true"]).ok();
    assert!(left(&run).len() > 8, "a single program needs none of them gone");
    cycle(&world);
    assert_eq!(left(&run), DIRECTORIES);
}

#[test]
fn who_wants_to_keeps_them() {
    let (world, run) = littered();
    let before = left(&run);
    world.run(["config", "web", "--keep-run-files", "yes"]).ok();
    cycle(&world);
    assert_eq!(left(&run), before);
    world.run(["config", "web", "--keep-run-files", "no"]).ok();
    cycle(&world);
    assert_eq!(left(&run), AFTERWARDS);
}

#[test]
fn what_is_behind_links_is_left_alone() {
    let (world, run) = littered();
    let outside = world.dir().join("outside");
    fs::create_dir_all(outside.join("run")).unwrap();
    for file in ["mine.pid", "run/mine.pid", "state"] {
        fs::write(outside.join(file), "1\n").unwrap();
    }
    symlink(&outside, run.join("link")).unwrap();
    symlink(outside.join("mine.pid"), run.join("link.pid")).unwrap();
    let var = world.lib("web/root/var");
    fs::create_dir_all(&var).unwrap();
    let _ = fs::remove_dir_all(var.join("run"));
    symlink(outside.join("run"), var.join("run")).unwrap();
    symlink("../../../../../../../../../../..", var.join("lock")).unwrap();
    cycle(&world);
    assert_eq!(left(&run), ["/daemon", "/link", "/link.pid", "/utmp", "daemon/deep"]);
    assert!(["mine.pid", "run/mine.pid", "state"].iter().all(|file| outside.join(file).exists()));
}

#[test]
fn a_script_that_believes_a_stale_pid_file_starts_its_daemon() {
    for isolation in ["chroot", "namespaces"] {
        let world = World::with_web_in("overlay", isolation);
        let mut host = HostProcess::sleeping();
        world.sh("mkdir -p /var/run /etc/init.d").ok();
        fs::create_dir_all(world.lib("web/upper/etc/init.d")).unwrap();
        fs::write(world.lib("web/upper/etc/init.d/daemon"), BELIEVER).unwrap();
        world.sh("chmod 755 /etc/init.d/daemon").ok();
        world.run(["config", "web", "daemon"]).ok();
        // The container's own init, a process of the host's, and nobody.
        for pid in ["1".to_owned(), host.pid().to_string(), "4194000".to_owned()] {
            world.sh(&format!("echo {pid} > /var/run/daemon.pid")).ok();
            world.run(["start", "web"]).ok();
            assert!(world.run(["ps", "web"]).ok().contains("sleep 7654"), "{isolation}: {pid}");
            world.run(["stop", "web", "--timeout", "5"]).ok();
            assert!(host.is_alive(), "{isolation}: {pid}");
            world.assert_quiet();
        }
    }
}

#[test]
fn an_existing_tree_keeps_all_of_it() {
    let world = World::installed();
    let tree = world.dir().join("mounted-drive");
    fs::create_dir(&tree).unwrap();
    let mut tar = std::process::Command::new("tar");
    assert!(tar.arg("-xf").arg(world.archive()).arg("-C").arg(&tree).status().unwrap().success());
    fs::create_dir_all(tree.join("run")).unwrap();
    fs::write(tree.join("run/daemon.pid"), "1\n").unwrap();
    world.run(["create", "rescue", "--source-tree", tree.to_str().unwrap()]).ok();
    world.run(["config", "rescue", "--command", "sleeper=sleep 1000"]).ok();
    world.run(["start", "rescue"]).ok();
    world.run(["stop", "rescue", "--timeout", "5"]).ok();
    assert_eq!(fs::read_to_string(tree.join("run/daemon.pid")).unwrap(), "1\n");
}
