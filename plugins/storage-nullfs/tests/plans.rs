//! Plans for FreeBSD with the options that change one.

#![allow(clippy::unwrap_used, reason = "tests report by panicking")]

use qchroot_api::{Container, Plan, Platform, SharedStorage, toml};
use qchroot_storage_nullfs::Nullfs;
use qchroot_testkit::FakeHost;
use qchroot_testkit::fixture::{container, native, plant_base};

fn same(name: &str, plan: &Plan) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let text: String = plan.iter().map(|step| format!("{step}\n")).collect();
    settings.bind(|| insta::assert_snapshot!(format!("freebsd-{name}"), text));
}

#[test]
fn the_hosts_trees_are_shown_where_a_container_may_have_them() {
    let host = FakeHost::freebsd();
    let base = plant_base(&host, "/q/releases", native(Platform::Freebsd));
    for dir in ["/q/web/root", "/usr/src", "/usr/ports"] {
        host.plant_dir(dir, 0o755);
    }
    let options = toml::toml! { host_trees = ["src", "ports"] };
    let web = Container { storage: options, ..container("web", "/q/web") };
    same("attach-host-trees", &Nullfs.attach(&base, &web, &host).unwrap());
}
