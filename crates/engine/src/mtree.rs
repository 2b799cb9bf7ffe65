//! Trees as text in the format of mtree(5), one line a file with its whole path, names encoded as by vis(3) in octal.
//! It reads what it writes; times, link counts and extended attributes are not in it.

use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use qchroot_api::Access;

use crate::{Seen, SeenKind};

/// What each text starts with, by which libarchive knows it.
const SIGNATURE: &str = "#mtree\n";

/// The text for files seen in `top`, in their order.
pub(crate) fn write(top: &str, tree: &[Seen]) -> String {
    let mut text = format!("./{} type=dir\n", encode(top.as_bytes()));
    for seen in tree {
        let Access { mode, uid, gid } = seen.access;
        let path = encode(seen.path.as_os_str().as_bytes());
        // Writing into a string cannot fail.
        let _ = write!(text, "./{}/{path} {} uid={uid} gid={gid}", encode(top.as_bytes()), kind(&seen.kind));
        if !matches!(seen.kind, SeenKind::Link { .. }) {
            let _ = write!(text, " mode={mode:04o}");
        }
        if let Some(flags) = &seen.flags {
            let _ = write!(text, " flags={}", encode(flags.as_bytes()));
        }
        text.push('\n');
    }
    text
}

/// Several texts as one file.
pub(crate) fn file(parts: &[String]) -> String {
    [SIGNATURE, ". type=dir\n"].into_iter().chain(parts.iter().map(String::as_str)).collect()
}

fn kind(kind: &SeenKind) -> String {
    match kind {
        SeenKind::Directory => "type=dir".into(),
        SeenKind::File { size, sha256: None } => format!("type=file size={size}"),
        SeenKind::File { size, sha256: Some(digest) } => {
            format!("type=file size={size} sha256digest={digest}")
        }
        SeenKind::Link { to } => format!("type=link link={}", encode(to.as_os_str().as_bytes())),
        SeenKind::Device { block, major, minor } => {
            format!("type={} device=native,{major},{minor}", if *block { "block" } else { "char" })
        }
        SeenKind::Fifo => "type=fifo".into(),
        SeenKind::Socket => "type=socket".into(),
    }
}

fn encode(bytes: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !b"\\#*?[=".contains(byte);
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if plain(byte) {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "\\{byte:03o}");
        }
    }
    text
}

fn decode(text: &str) -> Option<PathBuf> {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'\\' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(3)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()?);
        rest = after;
    }
    Some(std::ffi::OsString::from_vec(bytes).into())
}

/// The files of a text that [`write`] and [`file`] made, paths below the directory that holds it.
///
/// # Errors
/// The number, from 1, of the first line that they did not make.
pub(crate) fn parse(text: &str) -> Result<Vec<Seen>, usize> {
    let mut lines = text.lines().enumerate();
    if lines.next().is_none_or(|(_, first)| first != SIGNATURE.trim_end()) {
        return Err(1);
    }
    let mut all = vec![];
    for (index, text) in lines {
        let seen = line(text).ok_or(index + 1)?;
        if !seen.path.as_os_str().is_empty() {
            all.push(seen);
        }
    }
    Ok(all)
}

fn line(text: &str) -> Option<Seen> {
    let mut words = text.split(' ');
    let path = decode(words.next()?)?;
    let path = path.strip_prefix(".").ok()?.to_owned();
    let mut seen = Seen {
        path,
        kind: SeenKind::Directory,
        access: Access { mode: 0, uid: 0, gid: 0 },
        flags: None,
        xattrs: vec![],
    };
    for word in words {
        let (key, value) = word.split_once('=')?;
        keyword(&mut seen, key, value)?;
    }
    Some(seen)
}

fn keyword(seen: &mut Seen, key: &str, value: &str) -> Option<()> {
    match (key, &mut seen.kind) {
        ("type", kind) => *kind = empty(value)?,
        ("uid", _) => seen.access.uid = value.parse().ok()?,
        ("gid", _) => seen.access.gid = value.parse().ok()?,
        ("mode", _) => seen.access.mode = u32::from_str_radix(value, 8).ok()?,
        ("flags", _) => seen.flags = Some(decode(value)?.to_string_lossy().into_owned()),
        ("size", SeenKind::File { size, .. }) => *size = value.parse().ok()?,
        ("sha256digest", SeenKind::File { sha256, .. }) => *sha256 = Some(value.to_owned()),
        ("link", SeenKind::Link { to }) => *to = decode(value)?,
        ("device", SeenKind::Device { major, minor, .. }) => {
            let (first, second) = value.strip_prefix("native,")?.split_once(',')?;
            (*major, *minor) = (first.parse().ok()?, second.parse().ok()?);
        }
        _ => return None,
    }
    Some(())
}

/// A file of this type, as far as the word alone says.
fn empty(word: &str) -> Option<SeenKind> {
    Some(match word {
        "dir" => SeenKind::Directory,
        "file" => SeenKind::File { size: 0, sha256: None },
        "link" => SeenKind::Link { to: PathBuf::new() },
        "char" => SeenKind::Device { block: false, major: 0, minor: 0 },
        "block" => SeenKind::Device { block: true, major: 0, minor: 0 },
        "fifo" => SeenKind::Fifo,
        "socket" => SeenKind::Socket,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::Path;

    use super::*;

    fn seen(path: &[u8], kind: SeenKind) -> Seen {
        let access = Access { mode: 0o4755, uid: 1, gid: 2 };
        Seen { path: OsStr::from_bytes(path).into(), kind, access, flags: None, xattrs: vec![] }
    }

    #[test]
    fn what_is_written_reads_back() {
        let tree = vec![
            seen(b"etc", SeenKind::Directory),
            seen(b"etc/a b\\c#d*\n\xff=", SeenKind::File { size: 3, sha256: Some("0f".repeat(32)) }),
            seen(b"dev/sda", SeenKind::Device { block: true, major: 8, minor: 0 }),
            seen(b"run/pipe", SeenKind::Fifo),
        ];
        let text = file(&[write("template", &tree)]);
        assert!(text.contains("./template/etc/a\\040b\\134c\\043d\\052\\012\\377\\075 type=file"), "{text}");
        let read = parse(&text).unwrap();
        assert_eq!(read[0].path, Path::new("template"));
        for (read, written) in read[1..].iter().zip(&tree) {
            let path = Path::new("template").join(&written.path);
            assert_eq!(*read, Seen { path, ..written.clone() });
        }
    }

    #[test]
    fn what_others_wrote_or_damaged_is_refused_with_its_line() {
        assert_eq!(parse(""), Err(1));
        assert_eq!(parse("#mtree\n. type=dir\n./a type=file size=x\n"), Err(3));
        assert_eq!(parse("#mtree\n./a type=file link=b\n"), Err(2));
    }
}
