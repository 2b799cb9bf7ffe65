//! What every storage must do.

use camino::Utf8Path;
use libtest_mimic::Trial;
use qchroot_api::{
    Base, Capability, Container, FileKind, Kind, Place, Plan, Platform, Result, SharedStorage, Step,
};

use super::footprint::stays_within;
use super::transaction::{all_present, leaves_no_trace, rolls_back_from_everywhere, succeed, take_back};
use super::{matches_snapshot, round_trips, trial, view};
use crate::fixture::{Small, container, native, plant_base, plant_tree, userland, with_own_root};
use crate::{FakeHost, Snapshot};

/// How a suite makes the storage it examines.
type Make = fn() -> Box<dyn SharedStorage>;

const STAGING: &str = "/q/.staging-web";
const DIR: &str = "/q/web";

/// The suite for a storage.
#[must_use]
pub fn storage(make: Make) -> Vec<Trial> {
    let info = make().info();
    let can = |capability| info.capabilities.contains(&capability);
    let mut trials = vec![trial("options and description", move || {
        super::backend(Kind::SharedStorage, move || make());
    })];
    let mut add = |name: &str, run: fn(&World)| {
        let of = |platform: &Platform| {
            let (name, platform) = (format!("{}: {name}", platform.to_string().to_lowercase()), *platform);
            trial(name, move || run(&World::new(make, platform)))
        };
        trials.extend(info.platforms.iter().map(of));
    };
    add("the same input gives the same plan", same_plan);
    add("plans cross the border unchanged", |w| [w.create(), w.attach()].iter().for_each(round_trips));
    add("plans are as they were", |w| {
        matches_snapshot(w.platform, "create", &w.create());
        matches_snapshot(w.platform, "attach", &w.attach());
    });
    add("create stays in its directory and mounts nothing", create_stays);
    add("create names no path of its own", create_is_relocatable);
    add("attach stays in the container", attach_stays);
    add("create and its inverse leave no trace", |w| leaves_no_trace(&w.host, &w.create()));
    add("attach and its inverse leave no trace", |w| leaves_no_trace(&w.created().host, &w.attach()));
    add("a failed create leaves no trace", |w| {
        rolls_back_from_everywhere(|| w.again(|w| (w.host.clone(), w.create())));
    });
    add("a failed attach leaves no trace", |w| {
        rolls_back_from_everywhere(|| w.again(|w| (w.created().host.clone(), w.attach())));
    });
    add("a second attach finds everything there", |w| all_present(&w.attached().host, &w.attach()));
    add("the root is the whole userland", whole_root);
    if can(Capability::OwnRoot) {
        add("what a container writes is in its tree", own_root);
    } else {
        add("the base never changes", base_never_changes);
        add("containers do not see each other", apart);
    }
    add("layers hold the files of a stopped container", layers);
    if can(Capability::SharedReadOnly) {
        add("what is shared is read-only", shared_read_only);
    }
    if can(Capability::CopyOnWrite) {
        add("what is shared can be replaced for oneself", copy_on_write);
    }
    trials.extend(super::real::storage(make));
    trials
}

/// One fake host with a base, and the storage under examination.
struct World {
    make: Make,
    platform: Platform,
    storage: Box<dyn SharedStorage>,
    host: FakeHost,
    base: Base,
}

impl World {
    fn new(make: Make, platform: Platform) -> Self {
        let host = FakeHost::new(platform);
        let storage = make();
        let base = match storage.info().capabilities.contains(&Capability::OwnRoot) {
            true => plant_tree(&host, "/mnt/the tree", native(platform)),
            false => plant_base(&host, "/q/releases", native(platform)),
        };
        host.plant_dir(STAGING, 0o700);
        Self { make, platform, storage, host, base }
    }

    fn again<T>(&self, run: impl FnOnce(&Self) -> T) -> T {
        run(&Self::new(self.make, self.platform))
    }

    fn create(&self) -> Plan {
        let plan = self.storage.create(&self.base, &self.container_in("web", STAGING), view(&self.host));
        plan.expect("the storage can plan a container")
    }

    fn container(&self) -> Container {
        self.container_in("web", DIR)
    }

    fn container_in(&self, name: &str, dir: &str) -> Container {
        with_own_root(container(name, dir), &*self.storage, &self.base)
    }

    fn attach(&self) -> Plan {
        let plan = self.storage.attach(&self.base, &self.container(), view(&self.host));
        plan.expect("the storage can plan to attach")
    }

    /// Creates the container and gives it its name.
    fn created(&self) -> &Self {
        succeed(&self.host, &self.create());
        succeed(&self.host, &vec![Step::Rename { from: STAGING.into(), to: DIR.into() }]);
        self
    }

    fn attached(&self) -> &Self {
        self.created();
        succeed(&self.host, &self.attach());
        self
    }

    fn inside(&self, path: impl AsRef<Utf8Path>) -> Place {
        Place::within(self.container().root(), path)
    }

    /// Writes as a process of the container would.
    fn write(&self, path: impl AsRef<Utf8Path>) -> Result<()> {
        self.host.write_inside(self.container().root(), path, "new")
    }

