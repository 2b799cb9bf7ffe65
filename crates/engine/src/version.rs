//! Comparing a base's release with the host's. It knows version texts, not how they are found.

/// How the release of a base stands to the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The same, or two that cannot be compared.
    Fine,
    /// The same major release, another minor one.
    OtherMinor,
    /// Another major release.
    OtherMajor,
}

/// Compares two releases such as `14.3-RELEASE-p2` and `14.2-RELEASE`, or `debian-12-amd64` and `debian-13`.
/// Releases of different families, or without numbers, cannot be compared.
#[must_use]
pub fn compare(base: &str, host: &str) -> Standing {
    match (parse(base), parse(host)) {
        (Some(a), Some(b)) if a.family == b.family => {
            if a.major != b.major {
                Standing::OtherMajor
            } else if a.minor != b.minor && a.minor.is_some() && b.minor.is_some() {
                Standing::OtherMinor
            } else {
                Standing::Fine
            }
        }
        _ => Standing::Fine,
    }
}

struct Version<'a> {
    family: &'a str,
    major: u32,
    minor: Option<u32>,
}

/// FreeBSD's releases start with their number; others with the name of their family.
fn parse(text: &str) -> Option<Version<'_>> {
    let (family, numbers) = match text.split_once('-') {
        Some((first, _)) if first.starts_with(|c: char| c.is_ascii_digit()) => ("freebsd", first),
        Some((family, rest)) => (family, rest.split('-').next()?),
        None => ("freebsd", text),
    };
    let mut numbers = numbers.split('.');
    let major = numbers.next()?.parse().ok()?;
    Some(Version { family, major, minor: numbers.next().and_then(|n| n.parse().ok()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_levels_do_not_matter_minors_warn_majors_refuse() {
        assert_eq!(compare("14.3-RELEASE", "14.3-RELEASE-p2"), Standing::Fine);
        assert_eq!(compare("14.2-RELEASE", "14.3-RELEASE"), Standing::OtherMinor);
        assert_eq!(compare("13.5-RELEASE", "14.3-RELEASE"), Standing::OtherMajor);
        assert_eq!(compare("debian-12-amd64", "debian-13"), Standing::OtherMajor);
        assert_eq!(compare("debian-12-host", "debian-12"), Standing::Fine);
    }

    #[test]
    fn what_cannot_be_compared_is_fine() {
        assert_eq!(compare("rootfs", "debian-12"), Standing::Fine);
        assert_eq!(compare("alpine-3.20", "debian-12"), Standing::Fine);
    }
}
