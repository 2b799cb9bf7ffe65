//! `exec` and `console`: one program inside, in a container that is started or, for its time, opened.

use std::cell::RefCell;
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Brand, Credentials, Entry, Error, ErrorKind, Name, Place, Result, UserName};

use crate::journal::Op;
use crate::missing;
use crate::ops::start::half_started;
use crate::users::{self, User};
use crate::{Engine, Loaded, STOP_PATIENCE, State};

/// Where programs are looked for inside.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The same in a login of an ordinary user; ENV_PATH of login.defs(5).
const USERS_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// No more is read of a container's passwd(5) and group(5), in bytes.
const LONGEST_ACCOUNTS: u64 = 16 << 20;

/// Who a program runs as.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Who {
    /// The container's superuser.
    #[default]
    Root,
    /// A user of the host's (`-u`, jail(8)).
    Host(String),
    /// A user of the container's (`-U`, jail(8)).
    Container(String),
}

/// One program to run inside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    /// Who it runs as.
    pub who: Who,
    /// As a login: in the home directory, the shell told so.
    pub login: bool,
    /// Program and arguments; none means the user's shell.
    pub argv: Vec<String>,
    /// The terminal's type, passed on as `TERM`.
    pub term: Option<String>,
}

/// How a program is run once it is known which.
type Run<'a> = &'a dyn Fn(&Entry) -> Result<i32>;

impl Engine<'_> {
    /// An interactive shell in a container that is stopped. The shell's exit status.
    ///
    /// # Errors
    /// Busy, when the container is started.
    pub fn console(&self, name: &Name, session: &Session) -> Result<i32> {
        let loaded = self.load(name)?;
        if self.is_stopped(&loaded)? || self.dry_run {
            return self.open_and_run(&loaded, session, true, &|entry| self.host.enter(entry));
        }
        Err(Error::new(ErrorKind::Busy, format!("{name} is started, and a console needs it stopped"))
            .with("container", name)
            .hint(format!("`qchroot stop {name}` first, or `qchroot exec {name} sh` beside its services")))
    }

    /// Runs a program inside; a stopped container is opened for it and closed again. Its exit status.
    pub fn exec(&self, name: &Name, session: &Session) -> Result<i32> {
        self.exec_by(name, session, &|entry| self.host.enter(entry))
    }

    /// The same under a tracer: also what the program asked for that is not inside but on the host, sorted.
    ///
    /// # Errors
    /// Unavailable where the machine cannot trace.
    pub fn exec_traced(&self, name: &Name, session: &Session) -> Result<(i32, Vec<Utf8PathBuf>)> {
        let missing = RefCell::new(vec![]);
        let status = self.exec_by(name, session, &|entry| {
            let (status, asked_for) = self.host.trace(entry)?;
            *missing.borrow_mut() = missing::on_host(asked_for, self.view())?;
            Ok(status)
        })?;
        Ok((status, missing.into_inner()))
    }

    fn exec_by(&self, name: &Name, session: &Session, run: Run<'_>) -> Result<i32> {
        if !self.dry_run {
            self.require_superuser()?;
        }
        let loaded = self.load(name)?;
        if self.is_started(name)? {
            return if self.dry_run { Ok(0) } else { run(&self.entry(&loaded, session, false)?) };
        }
        match self.state(name, &self.look()?)? {
            (State::Stopped, _) => self.open_and_run(&loaded, session, false, run),
            (_, problems) => Err(half_started(name, &problems)),
        }
    }

    /// Opens a stopped container, runs the program, and takes everything down again, whatever way it ends: a
    /// second process does it when this one is killed.
    fn open_and_run(
        &self,
        loaded: &Loaded<'_>,
        session: &Session,
        console: bool,
        run: Run<'_>,
    ) -> Result<i32> {
        let name = &loaded.name;
        let _lock = self.lock_container(name)?;
        self.refuse_half_done(name)?;
        if self.is_started(name)? {
            return Err(Error::new(ErrorKind::Busy, format!("{name} was started meanwhile"))
                .with("container", name)
                .hint("try again"));
        }
        self.check_standing(loaded)?;
        let plan = self.open_plan(loaded, None)?;
        if self.dry_run {
            return self.run_start(loaded, Op::Session, plan).map(|()| 0);
        }
        let take_down = || {
            // Nobody is left to tell; what stays is found by `doctor`.
            let _ = self.take_down(name, STOP_PATIENCE);
        };
        let guard = self.host.on_death(&take_down)?;
        let outcome = self.run_start(loaded, Op::Session, plan).and_then(|()| {
            let status = self.entry(loaded, session, console).and_then(|entry| run(&entry));
            let down = self.take_down(name, STOP_PATIENCE);
            status.and_then(|status| down.map(|()| status))
        });
        guard.release()?;
        outcome
    }

    fn entry(&self, loaded: &Loaded<'_>, session: &Session, console: bool) -> Result<Entry> {
        let root = loaded.container.root();
        let (user, credentials) = self.identity(&root, &session.who)?;
        let shell = shell_of(&user, console && !session.login).to_owned();
        let argv = if session.argv.is_empty() { vec![shell.clone()] } else { session.argv.clone() };
        let argv0 = session.login.then(|| format!("-{}", argv[0].rsplit('/').next().unwrap_or("sh")));
        let at_home = session.login || console;
        let mut env = environment(&user, &shell, session);
        if console {
            env.extend([prompt(&loaded.name, &shell, user.uid, loaded.installed.base.brand)]);
        }
        Ok(Entry {
            way: loaded.isolation.way(&loaded.container, self.view())?,
            argv,
            argv0,
            env,
            credentials,
            directory: if at_home { Utf8PathBuf::from(&user.home) } else { "/".into() },
        })
    }

    fn identity(&self, root: &Utf8Path, who: &Who) -> Result<(User, Credentials)> {
        let of = |at: &dyn Fn(&str) -> Place, user: &str| {
            let user = users::find(&self.accounts(&at("etc/passwd"))?, user)?;
            let credentials = users::credentials(&user, &self.accounts(&at("etc/group"))?);
            Ok((user, credentials))
        };
        let named = |(user, mut credentials): (User, Credentials), of: &dyn Fn(String) -> UserName| {
            credentials.user = Some(of(user.name.clone()));
            (user, credentials)
        };
        match who {
            Who::Host(user) => Ok(named(of(&|path| Place::host(path), user)?, &UserName::Host)),
            Who::Container(user) => {
                Ok(named(of(&|path| Place::within(root, path), user)?, &UserName::Container))
            }
            Who::Root => {
                Ok(of(&|path| Place::within(root, path), "0").unwrap_or_else(|_: Error| superuser()))
            }
        }
    }

    /// A passwd(5) or group(5) file: a missing one is empty, and names of people need not be UTF-8.
    fn accounts(&self, at: &Place) -> Result<String> {
        match self.view().bytes(at, 0, LONGEST_ACCOUNTS) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error),
        }
    }
}

