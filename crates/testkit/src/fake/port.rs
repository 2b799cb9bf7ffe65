//! The two ports, answered from the state: what back ends may ask and what the engine may do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Answer, Brand, Entry, Error, ErrorKind, Mounted, Observe, Output, Part, Place, ProgramOutput, Progress,
    Query, Result, Step, TakeNode, Work,
};
use qchroot_engine::{Care, Changes, Deadline, Guard, Held, Host, Probe, Seen, Workplace};

use super::carry::{self, FakePart};
use super::node::{Body, Inode};
use super::process::no_program;
use super::resolve::{Found, HOST};
use super::state::State;
use super::work::FakeWork;
use super::{FakeHost, Moment, call, change, listeners, refuse, survey};

/// The most that a text file may have: 16 MiB.
const MAX_TEXT: u64 = 16 << 20;

impl Observe for FakeHost {
    fn observe(&self, query: &Query) -> Result<Answer> {
        let state = call(self)?;
        Ok(match query {
            Query::Platform => Answer::Platform(state.platform),
            Query::HostRelease => Answer::Text(state.release.clone()),
            Query::Stat { at } => Answer::Stat(state.tree.look(at)?.map(|(_, inode)| inode.stat())),
            Query::Read { at } => Answer::Text(read_text(&state, at)?),
            Query::Bytes { at, offset, length } => Answer::Bytes(read_bytes(&state, at, *offset, *length)?),
            Query::Link { at } => {
                Answer::Path(state.tree.look(at)?.and_then(|(_, inode)| match inode.body {
                    Body::Link(to) => Some(to),
                    _ => None,
                }))
            }
            Query::List { at } => Answer::Names(list(&state, at)?),
            Query::Mounts => Answer::Mounts(mount_table(&state)),
            Query::Processes { below } => {
                let known = state.processes.iter().map(|p| p.info.clone());
                Answer::Processes(known.filter(|info| info.root.starts_with(below)).collect())
            }
            Query::HasFs { name } => Answer::Flag(state.filesystems.contains(name)),
            Query::Runs { brand } => Answer::Flag(runs(&state, *brand)),
            Query::Program { name } => Answer::Path(program(&state, name)),
            Query::Holder { at } => Answer::Pid(state.holder(at)),
            Query::Disk { at } => Answer::Disk(state.disk_info(at)?),
            Query::Quota { at } => Answer::Quota(state.quota(at)?),
            Query::Unenforced { limits, .. } => Answer::Unenforced(state.unenforced(limits)),
            Query::GroupUsage { group } => Answer::GroupUsage(state.group_usage(group)),
            Query::Space { at } => Answer::Space(state.space(at)?),
            Query::Listeners => Answer::Listeners(listeners::listeners(&state)),
            Query::Get { address, .. } => {
                let message = format!("{address} cannot be reached");
                return Err(
                    Error::new(ErrorKind::Unavailable, message).cause("the fake machine has no network")
                );
            }
            Query::Ask { argv } => {
                let Output { status, stdout, stderr } = state.run(argv)?;
                Answer::Output(ProgramOutput { status, stdout, stderr })
            }
            other => return Err(Error::new(ErrorKind::Internal, format!("{other:?} is not known here"))),
        })
    }
}

/// A FreeBSD that has linprocfs has linux(4).
fn runs(state: &State, brand: Brand) -> bool {
    brand.platform() == state.platform || state.filesystems.contains("linprocfs")
}

fn file<'a>(state: &'a State, found: &Found) -> Result<&'a [u8]> {
    let failed = |kind, why| Err(refuse(kind, format!("cannot read {}", found.seen), why));
    match state.tree.get(found).map(|inode| &inode.body) {
        Some(Body::File(content)) => Ok(content),
        Some(Body::Directory { .. }) => failed(ErrorKind::BadData, "is a directory"),
        Some(_) => failed(ErrorKind::BadData, "not a regular file"),
        None => failed(ErrorKind::NotFound, "no such file or directory"),
    }
}

fn read_text(state: &State, at: &Place) -> Result<String> {
    let content = file(state, &state.tree.place_followed(at)?)?;
    if content.len() as u64 > MAX_TEXT {
        return Err(Error::new(ErrorKind::BadData, format!("{at} has more than {MAX_TEXT} bytes")));
    }
    let text = String::from_utf8(content.to_vec());
    text.map_err(|_| Error::new(ErrorKind::BadData, format!("{at} is not UTF-8")))
}

