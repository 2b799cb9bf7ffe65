//! A container whose superuser plants links where the host side works: nothing outside changes, no mount lands
//! outside, and what cannot be done safely is refused by name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, RenameFlags};

use crate::tree::Tree;
use crate::world::{World, until};

/// Files of the host's that nobody may touch, laid out as a root directory is.
struct Outside {
    dir: PathBuf,
    before: Tree,
    mounts: usize,
}

impl Outside {
    fn new(world: &World) -> Self {
        let dir = world.dir().join("outside");
        for below in ["dev/pts", "proc", "etc/init.d", "tmp", "sharedfs", "var/run"] {
            fs::create_dir_all(dir.join(below)).unwrap();
        }
        for (file, text) in
            [("dev/null", "canary"), ("etc/passwd", "evil:x:0:0::/:/bin/sh\n"), ("tmp/file", "x")]
        {
            fs::write(dir.join(file), text).unwrap();
        }
        let before = Tree::with_times(&dir);
        Self { dir, before, mounts: host_mounts(world) }
    }

    #[track_caller]
    fn assert_untouched(&self, world: &World, what: &str) {
        self.before.assert_same(&Tree::with_times(&self.dir), what);
        assert_eq!(host_mounts(world), self.mounts, "{what}: mounts outside");
    }
}

/// Mounts in the test's directory that do not belong to a container.
fn host_mounts(world: &World) -> usize {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let at = |line: &str| PathBuf::from(line.split(' ').nth(4).unwrap());
    let ours = |at: &PathBuf| at.starts_with(world.dir()) && !at.starts_with(&world.root);
    table.lines().map(at).filter(ours).count()
}

/// What a container's superuser can write to while it is stopped, seen from the host.
fn private(world: &World, storage: &str) -> PathBuf {
    world.lib(if storage == "overlay" { "web/upper" } else { "web/root" })
}

/// Puts a link in the place of whatever is at `at`.
fn plant(at: &Path, to: &Path) {
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    let _ = fs::remove_file(at);
    let _ = fs::remove_dir_all(at);
    symlink(to, at).unwrap();
}

/// The link's targets: absolute, and climbing out of the root.
fn targets(outside: &Path, path: &str) -> [PathBuf; 2] {
    let target = outside.join(path);
    let climb: PathBuf = std::iter::repeat_n("..", 30).collect();
    [target.clone(), climb.join(target.strip_prefix("/").unwrap())]
}

#[test]
fn links_where_directories_and_devices_belong() {
    fail_closed("chroot", &["dev", "proc", "dev/null", "dev/pts"]);
}

#[test]
fn links_where_a_sandbox_mounts() {
    fail_closed("namespaces", &["dev", "proc", "sys"]);
}

fn fail_closed(isolation: &str, paths: &[&str]) {
    for storage in ["overlay", "nullfs"] {
        for path in paths {
            let world = World::with_sleeper_in(storage, isolation);
            let outside = Outside::new(&world);
            for target in targets(&outside.dir, path) {
                plant(&private(&world, storage).join(path), &target);
                let what = format!("{storage}: {path} leads to {}", target.display());
                let name = format!("root/./{path}");
                world.run(["start", "web"]).fails(73, &[&name, "link"]);
                world.assert_quiet();
                world.run(["exec", "web", "true"]).fails(73, &[&name]);
                outside.assert_untouched(&world, &what);
                assert_eq!(world.state("web"), "stopped", "{what}");
                world.assert_sound();
            }
            let link = private(&world, storage).join(path);
            assert!(link.is_symlink(), "what the container planted is left to it");
            assert_eq!(world.run(["delete", "--wait", "web"]).ok(), "web: deleted\n");
            outside.assert_untouched(&world, "delete");
        }
    }
}

#[test]
fn links_elsewhere_lead_to_what_is_inside() {
    for (storage, isolation) in
        [("overlay", "chroot"), ("nullfs", "chroot"), ("overlay", "namespaces"), ("nullfs", "namespaces")]
    {
        let world = World::with_sleeper_in(storage, isolation);
        let outside = Outside::new(&world);
        for path in ["etc", "tmp", "var"] {
            for target in targets(&outside.dir, path) {
                plant(&private(&world, storage).join(path), &target);
            }
        }
        // The users of the host's file behind the link are not believed.
        world.run(["exec", "web", "-U", "evil", "id"]).fails(66, &["there is no user \"evil\""]);
        if storage == "nullfs" {
            world.run(["config", "web", "httpd"]).fails(66, &["web has no service httpd"]);
        }
        assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
        world.run(["ps", "web"]).ok();
        world.run(["stop", "web"]).ok();
        world.run(["delete", "--wait", "web"]).ok();
        outside.assert_untouched(&world, storage);
    }
}

#[test]
fn other_things_where_directories_and_devices_belong() {
    let world = World::with_sleeper("overlay");
    let upper = world.lib("web/upper");
    for path in ["proc", "dev/null", "dev/pts"] {
        let at = upper.join(path);
        let _ = fs::remove_dir_all(&at);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        match path {
            "dev/null" => fs::create_dir_all(at.join("full")).unwrap(),
            _ => fs::write(&at, "content of its own").unwrap(),
        }
        world.run(["start", "web"]).fails(73, &[&format!("root/./{path}")]);
        world.assert_quiet();
        let _ = fs::remove_file(&at).or_else(|_| fs::remove_dir_all(&at));
    }
    assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
}

