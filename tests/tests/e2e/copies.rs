//! Snapshots, clones and other names: what comes back, what a copy shares with its original, what is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::Ran;
use crate::tree::Tree;
use crate::userland;
use crate::world::{RunWith, World, until};

const STORAGES: [&str; 2] = ["overlay", "nullfs"];

/// Every storage, with the options that `create` needs.
const ALL: [&[&str]; 3] =
    [&["--storage", "overlay"], &["--storage", "nullfs"], &["--storage", "md", "--size", "32M"]];

fn with_web(options: &[&str]) -> World {
    let world = World::installed();
    world.command(["create", "web"]).ran(options).ok();
    world
}

fn inside(world: &World, name: &str, script: &str) -> String {
    world.run(["exec", name, "--", "sh", "-c", script]).ok()
}

/// Where what a container itself wrote lies on the host.
fn private(world: &World, name: &str, storage: &str) -> PathBuf {
    world.lib(name).join(if storage == "overlay" { "upper" } else { "root" })
}

fn host(program: &str, args: &[&str], at: &Path) -> String {
    Ran::of(Command::new(program).args(args).arg(at)).ok()
}

/// All that can be told of a tree: also times, extended attributes and flags.
fn everything(at: &Path) -> (Tree, String, String) {
    let relative = |program: &str, args: &[&str]| {
        let ran = Command::new(program).args(args).arg(".").current_dir(at).output().unwrap();
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    let attributes = relative("getfattr", &["--recursive", "--physical", "--dump", "--match=-"]);
    let flags: Vec<String> = relative("lsattr", &["-R", "-a"])
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(flags, _)| flags.contains(['i', 'a']))
        .map(|(_, path)| path.to_owned())
        .collect();
    (Tree::with_times(at), attributes, flags.join("\n"))
}

