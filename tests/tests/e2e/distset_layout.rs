//! A base.txz laid out as FreeBSD's own of 13 to 15: where each entry goes, that it keeps what it carries, and that every
//! name and link leads in a container to what it led to in the archive.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, getxattr, openat2, statat};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::world::World;

/// Directories, parents first, with a mode where it is not 0755: hier(7), the mtree(8) descriptions in FreeBSD's `etc`.
const DIRECTORIES: &str = "bin boot boot/defaults boot/dtb boot/efi boot/firmware boot/fonts boot/kernel boot/loader.conf.d \
    boot/lua boot/modules boot/uboot boot/zfs dev:0555 etc etc/X11 etc/authpf etc/autofs etc/bluetooth etc/cron.d \
    etc/defaults etc/devd etc/dma etc/gss etc/jail.conf.d etc/kyua etc/mail etc/mtree etc/newsyslog.conf.d etc/ntp:0700 \
    etc/pam.d etc/periodic etc/periodic/daily etc/pkg etc/ppp etc/profile.d etc/rc.conf.d etc/rc.d etc/security etc/ssh \
    etc/ssl etc/ssl/certs etc/syslog.d etc/zfs home lib lib/casper lib/geom lib/nvmecontrol libexec libexec/resolvconf media \
    mnt net proc:0555 rescue root sbin tmp:1777 usr usr/bin usr/include usr/include/sys usr/lib usr/lib/clang \
    usr/lib/dtrace usr/lib/engines usr/lib/flua usr/lib/i18n usr/lib/libxo usr/lib32 usr/lib32/i18n usr/libdata \
    usr/libdata/lint usr/libdata/pkgconfig usr/libexec usr/libexec/bsdinstall usr/libexec/sendmail usr/local usr/obj usr/sbin \
    usr/share usr/share/certs usr/share/certs/trusted usr/share/keys usr/share/keys/pkg usr/share/locale usr/share/man \
    usr/share/misc usr/share/nls usr/share/skel usr/share/zoneinfo usr/share/zoneinfo/Europe usr/src usr/tests \
    usr/tests/bin var var/account var/at var/at/jobs var/audit:0750 var/authpf:0770 var/backups:0750 var/cache var/crash:0750 \
    var/cron:0750 var/cron/tabs:0700 var/db var/db/entropy:0700 var/db/freebsd-update:0700 var/db/pkg var/empty:0555 \
    var/games:0775 var/heimdal:0700 var/log var/mail:0775 var/msgs var/preserve var/run var/run/ppp:0770 \
    var/run/wpa_supplicant var/rwho:0775 var/spool var/spool/lock:0775 var/spool/opielocks:0700 var/spool/output \
    var/tmp:1777 var/tmp/vi.recover:1777 var/unbound var/yp";

/// Files with their modes; a `!` makes one immutable.
const FILES: &str = "COPYRIGHT:0444 .cshrc:0644 .profile:0644 bin/[:0555 bin/cat:0555 bin/rcp:4555! bin/freebsd-version:0555 \
    bin/sh:0555 boot/defaults/loader.conf:0444 boot/loader_lua:0555 etc/defaults/rc.conf:0644 etc/group:0644 \
    etc/login.conf:0644 etc/mail/aliases:0644 etc/master.passwd:0600 etc/opieaccess:0600 etc/passwd:0644 etc/pwd.db:0644 \
    etc/rc:0644 etc/rc.d/sshd:0555 etc/rc.subr:0644 etc/services:0644 etc/spwd.db:0600 lib/libc.so.7:0444! \
    lib/libcrypt.so.5:0444! lib/libthr.so.3:0444! lib/libncursesw.so.9:0444 lib/geom/geom_part.so:0444 \
    libexec/ld-elf.so.1:0555! libexec/ld-elf32.so.1:0555! rescue/rescue:0555 sbin/init:0500! sbin/mount:0555 \
    sbin/ping:4555 sbin/shutdown:4550 usr/bin/chfn:4555! usr/bin/crontab:4555! usr/bin/login:4555! usr/bin/opieinfo:4555! \
    usr/bin/passwd:4555! usr/bin/su:4555! usr/bin/true:0555 usr/bin/wall:2555 usr/include/stdio.h:0444 \
    usr/include/sys/types.h:0444 usr/lib/librt.so.1:0444! usr/lib/libz.a:0444 usr/lib32/libc.so.7:0444! \
    usr/libdata/pkgconfig/zlib.pc:0444 usr/libexec/sendmail/sendmail:2555 usr/sbin/chown:0555 usr/sbin/mailwrapper:0555 \
    usr/share/certs/trusted/Root.pem:0444 usr/share/misc/termcap:0444 usr/share/skel/dot.profile:0644 \
    usr/share/zoneinfo/UTC:0444 usr/share/zoneinfo/Europe/Vienna:0444 usr/tests/bin/Kyuafile:0444 usr/tests/Kyuafile:0444 \
    var/crash/minfree:0644 var/db/locate.database:0644";

