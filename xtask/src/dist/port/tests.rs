//! The rules of portlint(1) and of the Porter's Handbook, and an installation by the port's own targets.

use std::collections::BTreeSet;

use super::*;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The port's own files, without those that need a commit and fetched crates.
fn files() -> Vec<(&'static str, String)> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    vec![
        ("Makefile", template(root(), "Makefile").unwrap().replace("@VERSION@", "1.2.3")),
        ("Makefile.crates", makefile(&crates(&lock).unwrap())),
        ("pkg-descr", description(root()).unwrap()),
        ("pkg-plist", plist(root()).unwrap()),
        ("files/qchroot.in", rc_script(root()).unwrap()),
    ]
}

fn file(name: &str) -> String {
    files().into_iter().find(|(it, _)| *it == name).unwrap().1
}

#[test]
fn every_file_is_clean_text() {
    for (name, text) in files() {
        assert!(
            text.is_ascii() && !text.contains('\r') && text.ends_with('\n') && !text.ends_with("\n\n"),
            "{name}"
        );
        assert!(!text.contains("\n\n\n"), "{name}: contiguous blank lines");
        assert!(!text.contains("@VERSION@"), "{name}");
        for line in text.lines() {
            assert!(line.trim_end() == line && !line.starts_with("        "), "{name}: {line:?}");
        }
    }
}

/// Names of variables in each block of the Makefile before the first target.
fn blocks(makefile: &str) -> Vec<Vec<String>> {
    let head = makefile.split("\npost-install:").next().unwrap();
    let names = |block: &str| block.lines().map(|line| line.split('=').next().unwrap().to_owned()).collect();
    head.trim_end().split("\n\n").map(names).collect()
}

/// Chapter "Order of Variables in Port Makefiles": blocks in this order, and variables within each.
const ORDER: [&[&str]; 7] = [
    &["PORTNAME", "DISTVERSION", "CATEGORIES", "MASTER_SITES"],
    &["MAINTAINER", "COMMENT", "WWW"],
    &["LICENSE", "LICENSE_FILE"],
    &["LIB_DEPENDS"],
    &["USES", "USE_RC_SUBR"],
    &["CARGO_BUILD_ARGS", "CARGO_INSTALL_PATH"],
    &["OPTIONS_DEFINE", "OPTIONS_DEFAULT", "OPTIONS_SUB"],
];

#[test]
fn the_makefile_keeps_portlints_rules() {
    let text = file("Makefile");
    let blocks = blocks(&text);
    assert_eq!(blocks[..ORDER.len()], ORDER.map(<[&str]>::to_vec)[..]);
    for line in text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase())) {
        let (name, value) = line.split_once('=').unwrap();
        assert!(value.starts_with('\t') && !value.trim().is_empty(), "a tab after {name}: {line:?}");
    }
    let value = |name: &str| variable(root(), name).unwrap();
    let comment = value("COMMENT");
    assert!(
        comment.len() <= 70
            && comment.starts_with(|c: char| c.is_ascii_uppercase())
            && !comment.ends_with('.')
    );
    assert!(!["A ", "An ", "The ", "Qchroot"].iter().any(|word| comment.starts_with(word)), "{comment}");
    assert!(value("MAINTAINER").contains('@') && !value("MAINTAINER").contains([' ', ',', '<', '(']));
    assert!(value("WWW").starts_with("https://"));
    assert!(value("MASTER_SITES").ends_with('/'));
    assert_eq!(value("USE_RC_SUBR"), "qchroot");
    assert!(text.ends_with("\n\n.include <bsd.port.mk>\n"));
    assert!(!text.contains("$(") && !text.contains("!="));
    // Each option has a description or is one that the framework describes, and something depends on it.
    for option in value("OPTIONS_DEFINE").split(' ') {
        assert!(
            ["DOCS", "EXAMPLES"].contains(&option) || text.contains(&format!("\n{option}_DESC=")),
            "{option}"
        );
        assert!(text.contains(&format!("\npost-install-{option}-on:\n")), "{option}");
    }
    // Programs by the framework's names, no absolute paths, no targets of the framework's own.
    for line in text.lines().filter(|line| line.starts_with('\t')) {
        let line = line.trim_start();
        assert!(line.starts_with("${") || line.starts_with("@${"), "{line}");
        assert!(!line.contains(" /") && !line.contains("MKDIR} -p"), "{line}");
    }
}

#[test]
fn the_description_fits_and_says_nothing_that_the_makefile_says() {
    let text = file("pkg-descr");
    assert!((5..=24).contains(&text.lines().count()) && text.lines().all(|line| line.len() <= 80));
    assert!(!text.contains("WWW:") && !text.contains("://"));
}

#[test]
fn the_list_of_files_is_in_order_and_below_the_prefix() {
    let text = file("pkg-plist");
    let (directories, lines): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("@dir "));
    assert_eq!(directories, ["@dir etc/qchroot.local", "@dir lib/qchroot/plugins"]);
    assert!(text.lines().rev().take(2).all(|line| line.starts_with("@dir ")), "directories come last");
    let paths: Vec<&str> = lines.iter().map(|line| line.trim_start_matches("@sample ")).collect();
    assert!(paths.is_sorted() && paths.iter().collect::<BTreeSet<_>>().len() == paths.len(), "{text}");
    assert!(!text.contains("\n/") && !text.contains("usr/local") && !text.contains("rc.d"));
    for line in ["@sample etc/qchroot.toml.sample", "sbin/qchroot", "share/man/man8/qchroot.8.gz"] {
        assert!(lines.contains(&line), "{line}");
    }
    assert!(!text.contains("share/doc/") && !text.contains("share/examples/"), "by DOCSDIR and EXAMPLESDIR");
}

