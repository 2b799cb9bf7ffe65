//! The fake machine's pools of ZFS: what data sets hold are volumes of its tree.

use std::collections::BTreeMap;

use camino::Utf8Path;
use qchroot_api::{Mount, MountFs, Mounted, Output, Place, Result as ApiResult};

use super::FakeHost;
use super::node::Inode;
use super::resolve::{Found, Tree};
use super::state::State;
use super::volume::{Spot, View};
use crate::zfs::{Known, Pools, Store};

/// Pools, and the volume of each content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Zfs {
    pools: Pools,
    volumes: BTreeMap<u32, Spot>,
}

impl FakeHost {
    /// Adds a pool of so many bytes, and zfs(8) with it. Its first data set is mounted on the directory `at`, if one
    /// is given.
    pub fn plant_pool(&self, name: &str, size: u64, at: Option<&str>) {
        let mut state = self.state();
        let mut zfs = state.zfs.take().unwrap_or_default();
        let planted = zfs.with(&mut state.tree, |pools, store| pools.add_pool(name, size, store));
        planted.expect("the pool is new");
        state.zfs = Some(zfs);
        state.filesystems.insert("zfs".into());
        state.plant("/usr/sbin/zfs".into(), Inode::file("", 0o755));
        if let Some(at) = at {
            state.zfs(&["set".into(), "canmount=on".into(), name.into()]);
            let set = state.zfs(&["set".into(), format!("mountpoint={at}"), name.into()]);
            assert_eq!(set.status, 0, "{}", set.stderr);
        }
    }

    /// Runs `zfs ARGS`, words separated by single spaces.
    #[must_use]
    pub fn zfs(&self, args: &str) -> Output {
        self.state().zfs(&args.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    /// Names of all data sets and snapshots, sorted.
    #[must_use]
    pub fn datasets(&self) -> Vec<String> {
        self.state().zfs.as_ref().map(|zfs| zfs.pools.names()).unwrap_or_default()
    }
}

impl State {
    /// Carries out `zfs ARGS`.
    pub(crate) fn zfs(&mut self, args: &[String]) -> Output {
        let Some(mut zfs) = self.zfs.take() else { return no_modules() };
        let now = self.wall_clock();
        let output = zfs.with(&mut self.tree, |pools, store| pools.run(args, now, store));
        self.zfs = Some(zfs);
        output
    }

    /// Answers `zfs ARGS` that only looks.
    pub(crate) fn ask_zfs(&self, args: &[String]) -> Output {
        let Some(zfs) = &self.zfs else { return no_modules() };
        zfs.pools.ask(args, &Shown { tree: &self.tree, volumes: &zfs.volumes })
    }

    /// What a data set shows when it is mounted by mount(8).
    pub(crate) fn legacy(&self, dataset: &str) -> Result<View, String> {
        let zfs = self.zfs.as_ref().ok_or("the ZFS modules are not loaded")?;
        let content = zfs.pools.legacy(dataset)?;
        Ok(View::of(zfs.volumes.get(&content).cloned().into_iter().collect()))
    }
}

fn no_modules() -> Output {
    let words =
        "The ZFS modules cannot be auto-loaded.\nTry running 'modprobe zfs' as root to manually load them.\n";
    Output { status: 1, stdout: String::new(), stderr: words.into() }
}

impl Zfs {
    fn with<T>(&mut self, tree: &mut Tree, act: impl FnOnce(&mut Pools, &mut dyn Store) -> T) -> T {
        let mut store = InTree { tree, volumes: &mut self.volumes };
        act(&mut self.pools, &mut store)
    }
}

/// What the tree shows of data sets.
struct Shown<'a> {
    tree: &'a Tree,
    volumes: &'a BTreeMap<u32, Spot>,
}

impl Known for Shown<'_> {
    fn bytes(&self, content: u32) -> u64 {
        self.volumes.get(&content).map_or(0, |top| self.tree.volumes.used(top.volume))
    }

