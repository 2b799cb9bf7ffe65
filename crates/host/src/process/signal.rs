//! Sends a signal to processes of a container. It signals nothing but what the kernel says, at that moment, is the
//! container's.

use std::str::FromStr;

use camino::Utf8Path;
use nix::sys::signal::Signal;
use qchroot_api::{Error, ErrorKind, Name, Result};

use super::member::Members;

/// Sends the signal with the name or number `signal` to `pids`, or, where there are none, to all but the container's
/// init and what qchroot itself runs inside. Either each of `pids` is the container's, or none is sent anything.
///
/// # Errors
/// Usage for what is no signal; not found for what is no process of the container's.
pub(crate) fn send(container: &Name, root: &Utf8Path, pids: &[i32], signal: &str) -> Result<()> {
    let signal = parse(signal)?;
    let members = Members::of(root);
    if pids.is_empty() {
        return members.all()?.iter().try_for_each(|process| process.signal(signal));
    }
    let held = pids.iter().map(|&pid| members.hold(pid)?.ok_or_else(|| not_inside(container, pid)));
    held.collect::<Result<Vec<_>>>()?.iter().try_for_each(|process| process.signal(signal))
}

fn not_inside(container: &Name, pid: i32) -> Error {
    Error::new(ErrorKind::NotFound, format!("process {pid} is not in {container}"))
        .with("container", container)
        .with("pid", pid)
        .hint(format!("`qchroot ps {container}` shows its processes by their numbers on the host"))
}

fn parse(text: &str) -> Result<Signal> {
    let name = text.to_ascii_uppercase();
    let by_name = || Signal::from_str(&format!("SIG{}", name.trim_start_matches("SIG"))).ok();
    let by_number = || Signal::try_from(text.parse::<i32>().ok()?).ok();
    by_number().or_else(by_name).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("there is no signal {text:?}"))
            .with("signal", text)
            .hint("signals are named as in signal(7), such as HUP, TERM or 9")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        for text in ["HUP", "hup", "SIGHUP", "1"] {
            assert_eq!(parse(text).unwrap(), Signal::SIGHUP, "{text}");
        }
        for text in ["", "NOSUCH", "0", "-9", "999"] {
            assert_eq!(parse(text).unwrap_err().kind(), ErrorKind::Usage, "{text}");
        }
    }
}
