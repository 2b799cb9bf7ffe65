//! What is told of plug-ins, when they are opened at all, and what still works without one that is gone.

use std::fs;
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use serde_json::Value;

use crate::plugins::built;
use crate::world::World;

/// What `plugin list --json` says of one back end.
#[track_caller]
fn line(world: &World, name: &str) -> Value {
    let mut all = world.run(["plugin", "list", "--json"]).json();
    let lines = all.as_array_mut().unwrap();
    lines.iter_mut().find(|line| line["name"] == name).unwrap_or_else(|| panic!("no {name}")).take()
}

#[test]
fn every_back_end_has_a_line_whatever_state_it_is_in() {
    let world = World::with_web("overlay");
    let thing = world.put_plugin("acme.thing", &built("thing"));
    let wall = world.put_plugin("acme.wall", &built("wall"));
    world.put_plugin("overlay", &thing);
    world.put_plugin("acme.renamed", &thing);
    fs::write(world.plugins().join("acme.text.so"), "text").unwrap();
    fs::write(world.plugins().join("README"), "no plug-in").unwrap();
    let settings = "format = 1\n[plugins]\nallow = [\"acme.thing\", \"acme.text\"]\n";
    fs::write(world.root.join("etc/qchroot.toml"), settings).unwrap();
    world.run(["install", "--source", "acme.thing"]).ok();

    let overlay = line(&world, "overlay");
    assert_eq!((&overlay["state"], &overlay["file"]), (&"in-use".into(), &Value::Null));
    assert_eq!(overlay["users"], serde_json::json!(["web"]));
    let of_thing = line(&world, "acme.thing");
    assert_eq!((&of_thing["state"], &of_thing["kind"]), (&"in-use".into(), &"release-source".into()));
    assert_eq!((&of_thing["version"], &of_thing["file"]), (&"0.3.1".into(), &thing.to_str().into()));
    assert_eq!(of_thing["options"][0]["key"], "greeting");
    let of_wall = line(&world, "acme.wall");
    assert_eq!((&of_wall["state"], &of_wall["version"]), (&"not-allowed".into(), &"0.1.0".into()));
    assert_eq!(line(&world, "acme.renamed")["state"], "misnamed");
    assert_eq!(line(&world, "acme.text")["state"], "broken");

    let table = world.run(["plugin", "list"]).ok();
    let row = |file: &str| table.lines().find(|row| row.contains(file)).unwrap_or_else(|| panic!("{table}"));
    assert!(row("plugins/overlay.so").contains("misnamed"), "{table}");
    assert!(row("acme.thing.so").contains("in use by 1"), "{table}");
    assert!(row(wall.to_str().unwrap()).contains("not allowed"), "{table}");
    assert!(row("acme.text.so").contains("broken") && row("acme.text.so").contains("not an ELF file"));
    assert!(!table.contains("README"));
    // Whatever calls itself overlay, the storage is the program's own.
    world.create("other", "overlay").ok();
}

#[test]
fn a_plugin_tells_what_it_is() {
    let world = World::new();
    world.put_plugin("acme.thing", &built("thing"));
    let text = world.run(["plugin", "info", "acme.thing"]).ok();
    for words in [
        "release source acme.thing: busybox and a greeting",
        "version: 0.3.1, for border 1.",
        "plugins/acme.thing.so",
        "runs on: Linux",
        "greeting  text  hello    what /etc/greeting says",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    let info = world.run(["plugin", "info", "acme.thing", "--json"]).json();
    assert_eq!((&info["name"], &info["state"]), (&"acme.thing".into(), &"unused".into()));
    fs::write(world.plugins().join("acme.text.so"), "text").unwrap();
    world.run(["plugin", "info", "acme.text"]).fails(76, &["acme.text.so is no shared library"]);
    world.run(["plugin", "info", "acme.none"]).fails(66, &["there is no back end named \"acme.none\""]);
}

/// Tells whether anybody opens a file, or the directory that it lies in.
struct Opened(Inotify);

impl Opened {
    fn of(file: &Path) -> Self {
        let watch = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
        for path in [file, file.parent().unwrap()] {
            watch.add_watch(path, AddWatchFlags::IN_OPEN).unwrap();
        }
        Self(watch)
    }

    /// Since it was asked last.
    fn once(&self) -> bool {
        self.0.read_events().is_ok_and(|events| !events.is_empty())
    }
}

#[test]
fn a_plugin_that_nobody_uses_is_not_opened() {
    let world = World::with_sleeper("overlay");
    let file = world.put_plugin("acme.wall", &built("wall"));
    let opened = Opened::of(&file);
    let commands: &[&[&str]] = &[
        &["start", "web"],
        &["list"],
        &["list", "--json"],
        &["status", "web"],
        &["exec", "web", "--", "true"],
        &["ps"],
        &["restart", "web"],
        &["stop", "web"],
        &["release", "list"],
        &["doctor"],
        &["create", "other"],
        &["delete", "other"],
        &["plugin", "info", "overlay"],
    ];
    for command in commands {
        world.run(*command).ok();
        assert!(!opened.once(), "{command:?} opened it");
    }
    // Nor for a hint that names storages.
    world
        .run(["create", "new", "--size", "1G", "--storage", "nullfs"])
        .fails(64, &["a storage that can: md"]);
    assert!(!opened.once());
    world.run(["plugin", "list"]).ok();
    assert!(opened.once(), "the watch sees nothing");
    world.create_in("walled", "overlay", "acme.wall").ok();
    assert!(opened.once());
    world.run(["list", "web"]).ok();
    assert!(!opened.once());
    world.run(["list"]).ok();
    assert!(opened.once());
}

#[test]
fn a_container_whose_plugin_is_gone_is_told_of_stopped_and_deleted() {
    let world = World::installed();
    let file = world.put_plugin("acme.wall", &built("wall"));
    world.create_in("web", "overlay", "acme.wall").ok();
    world.create("plain", "overlay").ok();
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    world.run(["start", "web"]).ok();
    assert_eq!(world.run(["exec", "web", "--", "echo", "walled"]).ok(), "walled\n");
    let damage: [&dyn Fn(); 2] = [&|| fs::write(&file, "text").unwrap(), &|| fs::remove_file(&file).unwrap()];
    let words = ["acme.wall.so is no shared library", "there is no isolation named \"acme.wall\""];
    for (damage, words) in damage.iter().zip(words) {
        damage();
        let report = world.report("web");
        assert_eq!(report["state"], "started");
        assert!(report["problems"][0].as_str().unwrap().contains(words), "{report}");
        assert!(world.run(["status", "web"]).ok().contains(words));
        assert!(world.run(["list"]).ok().contains("acme.wall"));
        world.run(["start", "plain"]).ok();
        world.run(["stop", "plain"]).ok();
        world.run(["release", "list"]).ok();
    }
    assert_eq!(line(&world, "acme.wall")["state"], "missing");
    world.run(["exec", "web", "--", "true"]).fails(78, &["no isolation named \"acme.wall\""]);
    world.run(["stop", "web"]).ok();
    assert_eq!(world.state("web"), "stopped");
    world
        .run(["start", "web"])
        .fails(78, &["no isolation named \"acme.wall\"", "hint: a plug-in of this name"]);
    world.run(["delete", "web"]).ok();
    world.assert_quiet();
}
