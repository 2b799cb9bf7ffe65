//! Words of a third party's that end up on a terminal: cut to what a person can read, and without the characters that
//! make a terminal do something. It knows nothing of what is said.

use qchroot_api::Error;

/// Bytes of a message, a cause or a hint.
pub(super) const MESSAGE: usize = 2000;

/// Bytes of what is a part of a message.
pub(super) const SHORT: usize = 300;

/// Causes, and named facts.
const MOST: usize = 16;

/// A text as one line of at most `most` bytes, and how much more there was.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let (kept, left) = cut(text, most);
    let mut line = String::with_capacity(kept.len());
    for c in kept.chars() {
        match c {
            c if c.is_whitespace() => line.push(' '),
            c if c.is_control() || is_direction(c) => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    if left > 0 { format!("{line}… ({left} more bytes)") } else { line }
}

fn cut(text: &str, most: usize) -> (&str, usize) {
    let end = (0..=most.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    (&text[..end], text.len() - end)
}

/// Characters that change the order in which others are shown; Unicode Standard Annex 9.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An error of a back end's, fit to be shown. Its kind stays: a server that cannot be reached is that, whoever says so.
pub(crate) fn cleaned(error: &Error) -> Error {
    let mut clean = Error::new(error.kind(), one_line(error.message(), MESSAGE));
    for cause in error.causes().iter().take(MOST) {
        clean = clean.cause(one_line(cause, MESSAGE));
    }
    if error.causes().len() > MOST {
        clean = clean.cause(format!("({} more causes)", error.causes().len() - MOST));
    }
    for (key, value) in error.context().iter().take(MOST) {
        clean = clean.with(&one_line(key, SHORT), one_line(value, MESSAGE));
    }
    match error.hint_text() {
        Some(hint) => clean.hint(one_line(hint, MESSAGE)),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use qchroot_api::ErrorKind;

    use super::*;

    #[test]
    fn a_huge_message_is_cut_and_says_how_much_there_was() {
        let error = cleaned(&Error::new(ErrorKind::Unavailable, "é".repeat(100_000)).cause("why"));
        assert_eq!(error.message(), format!("{}… (198000 more bytes)", "é".repeat(1000)));
        assert_eq!((error.kind(), error.causes()), (ErrorKind::Unavailable, ["why".to_owned()].as_slice()));
    }

    #[test]
    fn thousands_of_causes_are_counted() {
        let many = (0..5000).fold(Error::new(ErrorKind::BadData, "no"), |error, n| error.cause(n));
        let causes = cleaned(&many).causes().to_vec();
        assert_eq!(
            (causes.len(), causes[15].as_str(), causes[16].as_str()),
            (17, "15", "(4984 more causes)")
        );
    }

    #[test]
    fn nothing_reaches_a_terminal_that_it_obeys() {
        let line = one_line("a\x1b[2J\nb\t\u{202e}c\u{9b}d\0", 100);
        assert_eq!(line, "a\\u{1b}[2J b \\u{202e}c\\u{9b}d\\u{0}");
    }

    #[test]
    fn names_of_facts_and_the_hint_are_kept() {
        let error = Error::new(ErrorKind::Config, "no").with("key", "a\nb").hint("do\x07 it");
        let clean = cleaned(&error);
        assert_eq!((clean.fact("key"), clean.hint_text()), (Some("a b"), Some("do\\u{7} it")));
    }
}
