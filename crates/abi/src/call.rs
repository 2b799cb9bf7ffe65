//! What the program says to a back end behind the border: one call for each method of the three traits. It knows nobody
//! who answers.

use camino::Utf8PathBuf;
use qchroot_api::{Base, Container, DiskCheck, Options, Release, ReleaseId, ReleaseWish};
use serde::{Deserialize, Serialize};

/// One call. What is answered is what the method of the same name in the traits of qchroot-api returns, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the methods of the same names say it")]
pub enum Call {
    Info,
    Check { options: Options },
    // Release sources.
    Resolve { want: ReleaseWish },
    Fill { release: Release, staging: Utf8PathBuf, cache: Utf8PathBuf, log: Utf8PathBuf },
    // Storages.
    Create { base: Base, container: Container },
    Attach { base: Base, container: Container },
    Layers { base: Base, container: Container },
    Private { container: Container },
    Derived { base: Base, container: Container },
    Usage { container: Container },
    Resize { base: Base, container: Container, to: u64 },
    Examine { container: Container, how: DiskCheck },
    Delete { container: Container },
    Prune { installed: Vec<ReleaseId> },
    Rename { container: Container, to: Container },
    CloneOf { base: Base, from: Container, to: Container },
    Receive { base: Base, container: Container, disk: Option<Utf8PathBuf> },
    Snapshot { container: Container, name: String },
    Restore { container: Container, name: String },
    Forget { container: Container, name: String },
    Snapshots { container: Container },
    // Isolations.
    Enclose { container: Container },
    Up { base: Base, container: Container },
    Services { container: Container },
    Facts { container: Container },
    Way { container: Container },
}
