//! HTTP as it should be, and its refusals.

use qchroot_api::ErrorKind;
use qchroot_testkit::server::{Fault, FtpServer, HttpServer};
use qchroot_unpack::{Fetcher, Proxies};

use crate::support::{World, archive, by_digest, patience, unchecked, wanted};

const SIZE: usize = 3_000_000;

fn server() -> (HttpServer, Vec<u8>) {
    let (server, bytes) = (HttpServer::start(), archive("file", SIZE));
    server.put("/a.tar", bytes.clone());
    (server, bytes)
}

#[test]
fn an_archive_is_unpacked_and_kept() {
    let (server, bytes) = server();
    let world = World::new();
    let wanted = wanted(&bytes, &[server.url("/a.tar")]);
    world.gets(&wanted, "file", SIZE);
    assert_eq!(world.cached("sha256"), [wanted.sha256.clone().unwrap()]);
    world.gets(&wanted, "file", SIZE);
    assert_eq!(server.requests().len(), 1, "the second time it came from the cache");
}

#[test]
fn progress_has_bytes_and_entries_and_their_totals() {
    let (server, bytes) = server();
    let world = World::new();
    let wanted = wanted(&bytes, &[server.url("/a.tar")]);
    let limits = qchroot_unpack::Limits::default();
    let (_, shown) = world.shown(|work| world.fetcher.unpack_all(&[wanted], work, &limits).unwrap());
    let last = shown.last().unwrap();
    assert_eq!((last.what.as_str(), last.entries, last.total_entries), ("unpacking a.tar", 1, Some(1)));
    assert_eq!(last.total_bytes, Some(bytes.len() as u64));
    assert!(last.bytes >= SIZE as u64);
}

#[test]
fn mirrors_are_asked_in_order() {
    let (server, bytes) = server();
    let bad = HttpServer::start();
    server.fault_once("/a.tar", Fault::Status(503));
    let world = World::new();
    world.gets(&wanted(&bytes, &[bad.url("/a.tar"), server.url("/a.tar")]), "file", SIZE);
    assert_eq!((bad.requests().len(), server.requests().len()), (1, 2), "404 is final, 503 is not");
}

#[test]
fn every_mirror_is_named_with_its_reason() {
    let (server, bytes) = server();
    server.fault("/a.tar", Fault::Status(500));
    let gone = HttpServer::start().url("/a.tar");
    let (nothing, forbidden) = (HttpServer::start(), HttpServer::start());
    forbidden.fault("/a.tar", Fault::Status(403));
    let mirrors = [server.url("/a.tar"), gone, nothing.url("/a.tar"), forbidden.url("/a.tar")];
    let error = World::new().fails(&wanted(&bytes, &mirrors), &["cannot fetch a.tar", "500", "404", "403"]);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(mirrors.iter().all(|mirror| error.to_string().contains(mirror)), "{error}");
    let error = World::new().fails(&wanted(&bytes, &[nothing.url("/a.tar")]), &["404 Not Found"]);
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn redirects_are_followed_and_bounded() {
    let (server, bytes) = server();
    server.fault("/old", Fault::Redirect("/older".into()));
    server.fault("/older", Fault::Redirect(server.url("/a.tar")));
    let world = World::new();
    world.gets(&wanted(&bytes, &[server.url("/old")]), "file", SIZE);
    server.fault("/loop", Fault::Redirect("/loop".into()));
    let before = server.requests().len();
    World::new().fails(&wanted(&bytes, &[server.url("/loop")]), &["redirects more than 10 times"]);
    assert_eq!(server.requests().len() - before, 11);
}

#[test]
fn no_redirect_leads_to_a_file_or_another_protocol() {
    let (server, bytes) = server();
    for (target, shown) in [("file:///etc/passwd", "/etc/passwd"), ("ftp://h/x", "ftp://h/x")] {
        server.fault("/away", Fault::Redirect(target.into()));
        let error = World::new().fails(&wanted(&bytes, &[server.url("/away")]), &["refused", shown]);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        server.heal("/away");
    }
}

#[test]
fn a_user_of_the_address_is_told_to_the_server_and_not_to_the_reader() {
    let (server, bytes) = server();
    let secret = server.url("/a.tar").replace("://", "://me:p%40ss@");
    let world = World::new();
    world.gets(&wanted(&bytes, std::slice::from_ref(&secret)), "file", SIZE);
    assert_eq!(server.requests()[0].fields["authorization"], "Basic bWU6cEBzcw==");
    let error = World::new().fails(&wanted(&bytes, &[secret.replace("a.tar", "none")]), &["me:***@"]);
    assert!(!format!("{error:?}").contains("p%40ss"), "{error:?}");
}

#[test]
fn a_proxy_is_asked_for_the_whole_address() {
    let (proxy, bytes) = server();
    let (ftp, proxy_address) = ("ftp://nowhere.invalid/a.tar", proxy.url(""));
    let variables = |name: &str| ["http_proxy", "ftp_proxy"].contains(&name).then(|| proxy_address.clone());
    let mut world = World::new();
    world.fetcher = Fetcher::new(patience(), Proxies::from_variables(variables));
    let addresses = ["http://nowhere.invalid:81/a.tar".to_owned(), ftp.to_owned()];
    for address in &addresses {
        world.gets(&wanted(&bytes, std::slice::from_ref(address)), "file", SIZE);
        std::fs::remove_dir_all(world.in_cache("sha256")).unwrap();
    }
    let asked = proxy.requests();
    assert_eq!(asked.iter().map(|request| request.target.clone()).collect::<Vec<_>>(), addresses);
    assert_eq!(asked[0].fields["host"], "nowhere.invalid:81");
}

#[test]
fn a_host_that_needs_no_proxy_is_asked_itself() {
    let (server, bytes) = server();
    let ftp = FtpServer::start();
    ftp.put("/a.tar", bytes.clone());
    let variables = |name: &str| match name {
        "http_proxy" | "ftp_proxy" => Some("http://127.0.0.1:1".to_owned()),
        "no_proxy" => Some("localhost,127.0.0.1".to_owned()),
        _ => None,
    };
    let mut world = World::new();
    world.fetcher = Fetcher::new(patience(), Proxies::from_variables(variables));
    world.gets(&unchecked(&[server.url("/a.tar")]), "file", SIZE);
    world.gets(&unchecked(&[ftp.url("/a.tar")]), "file", SIZE);
}

#[test]
fn a_small_file_comes_whole_or_not_at_all() {
    let server = HttpServer::start();
    server.put("/MANIFEST", "base.txz\n");
    let host = qchroot_host::Machine::new();
    let fetcher = World::new().fetcher;
    let small = |limit, path: &str| fetcher.small(&[server.url(path).parse().unwrap()], limit, &host);
    assert_eq!(small(9, "/MANIFEST").unwrap(), b"base.txz\n");
    assert_eq!(small(8, "/MANIFEST").unwrap_err().kind(), ErrorKind::BadData);
    assert_eq!(small(9, "/none").unwrap_err().kind(), ErrorKind::NotFound);
    server.fault_once("/MANIFEST", Fault::CloseAfter(3));
    assert_eq!(small(9, "/MANIFEST").unwrap(), b"base.txz\n");
    server.fault("/MANIFEST", Fault::CloseAfter(3));
    assert_eq!(small(9, "/MANIFEST").unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn a_length_is_not_needed() {
    let (server, bytes) = server();
    server.fault("/a.tar", Fault::HideLength);
    World::new().gets(&by_digest(&bytes, &[server.url("/a.tar")]), "file", SIZE);
    World::new().gets(&unchecked(&[server.url("/a.tar")]), "file", SIZE);
}
