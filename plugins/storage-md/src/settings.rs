//! The options of a container with a disk, read and checked. It knows no container and asks the host nothing but
//! which kernel it runs.

use qchroot_api::{
    DiskCheck, DiskFs, Error, ErrorKind, OptionKind, OptionSpec, Options, Platform, Result, check_host_trees,
    check_options, host_trees_spec, parse_size, size_text,
};

/// Lengths of disks are multiples of this, in bytes.
const BLOCK: u64 = 4096;

/// The largest disk: file offsets are signed; lseek(2).
const LARGEST: u64 = (1 << 63) - BLOCK;

/// What the option `check` may say.
const CHECKS: [DiskCheck; 3] = [DiskCheck::Preen, DiskCheck::Repair, DiskCheck::Refuse];

/// What a container's options say.
pub(crate) struct Settings {
    /// Bytes, a multiple of 4096; none when not given.
    size: Option<u64>,
    fs: Option<DiskFs>,
    /// The whole length is taken from the host's space at once.
    pub(crate) reserve: bool,
    /// What happens to a disk that was not unmounted in order.
    pub(crate) check: DiskCheck,
    /// Set-id bits mean nothing inside.
    pub(crate) nosuid: bool,
}

/// The options that there are.
pub(crate) fn specs() -> Vec<OptionSpec> {
    vec![
        OptionSpec::new("size", OptionKind::Size, "none", "the size of the disk, such as 512M"),
        OptionSpec::new(
            "fs",
            OptionKind::Text,
            "ext4; ufs on FreeBSD",
            "its file system: ext4, xfs or btrfs on Linux, ufs on FreeBSD",
        ),
        OptionSpec::new(
            "preallocate",
            OptionKind::Flag,
            "false",
            "take the whole size from the host's space at once",
        ),
        OptionSpec::new(
            "check",
            OptionKind::Text,
            "preen",
            "after an unclean stop: preen (harmless repairs), repair (every repair) or refuse",
        ),
        OptionSpec::new("nosuid", OptionKind::Flag, "false", "set-id bits mean nothing inside"),
        host_trees_spec(),
    ]
}

impl Settings {
    /// Reads the options.
    ///
    /// # Errors
    /// Configuration, with the fact `key`.
    pub(crate) fn read(options: &Options) -> Result<Self> {
        check_options("md", &specs(), options)?;
        check_host_trees(options)?;
        let flag = |key| options.get(key).and_then(|value| value.as_bool()).unwrap_or(false);
        let settings = Self {
            size: size(options)?,
            fs: fs(options)?,
            reserve: flag("preallocate"),
            check: check(options)?,
            nosuid: flag("nosuid"),
        };
        if let (Some(fs), Some(size)) = (settings.fs, settings.size) {
            check_size(fs, size)?;
        }
        Ok(settings)
    }

    /// The file system on a kernel.
    ///
    /// # Errors
    /// Configuration, where the other kernel's was asked for.
    pub(crate) fn fs(&self, platform: Platform) -> Result<DiskFs> {
        let usual = DiskFs::usual(platform);
        match self.fs {
            Some(fs) if fs.platform() != platform => {
                Err(wrong("fs", format!("{platform} has no file system {fs} for a disk"))
                    .hint(format!("leave out fs, or use {usual}")))
            }
            fs => Ok(fs.unwrap_or(usual)),
        }
    }

    /// The size in bytes of a disk of `fs`.
    ///
    /// # Errors
    /// Usage without one; configuration where it is too small.
    pub(crate) fn size(&self, fs: DiskFs) -> Result<u64> {
        let Some(size) = self.size else {
            return Err(Error::new(ErrorKind::Usage, "storage md needs a size for the container's disk")
                .with("key", "size")
                .hint("--size 512M, or more"));
        };
        check_size(fs, size)?;
        Ok(size)
    }
}

/// Rounds a size up to whole blocks, after looking whether a disk of `fs` can have it.
///
/// # Errors
/// Configuration, with the fact `key`.
pub(crate) fn check_size(fs: DiskFs, size: u64) -> Result<u64> {
    if size < fs.smallest() {
        let what = format!("{} is too small for a disk", size_text(size));
        let least = size_text(fs.smallest());
        return Err(wrong("size", what).cause(format!("{fs} needs {least} at least")));
    }
    if size > LARGEST {
        return Err(wrong("size", format!("{size} bytes are more than a file can have")));
    }
    Ok(size.next_multiple_of(BLOCK))
}

