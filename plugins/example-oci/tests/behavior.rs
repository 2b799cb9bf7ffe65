//! What every source must do, of this one.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare has failed")]

#[expect(dead_code, reason = "other tests make other images")]
mod support;

use std::process::ExitCode;

use qchroot_api::camino::Utf8Path;
use qchroot_api::{ReleaseSource, ReleaseWish, toml};
use qchroot_example_oci::Oci;
use qchroot_testkit::{FakeHost, behavior};
use serde_json::Value;
use support::{Image, Tar};

fn main() -> ExitCode {
    let real = behavior::source_on_machine(make, on_machine)
        .another(|wish| drop(wish.options.insert("image".into(), other(&wish.options).into())))
        .damaged(damaged, "blobs/sha256/");
    let mut trials = behavior::source(make, on_fake);
    trials.extend(real.trials());
    behavior::main(trials)
}

fn make() -> Box<dyn ReleaseSource> {
    Box::new(Oci::new().unwrap())
}

fn image(tool: &str) -> (Image, Value) {
    let base =
        Tar::new().dir("usr/", 0o755).file("usr/bin/tool", tool).file("etc/motd", "hello\n").file("gone", "");
    let mut image = Image::of([base, Tar::new().file(".wh.gone", "").file("etc/issue", "here\n")]);
    let manifest = image.manifest(std::env::consts::OS, support::architecture());
    (image, manifest)
}

fn wish(path: &Utf8Path) -> ReleaseWish {
    let options = toml::Table::from_iter([
        ("image".to_owned(), path.as_str().into()),
        ("platform".to_owned(), format!("{}/{}", std::env::consts::OS, support::architecture()).into()),
    ]);
    ReleaseWish { release: None, any: false, options }
}

fn on_fake(host: &FakeHost) -> ReleaseWish {
    let (image, manifest) = image("#!/bin/sh\n");
    for (name, bytes) in image.files(&[manifest]) {
        host.plant_bytes(format!("/srv/image/{name}"), &bytes, 0o644);
    }
    wish("/srv/image".into())
}

fn on_machine(dir: &Utf8Path) -> ReleaseWish {
    for (name, tool) in [("image", "#!/bin/sh\n"), ("other", "#!/bin/ksh\n")] {
        let (image, manifest) = image(tool);
        image.write(dir.join(name).as_std_path(), &[manifest]);
    }
    wish(&dir.join("image"))
}

fn other(options: &toml::Table) -> String {
    options["image"].as_str().unwrap().replace("image", "other")
}

fn damaged(dir: &Utf8Path) -> ReleaseWish {
    let wish = on_machine(dir);
    let (image, manifest) = image("#!/bin/sh\n");
    let layer = image.files(&[manifest]).swap_remove(0);
    std::fs::write(dir.join("image").join(layer.0), &layer.1[..layer.1.len() / 2]).unwrap();
    wish
}
