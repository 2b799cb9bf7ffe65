//! A look from inside a container: does a port take connections, is a file there? A process of its own looks, because
//! the network and the files are those inside. It does not know who waits for the answer.

use std::mem::ManuallyDrop;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qchroot_api::{Credentials, Error, ErrorKind, Result, ServiceStep};

use crate::beneath;
use crate::errors::OrError;
use crate::process::channel::{Received, Receiver, Sender, channel};
use crate::process::enter::{Passage, kept};
use crate::process::{fork, identity, kernel};

/// Pauses between two looks: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long the first look may take.
const FIRST: Duration = Duration::from_secs(10);

/// What is looked for.
#[derive(Clone)]
pub(super) enum Target {
    /// A TCP port that takes connections.
    Port(u16),
    /// A file.
    File(Utf8PathBuf),
}

/// See the module.
pub(super) struct Look {
    child: Pid,
    seen: Receiver<Result<bool>>,
}

impl Look {
    /// Looks for the first time, and from then on until it is there. Also whether it was there at first: a file has to
    /// be another one then, or changed.
    pub(super) fn begin(step: &ServiceStep, target: &Target) -> Result<(Self, bool)> {
        let passage = Passage::open(&step.way, &Credentials::root())?;
        let (sender, seen) = channel()?;
        let child = passage.fork(|| {
            let sender = match inside(&passage, step, sender.as_raw_fd()) {
                Ok(()) => kept(3).into(),
                Err(error) => {
                    sender.send(&Err(error));
                    return 1;
                }
            };
            watch(target, &sender);
            0
        })?;
        drop(sender);
        let mut look = Self { child, seen };
        match look.seen.receive(Some(Instant::now() + FIRST)) {
            Ok(Received::Message(Ok(is_there))) => Ok((look, is_there)),
            Ok(Received::Message(Err(error))) | Err(error) => look.end().and(Err(error)),
            Ok(Received::Closed | Received::Nothing) => look.end().and_then(|()| look_failed()),
        }
    }

    /// Has something to read when it is there.
    pub(super) fn side(&self) -> BorrowedFd<'_> {
        self.seen.as_fd()
    }

    /// Whether it is there.
    pub(super) fn turn(&mut self) -> Result<bool> {
        match self.seen.receive(Some(Instant::now()))? {
            Received::Message(answer) => answer,
            Received::Closed => look_failed(),
            Received::Nothing => Ok(false),
        }
    }

    /// Looks no more.
    pub(super) fn end(self) -> Result<()> {
        // A child that was not waited for keeps its number; one that has ended is fine.
        let _ = kill(self.child, Signal::SIGKILL);
        fork::wait(self.child).or_error(|| "cannot wait for a child".into()).map(drop)
    }
}

fn look_failed<T>() -> Result<T> {
    Err(Error::new(ErrorKind::System, "cannot look from inside the container"))
}

/// In the child: goes inside, with no descriptor but the one that tells.
fn inside(passage: &Passage, step: &ServiceStep, keep: i32) -> Result<()> {
    kernel::set_name(c"qchroot-look");
    kernel::die_with_parent(Signal::SIGKILL).or_error(|| "cannot tie a look to its supervisor".into())?;
    identity::silence()?;
    if passage.takes_users() {
        passage.go(Utf8Path::new("/"), &[keep])?;
    } else {
        let root = ManuallyDrop::new(beneath::open_root(&step.root)?);
        identity::enter_root(root.as_fd(), Utf8Path::new("/"), &[keep])?;
    }
    identity::close_others(&[keep])
}

fn watch(target: &Target, sender: &Sender<Result<bool>>) {
    let before = seen(target);
    sender.send(&Ok(before.is_some()));
    let mut pause = PAUSES.0;
    while sender.is_heard() {
        match (target, seen(target)) {
            (_, None) => {}
            (Target::File(_), now) if now == before => {}
            _ => return sender.send(&Ok(true)),
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// What tells one thing that is there from another.
type Trace = (u64, u64, i64, i64);

fn seen(target: &Target) -> Option<Trace> {
    match target {
        Target::Port(port) => addresses(*port).into_iter().any(takes_connections).then_some((0, 0, 0, 0)),
        Target::File(path) => {
            use std::os::unix::fs::MetadataExt;
            let file = std::fs::metadata(path).ok()?;
            Some((file.dev(), file.ino(), file.ctime(), file.ctime_nsec()))
        }
    }
}

/// The loopback addresses, and those that the interfaces have.
fn addresses(port: u16) -> Vec<SocketAddr> {
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let mut all: Vec<SocketAddr> = loopback.map(|address| SocketAddr::new(address, port)).into();
    for interface in nix::ifaddrs::getifaddrs().into_iter().flatten() {
        let Some(address) = interface.address else { continue };
        let v4 = address.as_sockaddr_in().map(|v4| SocketAddrV4::from(*v4).into());
        let v6 = || address.as_sockaddr_in6().map(|v6| SocketAddrV6::from(*v6).into());
        if let Some(mut own) = v4.or_else(v6) {
            SocketAddr::set_port(&mut own, port);
            if !all.contains(&own) {
                all.push(own);
            }
        }
    }
    all
}

fn takes_connections(address: SocketAddr) -> bool {
    let Ok(stream) = TcpStream::connect_timeout(&address, PATIENCE) else { return false };
    // A connection from a port of the system's choice can meet itself where nobody listens.
    stream.local_addr().is_ok_and(|own| own != address)
}
