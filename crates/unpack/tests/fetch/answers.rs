//! One question and the whole answer, and what is said to whom.

use qchroot_api::{Download, ErrorKind, Reply, Result};
use qchroot_testkit::server::{Fault, FtpServer, HttpServer};
use qchroot_unpack::{Fetcher, Proxies, Wanted};

use crate::support::{World, noise, patience, sha256};

const SECRET: &str = "Bearer s3cret";

fn secret() -> Vec<(String, String)> {
    vec![("Authorization".into(), SECRET.into()), ("X-Mine".into(), "too".into())]
}

fn get(address: &str, headers: &[(String, String)], limit: u64) -> Result<Reply> {
    let fetcher = Fetcher::new(patience(), Proxies::default());
    fetcher.get(address, headers, limit, &qchroot_host::Machine::new())
}

fn refusal(status: u16, field: (&str, &str), body: &str) -> Fault {
    let fields = vec![(field.0.to_owned(), field.1.to_owned())];
    Fault::Answer { status, fields, body: body.into(), unless: Some(("authorization".into(), SECRET.into())) }
}

#[test]
fn whatever_a_server_says_is_the_answer() {
    let server = HttpServer::start();
    server.put("/v2/", "{}");
    server.fault("/v2/", refusal(401, ("WWW-Authenticate", "Bearer realm=\"http://h/t\""), "who are you?"));
    let reply = get(&server.url("/v2/"), &[], 100).unwrap();
    assert_eq!((reply.status, reply.body.as_slice()), (401, &b"who are you?"[..]));
    assert_eq!(reply.header("www-authenticate"), Some("Bearer realm=\"http://h/t\""));
    let reply = get(&server.url("/v2/"), &secret(), 100).unwrap();
    assert_eq!((reply.status, reply.body.as_slice()), (200, &b"{}"[..]));
    assert_eq!(get(&server.url("/none"), &[], 100).unwrap().status, 404);
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_has_the_last_word() {
    let server = HttpServer::start();
    server.put("/x", "here");
    server.fault_once("/x", Fault::Status(503));
    server.fault_once("/x", Fault::CloseAfter(2));
    assert_eq!(get(&server.url("/x"), &[], 100).unwrap().body, b"here");
    server.fault("/busy", Fault::Status(503));
    assert_eq!(get(&server.url("/busy"), &[], 100).unwrap().status, 503);
    assert_eq!(server.offsets("/busy").len(), 3);
    server.fault("/x", Fault::CloseAfter(2));
    assert_eq!(get(&server.url("/x"), &[], 100).unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn an_answer_has_a_limit() {
    let server = HttpServer::start();
    server.put("/x", "12345");
    assert_eq!(get(&server.url("/x"), &[], 5).unwrap().body, b"12345");
    server.fault_once("/x", Fault::HideLength);
    for _ in 0..2 {
        let error = get(&server.url("/x"), &[], 4).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadData);
        assert!(error.to_string().contains("more than 4 bytes"), "{error}");
    }
}

#[test]
fn files_and_ftp_have_no_status_but_yes() {
    let (dir, server) = (tempfile::tempdir().unwrap(), FtpServer::start());
    std::fs::write(dir.path().join("x"), "here").unwrap();
    server.put("/x", "there");
    let file = |name: &str| get(&format!("file://{}/{name}", dir.path().display()), &[], 9);
    let here = Reply { status: 200, headers: vec![], body: b"here".to_vec() };
    assert_eq!(file("x").unwrap(), here);
    assert_eq!(file("y").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(get(&server.url("/x"), &secret(), 9).unwrap(), Reply { body: b"there".to_vec(), ..here });
    assert_eq!(get(&server.url("/x"), &[], 4).unwrap_err().kind(), ErrorKind::BadData);
}

#[test]
fn what_is_said_to_one_server_is_not_said_to_another() {
    let (first, second) = (HttpServer::start(), HttpServer::start());
    first.fault("/a", Fault::Redirect("/b".into()));
    first.fault("/b", Fault::Redirect(second.url("/c")));
    second.put("/c", "here");
    assert_eq!(get(&first.url("/a"), &secret(), 9).unwrap().body, b"here");
    for asked in first.requests() {
        assert_eq!((&*asked.fields["authorization"], &*asked.fields["x-mine"]), (SECRET, "too"));
    }
    let fields = &second.requests()[0].fields;
    assert!(!fields.contains_key("authorization") && !fields.contains_key("x-mine"), "{fields:?}");
}

#[test]
fn a_download_that_broke_off_is_taken_up_with_the_same_fields() {
    let (server, bytes) = (HttpServer::start(), noise("layer", 3_000_000));
    server.put("/blob", bytes.clone());
    server.fault("/blob", refusal(401, ("WWW-Authenticate", "Bearer"), ""));
    server.fault_once("/blob", Fault::CloseAfter(1_000_000));
    let download = Download {
        name: "layer".into(),
        addresses: vec![server.url("/blob")],
        headers: secret(),
        sha256: Some(sha256(&bytes)),
        size: None,
    };
    let (world, wanted) = (World::new(), Wanted::of(&download).unwrap());
    let path = world.work(|work| world.fetcher.fetch(&wanted, work)).unwrap();
    assert!(std::fs::read(path).unwrap() == bytes);
    assert_eq!(server.offsets("/blob"), [0, 1_000_000]);
    assert!(server.requests().iter().all(|request| request.fields["authorization"] == SECRET));
    // Who has no key finds it in the cache all the same: it is the file with this digest.
    let anybody = Wanted::of(&Download { headers: vec![], ..download }).unwrap();
    world.work(|work| world.fetcher.fetch(&anybody, work)).unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_secret_shows_nowhere() {
    let server = HttpServer::start();
    server.fault("/x", Fault::Status(403));
    let download = Download { addresses: vec![server.url("/x")], headers: secret(), ..Download::default() };
    let (world, wanted) = (World::new(), Wanted::of(&download).unwrap());
    let (failed, progress) = world.shown(|work| world.fetcher.fetch(&wanted, work));
    let all = format!("{:?} {progress:?} {wanted:?}", failed.unwrap_err());
    assert!(!all.contains("s3cret"), "{all}");
    let range = vec![("Range".to_owned(), "s3cret".to_owned())];
    let error = Wanted::of(&Download { headers: range, ..download }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[test]
fn a_proxy_passes_the_fields_on() {
    let proxy = HttpServer::start();
    proxy.put("/x", "here");
    let address = proxy.url("");
    let proxies = Proxies::from_variables(|name| (name == "http_proxy").then(|| address.clone()));
    let fetcher = Fetcher::new(patience(), proxies);
    let reply = fetcher.get("http://nowhere.invalid/x", &secret(), 9, &qchroot_host::Machine::new()).unwrap();
    assert_eq!(reply.body, b"here");
    assert_eq!(proxy.requests()[0].fields["authorization"], SECRET);
}
