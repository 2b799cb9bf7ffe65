//! Sessions at a terminal.

use crate::scenario::{Scenario, both};
use crate::system::ISOLATIONS;
use crate::world::{World, until};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        both("consoles::the_prompt_shows_name_and_path_and_exit_leaves_nothing", prompt),
        both("consoles::a_terminal_that_vanishes_and_a_qchroot_that_is_killed_leave_nothing", sudden),
        both("consoles::exec_on_a_terminal_has_its_size_and_its_keys", keys),
    ]
}

fn prompt(world: &World) {
    world.install().ok();
    for (storage, isolation) in [("nullfs", ISOLATIONS[0]), ("nullfs", ISOLATIONS[1]), ("md", ISOLATIONS[0])]
    {
        world.create("web", storage, isolation).ok();
        let mut console = world.terminal(["console", "web"]);
        // Some shells write `~` for the home directory.
        console.expect("web:");
        console.expect("# ");
        console.type_in("cd /etc\r");
        console.expect("web:/etc# ");
        console.type_in("test -t 0 && echo it is a term''inal; stty size\r");
        console.expect("it is a terminal\r\n");
        console.expect("33 99\r\n");
        assert!(!world.inside().is_empty());
        console.type_in("exit 3\r");
        assert_eq!(console.end(), 3);
        world.assert_quiet();
        world.run(["delete", "--wait", "web"]).ok();
    }
    world.assert_sound();
}

fn sudden(world: &World) {
    world.with_web("nullfs", ISOLATIONS[0]);
    for vanishes in [true, false] {
        let mut console = world.terminal(["console", "web"]);
        console.expect("# ");
        console.type_in("sleep 1000 &\r");
        until("it is at work", || world.run(["ps", "web"]).ok().contains("sleep 1000"));
        if vanishes {
            console.vanish().wait().unwrap();
        } else {
            console.child.kill().unwrap();
            console.child.wait().unwrap();
        }
        until("everything is taken down", || world.mounts().is_empty() && world.processes().is_empty());
        assert_eq!(world.state("web"), "stopped");
    }
    world.assert_quiet();
    world.assert_sound();
}

fn keys(world: &World) {
    world.with_sleeper("nullfs", ISOLATIONS[1]);
    world.run(["start", "web"]).ok();
    let mut exec = world.terminal(["exec", "web", "--", "/bin/sh"]);
    exec.type_in("stty size\r");
    exec.expect("33 99\r\n");
    exec.resize(44, 55);
    exec.type_in("while [ \"$(stty size)\" != '44 55' ]; do sleep 1; done; echo re''sized\r");
    exec.expect("resized\r\n");
    exec.type_in("sleep 4444\r");
    until("it sleeps", || world.run(["ps", "web"]).ok().contains("sleep 4444"));
    exec.type_in("\u{3}");
    exec.type_in("echo status $?\r");
    exec.expect("status 130\r\n");
    exec.type_in("exit 9\r");
    assert_eq!(exec.end(), 9);
    assert_eq!(world.state("web"), "started");
    world.run(["stop", "web"]).ok();
    world.assert_quiet();
}
