//! What the fake machine has not: a back end that needs it cannot be examined there.

use qchroot_api::{ErrorKind, Info, Platform, Result};

use super::view;
use crate::FakeHost;

/// Why the back end cannot be examined on the fake machine, if it cannot: it runs programs of the host's, or what it is
/// asked first, by `attempt`, is refused for want of something.
pub(crate) fn unable(
    platform: Platform,
    info: &Info,
    attempt: impl FnOnce(&FakeHost) -> Result<()>,
) -> Option<String> {
    let host = FakeHost::new(platform);
    let has = |name: &&String| matches!(view(&host).program(name), Ok(Some(_)));
    if let Some(program) = info.programs.iter().find(|name| !has(name)) {
        return Some(format!("it has no {program}"));
    }
    // What is wrong with the back end itself is for the checks to find.
    let faults = [ErrorKind::Plugin, ErrorKind::Internal];
    attempt(&host).err().filter(|error| !faults.contains(&error.kind())).map(|error| error.to_string())
}
