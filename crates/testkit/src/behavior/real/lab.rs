//! A temporary directory with a base, a container and the real machine to act on them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Base, Container, Credentials, Entry, Mounted, Observe, Plan, Platform, Way};
use qchroot_engine::Host;
use qchroot_host::Machine;
use tempfile::TempDir;

use super::no_superuser;
use crate::behavior::transaction::{carry_out, succeed, take_back};
use crate::fixture::{container, native};

/// Names under which the one program of the userland is found.
const PROGRAMS: &[&str] = &["dd", "false", "sh", "sleep", "touch", "true"];

/// Directories of the template.
const TEMPLATE: &[&str] = &["dev", "etc", "proc", "sharedfs", "tmp", "usr", "usr/local", "var"];

pub(crate) struct Lab {
    pub(crate) machine: Machine,
    pub(crate) base: Base,
    pub(crate) container: Container,
    /// What was begun and must be taken back.
    begun: Plan,
    mounts: Vec<Mounted>,
    dir: TempDir,
}

impl Lab {
    pub(crate) fn new(platform: Platform) -> Self {
        let machine = Machine::new();
        assert!(machine.is_superuser(), "needs root");
        let dir = tempfile::Builder::new().prefix("qchroot-suite-").tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(dir.path()).expect("its path is text").canonicalize_utf8();
        let path = path.expect("it is there");
        let base = base(&machine, platform, &path.join("release"));
        let container = container("web", path.join("lib/web"));
        fs::create_dir_all(&container.dir).expect("a directory for the container");
        let mounts = table(&machine);
        Self { machine, base, container, begun: vec![], mounts, dir }
    }

    pub(crate) fn view(&self) -> &dyn Observe {
        &self.machine
    }

    pub(crate) fn path(&self) -> Utf8PathBuf {
        let path = self.container.dir.ancestors().nth(2);
        path.expect("it is in the temporary directory").to_owned()
    }

    /// Carries out a plan that must succeed, to be taken back at the end.
    #[track_caller]
    pub(crate) fn carry_out(&mut self, plan: &Plan) {
        self.begun.extend(succeed(&self.machine, plan));
    }

    /// Carries out a plan that must fail; the failure in words.
    #[track_caller]
    pub(crate) fn fails(&mut self, plan: &Plan) -> String {
        let outcome = carry_out(&self.machine, plan);
        self.begun.extend(outcome.begun);
        outcome.end.expect_err("the plan was carried out").to_string()
    }

    /// Takes back everything, and sees that nothing is mounted that was not before.
    #[track_caller]
    pub(crate) fn take_back(&mut self) {
        take_back(&self.machine, &std::mem::take(&mut self.begun));
        self.sees_no_mounts();
    }

    /// Sees that nothing is mounted that was not before.
    #[track_caller]
    pub(crate) fn sees_no_mounts(&self) {
        assert_eq!(table(&self.machine), self.mounts, "the mount table is not as before");
    }

    /// Runs a program inside; its status.
    pub(crate) fn run(&self, way: &Way, argv: &[&str]) -> i32 {
        let entry = Entry {
            way: way.clone(),
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            argv0: None,
            env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
            credentials: Credentials::root(),
            directory: "/".into(),
        };
        self.machine.enter(&entry).unwrap_or_else(|error| panic!("cannot run {argv:?}: {error}"))
    }

    /// Runs a line of shell inside, what it complains of kept inside; its status.
    pub(crate) fn shell(&self, way: &Way, line: &str) -> i32 {
        self.run(way, &["sh", "-c", &format!("{{ {line}; }} 2>>/tmp/errors")])
    }

    /// The root as it is, without any isolation.
    pub(crate) fn plain(&self) -> Way {
        Way::chroot(self.container.root())
    }

    /// Makes the base one tree, as a storage with a root of its own is given.
    pub(crate) fn merge_base(&mut self) {
        let usr = self.base.sharedfs.join("usr/bin");
        fs::rename(usr, self.base.template.join("usr/bin")).expect("programs can be moved");
        self.base.sharedfs = self.base.template.clone();
        self.base.shared = vec![];
    }