/// Symbolic links, relative and absolute, in both parts and from each into the other.
const LINKS: &[(&str, &str)] = &[
    ("sys", "usr/src/sys"),
    ("etc/aliases", "mail/aliases"),
    ("etc/os-release", "../var/run/os-release"),
    ("etc/rmt", "/usr/sbin/rmt"),
    ("etc/ssl/certs/0a1b2c3d.0", "../../../usr/share/certs/trusted/Root.pem"),
    ("etc/termcap", "/usr/share/misc/termcap"),
    ("etc/unbound", "../var/unbound"),
    ("boot/loader.help", "defaults/loader.conf"),
    ("lib/libncurses.so.9", "libncursesw.so.9"),
    ("usr/bin/cc", "true"),
    ("usr/bin/pkill", "../../bin/cat"),
    ("usr/lib/libc++.so.1", "../../lib/libc.so.7"),
    ("usr/lib/libthr.so", "../../lib/libthr.so.3"),
    ("usr/libexec/ld-elf.so.1", "../../libexec/ld-elf.so.1"),
    ("usr/sbin/sendmail", "mailwrapper"),
    ("usr/share/man/whatis", "../../../etc/rc.subr"),
    ("usr/share/nls/POSIX", "../misc"),
    ("usr/tests/local", "/usr/local"),
    ("var/crash/link", "../../usr/share/misc/termcap"),
];

/// Further names: within a directory, across directories of one part, and from one part into the other.
const HARD_LINKS: &[(&str, &str)] = &[
    ("bin/test", "bin/["),
    ("rescue/sh", "rescue/rescue"),
    ("rescue/vi", "rescue/rescue"),
    ("boot/loader", "boot/loader_lua"),
    ("root/.profile", ".profile"),
    ("root/.cshrc", ".cshrc"),
    ("usr/bin/chpass", "usr/bin/chfn"),
    ("usr/bin/chgrp", "usr/sbin/chown"),
    ("usr/share/zoneinfo/Zulu", "usr/share/zoneinfo/UTC"),
    ("var/db/true", "usr/bin/true"),
];

/// What becomes the shared part.
const SHARED: &[&str] = &[
    "bin",
    "boot",
    "lib",
    "libexec",
    "rescue",
    "sbin",
    "usr/bin",
    "usr/include",
    "usr/lib",
    "usr/lib32",
    "usr/libdata",
    "usr/libexec",
    "usr/sbin",
    "usr/share",
    "usr/tests",
];

fn words(text: &'static str) -> impl Iterator<Item = (&'static str, u32, bool)> {
    text.split_whitespace().map(|word| {
        let (path, mode) = word.split_once(':').unwrap_or((word, "0755"));
        let immutable = mode.ends_with('!');
        (path, u32::from_str_radix(mode.trim_end_matches('!'), 8).unwrap(), immutable)
    })
}

fn add(tar: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, mode: u32, link: &str, content: &[u8]) {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_681_000_000);
    header.set_size(content.len() as u64);
    if !link.is_empty() {
        header.set_link_name(link).unwrap();
    }
    tar.append_data(&mut header, format!("./{path}"), content).unwrap();
}

/// The archive, and how many entries it has.
fn base() -> (Vec<u8>, usize) {
    let mut tar = Builder::new(vec![]);
    let mut entries = 0;
    let flags = |tar: &mut Builder<Vec<u8>>, names: &str| {
        tar.append_pax_extensions([("SCHILY.fflags", names.as_bytes())]).unwrap();
    };
    for (path, mode, _) in words(DIRECTORIES) {
        if path == "var/empty" {
            flags(&mut tar, "schg");
        }
        add(&mut tar, path, EntryType::Directory, mode, "", b"");
        entries += 1;
    }
    for (path, mode, immutable) in words(FILES) {
        flags(&mut tar, if immutable { "schg,uarch" } else { "uarch" });
        add(&mut tar, path, EntryType::Regular, mode, "", path.as_bytes());
        entries += 1;
    }
    for (links, kind, mode) in [(LINKS, EntryType::Symlink, 0o755), (HARD_LINKS, EntryType::Link, 0o644)] {
        for (path, to) in links {
            let to = if kind == EntryType::Link { format!("./{to}") } else { (*to).to_owned() };
            add(&mut tar, path, kind, mode, &to, b"");
            entries += 1;
        }
    }
    (tar.into_inner().unwrap(), entries)
}

/// Installs it.
fn install(world: &World) {
    let at = world.dir().join("sets");
    fs::create_dir(&at).unwrap();
    let (tar, entries) = base();
    fs::write(at.join("base.txz"), &tar).unwrap();
    let digest: String = Sha256::digest(&tar).iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(at.join("MANIFEST"), format!("base.txz\t{digest}\t{entries}\tbase\t\"Base system\"\ton\n"))
        .unwrap();
    let url = format!("url={}", at.display());
    world.run(["install", "--source", "distset", "--release", "13.2-RELEASE", "-o", &url]).ok();
}

