//! Registries: who asks, what they answer, and what breaks.

use std::fs;

use qchroot_api::ErrorKind;
use qchroot_testkit::server::{Fault, HttpServer};
use serde_json::Value;

use crate::support::{Image, Tar, digest};
use crate::world::World;

const REPOSITORY: &str = "/v2/acme/thing";
/// `me:s3cret`
const KNOWN: &str = "bWU6czNjcmV0";

/// A registry with one image.
struct Registry {
    server: HttpServer,
    image: Image,
    manifest: Value,
}

impl Registry {
    fn start(layers: impl IntoIterator<Item = Tar>) -> Self {
        let (image, manifest) = Image::of(layers).finished();
        let server = HttpServer::start();
        for blob in &image.blobs {
            server.put(&format!("{REPOSITORY}/blobs/{}", digest(blob)), blob.clone());
        }
        let registry = Self { server, image, manifest };
        let last = registry.image.blobs.last().unwrap();
        for name in ["12", registry.manifest["digest"].as_str().unwrap()] {
            registry.server.put(&format!("{REPOSITORY}/manifests/{name}"), last.clone());
        }
        registry
    }

    fn simple() -> Self {
        Self::start([Tar::new().file("bin/sh", "1"), Tar::new().file("bin/sh", "2")])
    }

    fn name(&self, rest: &str) -> String {
        format!("{}/acme/thing{rest}", self.server.url("").replace("http://", ""))
    }

    fn layer(&self) -> String {
        format!("{REPOSITORY}/blobs/{}", digest(&self.image.blobs[0]))
    }

    /// Nobody gets anything without this, and is told how to get it.
    fn guard(&self, challenge: &str, header: &str) {
        let paths = self.image.blobs.iter().map(|blob| format!("blobs/{}", digest(blob)));
        let manifests =
            ["manifests/12".to_owned(), format!("manifests/{}", self.manifest["digest"].as_str().unwrap())];
        for path in paths.chain(manifests) {
            let answer = Fault::Answer {
                status: 401,
                fields: vec![("WWW-Authenticate".into(), challenge.into())],
                body: br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#.to_vec(),
                unless: Some(("authorization".into(), header.into())),
            };
            self.server.fault(&format!("{REPOSITORY}/{path}"), answer);
        }
    }
}

