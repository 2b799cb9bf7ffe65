//! Properties: what they are set to, inherited, and reckoned; zfsprops(7).

use qchroot_api::parse_size;

use super::name::line;
use super::{Answer, Dataset, Frozen, Known, Pools, refuse};

/// Properties that can be set and are inherited, with their defaults.
const INHERITED: &[(&str, &str)] =
    &[("readonly", "off"), ("compression", "on"), ("atime", "on"), ("setuid", "on"), ("devices", "on")];

/// Limits in bytes, which are not inherited.
const LIMITS: &[&str] = &["quota", "refquota", "reservation", "refreservation"];

/// A value, and where it comes from, as `zfs get` says it.
pub(super) struct Value {
    pub(super) text: String,
    pub(super) source: String,
}

impl Value {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), source: "-".into() }
    }

    fn number(bytes: u64, exact: bool) -> Self {
        Self::plain(size_text(bytes, exact))
    }
}

/// A size as zfs(8) writes it.
pub(super) fn size_text(bytes: u64, exact: bool) -> String {
    let scale = ["B", "K", "M", "G", "T"].iter().scan(bytes, |left, unit| {
        let now = (*left, *unit);
        *left /= 1024;
        Some(now)
    });
    match scale.into_iter().take_while(|(left, _)| *left > 0).last() {
        Some((left, unit)) if !exact => format!("{left}{unit}"),
        _ => bytes.to_string(),
    }
}

impl Pools {
    /// Refuses what cannot be set, and gives it the form in which it is kept.
    pub(super) fn checked(what: &str, key: &str, value: &str) -> Answer<String> {
        let known = INHERITED.iter().any(|(name, _)| *name == key);
        if LIMITS.contains(&key) {
            return match value {
                "none" => Ok("0".into()),
                text => parse_size(text)
                    .map(|bytes| bytes.to_string())
                    .map_or_else(|| refuse(format!("{what}: bad numeric value '{text}'")), Ok),
            };
        }
        match key {
            "mountpoint" if !value.starts_with('/') && !matches!(value, "none" | "legacy") => {
                refuse(format!("{what}: 'mountpoint' must be an absolute path, 'none', or 'legacy'"))
            }
            "canmount" if !matches!(value, "on" | "off" | "noauto") => {
                refuse(format!("{what}: 'canmount' must be one of 'on | off | noauto'"))
            }
            _ if known || matches!(key, "mountpoint" | "canmount") || key.contains(':') => Ok(value.into()),
            _ => refuse(format!("{what}: invalid property '{key}'")),
        }
    }

    /// A property of a data set as text, exact.
    pub(super) fn value_of(&self, dataset: &str, key: &str) -> String {
        self.settable(dataset, key).map_or_else(|| "-".into(), |value| value.text)
    }

    /// A limit in bytes, if there is one.
    pub(super) fn limit(&self, dataset: &str, key: &str) -> Option<u64> {
        self.value_of(dataset, key).parse().ok().filter(|&bytes| bytes > 0)
    }

    /// What a property that can be set is: set here, inherited, or by default.
    fn settable(&self, dataset: &str, key: &str) -> Option<Value> {
        let local = |name: &str| self.datasets.get(name).and_then(|found| found.properties.get(key));
        if let Some(text) = local(dataset) {
            return Some(Value { text: text.clone(), source: "local".into() });
        }
        if LIMITS.contains(&key) || key == "canmount" {
            let text = if key == "canmount" { "on" } else { "0" };
            return Some(Value { text: text.into(), source: "default".into() });
        }
        let above: Vec<&str> = line(dataset).filter(|name| *name != dataset).collect();
        for name in above.iter().rev() {
            if let Some(text) = local(name) {
                let text = match key {
                    "mountpoint" if text.starts_with('/') => text.clone() + &dataset[name.len()..],
                    _ => text.clone(),
                };
                return Some(Value { text, source: format!("inherited from {name}") });
            }
        }
        let default = INHERITED.iter().find(|(name, _)| *name == key).map(|(_, text)| (*text).to_owned());
        let text = default.or_else(|| (key == "mountpoint").then(|| format!("/{dataset}")))?;
        Some(Value { text, source: "default".into() })
    }

