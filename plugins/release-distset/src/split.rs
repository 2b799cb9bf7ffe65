//! Releases before 9.0: a directory for each set, with the parts of its archive. It knows what is where; the parts are
//! checked one by one and unpacked as one archive.

use std::collections::BTreeMap;

use qchroot_api::{Error, ErrorKind, Result, Work};
use qchroot_unpack::sets::{
    Digest, MD5_LIST, Part, Parts, Profile, Source, SplitSet, checksums, is_plain_name, parts,
};
use qchroot_unpack::{Address, Limits, fetch, sha256, unpack};

use crate::pins::{Pinned, addresses};
use crate::search::{Hit, beside, search};
use crate::settings::config;
use crate::{Found, Wish, trust};

/// Lists of checksums, the better first.
const LISTS: [&str; 2] = ["CHECKSUM.SHA256", MD5_LIST];

/// Finds the release and pins the parts of the chosen sets.
pub(crate) fn find(wish: &Wish<'_>) -> Result<Found> {
    let mirrors = addresses(&wish.settings.mirrors(&wish.version))?;
    trust::refuse_open(&mirrors, wish.settings, wish.any)?;
    let mut remember = BTreeMap::new();
    let (mut directories, mut sets) = (mirrors, vec![]);
    let [one, other, itself] = wish.target.paths(&wish.version);
    let mut paths = vec![other, one, itself];
    for name in names(wish)? {
        let list = list(wish, &directories, &paths, &name)?;
        // Where the first set is, the others are.
        (directories, paths) = (list.directories.clone(), vec![String::new()]);
        remember.extend(list.remember(&name)?);
        sets.push(set(wish, &list, name)?);
    }
    let directories = directories.iter().map(ToString::to_string).collect();
    Ok(Found { pinned: Pinned::Split { directories, sets }, remember })
}

/// Names of the sets: the base system was called `bin` before 5.0.
fn names(wish: &Wish<'_>) -> Result<Vec<String>> {
    let base = if wish.version.major() < Some(5) { "bin" } else { "base" };
    let mut names: Vec<String> = match wish.settings.profile {
        None if !wish.settings.sets.is_empty() => vec![],
        None | Some(Profile::Minimal) => vec![base.into()],
        Some(Profile::Base | Profile::Full) => {
            return Err(config("profile", "nothing lists the sets of format=split: only minimal is known")
                .hint("name them, such as -o sets=base,dict,manpages"));
        }
    };
    for name in &wish.settings.sets {
        if !is_plain_name(name) {
            return Err(config("sets", format!("{name:?} cannot be the name of a set")));
        }
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}

/// A set's list of checksums.
struct List {
    file: &'static str,
    content: Vec<u8>,
    digests: BTreeMap<String, Digest>,
    directories: Vec<Address>,
}

impl List {
    fn remember(&self, set: &str) -> Result<BTreeMap<String, String>> {
        let (digest, _) = sha256(&*self.content)
            .map_err(|error| Error::new(ErrorKind::Internal, "cannot hash checksums").cause(error))?;
        let address = |directory: &Address| directory.join(set).join(self.file).to_string();
        Ok(self.directories.iter().map(|directory| (address(directory), digest.clone())).collect())
    }
}

fn list(wish: &Wish<'_>, mirrors: &[Address], paths: &[String], set: &str) -> Result<List> {
    let mut missing = None;
    for file in LISTS {
        match search(mirrors, paths, &format!("{set}/{file}"), wish.host) {
            Err(error) if error.kind() == ErrorKind::NotFound => missing = Some(error),
            Err(error) => return Err(error),
            Ok(_) if file == MD5_LIST && !wish.any => {
                let message = format!("{} has only MD5 checksums, which can be forged", wish.version);
                return Err(
                    Error::new(ErrorKind::BadData, message).hint("--any-release takes it all the same")
                );
            }
            Ok(Hit { directories, content }) => {
                let digests = checksums(file, &content)?;
                return Ok(List { file, content, digests, directories });
            }
        }
    }
    Err(missing.unwrap_or_else(|| Error::new(ErrorKind::Internal, "no list was looked for")).with("set", set))
}

fn set(wish: &Wish<'_>, list: &List, name: String) -> Result<SplitSet> {
    let file = format!("{name}.inf");
    let info = beside(&list.directories, &format!("{name}/{file}"), wish.host)?;
    let parts = parts(&name, &info, &list.digests).map_err(|error| error.with("set", &name))?;
    Ok(SplitSet { name, parts })
}

/// Fetches the parts of each set, checks them one by one, and unpacks them as one archive.
pub(crate) fn fill(directories: &[String], sets: &[SplitSet], work: &mut dyn Work) -> Result<()> {
    let directories = addresses(directories)?;
    for set in sets {
        let size = set.parts.iter().map(|part| part.size).sum();
        let sources = set.parts.iter().map(|part| source(&directories, &set.name, part, work));
        let parts = Parts::new(sources.collect::<Result<Vec<Source>>>()?);
        unpack(parts, &set.name, Some(size), work, &Limits::default())?;
    }
    Ok(())
}

fn source(directories: &[Address], set: &str, part: &Part, work: &mut dyn Work) -> Result<Source> {
    let path = fetch(&part.wanted(set, directories), work)?;
    Ok((part.clone(), work.open(&path)?))
}
