//! Answers that are no plans, and words that are no answers.

use camino::Utf8PathBuf;
use qchroot_abi::Remote;
use qchroot_api::{Backend, ErrorKind, Isolation, ReleaseSource, ReleaseWish, SharedStorage, Step};
use serde_json::{Value, json};

use crate::{Dark, Says, base, info, remote, tree, web};

#[test]
fn where_a_containers_files_are_said_to_be_is_judged_too() {
    let (base, web) = (base(), web());
    let layers = |paths: &[&str]| remote(&json!(paths)).layers(&base, &web);
    assert_eq!(layers(&["/q/lib/web/root", "/q/lib/releases/debian-12/sharedfs"]).unwrap().len(), 2);
    assert!(layers(&["/etc"]).unwrap_err().message().contains("named /etc, which is not web's"));
    let private = |path: &str| remote(&json!(path)).private(&web);
    assert_eq!(private("/q/lib/web/upper").unwrap(), Utf8PathBuf::from("/q/lib/web/upper"));
    assert!(private("/q/lib/web").unwrap_err().message().contains("all that web has"));
    assert!(private("/q/lib").is_err());
    let derived = |at: &str, link: &str| {
        remote(&json!({"as": "copy", "at": at, "links": [[link, "x"]]})).derived(&base, &web)
    };
    assert!(derived("/q/lib/web/root", "usr/bin").unwrap().is_some());
    assert!(derived("/q/lib/web/root", "../usr/bin").unwrap_err().message().contains("not all inside"));
    assert!(derived("/q/lib/other/root", "usr/bin").unwrap_err().message().contains("which is not web's"));
    let snapshots = |name: &str| remote(&json!([{"name": name, "taken": 1}])).snapshots(&web, &Dark);
    assert!(snapshots("auto@2026:1").is_ok());
    assert!(snapshots("../other").unwrap_err().message().contains("which is no name"));
}

#[test]
fn the_way_inside_leads_into_the_containers_own_root() {
    let way = |way: Value| remote(&way).way(&web(), &Dark);
    assert!(way(json!({"by": "chroot", "root": "/q/lib/web/root"})).is_ok());
    assert!(way(json!({"by": "command", "prefix": ["thingctl", "enter", "web"]})).is_ok());
    for (bad, why) in [
        (json!({"by": "chroot", "root": "/"}), "and / is not its root"),
        (json!({"by": "command", "prefix": ["nsenter", "-t", "1"]}), "declares no program nsenter"),
        (json!({"by": "command", "prefix": []}), "which is no program"),
        (json!({"by": "sandbox", "root": "/q/lib/web/root", "rules": {"group": "x"}}), "another one's"),
        (
            json!({"by": "chroot", "root": "/q/lib/web/root", "rules": {"capabilities": ["all"]}}),
            "that there is not",
        ),
    ] {
        let error = way(bad.clone()).unwrap_err();
        assert!(
            error.message().starts_with("acme.thing named a way into web") && error.message().contains(why),
            "{error}"
        );
    }
}

#[test]
fn services_have_names_that_are_file_names_and_programs_inside() {
    let services = |name: &str, argv: &[&str]| {
        remote(&json!([{"name": name, "run": {"as": "command", "argv": argv}}])).services(&web())
    };
    assert_eq!(services("rc", &["/bin/sh", "/etc/rc"]).unwrap().len(), 1);
    assert!(services("../../etc/cron", &["true"]).unwrap_err().message().contains("whose name"));
    assert!(services("rc", &[]).unwrap_err().message().contains("nothing that can be run"));
}

#[test]
fn facts_are_short_lines() {
    let facts = |fact: &str| remote(&json!({"jid": fact})).facts(&web(), &Dark);
    assert_eq!(facts("12").unwrap()["jid"], "12");
    for bad in ["a\nb", "\u{1b}[31m", &"x".repeat(1000)] {
        assert!(facts(bad).unwrap_err().message().contains("told a fact \"jid\""));
    }
}

