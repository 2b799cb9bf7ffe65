//! Files and locks of qchroot's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use qchroot_engine::Host;

use crate::support::Lab;

#[test]
fn a_file_grows_by_what_is_appended() {
    let lab = Lab::new();
    let at = lab.host.join("journal");
    assert_eq!(lab.machine.read_own(&at).unwrap(), None);
    lab.machine.append_own(&at, b"one\n", true).unwrap();
    lab.machine.append_own(&at, b"two\n", false).unwrap();
    assert_eq!(lab.machine.read_own(&at).unwrap().unwrap(), b"one\ntwo\n");
    assert_eq!(fs::metadata(&at).unwrap().permissions().mode() & 0o7777, 0o644);
    lab.machine.remove_own(&at, true).unwrap();
    lab.machine.remove_own(&at, true).unwrap();
    assert_eq!(lab.machine.read_own(&at).unwrap(), None);
}

#[test]
fn directories_are_made_with_their_parents_and_listed_in_order() {
    let lab = Lab::new();
    assert!(lab.machine.list_own(&lab.host.join("no/where")).unwrap().is_empty());
    for name in ["b", "a", "c"] {
        lab.machine.make_own_dir(&lab.host.join("x/y").join(name)).unwrap();
    }
    assert_eq!(lab.machine.list_own(&lab.host.join("x/y")).unwrap(), ["a", "b", "c"]);
}

#[test]
fn a_lock_is_held_by_one_until_it_is_dropped() {
    let lab = Lab::new();
    let at = lab.host.join("lock");
    let held = lab.machine.lock(&at, true).unwrap();
    assert!(held.is_some());
    assert!(lab.machine.lock(&at, false).unwrap().is_none());
    drop(held);
    assert!(lab.machine.lock(&at, false).unwrap().is_some());
}

#[test]
fn a_lock_is_not_passed_to_programs() {
    let lab = Lab::new();
    let at = lab.host.join("lock");
    let held = lab.machine.lock(&at, true).unwrap();
    let child = duct::cmd!("/bin/sleep", "60").unchecked().start().unwrap();
    drop(held);
    // Other tests' programs have it for a moment, between fork and exec.
    drop(lab.machine.lock(&at, true).unwrap());
    assert!(child.try_wait().unwrap().is_none(), "the program held the lock as long as it ran");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn who_waits_for_a_lock_gets_it() {
    let lab = Lab::new();
    let at = lab.host.join("lock");
    let held = lab.machine.lock(&at, true).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| lab.machine.lock(&at, true).unwrap().is_some());
        drop(held);
        assert!(waiter.join().unwrap());
    });
}
