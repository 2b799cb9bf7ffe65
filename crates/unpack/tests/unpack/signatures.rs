//! Signatures as the programs themselves make them.

use std::fs;
use std::path::Path;
use std::process::Command;

use qchroot_api::{ErrorKind, Result};
use qchroot_unpack::check_signature;
use tempfile::TempDir;

/// Longer than what is read at a time.
fn content() -> Vec<u8> {
    b"what is signed\n".repeat(50_000)
}

/// A directory with the content, a key of each program, and signatures of each kind.
struct Signed {
    dir: TempDir,
}

const KINDS: [(&str, &str); 3] =
    [("signify.pub", "signify.sig"), ("minisign.pub", "hashed.minisig"), ("minisign.pub", "legacy.minisig")];

impl Signed {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("content"), content()).unwrap();
        let run = |line: &str| run(dir.path(), line);
        run("signify-openbsd -G -n -p signify.pub -s signify.sec");
        run("signify-openbsd -S -s signify.sec -m content -x signify.sig");
        run("minisign -G -W -f -p minisign.pub -s minisign.sec");
        run("minisign -S -s minisign.sec -m content -x hashed.minisig");
        run("minisign -S -l -s minisign.sec -m content -x legacy.minisig");
        Self { dir }
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "the test signs as a user does")]
fn run(dir: &Path, line: &str) {
    let mut words = line.split(' ');
    let output = Command::new(words.next().unwrap()).args(words).current_dir(dir).output();
    let output = output.unwrap_or_else(|error| panic!("{line}: {error}: is the package installed?"));
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

fn check(content: &[u8], signature: &str, key: &str) -> Result<()> {
    check_signature(&mut &*content, signature, key)
}

#[track_caller]
fn refused(result: Result<()>, kind: ErrorKind, words: &str) {
    let error = result.unwrap_err();
    assert!(error.kind() == kind && error.to_string().contains(words), "{error:?}");
}

#[test]
fn what_the_programs_sign_is_taken() {
    let signed = Signed::new();
    for (key, signature) in KINDS {
        let (key, signature) = (signed.text(key), signed.text(signature));
        check(&content(), &signature, &key).unwrap();
        check(&content(), &signature.replace('\n', "\r\n"), key.lines().nth(1).unwrap()).unwrap();
    }
}

#[test]
fn changed_content_is_refused() {
    let signed = Signed::new();
    for (key, signature) in KINDS {
        let (key, signature) = (signed.text(key), signed.text(signature));
        let mut changed = content();
        changed[400_000] ^= 1;
        refused(check(&changed, &signature, &key), ErrorKind::BadData, "does not fit the content");
        refused(check(&content()[1..], &signature, &key), ErrorKind::BadData, "does not fit the content");
        refused(check(&[], &signature, &key), ErrorKind::BadData, "does not fit the content");
    }
}

#[test]
fn another_key_is_refused_and_both_are_named() {
    let (signed, others) = (Signed::new(), Signed::new());
    for (key, signature) in KINDS {
        refused(
            check(&content(), &signed.text(signature), &others.text(key)),
            ErrorKind::BadData,
            "made with the key",
        );
    }
    // minisign shows the number of its key in the comment.
    let shown = signed.text("minisign.pub").lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    let error = check(&content(), &signed.text("signify.sig"), &signed.text("minisign.pub")).unwrap_err();
    assert!(error.to_string().contains(&shown), "{error} {shown}");
}

#[test]
fn a_key_with_the_same_number_and_other_bytes_is_refused() {
    let (signed, others) = (Signed::new(), Signed::new());
    let key = signed.text("signify.pub").lines().nth(1).unwrap().to_owned();
    let other = others.text("signify.pub").lines().nth(1).unwrap().to_owned();
    // Two bytes of algorithm and eight of number fill 13 characters and a third of one: keep 12, then two more.
    let forged = format!("{}{}", &key[..14], &other[14..]);
    let error = check(&content(), &signed.text("signify.sig"), &forged).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadData | ErrorKind::Config), "{error}");
}

#[test]
fn damaged_signatures_are_refused() {
    let signed = Signed::new();
    let key = signed.text("minisign.pub");
    let lines = |signature: &str, count| signature.lines().take(count).collect::<Vec<_>>().join("\n");
    let hashed = signed.text("hashed.minisig");
    let cases = [
        (String::new(), "begin with a comment"),
        ("\u{0}\u{1}garbage\n".repeat(9), "begin with a comment"),
        ("untrusted comment: x\n%%%\n".into(), "not base64"),
        ("untrusted comment: x\nRWQ=\n".into(), "too short"),
        (lines(&hashed, 1), "too short"),
        (lines(&hashed, 2), "last two lines are missing"),
        (lines(&hashed, 3), "last line is missing"),
        (lines(&signed.text("legacy.minisig"), 3), "last line is missing"),
        (hashed[..hashed.len() - 20].to_owned(), "last line is missing or damaged"),
        (format!("{hashed}more\n"), "follows its last line"),
        (hashed.replace("file:content", "file:another"), "trusted comment"),
        (hashed.replacen("\nRU", "\nRX", 1), "algorithm is unknown"),
    ];
    for (signature, words) in cases {
        refused(check(&content(), &signature, &key), ErrorKind::BadData, words);
    }
    let signature = signed.text("signify.sig");
    let second = signature.lines().nth(1).unwrap();
    let cut = signature.replace(second, &second[..second.len() - 8]);
    refused(check(&content(), &cut, &signed.text("signify.pub")), ErrorKind::BadData, "wrong length");
    let embedded = format!("{signature}what is signed\n");
    refused(check(&content(), &embedded, &signed.text("signify.pub")), ErrorKind::BadData, "more lines");
}

#[test]
fn what_is_no_key_is_refused_and_not_shown() {
    let signed = Signed::new();
    let secret = signed.text("signify.sec");
    for key in ["", "RWQ", "not a key", "untrusted comment: only\n", &secret, &signed.text("signify.sig")] {
        let error = check(&content(), &signed.text("signify.sig"), key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{key}: {error}");
        assert!(!error.to_string().contains(secret.lines().nth(1).unwrap()));
    }
}

#[test]
fn content_that_cannot_be_read_is_no_bad_signature() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from_raw_os_error(5))
        }
    }
    let signed = Signed::new();
    let error = check_signature(&mut Broken, &signed.text("signify.sig"), &signed.text("signify.pub"));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Io);
}
