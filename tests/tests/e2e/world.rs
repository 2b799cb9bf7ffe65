//! One qchroot system, what the kernel shows of it, and how tests wait.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{self, Ran};
use crate::sandbox;
use crate::tree::Tree;
use crate::userland;

/// A system under a root of its own. Whatever still runs or is mounted ends with it.
pub struct World {
    dir: Option<TempDir>,
    /// What `--root` gets.
    pub root: PathBuf,
}

impl World {
    /// An empty one.
    #[track_caller]
    pub fn new() -> Self {
        Self::within("/var/tmp")
    }

    /// An empty one below a directory, for its file system.
    #[track_caller]
    pub fn within(parent: &str) -> Self {
        assert!(geteuid().is_root(), "this test mounts and changes owners: run it as root");
        let dir = TempDir::with_prefix_in("qchroot-e2e-", parent).unwrap();
        let root = dir.path().canonicalize().unwrap().join("root");
        Self { dir: Some(dir), root }
    }

    /// One that lies, or is to lie, where something else says.
    pub fn at(root: &Path) -> Self {
        Self { dir: None, root: root.into() }
    }

    /// One with the userland of [`userland`] installed.
    #[track_caller]
    pub fn installed() -> Self {
        let world = Self::new();
        userland::write(&world.archive());
        world.install("tiny-1.0").ok();
        world
    }

    /// One with a container `web`.
    #[track_caller]
    pub fn with_web(storage: &str) -> Self {
        Self::with_web_in(storage, "chroot")
    }

    /// One with a container `web` in another isolation.
    #[track_caller]
    pub fn with_web_in(storage: &str, isolation: &str) -> Self {
        let world = Self::installed();
        world.create_in("web", storage, isolation).ok();
        world
    }

    /// Creates a container; one with a disk of its own gets 64 MiB.
    pub fn create(&self, name: &str, storage: &str) -> Ran {
        self.create_in(name, storage, "chroot")
    }

    /// The same in another isolation.
    pub fn create_in(&self, name: &str, storage: &str, isolation: &str) -> Ran {
        let size: &[&str] = if storage == "md" { &["--size", "64M"] } else { &[] };
        self.command(["create", name, "--storage", storage, "--isolation", isolation]).ran(size)
    }

    /// One with a container `web` whose service `sleeper` sleeps.
    #[track_caller]
    pub fn with_sleeper(storage: &str) -> Self {
        Self::with_sleeper_in(storage, "chroot")
    }

    /// The same in another isolation.
    #[track_caller]
    pub fn with_sleeper_in(storage: &str, isolation: &str) -> Self {
        let world = Self::with_web_in(storage, isolation);
        world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
        world
    }

    /// A directory beside the root, for what else a test needs.
    pub fn dir(&self) -> &Path {
        self.root.parent().unwrap()
    }

    /// Where the userland's archive lies.
    pub fn archive(&self) -> PathBuf {
        self.dir().join("userland.tar")
    }

    /// Installs the archive as `version`.
    pub fn install(&self, version: &str) -> Ran {
        self.command(["install", "--source", "tarball", "--any-release"]).ran(&[
            "-o",
            &format!("path={}", self.archive().display()),
            "-o",
            &format!("version={version}"),
        ])
    }

