//! `ps` and `kill`: the processes of containers.

use std::time::{Duration, UNIX_EPOCH};

use qchroot_api::{Error, ErrorKind, Name, Result, size_text};
use qchroot_engine::Member;

use crate::args::{Kill, Names};
use crate::print;
use crate::run::Front;

impl Front<'_> {
    pub(crate) fn ps(&self, args: &Names) -> Result<()> {
        let members = self.engine.ps(&self.named(&args.names)?)?;
        if self.json { print::json(&members) } else { table(&members) }
    }

    pub(crate) fn kill(&self, args: &Kill) -> Result<()> {
        let names = self.engine.names_or_jails(std::slice::from_ref(&args.name))?;
        names.iter().try_for_each(|name| self.engine.kill(name, &args.signal, &args.pids))
    }

    /// The containers named, which exist; all when none is named.
    pub(crate) fn named(&self, names: &[String]) -> Result<Vec<Name>> {
        let given = self.engine.names_or_jails(names)?;
        for name in &given {
            self.engine.load(name)?;
        }
        self.engine.names_or_all(&given)
    }
}

fn table(members: &[Member]) -> Result<()> {
    let row = |member: &Member| {
        let started = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(member.started));
        vec![
            member.container.to_string(),
            member.pid.to_string(),
            member.ppid.to_string(),
            member.user.clone(),
            format!("{:.1}", member.cpu_percent),
            size_text(member.memory_bytes),
            started.to_string(),
            member.command.clone(),
        ]
    };
    let head = ["CONTAINER", "PID", "PPID", "USER", "%CPU", "MEMORY", "STARTED", "COMMAND"];
    print::table(&head, members.iter().map(row))
}

/// Seconds from the command line, as a time to wait.
pub(crate) fn seconds(given: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(given).ok().filter(|time| !time.is_zero()).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("{given} is no number of seconds to wait"))
            .hint("for example 2 or 0.5")
    })
}
