//! A user at a terminal: types, and sees what the program shows.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{OpenptyResult, Winsize, openpty};

use crate::ran::words;

/// How long the screen may stay without what is expected.
const PATIENCE: Duration = Duration::from_secs(40);

/// A terminal of 33 lines and 99 columns with a program on it.
pub(crate) struct Terminal {
    screen: File,
    /// The program.
    pub(crate) child: Child,
    /// All that it has shown since the last thing expected.
    pub(crate) seen: String,
}

impl Terminal {
    /// Runs a command on it.
    pub(crate) fn run(command: &mut Command) -> Self {
        eprintln!("$ {} (on a terminal)", words(command));
        let size = Winsize { ws_row: 33, ws_col: 99, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(Some(&size), None).unwrap();
        nix::fcntl::fcntl(&master, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC)).unwrap();
        let stream = |terminal: &OwnedFd| Stdio::from(terminal.try_clone().unwrap());
        command.stdin(stream(&slave)).stdout(stream(&slave)).stderr(slave).env("TERM", "xterm");
        // SAFETY: two system calls, on the child's own standard input.
        unsafe {
            command.pre_exec(|| {
                nix::unistd::setsid()?;
                nix::errno::Errno::result(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
                Ok(())
            })
        };
        let child = command.spawn().unwrap();
        // The command holds the terminal's other end as long as it lives.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { screen: master.into(), child, seen: String::new() }
    }

    /// Types.
    pub(crate) fn type_in(&mut self, text: &str) {
        eprintln!("  types {text:?}");
        self.screen.write_all(text.as_bytes()).unwrap();
    }

    /// Makes the window another size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the structure lives for the call.
        let set = unsafe { libc::ioctl(self.screen.as_raw_fd(), libc::TIOCSWINSZ, &size) };
        assert_eq!(set, 0);
    }

    /// Waits until the screen shows `text`, and forgets everything up to there.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.seen.contains(text) {
            assert!(self.read(end), "no {text:?} on the screen, but {:?}", self.seen);
        }
        eprintln!("  sees {text:?}");
        let at = self.seen.find(text).unwrap() + text.len();
        self.seen.drain(..at);
    }

    /// Waits for the program's end; its exit status, or 128+N.
    #[track_caller]
    pub(crate) fn end(&mut self) -> i32 {
        let end = Instant::now() + PATIENCE;
        loop {
            let more = self.read(Instant::now() + Duration::from_millis(50));
            if let Some(status) = self.child.try_wait().unwrap().filter(|_| !more) {
                eprintln!("  the program ends with {status}; last seen: {:?}", self.seen);
                return status.code().unwrap_or_else(|| 128 + status.signal().unwrap());
            }
            assert!(Instant::now() < end, "the program does not end: {:?}", self.seen);
        }
    }

    /// The terminal vanishes, as with a connection that breaks.
    pub(crate) fn vanish(self) -> Child {
        eprintln!("  the terminal vanishes");
        drop(self.screen);
        self.child
    }

    /// Reads once; false when nothing came up to `end`, or nothing can come any more.
    fn read(&mut self, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        let mut fds = [PollFd::new(self.screen.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, timeout).unwrap_or(0) == 0 {
            return false;
        }
        let mut chunk = [0; 4096];
        let count = self.screen.read(&mut chunk).unwrap_or(0);
        self.seen.push_str(&String::from_utf8_lossy(&chunk[..count]));
        if count == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        count > 0
    }
}
