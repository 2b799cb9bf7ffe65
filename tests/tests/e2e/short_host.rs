//! A host that is short of what a start needs: processes, capabilities. What is missing is named, nothing is left, and
//! it works once there is more.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::libc;

use crate::program::{self, Ran};
use crate::world::World;

/// A control group of the test's own that limits processes.
struct Crowd(PathBuf);

impl Crowd {
    /// In version 1 or 2, whichever has the controller.
    fn of(most: u32) -> Self {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mut hierarchies = table.lines().filter_map(|line| {
            let (mount, kind) = line.split_once(" - ")?;
            let at = Path::new(mount.split(' ').nth(4)?);
            let is_first = kind.starts_with("cgroup ") && kind.split([' ', ',']).any(|word| word == "pids");
            let offers = fs::read_to_string(at.join("cgroup.controllers")).unwrap_or_default();
            let is_second = offers.split_whitespace().any(|word| word == "pids");
            (is_first || is_second).then(|| (at.to_owned(), is_second))
        });
        let (top, is_second) =
            hierarchies.next_back().expect("the kernel limits processes by control groups");
        if is_second {
            fs::write(top.join("cgroup.subtree_control"), "+pids").unwrap();
        }
        let at = tempfile::Builder::new().prefix("qchroot-e2e-").tempdir_in(top).unwrap().keep();
        fs::write(at.join("pids.max"), most.to_string()).unwrap();
        Self(at)
    }

    /// Runs the program in it.
    fn run(&self, world: &World, args: &[&str]) -> Ran {
        let enter = format!("echo $$ > {}/cgroup.procs && exec \"$@\"", self.0.display());
        let mut command = Command::new("sh");
        command.args(["-c", &enter, "sh"]).arg(program::path()).arg("--root").arg(&world.root).args(args);
        Ran::of(command.env_remove("QCHROOT_ROOT").stdin(Stdio::null()))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn too_few_processes_are_named_and_leave_nothing() {
    for isolation in ["chroot", "namespaces"] {
        let world = World::with_sleeper_in("overlay", isolation);
        world.create_in("db", "nullfs", isolation).ok();
        world.run(["config", "db", "--command", "sleeper=sleep 1000"]).ok();
        for most in [1, 2, 3] {
            let crowd = Crowd::of(most);
            let ran = crowd.run(&world, &["start", "-A", "-j", "8"]);
            assert!(matches!(ran.status, 71 | 75), "{isolation}: at most {most}: {ran}");
            assert!(ran.err.contains("hint: no more processes are allowed"), "{isolation}, {most}: {ran}");
            for name in ["db", "web"] {
                assert!(
                    ran.err.contains(name) && world.state(name) == "stopped",
                    "{isolation}, {most}: {ran}"
                );
            }
            world.assert_quiet();
        }
        world.run(["start", "-A"]).ok();
        let crowd = Crowd::of(1);
        assert_eq!(
            crowd.run(&world, &["stop", "-A", "--timeout", "5"]).ok().lines().count(),
            2,
            "{isolation}"
        );
        world.assert_quiet();
        world.assert_sound();
    }
}

#[test]
fn a_capability_that_is_missing_is_named() {
    let world = World::with_sleeper("overlay");
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set", "-sys_admin"]).arg(program::path()).arg("--root").arg(&world.root);
    Ran::of(command.args(["start", "web"]).env_remove("QCHROOT_ROOT").stdin(Stdio::null()))
        .fails(77, &["cannot open file system overlay", "operation not permitted", "CAP_SYS_ADMIN"]);
    assert_eq!(world.state("web"), "stopped");
    world.assert_quiet();
    world.assert_sound();
}

/// Each container that is worked on has its lock open, and there may be more containers than open files.
#[test]
fn more_containers_than_files_may_be_open() {
    let world = World::installed();
    world.run(["create", "c0"]).ok();
    let file = fs::read(world.file("c0")).unwrap();
    (1..400).for_each(|number| fs::write(world.file(&format!("c{number}")), &file).unwrap());
    let mut command = world.command(["start", "-A"]);
    // SAFETY: one system call on numbers of this closure's own.
    unsafe {
        command.pre_exec(|| {
            let limit = libc::rlimit { rlim_cur: 350, rlim_max: 350 };
            match libc::setrlimit(libc::RLIMIT_NOFILE, &limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        })
    };
    let ran = Ran::of(&mut command);
    let bypassed = |line: &&str| line.ends_with("Bypassed; No service configured yet");
    assert_eq!(ran.ok().lines().filter(bypassed).count(), 400);
}
