//! Capped containers get another size, are checked, and tell of their space: on real disks, with the programs of their
//! file systems.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::program::Ran;
use crate::world::{World, until};

const MIB: u64 = 1 << 20;

/// The smallest sizes that all of them take in turn: file system, small, large.
const SIZES: [(&str, &str, &str); 3] =
    [("ext4", "64M", "160M"), ("xfs", "320M", "512M"), ("btrfs", "160M", "320M")];

/// A system with a capped container `web` whose service `sleeper` sleeps.
fn capped(fs: &str, size: &str) -> World {
    let world = World::installed();
    let option = format!("storage.fs={fs}");
    world.run(["create", "web", "--storage", "md", "--size", size, "-o", &option]).ok();
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    world
}

fn bytes(size: &str) -> u64 {
    size.trim_end_matches('M').parse::<u64>().unwrap() * MIB
}

fn resize(world: &World, size: &str) -> Ran {
    world.run(["resize", "web", size])
}

fn disk(world: &World) -> PathBuf {
    world.lib("web/disk.img")
}

/// Numbers, each in a line, that a program inside writes and reads back.
const WRITE: &str = "seq 1 100000 > /root/numbers; mkdir -p /srv/a/b; ln -s a /srv/link; echo deep > /srv/a/b/file; \
                     chmod 4711 /srv/a/b/file";
const READ: &str = "seq 1 100000 | cat - /srv/link/b/file > /root/expected; \
                    cat /root/numbers /srv/link/b/file > /root/got; \
                    [ \"$(cat /root/got)\" = \"$(cat /root/expected)\" ] && stat -c %a /srv/a/b/file";

fn assert_whole(world: &World) {
    assert_eq!(world.sh(READ).ok(), "4711\n");
    world.sh("rm /root/got /root/expected").ok();
}