    /// The program with these arguments.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program::path());
        command.env_remove("QCHROOT_ROOT").env_remove("QCHROOT_CRASH_AT").stdin(Stdio::null());
        command.arg("--root").arg(&self.root).args(args);
        command
    }

    /// Runs the program to its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(&mut self.command(args))
    }

    /// Runs a shell command in `web`.
    pub fn sh(&self, script: &str) -> Ran {
        self.run(["exec", "web", "--", "sh", "-c", script])
    }

    /// Runs a command of some shell's in `web`.
    pub fn sh_with(&self, shell: &str, script: &str) -> Ran {
        self.run(["exec", "web", "--", shell, "-c", script])
    }

    /// Runs the program up to its `point`th crash point.
    pub fn crash<S: AsRef<OsStr>>(&self, point: u32, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(self.command(args).env("QCHROOT_CRASH_AT", point.to_string()))
    }

    /// What `list --json` says of one container.
    #[track_caller]
    pub fn report(&self, name: &str) -> Value {
        self.run(["list", name, "--json"]).json()[0].take()
    }

    /// Its state.
    #[track_caller]
    pub fn state(&self, name: &str) -> String {
        self.report(name)["state"].as_str().unwrap().to_owned()
    }

    /// A path below `lib`.
    pub fn lib(&self, path: &str) -> PathBuf {
        self.root.join("lib").join(path)
    }

    /// A container's administration file.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(format!("etc/containers/{name}.toml"))
    }

    /// What outlives a reboot and is not a log.
    pub fn lasting(&self) -> Tree {
        Tree::without(&self.root, &["run", "log"])
    }

    /// Mount points at or below the root, in the order of mounting.
    pub fn mounts(&self) -> Vec<PathBuf> {
        mounts_below(&self.root)
    }

    /// Loop devices on files below the root.
    pub fn loop_devices(&self) -> usize {
        let backing = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("loop/backing_file")).ok();
        let devices = fs::read_dir("/sys/block").unwrap().flatten().filter_map(backing);
        devices.filter(|file| file.starts_with(self.root.to_str().unwrap())).count()
    }

    /// Takes away the loop devices on files below the root.
    pub fn detach_disks(&self) {
        let devices = fs::read_dir("/sys/block").unwrap().flatten().filter(|entry| {
            let backing = fs::read_to_string(entry.path().join("loop/backing_file"));
            backing.is_ok_and(|file| file.starts_with(self.root.to_str().unwrap()))
        });
        for device in devices {
            let _ =
                Command::new("losetup").arg("-d").arg(Path::new("/dev").join(device.file_name())).status();
        }
    }

    /// Processes that live below the root, and those outside that hold something below it open: supervisors,
    /// guards, the program itself.
    pub fn processes(&self) -> Vec<i32> {
        let inside = self.inside();
        pids().into_iter().filter(|pid| inside.contains(pid) || self.holds_something(*pid)).collect()
    }

    /// Processes with their root below the root, and those in sandboxes.
    pub fn inside(&self) -> Vec<i32> {
        let sandboxes = sandbox::namespaces(&self.root.join("lib"));
        let in_sandbox = |pid| sandbox::namespace(pid).is_some_and(|its| sandboxes.contains(&its));
        let below =
            |pid| fs::read_link(format!("/proc/{pid}/root")).is_ok_and(|root| root.starts_with(&self.root));
        pids().into_iter().filter(|&pid| below(pid) || in_sandbox(pid)).collect()
    }

    fn holds_something(&self, pid: i32) -> bool {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let mut links = files.filter_map(|entry| fs::read_link(entry.path()).ok());
        !is_own(pid) && links.any(|file| file.starts_with(&self.root))
    }

    /// Asserts that the kernel shows nothing of this system any more.
    #[track_caller]
    pub fn assert_quiet(&self) {
        assert_eq!(self.mounts(), Vec::<PathBuf>::new(), "mounts");
        until("no process is left", || self.processes().is_empty());
        assert_eq!(self.loop_devices(), 0, "loop devices");
    }

    /// Asserts that `doctor` finds nothing; it may have advice on the daemons of this host.
    #[track_caller]
    pub fn assert_sound(&self) {
        let said = self.run(["doctor"]).ok();
        assert!(said.starts_with("nothing is wrong\n"), "{said}");
    }

    /// Ends everything by force, as a power cut does.
    pub fn pull_the_plug(&self) {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            let processes = self.processes();
            if processes.is_empty() {
                break;
            }
            for pid in processes {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        for at in self.mounts().iter().rev() {
            let _ = umount2(at, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.pull_the_plug();
        let rest = mounts_below(self.dir());
        if !rest.is_empty() {
            // Removing it could remove what is mounted there.
            let kept = self.dir.take().map(TempDir::keep);
            eprintln!("left behind: {kept:?} with {rest:?}");
        }
    }
}

fn mounts_below(dir: &Path) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let points = table.lines().filter_map(|line| line.split(' ').nth(4).map(PathBuf::from));
    points.filter(|at| at.starts_with(dir)).collect()
}

/// Whether it is this program, or a copy of it that has yet to become another.
fn is_own(pid: i32) -> bool {
    let program = |pid: &str| fs::read_link(format!("/proc/{pid}/exe")).ok();
    program(&pid.to_string()) == program("self")
}

fn pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Runs a command with more arguments.
pub trait RunWith {
    /// To its end.
    fn ran(&mut self, args: &[&str]) -> Ran;
}

impl RunWith for Command {
    fn ran(&mut self, args: &[&str]) -> Ran {
        Ran::of(self.args(args))
    }
}

/// A process of the host's; it ends with this.
pub struct HostProcess(Child);

impl HostProcess {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    /// One that does nothing.
    pub fn sleeping() -> Self {
        Self::start(Command::new("sleep").arg("1000"))
    }

    /// Its number.
    pub fn pid(&self) -> i32 {
        self.0.id().try_into().unwrap()
    }

    /// Whether nobody has ended it.
    pub fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for something that other processes do; the kernel tells of no event for it.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A TCP port that nobody uses.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The page `/` of the web server on a port of this machine; `None` when nobody answers.
pub fn page(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}
