//! The directories of a FreeBSD system that hold nothing yet: what FreeBSD's `etc/mtree/BSD.root.dist` and
//! `BSD.var.dist` describe, by the numbers of its fixed users and groups.

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Node, NodeKind, Result};

use crate::output::Output;

const BIND: u32 = 53;
const DAEMON: u32 = 1;
const OPERATOR: (u32, u32) = (2, 5);
const MAIL: u32 = 6;
const GAMES: u32 = 13;
const UNBOUND: u32 = 59;
const UUCP: u32 = 66;
const DIALER: u32 = 68;
const NETWORK: u32 = 69;
const AUDIT: u32 = 77;

/// Path, mode, owner and group, parents first.
const DIRECTORIES: &[(&str, u32, u32, u32)] = &[
    (".", 0o755, 0, 0),
    ("boot", 0o755, 0, 0),
    ("dev", 0o555, 0, 0),
    ("etc", 0o755, 0, 0),
    ("etc/mail", 0o755, 0, 0),
    ("etc/ssh", 0o755, 0, 0),
    ("etc/ssl", 0o755, 0, 0),
    ("media", 0o755, 0, 0),
    ("mnt", 0o755, 0, 0),
    ("net", 0o755, 0, 0),
    ("proc", 0o555, 0, 0),
    ("root", 0o755, 0, 0),
    ("tmp", 0o1777, 0, 0),
    ("usr", 0o755, 0, 0),
    ("usr/local", 0o755, 0, 0),
    ("usr/obj", 0o755, 0, 0),
    ("var", 0o755, 0, 0),
    ("var/account", 0o755, 0, 0),
    ("var/at", 0o755, 0, 0),
    ("var/at/jobs", 0o755, DAEMON, 0),
    ("var/at/spool", 0o755, DAEMON, 0),
    ("var/audit", 0o750, 0, AUDIT),
    ("var/backups", 0o750, 0, 0),
    ("var/cache", 0o755, 0, 0),
    ("var/crash", 0o750, 0, 0),
    ("var/cron", 0o750, 0, 0),
    ("var/cron/tabs", 0o700, 0, 0),
    ("var/db", 0o755, 0, 0),
    ("var/db/entropy", 0o700, OPERATOR.0, OPERATOR.1),
    ("var/db/pkg", 0o755, 0, 0),
    ("var/db/ports", 0o755, 0, 0),
    ("var/empty", 0o555, 0, 0),
    ("var/games", 0o775, 0, GAMES),
    ("var/heimdal", 0o700, 0, 0),
    ("var/log", 0o755, 0, 0),
    ("var/mail", 0o775, 0, MAIL),
    ("var/msgs", 0o755, DAEMON, 0),
    ("var/preserve", 0o755, 0, 0),
    ("var/run", 0o755, 0, 0),
    ("var/run/bind", 0o755, BIND, BIND),
    ("var/run/ppp", 0o770, 0, NETWORK),
    ("var/rwho", 0o775, 0, DAEMON),
    ("var/spool", 0o755, 0, 0),
    ("var/spool/lock", 0o775, UUCP, DIALER),
    ("var/spool/lpd", 0o755, 0, DAEMON),
    ("var/spool/mqueue", 0o755, 0, DAEMON),
    ("var/spool/output", 0o755, 0, DAEMON),
    ("var/spool/output/lpd", 0o755, 0, DAEMON),
    ("var/tmp", 0o1777, 0, 0),
    ("var/tmp/vi.recover", 0o1777, 0, 0),
    ("var/unbound", 0o755, UNBOUND, UNBOUND),
    ("var/yp", 0o755, 0, 0),
];

/// What nobody may write to, not even the superuser by mistake: where sshd(8) and others have their root.
const EMPTY: &str = "var/empty";

/// Writes them.
pub(super) fn write(output: &mut Output) -> Result<()> {
    for &(path, mode, uid, gid) in DIRECTORIES {
        let node = Node {
            path: Utf8Path::new(path).as_std_path().to_owned(),
            kind: NodeKind::Directory,
            mode,
            uid,
            gid,
            mtime: (0, 0),
            xattrs: vec![],
            flags: (path == EMPTY).then(|| "schg".into()),
        };
        output.write(&node, &mut std::io::empty())?;
    }
    Ok(())
}
