//! MANIFEST with signatures of signify(1) and minisign(1), made by these programs.

use std::fs;

use qchroot_api::{ErrorKind, toml};

use crate::support::{Mirror, install, refused, run, wish};

/// Makes `NAME.pub` and `NAME.sec`.
fn signify_key(mirror: &Mirror, name: &str) {
    let (public, secret) = (format!("{name}.pub"), format!("{name}.sec"));
    run("signify-openbsd", &["-G", "-n", "-p", &public, "-s", &secret], &mirror.at);
}

fn signify(mirror: &Mirror, name: &str, signature: &str) {
    let secret = format!("{name}.sec");
    run("signify-openbsd", &["-S", "-s", &secret, "-m", "MANIFEST", "-x", signature], &mirror.at);
}

fn with_key(mirror: &Mirror, key: &str) -> toml::Table {
    [("url", mirror.url()), ("key", key)]
        .map(|(key, value)| (key.to_owned(), value.into()))
        .into_iter()
        .collect()
}

#[test]
fn a_configured_key_wants_a_signature() {
    let mirror = Mirror::new();
    signify_key(&mirror, "ours");
    let public = mirror.path("ours.pub").to_str().unwrap().to_owned();
    let mut wish = wish(with_key(&mirror, &public));
    for any in [false, true] {
        wish.any = any;
        let error = refused(&wish);
        assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
        assert!(error.message().contains("no signature beside MANIFEST"), "{error}");
    }
    signify(&mirror, "ours", "MANIFEST.sig");
    install(&wish).unwrap();
    mirror.edit(|text| text.replace("The set base", "The set Base"));
    assert!(refused(&wish).to_string().contains("not signed with the configured key"));
}

#[test]
fn the_key_is_a_file_or_the_text_itself() {
    let mirror = Mirror::new();
    signify_key(&mirror, "ours");
    signify(&mirror, "ours", "MANIFEST.sig");
    let text = fs::read_to_string(mirror.path("ours.pub")).unwrap();
    install(&wish(with_key(&mirror, &text))).unwrap();
    install(&wish(with_key(&mirror, text.lines().nth(1).unwrap()))).unwrap();
    let error = refused(&wish(with_key(&mirror, "/no/such/key.pub")));
    assert_eq!((error.kind(), error.fact("key")), (ErrorKind::NotFound, Some("key")), "{error}");
    assert_eq!(refused(&wish(with_key(&mirror, "https://mirror.invalid/key"))).kind(), ErrorKind::Config);
}

#[test]
fn somebody_elses_signature_will_not_do() {
    let mirror = Mirror::new();
    signify_key(&mirror, "ours");
    signify_key(&mirror, "theirs");
    signify(&mirror, "theirs", "MANIFEST.sig");
    let public = mirror.path("ours.pub").to_str().unwrap().to_owned();
    let mut options = with_key(&mirror, &public);
    assert_eq!(refused(&wish(options.clone())).kind(), ErrorKind::BadData);
    signify(&mirror, "ours", "elsewhere.sig");
    options.insert("signature".into(), mirror.path("elsewhere.sig").to_str().unwrap().into());
    install(&wish(options.clone())).unwrap();
    options.remove("key");
    assert_eq!(
        refused(&wish(options)).fact("key"),
        Some("signature"),
        "a signature without a key is no check"
    );
}

#[test]
fn minisign_does_it_too() {
    let mirror = Mirror::new();
    run("minisign", &["-G", "-W", "-p", "ours.pub", "-s", "ours.sec"], &mirror.at);
    run("minisign", &["-S", "-W", "-s", "ours.sec", "-m", "MANIFEST"], &mirror.at);
    let public = mirror.path("ours.pub").to_str().unwrap().to_owned();
    install(&wish(with_key(&mirror, &public))).unwrap();
    mirror.edit(|text| text.replace("The set base", "The set Base"));
    assert_eq!(refused(&wish(with_key(&mirror, &public))).kind(), ErrorKind::BadData);
}
