//! A disk that is not in order ends in order, or is refused with a word on what to do: whatever happened to it.

use std::fs;
use std::os::unix::fs::FileExt;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskCheck, DiskFs, DiskStep, Error, ErrorKind, Mount, MountFs, Place, Result, Step};
use qchroot_engine::Probe;

use crate::disk_files::{ALL, MIB, assert_same, clone, listing, look, on_disk, ready};
use crate::disks::run;
use crate::support::Lab;

fn check(lab: &Lab, at: &Utf8Path, fs: DiskFs, how: DiskCheck) -> Step {
    Step::Disk(DiskStep::Check { at: at.into(), fs, how, log: lab.host.join("log/disk.log") })
}

fn mount(lab: &Lab, at: &Utf8Path, fs: DiskFs) -> Mount {
    Mount::new(Place::host(&lab.root), MountFs::Disk { file: at.into(), fs })
}

/// A disk as a power cut leaves it: copied while files are written to it.
fn unclean(lab: &Lab, fs: DiskFs) -> Utf8PathBuf {
    let (at, cut) = (lab.host.join("disk.img"), lab.host.join("cut.img"));
    lab.apply(&clone(&ready(lab, fs, 50), &at, fs, 300 * MIB)).unwrap();
    lab.apply(&Step::Mount(mount(lab, &at, fs))).unwrap();
    for number in 0..30 {
        fs::write(lab.root.join(format!("many/new{number}")), vec![number; 9000]).unwrap();
    }
    rustix::fs::syncfs(fs::File::open(&lab.root).unwrap()).unwrap();
    fs::remove_file(lab.root.join("many/new7")).unwrap();
    run(&["cp", "--sparse=always", at.as_str(), cut.as_str()]);
    lab.apply(&Step::Unmount(mount(lab, &at, fs))).unwrap();
    cut
}

fn log_of(lab: &Lab) -> String {
    fs::read_to_string(lab.host.join("log/disk.log")).unwrap()
}

#[test]
fn a_disk_that_was_not_unmounted_is_put_in_order_and_the_log_says_how() {
    for fs in ALL {
        let lab = Lab::with_mounts();
        let at = unclean(&lab, fs);
        if fs == DiskFs::Ext4 {
            let refuse = check(&lab, &at, fs, DiskCheck::Refuse);
            assert_eq!(lab.probe(&refuse), Probe::Absent);
            let error = lab.apply(&refuse).unwrap_err();
            assert_eq!((error.kind(), error.hint_text().is_some()), (ErrorKind::BadData, true), "{error}");
            let preen = check(&lab, &at, fs, DiskCheck::Preen);
            assert_eq!(lab.probe(&preen), Probe::Absent);
            lab.apply(&preen).unwrap();
            assert_eq!(lab.probe(&preen), Probe::Present);
            let log = log_of(&lab);
            assert!(log.contains("recovering journal") && log.contains("e2fsck -p"), "{log}");
            assert!(log.trim_end().ends_with("repaired"), "{log}");
        }
        let full = check(&lab, &at, fs, DiskCheck::Full);
        assert_eq!(lab.probe(&full), Probe::Absent, "it is always done");
        lab.apply(&full).unwrap();
        assert!(log_of(&lab).lines().last().unwrap().ends_with("clean"), "{}", log_of(&lab));
        let files = on_disk(&lab, &at, fs);
        assert!(files.contains_key("/many/new29"), "{fs}");
    }
}

#[test]
fn a_disk_that_is_cut_short_is_refused_with_both_figures_until_it_is_to_be_repaired() {
    for fs in ALL {
        let lab = Lab::with_mounts();
        let at = lab.host.join("disk.img");
        lab.apply(&clone(&ready(&lab, fs, 50), &at, fs, 512 * MIB)).unwrap();
        fs::File::options().write(true).open(&at).unwrap().set_len(400 * MIB).unwrap();
        for how in [DiskCheck::Preen, DiskCheck::Full, DiskCheck::Refuse] {
            let step = check(&lab, &at, fs, how);
            assert_eq!(lab.probe(&step), Probe::Absent, "{fs} {how:?}");
            let error = lab.apply(&step).unwrap_err();
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::BadData);
            assert!(text.contains("419430400") && text.contains("536870912"), "{text}");
            assert!(error.hint_text().unwrap().contains("--repair"), "{error:?}");
        }
        let repaired = lab.apply(&check(&lab, &at, fs, DiskCheck::Repair));
        assert_eq!(look(&lab, &at).length, 512 * MIB);
        match repaired {
            Ok(()) => {
                assert!(log_of(&lab).trim_end().ends_with("repaired"), "{}", log_of(&lab));
                assert_same(&on_disk(&lab, &at, fs), &listing(&lab.host.join("tree")), fs.name());
            }
            Err(error) => hinted(&error),
        }
    }
}

