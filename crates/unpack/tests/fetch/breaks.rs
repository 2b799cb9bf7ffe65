//! Downloads that stall, lie about their length, change, or drop: resumed or refused.

use std::sync::atomic::Ordering;
use std::time::Duration;

use qchroot_api::ErrorKind;
use qchroot_testkit::server::{Fault, HttpServer};
use qchroot_unpack::{Fetcher, Patience, Proxies};

use crate::support::{World, archive, by_digest, patience, unchecked, wanted};

const SIZE: usize = 3_000_000;
const MOST: u64 = 2_970_000;

fn server() -> (HttpServer, Vec<u8>) {
    let (server, bytes) = (HttpServer::start(), archive("file", SIZE));
    server.put("/a.tar", bytes.clone());
    (server, bytes)
}

#[test]
fn what_drops_at_99_percent_is_taken_up_there() {
    let (server, bytes) = server();
    server.fault_once("/a.tar", Fault::CloseAfter(MOST));
    World::new().gets(&wanted(&bytes, &[server.url("/a.tar")]), "file", SIZE);
    assert_eq!(server.offsets("/a.tar"), [0, MOST]);
    server.fault_once("/a.tar", Fault::CloseAfter(MOST));
    World::new().gets(&unchecked(&[server.url("/a.tar")]), "file", SIZE);
    assert_eq!(server.offsets("/a.tar"), [0, MOST, 0, MOST]);
    assert!(server.requests()[3].fields.contains_key("if-range"));
}

#[test]
fn what_drops_again_and_again_is_given_up() {
    let (server, bytes) = server();
    server.fault("/a.tar", Fault::CloseAfter(10_000));
    let error =
        World::new().fails(&wanted(&bytes, &[server.url("/a.tar")]), &["/a.tar: the connection broke"]);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(server.offsets("/a.tar"), [0, 10_000, 20_000]);
}

#[test]
fn a_long_way_in_many_parts_is_gone() {
    let (server, bytes) = (HttpServer::start(), archive("file", 12 << 20));
    server.put("/a.tar", bytes.clone());
    server.fault("/a.tar", Fault::CloseAfter(2 << 20));
    World::new().gets(&wanted(&bytes, &[server.url("/a.tar")]), "file", 12 << 20);
    assert_eq!(server.requests().len(), 7, "each attempt brought enough to go on");
}

#[test]
fn a_server_without_ranges_sends_it_all_again() {
    let (server, bytes) = server();
    server.fault("/a.tar", Fault::IgnoreRange);
    for wanted in [wanted(&bytes, &[server.url("/a.tar")]), unchecked(&[server.url("/a.tar")])] {
        server.fault_once("/a.tar", Fault::CloseAfter(MOST));
        World::new().gets(&wanted, "file", SIZE);
    }
}

#[test]
fn what_stalls_is_asked_again_and_given_up_in_the_end() {
    let (server, bytes) = server();
    server.fault_once("/a.tar", Fault::StallAfter(MOST));
    World::new().gets(&wanted(&bytes, &[server.url("/a.tar")]), "file", SIZE);
    assert_eq!(server.offsets("/a.tar"), [0, MOST]);
    server.fault("/a.tar", Fault::StallAfter(0));
    let error =
        World::new().fails(&wanted(&bytes, &[server.url("/a.tar")]), &["nothing was sent for too long"]);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn a_user_who_gives_up_does_not_wait_for_the_server() {
    let (server, bytes) = server();
    server.fault("/a.tar", Fault::StallAfter(MOST));
    let mut world = World::new();
    world.fetcher =
        Fetcher::new(Patience { stall: Duration::from_secs(3600), ..patience() }, Proxies::default());
    let cancelled = std::sync::Arc::clone(&world.cancelled);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            server.wait(|requests| !requests.is_empty());
            cancelled.store(true, Ordering::Relaxed);
        });
        world.fails(&wanted(&bytes, &[server.url("/a.tar")]), &["interrupted"]);
    });
}

