//! Installs from servers that stall, and what is left of one that was ended in the middle.

use std::fs;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qchroot_testkit::server::{Fault, HttpServer};
use sha2::{Digest, Sha256};

use crate::program::Ran;
use crate::userland;
use crate::world::{World, until};

/// A system, and a server that has the userland's archive.
struct Served {
    world: World,
    server: HttpServer,
    sha256: String,
    half: u64,
}

impl Served {
    fn new() -> Self {
        let world = World::new();
        userland::write(&world.archive());
        let bytes = fs::read(world.archive()).unwrap();
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let (server, half) = (HttpServer::start(), bytes.len() as u64 / 2);
        server.put("/tiny.tar", bytes);
        Self { world, server, sha256, half }
    }

    fn install(&self) -> Command {
        let mut command = self.world.command(["install", "--source", "tarball"]);
        for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(variable);
        }
        command.arg("-o").arg(format!("path={}", self.server.url("/tiny.tar")));
        command.arg("-o").arg(format!("sha256={}", self.sha256));
        command
    }

    /// What is there of the archive in the cache.
    fn partial(&self) -> u64 {
        let path = self.world.lib(".cache/partial").join(&self.sha256);
        fs::metadata(path).map_or(0, |metadata| metadata.len())
    }

    /// Begins an install that stalls in the middle, and ends it by `signal`.
    fn interrupted(&self, signal: Signal) -> Ran {
        self.server.fault_once("/tiny.tar", Fault::StallAfter(self.half));
        let mut command = self.install();
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until("half of the archive is in the cache", || self.partial() > self.half - 100_000);
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        Ran::new(signal, &child.wait_with_output().unwrap())
    }

    /// The next install goes on, and its container runs a program.
    fn goes_on(&self) {
        let partial = self.partial();
        Ran::of(&mut self.install()).ok();
        assert_eq!(self.server.offsets("/tiny.tar"), [0, partial]);
        self.world.run(["create", "web"]).ok();
        assert_eq!(self.world.sh("echo hello").ok(), "hello\n");
    }
}

#[test]
fn what_was_ended_in_the_middle_goes_on_where_it_was() {
    for (signal, status) in [(Signal::SIGKILL, 137), (Signal::SIGTERM, 143)] {
        let served = Served::new();
        assert_eq!(served.interrupted(signal).status, status);
        served.world.run(["doctor", "--repair"]).ok();
        served.goes_on();
    }
}

#[test]
fn proxies_come_from_the_environment() {
    let served = Served::new();
    let mut command = served.install();
    command.env("http_proxy", served.server.url("")).arg("-o").arg("path=http://nowhere.invalid/tiny.tar");
    let ran = Ran::of(&mut command);
    assert_eq!(served.server.requests()[0].target, "http://nowhere.invalid/tiny.tar", "{ran}");
    ran.ok();
}

#[test]
fn each_archive_has_a_line_where_there_is_no_terminal() {
    let ran = Ran::of(&mut Served::new().install());
    assert_eq!(ran.err.lines().filter(|line| line.starts_with("unpacking")).count(), 1, "{ran}");
    ran.ok();
}
