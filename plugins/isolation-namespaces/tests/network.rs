//! Networks: what is planned for them, and what is refused.

#![allow(clippy::unwrap_used, reason = "tests report by panicking")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use qchroot_api::toml::toml;
use qchroot_api::{Container, ErrorKind, Isolation, Network, Observe, Options, Output, Plan, Result, Step};
use qchroot_isolation_namespaces::Namespaces;
use qchroot_testkit::FakeHost;
use qchroot_testkit::behavior::{succeed, take_back};
use qchroot_testkit::fixture::container;

/// Network namespaces and interfaces, as ip(8) sees them.
type Made = Arc<Mutex<BTreeSet<String>>>;

/// A host with the bridge `br0` and an ip(8) that keeps account of what it made.
fn host() -> (FakeHost, Made) {
    let (host, made) = (FakeHost::linux(), Made::default());
    host.plant_dir("/q/web/root/dev", 0o755);
    let known = made.clone();
    host.on_run("ip", move |argv| {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        let mut known = known.lock().unwrap();
        let fine = match words[..] {
            ["ip", "netns", "add", name] => known.insert(format!("namespace {name}")),
            ["ip", "netns", "delete", name] => known.remove(&format!("namespace {name}")),
            ["ip", "-n", name, "link", "show", ..] => known.contains(&format!("namespace {name}")),
            ["ip", "link", "add", "name", name, ..] => known.insert(format!("interface {name}")),
            ["ip", "link", "show", "dev", name] => known.contains(&format!("interface {name}")),
            ["ip", "link", "delete", "dev", name] => known.remove(&format!("interface {name}")),
            ["ip", "-o", "link", "show", "dev", name, "type", "bridge"] => ["br0", "eth0"].contains(&name),
            _ => true,
        };
        let shown = if words.contains(&"br0") { "4: br0" } else { "" };
        Output { status: i32::from(!fine), stdout: shown.into(), stderr: String::new() }
    });
    (host, made)
}

fn with(options: Options) -> Container {
    Container { isolation: options, ..container("web", "/q/web") }
}

fn bridged() -> Container {
    with(toml! {
        network = "bridge"
        bridge = "br0"
        address = "10.0.3.2/24"
        gateway = "10.0.3.1"
        address6 = "fd00:3::2/64"
        gateway6 = "fe80::1"
    })
}

fn enclose(container: &Container, host: &FakeHost) -> Result<Plan> {
    let host: &dyn Observe = host;
    Namespaces.enclose(container, host)
}

fn network(options: Options) -> Network {
    let plan = enclose(&with(options), &FakeHost::linux()).unwrap();
    let [Step::StartSandbox(sandbox)] = &plan[..] else { panic!("{plan:?}") };
    sandbox.network.clone()
}

#[test]
fn the_hosts_network_and_none_take_no_command() {
    assert_eq!(network(Options::new()), Network::Host);
    assert_eq!(network(toml! { network = "none" }), Network::None);
}

#[test]
fn a_bridge_takes_these_commands() {
    let plan = enclose(&bridged(), &host().0).unwrap();
    let text: String = plan.iter().map(|step| format!("{step}\n")).collect();
    insta::assert_snapshot!(text);
    let interface = text.lines().find_map(|line| line.strip_prefix("run ip link add name ")).unwrap();
    assert!(interface.split(' ').next().unwrap().len() <= 15, "{interface}");
}

#[test]
fn what_was_made_is_taken_back_whichever_step_fails() {
    let steps = enclose(&bridged(), &host().0).unwrap().len() as u64;
    for n in 1..=steps {
        for arm in [FakeHost::fail_at, FakeHost::fail_after] {
            let (host, made) = host();
            let plan = enclose(&bridged(), &host).unwrap();
            let before = host.snapshot(["/q"]);
            arm(&host, n);
            let begun = begin(&host, &plan);
            take_back(&host, &begun);
            assert_eq!(*made.lock().unwrap(), BTreeSet::new(), "after step {n}");
            before.assert_same(&host.snapshot(["/q"]), &format!("after step {n}"));
        }
    }
}

/// The steps that were begun until one failed.
fn begin(host: &FakeHost, plan: &Plan) -> Plan {
    let mut begun = vec![];
    for step in plan {
        begun.push(step.clone());
        let deadline = qchroot_engine::Deadline(qchroot_engine::Host::steady_clock(host));
        if qchroot_engine::Host::apply(host, step, deadline).is_err() {
            return begun;
        }
    }
    panic!("no step failed");
}

#[test]
fn nothing_is_left_after_a_whole_run() {
    let (host, made) = host();
    let begun = succeed(&host, &enclose(&bridged(), &host).unwrap());
    assert_eq!(made.lock().unwrap().len(), 2);
    take_back(&host, &begun);
    assert_eq!(*made.lock().unwrap(), BTreeSet::new());
}

#[test]
fn two_containers_of_one_name_have_interfaces_of_their_own() {
    let (host, _) = host();
    let other = Container { dir: "/other/web".into(), ..bridged() };
    let texts = [bridged(), other].map(|container| enclose(&container, &host).unwrap()[1].to_string());
    assert_ne!(texts[0], texts[1]);
}

#[test]
fn a_host_without_the_means_is_told_what_to_do() {
    let without_ip = FakeHost::linux();
    let error = enclose(&bridged(), &without_ip).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.hint_text().unwrap().contains("iproute2"), "{error:?}");
    let (host, _) = host();
    for (bridge, why) in [("br1", "does not exist"), ("eth0", "is no bridge")] {
        let mut container = bridged();
        container.isolation.insert("bridge".into(), bridge.into());
        let error = enclose(&container, &host).unwrap_err();
        assert_eq!((error.kind(), error.fact("key")), (ErrorKind::NotFound, Some("bridge")));
        assert!(error.to_string().contains(why), "{error}");
        assert!(error.hint_text().unwrap().contains(&format!("ip link add name {bridge} type bridge")));
    }
}
