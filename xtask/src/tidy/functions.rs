//! How long a function may be.

use super::source::SourceFile;

/// The most lines from `fn` to the closing brace.
const LINES: usize = 60;

/// A function with a body, its lines counted from 0.
#[derive(Debug, PartialEq, Eq)]
struct Function<'a> {
    name: &'a str,
    first: usize,
    last: usize,
}

/// Complaints about functions that are too long to read at once.
pub(super) fn check(file: &SourceFile) -> Vec<String> {
    let length = |f: &Function<'_>| f.last - f.first + 1;
    let too_long = functions(&file.code).into_iter().filter(|f| length(f) > LINES);
    too_long
        .map(|f| file.complaint(f.first, &format!("`{}` has {} lines, {LINES} at most", f.name, length(&f))))
        .collect()
}

fn functions(code: &str) -> Vec<Function<'_>> {
    let line_of = |at: usize| code[..at].matches('\n').count();
    let starts = code.match_indices("fn ").filter(|(at, _)| !is_word_end(&code[..*at]));
    starts
        .filter_map(|(at, keyword)| {
            let rest = &code[at + keyword.len()..];
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
            let end = at + keyword.len() + body_end(rest)?;
            (!name.is_empty()).then(|| Function { name, first: line_of(at), last: line_of(end) })
        })
        .collect()
}

fn is_word_end(before: &str) -> bool {
    before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Where the brace that closes the function's body stands; none for a declaration without a body.
fn body_end(code: &str) -> Option<usize> {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.checked_sub(1)?,
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' => braces = braces.checked_sub(1)?,
            _ => {}
        }
        if c == '}' && braces == 0 && brackets == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: String) -> SourceFile {
        SourceFile::new("crates/api/src/x.rs", text)
    }

    #[test]
    fn bodies_are_found_and_declarations_are_not() {
        let code = "trait T { fn declared(&self) -> [u8; 4]; }\nfn one(f: fn(u8)) { if x { y } }\nfn two()\nwhere T: U,\n{\n}";
        let found = functions(code);
        assert_eq!(
            found,
            [Function { name: "one", first: 1, last: 1 }, Function { name: "two", first: 2, last: 5 }]
        );
    }

    #[test]
    fn one_line_too_many_is_too_many() {
        let of = |lines: usize| file(format!("fn long() {{\n{}}}\n", "work();\n".repeat(lines - 2)));
        assert_eq!(check(&of(LINES)), Vec::<String>::new());
        assert_eq!(check(&of(LINES + 1)), ["crates/api/src/x.rs:1: `long` has 61 lines, 60 at most"]);
    }
}
