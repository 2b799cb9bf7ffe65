//! The package for pkg(8): two manifests and the files by their full names, as libpkg packs and reads them
//! (pkg-create(8)).
//!
//! Must not know what the files say.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{SAME, Tree, port};
use crate::Result;
use crate::freebsd::Arch;
use crate::run::Run;
use crate::workspace::{make_directory, write_file};

/// The release of FreeBSD whose libraries the program is linked against.
const RELEASE: u32 = 14;

/// What describes a package: for a repository, and in full.
const MANIFESTS: [&str; 2] = ["+COMPACT_MANIFEST", "+MANIFEST"];

/// Writes `ABI/qchroot-VERSION.pkg` below `all`, as repositories have it.
pub(super) fn write(root: &Path, all: &Path, tree: &Tree, version: &str, arch: Arch) -> Result<()> {
    let (abi, legacy) = names(arch);
    let directory = all.join(&abi);
    make_directory(&directory)?;
    let mut manifest = json!({
        "name": "qchroot",
        "origin": "sysutils/qchroot",
        "version": version,
        "comment": port::variable(root, "COMMENT")?,
        "maintainer": port::variable(root, "MAINTAINER")?,
        "www": port::variable(root, "WWW")?,
        "abi": abi,
        "arch": legacy,
        "prefix": "/usr/local",
        "flatsize": flat_size(tree)?,
        "licenselogic": "single",
        "licenses": ["BSD2CLAUSE"],
        "desc": port::description(root)?.trim_end(),
        "categories": ["sysutils"],
    });
    write_file(&directory.join(MANIFESTS[0]), &manifest.to_string())?;
    manifest["files"] = sums(tree)?;
    manifest["directories"] = tree.directories.iter().map(|path| (format!("/{path}"), json!("y"))).collect();
    write_file(&directory.join(MANIFESTS[1]), &manifest.to_string())?;
    let package = directory.join(format!("qchroot-{version}.pkg"));
    pack(tree, &directory, &package)?;
    for manifest in MANIFESTS {
        fs::remove_file(directory.join(manifest))?;
    }
    println!("{}", package.display());
    Ok(())
}

/// What pkg(8) calls the system: now, and before 1.2.
fn names(arch: Arch) -> (String, String) {
    match arch {
        Arch::X86_64 => (format!("FreeBSD:{RELEASE}:amd64"), format!("freebsd:{RELEASE}:x86:64")),
        Arch::Aarch64 => (format!("FreeBSD:{RELEASE}:aarch64"), format!("freebsd:{RELEASE}:aarch64:64")),
    }
}

fn flat_size(tree: &Tree) -> Result<u64> {
    let sizes = tree.files.iter().map(|file| Ok(fs::metadata(tree.stage.join(file))?.len()));
    sizes.sum::<Result<u64>>()
}

/// `1$` is libpkg's mark of a SHA-256 in hexadecimal.
fn sums(tree: &Tree) -> Result<Value> {
    let mut sums = Map::new();
    for file in &tree.files {
        sums.insert(format!("/{file}"), format!("1${}", port::sha256(&tree.stage.join(file))?).into());
    }
    Ok(sums.into())
}

