//! Images that are not in order: each is refused, with what is wrong and what to do.

use std::fs;

use qchroot_api::{Error, ErrorKind};
use serde_json::{Value, json};
use tar::EntryType;

use crate::support::{Image, LAYER, Tar, architecture, digest, gzip};
use crate::world::World;

#[track_caller]
fn says(error: &Error, kind: ErrorKind, words: &[&str]) {
    let text = format!("{error} {:?}", error.hint_text());
    assert_eq!(error.kind(), kind, "{text}");
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
    assert!(error.hint_text().is_some(), "no hint: {text}");
}

/// What an install of the layout says.
fn refused(image: &Image, manifests: &[Value]) -> Error {
    let world = World::new();
    world.install(&[("image", &world.layout(image, manifests))]).unwrap_err()
}

fn simple() -> (Image, Value) {
    Image::of([Tar::new().file("a", "a")]).finished()
}

#[test]
fn content_must_have_its_digest() {
    let (image, manifest) = simple();
    for n in 0..image.blobs.len() {
        let (world, mut files) = (World::new(), image.files(std::slice::from_ref(&manifest)));
        let layout = world.layout(&image, std::slice::from_ref(&manifest));
        *files[n].1.last_mut().unwrap() ^= 1;
        fs::write(world.path("layout").join(&files[n].0), &files[n].1).unwrap();
        let error = world.install(&[("image", &layout)]).unwrap_err();
        says(&error, ErrorKind::BadData, &["has the digest", "expected is", &digest(&image.blobs[n])]);
        fs::remove_file(world.path("layout").join(&files[n].0)).unwrap();
        let error = world.install(&[("image", &layout)]).unwrap_err();
        says(&error, ErrorKind::BadData, &["has no blobs/sha256/", "not complete"]);
    }
}

#[test]
fn a_layer_must_be_what_the_configuration_says() {
    let plain = Tar::new().file("a", "a").bytes();
    let mut image = Image::default().layer(&plain, gzip(&plain), LAYER);
    image.diff_ids = vec![digest(b"another")];
    let (image, manifest) = image.finished();
    says(
        &refused(&image, &[manifest]),
        ErrorKind::BadData,
        &["layer 1 of 1, decompressed", &digest(b"another")],
    );
    let mut image = Image::default().layer(&plain, gzip(&plain), LAYER);
    image.diff_ids.push(digest(b"one more"));
    let (image, manifest) = image.finished();
    says(&refused(&image, &[manifest]), ErrorKind::BadData, &["1 layers, the configuration 2"]);
    let (image, manifest) =
        Image::default().layer(&plain, plain.clone(), &format!("{LAYER}+encrypted")).finished();
    says(
        &refused(&image, &[manifest]),
        ErrorKind::BadData,
        &["unknown type", "+encrypted", "encrypted ones cannot"],
    );
    let cut = &plain[..600];
    let (image, manifest) = Image::default().layer(cut, gzip(cut), LAYER).finished();
    says(&refused(&image, &[manifest]), ErrorKind::BadData, &["cannot read layer 1 of 1"]);
}

#[test]
fn no_entry_leads_out() {
    for layer in [
        Tar::new().file("../evil", ""),
        Tar::new().file("a/../../evil", ""),
        Tar::new().file("a", "").hard("b", "../../etc/passwd"),
        Tar::new().hard("b", "/etc/passwd"),
        Tar::new().link("a", "b").link("b", "a").file("a/x", ""),
        Tar::new().entry("", EntryType::Regular, 0o644, "", b""),
        Tar::new().entry("odd", EntryType::new(b'?'), 0o644, "", b""),
    ] {
        says(&World::refused([layer]), ErrorKind::BadData, &["bad entry"]);
    }
    let world = World::with([
        Tar::new().link("out", "/etc").link("up", "../../../etc"),
        Tar::new().file("out/x", "1"),
    ]);
    assert_eq!(world.names("etc"), ["x"]);
    assert_eq!(fs::read_link(world.tree("up")).unwrap().to_str(), Some("../../../etc"));
}

