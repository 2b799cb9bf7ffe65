//! What an install remembers: a digest that changes later is refused, unless the user says that it is right.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use qchroot_api::{ErrorKind, Name, Progress, Registration, ReleaseId, Result, Step};
use qchroot_engine::{InstallWish, Point, Registry, Watch};
use qchroot_testkit::fixture::FakeSource;
use qchroot_testkit::{FakeHost, engine};

#[derive(Default)]
struct Planned(std::sync::Mutex<Vec<String>>);

impl Watch for Planned {
    fn step(&self, point: Point, step: &Step) {
        if point == Point::Planned {
            self.0.lock().unwrap().push(step.to_string());
        }
    }
    fn progress(&self, _: &Progress) {}
    fn said(&self, _: &Name, _: &str) {}
    fn warn(&self, _: &str) {}
}

fn install(host: &FakeHost, watch: &Planned, dry_run: bool, options: &[(&str, &str)]) -> Result<ReleaseId> {
    let registry = Registry::of(&[Registration::Source(|| Box::new(FakeSource))])?;
    let engine = engine(host, &registry, watch, dry_run)?;
    let options = options.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    engine.install(&InstallWish { source: Some("fake".into()), options, ..InstallWish::default() })
}

const KNOWN: &str = "/q/lib/known.toml";

#[test]
fn what_was_seen_once_must_not_change() {
    let (host, watch) = (FakeHost::linux(), Planned::default());
    install(&host, &watch, false, &[("index", "aa"), ("version", "1")]).unwrap();
    let first = host.text(KNOWN).unwrap();
    assert!(first.starts_with("format = 1\n\n[known]\n\"fake:index\" = \""), "{first}");
    install(&host, &watch, false, &[("index", "aa"), ("version", "2")]).unwrap();

    let before = host.files(["/q/lib"]);
    let error = install(&host, &watch, false, &[("index", "bb"), ("version", "3")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData);
    let facts = ["what", "remembered", "now"].map(|key| error.fact(key).unwrap());
    let [what, remembered, now] = facts;
    assert!(what == "fake:index" && first.contains(remembered) && now != remembered, "{facts:?}");
    assert!(error.hint_text().unwrap().contains(KNOWN), "{error:?}");
    before.assert_same(&host.files(["/q/lib"]), "after the refusal");

    install(&host, &watch, false, &[("index", "bb"), ("pin", now), ("version", "3")]).unwrap();
    assert!(host.text(KNOWN).unwrap().contains(now));
    let error = install(&host, &watch, false, &[("index", "aa"), ("version", "1")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData, "a base that is there already is no way around");
}

#[test]
fn a_dry_run_shows_what_would_be_remembered() {
    let (host, watch) = (FakeHost::linux(), Planned::default());
    install(&host, &watch, true, &[("index", "aa")]).unwrap();
    assert!(watch.0.lock().unwrap().iter().any(|step| step.starts_with("write file /q/lib/known.toml")));
    assert_eq!(host.text(KNOWN), None);
}

#[test]
fn an_install_that_fails_remembers_nothing() {
    let (host, watch) = (FakeHost::linux(), Planned::default());
    install(&host, &watch, false, &[("index", "aa"), ("fail", "fill")]).unwrap_err();
    assert_eq!(host.text(KNOWN), None);
}
