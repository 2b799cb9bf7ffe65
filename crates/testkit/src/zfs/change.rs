//! What makes and changes data sets: zfs-create(8), zfs-clone(8), zfs-snapshot(8), zfs-rollback(8), zfs-rename(8),
//! zfs-promote(8), zfs-set(8), zfs-mount(8).

use std::collections::BTreeMap;

use super::words::{Words, assignment};
use super::{Answer, Dataset, Frozen, Known, Pools, Store, misused, name, refuse, stored};

impl Pools {
    pub(super) fn create(&mut self, args: &[String], now: u64, store: &mut dyn Store) -> Answer<()> {
        let words = Words::parse(args, "puo:")?;
        let [name] = words.exactly::<1>("filesystem")?;
        let what = format!("cannot create '{name}'");
        let properties = Self::all_checked(&what, words.properties()?)?;
        if words.has('p') {
            if self.datasets.contains_key(name) {
                return Ok(());
            }
            self.create_ancestors(name, now, store)?;
        }
        self.refuse_place(&what, name)?;
        let dataset = stored(self.new_dataset(now, properties, store))?;
        self.datasets.insert(name.into(), dataset);
        if words.has('u') { Ok(()) } else { self.mount_by_property(name, store) }
    }

    fn create_ancestors(&mut self, of: &str, now: u64, store: &mut dyn Store) -> Answer<()> {
        let missing: Vec<String> = name::line(of)
            .filter(|name| *name != of && name.contains('/') && !self.datasets.contains_key(*name))
            .map(str::to_owned)
            .collect();
        for name in missing {
            self.refuse_place(&format!("cannot create '{name}'"), &name)?;
            let dataset = stored(self.new_dataset(now, BTreeMap::new(), store))?;
            self.datasets.insert(name.clone(), dataset);
            self.mount_by_property(&name, store)?;
        }
        Ok(())
    }

    fn all_checked(what: &str, given: Vec<(String, String)>) -> Answer<BTreeMap<String, String>> {
        given.into_iter().map(|(key, value)| Ok((key.clone(), Self::checked(what, &key, &value)?))).collect()
    }

    /// Mounts a data set where its property says so.
    fn mount_by_property(&self, name: &str, store: &mut dyn Store) -> Answer<()> {
        let at = self.value_of(name, "mountpoint");
        if !at.starts_with('/') || self.value_of(name, "canmount") != "on" {
            return Ok(());
        }
        stored(store.mount(name, self.dataset(name)?.content, &at))
    }

    pub(super) fn clone_snapshot(&mut self, args: &[String], now: u64, store: &mut dyn Store) -> Answer<()> {
        let words = Words::parse(args, "pufo:")?;
        let [from, to] = words.exactly::<2>("source or target dataset")?;
        let what = format!("cannot create '{to}'");
        let properties = Self::all_checked(&what, words.properties()?)?;
        let source = self.frozen(from)?.content;
        self.refuse_place(&what, to)?;
        let limit =
            properties.get("refquota").and_then(|text| text.parse().ok()).filter(|&limit: &u64| limit > 0);
        if limit.is_some_and(|limit| limit < store.bytes(source)) {
            return refuse(format!("{what}: size is less than current used or reserved space"));
        }
        let content = self.next_content();
        stored(store.copy(source, content))?;
        let dataset =
            Dataset { content, created: now, properties, origin: Some(from.into()), snapshots: vec![] };
        self.datasets.insert(to.into(), dataset);
        self.mount_by_property(to, store)
    }

