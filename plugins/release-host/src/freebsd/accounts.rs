//! Users and groups of a new FreeBSD system: FreeBSD's fixed ones, as the host has them. Nobody can log in by password.

use qchroot_api::{Observe, Place, Result};

use crate::output::Output;

/// FreeBSD's users, 13 to 15.
const USERS: &[&str] = &[
    "root",
    "toor",
    "daemon",
    "operator",
    "bin",
    "tty",
    "kmem",
    "games",
    "news",
    "man",
    "sshd",
    "smmsp",
    "mailnull",
    "bind",
    "unbound",
    "proxy",
    "_pflogd",
    "_dhcp",
    "uucp",
    "pop",
    "auditdistd",
    "www",
    "ntpd",
    "_ypldap",
    "hast",
    "tests",
    "nobody",
];

/// FreeBSD's groups, 13 to 15.
const GROUPS: &[&str] = &[
    "wheel",
    "daemon",
    "kmem",
    "sys",
    "tty",
    "operator",
    "mail",
    "bin",
    "news",
    "man",
    "games",
    "ftp",
    "staff",
    "sshd",
    "smmsp",
    "mailnull",
    "_blocklistd",
    "guest",
    "video",
    "realtime",
    "idletime",
    "bind",
    "unbound",
    "proxy",
    "authpf",
    "_pflogd",
    "_dhcp",
    "uucp",
    "dialer",
    "network",
    "audit",
    "www",
    "u2f",
    "ntpd",
    "_ypldap",
    "hast",
    "tests",
    "nogroup",
    "nobody",
];

/// The rows of both tables.
pub(super) struct Accounts {
    users: Vec<Vec<String>>,
    groups: Vec<Vec<String>>,
}

impl Accounts {
    pub(super) fn of(host: &dyn Observe) -> Result<Self> {
        let table = |path: &str, columns: usize, known: &[&str]| -> Result<Vec<Vec<String>>> {
            let text = host.read(&Place::host(path))?;
            let rows = text.lines().map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>());
            Ok(rows.filter(|row| row.len() == columns && known.contains(&row[0].as_str())).collect())
        };
        Ok(Self { users: table("/etc/passwd", 7, USERS)?, groups: table("/etc/group", 4, GROUPS)? })
    }

    /// passwd(5) with the columns of `master.passwd`, which pwd_mkdb(8) makes everything else from.
    pub(super) fn master(&self) -> String {
        let row = |row: &Vec<String>| {
            let [name, _, uid, gid, real_name, home, shell] = &row[..] else { return String::new() };
            // A shell from a package is not there.
            let shell = if shell.starts_with("/usr/local/") { "/bin/sh" } else { shell };
            format!("{name}:*:{uid}:{gid}::0:0:{real_name}:{home}:{shell}\n")
        };
        self.users.iter().map(row).collect()
    }

    /// group(5); the superuser is the only member that every system has.
    pub(super) fn group(&self) -> String {
        let row = |row: &Vec<String>| {
            let is_member = row[3].split(',').any(|member| member == "root");
            format!("{}:*:{}:{}\n", row[0], row[2], if is_member { "root" } else { "" })
        };
        self.groups.iter().map(row).collect()
    }

    pub(super) fn write(&self, output: &mut Output) -> Result<()> {
        output.file("etc/master.passwd", 0o600, 0, self.master().as_bytes())?;
        output.file("etc/group", 0o644, 0, self.group().as_bytes())
    }
}
