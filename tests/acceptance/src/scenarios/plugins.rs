//! A third party's plug-in, as it is shipped: found, told of, checked, and used for a container image.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::scenario::{Scenario, both};
use crate::system::{FREEBSD, ISOLATIONS};
use crate::userland::{Archive, archive, release, sha256};
use crate::world::{World, example};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        both("plugins::an_image_is_installed_by_a_plug_in_that_is_a_shared_library", image),
        both("plugins::what_is_no_plug_in_harms_nothing_else", broken),
    ]
}

const NAME: &str = "example.oci";

fn image(world: &World) {
    let file = world.put_plugin(NAME, &example(NAME));
    world.run(["plugin", "list"]).says(NAME);
    let info = world.run(["plugin", "info", NAME, "--json"]).json();
    assert_eq!((&info["name"], &info["kind"]), (&NAME.into(), &"release-source".into()));
    let small = write_image(&world.dir().join("small"), |tar| {
        let mut archive = Archive::create(tar)?;
        archive.file("bin/sh", 0o755, b"no shell\n")?;
        archive.file("etc/motd", 0o644, b"small\n")?;
        archive.finish()
    });
    world.run(["plugin", "check", file.to_str().unwrap(), "-o", &small]).ok();

    let whole = write_image(&world.dir().join("whole"), archive);
    world.run(["install", "--source", NAME, "-o", &whole]).says("is installed");
    world.create("web", "nullfs", ISOLATIONS[0]).ok();
    assert_eq!(world.sh("echo from an image; test -d /var/db").ok(), "from an image\n");
    world.run(["delete", "--wait", "web"]).ok();
    world.assert_quiet();
    world.assert_sound();
}

/// An image of one layer, as the image-layout specification wants it; the option that names it.
fn write_image(layout: &Path, write_layer: impl FnOnce(&Path) -> std::io::Result<usize>) -> String {
    fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let tar = layout.join("layer");
    write_layer(&tar).unwrap();
    let (layer, size) = into_blob(layout, &tar);
    let architecture = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    let os = if FREEBSD { "freebsd" } else { "linux" };
    let config = json!({
        "architecture": architecture, "os": os,
        "rootfs": { "type": "layers", "diff_ids": [layer] },
    });
    let (config, config_size) = text_blob(layout, &config);
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": config_size },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": size }],
    });
    let (manifest, manifest_size) = text_blob(layout, &manifest);
    let index = json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": manifest, "size": manifest_size,
            "annotations": { "org.opencontainers.image.ref.name": release() },
        }],
    });
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
    format!("image={}:{}", layout.display(), release())
}

fn text_blob(layout: &Path, content: &serde_json::Value) -> (String, u64) {
    let file = layout.join("text");
    fs::write(&file, content.to_string()).unwrap();
    into_blob(layout, &file)
}

/// Names a file by its digest; the digest and the size.
fn into_blob(layout: &Path, file: &PathBuf) -> (String, u64) {
    let (digest, size) = (sha256(file).unwrap(), fs::metadata(file).unwrap().len());
    fs::rename(file, layout.join("blobs/sha256").join(&digest)).unwrap();
    (format!("sha256:{digest}"), size)
}

fn broken(world: &World) {
    world.install().ok();
    let text = world.dir().join("text");
    fs::write(&text, "no library\n").unwrap();
    let file = world.put_plugin("acme.broken", &text);
    world.run(["plugin", "list"]).says("acme.broken");
    let checked = world.run(["plugin", "check", file.to_str().unwrap()]);
    assert_eq!(checked.status, 76, "{checked}");
    world.run(["install", "--source", "acme.broken"]).fails(76, &["acme.broken"]);
    let bytes = fs::read(example(NAME)).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    world.run(["install", "--source", "acme.broken"]).fails(76, &["acme.broken"]);
    world.create("web", "nullfs", ISOLATIONS[0]).ok();
    world.sh("echo well").says("well");
    world.run(["delete", "--wait", "web"]).ok();
    world.assert_quiet();
}
