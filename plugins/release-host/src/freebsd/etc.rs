//! Which files of `/etc` come from FreeBSD and belong to no machine in particular. What may hold a secret, a user, an
//! address or a decision of the administrator's is not among them.

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Observe, Place, Result};

/// `/etc` as FreeBSD brought it along, where etcupdate(8) keeps it.
const REFERENCE: &str = "/var/db/etcupdate/current/etc";

/// Files, links and whole directories below `/etc`; `resolv.conf` is the host's, for names of the network.
pub(super) const FILES: &[&str] = &[
    "aliases",
    "autofs",
    "csh.cshrc",
    "csh.login",
    "csh.logout",
    "defaults",
    "devd",
    "devd.conf",
    "devfs.conf",
    "disktab",
    "fbtab",
    "ftpusers",
    "gettytab",
    "gss",
    "hosts.allow",
    "libalias.conf",
    "libmap.conf",
    "libmap32.conf",
    "locate.rc",
    "login.access",
    "login.conf",
    "mac.conf",
    "mail.rc",
    "mail/aliases",
    "mail/mailer.conf",
    "motd.template",
    "mtree",
    "netconfig",
    "netstart",
    "network.subr",
    "networks",
    "newsyslog.conf",
    "nscd.conf",
    "nsswitch.conf",
    "os-release",
    "pam.d",
    "pccard_ether",
    "periodic",
    "phones",
    "pkg",
    "profile",
    "protocols",
    "rc",
    "rc.bsdextended",
    "rc.d",
    "rc.firewall",
    "rc.initdiskless",
    "rc.resume",
    "rc.sendmail",
    "rc.shutdown",
    "rc.subr",
    "rc.suspend",
    "regdomain.xml",
    "remote",
    "resolv.conf",
    "rmt",
    "rpc",
    "security",
    "services",
    "shells",
    "ssh/moduli",
    "ssh/ssh_config",
    "ssh/sshd_config",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
    "ssl/untrusted",
    "syslog.conf",
    "termcap",
    "termcap.small",
    "ttys",
    "unbound",
];

/// Where a file of `/etc` is taken from: as it was brought along, or else as it is.
pub(super) fn source(path: &str, host: &dyn Observe) -> Result<Utf8PathBuf> {
    let reference = Utf8Path::new(REFERENCE).join(path);
    let found = host.stat(&Place::host(&reference))?;
    Ok(if found.is_some() { reference } else { Utf8Path::new("/etc").join(path) })
}
