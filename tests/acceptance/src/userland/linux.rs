//! busybox as a userland.

use std::io::Result;
use std::process::Command;

use super::archive::Archive;

const FILES: &[(&str, u32, &str)] = &[
    ("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\nwww:x:80:80:Web:/home/www:/bin/sh\n"),
    ("etc/group", 0o644, "root:x:0:\nwww:x:80:\n"),
    ("etc/rc.conf", 0o644, "hostname=\"\"\n"),
];

/// The release that the sets are of.
pub(crate) fn release() -> String {
    "14.3-RELEASE".into()
}

/// Puts the userland into a set.
pub(super) fn fill(archive: &mut Archive) -> Result<()> {
    archive.directory("etc/init.d", 0o755)?;
    archive.directory("home/www", 0o755)?;
    archive.file("bin/freebsd-version", 0o555, b"#!/bin/sh\nUSERLAND_VERSION=\"14.3-RELEASE\"\n")?;
    archive.immutable("libexec/ld-elf.so.1", 0o555, b"linker")?;
    archive.own("bin/busybox")?;
    archive.hard_link("bin/sh", "bin/busybox")?;
    let applets = Command::new("/bin/busybox").arg("--list").output()?;
    for applet in String::from_utf8_lossy(&applets.stdout).lines().filter(|&applet| applet != "busybox") {
        archive.link(&format!("bin/{applet}"), "busybox")?;
    }
    FILES.iter().try_for_each(|(path, mode, text)| archive.file(path, *mode, text.as_bytes()))
}
