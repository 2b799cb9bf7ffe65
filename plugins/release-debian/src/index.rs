//! Release files that apt keeps of its repositories. It knows their place, their origin and which of their lines
//! name the package indexes; signatures were checked by apt when it fetched them.

use qchroot_api::{Observe, Place};

use crate::bootstrap::Bootstrap;
use crate::entry::{Entry, local};
use crate::own::Own;

const LISTS: &str = "/var/lib/apt/lists";

/// What the package indexes of all repositories are known to be now, so that another state of the archive gives
/// another digest. Repositories that apt has not fetched yet have nothing to say.
pub(crate) fn fingerprints(host: &dyn Observe, bootstrap: &Bootstrap, own: &Own) -> Vec<String> {
    let mut all = Vec::new();
    for text in &bootstrap.entries {
        let entry = Entry::of_text(text).unwrap_or_else(|| Entry::of_address(text, &bootstrap.suite));
        let Some(text) = release_file(host, &entry) else { continue };
        if entry.components.is_empty() {
            all.push(text);
        } else {
            all.extend(packages_lines(&text, &entry.components, &own.arch).map(str::to_owned));
        }
    }
    all
}

/// The Release file of a repository, if apt has it.
pub(crate) fn release_file(host: &dyn Observe, entry: &Entry) -> Option<String> {
    let stem = file_stem(&entry.uri, &entry.suite);
    let read = |name: &str| host.read(&Place::host(format!("{LISTS}/{stem}_{name}"))).ok();
    local_release(host, entry).or_else(|| read("InRelease")).or_else(|| read("Release"))
}

/// The Release file of a repository on this machine; in a flat one without, its index.
fn local_release(host: &dyn Observe, entry: &Entry) -> Option<String> {
    let dir = entry.local()?;
    let dir = if entry.suite.ends_with('/') {
        format!("{dir}/{}", entry.suite)
    } else {
        format!("{dir}/dists/{}", entry.suite)
    };
    let read = |name: &str| host.read(&Place::host(format!("{dir}/{name}"))).ok();
    read("InRelease").or_else(|| read("Release")).or_else(|| read("Packages"))
}

/// Who made the repository.
pub(crate) fn origin(release: &str) -> Option<&str> {
    release.lines().find_map(|line| line.strip_prefix("Origin:")).map(str::trim)
}

/// apt's name for the files of a repository: the address without its scheme and user, `_` spelt out, `/` as `_`.
fn file_stem(uri: &str, suite: &str) -> String {
    let rest = local(uri).or_else(|| uri.split_once("://").map(|(_, rest)| rest)).unwrap_or(uri);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let whole = format!("{host}/{path}");
    format!("{}/dists/{suite}", whole.trim_end_matches('/')).replace('_', "%5f").replace('/', "_")
}

/// Lines `DIGEST SIZE PATH` of the SHA-256 section that stand for the package indexes of the components.
fn packages_lines<'a>(
    release: &'a str,
    components: &'a [String],
    arch: &'a str,
) -> impl Iterator<Item = &'a str> {
    let section = release.lines().skip_while(|line| !line.starts_with("SHA256:")).skip(1);
    let lines = section.take_while(|line| line.starts_with(' ')).map(str::trim);
    let is_index = move |path: &str| {
        components.iter().any(|component| {
            let rest = path.strip_prefix(component.as_str()).and_then(|rest| rest.strip_prefix("/binary-"));
            rest.and_then(|rest| rest.strip_prefix(arch)).is_some_and(|rest| rest.starts_with("/Packages"))
        })
    };
    lines.filter(move |line| line.rsplit(' ').next().is_some_and(is_index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_where_apt_puts_them() {
        let cases = [
            ("http://deb.debian.org/debian/", "deb.debian.org_debian_dists_bookworm"),
            ("file:/srv/debian", "_srv_debian_dists_bookworm"),
            ("copy:///srv/debian", "_srv_debian_dists_bookworm"),
            ("https://user:secret@mirror.example:8080/a_b", "mirror.example:8080_a%5fb_dists_bookworm"),
        ];
        for (uri, stem) in cases {
            assert_eq!(file_stem(uri, "bookworm"), stem);
        }
    }

    #[test]
    fn only_package_indexes_of_the_right_kind_count() {
        let release = "Origin: Debian\nDate: today\nMD5Sum:\n 0 1 main/binary-amd64/Packages\nSHA256:\n \
                       a1 10 main/binary-amd64/Packages\n a2 10 main/binary-arm64/Packages\n \
                       a3 10 contrib/binary-amd64/Packages.xz\n a4 10 non-free/binary-amd64/Packages\n \
                       a5 10 main/i18n/Translation-en\nEnd:\n a6 1 main/binary-amd64/Packages\n";
        let components = ["main".to_owned(), "contrib".to_owned()];
        let lines: Vec<_> = packages_lines(release, &components, "amd64").collect();
        assert_eq!(lines, ["a1 10 main/binary-amd64/Packages", "a3 10 contrib/binary-amd64/Packages.xz"]);
        assert_eq!(origin(release), Some("Debian"));
    }
}
