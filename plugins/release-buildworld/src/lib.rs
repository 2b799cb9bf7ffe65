//! Release source `buildworld`: a world that was built from a FreeBSD source tree, installed by the tree's own make.
//!
//! It knows source trees, their objects and their knobs. Nothing of the tree is run while a release is resolved;
//! then make(1) runs the tree's own makefiles, as its administrator would.

#![forbid(unsafe_code)]

mod complete;
mod elf;
mod install;
mod knobs;
mod names;
mod objects;
mod target;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Backend, Brand, Error, ErrorKind, Info, Kind, Observe, OptionKind, OptionSpec, Options, Platform,
    Progress, Registration, Release, ReleaseSource, ReleaseWish, Result, Work, inventory,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use install::Make;
use knobs::Knobs;
use names::Names;
use objects::Objects;
use target::Target;
use tree::Tree;

/// The source.
#[derive(Debug, Clone, Copy, Default)]
pub struct Buildworld;

inventory::submit! { Registration::Source(|| Box::new(Buildworld)) }

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    src: Option<String>,
    objdir: Option<String>,
    #[serde(default)]
    knobs: Vec<String>,
    profile: Option<String>,
    target: Option<String>,
    make: Option<String>,
    jobs: Option<u32>,
    brand: Option<Brand>,
}

impl Wanted {
    fn from(options: &Options) -> Result<Self> {
        options.clone().try_into().map_err(|error: qchroot_api::toml::de::Error| {
            Error::new(ErrorKind::Config, "bad options of source buildworld").cause(error.message())
        })
    }
}

impl Backend for Buildworld {
    fn info(&self) -> Info {
        let text = |key, default, summary| OptionSpec::new(key, OptionKind::Text, default, summary);
        Info {
            name: "buildworld".into(),
            kind: Kind::ReleaseSource,
            programs: vec![],
            summary: "a world built from a FreeBSD source tree, installed by make".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: BTreeSet::new(),
            options: vec![
                text("src", "/usr/src", "the source tree"),
                text("objdir", "/usr/obj", "where the objects are: make's MAKEOBJDIRPREFIX"),
                OptionSpec::new(
                    "knobs",
                    OptionKind::List,
                    "none",
                    "what to leave out or put in, such as WITHOUT_GAMES=yes; see src.conf(5)",
                ),
                text("profile", "full", "full, or trimmed: without compiler, games, mail and the like"),
                text("target", "the host's", "the machine the world was built for, such as arm64/aarch64"),
                text("make", "make on FreeBSD, bmake on Linux", "the make program"),
                OptionSpec::new("jobs", OptionKind::Number, "1", "how many things make does at once"),
                text("brand", "freebsd", "what the userland is made for: linux or freebsd"),
            ],
        }
    }
}