fn read_bytes(state: &State, at: &Place, offset: u64, length: u64) -> Result<Vec<u8>> {
    let content = file(state, &state.tree.place_followed(at)?)?;
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let rest = content.get(size(offset)..).unwrap_or_default();
    Ok(rest[..rest.len().min(size(length.min(MAX_TEXT)))].to_vec())
}

fn list(state: &State, at: &Place) -> Result<Vec<String>> {
    let found = state.tree.place_followed(at)?;
    let failed = |kind, why| Err(refuse(kind, format!("cannot list {at}"), why));
    match state.tree.get(&found) {
        Some(inode) if inode.is_directory() => Ok(state.tree.list(&found)),
        Some(_) => failed(ErrorKind::BadData, "not a directory"),
        None => failed(ErrorKind::NotFound, "no such file or directory"),
    }
}

fn mount_table(state: &State) -> Vec<Mounted> {
    state.tree.mounts.iter().filter(|m| m.space == HOST).map(|m| m.line.clone()).collect()
}

fn program(state: &State, name: &str) -> Option<Utf8PathBuf> {
    let dirs = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(Utf8Path::new);
    dirs.iter().map(|dir| dir.join(name)).find(|path| {
        let found = state.tree.host(path, true);
        found.is_ok_and(|found| file(state, &found).is_ok())
    })
}