#[test]
fn a_shared_directory_that_is_a_link() {
    let world = World::with_sleeper("nullfs");
    let outside = Outside::new(&world);
    for target in targets(&outside.dir, "sharedfs") {
        plant(&world.lib("web/root/sharedfs"), &target);
        world.run(["start", "web"]).fails(73, &["root/./sharedfs"]);
        outside.assert_untouched(&world, "start");
    }
    world.run(["delete", "--wait", "web"]).ok();
    outside.assert_untouched(&world, "delete");
}

/// Does `work` while `directory` and the link `directory.link` beside it change places as fast as they can; how
/// often they did.
fn while_swapped(directory: &Path, work: impl FnOnce()) -> usize {
    let link = directory.with_extension("link");
    let swap = || rustix::fs::renameat_with(CWD, directory, CWD, &link, RenameFlags::EXCHANGE);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let mut swaps = 0;
            while !over.load(Ordering::Relaxed) {
                swaps += usize::from(swap().is_ok());
            }
            swaps
        });
        work();
        over.store(true, Ordering::Relaxed);
        swapper.join().unwrap()
    })
}

#[test]
fn directory_and_link_are_swapped_during_a_hundred_starts() {
    assert!(refused_while_swapped("chroot", 75) > 0, "the race was never met");
    refused_while_swapped("namespaces", 25);
}

/// How many of so many starts are refused while `/dev` inside is a directory and a link by turns.
fn refused_while_swapped(isolation: &str, starts: usize) -> usize {
    let world = World::with_sleeper_in("nullfs", isolation);
    let outside = Outside::new(&world);
    let (mut well, mut refused) = (0, 0);
    symlink(outside.dir.join("dev"), world.lib("web/root/dev.link")).unwrap();
    while_swapped(&world.lib("web/root/dev"), || {
        for _ in 0..starts {
            let ran = world.run(["start", "web"]);
            assert!(matches!(ran.status, 0 | 66 | 71 | 73 | 74 | 75), "{ran}");
            let count = if ran.status == 0 { &mut well } else { &mut refused };
            *count += 1;
            world.run(["stop", "web", "--timeout", "3"]);
        }
    });
    outside.assert_untouched(&world, &format!("{well} starts, {refused} refused"));
    world.run(["doctor", "--repair"]);
    assert_eq!(world.inside(), Vec::<i32>::new());
    world.assert_quiet();
    refused
}

#[test]
fn directory_and_link_are_swapped_during_deletes() {
    let world = World::installed();
    let outside = Outside::new(&world);
    let mut swaps = 0;
    for _ in 0..30 {
        world.run(["create", "web", "--storage", "nullfs"]).ok();
        for number in 0..300 {
            fs::create_dir_all(world.lib(&format!("web/root/victim/{number}/below"))).unwrap();
        }
        symlink(&outside.dir, world.lib("web/root/victim.link")).unwrap();
        swaps += while_swapped(&world.lib(".trash/web.1.tree/root/victim"), || {
            let ran = world.run(["delete", "--wait", "web"]);
            // A directory may get a new entry while it is being removed.
            assert!(matches!(ran.status, 0 | 71 | 75), "{ran}");
        });
        world.run(["doctor", "--repair"]).ok();
        assert!(!world.file("web").exists() && fs::read_dir(world.lib(".trash")).unwrap().count() == 0);
        outside.assert_untouched(&world, "delete");
    }
    assert!(swaps > 0, "the race was never met");
    world.assert_sound();
}

#[test]
fn escapes_in_the_name_of_a_process_are_shown() {
    let world = World::with_web("overlay");
    let evil = "#!/bin/sh\nexec sh -c 'while :; do sleep 1; done' \"x\u{1b}[2Jy\"\n";
    let at = world.lib("web/upper/root");
    fs::create_dir(&at).unwrap();
    fs::write(at.join("evil"), evil).unwrap();
    world.run(["exec", "web", "chmod", "+x", "/root/evil"]).ok();
    world.run(["config", "web", "--command", "evil=/root/evil"]).ok();
    world.run(["start", "web"]).ok();
    until("it runs", || world.run(["ps", "web"]).ok().contains("x\\u{1b}[2Jy"));
    assert!(!world.run(["ps", "web"]).out.contains('\u{1b}'));
}

#[test]
fn users_and_groups_of_absurd_files_are_not_believed() {
    let world = World::with_web("nullfs");
    let etc = world.lib("web/root/etc");
    for text in [
        "root:x:0:0:root:/root",
        "www:x:99999999999:80::/:/bin/sh\n",
        "www:x:-1:80::/:/bin/sh\n",
        "\0\0\0",
        "",
    ] {
        fs::write(etc.join("passwd"), text).unwrap();
        world.run(["exec", "web", "-U", "www", "id"]).fails(66, &["there is no user \"www\""]);
        assert_eq!(world.run(["exec", "web", "--", "sh", "-c", "echo in"]).ok(), "in\n");
    }
    let _ = fs::remove_file(etc.join("passwd"));
    nix::unistd::mkfifo(&etc.join("passwd"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    // It is not waited for.
    world.run(["exec", "web", "-U", "www", "id"]).fails(65, &["etc/passwd is a named pipe, not a file"]);
    assert_eq!(world.run(["exec", "web", "--", "sh", "-c", "echo in"]).ok(), "in\n");
}
