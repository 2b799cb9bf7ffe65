//! What only jails have: numbers and files with them, secure levels, permissions, limits by rctl(8), whole systems.

use std::fs;

use crate::scenario::{Scenario, freebsd};
use crate::system::output;
use crate::world::{World, until};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        freebsd("jails::the_number_is_told_and_written_to_a_file", number),
        freebsd("jails::a_secure_level_holds_inside_only", secure_level),
        freebsd("jails::what_is_not_allowed_is_denied", permissions),
        freebsd("jails::what_is_allowed_works", allowed),
        freebsd("jails::limits_need_a_kernel_that_counts", limits),
        freebsd("jails::one_removed_by_hand_is_told_and_put_right", by_hand),
        freebsd("jails::a_plain_chroot_inherits_everything", plain),
        freebsd("jails::a_rule_set_that_is_not_loaded_is_refused", rule_set),
        freebsd("jails::a_whole_system_starts_and_stops", system).limit(600),
    ]
}

/// A container `web` in a jail with these options, and a service.
pub(super) fn with_options(world: &World, options: &[&str]) {
    world.install().ok();
    create(world, "web", options);
}

/// One more.
pub(super) fn create(world: &World, name: &str, options: &[&str]) {
    let mut args = vec!["create".to_owned(), name.to_owned()];
    args.extend(["--storage", "nullfs", "--isolation", "jail"].map(str::to_owned));
    args.extend(options.iter().flat_map(|option| ["-o".to_owned(), format!("isolation.{option}")]));
    world.run(args).ok();
    world.run(["config", name, "--command", "sleeper=sleep 1000"]).ok();
}

/// What `jls` says of the one jail below the root.
pub(super) fn jls(world: &World, parameter: &str) -> String {
    let [jid] = crate::system::jails_below(&world.root).try_into().expect("one jail");
    output("jls", &["-n", "-j", &jid, parameter]).trim().to_owned()
}

fn number(world: &World) {
    let file = world.dir().join("web.jid");
    with_options(world, &[&format!("jid_file={}", file.display())]);
    world.run(["start", "web"]).ok();
    let jid = jls(world, "jid").replace("jid=", "");
    world.run(["status", "web"]).says(&jid);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with(&format!("jid={jid} name=qchroot-web-")), "{text}");
    until("the service runs", || output("pgrep", &["-j", &jid, "sleep"]).lines().count() == 1);
    world.run(["kill", "web", "-s", "KILL"]).ok();
    world.run(["stop", "web"]).ok();
    assert!(!file.exists(), "the file is left");
    fs::write(&file, "somebody's\n").unwrap();
    world.run(["start", "web"]).fails(73, &["web.jid"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "somebody's\n");
    world.assert_quiet();
}

fn secure_level(world: &World) {
    let hosts = output("sysctl", &["-n", "kern.securelevel"]);
    with_options(world, &["securelevel=2", "allow.chflags=yes"]);
    assert_eq!(world.sh("sysctl -n kern.securelevel").ok(), "2\n");
    world.sh("touch /etc/kept && chflags schg /etc/kept").ok();
    world.sh("chflags noschg /etc/kept").fails(1, &["Operation not permitted"]);
    assert_eq!(output("sysctl", &["-n", "kern.securelevel"]), hosts);
    world.run(["delete", "--wait", "web"]).ok();
    world.assert_quiet();
}

fn permissions(world: &World) {
    with_options(world, &["ip4=inherit"]);
    for (script, why) in [
        ("ping -c 1 -t 2 127.0.0.1", "Operation not permitted"),
        ("touch /etc/mine && chflags schg /etc/mine", "Operation not permitted"),
        ("mount -t tmpfs tmpfs /tmp", "not permitted"),
        ("hostname other", "Operation not permitted"),
        ("sysctl kern.corefile=/tmp/core", "Operation not permitted"),
        ("dmesg", "Operation not permitted"),
        ("ifconfig lo0 inet 127.0.7.99/32 alias", ""),
    ] {
        let ran = world.sh(&format!("{script} 2>&1"));
        assert!(ran.status != 0 && ran.out.contains(why), "{script} should be denied: {ran}");
    }
    assert_eq!(world.sh("mount | wc -l").ok().trim(), "1", "enforce_statfs is 2");
    world.assert_quiet();
}

