//! What sockstat(1) prints with `-46lq`, for reading by people. It runs nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use qchroot_api::{Listener, Transport};

/// Its lines: user, command, process, descriptor, protocol, local address, foreign address. Processes are the
/// host's own.
pub(crate) fn listeners(text: &str) -> Vec<Listener> {
    text.lines().flat_map(listener).collect()
}

/// One that is `tcp46` is of both families. A command's name can have blanks in it; what follows cannot.
fn listener(line: &str) -> Vec<Listener> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let Some(at) = fields.iter().rposition(|field| protocol(field).is_some()) else { return vec![] };
    let (Some((transport, families)), Some(local)) = (protocol(fields[at]), fields.get(at + 1)) else {
        return vec![];
    };
    let pid = at.checked_sub(2).and_then(|pid| fields[pid].parse().ok());
    let program = fields.get(1..at.saturating_sub(2)).unwrap_or_default().join(" ");
    let (program, root) = if pid.is_some() { (program, "/") } else { (String::new(), "") };
    let at = families.iter().filter_map(|&any| address(local, any));
    at.map(|at| Listener { transport, at, pid, program: program.clone(), root: root.into() }).collect()
}

const ANY4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const ANY6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// The transport, and every address of each family.
fn protocol(word: &str) -> Option<(Transport, &'static [IpAddr])> {
    Some(match word {
        "tcp4" => (Transport::Tcp, &[ANY4]),
        "tcp6" => (Transport::Tcp, &[ANY6]),
        "tcp46" => (Transport::Tcp, &[ANY4, ANY6]),
        "udp4" => (Transport::Udp, &[ANY4]),
        "udp6" => (Transport::Udp, &[ANY6]),
        "udp46" => (Transport::Udp, &[ANY4, ANY6]),
        _ => return None,
    })
}

/// `*:22`, `127.0.0.1:25`, `fe80::1%lo0:123`; a port of `*` is of a socket that is not bound.
fn address(text: &str, any: IpAddr) -> Option<SocketAddr> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.split('%').next().unwrap_or(host);
    let address = if host == "*" { any } else { host.parse().ok()? };
    Some(SocketAddr::new(address, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_who_listens_where() {
        let text = "root     sendmail   1023  4   tcp4   127.0.0.1:25          *:*\n\
                    root     sshd       980   3   tcp6   *:22                  *:*\n\
                    root     syslogd    712   6   udp4   *:514                 *:*\n\
                    root     my daemon  713   6   tcp46  *:80                  *:*\n\
                    ntpd     ntpd       900   21  udp6   fe80::1%lo0:123       *:*\n\
                    ?        ?          ?     ?   tcp4   *:2049                *:*\n\
                    root     dhclient   500   5   udp4   *:*                   *:*\n\
                    USER     COMMAND    PID   FD  PROTO  LOCAL ADDRESS         FOREIGN ADDRESS\n";
        let found: Vec<_> = listeners(text)
            .iter()
            .map(|one| format!("{} {:?} {} {}", one.program, one.pid, one.transport.word(), one.at))
            .collect();
        let expected = [
            "sendmail Some(1023) tcp 127.0.0.1:25",
            "sshd Some(980) tcp [::]:22",
            "syslogd Some(712) udp 0.0.0.0:514",
            "my daemon Some(713) tcp 0.0.0.0:80",
            "my daemon Some(713) tcp [::]:80",
            "ntpd Some(900) udp [fe80::1]:123",
            " None tcp 0.0.0.0:2049",
        ];
        assert_eq!(found, expected);
    }
}
