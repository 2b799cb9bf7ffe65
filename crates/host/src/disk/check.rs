//! Looks whether a disk is in order, and puts it in order as far as it is asked to. What is found and done is written to
//! a log for people. How each file system is mended is not known here.

use camino::Utf8Path;
use qchroot_api::{DiskCheck, DiskFs, DiskInfo, Error, ErrorKind, Result, size_text};

use super::look::{self, look};
use super::record::Record;
use super::space::round_up;
use super::{beside, claim, mend};

/// What a disk that is in order now was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// In order.
    Clean,
    /// Not in order.
    Repaired,
}

/// What is to be checked, and how.
pub(super) struct Check<'a> {
    pub(super) at: &'a Utf8Path,
    pub(super) fs: DiskFs,
    pub(super) how: DiskCheck,
    pub(super) log: &'a Utf8Path,
}

/// Whether nothing needs to be done, as far as the superblock tells. A disk in use was checked before, and is dirty.
pub(super) fn is_in_order(info: &DiskInfo, fs: DiskFs, how: DiskCheck) -> bool {
    let clean = info.clean && info.fs == Some(fs) && info.fs_length <= info.length;
    !info.attached.is_empty() || (!matches!(how, DiskCheck::Full | DiskCheck::Repair) && clean)
}

/// Checks.
///
/// # Errors
/// Bad data, with what was found, for what is not in order and must not or could not be put in order.
pub(super) fn check(wanted: &Check<'_>) -> Result<()> {
    let Check { at, fs, how, log } = *wanted;
    let mut record = Record::open(log)?;
    record.remark(&format!("check of {fs} disk {at} ({}) begins", how.word()));
    let outcome = inspect(wanted, &mut record);
    match &outcome {
        Ok(Found::Clean) => record.remark("the disk is clean"),
        Ok(Found::Repaired) => record.remark("the disk was repaired"),
        Err(error) => record.remark(&format!("the disk is not in order: {error}")),
    }
    outcome.map(drop).map_err(|error| error.with("disk", at).with("log", log))
}

fn inspect(wanted: &Check<'_>, record: &mut Record) -> Result<Found> {
    let Check { at, fs, how, .. } = *wanted;
    let info =
        look(at)?.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("disk {at} does not exist")))?;
    let file = claim::claim(at, false)?;
    refuse_foreign(&info, wanted)?;
    let cut = info.fs_length > info.length;
    if cut {
        if how != DiskCheck::Repair {
            return Err(cut_short(&info, at).hint(EXTEND));
        }
        record.remark(&format!("the file is extended from {} to {} bytes", info.length, info.fs_length));
        beside::set_length(&file, at, round_up(info.fs_length))?;
    }
    drop(file);
    match how {
        DiskCheck::Refuse | DiskCheck::Preen if info.clean => Ok(Found::Clean),
        DiskCheck::Refuse => Err(unclean(at)),
        how if info.clean && !cut => mend::mend(at, fs, how, record),
        how => mend::mend(at, fs, how, record).map(|_| Found::Repaired),
    }
}

const MEND: &str = "`qchroot check` with `--repair` answers yes to every repair";
const EXTEND: &str = "`qchroot check` with `--repair` extends the file and mends what is left; or bring back a snapshot or an export";

fn refuse_foreign(info: &DiskInfo, wanted: &Check<'_>) -> Result<()> {
    let Check { at, fs, how, .. } = *wanted;
    match info.fs {
        Some(found) if found == fs => Ok(()),
        Some(found) => {
            Err(Error::new(ErrorKind::BadData, format!("disk {at} holds {found}, and should hold {fs}"))
                .hint(look::REPLACED))
        }
        None if how == DiskCheck::Repair && info.length >= fs.smallest() => Ok(()),
        None => Err(Error::new(ErrorKind::BadData, format!("no {fs} file system to be found on disk {at}"))
            .hint(MEND)),
    }
}

fn cut_short(info: &DiskInfo, at: &Utf8Path) -> Error {
    let (file, system) = (info.length, info.fs_length);
    Error::new(ErrorKind::BadData, format!("disk {at} was cut short"))
        .cause(format!(
            "the file has {file} bytes ({}), its file system {system} ({})",
            size_text(file),
            size_text(system)
        ))
        .with("length", file)
        .with("fs-length", system)
}

fn unclean(at: &Utf8Path) -> Error {
    Error::new(ErrorKind::BadData, format!("disk {at} was not unmounted in order"))
        .cause("`check = \"refuse\"` says that nothing is put in order without being asked")
        .hint("`qchroot check` looks at it and does harmless repairs")
}

/// An error for what a program found, which is in the log.
pub(super) fn damaged(at: &Utf8Path, how: DiskCheck, record: &Record) -> Error {
    let error = record
        .tail()
        .into_iter()
        .fold(Error::new(ErrorKind::BadData, format!("disk {at} is damaged")), Error::cause);
    match how {
        DiskCheck::Repair => error.hint("bring back a snapshot or an export"),
        _ => error.hint(MEND),
    }
}

/// Makes a copy ready to be changed: as after a harmless check.
pub(super) fn put_copy_in_order(copy: &Utf8Path, fs: DiskFs) -> Result<()> {
    let Some(info) = look(copy)? else { return Ok(()) };
    if info.fs != Some(fs) {
        return Err(Error::new(ErrorKind::BadData, format!("there is no {fs} file system on it"))
            .hint("`qchroot check` tells what is wrong"));
    }
    if info.fs_length > info.length {
        return Err(cut_short(&info, copy).hint(EXTEND));
    }
    if info.clean {
        return Ok(());
    }
    mend::mend(copy, fs, DiskCheck::Preen, &mut Record::nowhere()).map(drop)
}
