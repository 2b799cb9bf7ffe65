//! Rules about one Rust file: its size, its first line, and code that belongs elsewhere.

use super::source::SourceFile;

/// The most lines a file may have, its tests included.
const LINES: usize = 400;

/// The only places that know which operating system this is.
const SYSTEM: &[&str] = &["crates/host/", "tests/acceptance/", "xtask/"];

/// Where clippy's ban on starting programs may be lifted; folders of tests may too.
const PROGRAMS: &[&str] = &["crates/host/", "crates/testkit/", "tests/", "xtask/"];

/// Marks of unfinished work, and where these rules themselves spell them.
const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX", "todo!", "unimplemented!"];
const RULES: &[&str] = &["xtask/src/tidy/"];

/// All complaints about `file`.
pub(super) fn check(file: &SourceFile) -> Vec<String> {
    let rules = [length, introduction, operating_system, programs, unfinished];
    rules.iter().flat_map(|rule| rule(file)).collect()
}

fn length(file: &SourceFile) -> Vec<String> {
    let lines = file.text.lines().count();
    if lines <= LINES {
        return Vec::new();
    }
    vec![file.complaint(0, &format!("{lines} lines, {LINES} at most: is there a module of its own in it?"))]
}

/// A module says first what it does.
fn introduction(file: &SourceFile) -> Vec<String> {
    if !file.path.contains("/src/") || file.text.starts_with("//!") {
        return Vec::new();
    }
    vec![file.complaint(0, "does not begin with `//!` and what the module does")]
}

fn operating_system(file: &SourceFile) -> Vec<String> {
    if file.is_in(SYSTEM) {
        return Vec::new();
    }
    complaints(
        &file.code,
        file,
        &["target_os", "target_vendor"],
        "asks for the operating system outside crates/host",
    )
}

fn programs(file: &SourceFile) -> Vec<String> {
    if file.is_in(PROGRAMS) || file.path.contains("/tests/") {
        return Vec::new();
    }
    complaints(
        &file.code,
        file,
        &["disallowed_methods"],
        "lifts the ban on starting programs outside crates/host",
    )
}

fn unfinished(file: &SourceFile) -> Vec<String> {
    if file.is_in(RULES) {
        return Vec::new();
    }
    complaints(&file.text, file, UNFINISHED, "says that the work is not finished")
}

fn complaints(text: &str, file: &SourceFile, words: &[&str], what: &str) -> Vec<String> {
    let guilty = |line: &str| words.iter().any(|word| line.contains(word));
    text.lines().enumerate().filter(|(_, l)| guilty(l)).map(|(line, _)| file.complaint(line, what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(rule: fn(&SourceFile) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
        rule(&SourceFile::new(path, text.to_owned()))
    }

    #[test]
    fn a_file_has_an_end() {
        assert!(lines_of(length, "crates/api/src/a.rs", &"x\n".repeat(400)).is_empty());
        assert_eq!(lines_of(length, "crates/api/src/a.rs", &"x\n".repeat(401)).len(), 1);
    }

    #[test]
    fn a_module_begins_with_what_it_does() {
        assert!(
            lines_of(introduction, "plugins/p/src/lib.rs", "//! Does it.\n#![forbid(unsafe_code)]\n")
                .is_empty()
        );
        assert_eq!(
            lines_of(introduction, "plugins/p/src/lib.rs", "#![forbid(unsafe_code)]\n//! Does it.\n").len(),
            1
        );
        assert!(lines_of(introduction, "crates/api/tests/a.rs", "fn main() {}\n").is_empty());
    }

    #[test]
    fn only_the_host_knows_the_operating_system() {
        for text in [
            "#[cfg(target_os = \"linux\")]",
            "if cfg!(target_os = \"freebsd\") {}",
            "#[cfg(any(unix, not(target_os = \"linux\")))]",
        ] {
            assert_eq!(lines_of(operating_system, "crates/engine/src/a.rs", text).len(), 1, "{text}");
            assert!(lines_of(operating_system, "crates/host/src/a.rs", text).is_empty());
        }
        assert!(lines_of(operating_system, "crates/engine/src/a.rs", "// no target_os here").is_empty());
    }

    #[test]
    fn only_the_host_and_tests_start_programs() {
        let text = "\n#[expect(clippy::disallowed_methods, reason = \"…\")]\n";
        assert_eq!(
            lines_of(programs, "crates/cli/src/a.rs", text),
            ["crates/cli/src/a.rs:2: lifts the ban on starting programs outside crates/host"]
        );
        assert!(lines_of(programs, "crates/cli/tests/a.rs", text).is_empty());
        assert!(lines_of(programs, "tests/src/a.rs", text).is_empty());
    }

    #[test]
    fn unfinished_work_is_found_in_code_and_in_comments() {
        for text in ["// TODO: later", "/* FIXME */", "fn a() { todo!() }", "unimplemented!(\"b\")", "// XXX"]
        {
            assert_eq!(lines_of(unfinished, "tests/a.rs", text).len(), 1, "{text}");
        }
    }
}
