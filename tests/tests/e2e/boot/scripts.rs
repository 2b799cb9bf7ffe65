//! The scripts and units as they are shipped, with nothing changed but where they find their settings.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::program::{self, Ran};
use crate::world::World;

/// A file of `crates/cli/boot`.
pub fn boot_file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/cli/boot").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

enum Kind {
    InitD,
    RcD,
    /// Its text and its instance.
    Unit(String, String),
}

/// One of them and the system that it starts and stops.
pub struct Script {
    pub world: World,
    kind: Kind,
    shell: Vec<String>,
}

impl Script {
    /// The init script; its defaults file names the program and the root.
    pub fn init_d(world: World, shell: &[&str]) -> Self {
        Self::new(world, Kind::InitD, shell).with("")
    }

    /// The script for rc.d, with a stand-in for rc.subr(8).
    pub fn rc_d(world: World, shell: &[&str]) -> Self {
        Self::new(world, Kind::RcD, shell).with("qchroot_enable=YES\n")
    }

    /// A systemd unit; of its service's lines the commands and their environment count.
    pub fn unit(world: World, name: &str, instance: &str) -> Self {
        Self::new(world, Kind::Unit(boot_file(name), instance.to_owned()), &[])
    }

    fn new(world: World, kind: Kind, shell: &[&str]) -> Self {
        let shell = shell.iter().map(|&word| word.to_owned()).collect();
        Self { world, kind, shell }
    }

    /// The same with these settings.
    pub fn with(self, settings: &str) -> Self {
        let (program, root) = (program::path().display(), self.world.root.display());
        let at = self.world.dir().join("settings");
        let (file, there, text) = match self.kind {
            Kind::InitD => {
                let text = format!("PROGRAM={program}\nQCHROOT_ROOT={root}\n{settings}");
                ("qchroot.init.d", "/etc/default/qchroot", text)
            }
            Kind::RcD => {
                let env = format!("qchroot_env=\"QCHROOT_ROOT={root}\"");
                let text = format!("qchroot_program={program}\nqchroot_flags=-v\n{env}\n{settings}");
                ("qchroot.rc.d", "/etc/rc.subr", text)
            }
            Kind::Unit(..) => panic!("a unit has no settings of the test's"),
        };
        fs::write(&at, text).unwrap();
        let found = match self.kind {
            Kind::RcD => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/boot/rc.subr").to_owned(),
            _ => at.display().to_string(),
        };
        let script = boot_file(file);
        assert!(script.contains(there), "{file} reads {there}");
        fs::write(self.world.dir().join("script"), script.replace(there, &found)).unwrap();
        self
    }

    /// What `status` ends with when nothing is started.
    pub fn stopped_status(&self) -> i32 {
        if matches!(self.kind, Kind::InitD) { 3 } else { 1 }
    }

    /// Runs it with these words, or the unit's command of that name.
    pub fn run(&self, words: &str) -> Said {
        if let Kind::Unit(text, instance) = &self.kind {
            return self.run_unit(text, instance, words);
        }
        let mut command = Command::new(&self.shell[0]);
        command.args(&self.shell[1..]).arg(self.world.dir().join("script")).args(words.split(' '));
        command.env("RC_CONF", self.world.dir().join("settings")).env_remove("QCHROOT_ROOT");
        Said(Ran::of(command.stdin(std::process::Stdio::null())))
    }

    /// Runs it as rc(8) and rc.shutdown(8) do: read by a shell of theirs that has `word` as its one argument.
    pub fn at_boot(&self, word: &str) -> Said {
        let mut command = Command::new(&self.shell[0]);
        let lines = "autoboot=yes; file=$1; set -- \"$2\"; . \"$file\"";
        command
            .args(&self.shell[1..])
            .args(["-c", lines, "rc"])
            .arg(self.world.dir().join("script"))
            .arg(word);
        command.env("RC_CONF", self.world.dir().join("settings")).env_remove("QCHROOT_ROOT");
        Said(Ran::of(command.stdin(std::process::Stdio::null())))
    }

    /// systemd.service(5), "command lines": `-` in front, `$NAME` is words, `${NAME}` one word, `%i` the instance.
    fn run_unit(&self, text: &str, instance: &str, key: &str) -> Said {
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(&format!("{key}="))).unwrap();
        let (name, default) = value("Environment").split_once('=').unwrap();
        let line = value(key);
        let (may_fail, line) = line.strip_prefix('-').map_or((false, line), |rest| (true, rest));
        let words = line.replace("%i", instance).replace(&format!("${{{name}}}"), default);
        let mut words = words.split(' ').filter(|word| !word.starts_with('$'));
        assert_eq!(words.next(), Some("/usr/sbin/qchroot"));
        let mut ran = self.world.run(words);
        if may_fail {
            ran.status = 0;
        }
        Said(ran)
    }
}

/// What a script said and how it ended.
pub struct Said(Ran);

impl Said {
    /// Asserts its status and that it said all of `texts`; all that it said.
    #[track_caller]
    pub fn is(self, status: i32, texts: &[&str]) -> String {
        let said = format!("{}{}", self.0.out, self.0.err);
        assert_eq!(self.0.status, status, "{}", self.0);
        for text in texts {
            assert!(said.contains(text), "no {text:?} in {said}");
        }
        said
    }
}