/// The superuser of a container without a passwd file.
fn superuser() -> (User, Credentials) {
    let user = User { name: "root".into(), uid: 0, gid: 0, home: "/".into(), shell: "/bin/sh".into() };
    (user, Credentials::root())
}

/// Everything that a program inside gets to see of an environment.
fn environment(user: &User, shell: &str, session: &Session) -> BTreeMap<String, String> {
    let path = if session.login && user.uid != 0 { USERS_PATH } else { PATH };
    let home = if user.home.is_empty() { "/" } else { &user.home };
    let mut env: BTreeMap<String, String> = [
        ("PATH", path),
        ("HOME", home),
        ("USER", &user.name),
        ("LOGNAME", &user.name),
        ("SHELL", shell),
        ("LANG", "C.UTF-8"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    if session.login {
        env.insert("MAIL".into(), format!("/var/mail/{}", user.name));
    }
    env.extend(session.term.clone().map(|term| ("TERM".to_owned(), term)));
    env
}

/// The user's shell. One whose prompt only its own files can set is left for sh(1) where the prompt matters.
fn shell_of(user: &User, prompt_matters: bool) -> &str {
    let is_csh = matches!(user.shell.rsplit('/').next(), Some("csh" | "tcsh"));
    if user.shell.is_empty() || (is_csh && prompt_matters) { "/bin/sh" } else { &user.shell }
}

/// A prompt with the container's name and the path. bash(1) sets its own from its start-up files, so it is told
/// before each prompt; FreeBSD's sh(1) knows sequences and expands no parameters in `PS1`, as others do (sh(1), POSIX).
fn prompt(name: &Name, shell: &str, uid: u32, brand: Brand) -> (String, String) {
    let shell = shell.rsplit('/').next().unwrap_or_default();
    if shell == "bash" {
        ("PROMPT_COMMAND".into(), format!(r#"PS1='{name}:\w\$ '"#))
    } else if shell == "sh" && brand == Brand::Freebsd {
        ("PS1".into(), format!(r"{name}:\w\$ "))
    } else {
        let mark = if uid == 0 { '#' } else { '$' };
        ("PS1".into(), format!("{name}:$PWD{mark} "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_is_told_a_prompt_that_it_understands() {
        let name: Name = "web".parse().unwrap();
        let told = |shell: &str, brand| prompt(&name, shell, 0, brand).1;
        assert_eq!(told("/bin/sh", Brand::Freebsd), r"web:\w\$ ");
        assert_eq!(told("/bin/sh", Brand::Linux), "web:$PWD# ");
        assert_eq!(told("/usr/local/bin/zsh", Brand::Freebsd), "web:$PWD# ");
        assert_eq!(told("/usr/local/bin/bash", Brand::Freebsd), r"PS1='web:\w\$ '");
    }

    #[test]
    fn a_shell_that_cannot_be_told_gives_way_to_one_that_can() {
        let user = |shell: &str| User { shell: shell.into(), ..superuser().0 };
        assert_eq!(shell_of(&user("/bin/csh"), true), "/bin/sh");
        assert_eq!(shell_of(&user("/bin/csh"), false), "/bin/csh");
        assert_eq!(shell_of(&user("/bin/zsh"), true), "/bin/zsh");
        assert_eq!(shell_of(&user(""), false), "/bin/sh");
    }
}
