//! Disks: what is in one lasts, nothing exceeds it, and one that is not in order or in use is refused.

use camino::Utf8PathBuf;
use qchroot_api::{
    DiskCheck, DiskFs, DiskInfo, DiskStep, Error, ErrorKind, Mount, MountFs, Observe, Place, Step,
};
use qchroot_engine::{Host, Probe};
use qchroot_testkit::{FakeHost, Flaw};

use super::{apply, conflict, does, refuses};

const MIB: u64 = 1 << 20;
const FS: DiskFs = DiskFs::Ext4;
const DISK: &str = "/q/web/disk.img";

fn disk(step: DiskStep) -> Step {
    Step::Disk(step)
}

fn template() -> Step {
    disk(DiskStep::Template {
        at: "/q/base/disks/ext4.img".into(),
        fs: FS,
        tree: "/q/base/template".into(),
        dirs: vec!["sharedfs".into()],
        links: vec![("bin".into(), "sharedfs/bin".into())],
    })
}

fn clone(to: &str, size: u64, reserve: bool) -> Step {
    let from = "/q/base/disks/ext4.img".into();
    disk(DiskStep::Clone { from, to: to.into(), fs: FS, size, reserve })
}

fn check(how: DiskCheck) -> Step {
    disk(DiskStep::Check { at: DISK.into(), fs: FS, how, log: "/q/log/disk.log".into() })
}

fn mount_of(file: &str) -> Step {
    let fs = MountFs::Disk { file: file.into(), fs: FS };
    Step::Mount(Mount::new(Place::host(Utf8PathBuf::from(file).with_file_name("root")), fs))
}

fn unmount() -> Step {
    mount_of(DISK).inverse().unwrap()
}

fn grow(to: u64, mounted: bool) -> Step {
    let mounted = mounted.then(|| Place::host("/q/web/root"));
    disk(DiskStep::Grow { at: DISK.into(), fs: FS, from: 16 * MIB, to, reserve: false, mounted })
}

fn info(host: &FakeHost) -> DiskInfo {
    (host as &dyn Observe).disk(DISK.into()).unwrap().unwrap()
}

fn read(host: &FakeHost, at: &str) -> Result<String, ErrorKind> {
    (host as &dyn Observe).read(&Place::host(at)).map_err(|error| error.kind())
}

/// A machine with a container's disk of 16 MiB.
fn with_disk() -> FakeHost {
    let host = FakeHost::linux();
    host.plant_file("/q/base/template/etc/motd", "hello", 0o644);
    host.plant_dir("/q/web/root", 0o755);
    does(&host, &template());
    apply(&host, &clone(DISK, 16 * MIB, false)).unwrap();
    host
}

fn fill(host: &FakeHost) -> (u64, Error) {
    for n in 0_u64.. {
        let text = "x".repeat(usize::try_from(MIB).unwrap());
        if let Err(error) = host.write_inside("/q/web/root", format!("fill-{n}"), &text) {
            return (n, error);
        }
    }
    unreachable!()
}

#[test]
fn what_is_written_is_there_after_the_next_mount() {
    let host = with_disk();
    assert_eq!(read(&host, "/q/web/root/etc/motd"), Err(ErrorKind::NotFound));
    does(&host, &mount_of(DISK));
    assert_eq!(read(&host, "/q/web/root/etc/motd"), Ok("hello".into()));
    host.write_inside("/q/web/root", "new", "kept").unwrap();
    assert_eq!(info(&host).attached.len(), 1);
    does(&host, &unmount());
    assert_eq!(read(&host, "/q/web/root/new"), Err(ErrorKind::NotFound));
    assert!(info(&host).clean && info(&host).attached.is_empty());
    does(&host, &mount_of(DISK));
    assert_eq!(read(&host, "/q/web/root/new"), Ok("kept".into()));
}

#[test]
fn nobody_writes_more_than_there_is() {
    let host = with_disk();
    does(&host, &mount_of(DISK));
    let (written, error) = fill(&host);
    assert!((8..16).contains(&written), "{written} MiB of 16");
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("no space"), "{error}");
    assert!(info(&host).allocated <= 16 * MIB);
    does(&host, &grow(32 * MIB, true));
    assert!(fill(&host).0 >= 12, "there is no more space than before");
}

#[test]
fn a_full_host_stops_a_disk_that_was_not_reserved() {
    let host = with_disk().with_space(4 * MIB);
    does(&host, &mount_of(DISK));
    assert!(fill(&host).0 < 4);
    let error = refuses(&host, &clone("/q/web/other.img", 16 * MIB, true));
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!((&host as &dyn Observe).space(&Place::host("/q")).unwrap().free < MIB);
}

