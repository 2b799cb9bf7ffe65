//! The fake machine and the real one say the same of the same steps, word for word where something is in the
//! way. Needs root.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

mod disks;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Access, ErrorKind, FileKind, MountFs, Observe, Place, Query, Step};
use qchroot_engine::{Care, Deadline, Host, Probe};
use qchroot_host::Machine;
use qchroot_testkit::FakeHost;

struct Pair {
    real: Machine,
    fake: FakeHost,
    dir: Utf8PathBuf,
    _temporary: tempfile::TempDir,
}

/// What a machine says of a step: before it, of it, and after it.
type Said = (Probe, Result<(), ErrorKind>, Probe);

impl Pair {
    /// Both machines with the same files: a container's root full of traps, and a tree beside it.
    fn new() -> Self {
        let real = Machine::new();
        assert!(real.is_superuser(), "needs root");
        let temporary = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temporary.path()).unwrap().canonicalize_utf8().unwrap();
        let pair = Self { real, fake: FakeHost::new(platform()), dir, _temporary: temporary };
        for path in ["root/dev", "root/full/of", "tree/usr", "taken", "left/over"] {
            fs::create_dir_all(pair.dir.join(path)).unwrap();
            pair.fake.plant_dir(pair.dir.join(path), 0o755);
        }
        for (path, text) in
            [("root/motd", "hello"), ("root/dev/zero", ""), ("root/dev/full", "x"), ("tree/f", "f")]
        {
            fs::write(pair.dir.join(path), text).unwrap();
            pair.fake.plant_file(pair.dir.join(path), text, 0o644);
        }
        for (path, to) in [("root/etc", "/etc"), ("root/now", "a"), ("root/dev/tty", "/dev/tty")] {
            symlink(to, pair.dir.join(path)).unwrap();
            pair.fake.plant_link(pair.dir.join(path), to);
        }
        pair
    }

    fn inside(&self, path: &str) -> Place {
        Place::within(self.dir.join("root"), path)
    }

    fn said(host: &dyn Host, step: &Step) -> Said {
        let before = host.probe(step).unwrap();
        let deadline = Deadline(host.steady_clock() + Duration::from_secs(5));
        let applied = host.apply(step, deadline).map_err(|error| error.kind());
        (before, applied, host.probe(step).unwrap())
    }

    #[track_caller]
    fn agree(&self, step: &Step) {
        let (real, fake) = (Self::said(&self.real, step), Self::said(&self.fake, step));
        assert_eq!(fake, real, "the fake machine (left) and the real one (right) of: {step}");
    }

    #[track_caller]
    fn agree_on(&self, query: &Query) {
        let (real, fake) = (self.real.observe(query), self.fake.observe(query));
        let real = real.map_err(|error| error.kind());
        assert_eq!(fake.map_err(|error| error.kind()), real, "{query:?}");
    }
}

fn platform() -> qchroot_api::Platform {
    (&Machine::new() as &dyn Observe).platform().unwrap()
}

fn write(at: Place, was: Option<&str>) -> Step {
    Step::WriteFile { at, text: "new".into(), mode: 0o600, was: was.map(str::to_owned) }
}

#[test]
fn making_directories_and_files() {
    let pair = Pair::new();
    for path in ["new", "full", "motd", "now", "etc/new", "none/new", "motd/new"] {
        pair.agree(&Step::MakeDir { at: pair.inside(path), mode: 0o700 });
    }
    for (path, was) in [
        ("file", None),
        ("motd", Some("other")),
        ("motd", Some("hello")),
        ("full", None),
        ("now", None),
        ("etc/passwd", None),
        ("none/file", None),
    ] {
        pair.agree(&write(pair.inside(path), was));
    }
}

#[test]
fn removing() {
    let pair = Pair::new();
    for path in ["full", "full/of", "full", "motd", "now", "none", "none/none"] {
        pair.agree(&Step::RemoveDir { at: pair.inside(path) });
    }
    for path in ["motd", "motd", "full", "now", "etc/passwd", "none/none"] {
        pair.agree(&Step::RemoveFile { at: pair.inside(path), mode: 0o644, was: "hello".into() });
    }
    for path in ["tree", "tree", "motd", "motd", "none/none"] {
        pair.agree(&Step::RemoveTree { at: pair.dir.join(path) });
    }
}

