//! A part of this machine's own base system, with the libraries that its programs name.

use std::collections::BTreeSet;
use std::io::Result;
use std::path::Path;

use super::archive::Archive;
use super::needed::needed;
use crate::system::output;

/// Where the programs are, and which of them; those that are not there are left out. All of `/bin` is taken.
const PROGRAMS: &[(&str, &str)] = &[
    ("bin", "*"),
    (
        "sbin",
        "devfs dmesg fdisk ifconfig kldstat ldconfig md5 mount nologin ping rcorder route sysctl umount",
    ),
    (
        "usr/bin",
        "awk basename cap_mkdb cpuset cut dirname egrep env false fgrep fstat getent getopt grep head id ipcs jot \
         killall limits lockf logger login logname make mkfifo mktemp nc nice nohup printf procstat protect readlink \
         script sed seq sockstat sort stat su tail tee time touch tr true truncate tty uname uniq users wc which who \
         whoami xargs yes",
    ),
    (
        "usr/sbin",
        "arp chown chroot cron daemon jexec jls mtree newsyslog nologin pw pwd_mkdb service sysrc syslogd",
    ),
];

/// Where libraries are.
const LIBRARIES: &[&str] = &["lib", "usr/lib"];

/// Modules of PAM that login(1) and su(1) load by name.
const MODULES: &[&str] = &[
    "pam_unix",
    "pam_self",
    "pam_nologin",
    "pam_lastlog",
    "pam_login_access",
    "pam_permit",
    "pam_rootok",
    "pam_group",
];

/// What of `/etc` is left out: secrets, and what is large and of no use here.
const LEFT_OUT: &[&str] = &["mtree", "periodic", "ssh", "ssl", "zfs"];

/// The release that the sets are of: this machine's, without its patch level.
pub(crate) fn release() -> String {
    let release = output("freebsd-version", &["-u"]);
    let release = release.trim();
    let is_patch = |level: &str| level.parse::<u32>().is_ok();
    release
        .rsplit_once("-p")
        .filter(|(_, level)| is_patch(level))
        .map_or(release, |(name, _)| name)
        .to_owned()
}

/// Puts the userland into a set.
pub(super) fn fill(archive: &mut Archive) -> Result<()> {
    let mut files = vec!["libexec/ld-elf.so.1".to_owned()];
    for (directory, names) in PROGRAMS {
        let all = || listed(directory);
        let names = if *names == "*" { all() } else { names.split_whitespace().map(str::to_owned).collect() };
        files.extend(names.into_iter().map(|name| format!("{directory}/{name}")));
    }
    files.extend(modules());
    let mut done = BTreeSet::new();
    while let Some(file) = files.pop() {
        if !done.insert(file.clone()) || !Path::new("/").join(&file).exists() {
            continue;
        }
        archive.own(&file)?;
        files.extend(needed(&Path::new("/").join(&file)).iter().filter_map(|name| library(name)));
    }
    for name in listed("etc").iter().filter(|name| !LEFT_OUT.contains(&name.as_str())) {
        archive.own(&format!("etc/{name}"))?;
    }
    for path in ["usr/share/misc/termcap", "usr/share/skel", "root/.profile", "root/.shrc"] {
        archive.own(path)?;
    }
    archive.directory("usr/local/etc", 0o755)?;
    archive.directory("usr/local/etc/rc.d", 0o755)?;
    archive.immutable("var/empty/immutable", 0o444, b"")
}

fn listed(directory: &str) -> Vec<String> {
    let entries = Path::new("/").join(directory).read_dir().into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn modules() -> Vec<String> {
    let wanted = |name: &str| MODULES.iter().any(|module| name.starts_with(&format!("{module}.so")));
    listed("usr/lib").into_iter().filter(|name| wanted(name)).map(|name| format!("usr/lib/{name}")).collect()
}

fn library(name: &str) -> Option<String> {
    let places = LIBRARIES.iter().map(|directory| format!("{directory}/{name}"));
    places.into_iter().find(|path| Path::new("/").join(path).exists())
}
