//! Rules of rctl(8) as limits of this project.

/// The limit that a rule such as `jail:web:memoryuse:deny=1G/jail` sets: its name and value.
pub(crate) fn limit(rule: &str) -> Option<(String, String)> {
    let mut fields = rule.trim().split(':');
    let ("jail", Some(_), Some(resource), Some(rest), None) =
        (fields.next()?, fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return None;
    };
    let (action, amount) = rest.split_once('=')?;
    let amount = amount.strip_suffix("/jail").unwrap_or(amount);
    let (name, value) = match (resource, action) {
        ("memoryuse", "deny") => ("memory", amount.to_ascii_uppercase()),
        ("maxproc", "deny") => ("processes", amount.to_owned()),
        ("pcpu", "deny") => ("cpu", (amount.parse::<f64>().ok()? / 100.0).to_string()),
        ("readbps", "throttle") => ("read", amount.to_ascii_uppercase()),
        ("writebps", "throttle") => ("write", amount.to_ascii_uppercase()),
        _ => return None,
    };
    Some((name.into(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_one_jail_become_limits() {
        let of = |rule: &str| limit(rule).map(|(name, value)| format!("{name}={value}"));
        assert_eq!(of("jail:web:memoryuse:deny=1g/jail").as_deref(), Some("memory=1G"));
        assert_eq!(of("jail:web:pcpu:deny=150").as_deref(), Some("cpu=1.5"));
        assert_eq!(of("jail:web:maxproc:deny=200").as_deref(), Some("processes=200"));
        assert_eq!(of("jail:web:vmemoryuse:deny=1g"), None);
        assert_eq!(of("user:www:maxproc:deny=20"), None);
    }
}
