//! Plans for FreeBSD with the options that change one.

#![allow(clippy::unwrap_used, reason = "tests report by panicking")]

use qchroot_api::{Container, Plan, Platform, SharedStorage, toml};
use qchroot_storage_tree::Tree;
use qchroot_testkit::FakeHost;
use qchroot_testkit::fixture::{container, native, plant_tree};

fn same(name: &str, plan: &Plan) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let text: String = plan.iter().map(|step| format!("{step}\n")).collect();
    settings.bind(|| insta::assert_snapshot!(format!("freebsd-{name}"), text));
}

fn attach(options: &str) -> Plan {
    let host = FakeHost::freebsd();
    let base = plant_tree(&host, "/mnt/tree", native(Platform::Freebsd));
    host.plant_dir("/q/web/root", 0o755);
    let storage = toml::from_str(&format!("path = '/mnt/tree'\n{options}")).unwrap();
    let web = Container { storage, ..container("web", "/q/web") };
    Tree.attach(&base, &web, &host).unwrap()
}

#[test]
fn every_option_is_seen_in_a_plan() {
    same("attach-read-only", &attach("read_only = true\nresolv_conf = false"));
}
