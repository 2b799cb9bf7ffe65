//! Isolation `namespaces`: what a container sees, what the host sees of it, and how its state is told.

use std::fs;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::program::Ran;
use crate::sandbox;
use crate::world::{HostProcess, World, free_port, page, until};

const STORAGES: [&str; 3] = ["overlay", "nullfs", "md"];

/// A started container with a service that sleeps.
fn started(storage: &str) -> World {
    let world = World::with_sleeper_in(storage, "namespaces");
    assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
    world
}

fn init(world: &World) -> i32 {
    sandbox::holder(&world.lib("web/root.init")).expect("its sandbox lives")
}

#[test]
fn the_host_sees_none_of_its_mounts_and_nothing_stays() {
    for storage in STORAGES {
        let world = World::with_sleeper_in(storage, "namespaces");
        world.run(["start", "web"]).ok();
        assert_eq!(world.mounts(), Vec::<std::path::PathBuf>::new(), "{storage}");
        let report = world.report("web");
        assert_eq!((&report["state"], &report["mounts"]), (&"started".into(), &0.into()), "{report}");
        assert!(report["processes"].as_u64().unwrap() >= 2, "{report}");
        assert_eq!(report["services"][0]["state"], "running");
        let members = world.run(["ps", "web"]).ok();
        assert!(members.contains("sleep 1000"), "{members}");
        world.assert_sound();
        assert_eq!(world.run(["stop", "web"]).ok(), "web: Chroot is stopped.\n");
        assert_eq!(world.state("web"), "stopped");
        assert!(!world.lib("web/root.init").exists());
        world.assert_quiet();
    }
}

#[test]
fn a_container_sees_its_own_name_processes_and_mounts() {
    for storage in STORAGES {
        let world = started(storage);
        assert_eq!(world.sh("cat /proc/sys/kernel/hostname").ok(), "web\n");
        let first = world.sh("cat /proc/1/comm").ok();
        assert_eq!(first, "qchroot-init\n");
        let mut stranger = HostProcess::sleeping();
        world.sh(&format!("kill -9 {}", stranger.pid())).fails(1, &["No such process"]);
        assert!(stranger.is_alive());
        let table = world.sh("cat /proc/self/mountinfo").ok();
        let points: Vec<&str> = table.lines().filter_map(|line| line.split(' ').nth(4)).collect();
        let known = ["/", "/sharedfs"];
        let is_own =
            |at: &&str| known.contains(at) || ["/dev", "/proc", "/sys"].iter().any(|k| at.starts_with(k));
        assert!(points.iter().all(is_own), "{storage}: {points:?}");
        assert_eq!(points.iter().filter(|&&at| at == "/").count(), 1, "{storage}: {points:?}");
    }
}

#[test]
fn what_tells_of_the_host_or_acts_on_it_is_out_of_reach() {
    let world = started("overlay");
    for path in ["/proc/keys", "/proc/timer_list", "/proc/interrupts"] {
        assert_eq!(world.sh(&format!("test ! -e {path} || cat {path}")).ok(), "", "{path}");
    }
    assert_eq!(world.sh("ls /sys/firmware").ok(), "");
    for path in ["/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/sys/kernel/uevent_seqnum"] {
        let refused = world.sh(&format!("echo x > {path}"));
        assert!(refused.status != 0 && !refused.err.is_empty(), "{path}: {refused}");
    }
    world.sh("mknod /tmp/disk b 254 0").fails(1, &["not permitted"]);
    world.sh("mount -t tmpfs none /tmp").fails(1, &["denied"]);
    let devices = world.sh("ls /dev").ok();
    let known = "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero";
    assert_eq!(devices.split_whitespace().collect::<Vec<_>>().join(" "), known);
}

