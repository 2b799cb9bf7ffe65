//! `ps` and `kill`: processes by container, by the kernel's word and nothing else.

use qchroot_api::{Error, ErrorKind, Name, Place, Platform, Process, Result, Step};
use serde::Serialize;

use crate::{Engine, Point, STOP_PATIENCE, users};

/// One process of a container.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Member {
    /// Its container.
    pub container: Name,
    /// Process id on the host.
    pub pid: i32,
    /// Parent's process id on the host.
    pub ppid: i32,
    /// User, by the container's own passwd file; the number where that has no name for it.
    pub user: String,
    /// Processor time since its start in percent of the time since then.
    pub cpu_percent: f64,
    /// Processor time since its start, in milliseconds.
    pub cpu_millis: u64,
    /// Memory that it has in use, in bytes.
    pub memory_bytes: u64,
    /// Start time in seconds since the epoch.
    pub started: u64,
    /// Command line.
    pub command: String,
}

impl Engine<'_> {
    /// The processes of these containers, by container and process id.
    pub fn ps(&self, names: &[Name]) -> Result<Vec<Member>> {
        let observed = self.look()?;
        let now = self.host.wall_clock();
        let mut members = Vec::new();
        for name in names {
            let mut processes = observed.processes(name).to_vec();
            if processes.is_empty() {
                continue;
            }
            let passwd = self.passwd_inside(name);
            processes.sort_by_key(|process| process.pid);
            members.extend(processes.into_iter().map(|process| Member {
                container: name.clone(),
                pid: process.pid,
                ppid: process.ppid,
                user: users::name_of(&passwd, process.uid),
                cpu_percent: share(&process, now),
                cpu_millis: process.cpu_millis,
                memory_bytes: process.memory_bytes,
                started: process.started,
                command: process.command,
            }));
        }
        Ok(members)
    }

    /// Sends a signal to processes of a container: those given, by their numbers on the host, or all but its init.
    ///
    /// # Errors
    /// Not found, when a process is not the container's at this moment, or when it has none.
    pub fn kill(&self, name: &Name, signal: &str, pids: &[i32]) -> Result<()> {
        if !self.dry_run {
            self.require_superuser()?;
        }
        self.read_file(name)?;
        if self.look()?.processes(name).is_empty() {
            return Err(Error::new(ErrorKind::NotFound, format!("{name} has no process"))
                .with("container", name)
                .hint(format!("`qchroot start {name}` starts its services")));
        }
        let step = Step::Signal {
            container: name.clone(),
            root: self.layout.container(name).join("root"),
            pids: pids.to_vec(),
            signal: signal.to_owned(),
        };
        if self.dry_run {
            self.watch.step(Point::Planned, &step);
            return Ok(());
        }
        self.watch.step(Point::Begun, &step);
        self.host.apply(&step, self.deadline_in(STOP_PATIENCE))?;
        self.watch.step(Point::Done, &step);
        Ok(())
    }

    /// The containers that words of a command line mean: their names, or, where there are jails, their jail ids. No
    /// container's name is all digits.
    pub fn names_or_jails(&self, words: &[String]) -> Result<Vec<Name>> {
        words.iter().map(|word| self.name_or_jail(word)).collect()
    }

    fn name_or_jail(&self, word: &str) -> Result<Name> {
        let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || self.view().platform()? != Platform::Freebsd {
            return word.parse();
        }
        let jail = self.view().ask(&["jls", "-j", word, "path"])?;
        let path = jail.stdout.trim();
        let has_root = |name: &Name| self.layout.container(name).join("root") == path;
        self.names()?.into_iter().find(has_root).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("no container has the jail {word}"))
                .hint("jls(8) shows all jails; `qchroot ps` shows processes by container")
        })
    }

    /// The passwd file inside a running container; empty when there is none to be read.
    fn passwd_inside(&self, name: &Name) -> String {
        let at = Place::within(self.layout.container(name).join("root"), "etc/passwd");
        self.view().read(&at).unwrap_or_default()
    }
}

/// As ps(1) counts it, to a tenth.
fn share(process: &Process, now: u64) -> f64 {
    let lived = now.saturating_sub(process.started).max(1);
    #[expect(clippy::cast_precision_loss, reason = "tenths of a percent")]
    let percent = process.cpu_millis as f64 / (lived * 10) as f64;
    (percent * 10.0).round() / 10.0
}
