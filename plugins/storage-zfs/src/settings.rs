//! The options of a container on ZFS, read and checked. It asks nobody anything.

use qchroot_api::{
    Error, ErrorKind, OptionKind, OptionSpec, Options, Result, check_host_trees, check_options,
    host_trees_spec, parse_size,
};

use crate::names;

/// What the limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quota {
    /// What the container holds now: zfsprops(7), refquota.
    Content,
    /// Also what its snapshots keep: zfsprops(7), quota.
    WithSnapshots,
}

impl Quota {
    /// The property that sets the limit.
    pub(crate) fn limit(self) -> &'static str {
        match self {
            Self::Content => "refquota",
            Self::WithSnapshots => "quota",
        }
    }

    /// The property that keeps the space free for the container.
    pub(crate) fn reservation(self) -> &'static str {
        match self {
            Self::Content => "refreservation",
            Self::WithSnapshots => "reservation",
        }
    }

    /// The property that tells how much of the limit is used.
    pub(crate) fn used(self) -> &'static str {
        match self {
            Self::Content => "referenced",
            Self::WithSnapshots => "used",
        }
    }
}

/// What a container's options say.
pub(crate) struct Settings {
    /// The limit in bytes, if there is one.
    pub(crate) size: Option<u64>,
    /// What it counts.
    pub(crate) quota: Quota,
    /// The whole of it is kept free.
    pub(crate) reserve: bool,
    /// Set-id bits mean nothing inside.
    pub(crate) nosuid: bool,
}

/// The options that there are.
pub(crate) fn specs() -> Vec<OptionSpec> {
    let spec = OptionSpec::new;
    vec![
        spec(
            "dataset",
            OptionKind::Text,
            "the one that containers' directories lie on",
            "the data set below which all others are made, such as tank/qchroot",
        ),
        spec("size", OptionKind::Size, "none", "what the container cannot exceed, such as 512M"),
        spec(
            "quota",
            OptionKind::Text,
            "refquota",
            "what the size counts: refquota (what it holds now) or quota (its snapshots, too)",
        ),
        spec("reserve", OptionKind::Flag, "false", "keep the whole size free for it in the pool"),
        spec("nosuid", OptionKind::Flag, "false", "set-id bits mean nothing inside"),
        host_trees_spec(),
    ]
}

impl Settings {
    /// Reads the options.
    ///
    /// # Errors
    /// Configuration, with the fact `key`.
    pub(crate) fn read(options: &Options) -> Result<Self> {
        check_options("zfs", &specs(), options)?;
        check_host_trees(options)?;
        names::option(options)?;
        let flag = |key| options.get(key).and_then(|value| value.as_bool()).unwrap_or(false);
        let settings = Self {
            size: size(options)?,
            quota: quota(options)?,
            reserve: flag("reserve"),
            nosuid: flag("nosuid"),
        };
        if settings.reserve && settings.size.is_none() {
            return Err(wrong("reserve", "there is nothing to reserve without a size".into())
                .hint("--size 512M, or leave out reserve"));
        }
        Ok(settings)
    }

    /// Properties of the container's data set, as `KEY=VALUE`.
    pub(crate) fn properties(&self) -> Vec<String> {
        let limit = |key: &str| self.size.map(|size| format!("{key}={size}"));
        let reservation = self.reserve.then(|| limit(self.quota.reservation())).flatten();
        let mount = Some("mountpoint=legacy".to_owned());
        [mount, limit(self.quota.limit()), reservation].into_iter().flatten().collect()
    }
}

fn size(options: &Options) -> Result<Option<u64>> {
    let Some(value) = options.get("size") else { return Ok(None) };
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    match number.or_else(|| value.as_str().and_then(parse_size)) {
        // To ZFS 0 is no limit at all, which nobody means who gives a size.
        Some(0) | None => {
            Err(wrong("size", format!("{value} is no size of a container")).hint("512M, or more"))
        }
        size => Ok(size),
    }
}

fn quota(options: &Options) -> Result<Quota> {
    match options.get("quota").and_then(|value| value.as_str()) {
        None | Some("refquota") => Ok(Quota::Content),
        Some("quota") => Ok(Quota::WithSnapshots),
        Some(other) => {
            Err(wrong("quota", format!("quota cannot be {other:?}")).hint("use refquota or quota"))
        }
    }
}

fn wrong(key: &str, message: String) -> Error {
    Error::new(ErrorKind::Config, message).with("key", key)
}

#[cfg(test)]
mod tests {
    use qchroot_api::toml;

    use super::*;

    #[test]
    fn what_is_wrong_names_its_key() {
        for (options, key) in [
            (toml::toml! { dataset = "/tank/q" }, "dataset"),
            (toml::toml! { dataset = "tank//q" }, "dataset"),
            (toml::toml! { dataset = "tank/../q" }, "dataset"),
            (toml::toml! { dataset = "-o" }, "dataset"),
            (toml::toml! { dataset = "tank/q@s" }, "dataset"),
            (toml::toml! { size = 0 }, "size"),
            (toml::toml! { size = (-1) }, "size"),
            (toml::toml! { size = "512X" }, "size"),
            (toml::toml! { quota = "both" }, "quota"),
            (toml::toml! { reserve = true }, "reserve"),
            (toml::toml! { host_trees = ["doc"] }, "host_trees"),
        ] {
            let error = Settings::read(&options).err().unwrap();
            assert_eq!((error.kind(), error.fact("key")), (ErrorKind::Config, Some(key)), "{error}");
        }
    }

    #[test]
    fn a_size_becomes_the_property_that_was_chosen() {
        let properties = |options| Settings::read(&options).unwrap().properties().join(" ");
        assert_eq!(properties(Options::new()), "mountpoint=legacy");
        assert_eq!(properties(toml::toml! { size = "1M" }), "mountpoint=legacy refquota=1048576");
        let whole = toml::toml! { size = 4096 quota = "quota" reserve = true };
        assert_eq!(properties(whole), "mountpoint=legacy quota=4096 reservation=4096");
    }
}
