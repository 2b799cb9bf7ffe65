//! Capabilities of Linux by their names, and those that programs of a container keep. It takes none away.

use crate::nearest::nearest;
use crate::{Error, ErrorKind, Options, Result};

/// All there are, in the order of their numbers, from 0; linux/capability.h, capabilities(7).
pub const CAPABILITIES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// What programs of a container keep unless its file says otherwise: what services and package managers need, and
/// nothing that leads out. It is what podman-run(1) keeps without `sys_chroot`, and with `audit_write` for sshd(8) and
/// cron(8).
pub const KEPT_CAPABILITIES: [&str; 11] = [
    "chown",
    "dac_override",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "net_bind_service",
    "audit_write",
    "setfcap",
];

/// The word that stands for all capabilities.
const ALL: &str = "all";

/// What is kept by the options `capabilities`, which adds to `kept`, and `drop_capabilities`, which takes away; `None`
/// takes none away. A name counts more than `all`.
///
/// # Errors
/// Config, with the fact `key`, for a name that is no capability's.
pub fn kept_capabilities(options: &Options, kept: &[&str]) -> Result<Option<Vec<String>>> {
    let (add, drop) = (words(options, "capabilities")?, words(options, "drop_capabilities")?);
    let has = |list: &[String], name: &str| list.iter().any(|word| word == name);
    let stays = |name: &&&str| match (has(&add, name), has(&drop, name)) {
        (_, true) => false,
        (true, false) => true,
        (false, false) => !has(&drop, ALL) && (has(&add, ALL) || kept.contains(*name)),
    };
    let list: Vec<String> = CAPABILITIES.iter().filter(stays).map(|&name| name.to_owned()).collect();
    Ok((list.len() < CAPABILITIES.len()).then_some(list))
}

/// The names that stand under `key`, in small letters and without their prefix.
fn words(options: &Options, key: &str) -> Result<Vec<String>> {
    let items = options.get(key).and_then(|value| value.as_array()).into_iter().flatten();
    let plain = items.filter_map(|item| item.as_str()).map(plain).filter(|name| !name.is_empty());
    plain.map(|name| check(&name).map(|()| name).map_err(|error| error.with("key", key))).collect()
}

fn plain(name: &str) -> String {
    let small = name.trim().to_ascii_lowercase();
    small.strip_prefix("cap_").map_or(small.clone(), str::to_owned)
}

fn check(name: &str) -> Result<()> {
    if name == ALL || CAPABILITIES.contains(&name) {
        return Ok(());
    }
    let error = Error::new(ErrorKind::Config, format!("there is no capability {name:?}"));
    Err(match nearest(CAPABILITIES, name) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint("capabilities(7) lists them; `all` means every one"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::toml;

    fn kept(options: &Options) -> Vec<String> {
        kept_capabilities(options, &KEPT_CAPABILITIES).unwrap().unwrap()
    }

    #[test]
    fn nothing_that_leads_out_is_kept() {
        let all = kept(&Options::new());
        assert_eq!(all.len(), KEPT_CAPABILITIES.len());
        for out in
            ["sys_chroot", "mknod", "sys_admin", "sys_ptrace", "sys_module", "sys_rawio", "dac_read_search"]
        {
            assert!(!all.contains(&out.to_owned()), "{out}");
        }
    }

    #[test]
    fn the_list_is_widened_and_narrowed_by_name() {
        let list = kept(&toml! { capabilities = ["CAP_SYS_CHROOT", "mknod"] drop_capabilities = ["kill"] });
        assert!(list.contains(&"sys_chroot".to_owned()) && list.contains(&"mknod".to_owned()));
        assert!(!list.contains(&"kill".to_owned()));
        assert_eq!(kept(&toml! { capabilities = ["chown"] drop_capabilities = ["all"] }), ["chown"]);
        assert_eq!(kept(&toml! { drop_capabilities = ["ALL"] }), [""; 0]);
        assert_eq!(kept(&toml! { capabilities = ["all"] drop_capabilities = ["sys_boot"] }).len(), 40);
        assert_eq!(kept_capabilities(&toml! { capabilities = ["all"] }, &KEPT_CAPABILITIES).unwrap(), None);
    }

    #[test]
    fn a_misspelt_name_names_the_right_one() {
        for key in ["capabilities", "drop_capabilities"] {
            let options = Options::from_iter([(key.to_owned(), vec!["sys_chrot"].into())]);
            let error = kept_capabilities(&options, &KEPT_CAPABILITIES).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert_eq!(error.hint_text(), Some("did you mean sys_chroot?"));
            assert_eq!(error.fact("key"), Some(key));
        }
    }
}