    fn mounted_on(&self, dataset: &str) -> Vec<String> {
        let lines = self.tree.mounts.iter().map(|mount| &mount.line);
        let of = lines.filter(|line| line.fs == "zfs" && line.source == dataset);
        of.map(|line| line.at.to_string()).collect()
    }

    fn is_same(&self, one: u32, other: u32) -> bool {
        let files = |content: u32| {
            let top = self.volumes.get(&content);
            top.map(|top| self.tree.volumes.below(top)).unwrap_or_default()
        };
        files(one) == files(other)
    }
}

struct InTree<'a> {
    tree: &'a mut Tree,
    volumes: &'a mut BTreeMap<u32, Spot>,
}

impl InTree<'_> {
    fn top(&self, content: u32) -> Result<&Spot, String> {
        self.volumes.get(&content).ok_or_else(|| format!("there is no content {content}"))
    }

    /// A directory, made with its parents when missing.
    fn directory(&mut self, at: &Utf8Path) -> ApiResult<Found> {
        if let Some(parent) = at.parent() {
            self.directory(parent)?;
        }
        let found = self.tree.host(at, true)?;
        if self.tree.get(&found).is_none() {
            self.tree.put(&found, Inode::directory(0o755))?;
        }
        Ok(found)
    }
}

impl Known for InTree<'_> {
    fn bytes(&self, content: u32) -> u64 {
        Shown { tree: self.tree, volumes: self.volumes }.bytes(content)
    }

    fn mounted_on(&self, dataset: &str) -> Vec<String> {
        Shown { tree: self.tree, volumes: self.volumes }.mounted_on(dataset)
    }

    fn is_same(&self, one: u32, other: u32) -> bool {
        Shown { tree: self.tree, volumes: self.volumes }.is_same(one, other)
    }
}

impl Store for InTree<'_> {
    fn make(&mut self, content: u32) -> Result<(), String> {
        let top = self.tree.new_volume(0o755);
        self.volumes.insert(content, top);
        Ok(())
    }

    fn copy(&mut self, from: u32, to: u32) -> Result<(), String> {
        let source = self.top(from)?.clone();
        let all: Vec<_> = self.tree.volumes.below(&source).into_iter().map(|(p, i)| (p, i.clone())).collect();
        self.make(to)?;
        let target = self.top(to)?.volume;
        for (path, inode) in all {
            self.tree.volumes.put(&Spot { volume: target, path }, inode);
        }
        Ok(())
    }

    fn remove(&mut self, content: u32) -> Result<(), String> {
        let top = self.top(content)?.clone();
        self.tree.volumes.remove_below(&top);
        self.volumes.remove(&content);
        Ok(())
    }

    fn limit(&mut self, content: u32, bytes: u64) {
        if let Some(top) = self.volumes.get(&content) {
            self.tree.volumes.set_limit(top.volume, bytes);
        }
    }

    fn mount(&mut self, dataset: &str, content: u32, at: &str) -> Result<(), String> {
        let on = self.directory(Utf8Path::new(at)).map_err(|error| error.to_string())?;
        let view = View::of(vec![self.top(content)?.clone()]);
        let (fs, source) = ("zfs".into(), dataset.into());
        let line = Mounted { at: on.seen.clone(), fs, source, read_only: false };
        let made_by = Mount::new(Place::host(at), MountFs::Zfs { dataset: dataset.into() });
        self.tree.cover(&on, line, view, made_by);
        Ok(())
    }

    fn unmount(&mut self, at: &str) -> Result<(), String> {
        let found = self.tree.host(Utf8Path::new(at), true).map_err(|error| error.to_string())?;
        if self.tree.mounts.iter().any(|m| m.id != found.mount && m.parent == found.mount) {
            return Err(format!("cannot unmount '{at}': pool or dataset is busy"));
        }
        self.tree.uncover(found.mount);
        Ok(())
    }
}
