//! A userland from a disc: installed from its image or directory, and a container that runs its programs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::program::Ran;
use crate::world::{RunWith, World};

/// A root file system with busybox, as a directory beside the world's root.
fn medium(world: &World) -> PathBuf {
    let at = world.dir().join("medium");
    for dir in ["bin", "dev", "etc", "proc", "root", "tmp", "usr/bin", "var/run"] {
        fs::create_dir_all(at.join(dir)).unwrap();
    }
    fs::copy("/bin/busybox", at.join("bin/busybox")).expect("Debian's busybox-static is installed");
    fs::set_permissions(at.join("bin/busybox"), fs::Permissions::from_mode(0o755)).unwrap();
    for applet in ["sh", "cat", "echo", "stat"] {
        symlink("busybox", at.join("bin").join(applet)).unwrap();
    }
    fs::write(at.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    fs::write(at.join("etc/group"), "root:x:0:\n").unwrap();
    fs::write(at.join("etc/os-release"), "ID=disc\nVERSION_ID=7\n").unwrap();
    at
}

fn made(command: &mut Command) {
    let output = command.output().expect("Debian's xorriso and squashfs-tools are installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn image(world: &World, tree: &Path) -> PathBuf {
    let image = world.dir().join("disc.iso");
    made(Command::new("xorriso").args(["-as", "mkisofs", "-quiet", "-R", "-o"]).arg(&image).arg(tree));
    image
}

fn install(world: &World, path: &Path, more: &[&str]) -> Ran {
    let path = format!("path={}", path.display());
    world.command(["install", "--source", "media", "-o", &path]).ran(more)
}

fn digest(file: &Path) -> String {
    Sha256::digest(fs::read(file).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_container_runs_programs_from_an_image_of_a_disc() {
    let world = World::new();
    let image = image(&world, &medium(&world));
    install(&world, &image, &[]).fails(65, &["disc.iso cannot be checked", &digest(&image)]);
    let pinned = format!("sha256={}", digest(&image));
    install(&world, &image, &["-o", &pinned]).ok();
    world.run(["create", "web"]).ok();
    assert_eq!(world.sh("cat /etc/os-release").ok(), "ID=disc\nVERSION_ID=7\n");
    assert_eq!(world.loop_devices(), 0);
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn a_directory_and_its_packed_form_are_media_too() {
    let world = World::new();
    let tree = medium(&world);
    install(&world, &tree, &[]).fails(65, &["plain directory", "--any-release"]);
    install(&world, &tree, &["--any-release"]).ok();
    world.run(["create", "web"]).ok();
    assert_eq!(world.sh("echo from a directory").ok(), "from a directory\n");
    let live = world.dir().join("live-medium/live");
    fs::create_dir_all(&live).unwrap();
    made(Command::new("mksquashfs").arg(&tree).arg(live.join("filesystem.squashfs")).arg("-quiet"));
    let pinned = format!("sha256={}", digest(&live.join("filesystem.squashfs")));
    install(&world, live.parent().unwrap(), &["-o", &pinned, "--release", "live-7"]).ok();
    world.run(["create", "live"]).ok();
    assert_eq!(world.run(["exec", "live", "--", "stat", "-c", "%a", "/bin/busybox"]).ok(), "755\n");
    world.assert_quiet();
}

#[test]
fn an_image_that_was_changed_leaves_nothing_behind() {
    let world = World::new();
    let image = image(&world, &medium(&world));
    let pinned = format!("sha256={}", digest(&image));
    let mut bytes = fs::read(&image).unwrap();
    let last = bytes.len() - 4096;
    bytes[last] ^= 1;
    fs::write(&image, bytes).unwrap();
    install(&world, &image, &["-o", &pinned]).fails(65, &["disc.iso has the SHA-256"]);
    assert!(!world.lib("current").exists() && !world.lib("sharedfs").exists());
    world.assert_sound();
}
