//! Plans, step by step.

use qchroot_api::{ErrorKind, Isolation, Options, Result, SharedStorage, Step};
use serde_json::{Value, json};

use crate::{Dark, base, named, remote, tree, web};

/// What becomes of a plan with one step, as the answer to the call `verb`.
fn judged(verb: &str, step: &Value) -> Result<Vec<Step>> {
    planned(verb, &json!([step]))
}

fn planned(verb: &str, plan: &Value) -> Result<Vec<Step>> {
    let (remote, base, web) = (remote(plan), base(), web());
    match verb {
        "create" => SharedStorage::create(&remote, &base, &web, &Dark),
        "attach" => remote.attach(&base, &web, &Dark),
        "resize" => remote.resize(&base, &web, 1 << 30, &Dark),
        "receive" => remote.receive(&base, &web, None, &Dark),
        "examine" => remote.examine(&web, qchroot_api::DiskCheck::Full, &Dark),
        "delete" => remote.delete(&web, &Dark),
        "prune" => remote.prune(&[], &Dark),
        "rename" => remote.rename(&web, &named("web2", Options::new()), &Dark),
        "clone-of" => remote.clone_of(&base, &named("old", Options::new()), &web, &Dark),
        "snapshot" => remote.snapshot(&web, "monday", &Dark),
        "restore" => remote.restore(&web, "monday", &Dark),
        "forget" => remote.forget(&web, "monday", &Dark),
        "enclose" => remote.enclose(&web, &Dark),
        "up" => remote.up(&base, &web, &Dark),
        verb => panic!("{verb}"),
    }
}

#[track_caller]
fn accepts(verb: &str, step: &Value) {
    if let Err(error) = judged(verb, step) {
        panic!("{verb} {step}: {error}");
    }
}

#[track_caller]
fn refuses(verb: &str, step: &Value, why: &str) {
    let error = judged(verb, step).expect_err(&step.to_string());
    let said = format!("{error}");
    assert!(said.contains(why) && said.starts_with("acme.thing planned to "), "{verb} {step}: {said}");
    assert_eq!(
        (error.kind(), error.fact("plugin"), error.fact("call")),
        (ErrorKind::Plugin, Some("acme.thing"), Some(verb))
    );
    assert!(error.hint_text().unwrap().contains("tell the author of acme.thing"));
}

fn dir(at: &str) -> Value {
    json!({"do": "make-dir", "at": at, "mode": 0o755})
}

fn copy(from: &str, to: &str) -> Value {
    json!({"do": "copy-tree", "from": from, "to": to})
}

fn run(argv: &[&str]) -> Value {
    json!({"do": "run", "argv": argv, "check": null, "undo": null})
}

fn mount(at: &str, fs: Value, read_only: bool) -> Value {
    json!({"do": "mount", "at": at, "fs": fs, "read_only": read_only})
}

#[test]
fn a_storage_makes_what_it_wants_in_the_containers_directory_and_nowhere_else() {
    accepts("create", &dir("/q/lib/web/root"));
    accepts("create", &dir("/q/lib/web/root/./usr/deep/inside"));
    accepts("create", &dir("/q/lib/web/upper/./etc"));
    accepts("create", &copy("/q/lib/releases/debian-12/template", "/q/lib/web/root"));
    accepts("create", &dir("/srv/pool/web"));
    accepts("create", &dir("/q/lib/releases/debian-12/acme.thing/tree"));
    refuses("create", &tree("/etc"), "remove tree /etc, which is not web's");
    refuses("create", &tree("/q/lib/other/root"), "which is not web's");
    refuses("create", &tree("/q/lib/web"), "which is all that web has");
    refuses("create", &tree("/q/lib/webs/root"), "which is not web's");
    refuses("create", &dir("/q/lib/web/root/etc"), "say it as a place within");
    refuses("create", &copy("/etc", "/q/lib/web/root"), "which is not web's");
    refuses("create", &dir("/q/lib/releases/debian-12/template/x"), "belongs to all containers of its base");
    refuses("create", &dir("/q/lib/releases/debian-12/disks"), "which is not web's");
}

#[test]
fn paths_are_what_they_look_like() {
    refuses("create", &tree("/q/lib/web/../other"), "no absolute path without");
    refuses("create", &tree("/q/lib/web/./../other"), "no absolute path without");
    refuses("create", &tree("root"), "no absolute path without");
    refuses("create", &tree("/"), "no absolute path without");
    refuses("create", &dir("/q/lib/web/root/../../other/./etc"), "no absolute path without");
    refuses("create", &dir("/etc/./cron.d"), "which is not web's");
    refuses("create", &tree("/q/lib/web/\u{1b}[2Jroot"), "control characters");
    // What climbs in a place stays below its root.
    accepts("create", &dir("/q/lib/web/root/./../../etc"));
}

