//! Several archives one into the other: in order, and fetched ahead.

use std::fs;

use qchroot_api::ErrorKind;
use qchroot_testkit::server::{Fault, HttpServer};
use qchroot_unpack::{Fetcher, Patience, Proxies, Wanted};

use crate::support::{World, archive, noise, wanted};

const SIZE: usize = 500_000;

/// So many archives with a file each, and `both`, which each archive has.
fn server(count: usize) -> (HttpServer, Vec<Wanted>) {
    let server = HttpServer::start();
    let all = (0..count).map(|n| {
        let (path, bytes) =
            (format!("/{n}.tar"), [entry("both", n + 1), archive(&n.to_string(), SIZE)].concat());
        let wanted = wanted(&bytes, &[server.url(&path)]);
        server.put(&path, bytes);
        Wanted { name: format!("{n}.tar"), entries: Some(2), ..wanted }
    });
    let all = all.collect();
    (server, all)
}

/// A file without the end mark behind it.
fn entry(name: &str, size: usize) -> Vec<u8> {
    let mut bytes = archive(name, size);
    bytes.truncate(1024);
    bytes
}

fn patient() -> World {
    let mut world = World::new();
    world.fetcher = Fetcher::new(Patience::default(), Proxies::default());
    world
}

#[test]
fn later_archives_are_unpacked_over_earlier_ones() {
    let (_server, all) = server(7);
    let world = World::new();
    let summaries = world.unpack(&all).unwrap();
    let digests: Vec<_> = summaries.into_iter().map(|summary| Some(summary.sha256)).collect();
    assert_eq!(digests, all.iter().map(|one| one.sha256.clone()).collect::<Vec<_>>());
    assert_eq!(world.unpacked("both").len(), 7);
    for n in 0..7 {
        assert!(world.unpacked(&n.to_string()) == noise(&n.to_string(), SIZE));
    }
}

#[test]
fn the_next_ones_are_fetched_while_one_is_unpacked() {
    let (server, all) = server(4);
    server.fault("/0.tar", Fault::StallAfter(100_000));
    let world = patient();
    std::thread::scope(|scope| {
        let unpacking = scope.spawn(|| world.unpack(&all));
        server.wait(|requests| requests.len() == 4);
        server.release();
        unpacking.join().unwrap().unwrap();
    });
    assert_eq!(world.unpacked("both").len(), 4);
}

#[test]
fn at_most_three_are_fetched_at_once() {
    let (server, all) = server(5);
    (0..5).for_each(|n| server.fault(&format!("/{n}.tar"), Fault::StallAfter(100_000)));
    let world = patient();
    std::thread::scope(|scope| {
        let unpacking = scope.spawn(|| world.unpack(&all));
        server.wait(|requests| requests.len() >= 3);
        let asked: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
        assert!(
            ["/0.tar", "/1.tar", "/2.tar"].iter().all(|path| asked.iter().any(|one| one == path)),
            "{asked:?}"
        );
        assert_eq!(asked.len(), 3);
        server.release();
        unpacking.join().unwrap().unwrap();
    });
}

#[test]
fn what_a_later_one_lacks_is_told_with_its_name() {
    let (server, all) = server(3);
    server.fault("/2.tar", Fault::Status(404));
    let error = World::new().unpack(&all).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("2.tar") && error.to_string().contains("404"), "{error}");
}

#[test]
fn files_of_this_machine_are_read_where_they_are() {
    let (server, mut all) = server(3);
    let world = World::new();
    let path = world.dir.path().join("1.tar");
    fs::write(&path, server_bytes(1)).unwrap();
    let local = path.to_str().unwrap().to_owned();
    all[1].mirrors = vec![local.parse().unwrap()];
    all[2].mirrors.insert(0, "/no/such/file".parse().unwrap());
    world.unpack(&all).unwrap();
    assert_eq!((world.cached("sha256").len(), server.requests().len()), (2, 2));
    all[1].size = Some(5);
    let error = world.unpack(&all).unwrap_err();
    assert!(
        error.to_string().contains("1.tar has ") && error.to_string().contains("expected are 5"),
        "{error}"
    );
    all[1].mirrors = vec!["/no/such/file".parse().unwrap()];
    let error = world.unpack(&all).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

fn server_bytes(n: usize) -> Vec<u8> {
    [entry("both", n + 1), archive(&n.to_string(), SIZE)].concat()
}