#[test]
fn links() {
    let pair = Pair::new();
    let link = |path, to: &str, was: Option<&str>| {
        pair.agree(&Step::Link { at: pair.inside(path), to: to.into(), was: was.map(Into::into) });
    };
    link("new", "a", None);
    link("new", "b", Some("a"));
    link("motd", "a", None);
    link("full", "a", None);
    link("etc/new", "a", None);
    for (path, was) in [("new", "a"), ("new", "b"), ("new", "b"), ("motd", "a"), ("full", "a")] {
        pair.agree(&Step::Unlink { at: pair.inside(path), was: was.into() });
    }
}

#[test]
fn trees() {
    let pair = Pair::new();
    let path = |name: &str| pair.dir.join(name);
    pair.agree(&Step::CopyTree { from: path("tree"), to: path("taken") });
    pair.agree(&Step::CopyTree { from: path("tree"), to: path("copy") });
    pair.agree(&Step::CopyTree { from: path("none"), to: path("copy2") });
    for (from, to) in [("copy", "taken"), ("copy", "moved"), ("copy", "moved"), ("none", "none2")] {
        pair.agree(&Step::Rename { from: path(from), to: path(to) });
    }
}

#[test]
fn moving() {
    let pair = Pair::new();
    let out = |name: &str| Place::host(pair.dir.join(name));
    for (from, to) in [
        (pair.inside("motd"), out("out")),
        (pair.inside("motd"), out("out")),
        (out("out"), pair.inside("motd")),
        (pair.inside("full"), out("taken")),
        (pair.inside("full"), out("full")),
        (pair.inside("now"), pair.inside("link")),
        (pair.inside("etc/passwd"), out("passwd")),
        (out("tree/f"), pair.inside("etc/f")),
        (out("tree/f"), pair.inside("none/f")),
        (pair.inside("none"), out("none")),
    ] {
        pair.agree(&Step::Move { from, to });
    }
}

#[test]
fn owners_and_modes_of_directories() {
    let pair = Pair::new();
    let (was, to) = (Access { mode: 0o755, uid: 0, gid: 0 }, Access { mode: 0o2750, uid: 7, gid: 8 });
    for path in ["full", "full", "motd", "now", "etc/ssl", "none"] {
        pair.agree(&Step::SetAccess { at: pair.inside(path), to, was });
        pair.agree(&Step::SetAccess { at: pair.inside(path), to: Access { uid: 9, ..to }, was });
    }
}

#[test]
fn walks() {
    let pair = Pair::new();
    let both = |top: &str, care: &dyn Fn(&Path) -> Care| {
        let [real, fake] = [&pair.real as &dyn Host, &pair.fake].map(|host| {
            let seen = host.survey(&pair.dir.join(top), care).map_err(|error| error.kind());
            seen.map(|all| all.into_iter().map(|seen| (seen.path, seen.kind)).collect::<Vec<_>>())
        });
        assert_eq!(fake, real, "{top}");
    };
    both("root", &|_| Care::Digest);
    both("root", &|_| Care::Enter);
    both("root", &|path| if path.starts_with("full") { Care::Note } else { Care::Skip });
    both("none", &|_| Care::Digest);
}

#[test]
fn devices() {
    let pair = Pair::new();
    for (path, major, minor) in [
        ("dev/null", 1, 3),
        ("dev/null", 1, 5),
        ("dev/zero", 1, 5),
        ("dev/full", 1, 7),
        ("dev/tty", 5, 0),
        ("dev/sda", 8, 0),
        ("full", 1, 3),
    ] {
        pair.agree(&Step::Device { at: pair.inside(path), major, minor });
    }
    for (path, major, minor) in [("dev/null", 1, 5), ("dev/null", 1, 3), ("dev/tty", 5, 0), ("none", 1, 3)] {
        pair.agree(&Step::RemoveDevice { at: pair.inside(path), major, minor });
    }
}

#[test]
fn owners_and_modes() {
    let pair = Pair::new();
    let (file, dir) = (Some(FileKind::File), Some(FileKind::Directory));
    for (path, make) in [
        ("motd", None),
        ("motd", file),
        ("motd", dir),
        ("full/of", dir),
        ("full/of", file),
        ("new", file),
        ("new-dir", dir),
        ("none", None),
        ("no/way", file),
        ("now", None),
        ("etc/passwd", file),
    ] {
        pair.agree(&Step::Own { at: pair.inside(path), make, uid: 5, gid: 7, mode: 0o4750 });
    }
}

