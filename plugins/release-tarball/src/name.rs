//! What to call a release: text of the user's or of a file's name. It knows suffixes and nothing else.

/// The name of a file without what says how it is packed.
pub(crate) fn without_suffixes(name: &str) -> &str {
    let packed = [".gz", ".xz", ".zst", ".bz2"].iter().find_map(|suffix| name.strip_suffix(suffix));
    let name = packed.unwrap_or(name);
    let tar = [".tar", ".tgz", ".txz", ".tbz", ".tzst"].iter().find_map(|suffix| name.strip_suffix(suffix));
    tar.unwrap_or(name)
}

/// Text that may stand in the identity of a release.
pub(crate) fn safe(text: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "_.+-".contains(c) { c } else { '_' };
    let name: String = text.chars().map(allowed).skip_while(|c| ".-".contains(*c)).take(100).collect();
    if name.is_empty() { "tarball".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_releases_come_from_names_of_files() {
        for (file, name) in [
            ("alpine-minirootfs-3.20.1-x86_64.tar.gz", "alpine-minirootfs-3.20.1-x86_64"),
            ("base.txz", "base"),
            ("root fs (new).tar.zst", "root_fs__new_"),
            ("...tar", "tarball"),
            ("-rf.tar", "rf"),
            ("übung", "_bung"),
        ] {
            assert_eq!(safe(without_suffixes(file)), name, "{file}");
        }
        assert_eq!(safe(&"x".repeat(500)).len(), 100);
    }
}
