//! Extended attributes and access control lists among the records of an entry. It knows the keywords under which
//! different programs write the same thing.

use std::collections::BTreeMap;

use base64ct::{Base64Unpadded, Encoding};
use qchroot_api::{Error, ErrorKind, Result};

use crate::acl;
use crate::pax::Records;

const LIBARCHIVE: &[u8] = b"LIBARCHIVE.xattr.";
const SCHILY: &[u8] = b"SCHILY.xattr.";

/// How Linux names the two lists: acl(5).
const LISTS: [(&str, &str); 2] =
    [("SCHILY.acl.access", "system.posix_acl_access"), ("SCHILY.acl.default", "system.posix_acl_default")];

/// A list as NFS version 4 has it is kept as its text, acl(3): what FreeBSD's ZFS has, and Linux has not.
const NFS4: &str = "SCHILY.acl.ace";

/// The attribute that holds it.
pub const NFS4_LIST: &[u8] = b"system.qchroot.nfs4_acl";

/// Name spaces and names that say something about the machine they were set on and mean harm, or nothing, on
/// another: xattr(7), and the policies of security modules.
const LEFT_OUT: [&[u8]; 4] = [b"trusted.", b"security.selinux", b"security.ima", b"security.evm"];

/// Who made an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Anybody: what is for the machine that made it is left out, `trusted.*` with it.
    Foreign,
    /// This program, from what a container had: nothing is left out but what a machine's policy sets anew.
    Own,
}

/// Name and value of each, sorted by name.
///
/// # Errors
/// Bad data for values that are not what their keyword says.
pub(crate) fn of(records: &Records, origin: Origin) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut all = BTreeMap::new();
    for (name, value) in records.below(LIBARCHIVE) {
        all.insert(decoded(name), base64(value)?);
    }
    // bsdtar(1) writes each attribute twice; a list in binary form has numbers where its text may have names.
    for (name, value) in records.below(SCHILY) {
        all.insert(decoded(name), value.to_vec());
    }
    for (keyword, name) in LISTS {
        if let Some(text) = records.text(keyword)?.filter(|_| !all.contains_key(name.as_bytes())) {
            all.insert(name.into(), acl::attribute(text)?);
        }
    }
    if let Some(text) = records.text(NFS4)? {
        all.entry(NFS4_LIST.into()).or_insert_with(|| numbered(text).into_bytes());
    }
    let left_out = if origin == Origin::Own { &LEFT_OUT[1..] } else { &LEFT_OUT };
    all.retain(|name, _| !left_out.iter().any(|out| name.starts_with(out)));
    Ok(all.into_iter().collect())
}

/// The same list with numbers for names, where these stand behind the entries: the names are another machine's.
fn numbered(list: &str) -> String {
    let entry = |entry: &str| match entry.split(':').collect::<Vec<_>>()[..] {
        [kind @ ("user" | "group"), _, rights, flags, allows, number] => {
            format!("{kind}:{number}:{rights}:{flags}:{allows}")
        }
        _ => entry.to_owned(),
    };
    list.split([',', '\n']).map(entry).collect::<Vec<_>>().join("\n")
}

/// Both programs write what must not stand in a keyword as `%` and two digits.
fn decoded(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = name;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| byte == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let code = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                rest = &after[2..];
            }
            None => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out
}

fn base64(value: &[u8]) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(value).ok();
    let decoded = text.and_then(|text| Base64Unpadded::decode_vec(text.trim_end_matches('=')).ok());
    decoded.ok_or_else(|| Error::new(ErrorKind::BadData, "an extended attribute is not in base64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(records: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
        let mut bytes = Vec::new();
        for (key, value) in records {
            let body = format!(" {key}={value}\n");
            let length = (1..).find(|digits| (body.len() + digits).to_string().len() == *digits).unwrap_or(0);
            bytes.extend(format!("{}{body}", body.len() + length).into_bytes());
        }
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let all = super::of(&Records::parse(&bytes)?, Origin::Foreign)?;
        Ok(all.into_iter().map(|(name, value)| (text(name), text(value))).collect())
    }

    #[test]
    fn names_and_values_are_decoded() {
        let all = of(&[
            ("LIBARCHIVE.xattr.user.no%20te%3D%25", "djE"),
            ("LIBARCHIVE.xattr.user.both", "d3Jvbmc="),
            ("SCHILY.xattr.user.both", "raw%20value"),
            ("SCHILY.xattr.user.100%", "x"),
        ])
        .unwrap_or_default();
        let expected = [("user.100%", "x"), ("user.both", "raw%20value"), ("user.no te=%", "v1")];
        assert_eq!(all, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(of(&[("LIBARCHIVE.xattr.user.x", "!!")]).is_err());
    }

    #[test]
    fn what_only_its_machine_understands_is_left_out() {
        let all = of(&[
            ("SCHILY.xattr.trusted.overlay.redirect", "/etc"),
            ("LIBARCHIVE.xattr.trusted.overlay.opaque", "eQ"),
            ("SCHILY.xattr.trusted%2Eoverlay.opaque", "y"),
            ("SCHILY.xattr.security.selinux", "label"),
            ("SCHILY.xattr.security.capability", "kept"),
        ]);
        assert_eq!(all.unwrap_or_default(), [("security.capability".to_owned(), "kept".to_owned())]);
    }

    #[test]
    fn a_list_of_nfs_is_kept_with_numbers() {
        let list = "user:games:rwxp----------:-------:allow:13,owner@:rw-p--aARWcCos:-------:allow";
        let all = of(&[("SCHILY.acl.ace", list)]).unwrap_or_default();
        let kept = "user:13:rwxp----------:-------:allow\nowner@:rw-p--aARWcCos:-------:allow";
        assert_eq!(all, [("system.qchroot.nfs4_acl".to_owned(), kept.to_owned())]);
    }

    #[test]
    fn a_list_in_binary_form_wins_over_its_text() {
        let text = ("SCHILY.acl.access", "user::rw-,group::r--,other::r--,user:games:r--,mask::r--");
        assert!(of(&[text]).is_err());
        let all = of(&[text, ("SCHILY.xattr.system.posix_acl_access", "binary")]).unwrap_or_default();
        assert_eq!(all, [("system.posix_acl_access".to_owned(), "binary".to_owned())]);
    }
}
