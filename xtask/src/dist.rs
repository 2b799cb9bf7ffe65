//! Package trees: what belongs where on each system, laid out below one directory, and packed so that the same
//! files give the same archive; for FreeBSD also a package for pkg(8) and the skeleton of a port.
//!
//! Must not know what the files say. Installing is left to the system's own packager: the archives unpack at `/`.

mod package;
mod places;
mod port;

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::Result;
use crate::freebsd::{self, Arch};
use crate::run::Run;
use crate::workspace::{Workspace, make_directory};
use places::{FREEBSD, Item, LINUX, Places, own_directories};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only for this system [default: both]
    #[arg(long, value_enum)]
    system: Option<System>,
    /// Everything but the program, which is then not built
    #[arg(long)]
    no_program: bool,
    /// The processor of FreeBSD's program; Linux's is this machine's
    #[arg(long, value_enum, default_value_t = Arch::X86_64)]
    arch: Arch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum System {
    Linux,
    Freebsd,
}

/// How the packages of plug-ins that are examples are called.
const EXAMPLE: &str = "qchroot-example-";

/// What was built: the program, and the plug-ins that are examples.
pub(crate) struct Built {
    pub(crate) program: PathBuf,
    pub(crate) examples: Vec<PathBuf>,
}

/// `cargo xtask dist`.
pub(crate) fn task(workspace: &Workspace, args: &Args) -> Result<()> {
    let wanted = |system| args.system.is_none_or(|only| only == system);
    if wanted(System::Linux) {
        let built = (!args.no_program).then(|| build(workspace)).transpose()?;
        pack(workspace, "linux", std::env::consts::ARCH, &LINUX, built.as_ref())?;
    }
    if wanted(System::Freebsd) {
        let built = (!args.no_program).then(|| freebsd::build(workspace, args.arch)).transpose();
        // Without the program the tree still shows what is to be where.
        freebsd(workspace, args.arch, built.as_ref().ok().and_then(Option::as_ref))?;
        port::write(workspace, version(workspace)?, &workspace.target.join("dist"))?;
        built.map_err(|error| format!("FreeBSD's tree is without the program: {error}"))?;
    }
    Ok(())
}

/// The program is linked dynamically against libc, as Rust does on both systems unless it is told otherwise: dlopen(3),
/// by which plug-ins are opened, needs that.
fn build(workspace: &Workspace) -> Result<Built> {
    Run::cargo().args(["build", "--release"]).args(packages(workspace)).run()?;
    Ok(Built::below(workspace, &workspace.target.join("release")))
}

/// `--package` for all that is shipped.
pub(crate) fn packages(workspace: &Workspace) -> Vec<String> {
    let examples = examples(workspace).map(|(package, _)| format!("--package={package}"));
    std::iter::once("--package=qchroot".to_owned()).chain(examples).collect()
}

/// The plug-ins below `plugins/example-NAME`: their packages and their libraries' files.
fn examples(workspace: &Workspace) -> impl Iterator<Item = (&str, String)> {
    let names = workspace.packages().iter().filter_map(|package| package["name"].as_str());
    names
        .filter(|name| name.starts_with(EXAMPLE))
        .map(|name| (name, format!("lib{}.so", name.replace('-', "_"))))
}

impl Built {
    /// What cargo leaves in `directory`.
    pub(crate) fn below(workspace: &Workspace, directory: &Path) -> Self {
        let examples = examples(workspace).map(|(_, library)| directory.join(library)).collect();
        Self { program: directory.join("qchroot"), examples }
    }

    /// Where each part goes. The examples are not where the program looks: whoever wants one puts it there, under the name
    /// that it says it has.
    fn items(&self, places: &Places) -> Vec<Item> {
        let mut items = vec![(self.program.clone(), format!("{}/qchroot", places.programs), 0o755)];
        for library in &self.examples {
            let place = format!("{}/plugins/{}", places.examples, plugin_file(library));
            items.push((library.clone(), place, 0o644));
        }
        items
    }
}

/// The file of the example `oci` as a plug-in: `example.oci.so`.
pub(crate) fn plugin_file(library: &Path) -> String {
    let file = library.file_name().unwrap_or_default().to_string_lossy();
    file.replace("libqchroot_example_", "example.")
}

/// FreeBSD's tree, its archive and, with the program, the package.
pub(crate) fn freebsd(workspace: &Workspace, arch: Arch, built: Option<&Built>) -> Result<()> {
    let tree = pack(workspace, "freebsd", arch.name(), &FREEBSD, built)?;
    if built.is_some() {
        package::write(&workspace.root, &workspace.target.join("dist"), &tree, version(workspace)?, arch)?;
    }
    Ok(())
}

