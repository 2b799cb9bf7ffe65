//! Bad input: the status, the words, the hint, and nothing changed on disk.

use std::fs;

use serde_json::Value;

use crate::tree::Tree;
use crate::world::World;

/// Arguments, exit status, what standard error says.
type Case = (&'static [&'static str], i32, &'static [&'static str]);

/// With containers `web`, started, `idle` and `bad`, whose file is damaged.
const CASES: &[Case] = &[
    (&["create", "web"], 73, &["qchroot: there is a container web already", "hint: choose another name"]),
    (&["create", "12"], 64, &["bad container name \"12\": it is all digits", "hint: use letters"]),
    (&["create", "a/b"], 64, &["bad container name \"a/b\"", "hint: "]),
    (&["create", ".."], 64, &["bad container name", "hint: "]),
    (&["create", ""], 64, &["it is empty", "hint: "]),
    (&["create", "a\u{1b}[2Jb"], 64, &["\\u{1b}", "hint: "]),
    (&["create", "Template"], 64, &["it is a reserved word", "hint: "]),
    (
        &["create", "new", "--storage", "overly"],
        78,
        &["no storage named \"overly\"", "hint: there are: ", "overlay"],
    ),
    (&["create", "new", "--isolation", "jails"], 78, &["named \"jails\"", "hint: there are: chroot"]),
    (
        &["create", "new", "--isolation", "jail"],
        69,
        &["isolation jail of new works on FreeBSD only", "hint: `qchroot plugin list`"],
    ),
    (&["create", "new", "--release", "none-1"], 66, &["release none-1 is not installed", "hint: "]),
    (
        &["create", "new", "-o", "storage.host_treees=src"],
        78,
        &["host_treees", "hint: did you mean host_trees?"],
    ),
    (&["create", "new", "-o", "host_trees=src"], 64, &["is for neither back end", "hint: write storage."]),
    (&["create", "new", "-o", "storage.host_trees"], 64, &["not of the form KEY=VALUE"]),
    (&["create", "new", "-o", "isolation.proc=maybe"], 78, &["proc", "maybe"]),
    (&["create", "new", "--storge", "nullfs"], 64, &["--storge", "--storage"]),
    (&["create"], 64, &["NAME"]),
    (&["craete", "new"], 64, &["craete", "create"]),
    (&["start", "wbe"], 66, &["there is no container wbe", "hint: did you mean web?"]),
    (&["start", "zzzzzz"], 66, &["there is no container zzzzzz", "hint: `qchroot list`"]),
    (&["start"], 64, &["start needs a name", "hint: "]),
    (&["start", "-A", "web"], 64, &["takes names or -A, not both"]),
    (&["stop", "zzzzzz"], 66, &["there is no container zzzzzz"]),
    (&["stop", "web", "--timeout", "soon"], 64, &["soon"]),
    (&["restart", "zzzzzz"], 66, &["there is no container zzzzzz"]),
    (&["delete", "zzzzzz"], 66, &["there is no container zzzzzz"]),
    (
        &["delete", "web"],
        75,
        &["cannot delete web", "it is started", "hint: stop it first: `qchroot stop web`"],
    ),
    (&["list", "zzzzzz"], 66, &["there is no container zzzzzz"]),
    (&["ps", "zzzzzz"], 66, &["there is no container zzzzzz"]),
    (&["console", "web"], 75, &["web is started", "hint: `qchroot stop web` first"]),
    (&["exec", "zzzzzz", "true"], 66, &["there is no container zzzzzz"]),
    (&["exec", "web"], 64, &["PROGRAM"]),
    (&["exec", "web", "-u", "root", "-U", "root", "true"], 64, &["cannot be used with"]),
    (&["config", "idle", "nginx"], 66, &["idle has no service nginx", "/etc/init.d/nginx", "hint: "]),
    (&["config", "idle", "../x"], 64, &["bad service name", "hint: "]),
    (&["config", "idle", "--remove", "nginx"], 66, &["service nginx is not configured"]),
    (&["config", "idle", "--command", "x='unclosed"], 64, &["open quote", "hint: "]),
    (&["config", "idle", "--command", "x="], 64, &["is empty", "hint: "]),
    (&["config", "idle", "--boot", "perhaps"], 64, &["--boot is yes or no"]),
    (&["config", "idle", "-o", "storage.siez=1"], 78, &["siez"]),
    (&["start", "bad"], 78, &["etc/containers/bad.toml:3:1: unknown field `relase`", "hint: mend the file"]),
    (&["config", "bad", "httpd"], 78, &["bad.toml:3:1", "hint: "]),
    (&["plugin", "info", "nothing"], 66, &["no back end named \"nothing\"", "hint: "]),
    (&["install", "--source", "tarbal"], 78, &["named \"tarbal\"", "hint: there are: "]),
    (&["install", "--source", "tarball", "-o", "path=/nonexistent.tar"], 66, &["/nonexistent.tar"]),
    (&["install", "--source", "tarball"], 78, &["needs the option path", "hint: add -o path=FILE"]),
    (&["install", "--source", "tarball", "-o", "pth=/x"], 78, &["pth", "hint: did you mean path?"]),
    (&["install", "--source", "tarball", "-o", "path=/etc/passwd"], 65, &["cannot be checked", "hint: "]),
];

