//! The first line of a script: execve(2), "Interpreter scripts". It reads bytes and knows no file.

use qchroot_api::camino::Utf8PathBuf;

/// As much of the first line as Linux reads, in bytes.
pub(crate) const LONGEST: u64 = 256;

/// Who runs a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) interpreter: Utf8PathBuf,
    /// The program that env(1) looks for, if the interpreter is env(1).
    pub(crate) through_env: Option<String>,
}

/// The interpreter that a file names which begins with `head`; `None` when it is no script.
pub(crate) fn interpreter(head: &[u8]) -> Option<Result<Line, &'static str>> {
    let line = head.strip_prefix(b"#!")?;
    let Some(end) = line.iter().position(|&byte| byte == b'\n') else {
        return Some(Err("it is longer than the kernel reads"));
    };
    let Ok(line) = std::str::from_utf8(&line[..end]) else { return Some(Err("it is not UTF-8")) };
    let line = line.trim_matches([' ', '\t']);
    let (interpreter, argument) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    if !interpreter.starts_with('/') {
        return Some(Err("it names no absolute path"));
    }
    let is_env = interpreter.ends_with("/env");
    let through_env = if is_env { program_of_env(argument) } else { None };
    Some(Ok(Line { interpreter: interpreter.into(), through_env }))
}

/// What env(1) is to run, its options and variables skipped.
fn program_of_env(argument: &str) -> Option<String> {
    let argument = argument.trim_start().strip_prefix("-S").unwrap_or(argument);
    let mut words = argument.split([' ', '\t']).filter(|word| !word.is_empty());
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines() {
        let line = |text: &str| interpreter(text.as_bytes());
        let plain = |path: &str| Some(Ok(Line { interpreter: path.into(), through_env: None }));
        let env = |name: &str| {
            Some(Ok(Line { interpreter: "/usr/bin/env".into(), through_env: Some(name.into()) }))
        };
        assert_eq!(line("#!/bin/sh\necho"), plain("/bin/sh"));
        assert_eq!(line("#! \t/bin/sh -e \n"), plain("/bin/sh"));
        assert_eq!(line("#!/usr/bin/env python3\n"), env("python3"));
        assert_eq!(line("#!/usr/bin/env -S perl -w\n"), env("perl"));
        assert_eq!(line("#!/usr/bin/env -S LANG=C awk -f\n"), env("awk"));
        assert_eq!(line("#!/usr/bin/env -Sawk\n"), env("awk"));
        assert_eq!(line("echo no script\n"), None);
        for bad in ["#!\n", "#!sh\n", "#!/bin/sh", &format!("#!/{}\n", "x".repeat(300))[..256]] {
            assert!(matches!(line(bad), Some(Err(_))), "{bad:?}");
        }
        assert!(matches!(interpreter(b"#!/bin/\xff\n"), Some(Err(_))));
    }
}
