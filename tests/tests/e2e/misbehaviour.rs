//! Libraries that are no plug-ins, and release sources that do what none may: each ends with an error that says what was
//! wrong, nothing is left, and a container that runs meanwhile goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::plugins::{built, built_with};
use crate::program::Ran;
use crate::tree::Tree;
use crate::world::World;

/// A system with a container `web` that runs.
pub struct Peace {
    pub world: World,
    inside: Vec<i32>,
    mounts: Vec<PathBuf>,
}

impl Peace {
    #[track_caller]
    pub fn new() -> Self {
        let world = World::with_sleeper("overlay");
        world.run(["start", "web"]).ok();
        let (inside, mounts) = (world.inside(), world.mounts());
        assert_eq!((inside.is_empty(), mounts.is_empty()), (false, false));
        Self { world, inside, mounts }
    }

    /// What outlives a reboot, but for the plug-ins.
    pub fn lasting(&self) -> Tree {
        Tree::without(&self.world.root, &["run", "log", "plugins", "lib/.cache"])
    }

    /// Asserts that `command` fails with `status` and each of `texts`, and that all is as it was.
    #[track_caller]
    pub fn fails<'a>(
        &self,
        command: impl IntoIterator<Item = &'a str>,
        status: i32,
        texts: &[&str],
    ) -> String {
        let before = self.lasting();
        let said = self.world.run(command).fails(status, texts);
        before.assert_same(&self.lasting(), &said);
        self.assert_kept(&said);
        assert!(said.len() < 10_000, "{} bytes", said.len());
        assert!(!said.contains(['\u{1b}', '\u{7}']), "{said:?}");
        said
    }

    /// Asserts that `web` goes on as if nothing had been.
    #[track_caller]
    pub fn assert_kept(&self, after: &str) {
        assert_eq!(self.world.mounts(), self.mounts, "{after}");
        assert_eq!(self.world.inside(), self.inside, "{after}");
    }

    /// Asserts that `web` can still be stopped and started, and that nothing is left in the end.
    #[track_caller]
    pub fn ends(self) {
        let world = self.world;
        assert_eq!(world.state("web"), "started");
        world.run(["stop", "web"]).ok();
        world.run(["start", "web"]).ok();
        world.run(["stop", "web"]).ok();
        world.assert_quiet();
        world.assert_sound();
    }

    #[track_caller]
    fn install(&self, wanted: &str, status: i32, texts: &[&str]) -> String {
        let (wanted, at) = (format!("do={wanted}"), format!("at={}", self.outside().display()));
        self.fails(["install", "--source", "acme.source", "-o", &wanted, "-o", &at], status, texts)
    }

    /// A directory that is no business of a release source.
    fn outside(&self) -> PathBuf {
        self.world.dir().join("outside")
    }
}

/// Installs from `acme.source`, which is `library`.
#[track_caller]
fn refused(peace: &Peace, library: &Path, texts: &[&str]) {
    let file = peace.world.put_plugin("acme.source", library);
    let said = peace.fails(["install", "--source", "acme.source"], 76, texts);
    assert!(said.contains("acme.source"), "{said}");
    fs::remove_file(file).unwrap();
}

/// A copy of a library with other bytes at each place that `from` says.
fn patched(peace: &Peace, library: &Path, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let (mut bytes, file) = (fs::read(library).unwrap(), peace.world.dir().join("patched.so"));
    change(&mut bytes);
    fs::write(&file, bytes).unwrap();
    file
}

fn replace(bytes: &mut [u8], from: &str, to: &str) {
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect(from);
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
}

/// A library made by cc(1).
fn compiled(peace: &Peace, text: &str) -> PathBuf {
    let (source, library) = (peace.world.dir().join("library.c"), peace.world.dir().join("library.so"));
    fs::write(&source, text).unwrap();
    Ran::of(Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source])).ok();
    library
}

/// The bytes of a header as C has them.
fn header_in_c(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
    format!("const char QCHROOT_PLUGIN[] = {{{}}};\n", bytes.join(","))
}

#[test]
fn files_that_are_no_plug_ins_are_refused_by_name() {
    let peace = Peace::new();
    let (text, source) = (peace.world.dir().join("text"), built_with("misbehaving", &["source"]));
    fs::write(&text, "#!/bin/sh\necho mine\n").unwrap();
    refused(&peace, &text, &["ELF"]);
    fs::write(&text, "").unwrap();
    refused(&peace, &text, &["ELF"]);
    // The machine is the 16-bit word at 18; 183 is AArch64, 62 x86-64; elf(5).
    let machine = |bytes: &mut Vec<u8>| bytes[18] = if bytes[18] == 183 { 62 } else { 183 };
    refused(&peace, &patched(&peace, &source, machine), &["is made for "]);
    refused(&peace, &patched(&peace, &source, |bytes| bytes.truncate(64)), &[]);
    refused(&peace, &compiled(&peace, "int answer(void) { return 42; }\n"), &["plug-in"]);
    let header = r#"{"border":"1.0.0","name":"acme.source","kind":"release-source","version":"1.0.0"}"#;
    refused(&peace, &compiled(&peace, &header_in_c(header)), &["offers no back end"]);
    let not_this = header_in_c(header) + "const char QCHROOT_LIBRARY[4096] = \"not this\";\n";
    refused(&peace, &compiled(&peace, &not_this), &["was built with another abi_stable"]);
    refused(&peace, &compiled(&peace, &header_in_c("{\"border\":")), &["header"]);
    peace.ends();
}

