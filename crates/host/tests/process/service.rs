//! Services start, are watched over, and stop with all they have made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qchroot_api::{Observe, Service, ServiceRun, ServiceStep, Step, Way};
use qchroot_engine::{Host, Probe};
use qchroot_host::Machine;

use crate::support::{Box, Test, soon, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("service::command_runs_and_stops", command_runs_and_stops),
        ("service::command_that_ends_at_once", command_that_ends_at_once),
        ("service::command_that_is_missing", command_that_is_missing),
        ("service::command_that_dies_is_started_again", command_that_dies_is_started_again),
        ("service::command_that_ignores_term", command_that_ignores_term),
        ("service::script_with_a_daemon", script_with_a_daemon),
        ("service::script_that_fails", script_that_fails),
        ("service::script_that_hangs", script_that_hangs),
        ("service::supervisor_killed", supervisor_killed),
        ("service::reaper_killed", reaper_killed),
        ("service::started_twice", started_twice),
        ("service::ends_with_its_container", ends_with_its_container),
    ]
}

pub(crate) fn step(web: &Box, run: ServiceRun) -> ServiceStep {
    let below = |name: &str| web.root.with_file_name(name);
    ServiceStep {
        container: web.name.clone(),
        root: web.root.clone(),
        way: Way::chroot(&web.root),
        service: Service::new("http", run),
        lock: below("http.lock"),
        log: below("http.log"),
        status: below("http.status"),
    }
}

pub(crate) fn command(web: &Box, script: &str) -> ServiceStep {
    step(web, ServiceRun::Command { argv: ["sh", "-c", script].map(str::to_owned).into() })
}

pub(crate) fn script(web: &Box, text: &str) -> ServiceStep {
    let at = web.root.join("etc/http");
    fs::write(&at, format!("#!/bin/sh\n{text}")).unwrap();
    fs::set_permissions(&at, PermissionsExt::from_mode(0o755)).unwrap();
    step(web, ServiceRun::Script { path: "/etc/http".into(), start: "start".into(), stop: "stop".into() })
}

pub(crate) fn start(step: &ServiceStep) -> qchroot_api::Result<()> {
    Machine::new().apply(&Step::StartService(step.clone()), soon(5))
}

pub(crate) fn stop(step: &ServiceStep, seconds: u64) -> Duration {
    let begun = Instant::now();
    Machine::new().apply(&Step::StopService(step.clone()), soon(seconds)).unwrap();
    assert_eq!(probe(step), Probe::Absent);
    begun.elapsed()
}

pub(crate) fn probe(step: &ServiceStep) -> Probe {
    Machine::new().probe(&Step::StartService(step.clone())).unwrap()
}

pub(crate) fn holder(step: &ServiceStep) -> Option<i32> {
    (&Machine::new() as &dyn Observe).holder(&step.lock).unwrap()
}

/// The log without its times.
pub(crate) fn log(step: &ServiceStep) -> Vec<String> {
    let text = fs::read_to_string(&step.log).unwrap();
    text.lines().map(|line| line.split_once("Z ").unwrap().1.to_owned()).collect()
}

fn command_runs_and_stops() {
    let web = Box::started("svc1");
    let http = command(&web, "echo \"hello $HOME $LANG [$TERM]\"; echo oops >&2; sleep 1000 & wait");
    assert_eq!((probe(&http), holder(&http)), (Probe::Absent, None));
    start(&http).unwrap();
    assert_eq!(probe(&http), Probe::Present);
    let supervisor = holder(&http).unwrap();
    let line = fs::read_to_string(format!("/proc/{supervisor}/cmdline")).unwrap();
    assert_eq!(line, "qchroot\0supervise\0svc1\0http\0");
    until("it is logged", || log(&http) == ["hello /root C.UTF-8 []", "oops"]);
    stop(&http, 10);
    assert_eq!(web.processes().len(), 1, "only the init is left");
    assert_eq!(log(&http).last().unwrap(), "qchroot: stopped");
}

fn command_that_ends_at_once() {
    let web = Box::started("svc2");
    let http = command(&web, "echo cannot bind; exit 3");
    let error = start(&http).unwrap_err();
    assert_eq!(error.to_string(), "service http of svc2 ended with status 3: cannot bind");
    until("its supervisor ends", || holder(&http).is_none());
}

fn command_that_is_missing() {
    let web = Box::started("svc3");
    let http = step(&web, ServiceRun::Command { argv: vec!["nosuch".into()] });
    let error = start(&http).unwrap_err();
    assert!(error.to_string().contains("no program nosuch inside"), "{error}");
}

