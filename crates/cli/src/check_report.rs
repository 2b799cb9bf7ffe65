//! The report of `plugin check`: lines for people as each check ends, or one JSON object at the end. It runs nothing.

use std::io::IsTerminal;

use camino::Utf8Path;
use crossterm::style::Stylize;
use qchroot_abi::Header;
use qchroot_api::{Platform, Result};
use qchroot_testkit::behavior::Scene;
use serde::Serialize;

use crate::print::{self, escape};

/// Lines of a failure that people are shown.
const LINES: usize = 12;

/// Characters of a line of it.
const WIDTH: usize = 400;

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    /// With what is wrong.
    Failed(String),
    /// With what it would need.
    NotRun(String),
}

/// What was found so far.
#[derive(Serialize)]
pub(crate) struct Report {
    file: String,
    name: String,
    kind: qchroot_api::Kind,
    version: String,
    border: String,
    warning: Option<String>,
    checks: Vec<Line>,
    ok: usize,
    failed: usize,
    #[serde(rename = "not-run")]
    not_run: usize,
    #[serde(skip)]
    as_json: bool,
    #[serde(skip)]
    scene: Option<Scene>,
}

/// One check.
#[derive(Serialize)]
struct Line {
    scene: &'static str,
    check: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Report {
    pub(crate) fn new(file: &Utf8Path, header: &Header, as_json: bool) -> Self {
        let Header { border, name, kind, version } = header.clone();
        let (file, checks) = (file.to_string(), vec![]);
        let (ok, failed, not_run) = (0, 0, 0);
        let (warning, scene) = (None, None);
        Self { file, name, kind, version, border, warning, checks, ok, failed, not_run, as_json, scene }
    }

    pub(crate) fn begin(&mut self, warning: Option<String>) -> Result<()> {
        self.warning = warning;
        if self.as_json {
            return Ok(());
        }
        let Self { name, version, kind, border, .. } = self;
        let heading = format!("{name} {version}, for border {border}: {kind}");
        print::line(&escape(&heading))?;
        self.warning.iter().try_for_each(|warning| print::line(&format!("warning: {}", escape(warning))))
    }

    pub(crate) fn tell(&mut self, scene: Scene, check: &str, outcome: Outcome) -> Result<()> {
        let (result, why) = match outcome {
            Outcome::Ok => ("ok", None),
            Outcome::Failed(why) => ("failed", Some(why)),
            Outcome::NotRun(why) => ("not-run", Some(why)),
        };
        match result {
            "ok" => self.ok += 1,
            "failed" => self.failed += 1,
            _ => self.not_run += 1,
        }
        if !self.as_json {
            self.heading(scene)?;
            lines(check, result, why.as_deref().unwrap_or_default())?;
        }
        self.checks.push(Line { scene: word(scene), check: check.into(), result, why });
        Ok(())
    }

    fn heading(&mut self, scene: Scene) -> Result<()> {
        if self.scene == Some(scene) {
            return Ok(());
        }
        self.scene = Some(scene);
        let heading = match scene {
            Scene::Description => "What it says of itself".to_owned(),
            Scene::Fake(platform) => format!("On a fake machine with {platform}"),
            Scene::Machine(_) => "On this machine".to_owned(),
        };
        print::line("").and_then(|()| print::line(&heading))
    }

    pub(crate) fn end(&self) -> Result<()> {
        if self.as_json {
            return print::json(self);
        }
        let all = self.checks.len();
        let Self { ok, failed, not_run, .. } = self;
        print::line("")?;
        print::line(&format!("{all} checks: {ok} ok, {failed} failed, {not_run} not run"))
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed > 0
    }
}

/// The scene for programs.
fn word(scene: Scene) -> &'static str {
    match scene {
        Scene::Description => "description",
        Scene::Fake(Platform::Linux) => "fake-linux",
        Scene::Fake(Platform::Freebsd) => "fake-freebsd",
        Scene::Machine(_) => "machine",
    }
}

/// A check for people: its result and name, and below them what is wrong.
fn lines(check: &str, result: &str, why: &str) -> Result<()> {
    let word = format!("{:<8}", result.replace('-', " "));
    let word = match (std::io::stdout().is_terminal(), result) {
        (true, "ok") => word.green().to_string(),
        (true, "failed") => word.red().bold().to_string(),
        (true, _) => word.yellow().to_string(),
        (false, _) => word,
    };
    if result == "not-run" {
        return print::line(&format!("  {word} {}: {}", escape(check), escape(why)));
    }
    print::line(&format!("  {word} {}", escape(check)))?;
    let mut shown = why.lines().take(LINES).map(|line| line.chars().take(WIDTH).collect::<String>());
    shown.try_for_each(|line| print::line(&format!("           {}", escape(&line))))
}
