//! One run of mmdebstrap(1): what it is told, and how its failure reads. It knows nothing of the host's files.

use std::collections::BTreeMap;
use std::{fs, io};

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Command, Error, ErrorKind, Output, Place, Result, Work};

use sha2::{Digest, Sha256};

use crate::entry::{Entry, local};
use crate::own::Own;

const VARIANTS: &[&str] =
    &["essential", "apt", "required", "minbase", "buildd", "important", "debootstrap", "standard"];
/// Settings of apt's that concern its own working and not how it reaches a mirror.
const NOT_FETCHING: &[&str] = &[
    "IndexTargets",
    "Changelogs",
    "CompressionTypes",
    "cdrom",
    "AllowInsecure",
    "AllowWeak",
    "AllowDowngrade",
];
/// Between entries, of which some have several lines.
const BETWEEN: &str = "\n\n";
/// Where mmdebstrap keeps the settings it was given, for the userland to have for good.
const LEFT_BEHIND: &str = "/etc/apt/apt.conf.d/99mmdebstrap";

/// Everything that decides what mmdebstrap makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bootstrap {
    pub(crate) suite: String,
    arch: String,
    variant: String,
    packages: Vec<String>,
    pub(crate) entries: Vec<String>,
}

impl Bootstrap {
    /// Checks every word, as all of them end up on a command line.
    pub(crate) fn new(
        suite: String,
        own: &Own,
        variant: Option<String>,
        mut packages: Vec<String>,
        entries: Vec<String>,
    ) -> Result<Self> {
        let variant = variant.unwrap_or_else(|| "minbase".into());
        if !VARIANTS.contains(&variant.as_str()) {
            return Err(config("variant", format!("mmdebstrap has no variant {variant:?}"))
                .hint(format!("choose one of: {}", VARIANTS.join(", "))));
        }
        if !is_word(&suite, "/.-~+") {
            return Err(config("suite", format!("{suite:?} is no name of a suite")));
        }
        packages.retain(|package| !package.is_empty());
        if let Some(bad) = packages.iter().find(|package| !is_word(package, ".-+:=~")) {
            return Err(config("packages", format!("{bad:?} is no name of a package")));
        }
        packages.sort();
        packages.dedup();
        Ok(Self { suite, arch: own.arch.clone(), variant, packages, entries })
    }

    /// As a release's notes to itself.
    pub(crate) fn pins(&self) -> BTreeMap<String, String> {
        let pins = [
            ("suite", self.suite.clone()),
            ("arch", self.arch.clone()),
            ("variant", self.variant.clone()),
            ("packages", self.packages.join(",")),
            ("entries", self.entries.join(BETWEEN)),
        ];
        pins.map(|(key, value)| (key.to_owned(), value)).into()
    }

    /// The way back from [`Self::pins`].
    pub(crate) fn from_pins(pins: &BTreeMap<String, String>) -> Result<Self> {
        let pin = |key: &str| {
            let missing = || Error::new(ErrorKind::Internal, format!("release without its {key}"));
            pins.get(key).cloned().ok_or_else(missing)
        };
        let split =
            |text: String, at: &str| text.split(at).filter(|s| !s.is_empty()).map(str::to_owned).collect();
        Ok(Self {
            suite: pin("suite")?,
            arch: pin("arch")?,
            variant: pin("variant")?,
            packages: split(pin("packages")?, ","),
            entries: split(pin("entries")?, BETWEEN),
        })
    }

    /// Makes the userland in the staging directory.
    pub(crate) fn run(&self, work: &mut dyn Work) -> Result<()> {
        let dump = work.run(&Command::new(["apt-config", "dump"]))?;
        let settings = fetching(&dump.stdout);
        let sources = self.sources(work.cache())?;
        let command = Command::new(self.argv(&settings, work.staging().as_str(), &sources));
        let output = work.run(&command);
        for path in sources.iter().filter(|source| source.starts_with('/')) {
            // It holds a public key and nothing that changes: one that stays does no harm.
            let _ = fs::remove_file(path);
        }
        let output = output?;
        if output.status != 0 {
            return Err(failure(&self.suite, &output));
        }
        self.refuse_nothing(work)
    }

