//! What crosses the border, word for word, as it was in each minor version, and that today's types read it.
//!
//! `tests/border-MAJOR.MINOR/` has every kind of value in JSON. The directories of older versions are never changed. When
//! the border grows, the newest one is copied to the next minor version's, and [`NOW`] names that.

#![allow(clippy::unwrap_used, reason = "tests report by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use qchroot_abi::{Ask, Call, border};
use qchroot_api::camino::Utf8PathBuf;
use qchroot_api::{
    Answer, Derived, Error, Info, MountFs, NodeKind, Output, Plan, Query, Release, Service, Snapshot, Step,
    Usage, Way,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const OLDER: &[&str] = &["1.0"];
const NOW: &str = "1.1";

/// What fields of these names hold is a map, whose keys are not the border's.
const MAPS: &[&str] =
    &["storage", "isolation", "options", "pins", "remember", "process-limits", "environment"];

fn values(version: &str, file: &str) -> Value {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(format!("border-{version}"));
    serde_json::from_slice(&std::fs::read(dir.join(format!("{file}.json"))).unwrap()).unwrap()
}

fn each(all: &Value) -> impl Iterator<Item = &Value> {
    all.as_array().unwrap().iter()
}

/// The value as today's type says it.
#[track_caller]
fn again<T: DeserializeOwned + Serialize>(value: &Value) -> Value {
    let read: T = serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"));
    serde_json::to_value(read).unwrap()
}

type Again = fn(&Value) -> Value;

/// What the program says to plug-ins: the file, what in it, and its type.
fn given(version: &str) -> Vec<(Value, Again)> {
    let lists: [(&str, Again); 3] =
        [("calls", again::<Call>), ("answers", again::<Answer>), ("errors", again::<Error>)];
    let told = values(version, "told");
    let types: [(&str, Again); 4] = [
        ("fetch", again::<Utf8PathBuf>),
        ("media", again::<Utf8PathBuf>),
        ("run", again::<Output>),
        ("cancelled", again::<bool>),
    ];
    let of = |(file, again): (&str, Again)| {
        each(&values(version, file)).map(|value| (value.clone(), again)).collect::<Vec<_>>()
    };
    let told = types.into_iter().filter_map(|(key, again)| Some((told.get(key)?.clone(), again)));
    lists.into_iter().flat_map(of).chain(told).collect()
}

/// What plug-ins say to the program.
fn taken(version: &str) -> Vec<(Value, Again)> {
    let said = values(version, "said");
    let types: [(&str, Again); 11] = [
        ("info", again::<Vec<Info>>),
        ("resolve", again::<Release>),
        ("plan", again::<Plan>),
        ("layers", again::<Vec<Utf8PathBuf>>),
        ("private", again::<Utf8PathBuf>),
        ("derived", again::<Vec<Option<Derived>>>),
        ("usage", again::<Option<Usage>>),
        ("snapshots", again::<Vec<Snapshot>>),
        ("services", again::<Vec<Service>>),
        ("facts", again::<BTreeMap<String, String>>),
        ("way", again::<Vec<Way>>),
    ];
    assert_eq!(types.len(), said.as_object().unwrap().len());
    let asks = values(version, "asks");
    let asks = each(&asks).map(|value| (value.clone(), again::<Ask> as Again));
    types.into_iter().map(|(key, again)| (said[key].clone(), again)).chain(asks).collect()
}

/// Whether all that `old` says is in `new`, in the same words.
fn has(new: &Value, old: &Value) -> bool {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            old.iter().all(|(key, old)| new.get(key).is_some_and(|new| has(new, old)))
        }
        (Value::Array(new), Value::Array(old)) => {
            new.len() == old.len() && new.iter().zip(old).all(|(new, old)| has(new, old))
        }
        _ => new == old,
    }
}

/// The value with one more field wherever there are fields.
fn grown(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let below = |(key, value): (&String, &Value)| {
                let is_map = MAPS.contains(&key.as_str());
                (key.clone(), if is_map { value.clone() } else { grown(value) })
            };
            let more = ("added-later".to_owned(), Value::from("x"));
            Value::Object(fields.iter().map(below).chain([more]).collect())
        }
        Value::Array(items) => items.iter().map(grown).collect(),
        _ => value.clone(),
    }
}

