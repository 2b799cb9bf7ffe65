//! A release source on the real machine: it reads real files and fills a real directory.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_abi::{Exported, Remote};
use qchroot_api::{ErrorKind, Kind, Mounted, Observe, Progress, Release, ReleaseSource, ReleaseWish, Result};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use tempfile::TempDir;

use super::snapshot::{self, Snapshot};
use super::{Check, no_superuser, trials};
use crate::behavior::source::Source;
use crate::behavior::subject::Subject;
use crate::behavior::trial::{Scene, Trial};
use crate::behavior::{description, progress};

/// Checks that fill more than once.
const SEVERAL_TIMES: [&str; 2] =
    ["filling twice gives the same tree", "a fill that is cancelled on the way is whole or an error"];

type Prepare = Arc<dyn Fn(&Utf8Path) -> ReleaseWish + Send + Sync>;

/// The suite for a release source on the real machine, as root: begin with [`source_on_machine`](super::source_on_machine),
/// say more of the source where there is more to say, and end with [`trials`](SourceOnMachine::trials).
#[derive(Clone)]
pub struct SourceOnMachine {
    subject: Source,
    prepare: Prepare,
    another: Option<fn(&mut ReleaseWish)>,
    unchecked: Option<Prepare>,
    damaged: Option<(Prepare, &'static str)>,
}

/// Begins the suite. `prepare` puts what the source reads into an empty directory, and says what to ask the source
/// for.
#[must_use]
pub fn source_on_machine(
    make: impl Fn() -> Box<dyn ReleaseSource> + Send + Sync + 'static,
    prepare: impl Fn(&Utf8Path) -> ReleaseWish + Send + Sync + 'static,
) -> SourceOnMachine {
    SourceOnMachine::of(Subject::new(make), prepare)
}

impl SourceOnMachine {
    pub(crate) fn of(
        subject: Source,
        prepare: impl Fn(&Utf8Path) -> ReleaseWish + Send + Sync + 'static,
    ) -> Self {
        Self { subject, prepare: Arc::new(prepare), another: None, unchecked: None, damaged: None }
    }

    /// `change` makes another wish of the prepared one, for another content: the digest has to tell the two apart.
    #[must_use]
    pub fn another(self, change: fn(&mut ReleaseWish)) -> Self {
        Self { another: Some(change), ..self }
    }

    /// `prepare` asks for what is not checked production material: it has to be refused unless the user insists.
    #[must_use]
    pub fn unchecked(self, prepare: impl Fn(&Utf8Path) -> ReleaseWish + Send + Sync + 'static) -> Self {
        Self { unchecked: Some(Arc::new(prepare)), ..self }
    }

    /// `prepare` leaves something damaged to be read: it has to be refused, and the error says `name`.
    #[must_use]
    pub fn damaged(
        self,
        prepare: impl Fn(&Utf8Path) -> ReleaseWish + Send + Sync + 'static,
        name: &'static str,
    ) -> Self {
        Self { damaged: Some((Arc::new(prepare), name)), ..self }
    }

    /// The suite, of the source itself and of the source behind the border.
    #[must_use]
    pub fn trials(self) -> Vec<Trial> {
        let subject = self.subject.clone();
        let behind = Subject::new(move || {
            Box::new(Remote::looped(Exported::Source(subject.make())).expect("the border lets it through"))
                as _
        });
        let behind = Self { subject: behind, ..self.clone() };
        // To fill several times takes long, and each time the same crosses the border.
        let once = behind.described().into_iter().filter(|trial| !SEVERAL_TIMES.contains(&trial.name()));
        self.described().into_iter().chain(once.map(Trial::behind_the_border)).collect()
    }

    fn described(&self) -> Vec<Trial> {
        let subject = self.subject.clone();
        let kind = Kind::ReleaseSource;
        let mut trials = description(Scene::Machine(kind), kind, move || subject.make());
        trials.extend(self.checks());
        trials
    }

    /// The checks without those of what it says of itself.
    pub(crate) fn checks(&self) -> Vec<Trial> {
        let world = |prepare: &Prepare| {
            let (subject, prepare) = (self.subject.clone(), Arc::clone(prepare));
            move || World::new(&subject, &prepare)
        };
        let run = |check: fn(&World)| -> Box<dyn FnOnce() + Send> {
            let world = world(&self.prepare);
            Box::new(move || check(&world()))
        };
        let (kind, platforms) = (Kind::ReleaseSource, self.subject.make().info().platforms);
        let asking = ("the same wish gives the same release, and asking changes nothing", run(same_release));
        let mut all: Vec<Check> = vec![
            ("a userland in the staging directory and nothing else, with progress to the end", run(fills)),
            (SEVERAL_TIMES[0], run(same_tree)),
            ("a fill that is cancelled ends with an error", run(cancelled)),
            (SEVERAL_TIMES[1], run(cancelled_on_the_way)),
        ];
        if let Some(change) = self.another {
            let world = world(&self.prepare);
            all.push(("the digest covers the options", Box::new(move || other_digest(&world(), change))));
        }
        if let Some(prepare) = &self.unchecked {
            let world = world(prepare);
            let run = Box::new(move || refused_unless_insisted(&world()));
            all.push(("what is not checked is refused unless the user insists", run));
        }
        if let Some((prepare, name)) = &self.damaged {
            let (world, name) = (world(prepare), *name);
            all.push((
                "what is damaged is refused by name",
                Box::new(move || refused_by_name(&world(), name)),
            ));
        }
        let mut trials_here = trials(kind, &platforms, None, vec![asking]);
        trials_here.extend(trials(kind, &platforms, no_superuser(), all));
        trials_here
    }
}

/// A temporary directory with what the source reads, and room to work.
struct World {
    _dir: TempDir,
    path: Utf8PathBuf,
    source: Box<dyn ReleaseSource>,
    wish: ReleaseWish,
    cancel: Arc<AtomicBool>,
    machine: Machine,
}

impl World {
    fn new(subject: &Source, prepare: &Prepare) -> Self {
        let dir = tempfile::Builder::new().prefix("qchroot-suite-").tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(dir.path()).expect("its path is text").canonicalize_utf8();
        let path = path.expect("it is there");
        fs::create_dir(path.join("input")).expect("a directory for what is read");
        let wish = prepare(&path.join("input"));
        let cancel = Arc::new(AtomicBool::new(false));
        let machine = Machine::with_cancel(Arc::clone(&cancel));
        Self { _dir: dir, path, source: subject.make(), wish, cancel, machine }
    }

