//! The engine: registry, configuration, layout, journal, transactions and the operations.
//!
//! It knows no plug-in by name and no operating system, and it touches nothing by itself: every effect goes
//! through the [`Host`] port.

#![forbid(unsafe_code)]

mod advice;
mod attached;
mod base;
mod brand;
mod config;
mod containers;
mod declared;
mod exported;
mod file_name;
mod host_daemons;
mod host_dirs;
mod interrupted;
mod journal;
mod known;
mod layout;
mod limits;
mod manifest;
mod merge;
mod missing;
mod mtree;
mod needs;
mod ops;
mod order;
mod own_root;
mod parallel;
mod port;
mod previous;
mod registry;
mod sandbox;
mod seen;
mod service_entry;
mod service_state;
mod snapshots;
mod space;
mod stale;
mod state;
mod transaction;
mod trash;
mod userland;
mod users;
mod version;
mod watch;

use std::time::Duration;

use qchroot_api::{Platform, Result};

pub use base::{BaseFile, Installed};
pub use config::{Choice, ContainerFile, Defaults, FORMAT, PluginSettings, Settings};
pub use containers::Loaded;
pub use declared::{DeclaredKind, NodeEntry, OnDifference, PermissionEntry};
pub use exported::{ExportFile, ExportedDisk, ExportedRelease};
pub use interrupted::{Finding, Interrupted};
pub use journal::{Journal, Mark, Op};
pub use layout::Layout;
pub use limits::{LimitsTable, Processors, Size};
pub use manifest::{Drift, Verified};
pub use ops::adopt::{AdoptWish, AdoptedContainer, AdoptedRelease, AdoptedSystem, Adoption};
pub use ops::check::Checked;
pub use ops::config::ConfigChange;
pub use ops::config_service::{ServiceKey, ServiceSetting};
pub use ops::create::CreateWish;
pub use ops::export::{ExportTo, Exported};
pub use ops::import::{ImportWish, Imported};
pub use ops::install::{InstallWish, set_options};
pub use ops::logs::{LogLine, LogWish};
pub use ops::plugins::{PluginLine, PluginState};
pub use ops::ps::Member;
pub use ops::releases::{ReleaseLine, Removed};
pub use ops::resize::Resized;
pub use ops::restore::Restored;
pub use ops::session::{Session, Who};
pub use ops::several::Told;
pub use ops::start::Outcome;
pub use ops::upgrade::{Changed, Moved, UpgradeWish};
pub use port::{Changes, Deadline, Guard, Held, Host, Probe, Workplace};
pub use qchroot_adopt::Tool as AdoptedTool;
pub use registry::Registry;
pub use seen::{Care, Seen, SeenKind};
pub use service_entry::{ReadyEntry, ServiceEntry};
pub use service_state::{ServiceReport, ServiceState};
pub use snapshots::SnapshotLine;
pub use space::{Overcommit, SpaceReport};
pub use state::{State, StatusReport};
pub use users::{User, credentials as credentials_of, find as find_user};
pub use version::{Standing, compare};
pub use watch::{Point, Watch};

/// How long a start waits for scripts that do not come back.
pub const START_PATIENCE: Duration = Duration::from_secs(120);

/// How long a stop waits before it kills.
pub const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// One qchroot system, ready for operations.
pub struct Engine<'a> {
    /// The machine.
    pub host: &'a dyn Host,
    /// The back ends.
    pub registry: &'a Registry,
    /// Where everything lies.
    pub layout: Layout,
    /// The settings.
    pub settings: Settings,
    /// Who is told what happens.
    pub watch: &'a dyn Watch,
    /// Show the steps and change nothing.
    pub dry_run: bool,
}

impl<'a> Engine<'a> {
    /// The host's view for back ends.
    pub(crate) fn view(&self) -> &dyn qchroot_api::Observe {
        self.host
    }

    /// The storage that new containers get: the configured one, else the system's default.
    pub fn default_storage(&self) -> Result<String> {
        let platform_default = match self.view().platform()? {
            Platform::Linux => "overlay",
            Platform::Freebsd => "nullfs",
        };
        Ok(self.settings.defaults.storage.clone().unwrap_or_else(|| platform_default.into()))
    }

    /// The isolation that new containers get.
    #[must_use]
    pub fn default_isolation(&self) -> String {
        self.settings.defaults.isolation.clone().unwrap_or_else(|| "chroot".into())
    }

    /// The source that `install` takes: the configured one, else what suits the host.
    pub fn default_source(&self) -> Result<String> {
        if let Some(source) = &self.settings.defaults.source {
            return Ok(source.clone());
        }
        Ok(match self.view().platform()? {
            Platform::Freebsd => "distset",
            Platform::Linux if self.view().program("apt-get")?.is_some() => "debian",
            Platform::Linux => "host",
        }
        .into())
    }

    pub(crate) fn deadline_in(&self, patience: Duration) -> Deadline {
        Deadline(self.host.steady_clock() + patience)
    }
}
