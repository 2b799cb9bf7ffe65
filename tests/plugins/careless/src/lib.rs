//! `acme.careless`: an option nobody knows the default of, progress that goes backwards, and a process that ends when
//! the user gives up. Its userland is in order.

use std::collections::{BTreeMap, BTreeSet};

use qchroot_plugin::{
    Backend, Brand, Error, ErrorKind, Info, Kind, Node, NodeKind, Observe, OptionKind, OptionSpec, Platform,
    Progress, Release, ReleaseSource, ReleaseWish, Result, Work,
};

qchroot_plugin::export! { release_source "acme.careless" = Careless }

struct Careless;

impl Backend for Careless {
    fn info(&self) -> Info {
        Info {
            name: "acme.careless".into(),
            kind: Kind::ReleaseSource,
            summary: "one program, put down without care".into(),
            platforms: vec![Platform::Linux],
            capabilities: BTreeSet::new(),
            options: vec![OptionSpec::new("from", OptionKind::Text, "", "where it comes from")],
            programs: vec![],
        }
    }
}

impl ReleaseSource for Careless {
    fn resolve(&self, want: &ReleaseWish, _host: &dyn Observe) -> Result<Release> {
        let Some(from) = want.options.get("from") else {
            return Err(
                Error::new(ErrorKind::Config, "acme.careless needs the option from").with("key", "from")
            );
        };
        Ok(Release {
            version: format!("careless-{}", from.as_str().unwrap_or_default()),
            brand: Brand::Linux,
            digest: "0123456789abcdef".repeat(4),
            pins: BTreeMap::new(),
            remember: BTreeMap::new(),
            host_dirs: vec![],
            options: want.options.clone(),
        })
    }

    fn fill(&self, _release: &Release, work: &mut dyn Work) -> Result<()> {
        if work.cancelled() {
            std::process::abort();
        }
        for bytes in [4, 2] {
            work.progress(&Progress { what: "writing".into(), bytes, ..Progress::default() });
        }
        let node = Node {
            path: "bin/true".into(),
            kind: NodeKind::File { size: 4 },
            mode: 0o755,
            uid: 0,
            gid: 0,
            mtime: (0, 0),
            xattrs: vec![],
            flags: None,
        };
        work.tree().write(&node, &mut &b"true"[..])?;
        work.tree().finish()
    }
}
