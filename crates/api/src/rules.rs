//! What a process of a container is held to from its first instruction on. Plain data; the host layer enforces it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Limits, OptionKind, OptionSpec, Options, Result, check_calls, kept_capabilities};

/// What a process takes on and gives up on its way inside, beside its user.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rules {
    /// Capabilities that a process can have at all, by their names in capabilities(7) in small letters and without the
    /// prefix, such as `net_bind_service`; `None` takes none away. Linux.
    #[serde(default)]
    pub capabilities: Option<Vec<String>>,
    /// Programs gain nothing from set-id bits and file capabilities; PR_SET_NO_NEW_PRIVS.
    #[serde(default)]
    pub no_new_privs: bool,
    /// System calls that are refused; `None` filters nothing. Linux.
    #[serde(default)]
    pub syscalls: Option<SyscallRules>,
    /// Limits of each process, by the names of setrlimit(2) in small letters and without the prefix, such as `nofile`.
    #[serde(default)]
    pub process_limits: BTreeMap<String, u64>,
    /// The control group that the processes are in; [`crate::GroupStep`] makes it. Linux.
    #[serde(default)]
    pub group: Option<String>,
}

/// Changes to the list of system calls that a container may not make.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyscallRules {
    /// Allowed although the list refuses them, by name.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Refused although the list allows them, by name.
    #[serde(default)]
    pub deny: Vec<String>,
}

impl Rules {
    /// The options by which the user of an isolation changes the rules; `seccomp` says whether system calls are
    /// filtered unless told otherwise.
    #[must_use]
    pub fn options(seccomp: bool) -> Vec<OptionSpec> {
        let option = OptionSpec::new;
        let seccomp = if seccomp { "true" } else { "false" };
        vec![
            option("capabilities", OptionKind::List, "none", "capabilities(7) kept beside the default ones"),
            option(
                "drop_capabilities",
                OptionKind::List,
                "none",
                "capabilities taken away; `all` for every one",
            ),
            option("no_new_privs", OptionKind::Flag, "false", "set-id programs give nobody more rights"),
            option(
                "seccomp",
                OptionKind::Flag,
                seccomp,
                "refuse system calls that programs inside have no business with",
            ),
            option(
                "allow_syscalls",
                OptionKind::List,
                "none",
                "system calls allowed although the list refuses them",
            ),
            option(
                "deny_syscalls",
                OptionKind::List,
                "none",
                "system calls refused although the list allows them",
            ),
        ]
    }

    /// The rules by those options and by the limits of each process, with the capabilities `kept` as the default.
    ///
    /// # Errors
    /// Config, with the fact `key`, for names that nothing has.
    pub fn of(options: &Options, limits: &Limits, kept: &[&str], seccomp: bool) -> Result<Self> {
        let flag = |key: &str, default| options.get(key).and_then(|value| value.as_bool()).unwrap_or(default);
        let calls =
            SyscallRules { allow: calls(options, "allow_syscalls")?, deny: calls(options, "deny_syscalls")? };
        let filters = seccomp || calls != SyscallRules::default();
        let open_files = limits.open_files.map(|count| ("nofile".to_owned(), count));
        Ok(Self {
            capabilities: kept_capabilities(options, kept)?,
            no_new_privs: flag("no_new_privs", false),
            syscalls: flag("seccomp", filters).then_some(calls),
            process_limits: open_files.into_iter().collect(),
            group: None,
        })
    }
}

fn calls(options: &Options, key: &str) -> Result<Vec<String>> {
    let items = options.get(key).and_then(|value| value.as_array()).into_iter().flatten();
    let names: Vec<String> = items
        .filter_map(|item| item.as_str())
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    check_calls(names.iter().map(String::as_str)).map_err(|error| error.with("key", key))?;
    Ok(names)
}
