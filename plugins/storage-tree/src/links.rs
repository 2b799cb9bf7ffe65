//! Where a path really is, links followed as text beneath a root, so that none leads out of it. It reads links
//! and nothing else.

use std::collections::VecDeque;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Observe, Place, Result};

/// As many links as Linux follows: path_resolution(7).
const MAX_LINKS: usize = 40;

/// `path` below `root`, relative, without links; what does not exist is taken as it stands. `None` for links in
/// a circle.
pub(crate) fn real(root: &Utf8Path, path: &Utf8Path, host: &dyn Observe) -> Result<Option<Utf8PathBuf>> {
    let mut todo: VecDeque<String> = names(path).collect();
    let (mut here, mut links) = (Utf8PathBuf::new(), 0);
    while let Some(name) = todo.pop_front() {
        if name == ".." {
            here.pop();
            continue;
        }
        let next = here.join(name);
        let Some(to) = host.link(&Place::within(root, &next))? else {
            here = next;
            continue;
        };
        links += 1;
        if links > MAX_LINKS {
            return Ok(None);
        }
        if to.is_absolute() {
            here = Utf8PathBuf::new();
        }
        todo = names(&to).chain(todo).collect();
    }
    Ok(Some(here))
}

fn names(path: &Utf8Path) -> impl Iterator<Item = String> {
    path.components().map(|part| part.as_str().to_owned()).filter(|name| name != "/" && name != ".")
}