#[test]
fn a_rollback_brings_back_what_was_there_and_nothing_else() {
    for options in ALL {
        let world = with_web(options);
        inside(&world, "web", "mkdir /root/data; echo then > /root/data/file; rm /www/index.html");
        let taken = world.run(["snapshot", "web", "then"]).ok();
        assert_eq!(taken, "web: snapshot then taken\n");
        world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
        inside(&world, "web", "echo now > /root/data/file; echo new > /root/new; rm -r /etc/init.d");
        assert_eq!(
            world.run(["rollback", "web", "--snapshot", "then"]).ok(),
            "web: went back to snapshot then\n"
        );
        let seen =
            inside(&world, "web", "cat /root/data/file; ls /root; ls /etc/init.d | head -n 1; ls /www");
        assert!(seen.starts_with("then\ndata\n") && !seen.contains("index.html"), "{options:?}: {seen}");
        assert_eq!(seen.lines().count(), 3, "{options:?}: {seen}");
        // Services stay as they are, and it runs.
        world.run(["start", "web"]).ok();
        assert_eq!(world.state("web"), "started");
        world.run(["stop", "web"]).ok();
        // The snapshot stays, and can be used again.
        inside(&world, "web", "echo later > /root/data/file");
        world.run(["rollback", "web", "--snapshot", "then"]).ok();
        assert_eq!(inside(&world, "web", "cat /root/data/file"), "then\n");
        world.run(["snapshot", "web", "--remove", "then"]).ok();
        assert_eq!(world.run(["snapshot", "web", "--list", "--json"]).json(), serde_json::json!([]));
        assert_eq!(inside(&world, "web", "cat /root/data/file"), "then\n");
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn snapshots_are_named_listed_and_counted() {
    let world = with_web(ALL[0]);
    let taken = world.run(["snapshot", "web", "--json"]).json();
    let name = taken["snapshot"].as_str().unwrap().to_owned();
    assert!(name.len() == 16 && name.starts_with("20") && name.ends_with('Z'), "{name}");
    until("a second has passed", || world.run(["snapshot", "web", "b.2"]).status == 0);
    let listed = world.run(["snapshot", "web", "--list"]).ok();
    let release = world.report("web")["release"].as_str().unwrap().to_owned();
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with("SNAPSHOT") && lines[1].starts_with(&name), "{listed}");
    assert!(lines[1].ends_with(&release) && lines[2].starts_with("b.2"), "{listed}");
    assert!(world.run(["status", "web"]).ok().contains("  snapshots: 2\n"));
    assert_eq!(world.report("web")["snapshots"], 2);
    world.run(["delete", "--wait", "web"]).ok();
    assert!(!world.lib("web").exists());
}

#[test]
fn a_clone_runs_beside_its_original_and_shares_nothing_with_it() {
    for options in ALL {
        let world = with_web(options);
        world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
        inside(
            &world,
            "web",
            "echo ours > /root/file; rm /www/index.html; rm -r /etc/init.d; mkdir /etc/init.d",
        );
        world.run(["snapshot", "web", "then"]).ok();
        assert_eq!(world.run(["clone", "web", "copy"]).ok(), "copy: cloned from web\n");
        world.run(["start", "web", "copy"]).ok();
        assert_eq!(world.state("web") + " " + &world.state("copy"), "started started");
        let script = "cat /root/file; ls /etc/init.d; [ -e /www/index.html ] || echo gone";
        assert_eq!(inside(&world, "copy", script), "ours\ngone\n", "{options:?}");
        inside(&world, "copy", "echo theirs > /root/file; touch /etc/init.d/new");
        assert_eq!(inside(&world, "web", script), "ours\ngone\n", "{options:?}");
        assert_eq!(world.report("copy")["snapshots"], 0);
        world.run(["stop", "web", "copy"]).ok();
        world.run(["delete", "--wait", "web"]).ok();
        assert_eq!(
            inside(&world, "copy", "cat /root/file; cat /etc/passwd | head -n 1 | cut -c 1-4"),
            "theirs\nroot\n"
        );
        world.assert_quiet();
        world.assert_sound();
    }
}

/// What a superuser inside can leave for whoever copies it.
fn plant(at: &Path, outside: &Path) {
    let dir = at.join("root/bad");
    fs::create_dir_all(&dir).unwrap();
    let script = format!(
        "ln -s /etc etc; ln -s {0} outside; ln -s ../../../../../../etc/passwd up; echo a > a; ln a b
        cp /bin/true su; chmod 6755 su; mkfifo pipe; mknod disk b 7 0; mknod zero c 1 5; mkdir -m 1777 tmp
        setfattr -n user.x -v y a; setfattr -n trusted.x -v y tmp; setfattr -h -n trusted.l -v y outside
        chown 7:8 zero; touch -d 2001-01-01 a; truncate -s 16M sparse; echo x > 'new
line'; echo i > fixed; chattr +i fixed; echo l > log; chattr +a log; mkdir held; chattr +i held",
        outside.display()
    );
    Ran::of(Command::new("sh").arg("-ec").arg(script).current_dir(dir)).ok();
}

#[test]
fn hostile_content_is_copied_as_it_is_and_leads_nowhere() {
    for storage in STORAGES {
        let world = World::with_web(storage);
        let outside = world.dir().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "precious").unwrap();
        let before = Tree::with_times(&outside);
        let own = private(&world, "web", storage);
        inside(
            &world,
            "web",
            "rm -r /etc/init.d; mkdir /etc/init.d /home/x; rm /www/index.html; chmod 700 /tmp",
        );
        plant(&own, &outside);
        let there = everything(&own);
        assert!(there.1.contains("user.x") && there.2.contains("fixed"), "{}{}", there.1, there.2);
        let same = |what: &str, now: &(Tree, String, String)| {
            there.0.assert_same(&now.0, what);
            assert_eq!(there.1, now.1, "{storage}: attributes of {what}");
            assert_eq!(there.2, now.2, "{storage}: flags of {what}");
        };
        world.run(["snapshot", "web", "then"]).ok();
        same("the snapshot", &everything(&world.lib("web/snapshots/then/data")));
        world.run(["clone", "web", "copy"]).ok();
        same("the clone", &everything(&private(&world, "copy", storage)));
        inside(&world, "web", "rm -f /root/bad/a /root/bad/etc; echo x > /etc/init.d/x");
        world.run(["rollback", "web", "--snapshot", "then"]).ok();
        same("what came back", &everything(&own));
        world.run(["rename", "copy", "other"]).ok();
        same("what has another name", &everything(&private(&world, "other", storage)));
        world.run(["snapshot", "web", "--remove", "then"]).ok();
        world.run(["delete", "--wait", "web", "other"]).ok();
        before.assert_same(&Tree::with_times(&outside), "outside");
        world.assert_sound();
    }
}

