//! Disks become larger in place and smaller by a copy, and lose nothing wherever that is interrupted.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use qchroot_api::{DiskFs, DiskStep, ErrorKind, Mount, MountFs, Place, Result, Step};
use qchroot_engine::{Host, Probe};

use crate::disk_files::{ALL, MIB, assert_same, clone, listing, look, names, on_disk, ready};
use crate::disks::run;
use crate::support::Lab;

fn rebuild(from: &Utf8Path, to: &Utf8Path, fs: DiskFs, size: u64) -> Step {
    Step::Disk(DiskStep::Rebuild { from: from.into(), to: to.into(), fs, size, reserve: false })
}

fn grow(at: &Utf8Path, fs: DiskFs, from: u64, to: u64, mounted: Option<Place>) -> Step {
    Step::Disk(DiskStep::Grow { at: at.into(), fs, from, to, reserve: false, mounted })
}

fn least(fs: DiskFs) -> u64 {
    if fs == DiskFs::Ext4 { 24 * MIB } else { fs.smallest() + 32 * MIB }
}

#[test]
fn a_smaller_disk_has_every_file_and_the_old_one_is_untouched() {
    for fs in ALL {
        let lab = Lab::with_mounts();
        let (old, new) = (lab.host.join("disk.img"), lab.host.join("disk.new"));
        lab.apply(&clone(&ready(&lab, fs, 200), &old, fs, 512 * MIB)).unwrap();
        let before = on_disk(&lab, &old, fs);
        let kept = lab.host.join("kept.img");
        run(&["cp", "--sparse=always", old.as_str(), kept.as_str()]);
        let step = rebuild(&old, &new, fs, least(fs));
        assert_eq!(lab.probe(&step), Probe::Absent);
        lab.apply(&step).unwrap();
        assert_eq!(look(&lab, &new).fs_length, least(fs));
        assert_same(&on_disk(&lab, &new, fs), &before, fs.name());
        run(&["cmp", old.as_str(), kept.as_str()]);
        assert_eq!(names(&lab.host), ["disk.img", "disk.new", "disks", "kept.img", "tree"]);
    }
}

#[test]
fn what_does_not_fit_is_refused_with_the_figures_and_nothing_is_left() {
    let lab = Lab::with_mounts();
    fs::create_dir(lab.host.join("tree")).unwrap();
    fs::write(lab.host.join("tree/large"), vec![1; 40 << 20]).unwrap();
    let old = ready(&lab, DiskFs::Ext4, 0);
    let new = lab.host.join("disk.new");
    for size in [16 * MIB, 40 * MIB + 4096] {
        let error = lab.apply(&rebuild(&old, &new, DiskFs::Ext4, size)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        let fact = |name| error.fact(name).unwrap().parse::<u64>().unwrap();
        assert!(fact("needed") > 40 * MIB && fact("room") < 42 * MIB && fact("size") == size, "{error}");
    }
    let error = lab.apply(&rebuild(&old, &new, DiskFs::Ext4, 4 * MIB)).unwrap_err();
    assert_eq!(error.fact("least"), Some(DiskFs::Ext4.smallest().to_string().as_str()));
    assert_eq!(names(&lab.host), ["disks", "tree"]);
    lab.apply(&rebuild(&old, &new, DiskFs::Ext4, 64 * MIB)).unwrap();
}

#[test]
fn a_stopped_disk_grows_and_growing_again_is_fine() {
    for fs in ALL {
        let lab = Lab::with_mounts();
        let at = lab.host.join("disk.img");
        lab.apply(&clone(&ready(&lab, fs, 100), &at, fs, 300 * MIB)).unwrap();
        let before = listing(&lab.host.join("tree"));
        for (from, to) in [(300, 301), (301, 1000), (1000, 20000)] {
            let step = grow(&at, fs, from * MIB, to * MIB, None);
            assert_eq!(lab.probe(&step), Probe::Absent);
            lab.apply(&step).unwrap();
            lab.apply(&step).unwrap();
            let info = look(&lab, &at);
            assert_eq!(info.length, to * MIB);
            assert!(info.fs_length + MIB >= to * MIB && info.clean, "{fs} {info:?}");
            assert_same(&on_disk(&lab, &at, fs), &before, fs.name());
        }
        assert_eq!(lab.probe(&grow(&at, fs, 1000 * MIB, 20000 * MIB, None)), Probe::Present);
        let smaller = grow(&at, fs, 20000 * MIB, 400 * MIB, None);
        assert!(matches!(lab.probe(&smaller), Probe::Conflict(_)));
        assert_eq!(lab.apply(&smaller).unwrap_err().kind(), ErrorKind::Usage);
        assert!(look(&lab, &at).allocated < 200 * MIB, "{fs}");
        assert_eq!(names(&lab.host), ["disk.img", "disks", "tree"]);
    }
}

/// What growing under the mount says, while a file on it is being written.
fn grown_while_written(lab: &Lab, fs: DiskFs) -> Result<()> {
    let at = lab.host.join("disk.img");
    lab.apply(&clone(&ready(lab, fs, 20), &at, fs, 300 * MIB)).unwrap();
    let mount = Mount::new(Place::host(&lab.root), MountFs::Disk { file: at.clone(), fs });
    lab.apply(&Step::Mount(mount.clone())).unwrap();
    let mut log = fs::File::create(lab.root.join("written")).unwrap();
    let step = grow(&at, fs, 300 * MIB, 700 * MIB, Some(Place::host(&lab.root)));
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            (0..200_u32).for_each(|n| std::io::Write::write_all(&mut log, &[n as u8; 65536]).unwrap());
        });
        let grown = lab.apply(&step);
        writer.join().unwrap();
        let free = rustix::fs::statvfs(lab.root.as_str()).unwrap();
        let large = free.f_blocks * free.f_frsize > 500 * MIB;
        assert_eq!(large, grown.is_ok(), "{fs}");
        lab.apply(&Step::Unmount(mount)).unwrap();
        grown
    })
}

