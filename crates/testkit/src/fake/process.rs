//! Steps on processes: a container's init, services with their supervisors, programs of the host's.

use std::time::Duration;

use camino::Utf8Path;
use qchroot_api::{
    Entry, Error, ErrorKind, Mount, MountFs, Name, Output, Place, Result, ServiceStep, Step, Way,
};

use super::node::Inode;
use super::refuse;
use super::state::{Running, State};

/// Where a program without a slash is looked for inside a container.
const PATH: &[&str] = &["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"];

impl State {
    pub(crate) fn act_on_processes(&mut self, step: &Step, deadline: Duration) -> Result<()> {
        match step {
            Step::StartInit { container, root, proc } => self.start_init(container, root, proc.as_ref()),
            Step::StopInit { root, proc, .. } => self.stop_init(root, proc.as_ref(), deadline),
            Step::StartSandbox(sandbox) => self.start_sandbox(sandbox),
            Step::StopSandbox(sandbox) => self.stop_sandbox(sandbox, deadline),
            Step::Seal(seal) => self.seal(seal),
            Step::StopProcesses { root, .. } => self.stop_processes(root, deadline),
            Step::StartService(service) => self.start_service(service),
            Step::StopService(service) => self.stop_service(service, deadline),
            Step::Group(step) => self.act_on_group(step),
            Step::Signal { root, pids, signal, .. } => self.signal(root, pids, signal),
            Step::Run { argv, .. } => self.run_step(argv),
            _ => Err(Error::new(ErrorKind::Internal, "this step is the engine's own")),
        }
    }

    /// The init of the container with this root.
    pub(crate) fn init_of(&self, root: &Utf8Path) -> Option<&Running> {
        let root = self.root_dir(root).ok()?;
        self.processes.iter().find(|p| p.is_init && p.info.root == root)
    }

    fn start_init(&mut self, container: &Name, root: &Utf8Path, proc: Option<&Place>) -> Result<()> {
        if !self.on_linux() {
            return Err(Error::new(ErrorKind::Unavailable, "this kernel has no process namespaces"));
        }
        if self.init_of(root).is_some() {
            return Err(Error::new(ErrorKind::Exists, format!("{container} has an init already")));
        }
        let seen = self.root_dir(root)?;
        if let Some(at) = proc {
            self.mount(&Mount::new(at.clone(), MountFs::Proc).restricted())?;
        }
        self.spawn(seen, format!("init of {container}")).is_init = true;
        Ok(())
    }

    fn stop_init(&mut self, root: &Utf8Path, proc: Option<&Place>, deadline: Duration) -> Result<()> {
        let Ok(seen) = self.root_dir(root) else { return Ok(()) };
        self.end(deadline, |p| p.info.root.starts_with(&seen));
        self.remove_jails_on(&seen);
        proc.map_or(Ok(()), |at| self.unmount(&Mount::new(at.clone(), MountFs::Proc).restricted()))
    }

    /// A container's root as the host sees it.
    pub(crate) fn root_dir(&self, root: &Utf8Path) -> Result<camino::Utf8PathBuf> {
        let found = self.tree.host(root, true)?;
        match self.tree.get(&found) {
            Some(inode) if inode.is_directory() => Ok(found.seen),
            _ => Err(refuse(ErrorKind::NotFound, format!("cannot enter {root}"), "no such directory")),
        }
    }

    fn start_service(&mut self, step: &ServiceStep) -> Result<()> {
        let seen = self.root_dir(&step.root)?;
        let argv = step.service.run.start_argv();
        let (program, command) = (argv.first().cloned().unwrap_or_default(), argv.join(" "));
        self.program_inside(&seen, &program)?;
        if self.is_locked(&step.lock) {
            return Err(Error::new(ErrorKind::Busy, format!("{} is locked", step.lock)));
        }
        let supervisor = self.spawn(seen.clone(), format!("supervise {}", step.service.name));
        supervisor.holds = Some(step.lock.clone());
        let ppid = supervisor.info.pid;
        self.spawn(seen, command).info.ppid = ppid;
        Ok(())
    }