fn command_that_dies_is_started_again() {
    let web = Box::started("svc4");
    let http = command(&web, "echo run; (sleep 1000 &); sleep 0.5; exit 9");
    start(&http).unwrap();
    until("it runs again", || log(&http).iter().filter(|line| *line == "run").count() == 2);
    assert_eq!(log(&http)[1..3], ["qchroot: ended with status 9", "qchroot: starting it again in 1 s"]);
    stop(&http, 10);
    assert_eq!(web.processes().len(), 1, "what an earlier run left is gone too");
}

fn command_that_ignores_term() {
    let web = Box::started("svc5");
    let (http, other) =
        (command(&web, "trap '' TERM; (setsid sleep 1000 &); while :; do sleep 1; done"), &web);
    start(&http).unwrap();
    until("all of it runs", || other.processes().len() >= 5);
    let took = stop(&http, 1);
    assert_eq!(web.processes().len(), 1);
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(4), "{took:?}");
}

pub(crate) const DAEMON: &str = r#"
case $1 in
start) echo starting; setsid sh -c 'echo $$ > /tmp/pid; while :; do sleep 0.2; done' & 
       while ! [ -s /tmp/pid ]; do :; done ;;
stop)  echo stopping; kill $(cat /tmp/pid) ;;
esac"#;

fn script_with_a_daemon() {
    let web = Box::started("svc6");
    let http = script(&web, DAEMON);
    start(&http).unwrap();
    assert_eq!(probe(&http), Probe::Present);
    stop(&http, 10);
    assert_eq!(web.processes().len(), 1);
    assert_eq!(log(&http), ["starting", "stopping", "qchroot: stopped"]);
}

fn script_that_fails() {
    let web = Box::started("svc7");
    let http = script(&web, "(setsid sleep 1000 &); echo no config; exit 1");
    let error = start(&http).unwrap_err();
    assert_eq!(error.to_string(), "service http of svc7 ended with status 1: no config");
    assert_eq!(web.processes().len(), 1);
}

fn script_that_hangs() {
    let web = Box::started("svc8");
    let http =
        script(&web, "[ $1 = start ] && { (trap '' TERM; setsid sleep 1000 &) ; exit 0; }; sleep 1000");
    start(&http).unwrap();
    let took = stop(&http, 2);
    assert_eq!(web.processes().len(), 1);
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(6), "{took:?}");
    assert!(log(&http).iter().any(|line| line == "qchroot: /etc/http stop takes too long and is ended"));
}

fn supervisor_killed() {
    let web = Box::started("svc9");
    let http = command(&web, "(setsid sleep 1000 &); sleep 1000");
    start(&http).unwrap();
    kill(Pid::from_raw(holder(&http).unwrap()), Signal::SIGKILL).unwrap();
    until("its processes end with it", || web.processes().len() == 1);
    assert_eq!(probe(&http), Probe::Absent);
}

fn reaper_killed() {
    let web = Box::started("svc12");
    let http = command(&web, "exec sleep 1000");
    start(&http).unwrap();
    let sleepers = || -> Vec<i32> {
        let of = |p: &qchroot_api::Process| p.command == "sleep 1000";
        web.processes().iter().filter(|p| of(p)).map(|p| p.pid).collect()
    };
    let first = sleepers();
    let of_first = |p: &qchroot_api::Process| p.pid == first[0];
    let reaper = web.processes().into_iter().find(of_first).unwrap().ppid;
    kill(Pid::from_raw(reaper), Signal::SIGKILL).unwrap();
    until("another one is started in its place", || sleepers().len() == 1 && sleepers() != first);
    stop(&http, 10);
}

fn started_twice() {
    let web = Box::started("svc10");
    let http = command(&web, "sleep 1000");
    start(&http).unwrap();
    let error = start(&http).unwrap_err();
    assert_eq!(error.kind(), qchroot_api::ErrorKind::Busy);
    assert_eq!(probe(&http), Probe::Present);
    stop(&http, 10);
}

fn ends_with_its_container() {
    let web = Box::started("svc11");
    let http = command(&web, "sleep 1000");
    start(&http).unwrap();
    web.stop(0);
    until("its supervisor gives up", || probe(&http) == Probe::Absent);
    assert_eq!(
        log(&http),
        ["qchroot: its processes were ended from outside", "qchroot: the container has stopped"]
    );
    assert_eq!(web.processes(), []);
}
