//! Plug-ins that end the process they run in, or do not come back: by default only a process of theirs ends, and
//! qchroot says whose fault it is. In qchroot's own process they take it along, and the next command finds what any death
//! leaves.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::plugins::{built, built_with};
use crate::program::Ran;
use crate::terminal::Terminal;
use crate::world::{World, until};

/// Ways to end, and what is said of them.
const ENDS: [(&str, &str); 3] = [
    ("abort", "ended by signal SIGABRT: this is the end of it"),
    ("segfault", "ended by signal SIGSEGV"),
    ("exit", "ended with status 3"),
];

/// A system with the release source.
fn with_source() -> World {
    let world = World::installed();
    world.put_plugin("acme.crashing", &built("crashing"));
    world
}

/// A system with the storage, a container `bad` on it, and a container `good`, each with a service.
fn with_storage() -> World {
    let world = World::installed();
    world.put_plugin("acme.crashing", &built_with("crashing", &["storage"]));
    world.create("good", "overlay").ok();
    world.run(["config", "good", "--command", "sleeper=sleep 1000"]).ok();
    world
}

/// `[plugins]` of qchroot.toml.
fn settle(world: &World, plugins: &str) {
    let text = format!("format = 1\n\n[plugins]\n{plugins}\n");
    fs::create_dir_all(world.root.join("etc")).unwrap();
    fs::write(world.root.join("etc/qchroot.toml"), text).unwrap();
}

fn install(world: &World, method: &str, does: &str, more: &[&str]) -> Ran {
    let (method, does) = (format!("in={method}"), format!("does={does}"));
    let words = ["install", "--source", "acme.crashing", "-o", &method, "-o", &does];
    world.run(words.iter().chain(more))
}

fn create(world: &World, name: &str, method: &str, does: &str) -> Ran {
    let (method, does) = (format!("storage.in={method}"), format!("storage.does={does}"));
    world.run(["create", name, "--storage", "acme.crashing", "-o", &method, "-o", &does])
}

/// Gives a container a service.
fn config(world: &World, name: &str) {
    world.run(["config", name, "--command", "sleeper=sleep 1000"]).ok();
}

/// Processes of plug-ins of this system.
fn plugin_processes(world: &World) -> Vec<i32> {
    let plugins = world.root.join("plugins");
    let is_one = |pid: &i32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        words.starts_with("qchroot\0serve-plugin\0") && words.contains(plugins.to_str().unwrap())
    };
    let pids = fs::read_dir("/proc").unwrap().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_one).collect()
}

fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// The number after `word` in what was said.
fn number_after(text: &str, word: &str) -> i32 {
    let (_, rest) = text.split_once(word).unwrap_or_else(|| panic!("no {word:?} in {text}"));
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[test]
fn a_release_source_that_dies_is_named_and_nothing_is_left_of_the_install() {
    let world = with_source();
    let before = world.lasting();
    for method in ["resolve", "fill"] {
        for (does, how) in ENDS {
            let said =
                format!("plug-in acme.crashing failed in `{method}`: the process of acme.crashing {how}");
            install(&world, method, does, &[]).fails(76, &[&said, "tell its author"]);
            before.assert_same(&world.lasting(), &format!("after {does} in {method}"));
        }
    }
    world.assert_sound();
    install(&world, "nowhere", "nothing", &[]).ok();
    until("its process has ended", || plugin_processes(&world).is_empty());
}

#[test]
fn a_storage_that_dies_takes_no_other_container_along() {
    let world = with_storage();
    let before = world.lasting();
    for (does, how) in ENDS {
        create(&world, "bad", "create", does).fails(76, &["failed in `create`", how]);
        before.assert_same(&world.lasting(), &format!("after {does}"));
    }
    for (does, _) in ENDS {
        create(&world, does, "attach", does).ok();
        config(&world, does);
    }
    let started = world.run(["start", "-A"]);
    assert_eq!(started.status, 76, "{started}");
    assert!(started.out.contains("good: Start chroot completed."), "{started}");
    for (does, how) in ENDS {
        assert!(started.err.contains(how), "{started}");
        assert_eq!(world.state(does), "stopped");
    }
    assert_eq!(world.state("good"), "started");
    world.run(["stop", "good"]).ok();
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn silence_is_borne_for_as_long_as_the_settings_say() {
    let world = with_source();
    settle(&world, "patience = 1");
    let before = world.lasting();
    for method in ["resolve", "fill"] {
        let said = "the process of acme.crashing gave no sign of life for 1 s";
        install(&world, method, "hang", &[]).fails(76, &[method, said, "`patience` in [plugins]"]);
        before.assert_same(&world.lasting(), &format!("after silence in {method}"));
    }
    until("the silent ones have ended", || plugin_processes(&world).is_empty());
    world.assert_sound();
    settle(&world, "patience = 0");
    install(&world, "nowhere", "nothing", &[]).fails(78, &["qchroot.toml:4:12", "nonzero"]);
}

#[test]
fn a_user_at_a_terminal_chooses_whether_to_wait_on() {
    let world = with_source();
    settle(&world, "patience = 1");
    let words = ["install", "--source", "acme.crashing", "-o", "in=resolve", "-o", "does=hang"];
    let mut terminal = Terminal::run(&mut world.command(words));
    let question = "acme.crashing gave no sign of life for 1 s in `resolve`; wait on? [Y/n]";
    terminal.expect(question);
    terminal.type_in("\n");
    terminal.expect(question);
    terminal.type_in("n\n");
    terminal.expect("failed in `resolve`");
    assert_eq!(terminal.end(), 76);
}

#[test]
fn what_is_printed_never_reaches_standard_output() {
    let world = with_source();
    let ran = install(&world, "resolve", "print", &["--json"]);
    assert!(ran.err.contains("qchroot: warning: acme.crashing: {\"release\":\"forged\"}\n"), "{ran}");
    assert!(ran.err.contains("acme.crashing: second") && !ran.err.contains('\x1b'), "{ran}");
    let release = ran.json()["release"].as_str().unwrap().to_owned();
    assert!(release.starts_with("crashing-1.0-"), "{release}");
    let ran = install(&world, "fill", "print", &["--json", "--release", "other"]);
    assert!(ran.json()["release"].as_str().unwrap().starts_with("other-"));
    let log = fs::read_to_string(world.root.join("log/install.log")).unwrap();
    assert!(log.contains("acme.crashing: {\"release\":\"forged\"}"), "{log}");
    let ran = install(&world, "resolve", "flood", &["--release", "third"]);
    assert!(ran.err.contains("line 19999 of many"), "{ran}");
    assert!(ran.err.lines().count() < 200, "a flood is cut");
}

#[test]
fn what_a_plugin_leaves_running_ends_with_it() {
    let world = with_source();
    install(&world, "resolve", "thread", &["--release", "thread"]).ok();
    let ran = install(&world, "resolve", "child-abort", &[]);
    let child = number_after(&ran.fails(76, &["SIGABRT"]), "child ");
    until("what the dead one had started has ended", || !is_alive(child));
    until("no process is left", || plugin_processes(&world).is_empty());
    world.assert_sound();
}

#[test]
fn the_process_gets_little_of_its_parents() {
    let world = with_source();
    let mut command = world.command(["install", "--source", "acme.crashing", "-o", "in=resolve"]);
    command.args(["-o", "does=surroundings"]).env("SECRET", "x").env("https_proxy", "http://proxy:1");
    let ran = Ran::of(&mut command);
    let said = |start: &str| -> Vec<String> {
        let lines =
            ran.err.lines().filter_map(|line| line.split_once("acme.crashing: ")?.1.strip_prefix(start));
        lines.map(str::to_owned).collect()
    };
    let mut names: Vec<_> =
        said("env ").iter().map(|line| line.split('=').next().unwrap().to_owned()).collect();
    names.sort();
    let passed: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| !name.ends_with("_proxy")).collect();
    assert_eq!(passed, ["LC_ALL", "PATH"], "{ran}");
    assert!(names.contains(&"https_proxy".into()), "{ran}");
    let files = said("fd ");
    assert!(files.iter().any(|file| file == "0 /dev/null"), "{files:?}");
    let kinds = |kind: &str| files.iter().filter(|file| file.contains(kind)).count();
    assert_eq!(
        (kinds(" pipe:"), kinds(" socket:"), kinds(" /proc/"), files.len()),
        (2, 1, 1, 5),
        "{files:?}"
    );
    assert_eq!(said("Max core file size")[0].split_whitespace().next(), Some("0"));
}

#[test]
fn a_plugins_process_ends_with_qchroot() {
    let world = with_source();
    let words = ["install", "--source", "acme.crashing", "-o", "in=fill", "-o", "does=hang"];
    let mut install = world.command(words).spawn().unwrap();
    until("the plug-in is at work", || world.root.join("lib/.staging-install/tree/bin").exists());
    assert_eq!(plugin_processes(&world).len(), 1);
    kill(Pid::from_raw(install.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
    install.wait().unwrap();
    until("its process has ended", || plugin_processes(&world).is_empty());
    world.run(["doctor", "--repair"]);
    world.assert_sound();
}

/// Runs in qchroot's own process what takes it along, and has the next commands find what that leaves.
fn dies_with_us(world: &World, run: impl Fn() -> Ran, what: &str) {
    let before = world.lasting();
    let ran = run();
    assert!(matches!(ran.status, 134 | 139), "{what}: {ran}");
    world.run(["doctor", "--repair"]);
    world.assert_sound();
    before.assert_same(&world.lasting(), what);
}

#[test]
fn in_qchroots_own_process_a_source_takes_it_along_and_the_repair_makes_it_as_if_never_begun() {
    let world = with_source();
    settle(&world, "in_process = [\"acme.crashing\"]");
    for method in ["resolve", "fill"] {
        for does in ["abort", "segfault"] {
            dies_with_us(&world, || install(&world, method, does, &[]), &format!("{does} in {method}"));
        }
    }
    install(&world, "nowhere", "nothing", &[]).ok();
}

#[test]
fn in_qchroots_own_process_a_storage_takes_it_along_and_the_repair_makes_it_as_if_never_begun() {
    let world = with_storage();
    settle(&world, "in_process = [\"acme.crashing\"]");
    for does in ["abort", "segfault"] {
        dies_with_us(&world, || create(&world, "bad", "create", does), &format!("{does} in create"));
        create(&world, does, "attach", does).ok();
        config(&world, does);
        dies_with_us(&world, || world.run(["start", does]), &format!("{does} in attach"));
        assert_eq!(world.state(does), "stopped");
    }
    world.run(["start", "good"]).ok();
    world.run(["stop", "good"]).ok();
    world.assert_quiet();
}
