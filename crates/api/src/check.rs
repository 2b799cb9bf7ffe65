//! How a program of the host's tells whether something is done. It runs nothing.

use serde::{Deserialize, Serialize};

/// A question to a program that only looks, and the answer that means "done already".
///
/// As JSON a list of words is [`Check::Succeeds`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Check {
    /// Done when the program succeeds.
    Succeeds(Vec<String>),
    /// Done when it succeeds and prints this, white space at both ends aside.
    Prints {
        /// Program and arguments.
        argv: Vec<String>,
        /// What it prints.
        prints: String,
    },
    /// Done when it succeeds and prints a line in which these words follow one another.
    Shows {
        /// Program and arguments.
        argv: Vec<String>,
        /// The words, separated by single spaces.
        shows: String,
    },
    /// Done when it fails or prints anything else: for what takes something away.
    Lacks {
        /// Program and arguments.
        argv: Vec<String>,
        /// What it prints as long as there is something to take away.
        lacks: String,
    },
    /// Done when it succeeds and another program fails: for what goes from one place to another.
    Moved {
        /// Program and arguments: succeeds while there is the place where it goes.
        argv: Vec<String>,
        /// Program and arguments: fails when it is not any more where it was.
        fails: Vec<String>,
    },
}

impl Check {
    /// Program and arguments.
    #[must_use]
    pub fn argv(&self) -> &[String] {
        match self {
            Self::Succeeds(argv)
            | Self::Prints { argv, .. }
            | Self::Shows { argv, .. }
            | Self::Lacks { argv, .. }
            | Self::Moved { argv, .. } => argv,
        }
    }

    /// Another program that must fail, where the answer of the first is the one for "done".
    #[must_use]
    pub fn fails(&self) -> Option<&[String]> {
        match self {
            Self::Moved { fails, .. } => Some(fails),
            _ => None,
        }
    }

    /// Whether that is the answer for "done", by exit status and standard output; see [`Check::fails`], too.
    #[must_use]
    pub fn holds(&self, status: i32, stdout: &str) -> bool {
        match self {
            Self::Succeeds(_) | Self::Moved { .. } => status == 0,
            Self::Prints { prints, .. } => status == 0 && stdout.trim() == prints,
            Self::Shows { shows, .. } => status == 0 && stdout.lines().any(|line| has_words(line, shows)),
            Self::Lacks { lacks, .. } => status != 0 || stdout.trim() != lacks,
        }
    }
}

/// Whether the words of `wanted` stand in `line`, one after another.
fn has_words(line: &str, wanted: &str) -> bool {
    let line: Vec<&str> = line.split_whitespace().collect();
    let wanted: Vec<&str> = wanted.split_whitespace().collect();
    !wanted.is_empty() && line.windows(wanted.len()).any(|words| words == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole_and_in_one_line() {
        let there = Check::Shows { argv: vec!["ifconfig".into()], shows: "inet 127.0.0.1".into() };
        let of = |rest: &str| {
            format!("lo0: flags=8049<UP> metric 0 mtu 16384\n\tinet {rest} netmask 0xff000000\n")
        };
        assert!(there.holds(0, &of("127.0.0.1")));
        assert!(!there.holds(1, &of("127.0.0.1")));
        assert!(!there.holds(0, &of("127.0.0.10")) && !there.holds(0, "inet\n127.0.0.1\n"));
        let text = serde_json::to_string(&there).unwrap();
        assert_eq!(serde_json::from_str::<Check>(&text).unwrap(), there);
    }

    #[test]
    fn a_list_of_words_is_a_check_by_status() {
        let check: Check = serde_json::from_str(r#"["jls","-j","web"]"#).unwrap();
        assert_eq!(check, Check::Succeeds(vec!["jls".into(), "-j".into(), "web".into()]));
        assert!(check.holds(0, "12\n") && !check.holds(1, ""));
    }

    #[test]
    fn what_is_moved_is_asked_for_at_both_places() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let moved = Check::Moved { argv: words("jls -j web jid"), fails: words("ifconfig epair0b") };
        assert!(moved.holds(0, "12\n") && !moved.holds(1, ""));
        assert_eq!(moved.fails(), Some(words("ifconfig epair0b").as_slice()));
        let text = serde_json::to_string(&moved).unwrap();
        assert_eq!(text, r#"{"argv":["jls","-j","web","jid"],"fails":["ifconfig","epair0b"]}"#);
        assert_eq!(serde_json::from_str::<Check>(&text).unwrap(), moved);
    }

    #[test]
    fn what_is_printed_tells_ours_from_another_and_from_nothing() {
        let argv = vec!["zfs".to_owned(), "get".to_owned()];
        let there = Check::Prints { argv: argv.clone(), prints: "container".into() };
        let gone = Check::Lacks { argv, lacks: "container".into() };
        for (status, stdout, ours) in [(0, "container\n", true), (0, "-\n", false), (1, "", false)] {
            assert_eq!(there.holds(status, stdout), ours, "{stdout}");
            assert_eq!(gone.holds(status, stdout), !ours, "{stdout}");
        }
        for check in [there, gone] {
            let text = serde_json::to_string(&check).unwrap();
            assert_eq!(serde_json::from_str::<Check>(&text).unwrap(), check, "{text}");
        }
    }
}
