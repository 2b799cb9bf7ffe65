//! `import`: a container comes into being from the file that an export made of one.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Capability, DiskStep, Error, ErrorKind, Name, Place, Plan, ReleaseId, Result, SharedStorage, Step,
};
use qchroot_pack::{DISK, Data, Expected, HEADER, Head, Seal};
use serde::Serialize;
use toml_edit::{DocumentMut, value};

use crate::config::{ContainerFile, locate, parse};
use crate::exported::{Customs, ExportFile};
use crate::journal::Op;
use crate::service_entry::in_order_of;
use crate::{Engine, Installed, PermissionEntry, Workplace};

/// What `import` was asked for.
#[derive(Debug, Clone)]
pub struct ImportWish {
    /// The export, by its absolute path.
    pub file: Utf8PathBuf,
    /// The container's name; the exported one when not given.
    pub name: Option<Name>,
    /// `--release`: another installed base of the same version.
    pub release: Option<ReleaseId>,
}

/// What was imported, or would be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Imported {
    /// The container.
    pub name: Name,
    /// The base that it is pinned to.
    pub release: ReleaseId,
    /// SHA-256 that the export is sealed with.
    pub sealed: String,
    /// Its administration file, which came with it.
    pub file: ContainerFile,
}

/// An export whose head was read and understood.
struct Opened {
    head: Head,
    seal: Seal,
    header: ExportFile,
}

