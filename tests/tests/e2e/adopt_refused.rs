//! What is not adopted, and is told with the reason: containers that run, that have no part in a shared tree, that lie
//! where a rename does not reach, whose files are not understood or whose root user laid traps.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::adopt::old::Old;
use crate::tree::Tree;
use crate::world::{HostProcess, until};

/// Asserts that a run fails and leaves everything as it was, but for locks and logs.
#[track_caller]
fn refused(old: &Old, args: &[&str], status: i32, texts: &[&str]) {
    let before = old.lasting();
    let ran = old.adopt(args);
    assert_eq!(ran.status, status, "{ran}");
    for text in texts {
        assert!(ran.err.contains(text) || ran.out.contains(text), "no {text:?} in {ran}");
    }
    before.assert_same(&old.lasting(), &args.join(" "));
}

#[test]
fn containers_that_run() {
    for (tool, stop) in [("ezjail", "ezjail-admin stop web"), ("bastille", "bastille stop web")] {
        let old = Old::of(tool);
        let root = old.at(&old.tree_of("web"));
        fs::copy("/bin/busybox", root.join("busybox")).unwrap();
        let mut program = Command::new("chroot");
        program.arg(&root).args(["/busybox", "sleep", "1000"]);
        let process = HostProcess::start(&mut program);
        let inside = || fs::read_link(format!("/proc/{}/root", process.pid())).is_ok_and(|at| at == root);
        until("it is inside", inside);
        refused(&old, &["web", "--apply"], 75, &["web is running", stop]);
        refused(&old, &["db", "--apply"], 75, &["is in use by web", stop]);
        drop(process);
        old.adopt(&["--apply"]).ok();
    }
}

