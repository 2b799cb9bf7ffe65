//! A container whose files can be seen only while it is attached, on the fake machine: what looks inside attaches it for
//! that time, and a run that dies meanwhile is put right.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use camino::Utf8PathBuf;
use qchroot_api::{
    Backend, Base, Capability, Container, Derived, ErrorKind, Info, Kind, Mount, MountFs, Name, Observe,
    Place, Plan, Platform, Registration, Result, SharedStorage, Step,
};
use qchroot_engine::{ConfigChange, CreateWish, Engine, InstallWish, PermissionEntry, UpgradeWish};
use qchroot_isolation_chroot::Chroot;
use qchroot_storage_nullfs::Nullfs;
use qchroot_testkit::fixture::FakeSource;
use qchroot_testkit::{FakeHost, carried_out, deaths, is_before_or_after};

/// As nullfs, its private tree mounted on the root: nothing can be renamed between it and the host's files.
struct Shut;

impl Shut {
    fn inner(container: &Container) -> Container {
        Container { dir: container.dir.join("private"), ..container.clone() }
    }
}

impl Backend for Shut {
    fn info(&self) -> Info {
        Info {
            name: "shut".into(),
            kind: Kind::SharedStorage,
            programs: vec![],
            summary: "for tests".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: [Capability::SharedReadOnly, Capability::Closed].into(),
            options: vec![],
        }
    }
}

impl SharedStorage for Shut {
    fn create(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let mut plan: Plan = [container.root(), Self::inner(container).dir]
            .map(|dir| Step::MakeDir { at: Place::host(dir), mode: 0o755 })
            .into();
        plan.extend(Nullfs.create(base, &Self::inner(container), host)?);
        Ok(plan)
    }

    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        let source = Self::inner(container).root();
        let mut plan = vec![Step::Mount(Mount::new(Place::host(container.root()), MountFs::Null { source }))];
        plan.extend(Nullfs.attach(base, container, host)?);
        Ok(plan)
    }

    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        Ok(vec![container.root(), base.sharedfs.clone()])
    }

    fn derived(&self, base: &Base, container: &Container) -> Result<Option<Derived>> {
        Nullfs.derived(base, container)
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        Ok(Self::inner(container).root())
    }
}

const BACK_ENDS: [Registration; 3] = [
    Registration::Source(|| Box::new(FakeSource)),
    Registration::Storage(|| Box::new(Shut)),
    Registration::Isolation(|| Box::new(Chroot)),
];