    pub(super) fn snapshot(&mut self, args: &[String], now: u64, store: &mut dyn Store) -> Answer<()> {
        let words = Words::parse(args, "o:")?;
        let [full] = words.exactly::<1>("snapshot")?;
        let Some((dataset, snapshot)) = full.split_once('@') else {
            return misused("missing '@' in snapshot");
        };
        let what = format!("cannot create snapshot '{full}'");
        let properties = Self::all_checked(&what, words.properties()?)?;
        let live = self.dataset(dataset)?.content;
        name::check(&what, snapshot)?;
        if self.frozen(full).is_ok() {
            return refuse(format!("{what}: dataset already exists\nno snapshots were created"));
        }
        let content = self.next_content();
        stored(store.copy(live, content))?;
        let frozen = Frozen { name: snapshot.into(), content, created: now, deferred: false, properties };
        self.dataset_mut(dataset)?.snapshots.push(frozen);
        Ok(())
    }

    pub(super) fn rollback(&mut self, args: &[String], store: &mut dyn Store) -> Answer<()> {
        let words = Words::parse(args, "rRf")?;
        let [full] = words.exactly::<1>("dataset")?;
        let content = self.frozen(full)?.content;
        let (dataset, snapshot) = full.split_once('@').unwrap_or((full, ""));
        let found = self.dataset(dataset)?;
        let later: Vec<String> = found
            .snapshots
            .iter()
            .skip_while(|s| s.name != snapshot)
            .skip(1)
            .map(|s| format!("{dataset}@{}", s.name))
            .collect();
        if !later.is_empty() && !words.has('r') && !words.has('R') {
            return refuse(format!(
                "cannot rollback to '{full}': more recent snapshots or bookmarks exist\nuse '-r' to force deletion of \
                 the following snapshots and bookmarks:\n{}",
                later.join("\n")
            ));
        }
        let live = found.content;
        for snapshot in later {
            self.destroy_snapshot(&snapshot, false, store)?;
        }
        let fresh = self.next_content();
        stored(store.copy(content, fresh))?;
        stored(store.remove(live))?;
        self.dataset_mut(dataset)?.content = fresh;
        Ok(())
    }

    pub(super) fn rename(&mut self, args: &[String]) -> Answer<()> {
        let words = Words::parse(args, "pfu")?;
        let [from, to] = words.exactly::<2>("source or target dataset")?;
        self.dataset(from)?;
        self.refuse_place(&format!("cannot rename '{from}'"), to)?;
        if to.starts_with(&format!("{from}/")) {
            return refuse(format!(
                "cannot rename '{from}': New dataset name cannot be a descendant of current dataset name"
            ));
        }
        for old in self.below(from) {
            let Some(dataset) = self.datasets.remove(&old) else { continue };
            self.datasets.insert(format!("{to}{}", &old[from.len()..]), dataset);
        }
        self.origins_follow(from, to);
        Ok(())
    }

    /// Clones of what was renamed have their origin by its new name.
    fn origins_follow(&mut self, from: &str, to: &str) {
        for dataset in self.datasets.values_mut() {
            let Some(origin) = &mut dataset.origin else { continue };
            if let Some(rest) = origin.strip_prefix(from).filter(|rest| rest.starts_with(['@', '/'])) {
                *origin = format!("{to}{rest}");
            }
        }
    }

    pub(super) fn promote(&mut self, args: &[String]) -> Answer<()> {
        let words = Words::parse(args, "")?;
        let [name] = words.exactly::<1>("clone filesystem")?;
        let Some(origin) = self.dataset(name)?.origin.clone() else {
            return refuse(format!("cannot promote '{name}': not a cloned filesystem"));
        };
        let (parent, snapshot) = origin.split_once('@').unwrap_or((&origin, ""));
        let own: Vec<String> = self.dataset(name)?.snapshots.iter().map(|s| s.name.clone()).collect();
        let from = self.dataset_mut(parent)?;
        let until = 1 + from.snapshots.iter().position(|s| s.name == snapshot).unwrap_or(0);
        if let Some(taken) = from.snapshots[..until].iter().find(|s| own.contains(&s.name)) {
            return refuse(format!(
                "cannot promote '{name}': snapshot name '{name}@{}' from origin \nconflicts with '{name}@{}' from target",
                taken.name, taken.name
            ));
        }
        let moved: Vec<Frozen> = from.snapshots.drain(..until).collect();
        let (parent, above) = (parent.to_owned(), from.origin.replace(format!("{name}@{snapshot}")));
        for snapshot in moved.iter().map(|snapshot| &snapshot.name) {
            let (old, new) = (format!("{parent}@{snapshot}"), format!("{name}@{snapshot}"));
            for (_, clone) in self.datasets.iter_mut().filter(|(other, _)| *other != name) {
                if clone.origin.as_deref() == Some(&old) {
                    clone.origin = Some(new.clone());
                }
            }
        }
        let clone = self.dataset_mut(name)?;
        clone.origin = above;
        clone.snapshots.splice(0..0, moved);
        Ok(())
    }

