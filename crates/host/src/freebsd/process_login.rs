//! Login classes: what login.conf(5) says about a user's limits, priority, umask and environment, taken on by
//! setusercontext(3). The host's data base is asked before the way inside, for users of the host's; the container's only
//! in a jail, where a data base made to do harm harms nobody else. It does not become the user.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsString, c_char, c_int, c_uint, c_void};
use std::fs;

use camino::Utf8Path;
use nix::errno::Errno;
use nix::libc;
use qchroot_api::{Entry, Error, ErrorKind, Place, Result, UserName, Way};

use crate::errors::OrError;
use crate::{master_passwd, observe};

const SETLOGIN: c_uint = 0x2;
const SETPATH: c_uint = 0x4;
const SETPRIORITY: c_uint = 0x8;
const SETRESOURCES: c_uint = 0x10;
const SETUMASK: c_uint = 0x20;
const SETENV: c_uint = 0x80;
const SETCPUMASK: c_uint = 0x200;
const SETLOGINCLASS: c_uint = 0x400;

/// What holds a process; login_cap.h.
const HOLD: c_uint = SETPRIORITY | SETRESOURCES | SETUMASK | SETCPUMASK | SETLOGINCLASS;

#[link(name = "util")]
unsafe extern "C" {
    fn setclasscontext(class: *const c_char, flags: c_uint) -> c_int;
    fn setusercontext(
        class: *mut c_void,
        user: *const libc::passwd,
        uid: libc::uid_t,
        flags: c_uint,
    ) -> c_int;
}

/// Takes on the host's class `daemon`, in which service(8) and rc(8) start what they start.
pub(super) fn begin_as_daemon() {
    // SAFETY: the name is terminated. Without a class of that name all stays as it is.
    unsafe { setclasscontext(c"daemon".as_ptr(), HOLD) };
}

/// The login class of a session's user.
pub(super) enum Login {
    /// The way inside is not for it.
    Nothing,
    /// A user of the host's.
    Outside(User),
    /// A user of the container's.
    Inside(User),
}

/// What a class needs to know of its user.
pub(super) struct User {
    name: CString,
    class: CString,
    home: CString,
    shell: CString,
    uid: u32,
    gid: u32,
    is_login: bool,
}

impl Login {
    /// Of the user that `entry` is for.
    pub(super) fn of(entry: &Entry) -> Result<Self> {
        let Way::Jail { root, .. } = &entry.way else { return Ok(Self::Nothing) };
        let own = || entry.env.get("USER").cloned().unwrap_or_else(|| "root".into());
        Ok(match &entry.credentials.user {
            Some(UserName::Host(name)) => {
                let text = fs::read("/etc/master.passwd").or_error(|| "cannot read users".into())?;
                Self::Outside(User::new(entry, name, &String::from_utf8_lossy(&text))?)
            }
            Some(UserName::Container(name)) => Self::Inside(User::new(entry, name, &users_of(root))?),
            None => Self::Inside(User::new(entry, &own(), &users_of(root))?),
        })
    }

    /// Before the way inside; variables for `env` that the class has.
    pub(super) fn outside(&self, env: &mut BTreeMap<String, String>) -> Result<()> {
        if let Self::Outside(user) = self { user.assume(env) } else { Ok(()) }
    }

    /// The same inside.
    pub(super) fn inside(&self, env: &mut BTreeMap<String, String>) -> Result<()> {
        if let Self::Inside(user) = self { user.assume(env) } else { Ok(()) }
    }
}

/// The container's master.passwd(5); a tree that has none knows no classes.
fn users_of(root: &Utf8Path) -> String {
    observe::read(&Place::within(root, "etc/master.passwd")).unwrap_or_default()
}

impl User {
    fn new(entry: &Entry, name: &str, users: &str) -> Result<Self> {
        let word = |text: &str| {
            CString::new(text)
                .map_err(|_| Error::new(ErrorKind::Config, format!("user {name:?} has a zero byte")))
        };
        let of = |key: &str| word(entry.env.get(key).map_or("", String::as_str));
        Ok(Self {
            name: word(name)?,
            class: word(&master_passwd::class_of(users, name).unwrap_or_default())?,
            home: of("HOME")?,
            shell: of("SHELL")?,
            uid: entry.credentials.uid,
            gid: entry.credentials.gid,
            is_login: entry.argv0.is_some(),
        })
    }

    /// Takes on the class, as somebody who has logged in by that name.
    fn assume(&self, env: &mut BTreeMap<String, String>) -> Result<()> {
        let flags = HOLD | SETLOGIN | if self.is_login { SETPATH | SETENV } else { 0 };
        clear_environment();
        let user = self.as_passwd();
        // SAFETY: the structure and its strings live for the call; no class is given, so that of the user is looked up.
        let done = unsafe { setusercontext(std::ptr::null_mut(), &raw const user, self.uid, flags) };
        Errno::result(done)
            .or_error(|| format!("cannot take on the login class of {}", self.name.to_string_lossy()))?;
        // The terminal is known better than its class.
        let text = |word: OsString| word.into_string().ok();
        let given = std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?)));
        env.extend(given.filter(|(name, _)| name != "TERM"));
        Ok(())
    }

    fn as_passwd(&self) -> libc::passwd {
        // The library only reads.
        let text = |text: &CStr| text.as_ptr().cast_mut();
        // SAFETY: a structure of numbers and of pointers to text, for which zero is none.
        let mut user: libc::passwd = unsafe { std::mem::zeroed() };
        user.pw_name = text(&self.name);
        user.pw_passwd = text(c"*");
        user.pw_uid = self.uid;
        user.pw_gid = self.gid;
        user.pw_class = text(&self.class);
        user.pw_gecos = text(c"");
        user.pw_dir = text(&self.home);
        user.pw_shell = text(&self.shell);
        user
    }
}

/// In the child, whose program gets an environment of its own.
fn clear_environment() {
    let names: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
    for name in names {
        // SAFETY: a child of fork(2) has one thread.
        unsafe { std::env::remove_var(name) };
    }
}
