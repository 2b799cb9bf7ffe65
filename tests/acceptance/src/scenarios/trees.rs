//! Container trees with flags, mounts and links in them: nothing is lost, nothing is in the way, nothing is left.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::ran::Ran;
use crate::scenario::{Scenario, both, freebsd};
use crate::system::{self, FREEBSD, ISOLATIONS};
use crate::world::World;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        both("trees::an_immutable_root_is_worked_in_renamed_and_deleted", frozen),
        freebsd("trees::every_flag_of_files_and_directories_is_deleted", every_flag),
        freebsd("trees::a_copy_has_the_flags_of_the_original", copied),
        both("trees::what_is_mounted_in_a_container_is_never_deleted", mounted),
        both("trees::a_link_as_a_mount_point_leads_nowhere", planted),
        both("trees::the_mount_table_is_as_it_was", table),
    ]
}

fn host(program: &str, args: &[&str]) {
    Ran::of(Command::new(program).args(args)).ok();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn frozen(world: &World) {
    world.with_sleeper("nullfs", ISOLATIONS[0]);
    let root = world.lib("web/root");
    for path in ["etc/passwd", "etc", ""] {
        system::make_immutable(&root.join(path));
    }
    world.run(["start", "web"]).ok();
    world.run(["stop", "web"]).ok();
    assert!(fs::write(root.join("etc/passwd"), "x").is_err(), "the flag is gone");
    world.run(["rename", "web", "shop"]).ok();
    system::make_immutable(&world.lib("shop"));
    world.run(["delete", "--wait", "shop"]).ok();
    assert!(!world.lib("shop").exists());
    world.assert_quiet();
    world.assert_sound();
}

const FLAGS: [&str; 6] = ["schg", "sappnd", "sunlnk", "uchg", "uappnd", "uunlnk"];

fn every_flag(world: &World) {
    world.with_web("nullfs", ISOLATIONS[0]);
    let dir = world.lib("web/root/root/kept");
    for flag in FLAGS {
        let below = dir.join(flag);
        fs::create_dir_all(&below).unwrap();
        fs::write(below.join("file"), "x").unwrap();
        fs::hard_link(below.join("file"), below.join("other")).unwrap();
        symlink("file", below.join("link")).unwrap();
        host("chflags", &["-h", flag, text(&below.join("link"))]);
        host("chflags", &[flag, text(&below.join("file")), text(&below)]);
    }
    let shown = system::output("ls", &["-lo", text(&dir)]);
    assert!(FLAGS.iter().all(|flag| shown.contains(flag)), "{shown}");
    world.run(["delete", "--wait", "web"]).ok();
    assert!(!world.lib("web").exists());
    world.assert_sound();
}

fn copied(world: &World) {
    world.with_web("nullfs", ISOLATIONS[0]);
    let root = world.lib("web/root");
    fs::create_dir_all(root.join("root/kept")).unwrap();
    fs::write(root.join("root/kept/file"), "x").unwrap();
    host("chflags", &["schg,nodump", text(&root.join("root/kept/file"))]);
    host("chflags", &["sunlnk", text(&root.join("root/kept"))]);
    world.run(["clone", "web", "shop"]).ok();
    let copy = world.lib("shop/root/root");
    let shown = system::output("ls", &["-lo", text(&copy), text(&copy.join("kept"))]);
    for flag in ["schg", "nodump", "sunlnk"] {
        assert!(shown.contains(flag), "{shown}");
    }
    world.run(["delete", "--wait", "web", "shop"]).ok();
    world.assert_sound();
}

/// A file system of the host's in a stopped container, and one that shows the host's own files.
fn mounted(world: &World) {
    world.with_web("nullfs", ISOLATIONS[0]);
    let (theirs, at) = (world.dir().join("theirs"), world.lib("web/root/root/deep/at"));
    fs::create_dir_all(&theirs).unwrap();
    fs::create_dir_all(&at).unwrap();
    fs::write(theirs.join("kept"), "kept").unwrap();
    let again: &[&str] = if FREEBSD { &["-t", "nullfs"] } else { &["--bind"] };
    for how in [&["-t", "tmpfs"][..], again] {
        let source = if how == ["-t", "tmpfs"] { "tmpfs" } else { text(&theirs) };
        host("mount", &[how, &[source, text(&at)]].concat());
        fs::write(at.join("mine"), "mine").unwrap();
        world.run(["delete", "--wait", "web"]).fails(75, &["web", "root/deep/at"]);
        assert_eq!(fs::read_to_string(at.join("mine")).unwrap(), "mine");
        assert!(world.lib("web/root/etc").exists(), "something was deleted");
        host("umount", &[text(&at)]);
    }
    world.run(["delete", "--wait", "web"]).ok();
    assert_eq!(fs::read_to_string(theirs.join("kept")).unwrap(), "kept");
    world.assert_quiet();
}

fn planted(world: &World) {
    world.with_sleeper("nullfs", ISOLATIONS[0]);
    let theirs = world.dir().join("theirs");
    fs::create_dir_all(&theirs).unwrap();
    for name in ["dev", "sharedfs"] {
        let at = world.lib("web/root").join(name);
        fs::remove_dir_all(&at).unwrap();
        symlink(&theirs, &at).unwrap();
        world.run(["start", "web"]).fails(73, &["web", name]);
        world.run(["console", "web"]).fails(73, &["web", name]);
        assert_eq!(system::mounts_below(world.dir()), Vec::<std::path::PathBuf>::new());
        assert_eq!(fs::read_dir(&theirs).unwrap().count(), 0);
        fs::remove_file(&at).unwrap();
        fs::create_dir(&at).unwrap();
    }
    world.run(["start", "web"]).ok();
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
}

fn table(world: &World) {
    world.install().ok();
    for (name, storage) in [("web", "nullfs"), ("disk", "md")] {
        for isolation in ISOLATIONS {
            world.create(name, storage, isolation).ok();
            world.run(["config", name, "--command", "sleeper=sleep 1000"]).ok();
            for _ in 0..3 {
                world.run(["start", name]).ok();
                world.sh_in(name, "true").ok();
                world.run(["stop", name]).ok();
                world.sh_in(name, "true").ok();
                world.assert_quiet();
            }
            world.run(["delete", "--wait", name]).ok();
        }
    }
    assert_eq!(system::mounts_below(world.dir()), Vec::<std::path::PathBuf>::new());
}
