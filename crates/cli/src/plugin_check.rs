//! `plugin check`: a library's checks are run one after the other, and told as they end. What is checked is the test kit's
//! business.

use std::panic;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_abi::{Caller, Header, Opener, Remote, read_header, require_superusers};
use qchroot_api::{Backend, Error, ErrorKind, Kind, Observe, ReleaseSource, ReleaseWish, Result};
use qchroot_engine::{Host, set_options};
use qchroot_host::{Machine, OpenInChild};
use qchroot_testkit::behavior::{Examined, Trial, plugin};

use crate::args::PluginCheck;
use crate::check_report::{Outcome, Report};
use crate::fail;
use crate::print::escape;
use crate::run::{absolute, pairs};

/// How long the plug-in may give no sign of life in one check.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the checks; the exit status.
pub(crate) fn run(args: &PluginCheck, as_json: bool) -> Result<u8> {
    let file = Utf8PathBuf::from(absolute(&args.file)?);
    let header = read_header(&file)?;
    let machine = Machine::new();
    if machine.is_superuser() {
        qchroot_host::own_mounts()?;
    }
    let mut examined = Examined { open: opening(&file, &header), header, wish: ReleaseWish::default() };
    examined.wish = wish(args, &examined, &machine)?;
    // A check fails by panicking; the report says why.
    panic::set_hook(Box::new(|_| {}));
    let trials = plugin(&examined)?;
    let mut report = Report::new(&file, &examined.header, as_json);
    report.begin(untrusted(&file))?;
    for trial in trials.into_iter().filter(|trial| is_wanted(trial, args.only.as_deref())) {
        let (scene, name) = (trial.scene(), trial.name().to_owned());
        report.tell(scene, &name, outcome(trial))?;
    }
    drop(panic::take_hook());
    report.end()?;
    Ok(if report.has_failed() { ErrorKind::Plugin.exit_code() } else { 0 })
}

/// A way to open it anew, each time in a process of its own, so that it can do no harm to the report.
fn opening(file: &Utf8Path, header: &Header) -> Arc<dyn Fn() -> Result<Remote> + Send + Sync> {
    let opener = OpenInChild::new(Arc::new(Printed), PATIENCE);
    let (file, header) = (file.to_owned(), header.clone());
    Arc::new(move || Remote::new(opener.open(&file, &header)?))
}

/// What the plug-in prints goes where errors go.
struct Printed;

impl Caller for Printed {
    fn printed(&self, plugin: &str, line: &str) {
        fail::warn(&format!("{plugin}: {}", escape(line)));
    }

    fn waits_on(&self, _plugin: &str, _what: &str, _silence: Duration) -> bool {
        false
    }
}

/// What to ask for. A release source that refuses it now would refuse it in every check.
fn wish(args: &PluginCheck, examined: &Examined, machine: &Machine) -> Result<ReleaseWish> {
    let remote = (examined.open)()?;
    let info = remote.info();
    let mut wish = ReleaseWish { release: args.release.clone(), any: true, ..ReleaseWish::default() };
    set_options(&mut wish.options, &info, &pairs(&args.options)?)?;
    let host: &dyn Observe = machine;
    let mut answer = remote.check(&wish.options);
    if answer.is_ok() && info.kind == Kind::ReleaseSource && info.platforms.contains(&host.platform()?) {
        answer = remote.resolve(&wish, host).map(drop);
    }
    match answer {
        // What is wrong with the plug-in itself is for the report.
        Err(error) if !matches!(error.kind(), ErrorKind::Plugin | ErrorKind::Internal) => {
            return Err(asked(error, examined));
        }
        _ => {}
    }
    Ok(wish)
}

/// What the source says of what it is asked for.
fn asked(error: Error, examined: &Examined) -> Error {
    let error = match error.kind() {
        ErrorKind::Config => error.of_kind(ErrorKind::Usage),
        _ => error,
    };
    error
        .while_doing(format!("{} cannot give what it is asked for", examined.header.name))
        .hint("-o KEY=VALUE and --release NAME say what to ask it for")
}

fn is_wanted(trial: &Trial, only: Option<&str>) -> bool {
    only.is_none_or(|text| trial.full_name().contains(text))
}

fn outcome(trial: Trial) -> Outcome {
    match trial.unable().map(str::to_owned) {
        Some(why) => Outcome::NotRun(why),
        None => match trial.run() {
            Ok(()) => Outcome::Ok,
            Err(why) => Outcome::Failed(why),
        },
    }
}

/// What would keep it from being used from where it lies.
fn untrusted(file: &Utf8Path) -> Option<String> {
    require_superusers(file).err().map(|error| format!("it cannot be used from here: {error}"))
}