    pub(super) fn set(&mut self, args: &[String], store: &mut dyn Store) -> Answer<()> {
        let words = Words::parse(args, "u")?;
        let Some((name, settings)) = words.rest.split_last().filter(|(_, rest)| !rest.is_empty()) else {
            return misused("missing dataset name(s)");
        };
        let what = format!("cannot set property for '{name}'");
        for setting in settings {
            let (key, value) = assignment(setting)?;
            self.dataset(name)?;
            let value = Self::checked(&what, &key, &value)?;
            self.refuse_limit(&what, name, (&key, &value), store)?;
            self.dataset_mut(name)?.properties.insert(key.clone(), value);
            if key == "mountpoint" {
                for at in store.mounted_on(name) {
                    stored(store.unmount(&at))?;
                }
                self.mount_by_property(name, store)?;
            }
        }
        Ok(())
    }

    /// Limits below what is there, and reservations above what there is.
    fn refuse_limit(&self, what: &str, name: &str, set: (&str, &str), store: &dyn Known) -> Answer<()> {
        let (key, Ok(bytes)) = (set.0, set.1.parse::<u64>()) else { return Ok(()) };
        let referenced = store.bytes(self.dataset(name)?.content);
        let reserved = |key| self.limit(name, key).unwrap_or(0);
        let least = match key {
            "quota" => self.used(name, store).max(reserved("reservation")),
            "refquota" => referenced.max(reserved("refreservation")),
            "reservation" | "refreservation" => {
                let quota = if key == "reservation" { "quota" } else { "refquota" };
                let over = self.limit(name, quota).is_some_and(|quota| bytes > quota);
                if over || bytes > self.used(name, store) + self.available(name, store) {
                    return refuse(format!("{what}: size is greater than available space"));
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        if bytes > 0 && bytes < least {
            return refuse(format!("{what}: size is less than current used or reserved space"));
        }
        Ok(())
    }

    pub(super) fn mount(&mut self, args: &[String], store: &mut dyn Store) -> Answer<()> {
        let words = Words::parse(args, "o:")?;
        let [name] = words.exactly::<1>("filesystem")?;
        self.dataset(name)?;
        match self.value_of(name, "mountpoint").as_str() {
            "legacy" => refuse(format!(
                "cannot mount '{name}': legacy mountpoint\nuse mount(8) to mount this filesystem"
            )),
            "none" => refuse(format!("cannot mount '{name}': no mountpoint set")),
            _ if !store.mounted_on(name).is_empty() => {
                refuse(format!("cannot mount '{name}': filesystem already mounted"))
            }
            _ => self.mount_by_property(name, store),
        }
    }

    pub(super) fn unmount(&mut self, args: &[String], store: &mut dyn Store) -> Answer<()> {
        let words = Words::parse(args, "f")?;
        let [name] = words.exactly::<1>("filesystem")?;
        self.dataset(name)?;
        match store.mounted_on(name).as_slice() {
            [] => refuse(format!("cannot unmount '{name}': not currently mounted")),
            all => all.iter().try_for_each(|at| stored(store.unmount(at))),
        }
    }
}
