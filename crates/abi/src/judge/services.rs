//! Services that an isolation brings along: names that are file names, and programs inside.

use qchroot_api::{Error, Info, Ready, Service, ServiceRun};

use super::ground::is_plain;
use super::{Verdict, refused, require};

/// Services of one isolation.
const MOST: usize = 64;

/// The longest wait that is meant, in seconds: a day.
const LONGEST: u64 = 86_400;

/// Judges all services.
///
/// # Errors
/// Plug-in, with the service.
pub(crate) fn services(info: &Info, services: &[Service]) -> Result<(), Error> {
    let refuse = |message: String| Err(refused(&info.name, "services", &message));
    if services.len() > MOST {
        return refuse(format!("brings {} services along, more than {MOST}", services.len()));
    }
    for (number, service) in services.iter().enumerate() {
        let twice = services.iter().take(number).any(|other| other.name == service.name);
        let judged = require(!twice, || "which there is already".to_owned()).and_then(|()| one(service));
        if let Err(why) = judged {
            return refuse(format!("brings along a service {:?}, {why}", service.name));
        }
    }
    Ok(())
}

fn one(service: &Service) -> Verdict {
    let others = service.after.iter().chain(&service.requires);
    let names = [&service.name].into_iter().chain(others).all(|name| is_name(name));
    require(names, || "whose name, or that of one it needs, is none".to_owned())?;
    run(&service.run)?;
    require(service.ready.as_ref().is_none_or(is_ready), || {
        "of which nobody can tell when it is ready".to_owned()
    })?;
    let times =
        service.ready_timeout.iter().chain(service.health.iter().flat_map(|h| [&h.interval, &h.timeout]));
    let sane = times.into_iter().all(|seconds| (1..=LONGEST).contains(seconds));
    require(sane, || "whose times are none that can be waited".to_owned())?;
    let health = service.health.as_ref().is_none_or(|health| is_argv(&health.command) && health.retries > 0);
    require(health, || "of which nobody can ask whether it is well".to_owned())?;
    let signal = service.stop_signal.as_ref().is_none_or(|name| is_word(name));
    let user = service.user.as_ref().is_none_or(|name| !name.is_empty() && !has_controls(name));
    require(signal && user, || "whose user or signal is none".to_owned())?;
    let variables = service.environment.iter().all(|(key, value)| is_word(key) && !value.contains('\0'));
    require(variables, || "with a variable that cannot be".to_owned())
}

fn run(run: &ServiceRun) -> Verdict {
    let whole = match run {
        ServiceRun::Script { path, start, stop } => is_plain(path) && is_word(start) && is_word(stop),
        ServiceRun::Programs { start, stop } => is_argv(start) && is_argv(stop),
        ServiceRun::Command { argv } => is_argv(argv),
        _ => false,
    };
    require(whole, || "which is started or stopped by nothing that can be run".to_owned())
}

fn is_ready(ready: &Ready) -> bool {
    match ready {
        Ready::Port { port } => *port > 0,
        Ready::File { path } => is_plain(path),
        Ready::Command { argv } => is_argv(argv),
        _ => true,
    }
}

/// The rule for names of services and of what else becomes a file name.
fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.len() <= 64 && !name.starts_with(['-', '.']) && name.chars().all(allowed)
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_argv(argv: &[String]) -> bool {
    argv.first().is_some_and(|program| !program.is_empty()) && argv.iter().all(|word| !word.contains('\0'))
}

fn has_controls(text: &str) -> bool {
    text.chars().any(char::is_control)
}
