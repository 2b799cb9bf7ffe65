//! What a container may use of the machine, kept by the kernel's control groups.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::program::{self, Ran};
use crate::world::{RunWith, World, until};

/// The group of `web`, by the plan of its start.
fn group(world: &World) -> String {
    let plan = world.run(["start", "web", "--dry-run", "--json"]).json();
    let step =
        plan.as_array().unwrap().iter().find(|step| step["do"] == "group").expect("a group is planned");
    step["group"].as_str().unwrap().to_owned()
}

/// Its directories in all hierarchies.
fn directories(group: &str) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let hierarchies = table.lines().filter(|line| line.contains(" - cgroup"));
    let points = hierarchies.filter_map(|line| line.split(' ').nth(4));
    points.map(|at| PathBuf::from(at).join("qchroot").join(group)).filter(|at| at.is_dir()).collect()
}

/// What a file of the group says, wherever its controller is.
fn read(group: &str, files: &[&str]) -> String {
    let found = directories(group).into_iter().flat_map(|at| files.iter().map(move |file| at.join(file)));
    found.filter_map(|file| fs::read_to_string(file).ok()).next().expect("a file of the controller")
}

const ISOLATIONS: [&str; 2] = ["chroot", "namespaces"];

fn limited(limits: &[&str]) -> World {
    limited_in("chroot", limits)
}

fn limited_in(isolation: &str, limits: &[&str]) -> World {
    let world = World::with_sleeper_in("overlay", isolation);
    for limit in limits {
        world.run(["config", "web", "--limit", limit]).ok();
    }
    world
}

#[test]
fn what_forks_without_end_ends_in_errors_and_stops() {
    ISOLATIONS.iter().for_each(|isolation| forks_without_end(isolation));
}

fn forks_without_end(isolation: &str) {
    let world = limited_in(isolation, &["processes=50"]);
    let group = group(&world);
    world.run(["start", "web"]).ok();
    let bomb = world.sh("while :; do sleep 1000 >/dev/null 2>&1 & done");
    assert!(bomb.err.contains("can't fork"), "{bomb}");
    let report = world.report("web");
    assert_eq!(report["state"], "started");
    assert!((40..=52).contains(&report["processes"].as_u64().unwrap()), "{report}");
    world.run(["stop", "web", "--timeout", "5"]).ok();
    world.assert_quiet();
    assert_eq!(directories(&group), Vec::<PathBuf>::new());
    world.assert_sound();
}

#[test]
fn what_takes_too_much_memory_is_killed_and_others_go_on() {
    for isolation in ISOLATIONS {
        let world = limited_in(isolation, &["memory=32M"]);
        world.run(["start", "web"]).ok();
        let numbers = || {
            let members = world.run(["ps", "web", "--json"]).json();
            members.as_array().unwrap().iter().map(|member| member["pid"].clone()).collect::<Vec<_>>()
        };
        let before = numbers();
        let hog = world.sh("a=0123456789; while :; do a=$a$a; done");
        assert_eq!(hog.status, 128 + 9, "{isolation}: {hog}");
        assert_eq!(numbers(), before, "{isolation}");
        assert_eq!(world.state("web"), "started");
        world.run(["stop", "web"]).ok();
        world.assert_quiet();
    }
}

#[test]
fn each_process_has_as_many_open_files_as_it_may() {
    for isolation in ISOLATIONS {
        let world = limited_in(isolation, &["open_files=64"]);
        assert_eq!(world.sh("ulimit -n; ulimit -Hn").ok(), "64\n64\n", "{isolation}");
        world.run(["config", "web", "--command", "asks=sh -c 'ulimit -n; sleep 1000'"]).ok();
        world.run(["start", "web"]).ok();
        until("the service has said it", || world.run(["logs", "web", "asks"]).out.ends_with("Z 64\n"));
        world.run(["stop", "web"]).ok();
    }
}

#[test]
fn processor_time_is_shared_out() {
    let world = limited(&["cpu=0.1"]);
    world.run(["config", "web", "--command", "busy=sh -c 'while :; do :; done'"]).ok();
    let group = group(&world);
    world.run(["start", "web"]).ok();
    let throttled = || {
        let stat = read(&group, &["cpu.stat"]);
        let times = stat.lines().find_map(|line| line.strip_prefix("nr_throttled ")).unwrap().parse::<u64>();
        times.unwrap()
    };
    until("the loop has to wait", || throttled() > 2);
    world.run(["stop", "web"]).ok();
    assert_eq!(directories(&group), Vec::<PathBuf>::new());
}

