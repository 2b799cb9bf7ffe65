//! Machines by FreeBSD's names. It knows names and numbers, nothing of any file.

use qchroot_api::{Error, ErrorKind, Result};

/// What a world is built for: `TARGET` and `TARGET_ARCH` of build(7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) machine: String,
    pub(crate) arch: String,
    /// Whether it was asked for, rather than taken from the host.
    pub(crate) is_given: bool,
}

/// Processor families by FreeBSD's names of architectures, with the numbers that elf(5) gives them.
const FAMILIES: &[(&str, &str, &[u16])] = &[
    ("amd64", "amd64", &[62]),
    ("i386", "i386", &[3]),
    ("aarch64", "arm64", &[183]),
    ("armv6", "arm", &[40]),
    ("armv7", "arm", &[40]),
    ("riscv64", "riscv", &[243]),
    ("powerpc", "powerpc", &[20]),
    ("powerpc64", "powerpc", &[21]),
    ("powerpc64le", "powerpc", &[21]),
    ("sparc64", "sparc64", &[43]),
    ("mips", "mips", &[8]),
    ("mips64", "mips", &[8]),
    ("ia64", "ia64", &[50]),
    ("alpha", "alpha", &[0x9026]),
];

impl Target {
    /// `amd64`, `arm64/aarch64` or `arm64.aarch64`; the host's own when nothing is given.
    pub(crate) fn new(given: Option<&str>) -> Result<Self> {
        let text = given.unwrap_or_else(|| own_arch());
        let (machine, arch) = text.split_once(['/', '.']).unwrap_or(("", text));
        let known =
            FAMILIES.iter().find(|(name, family, _)| *name == arch || machine.is_empty() && *family == arch);
        let Some((arch, family, _)) = known.filter(|(_, family, _)| machine.is_empty() || *family == machine)
        else {
            return Err(Error::new(
                ErrorKind::Config,
                format!("{text:?} is no machine that FreeBSD runs on"),
            )
            .with("key", "target")
            .hint("for example amd64, i386 or arm64/aarch64; see build(7)"));
        };
        Ok(Self { machine: (*family).into(), arch: (*arch).into(), is_given: given.is_some() })
    }

    /// The name of its objects' directory: `amd64.amd64`.
    pub(crate) fn dotted(&self) -> String {
        format!("{}.{}", self.machine, self.arch)
    }

    /// Whether a program with this `e_machine` runs on it.
    pub(crate) fn runs(&self, number: u16) -> bool {
        FAMILIES.iter().any(|(arch, _, numbers)| *arch == self.arch && numbers.contains(&number))
    }
}

/// The architecture whose programs have this `e_machine`, for messages.
pub(crate) fn arch_of(number: u16) -> String {
    let found = FAMILIES.iter().find(|(_, _, numbers)| numbers.contains(&number));
    found.map_or_else(|| format!("machine {number}"), |(arch, ..)| (*arch).to_owned())
}

fn own_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "i386",
        "arm" => "armv7",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_one_or_two_names() {
        for (given, dotted) in [
            ("amd64", "amd64.amd64"),
            ("arm64", "arm64.aarch64"),
            ("aarch64", "arm64.aarch64"),
            ("arm64/aarch64", "arm64.aarch64"),
            ("powerpc.powerpc64", "powerpc.powerpc64"),
        ] {
            assert_eq!(Target::new(Some(given)).unwrap().dotted(), dotted);
        }
        for bad in ["", "vax", "amd64/aarch64", "../x"] {
            assert_eq!(Target::new(Some(bad)).unwrap_err().fact("key"), Some("target"), "{bad}");
        }
        assert!(
            Target::new(Some("amd64")).unwrap().runs(62) && !Target::new(Some("amd64")).unwrap().runs(183)
        );
    }
}
