//! Media in temporary directories, and installs from them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use qchroot_api::{
    Backend as _, Error, ErrorKind, Progress, Release, ReleaseSource, ReleaseWish, Result, toml,
};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use qchroot_release_media::Media;
use tempfile::TempDir;

/// What a program prints, which must succeed.
pub(crate) fn run(program: &str, args: &[&str], dir: &Path) -> String {
    let output = Command::new(program).args(args).current_dir(dir).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn sha256(file: &Path) -> String {
    run("sha256sum", &[file.to_str().unwrap()], Path::new("/"))[..64].to_owned()
}

/// A medium that is being made, and what is installed from it.
pub(crate) struct Lab {
    dir: TempDir,
    pub(crate) medium: PathBuf,
    pub(crate) staging: PathBuf,
}

impl Lab {
    pub(crate) fn new() -> Self {
        assert!(Machine::new().is_superuser(), "this test must be run as root");
        let dir = TempDir::new().unwrap();
        let (medium, staging) = (dir.path().join("medium"), dir.path().join("staging"));
        fs::create_dir(&medium).unwrap();
        fs::create_dir(&staging).unwrap();
        Self { medium, staging, dir }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// A file on the medium.
    pub(crate) fn put(&self, file: &str, content: impl AsRef<[u8]>) {
        let path = self.medium.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The sets of a release since 9.0 on the medium, one archive of the tree each.
    pub(crate) fn put_sets(&self, directory: &str, sets: &[(&str, &[&str])]) {
        let (mut manifest, at) = (String::new(), self.medium.join(directory));
        fs::create_dir_all(&at).unwrap();
        for (set, files) in sets {
            let archive = at.join(format!("{set}.txz"));
            self.pack(files, &["-cJf", archive.to_str().unwrap()]);
            let digest = sha256(&archive);
            manifest += &format!("{set}.txz\t{digest}\t{}\t{set}\t\"Set {set}\"\ton\n", files.len());
        }
        fs::write(at.join("MANIFEST"), manifest).unwrap();
    }

    /// Packs files that hold their own names.
    pub(crate) fn pack(&self, files: &[&str], tar: &[&str]) {
        let tree = TempDir::new().unwrap();
        for file in files {
            fs::create_dir_all(tree.path().join(file).parent().unwrap()).unwrap();
            fs::write(tree.path().join(file), file).unwrap();
        }
        run("tar", &[&["--owner=0", "--group=0"], tar, files].concat(), tree.path());
    }

    /// An image of the medium, made with these arguments of mkisofs.
    pub(crate) fn image(&self, args: &[&str]) -> PathBuf {
        let image = self.path("cd.iso");
        let paths = ["-o", image.to_str().unwrap(), self.medium.to_str().unwrap()];
        run("xorriso", &[&["-as", "mkisofs", "-quiet"], args, &paths].concat(), self.dir.path());
        image
    }

    pub(crate) fn resolve(
        path: &Path,
        release: Option<&str>,
        any: bool,
        more: toml::Table,
    ) -> Result<Release> {
        let mut options = toml::Table::from_iter([("path".to_owned(), path.to_str().unwrap().into())]);
        options.extend(more);
        Media.check(&options).unwrap();
        Media.resolve(&ReleaseWish { release: release.map(Into::into), any, options }, &Machine::new())
    }

    pub(crate) fn fill(&self, release: &Release) -> Result<()> {
        let machine = Machine::new();
        let mut show = |_: &Progress| {};
        let mut work =
            machine.work(&Workplace::beside(self.staging.as_path().try_into().unwrap()), &mut show)?;
        Media.fill(release, work.as_mut())
    }

    /// What was installed, by its path.
    #[track_caller]
    pub(crate) fn text(&self, file: &str) -> String {
        fs::read_to_string(self.staging.join(file)).unwrap()
    }
}

#[track_caller]
pub(crate) fn says(error: &Error, kind: ErrorKind, words: &[&str]) {
    let text = format!("{error} {} {}", error.causes().join(" "), error.hint_text().unwrap_or(""));
    assert!(error.kind() == kind && words.iter().all(|word| text.contains(word)), "{kind:?} {text}");
}
