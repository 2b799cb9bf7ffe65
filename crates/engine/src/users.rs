//! Users and groups, looked up by parsing passwd(5) and group(5) texts. It runs nothing and asks no name
//! service: what stands in a container's files cannot reach the host.

use qchroot_api::{Credentials, Error, ErrorKind, Result};

/// One line of a passwd(5) file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// The user with this name or, where nobody is called that and it is a number, with this id.
///
/// # Errors
/// Not found.
pub fn find(passwd: &str, wanted: &str) -> Result<User> {
    let id: Option<u32> = wanted.parse().ok();
    let named = all(passwd).find(|user| user.name == wanted);
    named.or_else(|| all(passwd).find(|user| Some(user.uid) == id)).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("there is no user {wanted:?}")).with("user", wanted)
    })
}

/// The name of a user id, or the number.
pub(crate) fn name_of(passwd: &str, uid: u32) -> String {
    all(passwd).find(|user| user.uid == uid).map_or_else(|| uid.to_string(), |user| user.name)
}

/// The id of the user or group with this name, or this number, in a passwd(5) or group(5) text.
pub(crate) fn id_of(text: &str, wanted: &str) -> Option<u32> {
    let named = entries(text).find(|(name, _)| *name == wanted).map(|(_, id)| id);
    named.or_else(|| wanted.parse().ok())
}

/// The name of a group id, or the number.
pub(crate) fn group_name_of(group: &str, gid: u32) -> String {
    entries(group).find(|(_, id)| *id == gid).map_or_else(|| gid.to_string(), |(name, _)| name.to_owned())
}

/// Names and ids; both kinds of file have them in the same columns.
fn entries(text: &str) -> impl Iterator<Item = (&str, u32)> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some((fields.next()?, fields.nth(1)?.parse().ok()?))
    })
}

/// The ids of a user: its primary group, and every group that lists it.
pub fn credentials(user: &User, group: &str) -> Credentials {
    let listed = group.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let gid = number(fields.nth(2)?)?;
        fields.next()?.split(',').any(|member| member == user.name).then_some(gid)
    });
    let mut groups: Vec<u32> = listed.chain([user.gid]).collect();
    groups.sort_unstable();
    groups.dedup();
    Credentials { uid: user.uid, gid: user.gid, groups, user: None }
}

/// A user or group id. The highest number is none: setresuid(2) takes it for "as it is", which is the superuser here.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|&id| id != u32::MAX)
}

fn all(passwd: &str) -> impl Iterator<Item = User> {
    passwd.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, _, home, shell] = fields[..] else { return None };
        let (uid, gid) = (number(uid)?, number(gid)?);
        Some(User { name: name.into(), uid, gid, home: home.into(), shell: shell.into() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nbroken line\nwww:x:80:80:Web:/var/www:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nadm:x:4:www,other\nwww:x:80:\n";

    #[test]
    fn users_are_found_by_name_and_number() {
        assert_eq!(find(PASSWD, "www").unwrap().home, "/var/www");
        assert_eq!(find(PASSWD, "80").unwrap().name, "www");
        assert_eq!(find(PASSWD, "nobody").unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(name_of(PASSWD, 80), "www");
        assert_eq!(name_of(PASSWD, 81), "81");
    }

    #[test]
    fn a_name_that_is_a_number_counts_first() {
        let passwd = "zero:x:7:7::/:/bin/sh\n7:x:0:0::/:/bin/sh\n";
        assert_eq!(find(passwd, "7").unwrap().uid, 0);
        assert_eq!(find(passwd, "zero").unwrap().uid, 7);
    }

    #[test]
    fn odd_lines_are_nobodys() {
        let passwd = "# a comment\n+::::::\nwww:x:4294967295:80::/:/bin/sh\nwww:x:80:-1::/:/bin/sh\n\
                      www:x:99999999999:80::/:/bin/sh\nwww:x:80\n:x:5:5:::\r\nwww:x:33:33:W\u{fffd}:/:/bin/sh\n";
        assert_eq!(find(passwd, "www").unwrap().uid, 33);
        let www = find(passwd, "www").unwrap();
        let group = "no:x:4294967295:www\nwww:x:33:\nbroken:www\nadm:x:4:a,www,b\nalso:x:5:wwwx,xwww\n";
        assert_eq!(credentials(&www, group).groups, [4, 33]);
    }

    #[test]
    fn groups_are_the_primary_one_and_those_that_list_the_user() {
        let www = find(PASSWD, "www").unwrap();
        assert_eq!(credentials(&www, GROUP).groups, [4, 80]);
    }
}
