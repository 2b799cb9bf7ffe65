//! A step is absent before, present after, and a conflict where something else is in the way.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use qchroot_api::{Check, ErrorKind, Place, Step};
use qchroot_engine::Probe;

use crate::support::Lab;

/// Applies a step and its inverse and looks at both before and after.
fn there_and_back(lab: &Lab, step: &Step) {
    let inverse = step.inverse().unwrap();
    assert_eq!((lab.probe(step), lab.probe(&inverse)), (Probe::Absent, Probe::Present), "{step}");
    lab.apply(step).unwrap();
    assert_eq!((lab.probe(step), lab.probe(&inverse)), (Probe::Present, Probe::Absent), "{step}");
    lab.apply(&inverse).unwrap();
    assert_eq!((lab.probe(step), lab.probe(&inverse)), (Probe::Absent, Probe::Present), "{step}");
    lab.apply(&inverse).unwrap();
}

fn write(at: Place, text: &str, was: Option<&str>) -> Step {
    Step::WriteFile { at, text: text.into(), mode: 0o640, was: was.map(Into::into) }
}

#[test]
fn steps_that_make_something_new_can_be_taken_back() {
    let lab = Lab::new();
    for at in [lab.inside("new"), Place::host(lab.host.join("new"))] {
        there_and_back(&lab, &Step::MakeDir { at: at.clone(), mode: 0o1777 });
        there_and_back(&lab, &write(at.clone(), "text", None));
        there_and_back(&lab, &Step::Link { at, to: "usr/bin".into(), was: None });
    }
    #[cfg(target_os = "linux")]
    there_and_back(&lab, &Step::Device { at: lab.inside("null"), major: 1, minor: 3 });
}

#[test]
fn modes_are_exact_whatever_the_umask() {
    let lab = Lab::new();
    lab.apply(&Step::MakeDir { at: lab.inside("tmp"), mode: 0o1777 }).unwrap();
    lab.apply(&Step::WriteFile { at: lab.inside("f"), text: "x".into(), mode: 0o666, was: None }).unwrap();
    let mode = |name: &str| fs::metadata(lab.root.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("tmp"), mode("f")), (0o1777, 0o666));
}

#[test]
fn a_file_is_replaced_only_where_it_is_what_was_expected() {
    let lab = Lab::new();
    let at = lab.inside("resolv.conf");
    lab.apply(&write(at.clone(), "old", None)).unwrap();
    assert_eq!(lab.probe(&write(at.clone(), "new", Some("old"))), Probe::Absent);
    assert!(matches!(lab.probe(&write(at.clone(), "new", Some("other"))), Probe::Conflict(_)));
    assert!(matches!(lab.probe(&write(at.clone(), "new", None)), Probe::Conflict(_)));
    lab.apply(&write(at.clone(), "new", Some("old"))).unwrap();
    assert_eq!(fs::read_to_string(lab.root.join("resolv.conf")).unwrap(), "new");
    assert_eq!(fs::read_dir(&lab.root).unwrap().count(), 1, "something was left beside it");
}

#[test]
fn what_a_crash_left_beside_a_file_does_not_matter() {
    let lab = Lab::new();
    fs::write(lab.root.join(".hosts.qchroot-new"), "half").unwrap();
    lab.apply(&write(lab.inside("hosts"), "whole", None)).unwrap();
    assert_eq!(fs::read_to_string(lab.root.join("hosts")).unwrap(), "whole");
    assert_eq!(fs::read_dir(&lab.root).unwrap().count(), 1);
}

#[test]
fn a_link_is_turned_at_once_and_only_from_where_it_was() {
    let lab = Lab::new();
    let at = Place::host(lab.host.join("current"));
    symlink("one", lab.host.join("current")).unwrap();
    let turn = Step::Link { at: at.clone(), to: "two".into(), was: Some("one".into()) };
    assert_eq!(lab.probe(&turn), Probe::Absent);
    lab.apply(&turn).unwrap();
    assert_eq!(lab.probe(&turn), Probe::Present);
    let stranger = Step::Unlink { at: at.clone(), was: "one".into() };
    assert!(matches!(lab.probe(&stranger), Probe::Conflict(what) if what.contains("two")));
    assert_eq!(lab.apply(&stranger).unwrap_err().kind(), ErrorKind::Exists);
    fs::remove_file(lab.host.join("current")).unwrap();
    fs::create_dir(lab.host.join("current")).unwrap();
    assert!(matches!(lab.probe(&turn), Probe::Conflict(_)));
    assert_eq!(lab.apply(&turn).unwrap_err().kind(), ErrorKind::Exists);
}

#[test]
fn a_rename_never_replaces() {
    let lab = Lab::new();
    let (from, to) = (lab.host.join("from"), lab.host.join("to"));
    let step = Step::Rename { from: from.clone(), to: to.clone() };
    assert!(matches!(lab.probe(&step), Probe::Conflict(_)));
    fs::create_dir(&from).unwrap();
    assert_eq!(lab.probe(&step), Probe::Absent);
    lab.apply(&step).unwrap();
    assert_eq!(lab.probe(&step), Probe::Present);
    fs::create_dir(&from).unwrap();
    assert!(matches!(lab.probe(&step), Probe::Conflict(what) if what.ends_with("to exists already")));
    assert_eq!(lab.apply(&step).unwrap_err().kind(), ErrorKind::Exists);
    assert!(from.exists());
}

#[test]
fn a_directory_with_something_in_it_stays() {
    let lab = Lab::new();
    fs::create_dir_all(lab.root.join("var/db")).unwrap();
    lab.apply(&Step::RemoveDir { at: lab.inside("var") }).unwrap();
    assert!(lab.root.join("var/db").exists());
}

#[test]
fn a_program_is_probed_by_its_check_and_fails_with_its_own_words() {
    let lab = Lab::new();
    let file = lab.host.join("made");
    let words = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
    let check = words(&format!("test|-e|{file}"));
    let step =
        Step::Run { argv: words(&format!("touch|{file}")), check: Some(Check::Succeeds(check)), undo: None };
    assert_eq!(lab.probe(&step), Probe::Absent);
    lab.apply(&step).unwrap();
    assert_eq!(lab.probe(&step), Probe::Present);
    let bad = Step::Run { argv: words("sh|-c|echo no luck >&2; exit 2"), check: None, undo: None };
    assert_eq!(lab.probe(&bad), Probe::Unknown);
    let error = lab.apply(&bad).unwrap_err();
    assert!(error.to_string().ends_with("ended with status 2: no luck"), "{error}");
}
