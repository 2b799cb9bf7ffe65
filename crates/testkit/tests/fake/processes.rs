//! Inits, services, jails, programs and locks.

use std::time::Duration;

use camino::Utf8Path;
use qchroot_api::{
    Check, Credentials, Entry, ErrorKind, MountFs, Observe, Place, Rules, Service, ServiceRun, ServiceStep,
    Step, Way,
};
use qchroot_engine::{Deadline, Host};
use qchroot_testkit::FakeHost;

use super::{apply, conflict, does, refuses};

const ROOT: &str = "/q/web/root";

fn host() -> FakeHost {
    let host = FakeHost::linux();
    host.plant_dir("/q/web/root/proc", 0o555);
    host.plant_file("/q/web/root/usr/sbin/nginx", "", 0o755);
    host.plant_link("/q/web/root/sbin", "usr/sbin");
    host
}

fn init() -> Step {
    let proc = Some(Place::within(ROOT, "proc"));
    Step::StartInit { container: "web".parse().unwrap(), root: ROOT.into(), proc }
}

fn service(program: &str) -> Step {
    let run = ServiceRun::Command { argv: vec![program.into()] };
    Step::StartService(ServiceStep {
        container: "web".parse().unwrap(),
        root: ROOT.into(),
        way: Way::chroot(ROOT),
        service: Service::new("nginx", run),
        lock: "/run/nginx.lock".into(),
        log: "/var/log/nginx.log".into(),
        status: "/run/nginx.status".into(),
    })
}

fn entry(way: Way, program: &str) -> Entry {
    Entry {
        way,
        argv: vec![program.into()],
        argv0: None,
        env: [].into(),
        credentials: Credentials::root(),
        directory: "/".into(),
    }
}

#[test]
fn stopping_a_service_leaves_the_same_daemon_on_the_host_alone() {
    let host = host();
    let of_host = host.plant_process("/", "nginx");
    let before = host.snapshot(["/"]);
    for step in [init(), service("nginx"), service("nginx").inverse().unwrap(), init().inverse().unwrap()] {
        does(&host, &step);
    }
    before.assert_same(&host.snapshot(["/"]), "after starting and stopping");
    assert!(host.processes().iter().any(|p| p.pid == of_host));
}

#[test]
fn a_service_has_a_supervisor_that_holds_its_lock() {
    let host = host();
    let lock = Utf8Path::new("/run/nginx.lock");
    let view: &dyn Observe = &host;
    assert_eq!(view.holder(lock).unwrap(), None);
    does(&host, &service("/sbin/nginx"));
    let supervisor = view.holder(lock).unwrap().unwrap();
    let daemon = view
        .processes(camino::Utf8Path::new("/"))
        .unwrap()
        .into_iter()
        .find(|p| p.command == "/sbin/nginx")
        .unwrap();
    assert_eq!((daemon.ppid, daemon.root.as_str()), (supervisor, ROOT));
    assert!(host.lock(lock, false).unwrap().is_none(), "the supervisor's lock was given away");
}

#[test]
fn a_program_that_is_not_inside_does_not_start() {
    let host = host();
    host.plant_file("/usr/bin/only-outside", "", 0o755);
    for program in ["only-outside", "/usr/bin/only-outside", "/usr/sbin"] {
        let error = refuses(&host, &service(program));
        assert_eq!((error.kind(), error.fact("exit")), (ErrorKind::NotFound, Some("127")), "{program}");
    }
}

#[test]
fn a_process_that_ignores_term_costs_the_whole_deadline() {
    let host = host();
    does(&host, &init());
    let stubborn = host.plant_process(ROOT, "stubborn");
    host.ignore_term(stubborn);
    let deadline = host.steady_clock() + Duration::from_secs(30);
    host.apply(&init().inverse().unwrap(), Deadline(deadline)).unwrap();
    assert!(host.steady_clock() >= deadline);
    assert!(host.processes().iter().all(|p| p.pid != stubborn));
}

#[test]
fn an_init_fails_closed_when_proc_is_a_link() {
    let host = host();
    host.uproot("/q/web/root/proc");
    host.plant_link("/q/web/root/proc", "/proc");
    let error = refuses(&host, &init());
    assert!(error.to_string().contains("proc is a link"), "{error}");
    let mount = Step::Mount(qchroot_api::Mount::new(Place::within(ROOT, "proc"), MountFs::Proc));
    assert!(conflict(&host, &mount).contains("proc is a link"));
}

#[test]
fn programs_end_with_their_status() {
    let host = host();
    host.on_enter("/bin/seven", |entry| if entry.credentials.uid == 0 { 7 } else { 1 });
    let enter = |program| host.enter(&entry(Way::chroot(ROOT), program));
    assert_eq!(enter("/bin/true").unwrap(), 0);
    assert_eq!(enter("/bin/false").unwrap(), 1);
    assert_eq!(enter("/bin/seven").unwrap(), 7);
    assert_eq!(enter("/bin/none").unwrap_err().fact("exit"), Some("127"));
    assert_eq!(host.entered().len(), 4);
    assert_eq!(host.processes().len(), 1, "a program is still there after its end");
}

#[test]
fn a_jail_is_made_found_entered_and_removed_with_its_processes() {
    let host = FakeHost::freebsd();
    host.plant_dir(ROOT, 0o755);
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let jail = Step::Run {
        argv: words("jail -c name=q path=/q/web/root persist"),
        check: Some(Check::Succeeds(words("jls -j q jid"))),
        undo: Some(words("jail -r q")),
    };
    let way = Way::Jail { name: "q".into(), root: ROOT.into(), rules: Rules::default() };
    assert_eq!(host.enter(&entry(way.clone(), "/bin/true")).unwrap_err().kind(), ErrorKind::System);
    let before = host.snapshot(["/"]);
    does(&host, &jail);
    assert_eq!(host.enter(&entry(way, "/bin/true")).unwrap(), 0);
    host.plant_process(ROOT, "cron");
    apply(&host, &jail.inverse().unwrap()).unwrap();
    before.assert_same(&host.snapshot(["/"]), "after the jail");
}

#[test]
fn a_registered_program_decides_for_itself() {
    let host = FakeHost::linux();
    host.on_run("tool", |argv| qchroot_api::Output {
        status: i32::from(argv.len() > 2),
        stdout: String::new(),
        stderr: "too many words\n".into(),
    });
    let run = |line: &str| Step::Run {
        argv: line.split(' ').map(str::to_owned).collect(),
        check: None,
        undo: None,
    };
    apply(&host, &run("tool a")).unwrap();
    assert!(refuses(&host, &run("tool a b")).to_string().ends_with("too many words"));
    assert_eq!(refuses(&host, &run("zfs list")).kind(), ErrorKind::NotFound);
    assert_eq!((&host as &dyn Observe).program("tool").unwrap(), Some("/usr/bin/tool".into()));
}

#[test]
fn a_lock_has_one_holder_and_the_next_one_waits() {
    let host = FakeHost::linux();
    let at = Utf8Path::new("/run/lock");
    let held = host.lock(at, false).unwrap().unwrap();
    assert!(host.lock(at, false).unwrap().is_none());
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| host.lock(at, true).unwrap().is_some());
        drop(held);
        assert!(waiter.join().unwrap());
    });
    assert!(host.lock(at, false).unwrap().is_some(), "a lock was not given back");
}
