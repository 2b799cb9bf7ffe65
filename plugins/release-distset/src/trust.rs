//! What vouches for a MANIFEST: its digest in the configuration, a signature, or at least the way it came.

use qchroot_api::camino::Utf8PathBuf;
use qchroot_api::{Error, ErrorKind, Observe, Place, Result};
use qchroot_unpack::{Address, check_signature, small};

use crate::search::beside;
use crate::settings::{Settings, config};

/// Bytes that no signature and no key has.
const LIMIT: u64 = 64 << 10;
/// Base64 digits of a public key: two bytes algorithm, eight number, 32 key. Source: signify(1), minisign(1).
const KEY_DIGITS: usize = 56;

/// Refuses mirrors whose answers anybody on the way can change, when nothing else vouches for the release.
pub(crate) fn refuse_open(mirrors: &[Address], settings: &Settings, insisted: bool) -> Result<()> {
    if insisted || settings.manifest_sha256.is_some() || settings.key.is_some() {
        return Ok(());
    }
    match mirrors.iter().find(|mirror| mirror.is_open()) {
        None => Ok(()),
        Some(mirror) => Err(Error::new(
            ErrorKind::BadData,
            format!("nothing vouches for what {mirror} sends: anybody on the way can change it"),
        )
        .hint("use https, pin it by -o manifest_sha256=DIGEST, give the key of its signature, or say --any-release")),
    }
}

/// Compares the digest of the MANIFEST found with the one in the configuration, if there is one.
pub(crate) fn check_pin(found: &str, settings: &Settings, at: &Address) -> Result<()> {
    match settings.manifest_sha256.as_deref() {
        Some(wanted) if wanted != found => Err(Error::new(
            ErrorKind::BadData,
            format!("{at} has the SHA-256 {found}, not {wanted}"),
        )
        .with("key", "manifest_sha256")
        .hint("another release, or a MANIFEST that somebody changed: compare with what FreeBSD announced")),
        _ => Ok(()),
    }
}

/// Checks MANIFEST's detached signature, if a key is configured.
pub(crate) fn check_signed(
    manifest: &[u8],
    directories: &[Address],
    settings: &Settings,
    host: &dyn Observe,
) -> Result<()> {
    let Some(key) = &settings.key else { return Ok(()) };
    let key = key_text(key, host)?;
    let signature = match &settings.signature {
        Some(address) => small(&[address.parse()?], LIMIT, host)?,
        None => signature_beside(directories, host)?,
    };
    let signature = String::from_utf8(signature)
        .map_err(|_| Error::new(ErrorKind::BadData, "the signature of MANIFEST is not text"))?;
    check_signature(&mut &*manifest, &signature, &key)
        .map_err(|error| error.while_doing("MANIFEST is not signed with the configured key"))
}

fn signature_beside(directories: &[Address], host: &dyn Observe) -> Result<Vec<u8>> {
    for file in ["MANIFEST.sig", "MANIFEST.minisig"] {
        match beside(directories, file, host) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found,
        }
    }
    let message = "a key is configured, and there is no signature beside MANIFEST";
    Err(Error::new(ErrorKind::BadData, message)
        .hint("say where it is by -o signature=ADDRESS, or do without the option key"))
}

/// The text of a key: given as it is, or in a file of the host's.
fn key_text(key: &str, host: &dyn Observe) -> Result<String> {
    let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    if key.contains('\n') || (key.len() == KEY_DIGITS && key.chars().all(base64)) {
        return Ok(key.to_owned());
    }
    let address: Address = key.parse()?;
    let path: Utf8PathBuf = address
        .path()
        .ok_or_else(|| config("key", "a key is not fetched: give a file of this machine"))?
        .into();
    host.read(&Place::host(path)).map_err(|error| error.while_doing("cannot read the key").with("key", "key"))
}
