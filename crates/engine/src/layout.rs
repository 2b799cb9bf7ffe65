//! Where everything lies, per system and under `--root`. It knows paths, not what is in the files.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Name, Platform, ReleaseId, sandbox_lock};

/// The directories of one qchroot system; many live side by side, each under a root of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Bases and containers.
    pub lib: Utf8PathBuf,
    /// The configuration of the whole system.
    pub settings: Utf8PathBuf,
    /// One administration file a container.
    pub containers: Utf8PathBuf,
    /// What does not outlive a reboot: locks and the journals of started containers.
    pub run: Utf8PathBuf,
    /// Logs.
    pub log: Utf8PathBuf,
    /// Plug-ins.
    pub plugins: Utf8PathBuf,
}

impl Layout {
    /// The system's own place: the paths of qchroot(8) on FreeBSD, those of hier(7) on Linux.
    #[must_use]
    pub fn of_system(platform: Platform) -> Self {
        let paths = match platform {
            Platform::Freebsd => [
                "/usr/qchroot",
                "/usr/local/etc/qchroot.toml",
                "/usr/local/etc/qchroot.local",
                "/var/run/qchroot",
                "/var/log/qchroot",
                "/usr/local/lib/qchroot/plugins",
            ],
            Platform::Linux => [
                "/var/lib/qchroot",
                "/etc/qchroot/qchroot.toml",
                "/etc/qchroot/containers",
                "/run/qchroot",
                "/var/log/qchroot",
                "/usr/lib/qchroot/plugins",
            ],
        };
        let [lib, settings, containers, run, log, plugins] = paths.map(Utf8PathBuf::from);
        Self { lib, settings, containers, run, log, plugins }
    }

    /// Everything under one directory, the same on every system.
    #[must_use]
    pub fn under(root: &Utf8Path) -> Self {
        Self {
            lib: root.join("lib"),
            settings: root.join("etc/qchroot.toml"),
            containers: root.join("etc/containers"),
            run: root.join("run"),
            log: root.join("log"),
            plugins: root.join("plugins"),
        }
    }

    /// A container's private data.
    #[must_use]
    pub fn container(&self, name: &Name) -> Utf8PathBuf {
        self.lib.join(name.as_str())
    }

    /// The lock file that the init of a container's sandbox holds.
    #[must_use]
    pub fn sandbox_lock(&self, name: &Name) -> Utf8PathBuf {
        sandbox_lock(&self.container(name).join("root"))
    }

    /// Where a container is built before it has its name.
    #[must_use]
    pub fn staging(&self, name: &Name) -> Utf8PathBuf {
        self.lib.join(format!(".staging-{name}"))
    }

    /// Where a tree lies that is about to be put a level deeper. Nothing removes what is found there.
    #[must_use]
    pub fn aside(&self, name: &Name) -> Utf8PathBuf {
        self.lib.join(format!(".adopting-{name}"))
    }

    /// What was given up and is removed when there is time.
    #[must_use]
    pub fn all_trash(&self) -> Utf8PathBuf {
        self.lib.join(".trash")
    }

    /// The lock of whoever empties the trash.
    #[must_use]
    pub fn trash_lock(&self) -> Utf8PathBuf {
        self.locks().join(".trash")
    }

    /// Where a tree goes before it is removed by the run that put it there.
    #[must_use]
    pub fn trash(&self, name: &Name) -> Utf8PathBuf {
        self.lib.join(format!(".trash-{name}"))
    }

    /// A container's administration file.
    #[must_use]
    pub fn file(&self, name: &Name) -> Utf8PathBuf {
        self.containers.join(format!("{name}.toml"))
    }

    /// All bases.
    #[must_use]
    pub fn releases(&self) -> Utf8PathBuf {
        self.lib.join("releases")
    }

    /// One base.
    #[must_use]
    pub fn release(&self, id: &ReleaseId) -> Utf8PathBuf {
        self.releases().join(id.as_str())
    }

