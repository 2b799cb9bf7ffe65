//! What the host itself runs. It knows os-release(5) and names of architectures.

use qchroot_api::{Error, ErrorKind, Observe, Place, Result};

/// The host's own release.
pub(crate) struct Own {
    /// Distribution, as in `ID`.
    pub(crate) id: String,
    /// Code name.
    pub(crate) suite: String,
    /// Number; none for testing and unstable.
    number: Option<String>,
    /// Architecture by dpkg's name.
    pub(crate) arch: String,
}

impl Own {
    /// Looks at the host.
    pub(crate) fn observe(host: &dyn Observe) -> Result<Self> {
        let unfit = || {
            Error::new(
                ErrorKind::Unavailable,
                "this host is not Debian or Ubuntu, which source debian is made for",
            )
            .hint("`--source host` or `--source tarball` may do")
        };
        let text = host.read(&Place::host("/etc/os-release")).map_err(|error| unfit().cause(error))?;
        let field = |name: &str| field(&text, name);
        let id = field("ID").filter(|id| id == "debian" || id == "ubuntu").ok_or_else(unfit)?;
        let suite = field("VERSION_CODENAME").ok_or_else(unfit)?;
        Ok(Self { id, suite, number: field("VERSION_ID"), arch: architecture(host)? })
    }

    /// The suite that is wanted: the option, else `--release` by number, code name or full version, else this one.
    pub(crate) fn suite(&self, option: Option<&str>, release: Option<&str>) -> String {
        let is_own = |text: &str| Some(text) == self.number.as_deref() || text == self.version(&self.suite);
        match option.or(release) {
            Some(text) if !is_own(text) => text.to_owned(),
            _ => self.suite.clone(),
        }
    }

    /// The release's name, such as `debian-12-amd64`.
    pub(crate) fn version(&self, suite: &str) -> String {
        let number = self.number.as_deref().filter(|_| suite == self.suite).unwrap_or(suite);
        format!("{}-{}-{}", self.id, number.replace('/', "-"), self.arch)
    }

    /// What the distribution's own repositories call themselves in their Release files.
    pub(crate) fn origin(&self) -> &'static str {
        if self.id == "ubuntu" { "Ubuntu" } else { "Debian" }
    }
}

/// A value of os-release(5), its quotes removed.
fn field(text: &str, name: &str) -> Option<String> {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let value = values.next_back()?.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

/// dpkg(1): the first line of its file of architectures, which exists where there are foreign ones.
fn architecture(host: &dyn Observe) -> Result<String> {
    let file = host.read(&Place::host("/var/lib/dpkg/arch")).ok();
    let first =
        file.as_deref().and_then(|text| text.lines().next()).map(str::trim).filter(|arch| !arch.is_empty());
    match first.or_else(|| debian_name(std::env::consts::ARCH)) {
        Some(arch) => Ok(arch.to_owned()),
        None => Err(Error::new(
            ErrorKind::Unavailable,
            format!("Debian has no port to {}", std::env::consts::ARCH),
        )),
    }
}

fn debian_name(arch: &str) -> Option<&'static str> {
    Some(match arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "i386",
        "arm" => "armhf",
        "riscv64" => "riscv64",
        "powerpc64" => "ppc64el",
        "s390x" => "s390x",
        "loongarch64" => "loong64",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Own {
        pub(crate) fn example() -> Self {
            Self {
                id: "debian".into(),
                suite: "bookworm".into(),
                number: Some("12".into()),
                arch: "amd64".into(),
            }
        }
    }

    #[test]
    fn the_own_release_has_several_names() {
        for name in ["12", "bookworm", "debian-12-amd64"] {
            assert_eq!(Own::example().suite(None, Some(name)), "bookworm", "{name}");
            assert_eq!(Own::example().suite(Some(name), None), "bookworm", "{name}");
        }
        assert_eq!(Own::example().suite(Some("trixie"), None), "trixie");
        assert_eq!(Own::example().version("trixie"), "debian-trixie-amd64");
    }

    #[test]
    fn quotes_and_repetitions_in_os_release() {
        let text = "NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"11\"\nVERSION_ID='12'\nVARIANT=\n";
        assert_eq!(field(text, "VERSION_ID").as_deref(), Some("12"));
        assert_eq!(field(text, "VARIANT"), None);
        assert_eq!(field(text, "ID"), None);
    }
}
