//! Storage `nullfs`: a private copy of the template, and the shared base mounted read-only once inside it, with
//! relative links from the root into it.
//!
//! The classic of qchroot(8). This crate only plans; the host layer makes a nullfs(5) mount on FreeBSD and a
//! read-only bind mount on Linux of it.

#![forbid(unsafe_code)]

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Backend, Base, Capability, Container, Derived, Info, Kind, Mount, MountFs, Observe, Options, Place, Plan,
    Platform, Registration, Result, SharedStorage, Step, check_host_trees, check_options, host_trees_plan,
    host_trees_spec, inventory,
};

inventory::submit! { Registration::Storage(|| Box::new(Nullfs)) }

/// Where the shared base appears inside a container.
const SHARED: &str = "sharedfs";

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nullfs;

impl Backend for Nullfs {
    fn info(&self) -> Info {
        Info {
            name: "nullfs".into(),
            kind: Kind::SharedStorage,
            summary: "a private copy of the template, the shared base mounted read-only inside".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: [Capability::SharedReadOnly].into(),
            options: vec![host_trees_spec()],
        }
    }

    fn check(&self, options: &Options) -> Result<()> {
        check_options("nullfs", &self.info().options, options)?;
        check_host_trees(options)
    }
}

impl SharedStorage for Nullfs {
    fn create(&self, base: &Base, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        let root = container.root();
        let mut plan = vec![
            Step::CopyTree { from: base.template.clone(), to: root.clone() },
            Step::MakeDir { at: Place::within(&root, SHARED), mode: 0o755 },
        ];
        plan.extend(base.shared.iter().map(|path| Step::Link {
            at: Place::within(&root, path),
            to: into_shared(path),
            was: None,
        }));
        Ok(plan)
    }

    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let root = container.root();
        let shared = MountFs::Null { source: base.sharedfs.clone() };
        let mut plan = vec![Step::Mount(Mount::new(Place::within(&root, SHARED), shared).read_only())];
        let inside = |path: &str| Place::within(&root, Utf8Path::new(SHARED).join(path));
        plan.extend(host_trees_plan(&container.storage, host, inside)?);
        Ok(plan)
    }

    fn layers(&self, base: &Base, container: &Container) -> Vec<Utf8PathBuf> {
        vec![container.root(), base.sharedfs.clone()]
    }

    fn derived(&self, base: &Base, container: &Container) -> Option<Derived> {
        let links = base.shared.iter().map(|path| (path.clone(), into_shared(path)));
        Some(Derived::Copy { at: container.root(), links: links.collect() })
    }

    fn private(&self, container: &Container) -> Utf8PathBuf {
        container.root()
    }
}

/// The relative link from `path` to its content: `usr/bin` → `../sharedfs/usr/bin`.
fn into_shared(path: &Utf8Path) -> Utf8PathBuf {
    let up = path.components().skip(1).map(|_| "..");
    up.chain([SHARED]).collect::<Utf8PathBuf>().join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_climb_as_far_as_they_are_deep() {
        assert_eq!(into_shared("bin".into()), "sharedfs/bin");
        assert_eq!(into_shared("usr/bin".into()), "../sharedfs/usr/bin");
        assert_eq!(into_shared("usr/a/b".into()), "../../sharedfs/usr/a/b");
    }
}
