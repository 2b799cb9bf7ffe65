//! New projects for authors of plug-ins: a back end that works, its tests, and the sources of the crates that it is
//! built against, so that no registry has to have them.
//!
//! It tells files by name and content; who writes them where is not known here.

#![forbid(unsafe_code)]

use std::io::Read;

use qchroot_api::camino::Utf8PathBuf;
use qchroot_api::{Error, ErrorKind, Kind, Result};

/// Packed by the build script.
const KIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kit.tar.zst"));

/// The name that stands in the templates.
const NAME: &str = "acme.thing";

/// A file of a new project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below the project's directory.
    pub path: Utf8PathBuf,
    /// Its content.
    pub content: Vec<u8>,
    /// Whether it is a program.
    pub runs: bool,
}

/// The files of a new project for a back end of this kind and name, in the order of the archive that they come from.
///
/// # Errors
/// Usage for a name that no plug-in can have.
pub fn project(kind: Kind, name: &str) -> Result<Vec<File>> {
    check_name(name)?;
    let own = format!("templates/{}/", folder(kind));
    let mut files = vec![];
    for (path, content) in kit()? {
        let template = path.strip_prefix(&own).or_else(|| path.strip_prefix("templates/common/"));
        match template {
            Some(path) => files.push(of_template(path, &content, name)),
            None if path.starts_with("templates/") => {}
            None => files.push(File { path: path.into(), content, runs: false }),
        }
    }
    Ok(files)
}

/// Refuses what cannot be the name of a plug-in: lower-case letters, digits and dashes in parts that dots separate, at
/// least two of them.
///
/// # Errors
/// Usage, with an example.
pub fn check_name(name: &str) -> Result<()> {
    let part = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        part.starts_with(|first: char| first.is_ascii_lowercase()) && part.bytes().all(allowed)
    };
    if name.contains('.') && name.len() <= LONGEST && name.split('.').all(part) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, format!("{name:?} is no name for a plug-in"))
        .with("name", name)
        .hint("two words in lower case with a dot between them, yours and its own: --name acme.thing"))
}

/// Bytes, so that the file's name fits every file system.
const LONGEST: usize = 64;

fn folder(kind: Kind) -> &'static str {
    match kind {
        Kind::ReleaseSource => "release-source",
        Kind::SharedStorage => "storage",
        Kind::Isolation => "isolation",
    }
}

fn of_template(path: &str, content: &[u8], name: &str) -> File {
    let spelled = |with: &str| name.replace(['.', '-'], with);
    let text = String::from_utf8_lossy(content)
        .replace(NAME, name)
        .replace("acme-thing", &spelled("-"))
        .replace("acme_thing", &spelled("_"));
    let runs = text.starts_with("#!");
    // Named otherwise here, so that cargo and git do not take the template for what it is a template of.
    let path = path.replace("Manifest.toml", "Cargo.toml").replace("gitignore", ".gitignore");
    File { path: path.into(), content: text.into_bytes(), runs }
}

fn kit() -> Result<Vec<(String, Vec<u8>)>> {
    let damaged = |error| Error::from_io(&error, "cannot unpack the templates").of_kind(ErrorKind::Internal);
    let unpack = || -> std::io::Result<Vec<_>> {
        let tar = zstd::decode_all(KIT)?;
        tar::Archive::new(&*tar).entries()?.map(|entry| file(entry?)).collect()
    };
    unpack().map_err(damaged)
}

fn file(mut entry: tar::Entry<'_, &[u8]>) -> std::io::Result<(String, Vec<u8>)> {
    let mut content = vec![];
    entry.read_to_end(&mut content)?;
    Ok((entry.path()?.to_string_lossy().into_owned(), content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_dot_and_no_surprises() {
        for good in ["acme.thing", "a.b", "acme.thing-2.beta"] {
            check_name(good).unwrap();
        }
        for bad in ["", "thing", ".thing", "acme.", "a..b", "Acme.thing", "acme.th/ing", "acme.2nd", "../a.b"]
        {
            assert_eq!(check_name(bad).unwrap_err().kind(), ErrorKind::Usage, "{bad}");
        }
    }

    #[test]
    fn every_kind_has_a_project_by_its_own_name_with_all_sources() {
        for kind in [Kind::ReleaseSource, Kind::SharedStorage, Kind::Isolation] {
            let files = project(kind, "forge.my-images").unwrap();
            let text = |path: &str| {
                let file = files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}"));
                std::str::from_utf8(&file.content).unwrap()
            };
            assert!(text("Cargo.toml").contains("name = \"forge-my-images\""));
            assert!(text("src/lib.rs").contains("\"forge.my-images\""));
            assert!(text("README.md").contains("libforge_my_images.so"));
            assert!(text("sdk/crates/plugin/src/lib.rs").contains("macro_rules! export"));
            assert!(text("sdk/crates/abi/src/author/far.rs").starts_with("//!"));
            assert!(text("Cargo.lock").contains("name = \"schemars\""));
            assert!(files.iter().find(|file| file.path == "ci.sh").unwrap().runs);
            let own = files.iter().filter(|file| !file.path.starts_with("sdk") && file.path != "Cargo.lock");
            assert!(own.clone().count() > 4);
            own.for_each(|file| {
                assert!(!String::from_utf8_lossy(&file.content).contains("acme"), "{}", file.path)
            });
            assert!(
                !files.iter().any(|file| file.path.as_str().contains("abi/src/library")),
                "the host's side"
            );
        }
    }
}
