//! Names that become file names. It does not know of what.

/// Whether a name can be a file name of qchroot's own and says what it is on any terminal: letters, digits, dash,
/// underscore and dot, at most 64 bytes, no dash or dot in front.
pub(crate) fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.len() <= 64 && !name.starts_with(['-', '.']) && name.chars().all(allowed)
}
