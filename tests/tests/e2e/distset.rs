//! FreeBSD's distribution sets on this machine: installed, split, checked, made into containers, and never entered.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::program::Ran;
use crate::world::{World, free_port, page, until};

const DIRECTORIES: &[&str] =
    &["bin", "dev", "etc/rc.d", "lib", "libexec", "root", "sbin", "tmp", "usr/bin", "usr/src", "var/log"];

const FILES: &[(&str, u32, &str)] = &[
    ("bin/freebsd-version", 0o555, "#!/bin/sh\nUSERLAND_VERSION=\"14.3-RELEASE\"\n"),
    ("bin/sh", 0o555, ""),
    ("etc/passwd", 0o644, "root:*:0:0:Charlie &:/root:/bin/sh\n"),
    ("etc/rc.conf", 0o644, "hostname=\"\"\n"),
    ("lib/libc.so.7", 0o444, "library"),
    ("libexec/ld-elf.so.1", 0o555, "linker"),
    ("sbin/init", 0o500, "init"),
    ("usr/bin/su", 0o4555, "su"),
    ("usr/src/README", 0o644, "the host's own sources are shown here"),
    ("var/log/messages", 0o600, ""),
];

const FOREIGN: &[u8] = b"not a program of this kernel's";

/// A directory with MANIFEST and two sets.
struct Sets(PathBuf);

impl Sets {
    fn write(world: &World) -> Self {
        Self::write_at(world.dir().join("sets"), FOREIGN)
    }

    fn write_at(at: PathBuf, shell: &[u8]) -> Self {
        fs::create_dir_all(&at).unwrap();
        let mut tar = Builder::new(Vec::new());
        for directory in DIRECTORIES {
            add(&mut tar, directory, EntryType::Directory, 0o755, "", b"");
        }
        for (path, mode, text) in FILES {
            // Most of FreeBSD's own programs are immutable.
            if path.starts_with("lib") || *path == "usr/bin/su" {
                tar.append_pax_extensions([("SCHILY.fflags", "schg".as_bytes())]).unwrap();
            }
            let content = if *path == "bin/sh" { shell } else { text.as_bytes() };
            add(&mut tar, path, EntryType::Regular, *mode, "", content);
        }
        add(&mut tar, "bin/[", EntryType::Regular, 0o555, "", &vec![7; 300_000]);
        add(&mut tar, "bin/test", EntryType::Link, 0o555, "bin/[", b"");
        fs::write(at.join("base.tar"), tar.into_inner().unwrap()).unwrap();
        let mut kernel = Builder::new(Vec::new());
        add(&mut kernel, "boot/kernel/kernel", EntryType::Regular, 0o555, "", b"kernel");
        fs::write(at.join("kernel.tar"), kernel.into_inner().unwrap()).unwrap();
        let sets = Self(at);
        sets.pack("base", DIRECTORIES.len() + FILES.len() + 2);
        sets.pack("kernel", 1);
        sets
    }

    /// Compresses a set as FreeBSD does, in many blocks, and lists it in MANIFEST.
    fn pack(&self, name: &str, entries: usize) {
        let status = Command::new("xz")
            .args(["-T0", "--block-size=64KiB", "--suffix=.txz", "-f"])
            .arg(self.0.join(format!("{name}.tar")))
            .status()
            .expect("xz-utils is installed");
        assert!(status.success());
        let old = self.0.join(format!("{name}.tar.txz"));
        let set = self.0.join(format!("{name}.txz"));
        fs::rename(old, &set).unwrap();
        let digest = hex(&Sha256::digest(fs::read(&set).unwrap()));
        let row = format!("{name}.txz\t{digest}\t{entries}\t{name}\t\"The set {name}\"\ton\n");
        let manifest = fs::read_to_string(self.manifest()).unwrap_or_default();
        fs::write(self.manifest(), manifest + &row).unwrap();
    }

    fn manifest(&self) -> PathBuf {
        self.0.join("MANIFEST")
    }

