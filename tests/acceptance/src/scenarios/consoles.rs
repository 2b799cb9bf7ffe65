//! Sessions at a terminal.

use crate::scenario::{Scenario, both};
use crate::system::ISOLATIONS;
use crate::world::World;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![both("consoles::the_prompt_shows_name_and_path_and_exit_leaves_nothing", prompt)]
}

fn prompt(world: &World) {
    world.install().ok();
    for (storage, isolation) in [("nullfs", ISOLATIONS[0]), ("nullfs", ISOLATIONS[1]), ("md", ISOLATIONS[0])]
    {
        world.create("web", storage, isolation).ok();
        let mut console = world.terminal(["console", "web"]);
        console.expect("web:/root# ");
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
