//! Services: their logs, their supervisors, and an end for every kind of them.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::world::{HostProcess, World, until};

fn log(world: &World, service: &str) -> String {
    fs::read_to_string(world.root.join(format!("log/web/{service}.log"))).unwrap_or_default()
}

/// A started container with one service that runs a shell script.
fn running(script: &str) -> World {
    running_in("chroot", script)
}

fn running_in(isolation: &str, script: &str) -> World {
    let world = World::with_web_in("overlay", isolation);
    world.run(["config", "web", "--command", &format!("job=sh -c {}", quoted(script))]).ok();
    world.run(["start", "web"]).ok();
    world
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The process inside whose command line contains `text`.
fn find(world: &World, text: &str) -> Option<i32> {
    let members = world.run(["ps", "web", "--json"]).json();
    let member =
        members.as_array().unwrap().iter().find(|m| m["command"].as_str().unwrap().contains(text))?.clone();
    i32::try_from(member["pid"].as_i64()?).ok()
}

#[test]
fn what_a_service_prints_is_logged_with_the_time_in_front() {
    let world = running("echo to-stdout; echo to-stderr >&2; printf 'a\\033[31mb\\n'; exec sleep 1000");
    until("the lines are logged", || log(&world, "job").lines().count() >= 3);
    let text = log(&world, "job");
    for (line, end) in text.lines().zip(["to-stdout", "to-stderr", "a\\u{1b}[31mb"]) {
        let (time, words) = line.split_once(' ').unwrap();
        assert_eq!(words, end, "{text}");
        let form: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(form, "0000-00-00T00:00:00.000Z", "{text}");
    }
    world.run(["stop", "web"]).ok();
    assert!(log(&world, "job").contains("qchroot: stopped"), "{}", log(&world, "job"));
}

#[test]
fn a_service_that_is_killed_comes_back_and_one_that_ends_well_does_not() {
    let world = running("exec sleep 7777");
    world.run(["config", "web", "--command", "short=true"]).ok();
    let first = find(&world, "sleep 7777").unwrap();
    assert!(!world.inside().contains(&1) && world.inside().contains(&first));
    kill(Pid::from_raw(first), Signal::SIGKILL).unwrap();
    until("it is started again", || find(&world, "sleep 7777").is_some_and(|pid| pid != first));
    let text = log(&world, "job");
    assert!(text.contains("was ended by SIGKILL") && text.contains("starting it again in 1 s"), "{text}");
    assert_eq!(world.report("web")["services"][0]["state"], "running");
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
}

#[test]
fn a_service_that_ends_by_itself_is_shown_as_ended() {
    let world = running("sleep 1");
    until("it has ended", || world.report("web")["services"][0]["state"] == "ended");
    assert_eq!(world.state("web"), "started");
    assert!(log(&world, "job").contains("qchroot: ended with status 0"));
}

#[test]
fn a_start_that_fails_says_why_and_leaves_nothing() {
    let world = World::with_sleeper("nullfs");
    world.run(["config", "web", "broken"]).ok();
    let err =
        world.run(["start", "web"]).fails(71, &["service broken of web ended with status 3", "out of luck"]);
    assert!(err.contains("hint: see ") && err.contains("log/web/broken.log"), "{err}");
    world.assert_quiet();
    assert_eq!(world.state("web"), "stopped");
    world.assert_sound();
}

#[test]
fn a_script_service_starts_and_stops_by_its_script() {
    let world = World::with_web("overlay");
    let port = crate::world::free_port();
    world.sh(&format!("echo {port} > /etc/port")).ok();
    world.run(["config", "web", "httpd"]).ok();
    world.run(["start", "web"]).ok();
    until("httpd answers", || crate::world::page(port).is_some());
    assert_eq!(world.report("web")["services"][0]["state"], "running");
    world.run(["stop", "web"]).ok();
    assert_eq!(crate::world::page(port), None);
    assert!(log(&world, "httpd").contains(" stopping\n"), "{}", log(&world, "httpd"));
    world.assert_quiet();
}

#[test]
fn services_start_in_their_order_and_stop_in_reverse() {
    let world = World::with_web("overlay");
    for name in ["one", "two", "three"] {
        let script = format!(
            "echo start {name} >> /tmp/order; trap 'echo stop {name} >> /tmp/order; exit' TERM; \
                              while :; do sleep 1000 & wait; done"
        );
        world.run(["config", "web", "--command", &format!("{name}=sh -c {}", quoted(&script))]).ok();
    }
    world.run(["start", "web"]).ok();
    world.run(["stop", "web", "--timeout", "5"]).ok();
    let order = fs::read_to_string(world.lib("web/upper/tmp/order")).unwrap();
    assert_eq!(order, "start one\nstart two\nstart three\nstop three\nstop two\nstop one\n");
}

/// Stops within the deadline and a margin, whatever the service does, with nothing left.
fn stops_in_time(script: &str, ready: impl Fn(&World) -> bool) {
    for isolation in ["chroot", "namespaces"] {
        let world = running_in(isolation, script);
        let mut host = HostProcess::sleeping();
        until("the service is at it", || ready(&world));
        let begun = Instant::now();
        assert_eq!(world.run(["stop", "web", "--timeout", "3"]).ok(), "web: Chroot is stopped.\n");
        assert!(begun.elapsed() < Duration::from_secs(10), "{isolation}: {script}: {:?}", begun.elapsed());
        assert_eq!(world.inside(), Vec::<i32>::new(), "{isolation}: {script}");
        assert!(host.is_alive(), "{isolation}: {script}");
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn one_that_ignores_sigterm() {
    stops_in_time("trap '' TERM HUP INT; while :; do sleep 1000; done", |world| world.inside().len() > 2);
}

#[test]
fn one_that_forks_twice_and_leaves_its_session() {
    stops_in_time(
        "(setsid sh -c 'trap \"\" TERM; (setsid sleep 3333 &) ; exec sleep 3334' &); exec sleep 3335",
        |world| find(world, "sleep 3333").is_some() && find(world, "sleep 3334").is_some(),
    );
}

#[test]
fn one_that_forks_without_end() {
    // Each process makes the next and ends; bounded in width, not in length.
    let chain = "f() { for n in 1 2 3 4; do (while :; do setsid sleep 0.01 & done) & done; }; trap '' TERM; ulimit -u 400; f; wait";
    stops_in_time(chain, |world| world.inside().len() > 8);
}

#[test]
fn one_that_stops_itself() {
    stops_in_time("trap '' TERM; kill -STOP $$; sleep 1000", |world| {
        find(world, "kill -STOP").is_some_and(|pid| {
            fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") T "))
        })
    });
}

#[test]
fn a_supervisor_that_is_killed_takes_its_service_along() {
    let world = running("exec sleep 7778");
    let is_supervisor = |pid: &i32| {
        fs::read_to_string(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.contains("supervise\0web\0job"))
            && !world.inside().contains(pid)
    };
    let supervisors: Vec<i32> = world.processes().into_iter().filter(is_supervisor).collect();
    assert_eq!(supervisors.len(), 1, "it outlives the command that started it");
    kill(Pid::from_raw(supervisors[0]), Signal::SIGKILL).unwrap();
    until("the service has gone too", || find(&world, "sleep 7778").is_none());
    until("list knows", || world.report("web")["services"][0]["state"] == "ended");
    assert_eq!(world.run(["stop", "web"]).ok(), "web: Chroot is stopped.\n");
    world.assert_quiet();
}

#[test]
fn a_container_whose_init_is_killed_is_partial_and_can_be_stopped() {
    let world = running("exec sleep 7779");
    let init = find(&world, "qchroot-init").unwrap();
    kill(Pid::from_raw(init), Signal::SIGKILL).unwrap();
    until("list knows", || world.state("web") == "partial");
    let problems = world.report("web")["problems"].to_string();
    assert!(problems.contains("its init is gone"), "{problems}");
    world.run(["start", "web"]).fails(75, &["neither started nor stopped", "hint: `qchroot stop web`"]);
    assert_eq!(world.run(["stop", "web"]).ok(), "web: Chroot is stopped.\n");
    world.assert_quiet();
    assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
}
