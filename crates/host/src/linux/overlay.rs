//! The options of overlayfs, as its documentation in the kernel ("Overlay Filesystem") says. It mounts nothing.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{MountFs, Result};
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::mount::{fsconfig_set_fd, fsconfig_set_string};

use super::mount::refused;
use crate::errors::OrError;

/// fsconfig(2) takes strings up to this many bytes.
const STRING_LIMIT: usize = 255;

/// Names the layers to a file system context.
pub(super) fn configure(
    context: &OwnedFd,
    lower: &[Utf8PathBuf],
    upper: &Utf8Path,
    work: &Utf8Path,
) -> Result<()> {
    let refuse = |error| {
        refused(
            context,
            &MountFs::Overlay { lower: lower.to_vec(), upper: upper.into(), work: work.into() },
            error,
        )
    };
    let all = joined(lower);
    if all.len() <= STRING_LIMIT {
        fsconfig_set_string(context, "lowerdir", all).map_err(refuse)?;
    } else {
        // Linux has this since 6.8; before 6.5 it would only be refused when all is set.
        for layer in lower {
            layer_option(context, "lowerdir+", layer.as_str(), layer)?.map_err(refuse)?;
        }
    }
    // The upper layer must stand for itself: with these on, by the kernel's own default, it would refer to files of
    // the lower ones by name or handle, and could not be put over others.
    for key in ["redirect_dir", "metacopy", "index"] {
        fsconfig_set_string(context, key, "off").map_err(refuse)?;
    }
    for (key, path) in [("upperdir", upper), ("workdir", work)] {
        layer_option(context, key, &path.as_str().replace('\\', "\\\\"), path)?.map_err(refuse)?;
    }
    Ok(())
}

/// Sets one layer, by descriptor where its path is too long for a string.
fn layer_option(
    context: &OwnedFd,
    key: &str,
    text: &str,
    path: &Utf8Path,
) -> Result<std::result::Result<(), Errno>> {
    if text.len() <= STRING_LIMIT {
        return Ok(fsconfig_set_string(context, key, text));
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let layer =
        openat(CWD, path.as_str(), flags, Mode::empty()).or_error(|| format!("cannot open {path}"))?;
    Ok(fsconfig_set_fd(context, key, layer))
}

fn joined(lower: &[Utf8PathBuf]) -> String {
    let escaped: Vec<String> =
        lower.iter().map(|layer| layer.as_str().replace('\\', "\\\\").replace(':', "\\:")).collect();
    escaped.join(":")
}
