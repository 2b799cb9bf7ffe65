//! A start comes back when the service is ready, and says so when it will not be.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;

use qchroot_api::{Ready, Result, ServiceStatus, ServiceStep, Standing};
use qchroot_engine::Probe;

use crate::service::{DAEMON, command, holder, log, probe, script, start, stop};
use crate::support::{Box, Test, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("ready::by_port", by_port),
        ("ready::by_file", by_file),
        ("ready::by_command", by_command),
        ("ready::by_notify", by_notify),
        ("ready::script_by_file", script_by_file),
        ("ready::never", never),
        ("ready::never_by_command_that_hangs", never_by_command_that_hangs),
        ("ready::gives_up_when_nobody_can_say_so", gives_up_when_nobody_can_say_so),
        ("ready::gives_up_when_it_ends", gives_up_when_it_ends),
        ("ready::runs_as_its_user", runs_as_its_user),
        ("ready::user_that_is_not_there", user_that_is_not_there),
    ]
}

/// A service that runs a shell script and is ready by `ready`.
fn ready(web: &Box, script: &str, ready: Ready) -> ServiceStep {
    let mut http = command(web, script);
    http.service.ready = Some(ready);
    http.service.ready_timeout = Some(30);
    http
}

fn file(path: &str) -> Ready {
    Ready::File { path: path.into() }
}

pub(crate) fn status(step: &ServiceStep) -> ServiceStatus {
    serde_json::from_slice(&fs::read(&step.status).unwrap()).unwrap()
}

/// Asserts that a start fails with these words and leaves no process but the container's init.
fn fails(web: &Box, http: &ServiceStep, words: &str) {
    let error: Result<()> = start(http);
    let said = error.unwrap_err().to_string();
    assert!(said.contains(words), "{said}");
    until("its supervisor ends", || holder(http).is_none());
    assert_eq!(web.processes().len(), 1, "{:?}", web.processes());
    assert_eq!(status(http).standing, Standing::Failed);
}

fn by_port() {
    let web = Box::started("rdy1");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let http =
        ready(&web, &format!("sleep 0.5; exec busybox httpd -f -p 127.0.0.1:{port}"), Ready::Port { port });
    start(&http).unwrap();
    TcpStream::connect(("127.0.0.1", port)).expect("it takes connections when the start is over");
    assert_eq!((probe(&http), status(&http).standing), (Probe::Present, Standing::Running));
    stop(&http, 10);
    assert_eq!(web.processes().len(), 1);
}

fn by_file() {
    let web = Box::started("rdy2");
    let socket = web.root.join("tmp/socket");
    fs::write(&socket, "left by an earlier run").unwrap();
    let script = "sleep 0.5; echo fresh > /tmp/new; mv /tmp/new /tmp/socket; exec sleep 1000";
    let http = ready(&web, script, file("/tmp/socket"));
    start(&http).unwrap();
    assert_eq!(fs::read_to_string(&socket).unwrap(), "fresh\n");
    stop(&http, 10);
}

fn by_command() {
    let web = Box::started("rdy3");
    let question = "(setsid sleep 1000 &); echo asked; cat /tmp/yes";
    let argv = ["sh", "-c", question].map(str::to_owned).into();
    let http = ready(&web, "sleep 0.5; echo answer > /tmp/yes; exec sleep 1000", Ready::Command { argv });
    start(&http).unwrap();
    assert!(web.root.join("tmp/yes").exists());
    let lines = log(&http);
    assert_eq!(lines[lines.len() - 2..], ["asked", "answer"], "the last question was answered: {lines:?}");
    until("what the questions forked is gone", || web.processes().len() == 3);
    stop(&http, 10);
}

fn by_notify() {
    let web = Box::started("rdy4");
    let script = "sleep 0.5; echo STATUS=nearly >&$READY_FD; echo ready > /tmp/ready; echo READY=1 >&$READY_FD; \
                  exec sleep 1000";
    let http = ready(&web, script, Ready::Notify);
    start(&http).unwrap();
    assert_eq!(fs::read_to_string(web.root.join("tmp/ready")).unwrap(), "ready\n");
    stop(&http, 10);
}

fn script_by_file() {
    let web = Box::started("rdy5");
    let mut http = script(&web, DAEMON);
    http.service.ready = Some(file("/tmp/pid"));
    start(&http).unwrap();
    assert_eq!(status(&http).standing, Standing::Running);
    stop(&http, 10);
    assert_eq!(log(&http), ["starting", "stopping", "qchroot: stopped"]);
    assert_eq!((status(&http).standing, status(&http).reaper), (Standing::Stopped, None));
}

fn never() {
    let web = Box::started("rdy6");
    fs::write(web.root.join("tmp/socket"), "left by an earlier run").unwrap();
    let mut http =
        ready(&web, "(setsid sleep 1000 &); echo waiting for the moon; sleep 1000", file("/tmp/socket"));
    http.service.ready_timeout = Some(1);
    fails(&web, &http, "service http of rdy6 was not ready in time: waiting for the moon");
    assert_eq!(fs::metadata(&http.status).unwrap().mode() & 0o777, 0o644);
}

fn never_by_command_that_hangs() {
    let web = Box::started("rdy7");
    let argv = ["sleep", "2000"].map(str::to_owned).into();
    let mut http = ready(&web, "exec sleep 1000", Ready::Command { argv });
    http.service.ready_timeout = Some(1);
    fails(&web, &http, "was not ready in time");
}

fn gives_up_when_nobody_can_say_so() {
    let web = Box::started("rdy8");
    let http = ready(&web, "exec 3>&-; sleep 1000", Ready::Notify);
    fails(&web, &http, "it has closed the descriptor READY_FD without the line READY=1");
}

fn gives_up_when_it_ends() {
    let web = Box::started("rdy9");
    let http = ready(&web, "echo no disk; exit 4", file("/tmp/socket"));
    fails(&web, &http, "service http of rdy9 ended with status 4: no disk");
    assert_eq!(status(&http).last_exit, Some(4));
}

fn runs_as_its_user() {
    let web = Box::started("rdy10");
    fs::write(web.root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\nwww:x:80:81::/tmp:/bin/false\n")
        .unwrap();
    fs::write(web.root.join("etc/group"), "www:x:81:\nadm:x:4:other,www\n").unwrap();
    let mut http =
        command(&web, "id; echo $HOME $USER $COLOUR; cat /proc/$$/status > /tmp/status; exec sleep 1000");
    http.service.user = Some("www".into());
    http.service.environment.insert("COLOUR".into(), "green and blue".into());
    http.service.ready = Some(file("/tmp/status"));
    start(&http).unwrap();
    until("it is logged", || log(&http).len() == 2);
    assert_eq!(log(&http), ["uid=80(www) gid=81(www) groups=4(adm),81(www)", "/tmp www green and blue"]);
    stop(&http, 10);
    assert_eq!(web.processes().len(), 1, "who is not root is stopped, too");
}

fn user_that_is_not_there() {
    let web = Box::started("rdy11");
    fs::write(web.root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
    let mut http = command(&web, "exec sleep 1000");
    http.service.user = Some("postgres".into());
    fails(&web, &http, "service http of rdy11 cannot run as postgres: there is no user \"postgres\"");
}