/// As many bytes, or a few more, as a person would type them.
pub(crate) fn size_word(bytes: u64) -> String {
    format!("{}M", bytes.div_ceil(1 << 20))
}

fn size(options: &Options) -> Result<Option<u64>> {
    let Some(value) = options.get("size") else { return Ok(None) };
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    let size = number.or_else(|| value.as_str().and_then(parse_size));
    let least_of_all = DiskFs::Ufs;
    size.map(|size| check_size(least_of_all, size)).transpose()
}

fn fs(options: &Options) -> Result<Option<DiskFs>> {
    let Some(name) = options.get("fs").and_then(|value| value.as_str()) else { return Ok(None) };
    match DiskFs::of_name(name) {
        Some(fs) => Ok(Some(fs)),
        None => Err(wrong("fs", format!("fs cannot be {name:?}"))
            .hint("use ext4, xfs or btrfs on Linux, ufs on FreeBSD")),
    }
}

fn check(options: &Options) -> Result<DiskCheck> {
    let Some(word) = options.get("check").and_then(|value| value.as_str()) else {
        return Ok(DiskCheck::Preen);
    };
    let known = CHECKS.into_iter().find(|check| check.word() == word);
    known.ok_or_else(|| {
        wrong("check", format!("check cannot be {word:?}")).hint("use preen, repair or refuse")
    })
}

fn wrong(key: &str, message: String) -> Error {
    Error::new(ErrorKind::Config, message).with("key", key)
}

#[cfg(test)]
mod tests {
    use qchroot_api::toml;

    use super::*;

    fn refused(options: &Options) -> Error {
        let error = Settings::read(options).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        error
    }

    #[test]
    fn sizes_are_rounded_up_to_blocks() {
        let settings = Settings::read(&toml::toml! { size = 16777217 }).unwrap();
        assert_eq!(settings.size(DiskFs::Ext4).unwrap(), 16_777_216 + 4096);
    }

    #[test]
    fn every_file_system_has_its_smallest_disk() {
        for (size, fs) in [("1M", "ext4"), ("64M", "btrfs"), ("299M", "xfs"), ("7M", "ufs")] {
            let error = refused(&toml::toml! { size = size fs = fs });
            assert_eq!(error.fact("key"), Some("size"), "{error}");
        }
        let settings = Settings::read(&toml::toml! { size = "64M" }).unwrap();
        assert!(settings.size(DiskFs::Xfs).is_err());
        assert!(settings.size(DiskFs::Ext4).is_ok());
    }

    #[test]
    fn a_size_that_no_file_can_have_is_refused() {
        assert_eq!(refused(&toml::toml! { size = "9000000T" }).fact("key"), Some("size"));
        assert_eq!(refused(&toml::toml! { size = (i64::MAX) }).fact("key"), Some("size"));
    }

    #[test]
    fn words_are_those_that_are_known() {
        assert_eq!(refused(&toml::toml! { fs = "ntfs" }).fact("key"), Some("fs"));
        assert_eq!(refused(&toml::toml! { check = "full" }).fact("key"), Some("check"));
        assert_eq!(refused(&toml::toml! { host_trees = ["doc"] }).fact("key"), Some("host_trees"));
    }

    #[test]
    fn the_other_kernels_file_system_is_refused() {
        let settings = Settings::read(&toml::toml! { fs = "ufs" }).unwrap();
        let error = settings.fs(Platform::Linux).unwrap_err();
        assert_eq!(error.hint_text(), Some("leave out fs, or use ext4"));
        assert_eq!(settings.fs(Platform::Freebsd).unwrap(), DiskFs::Ufs);
    }

    #[test]
    fn without_a_size_the_hint_is_one() {
        let settings = Settings::read(&Options::new()).unwrap();
        let error = settings.size(DiskFs::Ext4).unwrap_err();
        assert_eq!((error.kind(), error.fact("key")), (ErrorKind::Usage, Some("size")));
        assert!(error.hint_text().unwrap().contains("--size 512M"));
    }
}
