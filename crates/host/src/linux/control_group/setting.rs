//! What a limit is in the files of its controller, by the kernel's documents on control groups, version 1 and 2. It
//! does not know where groups are.

use std::fs;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Limits, Result};
use rustix::fs::{major, minor};

use crate::errors::OrError;

/// A share of processor time is counted anew after this many microseconds.
const PERIOD: u64 = 100_000;

/// One limit in the kernel's terms.
#[derive(Debug)]
pub(super) enum Limit {
    /// Processor time in percent of one processor.
    Cpu(u64),
    /// Memory and swap together, in bytes.
    Memory(u64),
    /// Processes and threads.
    Processes(u64),
    /// Bytes read in a second from the disk `MAJOR:MINOR`.
    Read(String, u64),
    /// Bytes written in a second.
    Write(String, u64),
}

/// A file of a group and what is written to it.
#[derive(Debug)]
pub(super) struct Setting {
    name: &'static str,
    value: String,
    /// The file is not there on every kernel, and the limit holds without it.
    optional: bool,
}

/// All limits, each with its name in the container's file.
pub(super) fn each(limits: &Limits, directory: &Utf8Path) -> Vec<(&'static str, Result<Limit>)> {
    let disk = |limit: fn(String, u64) -> Limit, bytes| disk_of(directory).map(|disk| limit(disk, bytes));
    let given = [
        ("cpu", limits.cpu_percent.map(|percent| Ok(Limit::Cpu(percent.into())))),
        ("memory", limits.memory_bytes.map(|bytes| Ok(Limit::Memory(bytes)))),
        ("processes", limits.processes.map(|number| Ok(Limit::Processes(number)))),
        ("read", limits.read_bps.map(|bytes| disk(Limit::Read, bytes))),
        ("write", limits.write_bps.map(|bytes| disk(Limit::Write, bytes))),
    ];
    given.into_iter().filter_map(|(name, limit)| Some((name, limit?))).collect()
}

/// All limits.
pub(super) fn of(limits: &Limits, directory: &Utf8Path) -> Result<Vec<Limit>> {
    each(limits, directory).into_iter().map(|(_, limit)| limit).collect()
}

impl Limit {
    /// The controller that keeps it; version 2 where `unified`.
    pub(super) fn controller(&self, unified: bool) -> &'static str {
        match self {
            Self::Cpu(_) => "cpu",
            Self::Memory(_) => "memory",
            Self::Processes(_) => "pids",
            Self::Read(..) | Self::Write(..) if unified => "io",
            Self::Read(..) | Self::Write(..) => "blkio",
        }
    }

    /// The files to write, in this order.
    pub(super) fn files(&self, unified: bool) -> Vec<Setting> {
        match (self, unified) {
            (Self::Cpu(percent), true) => {
                vec![must("cpu.max", format!("{} {PERIOD}", percent * PERIOD / 100))]
            }
            (Self::Cpu(percent), false) => vec![
                must("cpu.cfs_period_us", PERIOD.to_string()),
                must("cpu.cfs_quota_us", (percent * PERIOD / 100).to_string()),
            ],
            (Self::Memory(bytes), true) => {
                vec![must("memory.max", whole_pages(*bytes)), may("memory.swap.max", "0".into())]
            }
            (Self::Memory(bytes), false) => vec![
                must("memory.limit_in_bytes", whole_pages(*bytes)),
                may("memory.memsw.limit_in_bytes", whole_pages(*bytes)),
            ],
            (Self::Processes(number), _) => vec![must("pids.max", number.to_string())],
            (Self::Read(disk, bytes), true) => vec![must("io.max", format!("{disk} rbps={bytes}"))],
            (Self::Write(disk, bytes), true) => vec![must("io.max", format!("{disk} wbps={bytes}"))],
            (Self::Read(disk, bytes), false) => {
                vec![must("blkio.throttle.read_bps_device", format!("{disk} {bytes}"))]
            }
            (Self::Write(disk, bytes), false) => {
                vec![must("blkio.throttle.write_bps_device", format!("{disk} {bytes}"))]
            }
        }
    }
}

impl Setting {
    /// Writes it into the group in `directory`.
    pub(super) fn write(&self, directory: &Utf8Path) -> Result<()> {
        let file = directory.join(self.name);
        if self.optional && !file.exists() {
            return Ok(());
        }
        fs::write(&file, &self.value).or_error(|| format!("cannot write {} to {file}", self.value))
    }

    /// Whether the group has it: the kernel adds words of its own, and shows one line for each disk.
    pub(super) fn holds(&self, directory: &Utf8Path) -> bool {
        let Ok(text) = fs::read_to_string(directory.join(self.name)) else { return self.optional };
        let has = |line: &str, word: &str| line.split_whitespace().any(|other| other == word);
        text.lines().any(|line| self.value.split(' ').all(|word| has(line, word)))
    }
}

fn must(name: &'static str, value: String) -> Setting {
    Setting { name, value, optional: false }
}

fn may(name: &'static str, value: String) -> Setting {
    Setting { name, value, optional: true }
}

/// The kernel rounds down to pages, and shows what it has made of a number.
fn whole_pages(bytes: u64) -> String {
    let page = rustix::param::page_size() as u64;
    (bytes / page * page).to_string()
}

/// The value of `NAME VALUE` in a file of such lines.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    let value = |line: &str| line.strip_prefix(name)?.trim().parse().ok();
    text.lines().find_map(value)
}

/// The whole disk, `MAJOR:MINOR`, that a directory or the nearest one above it lies on.
fn disk_of(directory: &Utf8Path) -> Result<String> {
    let there = directory.ancestors().find_map(|at| fs::metadata(at).ok());
    let device = there.map_or(0, |meta| meta.dev());
    let known = Utf8PathBuf::from(format!("/sys/dev/block/{}:{}", major(device), minor(device)));
    let known = known.canonicalize_utf8().map_err(|_| no_disk(directory))?;
    let whole = if known.join("partition").exists() { known.parent().unwrap_or(&known) } else { &known };
    let number = whole.join("dev");
    Ok(fs::read_to_string(&number).or_error(|| format!("cannot read {number}"))?.trim().to_owned())
}

fn no_disk(directory: &Utf8Path) -> Error {
    let message = format!("{directory} does not lie on a disk that the kernel could limit");
    Error::new(ErrorKind::Unavailable, message)
        .hint("reads and writes are limited on ext4, XFS and UFS on a disk")
}
