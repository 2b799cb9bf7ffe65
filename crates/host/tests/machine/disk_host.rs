//! What disks take of the host's space: blocks are shared where its file system can, and a full host loses nothing.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskFs, DiskStep, ErrorKind, Mount, MountFs, Place, Step};

use crate::disk_files::{MIB, assert_same, clone, listing, look, names, on_disk, plant, ready};
use crate::support::Lab;

/// A host's file system of its own: an XFS of a clone of a base's disk.
fn small_host(lab: &Lab) -> Utf8PathBuf {
    let at = lab.host.join("host.img");
    lab.apply(&clone(&ready(lab, DiskFs::Xfs, 5), &at, DiskFs::Xfs, 400 * MIB)).unwrap();
    let dir = lab.root.with_file_name("small");
    fs::create_dir(&dir).unwrap();
    let mount = Mount::new(Place::host(&dir), MountFs::Disk { file: at, fs: DiskFs::Xfs });
    lab.apply(&Step::Mount(mount)).unwrap();
    fs::create_dir(dir.join("disks")).unwrap();
    dir.join("disks")
}

fn free(dir: &Utf8Path) -> u64 {
    let stat = rustix::fs::statvfs(dir.as_str()).unwrap();
    stat.f_bavail * stat.f_frsize
}

#[test]
fn clones_share_their_blocks_where_the_host_can() {
    let lab = Lab::with_mounts();
    let dir = small_host(&lab);
    let tree = lab.host.join("large");
    plant(&tree, 5);
    fs::write(tree.join("large"), vec![7; 60 << 20]).unwrap();
    let from = dir.join("ext4.img");
    let template = DiskStep::Template {
        at: from.clone(),
        fs: DiskFs::Ext4,
        tree: tree.clone(),
        dirs: vec![],
        links: vec![],
    };
    lab.apply(&Step::Disk(template)).unwrap();
    let before = free(&dir);
    for number in 0..10 {
        let to = dir.join(format!("{number}.img"));
        lab.apply(&clone(&from, &to, DiskFs::Ext4, 256 * MIB)).unwrap();
        assert!(look(&lab, &to).allocated > 60 * MIB);
    }
    assert!(before - free(&dir) < 60 * MIB, "ten copies took {} bytes", before - free(&dir));
    assert_same(&on_disk(&lab, &dir.join("9.img"), DiskFs::Ext4), &listing(&tree), "shared");
}

#[test]
fn a_full_host_is_told_with_the_figures_and_has_nothing_half_made() {
    let lab = Lab::with_mounts();
    plant(&lab.host.join("tree"), 300);
    let (dir, from) = (small_host(&lab), ready(&lab, DiskFs::Ext4, 300));
    fs::write(dir.join("fill"), vec![1; usize::try_from(free(&dir) - MIB).unwrap()]).unwrap();
    let to = dir.join("disk.img");
    let error = lab.apply(&clone(&from, &to, DiskFs::Ext4, 64 * MIB)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.fact("free").is_some() && error.fact("wanted").is_some(), "{error:?}");
    assert_eq!(names(&dir), ["fill"]);
    let fill = fs::File::options().write(true).open(dir.join("fill")).unwrap();
    fill.set_len(fill.metadata().unwrap().len() - 60 * MIB).unwrap();
    lab.apply(&clone(&from, &to, DiskFs::Ext4, 64 * MIB)).unwrap();
    let grow = |reserve| {
        let (at, from, to) = (to.clone(), 64 * MIB, 200 * MIB);
        Step::Disk(DiskStep::Grow { at, fs: DiskFs::Ext4, from, to, reserve, mounted: None })
    };
    let error = lab.apply(&grow(true)).unwrap_err();
    assert_eq!((error.kind(), look(&lab, &to).length), (ErrorKind::Io, 64 * MIB), "{error}");
    assert_eq!(names(&dir), ["disk.img", "fill"]);
    lab.apply(&grow(false)).unwrap();
    assert_eq!(look(&lab, &to).fs_length, 200 * MIB);
}
