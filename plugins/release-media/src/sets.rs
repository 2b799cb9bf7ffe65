//! FreeBSD's distribution sets on a medium: where they can lie, which are taken, and how they are unpacked. What their
//! files look like is known to `qchroot-unpack`.

use qchroot_api::{Brand, Error, ErrorKind, Result, Work};
use qchroot_unpack::sets::{
    MD5_LIST, Part, Parts, Profile, Row, Source, SplitSet, Version, checksums, choose, is_plain_name,
    manifest, parts,
};
use qchroot_unpack::{Address, Limits, fetch, sha256, unpack, unpack_all};
use serde::{Deserialize, Serialize};

use crate::fill::{Opened, file};
use crate::layout::{Content, Recognised, freebsd_version};
use crate::medium::{Medium, text};
use crate::options::{Wanted, config};

const MANIFEST: &str = "MANIFEST";
/// Where an install medium has its sets since 9.0.
const ON_MEDIUM: &str = "usr/freebsd-dist";
/// Lists of checksums before 9.0, the better first.
const LISTS: [&str; 2] = ["CHECKSUM.SHA256", MD5_LIST];
/// Bytes that no description of sets has.
const LIMIT: u64 = 4 << 20;

/// What is wanted of a medium.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) release: Option<&'a str>,
    pub(crate) wanted: &'a Wanted,
    pub(crate) any: bool,
    /// What an image calls itself.
    pub(crate) label: Option<String>,
    /// Path or address of the medium.
    pub(crate) at: &'a str,
}

/// Chosen sets and where they lie on the medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "packed", rename_all = "lowercase")]
pub(crate) enum Sets {
    /// Archives that MANIFEST lists.
    Whole { directory: String, sets: Vec<Row> },
    /// Archives in parts, before 9.0.
    Parts { directory: String, sets: Vec<SplitSet> },
}

