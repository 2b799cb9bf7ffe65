//! What can be typed, as plain lists of words.

use std::collections::BTreeSet;

use clap::{Arg, Command};

/// The commands that help shows, in its order.
pub(crate) fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
}

/// The names of the commands that help shows, separated by spaces.
pub(crate) fn names(command: &Command) -> String {
    shown(command).map(Command::get_name).collect::<Vec<_>>().join(" ")
}

/// Every option that takes or needs no value, of this command and of all those below it.
pub(crate) fn options(command: &Command) -> Vec<&Arg> {
    let own = command.get_arguments().filter(|arg| arg.get_long().is_some() && !arg.is_hide_set());
    own.chain(shown(command).flat_map(options)).collect()
}

/// The names of all long options, sorted, without their dashes.
pub(crate) fn long_options(command: &Command) -> BTreeSet<&str> {
    options(command).into_iter().filter_map(Arg::get_long).collect()
}

#[cfg(test)]
pub(crate) fn example() -> Command {
    use clap::{ArgAction, ValueHint};
    let root =
        Arg::new("root").long("root").value_hint(ValueHint::DirPath).global(true).help("where it all is");
    let storage = Arg::new("storage").long("storage").value_parser(["nullfs", "md"]).help("the back end");
    let hidden = Arg::new("secret").long("secret").hide(true).action(ArgAction::SetTrue);
    let release = Command::new("release").about("what is installed").subcommand(Command::new("verify"));
    let mut command = Command::new("qchroot")
        .about("containers by chroot")
        .arg(root)
        .subcommand(Command::new("create").about("make one").args([storage, hidden]))
        .subcommand(release)
        .subcommand(Command::new("internal").hide(true));
    command.build();
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_from_help_is_not_offered() {
        let command = example();
        assert_eq!(names(&command), "create release");
        assert_eq!(long_options(&command).into_iter().collect::<Vec<_>>(), ["help", "root", "storage"]);
    }
}
