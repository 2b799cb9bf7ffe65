//! What the packages' own scripts make on a new system, as the scripts are not run: base-files', base-passwd's,
//! libc-bin's, login's, tzdata's, debianutils' and libpam-runtime's.

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Place, Result};

use crate::manifest::Manifest;
use crate::output::Output;

/// Directories with mode and group. Those of packages have been copied with what the host gave them; of these the
/// mode is fixed.
const DIRECTORIES: &[(&str, u32, u32)] = &[
    ("boot", 0o755, 0),
    ("dev", 0o755, 0),
    ("etc/alternatives", 0o755, 0),
    ("etc/opt", 0o755, 0),
    ("home", 0o755, 0),
    ("media", 0o755, 0),
    ("mnt", 0o755, 0),
    ("opt", 0o755, 0),
    ("proc", 0o755, 0),
    ("root", 0o700, 0),
    ("run", 0o755, 0),
    ("run/lock", 0o1777, 0),
    ("srv", 0o755, 0),
    ("sys", 0o755, 0),
    ("tmp", 0o1777, 0),
    ("usr/local/bin", 0o755, 0),
    ("usr/local/etc", 0o755, 0),
    ("usr/local/games", 0o755, 0),
    ("usr/local/include", 0o755, 0),
    ("usr/local/lib", 0o755, 0),
    ("usr/local/sbin", 0o755, 0),
    ("usr/local/share/man", 0o755, 0),
    ("usr/local/src", 0o755, 0),
    ("var/mail", 0o2775, MAIL),
    ("var/opt", 0o755, 0),
    ("var/spool", 0o755, 0),
    ("var/tmp", 0o1777, 0),
];
const MAIL: u32 = 8;
const UTMP: u32 = 43;
/// Empty files that programs expect.
const EMPTY: &[(&str, u32, u32)] = &[
    ("etc/subgid", 0o644, 0),
    ("etc/subuid", 0o644, 0),
    ("var/log/btmp", 0o660, UTMP),
    ("var/log/faillog", 0o644, 0),
    ("var/log/lastlog", 0o664, UTMP),
    ("var/log/wtmp", 0o664, UTMP),
];
/// Character devices that every program may use: name, major, minor (Linux: devices.txt).
const DEVICES: &[(&str, u32, u32)] =
    &[("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
/// Whose distribution it is; deb-origin(5). Derived ones have the file of what they come from too: the last counts.
const ORIGINS: &str = "etc/dpkg/origins";
const VENDORS: &[&str] = &["debian", "ubuntu"];
const LINKS: &[(&str, &str)] = &[
    ("usr/local/man", "share/man"),
    ("var/lock", "/run/lock"),
    ("var/run", "/run"),
    ("var/spool/mail", "../mail"),
];
/// Files of packages that are the first version of a configuration file.
const DEFAULTS: &[(&str, &str)] = &[
    ("/usr/share/base-files/dot.bashrc", "root/.bashrc"),
    ("/usr/share/base-files/dot.profile", "root/.profile"),
    ("/usr/share/base-files/motd", "etc/motd"),
    ("/usr/share/base-files/profile", "etc/profile"),
    ("/usr/share/libc-bin/nsswitch.conf", "etc/nsswitch.conf"),
];
const HOSTS: &str = "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n";
/// pam-auth-update(8) with the profile `unix` alone.
const PAM: &[(&str, &str)] = &[
    ("account", "account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so\n"),
    ("auth", "auth\t[success=1 default=ignore]\tpam_unix.so nullok\n"),
    ("password", "password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt\n"),
    ("session", "session\t[default=1]\tpam_permit.so\n"),
    ("session-noninteractive", "session\t[default=1]\tpam_permit.so\n"),
];

/// Writes all of it.
pub(crate) fn write(manifest: &mut Manifest, output: &mut Output) -> Result<()> {
    for (path, mode, group) in DIRECTORIES {
        output.directory(path, *mode, *group)?;
    }
    for (path, mode, group) in EMPTY {
        output.file(path, *mode, *group, b"")?;
    }
    for (name, major, minor) in DEVICES {
        output.device(format!("dev/{name}"), *major, *minor)?;
    }
    for (path, to) in LINKS {
        if !manifest.has(output.host(), &format!("/{path}")) {
            output.link(path, to)?;
        }
    }
    for vendor in VENDORS {
        if manifest.has(output.host(), &format!("/{ORIGINS}/{vendor}")) {
            output.link(format!("{ORIGINS}/default"), vendor)?;
        }
    }
    for (from, to) in DEFAULTS {
        if manifest.has(output.host(), from) {
            let content = output.read(Utf8Path::new(from)).unwrap_or_default();
            output.file(to, 0o644, 0, &content)?;
        }
    }
    output.file("etc/hosts", 0o644, 0, HOSTS.as_bytes())?;
    // A container shares the host's network, and so its name servers.
    if let Ok(servers) = output.read(Utf8Path::new("/etc/resolv.conf")) {
        output.file("etc/resolv.conf", 0o644, 0, &servers)?;
    }
    let shells = shells(manifest, output);
    output.file("etc/shells", 0o644, 0, shells.as_bytes())?;
    time_zone(manifest, output)?;
    pam(manifest, output)
}

/// update-shells(8): what the packages say they have.
fn shells(manifest: &mut Manifest, output: &Output) -> String {
    let read = |path: &str| output.host().read(&Place::host(path)).unwrap_or_default();
    let mut text = read("/usr/share/debianutils/shells");
    for shell in ["bash", "dash"] {
        let path = format!("/usr/share/debianutils/shells.d/{shell}");
        if manifest.has(output.host(), &path) {
            text.push_str(&read(&path));
        }
    }
    text
}

fn time_zone(manifest: &mut Manifest, output: &mut Output) -> Result<()> {
    if manifest.has(output.host(), "/usr/share/zoneinfo/Etc/UTC") {
        output.file("etc/timezone", 0o644, 0, b"Etc/UTC\n")?;
        output.link("etc/localtime", "/usr/share/zoneinfo/Etc/UTC")?;
    }
    Ok(())
}

fn pam(manifest: &mut Manifest, output: &mut Output) -> Result<()> {
    if !manifest.has(output.host(), "/usr/share/pam/common-auth") {
        return Ok(());
    }
    for (name, first) in PAM {
        let kind = name.split('-').next().unwrap_or(name);
        let mut text = format!("{first}{kind}\trequisite\tpam_deny.so\n{kind}\trequired\tpam_permit.so\n");
        if kind == "session" {
            text.push_str("session\trequired\tpam_unix.so\n");
        }
        output.file(format!("etc/pam.d/common-{name}"), 0o644, 0, text.as_bytes())?;
    }
    Ok(())
}
