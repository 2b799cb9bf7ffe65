//! What every isolation must do.

use camino::Utf8Path;
use qchroot_api::{
    Base, Brand, Capability, Container, Credentials, Entry, Isolation, Kind, Mounted, Plan, Platform,
};
use qchroot_engine::Host;

use super::footprint::stays_within;
use super::subject::Subject;
use super::transaction::{
    all_present, carry_out, leaves_no_trace, rolls_back_from_everywhere, succeed, take_back,
};
use super::trial::{Scene, Trial};
use super::{description, fake, round_trips, view};
use crate::fixture::{Small, container, native, plant_base, userland};
use crate::{FakeHost, Snapshot};

/// How a suite makes the isolation it examines.
pub(crate) type Enclosure = Subject<dyn Isolation>;

const DIR: &str = "/q/web";

/// Where no isolation has any business.
const OUTSIDE: [&str; 8] = ["/dev", "/etc", "/proc", "/q/releases", "/run", "/tmp", "/usr", "/var"];

/// The suite for an isolation.
pub(crate) fn isolation(subject: &Enclosure) -> Vec<Trial> {
    let info = subject.make().info();
    let make = subject.clone();
    let mut trials = description(Scene::Description, Kind::Isolation, move || make.make());
    for &platform in &info.platforms {
        let unable = fake::unable(platform, &info, |host| {
            let w = World::on(host.clone(), subject, platform, native(platform));
            w.isolation.up(&w.base, &w.container, view(host)).map(drop)
        });
        let of = |&(name, run): &Check| {
            let subject = subject.clone();
            Trial::new(Scene::Fake(platform), name, move || run(&World::new(&subject, platform)))
        };
        let kept = subject.kept.map(|_| KEPT);
        let all = EVERY.iter().chain(&kept).map(of).chain(foreign(subject, platform));
        trials.extend(all.map(|trial| trial.unless(unable.clone())));
    }
    trials.extend(super::real::isolation(subject));
    trials
}

