//! From the parsed command line to the engine and back to an exit status.

use std::process::ExitCode;
use std::sync::Arc;

use camino::Utf8Path;
use clap::{CommandFactory, Parser};
use qchroot_abi::Plugins;
use qchroot_api::{Error, ErrorKind, Name, Observe, Result};
use qchroot_engine::{CreateWish, Engine, InstallWish, Registry, Session, Settings, Watch, Who};
use qchroot_host::Machine;
use serde_json::json;

use crate::args::{Cli, Command, Create, Delete, Exec, Identity, Install, Plugin};
use crate::carriers::AsSettled;
use crate::screen::Screen;
use crate::{fail, place, plugin, plugin_check, plugin_new, print};

/// A path as it is from `/` on; nothing is looked up.
pub(crate) fn absolute(path: &Utf8Path) -> Result<String> {
    let absolute = camino::absolute_utf8(path);
    absolute
        .map(|path| path.into_string())
        .map_err(|error| Error::from_io(&error, format!("cannot tell where {path} is")))
}

/// Two lists of `-o` options: the storage's and the isolation's.
type BackendOptions = (Vec<(String, String)>, Vec<(String, String)>);

pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let as_json = cli.global.json;
    match run(cli) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            let status = fail::status(&error);
            fail::tell(&error, status, as_json);
            ExitCode::from(status)
        }
    }
}

/// clap's own errors, with this program's exit status and form.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if std::env::args().any(|arg| arg == "--json") {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        fail::tell(&Error::new(ErrorKind::Usage, first).hint("see `qchroot help`"), 64, true);
    } else {
        let _ = error.print();
    }
    ExitCode::from(ErrorKind::Usage.exit_code())
}

fn run(cli: Cli) -> Result<u8> {
    let Some(command) = cli.command else {
        return print::line(&Cli::command().render_help().to_string()).map(|()| 0);
    };
    if matches!(command, Command::Version) {
        return version(cli.global.json);
    }
    if let Command::Plugin(Plugin::New(args)) = &command {
        return plugin_new::run(args, &cli.global);
    }
    if matches!(command, Command::Console(_) | Command::Exec(_)) {
        qchroot_host::protect_program();
    }
    qchroot_host::settle_process();
    if let Command::Plugin(Plugin::Check(args)) = &command {
        return plugin_check::run(args, cli.global.json);
    }
    // What these two leave when they are interrupted is in order, and they say what it is.
    let machine = match command {
        Command::Export(_) | Command::Import(_) => Machine::with_cancel(qchroot_host::on_signals()?),
        _ => Machine::new(),
    };
    let view: &dyn Observe = &machine;
    let layout = place::layout(cli.global.root.as_deref(), view.platform()?)?;
    let settings = Settings::read(&machine, &layout)?;
    let screen = Arc::new(Screen::new(&cli.global));
    let opener = Box::new(AsSettled::new(&settings.plugins, &screen));
    let plugins = Plugins::new(layout.plugins.clone(), settings.plugins.allow.clone(), opener);
    let registry = Registry::linked()?.with_plugins(plugins);
    let dry_run = cli.global.dry_run;
    let engine = Engine { host: &machine, registry: &registry, layout, settings, watch: &*screen, dry_run };
    let front = Front { engine, screen: &screen, json: cli.global.json };
    if !matches!(command, Command::Doctor(_)) {
        front.engine.warn_of_interrupted()?;
    }
    let status = front.dispatch(command)?;
    if dry_run && cli.global.json {
        print::json(&screen.planned())?;
    }
    Ok(status)
}

fn version(as_json: bool) -> Result<u8> {
    let version = env!("CARGO_PKG_VERSION");
    if as_json {
        print::json(&json!({ "version": version }))?
    } else {
        print::line(&format!("qchroot {version}"))?
    }
    Ok(0)
}

/// The engine and how its results are shown.
pub(crate) struct Front<'a> {
    pub(crate) engine: Engine<'a>,
    pub(crate) screen: &'a Screen,
    pub(crate) json: bool,
}

