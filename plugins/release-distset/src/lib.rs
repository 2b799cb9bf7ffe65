//! Release source `distset`: FreeBSD's distribution sets, from a mirror, a directory or removable media.
//!
//! It knows how a release is laid out, which sets make a userland and what must vouch for them. Fetching and
//! unpacking are `qchroot-unpack`'s; writing files is the business of whoever hands in the [`Work`].

#![forbid(unsafe_code)]

mod modern;
mod nearby;
mod pins;
mod search;
mod settings;
mod split;
mod target;
mod trust;

use std::collections::{BTreeMap, BTreeSet};

use qchroot_api::{
    Backend, Brand, Capability, Info, Kind, Node, NodeKind, Observe, OptionKind, OptionSpec, Platform,
    Registration, Release, ReleaseSource, ReleaseWish, Result, Work, inventory,
};
use qchroot_unpack::sets::Version;

use crate::pins::Pinned;
use crate::settings::{Format, Settings};
use crate::target::Target;

/// The source.
#[derive(Debug, Clone, Copy, Default)]
pub struct Distset;

inventory::submit! { Registration::Source(|| Box::new(Distset)) }

/// What is wanted, with everything that both formats need to find it.
struct Wish<'a> {
    version: Version,
    target: Target,
    settings: &'a Settings,
    any: bool,
    host: &'a dyn Observe,
}

/// What was found: the content pinned, and what must never change.
struct Found {
    pinned: Pinned,
    remember: BTreeMap<String, String>,
}

impl Backend for Distset {
    fn info(&self) -> Info {
        Info {
            name: "distset".into(),
            kind: Kind::ReleaseSource,
            programs: vec![],
            summary: "FreeBSD's distribution sets, checked against their MANIFEST".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: BTreeSet::from([Capability::Verified]),
            options: options(),
        }
    }
}

fn options() -> Vec<OptionSpec> {
    let text = |key, default, summary| OptionSpec::new(key, OptionKind::Text, default, summary);
    let list = |key, default, summary| OptionSpec::new(key, OptionKind::List, default, summary);
    vec![
        text("url", "FreeBSD's own", "what stands before TARGET/TARGET_ARCH/VERSION, or where MANIFEST is"),
        list("mirrors", "none", "further addresses like url, asked in order when the ones before fail"),
        list("sets", "the profile's", "names of the sets; with a profile, beside the profile's"),
        text("profile", "minimal", "minimal (base), base (what is on by default) or full"),
        text("manifest_sha256", "none", "digest that MANIFEST must have, 64 hexadecimal digits"),
        text(
            "key",
            "none",
            "public key of signify or minisign, or its file: MANIFEST must be signed with it",
        ),
        text("signature", "MANIFEST.sig or MANIFEST.minisig", "address of MANIFEST's detached signature"),
        text("target", "the host's", "TARGET/TARGET_ARCH, such as amd64/amd64 or arm64/aarch64"),
        text("format", "manifest", "manifest (9.0 and later), or split (before 9.0: SET/SET.aa and so on)"),
        OptionSpec::new(
            "archive",
            OptionKind::Flag,
            "false",
            "without url: FreeBSD's archive of old releases",
        ),
    ]
}

impl ReleaseSource for Distset {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let settings = Settings::from(&want.options)?;
        let version = Version::wanted(want.release.as_deref(), host)?;
        version.refuse_unless(want.any, host)?;
        let target = Target::wanted(settings.target.as_deref())?;
        let wish = Wish { version, target, settings: &settings, any: want.any, host };
        let Found { pinned, remember } = match settings.format {
            Format::Manifest => modern::find(&wish)?,
            Format::Split => split::find(&wish)?,
        };
        Ok(Release {
            version: wish.version.to_string(),
            brand: Brand::Freebsd,
            digest: pinned.digest(&wish.version, &wish.target)?,
            pins: pinned.to_pins()?,
            remember,
            host_dirs: vec![],
            options: want.options.clone(),
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        let pinned = Pinned::from_pins(&release.pins)?;
        work.tree().write(&top(), &mut std::io::empty())?;
        match &pinned {
            Pinned::Manifest { directories, sets } => modern::fill(directories, sets, work)?,
            Pinned::Split { directories, sets } => split::fill(directories, sets, work)?,
        }
        work.tree().finish()
    }
}

/// The directory `/` for sets that do not have it; one that does sets its own mode.
fn top() -> Node {
    Node {
        path: ".".into(),
        kind: NodeKind::Directory,
        mode: 0o755,
        uid: 0,
        gid: 0,
        mtime: (0, 0),
        xattrs: vec![],
        flags: None,
    }
}
