//! Containers with a few programs of the host's and exactly what these need.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::program::Ran;
use crate::world::{RunWith, World};

fn install(world: &World, options: &[&str]) -> Ran {
    let options: Vec<&str> = options.iter().flat_map(|option| ["-o", option]).collect();
    world.command(["install", "--source", "minimal"]).ran(&options)
}

/// A container `web` of the release installed last.
fn create(world: &World, storage: &str) {
    world.run(["create", "web", "--storage", storage]).ok();
}

#[test]
fn programs_run_in_every_mode_and_every_storage() {
    for mode in ["copy", "link", "reflink", "mount"] {
        for storage in ["overlay", "nullfs"] {
            // Hard links need one file system.
            let world = if mode == "link" { World::within("/usr") } else { World::new() };
            install(&world, &["programs=ls,bash,busybox", &format!("mode={mode}")]).ok();
            create(&world, storage);
            assert!(world.run(["exec", "web", "--", "ls", "/"]).ok().contains("usr\n"), "{mode} {storage}");
            assert_eq!(world.run(["exec", "web", "--", "/bin/bash", "-c", "echo $((6*7))"]).ok(), "42\n");
            assert_eq!(world.run(["exec", "web", "busybox", "echo", "hi"]).ok(), "hi\n");
            let written = world.run(["exec", "web", "bash", "-c", "echo x > /tmp/x && echo $(< /tmp/x)"]);
            assert_eq!(written.ok(), "x\n");
            world.assert_quiet();
            world.run(["delete", "web"]).ok();
            world.assert_sound();
        }
    }
}

#[test]
fn a_container_cannot_reach_the_hosts_files_through_its_own() {
    let before = (fs::read("/usr/bin/ls").unwrap(), fs::metadata("/usr/bin/ls").unwrap().mtime());
    for mode in ["copy", "link", "mount"] {
        for storage in ["overlay", "nullfs"] {
            let world = if mode == "link" { World::within("/usr") } else { World::new() };
            let option = format!("mode={mode}");
            install(&world, &["programs=ls,bash", "files=/etc/debian_version", &option]).ok();
            create(&world, storage);
            let spoil = "echo spoilt > /usr/bin/ls; echo spoilt > /etc/debian_version; \
                         echo spoilt > /usr/bin/new; true";
            world.run(["exec", "web", "--", "bash", "-c", spoil]);
            let now = (fs::read("/usr/bin/ls").unwrap(), fs::metadata("/usr/bin/ls").unwrap().mtime());
            assert!(now == before, "{mode} {storage}");
            assert_ne!(fs::read_to_string("/etc/debian_version").unwrap(), "spoilt\n");
            assert!(!Path::new("/usr/bin/new").exists());
        }
    }
}

#[test]
fn directories_of_the_host_are_mounted_while_a_container_runs() {
    let world = World::new();
    install(&world, &["programs=bash,sleep", "files=/usr/share/zoneinfo", "mode=mount"]).ok();
    for storage in ["overlay", "nullfs"] {
        create(&world, storage);
        world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
        world.run(["start", "web"]).ok();
        let root = world.lib("web/root");
        for dir in ["usr/bin", "usr/lib", "usr/share/zoneinfo"] {
            assert!(world.mounts().contains(&root.join(dir)), "{storage}: {dir} in {:?}", world.mounts());
        }
        assert_eq!(world.state("web"), "started");
        let options = world.run([
            "exec",
            "web",
            "--",
            "bash",
            "-c",
            "while read -r line; do echo $line; done < /proc/mounts",
        ]);
        let options = options.ok();
        let line = options.lines().find(|line| line.contains(" /usr/bin ")).unwrap();
        for option in ["ro", "nosuid", "nodev"] {
            assert!(line.contains(option), "{line}");
        }
        world.run(["stop", "web"]).ok();
        world.assert_quiet();
        world.run(["delete", "web"]).ok();
    }
    world.assert_sound();
}

#[test]
fn a_directory_that_is_gone_is_named() {
    let world = World::new();
    let dir = world.dir().join("data");
    fs::create_dir(&dir).unwrap();
    let files = format!("files={}", dir.display());
    install(&world, &["programs=bash", &files, "mode=mount"]).ok();
    create(&world, "overlay");
    assert_eq!(world.sh_with("bash", "echo ok").ok(), "ok\n");
    fs::remove_dir(&dir).unwrap();
    world.sh_with("bash", "echo ok").fails(66, &["data is gone", "install the release anew"]);
    world.assert_quiet();
}

#[test]
fn what_cannot_be_had_is_refused_and_leaves_nothing() {
    let world = World::new();
    let refused = |options: &[&str], status, said: &[&str]| install(&world, options).fails(status, said);
    refused(&["programs=no-such-program"], 66, &["no-such-program"]);
    refused(&["programs=/etc/hostname"], 65, &["is no program"]);
    refused(&["files=/etc/hostname"], 78, &["needs the option programs"]);
    refused(&["programs=ls", "mode=move"], 78, &["minimal"]);
    let tmpfs = World::within("/dev/shm");
    install(&tmpfs, &["programs=ls", "mode=link"])
        .fails(69, &["cannot link /usr/bin/ls", "another file system", "hint: "]);
    let left = |world: &World| fs::read_dir(world.lib("releases")).map_or(0, |dir| dir.flatten().count());
    assert_eq!((left(&world), left(&tmpfs)), (0, 0));
    tmpfs.assert_sound();
}

#[test]
fn a_library_beside_its_program_is_found() {
    let world = World::new();
    let dir = world.dir().join("app");
    fs::create_dir_all(dir.join("lib")).unwrap();
    let build = |text: &str, to: &str, more: &[&str]| {
        let source = dir.join("source.c");
        fs::write(&source, text).unwrap();
        let mut gcc = std::process::Command::new("gcc");
        Ran::of(gcc.arg("-o").arg(dir.join(to)).arg(source).args(more)).ok();
    };
    build("int six(void) { return 6; }", "lib/libsix.so", &["-shared", "-fPIC"]);
    let link = format!("-L{}/lib", dir.display());
    build(
        "int six(void); int main(void) { return six(); }",
        "six",
        &[&link, "-lsix", "-Wl,-rpath,$ORIGIN/lib"],
    );
    let program = dir.join("six").display().to_string();
    install(&world, &[&format!("programs={program}")]).ok();
    create(&world, "overlay");
    assert_eq!(world.run(["exec", "web", "--", &program]).status, 6);
    fs::remove_file(dir.join("lib/libsix.so")).unwrap();
    install(&world, &[&format!("programs={program}")]).fails(66, &["libsix.so", "six needs it", "app/lib"]);
}

#[test]
fn a_capability_of_a_program_comes_along() {
    let world = World::new();
    let program = world.dir().join("ping");
    fs::copy("/bin/true", &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
    // cap_net_raw=ep as VFS_CAP_REVISION_2, capabilities(7)
    let value = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    rustix::fs::setxattr(&program, "security.capability", &value, rustix::fs::XattrFlags::empty()).unwrap();
    for mode in ["copy", "reflink"] {
        install(&world, &[&format!("programs={}", program.display()), &format!("mode={mode}")]).ok();
        let taken = world.lib("current/template").join(program.strip_prefix("/").unwrap());
        assert_eq!(fs::metadata(&taken).unwrap().permissions().mode() & 0o7777, 0o4755);
        let mut found = [0; 64];
        let length = rustix::fs::getxattr(&taken, "security.capability", &mut found).unwrap();
        assert_eq!(found[..length], value, "{mode}");
    }
}