impl Host for FakeHost {
    fn read_own(&self, at: &Utf8Path) -> Result<Option<Vec<u8>>> {
        let state = call(self)?;
        match state.tree.host(at, true).and_then(|found| file(&state, &found)) {
            Ok(content) => Ok(Some(content.to_vec())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn append_own(&self, at: &Utf8Path, bytes: &[u8], durable: bool) -> Result<()> {
        change(self, |state| append(state, at, bytes, durable))
    }

    fn remove_own(&self, at: &Utf8Path, _durable: bool) -> Result<()> {
        change(self, |state| match state.tree.look(&Place::host(at))? {
            None => Ok(()),
            Some((_, inode)) if inode.is_directory() => {
                Err(refuse(ErrorKind::System, format!("cannot remove {at}"), "is a directory"))
            }
            Some((found, _)) => {
                state.on_disk.remove(at);
                state.tree.remove(&found)
            }
        })
    }

    fn list_own(&self, at: &Utf8Path) -> Result<Vec<String>> {
        match list(&*call(self)?, &Place::host(at)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(vec![]),
            listed => listed,
        }
    }

    fn make_own_dir(&self, at: &Utf8Path) -> Result<()> {
        change(self, |state| make_own_dir(state, at))
    }

    fn lock(&self, at: &Utf8Path, wait: bool) -> Result<Option<Held>> {
        change(self, |state| {
            let found = state.tree.host(at, true)?;
            if state.tree.get(&found).is_none() {
                state.tree.put(&found, Inode::file("", 0o644))?;
            }
            Ok(())
        })?;
        let mut state = self.state();
        while state.is_locked(at) {
            if !wait {
                return Ok(None);
            }
            state = self.0.changed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
            state.faults.alive()?;
        }
        let life = state.life;
        state.locks.insert(at.to_owned(), life);
        Ok(Some(Held::new(Lock { host: self.clone(), at: at.to_owned(), life })))
    }

    /// Stricter than the real one: who shares it is alone.
    fn share(&self, at: &Utf8Path) -> Result<Held> {
        self.lock(at, true)?
            .ok_or_else(|| Error::new(ErrorKind::Internal, format!("{at} was not waited for")))
    }

    fn survey(&self, top: &Utf8Path, care: &dyn Fn(&Path) -> Care) -> Result<Vec<Seen>> {
        survey::survey(&*call(self)?, top, care)
    }

    fn read_tree(&self, top: &Utf8Path, take: &mut TakeNode<'_>) -> Result<()> {
        carry::read_tree(self, top, take)
    }

    fn part(&self, at: &Utf8Path) -> Result<Box<dyn Part>> {
        Ok(Box::new(FakePart::open(self, at)?))
    }

    fn changes(&self, _at: &Utf8Path) -> Result<Box<dyn Changes>> {
        Err(Error::new(ErrorKind::Unavailable, "nothing changes by itself on the fake machine"))
    }

    fn probe(&self, step: &Step) -> Result<Probe> {
        call(self)?.probe(step)
    }

    fn apply(&self, step: &Step, deadline: Deadline) -> Result<()> {
        change(self, |state| {
            state.faults.count_apply();
            state.faults.may_fail(Moment::Before, step)?;
            state.apply(step, deadline.0)?;
            state.faults.may_fail(Moment::After, step)
        })
    }

    fn work<'a>(
        &'a self,
        place: &Workplace,
        show: &'a mut dyn FnMut(&Progress),
    ) -> Result<Box<dyn Work + 'a>> {
        Ok(Box::new(FakeWork::new(self, place, show)?))
    }

    fn trace(&self, _entry: &Entry) -> Result<(i32, Vec<PathBuf>)> {
        Err(Error::new(ErrorKind::Unavailable, "programs cannot be traced on the fake machine"))
    }

    fn enter(&self, entry: &Entry) -> Result<i32> {
        let program = entry.argv.first().map_or("", String::as_str);
        let (pid, registered) = {
            let mut state = call(self)?;
            let root = state.root_of_entry(entry)?;
            state.entered.push(entry.clone());
            let registered = state.inside.get(program).cloned();
            (state.spawn(root, entry.argv.join(" ")).info.pid, registered)
        };
        let status = match (registered, program) {
            (Some(registered), _) => Ok(registered(entry)),
            (None, "/bin/true") => Ok(0),
            (None, "/bin/false") => Ok(1),
            (None, unknown) => Err(no_program(unknown)),
        };
        self.kill(pid);
        status
    }

    fn on_death(&self, _undo: &dyn Fn()) -> Result<Box<dyn Guard>> {
        call(self)?.guards.taken += 1;
        Ok(Box::new(Watch(self.clone())))
    }

    /// It has come to its end before this one goes on.
    fn in_background(&self, lock: Held, work: &dyn Fn(Held)) {
        work(lock);
    }

    fn flush(&self, _at: &Utf8Path) -> Result<()> {
        call(self).map(drop)
    }

    fn disk_usage(&self, at: &Utf8Path) -> Result<u64> {
        let state = call(self)?;
        match state.tree.host(at, false) {
            Ok(found) => {
                Ok(state.tree.subtree(&found).iter().map(|(_, inode)| state.tree.volumes.taken(inode)).sum())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn boot_id(&self) -> Result<String> {
        Ok(call(self)?.boot_id())
    }

    fn wall_clock(&self) -> u64 {
        self.state().wall_clock()
    }

    fn steady_clock(&self) -> Duration {
        self.state().steady_clock()
    }

    fn is_superuser(&self) -> bool {
        self.state().superuser
    }
}

fn append(state: &mut State, at: &Utf8Path, bytes: &[u8], durable: bool) -> Result<()> {
    let found = state.tree.host(at, true)?;
    let before = state.tree.get(&found).map(|_| file(state, &found).map(<[u8]>::to_vec)).transpose()?;
    let length = before.as_ref().map(Vec::len);
    let mode = state.tree.get(&found).map_or(0o600, |inode| inode.mode);
    let mut content = before.unwrap_or_default();
    content.extend_from_slice(bytes);
    state.tree.put(&found, Inode::file(content, mode))?;
    if durable {
        state.on_disk.remove(at);
    } else {
        state.on_disk.entry(at.to_owned()).or_insert(length);
    }
    Ok(())
}

fn make_own_dir(state: &mut State, at: &Utf8Path) -> Result<()> {
    let ancestors: Vec<&Utf8Path> = at.ancestors().collect();
    for dir in ancestors.into_iter().rev() {
        let found = state.tree.host(dir, true)?;
        match state.tree.get(&found) {
            Some(inode) if inode.is_directory() => {}
            Some(_) => {
                return Err(refuse(ErrorKind::Exists, format!("cannot make {dir}"), "a file is there"));
            }
            None => state.tree.put(&found, Inode::directory(0o755))?,
        }
    }
    Ok(())
}

struct Lock {
    host: FakeHost,
    at: Utf8PathBuf,
    life: u32,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut state = self.host.state();
        if state.locks.get(&self.at) == Some(&self.life) && !state.faults.is_crashed() {
            state.locks.remove(&self.at);
        }
        drop(state);
        self.host.0.changed.notify_all();
    }
}

struct Watch(FakeHost);

impl Guard for Watch {
    fn release(self: Box<Self>) -> Result<()> {
        call(&self.0)?.guards.released += 1;
        Ok(())
    }
}
