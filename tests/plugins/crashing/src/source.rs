//! The release source: a userland of one file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::empty;
use std::path::{Path, PathBuf};

use qchroot_plugin::{
    Backend, Brand, Info, Kind, Node, NodeKind, Observe, Platform, Release, ReleaseSource, ReleaseWish,
    Result, Take, Work,
};

use crate::misdeed;

pub struct Source;

impl Backend for Source {
    fn info(&self) -> Info {
        Info {
            name: "acme.crashing".into(),
            kind: Kind::ReleaseSource,
            summary: "busybox, if it gets that far".into(),
            platforms: vec![Platform::Linux],
            capabilities: BTreeSet::new(),
            options: misdeed::options(),
            programs: vec![],
        }
    }
}

impl ReleaseSource for Source {
    fn resolve(&self, want: &ReleaseWish, _host: &dyn Observe) -> Result<Release> {
        misdeed::turn("resolve", &want.options);
        Ok(Release {
            version: want.release.clone().unwrap_or_else(|| "crashing-1.0".into()),
            brand: Brand::Linux,
            digest: "c".repeat(64),
            pins: BTreeMap::new(),
            remember: BTreeMap::new(),
            host_dirs: vec![],
            options: want.options.clone(),
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        for dir in ["/", "dev", "proc", "tmp", "bin"] {
            work.tree().write(&directory(dir), &mut empty())?;
        }
        misdeed::turn("fill", &release.options);
        work.take("/bin/busybox".into(), Path::new("bin/busybox"), Take::Copy)?;
        work.tree().finish()
    }
}

fn directory(path: &str) -> Node {
    Node {
        path: PathBuf::from(path),
        kind: NodeKind::Directory,
        mode: 0o755,
        uid: 0,
        gid: 0,
        mtime: (0, 0),
        xattrs: vec![],
        flags: None,
    }
}