    fn resolve(&self) -> Result<Release> {
        self.source.check(&self.wish.options).expect("the wish has good options");
        self.source.resolve(&self.wish, &self.machine)
    }

    fn release(&self) -> Release {
        self.resolve().expect("the wish can be resolved")
    }

    /// Fills an empty staging directory.
    fn fill(&self, release: &Release, show: &mut dyn FnMut(&Progress)) -> Result<()> {
        let staging = self.staging();
        if staging.exists() {
            fs::remove_dir_all(&staging).expect("the staging directory can be removed");
        }
        fs::create_dir_all(&staging).expect("a staging directory");
        let (cache, log) = (self.path.join("cache"), self.path.join("log"));
        let mut work = self.machine.work(&Workplace { staging, cache, log }, show)?;
        self.source.fill(release, &mut *work)
    }

    fn filled(&self) -> Snapshot {
        self.fill(&self.release(), &mut |_| ()).expect("the staging directory can be filled");
        snapshot::of(self.staging().as_std_path())
    }

    fn staging(&self) -> Utf8PathBuf {
        self.path.join("staging/tree")
    }

    fn input(&self) -> Snapshot {
        snapshot::of(self.path.join("input").as_std_path())
    }

    fn mounts(&self) -> Vec<Mounted> {
        (&self.machine as &dyn Observe).mounts().expect("the mount table can be read")
    }
}

fn same_release(w: &World) {
    let before = snapshot::of(w.path.as_std_path());
    let release = w.release();
    assert_eq!(release, w.release());
    snapshot::assert_same(&before, &snapshot::of(w.path.as_std_path()), "resolve");
    let json = serde_json::to_string(&release).expect("a release is JSON");
    assert_eq!(serde_json::from_str::<Release>(&json).expect("a release can be read back"), release);
    let hex = release.digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    assert!(hex && release.digest.len() == 64, "{} is no SHA-256", release.digest);
    release.id().expect("the version can be part of a name");
}

fn fills(w: &World) {
    let (input, mounts) = (w.input(), w.mounts());
    let mut told = vec![];
    w.fill(&w.release(), &mut |progress| told.push(progress.clone())).expect("it can be filled");
    progress::is_plausible(&told);
    snapshot::assert_same(&input, &w.input(), "what the source reads");
    assert_eq!(w.mounts(), mounts, "something stays mounted");
    let names = |dir: &Utf8Path| -> Vec<String> {
        let entries = dir.read_dir_utf8().expect("a directory can be listed");
        entries.map(|entry| entry.expect("an entry can be read").file_name().to_owned()).collect()
    };
    let beside = names(&w.path);
    let known = ["input", "staging", "cache", "log"];
    assert!(beside.iter().all(|name| known.contains(&name.as_str())), "left behind: {beside:?}");
    assert_eq!(names(&w.path.join("staging")), ["tree"], "left beside the staging directory");
    let top = names(&w.staging());
    assert!(top.iter().any(|name| name == "usr" || name == "bin"), "{top:?} is no userland");
}

fn same_tree(w: &World) {
    let first = w.filled();
    snapshot::assert_same(&first, &w.filled(), "the second fill");
}

fn cancelled(w: &World) {
    let release = w.release();
    w.cancel.store(true, Ordering::Relaxed);
    let filled = w.fill(&release, &mut |_| ());
    let error = filled.expect_err("it went on to the end although the user had given up before it began");
    assert_ne!(error.kind(), ErrorKind::Plugin, "{error}");
}

/// Whoever does not look any more before the end may as well be done.
fn cancelled_on_the_way(w: &World) {
    let whole = w.filled();
    let cancel = Arc::clone(&w.cancel);
    if w.fill(&w.release(), &mut |_| cancel.store(true, Ordering::Relaxed)).is_ok() {
        snapshot::assert_same(&whole, &snapshot::of(w.staging().as_std_path()), "it says that all is well");
    }
}

fn other_digest(w: &World, change: fn(&mut ReleaseWish)) {
    let mut other = w.wish.clone();
    change(&mut other);
    let other = w.source.resolve(&other, &w.machine).expect("the other wish can be resolved");
    assert_ne!(other.digest, w.release().digest, "another content has the same digest");
}

fn refused_unless_insisted(w: &World) {
    let asked = |any: bool| w.source.resolve(&ReleaseWish { any, ..w.wish.clone() }, &w.machine);
    let error = asked(false).expect_err("it was taken without being checked");
    assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
    asked(true).expect("it is taken when the user insists");
}

fn refused_by_name(w: &World, name: &str) {
    let (input, mounts) = (w.input(), w.mounts());
    let outcome = w.resolve().and_then(|release| w.fill(&release, &mut |_| ()));
    let error = outcome.expect_err("what is damaged was taken");
    assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
    assert!(error.to_string().contains(name), "{error} does not name {name}");
    snapshot::assert_same(&input, &w.input(), "what the source reads");
    assert_eq!(w.mounts(), mounts, "something stays mounted");
}
