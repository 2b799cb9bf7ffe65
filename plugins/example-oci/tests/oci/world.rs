//! A place to install images into, as the program would.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use qchroot_api::camino::Utf8PathBuf;
use qchroot_api::{Error, Release, ReleaseSource, ReleaseWish, Result, toml};
use qchroot_engine::{Host, Workplace};
use qchroot_example_oci::Oci;
use qchroot_host::Machine;
use serde_json::Value;

use crate::support::{Image, Tar};

pub(crate) struct World {
    dir: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.dir.path().join(name)).unwrap()
    }

    /// Where the userland is.
    pub(crate) fn tree(&self, path: &str) -> PathBuf {
        self.path("staging").join(path).into()
    }

    /// Writes an image as a layout; its path.
    pub(crate) fn layout(&self, image: &Image, manifests: &[Value]) -> String {
        image.write(self.path("layout").as_std_path(), manifests);
        self.path("layout").into_string()
    }

    pub(crate) fn resolve(&self, options: &[(&str, &str)]) -> Result<Release> {
        let value = |text: &str| text.parse::<bool>().map_or_else(|_| text.into(), toml::Value::Boolean);
        let options = options.iter().map(|(key, text)| ((*key).to_owned(), value(text))).collect();
        Oci::new().unwrap().resolve(&ReleaseWish { release: None, any: false, options }, &Machine::new())
    }

    pub(crate) fn fill(&self, release: &Release) -> Result<()> {
        let place =
            Workplace { staging: self.path("staging"), cache: self.path("cache"), log: self.path("log") };
        let _ = fs::remove_dir_all(&place.staging);
        fs::create_dir(&place.staging).unwrap();
        let machine = Machine::new();
        let mut show = |_: &_| ();
        let mut work = machine.work(&place, &mut show)?;
        Oci::new().unwrap().fill(release, &mut *work)
    }

    pub(crate) fn install(&self, options: &[(&str, &str)]) -> Result<Release> {
        let release = self.resolve(options)?;
        self.fill(&release).map(|()| release)
    }

    /// Installs an image of these layers.
    #[track_caller]
    pub(crate) fn with(layers: impl IntoIterator<Item = Tar>) -> Self {
        let world = Self::new();
        let (image, manifest) = Image::of(layers).finished();
        let layout = world.layout(&image, &[manifest]);
        world.install(&[("image", &layout)]).unwrap_or_else(|error| panic!("{error:#?}"));
        world
    }

    /// What an image of these layers is refused for.
    #[track_caller]
    pub(crate) fn refused(layers: impl IntoIterator<Item = Tar>) -> Error {
        let world = Self::new();
        let (image, manifest) = Image::of(layers).finished();
        world.install(&[("image", &world.layout(&image, &[manifest]))]).unwrap_err()
    }

    #[track_caller]
    pub(crate) fn assert_file(&self, path: &str, content: &str) {
        assert_eq!(fs::read_to_string(self.tree(path)).unwrap_or_else(|e| panic!("{path}: {e}")), content);
    }

    #[track_caller]
    pub(crate) fn assert_gone(&self, paths: &[&str]) {
        for path in paths {
            assert!(fs::symlink_metadata(self.tree(path)).is_err(), "{path} is there");
        }
    }

    #[track_caller]
    pub(crate) fn assert_same_file(&self, one: &str, other: &str) {
        let id = |path: &str| fs::symlink_metadata(self.tree(path)).unwrap().ino();
        assert_eq!(id(one), id(other), "{one} and {other} are two files");
    }

    /// Names in a directory.
    #[track_caller]
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        names(&self.tree(path))
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut all: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all
}
