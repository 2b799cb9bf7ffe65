//! Answers questions about the machine. It changes nothing.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use qchroot_api::{
    Answer, Command, Error, ErrorKind, FileKind, Observe, Place, ProgramOutput, Query, Result, Space, Stat,
};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, OFlags, fstat, fstatvfs, major, minor, readlinkat};
use rustix::io::Errno;

use crate::errors::OrError;
use crate::files::permissions;
use crate::process::{members, service};
use crate::{attributes, beneath, command, dir, disk, mount, os};

/// The longest text that is read, in bytes.
const LONGEST: u64 = 16 << 20;

/// Answers one question.
pub(crate) fn answer(machine: &dyn Observe, query: &Query) -> Result<Answer> {
    Ok(match query {
        Query::Platform => Answer::Platform(os::system::PLATFORM),
        Query::HostRelease => Answer::Text(os::system::host_release()?),
        Query::Stat { at } => Answer::Stat(stat(at)?),
        Query::Link { at } => Answer::Path(link(at)?),
        Query::Read { at } => Answer::Text(read(at)?),
        Query::Bytes { at, offset, length } => Answer::Bytes(bytes(at, *offset, *length)?),
        Query::List { at } => Answer::Names(list(at)?),
        Query::Mounts => Answer::Mounts(mount::table()?),
        Query::Processes { below } => Answer::Processes(members::list(below)?),
        Query::HasFs { name } => Answer::Flag(os::system::has_fs(name)?),
        Query::Runs { brand } => Answer::Flag(os::system::runs(*brand)?),
        Query::Program { name } => Answer::Path(command::find(name)),
        Query::Holder { at } => Answer::Pid(service::holder(at)?),
        Query::Disk { at } => Answer::Disk(disk::look(at)?),
        Query::Quota { at } => Answer::Quota(os::quota::look(at)?),
        Query::Space { at } => Answer::Space(space(at)?),
        Query::Unenforced { limits, directory } => {
            Answer::Unenforced(os::control_group::unenforced(limits, directory)?)
        }
        Query::GroupUsage { group } => Answer::GroupUsage(os::control_group::usage(group)?),
        Query::Listeners => Answer::Listeners(os::listeners::list()?),
        Query::Get { address, headers, limit } => {
            Answer::Reply(qchroot_unpack::get(address, headers, *limit, machine)?)
        }
        Query::Ask { argv } => Answer::Output(ask(argv)?),
        other => return Err(Error::new(ErrorKind::Internal, format!("unknown question {other:?}"))),
    })
}

/// What a program says that only looks.
fn ask(argv: &[String]) -> Result<ProgramOutput> {
    let output = command::run(&Command::new(argv.iter().cloned()), &mut crate::running::Nobody)?;
    Ok(ProgramOutput { status: output.status, stdout: output.stdout, stderr: output.stderr })
}

fn stat(at: &Place) -> Result<Option<Stat>> {
    let Some(file) = beneath::find(at, false)? else { return Ok(None) };
    let stat = fstat(&file).or_error(|| format!("cannot look at {at}"))?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let is_device = matches!(kind, FileType::CharacterDevice | FileType::BlockDevice);
    Ok(Some(Stat {
        kind: match kind {
            FileType::RegularFile => FileKind::File,
            FileType::Directory => FileKind::Directory,
            FileType::Symlink => FileKind::Link,
            FileType::CharacterDevice => FileKind::CharDevice,
            _ => FileKind::Other,
        },
        mode: permissions(&stat),
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mtime: (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0)),
        links: attributes::links(&stat),
        id: attributes::identity(&stat),
        device: is_device.then(|| (major(stat.st_rdev), minor(stat.st_rdev))),
    }))
}

fn space(at: &Place) -> Result<Space> {
    let message = || format!("cannot tell the space of {at}");
    let found = beneath::find(at, true)?
        .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{at} does not exist")))?;
    let stat = fstatvfs(&found).or_error(message)?;
    Ok(Space {
        fs: os::mount::fs_of(at, &found)?,
        total: stat.f_blocks.saturating_mul(stat.f_frsize),
        free: stat.f_bfree.saturating_mul(stat.f_frsize),
        files: stat.f_files,
        files_free: stat.f_ffree,
    })
}

/// The target of the link at a place; `None` when nothing or something else is there. Links on the way are followed.
fn link(at: &Place) -> Result<Option<camino::Utf8PathBuf>> {
    let path = at.path();
    let Some(name) = path.file_name() else { return Ok(None) };
    let above = path.parent().unwrap_or(camino::Utf8Path::new(""));
    let above =
        if at.is_within() { Place::within(at.root(), above) } else { Place::host(at.root().join(above)) };
    let Some(dir) = beneath::find(&above, true)? else { return Ok(None) };
    match readlinkat(&dir, name, vec![]) {
        Ok(target) => Ok(Some(target.to_string_lossy().into_owned().into())),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::INVAL) => Ok(None),
        Err(error) => Err(error).or_error(|| format!("cannot read link {at}")),
    }
}

/// The text of a file.
pub(crate) fn read(at: &Place) -> Result<String> {
    let file = open(at, FileType::RegularFile, OFlags::RDONLY | OFlags::NOCTTY)?;
    let mut text = String::new();
    let mut limited = File::from(file).take(LONGEST + 1);
    limited.read_to_string(&mut text).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => Error::new(ErrorKind::BadData, format!("{at} is not UTF-8 text")),
        _ => Error::from_io(&error, format!("cannot read {at}")),
    })?;
    if text.len() as u64 > LONGEST {
        return Err(Error::new(ErrorKind::BadData, format!("{at} is longer than 16 MiB")));
    }
    Ok(text)
}

fn bytes(at: &Place, offset: u64, length: u64) -> Result<Vec<u8>> {
    let message = || format!("cannot read {at}");
    let mut file = File::from(open(at, FileType::RegularFile, OFlags::RDONLY | OFlags::NOCTTY)?);
    file.seek(SeekFrom::Start(offset)).or_error(message)?;
    let mut bytes = Vec::new();
    file.take(length.min(LONGEST)).read_to_end(&mut bytes).or_error(message)?;
    Ok(bytes)
}

fn list(at: &Place) -> Result<Vec<String>> {
    let directory = open(at, FileType::Directory, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let entries = dir::entries(&directory, at.lexical().as_str())?;
    let mut names: Vec<String> =
        entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// Opens what is at a place only once it is known to be of the kind: opening a device can have effects.
fn open(at: &Place, kind: FileType, flags: OFlags) -> Result<OwnedFd> {
    let found = beneath::find(at, true)?
        .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{at} does not exist")))?;
    let is = FileType::from_raw_mode(fstat(&found).or_error(|| format!("cannot look at {at}"))?.st_mode);
    if is != kind {
        let message = format!("{at} is {}, not {}", beneath::describe(is), beneath::describe(kind));
        return Err(Error::new(ErrorKind::BadData, message));
    }
    os::resolve::reopen(&found, flags).or_error(|| format!("cannot open {at}"))
}
