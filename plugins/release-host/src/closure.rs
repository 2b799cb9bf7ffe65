//! Which packages to take: essential ones, wanted ones, and all that these need.

use std::collections::BTreeSet;

use qchroot_api::{Error, ErrorKind, Result};

use crate::status::{Package, Status};

/// What a small userland is of use with, beside the essential packages; taken where installed.
pub(crate) const USEFUL: &[&str] = &["passwd", "procps", "netbase", "mount", "tzdata"];

/// The chosen packages of a status file.
pub(crate) struct Selection<'a> {
    status: &'a Status<'a>,
    chosen: BTreeSet<usize>,
}

impl<'a> Selection<'a> {
    /// Chooses; `wanted` stands for [`USEFUL`].
    ///
    /// # Errors
    /// Not found for a wanted package that is not installed.
    pub(crate) fn new(status: &'a Status<'a>, wanted: Option<&[String]>) -> Result<Self> {
        let mut selection = Self { status, chosen: BTreeSet::new() };
        let essential = status.packages.iter().enumerate().filter(|(_, package)| package.essential);
        let mut open: Vec<usize> = essential.map(|(index, _)| index).collect();
        if open.is_empty() {
            return Err(Error::new(ErrorKind::BadData, "dpkg's database names no essential package"));
        }
        match wanted {
            Some(names) => {
                for name in names.iter().filter(|name| !name.is_empty()) {
                    open.push(status.find(name, "").ok_or_else(|| not_installed(name))?);
                }
            }
            None => open.extend(USEFUL.iter().filter_map(|name| status.find(name, ""))),
        }
        while let Some(index) = open.pop() {
            if selection.chosen.insert(index) {
                selection.needed_by(&status.packages[index], &mut open)?;
            }
        }
        Ok(selection)
    }

    /// Of alternatives the first one that is installed, as whatever installed it will have chosen.
    fn needed_by(&self, package: &Package, open: &mut Vec<usize>) -> Result<()> {
        for group in &package.depends {
            let found = group.iter().find_map(|name| self.status.find(name, package.arch));
            open.push(found.ok_or_else(|| {
                let message =
                    format!("package {} needs {}, which is not installed", package.name, group.join(" or "));
                Error::new(ErrorKind::BadData, message)
                    .hint("`apt-get check` says more; `apt-get install -f` mends it")
            })?);
        }
        Ok(())
    }

    /// The chosen packages, in the order of the status file.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &'a Package<'a>> {
        self.chosen.iter().map(|&index| &self.status.packages[index])
    }

    /// Whether a package of that name is chosen; an architecture behind a colon is ignored.
    pub(crate) fn has(&self, name: &str) -> bool {
        let name = name.split(':').next().unwrap_or(name);
        self.packages().any(|package| package.name == name)
    }
}

fn not_installed(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("package {name} is not installed on this host"))
        .hint("source host copies what is installed; `--source debian` installs anything")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(name: &str, more: &str) -> String {
        format!("Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n{more}\n")
    }

    #[test]
    fn everything_needed_and_nothing_else() {
        let text = [
            stanza("base", "Essential: yes\nPre-Depends: awk"),
            stanza("mawk", "Provides: awk\nDepends: libc6 | libc, base"),
            stanza("libc6", ""),
            stanza("vim", "Depends: libvim"),
            stanza("libvim", ""),
        ]
        .join("\n");
        let status = Status::parse(&text);
        let names = |wanted: &[&str]| -> Vec<_> {
            let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
            Selection::new(&status, Some(&wanted)).unwrap().packages().map(|package| package.name).collect()
        };
        assert_eq!(names(&[]), ["base", "mawk", "libc6"]);
        assert_eq!(names(&["vim"]), ["base", "mawk", "libc6", "vim", "libvim"]);
        let Err(error) = Selection::new(&status, Some(&["emacs".to_owned()])) else {
            panic!("emacs is not there")
        };
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
