//! Containers move between releases: what they left alone follows, what they made their own stays, and a rollback
//! brings back what was replaced.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::tree::Tree;
use crate::userland;
use crate::world::World;

const STORAGES: [&str; 2] = ["overlay", "nullfs"];

fn current(world: &World) -> String {
    fs::read_link(world.lib("current")).unwrap().file_name().unwrap().to_str().unwrap().to_owned()
}

const OLD: &[(&str, &str)] = &[
    ("etc/same", "old"),
    ("etc/left", "old"),
    ("etc/touched", "old"),
    ("etc/changed", "old"),
    ("etc/both", "old"),
    ("etc/agreed", "old"),
    ("etc/deleted", "old"),
    ("etc/gone", "old"),
    ("etc/gone-changed", "old"),
    ("etc/gone.d/file", "old"),
    ("etc/kept.d/file", "old"),
    ("etc/to-dir", "old"),
    ("etc/to-file/a", "old"),
    ("etc/to-file-too/a", "old"),
    ("etc/replaced.d/file", "old"),
    ("etc/linked.d/file", "old"),
];

const NEW: &[(&str, &str)] = &[
    ("etc/same", "old"),
    ("etc/left", "new"),
    ("etc/touched", "new"),
    ("etc/changed", "old"),
    ("etc/both", "new"),
    ("etc/agreed", "new"),
    ("etc/deleted", "new"),
    ("etc/kept.d/other", "new"),
    ("etc/to-dir/inside", "new"),
    ("etc/to-file", "new"),
    ("etc/to-file-too", "new"),
    ("etc/replaced.d/file", "new"),
    ("etc/linked.d/file", "new"),
    ("etc/added", "new"),
    ("etc/added.d/deep/file", "new"),
    ("etc/mine-too", "new"),
    ("srv/new", "new"),
];

/// What the container does to its own tree before the upgrade.
const EDITS: &str = "cd /etc; cat touched > x; cat x > touched; rm x; echo mine > changed; echo mine > both
    printf new > agreed; chmod 755 agreed; rm deleted; echo mine > gone-changed; echo mine > kept.d/own
    echo mine > to-file-too/b; echo mine > mine-too; echo mine > own
    rm -r replaced.d; mkdir replaced.d; echo mine > replaced.d/own; rm -r linked.d; ln -s /tmp linked.d";

/// A container `web` that did [`EDITS`], and the newer release installed: the two releases.
fn edited(storage: &str) -> (World, String, String) {
    let world = World::new();
    userland::write_with(&world.archive(), OLD);
    world.install("tiny-1.0").ok();
    let old = current(&world);
    world.run(["create", "web", "--storage", storage]).ok();
    world.sh(EDITS).ok();
    userland::write_with(&world.archive(), NEW);
    world.install("tiny-1.1").ok();
    let new = current(&world);
    (world, old, new)
}

