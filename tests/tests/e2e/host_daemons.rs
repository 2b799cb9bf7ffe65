//! `doctor` names the host's daemons that answer on every address.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};

use serde_json::Value;

use crate::world::{World, free_port, page, until};

/// What `doctor --json` says about this port.
fn advice(world: &World, port: u16) -> Vec<Value> {
    let words = format!(" port {port} of ");
    let all = world.run(["doctor", "--json"]).json();
    let of_port = |finding: &&Value| finding["what"].as_str().unwrap().contains(&words);
    all.as_array().unwrap().iter().filter(of_port).cloned().collect()
}

/// This test is the daemon.
#[test]
fn one_on_every_address_is_named_and_one_on_its_own_is_not() {
    let world = World::with_web("overlay");
    let every = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap().local_addr().unwrap().port();
    assert_eq!(advice(&world, every), Vec::<Value>::new(), "nobody listens there any more");
    let sockets = [
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap(),
        TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).unwrap(),
    ];
    let own = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let pid = format!("(process {})", std::process::id());
    for socket in &sockets {
        let at = socket.local_addr().unwrap();
        let found = advice(&world, at.port());
        assert_eq!(found.len(), 1, "{found:?}");
        let what = found[0]["what"].as_str().unwrap();
        assert!(what.contains(&pid) && what.contains(&at.ip().to_string()), "{what}");
        assert_eq!((&found[0]["advice"], &found[0]["repaired"]), (&true.into(), &false.into()));
        assert!(found[0]["hint"].as_str().unwrap().contains("on the host's own address only"), "{found:?}");
    }
    assert_eq!(advice(&world, own.local_addr().unwrap().port()), Vec::<Value>::new());
    let said = world.run(["doctor"]).ok();
    assert!(said.starts_with("nothing is wrong\nadvice: "), "{said}");
    world.run(["doctor", "--repair"]).ok();
}

#[test]
fn packets_count_where_a_daemon_waits_for_them() {
    let world = World::new();
    let bound =
        (10_000..20_000).find_map(|port| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).ok()).unwrap();
    let port = bound.local_addr().unwrap().port();
    let what = advice(&world, port)[0]["what"].clone();
    assert!(what.as_str().unwrap().contains(&format!("udp port {port} of 0.0.0.0")), "{what}");
}

/// It listens on every address of the host's network, and is the container's own business.
#[test]
fn a_daemon_of_a_container_is_not_the_hosts() {
    let world = World::with_web("overlay");
    let port = free_port();
    world.run(["config", "web", "--command", &format!("http=httpd -f -p 0.0.0.0:{port} -h /www")]).ok();
    world.run(["start", "web"]).ok();
    until("it answers", || page(port).is_some());
    assert_eq!(advice(&world, port), Vec::<Value>::new());
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
}
