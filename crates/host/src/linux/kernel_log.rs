//! What the kernel wrote to its log about a device: file systems give their reasons only there. It is for messages
//! alone; where the log cannot be read there is nothing to say.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;

/// As many lines go into a message.
const MOST: usize = 4;

/// The log from a moment on; /dev/kmsg in the kernel's "ABI/testing/dev-kmsg".
#[derive(Debug)]
pub(super) struct KernelLog(Option<File>);

impl KernelLog {
    /// The log from now on.
    pub(super) fn from_now() -> Self {
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let log = File::options().read(true).custom_flags(flags).open("/dev/kmsg");
        Self(log.ok().filter(|mut log| log.seek(SeekFrom::End(0)).is_ok()))
    }

    /// Warnings and errors about `device` since then, the first few of them.
    pub(super) fn about(mut self, device: &str) -> Vec<String> {
        let mut found: Vec<String> = vec![];
        let mut record = [0; 8192];
        // One read gives one record; it fails at the end of the log.
        while let Some(Ok(length @ 1..)) = self.0.as_mut().map(|log| log.read(&mut record)) {
            let words = record.get(..length).and_then(|record| warning(record, device));
            found.extend(words.filter(|words| !found.contains(words)));
        }
        found.truncate(MOST);
        found
    }
}

/// `PRIORITY,NUMBER,TIME,FLAGS;MESSAGE`, if it is a warning or worse and names the device.
fn warning(record: &[u8], device: &str) -> Option<String> {
    const WARNING: u32 = 4;
    let text = String::from_utf8_lossy(record);
    let (head, message) = text.split_once(';')?;
    let priority: u32 = head.split(',').next()?.parse().ok()?;
    let message = message.lines().next()?;
    (priority & 7 <= WARNING && names(message, device)).then(|| message.trim().to_owned())
}

/// Whether a text has a word, and not as a part of a longer one.
fn names(message: &str, word: &str) -> bool {
    message.split(|c: char| !c.is_alphanumeric()).any(|found| found == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_warnings_about_the_device_itself_count() {
        let about = |record: &str| warning(record.as_bytes(), "loop1");
        let words = "EXT4-fs (loop1): bad geometry";
        assert_eq!(about(&format!("3,339,51,-;{words}\n SUBSYSTEM=block\n")).as_deref(), Some(words));
        assert_eq!(about("6,339,51,-;EXT4-fs (loop1): mounted filesystem"), None);
        assert_eq!(about("3,339,51,-;EXT4-fs (loop12): bad geometry"), None);
        assert_eq!(about("nonsense"), None);
    }
}
