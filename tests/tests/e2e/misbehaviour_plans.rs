//! Storages and isolations of third parties whose plans leave the container, or that panic: each command ends with an
//! error that says so before anything is done, and other containers go on.

use std::fs;
use std::path::Path;

use crate::misbehaviour::Peace;
use crate::plugins::built_with;
use crate::tree::Tree;

/// A system where `mine` is a container of the storage and the isolation that misbehave.
fn with_mine() -> Peace {
    let peace = Peace::new();
    for kind in ["storage", "isolation"] {
        peace.world.put_plugin(&format!("acme.{kind}"), &built_with("misbehaving", &[kind]));
    }
    let world = &peace.world;
    world.run(["create", "mine", "--storage", "acme.storage", "--isolation", "acme.isolation"]).ok();
    world.run(["config", "mine", "--command", "sleeper=sleep 1000"]).ok();
    world.run(["snapshot", "mine", "kept"]).ok();
    world.run(["start", "mine"]).ok();
    world.run(["exec", "mine", "--", "true"]).ok();
    world.run(["stop", "mine"]).ok();
    peace
}

/// Has the back end of `mine` do this from now on. A path is said without its slash: one that the user names by an option
/// would be allowed.
fn wish(peace: &Peace, kind: &str, wanted: &str, at: &Path) {
    let file = peace.world.file("mine");
    let text = fs::read_to_string(&file).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("do = ") && !line.starts_with("at = "));
    let mut document: String = lines.flat_map(|line| [line, "\n"]).collect();
    let at = at.strip_prefix("/").unwrap();
    let (table, options) = (format!("[{kind}.options]\n"), format!("do = {wanted:?}\nat = {at:?}\n"));
    match document.find(&table) {
        Some(found) => document.insert_str(found + table.len(), &options),
        None => document += &format!("\n{table}{options}"),
    }
    fs::write(file, document).unwrap();
}

/// Takes that back.
fn behave(peace: &Peace) {
    ["storage", "isolation"].iter().for_each(|kind| wish(peace, kind, "", Path::new("/")));
}

/// A command that has `mine` do something, by the call of its storage that it ends in.
const STORAGE: &[(&str, &[&str])] = &[
    ("check", &["start", "mine"]),
    ("attach", &["start", "mine"]),
    ("layers", &["config", "mine", "httpd"]),
    ("private", &["export", "mine", "-"]),
    ("derived", &["upgrade", "mine"]),
    ("resize", &["resize", "mine", "64M"]),
    ("examine", &["check", "mine"]),
    ("delete", &["delete", "mine"]),
    ("rename", &["rename", "mine", "other"]),
    ("clone-of", &["clone", "mine", "other"]),
    ("snapshot", &["snapshot", "mine", "more"]),
    ("restore", &["rollback", "mine", "--snapshot", "kept"]),
    ("forget", &["snapshot", "mine", "--remove", "kept"]),
    ("snapshots", &["snapshot", "mine", "--list"]),
];

#[test]
fn a_panic_in_any_call_of_a_storage_is_an_error_of_that_call() {
    let peace = with_mine();
    peace.world.install("tiny-1.1").ok();
    for (call, command) in STORAGE {
        wish(&peace, "storage", &format!("panic {call}"), Path::new("/"));
        let texts = [
            format!("acme.storage failed in `{call}`"),
            "panicked at misbehaving/src/".to_owned(),
            format!("deliberately, in {call}"),
        ];
        peace.fails(command.iter().copied(), 76, &texts.each_ref().map(String::as_str));
    }
    let create = ["create", "other", "--storage", "acme.storage", "-o", "storage.do=panic create"];
    peace.fails(create, 76, &["acme.storage failed in `create`", "deliberately, in create"]);
    wish(&peace, "storage", "panic usage", Path::new("/"));
    let problems = peace.world.report("mine")["problems"].to_string();
    assert!(problems.contains("acme.storage failed in `usage`"), "{problems}");
    peace.assert_kept("a list");
    behave(&peace);
    peace.world.run(["delete", "mine"]).ok();
    peace.ends();
}

