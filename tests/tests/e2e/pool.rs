//! A machine with a stand-in for ZFS: the test runs again in a mount namespace of its own, in which zfs(8) and
//! mount.zfs(8) are found among the system's programs. Limits are told, but nobody is kept to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::mount::{MsFlags, mount};

use crate::program::{self, Ran};
use crate::world::{RunWith, World};

/// Tells the second run from the first.
const INSIDE: &str = "QCHROOT_E2E_WITH_POOL";

/// Bytes of the pool `tank`.
pub const SIZE: u64 = 1 << 30;

/// Runs the test `name` again where it has the machine to itself, by unshare(1); returns whether this is that run.
#[track_caller]
pub fn is_inside(name: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut again = Command::new("unshare");
    again.args(["--mount", "--propagation", "private", "--"]).arg(std::env::current_exe().unwrap());
    again.env(INSIDE, "1").env("QCHROOT_BIN", program::path());
    let said = again.ran(&["--exact", name, "--nocapture", "--test-threads=1"]).ok();
    assert!(said.contains("1 passed"), "there is no test {name}: {said}");
    false
}

/// A world with an installed userland and the data set `tank/qchroot`.
pub fn world() -> World {
    let world = World::installed();
    let (programs, state) = (world.dir().join("programs"), world.dir().join("pools"));
    [&programs, &state].iter().for_each(|dir| fs::create_dir(dir).unwrap());
    fs::copy(stand_in(), programs.join("zfs")).unwrap();
    fs::hard_link(programs.join("zfs"), programs.join("mount.zfs")).unwrap();
    fs::write(programs.join("zfs.state"), state.to_str().unwrap()).unwrap();
    // Where mount(8) looks for its helpers, and qchroot for programs.
    let layers = format!("lowerdir={}:/usr/sbin", programs.display());
    mount(Some("programs"), "/usr/sbin", Some("overlay"), MsFlags::empty(), Some(layers.as_str())).unwrap();
    zfs(&["stand-in-pool", "tank", &SIZE.to_string()]).ok();
    zfs(&["create", "-o", "mountpoint=none", "tank/qchroot"]).ok();
    world
}

/// Runs zfs(8).
pub fn zfs(args: &[&str]) -> Ran {
    Command::new("/usr/sbin/zfs").ran(args)
}

/// Data sets and snapshots below `tank/qchroot` that are no base's.
pub fn datasets() -> Vec<String> {
    let listed = zfs(&["list", "-H", "-o", "name", "-t", "all", "-r", "tank/qchroot"]).ok();
    let below = listed.lines().filter_map(|name| name.strip_prefix("tank/qchroot/"));
    below.filter(|name| !name.starts_with("base:")).map(str::to_owned).collect()
}

fn stand_in() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| program::build(&["--package=qchroot-testkit", "--bin=zfs"], "zfs"))
}