#[test]
fn a_stopped_one_is_opened_for_one_program() {
    for storage in STORAGES {
        let world = World::with_web_in(storage, "namespaces");
        assert_eq!(
            world.sh("echo $(cat /proc/sys/kernel/hostname) > /root/name; cat /root/name").ok(),
            "web\n"
        );
        world.assert_quiet();
        world.sh("exit 7").fails(7, &[]);
        assert_eq!(world.state("web"), "stopped");
        let typed = world.dir().join("typed");
        fs::write(&typed, "cat /root/name\n").unwrap();
        let mut console = world.command(["console", "web"]);
        let shell = Ran::of(console.stdin(fs::File::open(typed).unwrap()));
        assert_eq!(shell.ok(), "web\n");
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn an_option_gives_it_another_name() {
    let world = World::with_web_in("overlay", "namespaces");
    world.run(["config", "web", "-o", "isolation.host_name=shop.example"]).ok();
    assert_eq!(world.sh("cat /proc/sys/kernel/hostname").ok(), "shop.example\n");
}

#[test]
fn a_service_answers_and_its_script_stops_it() {
    for storage in STORAGES {
        let world = World::with_web_in(storage, "namespaces");
        let port = free_port();
        world.sh(&format!("echo {port} > /etc/port")).ok();
        world.run(["config", "web", "httpd"]).ok();
        world.run(["start", "web"]).ok();
        until("httpd answers", || page(port).is_some());
        assert_eq!(page(port).unwrap(), "a page from inside\n");
        world.run(["stop", "web"]).ok();
        assert_eq!(page(port), None);
        world.assert_quiet();
    }
}

#[test]
fn one_whose_init_is_killed_is_told_and_put_right() {
    for storage in STORAGES {
        let world = started(storage);
        kill(Pid::from_raw(init(&world)), Signal::SIGKILL).unwrap();
        until("list knows", || world.state("web") == "partial");
        let problems = world.report("web")["problems"].to_string();
        assert!(problems.contains("its sandbox has ended"), "{problems}");
        world.run(["start", "web"]).fails(75, &["its sandbox has ended", "hint: `qchroot stop web`"]);
        world.sh("true").fails(75, &["its sandbox has ended"]);
        world.run(["delete", "web"]).fails(75, &["its sandbox has ended"]);
        let found = world.run(["doctor", "--repair"]);
        assert!(found.out.contains("web is half started: its sandbox has ended"), "{found}");
        world.assert_quiet();
        assert_eq!(world.state("web"), "stopped");
        world.run(["start", "web"]).ok();
        kill(Pid::from_raw(init(&world)), Signal::SIGKILL).unwrap();
        until("list knows", || world.state("web") == "partial");
        world.run(["restart", "web"]).ok();
        assert_eq!(world.state("web"), "started");
        world.run(["stop", "web"]).ok();
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn who_is_not_root_is_told_its_state_too() {
    let world = started("overlay");
    for dir in [world.dir().to_owned(), world.root.clone()] {
        fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let as_nobody = || {
        let inner = world.command(["list", "web", "--json"]);
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(inner.get_program());
        Ran::of(command.args(inner.get_args())).json()[0]["state"].take()
    };
    assert_eq!(as_nobody(), "started");
    world.run(["stop", "web"]).ok();
    assert_eq!(as_nobody(), "stopped");
}

#[test]
fn declared_files_and_nodes_are_made_inside() {
    let world = World::with_sleeper_in("overlay", "namespaces");
    let mut text = fs::read_to_string(world.file("web")).unwrap();
    for path in ["dev/spare", "tmp/null"] {
        text.push_str(&format!("\n[[node]]\npath = \"{path}\"\ndevice = \"null\"\n"));
    }
    text.push_str(
        "\n[[permission]]\npath = \"root/db\"\nowner = \"www\"\ngroup = \"www\"\nmode = \"0750\"\n",
    );
    text.push_str("kind = \"directory\"\non_difference = \"fix\"\n");
    fs::write(world.file("web"), text).unwrap();
    world.run(["start", "web"]).ok();
    let kinds = world.sh("echo x > /dev/spare; echo x > /tmp/null; stat -c %F /dev/spare /tmp/null").ok();
    assert_eq!(kinds, "character special file\ncharacter special file\n");
    assert_eq!(world.sh("stat -c '%U %a' /root/db").ok(), "www 750\n");
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
    world.assert_sound();
}
