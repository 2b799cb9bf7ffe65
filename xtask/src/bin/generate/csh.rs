//! A completion for tcsh, by its built-in command `complete`, see tcsh(1).

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::{Arg, Command, ValueHint};

use crate::words::{long_options, names, options, shown};

/// Rules are tried from top to bottom: the word before the current one, then its beginning, then its place.
pub(crate) fn completion(command: &Command) -> String {
    let mut rules: Vec<String> =
        values(command).into_iter().map(|(o, list)| format!("n/--{o}/{list}/")).collect();
    let parents = shown(command).filter(|sub| shown(sub).next().is_some());
    rules.extend(parents.map(|sub| format!("n/{}/({})/", sub.get_name(), names(sub))));
    let long = long_options(command).into_iter().collect::<Vec<_>>().join(" ");
    rules.push(format!("c/--/({long})/"));
    rules.push(format!("p/1/({})/", names(command)));

    let name = command.get_name();
    let mut script = format!("# tcsh completion for {name}: source it from ~/.tcshrc\ncomplete {name}");
    for rule in rules {
        let _infallible = write!(script, " \\\n  '{rule}'");
    }
    script + "\n"
}

/// What an option wants after it, where that is known: words, a directory (`d`) or a file (`f`).
fn values(command: &Command) -> BTreeMap<&str, String> {
    let with_value = options(command).into_iter().filter(|option| option.get_action().takes_values());
    with_value.filter_map(|option| Some((option.get_long()?, wanted(option)?))).collect()
}

fn wanted(option: &Arg) -> Option<String> {
    let words: Vec<_> =
        option.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    match option.get_value_hint() {
        _ if !words.is_empty() => Some(format!("({})", words.join(" "))),
        ValueHint::DirPath => Some("d".to_owned()),
        ValueHint::FilePath | ValueHint::AnyPath => Some("f".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_one_that_tcsh_knows() {
        let script = completion(&crate::words::example());
        let rules: Vec<&str> =
            script.lines().skip(2).map(|line| line.trim().trim_end_matches(" \\")).collect();
        let expected = [
            "'n/--root/d/'",
            "'n/--storage/(nullfs md)/'",
            "'n/release/(verify)/'",
            "'c/--/(help root storage)/'",
            "'p/1/(create release)/'",
        ];
        assert_eq!(rules, expected);
    }
}
