//! A pool of ZFS as zfs(8) shows and changes it: data sets with their properties, snapshots and clones. It answers a
//! command line with what zfs(8) of OpenZFS prints and its exit status.
//!
//! What is in a data set is somebody else's: a [`Store`] keeps it, in memory or in directories. Sizes inside a pool are
//! what the store says; space that snapshots share is reckoned roughly.

mod change;
mod destroy;
mod list;
mod name;
mod property;
mod words;

use std::collections::BTreeMap;

use qchroot_api::Output;
use serde::{Deserialize, Serialize};

/// What is known of data sets from outside of the pool.
pub trait Known {
    /// Bytes of a content.
    fn bytes(&self, content: u32) -> u64;
    /// Where a data set is mounted.
    fn mounted_on(&self, dataset: &str) -> Vec<String>;
    /// Whether two contents are the same.
    fn is_same(&self, one: u32, other: u32) -> bool;
}

/// What data sets and snapshots hold, each by a number, and where data sets are mounted.
pub trait Store: Known {
    /// Makes an empty one.
    fn make(&mut self, content: u32) -> Result<(), String>;
    /// Makes `to` as a copy of `from`.
    fn copy(&mut self, from: u32, to: u32) -> Result<(), String>;
    /// Removes one.
    fn remove(&mut self, content: u32) -> Result<(), String>;
    /// Tells how many bytes one can have at most from now on. A store that cannot see to it does nothing.
    fn limit(&mut self, content: u32, bytes: u64);
    /// Mounts a data set on a directory, which is made when missing.
    fn mount(&mut self, dataset: &str, content: u32, at: &str) -> Result<(), String>;
    /// Unmounts what is on a directory.
    fn unmount(&mut self, at: &str) -> Result<(), String>;
}

/// One file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Dataset {
    content: u32,
    created: u64,
    /// Properties that were set here.
    properties: BTreeMap<String, String>,
    /// The snapshot that it is a clone of, as `DATASET@SNAPSHOT`.
    origin: Option<String>,
    /// The oldest first.
    snapshots: Vec<Frozen>,
}

/// One snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Frozen {
    name: String,
    content: u32,
    created: u64,
    /// Goes with its last clone.
    deferred: bool,
    properties: BTreeMap<String, String>,
}

/// All pools of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pools {
    datasets: BTreeMap<String, Dataset>,
    /// Bytes of each pool.
    sizes: BTreeMap<String, u64>,
    next_content: u32,
}

/// How a command ends when it does not succeed.
struct Refusal {
    status: i32,
    words: String,
}

type Answer<T> = Result<T, Refusal>;

/// A refusal as zfs(8) prints it, status 1.
fn refuse<T>(words: impl Into<String>) -> Answer<T> {
    Err(Refusal { status: 1, words: words.into() })
}

/// Wrong words on the command line: status 2.
fn misused<T>(words: impl Into<String>) -> Answer<T> {
    Err(Refusal { status: 2, words: format!("{}\nusage: zfs command args ...", words.into()) })
}

impl Pools {
    /// Adds a pool of so many bytes; its first data set is not mounted.
    ///
    /// # Errors
    /// What the store says.
    pub fn add_pool(&mut self, name: &str, size: u64, store: &mut dyn Store) -> Result<(), String> {
        let dataset = self.new_dataset(0, BTreeMap::from([("canmount".into(), "off".into())]), store)?;
        self.datasets.insert(name.into(), dataset);
        self.sizes.insert(name.into(), size);
        Ok(())
    }

    /// Carries out `zfs ARGS` at the time `now`, in seconds since the epoch.
    pub fn run(&mut self, args: &[String], now: u64, store: &mut dyn Store) -> Output {
        let Some((verb, rest)) = args.split_first() else { return end(misused("missing command")) };
        let done = match verb.as_str() {
            "create" => self.create(rest, now, store),
            "clone" => self.clone_snapshot(rest, now, store),
            "snapshot" | "snap" => self.snapshot(rest, now, store),
            "rollback" => self.rollback(rest, store),
            "rename" => self.rename(rest),
            "promote" => self.promote(rest),
            "set" => self.set(rest, store),
            "mount" => self.mount(rest, store),
            "unmount" | "umount" => self.unmount(rest, store),
            "destroy" => self.destroy(rest, store),
            _ => return self.ask(args, store),
        };
        self.tell_limits(store);
        end(done.map(|()| String::new()))
    }

