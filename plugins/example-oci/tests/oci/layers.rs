//! What layers make together.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};

use rustix::fs::lgetxattr;
use tar::EntryType;

use crate::support::{Image, LAYER, Tar, gzip};
use crate::world::World;

#[test]
fn a_whiteout_hides_what_is_below_and_not_what_is_beside_it() {
    let world = World::with([
        Tar::new().file("etc/a", "1").file("etc/b", "1").dir("var/lib/", 0o755).file("var/lib/x", "1"),
        Tar::new().file("etc/.wh.a", "").file("etc/.wh.b", "").file("etc/b", "2").file("var/.wh.lib", ""),
        Tar::new().file("var/lib/y", "3"),
    ]);
    world.assert_gone(&["etc/a", "etc/.wh.a", "var/.wh.lib"]);
    world.assert_file("etc/b", "2");
    assert_eq!(world.names("var/lib"), ["y"]);
}

#[test]
fn an_opaque_directory_keeps_only_its_own_wherever_the_whiteout_stands() {
    for after in [false, true] {
        let base = Tar::new().file("d/old", "1").file("d/sub/old", "1").file("d/both", "1");
        let top = Tar::new().dir("d/", 0o750);
        let top = if after { top } else { top.file("d/.wh..wh..opq", "") };
        let top = top.file("d/new", "2").file("d/both", "2").dir("d/sub/", 0o700);
        let top = if after { top.file("d/.wh..wh..opq", "") } else { top };
        let world = World::with([base, top]);
        assert_eq!(world.names("d"), ["both", "new", "sub"]);
        assert_eq!(world.names("d/sub"), Vec::<String>::new());
        world.assert_file("d/both", "2");
        assert_eq!(fs::metadata(world.tree("d")).unwrap().permissions().mode() & 0o7777, 0o750);
    }
}

#[test]
fn a_whiteout_makes_no_directory() {
    let base = Tar::new().file("d/file", "1").file("e/file", "1");
    let world =
        World::with([base, Tar::new().file("d", "2").file("d/.wh.file", "").file("none/.wh.file", "")]);
    world.assert_file("d", "2");
    assert_eq!(world.names(""), ["d", "e"]);
}

#[test]
fn directories_and_files_take_each_others_places() {
    let world = World::with([
        Tar::new().file("a/in/deep", "1").file("b", "1").link("c", "b").file("d/x", "1"),
        Tar::new().file("a", "2").file("b/in", "2").dir("c/", 0o755).link("d", "b"),
        Tar::new().file("c/here", "3"),
    ]);
    world.assert_file("a", "2");
    world.assert_file("b/in", "2");
    world.assert_file("c/here", "3");
    assert_eq!(fs::read_link(world.tree("d")).unwrap().to_str(), Some("b"));
}

#[test]
fn hard_links_reach_over_layers_and_outlive_the_first_name() {
    let world = World::with([
        Tar::new().file("a", "one").hard("b", "a").file("z", "zed").hard("y", "z"),
        Tar::new().hard("c", "b").file(".wh.a", "").hard("sub/d", "./c"),
        Tar::new().file("c", "another").file("z", "new"),
    ]);
    world.assert_gone(&["a"]);
    world.assert_same_file("b", "sub/d");
    world.assert_file("b", "one");
    world.assert_file("c", "another");
    world.assert_file("y", "zed");
    world.assert_file("z", "new");
    assert_eq!(fs::metadata(world.tree("b")).unwrap().nlink(), 2);
}

#[test]
fn a_link_to_a_directory_is_followed_within_the_tree() {
    let world = World::with([
        Tar::new()
            .dir("usr/lib/", 0o755)
            .link("lib", "usr/lib")
            .link("up", "../../../usr")
            .link("abs", "/usr/lib"),
        Tar::new().file("lib/one", "1").file("up/two", "2").file("abs/three", "3").file("lib/.wh.none", ""),
        Tar::new().file("lib/.wh.one", ""),
    ]);
    assert_eq!(world.names("usr/lib"), ["three"]);
    world.assert_file("usr/two", "2");
    assert_eq!(fs::read_link(world.tree("lib")).unwrap().to_str(), Some("usr/lib"));
}

#[test]
fn attributes_are_those_of_the_uppermost_layer() {
    let long = format!("long/{}/{}", "n".repeat(120), "m".repeat(120));
    let records: [(&str, &[u8]); 3] = [
        ("SCHILY.xattr.user.note", b"kept\0=whole"),
        ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
        ("mtime", b"1600000000.5"),
    ];
    let world = World::with([
        Tar::new().dir("./", 0o755).dir("tmp/", 0o755).file(&long, "long").with(&records).file("attr", "x"),
        Tar::new()
            .dir("tmp/", 0o1777)
            .entry("null", EntryType::Char, 0o666, "", b"")
            .entry("pipe", EntryType::Fifo, 0o600, "", b"")
            .entry("sh", EntryType::Regular, 0o4755, "", b"#!"),
    ]);
    let meta = |path: &str| fs::symlink_metadata(world.tree(path)).unwrap();
    assert_eq!(meta("tmp").permissions().mode() & 0o7777, 0o1777);
    assert_eq!(meta("sh").permissions().mode() & 0o7777, 0o4755);
    assert_eq!((meta("attr").mtime(), meta("attr").mtime_nsec()), (1_600_000_000, 500_000_000));
    assert_eq!(meta("null").rdev(), rustix::fs::makedev(1, 3));
    assert!(meta("null").file_type().is_char_device() && meta("pipe").file_type().is_fifo());
    world.assert_file(&long, "long");
    let mut value = [0; 64];
    let length = lgetxattr(world.tree("attr"), "user.note", &mut value).unwrap();
    assert_eq!(&value[..length], b"kept\0=whole");
    lgetxattr(world.tree("attr"), "trusted.overlay.opaque", &mut value).unwrap_err();
}

#[test]
fn layers_are_packed_in_any_way() {
    let layer = |n: u32| Tar::new().file(&format!("f{n}"), &n.to_string()).bytes();
    let twice = [gzip(&layer(2)[..700]), gzip(&layer(2)[700..])].concat();
    let image = Image::default()
        .layer(&layer(0), layer(0), LAYER)
        .layer(&layer(1), zstd::encode_all(&layer(1)[..], 1).unwrap(), &format!("{LAYER}+zstd"))
        .layer(&layer(2), twice, "application/vnd.docker.image.rootfs.diff.tar.gzip");
    let (image, manifest) = image.finished();
    let world = World::new();
    world.install(&[("image", &world.layout(&image, &[manifest]))]).unwrap();
    assert_eq!(world.names(""), ["f0", "f1", "f2"]);
}

#[test]
fn an_archive_of_a_layout_is_the_same_image() {
    let (image, manifest) = Image::of([Tar::new().file("bin/x", "1")]).finished();
    let world = World::new();
    let of_directory = world.install(&[("image", &world.layout(&image, std::slice::from_ref(&manifest)))]);
    let mut archive = tar::Builder::new(fs::File::create(world.path("image.tar")).unwrap());
    archive.append_dir_all(".", world.path("layout")).unwrap();
    archive.finish().unwrap();
    let of_archive = world.install(&[("image", world.path("image.tar").as_str())]).unwrap();
    world.assert_file("bin/x", "1");
    assert_eq!(of_archive.digest, of_directory.unwrap().digest);
    assert_eq!(format!("sha256:{}", of_archive.digest), manifest["digest"].as_str().unwrap());
}