#[test]
fn a_foreign_file_system_and_a_disk_in_use_are_refused() {
    let lab = Lab::with_mounts();
    let at = lab.host.join("disk.img");
    lab.apply(&clone(&ready(&lab, DiskFs::Xfs, 5), &at, DiskFs::Xfs, 300 * MIB)).unwrap();
    for how in [DiskCheck::Preen, DiskCheck::Full, DiskCheck::Repair, DiskCheck::Refuse] {
        let error = lab.apply(&check(&lab, &at, DiskFs::Ext4, how)).unwrap_err();
        assert!(error.kind() == ErrorKind::BadData && error.to_string().contains("holds xfs"), "{error}");
    }
    lab.apply(&Step::Mount(mount(&lab, &at, DiskFs::Xfs))).unwrap();
    let error = lab.apply(&check(&lab, &at, DiskFs::Xfs, DiskCheck::Full)).unwrap_err();
    assert!(error.kind() == ErrorKind::Busy && error.fact("device").is_some(), "{error}");
    let missing = lab.host.join("nowhere.img");
    let error = lab.apply(&check(&lab, &missing, DiskFs::Xfs, DiskCheck::Preen)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// A generator whose numbers are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Overwrites pieces of what is written on a disk, or zeros them, or cuts the end off.
fn spoil(at: &Utf8Path, random: &mut Random) {
    let file = fs::File::options().read(true).write(true).open(at).unwrap();
    let length = file.metadata().unwrap().len();
    for _ in 0..=random.below(12) {
        let from = if random.below(3) == 0 { random.below(2 * MIB) } else { random.below(length) };
        let Ok(start) = rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(from)) else { continue };
        let size = usize::try_from(1 + random.below(8192)).unwrap();
        let zeros = random.below(2) == 0;
        let noise = (0..size).map(|_| if zeros { 0 } else { u8::try_from(random.below(256)).unwrap() });
        file.write_all_at(&noise.collect::<Vec<_>>(), start + random.below(4096)).unwrap();
    }
    file.set_len(if random.below(5) == 0 { random.below(length) } else { length }).unwrap();
}

fn hinted(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::BadData, "{error:?}");
    assert!(error.hint_text().is_some_and(|hint| !hint.is_empty()), "{error:?}");
}

/// As a user does: a look at everything, and where that says so every repair.
fn look_and_repair(lab: &Lab, at: &Utf8Path, fs: DiskFs) -> Result<()> {
    lab.apply(&check(lab, at, fs, DiskCheck::Full)).or_else(|error| {
        hinted(&error);
        lab.apply(&check(lab, at, fs, DiskCheck::Repair))
    })
}

#[test]
fn disks_spoiled_anywhere_end_in_order_or_refused() {
    for (fs, number) in [(DiskFs::Ext4, 30), (DiskFs::Xfs, 12), (DiskFs::Btrfs, 12)] {
        let lab = Lab::with_mounts();
        let (first, at) = (lab.host.join("first.img"), lab.host.join("disk.img"));
        lab.apply(&clone(&ready(&lab, fs, 100), &first, fs, 300 * MIB)).unwrap();
        let mut random = Random(2026);
        let mut refused = 0;
        for round in 0..number {
            run(&["cp", "--sparse=always", first.as_str(), at.as_str()]);
            spoil(&at, &mut random);
            match look_and_repair(&lab, &at, fs) {
                Ok(()) => {
                    let files = on_disk(&lab, &at, fs);
                    assert!(!files.is_empty(), "{fs} {round}");
                }
                Err(error) => {
                    hinted(&error);
                    refused += 1;
                }
            }
        }
        assert!(refused < number, "{fs}: nothing was ever put in order");
    }
}
