//! POSIX access control lists, from the text that archives hold to the form of Linux's extended attributes and back. It
//! knows the two forms, not whose file it is.
//!
//! Text is what acl_to_text(3) writes, with the number as a fourth field where star(1) and bsdtar(1) made it.
//! Names without a number are refused: they are the users of another machine, and only that knows them.

use qchroot_api::{Error, ErrorKind, Result};

/// Version and, for entries that are nobody's in particular, the number: linux/posix_acl_xattr.h.
const VERSION: u32 = 2;
const NOBODY: u32 = u32::MAX;

/// Tags as in linux/posix_acl.h and FreeBSD's sys/acl.h, in the order in which the kernel wants them.
const USER_OBJ: u16 = 1;
const USER: u16 = 2;
const GROUP_OBJ: u16 = 4;
const GROUP: u16 = 8;
const MASK: u16 = 16;
const OTHER: u16 = 32;

/// The list as the value of `system.posix_acl_access` or `system.posix_acl_default`.
///
/// # Errors
/// Bad data for what is no list, and for names without numbers.
pub fn attribute(text: &str) -> Result<Vec<u8>> {
    let lines = text.split(['\n', ',']).map(|line| line.split('#').next().unwrap_or_default().trim());
    let mut entries = lines.filter(|line| !line.is_empty()).map(entry).collect::<Result<Vec<_>>>()?;
    entries.sort_unstable();
    check(&entries)?;
    let mut value = VERSION.to_le_bytes().to_vec();
    for (tag, number, permissions) in entries {
        value.extend(tag.to_le_bytes());
        value.extend(permissions.to_le_bytes());
        value.extend(number.to_le_bytes());
    }
    Ok(value)
}

/// A list of that form as text, with numbers for names; `None` for what is no list.
#[must_use]
pub fn text(value: &[u8]) -> Option<String> {
    let (version, entries) = value.split_first_chunk()?;
    if u32::from_le_bytes(*version) != VERSION || entries.len() % 8 != 0 {
        return None;
    }
    let lines: Option<Vec<String>> = entries.chunks_exact(8).map(line).collect();
    Some(lines?.join("\n"))
}

/// Two bytes each for tag and permissions, four for the number.
fn line(entry: &[u8]) -> Option<String> {
    let half = |at: usize| Some(u16::from_le_bytes([*entry.get(at)?, *entry.get(at + 1)?]));
    let number = u32::from_le_bytes(entry.get(4..8)?.try_into().ok()?);
    let (kind, who) = match half(0)? {
        USER_OBJ => ("user", String::new()),
        USER => ("user", number.to_string()),
        GROUP_OBJ => ("group", String::new()),
        GROUP => ("group", number.to_string()),
        MASK => ("mask", String::new()),
        OTHER => ("other", String::new()),
        _ => return None,
    };
    let permissions = half(2)?;
    let shown = |bit, letter| if permissions & bit != 0 { letter } else { '-' };
    Some(format!("{kind}:{who}:{}{}{}", shown(4, 'r'), shown(2, 'w'), shown(1, 'x')))
}

/// Tag, number, permissions.
fn entry(line: &str) -> Result<(u16, u32, u16)> {
    let no_entry = || bad(format!("{line:?} is no entry of an access control list"));
    let fields: Vec<&str> = line.split(':').map(str::trim).collect();
    let (kind, who, permissions, number) = match fields[..] {
        [kind, who, permissions] => (kind, who, permissions, None),
        [kind, who, permissions, number] => (kind, who, permissions, Some(number)),
        _ => return Err(no_entry()),
    };
    let tag = match (kind, who.is_empty()) {
        ("user" | "u", true) => USER_OBJ,
        ("user" | "u", false) => USER,
        ("group" | "g", true) => GROUP_OBJ,
        ("group" | "g", false) => GROUP,
        ("mask" | "m", true) => MASK,
        ("other" | "o", true) => OTHER,
        _ => return Err(no_entry()),
    };
    let number = match tag {
        USER | GROUP => number.unwrap_or(who).parse().map_err(|_| nameless(line))?,
        _ => NOBODY,
    };
    Ok((tag, number, bits(permissions).ok_or_else(no_entry)?))
}

fn bits(text: &str) -> Option<u16> {
    text.chars().try_fold(0, |bits, c| match c {
        'r' => Some(bits | 4),
        'w' => Some(bits | 2),
        'x' => Some(bits | 1),
        '-' => Some(bits),
        _ => None,
    })
}

/// What the kernel checks as well, but without saying what is wrong: acl_valid(3).
fn check(entries: &[(u16, u32, u16)]) -> Result<()> {
    let count = |tag| entries.iter().filter(|entry| entry.0 == tag).count();
    let named = count(USER) + count(GROUP) > 0;
    if [USER_OBJ, GROUP_OBJ, OTHER].iter().any(|&tag| count(tag) != 1) {
        return Err(bad("an access control list needs one entry each for owner, group and others"));
    }
    if count(MASK) > 1 || (named && count(MASK) == 0) {
        return Err(bad("an access control list with named users or groups needs one mask"));
    }
    if entries.windows(2).any(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1)) {
        return Err(bad("an access control list names somebody twice"));
    }
    Ok(())
}

fn nameless(line: &str) -> Error {
    bad(format!("its access control list has {line:?}, a name without a number"))
        .hint("make the archive with `bsdtar --acls`, or with `tar --acls --xattrs`: both write numbers")
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_put_in_the_order_of_the_kernel() {
        let text =
            "user::rw-,group::r--,other::r--,user:games:--x:5,user:1234:rw-,group:daemon:r--:1,mask::rwx";
        let same = "u::rw-\nu:5:--x\t#effective:--x\nuser:1234:rw\ngroup::r--\ng:1:r--\nm::rwx\no::r--\n\n";
        assert_eq!(attribute(text).unwrap(), attribute(same).unwrap());
        assert_eq!(attribute("u::rwx,g::r-x,o::---").unwrap().len(), 4 + 3 * 8);
    }

    #[test]
    fn a_list_is_text_again() {
        let list = "user::rw-\nuser:5:--x\ngroup::r--\ngroup:1:r--\nmask::rwx\nother::r--";
        let value = attribute(list).unwrap();
        assert_eq!(text(&value).as_deref(), Some(list));
        assert_eq!(text(&value[..value.len() - 1]), None);
        assert_eq!(text(b""), None);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in [
            "",
            "user::rwx",
            "user::rwx,group::rwx,other::rwx,user:5:rwx",
            "user::rwx,user::rwx,group::rwx,other::rwx",
            "user::rwx,group::rwx,other::rwx,mask::rwx,user:5:r,user:5:w",
            "user::rwz,group::rwx,other::rwx",
            "user::rwx,group::rwx,other:5:rwx",
            "user,group::rwx,other::rwx",
            "user:1:2:3:4,group::rwx,other::rwx",
        ] {
            assert_eq!(attribute(text).unwrap_err().kind(), ErrorKind::BadData, "{text}");
        }
        let error = attribute("user::rwx,group::rwx,other::rwx,user:games:rwx,mask::rwx").unwrap_err();
        assert!(error.to_string().contains("games") && error.hint_text().is_some(), "{error}");
    }
}