#[test]
fn the_platform_is_chosen_or_those_that_there_are_are_told() {
    let mut image = Image::of([Tar::new().file("a", "a")]);
    let platforms = [("linux", "sparc64"), ("freebsd", "amd64"), ("linux", architecture())];
    let manifests = platforms.map(|(os, architecture)| {
        let mut one = image.manifest(os, architecture);
        one["platform"] = json!({ "os": os, "architecture": architecture });
        one
    });
    let world = World::new();
    let layout = world.layout(&image, &manifests);
    let of = |options: &[(&str, &str)]| world.resolve(&[options, &[("image", layout.as_str())]].concat());
    let digest_of = |n: usize| manifests[n]["digest"].as_str().unwrap().replace("sha256:", "");
    assert_eq!(of(&[]).unwrap().digest, digest_of(2));
    let freebsd = of(&[("platform", "freebsd/amd64")]).unwrap();
    assert_eq!((freebsd.digest, freebsd.brand), (digest_of(1), qchroot_api::Brand::Freebsd));
    assert!(freebsd.version.ends_with("-amd64"), "{}", freebsd.version);
    let error = of(&[("platform", "linux/m68k")]).unwrap_err();
    says(&error, ErrorKind::NotFound, &["linux/m68k", "freebsd/amd64, linux/", "linux/sparc64"]);
    says(&of(&[("platform", "linux")]).unwrap_err(), ErrorKind::Config, &["\"linux\" is no platform"]);
    let mut alone = Image::of([Tar::new().file("a", "a")]);
    let manifest = alone.manifest("linux", "sparc64");
    says(&refused(&alone, &[manifest]), ErrorKind::NotFound, &["no image for linux/", "linux/sparc64"]);
}

#[test]
fn one_of_several_images_is_named_by_its_tag() {
    let (mut image, mut one) = simple();
    let mut other = image.manifest("linux", "m68k");
    for (manifest, tag) in [(&mut one, "12"), (&mut other, "old")] {
        manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
    }
    let world = World::new();
    let layout = world.layout(&image, &[one, other]);
    let of = |image: String| world.resolve(&[("image", &image)]);
    assert!(of(format!("{layout}:12")).unwrap().version.starts_with("layout-12-"));
    says(&of(layout.clone()).unwrap_err(), ErrorKind::Usage, &["several images", "12, old"]);
    says(&of(format!("{layout}:13")).unwrap_err(), ErrorKind::NotFound, &["no image \"13\"", "12, old"]);
}

#[test]
fn what_is_no_layout_or_no_userland_is_refused() {
    let (mut image, manifest) = simple();
    says(&refused(&image, &[]), ErrorKind::BadData, &["the index is empty"]);
    let chart = image.blob(b"{}".to_vec(), "application/vnd.cncf.helm.config.v1+json");
    let both = json!({ "schemaVersion": 2, "config": chart, "layers": [], "manifests": [] });
    let both = image.blob(both.to_string().into_bytes(), "x");
    says(&refused(&image, &[both]), ErrorKind::BadData, &["neither a manifest nor an index"]);
    let chart = json!({ "schemaVersion": 2, "config": chart, "layers": [] });
    let chart = image.blob(chart.to_string().into_bytes(), "x");
    says(&refused(&image, &[chart]), ErrorKind::BadData, &["no image of a userland", "helm"]);
    let world = World::new();
    let layout = world.layout(&image, &[manifest]);
    let of = |image: &str| world.resolve(&[("image", image)]).unwrap_err();
    says(&of("/nowhere"), ErrorKind::NotFound, &["there is no /nowhere"]);
    says(&of("layout/x:Y Z"), ErrorKind::Config, &["names no image"]);
    fs::rename(world.path("layout/oci-layout"), world.path("layout/manifest.json")).unwrap();
    says(&of(&layout), ErrorKind::BadData, &["no OCI image layout", "docker-archive"]);
    fs::write(world.path("x.tar.gz"), gzip(b"x")).unwrap();
    says(&of(world.path("x.tar.gz").as_str()), ErrorKind::BadData, &["not compressed"]);
    says(&world.resolve(&[]).unwrap_err(), ErrorKind::Config, &["option image must be given"]);
}