    /// Where no repository calls itself by the suite's name, mmdebstrap finds no essential packages, and is content.
    fn refuse_nothing(&self, work: &dyn Work) -> Result<()> {
        for programs in ["usr/bin", "bin"] {
            if work.host().stat(&Place::within(work.staging(), programs))?.is_some() {
                return Ok(());
            }
        }
        let message = format!("mmdebstrap installed nothing: no mirror has packages of {}", self.suite);
        Err(Error::new(ErrorKind::BadData, message)
            .hint("a repository's Release file must name that suite; give its own name with -o suite="))
    }

    /// What mmdebstrap is to read: lines, and files for what no line can hold. Of a mirror on this machine it is
    /// to take copies, as apt inside does not see it.
    fn sources(&self, dir: &Utf8Path) -> Result<Vec<String>> {
        let source = |text: &String| {
            let text = match text.strip_prefix("file:") {
                Some(path) => format!("copy:{path}"),
                None => text.replacen(" file:", " copy:", 1),
            };
            if !text.contains('\n') {
                return Ok(text);
            }
            let digest: String =
                Sha256::digest(&text).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            let path = dir.join(format!("debian-{digest}.sources"));
            let told = |error: io::Error| Error::from_io(&error, format!("cannot write {path}"));
            fs::create_dir_all(dir).map_err(told)?;
            fs::write(&path, format!("{text}\n")).map_err(told)?;
            Ok(path.into_string())
        };
        self.entries.iter().map(source).collect()
    }

    fn argv(&self, settings: &[&str], target: &str, sources: &[String]) -> Vec<String> {
        let mut argv = vec![
            "mmdebstrap".to_owned(),
            "--mode=root".into(),
            "--format=directory".into(),
            format!("--variant={}", self.variant),
            format!("--architectures={}", self.arch),
        ];
        if !self.packages.is_empty() {
            argv.push(format!("--include={}", self.packages.join(",")));
        }
        argv.extend(settings.iter().map(|setting| format!("--aptopt={setting}")));
        if !settings.is_empty() {
            // How this host reaches its mirrors, with a proxy's password perhaps, is no business of a container's.
            argv.push(format!("--customize-hook=upload /dev/null {LEFT_BEHIND}"));
        }
        argv.extend(["--".into(), self.suite.clone(), target.into()]);
        argv.extend(sources.iter().cloned());
        argv
    }
}

/// The settings that say how to reach a mirror: proxies, certificates, time-outs, checks of dates. Leave to take
/// unsigned packages is not passed on.
fn fetching(dump: &str) -> Vec<&str> {
    let fits = |line: &&str| {
        let name = line.strip_prefix("Acquire::").unwrap_or("");
        !name.is_empty()
            && !line.ends_with("\"\";")
            && !NOT_FETCHING.iter().any(|skip| name.starts_with(skip))
    };
    dump.lines().filter(fits).collect()
}

/// An address, for which mmdebstrap finds the key, or a whole line of sources.list(5).
pub(crate) fn mirror(text: &str, insists: bool) -> Result<String> {
    let line = if text.starts_with("deb ") { Entry::parse(text) } else { None };
    match (line, local(text)) {
        (Some(entry), _) if !text.contains(char::is_control) => {
            if entry.trusted && !insists {
                return Err(Error::new(
                    ErrorKind::BadData,
                    "[trusted=yes] takes packages that nobody signed",
                )
                .hint("--any-release takes them as they are"));
            }
            Ok(entry.text())
        }
        (None, Some(path)) if is_address(text) => Ok(format!("file://{path}")),
        (None, None) if is_address(text) => Ok(text.to_owned()),
        _ => Err(config("mirror", format!("{text:?} is no address of a mirror"))
            .hint("for example -o mirror=http://deb.debian.org/debian, or mirror=file:/srv/debian")),
    }
}

fn failure(suite: &str, output: &Output) -> Error {
    let missing: Vec<_> = output.stderr.lines().filter_map(missing_package).collect();
    if !missing.is_empty() {
        let message = format!("{suite} has no package {}", missing.join(", "));
        return Error::new(ErrorKind::NotFound, message)
            .with("key", "packages")
            .hint("`apt-cache search` finds what there is");
    }
    let error = Error::new(ErrorKind::Unavailable, format!("mmdebstrap could not make {suite}"))
        .with("status", output.status)
        .hint("`apt-get update` shows whether this host reaches its mirrors");
    let lines: Vec<_> = output.stderr.lines().filter(|line| line.starts_with("E: ")).collect();
    let reasons = if lines.is_empty() { output.stderr.lines().rev().take(1).collect() } else { lines };
    reasons.iter().take(5).fold(error, |error, line| error.cause(line.trim_start_matches("E: ")))
}

