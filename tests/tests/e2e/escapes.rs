//! Each known way out of a container, tried by a program inside: what an isolation stops, and what it is known not to.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::libc;

use crate::program::Ran;
use crate::terminal::Terminal;
use crate::world::{HostProcess, World, until};

/// The ways that escapes.c knows, and the isolations that they lead out of.
const WAYS: &[(&str, &[&str])] = &[
    ("descriptor", &[]),
    ("chroot", &[]),
    ("user-namespace", &[]),
    ("node", &[]),
    ("ptrace", &[]),
    ("signal", &[]),
    ("proc", &[]),
    ("kernel-settings", &[]),
    ("mount", &[]),
    ("module", &[]),
    ("raw-io", &[]),
    ("handle", &[]),
    ("pivot", &[]),
    ("namespace", &[]),
    ("session-keyring", &[]),
    ("user-keyring", &["chroot"]),
    ("reboot", &[]),
    ("socket", &["chroot", "namespaces"]),
    ("shared-memory", &["chroot"]),
];

/// What there is outside to get at, and a container to get at it from.
struct Prison {
    world: World,
    secret: PathBuf,
    outsider: HostProcess,
    _socket: UnixListener,
    segment: i32,
    key: i64,
}

impl Prison {
    /// A started container with these words for `create`.
    fn new(words: &[&str]) -> Self {
        let world = World::installed();
        world.run([&["create", "web"], words].concat()).ok();
        world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
        world.run(["start", "web"]).ok();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/escapes.c");
        let program = world.dir().join("escapes");
        let built = Command::new("gcc").args(["-static", "-O1", "-o"]).arg(&program).arg(source).status();
        assert!(built.unwrap().success(), "gcc builds static programs: Debian's gcc and libc6-dev");
        let mut copy =
            world.command(["exec", "web", "--", "sh", "-c", "cat >/escapes && chmod 755 /escapes"]);
        Ran::of(copy.stdin(Stdio::from(fs::File::open(program).unwrap()))).ok();
        let secret = world.dir().join("secret");
        fs::write(&secret, "secret").unwrap();
        let name = SocketAddr::from_abstract_name(secret.to_str().unwrap()).unwrap();
        let outsider = HostProcess::sleeping();
        let socket = UnixListener::bind_addr(&name).unwrap();
        let (segment, key) = (share("secret", outsider.pid()), keep(&secret, USER_KEYRING));
        Self { world, secret, outsider, _socket: socket, segment, key }
    }

    /// Tries one way out, with an open directory, a key and a terminal of the host's at hand.
    fn tries(&mut self, way: &str) -> Ran {
        let mut command = self.words(way);
        let directory = fs::File::open("/").unwrap();
        let number = directory.as_raw_fd();
        let secret = self.secret.clone();
        // SAFETY: system calls on what this closure owns.
        unsafe {
            command.pre_exec(move || {
                libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, 0_usize);
                keep(&secret, SESSION_KEYRING);
                if libc::dup2(number, 33) == 33 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
            })
        };
        let ran = Ran::of(&mut command);
        assert!(self.outsider.is_alive(), "{way}: {ran}");
        ran
    }

    fn words(&self, way: &str) -> Command {
        let (secret, outsider) = (self.secret.to_str().unwrap(), self.outsider.pid().to_string());
        self.world.command(["exec", "web", "--", "/escapes", way, secret, &outsider])
    }
}

impl Drop for Prison {
    fn drop(&mut self) {
        // SAFETY: numbers; both are this test's own.
        unsafe {
            libc::shmctl(self.segment, libc::IPC_RMID, std::ptr::null_mut());
            libc::syscall(libc::SYS_keyctl, UNLINK, self.key, USER_KEYRING);
        }
    }
}

/// `KEY_SPEC_USER_KEYRING` and the like; linux/keyctl.h.
const USER_KEYRING: i64 = -4;
const SESSION_KEYRING: i64 = -3;
const JOIN_SESSION_KEYRING: i64 = 1;
const UNLINK: i64 = 9;

/// Puts a key with the name of the secret into a keyring of this process'.
fn keep(secret: &std::path::Path, keyring: i64) -> i64 {
    let name = std::ffi::CString::new(secret.to_str().unwrap()).unwrap();
    // SAFETY: texts that live for the call.
    let key = unsafe {
        libc::syscall(libc::SYS_add_key, c"user".as_ptr(), name.as_ptr(), c"secret".as_ptr(), 6, keyring)
    };
    assert!(key > 0, "{}", std::io::Error::last_os_error());
    key
}

/// Puts a text into a segment of shared memory; its number.
fn share(text: &str, key: i32) -> i32 {
    // SAFETY: a segment of our own, larger than the text.
    unsafe {
        let segment = libc::shmget(key, 4096, libc::IPC_CREAT | 0o600);
        assert!(segment >= 0, "{}", std::io::Error::last_os_error());
        let at = libc::shmat(segment, std::ptr::null(), 0);
        std::ptr::copy_nonoverlapping(text.as_ptr(), at.cast(), text.len());
        libc::shmdt(at);
        segment
    }
}

