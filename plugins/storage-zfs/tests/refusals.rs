//! What is not there, not ours, or not enough: each refusal names it and says what to do.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

mod support;

use qchroot_api::{Error, ErrorKind, Options, Output, SharedStorage, toml};
use qchroot_storage_zfs::Zfs;
use qchroot_testkit::FakeHost;
use support::World;

#[track_caller]
fn refused(error: &Error, kind: ErrorKind, words: &[&str]) {
    let text = format!("{error}; hint: {}", error.hint_text().unwrap_or_default());
    assert_eq!(error.kind(), kind, "{text}");
    words.iter().for_each(|word| assert!(text.contains(word), "{word:?} is not in: {text}"));
}

#[test]
fn without_zfs_the_package_is_named() {
    for (host, hint) in [(FakeHost::linux(), "zfsutils-linux"), (FakeHost::freebsd(), "service zfs")] {
        let world = World::linux();
        let web = world.container("web", Options::new());
        let error = Zfs.create(&world.base, &web, &host).unwrap_err();
        refused(&error, ErrorKind::Unavailable, &["no program zfs", hint]);
        assert_eq!(Zfs.prune(&[], &host), Ok(vec![]));
    }
}

#[test]
fn what_zfs_says_is_told() {
    let world = World::linux();
    let host = FakeHost::linux();
    host.on_run("zfs", |_| Output {
        status: 1,
        stdout: String::new(),
        stderr: "The ZFS modules cannot be auto-loaded.\n".into(),
    });
    let error = Zfs.create(&world.base, &world.container("web", Options::new()), &host).unwrap_err();
    refused(&error, ErrorKind::Unavailable, &["cannot be auto-loaded", "modprobe zfs"]);
    assert_eq!(Zfs.prune(&[], &host), Ok(vec![]), "a release can be removed all the same");
}

#[test]
fn a_parent_that_is_not_there_is_named_with_the_command_that_makes_it() {
    let world = World::linux();
    for name in ["tank/none", "no/pool"] {
        let mut web = world.container("web", Options::new());
        web.storage.insert("dataset".into(), name.into());
        let error = world.plan_create(&web).unwrap_err();
        refused(&error, ErrorKind::NotFound, &[name, "zfs create -p"]);
    }
    let mut web = world.container("web", Options::new());
    web.storage.remove("dataset");
    refused(&world.plan_create(&web).unwrap_err(), ErrorKind::Config, &["storage.dataset="]);
}

#[test]
fn a_data_set_of_somebody_elses_is_never_touched() {
    let world = World::linux();
    let web = world.container("web", Options::new());
    assert_eq!(world.host.zfs("create tank/qchroot/web").status, 0);
    let before = world.datasets();
    for refusal in [
        world.plan_create(&web),
        Zfs.delete(&web, world.view()),
        Zfs.resize(&world.base, &web, 1 << 20, world.view()),
        Zfs.snapshot(&web, "monday", world.view()),
    ] {
        refused(&refusal.unwrap_err(), ErrorKind::Exists, &["tank/qchroot/web", "did not make it"]);
    }
    assert_eq!(world.datasets(), before);
}

#[test]
fn a_mark_that_is_only_inherited_is_none() {
    let world = World::linux();
    assert_eq!(world.host.zfs("set org.qchroot:is=container tank/qchroot").status, 0);
    assert_eq!(world.host.zfs("create tank/qchroot/web").status, 0);
    let web = world.container("web", Options::new());
    refused(&Zfs.delete(&web, world.view()).unwrap_err(), ErrorKind::Exists, &["did not make it"]);
}

#[test]
fn a_clone_that_somebody_else_was_faster_with_is_not_taken_back() {
    let world = World::linux();
    let plan = world.plan_create(&world.container("web", Options::new())).unwrap();
    world.host.plant_dir("/q/.staging-web", 0o700);
    let (clone, before) = plan.split_last().unwrap();
    qchroot_testkit::behavior::succeed(&world.host, &before.to_vec());
    assert_eq!(world.host.zfs("create tank/qchroot/web").status, 0);
    qchroot_testkit::behavior::take_back(&world.host, &vec![clone.clone()]);
    assert!(world.datasets().contains(&"web".to_owned()));
}

#[test]
fn children_of_others_below_a_container_keep_it() {
    let world = World::linux();
    let web = world.web();
    assert_eq!(world.host.zfs("create tank/qchroot/web/mail").status, 0);
    let error = Zfs.delete(&web, world.view()).unwrap_err();
    refused(&error, ErrorKind::Busy, &["tank/qchroot/web/mail"]);
}

#[test]
fn sizes_that_cannot_be_are_refused_with_the_figures() {
    let world = World::linux();
    let more = world.container("web", toml::toml! { size = "2G" });
    refused(
        &world.plan_create(&more).unwrap_err(),
        ErrorKind::Usage,
        &["2 GiB", "more than there is", "free"],
    );
    let _web = world.web();
    let tiny = world.container("db", toml::toml! { size = 1 });
    refused(&world.plan_create(&tiny).unwrap_err(), ErrorKind::Usage, &["1 B is too small", "at least"]);
}

#[test]
fn a_container_whose_data_set_is_gone_says_so() {
    let world = World::linux();
    let web = world.web();
    assert_eq!(world.host.zfs("destroy tank/qchroot/web").status, 0);
    refused(&Zfs.usage(&web, world.view()).unwrap_err(), ErrorKind::NotFound, &["is gone", "import"]);
    assert_eq!(Zfs.delete(&web, world.view()), Ok(vec![]), "it can still be deleted");
}
