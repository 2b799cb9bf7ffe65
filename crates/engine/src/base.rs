//! Bases: immutable installed releases, their description, and the split of a userland in two.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Base, Brand, Error, ErrorKind, FileKind, Place, Platform, Release, ReleaseId, Result, Step, device_steps,
    proc_steps, pts_steps,
};
use serde::{Deserialize, Serialize};

use crate::brand::HOST_TREES;
use crate::config::{FORMAT, HasFormat, parse};
use crate::{Deadline, Engine, Workplace, userland};

/// `releases/ID/release.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseFile {
    /// Always 1.
    pub format: u32,
    /// Name and version, for people and for comparison.
    pub version: String,
    /// What it was made for.
    pub brand: Brand,
    /// The source it came from.
    pub source: String,
    /// SHA-256 over what decided its content.
    pub digest: String,
    /// Whether the user insisted on something that is not the host's own production release.
    pub insisted: bool,
    /// Paths whose content is shared.
    pub shared: Vec<Utf8PathBuf>,
    /// SHA-256 of `manifest.mtree`, which records every file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Bytes of all files.
    #[serde(default)]
    pub bytes: u64,
    /// Directories of the host's that belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_dirs: Vec<Utf8PathBuf>,
}

impl HasFormat for BaseFile {
    fn format(&self) -> u32 {
        self.format
    }
}

/// One installed base.
#[derive(Debug, Clone, PartialEq)]
pub struct Installed {
    /// Where it is, as back ends see it.
    pub base: Base,
    /// What is known about it.
    pub file: BaseFile,
}

