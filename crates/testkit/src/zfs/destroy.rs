//! `zfs destroy`, and what it refuses; zfs-destroy(8).

use super::words::Words;
use super::{Answer, Pools, Store, refuse, stored};

impl Pools {
    pub(super) fn destroy(&mut self, args: &[String], store: &mut dyn Store) -> Answer<()> {
        let words = Words::parse(args, "rRfd")?;
        let [name] = words.exactly::<1>("dataset")?;
        match name.split_once('@') {
            Some((dataset, snapshots)) => snapshots.split(',').try_for_each(|one| {
                self.destroy_snapshot(&format!("{dataset}@{one}"), words.has('d'), store)
            }),
            None => self.destroy_dataset(name, words.has('r'), store),
        }
    }

    /// With `defer`, one that has clones is marked, and goes with the last of them.
    pub(super) fn destroy_snapshot(&mut self, full: &str, defer: bool, store: &mut dyn Store) -> Answer<()> {
        let (dataset, snapshot) = full.split_once('@').unwrap_or((full, ""));
        if self.frozen(full).is_err() {
            self.dataset(dataset)?;
            return refuse("could not find any snapshots to destroy; check snapshot names.");
        }
        let clones = self.clones(full);
        let snapshots = &mut self.dataset_mut(dataset)?.snapshots;
        let Some(at) = snapshots.iter().position(|found| found.name == snapshot) else { return Ok(()) };
        if clones.is_empty() {
            let gone = snapshots.remove(at);
            return stored(store.remove(gone.content));
        }
        if defer {
            snapshots[at].deferred = true;
            return Ok(());
        }
        refuse(format!(
            "cannot destroy '{full}': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\n{}",
            clones.join("\n")
        ))
    }

    fn destroy_dataset(&mut self, name: &str, recursively: bool, store: &mut dyn Store) -> Answer<()> {
        self.dataset(name)?;
        let going = self.below(name);
        let snapshots: Vec<String> = going.iter().flat_map(|name| self.snapshots_of(name)).collect();
        if !recursively && going.len() + snapshots.len() > 1 {
            let below: Vec<String> = going.iter().filter(|other| *other != name).cloned().collect();
            return refuse(format!(
                "cannot destroy '{name}': filesystem has children\nuse '-r' to destroy the following datasets:\n{}",
                [snapshots, below].concat().join("\n")
            ));
        }
        let clones = snapshots.iter().flat_map(|snapshot| self.clones(snapshot));
        let outside: Vec<String> = clones.filter(|clone| !going.contains(clone)).collect();
        if !outside.is_empty() {
            return refuse(format!(
                "cannot destroy '{name}': filesystem has dependent clones\nuse '-R' to destroy the following \
                 datasets:\n{}",
                outside.join("\n")
            ));
        }
        for name in going.iter().rev() {
            self.let_go(name, store)?;
        }
        Ok(())
    }

    fn snapshots_of(&self, name: &str) -> Vec<String> {
        let snapshots = self.datasets.get(name).into_iter().flat_map(|dataset| &dataset.snapshots);
        snapshots.map(|snapshot| format!("{name}@{}", snapshot.name)).collect()
    }

    /// Unmounts a data set and takes it away with its snapshots. One mounted by mount(8) is busy.
    fn let_go(&mut self, name: &str, store: &mut dyn Store) -> Answer<()> {
        let legacy = self.value_of(name, "mountpoint") == "legacy";
        for at in store.mounted_on(name) {
            if legacy {
                return refuse(format!("cannot destroy '{name}': dataset is busy"));
            }
            stored(store.unmount(&at))?;
        }
        let Some(gone) = self.datasets.remove(name) else { return Ok(()) };
        let contents = gone.snapshots.iter().map(|snapshot| snapshot.content).chain([gone.content]);
        contents.into_iter().try_for_each(|content| stored(store.remove(content)))?;
        match gone.origin {
            Some(origin) if self.clones(&origin).is_empty() && self.frozen(&origin)?.deferred => {
                self.destroy_snapshot(&origin, false, store)
            }
            _ => Ok(()),
        }
    }
}
