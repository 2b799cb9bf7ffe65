//! Plans on FreeBSD that no other isolation has: a jail that inherits everything, held to limits.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use qchroot_api::{Brand, Container, ErrorKind, Isolation, Limits, Options, Plan, Step, toml};
use qchroot_isolation_chroot::Chroot;
use qchroot_testkit::FakeHost;
use qchroot_testkit::fixture::{container, plant_base};

fn up(host: &FakeHost, options: Options) -> qchroot_api::Result<Plan> {
    let base = plant_base(host, "/q/releases", Brand::Freebsd);
    let limits = Limits {
        cpu_percent: Some(150),
        memory_bytes: Some(64 << 20),
        processes: Some(100),
        open_files: Some(512),
        read_bps: Some(1 << 20),
        write_bps: Some(2 << 20),
    };
    Chroot.up(&base, &Container { isolation: options, limits, ..container("web", "/q/web") }, host)
}

fn text(plan: &Plan) -> String {
    plan.iter().map(|step| format!("{step}\n")).collect()
}

#[test]
fn start_and_stop_on_freebsd_with_limits_and_a_rule_set() {
    let plan = up(&FakeHost::freebsd(), toml::toml! { devfs_ruleset = 5 proc = false }).unwrap();
    insta::assert_snapshot!("freebsd-limited-start", text(&plan));
    let undone = plan.iter().rev().filter_map(Step::inverse).collect();
    insta::assert_snapshot!("freebsd-limited-stop", text(&undone));
}

#[test]
fn a_system_that_is_a_jail_and_may_make_none_is_told() {
    let host = FakeHost::freebsd().with_variable("security.jail.jailed", "1");
    let error = up(&host, Options::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.causes()[0].contains("children.max"), "{error:?}");
}
