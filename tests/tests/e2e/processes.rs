//! `ps`, `kill`, `top` and `status`: what the kernel shows of containers, and signals to their processes only.

use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::terminal::Terminal;
use crate::world::{HostProcess, RunWith, World, until};

fn processes(world: &World) -> Vec<Value> {
    world.run(["ps", "web", "--json"]).json().as_array().unwrap().clone()
}

/// The number of the process of `web` with this command line.
fn pid_of(world: &World, command: &str) -> i32 {
    let found = processes(world).into_iter().find(|process| process["command"] == command);
    let found = found.unwrap_or_else(|| panic!("no {command} among {:?}", processes(world)));
    found["pid"].as_i64().unwrap().try_into().unwrap()
}

fn service(world: &World, name: &str) -> Value {
    let report = world.run(["status", "web", "--json"]).json()[0].take();
    let services = report["services"].as_array().unwrap().clone();
    services.into_iter().find(|service| service["name"] == name).unwrap()
}

#[test]
fn ps_tells_what_each_process_uses() {
    let world = World::with_sleeper("overlay");
    world.run(["config", "web", "--command", "busy=sh -c 'while :; do :; done'"]).ok();
    world.run(["start", "web"]).ok();
    let busy =
        || processes(&world).into_iter().find(|it| it["command"] == "sh -c while :; do :; done").unwrap();
    until("time is counted", || busy()["cpu_millis"].as_u64().unwrap() > 200);
    let it = busy();
    assert!(it["cpu_percent"].as_f64().unwrap() > 1.0 && it["memory_bytes"].as_u64().unwrap() > 4096, "{it}");
    assert_eq!((&it["user"], &it["container"]), (&"root".into(), &"web".into()));
    let table = world.run(["ps", "web"]).ok();
    assert!(table.starts_with("CONTAINER"), "{table}");
    for column in ["PID", "USER", "%CPU", "MEMORY", "STARTED", "COMMAND"] {
        assert!(table.lines().next().unwrap().contains(column), "{table}");
    }
    assert!(table.contains("sleep 1000"), "{table}");
    world.run(["stop", "web"]).ok();
}

#[test]
fn escapes_in_command_lines_are_shown() {
    let world = World::with_web("overlay");
    world.run(["config", "web", "--command", "odd=sh -c 'sleep 1000; true' \u{1b}[31mred"]).ok();
    world.run(["start", "web"]).ok();
    for args in [vec!["ps", "web"], vec!["top", "web", "-d", "0.1"]] {
        let shown = world.run(&args).ok();
        assert!(shown.contains("\\u{1b}[31mred") && !shown.contains('\u{1b}'), "{args:?}: {shown}");
    }
    world.run(["stop", "web"]).ok();
}

#[test]
fn a_signal_reaches_the_processes_of_its_container_only() {
    let world = World::with_sleeper("overlay");
    world.create("other", "overlay").ok();
    world.run(["config", "other", "--command", "sleeper=sleep 1000"]).ok();
    world.run(["start", "web", "other"]).ok();
    let mut stranger = HostProcess::sleeping();
    let before = world.run(["ps", "other", "--json"]).json();
    let old = pid_of(&world, "sleep 1000");
    world.run(["kill", "web", "-s", "KILL"]).ok();
    until("it is started again", || {
        processes(&world).iter().any(|it| it["command"] == "sleep 1000" && it["pid"] != old)
    });
    let now = world.run(["ps", "other", "--json"]).json();
    assert_eq!(now[0]["pid"], before[0]["pid"]);
    assert_eq!(now.as_array().unwrap().len(), before.as_array().unwrap().len());
    assert!(stranger.is_alive());
    assert_eq!(world.state("web"), "started", "its init lives");
    world.run(["stop", "-A"]).ok();
}

#[test]
fn a_process_is_signalled_by_its_number() {
    let world = World::with_web("overlay");
    let trap = "trapper=sh -c 'trap \"echo caught\" USR1; while :; do sleep 0.1; done'";
    world.run(["config", "web", "--command", trap, "--command", "sleeper=sleep 1000"]).ok();
    world.run(["start", "web"]).ok();
    let pid = pid_of(&world, "sh -c trap \"echo caught\" USR1; while :; do sleep 0.1; done").to_string();
    let sleeper = pid_of(&world, "sleep 1000");
    for signal in ["USR1", "SIGUSR1", "usr1", "10"] {
        world.run(["kill", "web", "-s", signal, &pid]).ok();
    }
    let log = world.root.join("log/web/trapper.log");
    until("it was caught", || std::fs::read_to_string(&log).is_ok_and(|text| text.contains("caught")));
    assert_eq!(pid_of(&world, "sleep 1000"), sleeper, "nobody else was meant");
    world.run(["stop", "web"]).ok();
}

