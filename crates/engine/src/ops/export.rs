//! `export`: a stopped container becomes one file. Nothing of the machine changes but that file.

use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Capability, Error, ErrorKind, FileKind, Name, Node, Part, Place, Progress, Result, Step};
use qchroot_pack::{Archive, Head, Stream, Written};
use serde::Serialize;

use crate::config::FORMAT;
use crate::exported::{ExportFile, ExportedDisk, ExportedRelease, settle};
use crate::{Care, Engine, Loaded, START_PATIENCE, SeenKind};

/// Where an export goes.
pub enum ExportTo<'a> {
    /// A file, by its absolute path; it is called `FILE.part` until it is whole.
    File {
        /// Its path.
        path: Utf8PathBuf,
        /// Replace one that is there.
        force: bool,
    },
    /// A stream, such as standard output: what is interrupted has to be done again.
    Stream(&'a mut (dyn std::io::Write + Send)),
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The container.
    pub name: Name,
    /// The file; none for a stream.
    pub file: Option<Utf8PathBuf>,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// How many of its bytes an interrupted export had written already.
    pub kept: u64,
}

impl Engine<'_> {
    /// Writes the stopped container `name` into one file. In a dry run nothing is written, and nothing returned.
    ///
    /// # Errors
    /// Unavailable, when its storage cannot; busy, when it is started; exists, when the file does.
    pub fn export(&self, name: &Name, to: ExportTo<'_>) -> Result<Option<Exported>> {
        let _lock = self.lock_container(name)?;
        let _bases = self.share_releases()?;
        self.refuse_half_done(name)?;
        let loaded = self.load(name)?;
        refuse_other_storages(&loaded)?;
        self.refuse_started(&loaded)?;
        match to {
            _ if self.dry_run => {
                self.header(&loaded)?;
                Ok(None)
            }
            ExportTo::File { path, force } => self.export_to(&loaded, path, force).map(Some),
            ExportTo::Stream(stream) => {
                let written = self.write_export(&loaded, &mut Stream(stream))?;
                Ok(Some(exported(name, None, written)))
            }
        }
    }

    fn export_to(&self, loaded: &Loaded<'_>, path: Utf8PathBuf, force: bool) -> Result<Exported> {
        self.refuse_target(loaded, &path, force)?;
        let part = Utf8PathBuf::from(format!("{path}.part"));
        let name = &loaded.name;
        let written = {
            let mut file = self.host.part(&part)?;
            self.write_export(loaded, &mut *file).map_err(|error| {
                error.with("part", &part).hint(format!(
                    "`qchroot export {name} {path}` goes on where this one stopped; or remove {part}"
                ))
            })?
        };
        if force {
            self.host.remove_own(&path, true)?;
        }
        let deadline = self.deadline_in(START_PATIENCE);
        self.host.apply(&Step::Rename { from: part, to: path.clone() }, deadline)?;
        Ok(exported(name, Some(path), written))
    }

    fn refuse_target(&self, loaded: &Loaded<'_>, path: &Utf8Path, force: bool) -> Result<()> {
        if path.starts_with(&loaded.container.dir) {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("{path} lies in the container that is exported"),
            ));
        }
        match self.view().stat(&Place::host(path))? {
            None => Ok(()),
            Some(stat) if force && stat.kind == FileKind::File => Ok(()),
            Some(_) => Err(Error::new(ErrorKind::Exists, format!("{path} exists already"))
                .with("path", path)
                .hint("choose another name; --force replaces a file")),
        }
    }

    fn write_export(&self, loaded: &Loaded<'_>, part: &mut dyn Part) -> Result<Written> {
        let header = self.header(loaded)?;
        let (_, container) = self.read_file(&loaded.name)?;
        let text = toml::to_string_pretty(&header)
            .map_err(|e| Error::new(ErrorKind::Internal, "cannot describe the export").cause(e))?;
        let head = Head { header: text, container };
        let private = loaded.storage.private(&loaded.container)?;
        let mut shown = Shown::of(&header);
        let mut fill = |archive: &mut Archive<'_, '_>| {
            self.host.read_tree(&private, &mut |node, data, content| {
                let mut node = node.clone();
                settle(&mut node);
                self.watch.progress(shown.of_node(&node));
                let mut counted = Counted { content, engine: self, shown: &mut shown };
                match header.disk {
                    Some(_) => archive.disk(&node, data, &mut counted),
                    None => archive.tree(&node, data, &mut counted),
                }
            })
        };
        qchroot_pack::write(part, &head, &mut fill)
            .map_err(|error| error.while_doing(format!("cannot export {}", loaded.name)))
    }

    /// What the export will hold.
    fn header(&self, loaded: &Loaded<'_>) -> Result<ExportFile> {
        let private = loaded.storage.private(&loaded.container)?;
        let stat = self.view().stat(&Place::host(&private))?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("{} has no data: {private} is missing", loaded.name))
        })?;
        let allocated = self.host.disk_usage(&private)?;
        let (entries, bytes, disk) = match stat.kind {
            FileKind::Directory => {
                self.refuse_mounts(loaded, &private)?;
                let (entries, bytes) = self.measure(&private)?;
                (entries, bytes, None)
            }
            _ => (1, stat.size, Some(self.exported_disk(loaded, &private)?)),
        };
        Ok(ExportFile {
            format: FORMAT,
            name: loaded.name.clone(),
            storage: loaded.file.storage.backend.clone(),
            entries,
            bytes,
            allocated,
            release: ExportedRelease::of(&loaded.installed),
            disk,
        })
    }

    /// Members and bytes of a tree; its top is a member, too.
    fn measure(&self, top: &Utf8Path) -> Result<(u64, u64)> {
        let all = self.host.survey(top, &|_| Care::Enter)?;
        let kept = all.iter().filter(|seen| seen.kind != SeenKind::Socket).count();
        let size = |kind: &SeenKind| if let SeenKind::File { size, .. } = kind { *size } else { 0 };
        Ok((kept as u64 + 1, all.iter().map(|seen| size(&seen.kind)).sum()))
    }

    /// What is mounted in the tree would be missing in the export without anybody being told.
    fn refuse_mounts(&self, loaded: &Loaded<'_>, private: &Utf8Path) -> Result<()> {
        match self.view().mounts()?.into_iter().find(|mount| mount.at.starts_with(private)) {
            None => Ok(()),
            Some(mount) => Err(Error::new(ErrorKind::Busy, format!("cannot export {}", loaded.name))
                .cause(format!("{} is mounted on {}", mount.fs, mount.at))
                .hint("unmount it first")),
        }
    }

    fn exported_disk(&self, loaded: &Loaded<'_>, file: &Utf8Path) -> Result<ExportedDisk> {
        let name = &loaded.name;
        let refuse = |why: &str, hint: String| {
            let message = format!("cannot export {name}: its disk {why}");
            Error::new(ErrorKind::Busy, message).with("container", name).hint(hint)
        };
        let check = format!("`qchroot check {name}` looks at it");
        match self.view().disk(file)? {
            Some(disk) if !disk.attached.is_empty() => {
                let what = format!("is in use as {}", disk.attached.join(", "));
                Err(refuse(&what, format!("stop it first: `qchroot stop {name}`")))
            }
            Some(disk) if !disk.clean => Err(refuse("was not unmounted in order", check)),
            Some(disk) => match disk.fs {
                Some(fs) => Ok(ExportedDisk { fs, length: disk.length }),
                None => Err(refuse("has no file system that is known", check)),
            },
            None => Err(refuse("is missing", check)),
        }
    }
}

