//! Plans for FreeBSD with every option that changes one.

#![allow(clippy::unwrap_used, reason = "tests report by panicking")]

use std::time::Duration;

use qchroot_api::{Base, Container, DiskCheck, Plan, Platform, SharedStorage, toml};
use qchroot_engine::{Deadline, Host};
use qchroot_storage_md::Md;
use qchroot_testkit::FakeHost;
use qchroot_testkit::fixture::{container, native, plant_base};

fn same(name: &str, plan: &Plan) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let text: String = plan.iter().map(|step| format!("{step}\n")).collect();
    settings.bind(|| insta::assert_snapshot!(format!("freebsd-{name}"), text));
}

fn web(options: &str) -> (FakeHost, Base, Container) {
    let host = FakeHost::freebsd();
    let base = plant_base(&host, "/q/releases", native(Platform::Freebsd));
    for dir in ["/q/web", "/usr/src", "/usr/ports"] {
        host.plant_dir(dir, 0o755);
    }
    let web = Container { storage: toml::from_str(options).unwrap(), ..container("web", "/q/web") };
    (host, base, web)
}

fn carry_out(host: &FakeHost, plan: &Plan) {
    plan.iter().for_each(|step| host.apply(step, Deadline(Duration::MAX)).unwrap());
}

#[test]
fn every_option_is_seen_in_a_plan() {
    let options = "size = '64M'\nfs = 'ufs'\npreallocate = true\ncheck = 'refuse'\nnosuid = true\n\
                   host_trees = ['src', 'ports']";
    let (host, base, web) = web(options);
    let create = Md.create(&base, &web, &host).unwrap();
    same("create-reserved", &create);
    carry_out(&host, &create);
    same("attach-refuse", &Md.attach(&base, &web, &host).unwrap());
    same("grow-reserved", &Md.resize(&base, &web, 128 << 20, &host).unwrap());
    same("examine-repair", &Md.examine(&web, DiskCheck::Repair, &host).unwrap());
}

#[test]
fn what_is_mounted_grows_where_it_is() {
    let (host, base, web) = web("size = '64M'\ncheck = 'repair'");
    carry_out(&host, &Md.create(&base, &web, &host).unwrap());
    carry_out(&host, &Md.attach(&base, &web, &host).unwrap());
    same("grow-mounted", &Md.resize(&base, &web, 128 << 20, &host).unwrap());
}
