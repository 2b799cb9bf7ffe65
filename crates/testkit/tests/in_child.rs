//! Calls over a stream to a back end are as calls in the same process, and silence is borne for a time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, empty};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use camino::Utf8Path;
use qchroot_abi::{Exported, InProcess, Remote};
use qchroot_api::{
    Backend, Brand, Error, ErrorKind, Info, Kind, Node, NodeKind, Observe, Place, Platform, Progress,
    Release, ReleaseSource, ReleaseWish, Result, Work,
};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use qchroot_testkit::stream::{Patient, over_a_stream};

const PATIENT: Duration = Duration::from_secs(60);

/// Longer than what goes over a stream at once, and no multiple of anything.
const LONG: usize = (3 << 20) + 7;

/// What it does is the version of the release that it is asked for.
struct Odd;

impl Backend for Odd {
    fn info(&self) -> Info {
        Info {
            name: "acme.odd".into(),
            kind: Kind::ReleaseSource,
            summary: "does as it is told".into(),
            platforms: vec![Platform::Linux],
            capabilities: BTreeSet::new(),
            options: vec![],
            programs: vec![],
        }
    }
}

impl ReleaseSource for Odd {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let version = want.release.clone().unwrap_or_default();
        match version.as_str() {
            "silent" => thread::park(),
            "looking" => drop(host.list(&Place::host("/"))?),
            "panicking" => panic!("so it was wished"),
            "refusing" => {
                return Err(Error::new(ErrorKind::BadData, "no")
                    .cause("why")
                    .hint("try")
                    .with("key", "value"));
            }
            "long" => return Err(Error::new(ErrorKind::BadData, "x".repeat(100 << 20))),
            _ => {}
        }
        Ok(release(&version))
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        match release.version.as_str() {
            "torn" => return work.tree().write(&file("torn", LONG), &mut Torn(LONG / 2)),
            "short" => return work.tree().write(&file("short", LONG), &mut io::repeat(1).take(10)),
            "cancelled" => while !work.cancelled() {},
            "deaf" => thread::park(),
            _ => {}
        }
        work.tree().write(&node("/", NodeKind::Directory, 0o755), &mut empty())?;
        for (name, length) in [("empty", 0), ("small", 5), ("chunk", 256 << 10), ("long", LONG)] {
            let mut content = (0..length).map(|byte| (byte % 251) as u8).collect::<Vec<_>>();
            work.tree().write(&file(name, length), &mut content.as_slice())?;
            content.clear();
        }
        let mut whole = String::new();
        work.open(&"/etc/passwd".into())?.read_to_string(&mut whole).unwrap();
        work.tree().write(&file("users", whole.len()), &mut whole.as_bytes())?;
        work.progress(&Progress { what: "nearly".into(), ..Progress::default() });
        work.note("done")?;
        work.tree().finish()
    }
}

struct Torn(usize);

impl Read for Torn {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = into.len().min(self.0);
        self.0 -= length;
        if length == 0 { Err(io::Error::other("the source is torn")) } else { Ok(length) }
    }
}

fn release(version: &str) -> Release {
    Release {
        version: version.into(),
        brand: Brand::Linux,
        digest: "0".repeat(64),
        pins: BTreeMap::new(),
        remember: BTreeMap::new(),
        host_dirs: vec![],
        options: Default::default(),
    }
}

fn file(path: &str, size: usize) -> Node {
    node(path, NodeKind::File { size: size as u64 }, 0o644)
}

fn node(path: &str, kind: NodeKind, mode: u32) -> Node {
    let path = PathBuf::from(path);
    Node { path, kind, mode, uid: 0, gid: 0, mtime: (0, 0), xattrs: vec![], flags: None }
}

fn odd() -> Exported {
    Exported::Source(Box::new(Odd))
}

fn streamed(caller: &Arc<Patient>, patience: Duration) -> Remote {
    over_a_stream(odd, Arc::<Patient>::clone(caller), patience).unwrap()
}

/// Both ways to the same back end.
fn both() -> [Remote; 2] {
    [Remote::new(Box::new(InProcess::new(odd().port()))).unwrap(), streamed(&Arc::default(), PATIENT)]
}

