//! Memory devices, md(4), by mdconfig(8): which there are and which files they show, one more, one less. It does not
//! know what is in a file, who may use it, or what is mounted.

use std::thread;
use std::time::Duration;

use camino::Utf8Path;
use qchroot_api::{Command, Error, ErrorKind, Result};
use rustix::fd::AsFd;
use rustix::fs::{fstat, stat};

use crate::attributes::identity;
use crate::errors::OrError;
use crate::mdconfig::{self, Detached, LABEL, Shown};
use crate::running::Nobody;
use crate::{clock, command};

/// A device that was written to is opened once more, when it is closed, by all who look for labels and partitions on
/// it; geom(4).
const TASTED: Duration = Duration::from_secs(2);

/// Every device that shows a file.
pub(super) fn all() -> Result<Vec<Shown>> {
    Ok(mdconfig::listed(&command::run_well(&Command::new(["mdconfig", "-l", "-v"]))?.stdout))
}

/// The devices that show this file.
pub(super) fn showing(file: impl AsFd) -> Result<Vec<Shown>> {
    let wanted = identity(&fstat(file).or_error(|| "cannot look at a file".into())?);
    let is_it = |shown: &Shown| stat(shown.file.as_str()).is_ok_and(|stat| identity(&stat) == wanted);
    Ok(all()?.into_iter().filter(is_it).collect())
}

/// Shows the file at a path, whose links are followed, as a device with our label; its name. The node is there when
/// mdconfig(8) has ended: an ioctl(2) that changes devices returns when geom(4) has come to rest.
pub(super) fn attach(path: &Utf8Path, read_only: bool) -> Result<String> {
    let mut argv = vec!["mdconfig", "-a", "-t", "vnode", "-L", LABEL, "-f", path.as_str()];
    if read_only {
        argv.extend(["-o", "readonly"]);
    }
    let message = || format!("cannot attach disk {path}");
    let output = command::run_well(&Command::new(argv)).map_err(|error| error.while_doing(message()))?;
    let name = mdconfig::attached(&output.stdout).map(str::to_owned);
    name.ok_or_else(|| Error::new(ErrorKind::System, message()).cause("mdconfig named no device"))
}

/// Takes a device away; one that is gone is fine.
///
/// # Errors
/// `Busy` for one that somebody has open.
pub(super) fn detach(name: &str) -> Result<()> {
    let argv = Command::new(["mdconfig", "-d", "-u", name]);
    let end = clock::steady() + TASTED;
    loop {
        let output = command::run(&argv, &mut Nobody)?;
        let kind = match mdconfig::detached(&output) {
            Detached::Gone => return Ok(()),
            Detached::Busy if clock::steady() < end => {
                thread::sleep(Duration::from_millis(20));
                continue;
            }
            Detached::Busy => ErrorKind::Busy,
            Detached::Failed => ErrorKind::System,
        };
        return Err(Error::new(kind, format!("cannot detach {name}"))
            .cause(output.stderr.trim())
            .hint(format!("`fstat /dev/{name}` tells who has it open")));
    }
}

/// Tells a device how long its file is. One that is longer than its file stays so: the kernel shortens none that may
/// be in use.
pub(super) fn resize(name: &str, length: u64) -> Result<()> {
    let argv = Command::new(["mdconfig", "-r", "-u", name, "-s", &format!("{length}b")]);
    let output = command::run(&argv, &mut Nobody)?;
    match mdconfig::detached(&output) {
        Detached::Gone | Detached::Busy => Ok(()),
        Detached::Failed => Err(Error::new(ErrorKind::System, format!("cannot give {name} {length} bytes"))
            .cause(output.stderr.trim())),
    }
}
