//! The host's daemons that answer on every address, those of containers too, and the line that keeps each to the
//! host's own: what jail(8) advises under "Setting up the host environment". It changes nothing.

mod known;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use qchroot_api::{Listener, Platform, Result, Transport};

use crate::{Engine, Finding};
use known::KNOWN;

/// Ports from here on are given to whoever asks for none, RFC 6335: a socket there that takes packets waits for
/// the answer to a question of its own.
const FIRST_DYNAMIC: u16 = 49152;
/// Linux begins earlier, ip(7) under `ip_local_port_range`.
const FIRST_DYNAMIC_ON_LINUX: u16 = 32768;

/// What sockstat(1) shows of a program's name, in bytes.
const SHORTENED: usize = 10;

/// One daemon of the host's.
type Daemon = (String, Option<i32>);
/// Transport, port, and the addresses that mean all of a kind.
type Door = (Transport, u16, BTreeSet<IpAddr>);

impl Engine<'_> {
    /// Advice on each daemon of the host's that answers on every address.
    pub(crate) fn exposed_daemons(&self) -> Result<Vec<Finding>> {
        let view = self.view();
        let platform = view.platform()?;
        let inside: BTreeSet<i32> =
            view.processes(&self.layout.lib)?.iter().map(|process| process.pid).collect();
        let is_hosts = |one: &Listener| {
            !one.root.starts_with(&self.layout.lib) && one.pid.is_none_or(|pid| !inside.contains(&pid))
        };
        let mut daemons: BTreeMap<Daemon, Vec<Door>> = BTreeMap::new();
        for one in view.listeners()?.into_iter().filter(is_hosts).filter(|one| is_exposed(one, platform)) {
            let doors = daemons.entry((one.program, one.pid)).or_default();
            open_door(doors, one.transport, one.at.port(), one.at.ip());
        }
        Ok(daemons.into_iter().map(|(daemon, doors)| advice(&daemon, &doors, platform)).collect())
    }
}

fn is_exposed(one: &Listener, platform: Platform) -> bool {
    let first_dynamic = match platform {
        Platform::Linux => FIRST_DYNAMIC_ON_LINUX,
        Platform::Freebsd => FIRST_DYNAMIC,
    };
    let waits = one.transport == Transport::Tcp || one.at.port() < first_dynamic;
    one.at.ip().is_unspecified() && waits
}

fn open_door(doors: &mut Vec<Door>, transport: Transport, port: u16, any: IpAddr) {
    match doors.iter_mut().find(|(known, number, _)| (*known, *number) == (transport, port)) {
        Some((_, _, addresses)) => drop(addresses.insert(any)),
        None => doors.push((transport, port, BTreeSet::from([any]))),
    }
}

fn advice((program, pid): &Daemon, doors: &[Door], platform: Platform) -> Finding {
    let who = match pid {
        Some(pid) => format!("{program} of the host (process {pid})"),
        None => "the host's kernel, or a process that cannot be seen,".to_owned(),
    };
    let door = |(transport, port, any): &Door| {
        let any: Vec<String> = any.iter().map(IpAddr::to_string).collect();
        format!("{} port {port} of {}", transport.word(), any.join(" and "))
    };
    let doors_told: Vec<String> = doors.iter().map(door).collect();
    let port = doors.first().map_or(0, |(_, port, _)| *port);
    Finding {
        what: format!("{who} answers on every address: {}", doors_told.join(", ")),
        repaired: false,
        advice: true,
        hint: Some(remedy(program, pid.is_some(), port, platform)),
    }
}

/// The line that keeps a daemon to the address ADDRESS, the host's own, and where it belongs.
fn remedy(program: &str, is_process: bool, port: u16, platform: Platform) -> String {
    if !is_process {
        return "a server in the kernel, such as that of NFS, takes requests for containers too: run it on a host \
                without containers, or keep its port from their addresses with the firewall"
            .into();
    }
    let is_it = |name: &&str| *name == program || (program.len() == SHORTENED && name.starts_with(program));
    let known = KNOWN.iter().find(|known| known.programs.iter().any(is_it));
    let line = known.and_then(|known| match platform {
        Platform::Linux => known.linux,
        Platform::Freebsd => known.freebsd,
    });
    match line {
        Some((file, line)) => format!("in {file}: {}", line.replace("PORT", &port.to_string())),
        None => format!("have {program} listen on the host's own address only, or stop it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tells(program: &str, port: u16, platform: Platform) -> String {
        remedy(program, true, port, platform)
    }

    #[test]
    fn each_known_daemon_has_its_line_with_the_port_it_has() {
        assert_eq!(tells("sshd", 22, Platform::Linux), "in /etc/ssh/sshd_config: ListenAddress ADDRESS");
        assert_eq!(
            tells("nginx", 8080, Platform::Freebsd),
            "in each server of /usr/local/etc/nginx/nginx.conf: listen ADDRESS:8080;"
        );
        assert_eq!(tells("syslogd", 514, Platform::Freebsd), "in /etc/rc.conf: syslogd_flags=\"-ss\"");
        let unbound = tells("local-unbo", 53, Platform::Freebsd);
        assert_eq!(unbound, "in server of /var/unbound/unbound.conf: interface: ADDRESS");
        assert_eq!(
            tells("own", 1, Platform::Linux),
            "have own listen on the host's own address only, or stop it"
        );
    }

    #[test]
    fn no_program_is_known_twice() {
        let mut names: Vec<&str> = KNOWN.iter().flat_map(|known| known.programs).copied().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
