//! What a third party's back end plans and answers is handed on when it stays with the container that it is for, and
//! refused by name otherwise. Plans come as their text form, as a back end in any language would say them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

mod answers;
mod plans;

use qchroot_abi::{Carrier, HostSide, Remote};
use qchroot_api::{Answer, Base, Brand, Container, Error, ErrorKind, Observe, Options, Query, Result, toml};
use serde_json::{Value, json};

/// Answers every call with the same words, and `info` with its own.
pub(crate) struct Says {
    pub(crate) info: Value,
    pub(crate) answer: String,
}

impl Carrier for Says {
    fn carry(&self, call: &str, _host: &HostSide<'_>) -> Result<String> {
        let call: Value = serde_json::from_str(call).unwrap();
        Ok(if call["call"] == "info" { self.info.to_string() } else { self.answer.clone() })
    }
}

/// A machine that shows nothing.
pub(crate) struct Dark;

impl Observe for Dark {
    fn observe(&self, _query: &Query) -> Result<Answer> {
        Err(Error::new(ErrorKind::Unavailable, "it is dark"))
    }
}

pub(crate) fn info() -> Value {
    json!({
        "name": "acme.thing", "kind": "shared-storage", "summary": "things", "platforms": ["linux"],
        "capabilities": [], "options": [{"key": "path", "kind": "text", "default": "", "summary": "where"}],
        "programs": ["thingctl"],
    })
}

pub(crate) fn remote(answer: &Value) -> Remote {
    Remote::new(Box::new(Says { info: info(), answer: answer.to_string() })).unwrap()
}

pub(crate) fn base() -> Base {
    Base {
        id: "debian-12".parse().unwrap(),
        sharedfs: "/q/lib/releases/debian-12/sharedfs".into(),
        template: "/q/lib/releases/debian-12/template".into(),
        brand: Brand::Linux,
        shared: vec!["usr/bin".into()],
        host_dirs: vec!["usr/lib".into()],
    }
}

pub(crate) fn named(name: &str, storage: Options) -> Container {
    Container {
        name: name.parse().unwrap(),
        dir: format!("/q/lib/{name}").into(),
        log: format!("/q/log/{name}").into(),
        storage,
        isolation: Options::new(),
        limits: Default::default(),
        own_dev: false,
    }
}

pub(crate) fn web() -> Container {
    named("web", toml::toml! { path = "/srv/pool" })
}

/// A step that removes a tree.
pub(crate) fn tree(at: &str) -> Value {
    json!({"do": "remove-tree", "at": at})
}
