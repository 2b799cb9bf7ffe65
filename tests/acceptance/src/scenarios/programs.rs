//! Programs inside: who they run as, how they end, and what is left of them.

use std::process::Command;

use crate::scenario::{Scenario, both, freebsd};
use crate::system::ISOLATIONS;
use crate::world::{HostProcess, World, until};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        both("programs::statuses_and_signals_are_passed_on", statuses),
        both("programs::users_have_their_groups_and_logins_their_homes", users),
        both("programs::signals_reach_only_those_inside", signals),
        both("programs::a_service_that_will_not_end_is_ended", stubborn),
        both("programs::what_a_service_prints_is_kept", prints),
        freebsd("programs::a_login_class_holds_and_has_its_variables", classes),
    ]
}

fn statuses(world: &World) {
    world.install().ok();
    for isolation in ISOLATIONS {
        world.create("web", "nullfs", isolation).ok();
        world.sh("exit 3").fails(3, &[]);
        world.sh("kill -KILL $$").fails(137, &[]);
        world.sh("kill -TERM $$").fails(143, &[]);
        world.run(["exec", "web", "--", "nosuch-program"]).fails(127, &["nosuch-program"]);
        world.run(["exec", "web", "--", "/nosuch"]).fails(127, &["/nosuch"]);
        world.run(["exec", "web", "--", "/etc"]).fails(126, &["/etc"]);
        world.run(["exec", "-U", "nosuch-user", "web", "--", "true"]).fails(66, &["nosuch-user"]);
        world.sh("sleep 1000 & sleep 1000 & true").ok();
        world.assert_quiet();
        world.run(["delete", "--wait", "web"]).ok();
    }
    world.assert_sound();
}

fn users(world: &World) {
    world.install().ok();
    for isolation in ISOLATIONS {
        world.create("web", "nullfs", isolation).ok();
        world.sh("printf 'first:*:4241:www\\nsecond:*:4242:root,www\\n' >> /etc/group").ok();
        let ids = |option: &str, user: &str| world.run(["exec", option, user, "web", "--", "id", "-u"]).ok();
        assert_eq!((ids("-U", "www"), ids("-u", "daemon")), ("80\n".into(), "1\n".into()));
        assert_eq!(world.run(["exec", "-U", "www", "web", "--", "id", "-g"]).ok(), "80\n");
        let listed = world.run(["exec", "-U", "www", "web", "--", "id", "-G"]).ok();
        let mut groups: Vec<&str> = listed.split_whitespace().collect();
        groups.sort_unstable();
        assert_eq!(groups, ["4241", "4242", "80"]);
        let at = world.run(["exec", "-l", "web", "--", "/bin/sh", "-c", "echo $0 $HOME $USER; pwd"]).ok();
        assert_eq!(at, "-sh /root root\n/root\n");
        world.run(["exec", "-U", "www", "web", "--", "touch", "/etc/mine"]).fails(1, &[]);
        world.run(["delete", "--wait", "web"]).ok();
    }
    world.assert_quiet();
}

fn signals(world: &World) {
    let mut host = HostProcess::start(Command::new("/bin/sleep").arg("4000"));
    world.install().ok();
    for isolation in ISOLATIONS {
        world.create("web", "nullfs", isolation).ok();
        world.run(["config", "web", "--command", "sleeper=sleep 4000"]).ok();
        world.run(["start", "web"]).ok();
        let pid = host.pid().to_string();
        world.run(["kill", "web", "-s", "KILL", &pid]).fails(66, &[&pid]);
        world.run(["kill", "web", "-s", "NOSUCH"]).fails(64, &["NOSUCH"]);
        assert!(host.is_alive(), "a process of the host's was ended");
        let sleeper = || {
            let listed = world.run(["ps", "web", "--json"]).json();
            let all = listed.as_array().unwrap().clone();
            all.iter().find(|one| one["command"] == "sleep 4000").map(|one| one["pid"].to_string())
        };
        until("the service runs", || sleeper().is_some());
        let first = sleeper().unwrap();
        world.run(["kill", "web", "-s", "KILL", &first]).ok();
        until("it runs again", || sleeper().is_some_and(|pid| pid != first));
        world.run(["stop", "web"]).ok();
        world.assert_quiet();
        world.run(["delete", "--wait", "web"]).ok();
    }
    assert!(host.is_alive());
    world.assert_sound();
}

/// It ignores TERM, and so does what it leaves behind.
const STUBBORN: &str =
    "stubborn=/bin/sh -c \"trap '' TERM; (sleep 4004 & sleep 4005 &) & sleep 4006; sleep 4007\"";

fn stubborn(world: &World) {
    world.install().ok();
    for isolation in ISOLATIONS {
        world.create("web", "nullfs", isolation).ok();
        world.run(["config", "web", "--command", STUBBORN]).ok();
        world.run(["start", "web"]).ok();
        let all = || world.run(["ps", "web"]).ok();
        until("all of it runs", || ["4004", "4005", "4006"].iter().all(|time| all().contains(time)));
        assert_eq!(world.run(["stop", "--timeout", "2", "web"]).ok(), "web: Chroot is stopped.\n");
        assert_eq!(world.inside(), Vec::<i32>::new());
        world.assert_quiet();
        world.run(["delete", "--wait", "web"]).ok();
    }
    world.assert_sound();
}

fn prints(world: &World) {
    world.install().ok();
    for isolation in ISOLATIONS {
        world.create("web", "nullfs", isolation).ok();
        let talk = "talk=/bin/sh -c \"echo one; echo two >&2; exec sleep 1000\"";
        world.run(["config", "web", "--command", talk]).ok();
        world.run(["start", "web"]).ok();
        let logged = || world.run(["logs", "web", "talk"]).ok();
        until("it has printed", || logged().contains(" one\n") && logged().contains(" two\n"));
        world.run(["status", "web"]).says("service talk: running");
        world.run(["stop", "web"]).ok();
        world.run(["delete", "--wait", "web"]).ok();
    }
    world.assert_quiet();
}

const CLASS: &str = r"printf 'tight:\\\n\t:openfiles=77:\\\n\t:umask=027:\\\n\t:setenv=MARK=tight:\n' >> /etc/login.conf &&
rm -f /etc/login.conf.db && sed -i '' 's/^www:\*:80:80::/www:*:80:80:tight:/' /etc/master.passwd &&
grep -q '^www:.*:tight:' /etc/master.passwd";

fn classes(world: &World) {
    world.install().ok();
    for isolation in ISOLATIONS {
        world.create("web", "nullfs", isolation).ok();
        world.sh(CLASS).ok();
        let by_www = |login: &[&str], script: &str| {
            let args = [&["exec"], login, &["-U", "www", "web", "--", "/bin/sh", "-c", script]].concat();
            world.run(args).ok()
        };
        assert_eq!(by_www(&[], "ulimit -n; umask; logname; echo $MARK"), "77\n0027\nwww\n\n");
        assert_eq!(by_www(&["-l"], "ulimit -n; echo $MARK"), "77\ntight\n");
        assert_ne!(world.sh("ulimit -n").ok(), "77\n");
        world.run(["delete", "--wait", "web"]).ok();
    }
    world.assert_quiet();
}