    fn tell_limits(&self, store: &mut dyn Store) {
        for (name, dataset) in &self.datasets {
            let most = store.bytes(dataset.content).saturating_add(self.available(name, store));
            store.limit(dataset.content, most);
        }
    }

    /// Answers `zfs ARGS` that only looks.
    #[must_use]
    pub fn ask(&self, args: &[String], store: &dyn Known) -> Output {
        let Some((verb, rest)) = args.split_first() else { return end(misused("missing command")) };
        end(match verb.as_str() {
            "list" => self.list(rest, store),
            "get" => self.get(rest, store),
            other => misused(format!("unrecognized command '{other}'")),
        })
    }

    /// The content of a data set whose `mountpoint` is `legacy`, as mount(8) asks for it.
    ///
    /// # Errors
    /// What mount.zfs(8) prints.
    pub fn legacy(&self, dataset: &str) -> Result<u32, String> {
        let Some(found) = self.datasets.get(dataset) else {
            return Err(format!("filesystem '{dataset}' cannot be mounted, unable to open the dataset"));
        };
        if self.value_of(dataset, "mountpoint") == "legacy" {
            return Ok(found.content);
        }
        Err(format!(
            "filesystem '{dataset}' cannot be mounted using 'mount'.\nUse 'zfs set mountpoint=legacy' or 'zfs mount {dataset}'."
        ))
    }

    /// Names of all data sets and snapshots, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let with_snapshots = |(name, dataset): (&String, &Dataset)| {
            let snapshots = dataset.snapshots.iter().map(|snapshot| format!("{name}@{}", snapshot.name));
            [name.clone()].into_iter().chain(snapshots).collect::<Vec<_>>()
        };
        let mut names: Vec<String> = self.datasets.iter().flat_map(with_snapshots).collect();
        names.sort();
        names
    }

    fn new_dataset(
        &mut self,
        now: u64,
        properties: BTreeMap<String, String>,
        store: &mut dyn Store,
    ) -> Result<Dataset, String> {
        let content = self.next_content();
        store.make(content)?;
        Ok(Dataset { content, created: now, properties, origin: None, snapshots: vec![] })
    }

    fn next_content(&mut self) -> u32 {
        self.next_content += 1;
        self.next_content
    }

    fn dataset(&self, name: &str) -> Answer<&Dataset> {
        match self.datasets.get(name) {
            Some(dataset) => Ok(dataset),
            None => refuse(format!("cannot open '{name}': dataset does not exist")),
        }
    }

    fn dataset_mut(&mut self, name: &str) -> Answer<&mut Dataset> {
        match self.datasets.get_mut(name) {
            Some(dataset) => Ok(dataset),
            None => refuse(format!("cannot open '{name}': dataset does not exist")),
        }
    }

    /// A snapshot by `DATASET@SNAPSHOT`.
    fn frozen(&self, name: &str) -> Answer<&Frozen> {
        let (dataset, snapshot) = name.split_once('@').unwrap_or((name, ""));
        let found = self.datasets.get(dataset).and_then(|d| d.snapshots.iter().find(|s| s.name == snapshot));
        found.map_or_else(|| refuse(format!("cannot open '{name}': dataset does not exist")), Ok)
    }

    /// The data sets that are clones of a snapshot.
    fn clones(&self, snapshot: &str) -> Vec<String> {
        let of = |(_, dataset): &(&String, &Dataset)| dataset.origin.as_deref() == Some(snapshot);
        self.datasets.iter().filter(of).map(|(name, _)| name.clone()).collect()
    }

    /// A data set and all below it.
    fn below(&self, name: &str) -> Vec<String> {
        let is = |other: &&String| *other == name || other.starts_with(&format!("{name}/"));
        self.datasets.keys().filter(is).cloned().collect()
    }
}

fn end(done: Answer<String>) -> Output {
    match done {
        Ok(stdout) => Output { status: 0, stdout, stderr: String::new() },
        Err(refusal) => {
            Output { status: refusal.status, stdout: String::new(), stderr: format!("{}\n", refusal.words) }
        }
    }
}

/// A trouble of the store's, which the real one does not have.
fn stored<T>(done: Result<T, String>) -> Answer<T> {
    done.or_else(refuse)
}
