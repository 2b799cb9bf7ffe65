//! What a test server sends: files, the faults that strike them, and a record of who asked for what.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How a request is spoiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// HTTP: answer with this status and no content. FTP: 4xx and 5xx alike mean that the file is not sent.
    Status(u16),
    /// Close the connection after this many bytes of the content, counted from what was asked for.
    CloseAfter(u64),
    /// Send no more after this many bytes until [`HttpServer::release`](super::HttpServer::release) or
    /// [`FtpServer::release`](super::FtpServer::release).
    StallAfter(u64),
    /// Claim that the whole file has this many bytes.
    ClaimLength(u64),
    /// Tell no length.
    HideLength,
    /// Send the whole file, whatever part was asked for. FTP: do not know REST.
    IgnoreRange,
    /// Tell nothing that changes with the content. FTP: do not know MDTM.
    HideVersion,
    /// HTTP: lead somewhere else. An address or a path.
    Redirect(String),
    /// HTTP: say this instead, but to those who send the field `unless` with this value.
    Answer {
        /// The status.
        status: u16,
        /// Header fields.
        fields: Vec<(String, String)>,
        /// The content.
        body: Vec<u8>,
        /// Name in lower case, and value.
        unless: Option<(String, String)>,
    },
    /// From this request on, the file is another one.
    Become(Vec<u8>),
    /// FTP: know PASV only.
    NoEpsv,
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// HTTP: the request's target as it stands in its first line. FTP: the path.
    pub target: String,
    /// Bytes to skip.
    pub from: u64,
    /// HTTP: header fields, names in lower case. FTP: `user` and `pass`.
    pub fields: BTreeMap<String, String>,
}

#[derive(Default)]
pub(super) struct State {
    directory: Option<PathBuf>,
    files: BTreeMap<String, Vec<u8>>,
    once: BTreeMap<String, VecDeque<Fault>>,
    always: BTreeMap<String, Vec<Fault>>,
    requests: Vec<Request>,
    released: bool,
    pub(super) closed: bool,
}

/// A server's files, shared by all its threads.
#[derive(Clone, Default)]
pub(super) struct Files {
    state: Arc<Mutex<State>>,
    changed: Arc<Condvar>,
}

impl Files {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    /// Calls `serve` for each connection, in a thread of its own, until the server is closed.
    pub(super) fn listen(&self, serve: fn(&Files, TcpStream)) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("the server has an address");
        let files = self.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if files.state().closed {
                    return;
                }
                let files = files.clone();
                thread::spawn(move || serve(&files, stream));
            }
        });
        address
    }

    /// Ends the server at this address.
    pub(super) fn close(&self, address: SocketAddr) {
        self.change(|state| (state.closed, state.released) = (true, true));
        let _ = TcpStream::connect_timeout(&address, Duration::from_secs(1));
    }

    /// Waits until `enough` says so of the requests, for half a minute at most.
    pub(super) fn wait(&self, enough: impl Fn(&[Request]) -> bool) {
        let limit = Duration::from_secs(30);
        let state = self.state();
        let waiting = |state: &mut State| !enough(&state.requests);
        let (state, timeout) =
            self.changed.wait_timeout_while(state, limit, waiting).unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "this was not enough: {:#?}", state.requests);
    }

    /// Puts a request on record; the faults that strike it.
    pub(super) fn ask(&self, path: &str, request: Request) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.change(|state| {
            state.requests.push(request);
            faults.extend(state.once.get_mut(path).and_then(VecDeque::pop_front));
            faults.extend(state.always.get(path).cloned().unwrap_or_default());
            for fault in &faults {
                if let Fault::Become(content) = fault {
                    state.files.insert(path.to_owned(), content.clone());
                }
            }
        });
        faults
    }

    /// Adds to the last request for `path` how many bytes it skips.
    pub(super) fn record_offset(&self, path: &str, from: u64) {
        self.change(|state| {
            let mut last = state.requests.iter_mut().rev().filter(|request| request.target == path);
            last.next().expect("the request is on record").from = from;
        });
    }

    pub(super) fn content(&self, path: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let on_disk = || std::fs::read(state.directory.as_ref()?.join(path.trim_start_matches('/'))).ok();
        state.files.get(path).cloned().or_else(on_disk)
    }

    /// Names of the files whose path begins with `directory`.
    pub(super) fn names(&self, directory: &str) -> Vec<String> {
        let prefix = format!("{}/", directory.trim_end_matches('/'));
        let state = self.state();
        state.files.keys().filter_map(|path| path.strip_prefix(&prefix)).map(ToOwned::to_owned).collect()
    }

    /// Sends `content` as the faults allow. An error means that the connection is to be closed at once.
    pub(super) fn send(&self, to: &mut impl Write, content: &[u8], faults: &[Fault]) -> io::Result<()> {
        for fault in faults {
            match fault {
                Fault::CloseAfter(bytes) => {
                    to.write_all(&content[..up_to(content, *bytes)])?;
                    to.flush()?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Fault::StallAfter(bytes) => {
                    let (before, after) = content.split_at(up_to(content, *bytes));
                    to.write_all(before)?;
                    to.flush()?;
                    let state = self.state();
                    drop(self.changed.wait_while(state, |state| !state.released));
                    return to.write_all(after);
                }
                _ => {}
            }
        }
        to.write_all(content)
    }
}

