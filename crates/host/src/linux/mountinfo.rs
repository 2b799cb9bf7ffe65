//! Reads the kernel's mount table as text, by `proc_pid_mountinfo(5)`. It opens nothing else.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Mounted, Result};

use crate::errors::OrError;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The mount's id.
    pub(crate) id: u64,
    /// The device, `major:minor`.
    device: String,
    /// Which directory of the file system is shown.
    pub(crate) root: Utf8PathBuf,
    /// Options of the file system, separated by commas.
    pub(crate) options: String,
    /// What the rest of the project knows about it.
    pub(crate) mounted: Mounted,
}

/// The table of the calling thread's mount namespace, in the order of mounting.
pub(crate) fn read() -> Result<Vec<Line>> {
    of("thread-self")
}

/// The table of the mount namespace of a process, by its name in proc(5).
pub(crate) fn of(process: &str) -> Result<Vec<Line>> {
    let path = format!("/proc/{process}/mountinfo");
    let bytes = std::fs::read(&path).or_error(|| format!("cannot read {path}"))?;
    Ok(parse(&String::from_utf8_lossy(&bytes)))
}

fn parse(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = text.lines().filter_map(line).collect();
    for index in 0..lines.len() {
        if let Some(source) = shown_directory(&lines, &lines[index]) {
            lines[index].mounted.source = source.into();
        }
    }
    lines
}

fn line(text: &str) -> Option<Line> {
    let (mount, fs) = text.split_once(" - ")?;
    let mut mount = mount.split(' ');
    let id = mount.next()?.parse().ok()?;
    let _parent = mount.next()?;
    let device = mount.next()?.to_owned();
    let root = unescape(mount.next()?).into();
    let at = unescape(mount.next()?).into();
    let options = mount.next()?;
    let mut fs = fs.split(' ');
    let (kind, source, super_options) = (fs.next()?, fs.next()?, fs.next()?);
    let read_only = [options, super_options].iter().any(|all| all.split(',').any(|one| one == "ro"));
    let mounted = Mounted { at, fs: kind.to_owned(), source: unescape(source), read_only };
    Some(Line { id, device, root, options: super_options.to_owned(), mounted })
}

/// For a bind mount of a part of a file system, the host's path of that part.
fn shown_directory(lines: &[Line], of: &Line) -> Option<Utf8PathBuf> {
    if of.root == "/" {
        return None;
    }
    let whole = |other: &&Line| other.id != of.id && other.device == of.device && other.root != of.root;
    lines.iter().filter(whole).find_map(|other| {
        let below = of.root.strip_prefix(&other.root).ok()?;
        Some(other.mounted.at.join(below))
    })
}

/// Turns `\040` and its like back into the byte they stand for.
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        match (first, octal(tail)) {
            (b'\\', Some(byte)) => {
                out.push(byte);
                rest = &tail[3..];
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn octal(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits.get(..3)?).ok()?;
    u8::from_str_radix(digits, 8).ok()
}

/// The path of an open file in the calling thread's namespace, as the kernel spells it.
pub(crate) fn path_of(fd: &rustix::fd::OwnedFd) -> Result<Utf8PathBuf> {
    use rustix::fd::AsRawFd;
    let link = format!("/proc/thread-self/fd/{}", fd.as_raw_fd());
    let path = std::fs::read_link(&link).or_error(|| format!("cannot read {link}"))?;
    Ok(Utf8Path::new(&path.to_string_lossy()).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 254:0 /q/shared\\040fs /q/web/root/shared\\134fs ro,relatime - ext4 /dev/vda rw
31 22 0:40 / /q/web/root rw shared:3 master:1 - overlay overlay ro,lowerdir=/a
";

    #[test]
    fn names_are_decoded_and_a_bind_mount_names_its_directory() {
        let lines = parse(TABLE);
        assert_eq!(lines[1].mounted.at, "/q/web/root/shared\\fs");
        assert_eq!(lines[1].mounted.source, "/q/shared fs");
        assert!(lines[1].mounted.read_only && !lines[0].mounted.read_only);
    }

    #[test]
    fn a_read_only_file_system_counts_as_read_only() {
        let lines = parse(TABLE);
        assert!(lines[2].mounted.read_only);
        assert_eq!((lines[2].id, lines[2].mounted.fs.as_str()), (31, "overlay"));
    }
}
