//! What is shown while the engine works: steps, progress, result lines, warnings. It decides nothing.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};
use qchroot_api::{Name, Progress, Step};
use qchroot_engine::{Point, Watch};

use crate::args::Global;
use crate::print::{self, escape};

/// The watcher of a command line.
pub(crate) struct Screen {
    json: bool,
    quiet: bool,
    verbose: bool,
    terminal: bool,
    state: Mutex<Shown>,
}

#[derive(Default)]
pub(crate) struct Shown {
    /// Steps of a dry run that are printed as JSON at the end.
    planned: Vec<Step>,
    bar: Option<ProgressBar>,
    what: String,
    #[cfg(feature = "crash-points")]
    points: u64,
}

impl Screen {
    pub(crate) fn new(global: &Global) -> Self {
        Self {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose > 0,
            terminal: std::io::stderr().is_terminal(),
            state: Mutex::default(),
        }
    }

    /// Whether only errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether results are wanted as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// The steps of a dry run.
    pub(crate) fn planned(&self) -> Vec<Step> {
        std::mem::take(&mut self.shown().planned)
    }

    pub(crate) fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn note(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{}", escape(text));
    }

    /// A bar on a terminal, else one line for each piece of work.
    fn show(&self, shown: &mut Shown, progress: &Progress) {
        let new_work = shown.what != progress.what;
        if new_work {
            shown.what.clone_from(&progress.what);
        }
        if !self.terminal {
            if new_work {
                self.note(&progress.what);
            }
            return;
        }
        let bar = shown.bar.get_or_insert_with(ProgressBar::new_spinner);
        if new_work {
            bar.reset();
        }
        bar.set_style(style(progress));
        bar.set_message(escape(&message(progress)));
        let in_bytes = counts_bytes(progress);
        let total = if in_bytes { progress.total_bytes } else { progress.total_entries };
        if let Some(total) = total {
            bar.set_length(total);
        }
        bar.set_position(if in_bytes { progress.bytes } else { progress.entries });
        bar.tick();
    }
}

fn counts_bytes(progress: &Progress) -> bool {
    progress.total_bytes.is_some() || progress.bytes > 0
}

/// What is being done, and the entries where the bar counts bytes.
fn message(progress: &Progress) -> String {
    match (progress.entries, progress.total_entries) {
        (0, _) => progress.what.clone(),
        _ if !counts_bytes(progress) => progress.what.clone(),
        (done, Some(total)) => format!("{} ({done} of {total} entries)", progress.what),
        (done, None) => format!("{} ({done} entries)", progress.what),
    }
}

fn style(progress: &Progress) -> ProgressStyle {
    let template = match (counts_bytes(progress), progress.total_bytes, progress.total_entries) {
        (true, Some(_), _) => "{spinner} {wide_msg} {bytes}/{total_bytes} {bytes_per_sec} {bar:24}",
        (true, None, _) => "{spinner} {wide_msg} {bytes} {bytes_per_sec}",
        (false, _, Some(_)) => "{spinner} {wide_msg} {pos}/{len} {bar:24}",
        (false, _, None) => "{spinner} {wide_msg} {elapsed}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Watch for Screen {
    fn step(&self, point: Point, step: &Step) {
        #[cfg(feature = "crash-points")]
        crash_here(&mut self.shown().points);
        match point {
            Point::Planned if self.json => self.shown().planned.push(step.clone()),
            Point::Planned => {
                let _ = print::line(&escape(&step.to_string()));
            }
            Point::Begun | Point::Undoing if self.verbose => self.note(&step.to_string()),
            Point::Skipped if self.verbose => self.note(&format!("{step} (there already)")),
            Point::Done | Point::Undone => {
                if let Some(bar) = self.shown().bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }

    fn progress(&self, progress: &Progress) {
        if !self.quiet && !self.json {
            self.show(&mut self.shown(), progress);
        }
    }

    fn said(&self, container: &Name, phrase: &str) {
        if !self.json && !self.quiet {
            let _ = print::line(&format!("{container}: {phrase}"));
        }
    }

    fn warn(&self, text: &str) {
        if !self.quiet {
            self.note(&format!("qchroot: warning: {text}"));
        }
    }
}

/// Ends the program as `kill -9` would, at the point that `QCHROOT_CRASH_AT` counts to.
#[cfg(feature = "crash-points")]
fn crash_here(points: &mut u64) {
    *points += 1;
    let at = std::env::var("QCHROOT_CRASH_AT").ok().and_then(|at| at.parse().ok());
    if at == Some(*points) {
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_entries_and_totals_are_shown_as_far_as_they_are_known() {
        let progress = |bytes, total_bytes, entries, total_entries| {
            message(&Progress { what: "unpacking x".into(), bytes, total_bytes, entries, total_entries })
        };
        assert_eq!(progress(5, Some(9), 3, Some(7)), "unpacking x (3 of 7 entries)");
        assert_eq!(progress(5, None, 3, None), "unpacking x (3 entries)");
        assert_eq!(progress(0, Some(9), 0, Some(7)), "unpacking x");
        assert_eq!(progress(0, None, 3, Some(7)), "unpacking x", "the bar says it");
    }
}