#[test]
fn a_mounted_disk_grows_where_the_kernel_can_and_is_left_as_it_was_where_not() {
    for fs in ALL {
        let lab = Lab::with_mounts();
        let grown = grown_while_written(&lab, fs);
        let info = look(&lab, &lab.host.join("disk.img"));
        match grown {
            Ok(()) => assert_eq!((info.length, info.fs_length), (700 * MIB, 700 * MIB), "{fs}"),
            Err(error) => {
                assert_eq!((fs, error.kind()), (DiskFs::Ext4, ErrorKind::Permission), "{error}");
                assert_eq!(error.fact("capability"), Some("CAP_SYS_RESOURCE"));
                assert!(error.hint_text().unwrap().contains("stop"), "{error:?}");
                assert_eq!((info.length, info.fs_length), (300 * MIB, 300 * MIB));
            }
        }
        let mut files = on_disk(&lab, &lab.host.join("disk.img"), fs);
        files.remove("/written").unwrap();
        let root = files.remove("").unwrap();
        assert!(root.starts_with("40755"), "{root}");
        let mut before = listing(&lab.host.join("tree"));
        before.remove("");
        assert_same(&files, &before, fs.name());
    }
}

const ROLE: &str = "QCHROOT_TEST_GROW";

#[test]
#[ignore = "a part of the next one, in a process that is killed"]
fn role_grow() {
    let words = std::env::var(ROLE).unwrap();
    let (fs, at) = words.split_once(':').unwrap();
    let machine = qchroot_host::Machine::new();
    let step = grow(Utf8Path::new(at), DiskFs::of_name(fs).unwrap(), 300 * MIB, 900 * MIB, None);
    machine.apply(&step, qchroot_engine::Deadline(machine.steady_clock())).unwrap();
}

/// Begins to grow the disk in a process of its own.
#[expect(clippy::disallowed_methods, reason = "this program itself, to be killed")]
fn growing(at: &Utf8Path, fs: DiskFs) -> Child {
    let role = ["--exact", "disk_grow::role_grow", "--ignored"];
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(role).env(ROLE, format!("{fs}:{at}")).stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn growing_that_is_killed_anywhere_loses_nothing_and_is_done_again() {
    for (fs, rounds) in [(DiskFs::Ext4, 24), (DiskFs::Xfs, 6), (DiskFs::Btrfs, 6)] {
        let lab = Lab::with_mounts();
        let (first, at) = (lab.host.join("first.img"), lab.host.join("disk.img"));
        lab.apply(&clone(&ready(&lab, fs, 60), &first, fs, 300 * MIB)).unwrap();
        let before = listing(&lab.host.join("tree"));
        let mut whole = Duration::ZERO;
        for round in 0..=rounds {
            run(&["cp", "--sparse=always", first.as_str(), at.as_str()]);
            let begun = Instant::now();
            let mut child = growing(&at, fs);
            if round == 0 {
                assert!(child.wait().unwrap().success());
                whole = begun.elapsed();
            } else {
                std::thread::sleep(whole * round / rounds);
                child.kill().unwrap();
                child.wait().unwrap();
                assert_same(&on_disk(&lab, &at, fs), &before, &format!("{fs} killed in round {round}"));
            }
            lab.apply(&grow(&at, fs, 300 * MIB, 900 * MIB, None)).unwrap();
            let info = look(&lab, &at);
            assert_eq!(
                (info.length, info.fs_length, info.clean),
                (900 * MIB, 900 * MIB, true),
                "{fs} {round}"
            );
            assert_same(&on_disk(&lab, &at, fs), &before, &format!("{fs} grown in round {round}"));
            assert_eq!(names(&lab.host), ["disk.img", "disks", "first.img", "tree"]);
        }
        if fs == DiskFs::Ext4 {
            run(&["e2fsck", "-f", "-n", at.as_str()]);
        }
    }
}
