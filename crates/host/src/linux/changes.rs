//! Waits for changes in a directory by inotify(7). It does not tell what changed.

use std::mem::MaybeUninit;

use camino::Utf8Path;
use qchroot_api::Result;
use qchroot_engine::Changes;
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use crate::errors::OrError;

struct Watch(OwnedFd);

/// Watches a directory for files that are made, moved or written to.
pub(crate) fn watch(at: &Utf8Path) -> Result<Box<dyn Changes>> {
    let failed = || format!("cannot watch {at}");
    let queue = inotify::init(CreateFlags::CLOEXEC).or_error(failed)?;
    let wanted = WatchFlags::CREATE | WatchFlags::MODIFY | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
    inotify::add_watch(&queue, at.as_std_path(), wanted).or_error(failed)?;
    Ok(Box::new(Watch(queue)))
}

impl Changes for Watch {
    fn wait(&mut self) -> Result<()> {
        let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.0, &mut buffer);
        events.next().or_error(|| "cannot wait for changes".into())?;
        // All that came together is looked at together.
        while !events.is_buffer_empty() {
            events.next().or_error(|| "cannot wait for changes".into())?;
        }
        Ok(())
    }
}