/// Looks for sets: those that a MANIFEST lists first.
pub(crate) fn find(medium: &mut dyn Medium, wish: &Wish<'_>) -> Result<Option<Recognised>> {
    let directories = directories(medium, wish)?;
    for directory in &directories {
        match medium.content(&below(directory, MANIFEST), LIMIT) {
            Ok(content) => return whole(medium, wish, directory, &content).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    for directory in directories.iter().filter(|directory| *directory != ON_MEDIUM) {
        let version = version(medium, wish, directory)?;
        let names = split_names(wish, version.as_deref())?;
        for list in LISTS {
            let first = below(directory, &format!("{}/{list}", names[0]));
            if text(medium, &first, LIMIT)?.is_some() {
                return split(medium, wish, directory, version, list, &names).map(Some);
            }
        }
    }
    Ok(None)
}

/// What is looked for, for who finds nothing.
pub(crate) fn places(wish: &Wish<'_>) -> Vec<String> {
    let release = wish.release.unwrap_or("X.Y-RELEASE");
    let mut all = vec![MANIFEST.to_owned(), below(ON_MEDIUM, MANIFEST), below(release, MANIFEST)];
    all.extend(["base", &below(release, "base")].map(|set| format!("{set}/{}", LISTS[0])));
    all
}

/// Directories that may hold sets: the top, the install medium's own, that of the release.
fn directories(medium: &mut dyn Medium, wish: &Wish<'_>) -> Result<Vec<String>> {
    let mut all = vec![String::new(), ON_MEDIUM.to_owned()];
    match wish.release {
        Some(release) => all.extend(Version::parse(release).map(|version| version.to_string())),
        None => all.extend(medium.names("")?.into_iter().filter(|name| is_release(name))),
    }
    Ok(all)
}

fn is_release(name: &str) -> bool {
    let kind = name.split_once('-').filter(|(number, _)| number.contains('.'));
    kind.is_some_and(|(number, kind)| {
        number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && ["RELEASE", "RC", "BETA"].iter().any(|word| kind.starts_with(word))
    })
}

fn below(directory: &str, file: &str) -> String {
    if directory.is_empty() { file.to_owned() } else { format!("{directory}/{file}") }
}

/// Which release the sets in a directory are, as far as anything on the medium tells.
fn version(medium: &mut dyn Medium, wish: &Wish<'_>, directory: &str) -> Result<Option<String>> {
    if is_release(directory) {
        return Ok(Some(directory.to_owned()));
    }
    if let Some(version) = freebsd_version(medium)? {
        return Ok(Some(version));
    }
    let info = text(medium, "cdrom.inf", LIMIT)?.unwrap_or_default();
    if let Some(version) = info.lines().find_map(|line| line.trim().strip_prefix("CD_VERSION")) {
        return Ok(Some(version.trim_start_matches([' ', '=']).trim().to_owned()));
    }
    let named = wish.at.split('/').rev().find(|part| is_release(part)).map(str::to_owned);
    Ok(named.or_else(|| wish.label.as_deref().and_then(labelled)))
}

/// `14.3-RELEASE` from `14_3_RELEASE_AMD64_CD`.
fn labelled(label: &str) -> Option<String> {
    let mut words = label.split('_');
    let version = format!("{}.{}-{}", words.next()?, words.next()?, words.next()?);
    is_release(&version).then_some(version)
}

fn whole(medium: &mut dyn Medium, wish: &Wish<'_>, directory: &str, content: &[u8]) -> Result<Recognised> {
    let path = below(directory, MANIFEST);
    let (digest, _) = sha256(content)
        .map_err(|error| Error::new(ErrorKind::Internal, "cannot hash MANIFEST").cause(error))?;
    if let Some(wanted) = wish.wanted.manifest_sha256.as_deref().filter(|wanted| *wanted != digest) {
        let message = format!("{path} has the SHA-256 {digest}, not {wanted}");
        return Err(Error::new(ErrorKind::BadData, message).with("key", "manifest_sha256"));
    }
    let rows = manifest(content).map_err(|error| error.with("manifest", &path))?;
    let (names, profile) = selection(&wish.wanted.dists)?;
    let sets = choose(&rows, &names, profile)?.into_iter().cloned().collect();
    Ok(Recognised {
        content: Content::Sets(Sets::Whole { directory: directory.to_owned(), sets }),
        version: version(medium, wish, directory)?,
        brand: Some(Brand::Freebsd),
        manifest: Some((path, digest)),
    })
}

/// Names of sets, and a selection by name if one is among them.
fn selection(dists: &[String]) -> Result<(Vec<String>, Option<Profile>)> {
    let (mut names, mut profile) = (vec![], None);
    for word in dists {
        let selected = match word.as_str() {
            "minimal" => Profile::Minimal,
            "default" => Profile::Base,
            "full" => Profile::Full,
            _ => {
                names.push(word.clone());
                continue;
            }
        };
        if profile.replace(selected).is_some() {
            return Err(
                config("dists", "dists has two selections").hint("use one of minimal, default and full")
            );
        }
    }
    Ok((names, profile))
}

/// Names of sets before 9.0, which nothing lists; the base system was called `bin` before 5.0.
fn split_names(wish: &Wish<'_>, version: Option<&str>) -> Result<Vec<String>> {
    let (mut names, profile) = selection(&wish.wanted.dists)?;
    if matches!(profile, Some(Profile::Base | Profile::Full)) {
        return Err(config("dists", "nothing lists the sets of a release before 9.0: only minimal is known")
            .hint("name them, such as -o dists=base,dict,manpages"));
    }
    if let Some(bad) = names.iter().find(|name| !is_plain_name(name)) {
        return Err(config("dists", format!("{bad:?} cannot be the name of a set")));
    }
    if profile.is_some() || names.is_empty() {
        let major = version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
        names.insert(0, if major.is_some_and(|major| major < 5) { "bin" } else { "base" }.into());
    }
    let mut seen: Vec<String> = vec![];
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    Ok(names)
}

fn split(
    medium: &mut dyn Medium,
    wish: &Wish<'_>,
    directory: &str,
    version: Option<String>,
    list: &str,
    names: &[String],
) -> Result<Recognised> {
    if list == MD5_LIST && !wish.any {
        return Err(Error::new(ErrorKind::BadData, "the sets have only MD5 checksums, which can be forged")
            .hint("--any-release takes them all the same"));
    }
    let mut sets = vec![];
    for name in names {
        let set = below(directory, name);
        let digests = checksums(list, &medium.content(&format!("{set}/{list}"), LIMIT)?)?;
        let info = medium.content(&format!("{set}/{name}.inf"), LIMIT)?;
        let parts = parts(name, &info, &digests).map_err(|error| error.with("set", name))?;
        sets.push(SplitSet { name: name.clone(), parts });
    }
    Ok(Recognised {
        content: Content::Sets(Sets::Parts { directory: directory.to_owned(), sets }),
        version,
        brand: Some(Brand::Freebsd),
        manifest: None,
    })
}

impl Sets {
    /// What decides the content, in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Whole { sets, .. } => {
                let word = |row: &Row| format!("{} {} {}\n", row.name, row.sha256, row.entries);
                sets.iter().map(word).collect()
            }
            Self::Parts { sets, .. } => {
                let part = |part: &Part| format!("{} {}\n", part.file, part.digest);
                sets.iter().map(|set| set.parts.iter().map(part).collect::<String>()).collect()
            }
        }
    }

    /// Checks and unpacks them.
    pub(crate) fn fill(&self, from: &Opened, work: &mut dyn Work) -> Result<()> {
        work.tree().write(&crate::top(), &mut std::io::empty())?;
        match self {
            Self::Whole { directory, sets } => fill_whole(from, directory, sets, work)?,
            Self::Parts { directory, sets } => {
                sets.iter().try_for_each(|set| fill_parts(from, directory, set, work))?;
            }
        }
        work.tree().finish()
    }
}

