//! Of the machine's devices, a container sees the harmless ones.

use crate::scenario::{Scenario, both};
use crate::system::ISOLATIONS;
use crate::world::World;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![both("devices::only_the_safe_ones_are_visible_inside", safe)]
}

/// What may be there: streams, terminals, sources of bytes.
const SAFE: &[&str] = &[
    "console", "crypto", "fd", "full", "log", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr",
    "stdin", "stdout", "tty", "urandom", "zero",
];

fn safe(world: &World) {
    world.install().ok();
    for isolation in ISOLATIONS {
        world.create("web", "nullfs", isolation).ok();
        world.run(["config", "web", "--command", "sleeper=sleep 1000"]).ok();
        world.run(["start", "web"]).ok();
        let listed = world.sh("ls /dev").ok();
        let seen: Vec<&str> = listed.split_whitespace().collect();
        assert!(["null", "zero", "random"].iter().all(|name| seen.contains(name)), "{seen:?}");
        let unsafe_ones: Vec<_> = seen.iter().filter(|name| !SAFE.contains(name)).collect();
        assert!(unsafe_ones.is_empty(), "{isolation}: {unsafe_ones:?}");
        world.sh("echo gone > /dev/null && test -c /dev/null && head -c 3 /dev/random > /dev/null").ok();
        let memory = world.sh("head -c 1 /dev/mem");
        assert_ne!(memory.status, 0, "{memory}");
        world.run(["stop", "web"]).ok();
        world.run(["delete", "--wait", "web"]).ok();
    }
    world.assert_quiet();
}
