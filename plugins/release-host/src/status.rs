//! dpkg's status file (deb822(5), dpkg(1)): installed packages and what they say of themselves.

use std::collections::{BTreeMap, HashMap};

/// One installed package.
#[derive(Debug)]
pub(crate) struct Package<'a> {
    pub(crate) name: &'a str,
    pub(crate) arch: &'a str,
    pub(crate) version: &'a str,
    pub(crate) essential: bool,
    /// Whether it may be installed for several architectures at once: its files are named `NAME:ARCH.*` then.
    pub(crate) same: bool,
    /// Requirements, each a list of alternatives by name.
    pub(crate) depends: Vec<Vec<&'a str>>,
    provides: Vec<&'a str>,
    /// Configuration files and the MD5 they were delivered with.
    pub(crate) conffiles: BTreeMap<&'a str, &'a str>,
    /// The stanza as it stands.
    pub(crate) stanza: &'a str,
}

impl Package<'_> {
    /// How its files in dpkg's `info` directory begin.
    pub(crate) fn stem(&self) -> String {
        if self.same { format!("{}:{}", self.name, self.arch) } else { self.name.to_owned() }
    }
}

/// All installed packages, in the file's order.
pub(crate) struct Status<'a> {
    pub(crate) packages: Vec<Package<'a>>,
    by_name: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Status<'a> {
    /// Parses the file; packages that are not fully installed are left out.
    pub(crate) fn parse(text: &'a str) -> Self {
        let packages: Vec<_> = text.split("\n\n").filter_map(package).collect();
        let mut by_name: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, package) in packages.iter().enumerate() {
            by_name.entry(package.name).or_default().push(index);
        }
        for (index, package) in packages.iter().enumerate() {
            // What is provided comes after what has the name itself.
            package.provides.iter().for_each(|name| by_name.entry(name).or_default().push(index));
        }
        Self { packages, by_name }
    }

    /// The package of that name, else one that provides it; of several architectures, the one of `arch`.
    pub(crate) fn find(&self, name: &str, arch: &str) -> Option<usize> {
        let found = self.by_name.get(name)?;
        let fits = |&&index: &&usize| [arch, "all"].contains(&self.packages[index].arch);
        found.iter().find(fits).or_else(|| found.first()).copied()
    }
}

fn package(stanza: &str) -> Option<Package<'_>> {
    let field = |name: &str| field(stanza, name);
    field("Status").filter(|status| status.ends_with(" ok installed"))?;
    let groups = ["Pre-Depends", "Depends"].into_iter().filter_map(field).flat_map(|list| list.split(','));
    Some(Package {
        name: field("Package")?,
        arch: field("Architecture")?,
        version: field("Version")?,
        essential: field("Essential") == Some("yes"),
        same: field("Multi-Arch") == Some("same"),
        depends: groups.map(|group| group.split('|').filter_map(bare_name).collect()).collect(),
        provides: field("Provides").unwrap_or("").split(',').filter_map(bare_name).collect(),
        conffiles: conffiles(stanza),
        stanza,
    })
}

/// The value of a one-line field.
fn field<'a>(stanza: &'a str, name: &str) -> Option<&'a str> {
    stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// `name` of `name:any (>= 1)`.
fn bare_name(relation: &str) -> Option<&str> {
    relation.split([' ', '\t', '(', ':', '[']).find(|part| !part.is_empty())
}

/// Lines `PATH MD5 [FLAG]`. Obsolete ones are no part of the package any more.
fn conffiles(stanza: &str) -> BTreeMap<&str, &str> {
    let lines = stanza.lines().skip_while(|line| *line != "Conffiles:").skip(1);
    let words = lines.take_while(|line| line.starts_with(' ')).map(|line| line.split(' ').skip(1));
    words
        .filter_map(|mut words| Some((words.next()?, words.next()?, words.next())))
        .filter(|(_, _, flag)| flag.is_none())
        .map(|(path, md5, _)| (path, md5))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Package: a\nStatus: install ok installed\nEssential: yes\nArchitecture: amd64\nVersion: 1-2\n\
        Multi-Arch: same\nDepends: b (>= 1) | c, d:any\nPre-Depends: e\nConffiles:\n /etc/a 0123\n /etc/old 4567 obsolete\n\
        Description: x\n y\n\nPackage: b\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n\n\
        Package: awk-of-choice\nStatus: hold ok installed\nArchitecture: all\nVersion: 1\nProvides: awk (= 1), b\n";

    #[test]
    fn a_stanza_says_what_is_needed() {
        let status = Status::parse(TEXT);
        let a = &status.packages[0];
        assert_eq!((a.stem().as_str(), a.essential, a.version), ("a:amd64", true, "1-2"));
        assert_eq!(a.depends, [vec!["e"], vec!["b", "c"], vec!["d"]]);
        assert_eq!(a.conffiles, BTreeMap::from([("/etc/a", "0123")]));
    }

    #[test]
    fn only_what_is_installed_counts_and_provided_names_are_found() {
        let status = Status::parse(TEXT);
        assert_eq!(status.packages.iter().map(|p| p.name).collect::<Vec<_>>(), ["a", "awk-of-choice"]);
        assert_eq!(status.find("awk", "amd64"), Some(1));
        assert_eq!(status.find("b", "amd64"), Some(1));
        assert_eq!(status.find("c", "amd64"), None);
    }
}
