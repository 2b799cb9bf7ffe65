//! Owners, modes and device nodes that a container's file declares: held against what is inside, and set where the
//! file says so. Users and groups are looked up in the container's own files, by parsing.

use std::str::FromStr;

use camino::Utf8PathBuf;
use qchroot_api::{Error, ErrorKind, FileKind, Place, Plan, Result, SAFE_DEVICES, Stat, Step};
use serde::{Deserialize, Serialize};

use crate::{Engine, Loaded, users};

/// One `[[permission]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermissionEntry {
    /// Path inside.
    pub path: Utf8PathBuf,
    /// Owner: a name of the container's own, or a number.
    pub owner: String,
    /// Group, likewise.
    pub group: String,
    /// Octal digits, with set-id and sticky bits.
    pub mode: String,
    /// What to make where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<DeclaredKind>,
    /// What is done about a difference.
    #[serde(default)]
    pub on_difference: OnDifference,
}

/// What a declared path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeclaredKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// What is done when something inside is not as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDifference {
    /// It is told, and nothing else.
    #[default]
    Warn,
    /// It is set right.
    Fix,
    /// The container is not started.
    Refuse,
}

/// One `[[node]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEntry {
    /// Path inside; its directory exists.
    pub path: Utf8PathBuf,
    /// Name of a safe device: null, zero, full, random, urandom or tty.
    pub device: String,
}

/// As on the command line: `PATH=OWNER:GROUP:MODE`. Such a permission is set right whenever it differs.
impl FromStr for PermissionEntry {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || {
            Error::new(ErrorKind::Usage, format!("bad permission {text:?}"))
                .hint("it is PATH=OWNER:GROUP:MODE, for example var/lib/db=mysql:mysql:0750")
        };
        let (path, rest) = text.rsplit_once('=').ok_or_else(bad)?;
        let [owner, group, mode] = rest.split(':').collect::<Vec<_>>()[..] else { return Err(bad()) };
        let entry = Self {
            path: path.into(),
            owner: owner.into(),
            group: group.into(),
            mode: mode.into(),
            kind: path.ends_with('/').then_some(DeclaredKind::Directory),
            on_difference: OnDifference::Fix,
        };
        entry.check().map_err(|error| error.of_kind(ErrorKind::Usage))?;
        Ok(entry)
    }
}

impl PermissionEntry {
    /// Refuses what cannot be meant.
    ///
    /// # Errors
    /// Configuration.
    pub(crate) fn check(&self) -> Result<()> {
        let bad = |why: &str| Error::new(ErrorKind::Config, format!("permission of {:?}: {why}", self.path));
        if Place::within("/", &self.path).path().as_str().is_empty() {
            return Err(bad("it names no file"));
        }
        if self.owner.is_empty() || self.group.is_empty() {
            return Err(bad("it needs an owner and a group"));
        }
        self.mode()
            .map(drop)
            .ok_or_else(|| bad(&format!("{:?} is no mode: octal digits up to 7777", self.mode)))
    }

    fn mode(&self) -> Option<u32> {
        u32::from_str_radix(&self.mode, 8).ok().filter(|mode| *mode <= 0o7777)
    }

    fn make(&self) -> Option<FileKind> {
        self.kind.map(|kind| match kind {
            DeclaredKind::File => FileKind::File,
            DeclaredKind::Directory => FileKind::Directory,
        })
    }
}

impl NodeEntry {
    /// Major and minor number.
    ///
    /// # Errors
    /// Configuration, for a device that is not on the list of safe ones.
    pub(crate) fn numbers(&self) -> Result<(u32, u32)> {
        let found = SAFE_DEVICES.iter().find(|(path, ..)| path.strip_prefix("dev/") == Some(&self.device));
        found.map(|&(_, major, minor)| (major, minor)).ok_or_else(|| {
            let names: Vec<_> =
                SAFE_DEVICES.iter().filter_map(|(path, ..)| path.strip_prefix("dev/")).collect();
            Error::new(ErrorKind::Config, format!("node {}: {:?} is no safe device", self.path, self.device))
                .hint(format!("use one of: {}", names.join(", ")))
        })
    }
}

