//! Release source `acme.thing`: a small userland around the host's own shell, or a userland from an archive.
//!
//! `resolve` only looks, and says exactly what is to be installed; `fill` brings it into an empty directory. What that
//! becomes, and how containers share it, is not this plug-in's business.

mod own;

use std::collections::BTreeMap;

use qchroot_plugin::camino::Utf8Path;
use qchroot_plugin::{
    Backend, Brand, Download, Error, ErrorKind, Info, Kind, Node, Observe, Options, Platform, Release,
    ReleaseSource, ReleaseWish, Result, Work, check, digest_of, options_of, read, sha256_of_file,
};
use schemars::JsonSchema;
use serde::Deserialize;

qchroot_plugin::export! { release_source "acme.thing" = Thing::new()? }

/// What users may set: `-o KEY=VALUE` of `qchroot install`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// a tar archive that holds a userland, compressed or not: an absolute path or an address
    archive: Option<String>,
    /// digest that the archive must have, 64 hexadecimal digits
    sha256: Option<String>,
    /// what the small userland greets with
    #[serde(default = "greeting")]
    greeting: String,
}

fn greeting() -> String {
    "hello from inside".into()
}

struct Thing {
    info: Info,
}

impl Thing {
    fn new() -> Result<Self> {
        let info = Info {
            options: options_of::<Settings>()?,
            ..Info::new(Kind::ReleaseSource, "acme.thing", "a small userland, or one from an archive")
        };
        Ok(Self { info })
    }
}

impl Backend for Thing {
    fn info(&self) -> Info {
        self.info.clone()
    }

    fn check(&self, options: &Options) -> Result<()> {
        check::<Settings>(&self.info, options)
    }
}

impl ReleaseSource for Thing {
    /// Pins what is wanted. The digest names the release: whatever decides the content goes into it.
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let settings: Settings = read(&want.options)?;
        let pins = match &settings.archive {
            Some(archive) => archive_pins(archive, &settings, host)?,
            None => own::pins(&settings.greeting, host)?,
        };
        let version = want.release.clone().unwrap_or_else(|| "thing-1.0".into());
        let brand = match host.platform()? {
            Platform::Linux => Brand::Linux,
            Platform::Freebsd => Brand::Freebsd,
        };
        let digest = digest_of(&pins);
        Ok(Release { pins, ..Release::new(version, brand, digest, &want.options) })
    }

    /// Brings it. Downloads, checks, proxies, resuming and unpacking are qchroot's.
    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        work.tree().write(&Node::directory("."), &mut std::io::empty())?;
        match (release.pins.get("archive"), release.pins.get("sha256")) {
            (Some(archive), Some(sha256)) => work.unpack(&[Download::new(archive).sha256(sha256)])?,
            _ => own::fill(release, work)?,
        }
        work.tree().finish()
    }
}

fn archive_pins(archive: &str, settings: &Settings, host: &dyn Observe) -> Result<BTreeMap<String, String>> {
    let sha256 = match &settings.sha256 {
        Some(sha256) => sha256.clone(),
        None if archive.starts_with('/') => sha256_of_file(host, Utf8Path::new(archive))?,
        None => {
            let message = format!("{archive} cannot be checked: no digest is known for it");
            let error = Error::new(ErrorKind::Config, message).with("key", "sha256");
            return Err(error.hint("add -o sha256=DIGEST, as its maker publishes it"));
        }
    };
    Ok([("archive".into(), archive.into()), ("sha256".into(), sha256)].into())
}

#[cfg(test)]
mod tests {
    use qchroot_plugin::testing::{Desk, Filled};
    use qchroot_plugin::toml;

    use super::*;

    const ARCHIVE: &str = "https://example.org/tiny.tar.gz";

    fn desk() -> Desk {
        Desk::new()
            .with_file("/usr/bin/dash", "the shell")
            .with_link("/usr/bin/sh", "dash")
            .with_file("/lib/libc.so", "the library")
            .with_output(&["ldd", "/usr/bin/dash"], "\tlibc.so => /lib/libc.so (0x0)\n")
            .with_archive(ARCHIVE, &[(Node::program("bin/tool", 2), "#!")])
    }

    fn resolve(options: Options) -> Result<Release> {
        Thing::new()?.resolve(&ReleaseWish { options, ..ReleaseWish::default() }, &desk())
    }

    fn filled(options: Options) -> Filled {
        desk().fill(&Thing::new().unwrap(), &resolve(options).unwrap()).unwrap()
    }

    #[test]
    fn the_digest_follows_what_decides_the_content() {
        let digest = |greeting: &str| resolve(toml::toml! { greeting = greeting }).unwrap().digest;
        assert_eq!(digest("a"), digest("a"));
        assert_ne!(digest("a"), digest("b"));
    }

    #[test]
    fn the_small_userland_has_the_shell_with_its_libraries_and_a_greeting() {
        let tree = filled(toml::toml! { greeting = "good day" });
        assert_eq!(tree.text("bin/sh"), Some("the shell"));
        assert_eq!(tree.text("lib/libc.so"), Some("the library"));
        assert_eq!(tree.text("etc/motd"), Some("good day\n"));
        assert!(tree.is_finished());
    }

    #[test]
    fn an_archive_is_unpacked_where_its_digest_is_known() {
        let options = toml::toml! { archive = "https://example.org/tiny.tar.gz" sha256 = "12ab" };
        assert_eq!(filled(options).paths(), [".", "bin/tool"]);
        let error = resolve(toml::toml! { archive = "https://example.org/tiny.tar.gz" }).unwrap_err();
        assert_eq!(error.fact("key"), Some("sha256"));
    }

    #[test]
    fn a_misspelt_option_is_named() {
        let error = Thing::new().unwrap().check(&toml::toml! { achive = "/a.tar" }).unwrap_err();
        assert_eq!((error.fact("key"), error.hint_text()), (Some("achive"), Some("did you mean archive?")));
    }
}
