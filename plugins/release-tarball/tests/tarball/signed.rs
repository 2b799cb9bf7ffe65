//! Archives that are signed, as signify and minisign do it.

use std::fs::{self, File};
use std::path::PathBuf;

use qchroot_api::{ErrorKind, Options, Release, Result};
use tempfile::TempDir;

use qchroot_testkit::server::{FtpServer, HttpServer};

use crate::support::{self, fill, run, says};

/// A signed archive with one file, and the keys.
struct Signed {
    dir: TempDir,
}

const PROGRAMS: [&str; 2] = ["signify", "minisign"];

impl Signed {
    fn new() -> Self {
        let signed = Self { dir: tempfile::tempdir().unwrap() };
        let mut tar = tar::Builder::new(File::create(signed.path("tiny.tar")).unwrap());
        let mut header = tar::Header::new_gnu();
        header.set_size(6);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        tar.append_data(&mut header, "etc/motd", &b"hello\n"[..]).unwrap();
        tar.into_inner().unwrap();
        signed.run("signify-openbsd -G -n -p signify.pub -s signify.sec");
        signed.run("minisign -G -W -f -p minisign.pub -s minisign.sec");
        signed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Signs the archive; the signature stands where the program puts it by itself.
    fn sign(&self, program: &str) {
        self.run(match program {
            "signify" => "signify-openbsd -S -s signify.sec -m tiny.tar",
            _ => "minisign -S -s minisign.sec -m tiny.tar",
        });
    }

    fn run(&self, line: &str) {
        run(self.dir.path(), line);
    }

    fn options(&self, more: &[(&str, &str)]) -> Options {
        let path = self.path("tiny.tar").to_str().unwrap().to_owned();
        let all = [("path", path.as_str())].into_iter().chain(more.iter().copied());
        all.map(|(key, value)| (key.to_owned(), value.into())).collect()
    }

    fn key(&self, program: &str) -> String {
        self.path(&format!("{program}.pub")).to_str().unwrap().to_owned()
    }
}

fn resolve(options: Options) -> Result<Release> {
    support::resolve(options, false)
}

#[test]
fn a_signature_is_as_good_as_a_digest() {
    for program in PROGRAMS {
        let (signed, staging) = (Signed::new(), tempfile::tempdir().unwrap());
        signed.sign(program);
        let release = resolve(signed.options(&[("key", &signed.key(program))])).unwrap();
        fill(&release, staging.path()).unwrap();
        assert_eq!(fs::read_to_string(staging.path().join("etc/motd")).unwrap(), "hello\n");
    }
}

#[test]
fn the_key_may_be_given_itself_and_the_signature_elsewhere() {
    let signed = Signed::new();
    signed.sign("minisign");
    let key = fs::read_to_string(signed.key("minisign")).unwrap().lines().nth(1).unwrap().to_owned();
    let release = resolve(signed.options(&[("key", &key)])).unwrap();
    fs::rename(signed.path("tiny.tar.minisig"), signed.path("moved")).unwrap();
    let error = resolve(signed.options(&[("key", &key)])).unwrap_err();
    says(&error, ErrorKind::NotFound, &["tiny.tar.minisig", "tiny.tar.sig", "option signature"]);
    let moved = signed.path("moved").to_str().unwrap().to_owned();
    let again = resolve(signed.options(&[("key", &key), ("signature", &moved)])).unwrap();
    assert_eq!(again.digest, release.digest);
}

#[test]
fn what_does_not_fit_is_refused_with_or_without_a_digest() {
    for program in PROGRAMS {
        let (signed, others) = (Signed::new(), Signed::new());
        signed.sign(program);
        let good = resolve(signed.options(&[("key", &signed.key(program))])).unwrap();
        let wrong = resolve(signed.options(&[("key", &others.key(program))])).unwrap_err();
        says(&wrong, ErrorKind::BadData, &["tiny.tar", "made with the key"]);

        // With a digest the archive is not read until it is unpacked: the signature counts all the same.
        let both = [("sha256", good.digest.as_str()), ("key", &signed.key(program))];
        fill(&resolve(signed.options(&both)).unwrap(), tempfile::tempdir().unwrap().path()).unwrap();
        let both = [("sha256", good.digest.as_str()), ("key", &others.key(program))];
        let staging = tempfile::tempdir().unwrap();
        let error = fill(&resolve(signed.options(&both)).unwrap(), staging.path()).unwrap_err();
        says(&error, ErrorKind::BadData, &["tiny.tar", "made with the key"]);
        assert_eq!(fs::read_dir(staging.path()).unwrap().count(), 0, "something was unpacked");

        let mut bytes = fs::read(signed.path("tiny.tar")).unwrap();
        bytes[512] ^= 1;
        fs::write(signed.path("tiny.tar"), bytes).unwrap();
        let changed = resolve(signed.options(&[("key", &signed.key(program))])).unwrap_err();
        says(&changed, ErrorKind::BadData, &["tiny.tar", "does not fit the content"]);
        let error = fill(&good, tempfile::tempdir().unwrap().path()).unwrap_err();
        says(&error, ErrorKind::BadData, &["SHA-256", "tiny.tar"]);
    }
}

#[test]
fn keys_that_are_none_are_told() {
    let signed = Signed::new();
    signed.sign("signify");
    let told = |key: &str| resolve(signed.options(&[("key", key)])).unwrap_err();
    says(&told("/no/such/key"), ErrorKind::NotFound, &["/no/such/key"]);
    says(&told("https://host/key.pub"), ErrorKind::Config, &["must be a file"]);
    says(&told(signed.path("signify.sec").to_str().unwrap()), ErrorKind::Config, &["no public key"]);
}

#[test]
fn archives_and_signatures_come_from_servers_and_from_the_next_mirror() {
    let signed = Signed::new();
    signed.sign("minisign");
    let (http, ftp) = (HttpServer::serving(signed.dir.path()), FtpServer::serving(signed.dir.path()));
    for address in [http.url("/tiny.tar"), ftp.url("/tiny.tar")] {
        let gone = address.replace("tiny.tar", "gone/tiny.tar");
        let options = |more: &[(&str, &str)]| {
            let mut options = signed.options(&[&[("path", gone.as_str())], more].concat());
            options.insert("mirrors".into(), vec![address.clone()].into());
            options
        };
        let installs = |release: Release| {
            let staging = tempfile::tempdir().unwrap();
            fill(&release, staging.path()).unwrap();
            assert_eq!(fs::read_to_string(staging.path().join("etc/motd")).unwrap(), "hello\n");
            release.digest
        };
        let key = signed.key("minisign");
        installs(resolve(options(&[("key", &key)])).unwrap());
        let error = resolve(options(&[])).unwrap_err();
        says(&error, ErrorKind::BadData, &["cannot be checked", "--any-release"]);
        let digest = installs(support::resolve(options(&[]), true).unwrap());
        installs(resolve(options(&[("sha256", &digest), ("key", &key)])).unwrap());
        let release = resolve(options(&[("sha256", &"0".repeat(64))])).unwrap();
        let error = fill(&release, tempfile::tempdir().unwrap().path()).unwrap_err();
        says(&error, ErrorKind::BadData, &["SHA-256", &digest]);
    }
}
