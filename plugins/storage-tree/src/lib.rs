//! Storage `tree`: an existing tree as a container's root, such as a mounted drive or a rescue system. Nothing is
//! copied, and what is put into it for the time of a session is taken out again.
//!
//! This crate only plans; it looks into the tree by reading, beneath its root.

#![forbid(unsafe_code)]

mod links;
mod names;
mod tree;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Backend, Base, Capability, Container, Error, ErrorKind, Info, Kind, Mount, MountFs, Observe, OptionKind,
    OptionSpec, Options, Place, Plan, Platform, Registration, Result, SharedStorage, Step, check_options,
    inventory,
};

inventory::submit! { Registration::Storage(|| Box::new(Tree)) }

/// Limit of the file system in memory that covers `dev`, in bytes: it holds nodes and links, and what a program
/// leaves there by mistake.
const DEVICES: u64 = 1 << 20;

/// The back end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tree;

impl Backend for Tree {
    fn info(&self) -> Info {
        let flag = |key, default, summary| OptionSpec::new(key, OptionKind::Flag, default, summary);
        Info {
            name: "tree".into(),
            kind: Kind::SharedStorage,
            programs: vec![],
            summary: "an existing tree, such as a mounted drive; nothing is copied".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: [Capability::OwnRoot].into(),
            options: vec![
                OptionSpec::new(
                    "path",
                    OptionKind::Text,
                    "none",
                    "the directory that is the root (absolute)",
                ),
                flag("read_only", "false", "no program inside can change the tree"),
                flag("submounts", "false", "show what is mounted below the directory, too"),
                flag("resolv_conf", "true", "show the host's /etc/resolv.conf inside"),
            ],
        }
    }

    fn check(&self, options: &Options) -> Result<()> {
        check_options("tree", &self.info().options, options)?;
        tree::check_path(options)
    }
}

impl SharedStorage for Tree {
    fn create(&self, _base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        tree::find(container, host)?;
        Ok(vec![Step::MakeDir { at: Place::host(container.root()), mode: 0o755 }])
    }

    fn attach(&self, _base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let tree = tree::find(container, host)?;
        let (root, read_only) = (container.root(), flag(&container.storage, "read_only", false));
        let show = |source: &Utf8Path, at: Place| {
            let mount = Mount::new(at, MountFs::Null { source: source.into() });
            Step::Mount(if read_only { mount.read_only() } else { mount })
        };
        let mut plan = vec![show(&tree, Place::host(&root))];
        if flag(&container.storage, "submounts", false) {
            for (source, below) in tree::submounts(&tree, host)? {
                plan.push(show(&source, Place::within(&root, below)));
            }
        }
        let may_write = !read_only && !tree::is_read_only(&tree, host)?;
        if host.platform()? == Platform::Linux {
            plan.extend(devices(&tree, container, may_write, host)?);
        }
        let wish = container.storage.get("resolv_conf").and_then(|value| value.as_bool());
        if wish != Some(false) {
            let wish = if wish.is_some() { names::Wish::Asked } else { names::Wish::Usual };
            plan.extend(names::plan(&tree, &root, may_write, wish, host)?);
        }
        Ok(plan)
    }

    fn layers(&self, base: &Base, _container: &Container) -> Result<Vec<Utf8PathBuf>> {
        Ok(vec![base.template.clone()])
    }

    /// The tree is not the container's: it takes nothing but its own directory.
    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        Ok(container.dir.clone())
    }
}

/// A file system in memory over `dev`, so that device nodes and terminals never come into the tree; an isolation may
/// mount its own.
fn devices(tree: &Utf8Path, container: &Container, may_write: bool, host: &dyn Observe) -> Result<Plan> {
    if !may_write && host.stat(&Place::within(tree, "dev"))?.is_none() {
        let message = format!("{tree} has no directory dev, and cannot be changed");
        return Err(Error::new(ErrorKind::Config, message)
            .with("path", tree)
            .hint("make the directory while it can, or show the tree for writing"));
    }
    if container.own_dev {
        return Ok(vec![]);
    }
    let mut memory =
        Mount::new(Place::within(container.root(), "dev"), MountFs::Tmp { size: DEVICES, mode: 0o755 });
    (memory.nosuid, memory.noexec) = (true, true);
    Ok(vec![Step::MakeDir { at: memory.at.clone(), mode: 0o755 }, Step::Mount(memory)])
}

fn flag(options: &Options, key: &str, default: bool) -> bool {
    options.get(key).and_then(|value| value.as_bool()).unwrap_or(default)
}
