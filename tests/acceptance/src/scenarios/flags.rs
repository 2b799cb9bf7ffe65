//! File flags never stop a deletion.

use crate::scenario::{Scenario, both};
use crate::system::{self, ISOLATIONS};
use crate::world::World;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![both("flags::immutable_files_are_deleted_with_their_container_and_their_release", immutable)]
}

fn immutable(world: &World) {
    for storage in ["nullfs", "md"] {
        world.install().ok();
        world.create("web", storage, ISOLATIONS[0]).ok();
        world.sh("mkdir -p /root/a/b && echo x > /root/a/b/kept").ok();
        let kept = if storage == "nullfs" { find(&world.lib("web"), "kept") } else { None };
        if let Some(file) = &kept {
            system::make_immutable(file);
            system::make_immutable(file.parent().unwrap());
            assert!(std::fs::remove_file(file).is_err(), "it can be removed, so nothing is tried");
        }
        assert!(kept.is_some() || storage == "md", "the file is nowhere below the container's tree");
        world.run(["delete", "--wait", "web"]).ok();
        assert!(!world.lib("web").exists());
    }
    let listed = world.run(["release", "list", "--json"]).json();
    let id = listed[0]["id"].as_str().unwrap();
    let removed = world.run(["release", "remove", id]);
    assert_eq!(removed.status, 0, "{removed}");
    assert!(!world.lib("releases").join(id).exists());
    world.assert_sound();
}

/// The file of this name below a directory.
fn find(dir: &std::path::Path, name: &str) -> Option<std::path::PathBuf> {
    std::fs::read_dir(dir).ok()?.flatten().find_map(|entry| {
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_dir { find(&entry.path(), name) } else { (entry.file_name() == name).then(|| entry.path()) }
    })
}
