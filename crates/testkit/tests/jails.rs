//! Containers in jails on the fake FreeBSD machine: a whole life, what is missing when somebody interferes, and runs that
//! die at any change.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use std::time::Duration;

use qchroot_api::{ErrorKind, Mount, MountFs, Name, Place, Registration, Result, Step};
use qchroot_engine::{
    ConfigChange, CreateWish, Deadline, Engine, Host, InstallWish, Outcome, ServiceState, Session, State,
    StatusReport, Who,
};
use qchroot_isolation_chroot::Chroot;
use qchroot_isolation_jail::Jail;
use qchroot_isolation_namespaces::Namespaces;
use qchroot_storage_nullfs::Nullfs;
use qchroot_testkit::fixture::FakeSource;
use qchroot_testkit::{FakeHost, Snapshot, carried_out, deaths, is_before_or_after};

const BACK_ENDS: [Registration; 5] = [
    Registration::Source(|| Box::new(FakeSource)),
    Registration::Storage(|| Box::new(Nullfs)),
    Registration::Isolation(|| Box::new(Jail)),
    Registration::Isolation(|| Box::new(Chroot)),
    Registration::Isolation(|| Box::new(Namespaces)),
];

/// Options of the jail under test.
const OPTIONS: [(&str, &str); 3] =
    [("ip4.addr", "lo1|10.0.0.1"), ("jid_file", "/q/run/web.jid"), ("allow.raw_sockets", "yes")];