impl Engine<'_> {
    /// The base `id`.
    ///
    /// # Errors
    /// Not found, when it is not installed.
    pub fn base(&self, id: &ReleaseId) -> Result<Installed> {
        let dir = self.layout.release(id);
        let path = dir.join("release.toml");
        let bytes = self.host.read_own(&path)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("release {id} is not installed"))
                .with("release", id)
                .hint("`qchroot install` installs one")
        })?;
        let file: BaseFile = parse(&path, &String::from_utf8_lossy(&bytes))?;
        let base = Base {
            id: id.clone(),
            sharedfs: dir.join("sharedfs"),
            template: dir.join("template"),
            brand: file.brand,
            shared: file.shared.clone(),
            host_dirs: file.host_dirs.clone(),
        };
        Ok(Installed { base, file })
    }

    /// The base that new containers get, if one is installed.
    pub fn current_base(&self) -> Result<Option<Installed>> {
        match self.link_target(&self.layout.current())? {
            None => Ok(None),
            Some(target) => self.base(&target.file_name().unwrap_or_default().parse()?).map(Some),
        }
    }

    /// Where a link of qchroot's own leads.
    pub(crate) fn link_target(&self, at: &Utf8Path) -> Result<Option<Utf8PathBuf>> {
        self.view().link(&Place::host(at))
    }

    /// Notes in the description what the userland `tree` was made for, by its own files; what the user said of it
    /// comes first. Where neither tells, the source's word stays, and that is what is returned in any case.
    pub(crate) fn recognise(
        &self,
        tree: &Utf8Path,
        describe: &Utf8Path,
        said: Option<Brand>,
        deadline: Deadline,
    ) -> Result<Brand> {
        let was = String::from_utf8_lossy(&self.host.read_own(describe)?.unwrap_or_default()).into_owned();
        let file: BaseFile = parse(describe, &was)?;
        let word = file.brand;
        if let Some(brand) = said.or_else(|| userland::brand(tree, self.view())) {
            let text = self.describe_text(&BaseFile { brand, ..file })?;
            let step = Step::WriteFile { at: Place::host(describe), text, mode: 0o644, was: Some(was) };
            self.host.apply(&step, deadline)?;
        }
        Ok(word)
    }

    /// Splits the userland `tree`: what is shared goes to `sharedfs`, the rest becomes `template`. Shared is what is
    /// so by its brand, and what is so by that of its source: programs of one system may lie where another has them.
    pub(crate) fn split(
        &self,
        tree: &Utf8Path,
        sharedfs: &Utf8Path,
        template: &Utf8Path,
        describe: &Utf8Path,
        word: Brand,
        deadline: Deadline,
    ) -> Result<()> {
        let bytes = self.host.read_own(describe)?.unwrap_or_default();
        let mut file: BaseFile = parse(describe, &String::from_utf8_lossy(&bytes))?;
        let before = self.describe_text(&file)?;
        let apply = |step: Step| self.host.apply(&step, deadline);
        let make = |path: Utf8PathBuf| apply(Step::MakeDir { at: Place::host(path), mode: 0o755 });

        self.fresh_devices(tree, file.brand, deadline)?;
        make(sharedfs.into())?;
        make(sharedfs.join("usr"))?;
        let brands = BTreeSet::from([file.brand, word]);
        for path in brands.iter().flat_map(|brand| brand.shared_paths()) {
            if !holds_host_dir(&file, path) && self.is_directory(&tree.join(path))? {
                apply(Step::Rename { from: tree.join(path), to: sharedfs.join(path) })?;
                file.shared.push(path.into());
            }
        }
        for path in HOST_TREES {
            if self.is_directory(&tree.join(path))? {
                apply(Step::RemoveTree { at: tree.join(path) })?;
            }
            make(sharedfs.join(path))?;
            file.shared.push(path.into());
        }
        self.link_back(tree, sharedfs, deadline)?;
        apply(Step::Rename { from: tree.into(), to: template.into() })?;
        let text = self.describe_text(&file)?;
        apply(Step::WriteFile { at: Place::host(describe), text, mode: 0o644, was: Some(before) })
    }

    /// Whatever nodes a userland brings, and whether or not its archive could make them: it gets the safe ones,
    /// where the kernel has nodes in directories at all. A start then finds them there.
    fn fresh_devices(&self, tree: &Utf8Path, brand: Brand, deadline: Deadline) -> Result<()> {
        let at = |path: &str| Place::host(tree.join(path));
        let mut steps =
            vec![Step::RemoveTree { at: tree.join("dev") }, Step::MakeDir { at: at("dev"), mode: 0o755 }];
        if brand == Brand::Linux && self.view().platform()? == Platform::Linux {
            steps.extend([device_steps(at), pts_steps(at), proc_steps(at)].concat());
        }
        for step in steps {
            if self.host.probe(&step)? != crate::Probe::Present {
                self.host.apply(&step, deadline)?;
            }
        }
        Ok(())
    }

    /// Relative links from shared files into the rest, such as `usr/lib/x -> ../../etc/x`, must still lead
    /// there when the shared part is mounted one level below the root.
    fn link_back(&self, tree: &Utf8Path, sharedfs: &Utf8Path, deadline: Deadline) -> Result<()> {
        for (dir, up) in [("", ".."), ("usr", "../../usr")] {
            if !self.is_directory(&tree.join(dir))? {
                continue;
            }
            for name in self.view().list(&Place::host(tree.join(dir)))? {
                let at = Place::host(sharedfs.join(dir).join(&name));
                if name != "usr" && self.view().stat(&at)?.is_none() {
                    let link = Step::Link { at, to: Utf8Path::new(up).join(&name), was: None };
                    self.host.apply(&link, deadline)?;
                }
            }
        }
        Ok(())
    }

    /// The text of a base's description.
    pub(crate) fn describe_text(&self, file: &BaseFile) -> Result<String> {
        toml::to_string_pretty(file)
            .map_err(|e| Error::new(ErrorKind::Internal, "cannot describe the release").cause(e))
    }

    pub(crate) fn new_base_file(source: &str, release: &Release, insisted: bool) -> BaseFile {
        BaseFile {
            format: FORMAT,
            version: release.version.clone(),
            brand: release.brand,
            source: source.into(),
            digest: release.digest.clone(),
            insisted,
            shared: vec![],
            manifest: None,
            bytes: 0,
            host_dirs: release.host_dirs.clone(),
        }
    }

    pub(crate) fn is_directory(&self, at: &Utf8Path) -> Result<bool> {
        Ok(self.view().stat(&Place::host(at))?.is_some_and(|stat| stat.kind == FileKind::Directory))
    }

    /// Lets the source fill the staging directory.
    pub(crate) fn fill(&self, source: &str, release: &Release, into: &Utf8Path) -> Result<()> {
        let source = self.registry.source(source)?;
        let mut show = |progress: &qchroot_api::Progress| self.watch.progress(progress);
        let place =
            Workplace { staging: into.into(), cache: self.layout.cache(), log: self.layout.install_log() };
        let mut work = self.host.work(&place, &mut show)?;
        source.fill(release, &mut *work)?;
        work.tree().finish()?;
        self.host.flush(into)
    }
}

/// What is the host's own is mounted where it is said to be: no link to a shared directory may stand in its way.
fn holds_host_dir(file: &BaseFile, path: &str) -> bool {
    file.host_dirs.iter().any(|dir| dir.starts_with(path))
}