/// The name in apt's complaint that there is no such package.
fn missing_package(line: &str) -> Option<&str> {
    let line = line.strip_prefix("E: ")?;
    let quoted = || line.strip_prefix("Package '")?.strip_suffix("' has no installation candidate");
    line.strip_prefix("Unable to locate package ").or_else(quoted).map(str::trim)
}

fn is_word(text: &str, more: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(allowed)
}

fn is_address(text: &str) -> bool {
    let remote =
        text.split_once("://").is_some_and(|(scheme, rest)| is_word(scheme, "+") && !rest.is_empty());
    (remote || local(text).is_some()) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn config(key: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message).with("key", key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bootstrap(variant: &str, package: &str, entry: &str) -> Result<Bootstrap> {
        let text = |s: &str| s.to_owned();
        let own = Own::example();
        let entry = mirror(entry, false)?;
        Bootstrap::new(text("bookworm"), &own, Some(text(variant)), vec![text(package)], vec![entry])
    }

    #[test]
    fn words_that_mean_more_than_they_seem_are_refused() {
        for (variant, package, entry, key) in [
            ("custom", "a", "http://x", "variant"),
            ("minbase", "?narrow(x)", "http://x", "packages"),
            ("minbase", "./evil.deb", "http://x", "packages"),
            ("minbase", "-oAPT", "http://x", "packages"),
            ("minbase", "a", "/etc/passwd", "mirror"),
            ("minbase", "a", "-", "mirror"),
            ("minbase", "a", "file:x", "mirror"),
            ("minbase", "a", "http://x y", "mirror"),
            ("minbase", "a", "deb http://x bookworm main\n/etc/passwd", "mirror"),
        ] {
            assert_eq!(bootstrap(variant, package, entry).unwrap_err().fact("key"), Some(key), "{entry}");
        }
    }

    #[test]
    fn unsigned_packages_are_taken_only_by_whoever_insists() {
        let line = "deb [trusted=yes] file:/srv/debs ./";
        assert_eq!(mirror(line, false).unwrap_err().kind(), ErrorKind::BadData);
        assert_eq!(mirror(line, true).unwrap(), line);
        assert_eq!(mirror("copy:/srv/debian", false).unwrap(), "file:///srv/debian");
    }

    #[test]
    fn packages_that_are_not_there_are_named() {
        let stderr = "I: installing\nE: Unable to locate package nano2\nE: Package 'vim3' has no installation candidate\n\
                      E: setup failed: E: apt-get failed\n";
        let output = Output { status: 1, stdout: String::new(), stderr: stderr.into() };
        let error = failure("bookworm", &output);
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::NotFound, "bookworm has no package nano2, vim3")
        );
    }

    #[test]
    fn pins_hold_everything() {
        let all = bootstrap("apt", "vim", "deb http://x bookworm main").unwrap();
        assert_eq!(Bootstrap::from_pins(&all.pins()).unwrap(), all);
    }

    #[test]
    fn a_proxy_is_used_and_not_left_behind() {
        let dump = "APT::Architecture \"amd64\";\nAcquire \"\";\nAcquire::http::Proxy \"http://p:3128\";\n\
                    Acquire::Check-Date \"false\";\nAcquire::AllowInsecureRepositories \"1\";\n\
                    Acquire::IndexTargets::deb::Packages \"x\";\nAcquire::https::CAInfo \"\";\n";
        let settings = fetching(dump);
        assert_eq!(settings, ["Acquire::http::Proxy \"http://p:3128\";", "Acquire::Check-Date \"false\";"]);
        let argv = bootstrap("apt", "vim", "http://x").unwrap().argv(&settings, "/s", &["http://x".into()]);
        assert!(argv.contains(&"--aptopt=Acquire::http::Proxy \"http://p:3128\";".to_owned()), "{argv:?}");
        assert!(argv.iter().any(|word| word.starts_with("--customize-hook=upload /dev/null ")), "{argv:?}");
        assert_eq!(argv[argv.len() - 4..], ["--", "bookworm", "/s", "http://x"]);
    }
}
