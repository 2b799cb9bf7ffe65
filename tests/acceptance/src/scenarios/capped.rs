//! A container with a disk of its own is filled to the brim, is grown, and disturbs no other.

use crate::scenario::{Scenario, both};
use crate::system::{FREEBSD, ISOLATIONS};
use crate::world::World;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![both("capped::a_disk_is_filled_to_the_brim_and_grown", brim).limit(300)]
}

const LIMIT: u64 = 64 << 20;

fn brim(world: &World) {
    world.with_sleeper("md", ISOLATIONS[0]);
    world.create("other", "md", ISOLATIONS[0]).ok();
    world.run(["start", "web"]).ok();
    let full = world.sh("dd if=/dev/zero of=/root/fill bs=65536 count=2000");
    assert!(full.err.contains("No space left on device"), "{full}");
    let more = world.sh("dd if=/dev/zero of=/root/more bs=65536 count=16");
    assert_ne!(more.status, 0, "there is room for one more: {more}");
    let report = world.report("web");
    assert_eq!(report["limit_bytes"], LIMIT);
    assert!(report["used_bytes"].as_u64().unwrap() > LIMIT / 10 * 8, "{report}");
    assert_eq!(std::fs::metadata(world.lib("web/disk.img")).unwrap().len(), LIMIT);
    world.sh_in("other", "dd if=/dev/zero of=/root/some bs=65536 count=100").ok();

    world.run(["stop", "web"]).ok();
    world.assert_quiet();
    world.run(["start", "web"]).ok();
    if FREEBSD {
        world.run(["resize", "web", "128M"]).ok();
        assert_eq!(world.report("web")["limit_bytes"], 128 << 20);
        world.sh("dd if=/dev/zero of=/root/grown bs=65536 count=300").ok();
    }
    world.run(["stop", "web"]).ok();
    world.run(["resize", "web", "192M"]).ok();
    assert_eq!(world.report("web")["limit_bytes"], 192 << 20);
    world.sh("dd if=/dev/zero of=/root/again bs=65536 count=600").ok();
    world.run(["check", "web"]).ok();
    world.run(["delete", "--wait", "web", "other"]).ok();
    assert!(!world.lib("web").exists());
    world.assert_quiet();
    world.assert_sound();
}
