//! The life of a process that one plug-in runs in: this program, executed again. It does not know what it is asked.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use camino::Utf8PathBuf;
use nix::libc;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::setsid;
use qchroot_api::Result;
use rustix::fs::{FileType, Mode, OFlags, fstat, open};

use super::enter::kept;
use super::{identity, kernel};
use crate::errors::OrError;

/// The hidden first argument.
pub(super) const WORD: &str = "serve-plugin";

/// Becomes the process of a plug-in when this program was started as one, and does not return then. The program's `main`
/// calls it before anything else.
pub fn plugin_main() {
    let mut words = std::env::args().skip(1);
    let (Some(word), Some(file), None) = (words.next(), words.next(), words.next()) else { return };
    if word != WORD || !stdin_is_socket() {
        return;
    }
    let status = i32::from(serve(file.into()).is_err());
    // SAFETY: ends this process at once: neither threads that the plug-in left running nor what its library wants done
    // at the end have a say.
    unsafe { libc::_exit(status) }
}

fn stdin_is_socket() -> bool {
    fstat(rustix::stdio::stdin()).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Socket)
}

fn serve(file: Utf8PathBuf) -> Result<()> {
    // What a terminal sends to its processes is meant for the program; it tells on.
    setsid().or_error(|| "cannot begin a session".into())?;
    kernel::die_with_parent(Signal::SIGKILL).or_error(|| "cannot tie a plug-in to qchroot".into())?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0).or_error(|| "cannot do without core dumps".into())?;
    identity::close_others(&[0])?;
    let stream = UnixStream::from(kept(3));
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .or_error(|| "cannot open /dev/null".into())?;
    identity::set_stdio([Some(null.as_fd()), None, None])?;
    drop(null);
    qchroot_abi::serve(stream, qchroot_abi::open(&file))
}
