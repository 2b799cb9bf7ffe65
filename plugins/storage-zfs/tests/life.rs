//! Containers on a pool with state: what they hold, what they may take, and what goes with them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

mod support;

use qchroot_api::{ErrorKind, Options, SharedStorage, toml};
use qchroot_storage_zfs::Zfs;
use qchroot_testkit::behavior::{succeed, take_back};
use support::World;

const BASE: [&str; 2] = ["base:small-1-0123456789ab", "base:small-1-0123456789ab@template"];

#[test]
fn the_template_is_made_once_and_every_container_writes_its_own() {
    let world = World::linux();
    let web = world.web();
    assert_eq!(world.datasets(), [BASE.as_slice(), &["web"]].concat());
    let db = world.created("db", Options::new());
    assert_eq!(world.datasets(), [BASE.as_slice(), &["db", "web"]].concat());
    world.write(&web, "etc/motd", "web's");
    assert_eq!(world.read(&web, "etc/motd").as_deref(), Some("web's"));
    assert_eq!(world.read(&db, "etc/motd"), None);
    assert!(world.read(&db, "usr/bin/true").is_some() && world.read(&db, "etc/passwd").is_some());
}

#[test]
fn two_first_creates_at_a_time_leave_one_template() {
    let world = World::linux();
    let (web, db) = (world.container("web", Options::new()), world.container("db", Options::new()));
    for name in ["web", "db"] {
        world.host.plant_dir(format!("/q/.staging-{name}"), 0o700);
    }
    let (first, second) = (world.plan_create(&web).unwrap(), world.plan_create(&db).unwrap());
    let (begun, rest) = second.split_at(second.len() - 5);
    succeed(&world.host, &begun.to_vec());
    succeed(&world.host, &first);
    succeed(&world.host, &rest.to_vec());
    assert_eq!(world.datasets(), [BASE.as_slice(), &["db", "web"]].concat());
    for name in ["db", "web"] {
        let origin = world.host.zfs(&format!("get -H -o value origin tank/qchroot/{name}")).stdout;
        assert_eq!(origin.trim(), format!("tank/qchroot/{}", BASE[1]));
    }
}

#[test]
fn usage_tells_what_is_held_of_the_limit() {
    let world = World::linux();
    let web = world.created("web", toml::toml! { size = "1M" });
    let before = Zfs.usage(&web, world.view()).unwrap().unwrap();
    assert_eq!((before.limit, before.allocated), (Some(1 << 20), 0));
    assert_eq!(before.free, Some((1 << 20) - before.used));
    world.write(&web, "etc/motd", &"x".repeat(1000));
    let after = Zfs.usage(&web, world.view()).unwrap().unwrap();
    assert!(after.used - before.used >= 1000, "{after:?}");
    assert_eq!(after.allocated, after.used - before.used, "what it shares with the template is not its own");
    let free = world.created("db", Options::new());
    let usage = Zfs.usage(&free, world.view()).unwrap().unwrap();
    assert_eq!((usage.limit, usage.free), (None, None));
}

#[test]
fn another_limit_takes_the_reservation_with_it_and_can_be_taken_back() {
    let world = World::linux();
    let web = world.created("web", toml::toml! { size = "1M" reserve = true });
    let properties = || {
        world.host.zfs("get -Hp -o value refquota,refreservation tank/qchroot/web").stdout.replace('\n', " ")
    };
    for to in [2 << 20, 512 << 10] {
        let before = properties();
        let plan = Zfs.resize(&world.base, &web, to, world.view()).unwrap();
        let begun = succeed(&world.host, &plan);
        assert_eq!(properties(), format!("{to} {to} "));
        if to == 512 << 10 {
            take_back(&world.host, &begun);
            assert_eq!(properties(), before);
        }
    }
}

