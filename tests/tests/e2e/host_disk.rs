//! A file system of a kind that a test needs, on a file, mounted where the test says.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::Ran;
use crate::world::RunWith;

/// ext4, the same with room for limits for projects, and xfs, which always has it.
pub const EXT4: (u64, &[&str]) = (128 << 20, &["mkfs.ext4", "-q", "-F"]);
pub const EXT4_QUOTA: (u64, &[&str]) =
    (128 << 20, &["mkfs.ext4", "-q", "-F", "-O", "quota,project", "-E", "quotatype=prjquota"]);
pub const XFS: (u64, &[&str]) = (320 << 20, &["mkfs.xfs", "-q", "-f"]);

/// It is unmounted with this.
pub struct HostDisk {
    /// Where it is mounted.
    pub at: PathBuf,
}

impl HostDisk {
    /// Makes one by a program with its arguments, and mounts it with `options`. `None` where the kernel does not know
    /// these.
    #[track_caller]
    pub fn new(at: &Path, (size, mkfs): (u64, &[&str]), options: &str) -> Option<Self> {
        let file = at.with_extension("disk");
        std::fs::File::create(&file).unwrap().set_len(size).unwrap();
        std::fs::create_dir_all(at).unwrap();
        let (file, point) = (file.to_str().unwrap(), at.to_str().unwrap());
        Command::new(mkfs[0]).args(&mkfs[1..]).ran(&[file]).ok();
        let mounted = Command::new("mount").ran(&["-o", &format!("loop,{options}"), file, point]);
        (mounted.status == 0).then(|| Self { at: at.to_owned() })
    }

    /// The limits that the kernel keeps for projects, by quota(8)'s program: their numbers and kibibytes.
    pub fn projects(&self) -> Vec<(String, String)> {
        let ran: Ran = Command::new("repquota").ran(&["-P", "-n", "-v", self.at.to_str().unwrap()]);
        let text = ran.ok();
        let columns = text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let limit = |columns: Vec<String>| match &columns[..] {
            [number, _, _, _, hard, ..] if number.starts_with('#') && hard != "0" => {
                Some((number.clone(), hard.clone()))
            }
            _ => None,
        };
        columns.filter_map(limit).collect()
    }
}

impl Drop for HostDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}
