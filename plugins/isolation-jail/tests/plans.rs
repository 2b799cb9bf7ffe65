//! Whole plans: what a start does, what a stop does, what a start that fails in the middle leaves, and how programs
//! get inside.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

mod support;

use qchroot_api::{Isolation, Limits, Options, Plan, Step, Way, toml};
use qchroot_engine::{Deadline, Host, Probe};
use qchroot_isolation_jail::Jail;
use qchroot_testkit::behavior::{succeed, take_back};
use support::World;

fn everything() -> Options {
    toml::toml! {
        "host.hostname" = "www.example.org"
        interface = "lo1"
        "ip4.addr" = ["10.0.0.1", "lo0|127.0.0.2/8"]
        "ip6.addr" = ["fd00::1/64"]
        securelevel = 2
        "children.max" = 1
        sysvshm = "new"
        "mount.fdescfs" = true
        "mount.procfs" = true
        "allow.raw_sockets" = true
        "allow.mount" = true
        "allow.mount.tmpfs" = true
        "allow.reserved_ports" = false
        enforce_statfs = 1
        jid_file = "/run/web.jid"
        parameters = ["ip4.saddrsel", "host.domainname=example.org"]
    }
}

fn limits() -> Limits {
    Limits {
        cpu_percent: Some(150),
        memory_bytes: Some(64 << 20),
        processes: Some(100),
        open_files: Some(512),
        read_bps: Some(1 << 20),
        write_bps: Some(2 << 20),
    }
}

fn limited(options: Options) -> World {
    let mut world = World::new(options);
    world.container.limits = limits();
    world
}

fn text(plan: &Plan) -> String {
    plan.iter().map(|step| format!("{step}\n")).collect()
}

fn stop_of(plan: &Plan) -> String {
    text(&plan.iter().rev().filter_map(Step::inverse).collect())
}

#[test]
fn start_and_stop_of_a_jail_without_options() {
    let up = World::new(Options::new()).up();
    insta::assert_snapshot!("default-start", text(&up));
    insta::assert_snapshot!("default-stop", stop_of(&up));
}

#[test]
fn start_and_stop_of_a_jail_with_everything() {
    let world = limited(everything());
    let up = world.up();
    insta::assert_snapshot!("everything-start", text(&up));
    insta::assert_snapshot!("everything-stop", stop_of(&up));
    let before = world.host.snapshot(["/"]);
    let begun = succeed(&world.host, &up);
    insta::assert_snapshot!("everything-running", before.diff(&world.host.snapshot(["/"])));
    take_back(&world.host, &begun);
    before.assert_same(&world.host.snapshot(["/"]), "after the stop");
}

#[test]
fn start_of_a_jail_with_the_hosts_network_and_as_much_as_it_may_be_allowed() {
    let mut world = World::new(toml::toml! {
        ip4 = "inherit"
        ip6 = "inherit"
        sysvmsg = "new"
        sysvsem = "new"
        sysvshm = "inherit"
        "allow.set_hostname" = true
        "allow.chflags" = true
        "allow.socket_af" = true
        "allow.mlock" = true
        "allow.read_msgbuf" = true
        "allow.quotas" = true
        "allow.unprivileged_proc_debug" = false
        osrelease = "12.4-RELEASE"
        osreldate = 1204000
        devfs_ruleset = 3
        style = "system"
    });
    world.container.limits = Limits { memory_bytes: Some(1 << 30), ..Limits::default() };
    let up = world.up();
    insta::assert_snapshot!("inherit-start", text(&up));
    insta::assert_snapshot!("inherit-stop", stop_of(&up));
}

#[test]
fn start_of_a_jail_with_a_network_of_its_own() {
    let world = World::new(toml::toml! { vnet = true "vnet.interface" = ["epair0b", "epair1b"] });
    for interface in ["epair0b", "epair1b"] {
        world.host.plant_interface(interface);
    }
    let up = world.up();
    insta::assert_snapshot!("vnet-start", text(&up));
    insta::assert_snapshot!("vnet-stop", stop_of(&up));
    let before = world.host.snapshot(["/"]);
    let begun = succeed(&world.host, &up);
    assert_ne!(world.host.freebsd_says("ifconfig epair0b").status, 0, "the host still has it");
    take_back(&world.host, &begun);
    before.assert_same(&world.host.snapshot(["/"]), "after the stop");
}

