//! Which paths of a userland are shared, by what it was made for. It knows hier(7), nothing of any machine.

use qchroot_api::Brand;

/// Directories below the root that hold programs and libraries only, the deeper part of `usr` by name. Those
/// that a userland does not have, or has as a link, stay what they are.
///
/// Sources: qchroot(8), hier(7) of FreeBSD; the Filesystem Hierarchy Standard 3.0 for Linux.
#[must_use]
pub(crate) fn shared_paths(brand: Brand) -> &'static [&'static str] {
    match brand {
        Brand::Freebsd => &[
            "bin",
            "boot",
            "lib",
            "libexec",
            "rescue",
            "sbin",
            "sys",
            "usr/bin",
            "usr/include",
            "usr/lib",
            "usr/lib32",
            "usr/libdata",
            "usr/libexec",
            "usr/sbin",
            "usr/share",
        ],
        Brand::Linux | Brand::Kfreebsd => &[
            "bin",
            "lib",
            "lib32",
            "lib64",
            "libx32",
            "sbin",
            "usr/bin",
            "usr/games",
            "usr/include",
            "usr/lib",
            "usr/lib32",
            "usr/lib64",
            "usr/libexec",
            "usr/libx32",
            "usr/sbin",
            "usr/share",
        ],
    }
}

/// Directories of the host's own trees, empty in every base.
pub(crate) const HOST_TREES: &[&str] = &["usr/src", "usr/ports"];
