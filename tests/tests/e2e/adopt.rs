//! Containers of other tools are taken over where they lie: first shown, then done, nothing copied, and they run.

pub mod old;

use std::fs;

use serde_json::Value;

use crate::adopt::old::{HTTPD, Old, number};

const TOOLS: [&str; 4] = ["qchroot", "qjail", "ezjail", "bastille"];

#[test]
fn what_is_shown_changes_nothing() {
    for tool in TOOLS {
        let old = Old::of(tool);
        let before = old.tree();
        let said = old.adopt(&[]).ok();
        assert!(said.contains("  web: to be adopted from ") && said.contains("services httpd"), "{said}");
        assert!(said.ends_with("nothing was changed; `qchroot adopt --apply` does it\n"), "{said}");
        let report = old.adopt(&["--json"]).json();
        let system = &report["systems"][0];
        assert_eq!((&report["applied"], &system["tool"]), (&Value::Bool(false), &tool.into()), "{report}");
        let steps = old.adopt(&["--apply", "--dry-run", "--json"]).json();
        let planned: usize = [&system["releases"], &system["containers"]]
            .into_iter()
            .flat_map(|all| all.as_array().unwrap())
            .map(|one| one["steps"].as_array().unwrap().len())
            .sum();
        assert_eq!(steps.as_array().unwrap().len(), planned, "{steps}");
        before.assert_same(&old.tree(), tool);
    }
}

#[test]
fn what_is_taken_is_the_same_tree_and_runs() {
    for tool in TOOLS {
        let old = Old::of(tool);
        let world = &old.world;
        let was = number(&old.at(&old.tree_of("web")));
        let program = number(&shared_program(&old));
        let said = old.adopt(&["--apply"]).ok();
        assert!(said.contains("  web: adopted from ") && said.contains("  by hand: "), "{said}");
        assert_eq!(number(&world.lib("web/root")), was, "{tool}: the tree was copied");
        assert_eq!(
            number(&world.lib("current/sharedfs/bin/busybox")),
            program,
            "{tool}: the base was copied"
        );
        assert_eq!(
            fs::read_link(world.lib("web/root/usr/bin")).unwrap().to_str(),
            Some("../sharedfs/usr/bin")
        );
        old.assert_works();
        let (web, db) = (world.report("web"), world.report("db"));
        assert_eq!((&web["boot"], &db["boot"]), (&true.into(), &false.into()), "{tool}");
        assert_eq!(
            (&web["storage"], &web["services"][0]["name"]),
            (&"nullfs".into(), &"httpd".into()),
            "{tool}"
        );
        world.run(["release", "verify"]).ok();
        world.run(["create", "fresh", "--storage", "nullfs"]).ok();
        assert_eq!(world.run(["exec", "fresh", "head", "-n1", "/etc/group"]).ok(), "root:x:0:\n");
        assert!(old.at(&old.file_of("web")).exists(), "{tool}: its configuration stays");
    }
}

#[test]
fn a_second_time_there_is_nothing_to_do() {
    for tool in TOOLS {
        let old = Old::of(tool);
        old.adopt(&["--apply"]).ok();
        let before = old.lasting();
        assert_eq!(old.adopt(&["--apply"]).ok(), "nothing to adopt\n", "{tool}");
        assert_eq!(old.adopt(&[]).ok(), "nothing to adopt\n", "{tool}");
        before.assert_same(&old.lasting(), tool);
    }
}

#[test]
fn some_are_taken_now_and_the_others_later() {
    for tool in TOOLS {
        let old = Old::of(tool);
        old.adopt(&["web", "--apply"]).ok();
        assert!(!old.world.file("db").exists() && old.at(&old.tree_of("db")).exists(), "{tool}");
        old.assert_works();
        let said = old.adopt(&["--apply"]).ok();
        assert!(
            said.contains("  db: adopted") && !said.contains("web") && !said.contains("  release "),
            "{said}"
        );
        assert_eq!(old.world.run(["exec", "db", "cat", "/root/thesis"]).ok(), "precious db");
        assert_eq!(old.world.report("db")["release"], old.world.report("web")["release"], "{tool}");
    }
}

#[test]
fn an_adopted_container_moves_to_another_release() {
    let old = Old::of("ezjail");
    old.adopt(&["--apply"]).ok();
    let world = &old.world;
    crate::userland::write_with(
        &world.archive(),
        &[("etc/motd", "two"), ("usr/local/etc/rc.d/httpd", HTTPD)],
    );
    world.install("tiny-2.0").ok();
    world.run(["upgrade", "web"]).ok();
    assert_eq!(world.sh("cat /etc/motd /root/thesis").ok(), "twoprecious web");
    old.assert_works();
    world.run(["rollback", "web"]).ok();
    old.assert_works();
}

#[test]
fn the_way_back_that_is_told_leads_back() {
    for tool in TOOLS {
        let old = Old::of(tool);
        let report = old.adopt(&["--apply", "--json"]).json();
        let containers = report["systems"][0]["containers"].as_array().unwrap();
        let web = containers.iter().find(|container| container["name"] == "web").unwrap();
        for command in web["back"].as_array().unwrap() {
            let words: Vec<&str> = command.as_str().unwrap().split(' ').collect();
            crate::program::Ran::of(std::process::Command::new(words[0]).args(&words[1..])).ok();
        }
        let thesis = old.at(&format!("{}/root/thesis", old.tree_of("web")));
        assert_eq!(fs::read_to_string(thesis).unwrap(), "precious web", "{tool}");
        assert!(!old.world.file("web").exists(), "{tool}");
        old.adopt(&["--apply"]).ok();
        old.assert_works();
    }
}

fn shared_program(old: &Old) -> std::path::PathBuf {
    old.at(match old.tool {
        "qchroot" => "usr/qchroot/sharedfs/bin/busybox",
        "qjail" => "usr/jails/sharedfs/bin/busybox",
        "ezjail" => "usr/jails/basejail/bin/busybox",
        _ => "usr/local/bastille/releases/13.2-RELEASE/bin/busybox",
    })
}
