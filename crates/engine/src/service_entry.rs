//! The `[[service]]` tables of a container's file: their form, what they may say, and the order in which the services
//! start. It does not know how a service is run or watched over.

use std::collections::BTreeMap;

use camino::{Utf8Component, Utf8Path};
use qchroot_api::{Error, ErrorKind, Health, Ready, Restart, Result, Service, ServiceRun};
use serde::{Deserialize, Serialize};

use crate::config::locate;
use crate::file_name::is_plain;
use crate::order::sequence;

/// Signals that daemons take as a wish to end.
const STOP_SIGNALS: &[&str] = &["HUP", "INT", "QUIT", "KILL", "TERM", "USR1", "USR2", "WINCH"];

/// One `[[service]]`: with `script` or with `command`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceEntry {
    /// Its name.
    pub name: String,
    /// Path of its script inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// Program and arguments, watched over by qchroot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Services of this container that it starts after, if they are configured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Services of this container that it starts after and cannot do without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// When it counts as started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<ReadyEntry>,
    /// Seconds that it may take until it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_timeout: Option<u64>,
    /// What is done when it ends by itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub restart: Restart,
    /// How it is asked whether it is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// The signal that asks a command to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// The container's user that a command runs as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What is added to a command's environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

/// `ready` of a service: one of these.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadyEntry {
    /// A TCP port that takes connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// A path inside that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Program and arguments that end with status 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// The service tells it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<bool>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl ServiceEntry {
    /// An entry for a script inside.
    pub(crate) fn of_script(name: &str, path: &str) -> Self {
        Self {
            name: name.into(),
            script: Some(path.into()),
            command: None,
            after: vec![],
            requires: vec![],
            ready: None,
            ready_timeout: None,
            restart: Restart::default(),
            health: None,
            stop_signal: None,
            user: None,
            environment: BTreeMap::new(),
        }
    }

    /// The service that this entry describes.
    ///
    /// # Errors
    /// Configuration, with the fact `key`, when it has neither or both of `script` and `command`, a name that is none,
    /// or a key that cannot be meant.
    pub fn service(&self) -> Result<Service> {
        check_service_name(&self.name)?;
        let run = match (&self.script, &self.command) {
            (Some(path), None) => script_run(path),
            (None, Some(argv)) if is_argv(argv) => ServiceRun::Command { argv: argv.clone() },
            _ => return Err(self.bad("name", "needs either script or command")),
        };
        if matches!(run, ServiceRun::Script { .. }) {
            self.refuse_keys_of_commands()?;
        }
        self.check_words()?;
        Ok(Service {
            after: self.after.clone(),
            requires: self.requires.clone(),
            ready: self.ready.as_ref().map(|entry| self.ready(entry)).transpose()?,
            ready_timeout: self.ready_timeout,
            restart: self.restart,
            health: self.health.clone(),
            stop_signal: self.stop_signal.as_deref().map(|text| self.signal(text)).transpose()?,
            user: self.user.clone(),
            environment: self.environment.clone(),
            ..Service::new(&self.name, run)
        })
    }

    fn bad(&self, key: &str, why: &str) -> Error {
        let error = Error::new(ErrorKind::Config, format!("service {} {why}", self.name));
        error.with("service", &self.name).with("key", key)
    }

    /// A script chooses its user, its environment and its way to stop by itself.
    fn refuse_keys_of_commands(&self) -> Result<()> {
        let told_by_itself = self.ready.as_ref().is_some_and(|ready| ready.notify.is_some());
        let given = [
            ("user", self.user.is_some()),
            ("environment", !self.environment.is_empty()),
            ("stop_signal", self.stop_signal.is_some()),
            ("ready", told_by_itself),
        ];
        given.iter().find(|(_, is_given)| *is_given).map_or(Ok(()), |(key, _)| {
            let what = if told_by_itself && *key == "ready" { "ready by notify" } else { key };
            Err(self.bad(key, &format!("has a script, and {what} is for commands only")))
        })
    }

    fn check_words(&self) -> Result<()> {
        let health = self.health.as_ref();
        let is_variable = |key: &String| !key.is_empty() && !key.contains(['=', '\0']);
        let good = [
            ("after", self.after.iter().all(|name| is_plain(name)), "is after what is no service name"),
            ("requires", self.requires.iter().all(|name| is_plain(name)), "requires what is no service name"),
            (
                "ready_timeout",
                self.ready_timeout.is_none_or(is_time),
                "needs a ready_timeout of 1 to 86400 seconds",
            ),
            ("health", health.is_none_or(|health| is_argv(&health.command)), "has no health command"),
            (
                "health",
                health.is_none_or(|h| is_time(h.interval) && is_time(h.timeout) && h.retries > 0),
                "needs retries of its health of at least 1, and an interval and a timeout of 1 to 86400 seconds",
            ),
            (
                "user",
                self.user.as_ref().is_none_or(|user| !user.is_empty() && !user.contains([':', '\n'])),
                "has no user name",
            ),
            ("environment", self.environment.keys().all(is_variable), "has a variable without a name"),
        ];
        let broken = good.iter().find(|(_, is_good, _)| !is_good);
        broken.map_or(Ok(()), |(key, _, why)| Err(self.bad(key, why)))
    }

    fn ready(&self, entry: &ReadyEntry) -> Result<Ready> {
        match (entry.port, &entry.file, &entry.command, entry.notify) {
            (Some(port @ 1..), None, None, None) => Ok(Ready::Port { port }),
            (None, Some(path), None, None) if is_path(path) => Ok(Ready::File { path: path.into() }),
            (None, None, Some(argv), None) if is_argv(argv) => Ok(Ready::Command { argv: argv.clone() }),
            (None, None, None, Some(true)) => Ok(Ready::Notify),
            _ => Err(self.bad("ready", "is ready by one thing: a port, a file, a command, or notify = true").hint(
                "for example ready = { port = 5432 }, or ready = { file = \"/run/web.sock\" } with the whole path",
            )),
        }
    }

    fn signal(&self, text: &str) -> Result<String> {
        let name = text.strip_prefix("SIG").unwrap_or(text);
        let known = STOP_SIGNALS.contains(&name);
        known.then(|| name.to_owned()).ok_or_else(|| {
            let hint = format!("there are: {}", STOP_SIGNALS.join(", "));
            self.bad("stop_signal", &format!("cannot be stopped by signal {text:?}")).hint(hint)
        })
    }
}

