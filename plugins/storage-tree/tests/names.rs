//! How names are resolved inside a tree on a kernel that covers no single file.

#![allow(clippy::unwrap_used, reason = "tests report by panicking")]

use qchroot_api::{Container, ErrorKind, Plan, Platform, Result, SharedStorage, toml};
use qchroot_storage_tree::Tree;
use qchroot_testkit::FakeHost;
use qchroot_testkit::fixture::{container, native, plant_tree};

const OWN: &str = "/mnt/tree/etc/resolv.conf";

fn attach(release: &str, own: Option<&str>, options: &str) -> Result<Plan> {
    let host = FakeHost::freebsd().with_release(release);
    let base = plant_tree(&host, "/mnt/tree", native(Platform::Freebsd));
    host.uproot(OWN);
    if let Some(text) = own {
        host.plant_file(OWN, text, 0o644);
    }
    host.plant_dir("/q/web/root", 0o755);
    let web = Container {
        storage: toml::from_str(&format!("path = '/mnt/tree'\n{options}")).unwrap(),
        ..container("web", "/q/web")
    };
    Tree.attach(&base, &web, &host)
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.iter().map(ToString::to_string).filter(|step| step.contains("resolv.conf")).collect()
}

#[test]
fn a_tree_without_one_gets_the_hosts_for_that_time_and_one_with_its_own_keeps_it() {
    let made = attach("13.2-RELEASE", None, "").unwrap();
    assert_eq!(shown(&made), ["write file /q/web/root/./etc/resolv.conf (21 bytes, mode 0644)"]);
    let inverse = made.last().unwrap().inverse().unwrap();
    assert_eq!(inverse.to_string(), "remove file /q/web/root/./etc/resolv.conf");
    let kept = attach("13.2-RELEASE", Some("nameserver 198.51.100.1\n"), "").unwrap();
    assert_eq!(shown(&kept), Vec::<String>::new());
    let covered = attach("14.0-RELEASE", Some("nameserver 198.51.100.1\n"), "").unwrap();
    assert!(shown(&covered)[0].starts_with("mount nullfs /etc/resolv.conf on"), "{covered:?}");
}

#[test]
fn who_asks_for_the_hosts_over_the_trees_own_is_told_that_it_cannot_be() {
    let error = attach("13.2-RELEASE", Some("nameserver 198.51.100.1\n"), "resolv_conf = true").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.causes()[0].contains("14.0"), "{error:?}");
}
