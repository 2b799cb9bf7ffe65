//! FreeBSD, by its own programs: mount(8), procstat(1), jls(8), mdconfig(8).

#![cfg_attr(not(target_os = "freebsd"), allow(dead_code, reason = "its parsers are tested everywhere"))]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Disk, output};

/// The isolations that containers can have here.
pub(crate) const ISOLATIONS: [&str; 2] = ["chroot", "jail"];

/// Where scripts of services stand in a container.
pub(crate) const SERVICES: &str = "usr/local/etc/rc.d";

/// Mount points at or below a directory, in the order of mounting.
pub(crate) fn mounts_below(dir: &Path) -> Vec<PathBuf> {
    mounts(&output("mount", &["-p"])).filter(|at| at.starts_with(dir)).collect()
}

/// The second column of `mount -p`.
fn mounts(table: &str) -> impl Iterator<Item = PathBuf> {
    table.lines().filter_map(|line| line.split_whitespace().nth(1).map(PathBuf::from))
}

/// Processes that have their root, their program, their directory or an open file at or below a directory, and those
/// in jails there.
pub(crate) fn processes_below(dir: &Path) -> Vec<i32> {
    holders(dir, |_| true)
}

/// Those of them whose root is at or below the directory, or in a jail.
pub(crate) fn processes_inside(dir: &Path) -> Vec<i32> {
    holders(dir, |what| what == "root" || what == "jail")
}

fn holders(dir: &Path, counts: impl Fn(&str) -> bool) -> Vec<i32> {
    let mut found = files_below(&output("procstat", &["-a", "-f"]), dir, counts);
    for jail in jails_below(dir) {
        found
            .extend(output("pgrep", &["-j", &jail]).lines().filter_map(|pid| pid.trim().parse::<i32>().ok()));
    }
    found.into_iter().collect()
}

/// Processes in the listing of `procstat -f` with a file at or below a directory, where the third column counts.
/// A program's name may have blanks in it, so the columns are counted from where the type and the flags show them.
fn files_below(listing: &str, dir: &Path, counts: impl Fn(&str) -> bool) -> BTreeSet<i32> {
    let lines = listing.lines().filter_map(|line| {
        let (columns, path) = line.split_at(line.find(" /")?);
        let mut words = columns.split_whitespace();
        let pid = words.next()?.parse().ok()?;
        let known =
            |word: &&str| ["root", "cwd", "jail", "text"].contains(word) || word.parse::<u32>().is_ok();
        let what = words.skip(1).find(known)?;
        (Path::new(path.trim()).starts_with(dir) && counts(what)).then_some(pid)
    });
    lines.collect()
}

/// Disks on files at or below a directory.
pub(crate) fn disks_below(dir: &Path) -> Vec<Disk> {
    let mut disks = disks(&output("mdconfig", &["-l", "-v"]));
    disks.retain(|disk| disk.file.starts_with(dir));
    disks
}

/// The lines of `mdconfig -l -v` that are about files.
fn disks(listing: &str) -> Vec<Disk> {
    let disk = |line: &str| {
        let mut columns = line.split('\t');
        let (device, kind, _, file) = (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
        (kind.trim() == "vnode").then(|| Disk { device: device.trim().into(), file: file.trim().into() })
    };
    listing.lines().filter_map(disk).collect()
}

/// The numbers of the jails whose root is at or below a directory.
pub(crate) fn jails_below(dir: &Path) -> Vec<String> {
    let listing = output("jls", &["jid", "path"]);
    let rows = listing.lines().filter_map(|line| line.trim().split_once(' '));
    rows.filter(|(_, path)| Path::new(path.trim()).starts_with(dir)).map(|(jid, _)| jid.into()).collect()
}

/// Removes a jail with the processes in it.
pub(crate) fn remove_jail(jid: &str) {
    output("jail", &["-R", jid]);
}

/// Unmounts, in use or not.
pub(crate) fn unmount(at: &Path) {
    output("umount", &["-f", at.to_str().unwrap()]);
}

/// Attaches a file as anybody could; with a label, as the program whose label it is.
pub(crate) fn attach(file: &Path, label: Option<&str>) -> Disk {
    let mut args = vec!["-a", "-t", "vnode", "-f", file.to_str().unwrap()];
    args.extend(label.into_iter().flat_map(|label| ["-L", label]));
    Disk { device: output("mdconfig", &args).trim().into(), file: file.into() }
}

/// Detaches a disk, mounted or not; qchroot mounts some where only it looks.
pub(crate) fn detach(disk: &Disk) {
    let node = format!("/dev/{}", disk.device);
    for line in output("mount", &["-p"]).lines() {
        let mut columns = line.split_whitespace();
        if let (Some(source), Some(at)) = (columns.next(), columns.next())
            && source == node
        {
            unmount(Path::new(at));
        }
    }
    output("mdconfig", &["-d", "-u", &disk.device, "-o", "force"]);
}

/// Lets a tree be removed whatever flags its files have.
pub(crate) fn clear_flags(dir: &Path) {
    output("chflags", &["-R", "0", dir.to_str().unwrap()]);
}

/// Makes a file immutable.
pub(crate) fn make_immutable(file: &Path) {
    assert_eq!(output("chflags", &["schg", file.to_str().unwrap()]), "");
}

/// What helps to understand a failure: programs to run, with their arguments.
pub(crate) const FACTS: &[(&str, &[&str])] = &[
    ("mount", &["-p"]),
    ("jls", &["-n"]),
    ("mdconfig", &["-l", "-v"]),
    ("ps", &["-axo", "pid,jid,ppid,user,stat,wchan,command"]),
    ("df", &["-k"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &str = "\
  PID COMM                FD T V FLAGS    REF  OFFSET PRO NAME        
  168 sleep             text v r r-------   -       - -   /tmp/q/c1/sharedfs/bin/sleep
  168 sleep             root v d r-------   -       - -   /tmp/q/c1         
  170 two words          cwd v d r-------   -       - -   /tmp/q/c10
  171 init              root v d r-------   -       - -   /                 
  171 init                 0 v c rw------   3       0 -   /tmp/q/c1/dev/null
  172 nothing              3 p - rw------   3       0 -   -
";

    #[test]
    fn a_process_is_below_a_directory_by_any_of_its_files() {
        let below = |dir: &str| files_below(FILES, Path::new(dir), |_| true).into_iter().collect::<Vec<_>>();
        assert_eq!(below("/tmp/q/c1"), [168, 171]);
        assert_eq!(below("/tmp/q/c10"), [170]);
        let inside = files_below(FILES, Path::new("/tmp/q/c1"), |what| what == "root");
        assert_eq!(inside.into_iter().collect::<Vec<_>>(), [168]);
    }

    #[test]
    fn mount_points_and_disks_are_read_as_they_are_printed() {
        let table = "/dev/vtbd0\t\t/\t\t\tufs\trw\t\t1 1\n/tmp/q/sharedfs\t\t/tmp/q/c2/sharedfs\tnullfs\tro,nosuid \t0 0\n";
        assert_eq!(mounts(table).collect::<Vec<_>>(), [Path::new("/"), Path::new("/tmp/q/c2/sharedfs")]);
        let listing =
            "md0\tvnode\t   64M\t/tmp/a.img\t\nmd1\tmalloc\t   64M\t-\t\nmd2\tvnode\t 1536B\t/etc/passwd\t\n";
        let found: Vec<String> = disks(listing).into_iter().map(|disk| disk.device).collect();
        assert_eq!(found, ["md0", "md2"]);
    }
}