#[test]
fn another_name_changes_nothing_inside() {
    for options in ALL {
        let world = with_web(options);
        world.run(["config", "web", "--command", "talker=sh -c 'echo said; sleep 1000'"]).ok();
        world.run(["start", "web"]).ok();
        let log = |name: &str| world.root.join(format!("log/{name}/talker.log"));
        until("it talks", || fs::read_to_string(log("web")).is_ok_and(|text| text.contains("said")));
        world.run(["stop", "web"]).ok();
        inside(&world, "web", "echo mine > /root/file");
        world.run(["snapshot", "web", "then"]).ok();
        assert_eq!(world.run(["rename", "web", "shop"]).ok(), "shop: renamed from web\n");
        world.run(["start", "web"]).fails(66, &["there is no container web"]);
        assert_eq!(inside(&world, "shop", "cat /root/file"), "mine\n");
        assert!(fs::read_to_string(log("shop")).unwrap().contains("said") && !log("web").exists());
        world.run(["start", "shop"]).ok();
        assert_eq!(world.run(["list", "--json"]).json()[0]["services"][0]["state"], "running");
        world.run(["stop", "shop"]).ok();
        world.run(["rollback", "shop", "--snapshot", "then"]).ok();
        // The old name is free.
        world.command(["create", "web"]).ran(options).ok();
        assert_eq!(inside(&world, "web", "cat /root/file || echo none"), "none\n");
        world.run(["delete", "--wait", "shop", "web"]).ok();
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn a_started_container_is_not_copied() {
    for options in ALL {
        let world = with_web(options);
        world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
        world.run(["snapshot", "web", "then"]).ok();
        world.run(["start", "web"]).ok();
        let before = world.lasting();
        for args in [
            &["snapshot", "web"][..],
            &["rollback", "web", "--snapshot", "then"],
            &["clone", "web", "copy"],
            &["rename", "web", "copy"],
        ] {
            world.run(args).fails(75, &["web", "`qchroot stop web`"]);
        }
        before.assert_same(&world.lasting(), "refusals");
        assert_eq!(world.state("web"), "started");
    }
}

#[test]
fn what_cannot_be_is_refused_and_a_dry_run_changes_nothing() {
    let world = with_web(ALL[1]);
    world.run(["create", "other"]).ok();
    world.run(["snapshot", "web", "then"]).ok();
    let before = world.lasting();
    for (args, status, text) in [
        (&["snapshot", "web", "then"][..], 73, "web has a snapshot then already"),
        (&["snapshot", "web", "a/b"], 64, "bad snapshot name"),
        (&["snapshot", "web", ".."], 64, "bad snapshot name"),
        (&["snapshot", "web", "x", "--list"], 64, "cannot be used with"),
        (&["snapshot", "web", "--remove", "never"], 66, "web has no snapshot never"),
        (&["rollback", "web", "--snapshot", "never"], 66, "`qchroot snapshot web --list`"),
        (&["rollback", "web", "--snapshot", "../../other"], 64, "bad snapshot name"),
        (&["clone", "web", "other"], 73, "there is a container other already"),
        (&["clone", "web", "web"], 73, "there is a container web already"),
        (&["clone", "nobody", "new"], 66, "there is no container nobody"),
        (&["rename", "web", "other"], 73, "there is a container other already"),
        (&["rename", "web", "7"], 64, "all digits"),
    ] {
        world.run(args).fails(status, &[text]);
    }
    for (args, texts) in [
        (&["--dry-run", "snapshot", "web", "x"][..], ["/snapshots/x/data", "snapshot.toml"]),
        (&["--dry-run", "rollback", "web", "--snapshot", "then"], ["restore.new", "remove tree"]),
        (&["--dry-run", "clone", "web", "new"], ["make staging directory", "new.toml"]),
        (&["--dry-run", "rename", "web", "new"], ["rename ", "new.toml"]),
    ] {
        let steps = world.run(args).ok();
        assert!(texts.iter().all(|text| steps.contains(text)), "{args:?}: {steps}");
    }
    before.assert_same(&world.lasting(), "refusals and dry runs");
}

#[test]
fn going_back_to_another_release_keeps_that_release_until_then() {
    for storage in STORAGES {
        let world = World::new();
        userland::write_with(&world.archive(), &[("etc/version", "one"), ("usr/share/version", "one")]);
        world.install("tiny-1.0").ok();
        world.run(["create", "web", "--storage", storage]).ok();
        let old = world.report("web")["release"].as_str().unwrap().to_owned();
        world.run(["snapshot", "web", "then"]).ok();
        userland::write_with(&world.archive(), &[("etc/version", "two"), ("usr/share/version", "two")]);
        for version in ["tiny-1.1", "tiny-1.2"] {
            world.install(version).ok();
            world.run(["upgrade", "web"]).ok();
        }
        let versions = "head -n 1 /etc/version /usr/share/version | grep -v -e = -e '^$'";
        assert_eq!(inside(&world, "web", versions), "two\ntwo\n");
        let hint = "remove them: `qchroot snapshot web --remove then`";
        world.run(["release", "remove", &old]).fails(75, &["is needed", "then of web", hint]);
        world.run(["release", "prune"]).ok();
        let back = world.run(["rollback", "web", "--snapshot", "then"]).ok();
        assert_eq!(back, format!("web: went back to snapshot then, and to {old}\n"));
        assert_eq!(inside(&world, "web", versions), "one\none\n");
        assert_eq!(world.report("web")["release"], old);
        world.assert_sound();
    }
}

/// A mount of the test's own; it goes with it.
struct Disk(PathBuf);

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn copies_share_their_blocks_where_the_file_system_can() {
    let world = World::new();
    let image = world.dir().join("xfs");
    fs::File::create(&image).unwrap().set_len(600 << 20).unwrap();
    host("mkfs.xfs", &["-q"], &image);
    fs::create_dir(&world.root).unwrap();
    let mount = ["-o", "loop", image.to_str().unwrap(), world.root.to_str().unwrap()];
    Ran::of(Command::new("mount").args(mount)).ok();
    let _disk = Disk(world.root.clone());
    userland::write(&world.archive());
    world.install("tiny-1.0").ok();
    for storage in STORAGES {
        world.run(["create", storage, "--storage", storage]).ok();
        inside(&world, storage, "for i in $(seq 64); do yes $i | head -c 1048576; done > /root/big");
        let free = || {
            Ran::of(Command::new("sync").arg("--file-system").arg(&world.root)).ok();
            let space = nix::sys::statvfs::statvfs(&world.root).unwrap();
            space.blocks_available() * space.fragment_size()
        };
        let before = free();
        world.run(["snapshot", storage, "then"]).ok();
        world.run(["clone", storage, "copy"]).ok();
        world.run(["rollback", storage, "--snapshot", "then"]).ok();
        let taken = before.saturating_sub(free());
        assert!(taken < 16 << 20, "{storage}: copies of 64 MiB took {taken} bytes");
        assert_eq!(inside(&world, "copy", "head -c 2 /root/big; stat -c %s /root/big"), "1\n67108864\n");
        world.run(["delete", "--wait", storage, "copy"]).ok();
    }
}

#[test]
fn no_space_for_a_copy_leaves_none() {
    for storage in STORAGES {
        let world = World::within("/dev/shm");
        fs::create_dir(&world.root).unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=24m", "none", world.root.to_str().unwrap()];
        Ran::of(Command::new("mount").args(mount)).ok();
        let _disk = Disk(world.root.clone());
        userland::write(&world.archive());
        world.install("tiny-1.0").ok();
        world.run(["create", "web", "--storage", storage]).ok();
        inside(&world, "web", "echo then > /root/then");
        world.run(["snapshot", "web", "small"]).ok();
        inside(&world, "web", "yes | head -c 12000000 > /root/big");
        let before = world.lasting();
        for args in [&["snapshot", "web", "large"][..], &["clone", "web", "copy"]] {
            world.run(args).fails(74, &["no space"]);
            before.assert_same(&world.lasting(), "what has no space");
        }
        world.assert_sound();
        world.run(["rollback", "web", "--snapshot", "small"]).ok();
        assert_eq!(inside(&world, "web", "ls /root"), "then\n");
    }
}
