//! `/etc/ld.so.conf` and what it includes: ldconfig(8). It does not know who looks in the directories.

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{ErrorKind, Observe, Place, Result};

const FILE: &str = "/etc/ld.so.conf";

/// Files that include each other deeper than this do so for ever.
const DEEPEST: usize = 8;

/// The directories in their order.
pub(crate) fn directories(host: &dyn Observe) -> Result<Vec<Utf8PathBuf>> {
    let mut found = vec![];
    read(FILE.into(), 0, host, &mut found)?;
    Ok(found)
}

fn read(path: &Utf8Path, depth: usize, host: &dyn Observe, found: &mut Vec<Utf8PathBuf>) -> Result<()> {
    let text = match host.read(&Place::host(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        text => text?,
    };
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split([' ', '\t', ',', ':']).filter(|word| !word.is_empty()).collect();
        match words.split_first() {
            Some((&"include", patterns)) if depth < DEEPEST => {
                for file in patterns.iter().map(|pattern| matching(path, pattern, host)) {
                    file?.iter().try_for_each(|file| read(file, depth + 1, host, found))?;
                }
            }
            Some((&("include" | "hwcap"), _)) | None => {}
            // A directory may be followed by the kind of library it was for.
            Some(_) => found.extend(words.iter().filter_map(|word| directory(word))),
        }
    }
    Ok(())
}

fn directory(word: &str) -> Option<Utf8PathBuf> {
    let dir = word.split('=').next()?;
    dir.starts_with('/').then(|| Utf8PathBuf::from(dir.trim_end_matches('/')))
}

/// The files that a pattern stands for, relative to the file it is written in; glob(7) in the last name only.
fn matching(from: &Utf8Path, pattern: &str, host: &dyn Observe) -> Result<Vec<Utf8PathBuf>> {
    let pattern = from.parent().unwrap_or(Utf8Path::new("/")).join(pattern);
    let (Some(dir), Some(name)) = (pattern.parent(), pattern.file_name()) else { return Ok(vec![]) };
    if host.stat(&Place::host(dir))?.is_none() {
        return Ok(vec![]);
    }
    let names = host.list(&Place::host(dir))?;
    let names = names.iter().filter(|file| !file.starts_with('.') && matches(name, file));
    Ok(names.map(|file| dir.join(file)).collect())
}

/// Whether a name fits a pattern of letters and stars.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return name.ends_with(part);
        }
        match name.find(part) {
            Some(at) => name = &name[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, fits) in [
            ("*.conf", "libc.conf", true),
            ("*.conf", "libc.conf.bak", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxc", false),
            ("x.conf", "x.conf", true),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