#[test]
fn containers_with_mounts() {
    let old = Old::of("qjail");
    let at = old.at(&old.tree_of("web")).join("proc");
    mount(Some("tmpfs"), &at, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    refused(&old, &["web", "--apply"], 75, &["tmpfs is mounted on", "qjail stop web"]);
    umount2(&at, MntFlags::empty()).unwrap();
    old.adopt(&["--apply"]).ok();
}

#[test]
fn file_systems_of_their_own() {
    let old = Old::of("qjail");
    let at = old.at("usr/jails");
    let aside = old.at("usr/aside");
    fs::rename(&at, &aside).unwrap();
    fs::create_dir(&at).unwrap();
    mount(Some("tmpfs"), &at, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    for name in ["sharedfs", "template", "web", "db"] {
        old.copy(&format!("usr/aside/{name}"), &format!("usr/jails/{name}"));
    }
    let before = Tree::without(&at, &[]);
    refused(&old, &["web", "--apply"], 69, &["another file system", "--root DIR"]);
    before.assert_same(&Tree::without(&at, &[]), "the other file system");
    umount2(&at, MntFlags::MNT_DETACH).unwrap();
}

#[test]
fn thick_and_image_jails_and_names_that_cannot_be() {
    let old = Old::of("ezjail");
    for path in ["bin", "usr/bin", "usr/sbin"] {
        let at = old.at(&old.tree_of("db")).join(path);
        fs::remove_file(&at).unwrap();
        fs::create_dir(&at).unwrap();
    }
    old.write("usr/local/etc/ezjail/disk", "export jail_disk_image=\"/usr/jails/disk.img\"\n");
    old.write("usr/local/etc/ezjail/1234", "export jail_1234_rootdir=\"/usr/jails/1234\"\n");
    let said = old.adopt(&["--apply"]).ok();
    for text in [
        "web: adopted",
        "db: not taken: db has a userland of its own",
        "--source-tree",
        "disk: not taken: it lives on a disk image of its own, /usr/jails/disk.img",
        "1234: not taken: bad container name \"1234\": it is all digits",
    ] {
        assert!(said.contains(text), "no {text:?} in {said}");
    }
    let bastille = Old::of("bastille");
    bastille.write("usr/local/bastille/jails/db/fstab", "");
    let said = bastille.adopt(&["--apply"]).ok();
    assert!(said.contains("db: not taken: it shares no release") && said.contains("web: adopted"), "{said}");
}

#[test]
fn what_is_not_there_or_taken() {
    let old = Old::of("qjail");
    refused(&old, &["nobody"], 66, &["no other tool has a container nobody"]);
    refused(&old, &["--from", "ezjail"], 64, &["--from"]);
    let words = ["adopt", "--from", "ezjail", "--path", old.top.to_str().unwrap()];
    old.world.run(words).fails(66, &["there is nothing of ezjail below"]);
    old.world.run(["adopt", "--from", "iocage"]).fails(64, &["iocage", "bastille"]);
    old.make("usr/q/etc/containers");
    old.write("usr/q/etc/containers/web.toml", "format = 1\n");
    refused(&old, &["web", "--apply"], 73, &["there is a container web already"]);
}

#[test]
fn an_install_over_trees_of_the_old_qchroot() {
    let old = Old::of("qchroot");
    crate::userland::write(&old.world.archive());
    old.world.install("tiny-1.0").fails(73, &["hint: `qchroot adopt` takes over"]);
    old.adopt(&["--apply"]).ok();
    old.world.install("tiny-1.0").ok();
    old.assert_works();
}

#[test]
fn jails_on_a_kernel_without_them() {
    let old = Old::of("qjail");
    let before = old.lasting();
    let path = old.top.to_str().unwrap();
    let ran = old.world.run(["adopt", "web", "--path", path, "--apply"]);
    assert_eq!(ran.status, 69, "{ran}");
    assert!(ran.err.contains("isolation jail does not work on") && ran.err.contains("--isolation"), "{ran}");
    before.assert_same(&old.lasting(), "jail");
}

#[test]
fn files_are_read_and_never_run() {
    for tool in ["qchroot", "qjail", "ezjail", "bastille"] {
        let old = Old::of(tool);
        let trap = old.world.dir().join("trap");
        let line = format!("x=$(touch {0}); touch {0}\n", trap.display());
        old.append(&old.file_of("web"), &line);
        let said = old.adopt(&["--apply"]).ok();
        let number = fs::read_to_string(old.at(&old.file_of("web"))).unwrap().lines().count();
        assert!(
            said.contains(&format!("{}:{number}: ", old.file_of("web").rsplit('/').next().unwrap())),
            "{said}"
        );
        assert!(!trap.exists(), "{tool}: it was run");
        old.assert_works();
    }
}

#[test]
fn traps_of_a_containers_root_user() {
    let host = Tree::without("/usr/bin".as_ref(), &[]);
    // What the container replaces, by what, and whether it is taken all the same.
    for (path, to, is_taken) in [
        ("usr/bin", "/etc", true),
        ("basejail", "/etc", false),
        ("sharedfs", "/etc", false),
        ("etc/rc.conf", "/etc/shadow", true),
        ("usr", "/usr", true),
    ] {
        let old = Old::of("ezjail");
        let at = old.at(&old.tree_of("web")).join(path);
        if at.exists() || at.is_symlink() {
            fs::rename(&at, old.at("usr/replaced")).unwrap();
        }
        symlink(to, &at).unwrap();
        let said = old.adopt(&["--apply"]);
        assert_eq!(said.status, 0, "{path} → {to}: {said}");
        assert_eq!(old.world.file("web").exists(), is_taken, "{path} → {to}: {said}");
        assert!(old.world.file("db").exists(), "{said}");
        let now = if is_taken { old.world.lib("web/root").join(path) } else { at };
        assert_eq!(fs::read_link(now).unwrap().to_str(), Some(to), "{said}");
        old.world.assert_sound();
    }
    host.assert_same(&Tree::without("/usr/bin".as_ref(), &[]), "the host's programs");
}

#[test]
fn a_trap_that_is_met_on_the_way_takes_it_all_back() {
    let old = Old::of("ezjail");
    old.adopt(&["db", "--apply"]).ok();
    // What is found through the link looks like the old tool's own links.
    let root = old.at(&old.tree_of("web"));
    fs::rename(root.join("usr"), root.join("usr2")).unwrap();
    symlink("usr2", root.join("usr")).unwrap();
    refused(&old, &["web", "--apply"], 73, &["usr is a link, not a directory"]);
    old.world.assert_sound();
    fs::remove_file(root.join("usr")).unwrap();
    fs::rename(root.join("usr2"), root.join("usr")).unwrap();
    old.adopt(&["web", "--apply"]).ok();
    old.assert_works();
}