#[test]
fn mounts_that_are_refused() {
    let pair = Pair::new();
    let mount = |at: Place, source: &str| {
        let fs = MountFs::Null { source: pair.dir.join(source) };
        pair.agree(&Step::Mount(qchroot_api::Mount::new(at.clone(), fs.clone())));
        pair.agree(&Step::Unmount(qchroot_api::Mount::new(at, fs)));
    };
    mount(pair.inside("now"), "tree");
    mount(pair.inside("motd"), "tree");
    mount(pair.inside("none"), "tree");
    mount(pair.inside("etc/ssl"), "tree");
    mount(pair.inside("full/of"), "none");
    mount(pair.inside("full/of"), "root");
}

#[test]
fn files_over_files() {
    let pair = Pair::new();
    let mount = |at: &str, source: &str| {
        let fs = MountFs::File { source: pair.dir.join(source) };
        Step::Mount(qchroot_api::Mount::new(pair.inside(at), fs).read_only())
    };
    for (at, source) in [
        ("full", "tree/f"),
        ("now", "tree/f"),
        ("none", "tree/f"),
        ("etc/passwd", "tree/f"),
        ("motd", "none"),
    ] {
        pair.agree(&mount(at, source));
        pair.agree(&mount(at, source).inverse().unwrap());
    }
    let over = mount("motd", "tree/f");
    pair.agree(&over);
    pair.agree(&over);
    let text = |host: &dyn Observe| host.read(&pair.inside("motd")).unwrap();
    assert_eq!((text(&pair.fake), text(&pair.real)), ("f".into(), "f".into()));
    pair.agree(&mount("motd", "left/over"));
    pair.agree(&over.inverse().unwrap());
    pair.agree(&over.inverse().unwrap());
    assert_eq!((text(&pair.fake), text(&pair.real)), ("hello".into(), "hello".into()));
}

#[test]
fn questions() {
    let pair = Pair::new();
    let view = |path: &str| pair.inside(path);
    for path in ["motd", "now", "etc", "etc/passwd", "none", "motd/below", "../../../full", ""] {
        let at = view(path);
        pair.agree_on(&Query::Link { at: at.clone() });
        pair.agree_on(&Query::Read { at: at.clone() });
        pair.agree_on(&Query::List { at: at.clone() });
        let kind = |host: &dyn Observe| host.stat(&at).map(|s| s.map(|s| s.kind)).map_err(|e| e.kind());
        assert_eq!(kind(&pair.fake), kind(&pair.real), "{at}");
    }
    pair.agree_on(&Query::HasFs { name: "nosuchfs".into() });
    pair.agree_on(&Query::Program { name: "no-such-program".into() });
    pair.agree_on(&Query::Holder { at: pair.dir.join("none") });
}

#[test]
fn own_files() {
    let pair = Pair::new();
    let both = |act: &dyn Fn(&dyn Host) -> String| assert_eq!(act(&pair.fake), act(&pair.real));
    let path = |name: &str| pair.dir.join(name);
    let kind = |error: qchroot_api::Error| error.kind();
    both(&|host| format!("{:?}", host.read_own(&path("tree/f")).map_err(kind)));
    both(&|host| format!("{:?}", host.read_own(&path("none/f")).map_err(kind)));
    both(&|host| format!("{:?}", host.append_own(&path("none/f"), b"x", true).map_err(kind)));
    both(&|host| format!("{:?}", host.append_own(&path("journal"), b"x\n", true).map_err(kind)));
    both(&|host| format!("{:?}", host.append_own(&path("journal"), b"y\n", false).map_err(kind)));
    both(&|host| format!("{:?}", host.read_own(&path("journal")).map_err(kind)));
    both(&|host| format!("{:?}", host.list_own(&pair.dir).map_err(kind)));
    both(&|host| format!("{:?}", host.list_own(&path("none")).map_err(kind)));
    both(&|host| format!("{:?}", host.make_own_dir(&path("a/b/c")).map_err(kind)));
    both(&|host| format!("{:?}", host.make_own_dir(&path("a/b/c")).map_err(kind)));
    both(&|host| format!("{:?}", host.remove_own(&path("journal"), true).map_err(kind)));
    both(&|host| format!("{:?}", host.remove_own(&path("journal"), true).map_err(kind)));
    both(&|host| format!("{:?}", host.disk_usage(&path("none")).map_err(kind)));
}
