//! Addresses and network stacks of jails. Every scenario has addresses of its own, of the loopback network.

use crate::scenario::{Scenario, freebsd};
use crate::system::output;
use crate::world::{World, until};

use super::jails::{create, jls, with_options};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        freebsd("networks::an_address_is_there_while_its_container_is_started", address),
        freebsd("networks::addresses_of_both_kinds", both_kinds),
        freebsd("networks::an_address_that_was_there_stays", kept),
        freebsd("networks::an_address_belongs_to_one_container", taken),
        freebsd("networks::an_interface_that_is_missing_is_told", missing),
        freebsd("networks::a_stack_of_its_own_gets_interfaces_and_gives_them_back", stack),
        freebsd("networks::daemons_of_the_host_on_every_address_are_told", daemons),
    ]
}

/// Whether the host's loopback interface has an address.
fn has(address: &str) -> bool {
    output("ifconfig", &["lo0"]).split_whitespace().any(|word| word == address)
}

fn address(world: &World) {
    with_options(world, &["ip4.addr=lo0|127.0.7.1"]);
    world.run(["config", "web", "--command", "listener=nc -lk 0.0.0.0 7001"]).ok();
    assert!(!has("127.0.7.1"));
    world.run(["start", "web"]).ok();
    assert!(has("127.0.7.1"));
    assert_eq!(jls(world, "ip4.addr"), "ip4.addr=127.0.7.1");
    let listens = || output("sockstat", &["-4lq", "-p", "7001"]);
    until("it listens", || listens().contains(":7001"));
    assert!(listens().contains("127.0.7.1:7001"), "of every address it gets its own: {}", listens());
    let seen = world.sh("ifconfig lo0 inet").ok();
    assert!(seen.contains("127.0.7.1") && !seen.contains("inet 127.0.0.1 "), "{seen}");
    world.run(["stop", "web"]).ok();
    assert!(!has("127.0.7.1"), "the alias is left");
    world.assert_quiet();
}

fn both_kinds(world: &World) {
    let options = ["interface=lo0", "ip4.addr=127.0.7.2/24,127.0.7.3", "ip6.addr=fd07::2/64"];
    with_options(world, &options);
    for _ in 0..3 {
        world.run(["start", "web"]).ok();
        assert!(["127.0.7.2", "127.0.7.3", "fd07::2"].into_iter().all(has));
        assert_eq!(jls(world, "ip4.addr"), "ip4.addr=127.0.7.2,127.0.7.3");
        assert_eq!(jls(world, "ip6.addr"), "ip6.addr=fd07::2");
        assert_eq!(world.run(["status", "web"]).status, 0);
        assert_eq!(world.state("web"), "started");
        world.run(["stop", "web"]).ok();
        assert!(!["127.0.7.2", "127.0.7.3", "fd07::2"].into_iter().any(has), "an alias is left");
    }
    world.assert_quiet();
}

fn kept(world: &World) {
    assert_eq!(output("ifconfig", &["lo0", "inet", "127.0.7.4/32", "alias"]), "");
    with_options(world, &["ip4.addr=lo0|127.0.7.4"]);
    world.run(["start", "web"]).ok();
    world.run(["stop", "web"]).ok();
    let stayed = has("127.0.7.4");
    output("ifconfig", &["lo0", "inet", "127.0.7.4", "-alias"]);
    assert!(stayed, "an address of the host's was taken away");
    world.assert_quiet();
}

fn taken(world: &World) {
    with_options(world, &["ip4.addr=lo0|127.0.7.5"]);
    create(world, "other", &["ip4.addr=lo0|127.0.7.5"]);
    world.run(["start", "web"]).ok();
    world.run(["start", "other"]).fails(73, &["127.0.7.5", "qchroot-web-"]);
    assert!(has("127.0.7.5"));
    assert_eq!(world.state("other"), "stopped");
    world.run(["stop", "web"]).ok();
    world.run(["start", "other"]).ok();
    world.run(["stop", "other"]).ok();
    assert!(!has("127.0.7.5"));
    world.assert_quiet();
}

fn missing(world: &World) {
    with_options(world, &["ip4.addr=lo77|127.0.7.6"]);
    world.run(["start", "web"]).fails(66, &["lo77", "cloned_interfaces+=lo77"]);
    world.assert_quiet();
}

/// A cloned interface of the host's, which is destroyed with this.
struct Clone(String);

impl Clone {
    /// One of the first kind that this kernel can make; the name of the end that goes inside.
    fn new() -> Self {
        let made = ["epair", "tap"].into_iter().map(|kind| output("ifconfig", &[kind, "create"]));
        let name = made.map(|name| name.trim().to_owned()).find(|name| !name.contains(' '));
        Self(name.expect("epair(4) or tap(4)"))
    }

    fn inside(&self) -> String {
        self.0.strip_suffix('a').map_or(self.0.clone(), |pair| format!("{pair}b"))
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        output("ifconfig", &[&self.0, "destroy"]);
    }
}

fn stack(world: &World) {
    let clone = Clone::new();
    let inside = clone.inside();
    let is_outside = || output("ifconfig", &["-l"]).split_whitespace().any(|name| name == inside);
    with_options(world, &["vnet=yes", &format!("vnet.interface={inside}")]);
    for _ in 0..3 {
        assert!(is_outside());
        world.run(["start", "web"]).ok();
        assert!(!is_outside(), "the host still has {inside}");
        let seen = world.sh("ifconfig -l").ok();
        let seen: Vec<&str> = seen.split_whitespace().collect();
        assert!(["lo0", &inside].iter().all(|name| seen.contains(name)), "{seen:?}");
        assert!(!seen.contains(&clone.0.as_str()) || clone.0 == inside, "{seen:?}");
        world
            .sh(&format!("ifconfig {inside} inet 10.7.7.1/24 up && ifconfig {inside}"))
            .says("inet 10.7.7.1 ");
        world.run(["stop", "web"]).ok();
        assert!(is_outside(), "{inside} did not come back");
    }
    world.assert_quiet();
    world.assert_sound();
}

fn daemons(world: &World) {
    let mut command = std::process::Command::new("nc");
    let _listener = crate::world::HostProcess::start(command.args(["-lk", "0.0.0.0", "7077"]));
    world.install().ok();
    let listens = || output("sockstat", &["-4lq", "-p", "7077"]).contains(":7077");
    until("it listens", listens);
    let said = world.run(["doctor"]).ok();
    assert!(said.contains("nc of the host") && said.contains("port 7077"), "{said}");
}
