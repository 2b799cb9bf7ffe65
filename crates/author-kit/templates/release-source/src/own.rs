//! The small userland: files that come with the plug-in, and programs of the host's with the libraries that they need.

use std::collections::BTreeMap;
use std::io::{Read, empty};
use std::path::Path;

use qchroot_plugin::camino::{Utf8Path, Utf8PathBuf};
use qchroot_plugin::{
    Error, ErrorKind, Node, Observe, Platform, Progress, Release, Result, Take, Work, sha256_of,
    sha256_of_file,
};

/// Directories with their modes.
const DIRECTORIES: [(&str, u32); 5] =
    [("bin", 0o755), ("root", 0o700), ("tmp", 0o1777), ("usr", 0o755), ("var", 0o755)];

/// Files that anybody may read.
const FILES: [(&str, &str); 2] =
    [("etc/passwd", "root:*:0:0:root:/root:/bin/sh\n"), ("etc/group", "root:*:0:\n")];

/// Programs of the host's.
const PROGRAMS: [&str; 3] = ["cat", "sh", "sleep"];

/// A program of ours.
const HELLO: &str = "#!/bin/sh\nread -r greeting < /etc/motd && echo \"$greeting\"\n";

/// The version of what stands above: another number, another release.
const EDITION: &str = "1";

/// What decides the content: by `file PATH` the digest of each file that comes from the host.
pub(crate) fn pins(greeting: &str, host: &dyn Observe) -> Result<BTreeMap<String, String>> {
    let mut pins = BTreeMap::from([
        ("edition".to_owned(), EDITION.to_owned()),
        ("greeting".to_owned(), greeting.to_owned()),
    ]);
    for (to, from) in programs(host)? {
        pins.insert(format!("file {to}"), sha256_of_file(host, &from)?);
    }
    Ok(pins)
}

/// The files of those programs that the host has: their paths inside, and where they are.
fn programs(host: &dyn Observe) -> Result<Vec<(Utf8PathBuf, Utf8PathBuf)>> {
    let platform = host.platform()?;
    let mut files = vec![];
    for name in PROGRAMS {
        let inside = Utf8Path::new("bin").join(name);
        match (platform, host.program(name)?) {
            // These need no libraries: rescue(8).
            (Platform::Freebsd, _) => files.push((inside, Utf8Path::new("/rescue").join(name))),
            (Platform::Linux, Some(program)) => {
                let program = host.real_path(&program)?;
                files.extend(libraries(&program, host)?);
                files.push((inside, program));
            }
            (Platform::Linux, None) => {}
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// What ldd(1) says that a program of the host's needs: nothing, where it is static.
fn libraries(program: &Utf8Path, host: &dyn Observe) -> Result<Vec<(Utf8PathBuf, Utf8PathBuf)>> {
    let said = host.ask(&["ldd", program.as_str()])?.stdout;
    let words = said.split_whitespace().map(|word| Utf8Path::new(word.trim_end_matches(':')));
    let paths = words.filter(|path| path.is_absolute() && *path != program);
    paths.map(|path| Ok((path.as_str().trim_start_matches('/').into(), host.real_path(path)?))).collect()
}

pub(crate) fn fill(release: &Release, work: &mut dyn Work) -> Result<()> {
    for (path, mode) in DIRECTORIES {
        work.tree().write(&Node { mode, ..Node::directory(path) }, &mut empty())?;
    }
    for (path, text) in FILES {
        work.tree().write(&Node::file(path, text.len() as u64), &mut text.as_bytes())?;
    }
    work.tree().write(&Node::program("bin/hello", HELLO.len() as u64), &mut HELLO.as_bytes())?;
    let greeting = release.pins.get("greeting").map(String::as_str).unwrap_or_default();
    let motd = format!("{greeting}\n");
    work.tree().write(&Node::file("etc/motd", motd.len() as u64), &mut motd.as_bytes())?;
    take_programs(release, work)
}

/// Takes the programs, and looks whether they are still those that `resolve` has seen.
fn take_programs(release: &Release, work: &mut dyn Work) -> Result<()> {
    let files = programs(work.host())?;
    let mut progress = Progress { what: "taking programs".into(), ..Progress::default() };
    progress.total_entries = Some(files.len() as u64);
    for (to, from) in files {
        if work.cancelled() {
            return Err(Error::new(ErrorKind::System, "interrupted"));
        }
        work.take(&from, Path::new(&to), Take::Copy)?;
        let mut content = vec![];
        let mut file = work.open(&work.staging().join(&to))?;
        file.read_to_end(&mut content)
            .map_err(|error| Error::from_io(&error, format!("cannot read {to}")))?;
        if release.pins.get(&format!("file {to}")) != Some(&sha256_of(&content)) {
            return Err(
                Error::new(ErrorKind::BadData, format!("{from} was changed meanwhile")).hint("try again")
            );
        }
        progress.entries += 1;
        work.progress(&progress);
    }
    Ok(())
}