const NAMESPACES: &[&str] = &["--isolation", "namespaces"];

/// Tries every way out of a container that is created with these words.
fn is_as_documented(isolation: &str, words: &[&str]) {
    let mut prison = Prison::new(words);
    for (way, open) in WAYS {
        let ran = prison.tries(way);
        let expected = i32::from(!open.contains(&isolation));
        assert_eq!(ran.status, expected, "{way}: {ran}");
    }
}

#[test]
fn chroot_holds_what_it_says() {
    is_as_documented("chroot", &["--isolation", "chroot"]);
}

#[test]
fn namespaces_hold_what_they_say() {
    is_as_documented("namespaces", NAMESPACES);
}

#[test]
fn namespaces_without_the_hosts_network_hold_everything() {
    is_as_documented("no network", &[NAMESPACES, &["-o", "isolation.network=none"]].concat());
}

#[test]
fn the_filter_keeps_the_hosts_keys_from_chroot() {
    let mut prison = Prison::new(&["-o", "isolation.seccomp=yes"]);
    for (way, open) in WAYS {
        let is_held = *way == "user-keyring" || open.is_empty();
        let ran = prison.tries(way);
        assert_eq!(ran.status, i32::from(is_held), "{way}: {ran}");
    }
}

/// And so the program that tries them can find a way.
#[test]
fn a_widened_list_lets_out() {
    let mut prison = Prison::new(&["-o", "isolation.capabilities=all"]);
    for way in ["chroot", "node", "mount", "handle", "pivot", "reboot", "kernel-settings"] {
        let ran = prison.tries(way);
        assert_eq!(ran.status, 0, "{way}: {ran}");
    }
    assert_eq!(prison.tries("ptrace").status, 0, "its own init");
    let _ = prison.world.run(["exec", "web", "--", "umount", "/tmp/mnt"]);
    prison.world.run(["stop", "web"]).ok();
}

/// A program that types into the terminal it was called from would run commands as the caller.
#[test]
fn nothing_is_typed_into_the_callers_terminal() {
    let prison = Prison::new(&[]);
    let words = prison.words("typing");
    let words: Vec<_> = words.get_args().map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let line = format!("'{}' {}", crate::program::path().display(), words.join(" "));
    // The shell reads what is typed: once as stdin, once only as what is shown.
    let script = format!("{line}; {line} </dev/null; echo over; read line; echo \"<$line>\"");
    let mut shell = Command::new("sh");
    let mut terminal = Terminal::run(shell.env_remove("QCHROOT_ROOT").args(["-c", &script]));
    terminal.expect("over");
    terminal.type_in("typed by hand\n");
    terminal.expect("<typed by hand>");
    assert_eq!(terminal.end(), 0);
}

/// Everything inside is killed by everything inside, and that is all.
#[test]
fn a_signal_to_all_stays_inside() {
    let mut prison = Prison::new(&[]);
    let world = &prison.world;
    let before = world.inside();
    world.sh("kill -9 -1");
    assert!(prison.outsider.is_alive());
    until("all but the init have ended", || before.iter().filter(|pid| is_alive(**pid)).count() == 1);
    prison.world.run(["stop", "web"]).ok();
    prison.world.assert_quiet();
}

fn is_alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// A script whose interpreter is `/proc/self/exe` runs whatever executes it: qchroot itself, with the container's loader.
fn keeps_its_own_file(words: &[&str]) {
    let world = World::installed();
    world.run([&["create", "web"], words].concat()).ok();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/own_program.c");
    let loader = world.dir().join("loader");
    let mut gcc = Command::new("gcc");
    let built = gcc.args(["-static", "-nostdlib", "-O1", "-o"]).arg(&loader).arg(source).status();
    assert!(built.unwrap().success(), "gcc builds a program without a C library");
    let script = "cat >/loader; chmod 755 /loader; printf '#!/proc/self/exe\\n' >/trap; chmod 755 /trap; \
                  mkdir -p /lib64 /lib; cp -p /loader /lib64/ld-linux-x86-64.so.2; \
                  cp -p /loader /lib/ld-linux-aarch64.so.1";
    let mut plant = world.command(["exec", "web", "--", "sh", "-c", script]);
    Ran::of(plant.stdin(Stdio::from(fs::File::open(&loader).unwrap()))).ok();
    let own = crate::program::path();
    let before = fs::metadata(own).unwrap().permissions();
    let run = world.run(["exec", "web", "--", "/trap"]);
    world.run(["config", "web", "--command", "trap=/trap"]).ok();
    let service = world.run(["start", "web"]);
    let after = fs::metadata(own).unwrap().permissions();
    fs::set_permissions(own, before.clone()).unwrap();
    assert_eq!(after, before, "{run} {service}");
    assert_eq!(run.status, libc::EROFS, "{run}");
    assert!(service.err.contains(&format!("ended with status {}", libc::EROFS)), "{service}");
}

#[test]
fn qchroots_own_file_is_out_of_reach_from_a_chroot() {
    keeps_its_own_file(&[]);
}

#[test]
fn qchroots_own_file_is_out_of_reach_from_namespaces() {
    keeps_its_own_file(NAMESPACES);
}