fn up_to(content: &[u8], bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX).min(content.len())
}

/// Something that is another one for other content.
pub(super) fn version(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

/// What both servers offer to a test.
macro_rules! controls {
    ($server:ident) => {
        impl $server {
            /// Sends `content` for `path`, which begins with a slash.
            pub fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
                self.files.put(path, content.into());
            }

            /// Spoils the next request for `path` that no other fault is waiting for.
            pub fn fault_once(&self, path: &str, fault: Fault) {
                self.files.fault_once(path, fault);
            }

            /// Spoils every request for `path`.
            pub fn fault(&self, path: &str, fault: Fault) {
                self.files.fault(path, fault);
            }

            /// Takes back what [`Self::fault`] and [`Self::fault_once`] arranged for `path`.
            pub fn heal(&self, path: &str) {
                self.files.heal(path);
            }

            /// Lets those go on who were stalled.
            pub fn release(&self) {
                self.files.release();
            }

            /// All requests so far.
            #[must_use]
            pub fn requests(&self) -> Vec<Request> {
                self.files.requests()
            }

            /// How many bytes each request for `path` wanted to skip.
            #[must_use]
            pub fn offsets(&self, path: &str) -> Vec<u64> {
                let all = self.requests().into_iter();
                all.filter(|request| request.target.ends_with(path)).map(|request| request.from).collect()
            }

            /// Waits until `enough` says so of the requests so far.
            pub fn wait(&self, enough: impl Fn(&[Request]) -> bool) {
                self.files.wait(enough);
            }
        }

        impl Drop for $server {
            fn drop(&mut self) {
                self.files.close(self.address);
            }
        }
    };
}
pub(super) use controls;

impl Files {
    pub(super) fn serve_directory(&self, directory: &Path) {
        self.change(|state| state.directory = Some(directory.to_owned()));
    }

    pub(super) fn put(&self, path: &str, content: Vec<u8>) {
        self.change(|state| drop(state.files.insert(path.to_owned(), content)));
    }

    pub(super) fn fault_once(&self, path: &str, fault: Fault) {
        self.change(|state| state.once.entry(path.to_owned()).or_default().push_back(fault));
    }

    pub(super) fn fault(&self, path: &str, fault: Fault) {
        self.change(|state| state.always.entry(path.to_owned()).or_default().push(fault));
    }

    pub(super) fn heal(&self, path: &str) {
        self.change(|state| {
            state.always.remove(path);
            state.once.remove(path);
        });
    }

    pub(super) fn release(&self) {
        self.change(|state| state.released = true);
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }
}