/// What lies below one directory, by paths from there.
struct Tree {
    stage: PathBuf,
    files: Vec<String>,
    /// The program's own directories.
    directories: Vec<String>,
}

fn pack(
    workspace: &Workspace,
    system: &str,
    arch: &str,
    places: &Places,
    built: Option<&Built>,
) -> Result<Tree> {
    let all = workspace.target.join("dist");
    let name = format!("qchroot-{}-{system}-{arch}", version(workspace)?);
    let mut items = places.items(&workspace.root)?;
    items.extend(built.into_iter().flat_map(|built| built.items(places)));
    let tree = lay_out(&items, places, &all.join(&name))?;
    let archive = all.join(format!("{name}.{}", places.archive));
    pack_tree(&tree, &archive)?;
    let without = if built.is_none() { " (without the program)" } else { "" };
    println!("{}{without}", archive.display());
    Ok(tree)
}

pub(crate) fn version(workspace: &Workspace) -> Result<&str> {
    let package = workspace.packages().iter().find(|package| package["name"] == "qchroot");
    Ok(package.and_then(|package| package["version"].as_str()).ok_or("no package qchroot")?)
}

/// Puts `items` below `stage`, where nothing else is afterwards.
fn lay_out(items: &[Item], places: &Places, stage: &Path) -> Result<Tree> {
    if stage.exists() {
        fs::remove_dir_all(stage)?;
    }
    for directory in places.empty {
        make_directory(&stage.join(directory))?;
    }
    for (from, to, mode) in items {
        let mode = format!("{mode:o}");
        Run::new("install").args(["-D", "-m", &mode]).arg(from).arg(stage.join(to)).text()?;
    }
    // Whatever the umask: directories that everybody may enter.
    Run::new("chmod").args(["-R", "u=rwX,go=rX"]).arg(stage).text()?;
    let mut files: Vec<String> = items.iter().map(|(_, to, _)| to.clone()).collect();
    files.sort();
    let directories = own_directories(&files, places);
    Ok(Tree { stage: stage.to_owned(), files, directories })
}

/// What every archive is made with: no trace of when or where, no directory but those that are named.
const SAME: [&str; 3] = ["--format=ustar", "--no-recursion", "--mtime=@0"];

/// The owner of what unpacks over `/`.
const ROOT: [&str; 3] = ["--owner=0", "--group=0", "--numeric-owner"];

/// The tree as an archive that unpacks over `/`, compressed as its name says.
fn pack_tree(tree: &Tree, archive: &Path) -> Result<()> {
    let gzip = archive.extension().is_some_and(|it| it == "gz");
    let compress: &[&str] = if gzip { &["-I", "gzip -n -9"] } else { &[] };
    let tar = Run::new("tar").args(SAME).args(ROOT).args(compress).arg("-cf").arg(archive);
    tar.arg("-C").arg(&tree.stage).args(&tree.directories).args(&tree.files).text().map(drop)
}