fn with_engine<T>(host: &FakeHost, run: impl FnOnce(&Engine<'_>) -> Result<T>) -> Result<T> {
    qchroot_testkit::with_engine(host, &BACK_ENDS, run)
}

fn web() -> Name {
    "web".parse().unwrap()
}

/// A machine with a container `web` that has a service.
fn stopped_with(isolation: &str, options: &[(&str, &str)]) -> FakeHost {
    let host = FakeHost::freebsd().with_accounting();
    host.plant_interface("lo1");
    for dir in ["lib/.journal", "lib/.trash", "lib/releases", "etc/containers", "run"] {
        host.plant_dir(format!("/q/{dir}"), 0o755);
    }
    let install = InstallWish { source: Some("fake".into()), any: true, ..InstallWish::default() };
    let isolation_options = options.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    let wish = CreateWish { isolation: Some(isolation.into()), isolation_options, ..CreateWish::default() };
    let commands = vec![("true".to_owned(), "/usr/bin/true".to_owned())];
    let change = ConfigChange { commands, ..ConfigChange::default() };
    with_engine(&host, |engine| {
        engine.install(&install)?;
        engine.create(&web(), &wish)?;
        engine.configure(&web(), &change)
    })
    .unwrap();
    host
}

fn stopped() -> FakeHost {
    stopped_with("jail", &OPTIONS)
}

fn started() -> FakeHost {
    let host = stopped();
    start(&host).unwrap();
    host
}

fn start(host: &FakeHost) -> Result<Outcome> {
    with_engine(host, |engine| engine.start(&web()))
}

fn stop(host: &FakeHost) -> Result<Outcome> {
    with_engine(host, |engine| engine.stop(&web(), Duration::from_secs(1)))
}

fn report(host: &FakeHost) -> StatusReport {
    with_engine(host, |engine| engine.report(&[web()], false)).unwrap().remove(0)
}

fn exec(host: &FakeHost, who: Who) -> Result<i32> {
    let session = Session { who, argv: vec!["/bin/true".into()], ..Session::default() };
    with_engine(host, |engine| engine.exec(&web(), &session))
}

/// What lasts, with mounts, jails, addresses and processes.
fn whole(host: &FakeHost) -> Snapshot {
    host.snapshot(["/q/lib", "/q/etc", "/usr"])
}

#[test]
fn a_whole_life_leaves_nothing() {
    let host = stopped();
    let before = whole(&host);
    assert_eq!(start(&host), Ok(Outcome::Started));
    let shown = report(&host);
    assert_eq!((shown.state, shown.problems), (State::Started, vec![]));
    assert_eq!(shown.facts.get("jid").map(String::as_str), Some("1"));
    assert!(host.freebsd_says("ifconfig lo1 inet").stdout.contains("inet 10.0.0.1 "));
    assert!(host.text("/q/run/web.jid").unwrap().starts_with("jid=1 "));
    assert_eq!(exec(&host, Who::Root), Ok(0));
    assert_eq!(start(&host), Ok(Outcome::AlreadyStarted));
    assert_eq!(with_engine(&host, |engine| engine.doctor(false)), Ok(vec![]));
    assert_eq!(stop(&host), Ok(Outcome::Stopped));
    before.assert_same(&whole(&host), "after the stop");
    assert_eq!(report(&host).state, State::Stopped);
}

#[test]
fn options_with_dots_stand_in_the_file_as_they_are_said_or_as_tables() {
    let host = stopped();
    let at = "/q/etc/containers/web.toml";
    let text = host.text(at).unwrap();
    assert!(text.contains("\"ip4.addr\" = [\"lo1|10.0.0.1\"]"), "{text}");
    host.plant_file(at, &text.replace("\"ip4.addr\"", "ip4.addr"), 0o644);
    assert_eq!(start(&host), Ok(Outcome::Started));
    assert!(host.freebsd_says("ifconfig lo1 inet").stdout.contains("inet 10.0.0.1 "));

    let line = 1 + text.lines().position(|line| line.contains("ip4.addr")).unwrap();
    host.plant_file(at, &text.replace("\"ip4.addr\"", "ip4.adr"), 0o644);
    let error = with_engine(&host, |engine| engine.load(&web()).map(drop)).unwrap_err();
    assert_eq!(error.fact("line"), Some(line.to_string().as_str()), "{error}");
    assert_eq!(error.hint_text(), Some("did you mean ip4.addr?"));
}

#[test]
fn a_jail_that_somebody_removed_is_told_and_put_right() {
    let host = stopped();
    let before = whole(&host);
    start(&host).unwrap();
    let name = report(&host).facts["jail"].clone();
    assert_eq!(host.freebsd_says(&format!("jail -r {name}")).status, 0);
    let shown = report(&host);
    assert_eq!(shown.state, State::Partial);
    assert!(
        shown.problems.iter().any(|line| line.contains("somebody undid: run jail ")),
        "{:?}",
        shown.problems
    );
    assert_eq!(exec(&host, Who::Root).unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(stop(&host), Ok(Outcome::Stopped));
    before.assert_same(&whole(&host), "after the stop");
}

#[test]
fn interfaces_come_back_at_a_stop_even_if_somebody_took_the_jail_or_them_away() {
    let host = stopped_with("jail", &[("vnet", "yes"), ("vnet.interface", "epair0b")]);
    assert_eq!(start(&host).unwrap_err().kind(), ErrorKind::NotFound);
    host.plant_interface("epair0b");
    let before = whole(&host);
    start(&host).unwrap();
    assert_ne!(host.freebsd_says("ifconfig epair0b").status, 0, "the host still has it");
    assert_eq!((report(&host).state, report(&host).problems), (State::Started, vec![]));
    assert_eq!(stop(&host), Ok(Outcome::Stopped));
    before.assert_same(&whole(&host), "after a stop");

    start(&host).unwrap();
    let name = report(&host).facts["jail"].clone();
    assert_eq!(host.freebsd_says(&format!("jail -R {name}")).status, 0);
    assert_eq!(report(&host).state, State::Partial);
    assert_eq!(stop(&host), Ok(Outcome::Stopped));
    before.assert_same(&whole(&host), "after a stop without the jail");

    start(&host).unwrap();
    host.destroy_interface("epair0b");
    assert_eq!(stop(&host), Ok(Outcome::Stopped));
    assert_eq!(report(&host).state, State::Stopped);
}

#[test]
fn a_directory_that_another_jail_can_write_to_as_well_is_told() {
    let host = started();
    assert_eq!(report(&host).facts.get("risk"), None);
    host.plant_dir("/shared/deep", 0o755);
    for (source, at) in [("/shared", "/q/lib/web/root/tmp"), ("/shared/deep", "/other")] {
        host.plant_dir(at, 0o755);
        let fs = MountFs::Null { source: source.into() };
        let step = Step::Mount(Mount::new(Place::host(at), fs));
        host.apply(&step, Deadline(host.steady_clock())).unwrap();
    }
    let risk = report(&host).facts.remove("risk").unwrap();
    assert!(risk.starts_with("/q/lib/web/root/tmp and /other can both be written to"), "{risk}");
}

#[test]
fn a_container_can_be_started_right_after_it_was_stopped() {
    let host = stopped();
    let before = whole(&host);
    for round in 0..10 {
        assert_eq!(start(&host), Ok(Outcome::Started), "round {round}");
        assert_eq!(stop(&host), Ok(Outcome::Stopped), "round {round}");
    }
    before.assert_same(&whole(&host), "after ten rounds");
}

#[test]
fn an_address_that_another_jail_has_got_stops_the_start_before_anything_is_done() {
    let host = stopped();
    host.plant_dir("/other", 0o755);
    assert_eq!(host.freebsd_says("jail -c name=other path=/other ip4.addr=10.0.0.1 persist").status, 0);
    let before = whole(&host);
    assert_eq!(start(&host).unwrap_err().kind(), ErrorKind::Exists);
    before.assert_same(&whole(&host), "after the refusal");
}

#[test]
fn a_jail_without_its_journal_is_found_and_stopped() {
    for isolation in ["jail", "chroot"] {
        let host = stopped_with(isolation, &[]);
        let before = whole(&host);
        start(&host).unwrap();
        host.uproot("/q/run/web/start");
        assert_eq!(report(&host).state, State::Partial);
        assert_eq!(stop(&host), Ok(Outcome::Stopped));
        before.assert_same(&whole(&host), isolation);
        assert_eq!(start(&host), Ok(Outcome::Started));
    }
}

#[test]
fn users_go_by_their_names() {
    let host = started();
    host.plant_file("/q/lib/web/root/etc/passwd", "root:*:0:0:Charlie &:/root:/bin/csh\n", 0o644);
    let named = |who| {
        exec(&host, who).unwrap();
        host.entered().pop().unwrap().credentials.user
    };
    assert_eq!(named(Who::Root), None);
    let root = qchroot_api::UserName::Container("root".into());
    assert_eq!(named(Who::Container("0".into())), Some(root));
}

#[test]
fn a_virtual_system_has_one_service_more() {
    let host = stopped_with("jail", &[("style", "system")]);
    host.plant_file("/q/lib/web/root/bin/sh", "", 0o755);
    assert_eq!(start(&host), Ok(Outcome::Started));
    let services = report(&host).services;
    let shown: Vec<_> = services.iter().map(|service| (service.name.as_str(), service.state)).collect();
    assert_eq!(shown, [("rc", ServiceState::Running), ("true", ServiceState::Running)]);
    assert!(host.processes().iter().any(|process| process.command == "/bin/sh /etc/rc"));
    assert_eq!(stop(&host), Ok(Outcome::Stopped));
    let twice =
        ConfigChange { commands: vec![("rc".into(), "/usr/bin/true".into())], ..ConfigChange::default() };
    with_engine(&host, |engine| engine.configure(&web(), &twice)).unwrap();
    assert_eq!(start(&host).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn limits_are_rules_of_the_jail_in_both_isolations() {
    for isolation in ["jail", "chroot"] {
        let host = stopped_with(isolation, &[]);
        let before = whole(&host);
        limit(&host, "processes = 50\nopen_files = 64\n");
        start(&host).unwrap();
        let rules = before.diff(&whole(&host));
        for resource in ["maxproc", "nthr"] {
            assert!(rules.contains(&format!(":{resource}:deny=50\n")), "{isolation}: {rules}");
        }
        exec(&host, Who::Root).unwrap();
        let entry = host.entered().pop().unwrap();
        assert_eq!(entry.way.rules().process_limits, [("nofile".to_owned(), 64)].into());
        stop(&host).unwrap();
        assert!(!before.diff(&whole(&host)).contains("rule "), "{isolation}: a rule is left");
    }
}

#[test]
fn a_kernel_that_does_not_count_is_told_what_to_do() {
    let host = stopped().without_accounting();
    limit(&host, "memory = \"64M\"\n");
    let error = start(&host).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.fact("limit"), Some("memory"));
    limit(&host, "required = false\n");
    assert_eq!(start(&host), Ok(Outcome::Started));
}

#[test]
fn rules_that_this_kernel_does_not_know_are_not_passed_over() {
    let host = stopped_with("chroot", &[("no_new_privs", "yes")]);
    let before = whole(&host);
    let error = start(&host).unwrap_err();
    assert_eq!((error.kind(), error.fact("key")), (ErrorKind::Unavailable, Some("no_new_privs")));
    before.assert_same(&whole(&host), "after the refusal");
}

#[test]
fn namespaces_are_refused_with_what_there_is_in_their_place() {
    let host = stopped_with("jail", &[]);
    let at = "/q/etc/containers/web.toml";
    host.plant_file(at, &host.text(at).unwrap().replace("\"jail\"", "\"namespaces\""), 0o644);
    let before = whole(&host);
    let error = start(&host).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("works on Linux only"), "{error}");
    assert!(error.hint_text().unwrap().contains("plugin list"), "{error:?}");
    before.assert_same(&whole(&host), "after the refusal");
}

/// Adds lines to the table of limits.
fn limit(host: &FakeHost, lines: &str) {
    let at = "/q/etc/containers/web.toml";
    let text = host.text(at).unwrap();
    let text = match text.contains("[limits]\n") {
        true => text.replace("[limits]\n", &format!("[limits]\n{lines}")),
        false => format!("{text}\n[limits]\n{lines}"),
    };
    host.plant_file(at, &text, 0o644);
}

/// Wherever the run dies, the repair leads to the state before it or after it.
fn sweep<T: std::fmt::Debug>(prepared: &FakeHost, run: fn(&FakeHost) -> Result<T>) {
    let (old, new) = (whole(prepared), whole(&carried_out(prepared, run).0));
    for (host, at) in deaths(prepared, run) {
        host.revive();
        with_engine(&host, |engine| engine.doctor(true)).unwrap();
        if report(&host).state == State::Stopped {
            stop(&host).unwrap();
        }
        is_before_or_after(&whole(&host), &old, &new, &at);
    }
}

#[test]
fn start_and_stop_survive_every_death() {
    sweep(&stopped(), start);
    sweep(&started(), stop);
}
