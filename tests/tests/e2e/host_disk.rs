//! A file system of a kind that a test needs, on a file, mounted where the test says.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::Ran;
use crate::world::RunWith;

/// It is unmounted with this.
pub struct HostDisk {
    /// Where it is mounted.
    pub at: PathBuf,
}

impl HostDisk {
    /// Makes one of `size` bytes by `mkfs` with its arguments, and mounts it with `options`.
    #[track_caller]
    pub fn new(at: &Path, size: u64, mkfs: &[&str], options: &str) -> Self {
        let file = at.with_extension("disk");
        std::fs::File::create(&file).unwrap().set_len(size).unwrap();
        std::fs::create_dir_all(at).unwrap();
        let (file, point) = (file.to_str().unwrap(), at.to_str().unwrap());
        Command::new(mkfs[0]).args(&mkfs[1..]).ran(&[file]).ok();
        Command::new("mount").ran(&["-o", &format!("loop,{options}"), file, point]).ok();
        Self { at: at.to_owned() }
    }

    /// ext4 that keeps limits for projects.
    #[track_caller]
    pub fn ext4_with_quotas(at: &Path) -> Self {
        Self::new(
            at,
            128 << 20,
            &["mkfs.ext4", "-q", "-O", "quota,project", "-E", "quotatype=prjquota"],
            "prjquota",
        )
    }

    /// xfs that keeps limits for projects.
    #[track_caller]
    pub fn xfs_with_quotas(at: &Path) -> Self {
        Self::new(at, 320 << 20, &["mkfs.xfs", "-q"], "prjquota")
    }

    /// What the kernel has written down about projects, by quota(8)'s programs.
    pub fn projects(&self) -> String {
        let ran: Ran = Command::new("repquota").ran(&["-P", "-n", "-v", self.at.to_str().unwrap()]);
        ran.ok()
    }
}

impl Drop for HostDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}