impl Front<'_> {
    fn dispatch(&self, command: Command) -> Result<u8> {
        match command {
            Command::Install(args) => self.install(args)?,
            Command::Create(args) => self.create(args)?,
            Command::List(args) => self.list(&args.names)?,
            Command::Status(args) => self.status(&args.names)?,
            Command::Config(args) => self.config(args)?,
            Command::Start(args) => return self.start(&args),
            Command::Stop(args) => return self.stop(&args),
            Command::Restart(args) => return self.restart(&args),
            Command::Console(args) => {
                return self.session(&args.name, args.identity, vec![], |engine, name, session| {
                    engine.console(name, session)
                });
            }
            Command::Exec(args) => {
                let Exec { name, identity, argv, trace_files } = args;
                return match trace_files {
                    false => self
                        .session(&name, identity, argv, |engine, name, session| engine.exec(name, session)),
                    true => self.session(&name, identity, argv, |engine, name, session| {
                        let (status, missing) = engine.exec_traced(name, session)?;
                        if self.json {
                            print::json(&missing)?
                        } else {
                            print::proposal(&missing)?
                        }
                        Ok(status)
                    }),
                };
            }
            Command::Ps(args) => self.ps(&args)?,
            Command::Kill(args) => self.kill(&args)?,
            Command::Top(args) => self.top(&args)?,
            Command::Logs(args) => self.logs(args)?,
            Command::Delete(args) => return self.delete(&args),
            Command::Export(args) => self.export(&args)?,
            Command::Import(args) => self.import(args)?,
            Command::Adopt(args) => return self.adopt(args),
            Command::Release(args) => return self.release(args),
            Command::Upgrade(args) => return self.upgrade(args),
            Command::Check(args) => return self.check(args),
            Command::Resize(args) => self.resize(&args)?,
            Command::Rollback(args) => {
                return match args.snapshot {
                    None => self.rollback(&args.names),
                    Some(snapshot) => self.restore(args.names, &snapshot),
                };
            }
            Command::Snapshot(args) => self.snapshot(&args)?,
            Command::Clone(args) => self.clone_container(&args)?,
            Command::Rename(args) => self.rename(&args)?,
            Command::Plugin(plugin) => self.plugin(&plugin)?,
            Command::Doctor(args) => return self.doctor(args.repair),
            Command::Version => {}
        }
        Ok(0)
    }

    fn install(&self, args: Install) -> Result<()> {
        let options = pairs(&args.options)?;
        let Install { source, release, any_release: any, across_major, .. } = args;
        let id = self.engine.install(&InstallWish { source, release, options, any, across_major })?;
        self.engine.empty_trash(false)?;
        match (self.engine.dry_run, self.json) {
            (true, _) => Ok(()),
            (false, true) => print::json(&json!({ "release": id })),
            (false, false) if self.screen.is_quiet() => Ok(()),
            (false, false) => print::line(&format!("{id} is installed")),
        }
    }

    fn create(&self, args: Create) -> Result<()> {
        let name: Name = args.name.parse()?;
        let (mut storage_options, isolation_options) = backend_options(&args.options)?;
        let release = args.release.map(|id| id.parse()).transpose()?;
        let Create { mut storage, isolation, source_tree, size, .. } = args;
        if let Some(tree) = source_tree {
            storage = Some("tree".into());
            storage_options.push(("path".into(), absolute(&tree)?));
        }
        let permissions = args.permission;
        let limits = pairs(&args.limit)?;
        let wish = CreateWish {
            storage,
            isolation,
            release,
            storage_options,
            size,
            isolation_options,
            limits,
            permissions,
        };
        self.engine.create(&name, &wish)?;
        self.tell(&name, "created")
    }

    /// A result of one container that has no phrase in the manual.
    pub(crate) fn tell(&self, name: &Name, what: &str) -> Result<()> {
        match (self.engine.dry_run, self.json) {
            (true, _) => Ok(()),
            (false, true) => print::json(&json!({ "name": name, "result": what })),
            (false, false) => {
                self.screen.said(name, what);
                Ok(())
            }
        }
    }

    fn delete(&self, args: &Delete) -> Result<u8> {
        let status = self.for_each(&args.which, "delete", |name| {
            self.engine.delete(name)?;
            self.tell(name, "deleted")
        })?;
        self.engine.empty_trash(args.wait)?;
        Ok(status)
    }

    /// A failure to get inside is 125, as with chroot(8); what is wrong before that keeps its own status.
    fn session(
        &self,
        name: &str,
        identity: Identity,
        argv: Vec<String>,
        run: impl Fn(&Engine<'_>, &Name, &Session) -> Result<i32>,
    ) -> Result<u8> {
        let name: Name = name.parse()?;
        let Identity { host_user, container_user, login } = identity;
        let who = host_user.map(Who::Host).or(container_user.map(Who::Container)).unwrap_or_default();
        let session = Session { who, login, argv, term: std::env::var("TERM").ok() };
        let status = run(&self.engine, &name, &session).map_err(|error| match error.kind() {
            _ if error.fact("exit").is_some() => error,
            ErrorKind::System | ErrorKind::Internal | ErrorKind::Io | ErrorKind::Unavailable => {
                error.with("exit", 125)
            }
            _ => error,
        })?;
        Ok(u8::try_from(status).unwrap_or(125))
    }

    fn plugin(&self, plugin: &Plugin) -> Result<()> {
        match plugin {
            // Done already: it needs no engine.
            Plugin::New(_) => Ok(()),
            Plugin::List => {
                let lines = self.engine.plugins()?;
                if self.json { print::json(&lines) } else { plugin::list(&lines) }
            }
            Plugin::Info { name } => {
                let line = self.engine.plugin(name)?;
                if self.json { print::json(&line) } else { plugin::info(&line) }
            }
            // It needs no system, and is done before one is looked at.
            Plugin::Check(_) => Ok(()),
        }
    }

    fn doctor(&self, repair: bool) -> Result<u8> {
        let findings = self.engine.doctor(repair)?;
        if self.json {
            print::json(&findings)?
        } else {
            print::findings(&findings)?
        }
        let open = findings.iter().any(|finding| !finding.repaired && !finding.advice);
        Ok(if open { ErrorKind::Busy.exit_code() } else { 0 })
    }
}

pub(crate) fn parse_names(names: &[String]) -> Result<Vec<Name>> {
    names.iter().map(|name| name.parse()).collect()
}

pub(crate) fn key_value(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.into(), value.into())),
        _ => Err(Error::new(ErrorKind::Usage, format!("{text:?} is not of the form KEY=VALUE"))),
    }
}

pub(crate) fn pairs(texts: &[String]) -> Result<Vec<(String, String)>> {
    texts.iter().map(|text| key_value(text)).collect()
}

pub(crate) fn backend_options(options: &[String]) -> Result<BackendOptions> {
    let (mut storage, mut isolation) = (vec![], vec![]);
    for text in options {
        let (key, value) = key_value(text)?;
        match key.split_once('.') {
            Some(("storage", key)) => storage.push((key.into(), value)),
            Some(("isolation", key)) => isolation.push((key.into(), value)),
            _ => {
                return Err(Error::new(ErrorKind::Usage, format!("option {text:?} is for neither back end"))
                    .hint("write storage.KEY=VALUE or isolation.KEY=VALUE"));
            }
        }
    }
    Ok((storage, isolation))
}
