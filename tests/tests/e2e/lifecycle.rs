//! The main job: from a release to a container that serves a page, and back.

use serde_json::{Value, json};

use crate::world::{World, free_port, page, until};

const STORAGES: [&str; 2] = ["overlay", "nullfs"];

#[test]
fn a_container_from_install_to_delete() {
    for storage in STORAGES {
        let world = World::installed();
        assert_eq!(world.run(["create", "web", "--storage", storage]).ok(), "web: created\n");
        let created = world.lasting();

        assert_eq!(world.run(["start", "web"]).ok(), "web: Bypassed; No service configured yet\n");
        assert_eq!(world.run(["config", "web"]).ok(), "Bypassed; No service configured yet\n");
        assert_eq!(world.run(["stop", "web"]).ok(), "web: Error; Chroot is already stopped.\n");
        created.assert_same(&world.lasting(), "nothing was started");

        let port = free_port();
        let command = format!("http=httpd -f -p 127.0.0.1:{port} -h /www");
        world.run(["config", "web", "--command", &command]).ok();
        assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
        until("httpd answers", || page(port).is_some());
        assert_eq!(page(port).unwrap(), "a page from inside\n");
        assert_eq!(world.run(["start", "web"]).ok(), "web: Error; Chroot is already started.\n");

        world
            .run(["delete", "web"])
            .fails(75, &["cannot delete web", "it is started", "hint: stop it first"]);
        assert_eq!(page(port).unwrap(), "a page from inside\n", "a refused delete disturbs nothing");

        assert_eq!(world.run(["restart", "web"]).ok(), "web: Start chroot completed.\n");
        until("httpd answers again", || page(port).is_some());
        assert_eq!(world.run(["stop", "web"]).ok(), "web: Chroot is stopped.\n");
        assert_eq!(page(port), None);
        world.assert_quiet();
        assert_eq!(world.run(["stop", "web"]).ok(), "web: Error; Chroot is already stopped.\n");

        assert_eq!(world.run(["delete", "--wait", "web"]).ok(), "web: deleted\n");
        assert!(!world.lib("web").exists() && !world.file("web").exists());
        assert!(!world.root.join("log/web").exists(), "its logs go with it");
        assert_eq!(world.run(["list", "--json"]).json(), json!([]));
        world.assert_sound();
    }
}

#[test]
fn list_shows_every_field_by_the_kernels_word() {
    let world = World::with_sleeper("overlay");
    let release = world.run(["release", "list", "--json"]).json()[0]["id"].clone();
    let report = world.report("web");
    let expected = json!({
        "name": "web", "state": "stopped", "release": release, "storage": "overlay", "isolation": "chroot",
        "services": [{"name": "sleeper", "state": "stopped"}], "processes": 0, "mounts": 0, "limit_bytes": null,
        "boot": true, "problems": [],
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(report[key], *value, "{key}");
    }
    assert!(report["used_bytes"].is_u64(), "{report}");

    world.run(["start", "web"]).ok();
    let report = world.report("web");
    assert_eq!((&report["state"], &report["services"][0]["state"]), (&json!("started"), &json!("running")));
    assert_eq!(report["processes"], world.inside().len());
    assert_eq!(report["mounts"], world.mounts().len());

    let table = world.run(["list"]).ok();
    let words: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        words[0],
        "NAME STATE RELEASE STORAGE ISOLATION PROCS MOUNTS USED LIMIT BOOT SERVICES"
            .split(' ')
            .collect::<Vec<_>>()
    );
    assert_eq!(words[1][..2], ["web", "started"]);
    let status = world.run(["status", "web"]).ok();
    assert!(
        status.starts_with("web: started (") && status.contains("  service sleeper: running since "),
        "{status}"
    );
}

#[test]
fn ps_shows_the_processes_and_their_users() {
    let world = World::with_web("nullfs");
    world.run(["config", "web", "--command", "sleeper=sleep 4321"]).ok();
    assert_eq!(world.run(["ps", "web", "--json"]).json(), json!([]));
    world.run(["start", "web"]).ok();
    let members = world.run(["ps", "web", "--json"]).json();
    let sleeper =
        members.as_array().unwrap().iter().find(|m| m["command"] == "sleep 4321").expect("the sleeper");
    assert_eq!((&sleeper["container"], &sleeper["user"]), (&json!("web"), &json!("root")));
    let pid = i32::try_from(sleeper["pid"].as_i64().unwrap()).unwrap();
    assert!(world.inside().contains(&pid));
    assert!(
        world.run(["ps"]).ok().lines().any(|line| line.starts_with("web") && line.ends_with("sleep 4321"))
    );
}