#[test]
fn a_limit_below_what_is_held_is_refused_with_the_figures() {
    let world = World::linux();
    let web = world.web();
    world.write(&web, "etc/motd", &"x".repeat(500_000));
    let error = Zfs.resize(&world.base, &web, 400_000, world.view()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    assert!(error.fact("used").unwrap().parse::<u64>().unwrap() > 500_000, "{error}");
    let error = Zfs.resize(&world.base, &web, support::POOL + 1, world.view()).unwrap_err();
    assert!(error.to_string().contains("more than there is"), "{error}");
}

#[test]
fn a_snapshot_brings_back_what_was_and_stays() {
    let world = World::linux();
    let web = world.web();
    world.write(&web, "etc/motd", "monday");
    world.does(Zfs.snapshot(&web, "monday", world.view()));
    world.write(&web, "etc/motd", "tuesday");
    assert_eq!(Zfs.snapshot(&web, "monday", world.view()).unwrap_err().kind(), ErrorKind::Exists);
    world.does(Zfs.restore(&web, "monday", world.view()));
    assert_eq!(world.read(&web, "etc/motd").as_deref(), Some("monday"));
    let names = || {
        let all = Zfs.snapshots(&web, world.view()).unwrap();
        all.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    world.does(Zfs.snapshot(&web, "another", world.view()));
    assert_eq!(names(), ["monday", "another"]);
    let error = Zfs.restore(&web, "monday", world.view()).unwrap_err();
    assert!(error.kind() == ErrorKind::Busy && error.to_string().contains("web@another"), "{error}");
    assert_eq!(names(), ["monday", "another"], "nothing was lost");
    world.does(Zfs.forget(&web, "another", world.view()));
    assert_eq!(names(), ["monday"]);
    for refused in [Zfs.restore(&web, "another", world.view()), Zfs.forget(&web, "another", world.view())] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotFound);
    }
    for bad in ["", "a@b", "a/b", "-r", "a,b", "a%b"] {
        assert_eq!(Zfs.snapshot(&web, bad, world.view()).unwrap_err().kind(), ErrorKind::Usage, "{bad}");
    }
}

#[test]
fn a_clone_outlives_what_it_was_cloned_from() {
    let world = World::linux();
    let web = world.web();
    world.write(&web, "etc/motd", "shared");
    world.does(Zfs.snapshot(&web, "monday", world.view()));
    let [db, www] = ["db", "www"].map(|name| {
        let to = world.container(name, Options::new());
        world.host.plant_dir(format!("/q/{name}"), 0o755);
        world.does(Zfs.clone_of(&world.base, &web, &to, world.view()));
        to
    });
    assert_eq!(Zfs.snapshots(&web, world.view()).unwrap().len(), 1, "only what people took is shown");
    world.does(Zfs.snapshot(&db, "monday", world.view()));
    world.does(Zfs.delete(&web, world.view()));
    for clone in [&db, &www] {
        assert_eq!(world.read(clone, "etc/motd").as_deref(), Some("shared"));
    }
    world.does(Zfs.delete(&www, world.view()));
    assert_eq!(world.read(&db, "etc/motd").as_deref(), Some("shared"));
    world.does(Zfs.delete(&db, world.view()));
    assert_eq!(world.datasets(), BASE, "what was only for clones is gone with them");
}

#[test]
fn a_renamed_container_has_its_files_under_the_new_name() {
    let world = World::linux();
    let web = world.web();
    world.write(&web, "etc/motd", "web's");
    let www = world.container("www", Options::new());
    let begun = succeed(&world.host, &Zfs.rename(&web, &www, world.view()).unwrap());
    assert_eq!(world.datasets(), [BASE.as_slice(), &["www"]].concat());
    take_back(&world.host, &begun);
    assert_eq!(world.read(&web, "etc/motd").as_deref(), Some("web's"));
}

#[test]
fn delete_goes_on_where_it_was_interrupted() {
    let world = World::linux();
    let web = world.web();
    world.does(Zfs.snapshot(&web, "monday", world.view()));
    let plan = Zfs.delete(&web, world.view()).unwrap();
    succeed(&world.host, &plan);
    assert_eq!(world.datasets(), BASE);
    succeed(&world.host, &plan);
    assert_eq!(Zfs.delete(&web, world.view()), Ok(vec![]));
}

#[test]
fn templates_go_with_their_release_unless_a_container_needs_them() {
    let world = World::linux();
    let web = world.web();
    let id = world.base.id.clone();
    assert_eq!(Zfs.prune(&[id], world.view()), Ok(vec![]));
    assert_eq!(Zfs.prune(&[], world.view()), Ok(vec![]), "a container is cloned from it");
    world.does(Zfs.delete(&web, world.view()));
    world.does(Zfs.prune(&[], world.view()));
    assert_eq!(world.datasets(), Vec::<String>::new());
}
