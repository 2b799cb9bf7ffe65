//! One repository of sources.list(5), in both of its formats. It knows text, and neither hosts nor files.

/// Suites that are updated themselves, and have none beside them for updates.
const ROLLING: &[&str] = &["sid", "unstable", "experimental", "rc-buggy"];

/// What a repository is signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    /// Key files or fingerprints, separated by commas.
    Named(String),
    /// The key itself, in lines.
    Written(String),
}

/// One repository: an address and a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) uri: String,
    pub(crate) suite: String,
    pub(crate) components: Vec<String>,
    key: Option<Key>,
    /// Taken without a signature.
    pub(crate) trusted: bool,
}

impl Entry {
    /// As a line of sources.list(5); with a key that is written out, as a stanza, as no line can hold that.
    pub(crate) fn text(&self) -> String {
        let components = self.components.join(" ");
        let trusted = if self.trusted { Some("trusted=yes".to_owned()) } else { None };
        let named = match &self.key {
            Some(Key::Written(lines)) => return self.stanza(lines, &components),
            Some(Key::Named(keys)) => Some(format!("signed-by={keys}")),
            None => None,
        };
        let options = [named, trusted].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let options = if options.is_empty() { options } else { format!("[{options}] ") };
        format!("deb {options}{} {} {components}", self.uri, self.suite).trim_end().to_owned()
    }

    fn stanza(&self, key: &str, components: &str) -> String {
        let key: String = key.lines().map(|line| format!("\n {line}")).collect();
        let trusted = if self.trusted { "Trusted: yes\n" } else { "" };
        let (uri, suite) = (&self.uri, &self.suite);
        format!(
            "Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: {components}\n{trusted}Signed-By:{key}"
        )
    }

    /// The repository that mmdebstrap makes of a bare address.
    pub(crate) fn of_address(uri: &str, suite: &str) -> Self {
        let components = vec!["main".into()];
        Self { uri: uri.into(), suite: suite.into(), components, key: None, trusted: false }
    }

    /// Reads what [`Self::text`] writes.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        if text.contains('\n') { deb822(text).into_iter().next() } else { Self::parse(text) }
    }

    /// Reads a one-line entry; `None` for comments, source packages and what is not understood.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let line = line.split('#').next().unwrap_or("").trim().strip_prefix("deb")?;
        let rest = line.strip_prefix([' ', '\t'])?.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let option = |name: &str| options.split_whitespace().find_map(|option| option.strip_prefix(name));
        let mut words = rest.split_whitespace().map(str::to_owned);
        let (uri, suite) = (words.next()?, words.next()?);
        let key = option("signed-by=").map(|keys| Key::Named(keys.to_owned()));
        let trusted = option("trusted=").is_some_and(is_yes);
        Some(Self { uri, suite, components: words.collect(), key, trusted })
    }

    /// The same of another suite; `None` where that has nothing of the kind.
    pub(crate) fn of_suite(mut self, own: &str, wanted: &str) -> Option<Self> {
        if own != wanted && self.suite != own && ROLLING.contains(&wanted) {
            return None;
        }
        self.suite = self.suite.replacen(own, wanted, 1);
        Some(self)
    }

    /// The directory of this machine in which the repository is.
    pub(crate) fn local(&self) -> Option<&str> {
        local(&self.uri)
    }
}

/// The path of a `file:` or `copy:` address.
pub(crate) fn local(uri: &str) -> Option<&str> {
    let path = uri.strip_prefix("file:").or_else(|| uri.strip_prefix("copy:"))?;
    let path = path.strip_prefix("//").unwrap_or(path);
    path.starts_with('/').then_some(path)
}

/// apt's words for yes, in any case.
fn is_yes(text: &str) -> bool {
    ["yes", "true", "with", "on", "enable", "1"].contains(&text.to_ascii_lowercase().as_str())
}

/// Stanzas of the deb822 format.
pub(crate) fn deb822(text: &str) -> Vec<Entry> {
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
    let enabled = field("enabled").is_none_or(is_yes);
    if !enabled || !words("types").contains(&"deb".into()) {
        return None;
    }
    let key = field("signed-by").map(str::trim).filter(|key| !key.is_empty()).map(|key| {
        if key.contains("-----BEGIN") {
            Key::Written(key.to_owned())
        } else {
            Key::Named(key.split_whitespace().collect::<Vec<_>>().join(","))
        }
    });
    let trusted = field("trusted").is_some_and(is_yes);
    let pairs =
        words("uris").into_iter().flat_map(|uri| words("suites").into_iter().map(move |s| (uri.clone(), s)));
    let entry =
        |(uri, suite)| Entry { uri, suite, components: words("components"), key: key.clone(), trusted };
    Some(pairs.map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_give_the_same_lines() {
        let text = "# Debian\nTypes: deb deb-src\nURIs: http://deb.debian.org/debian\nSuites: bookworm\n bookworm-updates\n\
                    Components: main contrib\nSigned-By: /usr/share/keyrings/d.gpg\n\nTypes: deb\nEnabled: no\nURIs: x\n\
                    Suites: bookworm\nComponents: main\n";
        let lines: Vec<_> = deb822(text).iter().map(Entry::text).collect();
        let line =
            "deb [signed-by=/usr/share/keyrings/d.gpg] http://deb.debian.org/debian bookworm main contrib";
        assert_eq!(lines, [line, &line.replace("bookworm", "bookworm-updates")]);
        assert_eq!(Entry::of_text(line).unwrap(), deb822(text)[0]);
    }

    #[test]
    fn a_key_that_is_written_out_goes_along() {
        let text = "Types: deb\nURIs: http://x\nSuites: bookworm\nComponents: main\nEnabled: yes\nSigned-By:\n \
                    -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEZ\n -----END PGP PUBLIC KEY BLOCK-----\n";
        let entry = deb822(text).remove(0);
        assert!(
            entry.text().ends_with(&text[text.find("Signed-By:").unwrap()..].trim_end()),
            "{}",
            entry.text()
        );
        assert_eq!(Entry::of_text(&entry.text()), Some(entry));
    }

    #[test]
    fn lines_that_are_no_binary_source_are_left_out() {
        for line in ["", "# deb x y main", "deb-src http://x bookworm main", "deb", "deb http://x"] {
            assert_eq!(Entry::parse(line), None, "{line:?}");
        }
        let entry = Entry::parse("deb [arch=amd64 signed-by=/k] http://x bookworm main # note").unwrap();
        assert_eq!(entry.text(), "deb [signed-by=/k] http://x bookworm main");
        let flat = "deb [trusted=yes] file:/srv/debs ./";
        assert_eq!(Entry::parse(flat).unwrap().text(), flat);
    }

    #[test]
    fn only_suites_that_exist_are_asked_for() {
        let entry = |suite: &str| Entry::of_address("http://x", suite);
        assert_eq!(entry("bookworm-security").of_suite("bookworm", "sid"), None);
        assert_eq!(entry("bookworm").of_suite("bookworm", "sid").unwrap().suite, "sid");
        assert_eq!(entry("bookworm-updates").of_suite("bookworm", "trixie").unwrap().suite, "trixie-updates");
    }
}
