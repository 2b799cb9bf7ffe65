//! Runs make: what it is told, in which environment, and how its failure reads. It knows no tree and no objects.
//!
//! Sources: build(7), make.conf(5), src.conf(5), src-env.conf(5).

use qchroot_api::camino::Utf8PathBuf;
use qchroot_api::{Command, Error, ErrorKind, Output, Progress, Result, Work};

/// How many of the last lines of each output stand in an error.
const TAIL: usize = 10;

/// One way of running make.
#[derive(Debug, Clone)]
pub(crate) struct Make {
    pub(crate) program: String,
    pub(crate) jobs: u32,
    /// Knobs, and everything else that is not the host's business.
    pub(crate) env: Vec<(String, String)>,
}

/// Settings of this host's that must not be read, the users of the tree and not of the host, and where objects are.
pub(crate) fn environment(prefix: &str) -> Vec<(String, String)> {
    let pairs = [
        ("__MAKE_CONF", "/dev/null"),
        ("SRCCONF", "/dev/null"),
        ("SRC_ENV_CONF", "/dev/null"),
        ("DB_FROM_SRC", "yes"),
        ("MAKEOBJDIRPREFIX", prefix),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

impl Make {
    /// Makes `goal` in `dir`, everything into the staging directory.
    pub(crate) fn run(&self, goal: &str, dir: Utf8PathBuf, work: &mut dyn Work) -> Result<()> {
        work.progress(&Progress { what: format!("make {goal} in {dir}"), ..Progress::default() });
        let mut argv = vec![self.program.clone()];
        if self.jobs > 1 {
            argv.push(format!("-j{}", self.jobs));
        }
        argv.extend([goal.to_owned(), format!("DESTDIR={}", work.staging())]);
        let command = Command { argv, env: self.env.clone(), dir: Some(dir) };
        let output = work.run(&command)?;
        if work.cancelled() {
            return Err(Error::new(ErrorKind::System, "interrupted"));
        }
        if output.status == 0 { Ok(()) } else { Err(failure(goal, &command, &output, work)) }
    }
}

fn failure(goal: &str, command: &Command, output: &Output, work: &dyn Work) -> Error {
    let dir = command.dir.as_ref().map_or("/", |dir| dir.as_str());
    let message = format!("make {goal} in {dir} ended with status {}", output.status);
    let error = Error::new(ErrorKind::System, message)
        .with("log", work.log())
        .hint(format!("all that it printed is in {}", work.log()));
    let (stdout, stderr) = (tail(&output.stdout), tail(&output.stderr));
    stderr.into_iter().chain(stdout).fold(error, |error, line| error.cause(line))
}

fn tail(text: &str) -> Vec<&str> {
    let mut last: Vec<_> =
        text.lines().rev().map(str::trim).filter(|line| !line.is_empty()).take(TAIL).collect();
    last.reverse();
    last
}
