//! Where the measurements take place: a release made of busybox, and the same tree for the floor.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::statfs::{FsType, TMPFS_MAGIC, statfs};

use crate::program::Program;
use crate::run::Run;
use crate::workspace::{Workspace, make_directory, write_file};
use crate::{Result, mounts};

/// The program under measurement and what its floor needs.
pub(super) struct Ground {
    pub(super) program: Program,
    floor: PathBuf,
    /// A userland that /bin/true can be run in, and the directories that an overlay over it needs.
    trees: PathBuf,
}

impl Ground {
    /// Lays out everything beneath `directory`, which is emptied first.
    pub(super) fn prepare(workspace: &Workspace, directory: &Path) -> Result<Self> {
        mounts::remove_tree(&directory.join("floor"))?;
        let program =
            Program::on_empty_root(workspace.built("release", "qchroot"), directory.join("qchroot"))?;
        refuse_memory(program.root())?;
        let ground =
            Self { program, floor: workspace.built("release", "floor"), trees: directory.join("floor") };
        ground.make_trees()?;
        ground.install()?;
        Ok(ground)
    }

    /// Leaves nothing behind.
    pub(super) fn clear(&self) -> Result<()> {
        self.program.remove_root()?;
        mounts::remove_tree(&self.trees)
    }

    pub(super) fn tree(&self, name: &str) -> PathBuf {
        self.trees.join(name)
    }

    fn make_trees(&self) -> Result<()> {
        let base = self.tree("base");
        for directory in ["bin", "dev/pts", "etc", "lib", "proc", "root", "sbin", "tmp", "usr/bin", "var/log"]
        {
            make_directory(&base.join(directory))?;
        }
        for directory in ["root", "upper", "work"] {
            make_directory(&self.tree(directory))?;
        }
        std::fs::copy("/bin/busybox", base.join("bin/busybox"))
            .map_err(|e| format!("cannot copy busybox: {e}"))?;
        for name in ["sh", "true", "cat", "ls"] {
            std::os::unix::fs::symlink("busybox", base.join("bin").join(name))?;
        }
        write_file(&base.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
        write_file(&base.join("etc/group"), "root:x:0:\n")?;
        write_file(&base.join("etc/os-release"), "ID=busybox\nNAME=busybox\nVERSION_ID=1\n")
    }

    fn install(&self) -> Result<()> {
        let tar = self.tree("base.tar");
        Run::new("tar").arg("-C").arg(self.tree("base")).arg("-cf").arg(&tar).arg(".").text()?;
        self.install_again().text().map(drop)
    }

    /// The install that made the base.
    pub(super) fn install_again(&self) -> Run {
        let path = format!("path={}", self.tree("base.tar").display());
        self.program.command(&["install", "--source", "tarball", "-o", &path, "--any-release"])
    }

    /// The least that entering a root takes.
    pub(super) fn floor_exec(&self) -> Run {
        self.floor("exec").arg(self.tree("base"))
    }

    /// The least that it takes to mount what a container on an overlay has, to enter it, and to unmount it.
    pub(super) fn floor_mounts(&self) -> Run {
        self.floor("mounts").arg(self.tree("root")).args([
            format!("overlay::{}", self.layers()),
            "devpts:dev/pts:newinstance,ptmxmode=0666".to_owned(),
            "proc:proc:".to_owned(),
        ])
    }

    /// The options of an overlay over the floor's tree.
    pub(super) fn layers(&self) -> String {
        let tree = |name: &str| self.tree(name).display().to_string();
        format!("lowerdir={},upperdir={},workdir={}", tree("base"), tree("upper"), tree("work"))
    }

    /// The floor at this work.
    pub(super) fn floor(&self, work: &str) -> Run {
        Run::new(&self.floor).arg(work)
    }

    /// The least that it takes to attach a disk to a device and to mount it.
    pub(super) fn floor_disk(&self, image: &Path, at: &Path) -> Run {
        self.floor("disk").arg(image).arg(at)
    }

    /// Bytes that everything of the program's takes on disk, the run directory included.
    pub(super) fn disk_use(&self) -> Result<u64> {
        disk_use(self.program.root())
    }
}

/// Memory is no disk: a measurement there would flatter.
fn refuse_memory(directory: &Path) -> Result<()> {
    let kind: FsType = statfs(directory)?.filesystem_type();
    if kind == TMPFS_MAGIC {
        return Err(format!(
            "{} is on tmpfs: choose a directory on a disk with --directory",
            directory.display()
        )
        .into());
    }
    Ok(())
}

fn disk_use(path: &Path) -> Result<u64> {
    let meta = path.symlink_metadata()?;
    let mut bytes = meta.blocks() * 512;
    if meta.is_dir() {
        for entry in path.read_dir()? {
            bytes += disk_use(&entry?.path())?;
        }
    }
    Ok(bytes)
}
