//! Users and groups of a new system: Debian's fixed ones (base-passwd), and of the host's only those system
//! accounts that own a copied file. Nobody can log in by password.

use qchroot_api::{Observe, Place, Result};

use crate::copy::Owners;
use crate::output::Output;

const PASSWD: &str = "/usr/share/base-passwd/passwd.master";
const GROUP: &str = "/usr/share/base-passwd/group.master";
/// Debian policy 9.2.2: below are system accounts.
const FIRST_USER: u32 = 1000;
/// The group `shadow` is one of the fixed ones.
const SHADOW: u32 = 42;

/// Writes the four files.
pub(crate) fn write(owners: &Owners, output: &mut Output) -> Result<()> {
    let users = table(output.host(), PASSWD, "/etc/passwd", |id| owners.users.contains(&id))?;
    let groups = table(output.host(), GROUP, "/etc/group", |id| owners.groups.contains(&id))?;
    let rows = |table: &[Vec<String>], row: &dyn Fn(&[String]) -> String| -> String {
        table.iter().map(|r| row(r)).collect()
    };
    let passwd = rows(&users, &|user| format!("{}:x:{}\n", user[0], user[2..].join(":")));
    let shadow = rows(&users, &|user| format!("{}:*::0:99999:7:::\n", user[0]));
    let group = rows(&groups, &|group| format!("{}:x:{}:\n", group[0], group[2]));
    let gshadow = rows(&groups, &|group| format!("{}:*::\n", group[0]));
    output.file("etc/passwd", 0o644, 0, passwd.as_bytes())?;
    output.file("etc/shadow", 0o640, SHADOW, shadow.as_bytes())?;
    output.file("etc/group", 0o644, 0, group.as_bytes())?;
    output.file("etc/gshadow", 0o640, SHADOW, gshadow.as_bytes())
}

/// The rows of a master file, and those system rows of the host's that are wanted beside them.
fn table(
    host: &dyn Observe,
    master: &str,
    own: &str,
    wanted: impl Fn(u32) -> bool,
) -> Result<Vec<Vec<String>>> {
    let mut rows = read(host, master)?;
    for row in read(host, own)? {
        let id = row[2].parse().unwrap_or(FIRST_USER);
        let is_new = !rows.iter().any(|known| known[0] == row[0] || known[2] == row[2]);
        if id < FIRST_USER && wanted(id) && is_new {
            rows.push(row);
        }
    }
    Ok(rows)
}

fn read(host: &dyn Observe, path: &str) -> Result<Vec<Vec<String>>> {
    let text = host.read(&Place::host(path))?;
    let rows = text.lines().map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>());
    Ok(rows.filter(|row| row.len() >= 3).collect())
}