impl ReleaseSource for Buildworld {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let wanted = Wanted::from(&want.options)?;
        let tree = Tree::read(host, &absolute(wanted.src.as_deref().unwrap_or("/usr/src"))?)?;
        check_release(&tree, want)?;
        let target = Target::new(wanted.target.as_deref())?;
        let names = Names::read(host, &tree.src)?;
        let knobs = Knobs::new(&wanted.knobs, wanted.profile.as_deref(), &names)?;
        let prefix = host.real_path(&absolute(wanted.objdir.as_deref().unwrap_or("/usr/obj"))?)?;
        let objects = Objects::find(host, &tree, &prefix, &target)?;
        objects.check(host, &tree, &target, &knobs)?;
        if !want.any {
            objects.check_age(host, &tree)?;
        }
        let make = make_program(wanted.make, host)?;
        let mut env = install::environment(prefix.as_str());
        if target.is_given {
            env.extend([
                ("TARGET".into(), target.machine.clone()),
                ("TARGET_ARCH".into(), target.arch.clone()),
            ]);
        }
        env.extend(knobs.0);
        let built = digest(&objects.identity(host)?);
        let jobs = wanted.jobs.unwrap_or(1).clamp(1, 256);
        Ok(Release {
            version: tree.version(),
            brand: wanted.brand.unwrap_or(Brand::Freebsd),
            digest: whole_digest(&tree, &target, &env, &built),
            pins: pins(&tree, &objects, host, make, jobs, &env, built),
            remember: BTreeMap::new(),
            host_dirs: vec![],
            options: want.options.clone(),
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        let pin = |key: &str| {
            let missing = || Error::new(ErrorKind::Internal, format!("release without its {key}"));
            release.pins.get(key).cloned().ok_or_else(missing)
        };
        let env = pin("env")?;
        let make = Make {
            program: pin("make")?,
            jobs: pin("jobs")?.parse().unwrap_or(1),
            env: env.lines().filter_map(|line| line.split_once('=')).map(owned).collect(),
        };
        let objects = Objects { dir: pin("objects")?.into() };
        make.run("installworld", pin("src")?.into(), work)?;
        make.run("distribution", pin("distribution")?.into(), work)?;
        work.progress(&Progress { what: "checking what was installed".into(), ..Progress::default() });
        if digest(&objects.identity(work.host())?) != pin("built")? {
            let message = format!("the objects in {} changed while they were installed", objects.dir);
            return Err(
                Error::new(ErrorKind::BadData, message).hint("wait for the build to end, then try again")
            );
        }
        complete::check(work.host(), work.staging())
    }
}

/// Refuses a tree that is no production release, or not the wanted one.
fn check_release(tree: &Tree, want: &ReleaseWish) -> Result<()> {
    if let Some(name) = want.release.as_deref().filter(|name| !tree.is(name)) {
        let message = format!("{} is the source of {}, not of {name}", tree.src, tree.version());
        return Err(
            Error::new(ErrorKind::NotFound, message).hint("check out that release, or give another src")
        );
    }
    if !tree.is_production() && !want.any {
        let message =
            format!("{} is the source of {}, which is no production release", tree.src, tree.version());
        return Err(Error::new(ErrorKind::BadData, message).hint("--any-release takes it as it is"));
    }
    Ok(())
}

fn make_program(given: Option<String>, host: &dyn Observe) -> Result<String> {
    let name = given.unwrap_or_else(|| match host.platform() {
        Ok(Platform::Linux) => "bmake".into(),
        _ => "make".into(),
    });
    if name.starts_with('/') || host.program(&name)?.is_some() {
        return Ok(name);
    }
    Err(Error::new(ErrorKind::Unavailable, format!("the program {name} is not installed"))
        .with("key", "make")
        .hint("install it (bmake on Debian), or give another with -o make=PROGRAM"))
}

fn absolute(path: &str) -> Result<Utf8PathBuf> {
    let told = |error| Error::from_io(&error, format!("cannot find {path:?}")).of_kind(ErrorKind::Config);
    let absolute = std::path::absolute(path).map_err(told)?;
    Utf8PathBuf::from_path_buf(absolute)
        .map_err(|path| Error::new(ErrorKind::Config, format!("{} is not UTF-8", path.display())))
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn whole_digest(tree: &Tree, target: &Target, env: &[(String, String)], built: &str) -> String {
    let mut parts = tree.identity.clone();
    parts.extend([tree.src.to_string(), target.dotted(), built.to_owned()]);
    parts.extend(env.iter().map(|(name, value)| format!("{name}={value}")));
    digest(&parts)
}

/// SHA-256 over texts, each with its length in front, so that no two lists give the same.
fn digest(parts: &[String]) -> String {
    let mut sha256 = Sha256::new();
    for part in parts {
        sha256.update((part.len() as u64).to_be_bytes());
        sha256.update(part);
    }
    sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pins(
    tree: &Tree,
    objects: &Objects,
    host: &dyn Observe,
    make: String,
    jobs: u32,
    env: &[(String, String)],
    built: String,
) -> BTreeMap<String, String> {
    let env: Vec<_> = env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path = |path: &Utf8Path| path.to_string();
    BTreeMap::from([
        ("src".into(), path(&tree.src)),
        ("distribution".into(), path(&tree.distribution(host))),
        ("objects".into(), path(&objects.dir)),
        ("make".into(), make),
        ("jobs".into(), jobs.to_string()),
        ("env".into(), env.join("\n")),
        ("built".into(), built),
    ])
}
