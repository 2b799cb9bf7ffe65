//! The file in which a supervisor says what its service does. It does not decide that.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use nix::libc;
use qchroot_api::{ServiceStatus, Standing};

use crate::clock;

/// See the module. Whoever reads it finds the old words or the new ones, never half of them.
pub(super) struct StatusFile {
    path: Utf8PathBuf,
    status: ServiceStatus,
}

impl StatusFile {
    /// Begins with a service that is being started.
    pub(super) fn begin(path: &Utf8Path) -> Self {
        let since = clock::wall().as_secs();
        let status =
            ServiceStatus { standing: Standing::Starting, since, restarts: 0, last_exit: None, reaper: None };
        let file = Self { path: path.to_owned(), status };
        file.write();
        file
    }

    /// The service does something else now.
    pub(super) fn stand(&mut self, standing: Standing) {
        if self.status.standing == standing {
            return;
        }
        let reaper = self.status.reaper.filter(|_| !is_without_processes(standing));
        self.status = ServiceStatus { standing, since: clock::wall().as_secs(), reaper, ..self.status };
        self.write();
    }

    /// Its processes have a new ancestor.
    pub(super) fn descend_from(&mut self, reaper: i32) {
        self.status.reaper = Some(reaper);
        self.write();
    }

    /// It is being started again.
    pub(super) fn start_again(&mut self) {
        self.status.restarts = self.status.restarts.saturating_add(1);
        self.stand(Standing::Starting);
    }

    /// Its program has ended; written with the next change.
    pub(super) fn note_exit(&mut self, status: i32) {
        self.status.last_exit = Some(status);
    }

    /// The file is for people: a service goes on without it.
    fn write(&self) {
        let fresh = Utf8PathBuf::from(format!("{}.new", self.path));
        let Ok(text) = serde_json::to_vec(&self.status) else { return };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o644).custom_flags(libc::O_NOFOLLOW);
        let written = options.open(&fresh).and_then(|mut file| file.write_all(&text));
        let _ = written.and_then(|()| fs::rename(&fresh, &self.path));
    }
}

fn is_without_processes(standing: Standing) -> bool {
    matches!(standing, Standing::Waiting | Standing::Ended | Standing::Failed | Standing::Stopped)
}
