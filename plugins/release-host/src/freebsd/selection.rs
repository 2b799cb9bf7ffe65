//! Which files of the host's are its userland: hier(7). It reads only.

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, FileKind, Observe, Place, Result, Stat};

use super::etc;

/// Directories that are FreeBSD's own from top to bottom. `/boot` is not among them: containers have no use for it.
const WHOLE: &[&str] = &[
    "bin",
    "lib",
    "libexec",
    "rescue",
    "sbin",
    "usr/bin",
    "usr/include",
    "usr/lib",
    "usr/lib32",
    "usr/libdata",
    "usr/libexec",
    "usr/sbin",
    "usr/share",
];

/// Below these, and not taken: what debuggers read.
const LEFT_OUT: &[&str] = &["usr/lib/debug"];

/// Single files and links.
const SINGLE: &[&str] = &["COPYRIGHT", "sys"];

/// The superuser's own files are the host's business; these are what FreeBSD gives to everybody.
const DOT_FILES: &[(&str, &str)] = &[
    ("usr/share/skel/dot.cshrc", ".cshrc"),
    ("usr/share/skel/dot.profile", ".profile"),
    ("usr/share/skel/dot.cshrc", "root/.cshrc"),
    ("usr/share/skel/dot.login", "root/.login"),
    ("usr/share/skel/dot.profile", "root/.profile"),
];

/// Without these nothing runs.
const NEEDED: &[&str] = &["bin/sh", "lib/libc.so.7", "libexec/ld-elf.so.1"];

/// One entry to take.
pub(crate) struct Item {
    /// Where it is on the host.
    pub(crate) source: Utf8PathBuf,
    /// Where it goes, relative to the root.
    pub(crate) target: Utf8PathBuf,
    pub(crate) stat: Stat,
    /// Where a link leads.
    pub(crate) link: Option<Utf8PathBuf>,
}

/// All entries, directories before what is in them.
///
/// # Errors
/// Unavailable where the host is not laid out as FreeBSD.
pub(crate) fn select(host: &dyn Observe) -> Result<Vec<Item>> {
    let mut walk = Walk { host, items: vec![] };
    for path in WHOLE.iter().chain(SINGLE) {
        walk.add(&Utf8Path::new("/").join(path), Utf8Path::new(path))?;
    }
    for path in etc::FILES {
        let target = Utf8Path::new("etc").join(path);
        walk.add(&etc::source(path, host)?, &target)?;
    }
    for (from, to) in DOT_FILES {
        walk.add(&Utf8Path::new("/").join(from), Utf8Path::new(to))?;
    }
    let is_there = |path: &&&str| walk.items.iter().any(|item| item.target == **path);
    match NEEDED.iter().find(|path| !is_there(path)) {
        None => Ok(walk.items),
        Some(missing) => Err(Error::new(
            ErrorKind::Unavailable,
            format!("this host has no /{missing}: it is no whole FreeBSD"),
        )
        .hint("`--source distset` takes a release's published sets")),
    }
}

struct Walk<'a> {
    host: &'a dyn Observe,
    items: Vec<Item>,
}

impl Walk<'_> {
    /// Adds what is at `source`, and what is below it; nothing where nothing is.
    fn add(&mut self, source: &Utf8Path, target: &Utf8Path) -> Result<()> {
        let at = Place::host(source);
        let Some(stat) = self.host.stat(&at)? else { return Ok(()) };
        if LEFT_OUT.contains(&target.as_str()) {
            return Ok(());
        }
        let kind = stat.kind;
        let link = if kind == FileKind::Link { self.host.link(&at)? } else { None };
        if matches!(kind, FileKind::Directory | FileKind::File | FileKind::Link) {
            self.items.push(Item { source: source.into(), target: target.into(), stat, link });
        }
        if kind == FileKind::Directory {
            for name in self.host.list(&at)? {
                self.add(&source.join(&name), &target.join(&name))?;
            }
        }
        Ok(())
    }
}
