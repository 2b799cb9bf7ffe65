//! Mounts are what they say, where they say, and end by name.

use std::fs;

use qchroot_api::{ErrorKind, Mount, MountFs, Observe, Place, Step};
use qchroot_engine::Probe;
use rustix::mount::{MountPropagationFlags, mount_change};

use crate::support::Lab;

fn null(lab: &Lab, at: &str) -> Mount {
    Mount::new(lab.inside(at), MountFs::Null { source: lab.host.clone() })
}

fn mountinfo_of(at: &camino::Utf8Path) -> String {
    let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    table.lines().rfind(|line| line.contains(&format!(" {at} "))).unwrap_or("").to_owned()
}

#[test]
fn a_bind_mount_is_restricted_private_and_known_again() {
    let lab = Lab::with_mounts();
    // As systemd leaves it: what is mounted below would be shared too.
    mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC).unwrap();
    fs::write(lab.host.join("file"), "shared").unwrap();
    fs::create_dir(lab.root.join("sharedfs")).unwrap();
    let mut mount = null(&lab, "sharedfs").read_only();
    (mount.nosuid, mount.nodev) = (true, true);
    let step = Step::Mount(mount.clone());

    assert_eq!(lab.probe(&step), Probe::Absent);
    lab.apply(&step).unwrap();
    assert_eq!(lab.probe(&step), Probe::Present);
    let at = lab.root.join("sharedfs");
    assert_eq!(fs::read_to_string(at.join("file")).unwrap(), "shared");
    let error = fs::write(at.join("new"), "x").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    let line = mountinfo_of(&at);
    assert!(line.contains(" ro,nosuid,nodev"), "{line}");
    assert!(!line.contains("shared:") && !line.contains("master:"), "{line}");
    let table = (&lab.machine as &dyn Observe).mounts().unwrap();
    let found = table.iter().find(|mounted| mounted.at == at).unwrap();
    assert!(found.read_only && found.source == lab.host, "{found:?}");

    lab.apply(&Step::Unmount(mount)).unwrap();
    assert_eq!(lab.probe(&step), Probe::Absent);
    assert!(!at.join("file").exists());
}

#[test]
fn what_is_mounted_there_already_is_a_conflict_and_stays() {
    let lab = Lab::with_mounts();
    fs::create_dir(lab.root.join("sharedfs")).unwrap();
    let tmp = Mount::new(lab.inside("sharedfs"), MountFs::Tmp { size: 1 << 20, mode: 0o700 });
    lab.apply(&Step::Mount(tmp)).unwrap();
    let null = null(&lab, "sharedfs");
    assert!(matches!(lab.probe(&Step::Mount(null.clone())), Probe::Conflict(what) if what.contains("tmpfs")));
    let error = lab.apply(&Step::Mount(null.clone())).unwrap_err();
    assert!(error.to_string().contains("tmpfs is mounted there already"), "{error}");
    let error = lab.apply(&Step::Unmount(null)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists);
    assert!(mountinfo_of(&lab.root.join("sharedfs")).contains("tmpfs"));
}

#[test]
fn a_writable_mount_does_not_pass_for_a_read_only_one() {
    let lab = Lab::with_mounts();
    fs::create_dir(lab.root.join("sharedfs")).unwrap();
    lab.apply(&Step::Mount(null(&lab, "sharedfs"))).unwrap();
    let probe = lab.probe(&Step::Mount(null(&lab, "sharedfs").read_only()));
    assert!(matches!(&probe, Probe::Conflict(what) if what.contains("not read-only")), "{probe:?}");
}

#[test]
fn a_target_inside_its_source_is_refused() {
    let lab = Lab::with_mounts();
    let source = lab.root.parent().unwrap().to_owned();
    for at in [Place::host(&source), lab.inside("")] {
        let error =
            lab.apply(&Step::Mount(Mount::new(at, MountFs::Null { source: source.clone() }))).unwrap_err();
        assert!(error.to_string().contains("inside the source"), "{error}");
    }
}

#[test]
fn unmounting_what_is_in_use_names_the_process() {
    let lab = Lab::with_mounts();
    fs::create_dir(lab.root.join("sharedfs")).unwrap();
    let mount = null(&lab, "sharedfs");
    lab.apply(&Step::Mount(mount.clone())).unwrap();
    let holder = duct::cmd!("/bin/sleep", "60").dir(lab.root.join("sharedfs")).unchecked().start().unwrap();
    let error = lab.apply(&Step::Unmount(mount.clone())).unwrap_err();
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains(&format!("{} (sleep)", holder.pids()[0])), "{error}");
    lab.apply(&Step::Unmount(mount)).unwrap();
}

#[test]
fn unmounting_what_another_mount_lies_on_names_that() {
    let lab = Lab::with_mounts();
    fs::create_dir_all(lab.host.join("below")).unwrap();
    fs::create_dir(lab.root.join("sharedfs")).unwrap();
    let outer = null(&lab, "sharedfs");
    let inner = Mount::new(lab.inside("sharedfs/below"), MountFs::Tmp { size: 1 << 20, mode: 0o755 });
    lab.apply(&Step::Mount(outer.clone())).unwrap();
    lab.apply(&Step::Mount(inner.clone())).unwrap();
    let error = lab.apply(&Step::Unmount(outer.clone())).unwrap_err();
    assert!(error.to_string().contains("root/sharedfs/below is mounted below it"), "{error}");
    lab.apply(&Step::Unmount(inner)).unwrap();
    lab.apply(&Step::Unmount(outer)).unwrap();
}

#[test]
fn unmounting_what_is_not_mounted_or_gone_is_fine() {
    let lab = Lab::with_mounts();
    fs::create_dir(lab.root.join("sharedfs")).unwrap();
    for at in ["sharedfs", "nowhere", "no/where"] {
        assert_eq!(lab.probe(&Step::Unmount(null(&lab, at))), Probe::Present);
        lab.apply(&Step::Unmount(null(&lab, at))).unwrap();
    }
}

#[test]
fn kernel_file_systems_come_with_the_options_a_container_needs() {
    let lab = Lab::with_mounts();
    for name in ["pts", "proc", "tmp"] {
        fs::create_dir(lab.root.join(name)).unwrap();
    }
    let size = 1 << 20;
    for (at, fs) in
        [("pts", MountFs::Pts), ("proc", MountFs::Proc), ("tmp", MountFs::Tmp { size, mode: 0o1777 })]
    {
        let step = Step::Mount(Mount::new(lab.inside(at), fs).restricted());
        lab.apply(&step).unwrap();
        assert_eq!(lab.probe(&step), Probe::Present);
        let line = mountinfo_of(&lab.root.join(at));
        assert!(line.contains("nosuid,nodev,noexec"), "{line}");
    }
    let pts = mountinfo_of(&lab.root.join("pts"));
    assert!(pts.contains("gid=5") && pts.contains("mode=620") && pts.contains("ptmxmode=666"), "{pts}");
    assert!(lab.root.join("proc/self").exists());
    assert!(mountinfo_of(&lab.root.join("tmp")).contains("size=1024k"));
}
