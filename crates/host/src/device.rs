//! Device nodes at places: what is there, making one, removing one. It does not know which of them a container
//! gets.

use qchroot_api::{Error, ErrorKind, Place, Result};
use rustix::fs::{AtFlags, FileType, Stat, major, minor, statat, unlinkat};
use rustix::io::Errno;

use crate::beneath::{self, Spot, describe};
use crate::errors::OrError;
use crate::files::reachable;
use crate::os;

/// What is in a node's place.
pub(crate) enum Node {
    /// Nothing, or nothing that matters: an empty file.
    Free {
        /// There is an empty file.
        empty_file: bool,
    },
    /// The node itself.
    There,
    /// Something else, in words.
    Taken(String),
}

/// Looks at a node's place.
pub(crate) fn look(at: &Place, device: (u32, u32)) -> Result<Node> {
    let Some(spot) = reachable_or_missing(at)? else { return Ok(Node::Free { empty_file: false }) };
    match statat(&spot.dir, &spot.name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(judge(at, &stat, device)),
        Err(Errno::NOENT) => Ok(Node::Free { empty_file: false }),
        Err(error) => Err(error).or_error(|| format!("cannot look at {at}")),
    }
}

fn reachable_or_missing(at: &Place) -> Result<Option<Spot>> {
    match beneath::parent(at) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        spot => spot.map(Some),
    }
}

fn judge(at: &Place, stat: &Stat, (want_major, want_minor): (u32, u32)) -> Node {
    let numbers = (major(stat.st_rdev), minor(stat.st_rdev));
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice if numbers == (want_major, want_minor) => Node::There,
        FileType::CharacterDevice | FileType::BlockDevice => {
            Node::Taken(format!("{at} is device {}:{}, not {want_major}:{want_minor}", numbers.0, numbers.1))
        }
        FileType::RegularFile if stat.st_size == 0 => Node::Free { empty_file: true },
        FileType::RegularFile => Node::Taken(format!("{at} is a file with content, not a device")),
        other => Node::Taken(format!("{at} is {}, not a device", describe(other))),
    }
}

/// Makes a node with mode 0666, the superuser's.
pub(crate) fn make(at: &Place, device: (u32, u32)) -> Result<()> {
    os::device::check(at, device)?;
    let spot = beneath::parent(at)?;
    match look(at, device)? {
        Node::Taken(what) => return Err(Error::new(ErrorKind::Exists, what)),
        Node::There => return Ok(()),
        Node::Free { empty_file: true } => {
            unlinkat(&spot.dir, &spot.name, AtFlags::empty()).or_error(|| format!("cannot replace {at}"))?;
        }
        Node::Free { empty_file: false } => {}
    }
    os::device::make(&spot, device).or_error(|| format!("cannot make device {at}"))
}

/// Removes a node; one that is gone is fine, something else in its place stays.
pub(crate) fn remove(at: &Place, device: (u32, u32)) -> Result<()> {
    let Some(spot) = reachable(beneath::parent(at))? else { return Ok(()) };
    match look(at, device)? {
        Node::There => match unlinkat(&spot.dir, &spot.name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error).or_error(|| format!("cannot remove device {at}")),
        },
        Node::Free { .. } => Ok(()),
        Node::Taken(what) => Err(Error::new(ErrorKind::Exists, what)),
    }
}
