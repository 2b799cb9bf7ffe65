//! What this storage says on a kernel that has no overlayfs.

#![allow(clippy::unwrap_used, reason = "tests report by panicking")]

use qchroot_api::{ErrorKind, Platform, SharedStorage};
use qchroot_storage_overlay::Overlay;
use qchroot_testkit::FakeHost;
use qchroot_testkit::fixture::{container, native, plant_base};

#[test]
fn freebsd_is_refused_with_what_to_use_there() {
    let host = FakeHost::freebsd();
    let base = plant_base(&host, "/q/releases", native(Platform::Freebsd));
    host.plant_dir("/q/web", 0o755);
    let error = Overlay.create(&base, &container("web", "/q/web"), &host).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.hint_text().unwrap().contains("nullfs"), "{error:?}");
}
