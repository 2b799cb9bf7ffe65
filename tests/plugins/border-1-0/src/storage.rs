//! The storage: a copy of the template, and the shared part mounted inside.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::host::Host;

#[derive(Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case")]
pub enum Call {
    Info,
    Check,
    Create {
        base: Base,
        container: Container,
    },
    Attach {
        base: Base,
        container: Container,
    },
    Layers {
        base: Base,
        container: Container,
    },
    Private {
        container: Container,
    },
    Derived,
    Usage,
    Delete,
    Prune,
    Rename,
    Snapshots,
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
pub struct Base {
    sharedfs: String,
    template: String,
    shared: Vec<String>,
}

#[derive(Deserialize)]
pub struct Container {
    dir: String,
}

pub fn answer(call: Call, _host: &Host<'_>) -> Result<Value, String> {
    Ok(match call {
        Call::Info => info(),
        Call::Check | Call::Derived | Call::Usage => Value::Null,
        Call::Delete | Call::Prune | Call::Rename | Call::Snapshots => json!([]),
        Call::Create { base, container } => create(&base, &root(&container)),
        Call::Attach { base, container } => json!([{
            "do": "mount",
            "at": format!("{}/./sharedfs", root(&container)),
            "fs": { "type": "null", "source": base.sharedfs },
            "read_only": true,
        }]),
        Call::Layers { base, container } => json!([root(&container), base.sharedfs]),
        Call::Private { container } => root(&container).into(),
        Call::Unknown => return Err("a storage has no such call".into()),
    })
}

fn info() -> Value {
    json!({
        "name": "acme.old",
        "kind": "shared-storage",
        "summary": "copies, as in the old days",
        "platforms": ["linux"],
        "capabilities": ["shared-read-only"],
        "options": [],
    })
}

fn root(container: &Container) -> String {
    format!("{}/root", container.dir)
}

fn create(base: &Base, root: &str) -> Value {
    let copy = json!({ "do": "copy-tree", "from": base.template, "to": root });
    let shared = json!({ "do": "make-dir", "at": format!("{root}/./sharedfs"), "mode": 0o755 });
    let link = |path: &String| {
        let up = "../".repeat(path.matches('/').count());
        json!({ "do": "link", "at": format!("{root}/./{path}"), "to": format!("{up}sharedfs/{path}"), "was": null })
    };
    [copy, shared].into_iter().chain(base.shared.iter().map(link)).collect()
}