    fn stop_service(&mut self, step: &ServiceStep, deadline: Duration) -> Result<()> {
        let Some(supervisor) = self.holder(&step.lock) else { return Ok(()) };
        self.end(deadline, |p| p.info.pid == supervisor || p.info.ppid == supervisor);
        Ok(())
    }

    /// Refuses a program that is not in the container whose root is `root`.
    fn program_inside(&self, root: &Utf8Path, program: &str) -> Result<()> {
        let there = |path: &str| {
            let found = self.tree.place_followed(&Place::within(root, path));
            found.is_ok_and(|found| self.tree.get(&found).is_some_and(|inode| !inode.is_directory()))
        };
        let known = match program.contains('/') {
            true => there(program),
            false => PATH.iter().any(|dir| there(&format!("{dir}/{program}"))),
        };
        if known { Ok(()) } else { Err(no_program(program)) }
    }

    fn run_step(&mut self, argv: &[String]) -> Result<()> {
        let output = match argv.first().map(String::as_str) {
            Some("zfs") if self.zfs.is_some() => self.zfs(argv.get(1..).unwrap_or_default()),
            _ if self.is_registered(argv) || self.on_linux() => self.run(argv)?,
            _ => match self.freebsd_act(argv) {
                Some(output) => output,
                None => self.run(argv)?,
            },
        };
        if output.status == 0 {
            return Ok(());
        }
        let what = format!("{} ended with status {}", argv.join(" "), output.status);
        Err(refuse(ErrorKind::System, what, output.stderr.trim()))
    }

    /// Runs a program of the host's that changes nothing.
    pub(crate) fn run(&self, argv: &[String]) -> Result<Output> {
        let program = argv.first().map_or("", String::as_str);
        if let Some(registered) = self.programs.get(program) {
            return Ok(registered(argv));
        }
        match (program, argv) {
            ("zfs", [_, args @ ..]) if self.zfs.is_some() => Ok(self.ask_zfs(args)),
            ("test", [_, flag, path]) if flag == "-d" => {
                let found = self.tree.host(Utf8Path::new(path), true);
                let is = found.is_ok_and(|at| self.tree.get(&at).is_some_and(Inode::is_directory));
                Ok(output(i32::from(!is), "", ""))
            }
            _ if self.on_linux() => Err(no_program(program)),
            _ => self.freebsd_ask(argv).ok_or_else(|| no_program(program)),
        }
    }

    fn is_registered(&self, argv: &[String]) -> bool {
        argv.first().is_some_and(|program| self.programs.contains_key(program))
    }

    /// The root directory that an entry leads to.
    pub(crate) fn root_of_entry(&self, entry: &Entry) -> Result<camino::Utf8PathBuf> {
        match &entry.way {
            Way::Chroot { root, .. } => self.root_dir(root),
            Way::Sandbox { root, .. } => self.sealed(root),
            Way::Jail { name, .. } => match self.freebsd.jails.get(name) {
                Some(jail) => Ok(jail.path.clone()),
                None => Err(refuse(ErrorKind::System, "cannot enter", &format!("jail \"{name}\" not found"))),
            },
            Way::Command { .. } => Ok("/".into()),
            other => Err(Error::new(ErrorKind::Internal, format!("no way in by {other:?}"))),
        }
    }
}

/// The error of a program that is not there, in the terms of chroot(8).
pub(crate) fn no_program(program: &str) -> Error {
    refuse(ErrorKind::NotFound, format!("cannot run {program}"), "no such file or directory")
        .with("exit", 127)
}

pub(crate) fn output(status: i32, stdout: &str, stderr: &str) -> Output {
    Output { status, stdout: stdout.into(), stderr: stderr.into() }
}
