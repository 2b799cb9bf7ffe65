//! Rust text with its comments and literals blanked out, so that rules about code see code only.

/// One Rust file.
pub(super) struct SourceFile {
    /// Its path from the workspace's root.
    pub(super) path: String,
    /// Its text as it stands.
    pub(super) text: String,
    /// The same text, line by line and byte by byte, with spaces for comments, strings and characters.
    pub(super) code: String,
}

impl SourceFile {
    pub(super) fn new(path: &str, text: String) -> Self {
        let code = blank(&text);
        Self { path: path.to_owned(), text, code }
    }

    /// A complaint that an editor can jump to; `line` counts from 0.
    pub(super) fn complaint(&self, line: usize, what: &str) -> String {
        format!("{}:{}: {what}", self.path, line + 1)
    }

    /// Whether it stands in one of these folders.
    pub(super) fn is_in(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }
}

fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    while code.len() < bytes.len() {
        let here = code.len();
        match opaque_end(bytes, here) {
            Some(end) => code.extend(bytes[here..end].iter().map(|&b| if b == b'\n' { b } else { b' ' })),
            None => code.push(bytes[here]),
        }
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// Where the comment or literal that begins at `at` ends, if one begins there.
fn opaque_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = &text[at..];
    let length = match rest {
        [b'/', b'/', ..] => rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => 1 + until_quote(&rest[1..], b'"'),
        [b'\'', ..] => character(rest)?,
        [b'r', ..] if !continues_word(text, at) => raw_string(rest)?,
        _ => return None,
    };
    Some((at + length).min(text.len()))
}

fn block_comment(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match &text[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length up to and with the closing `quote`, escapes considered.
fn until_quote(text: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while at < text.len() && text[at] != quote {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// The length of a character literal; a lifetime is none.
fn character(text: &[u8]) -> Option<usize> {
    if text.get(1) == Some(&b'\\') {
        return Some(3 + until_quote(&text[3.min(text.len())..], b'\''));
    }
    let closing = text.iter().skip(2).take(4).position(|&b| b == b'\'')?;
    let one_character = std::str::from_utf8(&text[1..closing + 2]).is_ok_and(|s| s.chars().count() == 1);
    one_character.then_some(closing + 3)
}

fn raw_string(text: &[u8]) -> Option<usize> {
    let hashes = text[1..].iter().take_while(|&&b| b == b'#').count();
    if text.get(1 + hashes) != Some(&b'"') {
        return None;
    }
    let body = 2 + hashes;
    let closing = [&b"\""[..], &b"#".repeat(hashes)].concat();
    let end = text[body..].windows(closing.len()).position(|window| window == closing)?;
    Some(body + end + closing.len())
}

/// Whether `at` is within a word; `br"…"` and `cr"…"` are strings all the same.
fn continues_word(text: &[u8], at: usize) -> bool {
    let word_byte = |index: usize| text[index].is_ascii_alphanumeric() || text[index] == b'_';
    let prefix = at > 0 && matches!(text[at - 1], b'b' | b'c') && !(at > 1 && word_byte(at - 2));
    at > 0 && word_byte(at - 1) && !prefix
}

#[cfg(test)]
mod tests {
    use super::blank;

    #[test]
    fn comments_and_literals_vanish_and_lines_stay() {
        let text = "a(\"x{\\\"\"); // }\n/* { /* { */\n} */ b('{', '\\'', '\\u{7b}', 'é');\nc(r#\"}\"}\"#, br\"\\\");";
        let code = blank(text);
        assert_eq!(code.lines().count(), text.lines().count());
        assert!(!code.contains(['{', '}', '"', '\'']), "{code}");
        let words: String = code.split_whitespace().collect();
        assert_eq!(words, "a();b(,,,);c(,b);");
    }

    #[test]
    fn lifetimes_and_raw_names_are_code() {
        let text = "fn f<'a>(x: &'a str, r#type: &'static u8) -> char { x }";
        assert_eq!(blank(text), text);
    }
}
