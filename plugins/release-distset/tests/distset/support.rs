//! Mirrors in temporary directories, and installs from them.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use qchroot_api::{Backend as _, Error, Release, ReleaseSource, ReleaseWish, Result, toml};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use qchroot_release_distset::Distset;
use qchroot_testkit::server::{FtpServer, HttpServer};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

pub(crate) const RELEASE: &str = "14.3-RELEASE";

/// What a program prints, which must succeed.
pub(crate) fn run(program: &str, args: &[&str], dir: &Path) -> String {
    let output = Command::new(program).args(args).current_dir(dir).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A directory with a release in it.
pub(crate) struct Mirror {
    dir: TempDir,
    /// Where MANIFEST and the sets are.
    pub(crate) at: PathBuf,
}

impl Mirror {
    /// With the sets base, kernel, lib32, src and base_dbg.
    pub(crate) fn new() -> Self {
        Self::below("")
    }

    /// The same, `path` below the mirror's address.
    pub(crate) fn below(path: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let at = dir.path().join(path);
        fs::create_dir_all(&at).unwrap();
        let mirror = Self { dir, at };
        mirror.write_set("base.txz", base);
        mirror.write_set("base-dbg.txz", |tar| file(tar, "usr/lib/debug/bin/sh.debug", 0o444, b"debug"));
        mirror.write_set("kernel.txz", |tar| file(tar, "boot/kernel/kernel", 0o555, b"kernel"));
        mirror.write_set("lib32.txz", |tar| file(tar, "usr/lib32/libc.so.7", 0o444, b"lib32"));
        mirror.write_set("src.txz", |tar| file(tar, "usr/src/Makefile", 0o644, b"src"));
        mirror.write_manifest();
        mirror
    }

    /// The directory.
    pub(crate) fn url(&self) -> &str {
        self.dir.path().to_str().unwrap()
    }

    /// A web server on it.
    pub(crate) fn http(&self) -> HttpServer {
        HttpServer::serving(self.dir.path())
    }

    /// An FTP server on it.
    pub(crate) fn ftp(&self) -> FtpServer {
        FtpServer::serving(self.dir.path())
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.at.join(file)
    }

    pub(crate) fn write_set(&self, name: &str, content: fn(&mut Builder<Vec<u8>>)) {
        let mut tar = Builder::new(Vec::new());
        content(&mut tar);
        pack("xz", &["-T0", "--block-size=16KiB"], &tar.into_inner().unwrap(), &self.path(name));
    }

    /// MANIFEST as `make-manifest.sh` of FreeBSD writes it, over the sets that are there.
    pub(crate) fn write_manifest(&self) {
        let mut text = String::new();
        for file in ["base-dbg.txz", "base.txz", "kernel.txz", "lib32.txz", "src.txz"] {
            let sha256 = run("sha256sum", &[file], &self.at);
            let entries = run("tar", &["-tf", file], &self.at).lines().count();
            let name = file.strip_suffix(".txz").unwrap();
            let on = if ["base-dbg", "src"].contains(&name) { "off" } else { "on" };
            let (sha256, name) = (&sha256[..64], name.replace('-', "_"));
            text += &format!("{file}\t{sha256}\t{entries}\t{name}\t\"The set {name}\"\t{on}\n");
        }
        fs::write(self.path("MANIFEST"), text).unwrap();
    }

    /// Changes MANIFEST.
    pub(crate) fn edit(&self, change: impl FnOnce(String) -> String) {
        let path = self.path("MANIFEST");
        fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
    }

    pub(crate) fn manifest_sha256(&self) -> String {
        run("sha256sum", &["MANIFEST"], &self.at)[..64].to_owned()
    }
}

/// A base system in small: all that makes FreeBSD's sets special.
fn base(tar: &mut Builder<Vec<u8>>) {
    for dir in ["", "bin", "etc", "lib", "libexec", "tmp", "usr", "usr/bin", "usr/sbin", "var", "var/log"] {
        let mode = if dir == "tmp" { 0o1777 } else { 0o755 };
        entry(tar, &format!("./{dir}"), EntryType::Directory, mode, "", b"");
    }
    let text: Vec<u8> = (0..40_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    file(tar, "./bin/[", 0o555, &text);
    entry(tar, "./bin/test", EntryType::Link, 0o555, "./bin/[", b"");
    schg(tar);
    file(tar, "./bin/rcp", 0o4555, b"set-id");
    schg(tar);
    file(tar, "./lib/libc.so.7", 0o444, b"library");
    file(tar, "./etc/rc.conf", 0o644, b"hostname=\"\"\n");
    entry(tar, "./etc/localtime", EntryType::Symlink, 0o777, "../usr/share/zoneinfo/UTC", b"");
    file(tar, "./usr/bin/true", 0o555, b"true");
    file(tar, "./var/log/messages", 0o600, b"");
}

/// The next entry is immutable.
fn schg(tar: &mut Builder<Vec<u8>>) {
    tar.append_pax_extensions([("SCHILY.fflags", "schg".as_bytes())]).unwrap();
}

pub(crate) fn file(tar: &mut Builder<Vec<u8>>, path: &str, mode: u32, content: &[u8]) {
    entry(tar, path, EntryType::Regular, mode, "", content);
}

fn entry(tar: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, mode: u32, link: &str, content: &[u8]) {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(1_700_000_000);
    header.set_size(content.len() as u64);
    header.set_uid(0);
    header.set_gid(0);
    if !link.is_empty() {
        header.set_link_name(link).unwrap();
    }
    tar.append_data(&mut header, path, content).unwrap();
}

/// Lets a program compress `content` into the file `to`.
pub(crate) fn pack(program: &str, args: &[&str], content: &[u8], to: &Path) {
    let mut command = Command::new(program);
    let command = command.args(args).stdin(Stdio::piped()).stdout(File::create(to).unwrap());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
    child.stdin.take().unwrap().write_all(content).unwrap();
    assert!(child.wait().unwrap().success(), "{program}");
}

/// What the test asks for.
pub(crate) fn wish(options: toml::Table) -> ReleaseWish {
    ReleaseWish { release: Some(RELEASE.into()), any: false, options }
}

pub(crate) fn resolve(wish: &ReleaseWish) -> Result<Release> {
    Distset.check(&wish.options)?;
    Distset.resolve(wish, &Machine::new())
}

/// Fills a directory of its own.
pub(crate) fn install(wish: &ReleaseWish) -> Result<TempDir> {
    let dir = TempDir::new().unwrap();
    install_in(&dir, wish)?;
    Ok(dir)
}

/// Fills `tree` in a directory, anew; the cache there is kept.
pub(crate) fn install_in(dir: &TempDir, wish: &ReleaseWish) -> Result<()> {
    let release = resolve(wish)?;
    let machine = Machine::new();
    assert!(machine.is_superuser(), "this test must be run as root");
    let staging = dir.path().join("tree");
    let _ = fs::remove_dir_all(&staging);
    fs::create_dir(&staging).unwrap();
    let mut show = |_: &qchroot_api::Progress| {};
    let mut work = machine.work(&Workplace::beside(staging.as_path().try_into().unwrap()), &mut show)?;
    Distset.fill(&release, work.as_mut())
}

/// The error of an install that must fail.
#[track_caller]
pub(crate) fn refused(wish: &ReleaseWish) -> Error {
    match install(wish) {
        Ok(_) => panic!("{wish:?} was installed"),
        Err(error) => error,
    }
}