    fn url(&self) -> String {
        format!("url={}", self.0.display())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn add(tar: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, mode: u32, link: &str, content: &[u8]) {
    let mut header = Header::new_ustar();
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

fn install(world: &World, url: &str, more: &[&str]) -> Ran {
    let args = ["install", "--source", "distset", "--release", "14.3-RELEASE", "-o", url];
    world.run(args.iter().chain(more))
}

/// The names in a directory.
fn names(at: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn sets_become_a_base_split_as_freebsd_is() {
    let world = World::new();
    let sets = Sets::write(&world);
    let said = install(&world, &sets.url(), &[]).ok();
    assert!(said.starts_with("14.3-RELEASE-") && said.ends_with(" is installed\n"), "{said}");

    let (shared, template) = (world.lib("sharedfs"), world.lib("template"));
    let meta = |path: &str| fs::symlink_metadata(shared.join(path)).unwrap();
    assert_eq!(meta("usr/bin/su").permissions().mode() & 0o7777, 0o4555);
    assert_eq!(meta("bin/test").ino(), meta("bin/[").ino());
    assert_eq!(meta("lib/libc.so.7").mtime(), 1_700_000_000);
    for path in ["bin", "lib", "libexec", "sbin", "usr/bin"] {
        assert!(meta(path).is_dir(), "{path}");
        assert!(fs::symlink_metadata(template.join(path)).is_err(), "{path} is shared, not copied");
    }
    assert_eq!(names(&shared.join("usr/src")), Vec::<String>::new(), "the host's sources go there");
    for path in ["etc/rc.conf", "etc/rc.d", "root", "tmp", "var/log/messages"] {
        assert!(fs::symlink_metadata(template.join(path)).is_ok(), "{path}");
    }
    assert_eq!(names(&template.join("dev")), Vec::<String>::new(), "devfs(5) brings the devices");
    assert!(!shared.join("boot").exists(), "a container runs on the host's kernel");

    let list = world.run(["release", "list", "--json"]).json();
    assert_eq!(list[0]["version"], "14.3-RELEASE");
    assert_eq!((&list[0]["source"], &list[0]["current"]), (&"distset".into(), &true.into()));
    let file = fs::read_to_string(world.lib("current/release.toml")).unwrap();
    assert!(file.contains("brand = \"freebsd\""), "{file}");
    world.assert_sound();
}

#[test]
fn a_container_of_it_is_made_and_kept_but_not_entered() {
    let world = World::new();
    install(&world, &Sets::write(&world).url(), &[]).ok();
    let planned = world.run(["--dry-run", "create", "web", "--storage", "nullfs"]).ok();
    assert!(planned.contains("/template to ") && planned.contains("/./bin to sharedfs/bin"), "{planned}");
    for storage in ["nullfs", "overlay"] {
        world.run(["create", "web", "--storage", storage]).ok();
        world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
        let said = ["web has a FreeBSD userland", "Linux kernel cannot run"];
        world.run(["start", "web"]).fails(69, &said);
        world.run(["exec", "web", "/bin/sh"]).fails(125, &said);
        world.run(["console", "web"]).fails(125, &said);
        world.assert_quiet();
        assert_eq!(world.state("web"), "stopped");
        world.run(["delete", "web"]).ok();
    }
    world.assert_sound();
}

#[test]
fn what_would_be_done_is_shown() {
    let world = World::new();
    let sets = Sets::write(&world);
    let args = ["--dry-run", "install", "--source", "distset", "--release", "14.3-RELEASE", "-o"];
    let planned = world.run(args.iter().copied().chain([sets.url().as_str()])).ok();
    assert!(planned.contains("with 14.3-RELEASE from source distset"), "{planned}");
    assert!(planned.contains("split "), "{planned}");
    assert!(!world.root.exists(), "nothing is made");
}

#[test]
fn the_same_again_is_the_same_base() {
    let world = World::new();
    let sets = Sets::write(&world);
    install(&world, &sets.url(), &[]).ok();
    let before = world.lasting();
    install(&world, &sets.url(), &[]).ok();
    before.assert_same(&world.lasting(), "the second install");
}

/// Whatever is wrong, and however often it is tried, the base that is there stays and nothing else does.
#[test]
fn what_cannot_be_trusted_leaves_nothing() {
    let world = World::new();
    install(&world, &Sets::write(&world).url(), &[]).ok();
    let before = world.lasting();
    let wrong = Sets::write_at(world.dir().join("wrong"), FOREIGN);
    let kernel_too = ["-o", "sets=base,kernel"];
    let set = wrong.0.join("kernel.txz");
    let good = fs::read(&set).unwrap();
    for bad in [good[..good.len() - 1].to_vec(), [&good[..], b"\0\0\0\0"].concat(), b"PK".to_vec(), vec![]] {
        fs::write(&set, bad).unwrap();
        for _ in 0..2 {
            install(&world, &wrong.url(), &kernel_too).fails(65, &["kernel.txz"]);
            before.assert_same(&world.lasting(), "a set that is not what MANIFEST says");
        }
    }
    let pin = format!("manifest_sha256={}", "0".repeat(64));
    install(&world, &wrong.url(), &["-o", &pin]).fails(65, &["MANIFEST", "has the SHA-256"]);
    install(&world, &wrong.url(), &["-o", "sets=bas"]).fails(66, &["no set", "did you mean base?"]);
    fs::write(wrong.manifest(), "").unwrap();
    install(&world, &wrong.url(), &[]).fails(65, &["MANIFEST is empty"]);
    fs::remove_file(wrong.manifest()).unwrap();
    install(&world, &wrong.url(), &[]).fails(66, &["there is no MANIFEST"]);
    install(&world, &wrong.url(), &["--any-release"]).fails(66, &["there is no MANIFEST"]);
    before.assert_same(&world.lasting(), "the failed installs");
    world.assert_sound();
}

#[test]
fn other_material_is_refused_with_the_reason() {
    let world = World::new();
    let sets = Sets::write(&world);
    let named = |release: &str, more: &[&str]| {
        let url = sets.url();
        let args = ["install", "--source", "distset", "--release", release, "-o", &url];
        world.run(args.iter().chain(more))
    };
    for (release, why) in
        [("14.3-RELEASE-p3", "patch level"), ("15.0-CURRENT", "snapshot"), ("14.3-RC1", "test")]
    {
        named(release, &[]).fails(65, &[why, "--any-release"]);
    }
    named("15.0-CURRENT", &["--any-release"]).ok();
    let args = ["install", "--source", "distset", "-o"];
    world
        .run(args.iter().copied().chain([sets.url().as_str()]))
        .fails(64, &["must be named on this host", "--release 14.3-RELEASE"]);
}

/// busybox httpd(8) on a directory, until this is dropped.
struct Server(Child, u16);

impl Server {
    fn start(dir: &Path) -> Self {
        let port = free_port();
        let at = format!("127.0.0.1:{port}");
        let mut command = Command::new("busybox");
        command.args(["httpd", "-f", "-p", &at, "-h"]).arg(dir).stderr(Stdio::null());
        let child = command.spawn().expect("Debian's busybox-static is installed");
        until("httpd answers", || page(port).is_some());
        Self(child, port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_mirror_is_used_as_freebsd_lays_it_out() {
    let world = World::new();
    let mirror = world.dir().join("mirror");
    let sets = Sets::write_at(mirror.join("releases/amd64/amd64/14.3-RELEASE"), FOREIGN);
    let server = Server::start(&mirror);
    let url = format!("url=http://127.0.0.1:{}/releases", server.1);
    install(&world, &url, &["-o", "target=arm64/aarch64"]).fails(66, &["there is no MANIFEST"]);
    install(&world, &url, &["-o", "target=amd64/amd64"]).ok();
    assert!(world.lib("sharedfs/bin/sh").exists());

    // Another container of the same content is not another release, wherever it came from.
    let before = world.run(["release", "list"]).ok();
    install(&world, &sets.url(), &["-o", "target=amd64/amd64"]).ok();
    assert_eq!(world.run(["release", "list"]).ok(), before);
}

/// Everything matches, and yet it is not what it was.
#[test]
fn a_release_that_changed_since_it_was_seen_is_refused() {
    let world = World::new();
    let sets = Sets::write(&world);
    install(&world, &sets.url(), &[]).ok();
    let before = world.lasting();
    let text = fs::read_to_string(sets.manifest()).unwrap();
    fs::write(sets.manifest(), text.replace("The set kernel", "Another kernel")).unwrap();
    for _ in 0..2 {
        install(&world, &sets.url(), &[]).fails(65, &["MANIFEST", "earlier install", "hint: "]);
        before.assert_same(&world.lasting(), "the refused install");
    }
    let pin = format!("manifest_sha256={}", hex(&Sha256::digest(fs::read(sets.manifest()).unwrap())));
    install(&world, &sets.url(), &["-o", &pin]).ok();
}

#[test]
fn programs_of_this_kernel_in_the_layout_of_another_run_and_are_shared_as_there() {
    let world = World::new();
    let sets = Sets::write_at(world.dir().join("sets"), &fs::read("/bin/busybox").unwrap());
    install(&world, &sets.url(), &[]).ok();
    assert!(world.lib("sharedfs/libexec/ld-elf.so.1").exists());
    world.run(["create", "web", "--storage", "nullfs"]).ok();
    world.run(["exec", "web", "--", "/bin/sh", "-c", "test -x /libexec/ld-elf.so.1"]).ok();
    let written = world.run(["exec", "web", "--", "/bin/sh", "-c", "echo x > /libexec/new"]);
    assert_ne!(written.status, 0, "{written}");
    world.assert_quiet();
}
