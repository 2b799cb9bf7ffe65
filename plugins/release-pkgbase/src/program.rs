//! Runs pkg(8) on a root that is not the host's: what it is told, and how its failure reads. It knows no repository.

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Command, Error, ErrorKind, Observe, Progress, Result, Work};

/// How many of the last lines of what it printed stand in an error.
const TAIL: usize = 5;

/// pkg(8) for one root.
pub(crate) struct Pkg {
    options: Vec<String>,
}

impl Pkg {
    /// Nothing of the host's own packages and repositories is looked at. The directory of repositories is told by an option
    /// of its own, because the setting of that name would count from the root.
    pub(crate) fn new(root: &Utf8Path, repositories: &str, abi: &str) -> Self {
        let repositories = root.join(repositories);
        let options = [
            "--rootdir",
            root.as_str(),
            "--repo-conf-dir",
            repositories.as_str(),
            "-o",
            "IGNORE_OSVERSION=yes",
            "-o",
            &format!("ABI={abi}"),
        ];
        Self { options: options.map(str::to_owned).into() }
    }

    /// Runs one of its commands; its failure is one of this kind.
    pub(crate) fn run(&self, words: &[&str], failure: ErrorKind, work: &mut dyn Work) -> Result<()> {
        let what = format!("pkg {}", words.first().copied().unwrap_or_default());
        work.progress(&Progress { what: what.clone(), ..Progress::default() });
        let argv =
            ["pkg"].into_iter().chain(self.options.iter().map(String::as_str)).chain(words.iter().copied());
        let output = work.run(&Command::new(argv))?;
        if work.cancelled() {
            return Err(Error::new(ErrorKind::System, "interrupted"));
        }
        if output.status == 0 {
            return Ok(());
        }
        let error = Error::new(failure, format!("{what} ended with status {}", output.status))
            .with("log", work.log())
            .hint(format!("all that it printed is in {}", work.log()));
        let said: Vec<&str> = output.stderr.lines().chain(output.stdout.lines()).map(str::trim).collect();
        let said: Vec<&str> = said.into_iter().filter(|line| !line.is_empty()).collect();
        Err(said[said.len().saturating_sub(TAIL)..].iter().fold(error, |error, line| error.cause(line)))
    }
}

/// The program of that name in FreeBSD's base system only fetches the real one; with `-N` it says whether that is there.
pub(crate) fn refuse_missing(host: &dyn Observe) -> Result<()> {
    if host.program("pkg")?.is_some() && host.ask(&["pkg", "-N"])?.status == 0 {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unavailable, "pkg(8) is not installed on this host")
        .hint("`pkg bootstrap` installs it; `--source distset` does without"))
}
