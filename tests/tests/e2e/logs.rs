//! `logs`: what services printed, in the order of time, across files, and what they print while one looks on.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::world::{World, until};

fn log(world: &World, file: &str) -> std::path::PathBuf {
    world.root.join("log/web").join(file)
}

/// `web` with services `one` and `two`, and logs that nobody writes to meanwhile.
fn with_logs(files: &[(&str, &str)]) -> World {
    let world = World::with_web("overlay");
    world.run(["config", "web", "--command", "one=sleep 1000", "--command", "two=sleep 1000"]).ok();
    fs::create_dir_all(log(&world, "")).unwrap();
    for (file, text) in files {
        fs::write(log(&world, file), text).unwrap();
    }
    world
}

fn line(second: u32, text: &str) -> String {
    format!("2026-11-22T10:00:{second:02}.000Z {text}\n")
}

#[test]
fn lines_of_all_services_come_in_the_order_of_time() {
    let world = with_logs(&[
        ("one.log.2", &line(1, "first")),
        ("one.log.1", &(line(2, "second") + &line(5, "fifth"))),
        ("one.log", &line(7, "seventh")),
        ("two.log", &(line(3, "third") + &line(6, "sixth"))),
        ("disk.log", "not of a service\n"),
    ]);
    let all = world.run(["logs", "web"]).ok();
    let words: Vec<_> = all.lines().map(|line| line.rsplit_once(' ').unwrap().1).collect();
    assert_eq!(words, ["first", "second", "third", "fifth", "sixth", "seventh"]);
    assert!(all.starts_with("2026-11-22T10:00:01.000Z one: first\n"), "{all}");
    let two = world.run(["logs", "web", "two"]).ok();
    assert_eq!(two, line(3, "third") + &line(6, "sixth"));
    assert_eq!(world.run(["logs", "web", "one", "-n", "2"]).ok(), line(5, "fifth") + &line(7, "seventh"));
    let since = world.run(["logs", "web", "one", "--since", "2026-11-22T10:00:06Z"]).ok();
    assert_eq!(since, line(7, "seventh"));
    let json = world.run(["logs", "web", "two", "-n", "1", "--json"]).json();
    assert_eq!(
        (&json["service"], &json["text"], &json["container"]),
        (&"two".into(), &"sixth".into(), &"web".into())
    );
    assert_eq!(json["time"], "2026-11-22T10:00:06.000Z");
}

#[test]
fn escapes_are_shown_and_what_is_missing_is_named() {
    let world = with_logs(&[("one.log", &line(1, "a\tb\u{1b}[2J"))]);
    assert_eq!(world.run(["logs", "web", "one"]).ok(), line(1, "a\tb\\u{1b}[2J"));
    world.run(["logs", "web", "nosuch"]).fails(66, &["service nosuch of web has no log", "one"]);
    world.run(["logs", "web", "../one"]).fails(64, &["bad service name"]);
    world.run(["logs", "nosuch"]).fails(66, &["nosuch"]);
    world.run(["logs", "web", "--since", "yesterday"]).fails(64, &["yesterday"]);
}

struct Following(Child, BufReader<ChildStdout>);

impl Following {
    fn new(world: &World, args: &[&str]) -> Self {
        let mut child = world.command(args).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self(child, out)
    }

    fn next(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn following_goes_on_across_files_and_ends_when_it_is_told_to() {
    let world = with_logs(&[("one.log", &line(1, "old"))]);
    let mut following = Following::new(&world, &["logs", "web", "one", "-f"]);
    assert_eq!(following.next(), line(1, "old"));
    let append = |file: &str, text: &str| {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(log(&world, file)).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    };
    append("one.log", &line(2, "added"));
    assert_eq!(following.next(), line(2, "added"));
    append("one.log", &line(3, "last before"));
    fs::rename(log(&world, "one.log"), log(&world, "one.log.1")).unwrap();
    append("one.log", &line(4, "first after"));
    assert_eq!(following.next(), line(3, "last before"));
    assert_eq!(following.next(), line(4, "first after"));
    append("one.log", "2026-11-22T10:00:05.000Z ha");
    append("one.log", "lf\n");
    assert_eq!(following.next(), line(5, "half"));
    // Whoever started the tests may have had SIGINT ignored.
    kill(Pid::from_raw(following.0.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let status = following.0.wait().unwrap();
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(status.signal().map(|signal| signal + 128).or(status.code()), Some(143));
}

#[test]
fn what_a_service_prints_is_followed_from_its_start_on() {
    let world = World::with_web("overlay");
    let talker = "talker=sh -c 'for n in 1 2 3; do echo line $n; sleep 0.2; done; sleep 1000'";
    world.run(["config", "web", "--command", talker]).ok();
    let mut following = Following::new(&world, &["logs", "web", "-f"]);
    until("it watches", || log(&world, "").is_dir());
    world.run(["start", "web"]).ok();
    for number in 1..=3 {
        let line = loop {
            let line = following.next();
            assert!(!line.is_empty());
            if line.contains("line ") {
                break line;
            }
        };
        assert!(line.ends_with(&format!("Z talker: line {number}\n")), "{line}");
    }
    world.run(["stop", "web"]).ok();
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let world = with_logs(&[("one.log", &line(1, "old"))]);
    let mut following = Following::new(&world, &["logs", "web", "-f"]);
    assert_eq!(following.next(), line(1, "one: old"));
    let mut child = std::mem::replace(&mut following.0, std::process::Command::new("true").spawn().unwrap());
    drop(following);
    fs::write(log(&world, "two.log"), line(2, "new")).unwrap();
    assert!(child.wait().unwrap().success());
}