    /// Makes the container's root a whole userland by copying, for suites that need no storage.
    pub(crate) fn whole_root(&self) {
        let root = self.container.root();
        for dir in TEMPLATE {
            fs::create_dir_all(root.join(dir)).expect("a directory of the root");
        }
        let (from, to) = (self.base.sharedfs.join("usr/bin"), root.join("usr/bin"));
        fs::create_dir(&to).expect("a directory for programs");
        fs::copy(from.join("box"), to.join("box")).expect("the program can be copied");
        PROGRAMS.iter().for_each(|name| symlink("box", to.join(name)).expect("a link to the program"));
    }

    /// Every file below `dir` by path, with what a write would change.
    pub(crate) fn listing(dir: &Utf8Path) -> BTreeMap<Utf8PathBuf, String> {
        let mut all = BTreeMap::new();
        let mut todo = vec![dir.to_owned()];
        while let Some(path) = todo.pop() {
            let meta = fs::symlink_metadata(&path).expect("a listed file is there");
            let (size, mode) = if meta.is_dir() { (0, meta.mode()) } else { (meta.len(), meta.mode()) };
            all.insert(path.clone(), format!("{mode:o} {}:{} {size}", meta.uid(), meta.gid()));
            if meta.is_dir() {
                let entries = path.read_dir_utf8().expect("a directory can be listed");
                todo.extend(entries.map(|entry| entry.expect("a directory can be listed").into_path()));
            }
        }
        all
    }
}

impl Drop for Lab {
    /// After a failed trial: nothing stays mounted in the directory that is about to be removed.
    fn drop(&mut self) {
        let deadline = qchroot_engine::Deadline(self.machine.steady_clock());
        for step in self.begun.iter().rev() {
            let undone = step.inverse().map(|inverse| self.machine.apply(&inverse, deadline));
            if let Some(Err(_)) = undone {
                self.dir.disable_cleanup(true);
            }
        }
    }
}

fn table(machine: &Machine) -> Vec<Mounted> {
    (machine as &dyn Observe).mounts().expect("the mount table can be read")
}

/// Why there is no lab for this user on this machine, if there is none.
pub(crate) fn unable(platform: Platform) -> Option<String> {
    let no_program = || program(&Machine::new(), platform).is_none().then(|| "needs a static busybox".into());
    no_superuser().or_else(no_program)
}

/// A static program that is many: busybox(1), or rescue(8).
fn program(machine: &Machine, platform: Platform) -> Option<Utf8PathBuf> {
    match platform {
        Platform::Linux => (machine as &dyn Observe).program("busybox").unwrap_or_default(),
        Platform::Freebsd => Some("/rescue/rescue".into()),
    }
}

/// A base whose one program is static.
fn base(machine: &Machine, platform: Platform, dir: &Utf8Path) -> Base {
    let brand = native(platform);
    let program = program(machine, platform).expect("needs a static busybox on the host");
    let (sharedfs, template) = (dir.join("sharedfs"), dir.join("template"));
    let bin = sharedfs.join("usr/bin");
    fs::create_dir_all(&bin).expect("a directory for programs");
    fs::copy(program, bin.join("box")).expect("the program can be copied");
    PROGRAMS.iter().for_each(|name| symlink("box", bin.join(name)).expect("a link to the program"));
    fs::write(bin.join("words"), "old\n").expect("a file of the base");
    for path in TEMPLATE.iter().filter(|&&path| path != "sharedfs") {
        fs::create_dir_all(template.join(path)).expect("a directory of the template");
    }
    fs::write(template.join("etc/passwd"), "root:*:0:0::/:/usr/bin/sh\n").expect("a file of the template");
    fs::set_permissions(template.join("tmp"), PermissionsExt::from_mode(0o1777)).expect("a mode");
    let id = "box-1-0123456789ab".parse().expect("the id is well-formed");
    Base { id, sharedfs, template, brand, shared: vec!["usr/bin".into()], host_dirs: vec![] }
}