fn is_argv(argv: &[String]) -> bool {
    argv.first().is_some_and(|program| !program.is_empty()) && argv.iter().all(|word| !word.contains('\0'))
}

/// Seconds up to a day: a longer wait is a mistake.
fn is_time(seconds: u64) -> bool {
    (1..=86_400).contains(&seconds)
}

/// A path from the root on that names something.
fn is_path(path: &str) -> bool {
    let mut parts = Utf8Path::new(path).components();
    parts.next() == Some(Utf8Component::RootDir)
        && parts.clone().next().is_some()
        && parts.all(|part| matches!(part, Utf8Component::Normal(_)))
}

/// How a script is called: rc.subr(8) wants `onestart`, so that `NAME_enable` need not be set; init.d scripts
/// know `start` only.
fn script_run(path: &str) -> ServiceRun {
    let prefix = if path.contains("/rc.d/") { "one" } else { "" };
    ServiceRun::Script { path: path.into(), start: format!("{prefix}start"), stop: format!("{prefix}stop") }
}

/// Refuses what is no service name: it becomes a file name and a path inside the container.
pub(crate) fn check_service_name(name: &str) -> Result<()> {
    if is_plain(name) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, format!("bad service name {name:?}"))
        .hint("use letters, digits, dash, underscore and dot, for example nginx"))
}

/// The services that these entries describe, in the order in which they start: that of the file, but none before one
/// that it needs.
///
/// # Errors
/// As [`ServiceEntry::service`]; configuration also for a name given twice, a required service that is not there, and
/// services that wait for each other.
pub(crate) fn in_order(entries: &[ServiceEntry]) -> Result<Vec<Service>> {
    let mut services: BTreeMap<&str, Service> = BTreeMap::new();
    for entry in entries {
        if services.insert(&entry.name, entry.service()?).is_some() {
            return Err(entry.bad("name", "is configured twice"));
        }
    }
    for entry in entries {
        if let Some(missing) = entry.requires.iter().find(|name| !services.contains_key(name.as_str())) {
            return Err(entry
                .bad("requires", &format!("requires {missing}, which is not configured"))
                .hint("add it, or use `after` where it is enough to start after it, if it is there"));
        }
    }
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let by_name: BTreeMap<&str, &ServiceEntry> = names.iter().copied().zip(entries).collect();
    let needs = |name: &&str| {
        let entry = by_name.get(name);
        entry.map_or(vec![], |entry| entry.requires.iter().chain(&entry.after).map(String::as_str).collect())
    };
    let order = sequence(&names, needs).map_err(|cycle| in_a_circle(&cycle, &by_name))?;
    Ok(order.iter().filter_map(|name| services.remove(name)).collect())
}

fn in_a_circle(cycle: &[&str], by_name: &BTreeMap<&str, &ServiceEntry>) -> Error {
    let word = |from: &str, to: &str| {
        let requires = by_name.get(from).is_some_and(|entry| entry.requires.iter().any(|name| name == to));
        if requires { "requires" } else { "after" }
    };
    let mut path = cycle.first().copied().unwrap_or_default().to_owned();
    for pair in cycle.windows(2) {
        path.push_str(&format!(" {} {}", word(pair[0], pair[1]), pair[1]));
    }
    let (first, second) = (cycle[0], cycle[1]);
    Error::new(ErrorKind::Config, format!("services wait for each other: {path}"))
        .with("service", first)
        .with("key", word(first, second))
        .hint(format!(
            "take one of them out of {}",
            if path.contains(" requires ") { "`requires` or `after`" } else { "`after`" }
        ))
}