/// The directory of the sets by its address; none where only the image can be read.
fn address(from: &Opened, directory: &str) -> Result<Option<Address>> {
    let top: Address = match from {
        Opened::Directory(path) => path.as_str().parse()?,
        Opened::Site(address) => address.clone(),
        Opened::Image(..) => return Ok(None),
    };
    Ok(Some(if directory.is_empty() { top } else { top.join(directory) }))
}

fn fill_whole(from: &Opened, directory: &str, sets: &[Row], work: &mut dyn Work) -> Result<()> {
    if let Some(address) = address(from, directory)? {
        let wanted: Vec<_> = sets.iter().map(|row| row.wanted(std::slice::from_ref(&address))).collect();
        return unpack_all(&wanted, work, &Limits::default()).map(drop);
    }
    for row in sets {
        let (input, size) = file(from, &below(directory, &row.file), work)?;
        let summary = unpack(input, &row.file, Some(size), work, &Limits::default())?;
        let found = [summary.sha256, summary.entries.to_string()];
        let listed = [row.sha256.clone(), row.entries.to_string()];
        if found != listed {
            let message = format!("{} is not what MANIFEST lists", row.file);
            let told = |[digest, entries]: [String; 2]| format!("SHA-256 {digest} and {entries} entries");
            return Err(Error::new(ErrorKind::BadData, message).cause(format!(
                "it has {}, listed are {}",
                told(found),
                told(listed)
            )));
        }
    }
    Ok(())
}

fn fill_parts(from: &Opened, directory: &str, set: &SplitSet, work: &mut dyn Work) -> Result<()> {
    let address = address(from, directory)?;
    let mut sources: Vec<Source> = vec![];
    for part in &set.parts {
        let input = match &address {
            Some(address) => {
                let path = fetch(&part.wanted(&set.name, std::slice::from_ref(address)), work)?;
                work.open(&path)?
            }
            None => file(from, &below(directory, &format!("{}/{}", set.name, part.file)), work)?.0,
        };
        sources.push((part.clone(), input));
    }
    let size = set.parts.iter().map(|part| part.size).sum();
    unpack(Parts::new(sources), &set.name, Some(size), work, &Limits::default()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_discs_name_releases() {
        assert_eq!(labelled("14_3_RELEASE_AMD64_CD").as_deref(), Some("14.3-RELEASE"));
        assert_eq!(labelled("13_0_RC1_AMD64_DVD").as_deref(), Some("13.0-RC1"));
        for label in ["", "CDROM", "DEBIAN_12_5_AMD64", "14_3"] {
            assert_eq!(labelled(label), None, "{label}");
        }
    }

    #[test]
    fn a_selection_stands_beside_names() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (names, profile) = selection(&words(&["minimal", "lib32"])).unwrap();
        assert_eq!((names, profile), (words(&["lib32"]), Some(Profile::Minimal)));
        assert_eq!(selection(&words(&["full", "minimal"])).unwrap_err().fact("key"), Some("dists"));
    }
}
