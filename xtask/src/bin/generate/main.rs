//! Writes qchroot's manual page and completions into a directory, from its definition of the command line.
//!
//! Must not know a command or an option by name: all it knows is clap's description of them.

mod csh;
mod ksh;
mod manual;
mod words;

use std::error::Error;
use std::fs;
use std::path::Path;

use clap::{Command, ValueEnum};
use clap_complete::Shell;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let directory = std::env::args_os().nth(1).ok_or("usage: generate DIRECTORY")?;
    write_all(qchroot::command(), Path::new(&directory))
}

fn write_all(mut command: Command, directory: &Path) -> Result<()> {
    command.build();
    let name = command.get_name().to_owned();
    let completions = directory.join("completions");
    fs::write(directory.join("man").join(format!("{name}.8")), manual::page(&command)?)?;
    fs::write(completions.join(format!("{name}.csh")), csh::completion(&command))?;
    fs::write(completions.join(format!("{name}.ksh")), ksh::completion(&command))?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let extension = shell.to_possible_value().ok_or("a shell without a name")?;
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command, &name, &mut script);
        fs::write(completions.join(format!("{name}.{}", extension.get_name())), script)?;
    }
    Ok(())
}
