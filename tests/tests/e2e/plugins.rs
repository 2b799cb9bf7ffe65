//! Plug-ins of third parties, as they come: shared libraries, built from the workspace `tests/plugins` when a test
//! needs one, each into a file of its own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::world::World;

/// The library of the package `name` of `tests/plugins`.
pub fn built(name: &str) -> PathBuf {
    built_with(name, &[])
}

/// The same with features, so that one package can be many plug-ins.
pub fn built_with(name: &str, features: &[&str]) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let features = features.join(",");
    // Held while cargo runs: the next features go into the same file.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(format!("{name}-{features}")).or_insert_with_key(|key| build(name, &features, key)).clone()
}

fn build(name: &str, features: &str, key: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins");
    take_versions(&workspace);
    let target = target();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--offline", "--package", name, "--features", features]);
    let status = cargo.arg("--target-dir").arg(&target).current_dir(&workspace).status().unwrap();
    assert!(status.success(), "the plug-in {name} cannot be built");
    let file = target.join(format!("{key}.so"));
    fs::copy(target.join(format!("debug/lib{}.so", name.replace('-', "_"))), &file).unwrap();
    file
}

/// Beside what the tests are built into: what all plug-ins depend on is compiled once.
pub fn target() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).expect("the test lies in PROFILE/deps");
    profile.parent().unwrap().join("plugins")
}

/// Has `workspace` use the versions that this one uses, which are on this machine already.
fn take_versions(workspace: &Path) {
    let (ours, theirs) =
        (Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock"), workspace.join("Cargo.lock"));
    let modified = |file: &Path| fs::metadata(file).and_then(|meta| meta.modified()).ok();
    if modified(&theirs) < modified(&ours) {
        fs::copy(ours, theirs).unwrap();
    }
}

impl World {
    /// Puts a library where the plug-in `name` is looked for.
    pub fn put_plugin(&self, name: &str, library: &Path) -> PathBuf {
        let dir = self.plugins();
        let file = dir.join(format!("{name}.so"));
        fs::copy(library, &file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        file
    }

    /// The directory for plug-ins, made.
    pub fn plugins(&self) -> PathBuf {
        let dir = self.root.join("plugins");
        fs::create_dir_all(&dir).unwrap();
        for dir in [&self.root, &dir] {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
        }
        dir
    }
}

#[test]
fn a_container_is_made_from_a_third_partys_release_source() {
    let world = World::new();
    world.put_plugin("acme.thing", &built("thing"));
    let said = world.run(["install", "--source", "acme.thing", "-o", "greeting=good day"]).ok();
    assert!(said.starts_with("thing-1.0-"), "{said}");
    world.run(["create", "web"]).ok();
    world.run(["start", "web"]).ok();
    assert_eq!(world.run(["exec", "web", "--", "cat", "/etc/greeting"]).ok(), "good day");
    assert_eq!(world.report("web")["release"].as_str().unwrap(), said.split(' ').next().unwrap());
    world.run(["stop", "web"]).ok();
    world.run(["delete", "web"]).ok();
    world.assert_quiet();
    world.assert_sound();
}
