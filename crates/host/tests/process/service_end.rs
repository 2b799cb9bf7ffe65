//! What follows when a service ends, is not well, or is told to stop.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qchroot_api::{Health, Ready, Restart, ServiceStep, Standing};

use crate::service::{DAEMON, command, holder, log, script, start, stop};
use crate::service_ready::status;
use crate::support::{Box, Test, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("end::always", always),
        ("end::never", never),
        ("end::well", well),
        ("end::pauses_grow", pauses_grow),
        ("end::script_always", script_always),
        ("end::unwell", unwell),
        ("end::unwell_script", unwell_script),
        ("end::unwell_and_left_alone", unwell_and_left_alone),
        ("end::health_that_hangs", health_that_hangs),
        ("end::stop_signal", stop_signal),
        ("end::stop_during_a_pause", stop_during_a_pause),
        ("end::stop_before_it_is_ready", stop_before_it_is_ready),
    ]
}

fn count(step: &ServiceStep, line: &str) -> usize {
    log(step).iter().filter(|known| *known == line).count()
}

fn health(script: &str, retries: u32) -> Option<Health> {
    let command = ["sh", "-c", script].map(str::to_owned).into();
    Some(Health { command, interval: 1, timeout: 1, retries })
}

fn always() {
    let web = Box::started("end1");
    let mut http = command(&web, "echo run; sleep 0.5");
    http.service.restart = Restart::Always;
    start(&http).unwrap();
    until("it runs again", || count(&http, "run") == 2);
    assert_eq!(log(&http)[1], "qchroot: ended with status 0");
    until("its status says so", || status(&http).restarts == 1);
    assert_eq!(status(&http).last_exit, Some(0));
    stop(&http, 10);
}

fn never() {
    let web = Box::started("end2");
    let mut http = command(&web, "sleep 0.5; exit 7");
    http.service.restart = Restart::Never;
    start(&http).unwrap();
    until("its supervisor ends", || holder(&http).is_none());
    let status = status(&http);
    assert_eq!((status.standing, status.last_exit, status.reaper), (Standing::Failed, Some(7), None));
    assert_eq!(web.processes().len(), 1);
}

fn well() {
    let web = Box::started("end3");
    let http = command(&web, "sleep 0.5");
    start(&http).unwrap();
    let reaper = status(&http).reaper.unwrap();
    assert!(web.processes().iter().any(|process| process.ppid == reaper), "it is the parent of the command");
    until("its supervisor ends", || holder(&http).is_none());
    assert_eq!(status(&http).standing, Standing::Ended);
}

fn pauses_grow() {
    let web = Box::started("end4");
    let http = command(&web, "[ -e /tmp/bad ] && exit 5; touch /tmp/bad; sleep 0.5; exit 5");
    start(&http).unwrap();
    until("it has failed three times", || count(&http, "qchroot: starting it again in 4 s") == 1);
    let remarks: Vec<String> =
        log(&http).into_iter().filter_map(|line| Some(line.split_once("again in ")?.1.to_owned())).collect();
    assert_eq!(remarks, ["1 s", "2 s", "4 s"]);
    assert_eq!(status(&http).standing, Standing::Waiting);
    stop(&http, 10);
}

fn script_always() {
    let web = Box::started("end5");
    let mut http = script(&web, &DAEMON.replace("starting", "starting; rm -f /tmp/pid"));
    http.service.restart = Restart::Always;
    start(&http).unwrap();
    let daemon = || web.processes().into_iter().find(|process| process.command.contains("echo $$"));
    kill(Pid::from_raw(daemon().unwrap().pid), Signal::SIGKILL).unwrap();
    until("its script is run again", || count(&http, "starting") == 2 && daemon().is_some());
    stop(&http, 10);
    assert_eq!(count(&http, "stopping"), 1);
    assert_eq!(web.processes().len(), 1);
}

