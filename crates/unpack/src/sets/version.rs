//! Names of FreeBSD's releases, and which of them are for production. It does not know where they are published.

use std::fmt;

use qchroot_api::{Error, ErrorKind, Observe, Platform, Result};

/// What kind of release a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// `14.3-RELEASE`.
    Production,
    /// `14.3-RELEASE-p2`.
    Patched,
    /// `14.3-RC1`, `14.3-BETA2`.
    Candidate,
    /// `15.0-ALPHA1`.
    Early,
    /// `14.3-STABLE`, `15.0-CURRENT`, `14.3-PRERELEASE`: the same name, every week something else.
    Branch,
    /// Somebody's own.
    Other,
}

/// Where FreeBSD publishes a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Below `releases`.
    Releases,
    /// Below `snapshots`.
    Snapshots,
}

/// The name of a release, which is safe as the name of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    text: String,
    sort: Sort,
}

impl Version {
    /// The release that was asked for, or else the host's own without its patch level.
    ///
    /// # Errors
    /// Usage, for what cannot be the name of a release, and where the host has none to fall back to.
    pub fn wanted(asked: Option<&str>, host: &dyn Observe) -> Result<Self> {
        if let Some(text) = asked {
            return Self::parse(text);
        }
        if host.platform()? != Platform::Freebsd {
            return Err(Error::new(ErrorKind::Usage, "a release of FreeBSD must be named on this host")
                .cause("the host is not FreeBSD, so that it has no release of its own to take")
                .hint("say which one, such as --release 14.3-RELEASE"));
        }
        let own = host.host_release()?;
        Self::parse(own.split_once("-p").map_or(own.as_str(), |(release, _)| release))
    }

    /// A release by its name.
    ///
    /// # Errors
    /// Usage, for what cannot be the name of a release.
    pub fn parse(text: &str) -> Result<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if text.is_empty() || text.len() > 64 || text.starts_with(['.', '-']) || !text.chars().all(allowed) {
            return Err(Error::new(ErrorKind::Usage, format!("{text:?} cannot be the name of a release"))
                .hint("releases are named like 14.3-RELEASE"));
        }
        Ok(Self { text: text.into(), sort: sort(text) })
    }

    /// Refuses what is not for production, and another major release than the host's.
    ///
    /// # Errors
    /// Bad data, with the reason.
    pub fn refuse_unless(&self, insisted: bool, host: &dyn Observe) -> Result<()> {
        let refuse = |why: String| {
            Err(Error::new(ErrorKind::BadData, format!("{self} {why}"))
                .hint("name a production release such as 14.3-RELEASE, or say --any-release"))
        };
        if insisted {
            return Ok(());
        }
        match self.sort {
            Sort::Production => self.refuse_other_major(host),
            Sort::Patched => refuse("has a patch level: the sets are published without, as -RELEASE".into()),
            Sort::Candidate | Sort::Early => refuse("is a test version, not a production release".into()),
            Sort::Branch => refuse("is a snapshot of a branch, not a production release".into()),
            Sort::Other => refuse("is not the name of a production release".into()),
        }
    }

    fn refuse_other_major(&self, host: &dyn Observe) -> Result<()> {
        if host.platform()? != Platform::Freebsd {
            return Ok(());
        }
        let own = host.host_release()?;
        if major(&own).is_none() || major(&own) == major(&self.text) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadData, format!("{self} is another major release than the host's {own}"))
            .hint("--any-release takes it all the same; programs tied to the kernel, such as ps and top, may fail"))
    }

    /// Where FreeBSD publishes it.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self.sort {
            Sort::Early | Sort::Branch => Origin::Snapshots,
            Sort::Production | Sort::Patched | Sort::Candidate | Sort::Other => Origin::Releases,
        }
    }

    /// Whether the name always stands for the same content.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.sort != Sort::Branch
    }

    /// The number before the first dot.
    #[must_use]
    pub fn major(&self) -> Option<u32> {
        major(&self.text)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn major(text: &str) -> Option<u32> {
    text.split('.').next()?.parse().ok()
}

fn sort(text: &str) -> Sort {
    let Some((number, kind)) = text.split_once('-') else { return Sort::Other };
    let mut parts = number.split('.');
    let numbered = (2..=3).contains(&parts.clone().count())
        && parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| kind.starts_with(prefix));
    match kind {
        _ if !numbered => Sort::Other,
        "RELEASE" => Sort::Production,
        _ if is(&["RELEASE-p"]) => Sort::Patched,
        _ if is(&["RC", "BETA"]) => Sort::Candidate,
        _ if is(&["ALPHA"]) => Sort::Early,
        _ if is(&["STABLE", "CURRENT", "PRERELEASE"]) => Sort::Branch,
        _ => Sort::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_release_without_patch_level_is_for_production() {
        for (text, expected) in [
            ("14.3-RELEASE", Sort::Production),
            ("5.2.1-RELEASE", Sort::Production),
            ("14.3-RELEASE-p3", Sort::Patched),
            ("14.3-RC1", Sort::Candidate),
            ("14.3-BETA2-p1", Sort::Candidate),
            ("15.0-ALPHA3", Sort::Early),
            ("14.3-STABLE", Sort::Branch),
            ("15.0-CURRENT", Sort::Branch),
            ("14-RELEASE", Sort::Other),
            ("14.3-RELEASE2", Sort::Other),
            ("x14.3-RELEASE", Sort::Other),
            ("14.3", Sort::Other),
        ] {
            assert_eq!(sort(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        for bad in ["", "..", "../14.3-RELEASE", "14.3-RELEASE/x", "-r", "14.3 RELEASE", "14.3\nRELEASE"] {
            assert_eq!(Version::parse(bad).unwrap_err().kind(), ErrorKind::Usage, "{bad:?}");
        }
    }
}
