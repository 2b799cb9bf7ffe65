//! Containers of other tools are taken over where they lie, and run.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ran::Ran;
use crate::scenario::{Scenario, both, freebsd};
use crate::world::{World, until};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        both("adoptions::the_old_qchroot_is_taken_over_and_runs", old_qchroot),
        freebsd("adoptions::a_jail_of_qjail_is_taken_over_and_entered", qjail),
    ]
}

/// A service with a script as rc.subr(8) has it, without a pid file.
const NAP: &str = "#!/bin/sh\ncase $1 in\nonestart) sleep 1000 > /dev/null 2>&1 & ;;\nesac\n";

/// A machine's root, with the trees of a tool below `trees`: what is shared, a template, and the container `web`.
fn old_machine(world: &World, trees: &str) -> PathBuf {
    world.install().ok();
    let (top, current) = (world.dir().join("old"), world.lib("current").canonicalize().unwrap());
    let trees = top.join(trees);
    fs::create_dir_all(&trees).unwrap();
    for part in ["sharedfs", "template"] {
        copy(&current.join(part), &trees.join(part));
    }
    link(&trees.join("sharedfs"), &trees.join("template"), Path::new(""));
    link(&trees.join("sharedfs"), &trees.join("template"), Path::new("usr"));
    fs::create_dir(trees.join("template/sharedfs")).unwrap();
    copy(&trees.join("template"), &trees.join("web"));
    write(&trees.join("web/root/thesis"), "precious");
    let script = trees.join("web/usr/local/etc/rc.d/nap");
    write(&script, NAP);
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
    top
}

fn copy(from: &Path, to: &Path) {
    Ran::of(Command::new("cp").arg("-a").args([from, to])).ok();
}

fn write(at: &Path, text: &str) {
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(at, text).unwrap();
}

/// Absolute links to what is shared, as these tools make them.
fn link(shared: &Path, template: &Path, dir: &Path) {
    for entry in fs::read_dir(shared.join(dir)).unwrap().flatten() {
        let path = dir.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() && path != Path::new("usr") {
            fs::create_dir_all(template.join(dir)).unwrap();
            symlink(Path::new("/sharedfs").join(&path), template.join(&path)).unwrap();
        }
    }
}

fn old_qchroot(world: &World) {
    let top = old_machine(world, "usr/qchroot");
    write(&top.join("usr/local/etc/qchroot.local/web"), "service_name=\"nap\"\n");
    let was = fs::metadata(top.join("usr/qchroot/web")).unwrap().ino();
    let path = top.to_str().unwrap();
    world.run(["adopt", "--path", path]).says("web: to be adopted from");
    assert!(!world.file("web").exists(), "what was only to be shown was done");
    world.run(["adopt", "--path", path, "--apply"]).says("web: adopted from");
    assert_eq!(fs::metadata(world.lib("web/root")).unwrap().ino(), was, "the tree was copied");
    assert_eq!(world.sh("cat /root/thesis").ok(), "precious");
    world.run(["start", "web"]).ok();
    until("the service is inside", || !world.inside().is_empty());
    assert_eq!(world.state("web"), "started");
    world.run(["stop", "web"]).ok();
    world.run(["adopt", "--path", path]).says("nothing to adopt");
    world.assert_quiet();
    world.assert_sound();
}

fn qjail(world: &World) {
    let top = old_machine(world, "usr/jails");
    let definition = "name=\"web\"\nip4=\"lo0|127.0.0.77\"\nip6=\"\"\npath=\"/usr/jails/web\"\ninterface=\"lo0\"\n\
                      rsockets=\"yes\"\nimage=\"\"\nimagetype=\"\"\n";
    write(&top.join("usr/local/etc/qjail.local/web"), definition);
    world.run(["adopt", "--path", top.to_str().unwrap(), "--apply"]).says("web: adopted from");
    assert_eq!(world.report("web")["isolation"], "jail");
    assert_eq!(world.sh("cat /root/thesis").ok(), "precious");
    world.assert_quiet();
    world.assert_sound();
}
