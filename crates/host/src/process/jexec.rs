//! The words of jexec(8), which runs a program in a jail of FreeBSD's. It does not know what the program is for.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Credentials, Error, ErrorKind, Place, Result, UserName};

use crate::beneath;

/// Named by its path: what stands in `PATH` is the container's.
const PROGRAM: &str = "/usr/sbin/jexec";

/// What jexec(8) looks users of the container's up in: pwd_mkdb(8).
const USERS: &str = "etc/pwd.db";

/// A way into a jail.
pub(super) struct Jexec {
    name: String,
    root: Utf8PathBuf,
    user: Option<UserName>,
    login: bool,
}

impl Jexec {
    /// Into the jail `name`, as `who`; a login begins in the home directory, with the environment of its class.
    ///
    /// # Errors
    /// Unavailable for a user that jexec(8) cannot be told.
    pub(super) fn new(name: &str, root: &Utf8Path, who: &Credentials) -> Result<Self> {
        if who.uid != 0 && who.user.is_none() {
            let message = format!("cannot enter jail {name} as user {} without a name", who.uid);
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        if let Some(UserName::Container(user)) = &who.user
            && !is_there(root, USERS)
        {
            let message = format!("jexec(8) cannot tell who {user} is: there is no /{USERS} inside");
            return Err(Error::new(ErrorKind::Unavailable, message).hint(
                "use -u with a user of the host's, or become the user by a program inside, such as su",
            ));
        }
        Ok(Self { name: name.into(), root: root.into(), user: who.user.clone(), login: false })
    }

    /// The same as a login, or not.
    pub(super) fn with_login(self, login: bool) -> Self {
        Self { login, ..self }
    }

    /// All words that run a program with these.
    pub(super) fn words(&self, argv: &[String]) -> Vec<String> {
        let mut words = vec![PROGRAM.to_owned()];
        if self.login {
            words.push("-l".into());
        }
        match &self.user {
            Some(UserName::Host(user)) => words.extend(["-u".into(), user.clone()]),
            Some(UserName::Container(user)) => words.extend(["-U".into(), user.clone()]),
            None => {}
        }
        words.push(self.name.clone());
        words.extend_from_slice(argv);
        words
    }

    /// Refuses a program that is not inside, which jexec(8) would end with status 1 for; a login has its `PATH` from its
    /// class, and is believed.
    ///
    /// # Errors
    /// Not found, with chroot(8)'s status.
    pub(super) fn refuse_missing(&self, argv: &[String], env: &BTreeMap<String, String>) -> Result<()> {
        let Some(program) = argv.first().filter(|_| !self.login) else { return Ok(()) };
        let path = env.get("PATH").map_or("", String::as_str);
        let found = match program.contains('/') {
            true => is_there(&self.root, program),
            false => path.split(':').any(|dir| is_there(&self.root, &format!("{dir}/{program}"))),
        };
        if found {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFound, format!("no program {program} inside")).with("exit", 127))
    }
}

fn is_there(root: &Utf8Path, path: &str) -> bool {
    matches!(beneath::find(&Place::within(root, path), true), Ok(Some(_)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn words(user: Option<UserName>, login: bool) -> String {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        fs::create_dir(root.join("etc")).unwrap();
        fs::write(root.join(USERS), "").unwrap();
        let who = Credentials { user, ..Credentials::root() };
        let jexec = Jexec::new("qchroot-web-1", root, &who).unwrap().with_login(login);
        jexec.words(&["id".into(), "-un".into()]).join(" ")
    }

    #[test]
    fn users_and_logins_are_said_before_the_jail() {
        assert_eq!(words(None, false), "/usr/sbin/jexec qchroot-web-1 id -un");
        assert_eq!(
            words(Some(UserName::Host("kim".into())), false),
            "/usr/sbin/jexec -u kim qchroot-web-1 id -un"
        );
        assert_eq!(
            words(Some(UserName::Container("www".into())), true),
            "/usr/sbin/jexec -l -U www qchroot-web-1 id -un"
        );
    }

    #[test]
    fn a_user_without_a_name_or_without_a_data_base_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let nobody = Credentials { uid: 65534, ..Credentials::root() };
        assert!(Jexec::new("q", root, &nobody).is_err());
        let www =
            Credentials { uid: 80, user: Some(UserName::Container("www".into())), ..Credentials::root() };
        let error = Jexec::new("q", root, &www).err().unwrap();
        assert!(error.to_string().contains("/etc/pwd.db"), "{error}");
    }

    #[test]
    fn a_program_that_is_not_inside_has_the_status_of_chroot() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        fs::write(root.join("usr/bin/id"), "").unwrap();
        let env = [("PATH".to_owned(), "/bin:/usr/bin".to_owned())].into();
        let jexec = Jexec::new("q", root, &Credentials::root()).unwrap();
        let status = |program: &str| {
            let outcome = jexec.refuse_missing(&[program.into()], &env);
            outcome.err().map(|error| error.fact("exit").unwrap().to_owned())
        };
        assert_eq!((status("id"), status("/usr/bin/id")), (None, None));
        assert_eq!((status("nosuch"), status("/bin/id")), (Some("127".into()), Some("127".into())));
        assert!(jexec.with_login(true).refuse_missing(&["nosuch".into()], &env).is_ok());
    }
}
