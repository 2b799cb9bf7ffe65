//! Archives: how long they take to unpack, against the tools that everybody uses, and what memory they need.

use std::path::{Path, PathBuf};

use super::measure::{Series, by_turns_of};
use super::userland::Userland;
use super::{Row, ground::Ground};
use crate::program::Program;
use crate::run::Run;
use crate::server::Server;
use crate::workspace::{Workspace, make_directory};
use crate::{Result, mounts};

/// Runs of each command: they take seconds.
const RUNS: usize = 5;

/// All rows about archives.
pub(super) fn measure(workspace: &Workspace, ground: &Ground, directory: &Path) -> Result<Vec<Row>> {
    let lab = Lab {
        userland: Userland::prepare(&directory.join("userland"))?,
        unpack: workspace.built("release", "unpack"),
        target: directory.join("unpacked"),
    };
    println!("a userland of {}", lab.userland.size);
    let mut rows = vec![
        lab.against("tar.xz, blocks", 0.6, "blocks.tar.xz", &["bsdtar", "-xpf"])?,
        lab.against("tar.xz, block", 1.0, "block.tar.xz", &["bsdtar", "-xpf"])?,
        lab.against("tar.zst", 1.0, "whole.tar.zst", &["tar", "--zstd", "-xpf"])?,
    ];
    rows.extend(lab.memory()?);
    rows.push(lab.install(ground.program.binary())?);
    mounts::remove_tree(&lab.target)?;
    Ok(rows)
}

struct Lab {
    userland: Userland,
    unpack: PathBuf,
    target: PathBuf,
}

impl Lab {
    /// An empty directory to unpack into, with nothing left to be written to disk by who came before.
    fn empty(&self) -> Result<&Path> {
        mounts::remove_tree(&self.target)?;
        make_directory(&self.target)?;
        nix::unistd::sync();
        Ok(&self.target)
    }

    fn ours(&self, archive: &str) -> Result<Run> {
        Ok(Run::new(&self.unpack).arg(self.userland.path(archive)).arg(self.empty()?))
    }

    /// The least time on the wall over that of `peer`.
    fn against(&self, what: &'static str, target: f64, archive: &str, peer: &[&str]) -> Result<Row> {
        let theirs = || {
            let run = Run::new(peer[0]).args(&peer[1..]).arg(self.userland.path(archive));
            Ok(run.arg("-C").arg(self.empty()?))
        };
        let (ours, theirs) = by_turns_of(RUNS, || self.ours(archive), theirs)?;
        Ok(Row::wall_ratio(what, target, &format!("× {}", peer[0]), (&ours, &theirs)))
    }

    /// The most memory that unpacking takes, and how much more of it an archive of twice the size takes.
    fn memory(&self) -> Result<[Row; 2]> {
        let peak = |archive: &str| -> Result<f64> {
            let text = self.ours(archive)?.text()?;
            let kib = text.split_whitespace().find_map(|word| word.parse::<u32>().ok());
            Ok(f64::from(kib.ok_or("unpack did not say what memory it took")?) / 1024.0)
        };
        let (half, whole) = (peak("half.tar.xz")?, peak("blocks.tar.xz")?);
        let details = format!("{half:.1} MiB for half of the archive");
        Ok([
            Row { what: "memory", target: 200.0, measured: whole, unit: "MiB".into(), details },
            Row {
                what: "memory, twice",
                target: 1.1,
                measured: whole / half,
                unit: "× half".into(),
                details: String::new(),
            },
        ])
    }

    /// A whole install from a mirror on this machine against the unpacking alone.
    fn install(&self, binary: &Path) -> Result<Row> {
        let archive = self.userland.path("blocks.tar.xz");
        let server = Server::start(archive.parent().ok_or("an archive without a directory")?)?;
        let sum = Run::new("sha256sum").arg(&archive).text()?;
        let sum = sum.split_whitespace().next().ok_or("no digest")?.to_owned();
        let path = format!("path={}", server.address("blocks.tar.xz"));
        let install = || {
            let program = Program::on_empty_root(binary.to_owned(), self.target.join("root"))?;
            nix::unistd::sync();
            let source = ["install", "--source", "tarball", "-o", &path, "-o", &format!("sha256={sum}")];
            Ok(program.command(&source))
        };
        let (whole, alone): (Series, Series) = by_turns_of(RUNS, install, || self.ours("blocks.tar.xz"))?;
        Ok(Row::wall_ratio("install", 1.1, "× unpacking", (&whole, &alone)))
    }
}
