//! Listening sockets, from proc_pid_net(5), and who has them, from `/proc/PID/fd`.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};

use camino::Utf8PathBuf;
use qchroot_api::{Listener, Result, Transport};

use crate::errors::OrError;

/// The state of a TCP socket that takes connections, TCP_LISTEN of net/tcp_states.h.
const TCP_LISTEN: &str = "0A";
/// The state of a UDP socket that is not connected, TCP_CLOSE there.
const UDP_UNCONNECTED: &str = "07";

const TABLES: [(&str, Transport, &str); 4] = [
    ("tcp", Transport::Tcp, TCP_LISTEN),
    ("tcp6", Transport::Tcp, TCP_LISTEN),
    ("udp", Transport::Udp, UDP_UNCONNECTED),
    ("udp6", Transport::Udp, UDP_UNCONNECTED),
];

/// The sockets that listen in this process' network namespace.
pub(crate) fn list() -> Result<Vec<Listener>> {
    let mut found = Vec::new();
    for (name, transport, state) in TABLES {
        let path = format!("/proc/self/net/{name}");
        match fs::read_to_string(&path) {
            Ok(table) => found.extend(rows(&table, state).map(|(at, inode)| (transport, at, inode))),
            // A kernel without IPv6.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            failed => drop(failed.or_error(|| format!("cannot read {path}"))?),
        }
    }
    let owners = owners()?;
    Ok(found.into_iter().map(|(transport, at, inode)| listener(transport, at, owners.get(&inode))).collect())
}

fn listener(transport: Transport, at: SocketAddr, pid: Option<&i32>) -> Listener {
    let link = |what: &str| pid.and_then(|pid| fs::read_link(format!("/proc/{pid}/{what}")).ok());
    let name = pid.and_then(|pid| fs::read(format!("/proc/{pid}/comm")).ok()).unwrap_or_default();
    let program = String::from_utf8_lossy(&name).trim_end_matches('\n').to_owned();
    let root = link("root").and_then(|root| Utf8PathBuf::from_path_buf(root).ok()).unwrap_or_default();
    Listener { transport, at, pid: pid.copied(), program, root }
}

/// Address and inode of each line in that state: number, local address, remote address, state, … inode.
fn rows<'a>(table: &'a str, state: &'a str) -> impl Iterator<Item = (SocketAddr, u64)> + 'a {
    table.lines().skip(1).filter_map(move |line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (local, seen) = (fields.next()?, fields.nth(1)?);
        (seen == state).then_some((address(local)?, fields.nth(5)?.parse().ok()?))
    })
}

/// `0100007F:0016`: words of 32 bits as this machine reads them from memory, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (words, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(words.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let bytes: Vec<u8> = (0..words.len()).step_by(8).map(word).collect::<Option<Vec<_>>>()?.concat();
    let address = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::from(four),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
    };
    Some(SocketAddr::new(address, u16::from_str_radix(port, 16).ok()?))
}

/// The process of each socket by its inode. A process that ends meanwhile has none.
fn owners() -> Result<BTreeMap<u64, i32>> {
    let mut owners = BTreeMap::new();
    let processes = fs::read_dir("/proc").or_error(|| "cannot read /proc".into())?.flatten();
    for pid in processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()) {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        for inode in files.filter_map(|file| socket(fs::read_link(file.path()).ok()?.to_str()?)) {
            let owner = owners.entry(inode).or_insert(pid);
            *owner = pid.min(*owner);
        }
    }
    Ok(owners)
}

/// The inode in `socket:[12345]`.
fn socket(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn a_table_names_addresses_and_inodes_of_those_in_that_state() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            \x20  0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n\
            \x20  1: 0100007F:1F90 0100007F:0016 01 00000000:00000000 00:00000000 00000000     0        0 4712 1\n";
        let found: Vec<_> = rows(table, TCP_LISTEN).collect();
        assert_eq!(found, [("0.0.0.0:22".parse().unwrap(), 4711)]);
        let six = "head\n 0: 00000000000000000000000001000000:0050 0:0 0A 0:0 0:0 0 0 0 9 1\n";
        if cfg!(target_endian = "little") {
            assert_eq!(rows(six, TCP_LISTEN).next(), Some(("[::1]:80".parse().unwrap(), 9)));
        }
        assert_eq!(rows("head\n 0: 00:0050 0:0 0A 0:0 0:0 0 0 0 9 1\n", TCP_LISTEN).count(), 0);
    }

    #[test]
    fn own_sockets_are_listed_as_they_are() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("[::1]:0").unwrap();
        let all = list().unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        for (transport, at) in
            [(Transport::Tcp, tcp.local_addr().unwrap()), (Transport::Udp, udp.local_addr().unwrap())]
        {
            let found = all.iter().find(|one| one.transport == transport && one.at == at).unwrap();
            assert_eq!((found.pid, found.root.as_str()), (Some(own), "/"));
            assert!(!found.program.is_empty());
        }
        let (client, _server) =
            (std::net::TcpStream::connect(tcp.local_addr().unwrap()).unwrap(), tcp.accept());
        let connected = client.local_addr().unwrap();
        assert!(list().unwrap().iter().all(|one| one.at != connected), "it takes no connections");
    }
}