fn auth_file(world: &World, registry: &Registry) -> String {
    let path = world.path("auth.json");
    let key = registry.name("").replace("/acme/thing", "/acme");
    fs::write(&path, format!(r#"{{"auths": {{"{key}": {{"auth": "{KNOWN}"}}, "other": {{}}}}}}"#)).unwrap();
    path.into_string()
}

#[test]
fn an_image_comes_from_a_registry_and_the_second_time_from_the_cache() {
    let (world, registry) = (World::new(), Registry::simple());
    let name = registry.name(":12");
    let release = world.install(&[("image", &name)]).unwrap();
    world.assert_file("bin/sh", "2");
    assert!(release.version.starts_with("thing-12-"), "{}", release.version);
    assert_eq!(format!("sha256:{}", release.digest), registry.manifest["digest"].as_str().unwrap());
    let by_digest = registry.name(&format!("@sha256:{}", release.digest));
    assert_eq!(world.install(&[("image", &by_digest)]).unwrap().digest, release.digest);
    assert_eq!(registry.server.offsets(&registry.layer()), [0]);
    assert!(fs::read_to_string(world.path("log")).unwrap().contains("nobody obeys: command [\"/bin/sh\"]"));
}

#[test]
fn a_tag_that_moves_is_another_release_and_what_was_pinned_stays() {
    let (world, registry) = (World::new(), Registry::simple());
    let name = registry.name(":12");
    let before = world.resolve(&[("image", &name)]).unwrap();
    let moved = Registry::start([Tar::new().file("bin/sh", "moved")]);
    for blob in &moved.image.blobs {
        registry.server.put(&format!("{REPOSITORY}/blobs/{}", digest(blob)), blob.clone());
    }
    let tag = format!("{REPOSITORY}/manifests/12");
    registry.server.put(&tag, moved.image.blobs.last().unwrap().clone());
    let after = world.resolve(&[("image", &name)]).unwrap();
    assert!(before.digest != after.digest && before.version == after.version);
    world.fill(&before).unwrap();
    world.assert_file("bin/sh", "2");
}

#[test]
fn a_token_is_asked_for_where_the_registry_says() {
    for file in [false, true] {
        let (world, registry) = (World::new(), Registry::simple());
        let realm = registry.server.url("/token");
        let challenge = format!(r#"Bearer realm="{realm}",service="reg",scope="repository:acme/thing:pull""#);
        registry.guard(&challenge, "Bearer t0ken");
        let path = "/token?service=reg&scope=repository%3Aacme%2Fthing%3Apull";
        registry.server.put(path, r#"{"token": "t0ken", "expires_in": 300}"#);
        let (name, auth) = (registry.name(":12"), auth_file(&world, &registry));
        let options =
            if file { vec![("image", &*name), ("auth_file", &*auth)] } else { vec![("image", &*name)] };
        let release = world.install(&options).unwrap();
        world.assert_file("bin/sh", "2");
        let asked = registry.server.requests();
        let tokens: Vec<_> = asked.iter().filter(|request| request.target == path).collect();
        assert_eq!(tokens.len(), 2, "one to resolve, one to fill");
        let said = tokens[0].fields.get("authorization").map(String::as_str);
        assert_eq!(said, file.then_some("Basic bWU6czNjcmV0"));
        let kept = serde_json::to_string(&release).unwrap() + &fs::read_to_string(world.path("log")).unwrap();
        assert!(!kept.contains("t0ken") && !kept.contains(KNOWN), "{kept}");
    }
}

#[test]
fn a_password_is_told_to_a_registry_that_asks_for_it() {
    let (world, registry) = (World::new(), Registry::simple());
    registry.guard("Basic realm=\"reg\"", &format!("Basic {KNOWN}"));
    let (name, auth) = (registry.name(":12"), auth_file(&world, &registry));
    world.install(&[("image", &name), ("auth_file", &auth)]).unwrap();
    world.assert_file("bin/sh", "2");
    let first = &registry.server.requests()[0];
    assert!(!first.fields.contains_key("authorization"), "nobody had asked");
    let error = world.resolve(&[("image", &name)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    let text = format!("{error} {:?}", error.hint_text());
    assert!(
        text.contains("401, UNAUTHORIZED: authentication required") && text.contains("auth_file"),
        "{text}"
    );
    fs::write(world.path("auth.json"), r#"{"auths": {"elsewhere": {"auth": "eDp5"}}}"#).unwrap();
    let error = world.resolve(&[("image", &name), ("auth_file", &auth)]).unwrap_err();
    assert!(error.to_string().contains("has no password for"), "{error}");
}

#[test]
fn what_is_not_there_is_named() {
    let (world, registry) = (World::new(), Registry::simple());
    let error = world.resolve(&[("image", &registry.name(":13"))]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("acme/thing:13"), "{error}");
    let error = world.resolve(&[("image", "127.0.0.1:1/a:1")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = world.resolve(&[("image", "reg.invalid/a:1"), ("insecure", "true")]).unwrap_err();
    assert!(
        error.kind() == ErrorKind::BadData && error.hint_text().unwrap().contains("--any-release"),
        "{error}"
    );
}

#[test]
fn a_registry_that_lies_is_not_believed() {
    let (world, registry) = (World::new(), Registry::simple());
    let pinned = registry.name(&format!("@{}", registry.manifest["digest"].as_str().unwrap()));
    let path = format!("{REPOSITORY}/manifests/{}", registry.manifest["digest"].as_str().unwrap());
    registry.server.put(&path, br#"{"schemaVersion": 2, "manifests": []}"#.to_vec());
    let error = world.resolve(&[("image", &pinned)]).unwrap_err();
    assert!(error.kind() == ErrorKind::BadData && error.to_string().contains("has the digest"), "{error}");
    let registry = Registry::simple();
    registry.server.put(&registry.layer(), vec![0; registry.image.blobs[0].len()]);
    let error = world.install(&[("image", &registry.name(":12"))]).unwrap_err();
    assert!(error.kind() == ErrorKind::BadData && error.to_string().contains("layer 1 of 2"), "{error}");
}

#[test]
fn a_layer_that_breaks_off_is_taken_up_where_it_ended() {
    let noise: String =
        (0..400_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let (world, registry) = (World::new(), Registry::start([Tar::new().file("big", &noise)]));
    registry.server.fault_once(&registry.layer(), Fault::CloseAfter(1_500_000));
    world.install(&[("image", &registry.name(":12"))]).unwrap();
    world.assert_file("big", &noise);
    assert_eq!(registry.server.offsets(&registry.layer()), [0, 1_500_000]);
}
