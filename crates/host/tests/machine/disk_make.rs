//! The disk of a base is made once, with everything that its template carries; containers' disks are cloned from it.

use std::fs;
use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;
use qchroot_api::{DiskFs, DiskStep, ErrorKind, Mount, MountFs, Place, Step};
use qchroot_engine::{Host, Probe};
use qchroot_host::Machine;

use crate::disk_files::{
    ALL, MIB, assert_same, clone, listing, look, names, on_disk, plant, ready, template,
};
use crate::disks::{run, shown};
use crate::support::Lab;

#[test]
fn a_bases_disk_has_all_that_its_template_has_and_is_small() {
    for fs in ALL {
        let lab = Lab::with_mounts();
        let tree = lab.host.join("tree");
        plant(&tree, 300);
        let (at, step) = template(&lab, fs, &tree);
        assert_eq!(lab.probe(&step), Probe::Absent);
        lab.apply(&step).unwrap();
        assert_eq!(lab.probe(&step), Probe::Present);
        let info = look(&lab, &at);
        assert!(info.clean && info.fs == Some(fs) && info.fs_length == info.length, "{info:?}");
        assert!(info.length <= fs.smallest() + 40 * MIB && info.allocated < 24 * MIB, "{info:?}");
        assert_eq!(fs::metadata(&at).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(names(at.parent().unwrap()), [format!("{fs}.img"), format!("{fs}.lock")]);
        assert_same(&listing(&tree), &on_disk(&lab, &at, fs), fs.name());
        let ino = fs::metadata(&at).unwrap().ino();
        lab.apply(&step).unwrap();
        assert_eq!(fs::metadata(&at).unwrap().ino(), ino, "what is there is taken as it is");
    }
}

#[test]
fn directories_and_links_are_put_beside_the_tree() {
    let lab = Lab::with_mounts();
    let tree = lab.host.join("tree");
    plant(&tree, 3);
    let at = lab.host.join("disks/ext4.img");
    let step = DiskStep::Template {
        at: at.clone(),
        fs: DiskFs::Ext4,
        tree,
        dirs: vec!["sharedfs".into(), "bin".into(), "usr/src".into()],
        links: vec![("lib".into(), "sharedfs/lib".into()), ("usr/lib/x".into(), "../../sharedfs/x".into())],
    };
    lab.apply(&Step::Disk(step)).unwrap();
    let mount = Mount::new(Place::host(&lab.root), MountFs::Disk { file: at, fs: DiskFs::Ext4 });
    lab.apply(&Step::Mount(mount)).unwrap();
    assert_eq!(fs::metadata(lab.root.join("usr/src")).unwrap().mode() & 0o7777, 0o755);
    assert!(lab.root.join("bin/su").exists() && lab.root.join("sharedfs").is_dir());
    assert_eq!(fs::read_link(lab.root.join("lib")).unwrap().to_str(), Some("sharedfs/lib"));
    assert_eq!(fs::read_link(lab.root.join("usr/lib/x")).unwrap().to_str(), Some("../../sharedfs/x"));
}

#[test]
fn twenty_at_once_make_one_disk_and_sweep_what_a_dead_one_left() {
    let lab = Lab::new();
    let tree = lab.host.join("tree");
    plant(&tree, 50);
    let (at, step) = template(&lab, DiskFs::Ext4, &tree);
    fs::create_dir(at.parent().unwrap()).unwrap();
    fs::write(at.with_file_name(".ext4.img.qchroot-new"), "half").unwrap();
    let made: Vec<u64> = std::thread::scope(|scope| {
        let one = || {
            let machine = Machine::new();
            let end = qchroot_engine::Deadline(machine.steady_clock());
            machine.apply(&step, end).unwrap();
            fs::metadata(&at).unwrap().ino()
        };
        let all: Vec<_> = (0..20).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(made.iter().all(|&ino| ino == made[0]), "{made:?}");
    assert_eq!(names(at.parent().unwrap()), ["ext4.img", "ext4.lock"]);
    assert!(look(&lab, &at).clean && !shown(&at));
}

fn uuid(disk: &Utf8Path) -> String {
    run(&["blkid", "-p", "-s", "UUID", "-o", "value", disk.as_str()])
}

/// The smallest disk that a clone can be.
fn least_clone(lab: &Lab, from: &Utf8Path, fs: DiskFs) -> u64 {
    look(lab, from).length.max(fs.smallest())
}

#[test]
fn clones_have_the_files_the_size_and_an_identity_of_their_own() {
    for fs in ALL {
        let lab = Lab::with_mounts();
        let from = ready(&lab, fs, 100);
        let kept = fs::read(&from).unwrap();
        let length = least_clone(&lab, &from, fs);
        let before = listing(&lab.host.join("tree"));
        let sizes = [length, length + 100 * MIB, 2048 * MIB, 8192 * MIB];
        let mut identities = vec![uuid(&from)];
        for size in sizes {
            let to = lab.host.join(format!("{size}.img"));
            let step = clone(&from, &to, fs, size);
            assert_eq!(lab.probe(&step), Probe::Absent);
            lab.apply(&step).unwrap();
            let info = look(&lab, &to);
            assert_eq!((info.length, info.fs_length, info.clean), (size, size, true), "{fs} {info:?}");
            assert!(info.allocated < 90 * MIB && info.free + 120 * MIB > size / 100 * 85, "{fs} {info:?}");
            identities.push(uuid(&to));
            assert_same(&on_disk(&lab, &to, fs), &before, &format!("{fs} {size}"));
            assert!(matches!(lab.probe(&step), Probe::Conflict(_)));
        }
        identities.sort();
        identities.dedup();
        assert_eq!(identities.len(), sizes.len() + 1, "{fs} {identities:?}");
        assert_eq!(fs::read(&from).unwrap(), kept, "the original was changed");
    }
}

#[test]
fn a_clone_passes_the_file_systems_own_check() {
    for fs in ALL {
        let lab = Lab::with_mounts();
        let from = ready(&lab, fs, 100);
        for size in [least_clone(&lab, &from, fs), 1024 * MIB] {
            let to = lab.host.join("clone.img");
            lab.apply(&clone(&from, &to, fs, size)).unwrap();
            match fs {
                DiskFs::Ext4 => run(&["e2fsck", "-f", "-n", to.as_str()]),
                DiskFs::Xfs => run(&["xfs_repair", "-f", "-n", to.as_str()]),
                _ => run(&["btrfs", "check", "--readonly", to.as_str()]),
            };
            lab.apply(&Step::Disk(DiskStep::Remove { at: to })).unwrap();
        }
    }
}

#[test]
fn a_clone_and_its_original_are_mounted_at_the_same_time() {
    for fs in ALL {
        let lab = Lab::with_mounts();
        let from = ready(&lab, fs, 10);
        let length = least_clone(&lab, &from, fs);
        for number in 0..3 {
            let to = lab.host.join(format!("{number}.img"));
            lab.apply(&clone(&from, &to, fs, length)).unwrap();
            let at = lab.root.with_file_name(format!("root{number}"));
            fs::create_dir(&at).unwrap();
            let mount = Mount::new(Place::host(&at), MountFs::Disk { file: to, fs });
            lab.apply(&Step::Mount(mount)).unwrap();
            fs::write(at.join("own"), number.to_string()).unwrap();
        }
        for number in 0..3 {
            let own = lab.root.with_file_name(format!("root{number}")).join("own");
            assert_eq!(fs::read_to_string(own).unwrap(), number.to_string(), "{fs}");
        }
    }
}

#[test]
fn a_reserved_disk_takes_all_at_once_and_too_large_a_one_is_refused_with_the_figures() {
    let lab = Lab::with_mounts();
    let from = ready(&lab, DiskFs::Ext4, 10);
    let to = lab.host.join("clone.img");
    let reserved = |size| {
        let (from, to) = (from.clone(), to.clone());
        Step::Disk(DiskStep::Clone { from, to, fs: DiskFs::Ext4, size, reserve: true })
    };
    lab.apply(&reserved(256 * MIB)).unwrap();
    assert!(look(&lab, &to).allocated >= 256 * MIB);
    on_disk(&lab, &to, DiskFs::Ext4);
    assert!(look(&lab, &to).allocated >= 256 * MIB, "what was reserved is given back by mounting");
    lab.apply(&Step::Disk(DiskStep::Remove { at: to.clone() })).unwrap();
    let error = lab.apply(&reserved(1 << 50)).unwrap_err();
    assert_eq!(
        (error.kind(), error.fact("wanted")),
        (ErrorKind::Io, Some((1_u64 << 50).to_string().as_str()))
    );
    assert!(error.hint_text().is_some() && error.to_string().contains("1024 TiB"), "{error}");
    assert!(!to.exists());
}

#[test]
fn sizes_that_no_disk_can_have_are_refused() {
    let lab = Lab::with_mounts();
    let from = ready(&lab, DiskFs::Ext4, 10);
    let to = lab.host.join("clone.img");
    let length = least_clone(&lab, &from, DiskFs::Ext4);
    for (size, why) in [(length - 4096, "smallest"), (length + 1, "multiple of 4096"), (0, "smallest")] {
        let error = lab.apply(&clone(&from, &to, DiskFs::Ext4, size)).unwrap_err();
        assert!(error.kind() == ErrorKind::Usage && error.to_string().contains(why), "{error}");
        assert_eq!(error.fact("least"), Some(length.to_string().as_str()));
    }
    assert!(lab.apply(&clone(&from, &to, DiskFs::Ext4, 1 << 62)).is_err());
    assert_eq!(names(&lab.host), ["disks", "tree"]);
}
