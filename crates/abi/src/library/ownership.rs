//! Whether nobody but the superuser can have written a file, or can put another in its place. It does not know what is in
//! the file.
//!
//! Every directory on the way from `/` counts, and so does what each link leads through. A directory that everybody may
//! write to, such as `/tmp`, is passed where it is sticky: in it, nobody else can remove or rename what belongs to the
//! superuser (sticky(7), inode(7)). Where the file itself lies, even that is refused: who could add a file there could
//! add a plug-in.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Result};

/// Permission of the group and of all others to write.
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;
/// As many as the kernel follows: path_resolution(7).
const LINKS: usize = 40;

/// Refuses a file that is not regular, or that somebody else than the superuser can have written or can replace.
///
/// # Errors
/// Permission, with the path that is to blame, and how it is mended; not found, with the path that is not there.
pub fn require_superusers(file: &Utf8Path) -> Result<()> {
    let (at, meta) = follow(file)?;
    if !meta.is_file() {
        return Err(Error::new(ErrorKind::Plugin, format!("{at} is no regular file")).with("file", file));
    }
    refuse_writable(&at, &meta)?;
    for dir in [at.parent(), file.parent()].into_iter().flatten() {
        let meta =
            fs::metadata(dir).map_err(|error| Error::from_io(&error, format!("cannot look at {dir}")))?;
        refuse_writable(dir, &meta)?;
    }
    Ok(())
}

/// Where a path ends, each step of it belonging to the superuser.
fn follow(path: &Utf8Path) -> Result<(Utf8PathBuf, Metadata)> {
    let mut at = Utf8PathBuf::from("/");
    let mut meta = look_at(&at)?;
    let mut rest = reversed(path);
    let mut links = 0;
    while let Some(step) = rest.pop() {
        let next = at.join(&step);
        meta = look_at(&next)?;
        if meta.is_symlink() {
            links += 1;
            if links > LINKS {
                return Err(Error::new(ErrorKind::Plugin, format!("{path} leads through too many links")));
            }
            let to = next.read_link_utf8();
            let to = to.map_err(|error| Error::from_io(&error, format!("cannot read the link {next}")))?;
            rest.extend(reversed(&to));
        } else {
            at = if step == ".." { at.parent().unwrap_or(&at).to_owned() } else { next };
            if meta.is_dir() && meta.mode() & STICKY == 0 {
                refuse_writable(&at, &meta)?;
            }
        }
    }
    Ok((at, meta))
}

/// The steps of a path, the last one first; `/` is one.
fn reversed(path: &Utf8Path) -> Vec<String> {
    let steps = path.components().filter(|step| *step != Utf8Component::CurDir);
    steps.rev().map(|step| step.as_str().to_owned()).collect()
}

/// What is there, without following it, if it belongs to the superuser.
fn look_at(path: &Utf8Path) -> Result<Metadata> {
    let meta = fs::symlink_metadata(path);
    let meta = meta.map_err(|error| Error::from_io(&error, format!("cannot look at {path}")))?;
    if meta.uid() == 0 {
        return Ok(meta);
    }
    let whose = format!("{path} belongs to user {}", meta.uid());
    Err(not_ours(path, whose, format!("`chown -h root {path}`, if what is in it is what its author shipped")))
}

fn refuse_writable(path: &Utf8Path, meta: &Metadata) -> Result<()> {
    if meta.mode() & OTHERS_WRITE == 0 {
        return Ok(());
    }
    let why = format!("others than root may write to {path}");
    Err(not_ours(path, why, format!("`chmod go-w {path}`, if what is in it is what its author shipped")))
}

fn not_ours(path: &Utf8Path, why: String, mend: String) -> Error {
    Error::new(ErrorKind::Permission, why)
        .cause("a plug-in runs as root, so nobody else may be able to change it")
        .with("path", path)
        .hint(mend)
}