fn resolve(remote: &Remote, release: &str) -> Result<Release> {
    let want = ReleaseWish { release: Some(release.into()), any: false, options: Default::default() };
    remote.resolve(&want, &Machine::new())
}

/// Files by name.
type Files = Vec<(String, Vec<u8>)>;

/// What a fill said, was seen to do, and left behind.
fn fill(remote: &Remote, machine: &Machine, version: &str) -> (Result<()>, Vec<String>, Files) {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(dir.path()).unwrap();
    let place = Workplace { staging: path.join("staging"), cache: path.join("cache"), log: path.join("log") };
    std::fs::create_dir(&place.staging).unwrap();
    let mut seen = vec![];
    let mut show = |progress: &Progress| seen.push(progress.what.clone());
    let mut work = machine.work(&place, &mut show).unwrap();
    let said = remote.fill(&release(version), &mut *work);
    drop(work);
    let names = place.staging.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned());
    let mut files: Vec<_> =
        names.map(|name| (name.clone(), std::fs::read(place.staging.join(name)).unwrap())).collect();
    files.sort();
    (said, seen, files)
}

#[test]
fn files_of_any_length_progress_and_errors_are_the_same_over_a_stream() {
    let [here, there] = both();
    let machine = Machine::new();
    let (said, seen, files) = fill(&here, &machine, "plain");
    said.unwrap();
    assert_eq!(seen, ["nearly"]);
    assert_eq!(files.len(), 5);
    assert!(files.iter().any(|(name, content)| name == "long" && content.len() == LONG));
    assert!((Ok(()), seen, files) == fill(&there, &machine, "plain"));
    for version in ["torn", "short"] {
        let (said, ..) = fill(&there, &machine, version);
        assert!(said.is_err(), "{version}");
        assert_eq!(said, fill(&here, &machine, version).0);
    }
    assert!(fill(&there, &machine, "plain").0.is_ok(), "it goes on after an error");
    for wish in ["looking", "refusing", "panicking"] {
        assert_eq!(resolve(&here, wish), resolve(&there, wish));
    }
}

#[test]
fn what_is_too_long_is_an_error_and_no_end() {
    let [_, there] = both();
    let error = resolve(&there, "long").unwrap_err();
    assert!(error.to_string().contains("more than 64 MiB"), "{error}");
    assert!(resolve(&there, "plain").is_ok());
}

#[test]
fn silence_is_borne_for_as_long_as_the_caller_wishes_and_the_next_call_is_answered() {
    let caller = Arc::new(Patient { times: Mutex::new(2), silences: Mutex::default() });
    let remote = streamed(&caller, Duration::from_millis(50));
    let error = resolve(&remote, "silent").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Plugin);
    let text =
        "plug-in acme.odd failed in `resolve`: the process of acme.threaded gave no sign of life for 0.05 s";
    assert_eq!(error.to_string(), text);
    assert!(error.hint_text().unwrap().contains("patience"));
    assert_eq!(*caller.silences.lock().unwrap(), ["resolve"; 3]);
    assert!(resolve(&remote, "plain").is_ok());
}

#[test]
fn who_gives_up_is_told_of_and_need_not_be_obeyed_for_long() {
    let cancelled = Arc::new(AtomicBool::new(true));
    let machine = Machine::with_cancel(Arc::clone(&cancelled));
    let remote = streamed(&Arc::default(), PATIENT);
    let (said, ..) = fill(&remote, &machine, "cancelled");
    // It was told, went on all the same, and could not.
    assert_eq!(said.unwrap_err().to_string(), "interrupted");
    let (said, ..) = fill(&remote, &machine, "deaf");
    let error = said.unwrap_err();
    assert_eq!(error.to_string(), "the process of acme.threaded did not end when it was told to");
    cancelled.store(false, Ordering::Relaxed);
    assert!(fill(&remote, &machine, "plain").0.is_ok());
}

#[test]
fn calls_from_many_threads_come_one_after_the_other() {
    let remote = streamed(&Arc::default(), PATIENT);
    thread::scope(|scope| {
        for number in 0..16 {
            let remote = &remote;
            scope.spawn(move || {
                let version = format!("version-{number}");
                for _ in 0..20 {
                    assert_eq!(resolve(remote, &version).unwrap().version, version);
                }
            });
        }
    });
}
