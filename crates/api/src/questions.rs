//! The questions to the host as methods with types: the words in which back ends ask. It knows no host.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    Answer, Brand, DiskInfo, Error, ErrorKind, GroupUsage, Limits, Listener, Mounted, Observe, Place,
    Platform, Process, ProgramOutput, Query, Quota, Reply, Result, Space, Stat, Unenforced,
};

macro_rules! ask {
    ($self:ident, $query:expr, $variant:ident) => {
        match $self.observe(&$query)? {
            Answer::$variant(value) => Ok(value),
            other => Err(Error::new(ErrorKind::Internal, format!("unexpected answer {other:?}"))),
        }
    };
}

impl dyn Observe + '_ {
    /// Which kernel.
    pub fn platform(&self) -> Result<Platform> {
        ask!(self, Query::Platform, Platform)
    }

    /// The host's own release.
    pub fn host_release(&self) -> Result<String> {
        ask!(self, Query::HostRelease, Text)
    }

    /// What is at a place, the last component not followed.
    pub fn stat(&self, at: &Place) -> Result<Option<Stat>> {
        ask!(self, Query::Stat { at: at.clone() }, Stat)
    }

    /// A text file.
    pub fn read(&self, at: &Place) -> Result<String> {
        ask!(self, Query::Read { at: at.clone() }, Text)
    }

    /// `length` bytes of a file from `offset` on, fewer at its end.
    pub fn bytes(&self, at: &Place, offset: u64, length: u64) -> Result<Vec<u8>> {
        ask!(self, Query::Bytes { at: at.clone(), offset, length }, Bytes)
    }

    /// The target of a symbolic link; `None` when nothing or something else is there.
    pub fn link(&self, at: &Place) -> Result<Option<Utf8PathBuf>> {
        ask!(self, Query::Link { at: at.clone() }, Path)
    }

    /// A path of the host's without any link, as the kernel tells it to a program that works there; what does not
    /// exist stays as it is.
    ///
    /// # Errors
    /// Bad data for links that lead round in a circle.
    pub fn real_path(&self, path: &Utf8Path) -> Result<Utf8PathBuf> {
        let mut links = 0;
        let mut done = Utf8PathBuf::from("/");
        let mut left = parts(path);
        while let Some(part) = left.pop() {
            if part == ".." {
                done.pop();
                continue;
            }
            let next = done.join(part);
            let Some(to) = self.link(&Place::host(&next))? else {
                done = next;
                continue;
            };
            links += 1;
            if links > MOST_LINKS {
                return Err(Error::new(ErrorKind::BadData, format!("{path} leads round in a circle")));
            }
            if to.is_absolute() {
                done = "/".into();
            }
            left.extend(parts(&to));
        }
        Ok(done)
    }

    /// Names in a directory, sorted.
    pub fn list(&self, at: &Place) -> Result<Vec<String>> {
        ask!(self, Query::List { at: at.clone() }, Names)
    }

    /// The mount table.
    pub fn mounts(&self) -> Result<Vec<Mounted>> {
        ask!(self, Query::Mounts, Mounts)
    }

    /// Processes whose root is `below` or lies below it.
    pub fn processes(&self, below: &Utf8Path) -> Result<Vec<Process>> {
        ask!(self, Query::Processes { below: below.to_owned() }, Processes)
    }

    /// Whether the kernel has a file system type.
    pub fn has_fs(&self, name: &str) -> Result<bool> {
        ask!(self, Query::HasFs { name: name.into() }, Flag)
    }

    /// Whether the kernel runs the programs of a userland.
    pub fn runs(&self, brand: Brand) -> Result<bool> {
        ask!(self, Query::Runs { brand }, Flag)
    }

    /// Where a program of the host's is.
    pub fn program(&self, name: &str) -> Result<Option<Utf8PathBuf>> {
        ask!(self, Query::Program { name: name.into() }, Path)
    }

    /// Who holds a supervisor's lock file.
    pub fn holder(&self, at: &Utf8Path) -> Result<Option<i32>> {
        ask!(self, Query::Holder { at: at.to_owned() }, Pid)
    }

    /// What the disk in a file looks like.
    pub fn disk(&self, at: &Utf8Path) -> Result<Option<DiskInfo>> {
        ask!(self, Query::Disk { at: at.to_owned() }, Disk)
    }

    /// The limit that the file system of the directory `at` keeps for it; `None` where it keeps none for directories.
    pub fn quota(&self, at: &Utf8Path) -> Result<Option<Quota>> {
        ask!(self, Query::Quota { at: at.to_owned() }, Quota)
    }

    /// Space of the file system that holds `at`.
    pub fn space(&self, at: &Place) -> Result<Space> {
        ask!(self, Query::Space { at: at.clone() }, Space)
    }

    /// Which limits the machine cannot keep for the container in `directory`.
    pub fn unenforced(&self, limits: &Limits, directory: &Utf8Path) -> Result<Vec<Unenforced>> {
        let (limits, directory) = (limits.clone(), directory.to_owned());
        ask!(self, Query::Unenforced { limits, directory }, Unenforced)
    }

    /// What the processes of a control group use.
    pub fn group_usage(&self, group: &str) -> Result<Option<GroupUsage>> {
        ask!(self, Query::GroupUsage { group: group.into() }, GroupUsage)
    }

    /// The sockets that wait for others in the host's network.
    pub fn listeners(&self) -> Result<Vec<Listener>> {
        ask!(self, Query::Listeners, Listeners)
    }

    /// What is at an address, at most `limit` bytes.
    ///
    /// # Errors
    /// Unavailable for a server that cannot be reached, bad data for more than `limit` bytes.
    pub fn get(&self, address: &str, headers: &[(String, String)], limit: u64) -> Result<Reply> {
        let (address, headers) = (address.to_owned(), headers.to_vec());
        ask!(self, Query::Get { address, headers, limit }, Reply)
    }

    /// What a program prints that only looks.
    ///
    /// # Errors
    /// Not found, when the host has no such program.
    pub fn ask(&self, argv: &[&str]) -> Result<ProgramOutput> {
        let argv = argv.iter().map(|&word| word.to_owned()).collect();
        ask!(self, Query::Ask { argv }, Output)
    }
}

/// As many links are followed on one path as Linux follows; path_resolution(7).
const MOST_LINKS: u32 = 40;

/// The names in a path, the first one last.
fn parts(path: &Utf8Path) -> Vec<String> {
    path.as_str().split('/').rev().filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect()
}