#[test]
fn a_release_can_become_a_base() {
    let resolved = |key: &str, value: Value| {
        let mut release = json!({
            "version": "thing-1.0", "brand": "linux", "digest": "0".repeat(64), "pins": {}, "options": {},
        });
        release[key] = value;
        remote(&release).resolve(&ReleaseWish::default(), &Dark)
    };
    assert_eq!(resolved("version", json!("thing-1.0")).unwrap().version, "thing-1.0");
    assert!(resolved("host_dirs", json!(["usr/lib"])).is_ok());
    for (key, value, why) in [
        ("digest", json!("abc"), "which is not SHA-256"),
        ("digest", json!("G".repeat(64)), "which is not SHA-256"),
        ("version", json!("../../etc"), "resolved to version"),
        ("version", json!(""), "resolved to version"),
        ("host_dirs", json!(["etc"]), "where no programs are"),
        ("host_dirs", json!(["/usr/lib"]), "where no programs are"),
        ("host_dirs", json!(["usr/../etc"]), "where no programs are"),
        ("remember", json!({"a": "b"}), "to be remembered"),
        ("pins", json!({"a\nb": "c"}), "not short lines"),
        ("options", json!({"unknown": 1}), "options that it does not declare"),
    ] {
        let error = resolved(key, value).unwrap_err();
        assert!(error.message().contains(why) && error.kind() == ErrorKind::Plugin, "{key}: {error}");
    }
}

#[test]
fn what_a_back_end_says_of_itself_is_fit_to_be_shown() {
    let said = |key: &str, value: Value| {
        let mut info = info();
        info[key] = value;
        Remote::new(Box::new(Says { info, answer: String::new() }))
    };
    assert_eq!(said("name", json!("acme.thing")).unwrap().info().name, "acme.thing");
    for (key, value, why) in [
        ("name", json!("overlay"), "that its name is"),
        ("name", json!("acme.\u{1b}[2J"), "that its name is"),
        ("name", json!("acme/../../x.y"), "that its name is"),
        ("summary", json!("two\nlines"), "one short line"),
        ("summary", json!("x".repeat(5000)), "one short line"),
        ("platforms", json!([]), "on no kernel"),
        ("capabilities", json!(["verified"]), "which is not for a storage"),
        ("options", json!([{"key": "", "kind": "text", "default": "", "summary": "x"}]), "an option"),
        ("options", json!(vec![info()["options"][0].clone(); 2]), "or twice"),
        ("programs", json!(["sh"]), "or a shell's"),
        ("programs", json!(["/sbin/zfs"]), "no name of a program"),
    ] {
        let error = said(key, value).unwrap_err();
        assert!(error.message().contains(why) && error.kind() == ErrorKind::Plugin, "{key}: {error}");
    }
}

#[test]
fn words_that_are_no_answer_are_an_error_with_the_name() {
    let said = |answer: &str| {
        let says = Says { info: info(), answer: answer.to_owned() };
        SharedStorage::create(&Remote::new(Box::new(says)).unwrap(), &base(), &web(), &Dark).unwrap_err()
    };
    for answer in ["", "nonsense", "{}", "[{\"do\":\"explode\"}]", "[1]", "\"text\"", &"[".repeat(1_000_000)]
    {
        let error = said(answer);
        assert_eq!(error.kind(), ErrorKind::Plugin);
        assert_eq!(error.message(), "plug-in acme.thing failed in `create`");
        assert!(error.causes()[0].contains("said what cannot be understood"), "{error}");
    }
    let huge = said(&format!("[{}]", " ".repeat(100 << 20)));
    assert!(huge.causes()[0].contains("said 104857602 bytes at once"), "{huge}");
    let rude = said(&format!("[{{\"do\":\"{}\"}}]", "\\u001b[31m".repeat(10_000)));
    assert!(rude.to_string().len() < 5000 && !rude.to_string().contains('\u{1b}'), "{rude}");
}

#[test]
fn a_back_end_of_ours_is_taken_at_its_word() {
    let says = Says { info: info(), answer: json!([tree("/etc")]).to_string() };
    let plan =
        SharedStorage::create(&Remote::trusted(Box::new(says)).unwrap(), &base(), &web(), &Dark).unwrap();
    assert_eq!(plan, [Step::RemoveTree { at: "/etc".into() }]);
}
