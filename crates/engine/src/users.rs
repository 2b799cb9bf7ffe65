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

/// The user with this name or, when it is a number, this id.
///
/// # Errors
/// Not found.
pub fn find(passwd: &str, wanted: &str) -> Result<User> {
    let id: Option<u32> = wanted.parse().ok();
    all(passwd).find(|user| user.name == wanted || Some(user.uid) == id).ok_or_else(|| {
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
        let gid = fields.nth(2)?.parse().ok()?;
        fields.next()?.split(',').any(|member| member == user.name).then_some(gid)
    });
    let mut groups: Vec<u32> = listed.chain([user.gid]).collect();
    groups.sort_unstable();
    groups.dedup();
    Credentials { uid: user.uid, gid: user.gid, groups, user: None }
}

fn all(passwd: &str) -> impl Iterator<Item = User> {
    passwd.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, _, home, shell] = fields[..] else { return None };
        let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
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
    fn groups_are_the_primary_one_and_those_that_list_the_user() {
        let www = find(PASSWD, "www").unwrap();
        assert_eq!(credentials(&www, GROUP).groups, [4, 80]);
    }
}
