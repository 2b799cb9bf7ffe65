//! Which qchroot system is meant: the host's own, or one under a directory of the user's.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Platform, Result};
use qchroot_engine::Layout;

/// The layout, with links in the state directory's path resolved, so that paths compare with the kernel's.
pub(crate) fn layout(root: Option<&Utf8Path>, platform: Platform) -> Result<Layout> {
    let Some(root) = root else {
        let mut layout = Layout::of_system(platform);
        for path in [&mut layout.lib, &mut layout.run, &mut layout.log] {
            *path = real(path)?;
        }
        return Ok(layout);
    };
    if root.as_str().is_empty() {
        return Err(
            Error::new(ErrorKind::Usage, "the root directory is empty").hint("give --root a directory")
        );
    }
    let absolute =
        camino::absolute_utf8(root).map_err(|e| Error::from_io(&e, format!("cannot resolve {root}")))?;
    Ok(Layout::under(&real(&absolute)?))
}

/// The path with the links of its existing part resolved.
fn real(path: &Utf8Path) -> Result<Utf8PathBuf> {
    for existing in path.ancestors() {
        let Ok(found) = existing.canonicalize_utf8() else { continue };
        let rest = path.strip_prefix(existing).unwrap_or(Utf8Path::new(""));
        return Ok(if rest.as_str().is_empty() { found } else { found.join(rest) });
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_on_the_way_are_resolved_even_when_the_end_does_not_exist() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap().canonicalize_utf8().unwrap();
        std::fs::create_dir(dir.join("real")).unwrap();
        std::os::unix::fs::symlink("real", dir.join("link")).unwrap();
        assert_eq!(real(&dir.join("link/not/there")).unwrap(), dir.join("real/not/there"));
    }
}