/// What programs inside see of `/etc` and `/srv`: one line a file.
fn inside(world: &World) -> Vec<String> {
    let script = "list() { for f in \"$1\"/*; do if [ -L \"$f\" ]; then echo \"$f -> $(readlink $f)\"
        elif [ -d \"$f\" ]; then list \"$f\"; elif [ -f \"$f\" ]; then echo \"$f $(head -n 1 \"$f\")\"; fi; done; }
        cd /; list etc; list srv";
    let keep =
        |line: &&str| !["passwd", "group", "init.d", "not-exec", "srv/*"].iter().any(|n| line.contains(n));
    world.sh(script).ok().lines().filter(keep).map(str::to_owned).collect()
}

#[test]
fn each_file_is_merged_three_ways() {
    for storage in STORAGES {
        let (world, old, new) = edited(storage);
        let before = inside(&world);
        let lasting = world.lasting();
        let shown = world.run(["--dry-run", "upgrade", "web"]).ok();
        assert!(shown.contains("would move from") && shown.contains("conflict /etc/both"), "{shown}");
        lasting.assert_same(&world.lasting(), "a dry run");

        let ran = world.run(["upgrade", "web", "--json"]);
        assert!(ran.err.contains("warning: web: ") && ran.err.contains("changed by both"), "{ran}");
        let said = ran.json()[0].take();
        assert_eq!((&said["from"], &said["to"]), (&old.clone().into(), &new.clone().into()));
        assert_eq!(world.report("web")["release"], new);
        let mut expected = vec![
            "etc/added new",
            "etc/added.d/deep/file new",
            "etc/agreed new",
            "etc/both mine",
            "etc/both.new new",
            "etc/changed mine",
            "etc/gone-changed mine",
            "etc/kept.d/other new",
            "etc/kept.d/own mine",
            "etc/left new",
            "etc/linked.d -> /tmp",
            "etc/mine-too mine",
            "etc/mine-too.new new",
            "etc/own mine",
            "etc/replaced.d/own mine",
            "etc/same old",
            "etc/to-dir/inside new",
            "etc/to-file new",
            "etc/to-file-too.new new",
            "etc/to-file-too/b mine",
            "etc/touched new",
            "srv/new new",
        ];
        let mut got = inside(&world);
        got.sort();
        expected.sort_unstable();
        assert_eq!(got, expected, "{storage}: {said}");

        world.run(["rollback", "web"]).ok();
        assert_eq!(world.report("web")["release"], old);
        assert_eq!(inside(&world), before, "{storage}");
        world.run(["rollback", "web"]).fails(66, &["has no upgrade to take back"]);
        lasting.assert_same(
            &Tree::without(&world.root, &["run", "log", "lib/.previous"]),
            "upgrade and rollback",
        );
        world.assert_sound();
    }
}

#[test]
fn a_rollback_keeps_what_was_written_since() {
    for storage in STORAGES {
        let (world, _, _) = edited(storage);
        world.run(["upgrade", "web"]).ok();
        world.sh("echo later > /etc/later; echo later > /etc/touched; echo later > /etc/both.new; rm /etc/added").ok();
        let said = world.run(["rollback", "web"]).ok();
        let read = |path: &str| world.run(["exec", "web", "cat", path]).ok();
        assert_eq!(read("/etc/later"), "later\n", "{storage}");
        assert_eq!(read("/etc/touched"), "old", "{storage}: {said}");
        assert_eq!(read("/etc/touched.edited"), "later\n", "{storage}: {said}");
        assert_eq!(read("/etc/both.new"), "later\n", "{storage}");
        assert_eq!(read("/etc/both"), "mine\n", "{storage}");
        assert!(said.contains("edited /etc/touched (see /etc/touched.edited)"), "{said}");
        world.assert_sound();
    }
}

#[test]
fn what_cannot_be_moved_is_refused_untouched() {
    let (world, old, new) = edited("overlay");
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    world.run(["start", "web"]).ok();
    world.run(["upgrade", "web"]).fails(75, &["web is started", "qchroot stop web"]);
    world.run(["stop", "web"]).ok();
    let before = world.lasting();
    world.run(["upgrade", "web", "--release", "tiny-9-000000000000"]).fails(66, &["is not installed"]);
    world.run(["upgrade", "nobody"]).fails(66, &["there is no container nobody"]);
    world.run(["rollback", "web"]).fails(66, &["has no upgrade"]);
    let said = world.run(["upgrade", "web", "--release", &old]).ok();
    assert_eq!(said, format!("web: is at {old} already\n"));
    before.assert_same(&world.lasting(), "what was refused");

    userland::write_with(&world.archive(), OLD);
    let path = format!("path={}", world.archive().display());
    let args = ["install", "--source", "tarball", "--any-release", "--across-major", "-o", &path, "-o"];
    world.run(args.iter().chain(&["version=tiny-2.0"])).ok();
    world.run(["upgrade", "web"]).fails(78, &["tiny-2.0 after tiny-1.0", "--across-major"]);
    world.run(["upgrade", "web", "--across-major"]).ok();
    assert!(world.report("web")["release"].as_str().unwrap().starts_with("tiny-2.0-"));
    world.run(["rollback", "web"]).ok();
    world.run(["upgrade", "web", "--release", &new]).ok();
    world.assert_sound();
}

#[test]
fn a_second_upgrade_lets_go_of_the_first() {
    for storage in STORAGES {
        let (world, old, new) = edited(storage);
        world.run(["upgrade", "web"]).ok();
        userland::write_with(&world.archive(), OLD);
        world.install("tiny-1.2").ok();
        world.run(["upgrade", "web"]).ok();
        assert_eq!(world.run(["exec", "web", "cat", "/etc/left"]).ok(), "old");
        let pruned = world.run(["release", "prune", "--json"]).json();
        assert_eq!(pruned["releases"], serde_json::json!([old]), "{storage}");
        world.run(["rollback", "web"]).ok();
        assert_eq!(world.report("web")["release"], new);
        assert_eq!(world.run(["exec", "web", "cat", "/etc/left"]).ok(), "new");
        world.run(["delete", "web"]).ok();
        assert!(!world.lib(".previous/web").exists());
    }
}

/// Links planted by the container's root must not lead an upgrade or a rollback out of its tree.
#[test]
fn links_inside_lead_nowhere() {
    for storage in STORAGES {
        let (world, _, _) = edited(storage);
        let outside = world.dir().join("outside");
        fs::create_dir(&outside).unwrap();
        for name in ["left", "touched", "gone", "added", "both"] {
            fs::write(outside.join(name), "precious").unwrap();
        }
        let before = Tree::with_times(&outside);
        let private: PathBuf = match storage {
            "overlay" => world.lib("web/upper"),
            _ => world.lib("web/root"),
        };
        fs::rename(private.join("etc"), private.join("etc-away")).unwrap();
        symlink(&outside, private.join("etc")).unwrap();
        world.run(["upgrade", "web"]).ok();
        before.assert_same(&Tree::with_times(&outside), "an upgrade through a link");
        world.run(["rollback", "web"]).ok();

        fs::remove_file(private.join("etc")).unwrap();
        fs::rename(private.join("etc-away"), private.join("etc")).unwrap();
        world.run(["upgrade", "web"]).ok();
        fs::rename(private.join("etc"), private.join("etc-away")).unwrap();
        symlink(&outside, private.join("etc")).unwrap();
        let lasting = world.lasting();
        world.run(["rollback", "web"]).fails(73, &["/etc is no directory any more", "hint: "]);
        lasting.assert_same(&world.lasting(), "the refused rollback");
        before.assert_same(&Tree::with_times(&outside), "a rollback through a link");
    }
}
