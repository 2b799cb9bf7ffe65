//! Images are read where nobody can see them mounted; trees are taken whole and no further than their mount.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Command, ErrorKind, Mount, MountFs, Observe, Place, Progress, Step, Work};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use rustix::fs::{CWD, FileType, Mode, XattrFlags, fsetxattr, makedev, mknodat};

use crate::support::Lab;

fn with_work<T>(lab: &Lab, run: impl FnOnce(&mut dyn Work) -> T) -> T {
    let mut show = |_: &Progress| {};
    run(&mut *lab.machine.work(&Workplace::beside(&lab.root), &mut show).unwrap())
}

/// A tree with one of everything.
fn userland(lab: &Lab) -> Utf8PathBuf {
    let top = lab.host.join("userland");
    fs::create_dir_all(top.join("bin")).unwrap();
    fs::write(top.join("bin/tool"), "a tool").unwrap();
    std::os::unix::fs::chown(top.join("bin/tool"), Some(5), Some(7)).unwrap();
    fs::set_permissions(top.join("bin/tool"), fs::Permissions::from_mode(0o4711)).unwrap();
    fs::hard_link(top.join("bin/tool"), top.join("bin/also")).unwrap();
    symlink("/etc/shadow", top.join("secret")).unwrap();
    mknodat(
        CWD,
        top.join("null").as_str(),
        FileType::CharacterDevice,
        Mode::from_raw_mode(0o666),
        makedev(1, 3),
    )
    .unwrap();
    mknodat(CWD, top.join("pipe").as_str(), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let tool = fs::File::open(top.join("bin/tool")).unwrap();
    fsetxattr(&tool, "user.note", b"kept", XattrFlags::empty()).unwrap();
    fs::set_permissions(&top, fs::Permissions::from_mode(0o751)).unwrap();
    top
}

fn run(lab: &Lab, argv: &[&str]) {
    let made = with_work(lab, |work| work.run(&Command::new(argv.iter().copied())));
    assert_eq!(made.expect("Debian's squashfs-tools and xorriso are installed").status, 0);
}

fn squashfs(lab: &Lab, tree: &Utf8Path) -> Utf8PathBuf {
    let image = lab.host.join("image.squashfs");
    run(lab, &["mksquashfs", tree.as_str(), image.as_str(), "-quiet"]);
    image
}

fn backing_files() -> Vec<String> {
    let devices = fs::read_dir("/sys/block").unwrap().flatten();
    devices.filter_map(|device| fs::read_to_string(device.path().join("loop/backing_file")).ok()).collect()
}

#[track_caller]
fn assert_taken(root: &Utf8Path) {
    let stat = |path: &str| fs::symlink_metadata(root.join(path)).unwrap();
    let tool = stat("bin/tool");
    assert_eq!((tool.mode() & 0o7777, tool.uid(), tool.gid(), tool.nlink()), (0o4711, 5, 7, 2));
    assert_eq!(tool.ino(), stat("bin/also").ino());
    assert_eq!(fs::read_link(root.join("secret")).unwrap().to_str(), Some("/etc/shadow"));
    assert_eq!(stat("null").rdev(), makedev(1, 3));
    assert!(stat("pipe").file_type().is_fifo());
    assert_eq!(stat("").mode() & 0o7777, 0o751);
    let mut value = [0; 8];
    let file = fs::File::open(root.join("bin/tool")).unwrap();
    assert_eq!(rustix::fs::fgetxattr(&file, "user.note", &mut value[..]), Ok(4));
}

#[test]
fn an_image_is_a_directory_while_the_work_lasts_and_never_in_the_mount_table() {
    let lab = Lab::new();
    let image = squashfs(&lab, &userland(&lab));
    let before = (&lab.machine as &dyn Observe).mounts().unwrap();
    with_work(&lab, |work| {
        let dir = work.media(&image).unwrap();
        assert_eq!(fs::read_to_string(dir.join("bin/tool")).unwrap(), "a tool");
        assert!(fs::write(dir.join("bin/tool"), "x").is_err(), "it is read-only");
        assert_eq!((&lab.machine as &dyn Observe).mounts().unwrap(), before);
        assert!(backing_files().iter().any(|file| file.trim() == image));
        work.take_tree(&dir).unwrap();
    });
    assert!(!backing_files().iter().any(|file| file.trim() == image), "the loop device is free again");
    assert_taken(&lab.root);
}

/// Where the kernel has no ISO 9660, just that is said; where it has, the image is shown.
#[test]
fn an_iso_image_is_mounted_where_the_kernel_can() {
    let lab = Lab::new();
    let image = lab.host.join("cd.iso");
    let tree = userland(&lab);
    run(&lab, &["xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", image.as_str(), tree.as_str()]);
    let can = (&lab.machine as &dyn Observe).has_fs("iso9660").unwrap();
    with_work(&lab, |work| match work.media(&image) {
        Ok(dir) => assert_eq!(fs::read_to_string(dir.join("bin/tool")).unwrap(), "a tool"),
        Err(error) => {
            assert!(!can && error.kind() == ErrorKind::Unavailable, "{error}");
            assert!(error.to_string().contains("iso9660"), "{error}");
        }
    });
    assert!(!backing_files().iter().any(|file| file.trim() == image));
}

#[test]
fn what_is_no_image_is_refused() {
    let lab = Lab::new();
    fs::write(lab.host.join("text"), "no image").unwrap();
    fs::write(lab.host.join("liar"), [b"hsqs".as_slice(), &[0xff; 4096]].concat()).unwrap();
    symlink("text", lab.host.join("link")).unwrap();
    mknodat(CWD, lab.host.join("pipe").as_str(), FileType::Fifo, Mode::RUSR, 0).unwrap();
    with_work(&lab, |work| {
        for (name, kind) in [
            ("text", ErrorKind::BadData),
            ("liar", ErrorKind::BadData),
            ("pipe", ErrorKind::BadData),
            ("missing", ErrorKind::NotFound),
        ] {
            let error = work.media(&lab.host.join(name)).unwrap_err();
            assert!(error.kind() == kind && error.to_string().contains(name), "{name}: {error}");
        }
        assert!(work.media(&lab.host.join("link")).is_err(), "a link is not followed");
    });
}

#[test]
fn a_tree_is_taken_with_everything_but_what_is_mounted_in_it() {
    let lab = Lab::with_mounts();
    let tree = userland(&lab);
    fs::create_dir(tree.join("home")).unwrap();
    fs::create_dir_all(lab.host.join("private")).unwrap();
    fs::write(lab.host.join("private/letter"), "not for others").unwrap();
    let at = Place::host(tree.join("home"));
    let mount = Mount::new(at, MountFs::Null { source: lab.host.join("private") });
    lab.apply(&Step::Mount(mount.clone())).unwrap();
    with_work(&lab, |work| work.take_tree(&tree)).unwrap();
    lab.apply(&Step::Unmount(mount)).unwrap();
    assert_taken(&lab.root);
    assert_eq!(fs::read_dir(lab.root.join("home")).unwrap().count(), 0);
}

#[test]
fn taking_a_tree_ends_when_the_user_gives_up() {
    let lab = Lab::new();
    let tree = userland(&lab);
    let cancelled = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let machine = Machine::with_cancel(cancelled);
    let mut show = |_: &Progress| {};
    let mut work = machine.work(&Workplace::beside(&lab.root), &mut show).unwrap();
    assert!(work.take_tree(&tree).unwrap_err().to_string().contains("interrupted"));
}
