//! The same daemon on the host and in two containers: what one container does reaches no other.

use std::process::Command;

use crate::world::{HostProcess, World, free_port, page, until};

/// Two started containers with the init.d script that stops "every httpd", their ports, and one on the host.
fn three(isolation: &str) -> (World, HostProcess, [u16; 3]) {
    let world = World::installed();
    let ports = [free_port(), free_port(), free_port()];
    for (name, port, storage) in [("one", ports[0], "overlay"), ("two", ports[1], "nullfs")] {
        world.create_in(name, storage, isolation).ok();
        world.run(["exec", name, "--", "sh", "-c", &format!("echo {port} > /etc/port")]).ok();
        world.run(["config", name, "httpd"]).ok();
        world.run(["start", name]).ok();
    }
    let (home, program) = (world.dir().join("www"), world.dir().join("httpd"));
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("index.html"), "the host's\n").unwrap();
    std::os::unix::fs::symlink("/bin/busybox", &program).unwrap();
    let listen = format!("127.0.0.1:{}", ports[2]);
    let host = HostProcess::start(Command::new(&program).args(["-f", "-p", &listen, "-h"]).arg(&home));
    until("all answer", || ports.iter().all(|&port| page(port).is_some()));
    (world, host, ports)
}

#[test]
fn stopping_one_leaves_the_other_two_running() {
    for isolation in ["chroot", "namespaces"] {
        stopping_one(isolation);
    }
}

fn stopping_one(isolation: &str) {
    let (world, mut host, ports) = three(isolation);
    assert_eq!(world.run(["stop", "one"]).ok(), "one: Chroot is stopped.\n");
    assert_eq!(page(ports[0]), None);
    assert_eq!(page(ports[1]).unwrap(), "a page from inside\n");
    assert_eq!(page(ports[2]).unwrap(), "the host's\n");
    assert!(host.is_alive());
    world.run(["exec", "two", "--", "killall", "-9", "httpd"]).ok();
    until("its own has ended", || page(ports[1]).is_none());
    assert_eq!(page(ports[2]).unwrap(), "the host's\n");
    assert!(host.is_alive());
}

#[test]
fn a_pid_file_inside_never_leads_to_a_process_of_the_hosts() {
    for (storage, isolation) in [("overlay", "chroot"), ("nullfs", "chroot"), ("overlay", "namespaces")] {
        let world = World::with_web_in(storage, isolation);
        let mut host = HostProcess::sleeping();
        world.run(["config", "web", "pidfile", "--keep-run-files", "yes"]).ok();
        world.sh(&format!("echo {} > /var/run/stranger.pid", host.pid())).ok();
        world.run(["start", "web"]).ok();
        world.sh(&format!("kill -9 {}", host.pid())).fails(1, &["No such process"]);
        assert_eq!(world.run(["stop", "web"]).ok(), "web: Chroot is stopped.\n");
        world.sh(&format!("kill -9 {}", host.pid())).fails(1, &["No such process"]);
        assert!(host.is_alive());
        world.assert_quiet();
    }
}

#[test]
fn a_container_sees_its_own_processes_only() {
    let (world, _host, _) = three("chroot");
    let seen = world.run(["exec", "one", "--", "ps"]).ok();
    assert_eq!(seen.lines().filter(|line| line.contains("httpd -p")).count(), 1, "{seen}");
    assert!(seen.lines().any(|line| line.split_whitespace().next() == Some("1")), "{seen}");
}
