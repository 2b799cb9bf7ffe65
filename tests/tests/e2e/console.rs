//! `console`, and `exec` on a terminal.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::terminal::Terminal;
use crate::world::{World, until};

#[track_caller]
fn taken_down(world: &World) {
    until("everything is taken down", || world.mounts().is_empty() && world.processes().is_empty());
    assert_eq!(world.state("web"), "stopped");
    world.assert_sound();
}

#[test]
fn the_prompt_shows_name_and_path_and_exit_ends_it() {
    for storage in ["overlay", "nullfs"] {
        let world = World::with_web(storage);
        let mut console = Terminal::run(&mut world.command(["console", "web"]));
        console.expect("web:/root# ");
        console.type_in("cd /etc\r");
        console.expect("web:/etc# ");
        console.type_in("tty; stty size\r");
        console.expect("/dev/pts/0\r\n33 99\r\n");
        assert!(!world.mounts().is_empty());
        console.type_in("exit 3\r");
        assert_eq!(console.end(), 3);
        world.assert_quiet();
        taken_down(&world);
    }
}

#[test]
fn a_user_of_the_containers_gets_a_console_at_home() {
    let world = World::with_web("overlay");
    let mut console = Terminal::run(&mut world.command(["console", "web", "-U", "www", "-l"]));
    console.expect("web:/home/www$ ");
    console.type_in("id -un; echo to-the-terminal > $(tty)\r");
    console.expect("www\r\nto-the-terminal\r\n");
    console.expect("web:/home/www$ ");
    console.type_in("\u{4}");
    assert_eq!(console.end(), 0);
    taken_down(&world);
}

#[test]
fn a_terminal_that_vanishes_takes_everything_down() {
    let world = World::with_web("overlay");
    let mut console = Terminal::run(&mut world.command(["console", "web"]));
    console.expect("web:/root# ");
    console.type_in("trap '' HUP; setsid sleep 1000 & sleep 1000\r");
    until("it is at work", || world.inside().len() >= 4);
    let mut child = console.vanish();
    child.wait().unwrap();
    taken_down(&world);
}

#[test]
fn a_qchroot_that_is_killed_has_a_guard_that_takes_everything_down() {
    for storage in ["overlay", "nullfs"] {
        let world = World::with_web(storage);
        let mut console = Terminal::run(&mut world.command(["console", "web"]));
        console.expect("web:/root# ");
        console.type_in("setsid sleep 1000 &\r");
        until("it is at work", || world.inside().len() >= 3);
        kill(Pid::from_raw(console.child.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
        console.child.wait().unwrap();
        taken_down(&world);
    }
}

#[test]
fn the_guard_outlives_what_ends_a_whole_session() {
    let world = World::with_web("overlay");
    let mut console = Terminal::run(&mut world.command(["console", "web"]));
    console.expect("web:/root# ");
    let leader = Pid::from_raw(console.child.id().try_into().unwrap());
    nix::sys::signal::killpg(leader, Signal::SIGKILL).unwrap();
    console.child.wait().unwrap();
    taken_down(&world);
}

#[test]
fn the_size_of_the_window_and_keys_are_passed_on() {
    let world = World::with_sleeper("overlay");
    world.run(["start", "web"]).ok();
    let mut exec = Terminal::run(&mut world.command(["exec", "web", "--", "sh"]));
    exec.type_in("stty size\r");
    exec.expect("33 99\r\n");
    exec.resize(44, 55);
    exec.type_in("while [ \"$(stty size)\" != '44 55' ]; do sleep 0.1; done; echo re''sized\r");
    exec.expect("resized\r\n");
    exec.type_in("sleep 4444\r");
    until("it sleeps", || world.run(["ps", "web"]).ok().contains("sleep 4444"));
    exec.type_in("\u{3}");
    exec.type_in("echo status $?\r");
    exec.expect("status 130\r\n");
    exec.type_in("exit 9\r");
    assert_eq!(exec.end(), 9);
    assert_eq!(world.state("web"), "started");
}

#[test]
fn a_console_in_one_container_does_not_keep_another() {
    let world = World::with_sleeper("overlay");
    world.run(["create", "other"]).ok();
    let mut console = Terminal::run(&mut world.command(["console", "other"]));
    console.expect("other:/root# ");
    assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
    world.run(["start", "other"]).fails(75, &["other is busy", "hint: "]);
    world.run(["console", "other"]).fails(75, &["other", "hint: "]);
    console.type_in("exit\r");
    assert_eq!(console.end(), 0);
}