#[test]
fn each_call_has_steps_of_its_own() {
    let mounted = mount("/q/lib/web/root", json!({"type": "null", "source": "/q/lib/web/data"}), false);
    accepts("attach", &mounted);
    for verb in ["create", "resize", "delete", "prune", "rename", "snapshot", "restore", "forget", "enclose"]
    {
        refuses(verb, &mounted, &format!("which `{verb}` never does: a plan for `{verb}` may hold: "));
    }
    refuses("attach", &tree("/q/lib/web/root"), "which `attach` never does");
    let engines = [
        json!({"do": "stage", "at": "/q/lib/web/x"}),
        json!({"do": "fill", "source": "host", "release": {"version": "1", "brand": "linux", "digest": "", "pins": {}, "options": {}}, "into": "/q/lib/web/x"}),
        json!({"do": "split", "tree": "/q/lib/web/a", "sharedfs": "/q/lib/web/b", "template": "/q/lib/web/c", "describe": "/q/lib/web/d"}),
        json!({"do": "unpack", "file": "/q/lib/web/a", "sha256": "", "into": "/q/lib/web/b"}),
        json!({"do": "record", "base": "/q/lib/web/a"}),
        json!({"do": "discard", "from": "/q/lib/web/a", "to": "/q/lib/web/b"}),
        json!({"do": "stop-processes", "container": "web", "root": "/q/lib/web/root"}),
        json!({"do": "stop-init", "container": "web", "root": "/q/lib/web/root", "proc": null}),
        json!({"do": "signal", "container": "web", "root": "/q/lib/web/root", "pids": [1], "signal": "KILL"}),
        json!({"do": "purge", "container": "web", "root": "/q/lib/web/root", "dirs": ["/etc"], "booted": true}),
        json!({"do": "group", "what": "remove", "group": "qchroot-web", "limits": {}}),
    ];
    for (step, verb) in
        engines.iter().flat_map(|step| ["create", "attach", "delete", "up"].map(|verb| (step, verb)))
    {
        refuses(verb, step, "never does");
    }
}

#[test]
fn what_is_shown_inside_is_the_containers_the_bases_or_the_users() {
    let root = "/q/lib/web/root";
    let null = |source: &str| json!({"type": "null", "source": source});
    let base = "/q/lib/releases/debian-12/sharedfs";
    accepts("attach", &mount("/q/lib/web/root/./sharedfs", null(base), true));
    accepts("attach", &mount("/q/lib/web/root/./usr/src", null("/usr/src"), true));
    accepts("attach", &mount("/q/lib/web/root/./srv", null("/srv/pool/web"), false));
    refuses("attach", &mount("/q/lib/web/root/./sharedfs", null(base), false), "which must be read-only");
    refuses("attach", &mount(root, null("/"), true), "no absolute path");
    refuses("attach", &mount(root, null("/etc"), true), "which is not web's");
    refuses("attach", &mount(root, null("/q/lib/other/root"), true), "which is not web's");
    refuses("attach", &mount("/etc", null("/q/lib/web/data"), false), "which is not inside the root");
    refuses("attach", &mount("/q/lib/web/root/etc", null("/q/lib/web/data"), false), "ROOT/./PATH");
    refuses("attach", &mount(root, json!({"type": "proc"}), false), "which a storage does not mount");
    refuses("attach", &mount(root, json!({"type": "foreign", "name": "nfs"}), false), "does not mount");
    let overlay = |lower: &str, upper: &str, work: &str| {
        mount(root, json!({"type": "overlay", "lower": [lower], "upper": upper, "work": work}), false)
    };
    accepts("attach", &overlay(base, "/q/lib/web/upper", "/q/lib/web/work"));
    refuses("attach", &overlay(base, base, "/q/lib/web/work"), "belongs to all containers");
    refuses("attach", &overlay(base, "/q/lib/web/upper", "/q/lib/web/upper"), "not apart");
}

#[test]
fn only_declared_programs_are_run_and_only_on_what_may_be_touched() {
    accepts("create", &run(&["thingctl", "make", "--at=/q/lib/web/root", "/dev/mapper/x"]));
    accepts("create", &run(&["/usr/sbin/thingctl", "from", "/q/lib/releases/debian-12/template"]));
    refuses("create", &run(&["rm", "-rf", "/etc"]), "declares no program rm: what it declares are thingctl");
    refuses("create", &run(&["/tmp/thingctl"]), "/tmp/thingctl is not among the host's programs");
    refuses("create", &run(&["thingctl", "rm", "/etc"]), "and /etc is neither web's nor named by an option");
    refuses("create", &run(&["thingctl", "--into=/q/lib/other"]), "/q/lib/other is neither");
    refuses("prune", &run(&["thingctl", "/srv/pool"]), "and /srv/pool is neither");
    refuses("create", &run(&[]), "which is no program");
    let with =
        |check: Value, undo: Value| json!({"do": "run", "argv": ["thingctl"], "check": check, "undo": undo});
    refuses("create", &with(json!(null), json!(["rm", "-rf", "/"])), "declares no program rm");
    refuses("create", &with(json!(["sh", "-c", "true"]), json!(null)), "declares no program sh");
}

