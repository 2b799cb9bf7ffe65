//! A web server on this machine for as long as it is held: busybox's, on the loopback address.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::{Result, http};

/// How long it may take until it answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// The server; it ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Serves the files of `directory`.
    #[expect(clippy::disallowed_methods, reason = "a child to hold, which a run is not")]
    pub(crate) fn start(directory: &Path) -> Result<Self> {
        let port = http::free_port()?;
        let mut command = Command::new("busybox");
        command.args(["httpd", "-f", "-p", &format!("127.0.0.1:{port}"), "-h"]).arg(directory);
        let child = command.stdin(Stdio::null()).spawn().map_err(|e| format!("cannot run busybox: {e}"))?;
        let server = Self { child, port };
        http::get(port, PATIENCE)?;
        Ok(server)
    }

    /// The address of a file.
    pub(crate) fn address(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