/// A check by name.
type Check = (&'static str, fn(&World));

const KEPT: Check = ("plans are as they were", |w| w.subject.compare(w.platform, "up", &w.up()));

const EVERY: &[Check] = &[
    ("the same input gives the same plan", |w| w.again(|other| assert_eq!(w.up(), other.up()))),
    ("plans cross the border unchanged", |w| round_trips(&w.up())),
    ("up stays in the root", |w| stays_within(&w.up(), &w.container.root(), &[])),
    ("up and its inverse leave no trace", |w| leaves_no_trace(&w.host, &w.up())),
    ("a failed up leaves no trace", |w| {
        rolls_back_from_everywhere(|| w.again(|w| (w.host.clone(), w.up())));
    }),
    ("a second up finds everything there", |w| {
        succeed(&w.host, &w.up());
        all_present(&w.host, &w.up());
    }),
    ("a program gets inside", gets_inside),
    ("the host sees none of its own mounts", own_mounts),
    ("going down ends the container's processes and no others", ends_its_own),
    ("planted links fail closed", planted_links),
];

/// Userlands that are not the kernel's own, but that it runs.
fn foreign(subject: &Enclosure, platform: Platform) -> Vec<Trial> {
    let brands: &[Brand] = match platform {
        Platform::Linux => &[],
        Platform::Freebsd => &[Brand::Linux, Brand::Kfreebsd],
    };
    let of = |&brand: &Brand| {
        let subject = subject.clone();
        let name = format!("a {brand} userland gets the mounts it needs");
        Trial::new(Scene::Fake(platform), name, move || {
            let world = || World::of(&subject, platform, brand);
            let up = world().up();
            round_trips(&up);
            subject.compare(platform, &format!("up-{}", format!("{brand:?}").to_lowercase()), &up);
            stays_within(&up, &world().container.root(), &[]);
            leaves_no_trace(&world().host, &up);
            rolls_back_from_everywhere(|| (world().host, up.clone()));
            gets_inside(&world());
        })
    };
    brands.iter().map(of).collect()
}

/// One fake host with a container whose root is whole, and the isolation under examination.
struct World {
    subject: Enclosure,
    platform: Platform,
    isolation: Box<dyn Isolation>,
    host: FakeHost,
    base: Base,
    container: Container,
}

impl World {
    fn new(subject: &Enclosure, platform: Platform) -> Self {
        Self::of(subject, platform, native(platform))
    }

    fn of(subject: &Enclosure, platform: Platform, brand: Brand) -> Self {
        Self::on(FakeHost::new(platform), subject, platform, brand)
    }

    /// On a machine that has just booted.
    fn on(host: FakeHost, subject: &Enclosure, platform: Platform, brand: Brand) -> Self {
        let base = plant_base(&host, "/q/releases", brand);
        let mut container = container("web", DIR);
        container.isolation = subject.options.clone();
        for &(path, small) in userland(base.brand) {
            let at = container.root().join(path);
            match small {
                Small::Dir(mode) => host.plant_dir(at, mode),
                Small::File(text, mode) => host.plant_file(at, text, mode),
                Small::Link(to) => host.plant_link(at, to),
            }
        }
        Self { subject: subject.clone(), platform, isolation: subject.make(), host, base, container }
    }

    fn again<T>(&self, run: impl FnOnce(&Self) -> T) -> T {
        run(&Self::new(&self.subject, self.platform))
    }

    /// What comes before the storage, which is nothing here, and what comes after it.
    fn up(&self) -> Plan {
        let mut plan = self.isolation.enclose(&self.container, view(&self.host)).expect("it can enclose");
        plan.extend(
            self.isolation.up(&self.base, &self.container, view(&self.host)).expect("the isolation can plan"),
        );
        plan
    }

    fn mounts(&self) -> Vec<Mounted> {
        view(&self.host).mounts().expect("the mount table can be read")
    }

    fn plant(&self, path: &str, to: &str) {
        let at = self.container.root().join(path);
        self.host.uproot(&at);
        self.host.plant_link(at, to);
    }

    /// Everything but what is in the container's root.
    fn outside(&self) -> Snapshot {
        self.host.snapshot(OUTSIDE)
    }
}

fn gets_inside(w: &World) {
    succeed(&w.host, &w.up());
    let entry = Entry {
        way: w.isolation.way(&w.container, view(&w.host)).expect("there is a way inside"),
        argv: vec!["/bin/true".into()],
        argv0: None,
        env: [].into(),
        credentials: Credentials::root(),
        directory: "/".into(),
    };
    assert_eq!(w.host.enter(&entry), Ok(0));
    let entry = Entry { argv: vec!["/bin/false".into()], ..entry };
    assert_eq!(w.host.enter(&entry), Ok(1));
}

fn own_mounts(w: &World) {
    let before = w.mounts();
    let begun = succeed(&w.host, &w.up());
    if w.isolation.info().capabilities.contains(&Capability::OwnMounts) {
        assert_eq!(w.mounts(), before, "the host sees mounts");
    }
    take_back(&w.host, &begun);
    assert_eq!(w.mounts(), before);
}

fn ends_its_own(w: &World) {
    let of_host = w.host.plant_process("/", "nginx");
    let of_other = w.host.plant_process("/q/web2/root", "nginx");
    let begun = succeed(&w.host, &w.up());
    let own = w.host.plant_process(w.container.root().as_str(), "nginx");
    take_back(&w.host, &begun);
    let left: Vec<i32> = w.host.processes().iter().map(|p| p.pid).collect();
    assert!(!left.contains(&own), "a process of the container is left");
    assert!(left.contains(&of_host) && left.contains(&of_other), "a stranger was stopped");
}

/// Wherever `up` works inside, a link planted there must stop it, by name, and nothing outside may change.
fn planted_links(w: &World) {
    for (path, to) in [("dev", "/dev"), ("proc", "/proc"), ("dev/null", "/etc/passwd")] {
        w.again(|w| {
            if path != "dev/null" || w.platform == Platform::Linux {
                w.plant(path, to);
                refuses_closed(w, path);
            }
        });
    }
}

fn refuses_closed(w: &World, path: &str) {
    let (before, files) = (w.outside(), w.host.files(OUTSIDE));
    let plan = w.up();
    let touched = plan.iter().any(|step| step.to_string().contains(&format!("/./{path}")));
    let outcome = carry_out(&w.host, &plan);
    files.assert_same(&w.host.files(OUTSIDE), &format!("with {path} a link and before going back"));
    if touched {
        let error = outcome.end.expect_err(&format!("it went through the link {path}")).to_string();
        let named = Utf8Path::new("/q/web/root").join(path);
        assert!(error.contains(named.as_str()) || error.contains(&format!("/./{path}")), "{error}");
    }
    take_back(&w.host, &outcome.begun);
    before.assert_same(&w.outside(), &format!("with {path} a link"));
}
