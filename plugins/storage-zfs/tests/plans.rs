//! Every plan as it is, on both kernels.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

mod support;

use qchroot_api::{Options, Plan, Platform, SharedStorage, toml};
use qchroot_storage_zfs::Zfs;
use support::{World, lines};

fn same(platform: Platform, verb: &str, plan: &Plan) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = format!("{}-{verb}", platform.to_string().to_lowercase());
    settings.bind(|| insta::assert_snapshot!(name, lines(plan)));
}

#[test]
fn plans_are_as_they_were() {
    for platform in [Platform::Linux, Platform::Freebsd] {
        let world = World::new(platform);
        let web = world.container("web", toml::toml! { size = "64M" });
        same(platform, "create-first", &world.plan_create(&web).unwrap());
        let web = world.created("web", toml::toml! { size = "64M" });
        let db = world.container("db", toml::toml! { size = "64M" quota = "quota" reserve = true });
        same(platform, "create-second", &world.plan_create(&db).unwrap());
        let reserved = world.created("db", db.storage);
        for (verb, to) in [("grow-reserved", 128), ("shrink-reserved", 32)] {
            same(platform, verb, &Zfs.resize(&world.base, &reserved, to << 20, world.view()).unwrap());
        }
        world.does(Zfs.snapshot(&web, "monday", world.view()));
        let www = world.container("www", Options::new());
        same(platform, "rename", &Zfs.rename(&web, &www, world.view()).unwrap());
        same(platform, "delete", &Zfs.delete(&web, world.view()).unwrap());
        world.host.plant_dir("/q/www", 0o755);
        world.does(Zfs.clone_of(&world.base, &web, &www, world.view()));
        same(platform, "delete-cloned", &Zfs.delete(&web, world.view()).unwrap());
    }
}

#[test]
fn the_data_set_that_containers_lie_on_needs_no_option() {
    let world = World::linux();
    world.host.plant_pool("data", 1 << 30, Some("/q"));
    let mut web = world.container("web", Options::new());
    web.storage.remove("dataset");
    let plan = world.plan_create(&web).unwrap();
    assert!(lines(&plan).ends_with("@template data/web\n"), "{}", lines(&plan));
}
