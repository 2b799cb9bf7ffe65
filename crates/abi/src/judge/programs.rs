//! Programs of the host's that plans run: those that the plug-in declared, on nothing but what the plan may act on.

use camino::Utf8Path;
use qchroot_api::{Container, Error, Info, Rules, Way, check_calls};

use super::ground::Ground;
use super::{Verdict, refused, require, verb_of};
use crate::Call;

/// Where programs of the host's lie.
const DIRECTORIES: [&str; 6] =
    ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// What only runs what it is told, so that its name says nothing.
const SHELLS: [&str; 12] =
    ["ash", "bash", "busybox", "csh", "dash", "env", "fish", "ksh", "sh", "tcsh", "xargs", "zsh"];

/// What a program may be told that is neither the container's nor named by an option.
const KERNELS: [&str; 3] = ["/dev", "/proc", "/sys"];

/// Judges the words of a program that a plan runs.
pub(super) fn judge(info: &Info, ground: &Ground, argv: &[String]) -> Verdict {
    let Some((program, words)) = argv.split_first() else {
        return Err("which is no program".to_owned());
    };
    is_declared(info, program)?;
    let clean = words.iter().all(|word| !word.chars().any(char::is_control));
    require(clean, || "whose words hold control characters".to_owned())?;
    let mut paths = words.iter().flat_map(|word| word.split(['=', ','])).filter(|part| part.starts_with('/'));
    match paths.find(|path| !is_known(ground, Utf8Path::new(path))) {
        None => Ok(()),
        Some(path) => Err(format!("and {path} is neither {}'s nor named by an option", ground.name)),
    }
}

fn is_known(ground: &Ground, path: &Utf8Path) -> bool {
    let of_kernel = KERNELS.iter().any(|dir| path.starts_with(dir) && path != *dir);
    ground.is_known(path) || (of_kernel && super::ground::is_plain(path))
}

fn is_declared(info: &Info, program: &str) -> Verdict {
    let name = match program.rsplit_once('/') {
        Some((dir, name)) if DIRECTORIES.contains(&dir) => name,
        Some(_) => return Err(format!("and {program} is not among the host's programs")),
        None => program,
    };
    require(info.programs.iter().any(|declared| declared == name), || {
        format!("and declares no program {name}: what it declares are {}", listed(&info.programs))
    })
}

fn listed(programs: &[String]) -> String {
    if programs.is_empty() { "none".to_owned() } else { programs.join(", ") }
}

/// Whether this can be declared: a bare name, and of a program that does something by itself.
pub(super) fn can_be_declared(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.+[".contains(c);
    let is_name = !name.starts_with(['-', '.']) && name.chars().all(allowed);
    !name.is_empty() && name.len() <= 64 && is_name && !SHELLS.contains(&name)
}

/// Judges the way into a container.
///
/// # Errors
/// Plug-in.
pub(crate) fn way(info: &Info, call: &Call, container: &Container, way: &Way) -> Result<(), Error> {
    let judged = match way {
        Way::Chroot { root, .. } | Way::Sandbox { root, .. } => is_root(container, root),
        Way::Jail { root, name, .. } => is_root(container, root).and_then(|()| {
            let is_name = !name.is_empty() && !name.starts_with('-') && !name.contains(['/', '=', ' ']);
            require(is_name, || "by a jail without a name".to_owned())
        }),
        Way::Command { prefix, .. } => judge(info, &Ground::of(info, call), prefix),
        _ => Err("which is not known here".to_owned()),
    };
    judged.and_then(|()| rules(container, way.rules())).map_err(|why| {
        refused(&info.name, &verb_of(call), &format!("named a way into {}, {why}", container.name))
    })
}

fn is_root(container: &Container, root: &Utf8Path) -> Verdict {
    require(root == container.root(), || format!("and {root} is not its root"))
}

fn rules(container: &Container, rules: &Rules) -> Verdict {
    let group = rules.group.as_ref().is_none_or(|group| *group == container.system_name());
    require(group, || "whose control group is another one's".to_owned())?;
    let known = |name: &String| qchroot_api::CAPABILITIES.contains(&name.as_str());
    let kept = rules.capabilities.iter().flatten().all(known);
    require(kept, || "with a capability that there is not".to_owned())?;
    let calls = rules.syscalls.iter().flat_map(|calls| calls.allow.iter().chain(&calls.deny));
    check_calls(calls.map(String::as_str)).map_err(|error| format!("and {error}"))
}
