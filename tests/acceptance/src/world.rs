//! One qchroot system below a directory of its own, and what the kernel shows of it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::ran::Ran;
use crate::system::{self, Disk};
use crate::terminal::Terminal;
use crate::userland;

/// How long something that other processes do may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program under test: `QCHROOT_BIN`, or `qchroot` beside this program.
pub(crate) fn program() -> Result<PathBuf, String> {
    let beside = || std::env::current_exe().ok()?.parent().map(|dir| dir.join("qchroot"));
    let path = std::env::var_os("QCHROOT_BIN").map(PathBuf::from).or_else(beside).unwrap_or_default();
    let there = std::path::absolute(&path).ok().filter(|path| path.is_file());
    there.ok_or(format!("{} is no program: put qchroot beside this one, or set QCHROOT_BIN", path.display()))
}

/// The library of a plug-in that is shipped as an example: it lies beside the program under test, or beside this
/// program, under the name of the plug-in or the one that cargo gives it.
#[track_caller]
pub(crate) fn example(name: &str) -> PathBuf {
    let beside = [program().ok(), std::env::current_exe().ok()].into_iter().flatten();
    let names = [format!("{name}.so"), format!("libqchroot_{}.so", name.replace('.', "_"))];
    let files: Vec<PathBuf> =
        beside.flat_map(|program| names.clone().map(|name| program.with_file_name(name))).collect();
    let there = files.iter().find(|file| file.is_file()).cloned();
    there.unwrap_or_else(|| panic!("none of these is there: {files:?}"))
}

/// A system under a root of its own.
pub(crate) struct World {
    dir: PathBuf,
    /// What `--root` gets.
    pub(crate) root: PathBuf,
}

impl World {
    /// An empty one in a directory that is there.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.into(), root: dir.join("root") }
    }

    /// A directory beside the root, for what else a scenario needs.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A path below `lib`.
    pub(crate) fn lib(&self, path: &str) -> PathBuf {
        self.root.join("lib").join(path)
    }

    /// A container's administration file.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.root.join(format!("etc/containers/{name}.toml"))
    }

    /// The program with these arguments.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program().unwrap());
        command.env_remove("QCHROOT_ROOT").env_remove("QCHROOT_CRASH_AT").stdin(Stdio::null());
        command.current_dir("/").arg("--root").arg(&self.root).args(args);
        command
    }

    /// Runs the program to its end.
    #[track_caller]
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(&mut self.command(args))
    }

    /// Runs the program up to its `point`th crash point.
    #[track_caller]
    pub(crate) fn crash<S: AsRef<OsStr>>(&self, point: u32, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(self.command(args).env("QCHROOT_CRASH_AT", point.to_string()))
    }

    /// Runs the program on a terminal.
    pub(crate) fn terminal<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Terminal {
        Terminal::run(&mut self.command(args))
    }

    /// Puts a library where the plug-in `name` is looked for.
    pub(crate) fn put_plugin(&self, name: &str, library: &Path) -> PathBuf {
        let dir = self.root.join("plugins");
        let file = dir.join(format!("{name}.so"));
        fs::create_dir_all(&dir).unwrap();
        fs::copy(library, &file).unwrap();
        for at in [&self.root, &dir, &file] {
            fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
        }
        file
    }

    /// Runs a shell command in `web`.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> Ran {
        self.sh_in("web", script)
    }

    /// Runs a shell command in a container.
    #[track_caller]
    pub(crate) fn sh_in(&self, name: &str, script: &str) -> Ran {
        self.run(["exec", name, "--", "/bin/sh", "-c", script])
    }

    /// Installs the sets of this run.
    #[track_caller]
    pub(crate) fn install(&self) -> Ran {
        let sets = self.dir.parent().unwrap().join("sets");
        self.run(userland::install_args(&sets))
    }

    /// Installs, and creates a container `web`; one with a disk of its own gets 64 MiB more than the template takes.
    #[track_caller]
    pub(crate) fn with_web(&self, storage: &str, isolation: &str) {
        self.install().ok();
        self.create("web", storage, isolation).ok();
    }

    /// The same with a service `sleeper` that sleeps for long.
    #[track_caller]
    pub(crate) fn with_sleeper(&self, storage: &str, isolation: &str) {
        self.with_web(storage, isolation);
        self.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    }

    /// Creates a container.
    #[track_caller]
    pub(crate) fn create(&self, name: &str, storage: &str, isolation: &str) -> Ran {
        let mut args = vec!["create", name, "--storage", storage, "--isolation", isolation];
        if storage == "md" {
            args.extend(["--size", "64M"]);
        }
        self.run(args)
    }

    /// What `list --json` says of one container.
    #[track_caller]
    pub(crate) fn report(&self, name: &str) -> Value {
        self.run(["list", name, "--json"]).json()[0].take()
    }

    /// Its state.
    #[track_caller]
    pub(crate) fn state(&self, name: &str) -> String {
        self.report(name)["state"].as_str().unwrap().to_owned()
    }

    /// Mount points at or below the root, in the order of mounting.
    pub(crate) fn mounts(&self) -> Vec<PathBuf> {
        system::mounts_below(&self.root)
    }

    /// Processes with anything open at or below the root.
    pub(crate) fn processes(&self) -> Vec<i32> {
        system::processes_below(&self.root)
    }

    /// Processes inside containers.
    pub(crate) fn inside(&self) -> Vec<i32> {
        system::processes_inside(&self.root)
    }

    /// Disks on files below the root.
    pub(crate) fn disks(&self) -> Vec<Disk> {
        system::disks_below(&self.root)
    }

    /// Asserts that the kernel shows nothing of this system any more.
    #[track_caller]
    pub(crate) fn assert_quiet(&self) {
        assert_eq!(self.mounts(), Vec::<PathBuf>::new(), "mounts");
        until("no process is left", || self.processes().is_empty());
        // A mount namespace that another program has made meanwhile keeps a disk for as long as it lives.
        until("no disk is attached", || self.disks().is_empty());
        assert_eq!(system::jails_below(&self.root), Vec::<String>::new(), "jails");
    }

    /// Asserts that `doctor` finds nothing; it may have advice on the daemons of this host.
    #[track_caller]
    pub(crate) fn assert_sound(&self) {
        let said = self.run(["doctor"]).ok();
        assert!(said.starts_with("nothing is wrong\n"), "{said}");
    }
}

/// A process of the host's; it ends with this.
pub(crate) struct HostProcess(Child);

impl HostProcess {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    /// Its number.
    pub(crate) fn pid(&self) -> i32 {
        self.0.id().try_into().unwrap()
    }

    /// Whether nobody has ended it.
    pub(crate) fn is_alive(&mut self) -> bool {
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
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
