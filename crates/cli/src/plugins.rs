//! The back ends in the tree. Naming them here is what links them; they register themselves.

use qchroot_isolation_chroot as _;
use qchroot_isolation_jail as _;
use qchroot_isolation_namespaces as _;
use qchroot_release_buildworld as _;
use qchroot_release_debian as _;
use qchroot_release_distset as _;
use qchroot_release_host as _;
use qchroot_release_media as _;
use qchroot_release_minimal as _;
use qchroot_release_pkgbase as _;
use qchroot_release_tarball as _;
use qchroot_storage_md as _;
use qchroot_storage_nullfs as _;
use qchroot_storage_overlay as _;
use qchroot_storage_tree as _;
use qchroot_storage_zfs as _;

#[cfg(test)]
mod tests {
    use qchroot_engine::Registry;

    #[test]
    fn every_back_end_of_the_tree_is_linked_once() {
        let registry = Registry::linked().unwrap();
        let names: Vec<String> = registry.infos().into_iter().map(|info| info.name).collect();
        let known = [
            "buildworld",
            "debian",
            "distset",
            "host",
            "media",
            "minimal",
            "pkgbase",
            "tarball",
            "md",
            "nullfs",
            "overlay",
            "tree",
            "zfs",
            "chroot",
            "jail",
            "namespaces",
        ];
        assert_eq!(names, known);
    }
}
