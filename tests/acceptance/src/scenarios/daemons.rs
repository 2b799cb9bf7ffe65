//! The same daemon on the host and in two containers, without pid files: what one container does reaches no other.

use std::process::Command;

use crate::scenario::{Scenario, both};
use crate::system::{FREEBSD, ISOLATIONS, SERVICES};
use crate::world::{HostProcess, World, until};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        both("daemons::stopping_one_of_three_in_a_chroot", |world| three(world, ISOLATIONS[0])),
        both("daemons::stopping_one_of_three_in_the_stronger_isolation", |world| three(world, ISOLATIONS[1])),
    ]
}

/// A script as rc.subr(8) wants it. The daemon is found by its name alone.
const RC_SUBR: &str = r#"#!/bin/sh
# PROVIDE: nap
# KEYWORD: shutdown
. /etc/rc.subr
name="nap"
rcvar="nap_enable"
command="/usr/sbin/daemon"
command_args="-f /bin/sleep 5000"
procname="/bin/sleep"
load_rc_config $name
: ${nap_enable:="NO"}
run_rc_command "$1"
"#;

/// A script that ends every process of the name.
const INIT: &str = r#"#!/bin/sh
case $1 in
start) sleep 5000 & ;;
stop) killall sleep ;;
status) pidof sleep ;;
esac
"#;

/// Puts the script of the service `nap` into a container.
fn plant(world: &World, name: &str) {
    let script = if FREEBSD { RC_SUBR } else { INIT };
    let plant = format!(
        "mkdir -p /{SERVICES} && cat > /{SERVICES}/nap <<'END' && chmod 755 /{SERVICES}/nap\n{script}END\n"
    );
    world.sh_in(name, &plant).ok();
    world.run(["config", name, "nap"]).ok();
}

fn three(world: &World, isolation: &str) {
    world.install().ok();
    let mut host = HostProcess::start(Command::new("/bin/sleep").arg("5000"));
    for (name, storage) in [("one", "nullfs"), ("two", "md")] {
        world.create(name, storage, isolation).ok();
        plant(world, name);
        assert_eq!(world.run(["start", name]).ok(), format!("{name}: Start chroot completed.\n"));
    }
    let sleeps = |name: &str| world.run(["ps", name]).ok().contains("sleep 5000");
    until("both run their own", || sleeps("one") && sleeps("two"));
    let listed = world.run(["ps", "--json"]).json();
    let all: Vec<i64> =
        listed.as_array().unwrap().iter().filter_map(|process| process["pid"].as_i64()).collect();
    assert!(!all.contains(&host.pid().into()), "{listed}");

    assert_eq!(world.run(["stop", "one"]).ok(), "one: Chroot is stopped.\n");
    assert!(host.is_alive(), "stopping `one` has ended the host's");
    assert!(sleeps("two"), "stopping `one` has ended that of `two`");
    assert_eq!(world.state("one"), "stopped");
    assert_eq!(world.state("two"), "started");
    world.run(["kill", "two", "-s", "KILL"]).ok();
    until("its own has ended", || !sleeps("two"));
    assert!(host.is_alive(), "killing `two` has ended the host's");
    world.run(["stop", "-A"]).ok();
    assert!(host.is_alive());
    world.assert_quiet();
    world.assert_sound();
}
