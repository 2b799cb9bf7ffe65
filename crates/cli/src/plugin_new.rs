//! `plugin new`: writes an author's project. It knows no container, and needs no qchroot system.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Result};
use qchroot_author_kit::File;
use serde_json::json;

use crate::args::{Global, New};
use crate::print;

/// Writes the project, or tells which files it would have.
///
/// # Errors
/// Usage for a bad name; exists for a directory that is not empty.
pub(crate) fn run(args: &New, global: &Global) -> Result<u8> {
    let name = name(args)?;
    let files = qchroot_author_kit::project(args.kind.into(), &name)?;
    require_empty(&args.dir)?;
    if global.dry_run {
        return list(&args.dir, &files, global.json).map(|()| 0);
    }
    files.iter().try_for_each(|file| write(&args.dir, file))?;
    if global.json {
        print::json(&json!({ "plugin": name, "directory": args.dir, "files": files.len() }))?;
    } else if !global.quiet {
        print::line(&format!("{name} is begun in {}; its README.md says how to go on", args.dir))?;
    }
    Ok(0)
}

/// The directory's name where none is given.
fn name(args: &New) -> Result<String> {
    let name = args.name.as_deref().or(args.dir.file_name()).unwrap_or_default();
    qchroot_author_kit::check_name(name).map(|()| name.to_owned())
}

fn require_empty(dir: &Utf8Path) -> Result<()> {
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::from_io(&error, format!("cannot make a project in {dir}"))),
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::new(ErrorKind::Exists, format!("{dir} is not empty"))
            .with("path", dir)
            .hint("name a directory that is new")),
    }
}

fn list(dir: &Utf8Path, files: &[File], as_json: bool) -> Result<()> {
    let paths = files.iter().map(|file| dir.join(&file.path));
    match as_json {
        true => print::json(&paths.map(|path| json!({ "do": "write-file", "at": path })).collect::<Vec<_>>()),
        false => paths.into_iter().try_for_each(|path| print::line(&format!("write {path}"))),
    }
}

fn write(dir: &Utf8Path, file: &File) -> Result<()> {
    let path = dir.join(&file.path);
    let mode = if file.runs { 0o777 } else { 0o666 };
    let written = fs::create_dir_all(path.parent().unwrap_or(dir)).and_then(|()| {
        let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
        new.write_all(&file.content)
    });
    written.map_err(|error| Error::from_io(&error, format!("cannot write {path}")))
}
