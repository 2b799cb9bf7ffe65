//! Disks that were spoilt at random places: each is mounted or refused with a reason, in bounded time, and none leaves a
//! device or a mount behind. The places come from a fixed seed, so that a failure can be seen again.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};

use camino::Utf8Path;
use qchroot_api::{DiskFs, ErrorKind, Observe, Step};
use qchroot_engine::Probe;

use crate::disks::{disk, mount_of, run, shown};
use crate::support::Lab;

/// A simple generator of numbers: xorshift64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

/// A disk with a few hundred files in it.
fn furnished(lab: &Lab, fs: DiskFs) -> camino::Utf8PathBuf {
    let file = disk(lab, fs);
    let mount = mount_of(lab, &file, fs);
    lab.apply(&Step::Mount(mount.clone())).unwrap();
    for dir in 0..10 {
        let dir = lab.root.join(dir.to_string());
        fs::create_dir(&dir).unwrap();
        (0..30).for_each(|n| fs::write(dir.join(n.to_string()), [7; 5000]).unwrap());
    }
    lab.apply(&Step::Unmount(mount)).unwrap();
    file
}

/// The blocks of 4096 bytes that are not holes.
fn blocks_with_data(file: &File) -> Vec<u64> {
    let mut blocks = vec![];
    let mut at = 0;
    while let Ok(start) = rustix::fs::seek(file, rustix::fs::SeekFrom::Data(at)) {
        let end = rustix::fs::seek(file, rustix::fs::SeekFrom::Hole(start)).unwrap();
        blocks.extend(start / 4096..end.div_ceil(4096));
        at = end;
    }
    blocks
}

/// Changes a few blocks, and every now and then the length.
fn spoil(file: &File, blocks: &[u64], dice: &mut Dice) {
    for _ in 0..=dice.roll(6) {
        // The first blocks lead to all the others.
        let among = if dice.roll(2) == 0 { blocks.len().min(32) } else { blocks.len() };
        let at = blocks[dice.roll(among as u64) as usize] * 4096;
        let mut block = vec![0; 4096];
        file.read_exact_at(&mut block, at).unwrap();
        let start = dice.roll(4096) as usize;
        match dice.roll(3) {
            0 => block[start] ^= 1 << dice.roll(8),
            1 => block[start..].fill(0xff),
            _ => block.fill(0),
        }
        file.write_all_at(&block, at).unwrap();
    }
    if dice.roll(5) == 0 {
        file.set_len(dice.roll(file.metadata().unwrap().len())).unwrap();
    }
}

/// As a container would use it: everything is looked at, and something written. The kernel's errors are welcome.
fn use_it(root: &Utf8Path) {
    let mut left = vec![root.to_owned()];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().take(1000).flatten() {
            let Ok(path) = camino::Utf8PathBuf::from_path_buf(entry.path()) else { continue };
            match fs::symlink_metadata(&path) {
                Ok(stat) if stat.is_dir() && left.len() < 1000 => left.push(path),
                Ok(stat) if stat.is_file() && stat.size() < 1 << 20 => drop(fs::read(&path)),
                _ => {}
            }
        }
    }
    let _ = fs::write(root.join("new"), [8; 20000]);
}

fn spoil_and_mount(fs: DiskFs, rounds: u32) {
    let lab = Lab::in_memory();
    let path = furnished(&lab, fs);
    let pristine = lab.host.join("pristine");
    let file = File::options().read(true).write(true).open(&path).unwrap();
    let blocks = blocks_with_data(&file);
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ fs as u64);
    let (mut mounted, mut refused) = (0, 0);
    let on = Step::Mount(mount_of(&lab, &path, fs));
    run(&["cp", "--sparse=always", path.as_str(), pristine.as_str()]);
    for round in 0..rounds {
        spoil(&file, &blocks, &mut dice);
        let looked = (&lab.machine as &dyn Observe).disk(&path).unwrap().unwrap();
        assert!(looked.attached.is_empty() && looked.used <= looked.fs_length, "{fs} {round}: {looked:?}");
        match lab.apply(&on) {
            Ok(()) => {
                mounted += 1;
                use_it(&lab.root);
                lab.apply(&Step::Unmount(mount_of(&lab, &path, fs))).unwrap();
            }
            Err(error) => {
                refused += 1;
                assert!(matches!(error.kind(), ErrorKind::BadData | ErrorKind::Io), "{fs} {round}: {error}");
                assert!(error.to_string().contains(path.as_str()), "{fs} {round}: {error}");
            }
        }
        assert!(!shown(&path) && lab.probe(&on) == Probe::Absent, "{fs} {round}");
        run(&["cp", "--sparse=always", pristine.as_str(), path.as_str()]);
    }
    assert!(mounted > 0 && refused > 0, "{fs}: {mounted} mounted, {refused} refused");
}

#[test]
fn a_spoilt_ext4_is_mounted_or_refused() {
    spoil_and_mount(DiskFs::Ext4, 60);
}

#[test]
fn a_spoilt_xfs_is_mounted_or_refused() {
    spoil_and_mount(DiskFs::Xfs, 40);
}

#[test]
fn a_spoilt_btrfs_is_mounted_or_refused() {
    spoil_and_mount(DiskFs::Btrfs, 40);
}