/// A declaration that does not hold.
struct Difference<'a> {
    entry: &'a PermissionEntry,
    /// One line for people.
    line: String,
    /// Owner and group by number; none where the container has no such user or group.
    ids: Option<(u32, u32)>,
}

impl Engine<'_> {
    /// What is inside and not as declared, one line each; nothing where it cannot be seen now.
    pub(crate) fn declared_problems(&self, loaded: &Loaded<'_>) -> Result<Vec<String>> {
        if !self.is_open(loaded)? {
            return Ok(vec![]);
        }
        Ok(self.differences(loaded)?.into_iter().map(|difference| difference.line).collect())
    }

    /// The steps that make the inside as declared. Differences that are only to be told are told.
    ///
    /// # Errors
    /// Configuration, with every difference, where one of them forbids to go on.
    pub(crate) fn declared_steps(&self, loaded: &Loaded<'_>) -> Result<Plan> {
        let root = loaded.container.root();
        let mut plan = Plan::new();
        for node in &loaded.file.node {
            let (major, minor) = node.numbers()?;
            plan.push(Step::Device { at: Place::within(&root, &node.path), major, minor });
        }
        let mut refused = vec![];
        for difference in self.differences_when_open(loaded)? {
            let Difference { entry, line, ids } = difference;
            match (entry.on_difference, ids, entry.mode()) {
                (OnDifference::Warn, ..) => self.watch.warn(&format!("{}: {line}", loaded.name)),
                (OnDifference::Fix, Some((uid, gid)), Some(mode)) => {
                    plan.push(Step::Own {
                        at: Place::within(&root, &entry.path),
                        make: entry.make(),
                        uid,
                        gid,
                        mode,
                    });
                }
                _ => refused.push(line),
            }
        }
        if refused.is_empty() {
            return Ok(plan);
        }
        let error = Error::new(ErrorKind::Config, format!("{} is not as its file declares", loaded.name))
            .with("container", &loaded.name)
            .hint("set it right inside, or change on_difference in its file");
        Err(refused.into_iter().fold(error, Error::cause))
    }

    /// The same for a container that may have to be attached for it.
    fn differences_when_open<'l>(&self, loaded: &'l Loaded<'_>) -> Result<Vec<Difference<'l>>> {
        if loaded.file.permission.is_empty() {
            return Ok(vec![]);
        }
        if self.dry_run && !self.is_open(loaded)? {
            self.watch
                .warn(&format!("{}: what its file declares is compared when it is attached", loaded.name));
            return Ok(vec![]);
        }
        self.while_attached(loaded, || self.differences(loaded))
    }

    fn differences<'l>(&self, loaded: &'l Loaded<'_>) -> Result<Vec<Difference<'l>>> {
        if loaded.file.permission.is_empty() {
            return Ok(vec![]);
        }
        let (passwd, group) =
            (self.text_inside(loaded, "etc/passwd")?, self.text_inside(loaded, "etc/group")?);
        let mut all = vec![];
        for entry in &loaded.file.permission {
            entry.check()?;
            let (uid, gid) = (users::id_of(&passwd, &entry.owner), users::id_of(&group, &entry.group));
            let ids = uid.zip(gid);
            let stat = self.stat_inside(loaded, entry)?;
            if let Some(line) = difference(entry, ids, stat.as_ref(), &passwd, &group) {
                all.push(Difference { entry, line, ids });
            }
        }
        Ok(all)
    }

    /// What a container has at a declared path, whether it is attached or not: the uppermost layer that has it tells.
    fn stat_inside(&self, loaded: &Loaded<'_>, entry: &PermissionEntry) -> Result<Option<Stat>> {
        for layer in loaded.storage.layers(&loaded.installed.base, &loaded.container)? {
            match self.view().stat(&Place::within(layer, &entry.path))? {
                // How overlayfs says that a lower layer's file is gone; see overlayfs.rst of Linux.
                Some(stat) if stat.kind == FileKind::CharDevice && stat.device == Some((0, 0)) => {
                    return Ok(None);
                }
                Some(stat) => return Ok(Some(stat)),
                None => {}
            }
        }
        Ok(None)
    }

    fn text_inside(&self, loaded: &Loaded<'_>, path: &str) -> Result<String> {
        for layer in loaded.storage.layers(&loaded.installed.base, &loaded.container)? {
            match self.view().read(&Place::within(layer, path)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                text => return text,
            }
        }
        Ok(String::new())
    }
}