fn is_shared(path: &str) -> bool {
    SHARED.iter().any(|dir| Path::new(path).starts_with(dir))
}

#[test]
fn every_entry_is_in_its_part_as_it_was_packed() {
    let world = World::new();
    install(&world);
    let at = |path: &str| world.lib(if is_shared(path) { "sharedfs" } else { "template" }).join(path);
    let flags = |path: &str| {
        let mut value = [0; 64];
        let n = getxattr(at(path), "trusted.qchroot.fflags", &mut value).unwrap_or(0);
        String::from_utf8(value[..n].to_vec()).unwrap()
    };
    let elsewhere = ["dev", "usr/src"];
    for (path, mode, _) in words(DIRECTORIES).filter(|(path, ..)| !elsewhere.contains(path)) {
        let meta = fs::symlink_metadata(at(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(meta.is_dir(), "{path}");
        assert_eq!(meta.permissions().mode() & 0o7777, mode, "{path}");
    }
    assert_eq!(flags("var/empty"), "schg");
    for (path, mode, immutable) in words(FILES) {
        assert_eq!(fs::read_to_string(at(path)).unwrap(), path);
        let meta = fs::symlink_metadata(at(path)).unwrap();
        assert_eq!((meta.permissions().mode() & 0o7777, meta.mtime()), (mode, 1_681_000_000), "{path}");
        assert_eq!(flags(path), if immutable { "schg,uarch" } else { "uarch" }, "{path}");
    }
    for (path, to) in LINKS {
        assert_eq!(fs::read_link(at(path)).unwrap(), Path::new(to), "{path}");
    }
    for (path, to) in HARD_LINKS {
        assert_eq!(fs::metadata(at(path)).unwrap().ino(), fs::metadata(at(to)).unwrap().ino(), "{path}");
    }
    assert!(
        fs::read_dir(world.lib("sharedfs/usr/src")).unwrap().next().is_none(),
        "the host's trees go there"
    );
    assert!(fs::read_dir(world.lib("sharedfs/usr/ports")).unwrap().next().is_none());
    world.run(["release", "verify"]).ok();
    world.assert_sound();
}

/// What a path leads to in a root, as a process inside would find it.
fn look(root: &File, path: &str) -> (u32, u32, String) {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let found = openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)
        .unwrap_or_else(|error| panic!("{path} leads nowhere: {error}"));
    let stat = statat(found.as_fd(), "", AtFlags::EMPTY_PATH).unwrap();
    let mut text = String::new();
    if stat.st_mode & 0o170_000 == 0o100_000 {
        let file = openat2(root, path, OFlags::RDONLY, Mode::empty(), ResolveFlags::IN_ROOT).unwrap();
        File::from(file).read_to_string(&mut text).unwrap();
    }
    (stat.st_mode, stat.st_uid, text)
}

#[test]
fn in_a_container_every_path_leads_where_it_led_in_the_archive() {
    let world = World::new();
    install(&world);
    // As it was packed, unpacked by another program.
    let packed = world.dir().join("packed");
    fs::create_dir(&packed).unwrap();
    let set = world.dir().join("sets/base.txz");
    let unpacked = Command::new("tar")
        .arg("--warning=no-unknown-keyword")
        .arg("-xpf")
        .arg(set)
        .arg("-C")
        .arg(&packed)
        .status();
    assert!(unpacked.unwrap().success());
    // A container whose shared part is not mounted but copied.
    world.run(["create", "web", "--storage", "nullfs"]).ok();
    let root = world.lib("web/root");
    let copy = Command::new("cp").arg("-a").arg(world.lib("sharedfs/.")).arg(root.join("sharedfs")).status();
    assert!(copy.unwrap().success());

    let (inside, packed) = (File::open(&root).unwrap(), File::open(&packed).unwrap());
    let dangling = ["sys", "etc/os-release", "etc/rmt"];
    let linked = LINKS.iter().map(|(path, _)| *path).filter(|path| !dangling.contains(path));
    let others = ["dev", "usr/src"];
    let listed = words(DIRECTORIES).map(|(path, ..)| path).filter(|path| !others.contains(path));
    let files = words(FILES).map(|(path, ..)| path);
    let hard = HARD_LINKS.iter().map(|(path, _)| *path);
    for path in listed.chain(files).chain(linked).chain(hard) {
        assert_eq!(look(&inside, path), look(&packed, path), "{path}");
    }
    let numbers: BTreeMap<&str, u64> =
        [".profile", "root/.profile"].map(|path| (path, fs::metadata(root.join(path)).unwrap().ino())).into();
    assert_eq!(
        numbers[".profile"], numbers["root/.profile"],
        "names of one file stay that within a container"
    );
    let private = fs::metadata(root.join("var/db/true")).unwrap();
    assert_eq!(private.nlink(), 1, "what a container may write to is no file of the base");
    world.run(["delete", "web"]).ok();
    world.assert_sound();
}
