//! Release source `media`: a userland from removable media, as sysinstall(8) worked without questions: a directory such
//! as a mounted CD, an image file, or either of them behind an address.
//!
//! It knows what media hold and how to tell. How an image is mounted and how files are written is the business of
//! whoever hands in the [`Work`]; formats of archives and sets are `qchroot-unpack`'s.

#![forbid(unsafe_code)]

mod device;
mod digest;
mod fill;
mod image;
mod layout;
mod medium;
mod options;
mod pins;
mod resolve;
mod sets;

use std::collections::BTreeSet;

use qchroot_api::{
    Backend, Capability, Info, Kind, Node, NodeKind, Observe, Platform, Registration, Release, ReleaseSource,
    ReleaseWish, Result, Work, inventory,
};

/// The source.
#[derive(Debug, Clone, Copy, Default)]
pub struct Media;

inventory::submit! { Registration::Source(|| Box::new(Media)) }

impl Backend for Media {
    fn info(&self) -> Info {
        Info {
            name: "media".into(),
            kind: Kind::ReleaseSource,
            programs: vec![],
            summary: "a userland from a CD, a DVD, an image of one, or a directory".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: BTreeSet::from([Capability::Verified]),
            options: options::specs(),
        }
    }
}

impl ReleaseSource for Media {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        resolve::resolve(want, host)
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        fill::fill(release, work)
    }
}

/// The directory `/` for archives that do not have it; one that does sets its own mode.
fn top() -> Node {
    Node {
        path: ".".into(),
        kind: NodeKind::Directory,
        mode: 0o755,
        uid: 0,
        gid: 0,
        mtime: (0, 0),
        xattrs: vec![],
        flags: None,
    }
}
