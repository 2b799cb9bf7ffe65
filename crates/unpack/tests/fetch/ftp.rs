//! FTP as it should be, and as it is.

use qchroot_api::ErrorKind;
use qchroot_testkit::server::{Fault, FtpServer, HttpServer};

use crate::support::{World, archive, by_digest, unchecked, wanted};

const SIZE: usize = 3_000_000;
const MOST: u64 = 2_970_000;

fn server() -> (FtpServer, Vec<u8>) {
    let (server, bytes) = (FtpServer::start(), archive("file", SIZE));
    server.put("/pub/a.tar", bytes.clone());
    (server, bytes)
}

#[test]
fn an_archive_is_unpacked_for_anybody() {
    let (server, bytes) = server();
    World::new().gets(&wanted(&bytes, &[server.url("/pub/a.tar")]), "file", SIZE);
    assert_eq!(server.requests()[0].fields["user"], "anonymous");
    let named = server.url("/pub/a.tar").replace("://", "://me:p%40ss@");
    World::new().gets(&unchecked(&[named]), "file", SIZE);
    assert_eq!(
        (&*server.requests()[1].fields["user"], &*server.requests()[1].fields["pass"]),
        ("me", "p@ss")
    );
}

#[test]
fn what_drops_or_stalls_is_taken_up_there() {
    let (server, bytes) = server();
    for fault in [Fault::CloseAfter(MOST), Fault::StallAfter(MOST)] {
        for wanted in [wanted(&bytes, &[server.url("/pub/a.tar")]), unchecked(&[server.url("/pub/a.tar")])] {
            server.fault_once("/pub/a.tar", fault.clone());
            World::new().gets(&wanted, "file", SIZE);
        }
    }
    assert_eq!(server.offsets("/pub/a.tar"), [0, MOST].repeat(4));
}

#[test]
fn servers_that_know_little_will_do() {
    let (server, bytes) = server();
    server.fault("/pub/a.tar", Fault::NoEpsv);
    World::new().gets(&wanted(&bytes, &[server.url("/pub/a.tar")]), "file", SIZE);
    server.fault("/pub/a.tar", Fault::IgnoreRange);
    server.fault_once("/pub/a.tar", Fault::CloseAfter(MOST));
    World::new().gets(&wanted(&bytes, &[server.url("/pub/a.tar")]), "file", SIZE);
    server.fault("/pub/a.tar", Fault::HideLength);
    server.fault_once("/pub/a.tar", Fault::CloseAfter(MOST));
    World::new().gets(&by_digest(&bytes, &[server.url("/pub/a.tar")]), "file", SIZE);
}

#[test]
fn what_changes_is_refused() {
    let (server, bytes) = server();
    server.fault_once("/pub/a.tar", Fault::CloseAfter(MOST));
    server.fault_once("/pub/a.tar", Fault::Become(archive("other", SIZE)));
    World::new().fails(&unchecked(&[server.url("/pub/a.tar")]), &["changed while it was being fetched"]);
    server.put("/pub/a.tar", bytes);
    server.fault("/pub/a.tar", Fault::HideVersion);
    server.fault_once("/pub/a.tar", Fault::CloseAfter(MOST));
    World::new().fails(&unchecked(&[server.url("/pub/a.tar")]), &["does not say whether it has changed"]);
}

#[test]
fn lengths_that_lie_are_found_out() {
    let (server, bytes) = server();
    for claimed in [bytes.len() as u64 - 1000, bytes.len() as u64 + 1000] {
        server.fault("/pub/a.tar", Fault::ClaimLength(claimed));
        let world = World::new();
        let error =
            world.fails(&wanted(&bytes, &[server.url("/pub/a.tar")]), &[&format!("{claimed} bytes there")]);
        assert_eq!((error.kind(), world.entries()), (ErrorKind::BadData, 0));
        server.heal("/pub/a.tar");
    }
    server.fault("/pub/a.tar", Fault::ClaimLength(bytes.len() as u64 + 1000));
    let error = World::new().fails(&by_digest(&bytes, &[server.url("/pub/a.tar")]), &["ended after"]);
    assert_eq!(error.kind(), ErrorKind::BadData);
}

#[test]
fn what_is_missing_is_sought_elsewhere() {
    let (server, bytes) = server();
    let error = World::new().fails(&wanted(&bytes, &[server.url("/pub/b.tar")]), &["550 no such file"]);
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let http = HttpServer::start();
    http.put("/a.tar", bytes.clone());
    let mirrors = [server.url("/pub/b.tar"), http.url("/a.tar")];
    World::new().gets(&wanted(&bytes, &mirrors), "file", SIZE);
}

#[test]
fn the_rest_comes_from_a_server_of_another_kind() {
    let (server, bytes) = server();
    let http = HttpServer::start();
    http.put("/a.tar", bytes.clone());
    server.fault_once("/pub/a.tar", Fault::CloseAfter(MOST));
    server.fault_once("/pub/a.tar", Fault::Status(550));
    let mirrors = [server.url("/pub/a.tar"), http.url("/a.tar")];
    World::new().gets(&wanted(&bytes, &mirrors), "file", SIZE);
    assert_eq!(http.offsets("/a.tar"), [MOST]);
}

#[test]
fn a_small_file_comes_whole() {
    let (server, _) = server();
    server.put("/pub/MANIFEST", "base.txz\n");
    let host = qchroot_host::Machine::new();
    let mirrors = [server.url("/pub/MANIFEST").parse().unwrap()];
    assert_eq!(World::new().fetcher.small(&mirrors, 100, &host).unwrap(), b"base.txz\n");
}
