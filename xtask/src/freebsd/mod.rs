//! The program for FreeBSD, built or type-checked on Linux, and the tests that go with it to a FreeBSD machine.

mod bundle;
mod kit;
mod symbols;

use clap::ValueEnum;

use self::kit::Kit;
use crate::dist::Built;
use crate::workspace::Workspace;
use crate::{Result, dist};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only type-check the whole workspace
    #[arg(long, conflicts_with = "link")]
    check: bool,
    /// Only build and link the whole workspace, without optimising it, and pack nothing
    #[arg(long)]
    link: bool,
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
}

/// `cargo xtask freebsd`.
pub(crate) fn task(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.check {
        return check(workspace, args.arch);
    }
    if args.link {
        return link(workspace, args.arch);
    }
    let kit = Kit::prepare(workspace, args.arch)?;
    dist::freebsd(workspace, args.arch, Some(&shipped(workspace, &kit)?))?;
    bundle::pack(workspace, &kit, args.arch)
}

/// Builds the program and the plug-ins that are examples as they are shipped, and says where they are.
pub(crate) fn build(workspace: &Workspace, arch: Arch) -> Result<Built> {
    shipped(workspace, &Kit::prepare(workspace, arch)?)
}

fn shipped(workspace: &Workspace, kit: &Kit) -> Result<Built> {
    kit.cargo("build").arg("--release").args(dist::packages(workspace)).run()?;
    let built = Built::below(workspace, &kit.built("release"));
    examine(&built)?;
    Ok(built)
}

/// Type-checks all that runs on FreeBSD.
fn check(workspace: &Workspace, arch: Arch) -> Result<()> {
    let kit = Kit::prepare(workspace, arch)?;
    kit.cargo("check").args(["--workspace", "--exclude=xtask", "--keep-going"]).run()
}

/// Builds all that runs on FreeBSD, and looks at what the result needs there.
pub(crate) fn link(workspace: &Workspace, arch: Arch) -> Result<()> {
    let kit = Kit::prepare(workspace, arch)?;
    kit.cargo("build").args(["--workspace", "--exclude=xtask", "--keep-going"]).run()?;
    let debug = kit.built("debug");
    symbols::check(&debug.join(bundle::TESTS))?;
    examine(&Built::below(workspace, &debug))
}

fn examine(built: &Built) -> Result<()> {
    std::iter::once(&built.program).chain(&built.examples).try_for_each(|file| symbols::check(file))
}
