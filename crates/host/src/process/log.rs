//! The log of a service or an install: lines with the time in front, in files that do not grow without end. It
//! does not know whose lines they are.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::libc;
use qchroot_api::Result;

use crate::clock;
use crate::errors::OrError;

/// A file that has grown to this many bytes is put aside.
const LIMIT: u64 = 10 << 20;

/// Files kept in all: `log`, `log.1`, `log.2`.
const KEPT: u32 = 3;

/// A longer line is broken.
const LINE: usize = 8 << 10;

/// As many lines are remembered for a message.
const TAIL: usize = 5;

/// See the module.
pub(crate) struct Log {
    path: Utf8PathBuf,
    file: File,
    size: u64,
    limit: u64,
    partial: Vec<u8>,
    tail: VecDeque<String>,
}

impl Log {
    /// Opens the log `path`, made with mode 0640 when missing; never through a link.
    pub(crate) fn open(path: &Utf8Path) -> Result<Self> {
        Self::with_limit(path, LIMIT)
    }

    fn with_limit(path: &Utf8Path, limit: u64) -> Result<Self> {
        let file = open(path)?;
        let size = file.metadata().or_error(|| format!("cannot look at {path}"))?.size();
        Ok(Self { path: path.to_owned(), file, size, limit, partial: vec![], tail: VecDeque::new() })
    }

    /// Takes what a program printed; whole lines are written.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
        while let Some(end) = self.partial.iter().take(LINE).position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            self.line(&line[..end]);
        }
        while self.partial.len() >= LINE {
            let line: Vec<u8> = self.partial.drain(..LINE).collect();
            self.line(&line);
            self.take(&[]);
        }
    }

    /// Writes what has no end of line yet.
    pub(crate) fn finish_line(&mut self) {
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            self.line(&line);
        }
    }

    /// Writes a line of qchroot's own.
    pub(crate) fn remark(&mut self, text: &str) {
        self.write(&format!("qchroot: {text}"));
    }

    /// The last lines the service printed, the oldest first.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }

    fn line(&mut self, bytes: &[u8]) {
        let text = shown(bytes);
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(text.clone());
        self.write(&text);
    }

    /// A line that cannot be written is lost: the service must not stand still because its log does.
    fn write(&mut self, text: &str) {
        let line = format!("{} {text}\n", rfc3339(clock::wall()));
        if self.size + line.len() as u64 > self.limit {
            self.rotate();
        }
        if self.file.write_all(line.as_bytes()).is_ok() {
            self.size += line.len() as u64;
        }
    }

    fn rotate(&mut self) {
        for number in (1..KEPT).rev() {
            let from = if number == 1 { self.path.clone() } else { numbered(&self.path, number - 1) };
            let _ = fs::rename(from, numbered(&self.path, number));
        }
        if let Ok(file) = open(&self.path) {
            (self.file, self.size) = (file, 0);
        }
    }
}

fn open(path: &Utf8Path) -> Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path)
        .or_error(|| format!("cannot open {path}"))
}

fn numbered(path: &Utf8Path, number: u32) -> Utf8PathBuf {
    format!("{path}.{number}").into()
}

/// The line with its control characters visible, so that a terminal that shows it obeys none.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_suffix('\r').unwrap_or(&text);
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_control() && c != '\t' {
            out.extend(c.escape_default())
        } else {
            out.push(c)
        }
        out
    })
}

/// `2026-11-22T02:02:14.080Z`; RFC 3339, in UTC.
fn rfc3339(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (year, month, day) = date(seconds / 86400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let milli = since_epoch.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar; years begin in March here,
/// so that the leap day comes last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // from 0000-03-01
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("web.log")).unwrap();
        (dir, path)
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        let at = |seconds: u64| rfc3339(Duration::from_millis(seconds * 1000 + 7));
        assert_eq!(at(0), "1970-01-01T00:00:00.007Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.007Z");
        assert_eq!(at(1_795_312_934), "2026-11-22T02:02:14.007Z");
        assert_eq!(at(4_107_542_399), "2100-02-28T23:59:59.007Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00.007Z");
    }

    #[test]
    fn terminal_escapes_are_shown_and_lines_kept_apart() {
        let (_dir, path) = scratch();
        let mut log = Log::open(&path).unwrap();
        log.take(b"a\x1b[31mred\r\nhal");
        log.take(b"f\n\xff");
        log.finish_line();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        assert_eq!(lines, ["a\\u{1b}[31mred", "half", "\u{fffd}"]);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_line_without_end_is_broken() {
        let (_dir, path) = scratch();
        let mut log = Log::open(&path).unwrap();
        log.take(&vec![b'x'; 3 * LINE + 1]);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
        assert_eq!(log.partial, b"x");
    }

    #[test]
    fn old_logs_are_put_aside_and_the_oldest_goes() {
        let (dir, path) = scratch();
        let mut log = Log::with_limit(&path, 200).unwrap();
        for number in 0..40 {
            log.take(format!("line {number}\n").as_bytes());
        }
        let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["web.log", "web.log.1", "web.log.2"]);
        let text = |path: &Utf8Path| fs::read_to_string(path).unwrap();
        assert!(text(&path).ends_with("line 39\n"));
        assert!(text(&path).len() <= 200 && text(&numbered(&path, 1)).len() <= 200);
        let all = text(&numbered(&path, 2)) + &text(&numbered(&path, 1)) + &text(&path);
        let numbers: Vec<u32> =
            all.lines().map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
        assert!(!numbers.contains(&0), "{numbers:?}");
    }

    #[test]
    fn a_link_in_the_place_of_the_log_is_refused() {
        let (dir, path) = scratch();
        let victim = dir.path().join("victim");
        fs::write(&victim, "").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        assert!(Log::open(&path).is_err());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "");
    }
}
