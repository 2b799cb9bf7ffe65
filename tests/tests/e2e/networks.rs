//! Networks of containers: none at all, and interfaces on a bridge. The bridge and what belongs to it are in a network
//! namespace of the test's own.

use std::process::Command;

use crate::program::Ran;
use crate::world::{World, until};

/// A network namespace with a bridge, which ends with this.
struct Lan {
    name: String,
    /// The two containers of the test. Tests run side by side, so each has names of its own.
    names: [&'static str; 2],
}

impl Lan {
    fn new(names: [&'static str; 2]) -> Self {
        let lan = Self {
            name: format!("qct-{}-{:?}", std::process::id(), std::thread::current().id())
                .replace(['(', ')'], ""),
            names,
        };
        ip(&["netns", "add", &lan.name]);
        for words in [
            "link set dev lo up",
            "link add name br0 type bridge",
            "address add 10.99.3.1/24 dev br0",
            "link set dev br0 up",
        ] {
            let words: Vec<&str> = ["-n", &lan.name].into_iter().chain(words.split(' ')).collect();
            ip(&words);
        }
        lan
    }

    /// Runs the program in it.
    fn run(&self, world: &World, args: &[&str]) -> Ran {
        let inner = world.command(args);
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/run/netns/{}", self.name))
            .arg(inner.get_program())
            .args(inner.get_args());
        Ran::of(command.env_remove("QCHROOT_ROOT").stdin(std::process::Stdio::null()))
    }

    /// Names of its interfaces.
    fn interfaces(&self) -> Vec<String> {
        let shown = Command::new("ip").args(["-n", &self.name, "-o", "link", "show"]).output().unwrap();
        let text = String::from_utf8(shown.stdout).unwrap();
        text.lines().filter_map(|line| Some(line.split(": ").nth(1)?.split('@').next()?.to_owned())).collect()
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for name in own_namespaces(&self.names).iter().chain([&self.name]) {
            let _ = Command::new("ip").args(["netns", "delete", name]).status();
        }
    }
}

#[track_caller]
fn ip(args: &[&str]) {
    let status = Command::new("ip").args(args).status().expect("needs iproute2");
    assert!(status.success(), "ip {}", args.join(" "));
}

/// Names of the network namespaces of a system's containers.
fn own_namespaces(names: &[&str]) -> Vec<String> {
    let all = std::fs::read_dir("/run/netns").into_iter().flatten().flatten();
    let names_of = |name: &String| names.iter().any(|own| name.starts_with(&format!("qchroot-{own}-")));
    all.filter_map(|entry| entry.file_name().into_string().ok()).filter(names_of).collect()
}

/// Two containers on the bridge, the first a server.
fn two(lan: &Lan) -> World {
    let names = lan.names;
    let world = World::installed();
    for (name, end) in names.into_iter().zip(["2", "3"]) {
        world.create_in(name, "overlay", "namespaces").ok();
        let options = [
            "isolation.network=bridge".to_owned(),
            "isolation.bridge=br0".to_owned(),
            format!("isolation.address=10.99.3.{end}/24"),
            "isolation.gateway=10.99.3.1".to_owned(),
            format!("isolation.address6=fd00:99::{end}/64"),
        ];
        let options = options.iter().flat_map(|option| ["-o", option.as_str()]);
        world.run(["config", name].into_iter().chain(options)).ok();
    }
    world.run(["config", names[0], "--command", "httpd=httpd -f -p 80 -h /www"]).ok();
    world.run(["config", names[1], "--command", "sleeper=sleep 1000"]).ok();
    for name in names {
        lan.run(&world, &["start", name]).ok();
    }
    world
}

#[test]
fn two_containers_on_a_bridge_reach_each_other() {
    let names = ["peer-server", "peer-client"];
    let lan = Lan::new(names);
    let world = two(&lan);
    let get = |address: &str| lan.run(&world, &["exec", names[1], "wget", "-q", "-O", "-", address]);
    until("the server answers", || get("http://10.99.3.2/").status == 0);
    assert_eq!(get("http://10.99.3.2/").ok(), "a page from inside\n");
    assert_eq!(get("http://[fd00:99::2]/").ok(), "a page from inside\n");
    // Its own loopback is not the server's.
    assert_ne!(get("http://127.0.0.1/").status, 0);
    let table = lan.run(&world, &["exec", names[1], "cat", "/proc/net/dev"]).ok();
    let known = table.lines().skip(2).map(|line| line.split(':').next().unwrap().trim());
    assert!(known.clone().all(|name| ["lo", "eth0", "sit0", "ip6tnl0", "tunl0"].contains(&name)), "{table}");
    assert_eq!((lan.interfaces().len(), own_namespaces(&names).len()), (4, 2), "{:?}", lan.interfaces());
    for name in names {
        lan.run(&world, &["stop", name]).ok();
    }
    assert_eq!((lan.interfaces(), own_namespaces(&names)), (vec!["lo".into(), "br0".into()], vec![]));
    world.assert_quiet();
}

#[test]
fn what_a_start_that_dies_left_of_a_network_is_told_and_taken_back() {
    let names = ["dying-server", "dying-client"];
    let lan = Lan::new(names);
    let world = two(&lan);
    let name = names[1];
    for point in 1.. {
        lan.run(&world, &["stop", name]).ok();
        let mut command = Command::new("nsenter");
        let inner = world.command(["start", name]);
        command.arg(format!("--net=/run/netns/{}", lan.name)).arg(inner.get_program()).args(inner.get_args());
        let ran = Ran::of(command.env("QCHROOT_CRASH_AT", point.to_string()));
        if !ran.has_crashed() {
            assert!(point > 20, "{point}");
            break;
        }
        if !own_namespaces(&[name]).is_empty() {
            let state = lan.run(&world, &["list", name, "--json"]).json()[0]["state"].take();
            assert!(state == "partial" || state == "started", "died at point {point}: {state}");
        }
        lan.run(&world, &["doctor", "--repair"]).ok();
        let state = lan.run(&world, &["list", name, "--json"]).json()[0]["state"].take();
        if state == "stopped" {
            assert_eq!(own_namespaces(&[name]), Vec::<String>::new(), "died at point {point}");
            assert_eq!(lan.interfaces().len(), 3, "died at point {point}: {:?}", lan.interfaces());
        }
    }
    for name in names {
        lan.run(&world, &["stop", name]).ok();
    }
    assert_eq!(own_namespaces(&names), Vec::<String>::new());
}

#[test]
fn a_network_of_none_has_its_own_loopback_alone() {
    let world = World::with_web_in("overlay", "namespaces");
    world.run(["config", "web", "-o", "isolation.network=none"]).ok();
    world.run(["config", "web", "--command", "httpd=httpd -f -p 127.0.0.1:80 -h /www"]).ok();
    world.run(["start", "web"]).ok();
    until("it answers itself", || world.sh("wget -q -O - http://127.0.0.1/").status == 0);
    assert_eq!(crate::world::page(80), None, "nothing of it is on the host's loopback");
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
}

#[test]
fn a_bridge_that_is_not_there_is_named() {
    let world = World::with_web_in("overlay", "namespaces");
    world.run(["config", "web", "-o", "isolation.network=bridge", "-o", "isolation.bridge=qct-none"]).ok();
    let refused = world.sh("true").fails(66, &["needs the bridge qct-none", "does not exist"]);
    assert!(refused.contains("ip link add name qct-none type bridge"), "{refused}");
    world.run(["config", "web", "-o", "isolation.bridge=lo"]).ok();
    world.sh("true").fails(66, &["is no bridge"]);
    world.assert_quiet();
}