#[test]
fn the_script_is_substituted_for_any_prefix() {
    let text = file("files/qchroot.in");
    assert!(!text.contains("/usr/local") && text.contains("%%PREFIX%%/sbin/qchroot"));
}

#[test]
fn sums_are_written_as_makesum_does() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let all = crates(&lock).unwrap();
    assert_eq!(all.len(), lock.matches("\nchecksum = ").count());
    let cached = cached().unwrap();
    let fetched = |it: &Crate| {
        cached.iter().map(|folder| folder.join(format!("{}.crate", it.name))).find(|it| it.exists())
    };
    // Those of other systems are fetched for a port only.
    let here: Vec<Crate> = all.into_iter().filter(|it| fetched(it).is_some()).collect();
    assert!(here.len() > 100);
    let one = here.iter().find(|it| it.name.starts_with("clap-")).unwrap();
    assert_eq!(sha256(&fetched(one).unwrap()).unwrap(), one.sha256, "the lock's sum is the file's");
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("qchroot-1.2.3.tar.gz");
    fs::write(&source, "abc").unwrap();
    let text = distinfo(&source, &here).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].strip_prefix("TIMESTAMP = ").is_some_and(|time| time.parse::<u64>().is_ok()));
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(lines[1], format!("SHA256 (qchroot-1.2.3.tar.gz) = {abc}"));
    assert_eq!(lines[2], "SIZE (qchroot-1.2.3.tar.gz) = 3");
    for pair in lines[1..].chunks(2) {
        let (sum, size) =
            (pair[0].strip_prefix("SHA256 (").unwrap(), pair[1].strip_prefix("SIZE (").unwrap());
        let ((name, sum), (other, size)) =
            (sum.split_once(") = ").unwrap(), size.split_once(") = ").unwrap());
        assert!(name == other && sum.len() == 64 && size.parse::<u64>().unwrap() > 0, "{pair:?}");
        assert!(
            name == "qchroot-1.2.3.tar.gz" || (name.starts_with("rust/crates/") && name.ends_with(".crate"))
        );
    }
    assert_eq!(lines.len(), 3 + 2 * here.len());
}

/// Stands for the ports framework: the names of programs and places, and the order of the targets.
const FRAMEWORK: &str = "\
MKDIR=\tmkdir -p
MV=\tmv
STRIP_CMD=\ttrue
INSTALL_DATA=\tinstall -m 0644
INSTALL_MAN=\tinstall -m 0444
PREFIX=\t/usr/local
DOCSDIR=\t${PREFIX}/share/doc/${PORTNAME}
EXAMPLESDIR=\t${PREFIX}/share/examples/${PORTNAME}
stage: post-install post-install-COMPLETIONS-on post-install-DOCS-on post-install-EXAMPLES-on
";

/// The targets of the Makefile install what the list names, no more and no less.
#[test]
fn the_port_installs_what_it_lists() {
    let directory = tempfile::tempdir().unwrap();
    let (port, stage) = (directory.path().join("port"), directory.path().join("stage"));
    for place in ["bin", "sbin", "etc", "share/man/man8"] {
        make_directory(&stage.join("usr/local").join(place)).unwrap();
    }
    fs::write(stage.join("usr/local/bin/qchroot"), "what cargo installed").unwrap();
    make_directory(&port).unwrap();
    fs::write(port.join("sys.mk"), "").unwrap();
    fs::write(port.join("bsd.port.mk"), FRAMEWORK).unwrap();
    fs::write(port.join("Makefile"), file("Makefile")).unwrap();
    let make = Run::new("bmake")
        .arg("-C")
        .arg(&port)
        .arg("-m")
        .arg(&port)
        .arg(format!("WRKSRC={}", root().display()));
    make.arg(format!("STAGEDIR={}", stage.display())).arg("stage").text().unwrap();
    let found =
        Run::new("find").arg(stage.join("usr/local")).args(["-type", "f", "-printf", "%P\n"]).text().unwrap();
    let found: BTreeSet<String> =
        found.lines().map(|line| line.replace("qchroot.8", "qchroot.8.gz")).collect();
    let listed: BTreeSet<String> =
        file("pkg-plist").lines().filter(|line| !line.starts_with("@dir")).map(plain).collect();
    assert_eq!(found, listed);
    assert!(
        stage.join("usr/local/lib/qchroot/plugins").is_dir()
            && stage.join("usr/local/etc/qchroot.local").is_dir()
    );
}

/// A line of the list as a path below the prefix.
fn plain(line: &str) -> String {
    let line =
        line.replace("%%PORTDOCS%%", "").replace("%%PORTEXAMPLES%%", "").replace("%%COMPLETIONS%%", "");
    let line =
        line.replace("%%DOCSDIR%%", "share/doc/qchroot").replace("%%EXAMPLESDIR%%", "share/examples/qchroot");
    line.trim_start_matches("@sample ").to_owned()
}
