//! One run of mmdebstrap(1): what it is told, and how its failure reads. It knows nothing of the host's files.

use std::collections::BTreeMap;

use qchroot_api::{Command, Error, ErrorKind, Output, Result, Work};

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
        if let Some(bad) = entries.iter().find(|entry| !entry.starts_with("deb ") && !is_address(entry)) {
            return Err(config("mirror", format!("{bad:?} is no address of a mirror"))
                .hint("for example -o mirror=http://deb.debian.org/debian"));
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
            ("entries", self.entries.join("\n")),
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
            |text: String, at: char| text.split(at).filter(|s| !s.is_empty()).map(str::to_owned).collect();
        Ok(Self {
            suite: pin("suite")?,
            arch: pin("arch")?,
            variant: pin("variant")?,
            packages: split(pin("packages")?, ','),
            entries: split(pin("entries")?, '\n'),
        })
    }

    /// Makes the userland in the staging directory.
    pub(crate) fn run(&self, work: &mut dyn Work) -> Result<()> {
        let dump = work.run(&Command::new(["apt-config", "dump"]))?;
        let settings = fetching(&dump.stdout);
        let command = Command::new(self.argv(&settings, work.staging().as_str()));
        let output = work.run(&command)?;
        if output.status != 0 {
            return Err(failure(&self.suite, &output));
        }
        Ok(())
    }

    fn argv(&self, settings: &[&str], target: &str) -> Vec<String> {
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
        argv.extend(self.entries.iter().cloned());
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

fn failure(suite: &str, output: &Output) -> Error {
    let error = Error::new(ErrorKind::Unavailable, format!("mmdebstrap could not make {suite}"))
        .with("status", output.status)
        .hint("`apt-get update` shows whether this host reaches its mirrors");
    let lines: Vec<_> = output.stderr.lines().filter(|line| line.starts_with("E: ")).collect();
    let reasons = if lines.is_empty() { output.stderr.lines().rev().take(1).collect() } else { lines };
    reasons.iter().take(5).fold(error, |error, line| error.cause(line.trim_start_matches("E: ")))
}

fn is_word(text: &str, more: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(allowed)
}

fn is_address(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| is_word(scheme, "+") && !rest.is_empty())
        && !text.contains(char::is_whitespace)
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
        Bootstrap::new(text("bookworm"), &own, Some(text(variant)), vec![text(package)], vec![text(entry)])
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
            ("minbase", "a", "http://x y", "mirror"),
        ] {
            assert_eq!(bootstrap(variant, package, entry).unwrap_err().fact("key"), Some(key));
        }
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
        let argv = bootstrap("apt", "vim", "http://x").unwrap().argv(&settings, "/s");
        assert!(argv.contains(&"--aptopt=Acquire::http::Proxy \"http://p:3128\";".to_owned()), "{argv:?}");
        assert!(argv.iter().any(|word| word.starts_with("--customize-hook=upload /dev/null ")), "{argv:?}");
        assert_eq!(argv[argv.len() - 4..], ["--", "bookworm", "/s", "http://x"]);
    }
}
