//! The fingerprints of the keys that a repository may be signed with: directories `trusted` and `revoked` of the host's,
//! pkg.conf(5). It does not check signatures.

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Observe, Place, Result, Take, Work};
use qchroot_unpack::sets::Version;

use crate::digest;
use crate::settings::config;

/// Where FreeBSD keeps them.
const DIRECTORY: &str = "/usr/share/keys";

/// What is in use of them, and of those not any more.
const KINDS: [&str; 2] = ["trusted", "revoked"];

/// One directory of fingerprints.
pub(crate) struct Keys {
    pub(crate) directory: Utf8PathBuf,
    /// Over names and contents.
    pub(crate) digest: String,
    files: Vec<Utf8PathBuf>,
}

impl Keys {
    /// Those that were asked for, or else those of the release; none when the user insists on none.
    ///
    /// # Errors
    /// Bad data for none without insisting, not found where the host lacks them.
    pub(crate) fn find(
        asked: Option<&str>,
        version: &Version,
        insisted: bool,
        host: &dyn Observe,
    ) -> Result<Option<Self>> {
        if asked == Some("none") {
            if insisted {
                return Ok(None);
            }
            return Err(Error::new(ErrorKind::BadData, "nobody vouches for packages without signatures")
                .with("key", "keys")
                .hint("leave the option keys out, or say --any-release"));
        }
        let directory = match asked {
            Some(path) if path.starts_with('/') => path.into(),
            Some(path) => {
                return Err(config("keys", format!("{path:?} is neither an absolute path nor none")));
            }
            None => published(version, host)?,
        };
        let keys = Self::read(directory, host)?;
        if keys.files.iter().any(|file| file.starts_with("trusted")) {
            return Ok(Some(keys));
        }
        Err(Error::new(
            ErrorKind::NotFound,
            format!("there are no fingerprints in {}/trusted", keys.directory),
        )
        .with("key", "keys")
        .hint(
            "take the directory from a machine with that release, and say where it is by -o keys=DIRECTORY",
        ))
    }

    fn read(directory: Utf8PathBuf, host: &dyn Observe) -> Result<Self> {
        let (mut files, mut words) = (vec![], vec![]);
        for kind in KINDS {
            let dir = directory.join(kind);
            if host.stat(&Place::host(&dir))?.is_none() {
                continue;
            }
            for name in host.list(&Place::host(&dir))? {
                words.extend([format!("{kind}/{name}"), host.read(&Place::host(dir.join(&name)))?]);
                files.push(Utf8Path::new(kind).join(name));
            }
        }
        Ok(Self { directory, digest: digest(words.iter().map(String::as_str)), files })
    }

    /// Brings them to the same path below the root, where pkg(8) looks for them.
    pub(crate) fn take(&self, work: &mut dyn Work) -> Result<()> {
        let inside = self.directory.strip_prefix("/").unwrap_or(&self.directory);
        self.files.iter().try_for_each(|file| {
            work.take(&self.directory.join(file), inside.join(file).as_std_path(), Take::Copy)
        })
    }
}

/// FreeBSD 15 has keys of its own for the base system, beside those for all packages.
fn published(version: &Version, host: &dyn Observe) -> Result<Utf8PathBuf> {
    let own = format!("{DIRECTORY}/pkgbase-{}", version.major().unwrap_or_default());
    let is_there = host.stat(&Place::host(&own))?.is_some();
    Ok(if is_there { own.into() } else { format!("{DIRECTORY}/pkg").into() })
}