fn allowed(world: &World) {
    let options = ["ip4=inherit", "allow.raw_sockets=yes", "allow.chflags=yes", "allow.set_hostname=yes"];
    with_options(world, &[&options[..], &["enforce_statfs=1", "sysvshm=new", "mount.fdescfs=yes"]].concat());
    world.sh("ping -c 1 -t 5 127.0.0.1").ok();
    world.sh("touch /etc/mine && chflags schg /etc/mine && chflags 0 /etc/mine").ok();
    assert_eq!(world.sh("hostname other && hostname").ok(), "other\n");
    world.sh("mount").says("fdescfs");
    world.sh("ipcs -m").ok();
    world.assert_quiet();
}

fn limits(world: &World) {
    with_options(world, &[]);
    let file = world.file("web");
    let plain = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{plain}\n[limits]\nmemory = \"512M\"\nprocesses = 20\nopen_files = 100\n"))
        .unwrap();
    if output("sysctl", &["-n", "kern.racct.enable"]).trim() == "1" {
        world.run(["start", "web"]).ok();
        let rules = output("rctl", &[&format!("jail:{}", jls(world, "name").replace("name=", ""))]);
        assert!(rules.contains(":memoryuse:deny=536870912") && rules.contains(":maxproc:deny=20"), "{rules}");
        world.run(["stop", "web"]).ok();
        assert!(!output("rctl", &[]).contains("qchroot-web-"), "rules are left");
    } else {
        world.run(["start", "web"]).fails(69, &["kern.racct.enable=1", "/boot/loader.conf"]);
        world.assert_quiet();
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("[limits]\n", "[limits]\nrequired = false\n")).unwrap();
        assert!(
            world.run(["start", "web"]).err.contains("kern.racct.enable=1"),
            "no word of what is not held"
        );
        assert_eq!(world.state("web"), "started");
        world.run(["stop", "web"]).ok();
    }
    assert_eq!(world.sh("ulimit -n").ok(), "100\n");
    world.assert_quiet();
}

fn by_hand(world: &World) {
    with_options(world, &[]);
    world.run(["start", "web"]).ok();
    let [jid] = crate::system::jails_below(&world.root).try_into().expect("one jail");
    assert_eq!(output("jail", &["-R", &jid]), "");
    assert_eq!(world.state("web"), "partial");
    world.run(["exec", "web", "--", "/bin/sh", "-c", "true"]).fails(75, &["web"]);
    assert_eq!(world.run(["stop", "web"]).ok(), "web: Chroot is stopped.\n");
    world.assert_quiet();
    assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
    world.assert_sound();
}

fn plain(world: &World) {
    world.with_sleeper("nullfs", "chroot");
    world.run(["start", "web"]).ok();
    assert_eq!(jls(world, "ip4"), "ip4=inherit");
    assert_eq!(jls(world, "host"), "host=inherit");
    assert_eq!(world.sh("sysctl -n security.jail.jailed").ok(), "1\n");
    world.sh("ping -c 1 -t 5 127.0.0.1").ok();
    world.sh("touch /etc/mine && chflags schg /etc/mine && chflags 0 /etc/mine").ok();
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
}

fn rule_set(world: &World) {
    with_options(world, &["devfs_ruleset=99"]);
    world.run(["start", "web"]).fails(69, &["rule set 99 is not loaded", "service devfs start"]);
    world.assert_quiet();
}

fn system(world: &World) {
    with_options(world, &["style=system"]);
    world.run(["config", "web", "--remove", "sleeper"]).ok();
    let conf = "sendmail_enable=NONE\nsyslogd_flags=-ss\ncron_enable=YES\nsyslogd_enable=YES\n";
    world.sh(&format!("printf '{conf}' > /etc/rc.conf")).ok();
    assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
    let report = world.report("web");
    assert_eq!((&report["state"], &report["services"][0]["name"]), (&"started".into(), &"rc".into()));
    until("cron runs", || world.run(["ps", "web"]).ok().contains("cron"));
    until("rc prints something", || !world.run(["logs", "web", "rc"]).ok().is_empty());
    assert_eq!(world.run(["stop", "web"]).ok(), "web: Chroot is stopped.\n");
    world.assert_quiet();
    world.assert_sound();
}
