//! The words of a command line: flags, flags with a value, and the rest, as getopt(3) takes them apart.

use super::{Answer, misused};

/// A command line taken apart.
pub(super) struct Words {
    flags: Vec<char>,
    values: Vec<(char, String)>,
    pub(super) rest: Vec<String>,
}

impl Words {
    /// `known` is as for getopt(3): letters, those that take a value followed by a colon.
    pub(super) fn parse(args: &[String], known: &str) -> Answer<Self> {
        let mut words = Self { flags: vec![], values: vec![], rest: vec![] };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                words.rest.push(arg.clone());
                words.rest.extend(args.cloned());
                break;
            };
            for (at, letter) in letters.char_indices() {
                let Some(known_at) = known.find(letter).filter(|_| letter != ':') else {
                    return misused(format!("invalid option '{letter}'"));
                };
                if !known[known_at + 1..].starts_with(':') {
                    words.flags.push(letter);
                    continue;
                }
                let rest = &letters[at + 1..];
                let value = if rest.is_empty() { args.next().cloned() } else { Some(rest.to_owned()) };
                let Some(value) = value else {
                    return misused(format!("missing argument for '{letter}' option"));
                };
                words.values.push((letter, value));
                break;
            }
        }
        Ok(words)
    }

    pub(super) fn has(&self, flag: char) -> bool {
        self.flags.contains(&flag)
    }

    pub(super) fn value(&self, flag: char) -> Option<&str> {
        self.values.iter().rev().find(|(letter, _)| *letter == flag).map(|(_, value)| value.as_str())
    }

    /// Properties given with `-o`.
    pub(super) fn properties(&self) -> Answer<Vec<(String, String)>> {
        let given = self.values.iter().filter(|(letter, _)| *letter == 'o');
        given.map(|(_, text)| assignment(text)).collect()
    }

    /// Exactly so many further words.
    pub(super) fn exactly<const N: usize>(&self, missing: &str) -> Answer<[&str; N]> {
        let rest: Vec<&str> = self.rest.iter().map(String::as_str).collect();
        match rest.len() {
            n if n > N => misused("too many arguments"),
            _ => rest.try_into().or_else(|_| misused(format!("missing {missing} argument"))),
        }
    }
}

/// `PROPERTY=VALUE`.
pub(super) fn assignment(text: &str) -> Answer<(String, String)> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => misused("missing '=' for property=value argument"),
    }
}
