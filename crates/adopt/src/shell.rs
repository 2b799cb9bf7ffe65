//! Assignments in files that shells read: sh, csh and what sysrc(8) writes. They are parsed, never run: a line that does
//! anything but give a variable a constant value is handed back as it is.

use std::collections::BTreeMap;

/// One line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number, from 1.
    pub(crate) number: usize,
    /// What it says.
    pub(crate) says: Says,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Says {
    /// A variable has a value.
    Is(String, String),
    /// Something else.
    Other(String),
}

/// All lines that say something.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let mut known = BTreeMap::new();
    let mut lines = vec![];
    for (index, text) in text.lines().enumerate() {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let says = assignment(text, &known).map_or_else(|| Says::Other(text.into()), |(k, v)| Says::Is(k, v));
        if let Says::Is(key, value) = &says {
            known.insert(key.clone(), value.clone());
        }
        lines.push(Line { number: index + 1, says });
    }
    lines
}

/// The variables of a file, the last value of each.
pub(crate) fn variables(text: &str) -> BTreeMap<String, String> {
    let says = lines(text).into_iter().map(|line| line.says);
    says.filter_map(|says| match says {
        Says::Is(key, value) => Some((key, value)),
        Says::Other(_) => None,
    })
    .collect()
}

fn assignment(text: &str, known: &BTreeMap<String, String>) -> Option<(String, String)> {
    let words = shlex::split(text)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (key, value) = match words.as_slice() {
        ["setenv", key, value] => ((*key).to_owned(), (*value).to_owned()),
        ["set", rest @ ..] => csh(rest)?,
        ["export", word] | [word] => {
            let (key, value) = word.trim_end_matches(';').split_once('=')?;
            (key.to_owned(), value.to_owned())
        }
        _ => return None,
    };
    is_name(&key).then_some(())?;
    Some((key, expand(&value, known)?))
}

/// `K = V`, `K=V`, `K = (A B)`.
fn csh(words: &[&str]) -> Option<(String, String)> {
    let joined = words.join(" ");
    let (key, value) = joined.split_once('=')?;
    let value = value.trim().trim_end_matches(';').trim();
    let list = value.strip_prefix('(').and_then(|value| value.strip_suffix(')'));
    Some((key.trim().to_owned(), list.unwrap_or(value).trim().to_owned()))
}

fn is_name(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `${NAME}` and `$NAME` by what stands above; nothing else that a shell would compute.
fn expand(value: &str, known: &BTreeMap<String, String>) -> Option<String> {
    if value.contains(['`', '\\']) || value.contains("$(") {
        return None;
    }
    let mut parts = value.split('$');
    let mut whole = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = match part.strip_prefix('{') {
            Some(braced) => braced.split_once('}')?,
            None => part
                .split_at(part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len())),
        };
        whole.push_str(known.get(name)?);
        whole.push_str(rest);
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Says {
        let mut all = lines(text);
        assert_eq!(all.len(), 1, "{text}");
        all.remove(0).says
    }

    #[test]
    fn assignments_of_each_shell_are_read() {
        for text in [
            "a=b",
            "a=\"b\"",
            "export a='b'",
            "  a=b;   ",
            "a=b  # why",
            "set a = b",
            "set a=b",
            "set a = (b)",
            "set a = ( b )",
            "setenv a b",
        ] {
            assert_eq!(one(text), Says::Is("a".into(), "b".into()), "{text}");
        }
        assert_eq!(one("set s = (one two)"), Says::Is("s".into(), "one two".into()));
        assert_eq!(
            one("export j_ip=\"em0|10.0.0.1,lo1|127.0.1.1\""),
            Says::Is("j_ip".into(), "em0|10.0.0.1,lo1|127.0.1.1".into())
        );
    }

    #[test]
    fn what_a_shell_would_do_is_handed_back() {
        for text in [
            "a=`id`",
            "a=$(id)",
            "a=\"$b\"",
            ". /etc/rc.conf",
            "rm -rf /",
            "a='b",
            "a=b c=d",
            "1a=b",
            "if [ x ]",
        ] {
            assert_eq!(one(text), Says::Other(text.into()), "{text}");
        }
    }

    #[test]
    fn variables_of_the_same_file_are_put_in() {
        let found = variables("p=/usr/local/bastille ## default\nj=\"${p}/jails\"\nk=$j/web\n");
        assert_eq!(found["j"], "/usr/local/bastille/jails");
        assert_eq!(found["k"], "/usr/local/bastille/jails/web");
    }
}
