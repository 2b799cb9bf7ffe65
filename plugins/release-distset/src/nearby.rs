//! What of a release is on this machine already: sets that an installer or another tool has left, and the MANIFEST that
//! the package freebsd-release-manifests brings. It reads only, and does not know who is asked otherwise.

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Observe, Place, Platform, Result};
use qchroot_unpack::sets::Version;
use qchroot_unpack::{Address, sha256};

use crate::target::Target;

/// Where bsdinstall(8) puts sets, on a host and on its medium; of which release they are it does not say.
const INSTALLER: &str = "/usr/freebsd-dist";
/// Where BastilleBSD and iocage keep the sets of each release.
const CACHES: [&str; 2] = ["/usr/local/bastille/cache", "/iocage/download"];
/// MANIFESTs of all releases, from a package.
const MANIFESTS: &str = "/usr/local/share/freebsd/MANIFESTS";
/// What works without a network.
const OFFLINE: &str = "without one, say where the sets are, such as -o url=/mnt/usr/freebsd-dist of a mounted medium, or \
                       take this host's own files: --source host --any-release";

/// Names to whoever could not get a release what this machine has.
pub(crate) fn advise(error: Error, version: &Version, host: &dyn Observe) -> Error {
    if !matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::NotFound) {
        return error;
    }
    let told = |hint: String| error.clone().hint("").with_hint(|_| hint);
    let is_without_network = error.kind() == ErrorKind::Unavailable;
    match CACHES.iter().map(|cache| format!("{cache}/{version}")).find(|dir| has_sets(dir, host)) {
        Some(dir) => told(format!("its sets are on this machine: -o url={dir}")),
        None if has_sets(INSTALLER, host) => told(format!(
            "if the installer's sets on this machine are those of {version}: -o url={INSTALLER}"
        )),
        None if is_without_network && matches!(host.platform(), Ok(Platform::Freebsd)) => {
            error.with_hint(|old| format!("{old}; {OFFLINE}"))
        }
        None => error,
    }
}

fn has_sets(dir: &str, host: &dyn Observe) -> bool {
    let has = |file| matches!(host.stat(&Place::host(Utf8Path::new(dir).join(file))), Ok(Some(_)));
    has("MANIFEST") && has("base.txz")
}

/// The SHA-256 that the release's MANIFEST has by the package, where that is installed and knows the release.
pub(crate) fn manifest(version: &Version, target: &Target, host: &dyn Observe) -> Result<Option<String>> {
    let path = Utf8Path::new(MANIFESTS).join(format!("{}-{version}", target.text().replace('/', "-")));
    match host.read(&Place::host(path)) {
        Ok(text) => {
            let hashed = sha256(text.as_bytes());
            let (digest, _) = hashed
                .map_err(|error| Error::new(ErrorKind::Internal, "cannot hash MANIFEST").cause(error))?;
            Ok(Some(digest))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Compares a MANIFEST with the one of the package.
pub(crate) fn check(found: &str, known: Option<&str>, at: &Address, insisted: bool) -> Result<()> {
    match known {
        Some(known) if known != found && !insisted => Err(Error::new(
            ErrorKind::BadData,
            format!("{at} is not the MANIFEST that the package freebsd-release-manifests has of this release"),
        )
        .cause(format!("its SHA-256 is {found}, not {known}"))
        .hint("somebody changed it, or the sets were built by somebody else: --any-release takes them all the same")),
        _ => Ok(()),
    }
}