/// What was exported has the options with it.
#[test]
fn a_panic_while_an_export_is_received_leaves_nothing() {
    let peace = with_mine();
    wish(&peace, "storage", "panic receive", Path::new("/"));
    let file = peace.world.dir().join("mine.qchroot");
    let file = file.to_str().unwrap();
    peace.world.run(["export", "mine", file]).ok();
    let texts = ["acme.storage failed in `receive`", "deliberately, in receive"];
    peace.fails(["import", file, "other"], 76, &texts);
    peace.world.run(["delete", "mine"]).ok();
    peace.ends();
}

#[test]
fn a_panic_in_any_call_of_an_isolation_is_an_error_of_that_call() {
    let peace = with_mine();
    for call in ["check", "enclose", "up", "services", "way"] {
        wish(&peace, "isolation", &format!("panic {call}"), Path::new("/"));
        let texts = [format!("acme.isolation failed in `{call}`"), format!("deliberately, in {call}")];
        peace.fails(["start", "mine"], 76, &texts.each_ref().map(String::as_str));
    }
    behave(&peace);
    peace.world.run(["start", "mine"]).ok();
    wish(&peace, "isolation", "panic facts", Path::new("/"));
    let said = peace.world.run(["status", "mine"]);
    assert!(
        said.out.contains("deliberately, in facts") || said.err.contains("deliberately, in facts"),
        "{said}"
    );
    peace.world.run(["stop", "mine"]).ok();
    peace.ends();
}

#[test]
fn a_plan_that_leaves_the_container_is_refused_before_its_first_step() {
    let peace = with_mine();
    let outside = peace.world.dir().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("kept"), "kept").unwrap();
    let (before, theirs) = (Tree::with_times(&outside), peace.world.lib("web"));
    let cases = [
        ("delete", "remove", outside.as_path(), "which is not mine's"),
        ("delete", "remove", Path::new("/etc"), "planned to remove tree /etc, which is not mine's"),
        ("delete", "remove", Path::new("/"), "planned to remove tree /, which is no absolute path"),
        ("delete", "remove", theirs.as_path(), "which is not mine's"),
        (
            "delete",
            "run undeclared",
            outside.as_path(),
            "and declares no program rm: what it declares are true",
        ),
        ("delete", "run on", outside.as_path(), "is neither mine's nor named by an option"),
        ("attach", "write", &outside.join("new"), "which is not mine's"),
        ("attach", "write into the root", Path::new("/"), "say it as a place within"),
        ("attach", "mount", outside.as_path(), "which is not inside the root"),
        ("attach", "show", theirs.as_path(), "which is not mine's"),
        ("attach", "show", Path::new("/etc"), "which is not mine's"),
        (
            "attach",
            "stop",
            Path::new("/"),
            "stop every process of mine but its init, which `attach` never does",
        ),
        (
            "attach",
            "remove",
            Path::new("/etc"),
            "which `attach` never does: a plan for `attach` may hold: make-dir, ",
        ),
        ("clone-of", "copy", Path::new("/etc/shadow"), "which is not other's"),
        ("snapshot", "copy", outside.as_path(), "which is not mine's"),
        ("restore", "remove", outside.as_path(), "which is not mine's"),
        ("rename", "write", &outside.join("new"), "which is not mine's"),
    ];
    for (call, step, at, text) in cases {
        wish(&peace, "storage", &format!("{step} in {call}"), at);
        let command = STORAGE.iter().find(|(of, _)| *of == call).expect(call).1;
        peace.fails(
            command.iter().copied(),
            76,
            &["acme.storage planned to ", text, "tell the author of acme.storage"],
        );
    }
    before.assert_same(&Tree::with_times(&outside), "the directory outside");
    behave(&peace);
    peace.world.run(["delete", "mine"]).ok();
    peace.ends();
}
