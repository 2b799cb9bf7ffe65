//! Looks for a release on its mirrors. It knows addresses, not what the files found there mean.

use qchroot_api::{Error, ErrorKind, Observe, Result};
use qchroot_unpack::{Address, small};

/// Bytes that no MANIFEST, list of checksums, description or signature has.
const LIMIT: u64 = 4 << 20;

/// A file of a release, and where that release stands on every mirror.
pub(crate) struct Hit {
    /// The release's directory, the one that answered first.
    pub(crate) directories: Vec<Address>,
    /// What the file holds.
    pub(crate) content: Vec<u8>,
}

/// The first `file` found below one of the mirrors by one of the paths. That the file is missing leads to the
/// next path, anything else to the next mirror.
///
/// # Errors
/// What the first mirror in trouble said; not found when all of them answered that there is none.
pub(crate) fn search(mirrors: &[Address], paths: &[String], file: &str, host: &dyn Observe) -> Result<Hit> {
    let mut trouble: Option<Error> = None;
    for (n, mirror) in mirrors.iter().enumerate() {
        for path in paths {
            match small(&[below(mirror, path).join(file)], LIMIT, host) {
                Ok(content) => {
                    let order = mirrors[n..].iter().chain(&mirrors[..n]);
                    return Ok(Hit {
                        directories: order.map(|mirror| below(mirror, path)).collect(),
                        content,
                    });
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    trouble.get_or_insert(error);
                    break;
                }
            }
        }
    }
    Err(trouble.unwrap_or_else(|| nowhere(mirrors, paths, file)))
}

/// A small file that lies in the release's directory, from the first mirror that has it.
pub(crate) fn beside(directories: &[Address], file: &str, host: &dyn Observe) -> Result<Vec<u8>> {
    let mirrors: Vec<Address> = directories.iter().map(|directory| directory.join(file)).collect();
    small(&mirrors, LIMIT, host)
}

fn below(mirror: &Address, path: &str) -> Address {
    if path.is_empty() { mirror.clone() } else { mirror.join(path) }
}

fn nowhere(mirrors: &[Address], paths: &[String], file: &str) -> Error {
    let tried = mirrors.iter().flat_map(|mirror| paths.iter().map(|path| below(mirror, path).join(file)));
    let tried: Vec<String> = tried.map(|address| address.to_string()).collect();
    Error::new(ErrorKind::NotFound, format!("there is no {file} of this release"))
        .cause(format!("looked at {}", tried.join(", then at ")))
        .hint("look at the names of release and target; retired releases are in the archive: -o archive=true")
}