    /// Where a base is built.
    #[must_use]
    pub fn release_staging(&self) -> Utf8PathBuf {
        self.lib.join(".staging-install")
    }

    /// Where bases and downloads go before they are removed.
    #[must_use]
    pub fn release_trash(&self) -> Utf8PathBuf {
        self.lib.join(".trash-install")
    }

    /// What upgrades leave for rollbacks.
    #[must_use]
    pub fn all_previous(&self) -> Utf8PathBuf {
        self.lib.join(".previous")
    }

    /// What the last upgrade of a container left.
    #[must_use]
    pub fn previous(&self, name: &Name) -> Utf8PathBuf {
        self.all_previous().join(name.as_str())
    }

    /// The link to the base that new containers get.
    #[must_use]
    pub fn current(&self) -> Utf8PathBuf {
        self.lib.join("current")
    }

    /// Downloads, kept between installs.
    #[must_use]
    pub fn cache(&self) -> Utf8PathBuf {
        self.lib.join(".cache")
    }

    /// Digests that must not change once they were seen.
    #[must_use]
    pub fn known(&self) -> Utf8PathBuf {
        self.lib.join("known.toml")
    }

    /// What the programs of the last installs printed.
    #[must_use]
    pub fn install_log(&self) -> Utf8PathBuf {
        self.log.join("install.log")
    }

    /// Journals of what outlives a reboot.
    #[must_use]
    pub fn journals(&self) -> Utf8PathBuf {
        self.lib.join(".journal")
    }

    /// The journal of a change to a container's existence.
    #[must_use]
    pub fn journal(&self, name: &Name) -> Utf8PathBuf {
        self.journals().join(name.as_str())
    }

    /// The journal of an install.
    #[must_use]
    pub fn install_journal(&self) -> Utf8PathBuf {
        self.journals().join(".install")
    }

    /// What a container needs while it runs.
    #[must_use]
    pub fn container_run(&self, name: &Name) -> Utf8PathBuf {
        self.run.join(name.as_str())
    }

    /// The journal of a started container.
    #[must_use]
    pub fn start_journal(&self, name: &Name) -> Utf8PathBuf {
        self.container_run(name).join("start")
    }

    /// The boot that a container was last started in.
    #[must_use]
    pub fn last_boot(&self, name: &Name) -> Utf8PathBuf {
        self.container_run(name).join("boot")
    }

    /// The lock file that a service's supervisor holds.
    #[must_use]
    pub fn service_lock(&self, name: &Name, service: &str) -> Utf8PathBuf {
        self.container_run(name).join(format!("{service}.lock"))
    }

    /// What a service's supervisor says of it.
    #[must_use]
    pub fn service_status(&self, name: &Name, service: &str) -> Utf8PathBuf {
        self.container_run(name).join(format!("{service}.status"))
    }

    /// A container's logs.
    #[must_use]
    pub fn container_log(&self, name: &Name) -> Utf8PathBuf {
        self.log.join(name.as_str())
    }

    /// A service's log.
    #[must_use]
    pub fn service_log(&self, name: &Name, service: &str) -> Utf8PathBuf {
        self.container_log(name).join(format!("{service}.log"))
    }

    /// The record of every step that changed anything.
    #[must_use]
    pub fn record(&self) -> Utf8PathBuf {
        self.log.join("qchroot.log")
    }

    /// Lock files.
    #[must_use]
    pub fn locks(&self) -> Utf8PathBuf {
        self.run.join(".lock")
    }

    /// The lock of one container, held for a whole operation.
    #[must_use]
    pub fn lock(&self, name: &Name) -> Utf8PathBuf {
        self.locks().join(name.as_str())
    }

    /// Shared by who pins a base or comes to, held alone by who removes bases.
    #[must_use]
    pub fn releases_lock(&self) -> Utf8PathBuf {
        self.locks().join(".releases")
    }

    /// The lock of installs and removals.
    #[must_use]
    pub fn install_lock(&self) -> Utf8PathBuf {
        self.locks().join(".install")
    }
}
