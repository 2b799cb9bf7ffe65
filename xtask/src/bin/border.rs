//! The border to plug-ins against the same calls without it, in one process, so that each can be timed.
//!
//! `border calls` says what one call takes, in nanoseconds: its name, directly, across the border, line by line.
//! `border fill direct DIRECTORY` and `border fill across DIRECTORY` fill an empty directory with small files.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use qchroot_abi::{Exported, Remote};
use qchroot_api::{
    Backend, Base, Brand, Container, Info, Kind, Limits, Node, NodeKind, Observe, Release, ReleaseSource,
    ReleaseWish, SharedStorage, Work,
};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use qchroot_storage_overlay::Overlay;

/// Files that a fill writes: about as many as a small userland has.
const FILES: usize = 10_000;

/// Calls that are timed together, and how often.
const CALLS: u32 = 200;
const ROUNDS: usize = 20;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["calls"] => calls(),
        ["fill", "direct", directory] => fill(&Small, directory.into()),
        ["fill", "across", directory] => {
            across(Exported::Source(Box::new(Small))).and_then(|it| fill(&it, directory.into()))
        }
        _ => Err("usage: border calls | border fill direct|across DIRECTORY".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error),
    }
}

#[expect(clippy::print_stderr, reason = "a program for a terminal")]
fn fail(error: &dyn Error) -> ExitCode {
    eprintln!("border: {error}");
    ExitCode::FAILURE
}

type Done<T = ()> = Result<T, Box<dyn Error>>;

fn across(back_end: Exported) -> Done<Remote> {
    Ok(Remote::looped(back_end)?)
}

/// A question that needs nothing of the host, and a plan that looks at it.
fn calls() -> Done {
    let machine = Machine::new();
    let remote = across(Exported::Storage(Box::new(Overlay)))?;
    let (base, container) = (base()?, container()?);
    compare("private", &remote, |storage| storage.private(&container).map(drop))?;
    compare("attach", &remote, |storage| storage.attach(&base, &container, &machine).map(drop))
}

#[expect(clippy::print_stdout, reason = "a program for a terminal")]
fn compare(
    name: &str,
    remote: &Remote,
    call: impl Fn(&dyn SharedStorage) -> qchroot_api::Result<()>,
) -> Done {
    let (mut direct, mut across) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        direct = direct.min(timed(|| call(&Overlay))?);
        across = across.min(timed(|| call(remote))?);
    }
    println!("{name} {} {}", direct.as_nanos(), across.as_nanos());
    Ok(())
}

/// What one of many takes.
fn timed(call: impl Fn() -> qchroot_api::Result<()>) -> Done<Duration> {
    let start = Instant::now();
    for _ in 0..CALLS {
        call()?;
    }
    Ok(start.elapsed() / CALLS)
}

fn base() -> Done<Base> {
    let paths = |text: &str| text.split(' ').map(Utf8PathBuf::from).collect();
    Ok(Base {
        id: "debian-12-amd64-1f0c2a9be4d7".parse()?,
        sharedfs: "/var/lib/qchroot/releases/debian-12-amd64-1f0c2a9be4d7/sharedfs".into(),
        template: "/var/lib/qchroot/releases/debian-12-amd64-1f0c2a9be4d7/template".into(),
        brand: Brand::Linux,
        shared: paths("bin lib lib64 sbin usr/bin usr/lib usr/libexec usr/sbin usr/share"),
        host_dirs: vec![],
    })
}

fn container() -> Done<Container> {
    Ok(Container {
        name: "web".parse()?,
        dir: "/var/lib/qchroot/containers/web".into(),
        log: "/var/log/qchroot/web".into(),
        storage: qchroot_api::toml::toml! { size = "2G" },
        isolation: qchroot_api::toml::toml! { seccomp = true },
        limits: Limits { memory_bytes: Some(1 << 30), ..Limits::default() },
        own_dev: true,
    })
}

fn fill(source: &dyn ReleaseSource, directory: Utf8PathBuf) -> Done {
    let machine = Machine::new();
    let mut show = |_: &qchroot_api::Progress| {};
    let mut work = machine.work(&Workplace::beside(&directory), &mut show)?;
    let release = source.resolve(&ReleaseWish::default(), &machine)?;
    Ok(source.fill(&release, &mut *work)?)
}

/// A release source of small files.
struct Small;

impl Backend for Small {
    fn info(&self) -> Info {
        Info {
            name: "bench.small".into(),
            kind: Kind::ReleaseSource,
            summary: "small files".into(),
            platforms: vec![],
            capabilities: [].into(),
            options: vec![],
            programs: vec![],
        }
    }
}

impl ReleaseSource for Small {
    fn resolve(&self, want: &ReleaseWish, _host: &dyn Observe) -> qchroot_api::Result<Release> {
        Ok(Release {
            version: "small".into(),
            brand: Brand::Linux,
            digest: "0".repeat(64),
            pins: [].into(),
            remember: [].into(),
            host_dirs: vec![],
            options: want.options.clone(),
        })
    }

    fn fill(&self, _release: &Release, work: &mut dyn Work) -> qchroot_api::Result<()> {
        for number in 0..FILES {
            let content = [b'x'; 512];
            let path = PathBuf::from(format!("usr/share/d{}/file{number}", number % 100));
            work.tree().write(&file(path, content.len() as u64), &mut &content[..])?;
        }
        work.tree().finish()
    }
}

fn file(path: PathBuf, size: u64) -> Node {
    let kind = NodeKind::File { size };
    Node { path, kind, mode: 0o644, uid: 0, gid: 0, mtime: (1, 0), xattrs: vec![], flags: None }
}