fn world() -> World {
    let world = World::with_sleeper("overlay");
    for name in ["idle", "bad"] {
        world.run(["create", name]).ok();
    }
    let text = fs::read_to_string(world.file("bad")).unwrap();
    fs::write(world.file("bad"), text.replacen("release", "# a comment\nrelase", 1)).unwrap();
    world.run(["start", "web"]).ok();
    world
}

#[test]
fn each_mistake_is_named_and_changes_nothing() {
    let world = world();
    // Lock files come to be, and mean nothing.
    let tree = || ["lib", "etc", "log", "run/web"].map(|dir| Tree::with_times(&world.root.join(dir)));
    let before = tree();
    let inside = world.inside();
    for &(args, status, texts) in CASES {
        let ran = world.run(args);
        let said = texts.iter().all(|text| ran.err.contains(text)) && ran.status == status;
        assert!(said, "expected {status} and {texts:?}: {ran}");
        assert_eq!(ran.out, "", "{ran}");
        assert!(!ran.err.contains('\u{1b}'), "{ran}");
        for (before, now) in before.iter().zip(&tree()) {
            before.assert_same(now, &format!("{args:?} changed something"));
        }
    }
    assert_eq!(world.inside(), inside);
}

#[test]
fn an_error_as_json_has_the_same_status_and_words() {
    let world = world();
    for &(args, status, _) in CASES {
        let ran = world.run(["--json"].iter().chain(args));
        assert_eq!(ran.status, status, "{ran}");
        let error: Value = serde_json::from_str(&ran.err).unwrap_or_else(|e| panic!("{e}: {ran}"));
        assert_eq!(error["exit"], status, "{ran}");
        for key in ["kind", "message", "context", "causes", "hint"] {
            assert!(error.get(key).is_some(), "no {key}: {ran}");
        }
        let message = error["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.ends_with('.'), "{ran}");
    }
}

#[test]
fn a_damaged_file_keeps_only_its_own_container() {
    let world = world();
    let listed = world.run(["list", "--json"]).json();
    let bad = &listed[0];
    assert_eq!(
        (bad["name"].as_str(), bad["problems"][0].as_str().map(|p| p.contains("bad.toml:3:1"))),
        (Some("bad"), Some(true))
    );
    assert_eq!(listed[2]["state"], "started", "{listed}");
    let found = world.run(["doctor"]);
    assert!(found.status == 75 && found.out.contains("bad.toml:3:1: unknown field `relase`"), "{found}");
    world.run(["stop", "web"]).ok();
    let ran = world.run(["start", "-A"]);
    assert!(ran.status == 78 && ran.out.contains("web: Start chroot completed."), "{ran}");
    assert_eq!(world.run(["delete", "bad"]).ok(), "bad: deleted\n", "a damaged one can be deleted");
}

#[test]
fn a_file_of_another_format_or_not_toml_is_refused_with_its_place() {
    let world = World::with_sleeper("overlay");
    let good = fs::read_to_string(world.file("web")).unwrap();
    for (text, said) in [
        (good.replace("format = 1", "format = 2"), "web.toml has format 2, this program reads 1"),
        (good.replace("format = 1", "format = \"one\""), "web.toml:1:10: "),
        (good.replace("backend = \"chroot\"", "backend = \"chroot"), "web.toml:8:"),
        (good.replace("[storage]\n", "[storage]\noptions = { host_trees = 7 }\n"), "web.toml:5:13: "),
        (good.replace("[storage]\n", "[storage]\noptions = { trees = [] }\n"), "web.toml:5:13: "),
        (good.replace("command", "comand"), "web.toml:12:1: unknown field `comand`"),
        ("\u{0}\u{1}".into(), "web.toml:1:"),
        (String::new(), "web.toml:1:1: "),
    ] {
        fs::write(world.file("web"), &text).unwrap();
        world.run(["start", "web"]).fails(78, &[said, "hint: "]);
        assert_eq!(world.inside(), Vec::<i32>::new());
    }
    fs::write(world.file("web"), [0xff, 0xfe]).unwrap();
    world.run(["start", "web"]).fails(78, &["web.toml is not UTF-8"]);
    fs::write(world.file("web"), &good).unwrap();
    fs::write(world.root.join("etc/qchroot.toml"), "format = 1\n[defaults]\nstorge = \"md\"\n").unwrap();
    world.run(["list"]).fails(78, &["qchroot.toml:3:1: unknown field `storge`"]);
}

#[test]
fn without_a_release_create_says_what_to_do() {
    let world = World::new();
    world.run(["create", "web"]).fails(66, &["no release is installed", "hint: run `qchroot install` first"]);
    assert_eq!(world.run(["list", "--json"]).ok(), "[]\n");
    assert!(!world.lib("web").exists());
}

#[test]
fn help_and_version_need_nothing() {
    let world = World::new();
    for args in [&["--help"][..], &["help"], &["create", "--help"], &["version"], &[]] {
        assert!(!world.run(args).ok().is_empty());
    }
    assert!(!world.root.exists());
}
