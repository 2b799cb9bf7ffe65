//! The desk on which authors test: it shows what was planted, collects what is written, and refuses what the real
//! machine would refuse.

use std::path::Path;

use qchroot_plugin::testing::Desk;
use qchroot_plugin::{
    Backend, Brand, Command, Download, ErrorKind, Info, Kind, Node, Observe, Release, ReleaseSource,
    ReleaseWish, Result, Take, Work, digest_of, sha256_of, sha256_of_file,
};

/// A source that fills by a function.
struct By(fn(&mut dyn Work) -> Result<()>);

impl Backend for By {
    fn info(&self) -> Info {
        Info::new(Kind::ReleaseSource, "acme.by", "whatever a test says")
    }
}

impl ReleaseSource for By {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let own = host.host_release()?;
        Ok(Release::new(&own, Brand::Linux, digest_of([("own", &own)]), &want.options))
    }

    fn fill(&self, _release: &Release, work: &mut dyn Work) -> Result<()> {
        (self.0)(work)
    }
}

const ADDRESS: &str = "http://mirror/tool";

fn desk() -> Desk {
    Desk::new()
        .with_file("/usr/bin/dash", "#!")
        .with_link("/bin", "usr/bin")
        .with_link("/usr/bin/sh", "dash")
        .with_download(ADDRESS, "content")
        .with_output(&["tool", "-v"], "1.2\n")
        .with_archive("http://mirror/base.tar", &[(Node::program("bin/tool", 2), "#!")])
}

fn filled(fill: fn(&mut dyn Work) -> Result<()>) -> Result<qchroot_plugin::testing::Filled> {
    let (desk, source) = (desk(), By(fill));
    let release = source.resolve(&ReleaseWish::default(), &desk)?;
    assert_eq!(release.version, "desk-1");
    desk.fill(&source, &release)
}

#[test]
fn what_is_planted_is_seen() {
    let desk = desk();
    let host: &dyn Observe = &desk;
    assert_eq!(host.real_path("/bin/sh".into()).unwrap(), "/usr/bin/dash");
    assert_eq!(host.program("dash").unwrap().unwrap(), "/usr/bin/dash");
    assert_eq!(sha256_of_file(host, "/bin/sh".into()).unwrap(), sha256_of(b"#!"));
    assert_eq!(host.get(ADDRESS, &[], 100).unwrap().body, b"content");
    assert_eq!(host.get("http://mirror/other", &[], 100).unwrap().status, 404);
    assert_eq!(host.ask(&["tool", "-v"]).unwrap().stdout, "1.2\n");
    assert_eq!(host.mounts().unwrap_err().hint_text(), Some("plant one: Desk::with_answer"));
}

#[test]
fn what_is_written_taken_fetched_and_unpacked_is_collected() {
    let filled = filled(|work| {
        work.note("beginning")?;
        work.tree().write(&Node::directory("."), &mut std::io::empty())?;
        work.tree().write(&Node::link("bin", "usr/bin"), &mut std::io::empty())?;
        work.take("/bin/sh".into(), Path::new("usr/bin/sh"), Take::Copy)?;
        let path = work.fetch(&Download::new(ADDRESS).sha256(sha256_of(b"content")).size(7))?;
        let mut text = String::new();
        std::io::Read::read_to_string(&mut work.open(&path)?, &mut text).unwrap();
        work.tree().write(&Node::file("/etc/tool", 7), &mut text.as_bytes())?;
        let said = work.run(&Command::new(["tool", "-v"]))?.stdout;
        work.tree().write(&Node::file("etc/version", said.len() as u64), &mut said.as_bytes())?;
        work.tree().finish()
    })
    .unwrap();
    assert_eq!(filled.paths(), [".", "bin", "etc/tool", "etc/version", "usr/bin/sh"]);
    assert_eq!((filled.text("etc/tool"), filled.text("etc/version")), (Some("content"), Some("1.2\n")));
    assert_eq!((filled.text("bin"), filled.notes()), (None, &["beginning".to_owned()][..]));
    assert!(filled.is_finished());
}

#[test]
fn archives_are_unpacked_by_their_address() {
    let unpack = |work: &mut dyn Work| work.unpack(&[Download::new("http://mirror/base.tar")]);
    assert_eq!(filled(unpack).unwrap().node("bin/tool").unwrap().mode, 0o755);
}

#[test]
fn what_the_real_machine_refuses_is_refused() {
    let kind = |fill: fn(&mut dyn Work) -> Result<()>| filled(fill).map(drop).unwrap_err().kind();
    let bad = ErrorKind::BadData;
    assert_eq!(kind(|work| work.tree().write(&Node::directory("a/../../b"), &mut &b""[..])), bad);
    assert_eq!(kind(|work| work.tree().write(&Node::file("a", 2), &mut &b"1"[..])), bad);
    assert_eq!(kind(|work| work.fetch(&Download::new(ADDRESS).sha256("00")).map(drop)), bad);
    assert_eq!(kind(|work| work.fetch(&Download::new(ADDRESS).size(1)).map(drop)), bad);
    assert_eq!(kind(|work| work.fetch(&Download::new("http://mirror/x")).map(drop)), ErrorKind::NotFound);
    let through_a_link = |work: &mut dyn Work| {
        work.tree().write(&Node::link("etc", "/etc"), &mut &b""[..])?;
        work.tree().write(&Node::file("etc/passwd", 0), &mut &b""[..])
    };
    assert_eq!(kind(through_a_link), bad);
}
