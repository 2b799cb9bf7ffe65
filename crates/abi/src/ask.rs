//! What a back end asks of the host while it is called. Looking is all that most may; a release source that fills its
//! staging directory has the rest.

use std::path::PathBuf;

use camino::Utf8PathBuf;
use qchroot_api::{Command, Download, Node, Progress, Query, Take};
use serde::{Deserialize, Serialize};

/// One question or request. What is told is what the method of the same name in the traits `Observe`, `Work` and
/// `TreeWriter` of qchroot-api returns, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the methods of the same names say it")]
pub enum Ask {
    /// Bytes of the answer are told beside it.
    Observe {
        query: Query,
    },
    Take {
        from: Utf8PathBuf,
        to: PathBuf,
        how: Take,
    },
    TakeTree {
        from: Utf8PathBuf,
    },
    Fetch {
        wanted: Download,
    },
    Unpack {
        wanted: Vec<Download>,
    },
    Note {
        line: String,
    },
    Media {
        image: Utf8PathBuf,
    },
    /// The content comes beside it.
    Write {
        node: Node,
    },
    Finish,
    Progress {
        progress: Progress,
    },
    Run {
        command: Command,
    },
    Cancelled,
    /// A part of a file of the host's, for `Work::open` and `Work::open_at`. The bytes are told beside the answer; none at the end.
    Part {
        path: Utf8PathBuf,
        offset: u64,
    },
}