#[test]
fn every_program_inside_is_in_the_group_and_the_limits_are_as_written() {
    let world = limited(&["memory=64M", "processes=60", "cpu=1.5", "read=10M", "write=20M"]);
    let group = group(&world);
    world.run(["start", "web"]).ok();
    let own = world.sh("cat /proc/self/cgroup").ok();
    assert!(own.contains(&format!("/qchroot/{group}")), "{own}");
    let inside = world.inside();
    let services = read(&group, &["cgroup.procs"]);
    assert!(services.lines().any(|pid| inside.contains(&pid.parse().unwrap())), "{services} {inside:?}");
    assert_eq!(read(&group, &["memory.max", "memory.limit_in_bytes"]).trim(), "67108864");
    assert_eq!(read(&group, &["pids.max"]).trim(), "60");
    assert!(read(&group, &["cpu.max", "cpu.cfs_quota_us"]).starts_with("150000"));
    assert!(read(&group, &["io.max", "blkio.throttle.read_bps_device"]).contains("10485760"));
    // What an administrator takes out counts from the next start.
    for limit in ["memory", "processes", "cpu", "read", "write"] {
        world.run(["config", "web", "--limit", &format!("{limit}=none")]).ok();
    }
    assert!(world.sh("cat /proc/self/cgroup").ok().contains(&group), "still in force");
    world.run(["restart", "web"]).ok();
    assert!(!world.sh("cat /proc/self/cgroup").ok().contains(&group));
    assert_eq!(directories(&group), Vec::<PathBuf>::new());
}

#[test]
fn a_limit_that_is_none_is_refused_with_the_line() {
    let world = World::with_web("overlay");
    world.run(["config", "web", "--limit", "memory=lots"]).fails(64, &["lots", "memory=512M"]);
    world.run(["config", "web", "--limit", "speed=3"]).fails(64, &["speed"]);
    let file = fs::read_to_string(world.file("web")).unwrap() + "\n[limits]\nprocesses = -1\n";
    fs::write(world.file("web"), &file).unwrap();
    let line = file.lines().count();
    world.run(["start", "web"]).fails(78, &[&format!("web.toml:{line}:13")]);
}

#[test]
fn limits_are_given_when_the_container_is_made() {
    let world = World::installed();
    let made = world.command(["create", "web", "--limit", "processes=40", "--limit", "memory=64M"]).ran(&[]);
    made.ok();
    let file = fs::read_to_string(world.file("web")).unwrap();
    assert!(file.contains("[limits]\nmemory = \"64M\"\nprocesses = 40\n"), "{file}");
    assert!(
        world.sh("cat /proc/self/cgroup").ok().contains("/qchroot/qchroot-web-"),
        "a session is limited, too"
    );
    world.assert_quiet();
}

/// Runs the program where the mount table was changed by a shell command before.
fn where_mounts_are(world: &World, change: &str, args: &[&str]) -> Ran {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c"]);
    command.arg(format!("{change} && exec \"$@\"")).arg("sh").arg(program::path());
    Ran::of(command.arg("--root").arg(&world.root).args(args))
}

const NO_PIDS: &str = "umount $(awk '$3 ~ /^cgroup/ && /pids/ {print $2}' /proc/mounts)";

#[test]
fn a_controller_that_is_missing_is_named_and_what_to_do() {
    let world = limited(&["processes=50", "memory=64M"]);
    let texts = &["web cannot be kept to its limit of processes", "controller pids", "required=no"];
    where_mounts_are(&world, NO_PIDS, &["start", "web"]).fails(69, texts);
    world.assert_quiet();
    assert_eq!(world.state("web"), "stopped");
    world.run(["config", "web", "--limit", "required=no"]).ok();
    let opened = where_mounts_are(&world, NO_PIDS, &["exec", "web", "cat", "/proc/self/cgroup"]);
    assert!(opened.err.contains("warning: web has no limit of processes: no control group"), "{opened}");
    let own = opened.ok();
    let line = |controller: &str| own.lines().find(|line| line.contains(controller)).unwrap();
    assert!(
        line(":memory:").contains("/qchroot/qchroot-web-") && !line(":pids:").contains("qchroot"),
        "{own}"
    );
    world.assert_quiet();
}

#[test]
fn hierarchies_that_cannot_be_written_to_are_named() {
    let world = limited(&["memory=64M"]);
    let read_only = "mount -o remount,bind,ro /sys/fs/cgroup/memory";
    where_mounts_are(&world, read_only, &["start", "web"]).fails(69, &["limit of memory", "read-only"]);
    world.assert_quiet();
}

#[test]
fn reads_are_limited_on_disks_only() {
    let world = World::within("/dev/shm");
    crate::userland::write(&world.archive());
    world.install("tiny-1.0").ok();
    world.command(["create", "web", "--storage", "nullfs", "--limit", "read=1M"]).ran(&[]).ok();
    world.run(["exec", "web", "true"]).fails(125, &["limit of read", "does not lie on a disk"]);
    world.assert_quiet();
}

#[test]
fn a_start_that_dies_leaves_no_group_once_it_is_put_right() {
    let world = limited(&["processes=50"]);
    let group = group(&world);
    for point in 1.. {
        if !world.crash(point, ["start", "web"]).has_crashed() {
            assert!(point > 5, "{point}");
            break;
        }
        world.run(["doctor", "--repair"]);
        world.assert_quiet();
        assert_eq!(directories(&group), Vec::<PathBuf>::new(), "after point {point}");
    }
    world.run(["stop", "web"]).ok();
    assert_eq!(directories(&group), Vec::<PathBuf>::new());
}
