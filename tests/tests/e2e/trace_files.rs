//! `exec --trace-files`: what a program misses inside is proposed, and it runs as it does without.

use std::fs;
use std::process::Stdio;

use crate::world::{RunWith, World};

fn world(storage: &str) -> World {
    let world = World::new();
    world.command(["install", "--source", "minimal"]).ran(&["-o", "programs=bash,cat,id,sleep"]).ok();
    world.run(["create", "web", "--storage", storage]).ok();
    world
}

#[test]
fn what_is_missing_inside_is_proposed_and_helps() {
    for storage in ["overlay", "nullfs"] {
        let world = world(storage);
        // A child of a child, a relative path, a path that nobody has.
        let script = "cat /etc/os-release; (cd /etc; bash -c 'cat debian_version; cat /no/such; true')";
        let ran = world.run(["exec", "web", "--trace-files", "--", "bash", "-c", script]);
        assert_eq!(ran.status, 0, "{ran}");
        let line = ran.out.lines().last().unwrap();
        let files: Vec<&str> = line.strip_prefix("-o files=").unwrap().split(',').collect();
        assert!(files.contains(&"/etc/os-release") && files.contains(&"/etc/debian_version"), "{line}");
        assert!(!line.contains("/no/such") && !line.contains("ld.so") && !line.contains("/proc"), "{line}");
        world.assert_quiet();

        let option = line.strip_prefix("-o ").unwrap();
        world
            .command(["install", "--source", "minimal"])
            .ran(&["-o", "programs=bash,cat,id,sleep", "-o", option])
            .ok();
        world.run(["create", "next", "--storage", storage]).ok();
        let said = world.run(["exec", "next", "--", "cat", "/etc/debian_version"]).ok();
        assert_eq!(said, fs::read_to_string("/etc/debian_version").unwrap());
    }
}

#[test]
fn as_json_it_is_a_list() {
    let world = world("overlay");
    let ran = world.run(["exec", "web", "--json", "--trace-files", "--", "cat", "/etc/os-release"]);
    assert_eq!(ran.status, 1);
    let list: Vec<String> = serde_json::from_str(&ran.out).unwrap();
    assert!(list.contains(&"/etc/os-release".to_owned()), "{list:?}");
}

#[test]
fn status_streams_and_users_are_as_without_a_tracer() {
    let world = world("overlay");
    let traced = |argv: &[&str]| world.run(["exec", "web", "--trace-files", "--"].iter().chain(argv));
    assert_eq!(traced(&["bash", "-c", "exit 7"]).status, 7);
    assert_eq!(traced(&["bash", "-c", "kill -9 $$"]).status, 137);
    assert_eq!(traced(&["bash", "-c", "sleep 0 & wait; kill -TERM $$"]).status, 143);
    traced(&["no-such-program"]).fails(127, &["no-such-program"]);
    traced(&["/etc/passwd"]).fails(126, &["/etc/passwd"]);
    // A signal without a name must reach its handler all the same.
    let ran = traced(&["bash", "-c", "trap 'echo caught' RTMIN+3; kill -s RTMIN+3 $$; echo after"]);
    assert!(ran.out.starts_with("caught\nafter\n"), "{ran}");
    let user = world.run(["exec", "web", "--trace-files", "-U", "nobody", "--", "id", "-u"]);
    assert!(user.out.starts_with("65534\n"), "{user}");

    let mut command = world.command(["exec", "web", "--trace-files", "--", "cat"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let text: String = (0..20_000).map(|n| format!("line {n}\n")).collect();
    let (mut input, sent) = (child.stdin.take().unwrap(), text.clone());
    let feeder = std::thread::spawn(move || std::io::Write::write_all(&mut input, sent.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with(&text));
    world.assert_quiet();
}

#[test]
fn what_a_program_leaves_behind_is_let_go() {
    let world = world("overlay");
    world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
    world.run(["start", "web"]).ok();
    let before = world.inside().len();
    let ran = world.run([
        "exec",
        "web",
        "--trace-files",
        "--",
        "bash",
        "-c",
        "sleep 999 </dev/null >/dev/null 2>&1 & exit 3",
    ]);
    assert_eq!(ran.status, 3, "{ran}");
    assert_eq!(world.inside().len(), before + 1, "it goes on untraced");
    for pid in world.inside() {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(status.contains("TracerPid:\t0\n"), "{status}");
    }
    world.run(["stop", "web"]).ok();
    // And where the container is taken down with it.
    assert_eq!(
        world.run(["exec", "web", "--trace-files", "--", "bash", "-c", "sleep 999 & exit 4"]).status,
        4
    );
    world.assert_quiet();
}
