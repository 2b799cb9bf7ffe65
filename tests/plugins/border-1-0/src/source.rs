//! The release source: the host's busybox, and a file with what the option `greeting` says.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::host::Host;

#[derive(Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case")]
pub enum Call {
    Info,
    Check,
    Resolve {
        want: Wish,
    },
    Fill {
        release: Release,
    },
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
pub struct Wish {
    release: Option<String>,
    options: Options,
}

#[derive(Deserialize, Serialize, Default)]
struct Options {
    #[serde(default)]
    greeting: String,
}

#[derive(Deserialize, Serialize)]
pub struct Release {
    version: String,
    brand: String,
    digest: String,
    pins: Value,
    options: Options,
}

pub fn answer(call: Call, host: &Host<'_>) -> Result<Value, String> {
    match call {
        Call::Info => Ok(info()),
        Call::Check => Ok(Value::Null),
        Call::Resolve { want } => {
            let digest = format!("{:064x}", want.options.greeting.len());
            let version = want.release.unwrap_or_else(|| "old-1.0".into());
            let (pins, options) = (json!({}), want.options);
            serde_json::to_value(Release { version, brand: "linux".into(), digest, pins, options })
                .map_err(|error| error.to_string())
        }
        Call::Fill { release } => fill(&release, host),
        Call::Unknown => Err("a release source has no such call".into()),
    }
}

fn info() -> Value {
    json!({
        "name": "acme.old",
        "kind": "release-source",
        "summary": "busybox, as in the old days",
        "platforms": ["linux"],
        "capabilities": [],
        "options": [{ "key": "greeting", "kind": "text", "default": "", "summary": "what /etc/greeting says" }],
    })
}

fn fill(release: &Release, host: &Host<'_>) -> Result<Value, String> {
    for dir in ["/", "bin", "dev", "etc", "proc", "tmp"] {
        write(host, dir, json!({ "is": "directory" }), 0o755, b"")?;
    }
    host.ask(&json!({ "ask": "observe", "query": { "ask": "stat", "at": "/bin/busybox" } }), b"")?;
    host.ask(&json!({ "ask": "take", "from": "/bin/busybox", "to": "bin/busybox", "how": "copy" }), b"")?;
    for applet in ["sh", "cat"] {
        let link = json!({ "is": "symlink", "to": "busybox" });
        write(host, &format!("bin/{applet}"), link, 0o777, b"")?;
    }
    let files =
        [("etc/greeting", release.options.greeting.as_str()), ("etc/passwd", "root:x:0:0::/:/bin/sh\n")];
    for (path, text) in files {
        write(host, path, json!({ "is": "file", "size": text.len() }), 0o644, text.as_bytes())?;
    }
    host.ask(
        &json!({ "ask": "progress", "progress": {
        "what": "writing", "bytes": 1, "total_bytes": null, "entries": 1, "total_entries": null
    } }),
        b"",
    )?;
    host.ask(&json!({ "ask": "finish" }), b"")
}

fn write(host: &Host<'_>, path: &str, kind: Value, mode: u32, content: &[u8]) -> Result<(), String> {
    let node = json!({
        "path": path, "kind": kind, "mode": mode, "uid": 0, "gid": 0, "mtime": [0, 0], "xattrs": [], "flags": null
    });
    host.ask(&json!({ "ask": "write", "node": node }), content).map(drop)
}
