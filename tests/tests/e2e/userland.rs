//! The userland that the tests install: busybox, a few files, scripts of services.

use std::fs::{self, File};
use std::path::Path;
use std::sync::OnceLock;

use tar::{Builder, EntryType, Header};

const APPLETS: &[&str] = &[
    "cat",
    "chmod",
    "cp",
    "cut",
    "date",
    "echo",
    "env",
    "false",
    "grep",
    "head",
    "httpd",
    "id",
    "kill",
    "killall",
    "ln",
    "ls",
    "mkdir",
    "mknod",
    "mount",
    "mv",
    "nc",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "rm",
    "seq",
    "setsid",
    "sh",
    "sleep",
    "start-stop-daemon",
    "stat",
    "stty",
    "touch",
    "tr",
    "true",
    "tty",
    "umask",
    "umount",
    "wget",
    "yes",
];

/// A daemon that is stopped by name, as many are. Its port stands in /etc/port.
const HTTPD: &str = "#!/bin/sh
case $1 in
start) httpd -p 127.0.0.1:$(cat /etc/port) -h /www ;;
stop) echo stopping; killall httpd ;;
esac
";

/// A daemon with a pid file, which is believed.
const PIDFILE: &str = "#!/bin/sh
case $1 in
start) sleep 1000 & echo $! > /var/run/pidfile.pid ;;
stop) kill -9 $(cat /var/run/pidfile.pid) $(cat /var/run/stranger.pid) ;;
esac
";

const BROKEN: &str = "#!/bin/sh\necho out of luck >&2\nexit 3\n";

const DIRECTORIES: &[(&str, u32)] = &[
    ("bin", 0o755),
    ("dev", 0o755),
    ("etc/init.d", 0o755),
    ("home/www", 0o755),
    ("proc", 0o555),
    ("root", 0o700),
    ("tmp", 0o1777),
    ("usr/bin", 0o755),
    ("usr/sbin", 0o755),
    ("var/run", 0o755),
    ("www", 0o755),
];

const FILES: &[(&str, u32, &str)] = &[
    ("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\nwww:x:80:80:Web:/home/www:/bin/sh\n"),
    ("etc/group", 0o644, "root:x:0:\nlogs:x:4:www\nwww:x:80:\n"),
    ("etc/init.d/httpd", 0o755, HTTPD),
    ("etc/init.d/pidfile", 0o755, PIDFILE),
    ("etc/init.d/broken", 0o755, BROKEN),
    ("etc/not-executable", 0o644, "text\n"),
    ("www/index.html", 0o644, "a page from inside\n"),
];

/// Writes the archive `at`.
pub fn write(at: &Path) {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    fs::write(at, BYTES.get_or_init(|| archive(&[]))).unwrap();
}

/// Writes the archive `at` with more files in it, or other content for those it has.
pub fn write_with(at: &Path, more: &[(&str, &str)]) {
    fs::write(at, archive(more)).unwrap();
}

fn archive(more: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for &(path, mode) in DIRECTORIES {
        add(&mut tar, path, EntryType::Directory, mode, "", b"");
    }
    let mut busybox = vec![];
    let mut file = File::open("/bin/busybox").expect("Debian's busybox-static is installed");
    std::io::Read::read_to_end(&mut file, &mut busybox).unwrap();
    add(&mut tar, "bin/busybox", EntryType::Regular, 0o755, "", &busybox);
    for applet in APPLETS {
        add(&mut tar, &format!("bin/{applet}"), EntryType::Symlink, 0o777, "busybox", b"");
    }
    for &(path, mode, text) in FILES {
        add(&mut tar, path, EntryType::Regular, mode, "", text.as_bytes());
    }
    for &(path, text) in more {
        add(&mut tar, path, EntryType::Regular, 0o755, "", text.as_bytes());
    }
    tar.into_inner().unwrap()
}

fn add(tar: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, mode: u32, link: &str, content: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_700_000_000);
    header.set_size(content.len() as u64);
    if !link.is_empty() {
        header.set_link_name(link).unwrap();
    }
    tar.append_data(&mut header, path, content).unwrap();
}
