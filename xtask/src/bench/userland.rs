//! A userland to unpack: the files of this host's own packages, in archives of several kinds.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::run::Run;
use crate::workspace::{make_directory, write_file};

/// The least that is unpacked: bytes of files, and entries.
const LEAST: (u64, usize) = (160 << 20, 9_000);

/// The archives, all of the same files; two have only half of them.
pub(super) struct Userland {
    directory: PathBuf,
    /// What is in it, for the table.
    pub(super) size: String,
}

impl Userland {
    /// Makes the archives in `directory`, which is emptied first.
    pub(super) fn prepare(directory: &Path) -> Result<Self> {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        make_directory(directory)?;
        let (files, bytes) = files_of_packages()?;
        let size = format!("{} MiB, {} entries", bytes >> 20, files.len());
        let userland = Self { directory: directory.to_owned(), size };
        userland.archive("whole.tar", &files)?;
        userland.archive("half.tar", &files[..files.len() / 2])?;
        // As FreeBSD's own sets are made: blocks that several processors can decode.
        userland.pack("whole.tar", "blocks.tar.xz", &["xz", "-1", "-T2", "--block-size=8MiB", "-c"])?;
        userland.pack("half.tar", "half.tar.xz", &["xz", "-1", "-T2", "--block-size=8MiB", "-c"])?;
        userland.pack("whole.tar", "block.tar.xz", &["xz", "-1", "-T1", "-c"])?;
        userland.pack("whole.tar", "whole.tar.zst", &["zstd", "-q", "-3", "-c"])?;
        Ok(userland)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn archive(&self, name: &str, files: &[PathBuf]) -> Result<()> {
        let list = self.path("list");
        let lines = files.iter().map(|file| format!("{}\n", file.display()));
        write_file(&list, &lines.collect::<String>())?;
        let options = ["--create", "--no-recursion", "--numeric-owner", "--format=pax", "--directory=/"];
        Run::new("tar").args(options).arg("--file").arg(self.path(name)).arg("-T").arg(list).text().map(drop)
    }

    fn pack(&self, from: &str, to: &str, command: &[&str]) -> Result<()> {
        let packed = Run::new(command[0]).args(&command[1..]).arg(self.path(from));
        packed.into_file(&self.path(to))
    }
}

/// Whole packages, those that every Debian has first, until there is enough; paths relative to `/`, in order.
fn files_of_packages() -> Result<(Vec<PathBuf>, u64)> {
    let (mut files, mut bytes) = (BTreeSet::new(), 0);
    for package in packages()? {
        if bytes >= LEAST.0 && files.len() >= LEAST.1 {
            return Ok((files.into_iter().collect(), bytes));
        }
        for line in Run::new("dpkg").args(["-L", &package]).text()?.lines() {
            let Some((file, size)) = real(Path::new(line)) else { continue };
            bytes += if files.insert(file) { size } else { 0 };
        }
    }
    Err(format!("the packages of this host have {bytes} bytes in {} files: too few", files.len()).into())
}

fn packages() -> Result<Vec<String>> {
    let text = Run::new("dpkg-query").args(["-W", "-f", "${Priority} ${binary:Package}\n"]).text()?;
    let rank = |line: &str| {
        let order = ["required", "important", "standard"];
        order.iter().position(|priority| line.starts_with(priority)).unwrap_or(order.len())
    };
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_by_key(|line| rank(line));
    Ok(lines.into_iter().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect())
}

/// Where a packaged file really is, whatever links lead there, and its size.
fn real(path: &Path) -> Option<(PathBuf, u64)> {
    let real = path.parent()?.canonicalize().ok()?.join(path.file_name()?);
    let meta = real.symlink_metadata().ok()?;
    // The links in `/` of a merged /usr, which packages ship as directories.
    if meta.is_symlink() && real.parent() == Some(Path::new("/")) {
        return None;
    }
    let size = if meta.is_file() { meta.size() } else { 0 };
    Some((real.strip_prefix("/").ok()?.to_owned(), size))
}
