//! A fake machine with a pool `tank` and a base, and what tests ask of it.

#![allow(dead_code, reason = "each test uses a part")]

use qchroot_api::{Base, Container, Error, Observe, Options, Plan, Platform, SharedStorage, Step};
use qchroot_storage_zfs::Zfs;
use qchroot_testkit::FakeHost;
use qchroot_testkit::behavior::succeed;
use qchroot_testkit::fixture::{container, native, plant_base};

/// Bytes of the pool.
pub(crate) const POOL: u64 = 1 << 30;

pub(crate) struct World {
    pub(crate) host: FakeHost,
    pub(crate) base: Base,
}

impl World {
    pub(crate) fn new(platform: Platform) -> Self {
        let host = FakeHost::new(platform);
        host.plant_dir("/q", 0o755);
        host.plant_pool("tank", POOL, None);
        assert_eq!(host.zfs("create tank/qchroot").status, 0);
        let base = plant_base(&host, "/q/releases", native(platform));
        Self { host, base }
    }

    pub(crate) fn linux() -> Self {
        Self::new(Platform::Linux)
    }

    pub(crate) fn view(&self) -> &dyn Observe {
        &self.host
    }

    /// A container with these options beside `dataset`.
    pub(crate) fn container(&self, name: &str, options: Options) -> Container {
        let mut made = container(name, format!("/q/{name}"));
        made.storage = options;
        made.storage.insert("dataset".into(), "tank/qchroot".into());
        made
    }

    pub(crate) fn plan_create(&self, container: &Container) -> Result<Plan, Error> {
        let staged = Container { dir: format!("/q/.staging-{}", container.name).into(), ..container.clone() };
        Zfs.create(&self.base, &staged, self.view())
    }

    /// Makes a container as the engine does.
    pub(crate) fn created(&self, name: &str, options: Options) -> Container {
        let container = self.container(name, options);
        let staging = format!("/q/.staging-{name}");
        let mut plan = vec![Step::Stage { at: staging.clone().into() }];
        plan.extend(self.plan_create(&container).expect("the container can be planned"));
        plan.push(Step::Rename { from: staging.into(), to: container.dir.clone() });
        succeed(&self.host, &plan);
        container
    }

    /// A container without a limit.
    pub(crate) fn web(&self) -> Container {
        self.created("web", Options::new())
    }

    /// Does something while a container is attached.
    pub(crate) fn attached<T>(&self, container: &Container, act: impl FnOnce() -> T) -> T {
        let plan = Zfs.attach(&self.base, container, self.view()).expect("it can be attached");
        let begun = succeed(&self.host, &plan);
        let done = act();
        qchroot_testkit::behavior::take_back(&self.host, &begun);
        done
    }

    /// Writes a file inside a container.
    pub(crate) fn write(&self, container: &Container, path: &str, text: &str) {
        self.attached(container, || {
            self.host.write_inside(container.root(), path, text).expect("it can be written")
        });
    }

    /// What a file inside a container says.
    pub(crate) fn read(&self, container: &Container, path: &str) -> Option<String> {
        self.attached(container, || self.host.text(container.root().join(path)))
    }

    /// Carries out a plan that must succeed.
    #[track_caller]
    pub(crate) fn does(&self, plan: Result<Plan, Error>) {
        succeed(&self.host, &plan.expect("it can be planned"));
    }

    /// Data sets and snapshots below `tank/qchroot`, without that.
    pub(crate) fn datasets(&self) -> Vec<String> {
        let names = self.host.datasets();
        names.iter().filter_map(|name| name.strip_prefix("tank/qchroot/")).map(str::to_owned).collect()
    }
}

/// A plan as text, one step a line.
pub(crate) fn lines(plan: &Plan) -> String {
    plan.iter().map(|step| format!("{step}\n")).collect()
}