#[test]
fn a_jail_that_cannot_be_made_leaves_no_alias_no_mount_and_no_rule() {
    let mut options = everything();
    options.insert("parameters".into(), toml::Value::Array(vec!["no.such=1".into()]));
    let world = limited(options);
    let before = world.host.snapshot(["/"]);
    let (mut begun, mut end) = (vec![], None);
    for step in world.up() {
        if world.host.probe(&step) == Ok(Probe::Present) {
            continue;
        }
        begun.push(step.clone());
        end = world.host.apply(&step, Deadline(world.host.steady_clock())).err();
        if end.is_some() {
            break;
        }
    }
    let error = end.expect("jail(8) knows no such parameter").to_string();
    assert!(error.contains("unknown parameter: no.such"), "{error}");
    let done = text(&begun);
    assert!(done.contains("10.0.0.1/32 alias") && done.contains("rctl -a"), "{done}");
    take_back(&world.host, &begun);
    before.assert_same(&world.host.snapshot(["/"]), "after going back");
}

#[test]
fn an_address_that_was_there_stays_when_the_jail_goes() {
    let world = World::new(toml::toml! { "ip4.addr" = ["lo1|10.0.0.1"] });
    assert_eq!(world.host.freebsd_says("ifconfig lo1 inet 10.0.0.1/32 alias").status, 0);
    let before = world.host.snapshot(["/"]);
    let up = world.up();
    let alias = up.iter().find(|step| step.to_string().contains("alias")).unwrap();
    assert_eq!(world.host.probe(alias), Ok(Probe::Present));
    let begun = succeed(&world.host, &up);
    take_back(&world.host, &begun);
    before.assert_same(&world.host.snapshot(["/"]), "after the stop");
}

#[test]
fn a_file_of_somebody_elses_is_not_overwritten_with_a_jid() {
    let world = World::new(toml::toml! { jid_file = "/etc/hostname" });
    let up = world.up();
    let claim = up.iter().find(|step| matches!(step, Step::WriteFile { .. })).unwrap();
    assert!(matches!(world.host.probe(claim), Ok(Probe::Conflict(_))));
}

#[test]
fn the_jid_file_is_there_as_long_as_the_jail() {
    let world = World::new(toml::toml! { jid_file = "/run/web.jid" });
    let begun = succeed(&world.host, &world.up());
    let text = world.host.text("/run/web.jid").expect("jail(8) wrote it");
    assert!(text.starts_with("jid=1 "), "{text}");
    take_back(&world.host, &begun);
    assert_eq!(world.host.text("/run/web.jid"), None);
}

#[test]
fn programs_go_by_jexec_and_have_their_own_limits() {
    let world = limited(Options::new());
    let Way::Jail { name, root, rules } = Jail.way(&world.container, world.view()).unwrap() else {
        panic!("another way than jexec(8)")
    };
    assert_eq!((name, root), (world.container.system_name(), world.container.root()));
    assert_eq!(rules.process_limits, [("nofile".to_owned(), 512)].into());
}

#[test]
fn a_virtual_system_is_one_service_by_the_scripts_of_rc_8() {
    let services = |options| Jail.services(&World::new(options).container).unwrap();
    assert_eq!(services(Options::new()), []);
    let [rc] = services(toml::toml! { style = "system" }).try_into().unwrap();
    assert_eq!(rc.run.start_argv(), ["/bin/sh", "/etc/rc"]);
    assert_eq!(rc.run.stop_argv().unwrap(), ["/bin/sh", "/etc/rc.shutdown", "jail"]);
}

#[test]
fn the_number_of_the_jail_is_told_while_there_is_one() {
    let world = World::new(Options::new());
    let jid = || Jail.facts(&world.container, world.view()).unwrap().get("jid").cloned();
    assert_eq!(jid(), None);
    succeed(&world.host, &world.up());
    assert_eq!(jid().as_deref(), Some("1"));
}
