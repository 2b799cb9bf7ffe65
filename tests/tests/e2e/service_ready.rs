//! A start comes back when its services are ready, in each isolation; their users, their signals, and what their
//! supervisors say of them.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::Value;

use crate::world::{World, free_port, page, until};

fn status(world: &World, service: &str) -> Value {
    let text = fs::read(world.root.join(format!("run/web/{service}.status"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn log(world: &World, service: &str) -> String {
    fs::read_to_string(world.root.join(format!("log/web/{service}.log"))).unwrap_or_default()
}

/// A web server behind a database, each slow; the server asks whether the database is there when it starts.
fn shop(isolation: &str) -> (World, u16) {
    let world = World::with_web_in("overlay", isolation);
    let (db, web) = (free_port(), free_port());
    let server = |name: &str, port: u16, first: &str| {
        format!("{name}=sh -c 'sleep 0.7; {first} exec httpd -f -p 127.0.0.1:{port} -h /www'")
    };
    let asks = format!("wget -q -O /tmp/answer http://127.0.0.1:{db}/ || exit 9;");
    world.run(["config", "web", "--command", &server("web", web, &asks)]).ok();
    world.run(["config", "web", "--command", &server("db", db, "")]).ok();
    let ready = [format!("web=port:{web}"), format!("db=port:{db}")];
    world.run(["config", "web", "--requires", "web=db", "--ready", &ready[0], "--ready", &ready[1]]).ok();
    (world, web)
}

#[test]
fn a_service_starts_when_the_one_it_requires_takes_connections() {
    for isolation in ["chroot", "namespaces"] {
        let (world, port) = shop(isolation);
        world.run(["start", "web"]).ok();
        assert_eq!(page(port).as_deref(), Some("a page from inside\n"), "{isolation}: at once");
        assert_eq!(status(&world, "web")["standing"], "running", "{isolation}");
        world.run(["stop", "web"]).ok();
        assert_eq!(page(port), None, "{isolation}");
        assert_eq!(status(&world, "db")["standing"], "stopped", "{isolation}");
        world.assert_quiet();
    }
}

#[test]
fn a_port_is_looked_for_in_the_network_of_the_container() {
    let world = World::with_web_in("overlay", "namespaces");
    let port = free_port();
    let outside = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    world.run(["config", "web", "-o", "isolation.network=none"]).ok();
    let command = format!("http=sh -c 'sleep 0.7; touch /tmp/up; exec httpd -f -p 127.0.0.1:{port}'");
    world.run(["config", "web", "--command", &command, "--ready", &format!("http=port:{port}")]).ok();
    world.run(["start", "web"]).ok();
    assert!(world.lib("web/upper/tmp/up").exists(), "what listens outside does not count");
    drop(outside);
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
}

#[test]
fn a_service_that_is_never_ready_is_not_left_behind() {
    for isolation in ["chroot", "namespaces"] {
        let world = World::with_web_in("overlay", isolation);
        world.run(["config", "web", "--command", "db=sh -c 'echo replaying the log; sleep 1000'"]).ok();
        world.run(["config", "web", "--ready", "db=file:/var/run/db.sock"]).ok();
        let text = fs::read_to_string(world.file("web")).unwrap();
        fs::write(world.file("web"), text.replace("ready = ", "ready_timeout = 1\nready = ")).unwrap();
        world
            .run(["start", "web"])
            .fails(71, &["service db of web was not ready in time", "replaying the log", "hint: see "]);
        assert_eq!(world.state("web"), "stopped");
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn a_service_says_itself_that_it_is_ready_as_its_user() {
    for isolation in ["chroot", "namespaces"] {
        let world = World::with_web_in("overlay", isolation);
        let script = "trap \"echo told by INT; exit\" INT; id > /tmp/id; sleep 0.5; touch /tmp/up; \
                      echo READY=1 >&$READY_FD; while :; do sleep 1000 & wait; done";
        world.run(["config", "web", "--command", &format!("db=sh -c '{script}'")]).ok();
        world
            .run(["config", "web", "--user", "db=www", "--stop-signal", "db=INT", "--ready", "db=notify"])
            .ok();
        world.run(["start", "web"]).ok();
        assert!(world.lib("web/upper/tmp/up").exists(), "{isolation}");
        let id = fs::read_to_string(world.lib("web/upper/tmp/id")).unwrap();
        assert_eq!(id, "uid=80(www) gid=80(www) groups=4(logs),80(www)\n", "{isolation}");
        world.run(["stop", "web"]).ok();
        assert!(log(&world, "db").contains(" told by INT\n"), "{isolation}: {}", log(&world, "db"));
        world.assert_quiet();
    }
}

#[test]
fn what_a_supervisor_says_is_kept_up_to_date() {
    let world = World::with_web("overlay");
    world.run(["config", "web", "--command", "job=sh -c 'sleep 0.5; exit 4'"]).ok();
    world.run(["start", "web"]).ok();
    until("it was started again", || status(&world, "job")["restarts"].as_u64() >= Some(1));
    let said = status(&world, "job");
    assert_eq!(said["last_exit"], 4, "{said}");
    assert!(said["since"].as_u64().unwrap() > 1_700_000_000, "{said}");
    assert_eq!(fs::metadata(world.root.join("run/web/job.status")).unwrap().mode() & 0o777, 0o644);
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
}
