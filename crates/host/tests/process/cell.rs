//! A container with a sandbox, and short ways to act on it.

use std::fs;

use camino::Utf8PathBuf;
use qchroot_api::{Entry, Network, Observe, Process, Rules, SandboxStep, SealStep, Step, Way};
use qchroot_engine::{Host, Probe};
use qchroot_host::Machine;

use crate::support::{Box, caller, run, soon};

/// Steps on a sandbox for a container of files only.
pub(crate) struct Sandbox {
    pub(crate) web: Box,
    pub(crate) seal: SealStep,
}

impl Sandbox {
    /// Nothing is started.
    pub(crate) fn new(name: &str) -> Self {
        let web = Box::new(name);
        fs::remove_dir(web.root.join("dev/pts")).unwrap();
        fs::create_dir_all(web.root.join("sys")).unwrap();
        let seal = SealStep {
            container: web.name.clone(),
            root: web.root.clone(),
            masked: ["/proc/kcore", "/proc/keys", "/proc/tty", "/no/such"].map(Utf8PathBuf::from).into(),
            read_only: ["/proc/sys", "/proc/irq"].map(Utf8PathBuf::from).into(),
            shared_memory: 1 << 20,
            sys: true,
            rules: Rules::default(),
        };
        Self { web, seal }
    }

    /// It runs.
    pub(crate) fn sealed(name: &str) -> Self {
        let new = Self::new(name);
        new.apply(&new.start());
        new.apply(&Step::Seal(new.seal.clone()));
        new
    }

    pub(crate) fn start(&self) -> Step {
        Step::StartSandbox(SandboxStep {
            container: self.web.name.clone(),
            root: self.web.root.clone(),
            host_name: format!("{}-inside", self.web.name),
            network: Network::None,
            users: None,
            group: None,
        })
    }

    pub(crate) fn apply(&self, step: &Step) {
        Machine::new().apply(step, soon(10)).unwrap();
    }

    pub(crate) fn stop(&self) {
        self.apply(&self.start().inverse().unwrap());
    }

    pub(crate) fn entry(&self, argv: &[&str]) -> Entry {
        let mut entry = self.web.entry(argv);
        entry.way = Way::Sandbox { root: self.web.root.clone(), rules: Rules::default() };
        entry
    }

    /// What a script inside prints; it succeeds.
    pub(crate) fn sh(&self, script: &str) -> String {
        let (status, text) = run(&self.entry(&["sh", "-c", script]));
        assert_eq!(status, 0, "{script}: {text}");
        text
    }

    /// Runs a script that leaves processes behind.
    pub(crate) fn leave_behind(&self, script: &str) {
        let silent = format!("exec >/dev/null 2>&1; {script}");
        let mut command = caller(&self.entry(&["sh", "-c", &silent]));
        assert!(command.status().unwrap().success());
    }

    pub(crate) fn processes(&self) -> Vec<Process> {
        let all = (&Machine::new() as &dyn Observe).processes(&self.web.root).unwrap();
        all.into_iter().filter(|process| !process.zombie).collect()
    }

    pub(crate) fn init(&self) -> i32 {
        let all = self.processes();
        all.iter().find(|process| process.command.starts_with("qchroot-init")).unwrap().pid
    }

    pub(crate) fn lock(&self) -> Utf8PathBuf {
        self.web.root.with_file_name("root.init")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop();
        assert_eq!(self.processes(), []);
        assert!(!self.lock().exists());
    }
}

/// How the machine stands to a step.
pub(crate) fn probe(step: &Step) -> Probe {
    Machine::new().probe(step).unwrap()
}

/// Whether the host sees a mount in a container's directory.
pub(crate) fn is_seen_outside(web: &Sandbox) -> bool {
    let dir = web.web.dir.path().to_str().unwrap();
    ["self", "1"].iter().any(|of| fs::read_to_string(format!("/proc/{of}/mountinfo")).unwrap().contains(dir))
}
