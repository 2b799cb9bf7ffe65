//! A completion for the Korn shell that completes from arrays, see OpenBSD's ksh(1).

use clap::Command;

use crate::words::{long_options, names};

/// One array for the first argument, one for all the others.
pub(crate) fn completion(command: &Command) -> String {
    let name = command.get_name();
    let long: Vec<String> = long_options(command).into_iter().map(|option| format!("--{option}")).collect();
    format!(
        "# ksh completion for {name}: source it from ~/.kshrc\n\
         set -A complete_{name}_1 -- {}\nset -A complete_{name} -- {}\n",
        names(command),
        long.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_first_and_options_anywhere() {
        let script = completion(&crate::words::example());
        assert!(script.contains("\nset -A complete_qchroot_1 -- create release\n"), "{script}");
        assert!(script.ends_with("\nset -A complete_qchroot -- --help --root --storage\n"), "{script}");
    }
}
