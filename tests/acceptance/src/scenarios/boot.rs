//! The script that starts and stops the containers with the machine, under the machine's own rc.subr(8).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ran::Ran;
use crate::scenario::{Scenario, freebsd};
use crate::world::{World, program, until};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        freebsd("boot::the_rc_script_starts_tells_and_stops", by_hand),
        freebsd("boot::the_rc_script_starts_at_boot_what_rc_conf_lists", at_boot),
        freebsd("boot::the_rc_script_has_its_place_in_the_order", order),
    ]
}

const SCRIPT: &str = include_str!("../../../../crates/cli/boot/qchroot.rc.d");

/// The script, somewhere else than where rc(8) looks, and what rc.conf(5) would say, as the script's variables.
struct Rc {
    file: PathBuf,
    settings: Vec<(&'static str, String)>,
}

impl Rc {
    fn of(world: &World) -> Self {
        let file = world.dir().join("qchroot");
        fs::write(&file, SCRIPT).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let program = program().unwrap().display().to_string();
        let env = format!("QCHROOT_ROOT={}", world.root.display());
        Self { file, settings: vec![("qchroot_program", program), ("qchroot_env", env)] }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    /// The environment that service(8) and rc(8) give a script.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", "/").env("PATH", "/sbin:/bin:/usr/sbin:/usr/bin").current_dir("/");
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// `service qchroot WORDS`.
    #[track_caller]
    fn service(&self, words: &[&str]) -> Ran {
        Ran::of(self.command(&self.file).args(words))
    }

    /// As rc(8) and rc.shutdown(8) run it: read by a shell of theirs. Its status is nobody's concern.
    #[track_caller]
    fn boot(&self, word: &str) -> String {
        let lines = ". /etc/rc.subr; load_rc_config; autoboot=yes; rc_fast=yes; run_rc_script \"$1\" \"$2\"";
        let mut command = self.command(Path::new("/bin/sh"));
        let ran = Ran::of(command.args(["-c", lines, "rc"]).arg(&self.file).arg(word));
        ran.out + &ran.err
    }
}

fn by_hand(world: &World) {
    world.with_sleeper("nullfs", "chroot");
    let rc = Rc::of(world);
    assert_ne!(rc.service(&["enabled"]).status, 0, "off unless rc.conf says otherwise");
    rc.service(&["start"]).says("Cannot 'start' qchroot");
    assert_eq!(world.state("web"), "stopped");
    assert_ne!(rc.service(&["onestatus"]).status, 0);
    rc.service(&["onestart"]).says("web: Start chroot completed.");
    until("the service runs", || world.run(["ps", "web"]).ok().contains("sleep 1000"));
    rc.service(&["onestatus"]).says("started");
    rc.service(&["onestart", "web"]).says("already started");
    rc.service(&["onerestart", "web"]).says("web: Start chroot completed.");
    rc.service(&["onestop"]).says("web: Chroot is stopped.");
    world.assert_quiet();

    let rc = rc.with("qchroot_enable", "YES");
    rc.service(&["enabled"]).ok();
    let shown = rc.service(&["rcvar"]).ok();
    assert_eq!(shown.lines().filter(|line| *line == "qchroot_enable=\"YES\"").count(), 1, "{shown}");
    rc.service(&["describe"]).says("share one copy");
    rc.service(&["start", "web"]).says("web: Start chroot completed.");
    rc.service(&["status", "web"]).says("started");
    rc.service(&["stop", "web"]).says("web: Chroot is stopped.");
    assert_ne!(rc.service(&["status"]).status, 0);
    assert_ne!(rc.service(&["jump"]).status, 0);
    world.assert_quiet();
}

fn at_boot(world: &World) {
    let silent = |said: String| assert!(!said.contains("qchroot"), "{said}");
    silent(Rc::of(world).boot("faststart"));
    let rc = Rc::of(world).with("qchroot_enable", "YES").with("qchroot_flags", "-j 1");
    silent(rc.boot("faststart"));
    world.install().ok();
    for name in ["db", "spare", "web"] {
        world.create(name, "nullfs", "chroot").ok();
        world.run(["config", name, "--command", "sleeper=sleep 1000"]).ok();
    }
    world.run(["config", "spare", "--boot", "no"]).ok();
    world.run(["config", "web", "--requires", "db"]).ok();
    let states = || ["db", "spare", "web"].map(|name| world.state(name));

    let said = rc.boot("faststart");
    assert_eq!(states(), ["started", "stopped", "started"], "{said}");
    let said = rc.boot("faststop");
    assert_eq!(states(), ["stopped"; 3], "{said}");
    assert!(said.find("web: Chroot") < said.find("db: Chroot"), "{said}");

    let rc = rc.with("qchroot_list", "web spare nobody");
    let said = rc.boot("faststart");
    assert_eq!(states(), ["started"; 3], "{said}");
    let told = ["spare: Start", "db: Start", "web: Start"].map(|text| said.find(text));
    assert!(told.is_sorted() && said.contains("nobody"), "{said}");
    rc.boot("faststop");
    assert_eq!(states(), ["stopped"; 3]);
    world.assert_quiet();
}

fn order(world: &World) {
    let rc = Rc::of(world);
    let rcorder = |words: &str| {
        let lines = format!("rcorder {words} /etc/rc.d/* \"$0\"");
        Ran::of(rc.command(Path::new("/bin/sh")).args(["-c", &lines]).arg(&rc.file))
    };
    let all = rcorder("-s nostart");
    assert!(!all.err.contains("ircular") && !all.err.contains(&rc.file.display().to_string()), "{all}");
    let place = |text: &str, name: &str| text.lines().position(|line| line.ends_with(&format!("/{name}")));
    let ours = place(&all.out, "qchroot");
    for earlier in ["FILESYSTEMS", "cleanvar", "devfs", "LOGIN", "jail"] {
        assert!(place(&all.out, earlier) < ours, "{earlier}: {all}");
    }
    assert!(ours < place(&all.out, "securelevel"), "{all}");
    // Shutdown goes through these backwards.
    let shutdown = rcorder("-k shutdown");
    assert!(place(&shutdown.out, "jail") < place(&shutdown.out, "qchroot"), "{shutdown}");
    assert_eq!(place(&rcorder("-s nojail").out, "qchroot"), None, "a jail leaves it out");
}
