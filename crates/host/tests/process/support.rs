//! Containers made of busybox, and how tests wait.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use nix::mount::MsFlags;
use nix::sched::CloneFlags;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use qchroot_api::{Credentials, Entry, Name, Observe, Place, Process, Step, Way};
use qchroot_engine::{Deadline, Host};
use qchroot_host::Machine;
use tempfile::TempDir;

/// A test and its name.
pub(crate) type Test = (&'static str, fn());

const PROGRAMS: [&str; 23] = [
    "chroot", "cp", "ln", "mkdir", "unshare", "sh", "cat", "echo", "env", "false", "id", "kill", "killall",
    "ls", "pwd", "rm", "setsid", "sleep", "stty", "touch", "true", "tty", "umask",
];

/// The one copy that all containers share. It is written before there are threads: a program that a child of
/// another thread still has open for writing cannot be executed.
static BUSYBOX: OnceLock<PathBuf> = OnceLock::new();

/// Makes that copy; it goes with the directory.
pub(crate) fn copy_busybox() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("busybox");
    fs::copy("/bin/busybox", &copy).expect("busybox is installed, Debian's busybox-static");
    BUSYBOX.set(copy).unwrap();
    dir
}

/// What this program mounts is its own.
pub(crate) fn hide_mounts() {
    nix::sched::unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    nix::mount::mount(None::<&str>, "/", None::<&str>, flags, None::<&str>).unwrap();
}

/// A container of busybox. Its processes end with it.
pub(crate) struct Box {
    pub(crate) name: Name,
    pub(crate) root: Utf8PathBuf,
    pub(crate) dir: TempDir,
}

impl Box {
    /// Files only.
    pub(crate) fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().canonicalize().unwrap().join("root")).unwrap();
        for below in ["bin", "dev/pts", "etc", "proc", "root", "tmp"] {
            fs::create_dir_all(root.join(below)).unwrap();
        }
        fs::hard_link(BUSYBOX.get().unwrap(), root.join("bin/busybox")).unwrap();
        for program in PROGRAMS {
            symlink("busybox", root.join("bin").join(program)).unwrap();
        }
        let mode = Mode::from_bits_truncate(0o666);
        mknod(root.join("dev/null").as_std_path(), SFlag::S_IFCHR, mode, makedev(1, 3)).unwrap();
        fs::set_permissions(root.join("tmp"), std::os::unix::fs::PermissionsExt::from_mode(0o1777)).unwrap();
        Self { name: name.parse().unwrap(), root, dir }
    }

    /// With an init.
    pub(crate) fn started(name: &str) -> Self {
        let new = Self::new(name);
        Machine::new().apply(&new.start_init(), soon(10)).unwrap();
        new
    }

    pub(crate) fn start_init(&self) -> Step {
        let (container, root) = (self.name.clone(), self.root.clone());
        Step::StartInit { container, proc: Some(Place::within(root.clone(), "proc")), root }
    }

    /// Stops everything within `seconds`; how long that took.
    pub(crate) fn stop(&self, seconds: u64) -> Duration {
        let begun = Instant::now();
        Machine::new().apply(&self.start_init().inverse().unwrap(), soon(seconds)).unwrap();
        begun.elapsed()
    }

    /// The processes whose root is this container's.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let mut all = (&Machine::new() as &dyn Observe).processes(camino::Utf8Path::new("/")).unwrap();
        all.retain(|process| process.root.starts_with(&self.root) && !process.zombie);
        all
    }

    pub(crate) fn entry(&self, argv: &[&str]) -> Entry {
        Entry {
            way: Way::chroot(&self.root),
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            argv0: None,
            env: BTreeMap::from([("PATH".to_owned(), "/bin".to_owned())]),
            credentials: Credentials::root(),
            directory: "/".into(),
        }
    }

    /// A shell inside that runs `script`.
    pub(crate) fn sh(&self, script: &str) -> Entry {
        self.entry(&["sh", "-c", script])
    }
}

impl Drop for Box {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop(0);
            assert_eq!(self.processes(), []);
        } else {
            let _ = Machine::new().apply(&self.start_init().inverse().unwrap(), soon(0));
        }
    }
}

/// The point in time this many seconds from now.
pub(crate) fn soon(seconds: u64) -> Deadline {
    Deadline(Machine::new().steady_clock() + Duration::from_secs(seconds))
}

/// This program in the part that `words` name.
pub(crate) fn role(words: &[&str]) -> Command {
    let mut command = program("/proc/self/exe");
    command.arg0("process").args(words).stdin(Stdio::null());
    command
}

/// A program of the host's.
pub(crate) fn program(path: impl AsRef<Utf8Path>) -> Command {
    #[expect(clippy::disallowed_methods, reason = "programs of the test's own")]
    Command::new(path.as_ref().as_std_path())
}

/// A caller of `enter`.
pub(crate) fn caller(entry: &Entry) -> Command {
    role(&["enter", &serde_json::to_string(entry).unwrap()])
}

/// Runs an entry to its end: status, output.
pub(crate) fn run(entry: &Entry) -> (i32, String) {
    let Output { status, stdout, stderr } = caller(entry).output().unwrap();
    let text = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
    (status.code().unwrap(), text)
}

/// Starts a command and waits for its first line.
pub(crate) fn first_line(command: &mut Command) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim_end().to_owned())
}

/// Waits for something that another process does; the kernel tells of no event for it.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(15);
    while !holds() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
