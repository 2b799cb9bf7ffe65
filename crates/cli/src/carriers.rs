//! Where plug-ins of third parties run, and what they say to the user: in processes of their own, but for those that the
//! settings want in this one. It does not know how a process is started.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use qchroot_abi::{Caller, Carrier, Header, OpenHere, Opener};
use qchroot_api::Result;
use qchroot_engine::{PluginSettings, Watch};
use qchroot_host::OpenInChild;

use crate::print::escape;
use crate::screen::Screen;

/// Opens each plug-in where the settings want it.
pub(crate) struct AsSettled {
    in_process: Vec<String>,
    in_child: OpenInChild,
}

impl AsSettled {
    pub(crate) fn new(settings: &PluginSettings, screen: &Arc<Screen>) -> Self {
        let caller: Arc<dyn Caller> = Arc::<Screen>::clone(screen);
        let in_child = OpenInChild::new(caller, settings.patience());
        Self { in_process: settings.in_process.clone(), in_child }
    }
}

impl Opener for AsSettled {
    fn open(&self, file: &Utf8Path, header: &Header) -> Result<Box<dyn Carrier>> {
        if self.in_process.contains(&header.name) {
            OpenHere.open(file, header)
        } else {
            self.in_child.open(file, header)
        }
    }
}

impl Caller for Screen {
    fn printed(&self, plugin: &str, line: &str) {
        self.warn(&format!("{plugin}: {line}"));
    }

    fn waits_on(&self, plugin: &str, call: &str, silence: Duration) -> bool {
        if !self.can_ask() {
            return false;
        }
        // One question at a time, and nothing is shown meanwhile.
        let _shown = self.shown();
        let seconds = silence.as_secs_f64();
        let plugin = escape(plugin);
        let question = format!("{plugin} gave no sign of life for {seconds} s in `{call}`; wait on? [Y/n] ");
        let mut stderr = io::stderr().lock();
        let asked = stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush());
        let mut answer = String::new();
        let is_answered = asked.is_ok() && io::stdin().read_line(&mut answer).is_ok_and(|length| length > 0);
        is_answered && !answer.trim().to_lowercase().starts_with('n')
    }
}

impl Screen {
    /// Whether there is a user who sees a question and can answer it.
    fn can_ask(&self) -> bool {
        !self.is_quiet() && !self.is_json() && io::stdin().is_terminal() && io::stderr().is_terminal()
    }
}