#[test]
fn what_changes_between_two_requests_is_refused() {
    let (server, bytes) = server();
    let other = archive("other", SIZE);
    for hidden in [false, true] {
        server.put("/a.tar", bytes.clone());
        server.fault_once("/a.tar", Fault::CloseAfter(MOST));
        server.fault_once("/a.tar", Fault::Become(other.clone()));
        if hidden {
            server.fault("/a.tar", Fault::HideVersion);
        }
        let words =
            if hidden { "does not say whether it has changed" } else { "changed while it was being fetched" };
        World::new().fails(&unchecked(&[server.url("/a.tar")]), &[words]);
    }
}

#[test]
fn another_mirror_has_the_rest_of_what_changed() {
    let (server, bytes) = server();
    let (second, world) = (HttpServer::start(), World::new());
    second.put("/a.tar", bytes.clone());
    server.fault_once("/a.tar", Fault::CloseAfter(MOST));
    server.fault_once("/a.tar", Fault::Become(archive("other", SIZE)));
    let mirrors = [server.url("/a.tar"), second.url("/a.tar")];
    world.gets(&wanted(&bytes, &mirrors), "file", SIZE);
    assert_eq!((server.requests().len(), second.offsets("/a.tar")), (2, vec![MOST]));
}

#[test]
fn without_a_digest_no_other_mirror_goes_on() {
    let (server, bytes) = server();
    let second = HttpServer::start();
    second.put("/a.tar", bytes);
    server.fault_once("/a.tar", Fault::CloseAfter(MOST));
    server.fault_once("/a.tar", Fault::Status(404));
    World::new().fails(&unchecked(&[server.url("/a.tar"), second.url("/a.tar")]), &["does not say whether"]);
}

#[test]
fn a_length_that_is_too_long_is_found_out() {
    let (server, bytes) = server();
    server.fault("/a.tar", Fault::ClaimLength(bytes.len() as u64 + 1000));
    let error = World::new().fails(&by_digest(&bytes, &[server.url("/a.tar")]), &["cannot fetch a.tar"]);
    assert_eq!(error.kind(), ErrorKind::BadData);
    let world = World::new();
    let words = [&*format!("it has {} bytes there, expected are {}", bytes.len() + 1000, bytes.len())];
    world.fails(&wanted(&bytes, &[server.url("/a.tar")]), &words);
    assert_eq!(world.entries(), 0);
}

#[test]
fn a_length_that_is_too_short_is_found_out() {
    let (server, bytes) = server();
    server.fault("/a.tar", Fault::ClaimLength(bytes.len() as u64 - 1000));
    let world = World::new();
    let error = world.fails(&by_digest(&bytes, &[server.url("/a.tar")]), &["has the SHA-256", "expected"]);
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert_eq!((world.cached("sha256").len(), world.cached("partial").len()), (0, 0));
    world.fails(&wanted(&bytes, &[server.url("/a.tar")]), &["bytes there, expected"]);
    assert_eq!(world.entries(), 0);
}

#[test]
fn what_is_longer_or_shorter_than_wanted_is_refused() {
    let (server, bytes) = server();
    for content in [[&bytes[..], &[0; 512]].concat(), bytes[..bytes.len() - 512].to_vec()] {
        server.put("/a.tar", content);
        server.fault("/a.tar", Fault::HideLength);
        let world = World::new();
        let error = world.fails(&wanted(&bytes, &[server.url("/a.tar")]), &["a.tar"]);
        assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
        assert_eq!((world.cached("sha256").len(), world.cached("partial").len()), (0, 0));
    }
}

#[test]
fn what_differs_is_named_with_both_numbers() {
    let (server, bytes) = server();
    server.put("/other.tar", archive("other", SIZE));
    let world = World::new();
    let right = wanted(&bytes, &[server.url("/a.tar")]);
    let other = wanted(&bytes, &[server.url("/other.tar")]);
    world.fails(&other, &["a.tar has the SHA-256", &right.sha256.clone().unwrap()]);
    world.gets(&right, "file", SIZE);
    let entries = qchroot_unpack::Wanted { entries: Some(7), ..right };
    world.fails(&entries, &["a.tar has 1 entries, expected are 7"]);
}
