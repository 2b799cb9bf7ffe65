//! What every release source must do.

use std::sync::Arc;

use camino::Utf8Path;
use qchroot_api::{
    ErrorKind, Kind, Place, Platform, Progress, Release, ReleaseSource, ReleaseWish, Result, Step,
};
use qchroot_engine::{Host, Workplace};

use super::subject::Subject;
use super::transaction::succeed;
use super::trial::{Scene, Trial};
use super::{description, fake, progress, view};
use crate::{FakeHost, Moment};

/// How a suite makes the source it examines.
pub(crate) type Source = Subject<dyn ReleaseSource>;

/// Puts what the source reads on the fake host, and says what to ask the source for.
pub(crate) type Prepare = Arc<dyn Fn(&FakeHost) -> ReleaseWish + Send + Sync>;

const STAGING: &str = "/q/.staging-install/tree";

/// The suite for a release source.
pub(crate) fn source(subject: &Source, prepare: &Prepare) -> Vec<Trial> {
    let info = subject.make().info();
    let make = subject.clone();
    let mut trials = description(Scene::Description, Kind::ReleaseSource, move || make.make());
    for &platform in &info.platforms {
        let unable = fake::unable(platform, &info, |_| attempt(&World::new(subject, prepare, platform)));
        let of = |&(name, run): &Check| {
            let (subject, prepare) = (subject.clone(), Arc::clone(prepare));
            let run = move || run(&World::new(&subject, &prepare, platform));
            Trial::new(Scene::Fake(platform), name, run).unless(unable.clone())
        };
        trials.extend(EVERY.iter().map(of));
    }
    trials
}

/// Whether what the source is asked for is to be had: what it reads may not be on the fake machine.
fn attempt(w: &World) -> Result<()> {
    let release = w.source.resolve(&w.wish, view(&w.host))?;
    let filled = w.fill_with(&release, &mut |_| ());
    filled.or_else(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::Unavailable => Err(error),
        _ => Ok(()),
    })
}

/// A check by name.
type Check = (&'static str, fn(&World));

const EVERY: &[Check] = &[
    ("the same wish gives the same release, and asking changes nothing", same_release),
    ("a release crosses the border unchanged", release_round_trips),
    ("fill leaves a userland in the staging directory and nothing else", fills),
    ("filling twice gives the same tree", |w| {
        let tree = w.again(World::filled);
        assert_eq!(w.filled(), tree);
    }),
    ("a source that is interrupted says so", interrupted),
];

/// One fake host that has what the source reads.
struct World {
    subject: Source,
    prepare: Prepare,
    platform: Platform,
    source: Box<dyn ReleaseSource>,
    host: FakeHost,
    wish: ReleaseWish,
}

impl World {
    fn new(subject: &Source, prepare: &Prepare, platform: Platform) -> Self {
        let host = FakeHost::new(platform);
        let wish = prepare(&host);
        host.plant_dir(Utf8Path::new(STAGING), 0o700);
        let (subject, prepare, source) = (subject.clone(), Arc::clone(prepare), subject.make());
        Self { subject, prepare, platform, source, host, wish }
    }

    fn again<T>(&self, run: impl FnOnce(&Self) -> T) -> T {
        run(&Self::new(&self.subject, &self.prepare, self.platform))
    }

    fn release(&self) -> Release {
        self.source.check(&self.wish.options).expect("the wish has good options");
        self.source.resolve(&self.wish, view(&self.host)).expect("the wish can be resolved")
    }

    fn fill(&self) -> Result<()> {
        self.fill_showing(&mut |_| ())
    }

    fn fill_showing(&self, show: &mut dyn FnMut(&Progress)) -> Result<()> {
        self.fill_with(&self.release(), show)
    }

    fn fill_with(&self, release: &Release, mut show: &mut dyn FnMut(&Progress)) -> Result<()> {
        let mut work = self.host.work(&Workplace::beside(STAGING.into()), &mut show)?;
        self.source.fill(release, &mut *work)
    }

    fn filled(&self) -> String {
        self.fill().expect("the staging directory can be filled");
        self.host.files([STAGING]).to_string()
    }
}

fn same_release(w: &World) {
    let everything = || w.host.files(["/"]);
    let before = everything();
    let release = w.release();
    before.assert_same(&everything(), "resolve");
    assert_eq!(release, w.release());
    assert_eq!(release, w.again(World::release));
    let hex = release.digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    assert!(hex && release.digest.len() == 64, "{} is no SHA-256", release.digest);
    release.id().expect("the version can be part of a name");
}

fn release_round_trips(w: &World) {
    let release = w.release();
    let json = serde_json::to_string(&release).expect("a release is JSON");
    assert_eq!(serde_json::from_str::<Release>(&json).expect("a release can be read back"), release);
}

fn fills(w: &World) {
    let outside = || w.host.files(["/etc", "/usr", "/var", "/tmp", "/run"]);
    let before = outside();
    let mut told = vec![];
    w.fill_showing(&mut |progress| told.push(progress.clone())).expect("the staging directory can be filled");
    progress::is_plausible(&told);
    before.assert_same(&outside(), "outside the staging directory");
    let names = view(&w.host).list(&Place::host(STAGING)).expect("the staging directory is there");
    assert!(names.iter().any(|name| name == "usr" || name == "bin"), "{names:?} is no userland");
}

/// Whichever entry cannot be written, the source does not claim that all is well.
fn interrupted(w: &World) {
    w.host.crash_at(u64::MAX, Moment::Before);
    w.filled();
    let entries = w.host.ticks();
    for n in [1, entries / 2, entries] {
        w.again(|w| {
            w.host.crash_at(n.max(1), Moment::Before);
            assert!(w.fill().is_err(), "entry {n} of {entries} was not written and nobody noticed");
            w.host.revive();
            succeed(&w.host, &vec![Step::Stage { at: STAGING.into() }]);
            w.filled();
        });
    }
}