/// `var/lib/db is root:root 0755, wanted mysql:mysql 0750`; none where all is as declared.
fn difference(
    entry: &PermissionEntry,
    ids: Option<(u32, u32)>,
    stat: Option<&Stat>,
    passwd: &str,
    group: &str,
) -> Option<String> {
    let PermissionEntry { path, owner, group: wanted_group, .. } = entry;
    let mode = entry.mode().unwrap_or_default();
    let wanted = format!("wanted {owner}:{wanted_group} {mode:04o}");
    let Some((uid, gid)) = ids else {
        return Some(format!("{path}: no such user or group inside, {wanted}"));
    };
    let Some(stat) = stat else { return Some(format!("{path} is missing, {wanted}")) };
    let fits = match entry.kind {
        Some(DeclaredKind::File) => stat.kind == FileKind::File,
        Some(DeclaredKind::Directory) => stat.kind == FileKind::Directory,
        None => matches!(stat.kind, FileKind::File | FileKind::Directory),
    };
    if !fits {
        return Some(format!("{path} is neither of the declared kind nor touched, {wanted}"));
    }
    if (stat.uid, stat.gid, stat.mode) == (uid, gid, mode) {
        return None;
    }
    let (is_owner, is_group) = (users::name_of(passwd, stat.uid), users::group_name_of(group, stat.gid));
    Some(format!("{path} is {is_owner}:{is_group} {:04o}, {wanted}", stat.mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/:/bin/sh\nmysql:x:27:28::/:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nmysql:x:28:\n";

    fn stat(kind: FileKind, uid: u32, mode: u32) -> Stat {
        Stat { kind, mode, uid, gid: uid, size: 0, mtime: (0, 0), device: None, id: (0, 0), links: 1 }
    }

    #[test]
    fn a_difference_is_one_precise_line() {
        let entry: PermissionEntry = "var/lib/db=mysql:mysql:0750".parse().unwrap();
        let line = |stat: Option<Stat>| difference(&entry, Some((27, 28)), stat.as_ref(), PASSWD, GROUP);
        let root = stat(FileKind::Directory, 0, 0o755);
        assert_eq!(line(Some(root)).unwrap(), "var/lib/db is root:root 0755, wanted mysql:mysql 0750");
        assert_eq!(line(None).unwrap(), "var/lib/db is missing, wanted mysql:mysql 0750");
        let right = Stat { uid: 27, gid: 28, mode: 0o750, ..root };
        assert_eq!(line(Some(right)), None);
        assert!(
            line(Some(Stat { kind: FileKind::Link, ..right })).is_some(),
            "a link is not what is declared"
        );
    }

    #[test]
    fn permissions_on_the_command_line() {
        let entry: PermissionEntry = "/srv/data/=80:www:1770".parse().unwrap();
        assert_eq!((entry.kind, entry.mode()), (Some(DeclaredKind::Directory), Some(0o1770)));
        for bad in
            ["", "var/db", "var/db=root", "var/db=root:root:9", "=a:b:0755", "/=a:b:0755", "x=a:b:77777"]
        {
            assert_eq!(bad.parse::<PermissionEntry>().unwrap_err().kind(), ErrorKind::Usage, "{bad}");
        }
    }

    #[test]
    fn only_safe_devices() {
        let node = |device: &str| NodeEntry { path: "var/named/dev/x".into(), device: device.into() };
        assert_eq!(node("null").numbers().unwrap(), (1, 3));
        assert_eq!(node("sda").numbers().unwrap_err().kind(), ErrorKind::Config);
    }
}