/// The manifests first, so that they can be read without the rest; then files, then directories.
fn pack(tree: &Tree, manifests: &Path, package: &Path) -> Result<()> {
    let full_names = ["--absolute-names", "--transform=s,^usr/,/usr/,"];
    let tar = Run::new("tar").args(SAME).args(["--owner=root:0", "--group=wheel:0", "--mode=u=rwX,go=rX"]);
    let tar = tar.args(full_names).args(["-I", "zstd -q -19", "-cf"]).arg(package);
    let tar = tar.arg("-C").arg(manifests).args(MANIFESTS);
    tar.arg("-C").arg(&tree.stage).args(&tree.files).args(&tree.directories).text().map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::places::FREEBSD;
    use super::super::{Built, lay_out};
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    /// A package whose program is a text, in `all`.
    fn packed(all: &Path) -> std::path::PathBuf {
        let program = all.join("qchroot");
        fs::write(&program, "a program\n").unwrap();
        let mut items = FREEBSD.items(root()).unwrap();
        items.extend(Built { program, examples: vec![] }.items(&FREEBSD));
        let tree = lay_out(&items, &FREEBSD, &all.join("tree")).unwrap();
        write(root(), all, &tree, "1.2.3", Arch::X86_64).unwrap();
        all.join("FreeBSD:14:amd64/qchroot-1.2.3.pkg")
    }

    fn tar(words: &[&str], package: &Path) -> String {
        Run::new("tar").env("TZ", "UTC").args(["-I", "zstd", "-P"]).args(words).arg(package).text().unwrap()
    }

    #[test]
    fn a_package_begins_with_its_manifests_and_has_full_names() {
        let all = tempfile::tempdir().unwrap();
        let package = packed(all.path());
        let lines = tar(&["-tvf"], &package);
        let entries: Vec<(&str, &str)> =
            lines.lines().map(|line| (&line[..10], line.rsplit(' ').next().unwrap())).collect();
        assert_eq!(entries[0].1, "+COMPACT_MANIFEST");
        assert_eq!(entries[1].1, "+MANIFEST");
        assert!(entries[2..].iter().all(|(_, name)| name.starts_with("/usr/local/")), "{lines}");
        assert!(entries.contains(&("-rwxr-xr-x", "/usr/local/sbin/qchroot")), "{lines}");
        assert!(entries.contains(&("-rwxr-xr-x", "/usr/local/etc/rc.d/qchroot")), "{lines}");
        assert!(entries.contains(&("drwxr-xr-x", "/usr/local/lib/qchroot/plugins/")), "{lines}");
        assert!(lines.lines().all(|line| line.contains(" root/wheel ")), "{lines}");
        let first_directory = entries.iter().position(|(mode, _)| mode.starts_with('d')).unwrap();
        assert!(entries[first_directory..].iter().all(|(mode, _)| mode.starts_with('d')), "{lines}");
        let bytes = fs::read(&package).unwrap();
        assert_eq!(&bytes[..4], [0x28, 0xb5, 0x2f, 0xfd], "zstd's magic number");
        assert!(bytes == fs::read(packed(all.path())).unwrap(), "the same files give the same package");
    }

    #[test]
    fn the_manifests_name_every_file_with_its_sum() {
        let all = tempfile::tempdir().unwrap();
        let package = packed(all.path());
        let read = |name: &str| serde_json::from_str::<Value>(&tar(&["-xO", name, "-f"], &package)).unwrap();
        let (compact, full) = (read("+COMPACT_MANIFEST"), read("+MANIFEST"));
        for key in
            ["name", "origin", "version", "comment", "maintainer", "www", "abi", "arch", "prefix", "desc"]
        {
            assert!(full[key].as_str().is_some_and(|value| !value.is_empty()), "pkg wants {key}");
            assert_eq!(compact[key], full[key]);
        }
        assert_eq!((&full["abi"], &full["version"]), (&json!("FreeBSD:14:amd64"), &json!("1.2.3")));
        assert!(compact["files"].is_null() && compact["directories"].is_null());
        // libpkg writes and reads other signs than ASCII, and `%`, as `%XX`.
        assert!(full["desc"].as_str().unwrap().chars().all(|c| c.is_ascii() && c != '%'));
        let out = all.path().join("out");
        fs::create_dir(&out).unwrap();
        let unpack = Run::new("tar").args(["-I", "zstd", "-xpf"]).arg(&package).arg("-C").arg(&out);
        unpack.text().unwrap();
        let files = full["files"].as_object().unwrap();
        let mut size = 0;
        for (path, sum) in files {
            let there = out.join(path.trim_start_matches('/'));
            let check = Run::new("openssl").args(["dgst", "-sha256", "-r"]).arg(&there).text().unwrap();
            assert_eq!(sum.as_str().unwrap(), format!("1${}", check.split(' ').next().unwrap()), "{path}");
            size += fs::metadata(there).unwrap().len();
        }
        assert_eq!(full["flatsize"], size);
        let find =
            |kind: &str| Run::new("find").arg(&out).args(["-mindepth", "1", "-type", kind]).text().unwrap();
        assert_eq!(
            find("f").lines().count(),
            files.len() + 2,
            "every file is in the manifest, and nothing else"
        );
        assert_eq!(full["directories"]["/usr/local/etc/qchroot.local"], "y");
        assert!(full["directories"].get("/usr/local/etc").is_none());
    }

    #[test]
    fn the_release_is_the_one_that_is_linked_against() {
        let text = fs::read_to_string(root().join("xtask/src/freebsd/kit.rs")).unwrap();
        assert!(text.contains(&format!("\"freebsd.{RELEASE}.0\"")));
        assert_eq!(names(Arch::Aarch64).0, "FreeBSD:14:aarch64");
    }
}
