//! The program for FreeBSD, built or type-checked on Linux.
//!
//! Debian's compiler builds the standard library from Debian's source, zig is the C compiler and the linker.
//! What the environment says about target directory, linker, C compiler and flags stands above all that.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::dist::Built;
use crate::run::Run;
use crate::workspace::{Workspace, make_directory, write_file};
use crate::{Result, dist, setup};

/// The C compiler, from Python's registry: one package without dependencies.
const ZIG: &str = "ziglang==0.17.1";

/// The oldest FreeBSD that zig knows.
const RELEASE: &str = "freebsd.14.0";

/// Libraries that the standard library's bindings name and zig lacks; nothing of them is ever called.
const STUBS: &[(&str, u8)] =
    &[("kvm", 7), ("memstat", 3), ("procstat", 1), ("devstat", 7), ("geom", 5), ("jail", 1)];

/// What liblzma's C part cannot find out by itself when it is built for another system.
const C_FLAGS: &str = "-DHAVE_CLOCK_GETTIME=1 -DHAVE_PTHREAD_CONDATTR_SETCLOCK=1";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only type-check the whole workspace
    #[arg(long)]
    check: bool,
    /// The processor to build for
    #[arg(long, value_enum, default_value_t = Arch::X86_64)]
    arch: Arch,
}

/// A processor that FreeBSD runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Arch {
    /// amd64
    #[value(name = "x86_64")]
    X86_64,
    /// arm64
    Aarch64,
}

impl Arch {
    /// As it stands in the names of targets and archives.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    fn triple(self) -> String {
        format!("{}-unknown-freebsd", self.name())
    }

    /// The name of an environment variable of cargo's for this target.
    fn cargo_variable(self, what: &str) -> String {
        format!("CARGO_TARGET_{}_{what}", self.triple().replace('-', "_").to_uppercase())
    }

    /// The name of an environment variable of C build scripts for this target.
    fn c_variable(self, what: &str) -> String {
        format!("{what}_{}", self.triple().replace('-', "_"))
    }
}

/// `cargo xtask freebsd`.
pub(crate) fn task(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.check {
        return check(workspace, args.arch);
    }
    let built = build(workspace, args.arch)?;
    dist::freebsd(workspace, args.arch, Some(&built))
}

/// Builds the program and the plug-ins that are examples as they are shipped, and says where they are.
pub(crate) fn build(workspace: &Workspace, arch: Arch) -> Result<Built> {
    let kit = Kit::prepare(workspace, arch)?;
    kit.cargo("build").arg("--release").args(dist::packages(workspace)).run()?;
    Ok(Built::below(workspace, &kit.release()))
}

/// Type-checks all that runs on FreeBSD.
pub(crate) fn check(workspace: &Workspace, arch: Arch) -> Result<()> {
    let kit = Kit::prepare(workspace, arch)?;
    kit.cargo("check").args(["--workspace", "--exclude=xtask", "--keep-going"]).run()
}

/// The tools of one build, all beneath one directory.
struct Kit {
    arch: Arch,
    /// Where the tools and the packages are.
    directory: PathBuf,
    /// Where cargo builds.
    target: OsString,
}

impl Kit {
    fn prepare(workspace: &Workspace, arch: Arch) -> Result<Self> {
        setup::ensure(setup::FREEBSD)?;
        let directory = workspace.target.join("freebsd");
        let own_target = || directory.join("build").into_os_string();
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(own_target);
        let kit = Self { arch, directory, target };
        make_directory(&kit.stubs())?;
        kit.install_zig()?;
        kit.write_compiler()?;
        kit.link_stubs()?;
        Ok(kit)
    }

    fn zig(&self) -> PathBuf {
        self.directory.join("zig/ziglang/zig")
    }

    fn compiler(&self) -> PathBuf {
        self.directory.join(format!("cc-{}", self.arch.name()))
    }

    fn stubs(&self) -> PathBuf {
        self.directory.join("stubs").join(self.arch.name())
    }

    fn install_zig(&self) -> Result<()> {
        if self.zig().is_file() {
            return Ok(());
        }
        println!("setup: installing {ZIG} into {}", self.directory.display());
        let quiet = ["-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--target"];
        Run::new("python3").args(quiet).arg(self.directory.join("zig")).arg(ZIG).run()
    }

    /// rustc and the build scripts name the target their own way: that argument is dropped.
    fn write_compiler(&self) -> Result<()> {
        let (zig, arch) = (self.zig(), self.arch.name());
        let script = format!(
            "#!/bin/sh\nfor word; do\n  shift\n  case $word in --target=*) ;; *) set -- \"$@\" \"$word\" ;; esac\n\
             done\nexec '{}' cc -target {arch}-{RELEASE} \"$@\"\n",
            zig.display()
        );
        write_file(&self.compiler(), &script)?;
        Run::new("chmod").arg("755").arg(self.compiler()).text().map(drop)
    }

    fn link_stubs(&self) -> Result<()> {
        for (name, version) in STUBS {
            let library = self.stubs().join(format!("lib{name}.so"));
            if library.is_file() {
                continue;
            }
            let soname = format!("-Wl,-soname,lib{name}.so.{version}");
            let link = Run::new(self.compiler()).args(["-shared", "-nostdlib", &soname, "-o"]).arg(library);
            self.with_caches(link).args(["-x", "c", "/dev/null"]).text()?;
        }
        Ok(())
    }

    fn with_caches(&self, run: Run) -> Run {
        let cache = self.directory.join("zig-cache");
        run.env("ZIG_GLOBAL_CACHE_DIR", &cache).env("ZIG_LOCAL_CACHE_DIR", &cache)
    }

    /// Debian's cargo with Debian's compiler, freed of what rustup's cargo handed down to this task.
    fn cargo(&self, command: &str) -> Run {
        let mut run = self.with_caches(Run::new("/usr/bin/cargo"));
        for inherited in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTUP_HOME", "LD_LIBRARY_PATH"] {
            run = run.without_env(inherited);
        }
        for (key, value) in self.defaults() {
            if std::env::var_os(&key).is_none() {
                run = run.env(&key, value);
            }
        }
        run.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", "/usr/bin/rustc").args([
            command,
            "-Zbuild-std=std,panic_unwind",
            "--target",
            &self.arch.triple(),
        ])
    }

    /// Environment that holds unless the environment has it already. The stubs go with zig's linker only:
    /// another linker comes with the real libraries.
    fn defaults(&self) -> Vec<(String, OsString)> {
        let linker = self.arch.cargo_variable("LINKER");
        let mut defaults = vec![
            ("CARGO_TARGET_DIR".to_owned(), self.target.clone()),
            (self.arch.c_variable("CC"), self.compiler().into()),
            (self.arch.c_variable("AR"), "ar".into()),
            (self.arch.c_variable("CFLAGS"), C_FLAGS.into()),
        ];
        if std::env::var_os(&linker).is_none() {
            let stubs = format!("-Lnative={}", self.stubs().display());
            defaults.push((self.arch.cargo_variable("RUSTFLAGS"), stubs.into()));
            defaults.push((linker, self.compiler().into()));
        }
        defaults
    }

    /// Where cargo leaves what is shipped.
    fn release(&self) -> PathBuf {
        Path::new(&self.target).join(self.arch.triple()).join("release")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_as_cargo_and_the_build_scripts_read_them() {
        assert_eq!(Arch::X86_64.cargo_variable("LINKER"), "CARGO_TARGET_X86_64_UNKNOWN_FREEBSD_LINKER");
        assert_eq!(Arch::Aarch64.c_variable("CC"), "CC_aarch64_unknown_freebsd");
    }
}