    fn of_base(&self) -> Snapshot {
        self.host.files([&self.base.sharedfs, &self.base.template])
    }
}

fn same_plan(w: &World) {
    w.again(|other| {
        assert_eq!(w.create(), other.create());
        assert_eq!(w.attach(), other.attach());
    });
}

fn create_stays(w: &World) {
    let plan = w.create();
    stays_within(&plan, STAGING.into(), &[&w.base.sharedfs, &w.base.template]);
    assert!(!plan.iter().any(|step| matches!(step, Step::Mount(_))), "it mounts while it creates");
    w.created();
    let root = view(&w.host).stat(&Place::host(w.container().root())).expect("the root can be looked at");
    assert_eq!(root.map(|stat| stat.kind), Some(FileKind::Directory), "there is no root directory");
}

fn create_is_relocatable(w: &World) {
    w.created();
    let text = w.host.files([DIR]).to_string();
    let line = text.lines().find(|line| line.contains(STAGING));
    assert_eq!(line, None, "a file still names the staging directory");
}

fn attach_stays(w: &World) {
    let plan = w.attach();
    let names = Utf8Path::new("/etc/resolv.conf");
    stays_within(&plan, DIR.into(), &[&w.base.sharedfs, &w.base.template, names]);
}

fn whole_root(w: &World) {
    w.attached();
    for &(path, small) in userland(w.base.brand) {
        let at = w.inside(path);
        match small {
            Small::File(text, _) => assert_eq!(view(&w.host).read(&at).as_deref(), Ok(text), "{at}"),
            Small::Dir(_) => assert!(view(&w.host).list(&at).is_ok(), "{at} is no directory"),
            Small::Link(to) => {
                assert_eq!(view(&w.host).link(&at), Ok(Some(to.into())), "{at}");
            }
        }
    }
}

fn base_never_changes(w: &World) {
    let before = w.of_base();
    w.attached();
    let shared = w.base.shared.iter().map(|dir| dir.join("new"));
    for path in shared.chain(["etc/new".into(), "etc/passwd".into(), "new".into()]) {
        let _refused_or_kept_apart = w.write(&path);
    }
    assert_eq!(w.write("etc/new"), Ok(()), "a container cannot write its own files");
    before.assert_same(&w.of_base(), "after a container wrote wherever it could");
}

/// What was there is there after, and beside it what the container wrote, when nothing is attached any more.
fn own_root(w: &World) {
    let before = w.of_base();
    w.created();
    let begun = succeed(&w.host, &w.attach());
    w.write("home/new").expect("a container can write into its tree");
    take_back(&w.host, &begun);
    let written = Place::within(&w.base.template, "home/new");
    assert_eq!(view(&w.host).read(&written).as_deref(), Ok("new"), "what was written is lost");
    w.host.uproot(written.lexical());
    before.assert_same(&w.of_base(), "after a container wrote a file");
}

fn apart(w: &World) {
    w.attached();
    let second = w.container_in("db", "/q/db");
    succeed(&w.host, &vec![Step::Stage { at: second.dir.clone() }]);
    for plan in
        [w.storage.create(&w.base, &second, view(&w.host)), w.storage.attach(&w.base, &second, view(&w.host))]
    {
        succeed(&w.host, &plan.expect("a second container can be planned"));
    }
    w.write("etc/new").expect("a container can write its own files");
    let seen = view(&w.host).stat(&Place::within(second.root(), "etc/new"));
    assert_eq!(seen, Ok(None), "one container sees what another wrote");
}

fn layers(w: &World) {
    w.created();
    let container = w.container();
    let layers = w.storage.layers(&w.base, &container);
    let homes = [&container.dir, &w.base.sharedfs, &w.base.template];
    for layer in &layers {
        assert!(homes.iter().any(|home| layer.starts_with(home)), "the layer {layer} is neither's");
    }
    let finds = |path: &str| {
        layers
            .iter()
            .any(|layer| view(&w.host).read(&Place::within(layer, path)).is_ok_and(|t| !t.is_empty()))
    };
    for path in ["etc/passwd", "usr/bin/true"] {
        let missing = path == "etc/passwd" && !userland(w.base.brand).iter().any(|(p, _)| *p == path);
        assert!(missing || finds(path), "{path} is in none of {layers:?}");
    }
    let private = w.storage.private(&container);
    assert!(private.starts_with(&container.dir), "{private} is not the container's own");
}

fn shared_read_only(w: &World) {
    w.attached();
    for path in &w.base.shared {
        let error = w.write(path.join("new")).expect_err(&format!("{path} can be written"));
        assert!(error.to_string().contains("read-only"), "{error}");
    }
}

fn copy_on_write(w: &World) {
    let before = w.of_base();
    w.attached();
    w.write("usr/bin/true").expect("a program of the base can be replaced");
    assert_eq!(view(&w.host).read(&w.inside("usr/bin/true")).as_deref(), Ok("new"));
    before.assert_same(&w.of_base(), "after a program was replaced");
}
