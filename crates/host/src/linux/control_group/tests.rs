//! Groups on the real kernel, in whatever hierarchies it has.

use std::process::Command;

use camino::Utf8PathBuf;

use super::*;

fn deadline() -> Deadline {
    Deadline(clock::steady() + Duration::from_secs(20))
}

struct Group {
    make: GroupStep,
}

impl Group {
    fn new(name: &str, limits: Limits) -> Self {
        let group = format!("qchroot-test-{name}-{}", std::process::id());
        let directory = Utf8PathBuf::from("/var/tmp");
        Self { make: GroupStep::Make { group, limits, directory } }
    }

    fn name(&self) -> &str {
        let GroupStep::Make { group, .. } = &self.make else { unreachable!() };
        group
    }

    fn remove(&self) -> GroupStep {
        self.make.inverse().unwrap()
    }

    fn directories(&self) -> Vec<Utf8PathBuf> {
        hierarchy::all().unwrap().iter().filter_map(|it| it.find(self.name())).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = apply(&self.remove(), deadline());
    }
}

fn all_limits() -> Limits {
    Limits {
        cpu_percent: Some(150),
        memory_bytes: Some((64 << 20) + 1),
        processes: Some(20),
        open_files: None,
        read_bps: Some(10 << 20),
        write_bps: Some(20 << 20),
    }
}

#[test]
fn a_group_with_every_limit_is_made_seen_and_removed() {
    let group = Group::new("all", all_limits());
    assert_eq!(unenforced(&all_limits(), Utf8Path::new("/var/tmp")).unwrap(), []);
    assert_eq!(probe(&group.make).unwrap(), Probe::Absent);
    apply(&group.make, deadline()).unwrap();
    apply(&group.make, deadline()).unwrap();
    assert_eq!(probe(&group.make).unwrap(), Probe::Present);
    assert_eq!(probe(&group.remove()).unwrap(), Probe::Absent);
    assert_eq!(usage(group.name()).unwrap().unwrap().processes, Some(0));
    apply(&group.remove(), deadline()).unwrap();
    assert_eq!(probe(&group.remove()).unwrap(), Probe::Present);
    assert_eq!(group.directories(), Vec::<Utf8PathBuf>::new());
    assert_eq!(usage(group.name()).unwrap(), None);
}

#[test]
fn a_group_whose_limits_are_others_is_not_the_one_wanted() {
    let group = Group::new("other", Limits { processes: Some(20), ..Limits::default() });
    apply(&group.make, deadline()).unwrap();
    let other = Group {
        make: GroupStep::Make {
            group: group.name().into(),
            limits: Limits { processes: Some(21), ..Limits::default() },
            directory: "/var/tmp".into(),
        },
    };
    assert_eq!(probe(&other.make).unwrap(), Probe::Absent);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the processes that end are this test's own")]
fn what_is_left_in_a_group_ends_with_it_and_nothing_else_does() {
    let group = Group::new("left", Limits { processes: Some(20), ..Limits::default() });
    apply(&group.make, deadline()).unwrap();
    let mut inside = Command::new("sleep").arg("1000").spawn().unwrap();
    let mut outside = Command::new("sleep").arg("1000").spawn().unwrap();
    for directory in group.directories() {
        fs::write(directory.join("cgroup.procs"), inside.id().to_string()).unwrap();
    }
    apply(&group.remove(), deadline()).unwrap();
    assert!(!inside.wait().unwrap().success());
    assert!(outside.try_wait().unwrap().is_none(), "killed, too");
    outside.kill().unwrap();
    outside.wait().unwrap();
}

#[test]
fn a_directory_on_no_disk_cannot_have_its_reads_limited() {
    let limits = Limits { read_bps: Some(1 << 20), processes: Some(5), ..Limits::default() };
    let lacking = unenforced(&limits, Utf8Path::new("/dev/shm")).unwrap();
    assert_eq!(lacking.len(), 1, "{lacking:?}");
    assert_eq!(lacking[0].limit, "read");
    assert!(lacking[0].why.contains("/dev/shm"), "{lacking:?}");
}
