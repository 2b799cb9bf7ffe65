//! What a machine needs beside Rust: installed on Debian as root, named everywhere else.

use std::path::Path;

use nix::unistd::geteuid;

use crate::Result;
use crate::run::Run;
use crate::workspace::write_file;

/// Debian packages that the tests run or read.
pub(crate) const TESTS: &[&str] = &[
    "acl",
    "attr",
    "bmake",
    "btrfs-progs",
    "busybox-static",
    "bzip2",
    "devscripts",
    "docker-registry",
    "dpkg-dev",
    "e2fsprogs",
    "gcc",
    "git",
    "iproute2",
    "libarchive-tools",
    "libc6-dev",
    "lighttpd",
    "makefs",
    "minisign",
    "mmdebstrap",
    "musl-tools",
    "openssl",
    "postgresql",
    "procps",
    "python3",
    "python3-pyftpdlib",
    "quota",
    "redis-server",
    "shellcheck",
    "signify-openbsd",
    "skopeo",
    "squashfs-tools",
    "systemd",
    "tar",
    "umoci",
    "xfsprogs",
    "xorriso",
    "xz-utils",
    "zstd",
];

/// Debian packages that measurements compare with.
pub(crate) const BENCH: &[&str] = &["busybox-static", "crun", "libarchive-tools", "xz-utils", "zstd"];

/// Debian packages that check the manual page and the completions.
pub(crate) const MANUAL: &[&str] = &["bash", "fish", "mandoc", "mksh", "tcsh", "zsh"];

/// Debian packages that the demonstration needs to make a userland.
pub(crate) const DEMO: &[&str] = &["gcc", "libc6-dev", "mmdebstrap"];

/// Debian packages that build for FreeBSD; zig comes from Python's registry.
pub(crate) const FREEBSD: &[&str] = &["binutils", "cargo-web", "python3-pip", "rust-web-src", "rustc-web"];

/// `cargo xtask setup`: all that any task needs.
pub(crate) fn everything() -> Result<()> {
    for packages in [TESTS, BENCH, MANUAL, DEMO, FREEBSD] {
        ensure(packages)?;
    }
    ensure_cargo_deny()
}

/// Installs those of `packages` that are missing; fails where that is not possible, naming them.
pub(crate) fn ensure(packages: &[&str]) -> Result<()> {
    if !Path::new("/etc/debian_version").exists() {
        eprintln!(
            "setup: this is not Debian: see that the like of these is installed: {}",
            packages.join(" ")
        );
        return Ok(());
    }
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !geteuid().is_root() {
        return Err(format!("missing: run `sudo apt-get install {}` first", missing.join(" ")).into());
    }
    install(&missing)
}

/// Installs cargo-deny where cargo does not have it.
pub(crate) fn ensure_cargo_deny() -> Result<()> {
    if Run::cargo().args(["deny", "--version"]).capture()?.status.success() {
        return Ok(());
    }
    println!("setup: installing cargo-deny");
    Run::cargo().args(["install", "--quiet", "--locked", "cargo-deny"]).run()
}

/// An error that says why and how, unless this is root.
pub(crate) fn require_root(task: &str, why: &str) -> Result<()> {
    if geteuid().is_root() {
        return Ok(());
    }
    Err(format!("{task} {why}: run it as root, e.g. `sudo -E env PATH=\"$PATH\" cargo xtask {task}`").into())
}

fn installed(package: &str) -> bool {
    let query = Run::new("dpkg-query").args(["-W", "-f=${db:Status-Abbrev}", package]);
    query.text().is_ok_and(|status| status.starts_with("ii"))
}

/// What invoke-rc.d(8) asks before a package starts its daemon.
const POLICY: &str = "/usr/sbin/policy-rc.d";

fn install(missing: &[&str]) -> Result<()> {
    apt(&["update"])?;
    // Daemons are for tests to start, in containers. A policy that is there already stands.
    let is_ours = !Path::new(POLICY).exists();
    if is_ours {
        write_file(Path::new(POLICY), "#!/bin/sh\nexit 101\n")?;
        Run::new("chmod").args(["755", POLICY]).text()?;
    }
    let installed = missing.iter().try_for_each(|package| {
        println!("setup: installing {package}");
        apt(&["install", "--yes", "--no-install-recommends", package])
    });
    if is_ours {
        std::fs::remove_file(POLICY)?;
    }
    installed
}

fn apt(args: &[&str]) -> Result<()> {
    let quiet = ["-qq", "-o=Dpkg::Use-Pty=0", "-o=Acquire::Retries=3"];
    Run::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(quiet).args(args).text().map(drop)
}
