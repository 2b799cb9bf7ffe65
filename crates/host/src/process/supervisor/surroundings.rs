//! What a service's programs find around them: their user, their environment, their reaper. It does not know what they
//! are run for.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use nix::sys::signal::Signal;
use qchroot_api::{Credentials, Error, ErrorKind, Place, Result, ServiceRun, ServiceStep, UserName};
use qchroot_engine::{User, credentials_of, find_user};

use crate::observe;
use crate::process::enter::Passage;
use crate::process::program::Program;
use crate::process::reaper::{Errand, NEWS, Orphans, Reaper};
use crate::process::rules::Hold;

/// The variable with the number of the descriptor that a service says it is ready on.
const READY_FD: &str = "READY_FD";

/// Runs a program as the service's user, in its environment.
pub(super) fn run(
    step: &ServiceStep,
    argv: &[String],
    output: BorrowedFd<'_>,
    orphans: Orphans,
    news: Option<BorrowedFd<'_>>,
) -> Result<Reaper> {
    let user = user(step)?;
    let who = user.as_ref().map_or_else(Credentials::root, |(_, who)| who.clone());
    let mut env = environment(step, user.as_ref().map(|(user, _)| user));
    env.extend(news.map(|_| (READY_FD.to_owned(), NEWS.to_string())));
    let passage = Passage::open(&step.way, &who)?;
    let program = Program::new(&passage.words(argv), None, &env)?;
    let hold = Hold::new(step.way.rules())?;
    let (passage, hold, program, stop) = (&passage, &hold, &program, stop_signal(step)?);
    Reaper::start(&Errand { passage, hold, program, who: &who, output, orphans, stop, news })
}

fn stop_signal(step: &ServiceStep) -> Result<Option<Signal>> {
    let named = step.service.stop_signal.as_ref().map(|name| format!("SIG{name}").parse());
    named.transpose().map_err(|_| {
        Error::new(ErrorKind::Config, format!("service {} has a stop signal that is none", step.service.name))
    })
}

/// The user that a command runs as, by the container's own files; none for root.
fn user(step: &ServiceStep) -> Result<Option<(User, Credentials)>> {
    let (ServiceRun::Command { .. }, Some(name)) = (&step.service.run, &step.service.user) else {
        return Ok(None);
    };
    let passwd = observe::read(&Place::within(&step.root, "etc/passwd"))?;
    // Without the file there are no further groups.
    let group = observe::read(&Place::within(&step.root, "etc/group")).unwrap_or_default();
    let user = find_user(&passwd, name).map_err(|error| {
        let message = format!("service {} of {} cannot run as {name}", step.service.name, step.container);
        error
            .while_doing(message)
            .hint(format!("make the user inside, with `qchroot exec {}`", step.container))
    })?;
    let mut who = credentials_of(&user, &group);
    who.user = Some(UserName::Container(user.name.clone()));
    Ok(Some((user, who)))
}

/// All that a service is told of its surroundings.
fn environment(step: &ServiceStep, user: Option<&User>) -> BTreeMap<String, String> {
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let home = user.map_or("/root", |user| user.home.as_str());
    let mut env: BTreeMap<String, String> = [("PATH", path), ("HOME", home), ("LANG", "C.UTF-8")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    if let Some(user) = user {
        env.extend(["USER", "LOGNAME"].map(|key| (key.to_owned(), user.name.clone())));
    }
    env.extend(step.service.environment.clone());
    env
}