/// The variants of an enumeration, as its type lists them when it is given another.
fn variants<T: DeserializeOwned>(tag: &str) -> BTreeSet<String> {
    let unknown = serde_json::json!({ tag: "no such" });
    let Err(error) = serde_json::from_value::<T>(unknown) else { panic!("{tag}") };
    let listed = error.to_string();
    let names: BTreeSet<String> = listed.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert!(names.len() > 1, "{listed}");
    names
}

/// All that stands under a key, however deep.
fn under(value: &Value, key: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            fields.get(key).and_then(Value::as_str).into_iter().for_each(|word| {
                found.insert(word.to_owned());
            });
            fields.values().for_each(|value| under(value, key, found));
        }
        Value::Array(items) => items.iter().for_each(|value| under(value, key, found)),
        _ => {}
    }
}

#[track_caller]
fn assert_all<T: DeserializeOwned>(file: &str, tag: &str) {
    let mut found = BTreeSet::new();
    under(&values(NOW, file), tag, &mut found);
    let missing: Vec<String> = variants::<T>(tag).difference(&found).cloned().collect();
    assert_eq!(missing, Vec::<String>::new(), "border-{NOW}/{file}.json has none of these {tag}");
}

#[test]
fn the_border_is_as_it_is_written_down() {
    assert!(border!().starts_with(&format!("{NOW}.")), "{} is not {NOW}", border!());
    assert_eq!(border!(), env!("CARGO_PKG_VERSION"), "abi_stable compares the package's version");
    for (value, again) in given(NOW).into_iter().chain(taken(NOW)) {
        assert_eq!(again(&value), value, "the border has changed: see docs/plugin-compatibility.md");
    }
}

#[test]
fn every_kind_of_value_is_written_down() {
    assert_all::<Call>("calls", "call");
    assert_all::<Ask>("asks", "ask");
    assert_all::<Query>("asks", "ask");
    assert_all::<NodeKind>("asks", "is");
    assert_all::<Answer>("answers", "is");
    assert_all::<Step>("said", "do");
    assert_all::<MountFs>("said", "type");
    assert_all::<Way>("said", "by");
    assert_all::<Derived>("said", "as");
}

#[test]
fn what_older_plug_ins_are_told_is_all_there() {
    for (value, again) in OLDER.iter().flat_map(|version| given(version)) {
        assert!(has(&again(&value), &value), "{value} has become {}", again(&value));
    }
}

#[test]
fn what_older_plug_ins_say_is_understood() {
    for (value, again) in OLDER.iter().flat_map(|version| taken(version)) {
        assert!(has(&again(&value), &value), "{value} has become {}", again(&value));
    }
}

#[test]
fn what_a_newer_program_adds_is_no_trouble() {
    for (value, again) in given(NOW) {
        assert_eq!(again(&grown(&value)), value);
    }
}

#[test]
fn what_nobody_knows_is_refused_where_a_plug_in_says_it() {
    let asks = values(NOW, "asks");
    let queries = each(&asks).filter_map(|ask| ask.get("query"));
    // One without any field is known by its tag alone.
    for query in queries.filter(|query| query.as_object().unwrap().len() > 1) {
        assert!(serde_json::from_value::<Query>(grown(query)).is_err(), "{query}");
    }
    let plan = values(NOW, "said")["plan"].clone();
    for step in each(&plan) {
        let more = step.as_object().unwrap().clone().into_iter().chain([("added-later".into(), 1.into())]);
        let more = Value::Object(more.collect());
        assert!(serde_json::from_value::<Step>(more).is_err(), "{step}");
    }
}

#[test]
fn words_that_came_later_are_the_nearest_known_one() {
    let error = serde_json::json!({
        "kind": "tired", "message": "cannot x", "context": [], "causes": [], "hint": null
    });
    assert_eq!(again::<Error>(&error)["kind"], "system");
    let mut stat = values(NOW, "answers")[2].clone();
    stat["value"]["kind"] = "door".into();
    assert_eq!(again::<Answer>(&stat)["value"]["kind"], "other");
}
