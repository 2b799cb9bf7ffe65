//! A small FreeBSD in memory, with what no container is to see.

use qchroot_api::Output;
use qchroot_testkit::FakeHost;

/// Files of the base system: path, content, mode.
const FILES: &[(&str, &str, u32)] = &[
    ("/bin/sh", "sh\n", 0o555),
    ("/lib/libc.so.7", "libc\n", 0o444),
    ("/libexec/ld-elf.so.1", "rtld\n", 0o555),
    ("/usr/bin/su", "su\n", 0o4555),
    ("/usr/lib/debug/bin/sh.debug", "symbols\n", 0o444),
    ("/usr/share/skel/dot.profile", "# profile\n", 0o644),
    ("/boot/kernel/kernel", "kernel\n", 0o555),
    ("/etc/rc", "# rc\n", 0o644),
    ("/etc/rc.d/cron", "# cron\n", 0o555),
    ("/etc/login.conf", "default:\n\t:path=/opt/site/bin:\n", 0o644),
    ("/var/db/etcupdate/current/etc/login.conf", "default:\n", 0o644),
];

/// What belongs to this machine alone.
const SECRETS: &[(&str, &str, u32)] = &[
    ("/etc/master.passwd", "root:$6$secret:0:0::0:0:Charlie:/root:/bin/csh\n", 0o600),
    ("/etc/rc.conf", "hostname=secret\n", 0o644),
    ("/etc/ssh/ssh_host_ed25519_key", "secret\n", 0o600),
    ("/etc/ssl/private/key.pem", "secret\n", 0o600),
    ("/root/.ssh/id_ed25519", "secret\n", 0o600),
    ("/usr/local/etc/thing.conf", "secret\n", 0o600),
    ("/var/db/thing", "secret\n", 0o600),
];

const PASSWD: &str = "# $FreeBSD$\n\
root:*:0:0:Charlie &:/root:/usr/local/bin/zsh\n\
daemon:*:1:1:Owner of many system processes:/root:/usr/sbin/nologin\n\
www:*:80:80:World Wide Web Owner:/nonexistent:/usr/sbin/nologin\n\
mysql:*:88:88:MySQL Daemon:/var/db/mysql:/usr/sbin/nologin\n\
alice:*:1001:1001:Alice:/home/alice:/bin/sh\n\
nobody:*:65534:65534:Unprivileged user:/nonexistent:/usr/sbin/nologin\n";

const GROUP: &str =
    "# $FreeBSD$\nwheel:*:0:root,alice\noperator:*:5:root\nmail:*:6:\nwww:*:80:\nalice:*:1001:\n";

/// Puts it on the machine, with a pwd_mkdb(8) that has nothing to say.
pub(crate) fn plant(host: &FakeHost) {
    for (path, content, mode) in FILES.iter().chain(SECRETS) {
        host.plant_file(path, content, *mode);
    }
    host.plant_link("/sys", "usr/src/sys");
    host.plant_link("/etc/termcap", "/usr/share/misc/termcap");
    host.plant_file("/etc/passwd", PASSWD, 0o644);
    host.plant_file("/etc/group", GROUP, 0o644);
    host.on_run("pwd_mkdb", |_| Output { status: 0, stdout: String::new(), stderr: String::new() });
}
