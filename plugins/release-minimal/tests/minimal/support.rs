//! A directory with a host's own things and a root to fill.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use qchroot_api::{Release, ReleaseSource, ReleaseWish, Result, toml};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use qchroot_release_minimal::Minimal;
use tempfile::TempDir;

pub(crate) struct Lab {
    _dir: TempDir,
    pub(crate) host: PathBuf,
    pub(crate) root: PathBuf,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::within(tempfile::tempdir().unwrap())
    }

    /// One on the file system of a file of the host's.
    pub(crate) fn beside(path: &str) -> Self {
        Self::within(tempfile::tempdir_in(Path::new(path).parent().unwrap()).unwrap())
    }

    fn within(dir: TempDir) -> Self {
        let path = dir.path().canonicalize().unwrap();
        let (host, root) = (path.join("host"), path.join("root"));
        fs::create_dir(&host).unwrap();
        fs::create_dir(&root).unwrap();
        Self { _dir: dir, host, root }
    }

    pub(crate) fn program(&self, name: &str, content: &[u8]) {
        fs::write(self.host.join(name), content).unwrap();
        fs::set_permissions(self.host.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn script(&self, name: &str, text: &str) {
        self.program(name, text.as_bytes());
    }

    pub(crate) fn is_file(&self, path: &str) -> bool {
        fs::symlink_metadata(self.root.join(path)).is_ok_and(|meta| meta.is_file())
    }
}

pub(crate) fn resolve(options: toml::Table) -> Result<Release> {
    Minimal.resolve(&ReleaseWish { options, ..ReleaseWish::default() }, &Machine::new())
}

pub(crate) fn fill(release: &Release, staging: &Path) -> Result<()> {
    let machine = Machine::new();
    assert!(machine.is_superuser(), "this test must be run as root");
    let mut show = |_: &qchroot_api::Progress| {};
    let mut work = machine.work(&Workplace::beside(staging.try_into().unwrap()), &mut show)?;
    Minimal.fill(release, work.as_mut())
}

/// What a program of the host's prints.
pub(crate) fn run(program: &str, args: &[&str]) -> String {
    #[expect(clippy::disallowed_methods, reason = "compilers, and programs in a root that was just made")]
    let mut command = std::process::Command::new(program);
    let output = command.args(args).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a program inside prints. Its loader wants /proc to know where the program lies.
pub(crate) fn inside(root: &Path, argv: &[&str]) -> String {
    const SCRIPT: &str = "mkdir -p \"$0/proc\"; mount -t proc proc \"$0/proc\"; exec chroot \"$0\" \"$@\"";
    let unshare = ["--mount", "--propagation=private", "sh", "-ec", SCRIPT, root.to_str().unwrap()];
    run("unshare", &[&unshare[..], argv].concat())
}

/// Compiles a text of C.
pub(crate) fn compile(text: &str, to: &Path, more: &[&str]) {
    let source = to.with_extension("c");
    fs::write(&source, text).unwrap();
    let (to, source) = (to.to_str().unwrap(), source.to_str().unwrap());
    run("gcc", &[&["-fPIC", "-o", to, source][..], more].concat());
}

/// All paths below a root.
pub(crate) fn paths(root: &Path) -> Vec<String> {
    let mut found = vec![];
    let mut todo = vec![root.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                todo.push(entry.path());
            }
            found.push(entry.path().strip_prefix(root).unwrap().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}
