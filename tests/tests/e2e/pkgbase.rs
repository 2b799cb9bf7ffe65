//! FreeBSD's base system from packages, installed for real by a stand-in for pkg(8) that knows its words.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use nix::mount::{MsFlags, mount};
use tar::{Builder, Header};

use crate::pool::is_inside;
use crate::program::Ran;
use crate::world::World;

const STAND_IN: &str = include_str!("pkgbase.sh");

const FILES: &[(&str, u32)] = &[
    ("bin/sh", 0o555),
    ("etc/passwd", 0o644),
    ("libexec/ld-elf.so.1", 0o555),
    ("usr/bin/su", 0o4555),
    ("usr/lib/libc.so", 0o444),
];

/// A world with pkg(8) among the system's programs, and a repository.
fn world() -> (World, PathBuf) {
    let world = World::new();
    let (programs, repository) = (world.dir().join("programs"), world.dir().join("repository"));
    let keys = world.dir().join("keys/trusted");
    [&programs, &repository, &keys].iter().for_each(|dir| fs::create_dir_all(dir).unwrap());
    fs::write(keys.join("awskms-15"), "fingerprint").unwrap();
    fs::write(programs.join("pkg"), STAND_IN).unwrap();
    fs::set_permissions(programs.join("pkg"), fs::Permissions::from_mode(0o755)).unwrap();
    let layers = format!("lowerdir={}:/usr/sbin", programs.display());
    mount(Some("programs"), "/usr/sbin", Some("overlay"), MsFlags::empty(), Some(layers.as_str())).unwrap();
    fs::write(repository.join("data.pkg"), "FreeBSD-set-minimal-jail\n").unwrap();
    let mut tar = Builder::new(vec![]);
    for (path, mode) in FILES {
        let mut header = Header::new_ustar();
        header.set_mode(*mode);
        header.set_size(path.len() as u64);
        tar.append_data(&mut header, path, path.as_bytes()).unwrap();
    }
    fs::write(repository.join("FreeBSD-set-minimal-jail.tar"), tar.into_inner().unwrap()).unwrap();
    (world, repository)
}

fn install(world: &World, more: &[&str]) -> Ran {
    let url = format!("url=file://{}/repository", world.dir().display());
    let keys = format!("keys={}/keys", world.dir().display());
    let args = ["install", "--source", "pkgbase", "--release", "15.0-RELEASE", "-o", &url, "-o", &keys];
    world.run(args.iter().chain(more))
}

#[test]
fn packages_become_a_base() {
    if !is_inside("pkgbase::packages_become_a_base") {
        return;
    }
    let (world, repository) = world();
    let said = install(&world, &[]).ok();
    assert!(said.starts_with("15.0-RELEASE-") && said.ends_with(" is installed\n"), "{said}");
    let mode = fs::metadata(world.lib("sharedfs/usr/bin/su")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o4555);
    let template = world.lib("template");
    assert_eq!(fs::read_to_string(template.join("etc/passwd")).unwrap(), "etc/passwd");
    assert_eq!(fs::read_to_string(template.join("var/db/pkg/local")).unwrap(), "FreeBSD-set-minimal-jail\n");
    assert_eq!(
        fs::read_dir(template.join("var/cache/pkg")).unwrap().count(),
        0,
        "no package is left lying about"
    );
    let conf = fs::read_to_string(template.join("usr/local/etc/pkg/repos/FreeBSD-base.conf")).unwrap();
    assert_eq!(conf, "FreeBSD-base: { enabled: no }\n");

    assert_eq!(install(&world, &[]).ok(), said, "the same packages are the same release");
    fs::write(repository.join("data.pkg"), "FreeBSD-set-minimal-jail\nFreeBSD-zoneinfo\n").unwrap();
    assert_ne!(install(&world, &[]).ok(), said, "other packages are another one");
    world.assert_sound();
}

#[test]
fn what_pkg_refuses_leaves_nothing() {
    if !is_inside("pkgbase::what_pkg_refuses_leaves_nothing") {
        return;
    }
    let (world, repository) = world();
    install(&world, &["-o", "packages=FreeBSD-set-base"]).fails(
        71,
        &[
            "pkg install ended with status 1",
            "No packages available to install matching 'FreeBSD-set-base'",
            "install.log",
        ],
    );
    install(&world, &["-o", "keys=none"]).fails(65, &["without signatures"]);
    fs::remove_file(repository.join("data.pkg")).unwrap();
    install(&world, &[]).fails(66, &["is no repository of packages"]);
    assert_eq!(world.run(["release", "list", "--json"]).json(), serde_json::json!([]));
    world.assert_sound();
}
