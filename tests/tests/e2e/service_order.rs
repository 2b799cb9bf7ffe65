//! Services of one container that need each other: their order, what is refused, and what becomes of them when one
//! fails.

use std::fs;

use crate::world::World;

/// A container whose services each write down when they start and stop.
fn with_services(names: &[&str]) -> World {
    let world = World::with_web("overlay");
    for name in names {
        let script = format!(
            "echo start {name} >> /tmp/order; trap \"echo stop {name} >> /tmp/order; exit\" TERM; \
             while :; do sleep 1000 & wait; done"
        );
        world.run(["config", "web", "--command", &format!("{name}=sh -c '{script}'")]).ok();
    }
    world
}

fn order(world: &World) -> Vec<String> {
    let text = fs::read_to_string(world.lib("web/upper/tmp/order")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn each_starts_after_those_it_needs_and_stops_before_them() {
    let world = with_services(&["web", "cron", "app", "cache", "db"]);
    world
        .run(["config", "web", "--requires", "web=app", "--requires", "app=db", "--after", "app=cache"])
        .ok();
    world.run(["config", "web", "--after", "cron=nosuch"]).ok();
    world.run(["start", "web"]).ok();
    let started = ["db", "cache", "app", "web", "cron"].map(|name| format!("start {name}"));
    assert_eq!(order(&world), started);
    world.run(["stop", "web"]).ok();
    let stopped = ["cron", "web", "app", "cache", "db"].map(|name| format!("stop {name}"));
    assert_eq!(order(&world)[5..], stopped);
    world.assert_quiet();
}

#[test]
fn a_circle_is_refused_by_config_and_by_start_with_the_way() {
    let world = with_services(&["db", "web"]);
    world.run(["config", "web", "--after", "db=web"]).ok();
    let before = fs::read_to_string(world.file("web")).unwrap();
    world
        .run(["config", "web", "--after", "web=db"])
        .fails(78, &["services wait for each other: db after web after db", "hint: "]);
    assert_eq!(fs::read_to_string(world.file("web")).unwrap(), before, "nothing was written");
    fs::write(
        world.file("web"),
        before.replace("after = [\"web\"]", "requires = [\"web\"]") + "after = [\"db\"]\n",
    )
    .unwrap();
    let text = fs::read_to_string(world.file("web")).unwrap();
    let line = 1 + text.lines().position(|line| line.starts_with("requires")).unwrap();
    let place = format!("web.toml:{line}:1: services wait for each other: db requires web after db");
    world.run(["start", "web"]).fails(78, &[&place]);
    world.assert_quiet();
}

#[test]
fn what_is_required_is_configured() {
    let world = with_services(&["db", "web"]);
    world
        .run(["config", "web", "--requires", "web=mail"])
        .fails(78, &["service web requires mail, which is not configured", "hint: "]);
    world.run(["config", "web", "--requires", "web=db"]).ok();
    world
        .run(["config", "web", "--remove", "db"])
        .fails(78, &["service web requires db, which is not configured"]);
    world.run(["config", "web", "--requires", "web="]).ok();
    world.run(["config", "web", "--remove", "db"]).ok();
    world.run(["config", "web", "--after", "mail=web"]).fails(66, &["service mail is not configured"]);
}

#[test]
fn what_needs_a_service_that_fails_is_not_started() {
    let world = with_services(&["cache", "web"]);
    world.run(["config", "web", "--command", "db=sh -c 'echo no space; exit 3'"]).ok();
    world.run(["config", "web", "--requires", "web=db"]).ok();
    world.run(["start", "web"]).fails(71, &["service db of web ended with status 3", "no space"]);
    assert_eq!(order(&world), ["start cache", "stop cache"]);
    assert_eq!(world.state("web"), "stopped");
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn what_the_administrator_wrote_beside_it_stays() {
    let world = with_services(&["db", "web"]);
    let text = fs::read_to_string(world.file("web")).unwrap();
    let text =
        text.replace("name = \"db\"", "# keeps the orders\nname = \"db\" # since May\nready_timeout = 90");
    fs::write(world.file("web"), text).unwrap();
    let settings = "--user db=www --stop-signal db=SIGINT --restart db=always --ready db=port:5432";
    world.run(["config", "web"].into_iter().chain(settings.split(' '))).ok();
    world
        .run(["config", "web", "--command", "db=sleep 1000", "--after", "db=cache", "--after", "db=cache"])
        .ok();
    let text = fs::read_to_string(world.file("web")).unwrap();
    for line in [
        "# keeps the orders\nname = \"db\" # since May\n",
        "command = [\"sleep\", \"1000\"]\n",
        "ready_timeout = 90\n",
        "user = \"www\"\n",
        "stop_signal = \"SIGINT\"\n",
        "restart = \"always\"\n",
        "ready = { port = 5432 }\n",
        "after = [\"cache\"]\n",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    world.run(["config", "web", "--restart", "db=", "--ready", "db="]).ok();
    let text = fs::read_to_string(world.file("web")).unwrap();
    assert!(!text.contains("restart") && !text.contains("ready ="), "{text}");
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let world = with_services(&["db"]);
    world.run(["config", "web", "httpd"]).ok();
    let before = fs::read_to_string(world.file("web")).unwrap();
    for (option, value, status, said) in [
        ("--ready", "db=port:99999", 64, "cannot be ready by \"port:99999\""),
        ("--ready", "db=soon", 64, "cannot be ready by \"soon\""),
        ("--ready", "db=file:run/db", 78, "is ready by one thing"),
        ("--restart", "db=often", 64, "restart is on-failure, always or never"),
        ("--stop-signal", "db=FOO", 78, "cannot be stopped by signal \"FOO\""),
        ("--user", "httpd=www", 78, "has a script, and user is for commands only"),
        ("--stop-signal", "httpd=INT", 78, "has a script, and stop_signal is for commands only"),
        ("--ready", "httpd=notify", 78, "has a script, and ready by notify is for commands only"),
        ("--after", "db=../db", 64, "bad service name"),
    ] {
        world.run(["config", "web", option, value]).fails(status, &[said]);
    }
    assert_eq!(fs::read_to_string(world.file("web")).unwrap(), before);
}
