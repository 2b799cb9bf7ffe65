//! An isolation on the real machine, around a root that is whole by itself.

use std::fs;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::{Duration, Instant};

use qchroot_api::{Capability, Isolation, Kind, Plan, Process, Way};

use super::lab::{self, Lab};
use super::{here, trials};
use crate::behavior::isolation::Enclosure;
use crate::behavior::transaction::all_present;
use crate::behavior::trial::Trial;

pub(crate) fn isolation(subject: &Enclosure) -> Vec<Trial> {
    let run = |check: fn(&mut Lab, &dyn Isolation)| -> Box<dyn FnOnce() + Send> {
        let subject = subject.clone();
        Box::new(move || {
            let mut lab = Lab::new(here());
            lab.container.isolation = subject.options.clone();
            lab.whole_root();
            check(&mut lab, &*subject.make());
        })
    };
    let all = vec![
        ("a program runs and nothing is left", run(nothing_left)),
        ("a second up finds everything there", run(second_up)),
        ("the host sees none of its own mounts", run(own_mounts)),
        ("its processes are seen, and ended with it", run(members)),
        ("a link for /dev fails closed", run(|lab, it| fails_closed(lab, it, "dev", "/dev"))),
        ("a link for /proc fails closed", run(|lab, it| fails_closed(lab, it, "proc", "/proc"))),
        ("a link for /etc changes nothing outside", run(link_for_etc)),
    ];
    trials(Kind::Isolation, &subject.make().info().platforms, lab::unable(here()), all)
}

fn up(lab: &Lab, isolation: &dyn Isolation) -> Plan {
    let mut plan = isolation.enclose(&lab.container, lab.view()).expect("it can enclose");
    plan.extend(isolation.up(&lab.base, &lab.container, lab.view()).expect("up can be planned"));
    plan
}

fn way(lab: &Lab, isolation: &dyn Isolation) -> Way {
    isolation.way(&lab.container, lab.view()).expect("there is a way inside")
}

fn inside(lab: &Lab) -> Vec<Process> {
    lab.view().processes(&lab.container.root()).expect("processes can be listed")
}

fn nothing_left(lab: &mut Lab, isolation: &dyn Isolation) {
    for _ in 0..2 {
        let before = Lab::listing(&lab.container.root());
        lab.carry_out(&up(lab, isolation));
        let way = way(lab, isolation);
        assert_eq!(lab.run(&way, &["/usr/bin/true"]), 0);
        assert_eq!(lab.run(&way, &["sh", "-c", "exit 7"]), 7);
        assert_eq!(lab.run(&way, &["sh", "-c", "echo x > /dev/null"]), 0, "there is no /dev/null");
        lab.take_back();
        assert_eq!(Lab::listing(&lab.container.root()), before, "the root is not as before");
        assert_eq!(inside(lab), []);
    }
}

fn second_up(lab: &mut Lab, isolation: &dyn Isolation) {
    lab.carry_out(&up(lab, isolation));
    all_present(&lab.machine, &up(lab, isolation));
    lab.take_back();
}

fn own_mounts(lab: &mut Lab, isolation: &dyn Isolation) {
    lab.carry_out(&up(lab, isolation));
    if isolation.info().capabilities.contains(&Capability::OwnMounts) {
        lab.sees_no_mounts();
    }
    lab.take_back();
}

fn members(lab: &mut Lab, isolation: &dyn Isolation) {
    lab.carry_out(&up(lab, isolation));
    let script = "/usr/bin/sleep 1000 </dev/null >/dev/null 2>&1 &";
    assert_eq!(lab.run(&way(lab, isolation), &["sh", "-c", script]), 0);
    let sleeps = || inside(lab).iter().any(|process| process.command.ends_with("sleep 1000"));
    let patience = Instant::now() + Duration::from_secs(20);
    // The shell ends at once; until its child has become the program there is nothing to see.
    while !sleeps() && Instant::now() < patience {
        thread::yield_now();
    }
    assert!(sleeps(), "{:?}", inside(lab));
    lab.take_back();
    assert_eq!(inside(lab), [], "a process outlived its container");
}

/// A link that stands for a directory to work in stops it, by name, and nothing outside changes.
fn fails_closed(lab: &mut Lab, isolation: &dyn Isolation, path: &str, to: &str) {
    let at = lab.container.root().join(path);
    fs::remove_dir(&at).expect("the directory was empty");
    symlink(to, &at).expect("a link in its place");
    let dev = Lab::listing("/dev".into());
    let plan = up(lab, isolation);
    // An isolation that leaves the path alone has nothing to fail at.
    if plan.iter().any(|step| step.to_string().contains(&format!("/{path}"))) {
        let error = lab.fails(&plan);
        assert!(error.contains(&format!("/{path}")), "{error} does not name {path}");
    } else {
        lab.carry_out(&plan);
    }
    lab.take_back();
    assert_eq!(Lab::listing("/dev".into()), dev, "the host's /dev has changed");
    assert_eq!(inside(lab), []);
}

fn link_for_etc(lab: &mut Lab, isolation: &dyn Isolation) {
    let at = lab.container.root().join("etc");
    fs::remove_dir(&at).expect("the directory was empty");
    symlink("/etc", &at).expect("a link in its place");
    let etc = Lab::listing("/etc".into());
    lab.carry_out(&up(lab, isolation));
    lab.take_back();
    assert_eq!(Lab::listing("/etc".into()), etc, "the host's /etc has changed");
}