/// [`in_order`] for the file `path` with this text: errors name line and column.
pub(crate) fn in_order_of(entries: &[ServiceEntry], path: &Utf8Path, text: &str) -> Result<Vec<Service>> {
    in_order(entries).map_err(|error| {
        let name = error.fact("service").unwrap_or_default().to_owned();
        // The last of that name: of two, the second is one too many.
        match entries.iter().rposition(|entry| entry.name == name) {
            Some(index) => locate(error, path, text, &["service", &index.to_string()]),
            None => error.with("path", path),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ContainerFile, parse};

    const HEAD: &str =
        "format = 1\nstorage = { backend = \"overlay\" }\nisolation = { backend = \"chroot\" }\n";

    fn order(services: &str) -> Result<Vec<Service>> {
        let text = format!("{HEAD}{services}");
        let file: ContainerFile = parse("web.toml".into(), &text)?;
        in_order_of(&file.service, "web.toml".into(), &text)
    }

    fn refusal(services: &str) -> String {
        order(services).unwrap_err().to_string()
    }

    #[test]
    fn services_start_after_what_they_need_and_else_as_they_stand() {
        let text = "[[service]]\nname = 'web'\nscript = '/etc/init.d/web'\nrequires = ['db']\nafter = ['mail']\n\
                    [[service]]\nname = 'cron'\ncommand = ['cron', '-f']\n\
                    [[service]]\nname = 'db'\ncommand = ['postgres']\nuser = 'postgres'\nstop_signal = 'SIGINT'\n\
                    ready = { port = 5432 }\nhealth = { command = ['pg_isready'] }\nenvironment = { A = 'b' }\n";
        let services = order(text).unwrap();
        let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["db", "web", "cron"]);
        let db = &services[0];
        assert_eq!((db.stop_signal.as_deref(), &db.ready), (Some("INT"), &Some(Ready::Port { port: 5432 })));
        let health = db.health.as_ref().unwrap();
        assert_eq!((health.interval, health.timeout, health.retries), (30, 5, 3));
    }

    #[test]
    fn services_that_wait_for_each_other_are_named_with_the_way() {
        let text = "[[service]]\nname = 'cron'\ncommand = ['cron']\nafter = ['db']\n\
                    [[service]]\nname = 'db'\ncommand = ['db']\nafter = ['web']\n\
                    [[service]]\nname = 'web'\ncommand = ['web']\nrequires = ['db']\n";
        let said = refusal(text);
        assert!(
            said.starts_with("web.toml:11:1: services wait for each other: db after web requires db"),
            "{said}"
        );
        let said = refusal("[[service]]\nname = 'db'\ncommand = ['db']\nafter = ['db']\n");
        assert!(said.contains("db after db"), "{said}");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_where_it_stands() {
        let command = "[[service]]\nname = 'db'\ncommand = ['db']\n";
        let script = "[[service]]\nname = 'db'\nscript = '/etc/init.d/db'\n";
        for (text, said) in [
            (
                format!("{command}requires = ['web']\n"),
                "web.toml:7:1: service db requires web, which is not configured",
            ),
            (format!("{command}{command}"), "web.toml:8:1: service db is configured twice"),
            (
                format!("{command}ready = {{ port = 1, notify = true }}\n"),
                "web.toml:7:1: service db is ready by one",
            ),
            (format!("{command}ready = {{ file = 'run/db' }}\n"), "web.toml:7:1: service db is ready by one"),
            (format!("{command}ready = {{ port = 0 }}\n"), "web.toml:7:1: service db is ready by one"),
            (
                format!("{command}stop_signal = 'NONE'\n"),
                "web.toml:7:1: service db cannot be stopped by signal",
            ),
            (format!("{command}restart = 'often'\n"), "web.toml:7:11: unknown variant `often`"),
            (
                format!("{command}health = {{ command = [] }}\n"),
                "web.toml:7:1: service db has no health command",
            ),
            (
                format!("{command}environment = {{ 'A=B' = 'c' }}\n"),
                "web.toml:7:1: service db has a variable",
            ),
            (
                format!("{script}user = 'db'\n"),
                "web.toml:7:1: service db has a script, and user is for commands",
            ),
            (
                format!("{script}ready = {{ notify = true }}\n"),
                "web.toml:7:1: service db has a script, and ready by",
            ),
            (
                format!("{script}command = ['db']\n"),
                "web.toml:5:1: service db needs either script or command",
            ),
        ] {
            let refusal = refusal(&text);
            assert!(refusal.starts_with(said), "{refusal}");
        }
    }
}
