//! A release source with one directory, or with trouble.

use std::collections::BTreeMap;
use std::io::{Empty, Read};
use std::path::{Path, PathBuf};

use qchroot_plugin::camino::Utf8Path;
use qchroot_plugin::{
    Backend, Brand, Error, ErrorKind, Info, Kind, Node, NodeKind, Observe, Options, Progress, Release,
    ReleaseSource, ReleaseWish, Result, Take, Work, check_options,
};

use crate::bad::{self, may_panic, wish};

#[cfg(feature = "constructor")]
qchroot_plugin::export! { release_source "acme.source" = panicking() }
#[cfg(not(feature = "constructor"))]
qchroot_plugin::export! { release_source "acme.source" = Source }

#[cfg(feature = "constructor")]
fn panicking() -> Source {
    panic!("deliberately, when it was made")
}

#[cfg(feature = "missing-symbol")]
unsafe extern "C" {
    fn acme_has_no_such_function();
}

struct Source;

impl Backend for Source {
    fn info(&self) -> Info {
        #[cfg(feature = "missing-symbol")]
        // SAFETY: it is nowhere, and so never called.
        unsafe {
            acme_has_no_such_function();
        }
        assert!(!cfg!(feature = "info"), "deliberately, in info");
        let name = if cfg!(feature = "other-name") { "acme.other" } else { "acme.source" };
        let kind = if cfg!(feature = "other-kind") { Kind::Isolation } else { Kind::ReleaseSource };
        bad::info(name, kind, &[])
    }

    fn check(&self, options: &Options) -> Result<()> {
        may_panic(options, "check");
        check_options("acme.source", &self.info().options, options)
    }
}

impl ReleaseSource for Source {
    fn resolve(&self, want: &ReleaseWish, _host: &dyn Observe) -> Result<Release> {
        may_panic(&want.options, "resolve");
        let mut release = Release {
            version: "acme-1.0".into(),
            brand: Brand::Linux,
            digest: "0123456789abcdef".repeat(4),
            pins: BTreeMap::new(),
            remember: BTreeMap::new(),
            host_dirs: vec![],
            options: want.options.clone(),
        };
        match wish(&want.options, "do") {
            "huge message" => return Err(Error::new(ErrorKind::Unavailable, "no ".repeat(3_000_000))),
            "many causes" => return Err((0..5000).fold(rude(), |error, n| error.cause(n))),
            "rude message" => return Err(rude()),
            "bad digest" => release.digest = "../../etc".into(),
            "bad version" => release.version = "../../etc".into(),
            "bad directories" => release.host_dirs = vec!["etc".into()],
            "bad options" => release.options.insert("never".into(), "declared".into()).map_or((), drop),
            _ => {}
        }
        Ok(release)
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        let options = &release.options;
        may_panic(options, "fill");
        let at = wish(options, "at").to_owned();
        work.tree().write(&Node::directory("etc"), &mut std::io::empty())?;
        let wanted = wish(options, "do");
        match wanted {
            "panic in a call-back" => write(work, "etc/file", &mut Panics)?,
            "write with dots" => write(work, "etc/../../../out", &mut std::io::repeat(b'x'))?,
            "write through a link" => {
                work.tree().write(&Node::link("way", &at), &mut std::io::empty())?;
                write(work, "way/out", &mut std::io::repeat(b'x'))?;
            }
            "write at an absolute path" => write(work, &at, &mut std::io::repeat(b'x'))?,
            "take to outside" => work.take(Utf8Path::new("/bin/sh"), Path::new("../out"), Take::Copy)?,
            "take through a link" => {
                work.tree().write(&Node::link("way", &at), &mut std::io::empty())?;
                work.take(Utf8Path::new("/bin/sh"), Path::new("way/out"), Take::Copy)?;
            }
            "hard link to outside" => {
                let kind = NodeKind::HardLink { to: PathBuf::from("../../../out") };
                work.tree().write(&Node::new("etc/link", kind, 0o644), &mut Empty::default())?;
            }
            "hard link through a link" => {
                work.tree().write(&Node::link("way", &at), &mut std::io::empty())?;
                let kind = NodeKind::HardLink { to: PathBuf::from("way/kept") };
                work.tree().write(&Node::new("etc/link", kind, 0o644), &mut Empty::default())?;
            }
            "rude progress" => {
                work.progress(&Progress { what: "\u{1b}[2Jrude\u{1b}[0m".into(), ..Progress::default() });
                work.note("\u{1b}[2Jrude\nline")?;
            }
            _ => {}
        }
        work.tree().finish()?;
        Err(Error::new(ErrorKind::BadData, format!("nothing stopped `{wanted}`")))
    }
}

fn rude() -> Error {
    Error::new(ErrorKind::Unavailable, "\u{1b}]0;mine\u{7}\u{1b}[2Jno\nno")
}

fn write(work: &mut dyn Work, path: &str, content: &mut dyn Read) -> Result<()> {
    work.tree().write(&Node::file(path, 1 << 20), content)
}

/// A reader that the host reads from.
struct Panics;

impl Read for Panics {
    fn read(&mut self, _into: &mut [u8]) -> std::io::Result<usize> {
        panic!("deliberately, while it was read")
    }
}