fn unwell() {
    let web = Box::started("end6");
    let mut http = command(&web, "rm -f /tmp/sick; echo run; (setsid sleep 1000 &) ; sleep 1000 & wait");
    http.service.health = health("test ! -e /tmp/sick", 2);
    start(&http).unwrap();
    fs::write(web.root.join("tmp/sick"), "").unwrap();
    until("it is not well", || status(&http).standing == Standing::Unhealthy);
    until("it runs again", || count(&http, "run") == 2);
    let expected = [
        "qchroot: its health command ended with status 1; 1 in a row",
        "qchroot: its health command ended with status 1; 2 in a row",
        "qchroot: it is not well and is ended",
    ];
    let lines = log(&http);
    assert!(lines.windows(3).any(|three| three == expected), "{lines:?}");
    until("it is well", || status(&http).standing == Standing::Running);
    assert_eq!(status(&http).restarts, 1);
    stop(&http, 2);
    assert_eq!(web.processes().len(), 1, "what an earlier run left is gone too");
}

fn unwell_script() {
    let web = Box::started("end7");
    let mut http = script(&web, &DAEMON.replace("starting", "starting; rm -f /tmp/pid /tmp/sick"));
    http.service.health = health("test ! -e /tmp/sick", 1);
    start(&http).unwrap();
    fs::write(web.root.join("tmp/sick"), "").unwrap();
    until("its script has started it again", || count(&http, "starting") == 2);
    assert_eq!(count(&http, "stopping"), 1, "{:?}", log(&http));
    stop(&http, 10);
}

fn unwell_and_left_alone() {
    let web = Box::started("end8");
    let mut http = command(&web, "echo run; exec sleep 1000");
    http.service.health = health("test -e /tmp/well", 1);
    http.service.restart = Restart::Never;
    start(&http).unwrap();
    until("it was asked twice", || {
        count(&http, "qchroot: its health command ended with status 1; 2 in a row") == 1
    });
    assert_eq!(status(&http).standing, Standing::Unhealthy);
    fs::write(web.root.join("tmp/well"), "").unwrap();
    until("it is well", || status(&http).standing == Standing::Running);
    assert_eq!((count(&http, "run"), status(&http).restarts), (1, 0));
    stop(&http, 10);
}

fn health_that_hangs() {
    let web = Box::started("end9");
    let mut http = command(&web, "exec sleep 1000");
    http.service.health = health("(setsid sleep 2000 &); sleep 2000", 9);
    start(&http).unwrap();
    until("it took too long", || {
        count(&http, "qchroot: its health command took longer than 1 s; 1 in a row") == 1
    });
    let asked = || web.processes().iter().filter(|process| process.command == "sleep 2000").count();
    until("it is asked again", || asked() == 2);
    stop(&http, 10);
    assert_eq!(web.processes().len(), 1, "a question ends with its service");
}

fn stop_signal() {
    let web = Box::started("end10");
    let mut http = command(
        &web,
        "trap 'echo int; exit' INT; trap 'echo term' TERM; \
         sh -c 'trap \"echo child int\" INT; trap \"echo child term\" TERM; touch /tmp/up; sleep 1000 & wait' & \
         wait",
    );
    http.service.stop_signal = Some("INT".into());
    http.service.ready = Some(Ready::File { path: "/tmp/up".into() });
    start(&http).unwrap();
    stop(&http, 10);
    assert_eq!(log(&http), ["int", "qchroot: stopped"]);
    assert_eq!(web.processes().len(), 1);
}

fn stop_during_a_pause() {
    let web = Box::started("end11");
    let http = command(&web, "sleep 0.5; exit 5");
    start(&http).unwrap();
    until("it rests", || status(&http).standing == Standing::Waiting);
    stop(&http, 10);
    assert_eq!(status(&http).standing, Standing::Stopped);
}

fn stop_before_it_is_ready() {
    let web = Box::started("end12");
    let mut http = command(&web, "touch /tmp/up; exec sleep 1000");
    http.service.ready = Some(Ready::Notify);
    http.service.ready_timeout = Some(60);
    std::thread::scope(|scope| {
        let started = scope.spawn(|| start(&http));
        until("it is on its way", || web.root.join("tmp/up").exists());
        stop(&http, 10);
        let said = started.join().unwrap().unwrap_err().to_string();
        assert!(said.contains("was stopped while it started"), "{said}");
    });
    assert_eq!(web.processes().len(), 1);
}
