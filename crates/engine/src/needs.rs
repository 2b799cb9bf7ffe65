//! What containers need of each other, as their files say: whom each starts after, and whom it cannot do without. It
//! knows nothing of what starting and stopping are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use qchroot_api::{Error, ErrorKind, Name, Result};

use crate::config::ContainerFile;
use crate::{Engine, order};

/// One container's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Need {
    after: Vec<Name>,
    requires: Vec<Name>,
}

impl Need {
    fn of(file: &ContainerFile) -> Self {
        Self { after: file.after.clone(), requires: file.requires.clone() }
    }
}

/// The needs of some containers. One whose file is missing or damaged says nothing here; whoever works on it is told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needs(BTreeMap<Name, Need>);

impl Needs {
    /// Whom `name` cannot do without.
    pub(crate) fn required_by(&self, name: &Name) -> &[Name] {
        self.0.get(name).map_or(&[], |need| &need.requires)
    }

    /// Whom `name` starts after.
    fn before(&self, name: &Name) -> Vec<Name> {
        self.0.get(name).map_or_else(Vec::new, |need| [need.requires.clone(), need.after.clone()].concat())
    }

    /// `names` by level: each starts after those in earlier levels, and stops before them. Second, those that are part
    /// of a cycle, each with what is wrong; they are in no level.
    pub(crate) fn levels(&self, names: &[Name]) -> (Vec<Vec<Name>>, BTreeMap<Name, Error>) {
        let (mut names, mut circling) = (names.to_vec(), BTreeMap::new());
        loop {
            match order::levels(&names, |name| self.before(name)) {
                Ok(levels) => return (levels, circling),
                Err(path) => {
                    names.retain(|name| !path.contains(name));
                    circling.extend(path.iter().map(|name| (name.clone(), self.cycle(name, &path))));
                }
            }
        }
    }

    fn cycle(&self, name: &Name, path: &[Name]) -> Error {
        let mut words = path.first().map(ToString::to_string).unwrap_or_default();
        for pair in path.windows(2) {
            let verb = if self.required_by(&pair[0]).contains(&pair[1]) { "requires" } else { "is after" };
            words += &format!(" {verb} {}", pair[1]);
        }
        Error::new(ErrorKind::Config, format!("{name} can never start: {words}"))
            .with("container", name)
            .hint(format!("take one of them out, such as with `qchroot config {name} --remove-requires …`"))
    }

    /// `names`, and everybody whom `next` leads to from there, each once: first those given.
    fn closed(names: &[Name], mut next: impl FnMut(&Name) -> Vec<Name>) -> Vec<Name> {
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        let mut todo: VecDeque<Name> = names.iter().cloned().collect();
        while let Some(name) = todo.pop_front() {
            if seen.insert(name.clone()) {
                todo.extend(next(&name));
                all.push(name);
            }
        }
        all
    }

    /// `names`, and all that cannot do without them: first the ones given.
    pub(crate) fn with_dependents(&self, names: &[Name]) -> Vec<Name> {
        Self::closed(names, |name| self.dependents(name))
    }

    /// Who cannot do without `name`, in ascending order.
    fn dependents(&self, name: &Name) -> Vec<Name> {
        self.0.iter().filter(|(_, need)| need.requires.contains(name)).map(|(who, _)| who.clone()).collect()
    }
}

impl Engine<'_> {
    /// What these containers and all that they require need, and those containers: first the ones given.
    pub(crate) fn with_required(&self, names: &[Name]) -> (Needs, Vec<Name>) {
        let mut needs = Needs::default();
        let all = Needs::closed(names, |name| {
            let need = self.read_file(name).map(|(file, _)| Need::of(&file)).unwrap_or_default();
            needs.0.entry(name.clone()).or_insert(need).requires.clone()
        });
        (needs, all)
    }

    /// What all containers need.
    pub(crate) fn all_needs(&self) -> Result<Needs> {
        let read = |name: Name| Some((name.clone(), Need::of(&self.read_file(&name).ok()?.0)));
        Ok(Needs(self.names()?.into_iter().filter_map(read).collect()))
    }

    /// Refuses needs that name nobody, or that lead back to who has them.
    pub(crate) fn check_needs(&self, name: &Name, file: &ContainerFile) -> Result<()> {
        let mut needs = self.all_needs()?;
        if needs.0.get(name) == Some(&Need::of(file)) {
            return Ok(());
        }
        for other in file.after.iter().chain(&file.requires) {
            if other != name {
                self.refuse_missing(other)?;
            }
        }
        needs.0.insert(name.clone(), Need::of(file));
        let reached = Needs::closed(std::slice::from_ref(name), |name| needs.before(name));
        match order::levels(&reached, |name| needs.before(name)) {
            Ok(_) => Ok(()),
            Err(path) => Err(needs.cycle(name, &path)),
        }
    }

    /// Tells who cannot start any more when `name` is gone.
    pub(crate) fn warn_dependents(&self, name: &Name) -> Result<()> {
        let dependents = self.all_needs()?.dependents(name);
        if !dependents.is_empty() {
            let names: Vec<&str> = dependents.iter().map(Name::as_str).collect();
            self.watch.warn(&format!("{name} is required by {}", names.join(", ")));
        }
        Ok(())
    }
}
