//! Release source `debian`: the host's own Debian release, made by mmdebstrap(1) from the mirrors and keys that
//! the host itself is configured with.
//!
//! It knows apt's source lists and mmdebstrap's command line. Packages, signatures and downloads are apt's.

#![forbid(unsafe_code)]

mod bootstrap;
mod entry;
mod index;
mod own;
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use qchroot_api::{
    Backend, Brand, Capability, Error, ErrorKind, Info, Kind, Observe, OptionKind, OptionSpec, Options,
    Platform, Registration, Release, ReleaseSource, ReleaseWish, Result, Work, inventory,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use bootstrap::Bootstrap;
use own::Own;

/// The source.
#[derive(Debug, Clone, Copy, Default)]
pub struct Debian;

inventory::submit! { Registration::Source(|| Box::new(Debian)) }

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    suite: Option<String>,
    mirror: Option<String>,
    #[serde(default)]
    packages: Vec<String>,
    variant: Option<String>,
}

impl Wanted {
    fn from(options: &Options) -> Result<Self> {
        options.clone().try_into().map_err(|error: qchroot_api::toml::de::Error| {
            Error::new(ErrorKind::Config, "bad options of source debian").cause(error.message())
        })
    }
}

impl Backend for Debian {
    fn info(&self) -> Info {
        let option = OptionSpec::new;
        Info {
            name: "debian".into(),
            kind: Kind::ReleaseSource,
            programs: vec![],
            summary: "the host's own Debian release, from the host's mirrors, by mmdebstrap".into(),
            platforms: vec![Platform::Linux],
            capabilities: BTreeSet::from([Capability::Verified]),
            options: vec![
                option("suite", OptionKind::Text, "the host's", "code name of the release, such as bookworm"),
                option(
                    "mirror",
                    OptionKind::Text,
                    "the host's apt sources",
                    "address of the one mirror to use",
                ),
                option("packages", OptionKind::List, "none", "packages beside those of the variant"),
                option("variant", OptionKind::Text, "minbase", "mmdebstrap's variant: how much to install"),
            ],
        }
    }
}

impl ReleaseSource for Debian {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let wanted = Wanted::from(&want.options)?;
        let own = Own::observe(host)?;
        if host.program("mmdebstrap")?.is_none() {
            return Err(Error::new(ErrorKind::Unavailable, "mmdebstrap is not installed")
                .hint("apt-get install mmdebstrap"));
        }
        let suite = own.suite(wanted.suite.as_deref(), want.release.as_deref());
        if suite != own.suite && !want.any {
            let message = format!("{suite} is not the host's own release, which is {}", own.suite);
            return Err(
                Error::new(ErrorKind::BadData, message).hint("add --any-release to install it all the same")
            );
        }
        let entries = match &wanted.mirror {
            Some(mirror) => vec![bootstrap::mirror(mirror, want.any)?],
            None => sources::of_host(host, &own, &suite, want.any)?,
        };
        let bootstrap = Bootstrap::new(suite, &own, wanted.variant, wanted.packages, entries)?;
        let digest = digest(&bootstrap, &index::fingerprints(host, &bootstrap, &own));
        let version = own.version(&bootstrap.suite);
        Ok(Release {
            version,
            brand: Brand::Linux,
            digest,
            pins: bootstrap.pins(),
            remember: BTreeMap::new(),
            host_dirs: vec![],
            options: want.options.clone(),
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        Bootstrap::from_pins(&release.pins)?.run(work)
    }
}

/// Over everything that decides the content: what mmdebstrap is told, and the package indexes known to the host.
fn digest(bootstrap: &Bootstrap, indexes: &[String]) -> String {
    let mut hash = Sha256::new();
    let pins: BTreeMap<String, String> = bootstrap.pins();
    for text in pins.iter().flat_map(|(key, value)| [key, value]).chain(indexes) {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
