//! The distribution sets that scenarios install: MANIFEST and `base.txz` in the form of FreeBSD's own, with as much of a
//! userland of this machine's kernel as the scenarios need. It knows files, not containers.

mod archive;
#[cfg(any(target_os = "freebsd", test))]
mod needed;

#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "freebsd")]
use freebsd as own;
#[cfg(target_os = "linux")]
use linux as own;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use liblzma::write::XzEncoder;
use sha2::{Digest, Sha256};

pub(crate) use archive::Archive;
pub(crate) use own::release;

/// How hard xz(1) tries: not at all.
const EFFORT: u32 = 0;

/// Directories that every userland has, with their modes.
const DIRECTORIES: &[(&str, u32)] = &[
    ("bin", 0o755),
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("lib", 0o755),
    ("libexec", 0o755),
    ("proc", 0o555),
    ("root", 0o700),
    ("sbin", 0o755),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("usr/bin", 0o755),
    ("usr/lib", 0o755),
    ("usr/libexec", 0o755),
    ("usr/local", 0o755),
    ("usr/ports", 0o755),
    ("usr/sbin", 0o755),
    ("usr/share", 0o755),
    ("usr/src", 0o755),
    ("var", 0o755),
    ("var/db", 0o755),
    ("var/log", 0o755),
    ("var/run", 0o755),
    ("var/tmp", 0o1777),
];

/// Puts the sets at `at`: those that `QCHROOT_SETS` names, or own ones.
pub(crate) fn provide(at: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("cannot make distribution sets in {}: {error}", at.display());
    if let Some(given) = std::env::var_os("QCHROOT_SETS") {
        let given = PathBuf::from(given).canonicalize().map_err(|error| format!("QCHROOT_SETS: {error}"))?;
        return symlink(given, at).map_err(told);
    }
    fs::create_dir(at).map_err(told)?;
    make(at).map_err(told)
}

fn make(at: &Path) -> std::io::Result<()> {
    let (tar, set) = (at.join("base.tar"), at.join("base.txz"));
    let entries = archive(&tar)?;
    let mut xz = XzEncoder::new(File::create(&set)?, EFFORT);
    std::io::copy(&mut File::open(&tar)?, &mut xz)?;
    xz.finish()?;
    fs::remove_file(tar)?;
    let row = format!("base.txz\t{}\t{entries}\tbase\t\"Base system (MANDATORY)\"\ton\n", sha256(&set)?);
    fs::write(at.join("MANIFEST"), row)
}

/// Writes a userland of this machine's as a tar archive; the number of entries.
pub(crate) fn archive(at: &Path) -> std::io::Result<usize> {
    let mut archive = Archive::create(at)?;
    for &(path, mode) in DIRECTORIES {
        archive.directory(path, mode)?;
    }
    own::fill(&mut archive)?;
    archive.finish()
}

/// The SHA-256 of a file, in hexadecimal digits.
pub(crate) fn sha256(file: &Path) -> std::io::Result<String> {
    Ok(Sha256::digest(fs::read(file)?).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The arguments that install the sets in a directory.
pub(crate) fn install_args(sets: &Path) -> Vec<String> {
    let release = release();
    let url = format!("url={}", sets.display());
    let mut args =
        ["install", "--source", "distset", "--release", &release, "-o", &url].map(str::to_owned).to_vec();
    if !release.ends_with("-RELEASE") {
        args.push("--any-release".into());
    }
    args
}
