//! `plugin check`: what it says of a good library and of a bad one, to people, to programs, and to who is not root.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::plugins::built;
use crate::program::{self, Ran};

/// Runs a check. No system is needed for it.
fn check(library: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(program::path());
    Ran::of(command.args(["plugin", "check"]).arg(library).args(args).env_remove("QCHROOT_ROOT"))
}

/// Of each check the scene, the name and the result.
#[track_caller]
fn results(report: &Value) -> Vec<[&str; 3]> {
    let all = report["checks"].as_array().unwrap().iter();
    all.map(|check| ["scene", "check", "result"].map(|key| check[key].as_str().unwrap())).collect()
}

#[test]
fn a_good_library_passes() {
    let out = check(&built("thing"), &[]).ok();
    assert!(out.starts_with("acme.thing 0.3.1, for border 1.1.0: release source\n"), "{out}");
    for heading in ["What it says of itself\n", "On a fake machine with Linux\n", "On this machine\n"] {
        assert!(out.contains(heading), "no {heading:?} in {out}");
    }
    assert!(out.contains("  ok       its name carries a dot\n"), "{out}");
    assert!(out.contains("  ok       filling twice gives the same tree\n"), "{out}");
    // It copies a program of the host's that the fake machine has not.
    assert!(
        out.contains("  not run  filling twice gives the same tree: cannot resolve /bin/busybox"),
        "{out}"
    );
    assert!(out.contains(" 0 failed, "), "{out}");
    assert!(!out.contains('\u{1b}'), "colour where nobody sees it: {out}");
}

#[test]
fn a_bad_one_fails_where_it_is_bad_and_nowhere_else() {
    let ran = check(&built("careless"), &["-o", "from=somewhere", "--json"]);
    assert_eq!(ran.status, 76, "{ran}");
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["name"], &report["kind"]), (&"acme.careless".into(), &"release-source".into()));
    let all = results(&report);
    let failed: Vec<_> = all.iter().filter(|row| row[2] == "failed").map(|row| (row[0], row[1])).collect();
    let expected = [
        ("description", "every option has a default, and one line on what it does"),
        ("fake-linux", "fill leaves a userland in the staging directory and nothing else"),
        ("machine", "a userland in the staging directory and nothing else, with progress to the end"),
        ("machine", "a fill that is cancelled ends with an error"),
    ];
    assert_eq!(failed, expected, "{report:#}");
    assert_eq!(report["failed"], expected.len());
    assert_eq!(report["ok"], all.len() - expected.len());
    let why = |n: usize| {
        let line = report["checks"].as_array().unwrap().iter().find(|line| line["check"] == expected[n].1);
        line.unwrap()["why"].as_str().unwrap().to_owned()
    };
    assert!(why(0).contains("from"), "{report:#}");
    assert!(why(1).contains("progress goes backwards"), "{report:#}");
    // It ends its process, and the report goes on.
    assert!(why(3).contains("acme.careless"), "{report:#}");
    assert!(all.last().unwrap()[1].contains("cancelled on the way"), "{report:#}");
}

#[test]
fn options_that_the_source_needs_are_asked_for_in_its_own_words() {
    check(&built("careless"), &[]).fails(64, &["needs the option from", "-o KEY=VALUE"]);
    check(&built("careless"), &["-o", "form=x"]).fails(64, &["has no option \"form\"", "did you mean from?"]);
    check(Path::new("/nonexistent.so"), &[]).fails(66, &["/nonexistent.so"]);
    check(Path::new("/etc/passwd"), &[]).fails(76, &["/etc/passwd"]);
}

#[test]
fn one_check_alone_can_be_run() {
    let out = check(&built("thing"), &["--only", "carries a dot"]).ok();
    assert!(out.ends_with("1 checks: 1 ok, 0 failed, 0 not run\n"), "{out}");
}

#[test]
fn who_is_not_root_is_told_what_was_not_run_and_why_it_cannot_be_used() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (program, library) = (dir.path().join("qchroot"), dir.path().join("libthing.so"));
    fs::copy(program::path(), &program).unwrap();
    fs::copy(built("thing"), &library).unwrap();
    std::os::unix::fs::chown(&library, Some(65534), Some(65534)).unwrap();
    let mut command = Command::new(&program);
    command.uid(65534).gid(65534).env("TMPDIR", "/tmp").args(["plugin", "check"]).arg(&library);
    let out = Ran::of(&mut command).ok();
    assert!(out.contains("\nwarning: it cannot be used from here: "), "{out}");
    let machine = out.split("On this machine\n").nth(1).unwrap();
    assert!(machine.starts_with("  ok       the same wish gives the same release"), "{out}");
    assert!(machine.contains("  not run  filling twice gives the same tree: needs root\n"), "{out}");
}