impl Engine<'_> {
    /// Makes a container of an export.
    ///
    /// # Errors
    /// Not found, when its release is not installed; exists, when the name is taken; bad data, when the file is damaged
    /// or has what no export has: then nothing is left of it.
    pub fn import(&self, wish: &ImportWish) -> Result<Imported> {
        self.require_superuser()?;
        let opened = self.open_export(&wish.file)?;
        let name = wish.name.clone().unwrap_or_else(|| opened.header.name.clone());
        let _lock = self.lock_container(&name)?;
        let _bases = self.share_releases()?;
        self.refuse_half_done(&name)?;
        self.refuse_taken(&name)?;
        let release = self.release_of(&opened.header, wish.release.as_ref())?;
        let (file, text) = self.container_file(wish, &opened, &release)?;
        self.refuse_too_large(&opened.header)?;
        let plan = self.import_plan(&name, wish, &opened, (&file, text), &release)?;
        if !self.dry_run {
            self.host.make_own_dir(&self.layout.containers)?;
        }
        self.run_durable(&name, Op::Import, plan)?;
        Ok(Imported { name, release: release.base.id, sealed: opened.seal.sha256, file })
    }

    fn open_export(&self, path: &Utf8Path) -> Result<Opened> {
        let seal = qchroot_pack::seal(path, self.view())?;
        let head = qchroot_pack::head(path, self.view())?;
        let header: ExportFile = parse(&inside(path, HEADER), &head.header)?;
        Ok(Opened { head, seal, header })
    }

    /// The base that the container is pinned to from now on.
    fn release_of(&self, header: &ExportFile, insisted: Option<&ReleaseId>) -> Result<Installed> {
        let was = &header.release;
        let installed = match insisted {
            Some(id) => self.base(id)?,
            None => self.base(&was.id).map_err(|error| match error.kind() {
                ErrorKind::NotFound => self.not_installed(header),
                _ => error,
            })?,
        };
        let now = &installed.file;
        let same = insisted.is_some() || now.digest == was.digest;
        if now.version == was.version && now.brand == was.brand && same {
            return Ok(installed);
        }
        let message = format!("{} does not suit {}", installed.base.id, header.name);
        Err(Error::new(ErrorKind::Config, message)
            .cause(format!("it was exported with {} ({}), digest {}", was.version, was.brand, was.digest))
            .hint(
                "import it with a release of that version; `qchroot upgrade` moves it to another afterwards",
            ))
    }

    fn not_installed(&self, header: &ExportFile) -> Error {
        let was = &header.release;
        let same_version = self.installed_ids().unwrap_or_default().into_iter().find(|id| {
            self.base(id)
                .is_ok_and(|other| other.file.version == was.version && other.file.brand == was.brand)
        });
        let hint = match same_version {
            Some(id) => format!("{id} has the same version: to take it, say `--release {id}`"),
            None => {
                format!("`qchroot install --source {} --release {}` may bring it", was.source, was.version)
            }
        };
        Error::new(ErrorKind::NotFound, format!("release {} is not installed", was.id))
            .cause(format!("{} was exported with {}, digest {}", header.name, was.version, was.digest))
            .with("release", &was.id)
            .hint(hint)
    }

    /// The administration file that came with it, checked as if somebody had written it here, and pinned to `release`.
    fn container_file(
        &self,
        wish: &ImportWish,
        opened: &Opened,
        release: &Installed,
    ) -> Result<(ContainerFile, String)> {
        let path = inside(&wish.file, qchroot_pack::CONTAINER);
        let text = &opened.head.container;
        let mut file: ContainerFile = parse(&path, text)?;
        self.check_backends(&file, &path, text)?;
        if file.storage.backend != opened.header.storage {
            let message = format!("{path} names storage {}", file.storage.backend);
            return Err(Error::new(ErrorKind::BadData, message)
                .cause(format!("the data is of storage {}", opened.header.storage)));
        }
        let mut document: DocumentMut =
            text.parse().map_err(|e| Error::new(ErrorKind::Config, format!("{path} is damaged")).cause(e))?;
        if file.release.as_ref() == Some(&release.base.id) {
            return Ok((file, text.clone()));
        }
        file.release = Some(release.base.id.clone());
        document["release"] = value(release.base.id.as_str());
        Ok((file, document.to_string()))
    }

    fn check_backends(&self, file: &ContainerFile, path: &Utf8Path, text: &str) -> Result<()> {
        let storage = self.registry.storage(&file.storage.backend)?;
        let isolation = self.registry.isolation(&file.isolation.backend)?;
        let in_table = |table| move |error| locate(error, path, text, &[table, "options"]);
        storage.check(&file.storage.options).map_err(in_table("storage"))?;
        isolation.check(&file.isolation.options).map_err(in_table("isolation"))?;
        in_order_of(&file.service, path, text)?;
        file.permission.iter().try_for_each(PermissionEntry::check)?;
        file.node.iter().try_for_each(|node| node.numbers().map(drop))?;
        let info = storage.info();
        if info.capabilities.contains(&Capability::Export) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unavailable, format!("storage {} takes no exports", info.name)))
    }

    fn refuse_too_large(&self, header: &ExportFile) -> Result<()> {
        let near = if self.is_directory(&self.layout.lib)? { self.layout.lib.as_str() } else { "/" };
        let free = self.view().space(&Place::host(near))?.free;
        if header.allocated <= free {
            return Ok(());
        }
        let message = format!("{} takes {} bytes, and {near} has {free} free", header.name, header.allocated);
        Err(Error::new(ErrorKind::Io, message).with("needed", header.allocated).with("free", free))
    }

    fn import_plan(
        &self,
        name: &Name,
        wish: &ImportWish,
        opened: &Opened,
        (file, text): (&ContainerFile, String),
        release: &Installed,
    ) -> Result<Plan> {
        let staging = self.layout.staging(name);
        let container = self.container(name, staging.clone(), file);
        let storage = self.registry.storage(&file.storage.backend)?;
        let unpack =
            |into| Step::Unpack { file: wish.file.clone(), sha256: opened.seal.sha256.clone(), into };
        let brought = staging.join("import");
        let mut plan = vec![Step::Stage { at: staging.clone() }];
        if opened.header.disk.is_some() {
            let disk = brought.join(DISK);
            plan.push(Step::MakeDir { at: Place::host(&brought), mode: 0o700 });
            plan.push(unpack(brought.clone()));
            plan.extend(storage.receive(&release.base, &container, Some(&disk), self.view())?);
            plan.push(Step::Disk(DiskStep::Remove { at: disk }));
            plan.push(Step::RemoveDir { at: Place::host(brought) });
        } else {
            plan.extend(storage.receive(&release.base, &container, None, self.view())?);
            plan.push(unpack(storage.private(&container)?));
        }
        plan.push(Step::Rename { from: staging, to: self.layout.container(name) });
        let at = Place::host(self.layout.file(name));
        plan.push(Step::WriteFile { at, text, mode: 0o644, was: None });
        Ok(plan)
    }

    /// Unpacks the data of the export that is sealed with `sha256` into the empty directory `into`.
    pub(crate) fn unpack(&self, path: &Utf8Path, sha256: &str, into: &Utf8Path) -> Result<()> {
        let Opened { head, seal, header } = self.open_export(path)?;
        if seal.sha256 != sha256 {
            return Err(Error::new(
                ErrorKind::BadData,
                format!("{path} is not the file any more that it was"),
            ));
        }
        let storage = self.registry.storage(&header.storage)?;
        let mut customs = Customs { layer: is_layer(storage), ..Customs::default() };
        let data = header.disk.as_ref().map_or(Data::Tree, |disk| Data::Disk(disk.length));
        let expected = Expected { head, seal, data, entries: header.entries, bytes: header.bytes };
        let mut show = |progress: &qchroot_api::Progress| self.watch.progress(progress);
        let place =
            Workplace { staging: into.into(), cache: self.layout.cache(), log: self.layout.install_log() };
        let mut work = self.host.work(&place, &mut show)?;
        qchroot_pack::unpack(path, &expected, &mut *work, &mut |node| Ok(customs.accept(node)))?;
        work.tree().finish()?;
        self.refuse_other_disk(&header, &into.join(DISK))?;
        self.tell_left_out(&customs);
        self.host.flush(into)
    }

    /// A disk must be what the header says before anything is done with it.
    fn refuse_other_disk(&self, header: &ExportFile, at: &Utf8Path) -> Result<()> {
        let Some(told) = &header.disk else { return Ok(()) };
        let found = self.view().disk(at)?;
        if found.as_ref().is_some_and(|disk| disk.fs == Some(told.fs) && disk.fs_length <= told.length) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::BadData,
            format!("the disk of {} is not what its header says", header.name),
        )
        .cause(format!("there is no {} of at most {} bytes on it", told.fs, told.length)))
    }

    fn tell_left_out(&self, customs: &Customs) {
        for path in &customs.left_out {
            let path = path.display();
            self.watch.warn(&format!(
                "device {path} was left out: a `[[node]]` in the administration file makes one"
            ));
        }
    }
}

/// Where a container may replace what it sees of the base, a device 0:0 is the mark of a file that it removed.
fn is_layer(storage: &dyn SharedStorage) -> bool {
    storage.info().capabilities.contains(&Capability::CopyOnWrite)
}

/// How messages name a member of an export.
fn inside(path: &Utf8Path, member: &str) -> Utf8PathBuf {
    format!("{path}({member})").into()
}
