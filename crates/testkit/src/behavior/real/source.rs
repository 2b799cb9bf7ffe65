//! A release source on the real machine: it reads real files and fills a real directory.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use libtest_mimic::Trial;
use qchroot_api::{ErrorKind, Kind, Mounted, Observe, Progress, Release, ReleaseSource, ReleaseWish, Result};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use tempfile::TempDir;

use super::snapshot::{self, Snapshot};
use super::{Check, trials};
use crate::behavior::{backend, progress};

type Make = fn() -> Box<dyn ReleaseSource>;
type Prepare = fn(&Utf8Path) -> ReleaseWish;

/// The suite for a release source on the real machine, as root: begin with [`source_on_machine`](super::source_on_machine),
/// say more of the source where there is more to say, and end with [`trials`](SourceOnMachine::trials).
#[derive(Clone, Copy)]
pub struct SourceOnMachine {
    make: Make,
    prepare: Prepare,
    another: Option<fn(&mut ReleaseWish)>,
    unchecked: Option<Prepare>,
    damaged: Option<(Prepare, &'static str)>,
}

/// Begins the suite. `prepare` puts what the source reads into an empty directory, and says what to ask the source
/// for.
#[must_use]
pub fn source_on_machine(make: Make, prepare: Prepare) -> SourceOnMachine {
    SourceOnMachine { make, prepare, another: None, unchecked: None, damaged: None }
}

impl SourceOnMachine {
    /// `change` makes another wish of the prepared one, for another content: the digest has to tell the two apart.
    #[must_use]
    pub fn another(self, change: fn(&mut ReleaseWish)) -> Self {
        Self { another: Some(change), ..self }
    }

    /// `prepare` asks for what is not checked production material: it has to be refused unless the user insists.
    #[must_use]
    pub fn unchecked(self, prepare: Prepare) -> Self {
        Self { unchecked: Some(prepare), ..self }
    }

    /// `prepare` leaves something damaged to be read: it has to be refused, and the error says `name`.
    #[must_use]
    pub fn damaged(self, prepare: Prepare, name: &'static str) -> Self {
        Self { damaged: Some((prepare, name)), ..self }
    }

    /// The suite.
    #[must_use]
    pub fn trials(self) -> Vec<Trial> {
        let run = |check: fn(&World)| -> Box<dyn FnOnce() + Send> {
            Box::new(move || check(&World::new(self.make, self.prepare)))
        };
        let make = self.make;
        let mut all: Vec<Check> = vec![
            ("options and description", Box::new(move || backend(Kind::ReleaseSource, || make()))),
            ("the same wish gives the same release, and asking changes nothing", run(same_release)),
            ("a userland in the staging directory and nothing else, with progress to the end", run(fills)),
            ("filling twice gives the same tree", run(same_tree)),
            ("a fill that is cancelled ends with an error", run(cancelled)),
            ("a fill that is cancelled on the way is whole or an error", run(cancelled_on_the_way)),
        ];
        if let Some(change) = self.another {
            let make_world = move || World::new(self.make, self.prepare);
            all.push((
                "the digest covers the options",
                Box::new(move || other_digest(&make_world(), change)),
            ));
        }
        if let Some(prepare) = self.unchecked {
            let run = move || refused_unless_insisted(&World::new(make, prepare));
            all.push(("what is not checked is refused unless the user insists", Box::new(run)));
        }
        if let Some((prepare, name)) = self.damaged {
            let run = move || refused_by_name(&World::new(make, prepare), name);
            all.push(("what is damaged is refused by name", Box::new(run)));
        }
        trials(Kind::ReleaseSource, &make().info().platforms, all)
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
    fn new(make: Make, prepare: Prepare) -> Self {
        let dir = tempfile::Builder::new().prefix("qchroot-suite-").tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(dir.path()).expect("its path is text").canonicalize_utf8();
        let path = path.expect("it is there");
        fs::create_dir(path.join("input")).expect("a directory for what is read");
        let wish = prepare(&path.join("input"));
        let cancel = Arc::new(AtomicBool::new(false));
        let machine = Machine::with_cancel(Arc::clone(&cancel));
        assert!(machine.is_superuser(), "needs root");
        Self { _dir: dir, path, source: make(), wish, cancel, machine }
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
    w.fill(&release, &mut |_| ()).expect_err("the user had given up before it began");
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
