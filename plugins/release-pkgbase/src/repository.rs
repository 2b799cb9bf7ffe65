//! The repository of packages as pkg(8) is told of it: pkg.conf(5). It does not know what is installed from it.

use std::env::consts::ARCH;

use qchroot_api::{Error, ErrorKind, Observe, Result};
use qchroot_unpack::sets::{Origin, Version};
use qchroot_unpack::{Address, sha256, small};

use crate::keys::Keys;
use crate::settings::{Settings, config};

/// What it is called; FreeBSD's own files of 15 do the same.
pub(crate) const NAME: &str = "FreeBSD-base";

/// Where its description stands while packages are installed, relative to the root.
pub(crate) const DIRECTORY: &str = "usr/local/etc/pkg/repos";

const SERVERS: &str = "pkg+https://pkg.FreeBSD.org/${ABI}";

/// Its lists of packages, the newer form first.
const CATALOGUES: [&str; 2] = ["data.pkg", "packagesite.pkg"];

/// Bytes that no list of a base system has.
const LIMIT: u64 = 16 << 20;

/// One repository.
pub(crate) struct Repository {
    url: String,
    pub(crate) abi: String,
    fingerprints: Option<String>,
}

impl Repository {
    pub(crate) fn new(settings: &Settings, version: &Version, keys: Option<&Keys>) -> Result<Self> {
        let abi = match &settings.abi {
            Some(abi) => abi.clone(),
            None => own_abi(version)?,
        };
        let url = match &settings.url {
            Some(url) => url.clone(),
            None => published(version),
        };
        let (major, minor) = numbers(version);
        let url = url
            .replace("${ABI}", &abi)
            .replace("${VERSION_MAJOR}", &major)
            .replace("${VERSION_MINOR}", &minor);
        Ok(Self { url, abi, fingerprints: keys.map(|keys| keys.directory.to_string()) })
    }

    /// Its description.
    pub(crate) fn text(&self) -> String {
        let mirrors = if self.url.starts_with("pkg+") { "srv" } else { "none" };
        let signatures = match &self.fingerprints {
            Some(dir) => format!("  signature_type: \"fingerprints\",\n  fingerprints: \"{dir}\",\n"),
            None => "  signature_type: \"none\",\n".into(),
        };
        format!(
            "{NAME}: {{\n  url: \"{}\",\n  mirror_type: \"{mirrors}\",\n{signatures}  enabled: yes\n}}\n",
            self.url
        )
    }

    /// SHA-256 of its list of packages: when that changes, it has other packages.
    pub(crate) fn catalogue(&self, host: &dyn Observe) -> Result<String> {
        let address: Address = self.url.strip_prefix("pkg+").unwrap_or(&self.url).parse()?;
        let mut missing = None;
        for file in CATALOGUES {
            match small(&[address.join(file)], LIMIT, host) {
                Ok(content) => {
                    let hashed = sha256(&*content);
                    return hashed.map(|(digest, _)| digest).map_err(|error| {
                        Error::new(ErrorKind::Internal, "cannot hash a catalogue").cause(error)
                    });
                }
                Err(error) if error.kind() == ErrorKind::NotFound => missing = Some(error),
                Err(error) => return Err(error),
            }
        }
        let error = missing.unwrap_or_else(|| Error::new(ErrorKind::Internal, "no catalogue was looked for"));
        Err(error.while_doing(format!("{address} is no repository of packages")))
    }
}

/// The same repository for the container: it is not asked, as what is shared cannot be changed inside.
pub(crate) fn disabled() -> String {
    format!("{NAME}: {{ enabled: no }}\n")
}

/// Where FreeBSD publishes the packages of a release.
fn published(version: &Version) -> String {
    match version.origin() {
        Origin::Releases => format!("{SERVERS}/base_release_${{VERSION_MINOR}}"),
        Origin::Snapshots => format!("{SERVERS}/base_latest"),
    }
}

/// `15.1-RELEASE` is 15 and 1.
fn numbers(version: &Version) -> (String, String) {
    let text = version.to_string();
    let mut numbers = text.split(['.', '-']).map(str::to_owned);
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

fn own_abi(version: &Version) -> Result<String> {
    let arch = match ARCH {
        "x86_64" => "amd64",
        "aarch64" => "aarch64",
        "arm" => "armv7",
        "riscv64" => "riscv64",
        "powerpc64" if cfg!(target_endian = "little") => "powerpc64le",
        "powerpc64" => "powerpc64",
        _ => {
            return Err(
                config("abi", format!("FreeBSD has no packages for {ARCH}")).hint("give the option abi")
            );
        }
    };
    Ok(format!("FreeBSD:{}:{arch}", numbers(version).0))
}
