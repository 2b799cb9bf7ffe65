//! The source's options, as they were given, and where they say the medium is. It knows nothing of what is on it.

use qchroot_api::camino::Utf8PathBuf;
use qchroot_api::{
    Brand, Error, ErrorKind, FileKind, Observe, OptionKind, OptionSpec, Options, Place, Result,
};
use qchroot_unpack::Address;
use serde::Deserialize;

/// Links in a row that are followed to the medium, as many as Linux follows: path_resolution(7).
const MOST_LINKS: usize = 40;

/// How they are declared.
pub(crate) fn specs() -> Vec<OptionSpec> {
    let text = |key, default, summary| OptionSpec::new(key, OptionKind::Text, default, summary);
    vec![
        text("path", "none", "the medium: a directory, such as a mounted CD, or an image file; or give url"),
        text("url", "none", "the medium by its address: a directory or an image, http, https, ftp or file"),
        OptionSpec::new(
            "dists",
            OptionKind::List,
            "minimal",
            "FreeBSD's distribution sets: minimal, default or full, or the names of sets",
        ),
        text(
            "sha256",
            "none",
            "digest of the image, or of the root file system's image or archive on the medium",
        ),
        text("manifest_sha256", "none", "digest that MANIFEST on the medium must have"),
        text("brand", "told by the medium", "what the userland is made for: linux or freebsd"),
    ]
}

/// All options.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wanted {
    path: Option<String>,
    url: Option<String>,
    pub(crate) dists: Vec<String>,
    pub(crate) sha256: Option<String>,
    pub(crate) manifest_sha256: Option<String>,
    pub(crate) brand: Option<Brand>,
}

/// Where the medium is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// A directory of this machine's.
    Directory(Utf8PathBuf),
    /// An image file of this machine's with so many bytes.
    Image(Utf8PathBuf, u64),
    /// An image on the network.
    RemoteImage(Address),
    /// A directory on the network.
    RemoteDirectory(Address),
}

impl Wanted {
    pub(crate) fn from(options: &Options) -> Result<Self> {
        let mut wanted: Self =
            options.clone().try_into().map_err(|error: qchroot_api::toml::de::Error| {
                Error::new(ErrorKind::Config, "bad options of source media").cause(error.message())
            })?;
        wanted.dists.retain(|name| !name.is_empty());
        for (key, value) in [("sha256", &mut wanted.sha256), ("manifest_sha256", &mut wanted.manifest_sha256)]
        {
            let Some(value) = value else { continue };
            value.make_ascii_lowercase();
            if value.len() != 64 || !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let message = format!("{value:?} is no SHA-256: it has not 64 hexadecimal digits");
                return Err(config(key, message));
            }
        }
        Ok(wanted)
    }

    /// Where the medium is, links to it followed.
    pub(crate) fn whereabouts(&self, host: &dyn Observe) -> Result<Whereabouts> {
        let (key, text) = match (self.path.as_deref(), self.url.as_deref()) {
            (Some(_), Some(_)) => return Err(config("url", "path and url name two media: give one of them")),
            (Some(path), None) if !path.is_empty() => ("path", path),
            (None, Some(url)) if !url.is_empty() => ("url", url),
            _ => {
                return Err(config("path", "source media needs the option path or url")
                    .hint("add -o path=DIRECTORY, -o path=IMAGE or -o url=ADDRESS"));
            }
        };
        let address: Address = text.parse().map_err(|error: Error| error.with("key", key))?;
        match address.path() {
            Some(path) => local(path.to_owned(), host),
            None if key == "path" => {
                Err(config(key, format!("{text} is an address")).hint("give it as -o url=ADDRESS"))
            }
            None if is_image(address.file_name()) => Ok(Whereabouts::RemoteImage(address)),
            None => Ok(Whereabouts::RemoteDirectory(address)),
        }
    }
}

/// An address on the network cannot be asked what it leads to; its name tells.
fn is_image(name: &str) -> bool {
    [".iso", ".img", ".squashfs"].iter().any(|suffix| name.to_ascii_lowercase().ends_with(suffix))
}

fn local(mut path: Utf8PathBuf, host: &dyn Observe) -> Result<Whereabouts> {
    let given = path.clone();
    for _ in 0..MOST_LINKS {
        let at = Place::host(&path);
        let stat = host.stat(&at)?;
        match stat.map(|stat| (stat.kind, stat.size)) {
            Some((FileKind::Directory, _)) => return Ok(Whereabouts::Directory(path)),
            Some((FileKind::File, size)) => return Ok(Whereabouts::Image(path, size)),
            Some((FileKind::Link, _)) => match host.link(&at)? {
                Some(to) => path = path.parent().unwrap_or(&path).join(to),
                None => break,
            },
            Some(_) => {
                return Err(Error::new(
                    ErrorKind::BadData,
                    format!("{path} is neither a directory nor a file"),
                )
                .hint("mount the medium and give the directory it is mounted on"));
            }
            None => break,
        }
    }
    Err(Error::new(ErrorKind::NotFound, format!("there is no medium {given}")))
}

pub(crate) fn config(key: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message).with("key", key)
}
