//! A program on a terminal has a terminal of its own.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};

use nix::libc;
use qchroot_api::{Entry, Mount, MountFs, Place, Step};
use qchroot_engine::Host;
use qchroot_host::Machine;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::support::{Box, Test, caller, soon};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("terminal::size_and_name", size_and_name),
        ("terminal::modes_come_back", modes_come_back),
        ("terminal::interrupt_reaches_the_program", interrupt_reaches_the_program),
        ("terminal::resize", resize),
        ("terminal::all_output_arrives", all_output_arrives),
        ("terminal::hangup", hangup),
    ]
}

/// A user at a terminal, and what it shows.
struct Session {
    screen: File,
    terminal: Option<OwnedFd>,
    child: Child,
    seen: String,
}

impl Session {
    fn start(entry: &Entry) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let screen = openpt(flags).unwrap();
        unlockpt(&screen).unwrap();
        let terminal = ioctl_tiocgptpeer(&screen, flags).unwrap();
        tcsetwinsize(&screen, size(33, 99)).unwrap();
        let stream = || Stdio::from(terminal.try_clone().unwrap());
        let mut command = caller(entry);
        command.stdin(stream()).stdout(stream()).stderr(stream());
        // SAFETY: two system calls, on the child's own standard input.
        unsafe {
            command.pre_exec(|| {
                nix::unistd::setsid()?;
                if libc::ioctl(0, libc::TIOCSCTTY, 0) == 0 {
                    Ok(())
                } else {
                    Err(std::io::Error::last_os_error())
                }
            })
        };
        let child = command.spawn().unwrap();
        Self { screen: screen.into(), terminal: Some(terminal), child, seen: String::new() }
    }

    fn type_in(&mut self, text: &str) {
        self.screen.write_all(text.as_bytes()).unwrap();
    }

    /// Reads until the screen has shown `text`.
    fn expect(&mut self, text: &str) {
        let mut chunk = [0; 4096];
        while !self.seen.contains(text) {
            let count = self.screen.read(&mut chunk).unwrap_or(0);
            assert!(count > 0, "no {text:?} in {:?}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
    }

    fn end(mut self) -> (i32, String) {
        self.terminal = None;
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = self.screen.read(&mut chunk) {
            self.seen.push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
        (self.child.wait().unwrap().code().unwrap(), self.seen)
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn size_and_name() {
    let web = Box::started("size");
    let pts = Step::Mount(Mount::new(Place::within(web.root.clone(), "dev/pts"), MountFs::Pts));
    Machine::new().apply(&pts, soon(5)).unwrap();
    let session = Session::start(&web.sh("stty size; tty; echo on-it > /dev/pts/0; exit 4"));
    let (status, seen) = session.end();
    Machine::new().apply(&pts.inverse().unwrap(), soon(5)).unwrap();
    assert_eq!((status, seen.as_str()), (4, "33 99\r\n/dev/pts/0\r\non-it\r\n"));
}

fn modes_come_back() {
    let web = Box::new("modes");
    let mut session = Session::start(&web.sh("echo ready; read x"));
    session.expect("ready");
    let echo = |session: &Session| {
        tcgetattr(session.terminal.as_ref().unwrap().as_fd()).unwrap().local_modes.contains(LocalModes::ECHO)
    };
    assert!(!echo(&session), "the outer terminal is raw while the program runs");
    session.type_in("\r");
    assert_eq!(session.child.wait().unwrap().code(), Some(0));
    assert!(echo(&session));
}

fn interrupt_reaches_the_program() {
    let web = Box::started("interrupt");
    let mut session =
        Session::start(&web.sh("trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 0.1; done"));
    session.expect("ready");
    session.type_in("\u{3}");
    session.expect("caught");
    assert_eq!(session.end().0, 6);
}

fn resize() {
    let web = Box::new("resize");
    let mut session =
        Session::start(&web.sh("trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.1; done"));
    session.expect("ready");
    // SAFETY: the structure lives for the call.
    let set = unsafe { libc::ioctl(session.screen.as_raw_fd(), libc::TIOCSWINSZ, &size(44, 55)) };
    assert_eq!(set, 0);
    session.expect("44 55");
}

fn all_output_arrives() {
    let web = Box::started("output");
    let session = Session::start(&web.sh("i=0; while [ $i -lt 20000 ]; do echo line-$i; i=$((i+1)); done"));
    let (status, seen) = session.end();
    assert_eq!((status, seen.lines().count()), (0, 20000));
    assert!(seen.ends_with("line-19999\r\n"));
}

fn hangup() {
    let web = Box::started("hangup");
    let mut session = Session::start(&web.sh("trap '' HUP; echo ready; while :; do sleep 1; done"));
    session.expect("ready");
    let Session { screen, terminal, mut child, .. } = session;
    drop((screen, terminal));
    child.wait().unwrap();
    crate::support::until("the session ends", || web.processes().len() == 1);
}
