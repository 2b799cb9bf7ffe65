//! Disks: made, cloned, mounted, checked, grown and refused.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use camino::Utf8PathBuf;
use qchroot_api::{DiskCheck, DiskFs, DiskStep, Mount, MountFs, Place, Query, Step};
use qchroot_testkit::Flaw;

use super::Pair;

const MIB: u64 = 1 << 20;
const FS: DiskFs = DiskFs::Ext4;

impl Pair {
    fn path(&self, name: &str) -> Utf8PathBuf {
        self.dir.join(name)
    }

    fn template(&self, at: &str, tree: &str) -> Step {
        Step::Disk(DiskStep::Template {
            at: self.path(at),
            fs: FS,
            tree: self.path(tree),
            dirs: vec!["sharedfs".into()],
            links: vec![("bin".into(), "sharedfs/bin".into())],
        })
    }

    fn clone(&self, from: &str, to: &str, size: u64) -> Step {
        let (from, to) = (self.path(from), self.path(to));
        Step::Disk(DiskStep::Clone { from, to, fs: FS, size, reserve: false })
    }

    fn rebuild(&self, from: &str, to: &str, size: u64) -> Step {
        let (from, to) = (self.path(from), self.path(to));
        Step::Disk(DiskStep::Rebuild { from, to, fs: FS, size, reserve: false })
    }

    fn grow(&self, at: &str, to: u64) -> Step {
        let at = self.path(at);
        Step::Disk(DiskStep::Grow { at, fs: FS, from: 16 * MIB, to, reserve: false, mounted: None })
    }

    fn check(&self, at: &str, how: DiskCheck) -> Step {
        Step::Disk(DiskStep::Check { at: self.path(at), fs: FS, how, log: self.path("disk.log") })
    }

    fn remove(&self, at: &str) -> Step {
        Step::Disk(DiskStep::Remove { at: self.path(at) })
    }

    fn mount(&self, file: &str, fs: DiskFs) -> Step {
        Step::Mount(Mount::new(self.inside("full/of"), MountFs::Disk { file: self.path(file), fs }))
    }

    /// One with a disk `web` of 16 MiB.
    fn with_disk() -> Self {
        let pair = Self::new();
        pair.agree(&pair.template("base", "tree"));
        pair.agree(&pair.clone("base", "web", 16 * MIB));
        pair
    }
}

#[test]
fn a_disk_is_made_once_and_cloned() {
    let pair = Pair::with_disk();
    pair.agree(&pair.template("base", "tree"));
    pair.agree(&pair.template("other", "none"));
    pair.agree(&pair.clone("base", "web", 16 * MIB));
    pair.agree(&pair.clone("base", "taken", 16 * MIB));
    pair.agree(&pair.clone("none", "new", 16 * MIB));
    pair.agree(&pair.clone("tree/f", "new", 16 * MIB));
    pair.agree(&pair.clone("root", "new", 16 * MIB));
    pair.agree(&pair.clone("web", "new", 8 * MIB));
    pair.agree(&pair.clone("web", "none/new", 16 * MIB));
    pair.agree_on(&Query::Disk { at: pair.path("none") });
    for at in ["root", "root/now", "root/etc/passwd"] {
        pair.agree_on(&Query::Disk { at: pair.path(at) });
    }
}

#[test]
fn a_disk_that_is_mounted_is_in_use() {
    let pair = Pair::with_disk();
    let over = pair.mount("web", FS);
    pair.agree(&over);
    pair.agree(&over);
    let elsewhere = MountFs::Disk { file: pair.path("web"), fs: FS };
    pair.agree(&Step::Mount(Mount::new(Place::host(pair.path("taken")), elsewhere)));
    for how in [DiskCheck::Preen, DiskCheck::Full] {
        pair.agree(&pair.check("web", how));
    }
    pair.agree(&pair.grow("web", 32 * MIB));
    pair.agree(&pair.clone("web", "new", 16 * MIB));
    pair.agree(&pair.rebuild("web", "new", 16 * MIB));
    pair.agree(&pair.remove("web"));
    pair.agree(&over.inverse().unwrap());
    pair.agree(&over.inverse().unwrap());
    pair.agree(&pair.remove("web"));
    pair.agree(&pair.remove("web"));
    pair.agree(&pair.remove("none/web"));
}

#[test]
fn what_is_no_disk_is_not_mounted() {
    let pair = Pair::with_disk();
    for file in ["none", "tree/f", "root", "root/now", "root/etc/passwd"] {
        pair.agree(&pair.mount(file, FS));
        pair.agree(&pair.check(file, DiskCheck::Preen));
    }
    pair.agree(&pair.mount("web", DiskFs::Xfs));
    symlink("web", pair.path("link")).unwrap();
    pair.fake.plant_link(pair.path("link"), "web");
    pair.agree(&pair.mount("link", FS));
    chown(pair.path("web"), Some(7), None).unwrap();
    pair.fake.chown(pair.path("web"), 7, 0);
    pair.agree(&pair.mount("web", FS));
    chown(pair.path("web"), Some(0), None).unwrap();
    pair.fake.chown(pair.path("web"), 0, 0);
    fs::set_permissions(pair.path("web"), PermissionsExt::from_mode(0o600)).unwrap();
    fs::File::options().write(true).open(pair.path("web")).unwrap().set_len(4 * MIB).unwrap();
    pair.fake.spoil(pair.path("web"), Flaw::Cut(4 * MIB));
    pair.agree(&pair.mount("web", FS));
    for how in [DiskCheck::Preen, DiskCheck::Refuse, DiskCheck::Full] {
        pair.agree(&pair.check("web", how));
    }
}

#[test]
fn another_size() {
    let pair = Pair::with_disk();
    for size in [32, 32, 24] {
        pair.agree(&pair.grow("web", size * MIB));
    }
    pair.agree(&pair.grow("none", 32 * MIB));
    for (from, to, size) in [
        ("web", "new", 8),
        ("web", "new", 16),
        ("web", "new", 16),
        ("none", "newer", 16),
        ("web", "taken", 16),
    ] {
        pair.agree(&pair.rebuild(from, to, size * MIB));
    }
    for how in [DiskCheck::Preen, DiskCheck::Refuse, DiskCheck::Full] {
        pair.agree(&pair.check("new", how));
    }
}
