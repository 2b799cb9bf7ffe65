//! The script for FreeBSD's rc.d: what it does, with a stand-in for rc.subr(8), and the rules that rc.subr(8), rc(8),
//! service(8) and the Porter's Handbook have for such scripts.

use std::process::Command;

use super::rcorder::Header;
use super::scripts::{Script, boot_file};
use super::{assert_states, life, reboot, three};
use crate::program::Ran;
use crate::world::World;

#[test]
fn the_rc_script_in_each_shell() {
    for shell in [&["dash"][..], &["busybox", "sh"]] {
        let script = Script::rc_d(three(), shell);
        life(&script);
        reboot(&script);
    }
}

#[test]
fn the_rc_script_does_what_rc_conf_says() {
    let script = Script::rc_d(three(), &["dash"]);
    script.run("rcvar").is(0, &["qchroot_enable=\"YES\""]);
    script.run("enabled").is(0, &[]);
    script.run("extracommands").is(0, &["status"]);
    script.run("jump").is(1, &["Usage"]);
    script.run("start").is(0, &[]);
    script.run("stop db").is(0, &["db: Chroot is stopped"]);
    script.run("start spare").is(0, &["spare: Start chroot completed"]);
    assert_states(&script.world, "stopped", "started", "started");
    script.run("status db").is(1, &["stopped"]);
    script.run("status db spare").is(0, &["stopped", "started"]);
    script.run("restart spare").is(0, &["spare: Chroot is stopped", "spare: Start chroot completed"]);
    script.run("status nobody").is(1, &["nobody"]);
    script.run("stop spare web").is(0, &["spare: Chroot is stopped", "web: Chroot is stopped"]);
    let off = script.with("qchroot_enable=NO\n");
    off.run("enabled").is(1, &[]);
    off.run("start").is(0, &["Cannot 'start' qchroot"]);
    assert_states(&off.world, "stopped", "stopped", "stopped");
    off.run("onestart").is(0, &["db: Start chroot completed"]);
    off.run("onestatus").is(0, &["db", "started"]);
    off.run("onestop").is(0, &["db: Chroot is stopped"]);
}

/// What rc.conf lists starts, whatever the containers' own settings, and in that order; what needs another follows it.
#[test]
fn the_list_of_rc_conf_says_what_starts_and_in_which_order() {
    let world = three();
    world.run(["config", "web", "--requires", "db"]).ok();
    let settings =
        |list: &str| format!("qchroot_enable=YES\nqchroot_flags=\"-j 1\"\nqchroot_list=\"{list}\"\n");
    let script = Script::rc_d(world, &["dash"]).with(&settings("web spare db"));
    let said = script.at_boot("faststart").is(0, &[]);
    let told = ["spare: Start", "db: Start", "web: Start"].map(|text| said.find(text).expect(text));
    assert!(told.is_sorted(), "{said}");
    script.at_boot("faststop").is(0, &["spare: Chroot is stopped", "web: Chroot is stopped"]);
    // One name is wrong: the others start, and the failure is told.
    let script = script.with(&settings("nobody spare"));
    script.at_boot("faststart").is(1, &["nobody", "spare: Start chroot completed"]);
    assert_states(&script.world, "stopped", "started", "stopped");
    script.run("stop").is(0, &["spare: Chroot is stopped"]);
    // An empty one is none.
    let script = script.with(&settings(""));
    script.at_boot("faststart").is(0, &["db: Start chroot completed", "web: Start chroot completed"]);
    assert_states(&script.world, "started", "stopped", "started");
    script.run("stop").is(0, &[]);
    script.world.assert_quiet();
}

/// rc.shutdown(8) stops what was started by hand as well, in the order of needs, within the time that rc.conf gives.
#[test]
fn shutdown_stops_everything_in_order() {
    let world = three();
    world.run(["config", "web", "--requires", "db"]).ok();
    let script = Script::rc_d(world, &["dash"]).with("qchroot_enable=YES\nqchroot_timeout=20\n");
    script.at_boot("faststart").is(0, &["web: Start chroot completed"]);
    script.world.run(["start", "spare"]).ok();
    let said = script.at_boot("faststop").is(0, &["spare: Chroot is stopped"]);
    assert!(said.find("web: Chroot").unwrap() < said.find("db: Chroot").unwrap(), "{said}");
    script.world.assert_quiet();
}

#[test]
fn a_boot_with_nothing_to_start_says_nothing() {
    let script = Script::rc_d(World::new(), &["dash"]).with("qchroot_enable=YES\nqchroot_flags=\n");
    assert_eq!(script.at_boot("faststart").is(0, &[]), "");
    assert_eq!(script.at_boot("faststop").is(0, &[]), "");
    let script = script.with("qchroot_flags=\n");
    assert_eq!(script.at_boot("faststart").is(0, &[]), "", "not enabled");
}

/// The lines of the script that are no comments.
fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

#[test]
fn the_rc_script_has_the_form_that_the_tools_expect() {
    let text = boot_file("qchroot.rc.d");
    let lines = lines(&text);
    let at = |line: &str| lines.iter().position(|&it| it == line).unwrap_or_else(|| panic!("no {line}"));
    assert!(text.starts_with("#!/bin/sh\n\n# PROVIDE: qchroot\n"));
    assert_eq!(Header::of(&text).provides, ["qchroot"]);
    assert!(text.is_ascii() && text.lines().all(|line| line.trim_end() == line && !line.starts_with(' ')));
    assert!(!text.contains("/usr/bin/env") && text.ends_with("\n\nrun_rc_command \"$@\"\n"));
    // service(8) evaluates these two lines by themselves, and rc.subr(8) wants the name before the configuration.
    assert_eq!(at("name=\"qchroot\""), at(". /etc/rc.subr") + 1);
    assert_eq!(
        lines.iter().filter(|line| line.starts_with("name=") || line.starts_with("rcvar=")).count(),
        2
    );
    assert!(at("rcvar=\"qchroot_enable\"") < at("load_rc_config $name"));
    // Defaults come after what rc.conf says, in the form that lets it win, and off is the default.
    assert_eq!(at(": ${qchroot_enable:=\"NO\"}"), at("load_rc_config $name") + 1);
    let defaults = lines.iter().filter(|line| line.starts_with(": ${"));
    for default in defaults.clone() {
        let name = default.trim_start_matches(": ${").split(":=").next().unwrap();
        assert!(text.contains(&format!("#   {name}=")), "{name} is not explained");
    }
    assert_eq!(defaults.count(), 3);
    for command in ["start", "stop", "status"] {
        assert!(at(&format!("{command}_cmd=\"qchroot_{command}\"")) < at(&format!("qchroot_{command}()")));
    }
    at("extra_commands=\"status\"");
}

/// For rc.subr(8)'s sake: names that it reads or sets, words that are to be split, assignments without quotes.
const FOR_RC_SUBR: &str = "SC1091,SC2034,SC2086,SC2154,SC2223";

#[test]
fn the_rc_script_is_for_any_shell() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/cli/boot/qchroot.rc.d");
    for (program, words) in [
        ("dash", &["-n"][..]),
        ("checkbashisms", &[]),
        ("shellcheck", &["--shell=sh", "--exclude", FOR_RC_SUBR]),
    ] {
        let ran = Ran::of(Command::new(program).args(words).arg(script));
        assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (0, "", ""), "{program}: {ran}");
    }
}