#[test]
fn snapshots_are_changed_by_nobody_but_who_takes_or_removes_one() {
    accepts("snapshot", &copy("/q/lib/web/root", "/q/lib/web/snapshots/monday/data"));
    accepts("forget", &tree("/q/lib/web/snapshots/monday"));
    accepts("restore", &copy("/q/lib/web/snapshots/monday/data", "/q/lib/web/new"));
    refuses("snapshot", &dir("/q/lib/web/snapshots/tuesday"), "which are snapshots that stay as they are");
    refuses("forget", &tree("/q/lib/web/snapshots/tuesday"), "which is not the snapshot monday");
    refuses("forget", &tree("/q/lib/web/root"), "which is not the snapshot monday");
    refuses("restore", &tree("/q/lib/web/snapshots/monday"), "which are snapshots that stay as they are");
    refuses("restore", &tree("/q/lib/web/snapshots"), "which is not the plug-in's to remove as a whole");
}

#[test]
fn what_the_user_named_is_not_removed_as_a_whole() {
    accepts("delete", &tree("/srv/pool/web"));
    refuses("delete", &tree("/srv/pool"), "which is not the plug-in's to remove as a whole");
    refuses("delete", &tree("/srv"), "which is not web's");
}

#[test]
fn a_clone_reads_the_other_one_and_leaves_it_as_it_is() {
    accepts("clone-of", &copy("/q/lib/old/root", "/q/lib/web/root"));
    let check = |at: &str| json!({"do": "disk", "act": "check", "at": at, "fs": "ext4", "how": "preen", "log": "/q/log/old/x"});
    accepts("clone-of", &check("/q/lib/old/disk.img"));
    refuses("clone-of", &check("/q/lib/third/disk.img"), "which is not web's");
    refuses("clone-of", &tree("/q/lib/old/root"), "which is not web's");
    refuses("clone-of", &copy("/q/lib/third/root", "/q/lib/web/root"), "which is not web's");
}

#[test]
fn what_cannot_be_taken_back_is_no_way_to_rename() {
    accepts("rename", &json!({"do": "rename", "from": "/srv/pool/web", "to": "/srv/pool/web2"}));
    refuses("rename", &run(&["thingctl", "rename"]), "which cannot be taken back");
}

#[test]
fn an_isolation_starts_what_is_the_containers() {
    let init =
        |name: &str, root: &str| json!({"do": "start-init", "container": name, "root": root, "proc": null});
    accepts("up", &init("web", "/q/lib/web/root"));
    refuses("up", &init("other", "/q/lib/web/root"), "which is not web's");
    refuses("up", &init("web", "/q/lib/other/root"), "which is not web's");
    let device =
        |at: &str, major: u32, minor: u32| json!({"do": "device", "at": at, "major": major, "minor": minor});
    accepts("up", &device("/q/lib/web/root/./dev/null", 1, 3));
    refuses("up", &device("/q/lib/web/root/./dev/sda", 8, 0), "none of the devices that are safe");
    refuses("up", &device("/dev/null", 1, 3), "not inside the root");
    let group = |group: &str| json!({"do": "group", "what": "make", "group": group, "limits": {}, "directory": "/q/lib/web"});
    accepts("enclose", &group(&web().system_name()));
    refuses("enclose", &group("system.slice"), "which is not the control group of web");
    refuses(
        "up",
        &mount("/q/lib/web/root/./dev", json!({"type": "dev", "ruleset": 0}), false),
        "hides no device",
    );
    refuses("up", &mount("/q/lib/web/root", json!({"type": "proc"}), false), "not inside the root");
}

#[test]
fn a_plan_of_thousands_of_steps_is_none() {
    let many: Vec<Value> = (0..5000).map(|n| dir(&format!("/q/lib/web/root/./{n}"))).collect();
    let error = planned("create", &json!(many)).unwrap_err();
    assert!(error.message().contains("planned 5000 steps for `create`"), "{error}");
}

#[test]
fn the_table_that_authors_read_is_the_judges() {
    let rules = include_str!("../../../../docs/plugin-rules.md");
    let rows =
        rules.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(", run |")?.split_once(" | "));
    let calls =
        rows.flat_map(|(calls, steps)| calls.split(", ").map(move |call| (call.trim_matches('`'), steps)));
    let calls: Vec<(&str, &str)> = calls.collect();
    assert_eq!(calls.len(), 13, "{calls:?}");
    for (call, steps) in calls {
        let error = judged(call, &json!({"do": "record", "base": "/q"})).unwrap_err();
        assert_eq!(error.causes(), [format!("a plan for `{call}` may hold: {steps}, run")]);
    }
}
