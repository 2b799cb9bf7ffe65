//! What is kept between two runs, and that it is not trusted.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use qchroot_api::ErrorKind;
use qchroot_testkit::server::{Fault, HttpServer};
use qchroot_unpack::Wanted;

use crate::support::{World, archive, noise, sha256, unchecked, wanted};

const SIZE: usize = 3_000_000;
const HALF: u64 = 1_500_000;

fn server() -> (HttpServer, Vec<u8>, Wanted) {
    let (server, bytes) = (HttpServer::start(), archive("file", SIZE));
    server.put("/a.tar", bytes.clone());
    let wanted = wanted(&bytes, &[server.url("/a.tar")]);
    (server, bytes, wanted)
}

/// A run that got half of it.
fn broken_off(server: &HttpServer, wanted: &Wanted) -> World {
    let world = World::new();
    server.fault_once("/a.tar", Fault::CloseAfter(HALF));
    server.fault_once("/a.tar", Fault::Status(404));
    world.fails(wanted, &["404"]);
    let digest = wanted.sha256.clone().unwrap();
    assert_eq!(world.cached("partial"), std::slice::from_ref(&digest));
    assert_eq!(fs::metadata(world.in_cache(&format!("partial/{digest}"))).unwrap().len(), HALF);
    world
}

#[test]
fn the_next_run_goes_on_where_the_last_one_broke_off() {
    let (server, _, wanted) = server();
    let world = broken_off(&server, &wanted);
    world.gets(&wanted, "file", SIZE);
    assert_eq!(server.offsets("/a.tar"), [0, HALF, HALF]);
}

#[test]
fn what_is_there_in_full_is_not_asked_for() {
    let (server, bytes, wanted) = server();
    let world = broken_off(&server, &wanted);
    let partial = world.in_cache(&format!("partial/{}", wanted.sha256.clone().unwrap()));
    fs::write(&partial, &bytes).unwrap();
    world.gets(&wanted, "file", SIZE);
    assert_eq!(server.requests().len(), 2);
    // Without the size, the server says that there is no more.
    let world = broken_off(&server, &wanted);
    let partial = world.in_cache(&format!("partial/{}", wanted.sha256.clone().unwrap()));
    fs::write(&partial, &bytes).unwrap();
    world.gets(&Wanted { size: None, ..wanted }, "file", SIZE);
}

#[test]
fn a_damaged_half_is_found_out_and_thrown_away() {
    let (server, bytes, wanted) = server();
    let world = broken_off(&server, &wanted);
    let partial = world.in_cache(&format!("partial/{}", wanted.sha256.clone().unwrap()));
    let mut half = bytes[..usize::try_from(HALF).unwrap()].to_vec();
    half[1_000_000] ^= 1;
    fs::write(&partial, half).unwrap();
    let error = world.fails(&wanted, &["has the SHA-256"]);
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert_eq!((world.cached("sha256").len(), world.cached("partial").len()), (0, 0));
    world.gets(&wanted, "file", SIZE);
}

#[test]
fn a_damaged_file_is_fetched_again_and_never_unpacked() {
    let (server, _, wanted) = server();
    let world = World::new();
    world.gets(&wanted, "file", SIZE);
    let entry = world.in_cache(&format!("sha256/{}", wanted.sha256.clone().unwrap()));
    fs::write(&entry, archive("evil", SIZE)).unwrap();
    world.gets(&wanted, "file", SIZE);
    assert_eq!((world.entries(), server.requests().len()), (1, 2));
    world.gets(&wanted, "file", SIZE);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn without_a_digest_nothing_is_taken_from_the_cache() {
    let (server, bytes, _) = server();
    let world = World::new();
    for n in 1..=2 {
        world.gets(&unchecked(&[server.url("/a.tar")]), "file", SIZE);
        assert_eq!(server.requests().len(), n);
    }
    assert_eq!(world.cached("sha256"), [sha256(&bytes)]);
}

#[test]
fn only_its_owner_sees_the_cache() {
    let (_server, _, wanted) = server();
    let world = World::new();
    world.gets(&wanted, "file", SIZE);
    for path in ["", "sha256", "partial"] {
        assert_eq!(fs::metadata(world.in_cache(path)).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let entry = world.in_cache(&format!("sha256/{}", wanted.sha256.unwrap()));
    assert_eq!(fs::metadata(entry).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn two_who_want_the_same_at_once_fetch_it_once() {
    let (server, _, wanted) = server();
    server.fault_once("/a.tar", Fault::StallAfter(HALF));
    let (mut first, mut second) = (World::new(), World::new());
    let patient = qchroot_unpack::Patience::default();
    first.fetcher = qchroot_unpack::Fetcher::new(patient, qchroot_unpack::Proxies::default());
    let shared = qchroot_api::camino::Utf8PathBuf::from_path_buf(first.in_cache("")).unwrap();
    second = second.with_cache(shared);
    std::thread::scope(|scope| {
        let one = scope.spawn(|| first.unpack(std::slice::from_ref(&wanted)));
        server.wait(|requests| !requests.is_empty());
        let other = scope.spawn(|| second.unpack(std::slice::from_ref(&wanted)));
        server.release();
        assert_eq!(one.join().unwrap().unwrap(), other.join().unwrap().unwrap());
    });
    assert_eq!(server.requests().len(), 1);
    assert!(second.unpacked("file") == noise("file", SIZE));
}

#[test]
fn a_file_is_fetched_whole_into_the_cache() {
    let (server, bytes, wanted) = server();
    let world = World::new();
    server.fault_once("/a.tar", Fault::CloseAfter(HALF));
    let path = world.work(|work| world.fetcher.fetch(&wanted, work)).unwrap();
    assert!(fs::read(&path).unwrap() == bytes);
    assert_eq!(path.file_name(), wanted.sha256.as_deref());
    let again = unchecked(&[server.url("/a.tar")]);
    assert_eq!(world.work(|work| world.fetcher.fetch(&again, work)).unwrap(), path);
    let local = Wanted { mirrors: vec![path.as_str().parse().unwrap()], ..wanted.clone() };
    assert_eq!(world.work(|work| world.fetcher.fetch(&local, work)).unwrap(), path);
    let short = Wanted { size: Some(1), ..local };
    let error = world.work(|work| world.fetcher.fetch(&short, work)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData);
}

#[test]
fn a_full_cache_stops_nobody() {
    let (server, _, wanted) = server();
    let small = Mounted::new();
    let world = World::new().with_cache(small.0.path().join("cache").to_str().unwrap());
    world.gets(&wanted, "file", SIZE);
    assert_eq!(world.cached("sha256").len(), 0);
    let nowhere = World::new().with_cache("/proc/no/such/directory");
    nowhere.gets(&wanted, "file", SIZE);
    assert_eq!(server.requests().len(), 2);
    let error = world.work(|work| world.fetcher.fetch(&wanted, work)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
}

/// A file system of one megabyte.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        run(&["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir.path().to_str().unwrap()]);
        Self(dir)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        run(&["umount", self.0.path().to_str().unwrap()]);
    }
}

fn run(argv: &[&str]) {
    #[expect(clippy::disallowed_methods, reason = "a full disk is made by the system's own programs")]
    let status = std::process::Command::new(argv[0]).args(&argv[1..]).status().unwrap();
    assert!(status.success(), "{argv:?}: this test needs root");
}
