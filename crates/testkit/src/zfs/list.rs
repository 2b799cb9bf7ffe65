//! `zfs list` and `zfs get`; zfs-list(8), zfs-get(8).

use super::property::Value;
use super::words::Words;
use super::{Answer, Frozen, Known, Pools, misused, refuse};

/// A data set, or one of its snapshots.
struct Item<'a> {
    dataset: &'a str,
    snapshot: Option<&'a Frozen>,
}

impl Item<'_> {
    fn name(&self) -> String {
        match self.snapshot {
            Some(snapshot) => format!("{}@{}", self.dataset, snapshot.name),
            None => self.dataset.to_owned(),
        }
    }
}

impl Pools {
    pub(super) fn list(&self, args: &[String], store: &dyn Known) -> Answer<String> {
        let words = Words::parse(args, "Hprd:t:o:s:S:")?;
        let columns = words.value('o').unwrap_or("name,used,available,referenced,mountpoint");
        let items = self.items(&words, words.rest.as_slice(), words.rest.is_empty())?;
        let mut text = String::new();
        if !words.has('H') && !items.is_empty() {
            text += &format!("{}\n", columns.to_uppercase().replace(',', "\t"));
        }
        for item in items {
            let cell =
                |key: &str| self.value(&item, key, words.has('p'), store).map_or("-".into(), |v| v.text);
            let cells: Vec<String> = columns.split(',').map(cell).collect();
            text += &format!("{}\n", cells.join("\t"));
        }
        Ok(text)
    }

    pub(super) fn get(&self, args: &[String], store: &dyn Known) -> Answer<String> {
        let words = Words::parse(args, "Hprd:t:o:s:")?;
        let Some((keys, names)) = words.rest.split_first() else {
            return misused("missing property argument");
        };
        let fields = words.value('o').unwrap_or("name,property,value,source");
        let mut text = String::new();
        if !words.has('H') {
            text += &format!("{}\n", fields.to_uppercase().replace(',', "\t"));
        }
        for item in self.items(&words, names, names.is_empty())? {
            for key in keys.split(',') {
                let found = self.value(&item, key, words.has('p'), store);
                let value = found.unwrap_or(Value { text: "-".into(), source: "-".into() });
                if !is_wanted(words.value('s'), &value.source) {
                    continue;
                }
                let field = |field: &str| match field {
                    "name" => item.name(),
                    "property" => key.to_owned(),
                    "value" => value.text.clone(),
                    _ => value.source.clone(),
                };
                let cells: Vec<String> = fields.split(',').map(field).collect();
                text += &format!("{}\n", cells.join("\t"));
            }
        }
        Ok(text)
    }

    fn value(&self, item: &Item<'_>, key: &str, exact: bool, store: &dyn Known) -> Option<Value> {
        match item.snapshot {
            Some(snapshot) => self.property_of_snapshot(item.dataset, snapshot, key, exact, store),
            None => self.property(item.dataset, key, exact, store),
        }
    }

    /// What a command line means: by name, below a name with `-r` or `-d`, or all; of the types wanted.
    fn items(&self, words: &Words, names: &[String], all: bool) -> Answer<Vec<Item<'_>>> {
        let types = words.value('t').unwrap_or(if all { "filesystem" } else { "all" });
        let is_type = |name: &str| types.split(',').any(|t| t == name || t == "all");
        let deep = words.has('r') || words.value('d').is_some();
        let mut items = vec![];
        for (dataset, found) in &self.datasets {
            let depth = |name: &String| self.depth(dataset, name, words);
            let below = all || (deep && names.iter().any(depth));
            let named = |name: String| names.contains(&name);
            if (below || named(dataset.clone())) && is_type("filesystem") {
                items.push(Item { dataset, snapshot: None });
            }
            for snapshot in &found.snapshots {
                let own = named(format!("{dataset}@{}", snapshot.name));
                // The snapshots of a data set are shown by its own name when they alone are asked for.
                let of_named = named(dataset.clone()) && words.value('t').is_some();
                if (below || own || of_named) && is_type("snapshot") {
                    items.push(Item { dataset, snapshot: Some(snapshot) });
                }
            }
        }
        for name in names {
            let there =
                if name.contains('@') { self.frozen(name).map(drop) } else { self.dataset(name).map(drop) };
            there?;
        }
        if items.is_empty() && all && self.datasets.is_empty() {
            return refuse("no datasets available");
        }
        Ok(items)
    }

    fn depth(&self, dataset: &str, of: &str, words: &Words) -> bool {
        let Some(rest) = dataset.strip_prefix(of) else { return false };
        let levels = rest.matches('/').count();
        let most = words.value('d').and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
        (rest.is_empty() || rest.starts_with('/')) && levels <= most
    }
}

fn is_wanted(sources: Option<&str>, source: &str) -> bool {
    let kind = match source {
        "-" => "none",
        other => other.split(' ').next().unwrap_or(other),
    };
    sources.is_none_or(|wanted| wanted.split(',').any(|one| one == kind))
}