fn refuse_other_storages(loaded: &Loaded<'_>) -> Result<()> {
    let info = loaded.storage.info();
    if info.capabilities.contains(&Capability::Export) && loaded.file.release.is_some() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unavailable, format!("{} cannot be exported", loaded.name))
        .cause(format!("its storage is {}", info.name))
        .with("container", &loaded.name)
        .hint("`qchroot plugin list` shows what each storage can do"))
}

fn exported(name: &Name, file: Option<Utf8PathBuf>, written: Written) -> Exported {
    let Written { bytes, sha256, kept } = written;
    Exported { name: name.clone(), file, bytes, sha256, kept }
}

/// How far an export has come.
struct Shown(Progress);

impl Shown {
    fn of(header: &ExportFile) -> Self {
        Self(Progress {
            what: format!("exporting {}", header.name),
            total_bytes: Some(header.allocated.min(header.bytes)),
            total_entries: Some(header.entries),
            ..Progress::default()
        })
    }

    fn of_node(&mut self, _node: &Node) -> &Progress {
        self.0.entries += 1;
        &self.0
    }
}

/// Counts what is read through it.
struct Counted<'a> {
    content: &'a mut dyn Read,
    engine: &'a Engine<'a>,
    shown: &'a mut Shown,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.content.read(buffer)?;
        self.shown.0.bytes += length as u64;
        if length >= 1 << 16 {
            self.engine.watch.progress(&self.shown.0);
        }
        Ok(length)
    }
}
