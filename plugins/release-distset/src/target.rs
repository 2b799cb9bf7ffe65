//! What machine a userland is made for, as FreeBSD names it.

use std::env::consts::ARCH;

use qchroot_api::Result;
use qchroot_unpack::sets::Version;

use crate::settings::config;

/// `TARGET/TARGET_ARCH`; source: build(7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    machine: String,
    arch: String,
}

impl Target {
    /// The one that was asked for, or else the one that this program was built for.
    pub(crate) fn wanted(asked: Option<&str>) -> Result<Self> {
        let text = match asked {
            Some(text) => text,
            None => own(ARCH).ok_or_else(|| {
                config("target", format!("FreeBSD's name for {ARCH} is not known"))
                    .hint("give the option target")
            })?,
        };
        let word = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        match text.split_once('/') {
            Some((machine, arch)) if word(machine) && word(arch) => {
                Ok(Self { machine: machine.into(), arch: arch.into() })
            }
            _ => Err(config("target", format!("bad target {text:?}"))
                .hint("it is TARGET/TARGET_ARCH, such as amd64/amd64 or arm64/aarch64")),
        }
    }

    /// Where the release may stand below a mirror's address, the likeliest first: as on FreeBSD's own mirrors, as
    /// in its archive and everywhere before 9.0, and at the address itself.
    pub(crate) fn paths(&self, version: &Version) -> [String; 3] {
        let Self { machine, arch } = self;
        [format!("{machine}/{arch}/{version}"), format!("{machine}/{version}"), String::new()]
    }

    /// As it is written.
    pub(crate) fn text(&self) -> String {
        format!("{}/{}", self.machine, self.arch)
    }
}

/// FreeBSD's names by Rust's.
fn own(arch: &str) -> Option<&'static str> {
    Some(match arch {
        "x86_64" => "amd64/amd64",
        "aarch64" => "arm64/aarch64",
        "x86" => "i386/i386",
        "arm" => "arm/armv7",
        "riscv64" => "riscv/riscv64",
        "powerpc64" if cfg!(target_endian = "little") => "powerpc/powerpc64le",
        "powerpc64" => "powerpc/powerpc64",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_two_words() {
        assert_eq!(Target::wanted(Some("arm64/aarch64")).unwrap().text(), "arm64/aarch64");
        for bad in ["amd64", "amd64/", "/amd64", "a/../b", "../..", "AMD64/amd64", "a/b/c"] {
            assert_eq!(Target::wanted(Some(bad)).unwrap_err().fact("key"), Some("target"), "{bad}");
        }
        assert!(own(ARCH).is_some(), "{ARCH} has no name");
    }
}
