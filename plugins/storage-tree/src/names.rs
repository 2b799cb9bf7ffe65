//! Name resolution: the host's `resolv.conf` shown over the tree's own. A link there is followed inside the tree
//! only; where nothing is, an empty file is made to be covered, and taken away again.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, FileKind, Mount, MountFs, Observe, Place, Plan, Result, Step};

use crate::links;

/// resolv.conf(5).
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Directories that something else is mounted on.
const COVERED: &[&str] = &["dev", "proc", "sys"];

pub(crate) fn plan(tree: &Utf8Path, root: &Utf8Path, may_write: bool, host: &dyn Observe) -> Result<Plan> {
    if host.read(&Place::host(RESOLV_CONF)).is_err() {
        return Ok(vec![]); // the host resolves no names either
    }
    let path = spot(tree, host)?;
    let mut plan = missing(tree, root, &path, host)?;
    if !plan.is_empty() && !may_write {
        return Err(cannot_show(tree, "there is no such file to cover, and the tree cannot be changed"));
    }
    let file = Mount::new(Place::within(root, &path), MountFs::File { source: RESOLV_CONF.into() });
    plan.push(Step::Mount(file.read_only().restricted()));
    Ok(plan)
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

/// Steps for the directories and the file that are not there.
fn missing(tree: &Utf8Path, root: &Utf8Path, path: &Utf8Path, host: &dyn Observe) -> Result<Plan> {
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
        plan.push(Step::WriteFile { at, text: String::new(), mode: 0o644, was: None });
    }
    Ok(plan)
}

fn cannot_show(tree: &Utf8Path, why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("cannot show the host's {RESOLV_CONF} in {tree}"))
        .cause(why)
        .with("path", tree)
        .hint("do without: `-o storage.resolv_conf=no`")
}
