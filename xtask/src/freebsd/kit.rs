//! The tools of a build for FreeBSD on Linux, all beneath one directory, and how cargo is told of them.
//!
//! Debian's compiler builds the standard library from Debian's source, zig is the C compiler and the linker. What the
//! environment says about target directory, compilers, linker and flags stands above all that; where it names both a
//! linker and a C compiler, zig is not even fetched.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Arch;
use crate::run::Run;
use crate::workspace::{Workspace, make_directory, write_file};
use crate::{Result, setup};

/// The C compiler, from Python's registry: one package without dependencies.
const ZIG: &str = "ziglang==0.17.1";

/// The oldest FreeBSD that zig knows.
const RELEASE: &str = "freebsd.14.0";

/// Libraries that the standard library's bindings name and zig lacks; nothing of them is ever called.
const STUBS: &[(&str, u8)] =
    &[("kvm", 7), ("memstat", 3), ("procstat", 1), ("devstat", 7), ("geom", 5), ("jail", 1)];

/// What liblzma's C part cannot find out by itself when it is built for another system.
const C_FLAGS: &str = "-DHAVE_CLOCK_GETTIME=1 -DHAVE_PTHREAD_CONDATTR_SETCLOCK=1";

/// See the module.
pub(super) struct Kit {
    arch: Arch,
    /// Where the tools are.
    directory: PathBuf,
    /// Where cargo builds.
    target: OsString,
}

impl Kit {
    /// Installs what is missing.
    pub(super) fn prepare(workspace: &Workspace, arch: Arch) -> Result<Self> {
        setup::ensure(setup::FREEBSD)?;
        let directory = workspace.target.join("freebsd");
        let own_target = || directory.join("build").into_os_string();
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(own_target);
        let kit = Self { arch, directory, target };
        if !(is_given(&[kit.linker_variable()]) && is_given(&kit.c_variables("CC"))) {
            make_directory(&kit.stubs())?;
            kit.install_zig()?;
            kit.write_compiler()?;
            kit.link_stubs()?;
        }
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

    /// rustc and the build scripts name the target their own way: that argument is dropped. The stubs are looked
    /// through by this linker alone; another one comes with the real libraries.
    fn write_compiler(&self) -> Result<()> {
        let (zig, arch, stubs) = (self.zig(), self.arch.name(), self.stubs());
        let script = format!(
            "#!/bin/sh\nlink=-L'{}'\nfor word; do\n  shift\n  case $word in\n  --target=*) continue ;;\n  \
             -c | -E | -S) link= ;;\n  esac\n  set -- \"$@\" \"$word\"\ndone\n\
             exec '{}' cc -target {arch}-{RELEASE} \"$@\" ${{link:+\"$link\"}}\n",
            stubs.display(),
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
    pub(super) fn cargo(&self, command: &str) -> Run {
        let mut run = self.with_caches(Run::new("/usr/bin/cargo"));
        for inherited in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTUP_HOME", "LD_LIBRARY_PATH"] {
            run = run.without_env(inherited);
        }
        for (key, value) in self.defaults() {
            run = run.env(&key, value);
        }
        run.env("RUSTC_BOOTSTRAP", "1").args([
            command,
            "-Zbuild-std=std,panic_unwind",
            "--target",
            &self.arch.triple(),
        ])
    }

    /// Environment that holds unless the environment has it already, under whichever of its names.
    fn defaults(&self) -> Vec<(String, OsString)> {
        let wanted: [(Vec<String>, OsString); 6] = [
            (vec!["CARGO_TARGET_DIR".into()], self.target.clone()),
            (vec!["RUSTC".into()], "/usr/bin/rustc".into()),
            (vec![self.linker_variable()], self.compiler().into()),
            (self.c_variables("CC"), self.compiler().into()),
            (self.c_variables("AR"), "ar".into()),
            (self.c_variables("CFLAGS"), C_FLAGS.into()),
        ];
        wanted
            .into_iter()
            .filter(|(names, _)| !is_given(names))
            .map(|(mut names, value)| (names.swap_remove(0), value))
            .collect()
    }

    /// The variable of cargo's for this target's linker.
    fn linker_variable(&self) -> String {
        format!("CARGO_TARGET_{}_LINKER", self.arch.triple().replace('-', "_").to_uppercase())
    }

    /// The variables that C build scripts read for this target, the one that is written first.
    fn c_variables(&self, what: &str) -> Vec<String> {
        let triple = self.arch.triple();
        vec![
            format!("{what}_{}", triple.replace('-', "_")),
            format!("{what}_{triple}"),
            format!("TARGET_{what}"),
        ]
    }

    /// Where cargo leaves what it built, `profile` being `debug` or `release`.
    pub(super) fn built(&self, profile: &str) -> PathBuf {
        Path::new(&self.target).join(self.arch.triple()).join(profile)
    }
}

fn is_given(names: &[String]) -> bool {
    names.iter().any(|name| std::env::var_os(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kit(arch: Arch) -> Kit {
        Kit { arch, directory: "kit".into(), target: "target".into() }
    }

    #[test]
    fn variables_are_named_as_cargo_and_the_build_scripts_read_them() {
        assert_eq!(kit(Arch::X86_64).linker_variable(), "CARGO_TARGET_X86_64_UNKNOWN_FREEBSD_LINKER");
        assert_eq!(
            kit(Arch::Aarch64).c_variables("CC"),
            ["CC_aarch64_unknown_freebsd", "CC_aarch64-unknown-freebsd", "TARGET_CC"]
        );
    }

    #[test]
    fn what_nobody_gave_is_set_under_the_first_name() {
        let defaults = kit(Arch::Aarch64).defaults();
        let names: Vec<&str> = defaults.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"CC_aarch64_unknown_freebsd"), "{names:?}");
        assert!(names.contains(&"CARGO_TARGET_AARCH64_UNKNOWN_FREEBSD_LINKER"), "{names:?}");
    }
}
