//! Userlands that are not the kernel's own, on the fake machine: entered where the kernel can run them, refused
//! with what to do where it cannot.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use qchroot_api::{ErrorKind, Name, Registration, Result};
use qchroot_engine::{ConfigChange, CreateWish, InstallWish, Outcome, Registry, STOP_PATIENCE};
use qchroot_isolation_chroot::Chroot;
use qchroot_storage_nullfs::Nullfs;
use qchroot_testkit::fixture::FakeSource;
use qchroot_testkit::{FakeHost, Silent, engine};

const BACK_ENDS: [Registration; 3] = [
    Registration::Source(|| Box::new(FakeSource)),
    Registration::Storage(|| Box::new(Nullfs)),
    Registration::Isolation(|| Box::new(Chroot)),
];

/// A container `web` with a userland of this brand and a service, started.
fn started(host: &FakeHost, brand: &str) -> Result<Outcome> {
    let registry = Registry::of(&BACK_ENDS)?;
    let engine = engine(host, &registry, &Silent, false)?;
    let web: Name = "web".parse()?;
    let options = vec![("brand".to_owned(), brand.to_owned())];
    engine.install(&InstallWish {
        source: Some("fake".into()),
        any: true,
        options,
        ..InstallWish::default()
    })?;
    engine.create(&web, &CreateWish { storage: Some("nullfs".into()), ..CreateWish::default() })?;
    let commands = vec![("true".to_owned(), "/usr/bin/true".to_owned())];
    engine.configure(&web, &ConfigChange { commands, ..ConfigChange::default() })?;
    let outcome = engine.start(&web)?;
    assert_eq!(engine.stop(&web, STOP_PATIENCE)?, Outcome::Stopped);
    Ok(outcome)
}

#[test]
fn a_linux_userland_runs_on_freebsd_where_linux4_is_loaded() {
    assert_eq!(started(&FakeHost::freebsd(), "linux"), Ok(Outcome::Started));
    let error = started(&FakeHost::freebsd().without_fs("linprocfs"), "linux").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("a Linux userland, which this FreeBSD kernel cannot run"), "{error}");
    let hint = error.hint_text().unwrap();
    assert!(hint.contains("service linux") && hint.contains("kldload linux64"), "{hint}");
}

#[test]
fn gnu_kfreebsd_runs_on_freebsd_and_on_no_other_kernel() {
    assert_eq!(started(&FakeHost::freebsd(), "kfreebsd"), Ok(Outcome::Started));
    let error = started(&FakeHost::linux(), "kfreebsd").unwrap_err();
    assert!(error.hint_text().unwrap().contains("on a FreeBSD host"), "{error}");
}
