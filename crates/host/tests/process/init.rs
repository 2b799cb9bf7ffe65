//! Nothing inside outlives `stop`, and nothing outside is touched.

use std::fs;
use std::os::unix::process::CommandExt;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qchroot_engine::{Host, Probe};
use qchroot_host::Machine;

use crate::support::{Box, Test, caller, program, run, soon, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("init::starts_and_stops", starts_and_stops),
        ("init::what_ignores_term_is_killed", what_ignores_term_is_killed),
        ("init::what_forks_without_end_is_killed", what_forks_without_end_is_killed),
        ("init::what_obeys_is_not_waited_for", what_obeys_is_not_waited_for),
        ("init::processes_without_an_init", processes_without_an_init),
        ("init::a_dead_init", a_dead_init),
        ("init::names_outside_are_not_seen", names_outside_are_not_seen),
        ("init::proc_is_the_containers_own", proc_is_the_containers_own),
        ("init::a_root_that_is_not_there", a_root_that_is_not_there),
    ]
}

/// Ignores TERM, in the background, as an orphan and in a session of its own.
const STUBBORN: &str = "trap '' TERM; sleep 1000 & (setsid sh -c 'while :; do sleep 1; done' &) ; true";

/// Always three processes, never the same ones.
const RESTLESS: &str = "trap '' TERM; f() { f & }; f & f & f & exit 0";

fn probe(web: &Box) -> Probe {
    Machine::new().probe(&web.start_init()).unwrap()
}

fn is_mounted(web: &Box) -> bool {
    fs::read_to_string("/proc/self/mountinfo").unwrap().contains(web.root.join("proc").as_str())
}

/// Runs a script that leaves processes behind.
fn leave_behind(web: &Box, script: &str) {
    let silent = format!("exec >/dev/null 2>&1; {script}");
    assert!(caller(&web.sh(&silent)).status().unwrap().success());
    until("something is left behind", || web.processes().len() > 1);
}

fn starts_and_stops() {
    let web = Box::new("startstop");
    assert_eq!(probe(&web), Probe::Absent);
    Machine::new().apply(&web.start_init(), soon(5)).unwrap();
    assert_eq!(probe(&web), Probe::Present);
    let [init] = web.processes().try_into().unwrap();
    assert_eq!(init.command, "qchroot-init startstop");
    assert!(is_mounted(&web));
    let is_null = |fd: std::io::Result<fs::DirEntry>| {
        fs::read_link(fd.unwrap().path()).is_ok_and(|file| file.to_str() == Some("/dev/null"))
    };
    // The pipe through which it said that it is ready may be closed a moment later.
    until("it holds nothing of the host's", || {
        fs::read_dir(format!("/proc/{}/fd", init.pid)).unwrap().all(is_null)
    });
    web.stop(5);
    assert_eq!(probe(&web), Probe::Absent);
    assert_eq!(web.processes(), []);
    assert!(!is_mounted(&web));
}

fn what_ignores_term_is_killed() {
    let web = Box::started("stubborn");
    leave_behind(&web, STUBBORN);
    leave_behind(&web, "sleep 1000 & kill -STOP $!");
    let took = web.stop(1);
    assert_eq!(web.processes(), []);
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(5), "{took:?}");
}

fn what_forks_without_end_is_killed() {
    let web = Box::started("restless");
    leave_behind(&web, RESTLESS);
    let took = web.stop(1);
    assert_eq!(web.processes(), []);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

fn what_obeys_is_not_waited_for() {
    let web = Box::started("obedient");
    leave_behind(&web, "(setsid sleep 1000 &); sleep 1000 & kill -STOP $!");
    let took = web.stop(60);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

fn processes_without_an_init() {
    let web = Box::new("noinit");
    let other = Box::started("noinitother");
    leave_behind(&other, STUBBORN);
    let sleeper = |web: &Box| web.processes().into_iter().find(|p| p.command == "sleep 1000");
    until("the other one sleeps", || sleeper(&other).is_some());
    let before = sleeper(&other);
    leave_behind(&web, STUBBORN);
    leave_behind(&web, RESTLESS);
    web.stop(1);
    assert_eq!(web.processes(), []);
    assert_eq!(sleeper(&other), before);
}

fn a_dead_init() {
    let web = Box::started("deadinit");
    leave_behind(&web, STUBBORN);
    let init = web.processes().into_iter().find(|p| p.command.starts_with("qchroot-init")).unwrap();
    kill(Pid::from_raw(init.pid), Signal::SIGKILL).unwrap();
    until("the kernel ends the namespace", || web.processes().is_empty());
    assert_ne!(probe(&web), Probe::Present);
    assert!(is_mounted(&web));
    web.stop(5);
    assert!(!is_mounted(&web));
}

fn names_outside_are_not_seen() {
    let (web, db) = (Box::started("names1"), Box::started("names2"));
    let mut outside = program(web.root.join("bin/sleep")).arg0("sleep").arg("1000").spawn().unwrap();
    leave_behind(&web, "sleep 1000 &");
    leave_behind(&db, "sleep 1000 &");
    assert_eq!(run(&web.entry(&["killall", "sleep"])), (0, String::new()));
    until("the one inside ends", || web.processes().len() == 1);
    assert_eq!(db.processes().len(), 2);
    assert!(outside.try_wait().unwrap().is_none(), "the host's own must live");
    outside.kill().unwrap();
    outside.wait().unwrap();
}

fn proc_is_the_containers_own() {
    let web = Box::started("ownproc");
    let (_, text) = run(&web.sh("cat /proc/1/comm; ls -d /proc/[0-9]*"));
    assert!(text.starts_with("qchroot-init\n/proc/1\n/proc/"), "{text}");
    assert!(text.lines().count() <= 4, "{text}");
}

fn a_root_that_is_not_there() {
    let web = Box::new("noroot");
    fs::rename(&web.root, web.dir.path().join("elsewhere")).unwrap();
    let error = Machine::new().apply(&web.start_init(), soon(5)).unwrap_err();
    assert!(error.to_string().contains(web.root.as_str()), "{error}");
    assert_eq!(error.kind(), qchroot_api::ErrorKind::NotFound);
    fs::rename(web.dir.path().join("elsewhere"), &web.root).unwrap();
}
