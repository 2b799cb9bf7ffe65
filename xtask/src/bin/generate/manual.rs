//! One manual page for the whole program: first what it is, then a part for each of its commands.

use std::io;

use clap::Command;
use clap_mangen::Man;

use crate::Result;
use crate::words::shown;

/// What every piece of roff begins with; once is enough.
const PREAMBLE: [&str; 2] = [r".ie \n(.g .ds Aq \(aq", r".el .ds Aq '"];

type Section = fn(&Man, &mut dyn io::Write) -> io::Result<()>;

/// The page, in section 8.
pub(crate) fn page(command: &Command) -> Result<String> {
    let man = Man::new(with_usage(command.clone())).section("8").manual("System Manager's Manual");
    let mut page = format!("{}\n{}\n", PREAMBLE[0], PREAMBLE[1]);
    let sections: [Section; 5] = [
        Man::render_title,
        Man::render_name_section,
        Man::render_synopsis_section,
        Man::render_description_section,
        Man::render_options_section,
    ];
    for section in sections {
        page += &rendered(&man, section)?;
    }
    page += ".SH COMMANDS\n";
    for sub in shown(command) {
        page += &part(sub)?;
    }
    if let Some(text) = command.get_after_help() {
        page += &format!(".SH NOTES\n{}", as_it_stands(&text.to_string()));
    }
    Ok(page)
}

/// One command, and those below it: its own options only, as the others stand above.
fn part(command: &Command) -> Result<String> {
    let own = |arg: clap::Arg| {
        let elsewhere = arg.is_global_set() || arg.get_id() == "help";
        if elsewhere { arg.hide(true) } else { arg }
    };
    let man = Man::new(with_usage(command.clone().mut_args(own)));
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let mut part = format!(".SS {}\n", name.replace('-', r"\-"));
    for section in
        [Man::render_synopsis_section, Man::render_description_section, Man::render_options_section]
    {
        part += &untitled(&rendered(&man, section)?);
    }
    if let Some(text) = command.get_after_help() {
        part += &as_it_stands(&text.to_string());
    }
    for sub in shown(command) {
        part += &self::part(sub)?;
    }
    Ok(part)
}

/// The same synopsis as `--help` shows.
fn with_usage(mut command: Command) -> Command {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim().to_owned();
    command.override_usage(usage)
}

/// Its heading gives way to a new paragraph.
fn untitled(section: &str) -> String {
    section
        .lines()
        .map(|line| if line.starts_with(".SH ") { ".PP\n".to_owned() } else { format!("{line}\n") })
        .collect()
}

/// Text whose lines are laid out already, such as examples.
fn as_it_stands(text: &str) -> String {
    let escaped = text.replace('\\', r"\e").replace('-', r"\-");
    let lines = escaped.lines().map(|line| match line.chars().next() {
        Some('.' | '\'') => format!("\\&{line}\n"),
        _ => format!("{line}\n"),
    });
    format!(".PP\n.nf\n{}.fi\n", lines.collect::<String>())
}

fn rendered(man: &Man, section: Section) -> Result<String> {
    let mut bytes = Vec::new();
    section(man, &mut bytes)?;
    let text = String::from_utf8(bytes)?;
    Ok(text.lines().filter(|line| !PREAMBLE.contains(line)).map(|line| format!("{line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_a_part_and_common_options_stand_once() {
        let page = page(&crate::words::example()).unwrap();
        let headings: Vec<&str> =
            page.lines().filter(|l| l.starts_with(".SH") || l.starts_with(".SS")).collect();
        let expected = [
            ".SH NAME",
            ".SH SYNOPSIS",
            ".SH DESCRIPTION",
            ".SH OPTIONS",
            ".SH COMMANDS",
            ".SS qchroot create",
            ".SS qchroot release",
            ".SS qchroot release verify",
        ];
        assert_eq!(headings, expected, "{page}");
        assert_eq!(page.matches("where it all is").count(), 1, "{page}");
        assert!(page.contains("the back end") && !page.contains("secret"), "{page}");
    }

    #[test]
    fn examples_keep_their_lines_and_are_no_roff() {
        let text = as_it_stands("Examples:\n  a -b\n.SH\n'x' \\n");
        assert_eq!(text, ".PP\n.nf\nExamples:\n  a \\-b\n\\&.SH\n\\&'x' \\en\n.fi\n");
    }
}
