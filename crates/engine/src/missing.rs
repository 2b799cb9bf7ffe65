//! Of the paths that a program asked for in vain: which ones a minimal userland could be given from the host. It
//! only looks whether they are there; who asked is not trusted.

use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Observe, Place, Result};

/// What the kernel or the container itself makes, and what loaders ask for but do not need.
const NOT_PROPOSED: &[&str] =
    &["dev", "proc", "sys", "run", "tmp", "var/run", "var/tmp", "etc/ld.so.cache", "etc/ld.so.preload"];

/// Those that exist on the host, sorted; what lies below another one is left out. Names that are not UTF-8, or
/// have control characters in them, are nobody's to type.
pub(crate) fn on_host(asked_for: Vec<PathBuf>, host: &dyn Observe) -> Result<Vec<Utf8PathBuf>> {
    let mut paths: Vec<Utf8PathBuf> =
        asked_for.into_iter().filter_map(|path| Utf8PathBuf::from_path_buf(path).ok()).collect();
    paths.sort();
    let mut found: Vec<Utf8PathBuf> = vec![];
    for path in paths {
        let is_covered = || found.last().is_some_and(|last| path.starts_with(last));
        if is_proposed(&path) && !is_covered() && host.stat(&Place::host(&path))?.is_some() {
            found.push(path);
        }
    }
    Ok(found)
}

fn is_proposed(path: &Utf8Path) -> bool {
    let below = path.strip_prefix("/").unwrap_or(path);
    let is_odd = path.as_str().contains(char::is_control);
    !is_odd && !below.as_str().is_empty() && !NOT_PROPOSED.iter().any(|not| below.starts_with(not))
}

#[cfg(test)]
mod tests {
    use qchroot_api::{Answer, Query, Stat};

    use super::*;

    struct Everything;

    impl Observe for Everything {
        fn observe(&self, query: &Query) -> Result<Answer> {
            let Query::Stat { at } = query else { unreachable!("only asks whether it is there") };
            let stat = Stat {
                kind: qchroot_api::FileKind::File,
                mode: 0,
                uid: 0,
                gid: 0,
                size: 0,
                mtime: (0, 0),
                id: Default::default(),
                links: 1,
                device: None,
            };
            Ok(Answer::Stat((!at.path().starts_with("gone")).then_some(stat)))
        }
    }

    #[test]
    fn only_what_helps_is_proposed() {
        let asked = [
            "/etc/b",
            "/gone/x",
            "/etc/a/deep",
            "/etc/a",
            "/proc/self/x",
            "/",
            "/tmp/x",
            "/etc/ab",
            "/x\x1b",
        ];
        let found = on_host(asked.map(PathBuf::from).into(), &Everything).unwrap();
        assert_eq!(found, ["/etc/a", "/etc/ab", "/etc/b"]);
    }
}