#[test]
fn exec_opens_a_stopped_container_and_closes_it_again() {
    for storage in STORAGES {
        let world = World::with_web(storage);
        assert_eq!(world.run(["exec", "web", "--", "cat", "/www/index.html"]).ok(), "a page from inside\n");
        world.assert_quiet();
        world.sh("echo mine > /root/own").ok();
        assert_eq!(world.sh("cat /root/own").ok(), "mine\n", "what it writes stays");
        let written = world.sh("echo x > /bin/new");
        match storage {
            "overlay" => drop(written.ok()),
            _ => drop(written.fails(1, &["Read-only file system"])),
        }
        assert!(world.lib("current/sharedfs/bin/new").symlink_metadata().is_err(), "the base is untouched");
        assert_eq!(world.state("web"), "stopped");
        world.assert_sound();
    }
}

#[test]
fn start_and_stop_all() {
    let world = World::installed();
    for name in ["a", "b", "idle"] {
        world.run(["create", name]).ok();
    }
    for name in ["a", "b"] {
        world.run(["config", name, "--command", "sleeper=sleep 1000"]).ok();
    }
    assert_eq!(
        world.run(["start", "-A"]).ok(),
        "a: Start chroot completed.\nb: Start chroot completed.\nidle: Bypassed; No service configured yet\n"
    );
    let results = world.run(["stop", "-A", "--json"]).json();
    let result = |name, phrase| json!({"name": name, "result": phrase});
    assert_eq!(
        results,
        Value::Array(vec![
            result("a", "Chroot is stopped."),
            result("b", "Chroot is stopped."),
            result("idle", "Error; Chroot is already stopped."),
        ])
    );
    world.assert_quiet();
}

#[test]
fn one_failure_among_several_containers_does_not_keep_the_others() {
    let world = World::with_sleeper("overlay");
    let ran = world.run(["start", "missing", "web"]);
    assert!(ran.out.contains("web: Start chroot completed."), "{ran}");
    ran.fails(66, &["there is no container missing"]);
    assert_eq!(world.state("web"), "started");
}

#[test]
fn config_keeps_comments_and_takes_services_in_and_out() {
    let world = World::with_web("overlay");
    let file = world.file("web");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("# the shop's web server\n{text}")).unwrap();
    world.run(["config", "web", "httpd", "--command", "sleeper=sleep '1000'", "--boot", "no"]).ok();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# the shop's web server\nformat = 1\n"), "{text}");
    assert!(text.contains("name = \"httpd\"\nscript = \"/etc/init.d/httpd\"\n"), "{text}");
    assert!(text.contains("command = [\"sleep\", \"1000\"]"), "{text}");
    assert_eq!(world.report("web")["boot"], false);
    let shown = world.run(["config", "web"]).ok();
    assert_eq!(shown.lines().count(), 2, "{shown}");

    world.run(["config", "web", "--remove", "httpd", "--remove", "sleeper", "--boot", "yes"]).ok();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# the shop's web server\n") && !text.contains("service"), "{text}");
    assert_eq!(world.run(["config", "web"]).ok(), "Bypassed; No service configured yet\n");
}

#[test]
fn a_change_of_the_configuration_counts_from_the_next_start() {
    let world = World::with_sleeper("overlay");
    world.run(["start", "web"]).ok();
    let before = world.inside();
    world.run(["config", "web", "--remove", "sleeper", "--command", "other=sleep 2000"]).ok();
    assert_eq!(world.inside(), before, "a running container is not disturbed");
    assert_eq!(world.run(["restart", "web"]).ok(), "web: Start chroot completed.\n");
    let commands = world.run(["ps", "web"]).ok();
    assert!(commands.contains("sleep 2000") && !commands.contains("sleep 1000"), "{commands}");
}

#[test]
fn the_names_of_the_manual_lead_to_the_current_release() {
    let world = World::installed();
    assert!(world.lib("sharedfs/bin/busybox").is_file());
    assert!(world.lib("template/etc/passwd").is_file());
    let releases = world.run(["release", "list"]).ok();
    assert!(releases.lines().any(|line| line.starts_with("*  tiny-1.0-")), "{releases}");
    assert!(world.run(["version"]).ok().starts_with("qchroot "));
}
