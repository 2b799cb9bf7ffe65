//! Listening sockets, from sockstat(1): those of jail 0, which is the host.

use qchroot_api::{Command, Listener, Result};

use crate::{command, sockstat};

pub(crate) fn list() -> Result<Vec<Listener>> {
    let output = command::run_well(&Command::new(["sockstat", "-46lq", "-j", "0"]))?;
    Ok(sockstat::listeners(&output.stdout))
}