#[test]
fn a_stopped_container_grows_and_shrinks_and_loses_nothing() {
    for (fs, small, large) in SIZES {
        let world = capped(fs, small);
        world.sh(WRITE).ok();
        let words = |from: &str, to: &str| {
            format!("web: {} MiB -> {} MiB\n", &from[..from.len() - 1], &to[..to.len() - 1])
        };
        assert_eq!(resize(&world, large).ok(), words(small, large), "{fs}");
        assert_whole(&world);
        assert_eq!(world.report("web")["limit_bytes"], bytes(large));
        assert_eq!(resize(&world, small).ok(), words(large, small), "{fs}");
        assert_whole(&world);
        let report = world.run(["resize", "web", small, "--json"]).json();
        assert_eq!(
            (&report["from_bytes"], &report["to_bytes"]),
            (&bytes(small).into(), &bytes(small).into())
        );
        assert!(fs::read_to_string(world.file("web")).unwrap().contains(&format!("size = \"{small}\"")));
        assert_eq!(disk(&world).metadata().unwrap().len(), bytes(small));
        assert_eq!(
            fs::read_dir(world.lib("web")).unwrap().count(),
            2,
            "the disk and the root, and nothing beside"
        );
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn a_started_container_grows_while_a_program_writes() {
    for (fs, small, large) in &SIZES[1..] {
        let world = capped(fs, small);
        world.run(["start", "web"]).ok();
        let script = "n=0; while [ ! -e /root/stop ]; do n=$((n+1)); echo $n >> /root/log; done; echo $n";
        let mut writer = world.command(["exec", "web", "--", "sh", "-c", script]);
        let writer = writer.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until("the program writes", || world.sh("[ -s /root/log ]").status == 0);
        resize(&world, large).ok();
        assert_eq!(world.report("web")["limit_bytes"], bytes(large), "{fs}");
        world.sh("touch /root/stop").ok();
        let written: u64 =
            Ran::new("the writer", &writer.wait_with_output().unwrap()).ok().trim().parse().unwrap();
        assert_eq!(world.sh("cat /root/log").ok().lines().count() as u64, written, "{fs}");
        // More than it had before fits now.
        let more = (bytes(large) - bytes(small)) / MIB + 20;
        world.sh(&format!("yes | head -c {} > /root/big", more * MIB)).ok();
        resize(&world, small).fails(75, &["while its disk is in use", "hint: `qchroot stop web`"]);
        world.run(["stop", "web"]).ok();
        assert_eq!(world.run(["check", "web", "--json"]).json()[0]["result"], "clean", "{fs}");
        world.assert_quiet();
        world.assert_sound();
    }
}

/// Whether this process may have the kernel grow an ext4 under its mount; capabilities(7).
fn has_sys_resource() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    u64::from_str_radix(line.trim(), 16).unwrap() >> 24 & 1 == 1
}

#[test]
fn an_ext4_that_the_kernel_does_not_grow_runs_on_as_it_was() {
    let world = capped("ext4", "64M");
    world.run(["start", "web"]).ok();
    let before = fs::read_to_string(world.file("web")).unwrap();
    if has_sys_resource() {
        resize(&world, "128M").ok();
        assert_eq!(world.report("web")["limit_bytes"], 128 * MIB);
    } else {
        resize(&world, "128M").fails(77, &["CAP_SYS_RESOURCE", "hint: stop the container, then resize it"]);
        let report = world.report("web");
        assert_eq!((&report["limit_bytes"], &report["state"]), (&(64 * MIB).into(), &"started".into()));
        assert_eq!(fs::read_to_string(world.file("web")).unwrap(), before);
        world.assert_sound();
    }
    world.sh("echo on > /root/file").ok();
    world.run(["stop", "web"]).ok();
    resize(&world, "192M").ok();
    world.run(["start", "web"]).ok();
    assert_eq!(world.sh("cat /root/file").ok(), "on\n");
    assert_eq!(world.report("web")["limit_bytes"], 192 * MIB);
}

#[test]
fn a_size_that_does_not_do_is_refused_with_the_figures_and_nothing_changes() {
    let world = capped("ext4", "96M");
    world.sh("yes | head -c 50000000 > /root/big").ok();
    let before = world.lasting();
    resize(&world, "48M")
        .fails(64, &["48 MiB is too small for what web holds", "are in use", "hint: remove files"]);
    for bad in ["64X", "1.5G"] {
        resize(&world, bad).fails(64, &["bad size", "hint: a size is"]);
    }
    for small in ["12", "0", "1K"] {
        resize(&world, small).fails(64, &["is too small"]);
    }
    world.run(["config", "web", "-o", "storage.size=1G"]).fails(64, &["use `qchroot resize web 1G`"]);
    world.run(["resize", "nobody", "1G"]).fails(66, &["there is no container nobody"]);
    before.assert_same(&world.lasting(), "what was refused");
    world.run(["create", "plain", "--storage", "nullfs"]).ok();
    world.run(["resize", "plain", "1G"]).fails(69, &["its storage is nullfs"]);
    world.run(["check", "plain"]).fails(69, &["no file system of its own"]);
    world.run(["create", "other", "--storage", "nullfs", "--size", "1G"]).fails(64, &["cannot limit", "md"]);
}

/// Writes nonsense over the tables of the first block group, behind a superblock that says that all is well.
fn damage(world: &World) {
    let disk = OpenOptions::new().write(true).open(disk(world)).unwrap();
    disk.write_all_at(&[0xa5; 4096], 3 * 4096).unwrap();
    disk.write_all_at(&[0x5a; 16384], 40 * 4096).unwrap();
    disk.sync_all().unwrap();
}

#[test]
fn a_check_finds_what_is_damaged_and_repairs_it_when_told() {
    let world = capped("ext4", "64M");
    world.sh(WRITE).ok();
    world.run(["start", "web"]).ok();
    world.run(["check", "web"]).fails(75, &["web is started", "hint: stop it first"]);
    world.run(["stop", "web"]).ok();
    let log = world.root.join("log/web/disk.log");
    assert_eq!(world.run(["check", "web"]).ok(), format!("web: clean (see {})\n", log.display()));
    assert!(world.run(["--dry-run", "check", "web"]).ok().contains("check ext4 disk"));

    damage(&world);
    world.run(["create", "db", "--storage", "md", "--size", "64M"]).ok();
    let ran = world.run(["check", "web", "db"]);
    assert!(ran.status == 65 && ran.out.contains("db: clean"), "all are checked: {ran}");
    assert!(
        ran.err.contains("`qchroot check web` with `--repair`") || ran.err.contains("check web --repair"),
        "{ran}"
    );
    world.assert_sound();
    let said = world.run(["check", "web", "--repair"]).ok();
    assert!(said.starts_with("web: repaired"), "{said}");
    assert!(world.run(["check", "web"]).ok().starts_with("web: clean"));
    assert_eq!(world.sh("echo usable").ok(), "usable\n");
    assert!(fs::read_to_string(&log).unwrap().contains("e2fsck -f -y"));
}

#[test]
fn a_disk_cut_short_stops_its_own_container_and_no_other() {
    let world = capped("ext4", "64M");
    world.run(["create", "db", "--storage", "md", "--size", "64M"]).ok();
    world.run(["config", "db", "--command", "sleeper=sleep 1000"]).ok();
    File::options().write(true).open(disk(&world)).unwrap().set_len(40 * MIB).unwrap();
    let ran = world.run(["start", "-A"]);
    assert!(ran.status == 65 && ran.out.contains("db: Start chroot completed."), "{ran}");
    assert!(ran.err.contains("qchroot check web"), "{ran}");
    assert_eq!((world.state("web"), world.state("db")), ("stopped".into(), "started".into()));
    assert!(world.run(["check", "web", "--repair"]).ok().starts_with("web: repaired"));
    world.run(["start", "web"]).ok();
}

fn space(world: &World) -> Value {
    world.report("web")["space"].take()
}

#[test]
fn space_is_told_as_the_container_and_the_host_see_it() {
    let world = capped("ext4", "64M");
    let number = |space: &Value, key: &str| space[key].as_u64().unwrap_or_else(|| panic!("{key} of {space}"));
    let fresh = space(&world);
    assert_eq!((number(&fresh, "limit_bytes"), number(&fresh, "apparent_bytes")), (64 * MIB, 64 * MIB));
    assert!(number(&fresh, "allocated_bytes") < 16 * MIB && number(&fresh, "percent") < 50, "{fresh}");
    world.run(["start", "web"]).ok();
    world.sh("yes | head -c 30000000 > /root/big").ok();
    let fuller = space(&world);
    let wrote = number(&fuller, "used_bytes") - number(&fresh, "used_bytes");
    assert!((30_000_000..32_000_000).contains(&wrote), "{fresh} then {fuller}");
    assert!(!world.run(["list", "web"]).err.contains("full"));
    assert_ne!(world.sh("yes > /root/all").status, 0, "it is full at some time");
    let full = world.report("web");
    assert_eq!(
        (&full["state"], &full["problems"][0]),
        (&"started".into(), &"disk is 100 % full".into()),
        "{full}"
    );
    world.run(["stop", "web"]).ok();
    let listed = world.run(["list", "web"]);
    assert!(listed.err.contains("web: disk is 100 % full") && listed.out.contains("64 MiB"), "{listed}");
    assert!(world.run(["status", "web"]).ok().contains("(100 % full)"));
    resize(&world, "96M").ok();
    let roomy = space(&world);
    assert!(number(&roomy, "percent") < 80 && number(&roomy, "free_bytes") > 20 * MIB, "{roomy}");
}

#[test]
fn more_than_the_host_has_is_promised_with_a_warning() {
    let world = capped("ext4", "64M");
    assert!(!world.run(["list"]).err.contains("may take"));
    let host = nix::sys::statvfs::statvfs(&world.root).unwrap();
    let more = format!("{}M", host.blocks_free() * host.fragment_size() / MIB + (8 << 10));
    let ran = world.run(["create", "greedy", "--storage", "md", "--size", &more]);
    assert!(ran.status == 0 && ran.err.contains("disks of containers may take"), "{ran}");
    let listed = world.run(["list"]);
    assert!(listed.err.contains("and the host has") && listed.err.contains("preallocate"), "{listed}");
    let doctor = world.run(["doctor"]);
    assert!(doctor.status == 75 && doctor.out.contains("found: disks of containers may take"), "{doctor}");
    world
        .run(["create", "real", "--storage", "md", "--size", &more, "-o", "storage.preallocate=yes"])
        .fails(64, &["the host has not enough space for", "are free"]);
    world.run(["delete", "greedy"]).ok();
    world.assert_sound();
}

#[test]
fn what_is_inside_a_stopped_one_is_found_and_follows_a_release() {
    let world = capped("ext4", "64M");
    world.run(["config", "web", "nosuch"]).fails(66, &["web has no service nosuch"]);
    world.run(["config", "web", "httpd"]).ok();
    world.run(["--dry-run", "config", "web", "httpd"]).fails(69, &["can be seen only while it is attached"]);
    world.assert_quiet();
    let old = world.report("web")["release"].take();
    world.sh("echo mine > /etc/own").ok();
    world.install("tiny-1.1").ok();
    world.run(["upgrade", "web"]).ok();
    assert_ne!(world.report("web")["release"], old);
    assert_eq!(world.sh("cat /etc/own").ok(), "mine\n");
    world.run(["rollback", "web"]).ok();
    assert_eq!(world.report("web")["release"], old);
    assert_eq!(world.sh("cat /etc/own; ls -a / | grep qchroot-; true").ok(), "mine\n");
    world.assert_quiet();
    world.assert_sound();
}
