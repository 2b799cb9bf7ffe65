//! Real superblocks are read as the tools that made them say; spoilt ones are never believed and do no harm.

use std::fs::File;
use std::io::Read;

use camino::Utf8Path;
use qchroot_api::Command;
use tempfile::TempDir;

use super::*;
use crate::command::run_well;

fn run(argv: &[&str]) {
    run_well(&Command::new(argv.iter().copied())).expect("Debian's packages for tests are installed");
}

fn start_of(path: &Utf8Path) -> Vec<u8> {
    let mut start = vec![];
    File::open(path).unwrap().take(REACH as u64).read_to_end(&mut start).unwrap();
    start
}

fn dir_of(dir: &TempDir) -> &Utf8Path {
    Utf8Path::from_path(dir.path()).unwrap()
}

/// The start of a disk of `mebibytes` that Debian's tools made.
fn made(argv: &[&str], mebibytes: u64) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir_of(&dir).join("disk.img");
    File::create(&path).unwrap().set_len(mebibytes << 20).unwrap();
    run(&[argv, &[path.as_str()]].concat());
    start_of(&path)
}

fn ufs() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let (path, tree) = (dir_of(&dir).join("disk.img"), dir_of(&dir).join("tree"));
    std::fs::create_dir(&tree).unwrap();
    let shape = "version=2,bsize=32768,fsize=4096";
    run(&["makefs", "-t", "ffs", "-B", "le", "-o", shape, "-s", "20m", path.as_str(), tree.as_str()]);
    start_of(&path)
}

fn real() -> [(DiskFs, Vec<u8>, u64); 4] {
    [
        (DiskFs::Ext4, made(&["mkfs.ext4", "-q", "-b", "4096"], 64), 64 << 20),
        (DiskFs::Xfs, made(&["mkfs.xfs", "-q", "-s", "size=4096"], 300), 300 << 20),
        (DiskFs::Btrfs, made(&["mkfs.btrfs", "-q"], 300), 300 << 20),
        (DiskFs::Ufs, ufs(), 20 << 20),
    ]
}

#[test]
fn each_file_system_is_known_by_its_superblock_with_its_length_and_that_it_is_clean() {
    for (fs, start, length) in real() {
        let Content::Sound(found) = recognise(&start) else { panic!("{fs}: {:?}", recognise(&start)) };
        assert_eq!((found.fs, found.length, found.clean, found.sector), (fs, length, true, 4096));
        assert!(found.free > length / 2 && found.free <= length && found.kept < length / 3, "{found:?}");
    }
}

#[test]
fn small_blocks_ask_for_small_sectors() {
    for (argv, sector) in [
        (["mkfs.ext4", "-q", "-b", "1024"].as_slice(), 1024),
        (["mkfs.xfs", "-q", "-s", "size=512"].as_slice(), 512),
    ] {
        let Content::Sound(found) = recognise(&made(argv, 300)) else { panic!("{argv:?}") };
        assert_eq!(found.sector, sector);
    }
}

#[test]
fn an_ext4_that_was_not_unmounted_or_has_errors_is_not_clean() {
    let start = made(&["mkfs.ext4", "-q", "-O", "^metadata_csum"], 64);
    let with = |offset: usize, bits: u8| {
        let mut start = start.clone();
        start[1024 + offset] ^= bits;
        recognise(&start)
    };
    for (offset, bits) in [(0x3A, 1), (0x3A, 2), (0x60, 4)] {
        assert!(matches!(with(offset, bits), Content::Sound(found) if !found.clean), "{offset:#x}");
    }
    assert!(matches!(with(0x60, 8), Content::Damaged(DiskFs::Ext4, why) if why.contains("journal")));
}

#[test]
fn a_ufs_that_was_not_unmounted_is_not_clean() {
    let mut start = ufs();
    start[8192 + 209] = 0;
    assert!(matches!(recognise(&start), Content::Sound(found) if !found.clean));
}

#[test]
fn a_superblock_with_a_checksum_is_not_believed_when_one_bit_of_it_is_wrong() {
    for (fs, start, _) in real().into_iter().filter(|(fs, ..)| *fs != DiskFs::Ufs) {
        let free = match fs {
            DiskFs::Ext4 => 1024 + 0x0C,
            DiskFs::Xfs => 150,
            _ => (64 << 10) + 0x78,
        };
        let mut spoilt = start.clone();
        spoilt[free] ^= 0x10;
        assert_eq!(recognise(&spoilt), Content::Damaged(fs, "its checksum is wrong"));
    }
}

#[test]
fn what_else_a_file_can_hold_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let image = dir_of(&dir).join("image");
    run(&["mksquashfs", "/etc/hostname", image.as_str(), "-quiet"]);
    assert_eq!(recognise(&start_of(&image)), Content::Foreign("squashfs"));
    assert_eq!(recognise(&vec![0; REACH]), Content::Unknown);
    assert_eq!(recognise(b""), Content::Unknown);
}

/// A simple generator of numbers (xorshift64), so that a failure can be seen again.
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 16) as usize
}

/// The bytes in which anything but zero can be, which are the ones worth spoiling.
fn places(start: &[u8]) -> Vec<usize> {
    [0..512, 1024..2048, 8192..8192 + 1376, 65536..65536 + 4096]
        .into_iter()
        .flatten()
        .filter(|&at| start.get(at).is_some_and(|&byte| byte != 0))
        .collect()
}

#[test]
fn no_bytes_at_all_make_the_parser_fail_or_believe_nonsense() {
    let mut state = 0x2545_F491_4F6C_DD1D;
    let old = made(&["mkfs.ext4", "-q", "-O", "^metadata_csum"], 64);
    for (fs, start, _) in real().into_iter().chain([(DiskFs::Ext4, old, 0)]) {
        let places = places(&start);
        for round in 0..5000 {
            let mut spoilt = start.clone();
            for _ in 0..=next(&mut state) % 4 {
                let at = places[next(&mut state) % places.len()];
                spoilt[at] = [0, 0xff, 0x80, next(&mut state) as u8][next(&mut state) % 4];
            }
            if round % 5 == 0 {
                spoilt.truncate(next(&mut state) % spoilt.len());
            }
            if let Content::Sound(found) = recognise(&spoilt) {
                assert!(found.length > 0 && found.free <= found.length, "{fs}: {found:?}");
                assert!(found.kept <= found.free && found.sector.is_power_of_two(), "{fs}: {found:?}");
            }
        }
    }
}
