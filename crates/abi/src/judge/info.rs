//! What a back end says of itself, before it is asked for anything.

use std::collections::BTreeSet;

use qchroot_api::{Capability, Error, Info, Kind, OptionSpec};

use super::answers::is_line;
use super::programs::can_be_declared;
use super::{Verdict, refused, require, words};

/// Options, and programs.
const MOST: usize = 256;

/// Bytes of a name.
const NAME: usize = 64;

/// Judges what a back end says of itself.
///
/// # Errors
/// Plug-in.
pub(crate) fn info(info: &Info) -> Result<(), Error> {
    let name = words::one_line(&info.name, NAME);
    is_name(&info.name)
        .and_then(|()| texts(info))
        .and_then(|()| capabilities(info))
        .and_then(|()| options(info))
        .and_then(|()| programs(info))
        .map_err(|why| refused(&name, "info", &format!("says of itself {why}")))
}

fn is_name(name: &str) -> Verdict {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    let is_part = |part: &str| !part.is_empty() && part.chars().all(allowed);
    let whole = name.len() <= NAME && name.contains('.') && name.split('.').all(is_part);
    require(whole, || {
        format!("that its name is {name:?}, which is not words with dots between them, such as acme.thing")
    })
}

fn texts(info: &Info) -> Verdict {
    require(is_line(&info.summary, words::SHORT), || "what it is in more than one short line".to_owned())?;
    require(!info.platforms.is_empty(), || "that it works on no kernel".to_owned())
}

fn capabilities(info: &Info) -> Verdict {
    let odd = info.capabilities.iter().find(|capability| kind_of(**capability) != Some(info.kind));
    match odd {
        None => Ok(()),
        Some(odd) => Err(format!("that it can {odd:?}, which is not for a {}", info.kind)),
    }
}

/// Whose it is.
fn kind_of(capability: Capability) -> Option<Kind> {
    use Capability as Can;
    Some(match capability {
        Can::SharedReadOnly | Can::CopyOnWrite | Can::OwnRoot | Can::Quota | Can::Resize | Can::Check => {
            Kind::SharedStorage
        }
        Can::Snapshot | Can::Clone | Can::Export | Can::Closed => Kind::SharedStorage,
        Can::OwnMounts | Can::Limits | Can::OwnDev | Can::OwnProcesses | Can::OwnNetwork => Kind::Isolation,
        Can::Verified => Kind::ReleaseSource,
        _ => return None,
    })
}

fn options(info: &Info) -> Verdict {
    require(info.options.len() <= MOST, || format!("that it takes more than {MOST} options"))?;
    let mut keys = BTreeSet::new();
    let bad = info.options.iter().find(|spec| !is_option(spec) || !keys.insert(&spec.key));
    match bad {
        None => Ok(()),
        Some(spec) => {
            Err(format!("that it takes an option {:?}, which is not said well, or twice", spec.key))
        }
    }
}

fn is_option(spec: &OptionSpec) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_key = spec.key.starts_with(|c: char| c.is_ascii_alphabetic()) && spec.key.chars().all(allowed);
    let default = spec.default.is_empty() || is_line(&spec.default, words::SHORT);
    is_key && spec.key.len() <= NAME && default && is_line(&spec.summary, words::SHORT)
}

fn programs(info: &Info) -> Verdict {
    require(info.programs.len() <= MOST, || format!("that it runs more than {MOST} programs"))?;
    match info.programs.iter().find(|name| !can_be_declared(name)) {
        None => Ok(()),
        Some(name) => Err(format!("that it runs {name:?}, which is no name of a program, or a shell's")),
    }
}