#[test]
fn what_is_not_of_the_container_is_refused() {
    let world = World::with_sleeper("overlay");
    world.run(["kill", "web"]).fails(66, &["web has no process"]);
    world.run(["start", "web"]).ok();
    let mut stranger = HostProcess::sleeping();
    let (inside, outside) = (pid_of(&world, "sleep 1000").to_string(), stranger.pid().to_string());
    let both = ["kill", "web", "-s", "KILL", &inside, &outside];
    world.run(both).fails(66, &[&format!("process {outside} is not in web"), "qchroot ps web"]);
    assert!(stranger.is_alive());
    assert_eq!(pid_of(&world, "sleep 1000").to_string(), inside, "nothing was sent at all");
    world.run(["kill", "web", "-s", "NOSUCH"]).fails(64, &["NOSUCH"]);
    let plan = world.run(["--dry-run", "kill", "web", "-s", "HUP", &inside]).ok();
    assert_eq!(plan, format!("send HUP to {inside} of web\n"));
    assert_eq!(pid_of(&world, "sleep 1000").to_string(), inside);
    world.run(["stop", "web"]).ok();
}

#[test]
fn top_sums_up_containers_and_puts_the_busy_first() {
    let world = World::with_sleeper("overlay");
    world.run(["config", "web", "--command", "busy=sh -c 'while :; do :; done'"]).ok();
    world.create("idle", "overlay").ok();
    world.run(["config", "idle", "--command", "sleeper=sleep 1000"]).ok();
    world.run(["start", "-A"]).ok();
    for command in ["top", "stats"] {
        let look = world.run([command, "--json", "-d", "0.5"]).json();
        let containers = look["containers"].as_array().unwrap();
        assert_eq!(containers[0]["container"], "web", "{look}");
        assert_eq!(containers.len(), 2, "{look}");
        assert!(containers[0]["cpu_percent"].as_f64().unwrap() > 5.0, "{look}");
        assert_eq!(look["processes"][0]["command"], "sh -c while :; do :; done", "{look}");
    }
    let shown = world.run(["top", "web", "-d", "0.2"]).ok();
    assert!(shown.starts_with("CONTAINER  PROCS"), "{shown}");
    assert!(shown.contains("sh -c while") && !shown.contains("idle"), "{shown}");
    let by_memory = world.run(["top", "--sort", "memory", "--json", "-d", "0.1"]).json();
    let sizes: Vec<_> =
        by_memory["processes"].as_array().unwrap().iter().map(|it| it["memory_bytes"].as_u64()).collect();
    assert!(sizes.is_sorted_by(|one, other| one >= other), "{sizes:?}");
    world.run(["top", "-d", "0"]).fails(64, &["no number of seconds"]);
    world.run(["stop", "-A"]).ok();
}

#[test]
fn top_gives_the_terminal_back_as_it_was() {
    let world = World::with_sleeper("overlay");
    world.run(["start", "web"]).ok();
    let mut command = Command::new("sh");
    command.current_dir(world.dir()).arg("-c");
    command.arg("stty -a > before; \"$0\" --root \"$1\" top web -d 0.2; echo ended with $?; stty -a > after");
    let mut terminal = Terminal::run(command.arg(crate::program::path()).arg(&world.root));
    terminal.expect("\u{1b}[?1049h");
    terminal.expect("sleep 1000");
    terminal.type_in("q");
    terminal.expect("\u{1b}[?1049l");
    terminal.expect("ended with 0");
    assert_eq!(terminal.end(), 0);
    let settings = |file: &str| std::fs::read_to_string(world.dir().join(file)).unwrap();
    assert_eq!(settings("before"), settings("after"));
    world.run(["stop", "web"]).ok();
}

#[test]
fn status_tells_of_each_service_what_it_does_and_since_when() {
    let world = World::with_sleeper("overlay");
    world.run(["config", "web", "--limit", "memory=64M", "--limit", "processes=50"]).ok();
    world.run(["start", "web"]).ok();
    let pid = pid_of(&world, "sleep 1000");
    let before = service(&world, "sleeper");
    assert_eq!((&before["state"], &before["standing"]), (&"running".into(), &"running".into()), "{before}");
    assert_eq!(before["pids"], Value::from(vec![pid]), "{before}");
    assert!(before["since"].as_u64().unwrap() > 1_700_000_000, "{before}");
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    until("it is started again", || service(&world, "sleeper")["restarts"] == 1);
    until("it runs", || service(&world, "sleeper")["standing"] == "running");
    assert_eq!(service(&world, "sleeper")["last_exit"], 137);
    let text = world.run(["status", "web"]).ok();
    for part in ["service sleeper: running since ", "pids ", "started again once", "last exit 137"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(text.contains("limits: memory ") && text.contains(" of 64 MiB, processes "), "{text}");
    let report = world.run(["status", "web", "--json"]).json()[0].take();
    assert_eq!(report["limits"]["memory_bytes"], 64 << 20);
    assert!(report["usage"]["processes"].as_u64().unwrap() >= 1, "{report}");
    world.run(["stop", "web"]).ok();
    assert!(world.run(["status", "web"]).ok().contains("service sleeper: stopped"));
}

#[test]
fn status_names_what_is_missing() {
    let world = World::with_sleeper("overlay");
    world.run(["start", "web"]).ok();
    let proc = world.lib("web/root/proc");
    Command::new("umount").ran(&["-l", proc.to_str().unwrap()]).ok();
    let text = world.run(["status", "web"]).ok();
    assert!(text.contains("problem: proc is not mounted"), "{text}");
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
}
