//! The plug-in guide as its reader follows it: every command that stands in it, in order, on a machine that has nothing
//! but qchroot and Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::plugins;
use crate::program::{self, Ran};
use crate::world::World;

/// The guide.
const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/plugin-guide.md");

/// The commands of the blocks that are marked `sh`, in order, one line each.
fn commands(guide: &str) -> Vec<String> {
    let mut lines = guide.lines();
    let mut found = vec![];
    while lines.any(|line| line == "```sh") {
        found.extend(lines.by_ref().take_while(|line| *line != "```").map(str::to_owned));
    }
    found
}

/// A script of them that says of each what it printed, and ends at the first that fails. A project that is entered is
/// built below `target`.
fn script(commands: &[String], target: &Path) -> String {
    let step = |(n, command): (usize, &String)| {
        let shared = match command.starts_with("cd ") {
            true => format!("ln -s '{}' target\n", target.display()),
            false => String::new(),
        };
        format!("echo '@{n}'\n{command}\n{shared}")
    };
    format!("set -eu\n{}", commands.iter().enumerate().map(step).collect::<String>())
}

/// A directory whose only program is the one under test, under its own name.
fn on_path(dir: &Path) -> PathBuf {
    let bin = dir.join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(program::path(), bin.join("qchroot")).unwrap();
    bin
}

/// An empty directory of this name for a project, and below it what all projects are built into: what they depend on is
/// compiled once.
fn workshop(name: &str) -> (PathBuf, PathBuf) {
    let all = plugins::target().with_file_name("plugin-projects");
    let own = all.join(name);
    let _ = fs::remove_dir_all(&own);
    fs::create_dir_all(&own).unwrap();
    let target = all.join("target");
    fs::create_dir_all(&target).unwrap();
    (own, target)
}

#[test]
fn whoever_follows_the_plug_in_guide_ships_a_release_source() {
    let home = World::new();
    // Where the guide has everything of qchroot's.
    let world = World::at(&home.dir().join("qchroot-try"));
    let commands = commands(&fs::read_to_string(GUIDE).unwrap());
    assert!(commands.iter().any(|line| line.starts_with("qchroot plugin new")), "{commands:#?}");
    let (shop, target) = workshop("guide");
    let path = format!("{}:{}", on_path(home.dir()).display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script(&commands, &target)]).current_dir(&shop).env("PATH", path);
    // What the tests were built with is on this machine; another version would have to be fetched.
    shell.env("CARGO_NET_OFFLINE", "true").env("CARGO_HOME", cargo_home()).env_remove("CARGO_TARGET_DIR");
    let said = Ran::of(shell.env("HOME", home.dir()).env_remove("QCHROOT_ROOT")).ok();
    let of = |wanted: &str| {
        let n = commands.iter().position(|line| line == wanted).unwrap_or_else(|| panic!("no {wanted:?}"));
        let from = said.split_once(&format!("@{n}\n")).unwrap().1;
        from.split_once(&format!("@{}\n", n + 1)).map_or(from, |(own, _)| own).to_owned()
    };
    assert_eq!(of("qchroot exec web -- hello"), "good day\n");
    assert_eq!(of("qchroot start web"), "web: Start chroot completed.\n");
    let table = of("qchroot plugin info acme.hello");
    assert!(table.contains("greeting") && table.contains("hello from inside"), "{table}");
    assert!(of("cargo test").contains("test result: ok"));
    world.assert_quiet();
    world.assert_sound();
}

fn cargo_home() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// A project of this kind: it builds, its tests pass, and what was built passes the check.
fn is_sound_at_once(kind: &str, word: &str) {
    let world = World::new();
    let (shop, target) = workshop(kind);
    let (dir, name) = (shop.join("project"), format!("acme.{word}"));
    let new = |mut command: Command| Ran::of(command.arg(&dir).args(["--name", &name, "--kind", kind]));
    assert!(new(world.command(["--dry-run", "plugin", "new"])).ok().contains("src/lib.rs"));
    assert!(!dir.exists(), "a dry run has written something");
    new(world.command(["plugin", "new"])).ok();
    new(world.command(["plugin", "new"])).fails(73, &["is not empty"]);
    for task in ["test", "build"] {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([task, "--offline", "--quiet", "--target-dir"]).arg(&target).current_dir(&dir);
        Ran::of(&mut cargo).ok();
    }
    let library = target.join(format!("debug/libacme_{word}.so"));
    world.run(["plugin", "check", library.to_str().unwrap()]).ok();
    world.assert_quiet();
}

#[test]
fn a_new_storage_is_sound_at_once() {
    is_sound_at_once("storage", "store");
}

#[test]
fn a_new_isolation_is_sound_at_once() {
    is_sound_at_once("isolation", "cell");
}

#[test]
fn a_new_release_source_is_sound_at_once() {
    is_sound_at_once("release-source", "mirror");
}

#[test]
fn a_directory_without_a_dot_needs_a_name() {
    let world = World::new();
    let dir = world.dir().join("thing");
    let ran = world.run(["plugin", "new", dir.to_str().unwrap()]);
    ran.fails(64, &["\"thing\" is no name for a plug-in", "--name acme.thing"]);
    assert!(!dir.exists());
}