    /// Any property of a data set; none where it has no such one.
    pub(super) fn property(&self, name: &str, key: &str, exact: bool, store: &dyn Known) -> Option<Value> {
        let dataset = self.datasets.get(name)?;
        let bytes = |bytes: u64| Some(Value::number(bytes, exact));
        match key {
            "name" => Some(Value::plain(name)),
            "type" => Some(Value::plain("filesystem")),
            "creation" => Some(Value::plain(dataset.created.to_string())),
            "mounted" => Some(Value::plain(if store.mounted_on(name).is_empty() { "no" } else { "yes" })),
            "origin" => dataset.origin.as_deref().map(Value::plain),
            "referenced" | "logicalreferenced" | "refer" => bytes(store.bytes(dataset.content)),
            "used" | "logicalused" => bytes(self.used(name, store)),
            "written" => bytes(self.written(dataset, store)),
            "usedbydataset" => bytes(self.own(dataset, store)),
            "usedbysnapshots" => bytes(Self::kept(dataset, store)),
            "available" | "avail" => bytes(self.available(name, store)),
            _ => self.settable(name, key).map(|value| match LIMITS.contains(&key) {
                true => Value { text: limit_text(&value.text, exact), ..value },
                false => value,
            }),
        }
    }

    /// Any property of a snapshot.
    pub(super) fn property_of_snapshot(
        &self,
        dataset: &str,
        of: &Frozen,
        key: &str,
        exact: bool,
        store: &dyn Known,
    ) -> Option<Value> {
        let name = format!("{dataset}@{}", of.name);
        match key {
            "name" => Some(Value::plain(name)),
            "type" => Some(Value::plain("snapshot")),
            "creation" => Some(Value::plain(of.created.to_string())),
            "referenced" | "logicalreferenced" | "refer" => {
                Some(Value::number(store.bytes(of.content), exact))
            }
            "used" => Some(Value::number(0, exact)),
            "clones" => Some(Value::plain(self.clones(&name).join(","))),
            "defer_destroy" => Some(Value::plain(if of.deferred { "on" } else { "off" })),
            _ if !key.contains(':') => None,
            _ => match of.properties.get(key) {
                Some(text) => Some(Value { text: text.clone(), source: "local".into() }),
                None => self.settable(dataset, key).map(|value| match value.source.as_str() {
                    "local" => Value { source: format!("inherited from {dataset}"), ..value },
                    _ => value,
                }),
            },
        }
    }

    /// What a data set has beside what it shares with its origin.
    fn own(&self, dataset: &Dataset, store: &dyn Known) -> u64 {
        let shared = dataset.origin.as_deref().and_then(|origin| self.frozen(origin).ok());
        store.bytes(dataset.content).saturating_sub(shared.map_or(0, |origin| store.bytes(origin.content)))
    }

    /// What was written since the newest snapshot, or the origin: 0 only when nothing was.
    fn written(&self, dataset: &Dataset, store: &dyn Known) -> u64 {
        let origin = dataset.origin.as_deref().and_then(|origin| self.frozen(origin).ok());
        match dataset.snapshots.last().or(origin) {
            Some(before) if store.is_same(before.content, dataset.content) => 0,
            Some(before) => store.bytes(dataset.content).abs_diff(store.bytes(before.content)).max(1),
            None => store.bytes(dataset.content),
        }
    }

    /// What its snapshots keep that is gone from it.
    fn kept(dataset: &Dataset, store: &dyn Known) -> u64 {
        let now = store.bytes(dataset.content);
        let gone = |snapshot: &Frozen| store.bytes(snapshot.content).saturating_sub(now);
        dataset.snapshots.iter().map(gone).max().unwrap_or(0)
    }

    /// What a data set and all below it take of the pool, and keep from others.
    pub(super) fn used(&self, name: &str, store: &dyn Known) -> u64 {
        let Some(dataset) = self.datasets.get(name) else { return 0 };
        let written = self.own(dataset, store).max(self.limit(name, "refreservation").unwrap_or(0));
        let children = self.datasets.keys().filter(|other| {
            other
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('/'))
                .is_some_and(|rest| !rest.contains('/'))
        });
        // What is reserved for a child counts here, and not in the child.
        let of = |child: &String| self.used(child, store).max(self.limit(child, "reservation").unwrap_or(0));
        written + Self::kept(dataset, store) + children.map(of).sum::<u64>()
    }

    /// What can still be written into a data set.
    pub(super) fn available(&self, name: &str, store: &dyn Known) -> u64 {
        let room = |name: &str| {
            let size = self.sizes.get(name).copied().or_else(|| self.limit(name, "quota"));
            size.map(|size| size.saturating_sub(self.used(name, store)))
        };
        let least = line(name).filter_map(room).min().unwrap_or(0);
        let referenced = self.datasets.get(name).map_or(0, |dataset| store.bytes(dataset.content));
        match self.limit(name, "refquota") {
            Some(limit) => least.min(limit.saturating_sub(referenced)),
            None => least,
        }
    }
}

fn limit_text(text: &str, exact: bool) -> String {
    match text.parse() {
        Ok(0) if !exact => "none".into(),
        Ok(bytes) => size_text(bytes, exact),
        Err(_) => text.to_owned(),
    }
}
