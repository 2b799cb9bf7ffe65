//! A user at a terminal: types, and sees what the program shows.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::libc;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// How long the screen may stay without what is expected.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Terminal {
    screen: File,
    /// The program.
    pub child: Child,
    /// All that it has shown.
    pub seen: String,
}

impl Terminal {
    /// Runs a command on a terminal of 33 lines and 99 columns.
    pub fn run(command: &mut Command) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let screen = openpt(flags).unwrap();
        unlockpt(&screen).unwrap();
        let terminal = ioctl_tiocgptpeer(&screen, flags).unwrap();
        tcsetwinsize(&screen, size(33, 99)).unwrap();
        let stream = |terminal: &OwnedFd| Stdio::from(terminal.try_clone().unwrap());
        command.stdin(stream(&terminal)).stdout(stream(&terminal)).stderr(stream(&terminal));
        command.env("TERM", "xterm");
        // SAFETY: two system calls, on the child's own standard input.
        unsafe {
            command.pre_exec(|| {
                nix::unistd::setsid()?;
                match libc::ioctl(0, libc::TIOCSCTTY, 0) {
                    0 => Ok(()),
                    _ => Err(std::io::Error::last_os_error()),
                }
            })
        };
        let child = command.spawn().unwrap();
        // The command holds the terminal's other end as long as it lives.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { screen: screen.into(), child, seen: String::new() }
    }

    /// Types.
    pub fn type_in(&mut self, text: &str) {
        std::io::Write::write_all(&mut self.screen, text.as_bytes()).unwrap();
    }

    /// Makes the window another size.
    pub fn resize(&self, rows: u16, columns: u16) {
        // SAFETY: the structure lives for the call.
        let set = unsafe { libc::ioctl(self.screen.as_raw_fd(), libc::TIOCSWINSZ, &size(rows, columns)) };
        assert_eq!(set, 0);
    }

    /// Waits until the screen shows `text`, and forgets everything up to there.
    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.seen.contains(text) {
            assert!(self.read(end), "no {text:?} in {:?}", self.seen);
        }
        let at = self.seen.find(text).unwrap() + text.len();
        self.seen.drain(..at);
    }

    /// Waits for the program's end; its exit status, or 128+N.
    #[track_caller]
    pub fn end(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        let end = Instant::now() + PATIENCE;
        while self.read(end) {}
        assert!(Instant::now() < end, "the program does not end: {:?}", self.seen);
        let status = self.child.wait().unwrap();
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
    }

    /// The terminal vanishes, as with a connection that breaks.
    pub fn vanish(self) -> Child {
        drop(self.screen);
        self.child
    }

    /// Reads once; false at the end.
    fn read(&mut self, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        let timeout =
            Timespec { tv_sec: left.as_secs().try_into().unwrap(), tv_nsec: left.subsec_nanos().into() };
        let mut fds = [PollFd::from_borrowed_fd(self.screen.as_fd(), PollFlags::IN)];
        if poll(&mut fds, Some(&timeout)).unwrap() == 0 {
            return false;
        }
        let mut chunk = [0; 4096];
        let count = self.screen.read(&mut chunk).unwrap_or(0);
        self.seen.push_str(&String::from_utf8_lossy(&chunk[..count]));
        count > 0
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
