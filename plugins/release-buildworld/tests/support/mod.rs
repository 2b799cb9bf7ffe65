//! Worlds in small: a copy of a source tree, built for real with bmake.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Release, ReleaseSource, ReleaseWish, Result, camino, toml};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use qchroot_release_buildworld::Buildworld;
use tempfile::TempDir;

pub(crate) struct World {
    dir: TempDir,
    pub(crate) src: Utf8PathBuf,
    pub(crate) obj: Utf8PathBuf,
}

impl World {
    /// A copy of the tree `name`, not built yet.
    pub(crate) fn of(name: &str) -> Self {
        assert!(Machine::new().is_superuser(), "this test must be run as root");
        let dir = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(dir.path()).unwrap().canonicalize_utf8().unwrap();
        let (src, obj) = (top.join("src"), top.join("obj"));
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name), src.as_std_path());
        fs::copy("/bin/busybox", src.join("busybox")).expect("Debian's busybox-static is installed");
        fs::create_dir(&obj).unwrap();
        Self { dir, src, obj }
    }

    /// A tree of today, built.
    pub(crate) fn built() -> Self {
        let world = Self::of("world");
        world.build(&[]);
        world
    }

    /// `make buildworld` with these knobs.
    pub(crate) fn build(&self, knobs: &[(&str, &str)]) {
        #[expect(clippy::disallowed_methods, reason = "as the administrator does")]
        let mut bmake = std::process::Command::new("bmake");
        bmake
            .arg("buildworld")
            .current_dir(&self.src)
            .env("MAKEOBJDIRPREFIX", &self.obj)
            .env_remove("MAKEFLAGS");
        let output = bmake.envs(knobs.iter().copied()).output().expect("Debian's bmake is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Where the objects of this machine's own world are.
    pub(crate) fn objects(&self) -> Utf8PathBuf {
        let below = self.obj.join(self.src.as_str().trim_start_matches('/'));
        let dotted = if cfg!(target_arch = "aarch64") { "arm64.aarch64" } else { "amd64.amd64" };
        below.join(dotted)
    }

    pub(crate) fn options(&self, more: toml::Table) -> toml::Table {
        let mut options = toml::Table::from_iter([
            ("src".to_owned(), self.src.as_str().into()),
            ("objdir".to_owned(), self.obj.as_str().into()),
            ("make".to_owned(), "bmake".into()),
        ]);
        options.extend(more);
        options
    }

    pub(crate) fn wish(&self, more: toml::Table) -> ReleaseWish {
        ReleaseWish { release: None, any: false, options: self.options(more) }
    }

    pub(crate) fn resolve(&self, more: toml::Table) -> Result<Release> {
        Buildworld.resolve(&self.wish(more), &Machine::new())
    }

    /// Installs into `staging` beside the tree.
    pub(crate) fn fill(&self, release: &Release) -> Result<()> {
        let machine = Machine::new();
        fs::create_dir_all(self.staging()).unwrap();
        let place = Workplace {
            staging: self.staging(),
            cache: self.staging().with_file_name("cache"),
            log: self.log(),
        };
        let mut show = |_: &qchroot_api::Progress| {};
        Buildworld.fill(release, machine.work(&place, &mut show)?.as_mut())
    }

    pub(crate) fn staging(&self) -> Utf8PathBuf {
        self.src.with_file_name("staging")
    }

    pub(crate) fn log(&self) -> Utf8PathBuf {
        self.src.with_file_name("log").join("install.log")
    }

    /// A file of the source tree.
    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.src.join(path), text).unwrap();
    }

    /// More lines for a file of the source tree.
    pub(crate) fn append(&self, path: &str, text: &str) {
        let old = fs::read_to_string(self.src.join(path)).unwrap();
        self.write(path, &(old + text));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