#[test]
fn plug_ins_for_another_border_or_name_are_refused_by_name() {
    let peace = Peace::new();
    let source = built_with("misbehaving", &["source"]);
    let major = |bytes: &mut Vec<u8>| replace(bytes, r#"{"border":"1."#, r#"{"border":"7."#);
    refused(&peace, &patched(&peace, &source, major), &["7.", "1."]);
    refused(&peace, &built_with("misbehaving", &["layout"]), &["has another layout than its border says"]);
    refused(
        &peace,
        &built_with("misbehaving", &["missing-symbol"]),
        &["cannot be loaded", "undefined symbol: acme_has_no_such_function"],
    );
    refused(
        &peace,
        &built_with("misbehaving", &["constructor"]),
        &["panicked", "deliberately, when it was made"],
    );
    refused(&peace, &built_with("misbehaving", &["info"]), &["panicked", "deliberately, in info"]);
    refused(&peace, &built_with("misbehaving", &["other-name"]), &["acme.other"]);
    refused(&peace, &built_with("misbehaving", &["other-kind"]), &["isolation"]);
    refused(&peace, &built_with("misbehaving", &["storage"]), &["acme.storage"]);
    refused(&peace, &built("thing"), &["acme.thing"]);
    peace.ends();
}

#[test]
fn a_release_source_that_panics_is_an_error_of_its_own() {
    let peace = Peace::new();
    peace.world.put_plugin("acme.source", &built_with("misbehaving", &["source"]));
    for call in ["check", "resolve", "fill"] {
        let (wanted, words) = (format!("panic {call}"), format!("deliberately, in {call}"));
        peace.install(&wanted, 76, &[&format!("acme.source failed in `{call}`"), "panicked", &words]);
    }
    let texts = ["acme.source failed in `fill`", "panicked", "deliberately, while it was read"];
    peace.install("panic in a call-back", 76, &texts);
    peace.ends();
}

#[test]
fn what_a_release_source_says_is_cut_and_cleaned() {
    let peace = Peace::new();
    peace.world.put_plugin("acme.source", &built_with("misbehaving", &["source"]));
    peace.install("huge message", 69, &["no no no", "(8998000 more bytes)"]);
    peace.install("many causes", 69, &["(4984 more causes)"]);
    peace.install("rude message", 69, &["\\u{1b}]0;mine\\u{7}\\u{1b}[2Jno no"]);
    peace.install("rude progress", 65, &["nothing stopped `rude progress`"]);
    let log = fs::read_to_string(peace.world.root.join("log/install.log")).unwrap();
    assert!(log.contains("\\u{1b}[2Jrude line") && !log.contains('\u{1b}'), "{log:?}");
    for (wanted, text) in [
        ("bad digest", "acme.source resolved to a digest \"../../etc\", which is not SHA-256"),
        ("bad version", "acme.source resolved to version \"../../etc\""),
        ("bad directories", "acme.source resolved to a release that shows /etc of the host's"),
        ("bad options", "acme.source resolved to options that it does not declare"),
    ] {
        peace.install(wanted, 76, &[text, "tell the author of acme.source"]);
    }
    peace.ends();
}

#[test]
fn what_is_no_answer_is_an_error_with_the_name() {
    let peace = Peace::new();
    peace.world.put_plugin("acme.garbage", &built_with("misbehaving", &["garbage"]));
    for (wanted, text) in [
        ("nothing", "EOF"),
        ("another type", "said what cannot be understood"),
        ("wrong types", "invalid type"),
        ("nested", "said what cannot be understood"),
        ("nested options", "recursion limit"),
        ("100 MB", "at once"),
        ("100 MB of error", "at once"),
        ("garbage asked", "everything"),
        ("100 MB asked", "at once"),
        ("no error", "said what cannot be understood"),
    ] {
        let wanted = format!("do={wanted}");
        let said = ["acme.garbage failed in `resolve`", text];
        peace.fails(["install", "--source", "acme.garbage", "-o", &wanted], 76, &said);
    }
    peace.ends();
}

#[test]
fn a_release_source_writes_nowhere_but_into_its_staging_directory() {
    let peace = Peace::new();
    peace.world.put_plugin("acme.source", &built_with("misbehaving", &["source"]));
    let outside = peace.outside();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("kept"), "kept").unwrap();
    let before = Tree::with_times(&outside);
    for (wanted, text) in [
        ("write with dots", "etc/../../../out"),
        ("write through a link", "way"),
        ("take to outside", "../out"),
        ("take through a link", "way"),
        ("hard link to outside", "../../../out"),
        ("hard link through a link", "way"),
    ] {
        peace.install(wanted, 65, &[text]);
    }
    // A path from the root on is one from the top of the staging directory on.
    peace.install("write at an absolute path", 65, &["nothing stopped"]);
    before.assert_same(&Tree::with_times(&outside), "the directory outside");
    peace.ends();
}