#[test]
fn a_disk_is_attached_once() {
    let host = with_disk();
    host.spoil(DISK, Flaw::Elsewhere);
    for step in [mount_of(DISK), grow(32 * MIB, false), check(DiskCheck::Full)] {
        assert_eq!(refuses(&host, &step).kind(), ErrorKind::Busy, "{step}");
    }
}

#[test]
fn what_is_no_disk_is_refused() {
    let refused = |spoil: &dyn Fn(&FakeHost)| {
        let host = with_disk();
        spoil(&host);
        refuses(&host, &mount_of(DISK)).kind()
    };
    assert_eq!(refused(&|host| host.spoil(DISK, Flaw::Cut(8 * MIB))), ErrorKind::BadData);
    assert_eq!(refused(&|host| host.spoil(DISK, Flaw::Foreign)), ErrorKind::BadData);
    assert_eq!(refused(&|host| host.chown(DISK, 7, 7)), ErrorKind::Permission);
    assert_eq!(refused(&|host| host.uproot(DISK)), ErrorKind::NotFound);
    assert_eq!(refused(&|host| host.plant_file(DISK, "text", 0o600)), ErrorKind::BadData);
    assert_eq!(
        refused(&|host| {
            host.uproot(DISK);
            host.plant_link(DISK, "/etc/hostname");
        }),
        ErrorKind::Exists
    );
}

#[test]
fn an_unclean_stop_is_mended_as_the_check_says() {
    let host = with_disk();
    does(&host, &mount_of(DISK));
    host.write_inside("/q/web/root", "new", "kept").unwrap();
    host.plant_dir("/run", 0o755);
    host.reboot("/run");
    assert!(!info(&host).clean && info(&host).attached.is_empty());
    assert_eq!(refuses(&host, &check(DiskCheck::Refuse)).kind(), ErrorKind::BadData);
    does(&host, &check(DiskCheck::Preen));
    assert!(host.text("/q/log/disk.log").unwrap().contains("repaired"));
    does(&host, &mount_of(DISK));
    assert_eq!(read(&host, "/q/web/root/new"), Ok("kept".into()));
}

#[test]
fn a_damaged_disk_wants_every_repair() {
    let host = with_disk();
    host.spoil(DISK, Flaw::Damaged);
    assert_eq!(refuses(&host, &check(DiskCheck::Preen)).kind(), ErrorKind::BadData);
    apply(&host, &check(DiskCheck::Repair)).unwrap();
    does(&host, &mount_of(DISK));
}

#[test]
fn copies_go_their_own_ways() {
    let host = with_disk();
    host.plant_dir("/q/db/root", 0o755);
    let (other, source) = ("/q/db/disk.img", Utf8PathBuf::from(DISK));
    assert_eq!(conflict(&host, &clone(DISK, 16 * MIB, false)), format!("{DISK} exists already"));
    assert_eq!(refuses(&host, &clone(other, MIB, false)).kind(), ErrorKind::Usage);
    let copy = DiskStep::Clone { from: source, to: other.into(), fs: FS, size: 16 * MIB, reserve: false };
    apply(&host, &disk(copy)).unwrap();
    does(&host, &mount_of(DISK));
    does(&host, &mount_of(other));
    host.write_inside("/q/web/root", "new", "x").unwrap();
    assert_eq!(read(&host, "/q/db/root/new"), Err(ErrorKind::NotFound));
    assert_eq!(read(&host, "/q/db/root/etc/motd"), Ok("hello".into()));
}

#[test]
fn a_smaller_disk_is_a_new_one_that_holds_everything() {
    let host = with_disk();
    does(&host, &mount_of(DISK));
    does(&host, &grow(32 * MIB, true));
    host.write_inside("/q/web/root", "new", &"x".repeat(18 << 20)).unwrap();
    does(&host, &unmount());
    let rebuild = |size| {
        let (from, to) = (DISK.into(), "/q/web/disk.new".into());
        disk(DiskStep::Rebuild { from, to, fs: FS, size, reserve: false })
    };
    assert_eq!(refuses(&host, &rebuild(16 * MIB)).kind(), ErrorKind::Usage);
    apply(&host, &rebuild(20 * MIB)).unwrap();
    let undo = rebuild(20 * MIB).inverse().unwrap();
    assert_eq!(host.probe(&undo), Ok(Probe::Absent));
    let new = (&host as &dyn Observe).disk("/q/web/disk.new".into()).unwrap().unwrap();
    assert_eq!(new.length, 20 * MIB);
    assert!(new.used > 18 * MIB);
    does(&host, &undo);
}