type Act = fn(&Engine<'_>) -> Result<()>;

fn with_engine<T>(host: &FakeHost, run: impl FnOnce(&Engine<'_>) -> Result<T>) -> Result<T> {
    qchroot_testkit::with_engine(host, &BACK_ENDS, run)
}

fn web() -> Name {
    "web".parse().unwrap()
}

fn install(host: &FakeHost, version: &str) {
    let options = vec![("version".into(), version.into()), ("differ".into(), "yes".into())];
    let wish = InstallWish { source: Some("fake".into()), options, ..InstallWish::default() };
    with_engine(host, |engine| engine.install(&wish)).unwrap();
}

fn upgrade(engine: &Engine<'_>) -> Result<()> {
    engine.upgrade(&web(), &UpgradeWish::default()).map(drop)
}

fn rollback(engine: &Engine<'_>) -> Result<()> {
    engine.rollback(&web()).map(drop)
}

fn configure(engine: &Engine<'_>) -> Result<()> {
    engine.configure(&web(), &ConfigChange { services: vec!["nginx".into()], ..ConfigChange::default() })
}

fn created() -> FakeHost {
    let host = FakeHost::linux();
    for dir in ["lib/.journal", "lib/.previous", "lib/releases", "etc/containers", "run"] {
        host.plant_dir(format!("/q/{dir}"), 0o755);
    }
    install(&host, "1.0");
    let wish = CreateWish { storage: Some("shut".into()), ..CreateWish::default() };
    with_engine(&host, |engine| engine.create(&web(), &wish)).unwrap();
    host
}

/// A container of the first of two releases, with an edit that conflicts.
fn prepared() -> FakeHost {
    let host = created();
    host.plant_file("/q/lib/web/private/root/etc/group", "own", 0o644);
    install(&host, "1.1");
    host
}

fn text(host: &FakeHost, path: &str) -> Option<String> {
    host.text(format!("/q/lib/web/private/root/{path}"))
}

fn upgraded() -> FakeHost {
    let host = prepared();
    with_engine(&host, upgrade).unwrap();
    assert_eq!(text(&host, "etc/version").as_deref(), Some("fake-1.1"));
    assert_eq!(text(&host, "etc/only-fake-1.0/file"), None);
    assert_eq!(text(&host, "etc/group").as_deref(), Some("own"));
    host
}

fn sweep(name: &str, prepared: &FakeHost, act: Act, afterwards: fn(&FakeHost)) {
    let lasting = |host: &FakeHost| host.snapshot(["/q/lib", "/q/etc"]);
    let run = |host: &FakeHost| with_engine(host, act);
    let (old, new) = (lasting(prepared), lasting(&carried_out(prepared, run).0));
    assert_ne!(old, new, "{name} changes nothing");
    for (host, at) in deaths(prepared, run) {
        afterwards(&host);
        let findings = with_engine(&host, |engine| engine.doctor(true));
        is_before_or_after(&lasting(&host), &old, &new, &format!("{name} {at}; doctor: {findings:?}"));
        let sound = with_engine(&host, |engine| engine.doctor(false)).unwrap();
        assert!(sound.is_empty(), "{name} {at}: {sound:?}");
    }
}

fn power_cut(host: &FakeHost) {
    host.power_cut("/q/run");
}

fn reboot(host: &FakeHost) {
    host.reboot("/q/run");
}

#[test]
fn upgrade_survives_every_crash_reboot_and_power_cut() {
    for afterwards in [FakeHost::revive, reboot, power_cut] {
        sweep("upgrade", &prepared(), upgrade, afterwards);
    }
}

#[test]
fn a_second_upgrade_survives_every_crash() {
    let host = upgraded();
    install(&host, "1.2");
    for afterwards in [FakeHost::revive, power_cut] {
        sweep("upgrade", &host, upgrade, afterwards);
    }
}

#[test]
fn rollback_survives_every_crash_and_brings_everything_back() {
    let host = upgraded();
    host.plant_file("/q/lib/web/private/root/etc/version", "edited", 0o644);
    for afterwards in [FakeHost::revive, power_cut] {
        sweep("rollback", &host, rollback, afterwards);
    }
    with_engine(&host, rollback).unwrap();
    assert_eq!(text(&host, "etc/version").as_deref(), Some("fake-1.0"));
    assert_eq!(text(&host, "etc/version.edited").as_deref(), Some("edited"));
    let before = prepared();
    before.uproot("/q/lib/web/private/root/etc/version");
    host.uproot("/q/lib/web/private/root/etc/version");
    host.uproot("/q/lib/web/private/root/etc/version.edited");
    before.files(["/q/lib/web"]).assert_same(&host.files(["/q/lib/web"]), "after the way there and back");
}

#[test]
fn a_service_inside_is_found_and_nothing_stays_mounted() {
    let host = created();
    sweep("config", &host, configure, FakeHost::revive);
    let before = host.snapshot(["/q/lib"]);
    with_engine(&host, configure).unwrap();
    before.assert_same(&host.snapshot(["/q/lib"]), "after a look inside");
    let file = host.text("/q/etc/containers/web.toml").unwrap();
    assert!(file.contains("script = \"/etc/init.d/nginx\""), "{file}");
    let change = ConfigChange { services: vec!["nosuch".into()], ..ConfigChange::default() };
    let error = with_engine(&host, |engine| engine.configure(&web(), &change)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    before.assert_same(&host.snapshot(["/q/lib"]), "after looking in vain");
}

#[test]
fn what_is_declared_is_compared_at_the_start_and_not_by_looking_at_a_stopped_one() {
    let host = created();
    let permissions: Vec<PermissionEntry> = vec!["etc/group=www:www:0640".parse().unwrap()];
    let commands = vec![("true".to_owned(), "/usr/bin/true".to_owned())];
    let change = ConfigChange { permissions, commands, ..ConfigChange::default() };
    with_engine(&host, |engine| engine.configure(&web(), &change)).unwrap();
    let before = host.snapshot(["/q/lib"]);
    let problems = |host: &FakeHost| {
        with_engine(host, |engine| engine.report(&[web()], true)).unwrap().remove(0).problems
    };
    assert_eq!(problems(&host), Vec::<String>::new(), "nothing can be said of it");
    before.assert_same(&host.snapshot(["/q/lib"]), "after a status");
    with_engine(&host, |engine| engine.start(&web())).unwrap();
    assert_eq!(problems(&host), Vec::<String>::new(), "it was set right");
    host.chown("/q/lib/web/root/etc/group", 0, 0);
    assert_eq!(problems(&host), ["etc/group is root:root 0640, wanted www:www 0640"]);
}

/// What a container's superuser left on its disk must not lead the next upgrade astray.
#[test]
fn links_and_files_in_the_place_of_the_kept_ones_lead_nowhere() {
    for planted in [".qchroot-staging", ".qchroot-previous"] {
        let host = prepared();
        host.plant_dir("/outside", 0o755);
        host.plant_file("/outside/0", "precious", 0o644);
        host.plant_link(format!("/q/lib/web/private/root/{planted}"), "/outside");
        let before = host.snapshot(["/q/lib", "/q/etc", "/outside"]);
        let error = with_engine(&host, upgrade).unwrap_err();
        assert!(error.to_string().contains(planted), "{error}");
        before.assert_same(&host.snapshot(["/q/lib", "/q/etc", "/outside"]), "the refused upgrade");
        assert_eq!(with_engine(&host, |engine| engine.doctor(false)).unwrap(), vec![]);
    }
}
