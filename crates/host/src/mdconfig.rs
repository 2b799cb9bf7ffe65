//! What mdconfig(8) prints, for reading by people: `-l -v`, `-a`, `-d` and `-r`. It runs nothing.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::Output;

/// The label of the devices that this program attaches, md(4): it tells one that a dead process left from one that
/// somebody else attached.
pub(crate) const LABEL: &str = "qchroot";

/// A memory device that shows a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Its name, such as `md0`.
    pub(crate) name: String,
    /// The file's path when it was attached, without links.
    pub(crate) file: Utf8PathBuf,
    /// Whether its label is [`LABEL`].
    pub(crate) ours: bool,
}

impl Shown {
    /// The device's node.
    pub(crate) fn node(&self) -> Utf8PathBuf {
        Utf8Path::new("/dev").join(&self.name)
    }
}

/// The devices in what `mdconfig -l -v` prints: name, type, size, file and label, a tab after each but the last.
pub(crate) fn listed(text: &str) -> Vec<Shown> {
    text.lines().filter_map(shown).collect()
}

fn shown(line: &str) -> Option<Shown> {
    let mut fields = line.splitn(4, '\t');
    let (name, kind, _size) = (fields.next()?, fields.next()?, fields.next()?);
    // A file's name can have tabs in it, a label of ours has none.
    let rest = fields.next()?;
    let (file, label) = rest.rsplit_once('\t').unwrap_or((rest, ""));
    let is_file = kind == "vnode" && is_name(name);
    is_file.then(|| Shown { name: name.to_owned(), file: path(file), ours: label.trim() == LABEL })
}

/// The kernel tells bytes above 126 by their numbers, and libgeom(3) makes a character of each.
fn path(text: &str) -> Utf8PathBuf {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| text.to_owned()).into()
}

/// The device in what `mdconfig -a` prints.
pub(crate) fn attached(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|name| is_name(name))
}

/// How taking a device away ended, or giving it another length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detached {
    /// As it was asked for; or there is no such device.
    Gone,
    /// Somebody has it open.
    Busy,
    /// The kernel said something else.
    Failed,
}

/// What `mdconfig -d` or `-r` says of a device.
pub(crate) fn detached(output: &Output) -> Detached {
    let says = |words| output.stderr.trim_end().ends_with(words);
    match output.status {
        0 => Detached::Gone,
        _ if says(": No such file or directory") && output.stderr.contains("ioctl(") => Detached::Gone,
        _ if says(": Device busy") => Detached::Busy,
        _ => Detached::Failed,
    }
}

fn is_name(name: &str) -> bool {
    let number = name.strip_prefix("md").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_device_and_file_and_whose_it_is() {
        let text = "md0\tvnode\t   64M\t/tmp/a.img\t\n\
                    md1\tvnode\t 1536B\t/etc/passwd\t\n\
                    md2\tswap\t    1G\t-\t\n\
                    md3\tvnode\t 2930K\t/jails/my\tweb/disk.img\tqchroot\n";
        let found = listed(text);
        let names: Vec<_> =
            found.iter().map(|one| (one.name.as_str(), one.file.as_str(), one.ours)).collect();
        let expected = [
            ("md0", "/tmp/a.img", false),
            ("md1", "/etc/passwd", false),
            ("md3", "/jails/my\tweb/disk.img", true),
        ];
        assert_eq!(names, expected);
        assert_eq!(found[0].node(), "/dev/md0");
    }

    #[test]
    fn what_is_no_list_has_no_devices() {
        assert_eq!(listed("md0 md1 \n"), []);
        assert_eq!(listed(""), []);
        assert_eq!(listed("mdconfig: illegal option -- -\nusage: mdconfig -a -t type [-n]\n"), []);
    }

    #[test]
    fn a_name_with_letters_beyond_ascii_is_read_as_it_is() {
        // As libgeom(3) gives back what the kernel wrote of "/größe/disk.img".
        let mangled: String = "/größe/disk.img".bytes().map(char::from).collect();
        let found = listed(&format!("md4\tvnode\t   64M\t{mangled}\tqchroot\n"));
        assert_eq!(found[0].file, "/größe/disk.img");
        assert!(found[0].ours);
    }

    #[test]
    fn a_device_that_is_gone_is_no_failure_and_one_in_use_is_told_apart() {
        let ended = |status, stderr: &str| {
            detached(&Output { status, stdout: String::new(), stderr: stderr.to_owned() })
        };
        assert_eq!(ended(0, ""), Detached::Gone);
        assert_eq!(ended(1, "mdconfig: ioctl(/dev/mdctl): No such file or directory\n"), Detached::Gone);
        assert_eq!(ended(1, "mdconfig: ioctl(/dev/mdctl): Device busy\n"), Detached::Busy);
        assert_eq!(ended(1, "mdconfig: open(/dev/mdctl): No such file or directory\n"), Detached::Failed);
        assert_eq!(ended(1, "mdconfig: open(/dev/mdctl): Permission denied\n"), Detached::Failed);
    }

    #[test]
    fn the_name_of_a_new_device_is_a_name() {
        assert_eq!(attached("md12\n"), Some("md12"));
        assert_eq!(attached("md0 md1 \n"), None);
        assert_eq!(attached("mdconfig: realpath: No such file or directory\n"), None);
        assert_eq!(attached(""), None);
    }
}
