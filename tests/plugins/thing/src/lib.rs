//! `acme.thing`: a release source whose userland is the host's busybox and a greeting.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use qchroot_plugin::{
    Backend, Brand, Info, Kind, Node, NodeKind, Observe, OptionKind, OptionSpec, Options, Place, Platform,
    Release, ReleaseSource, ReleaseWish, Result, Take, Work,
};
use sha2::{Digest, Sha256};

qchroot_plugin::export! { release_source "acme.thing" = Thing }

struct Thing;

const BUSYBOX: &str = "/bin/busybox";

impl Backend for Thing {
    fn info(&self) -> Info {
        Info {
            name: "acme.thing".into(),
            kind: Kind::ReleaseSource,
            summary: "busybox and a greeting".into(),
            platforms: vec![Platform::Linux],
            capabilities: BTreeSet::new(),
            options: vec![OptionSpec::new("greeting", OptionKind::Text, "hello", "what /etc/greeting says")],
            programs: vec![],
        }
    }
}

impl ReleaseSource for Thing {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let busybox = host.stat(&Place::host(BUSYBOX))?;
        let content = format!("{busybox:?} {}", greeting(&want.options));
        let digest = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Release {
            version: want.release.clone().unwrap_or_else(|| "thing-1.0".into()),
            brand: Brand::Linux,
            digest,
            pins: BTreeMap::new(),
            remember: BTreeMap::new(),
            host_dirs: vec![],
            options: want.options.clone(),
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        let greeting = greeting(&release.options);
        work.note(&format!("the greeting is {greeting}"))?;
        work.tree().write(&node("/", NodeKind::Directory, 0o755), &mut std::io::empty())?;
        for dir in ["dev", "proc", "tmp", "bin"] {
            work.tree().write(&node(dir, NodeKind::Directory, 0o755), &mut std::io::empty())?;
        }
        work.take(BUSYBOX.into(), Path::new("bin/busybox"), Take::Copy)?;
        for applet in ["sh", "cat", "sleep", "echo"] {
            let link = NodeKind::Symlink { to: "busybox".into() };
            work.tree().write(&node(&format!("bin/{applet}"), link, 0o777), &mut std::io::empty())?;
        }
        let file = NodeKind::File { size: greeting.len() as u64 };
        work.tree().write(&node("etc/greeting", file, 0o644), &mut greeting.as_bytes())?;
        let users = "root:x:0:0:root:/:/bin/sh\n";
        let file = NodeKind::File { size: users.len() as u64 };
        work.tree().write(&node("etc/passwd", file, 0o644), &mut users.as_bytes())?;
        work.tree().finish()
    }
}

fn greeting(options: &Options) -> String {
    options.get("greeting").and_then(|value| value.as_str()).unwrap_or("hello").to_owned()
}

fn node(path: &str, kind: NodeKind, mode: u32) -> Node {
    let path = PathBuf::from(path);
    Node { path, kind, mode, uid: 0, gid: 0, mtime: (0, 0), xattrs: vec![], flags: None }
}
