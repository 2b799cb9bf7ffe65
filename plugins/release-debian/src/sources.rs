//! The host's apt sources, in both formats of sources.list(5), as one-line entries. It knows which of them are
//! the distribution's own and leaves out everybody else's.

use qchroot_api::{Error, ErrorKind, Observe, Place, Result};

use crate::index;
use crate::own::Own;

const LIST: &str = "/etc/apt/sources.list";
const PARTS: &str = "/etc/apt/sources.list.d";
/// Components of Debian and Ubuntu; others' repositories use names of their own.
const COMPONENTS: &[&str] =
    &["main", "contrib", "non-free", "non-free-firmware", "restricted", "universe", "multiverse"];

/// One repository: an address and a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) uri: String,
    pub(crate) suite: String,
    pub(crate) components: Vec<String>,
    /// Key file or fingerprint.
    signed_by: Option<String>,
}

impl Entry {
    /// As a line of sources.list(5).
    fn line(&self) -> String {
        let signed = self.signed_by.as_ref().map_or(String::new(), |key| format!("[signed-by={key}] "));
        format!("deb {signed}{} {} {}", self.uri, self.suite, self.components.join(" "))
    }

    /// The repository that mmdebstrap makes of a bare address.
    pub(crate) fn of_address(uri: &str, suite: &str) -> Self {
        Self { uri: uri.into(), suite: suite.into(), components: vec!["main".into()], signed_by: None }
    }

    /// Reads a one-line entry; `None` for comments, source packages and what is not understood.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let line = line.split('#').next().unwrap_or("").trim().strip_prefix("deb")?;
        let rest = line.strip_prefix([' ', '\t'])?.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
        let mut words = rest.split_whitespace().map(str::to_owned);
        let (uri, suite) = (words.next()?, words.next()?);
        Some(Self { uri, suite, components: words.collect(), signed_by: signed_by.map(str::to_owned) })
    }
}

/// The entries for `suite` from what the host has for its own release.
pub(crate) fn of_host(host: &dyn Observe, own: &Own, suite: &str) -> Result<Vec<String>> {
    let all = read_all(host)?;
    let ours: Vec<_> = all.into_iter().filter(|entry| is_ours(host, own, entry)).collect();
    if !ours.iter().any(|entry| entry.suite == own.suite) {
        let message = format!("no source in {LIST} or {PARTS} is {}'s own {}", own.origin(), own.suite);
        return Err(Error::new(ErrorKind::Unavailable, message)
            .hint("give one, for example -o mirror=http://deb.debian.org/debian"));
    }
    let renamed = |mut entry: Entry| {
        entry.suite = entry.suite.replacen(&own.suite, suite, 1);
        entry.line()
    };
    Ok(ours.into_iter().map(renamed).collect())
}

fn read_all(host: &dyn Observe) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let read = |path: &str| match host.read(&Place::host(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        other => other,
    };
    entries.extend(read(LIST)?.lines().filter_map(Entry::parse));
    let names = match host.list(&Place::host(PARTS)) {
        Err(error) if error.kind() == ErrorKind::NotFound => vec![],
        other => other?,
    };
    for name in names {
        let path = format!("{PARTS}/{name}");
        if name.ends_with(".list") {
            entries.extend(read(&path)?.lines().filter_map(Entry::parse));
        } else if name.ends_with(".sources") {
            entries.extend(deb822(&read(&path)?));
        }
    }
    Ok(entries)
}

/// Whether an entry is the distribution's own: its suite belongs to the host's release, its components are the
/// known ones, and where apt has its Release file, that says so.
fn is_ours(host: &dyn Observe, own: &Own, entry: &Entry) -> bool {
    let of_release = entry.suite.strip_prefix(own.suite.as_str());
    let known_suite =
        of_release.is_some_and(|rest| matches!(rest, "" | "-updates" | "-security" | "/updates"));
    let known_parts = entry.components.iter().all(|name| COMPONENTS.contains(&name.as_str()));
    let has_main = entry.components.iter().any(|name| name == "main");
    let origin = index::release_file(host, entry).and_then(|text| index::origin(&text).map(str::to_owned));
    known_suite && known_parts && has_main && origin.is_none_or(|origin| origin == own.origin())
}

/// Stanzas of the deb822 format. One with a key written into it is left out: no line can hold that.
fn deb822(text: &str) -> Vec<Entry> {
    stanzas(text).iter().filter_map(entries_of).flatten().collect()
}

type Fields = Vec<(String, String)>;

fn stanzas(text: &str) -> Vec<Fields> {
    let mut all: Vec<Fields> = vec![vec![]];
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.trim().is_empty() {
            all.push(vec![]);
        }
        let Some(fields) = all.last_mut() else { continue };
        if let (true, Some((_, value))) = (line.starts_with([' ', '\t']), fields.last_mut()) {
            value.push('\n');
            value.push_str(line.trim());
        } else if let Some((key, value)) = line.split_once(':') {
            fields.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    all
}

fn entries_of(fields: &Fields) -> Option<Vec<Entry>> {
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let words =
        |name: &str| field(name).unwrap_or("").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let enabled = !matches!(field("enabled"), Some("no" | "false" | "0" | "off"));
    let signed_by = field("signed-by").filter(|key| !key.is_empty());
    if !enabled || !words("types").contains(&"deb".into()) || signed_by.is_some_and(|key| key.contains('\n'))
    {
        return None;
    }
    let signed_by = signed_by.map(|keys| keys.split_whitespace().collect::<Vec<_>>().join(","));
    let pairs =
        words("uris").into_iter().flat_map(|uri| words("suites").into_iter().map(move |s| (uri.clone(), s)));
    let entry =
        |(uri, suite)| Entry { uri, suite, components: words("components"), signed_by: signed_by.clone() };
    Some(pairs.map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_give_the_same_lines() {
        let text = "# Debian\nTypes: deb deb-src\nURIs: http://deb.debian.org/debian\nSuites: bookworm\n bookworm-updates\n\
                    Components: main contrib\nSigned-By: /usr/share/keyrings/d.gpg\n\nTypes: deb\nEnabled: no\nURIs: x\n\
                    Suites: bookworm\nComponents: main\n\nTypes: deb\nURIs: y\nSuites: z\nSigned-By:\n -----BEGIN\n .\n";
        let lines: Vec<_> = deb822(text).iter().map(Entry::line).collect();
        let line =
            "deb [signed-by=/usr/share/keyrings/d.gpg] http://deb.debian.org/debian bookworm main contrib";
        assert_eq!(lines, [line, &line.replace("bookworm", "bookworm-updates")]);
        assert_eq!(Entry::parse(line).unwrap(), deb822(text)[0]);
    }

    #[test]
    fn lines_that_are_no_binary_source_are_left_out() {
        for line in ["", "# deb x y main", "deb-src http://x bookworm main", "deb", "deb http://x"] {
            assert_eq!(Entry::parse(line), None, "{line:?}");
        }
        let entry = Entry::parse("deb [arch=amd64 signed-by=/k] http://x bookworm main # note").unwrap();
        assert_eq!(entry.line(), "deb [signed-by=/k] http://x bookworm main");
    }
}
