//! Every file of the chosen packages: where it is on the host, where it goes, and how it is checked.

use std::collections::{BTreeMap, HashMap};

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{ErrorKind, Observe, Place, Result};

use crate::closure::Selection;
use crate::status::Package;

pub(crate) const INFO: &str = "/var/lib/dpkg/info";

/// How a regular file is told to be as it was packaged. dpkg records MD5 and nothing better: it finds damage and
/// edits, not somebody who forges both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    /// It must have this MD5.
    Md5(String),
    /// A configuration file: it is taken if it has this MD5, and left out if it was edited.
    Conffile(String),
    /// dpkg recorded nothing.
    Nothing,
}

/// One file, directory or link of a package.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) package: String,
    pub(crate) source: Utf8PathBuf,
    pub(crate) check: Check,
}

/// Items by where they go, relative to the root and with no link on the way. Parents come before what they hold.
pub(crate) struct Manifest {
    pub(crate) items: BTreeMap<Utf8PathBuf, Item>,
    parents: Parents,
}

impl Manifest {
    /// Reads the lists of the chosen packages.
    pub(crate) fn read(selection: &Selection, host: &dyn Observe) -> Result<Self> {
        let diversions = Diversions::read(selection, host)?;
        let mut manifest = Self { items: BTreeMap::new(), parents: Parents::default() };
        for package in selection.packages() {
            manifest.add(package, &diversions, host)?;
        }
        Ok(manifest)
    }

    fn add(&mut self, package: &Package, diversions: &Diversions, host: &dyn Observe) -> Result<()> {
        let sums = info(host, package, "md5sums")?.unwrap_or_default();
        let sums: HashMap<&str, &str> =
            sums.lines().filter_map(|line| line.split_once("  ")).map(|(s, p)| (p, s)).collect();
        let list = info(host, package, "list")?.unwrap_or_default();
        for path in list.lines().filter(|path| path.len() > 1 && *path != "/.") {
            let (source, target) = diversions.of(path, package.name);
            let check = match (package.conffiles.get(path), sums.get(&path[1..])) {
                (Some(sum), _) => Check::Conffile((*sum).to_owned()),
                (None, Some(sum)) => Check::Md5((*sum).to_owned()),
                (None, None) => Check::Nothing,
            };
            let item = Item { package: package.name.to_owned(), source: source.into(), check };
            let place = self.place(host, target)?;
            self.items.entry(place).or_insert(item);
        }
        Ok(())
    }

    /// Whether the path, spelt as the host spells it, is among the items.
    pub(crate) fn has(&mut self, host: &dyn Observe, path: &str) -> bool {
        self.place(host, path).is_ok_and(|place| self.items.contains_key(&place))
    }

    /// Where a path, spelt as the host spells it, is in the tree.
    pub(crate) fn place(&mut self, host: &dyn Observe, path: &str) -> Result<Utf8PathBuf> {
        self.parents.resolve(host, path)
    }

    pub(crate) fn len(&self) -> u64 {
        self.items.len() as u64
    }
}

/// One of a package's files in dpkg's `info` directory.
fn info(host: &dyn Observe, package: &Package, suffix: &str) -> Result<Option<String>> {
    match host.read(&Place::host(format!("{INFO}/{}.{suffix}", package.stem()))) {
        Err(error) if error.kind() == ErrorKind::NotFound && suffix == "md5sums" => Ok(None),
        text => text.map(Some),
    }
}

/// Directories with the links on the way to them resolved, as with `/bin`, a link to `usr/bin`.
#[derive(Default)]
struct Parents(HashMap<Utf8PathBuf, Utf8PathBuf>);

impl Parents {
    /// Where the absolute `path` really is, itself not followed; relative to the root.
    fn resolve(&mut self, host: &dyn Observe, path: &str) -> Result<Utf8PathBuf> {
        let path = Utf8Path::new(path);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(Utf8PathBuf::new());
        };
        if let Some(real) = self.0.get(parent) {
            return Ok(real.join(name));
        }
        let real = host.real_path(parent)?;
        let real = real.strip_prefix("/").unwrap_or(&real).to_owned();
        let place = real.join(name);
        self.0.insert(parent.to_owned(), real);
        Ok(place)
    }
}

/// dpkg-divert(1): files of packages that another one has put out of its way.
struct Diversions(Vec<Diversion>);

struct Diversion {
    from: String,
    to: String,
    by: String,
    /// Whether the package that diverts is chosen too; else the file goes back to its own place.
    holds: bool,
}

impl Diversions {
    fn read(selection: &Selection, host: &dyn Observe) -> Result<Self> {
        let text = match host.read(&Place::host("/var/lib/dpkg/diversions")) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let lines: Vec<_> = text.lines().collect();
        let diversion = |three: &[&str]| Diversion {
            from: three[0].into(),
            to: three[1].into(),
            by: three[2].into(),
            holds: selection.has(three[2]),
        };
        Ok(Self(lines.chunks_exact(3).map(diversion).collect()))
    }

    /// Where a package's file is on the host, and where it goes.
    fn of<'a>(&'a self, path: &'a str, package: &str) -> (&'a str, &'a str) {
        match self.0.iter().find(|diversion| diversion.from == path && diversion.by != package) {
            Some(diversion) if diversion.holds => (&diversion.to, &diversion.to),
            Some(diversion) => (&diversion.to, path),
            None => (path, path),
        }
    }
}