/// `NAME.tar` beside the directory `name`: all that is in it.
pub(crate) fn archive(all: &Path, name: &str) -> Result<PathBuf> {
    let archive = all.join(format!("{name}.tar"));
    let stage = all.join(name);
    let mut below = fs::read_dir(&stage)?.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>>>()?;
    below.sort();
    let tar = Run::new("tar").args(SAME).args(ROOT).args(["--recursion", "--sort=name", "-cf"]);
    tar.arg(&archive).arg("-C").arg(&stage).args(below).text()?;
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    /// The lines of `tar -tv` of a tree laid out anew.
    fn listed(places: &Places) -> (Vec<String>, Vec<u8>) {
        let all = tempfile::tempdir().unwrap();
        let items = places.items(root()).unwrap();
        let tree = lay_out(&items, places, &all.path().join("tree")).unwrap();
        let archive = all.path().join(format!("tree.{}", places.archive));
        pack_tree(&tree, &archive).unwrap();
        let lines = Run::new("tar").env("TZ", "UTC").arg("-tvf").arg(&archive).text().unwrap();
        (lines.lines().map(str::to_owned).collect(), fs::read(archive).unwrap())
    }

    fn assert_has(lines: &[String], mode: &str, path: &str) {
        let found = lines.iter().any(|line| line.starts_with(mode) && line.ends_with(&format!(" {path}")));
        assert!(found, "no {mode} {path} in {lines:#?}");
    }

    #[test]
    fn each_system_has_its_files_where_it_looks_for_them() {
        let (linux, _) = listed(&LINUX);
        assert_has(&linux, "-rw-r--r--", "usr/lib/systemd/system/qchroot@.service");
        assert_has(&linux, "-rwxr-xr-x", "etc/init.d/qchroot");
        assert_has(&linux, "-rw-r--r--", "usr/share/man/man8/qchroot.8");
        assert_has(&linux, "-rw-r--r--", "usr/share/doc/qchroot/LICENSE");
        assert_has(&linux, "drwxr-xr-x", "usr/lib/qchroot/plugins/");
        let (freebsd, _) = listed(&FREEBSD);
        assert_has(&freebsd, "drwxr-xr-x", "usr/local/lib/qchroot/plugins/");
        assert_has(&freebsd, "-rwxr-xr-x", "usr/local/etc/rc.d/qchroot");
        assert_has(&freebsd, "drwxr-xr-x", "usr/local/etc/qchroot.local/");
        assert_has(&freebsd, "-rw-r--r--", "usr/local/etc/qchroot.toml.sample");
        assert!(freebsd.iter().all(|line| line.contains(" usr/local/")), "{freebsd:#?}");
    }

    /// Unpacked over `/`, an archive must not change what others own: no entry is for a directory that is not ours.
    #[test]
    fn directories_of_others_are_no_part_of_an_archive() {
        for places in [&LINUX, &FREEBSD] {
            let (lines, _) = listed(places);
            let directories: Vec<&str> =
                lines.iter().filter(|line| line.starts_with('d')).map(|line| line.as_str()).collect();
            assert!(directories.len() >= 4, "{directories:#?}");
            assert!(directories.iter().all(|line| line.contains("/qchroot")), "{directories:#?}");
        }
        let other = tempfile::tempdir().unwrap();
        let local = other.path().join("usr/local");
        Run::new("install").args(["-d", "-m", "711"]).arg(&local).text().unwrap();
        let tree = lay_out(&FREEBSD.items(root()).unwrap(), &FREEBSD, &other.path().join("tree")).unwrap();
        pack_tree(&tree, &other.path().join("tree.tar")).unwrap();
        Run::new("bsdtar")
            .arg("-xpf")
            .arg(other.path().join("tree.tar"))
            .arg("-C")
            .arg(other.path())
            .text()
            .unwrap();
        let mode =
            |path: &Path| Run::new("stat").args(["-c", "%a"]).arg(path).text().unwrap().trim().to_owned();
        assert_eq!(mode(&local), "711");
        assert_eq!(mode(&local.join("etc/rc.d/qchroot")), "755");
        assert_eq!(mode(&local.join("lib/qchroot/plugins")), "755");
    }

    #[test]
    fn an_archive_tells_nothing_of_its_making() {
        let (lines, bytes) = listed(&LINUX);
        for line in &lines {
            assert!(line.contains(" 0/0 ") && line.contains(" 1970-01-01 00:00 "), "{line}");
            assert!(!line.starts_with('d') || line.starts_with("drwxr-xr-x"), "{line}");
        }
        assert!(bytes == listed(&LINUX).1, "the same files give the same archive");
    }

    /// The name is the one that the library says it has, or it would not be found.
    #[test]
    fn examples_go_under_the_names_that_they_have_as_plug_ins() {
        let built = Built { program: "x".into(), examples: vec!["t/libqchroot_example_oci.so".into()] };
        let places: Vec<String> = built.items(&LINUX).into_iter().map(|(_, place, _)| place).collect();
        assert_eq!(places, ["usr/sbin/qchroot", "usr/share/doc/qchroot/examples/plugins/example.oci.so"]);
        for folder in fs::read_dir(root().join("plugins")).unwrap().map(|entry| entry.unwrap().path()) {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            if let Some(example) = name.strip_prefix("example-") {
                let text = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
                assert!(text.contains(&format!("\"example.{example}\"")), "{name} has another name");
            }
        }
    }

    #[test]
    fn what_starts_with_the_system_calls_the_program_where_it_is() {
        let boot = |file: &str| fs::read_to_string(root().join("crates/cli/boot").join(file)).unwrap();
        for (file, places) in [
            ("qchroot.service", &LINUX),
            ("qchroot@.service", &LINUX),
            ("qchroot.init.d", &LINUX),
            ("qchroot.rc.d", &FREEBSD),
        ] {
            assert!(boot(file).contains(&format!("/{}/qchroot", places.programs)), "{file}");
        }
    }
}
