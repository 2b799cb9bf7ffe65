//! Name resolution: the host's `resolv.conf` shown over the tree's own. A link there is followed inside the tree
//! only; where nothing is, an empty file is made to be covered, and taken away again. Where a kernel cannot cover a file,
//! a tree with none gets a copy for that time, and one with its own keeps it.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, FileKind, Mount, MountFs, Observe, Place, Plan, Platform, Result, Step};

use crate::links;

/// resolv.conf(5).
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Directories that something else is mounted on.
const COVERED: &[&str] = &["dev", "proc", "sys"];

/// What a container's options say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Nothing.
    Usual,
    /// That it is to be so.
    Asked,
}

pub(crate) fn plan(
    tree: &Utf8Path,
    root: &Utf8Path,
    may_write: bool,
    wish: Wish,
    host: &dyn Observe,
) -> Result<Plan> {
    let Ok(text) = host.read(&Place::host(RESOLV_CONF)) else {
        return Ok(vec![]); // the host resolves no names either
    };
    let path = spot(tree, host)?;
    if !can_cover_files(host)? {
        return copied(tree, root, &path, (&text, may_write, wish), host);
    }
    let mut plan = missing(tree, root, &path, "", host)?;
    if !plan.is_empty() && !may_write {
        return Err(cannot_show(tree, "there is no such file to cover, and the tree cannot be changed"));
    }
    let file = Mount::new(Place::within(root, &path), MountFs::File { source: RESOLV_CONF.into() });
    plan.push(Step::Mount(file.read_only().restricted()));
    Ok(plan)
}

/// nullfs(5) shows single files from FreeBSD 14.0 on.
fn can_cover_files(host: &dyn Observe) -> Result<bool> {
    if host.platform()? != Platform::Freebsd {
        return Ok(true);
    }
    let release = host.host_release()?;
    let major = release.split('.').next().and_then(|major| major.parse::<u32>().ok());
    Ok(major.is_none_or(|major| major >= 14))
}

fn copied(
    tree: &Utf8Path,
    root: &Utf8Path,
    path: &Utf8Path,
    (text, may_write, wish): (&str, bool, Wish),
    host: &dyn Observe,
) -> Result<Plan> {
    let is_missing = host.stat(&Place::within(tree, path))?.is_none();
    match wish {
        _ if is_missing && may_write => missing(tree, root, path, text, host),
        Wish::Usual => Ok(vec![]),
        Wish::Asked if is_missing => {
            Err(cannot_show(tree, "there is no such file, and the tree cannot be changed"))
        }
        Wish::Asked => Err(cannot_show(tree, "it has its own, and FreeBSD covers single files from 14.0 on")),
    }
}

/// The file inside that programs read, by its path without links.
fn spot(tree: &Utf8Path, host: &dyn Observe) -> Result<Utf8PathBuf> {
    let path = links::real(tree, Utf8Path::new(RESOLV_CONF), host)?
        .ok_or_else(|| cannot_show(tree, "its links lead in a circle"))?;
    if COVERED.iter().any(|dir| path.starts_with(dir)) {
        return Err(cannot_show(tree, &format!("it is a link to /{path}")));
    }
    match host.stat(&Place::within(tree, &path))?.map(|stat| stat.kind) {
        None | Some(FileKind::File) => Ok(path),
        Some(_) => Err(cannot_show(tree, &format!("/{path} is no regular file"))),
    }
}

/// Steps for the directories and the file with this text that are not there.
fn missing(
    tree: &Utf8Path,
    root: &Utf8Path,
    path: &Utf8Path,
    text: &str,
    host: &dyn Observe,
) -> Result<Plan> {
    let mut plan = vec![];
    let above: Vec<&Utf8Path> = path.ancestors().skip(1).filter(|dir| !dir.as_str().is_empty()).collect();
    for dir in above.into_iter().rev() {
        match host.stat(&Place::within(tree, dir))?.map(|stat| stat.kind) {
            Some(FileKind::Directory) => {}
            None => plan.push(Step::MakeDir { at: Place::within(root, dir), mode: 0o755 }),
            Some(_) => return Err(cannot_show(tree, &format!("/{dir} is no directory"))),
        }
    }
    if host.stat(&Place::within(tree, path))?.is_none() {
        let at = Place::within(root, path);
        plan.push(Step::WriteFile { at, text: text.into(), mode: 0o644, was: None });
    }
    Ok(plan)
}

fn cannot_show(tree: &Utf8Path, why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("cannot show the host's {RESOLV_CONF} in {tree}"))
        .cause(why)
        .with("path", tree)
        .hint("do without: `-o storage.resolv_conf=no`")
}
