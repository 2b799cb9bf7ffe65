//! What this storage refuses before anything is done, and what it says of it.

#![allow(clippy::unwrap_used, reason = "tests report by panicking")]

use std::time::Duration;

use qchroot_api::{
    Base, Container, DiskCheck, Error, ErrorKind, Plan, Platform, Result, SharedStorage, Step, toml,
};
use qchroot_engine::{Deadline, Host, Probe};
use qchroot_storage_md::Md;
use qchroot_testkit::fixture::{container, native, plant_base};
use qchroot_testkit::{FakeHost, Flaw};

const MIB: u64 = 1 << 20;

struct World {
    host: FakeHost,
    base: Base,
    web: Container,
}

impl World {
    fn on(platform: Platform, options: &str) -> Self {
        let host = FakeHost::new(platform);
        let base = plant_base(&host, "/q/releases", native(platform));
        host.plant_dir("/q/web", 0o755);
        let mut web = container("web", "/q/web");
        web.storage = toml::from_str(options).unwrap();
        Self { host, base, web }
    }

    fn created(options: &str) -> Self {
        let world = Self::on(Platform::Linux, options);
        world.carry_out(&world.create().unwrap());
        world
    }

    fn create(&self) -> Result<Plan> {
        Md.create(&self.base, &self.web, &self.host)
    }

    fn carry_out(&self, plan: &Plan) {
        for step in plan {
            if self.host.probe(step).unwrap() != Probe::Present {
                self.host.apply(step, Deadline(Duration::MAX)).unwrap();
            }
        }
    }

    fn attached(self) -> Self {
        self.carry_out(&Md.attach(&self.base, &self.web, &self.host).unwrap());
        self
    }

    fn resize(&self, to: u64) -> Result<Plan> {
        Md.resize(&self.base, &self.web, to, &self.host)
    }
}

#[track_caller]
fn is(refused: Result<Plan>, kind: ErrorKind, hint: &str) -> Error {
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.hint_text().is_some_and(|text| text.contains(hint)), "{error:?}");
    error
}

#[test]
fn a_container_needs_a_size_and_a_file_system_of_its_kernel() {
    let create = |options| World::on(Platform::Linux, options).create();
    is(create(""), ErrorKind::Usage, "--size 512M");
    let error = is(create("size = '64M'\nfs = 'ufs'"), ErrorKind::Config, "ext4");
    assert_eq!(error.fact("key"), Some("fs"));
    let error = World::on(Platform::Freebsd, "size = '512M'\nfs = 'xfs'").create().unwrap_err();
    assert!(error.to_string().contains("FreeBSD"), "{error}");
    assert!(World::on(Platform::Linux, "size = '512M'\nfs = 'xfs'").create().is_ok());
}

#[test]
fn a_size_below_what_the_base_starts_with_is_refused_before_anything_is_copied() {
    let mut world = World::on(Platform::Linux, "size = '16M'");
    world.host.plant_file(world.base.template.join("big"), &"x".repeat(20 << 20), 0o644);
    world.web.storage = toml::from_str("size = '64M'").unwrap();
    world.carry_out(&world.create().unwrap());
    world.web.storage = toml::from_str("size = '16M'").unwrap();
    let error = is(world.create(), ErrorKind::Usage, "at least");
    assert_eq!(error.fact("key"), Some("size"));
}

#[test]
fn what_the_host_lacks_is_not_promised() {
    let full = |world: World| World { host: world.host.with_space(40 * MIB), ..world };
    let world = full(World::on(Platform::Linux, "size = '64M'\npreallocate = true"));
    let error = is(world.create(), ErrorKind::Usage, "make room on the host");
    assert_eq!(error.fact("wanted"), Some("67108864"));
    assert!(full(World::on(Platform::Linux, "size = '64M'")).create().is_ok());
    let world = full(World::created("size = '16M'\npreallocate = true"));
    is(world.resize(128 * MIB), ErrorKind::Usage, "make room on the host");
    assert!(world.resize(32 * MIB).is_ok());
}

#[test]
fn what_is_in_use_is_left_alone() {
    let w = World::created("size = '64M'").attached();
    let stop = "qchroot stop web";
    is(w.resize(32 * MIB), ErrorKind::Busy, stop);
    is(Md.examine(&w.web, DiskCheck::Full, &w.host), ErrorKind::Busy, stop);
    is(Md.snapshot(&w.web, "one", &w.host), ErrorKind::Busy, stop);
    is(Md.restore(&w.web, "one", &w.host), ErrorKind::Busy, stop);
    let mut copy = container("copy", "/q/copy");
    copy.storage = w.web.storage.clone();
    is(Md.clone_of(&w.base, &w.web, &copy, &w.host), ErrorKind::Busy, stop);
    assert!(w.resize(128 * MIB).is_ok());
}

#[test]
fn a_disk_that_somebody_else_has_attached_does_not_grow() {
    let world = World::created("size = '64M'");
    world.host.spoil("/q/web/disk.img", Flaw::Elsewhere);
    let error = is(world.resize(128 * MIB), ErrorKind::Busy, "detach it");
    assert!(error.to_string().contains("loop0"), "{error}");
}

#[test]
fn a_container_without_its_disk_says_so() {
    let world = World::created("size = '64M'");
    world.host.uproot("/q/web/disk.img");
    is(world.resize(128 * MIB), ErrorKind::NotFound, "bring the file back");
}

#[test]
fn snapshots_have_names_of_their_own() {
    let w = World::created("size = '64M'");
    is(Md.restore(&w.web, "one", &w.host), ErrorKind::NotFound, "qchroot snapshot");
    is(Md.forget(&w.web, "one", &w.host), ErrorKind::NotFound, "qchroot snapshot");
    w.carry_out(&Md.snapshot(&w.web, "one", &w.host).unwrap());
    is(Md.snapshot(&w.web, "one", &w.host), ErrorKind::Exists, "another name");
    w.carry_out(&w.resize(16 * MIB).unwrap());
    is(Md.restore(&w.web, "one", &w.host), ErrorKind::Usage, "qchroot resize web");
}

#[test]
fn the_options_stand_in_the_mount() {
    let mut world = World::created("size = '64M'\nnosuid = true");
    world.web.own_dev = true;
    let plan = Md.attach(&world.base, &world.web, &world.host).unwrap();
    let flags = |step: &Step| match step {
        Step::Mount(mount) => Some((mount.nosuid, mount.nodev)),
        _ => None,
    };
    assert_eq!(plan.iter().find_map(flags), Some((true, true)));
}
