//! The skeleton of a port: what `xtask/port` has, and what follows from the source: crates, sums, the list of files.
//!
//! Must not know how the program is built here.

use std::fs;
use std::path::{Path, PathBuf};

use super::places::{FREEBSD, Places};
use crate::Result;
use crate::run::Run;
use crate::workspace::{Workspace, make_directory, write_file};

/// Writes the source archive and `port/sysutils/qchroot` below `all`. What is archived is what was committed last.
pub(super) fn write(workspace: &Workspace, version: &str, all: &Path) -> Result<()> {
    let (root, port) = (&workspace.root, all.join("port/sysutils/qchroot"));
    make_directory(&port.join("files"))?;
    let source = all.join(format!("qchroot-{version}.tar.gz"));
    let prefix = format!("--prefix=qchroot-{version}/");
    Run::new("git").args(["archive", "--format=tar.gz", &prefix, "-o"]).arg(&source).arg("HEAD").text()?;
    let crates = crates(&fs::read_to_string(root.join("Cargo.lock"))?)?;
    // Those for other systems too: cargo wants the whole list to be there.
    Run::cargo().args(["fetch", "--quiet", "--locked"]).run()?;
    write_file(&port.join("Makefile"), &template(root, "Makefile")?.replace("@VERSION@", version))?;
    write_file(&port.join("Makefile.crates"), &makefile(&crates))?;
    write_file(&port.join("distinfo"), &distinfo(&source, &crates)?)?;
    write_file(&port.join("pkg-descr"), &description(root)?)?;
    write_file(&port.join("pkg-plist"), &plist(root)?)?;
    write_file(&port.join("files/qchroot.in"), &rc_script(root)?)?;
    println!("{}", port.display());
    Ok(())
}

fn template(root: &Path, file: &str) -> Result<String> {
    let path = root.join("xtask/port").join(file);
    fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()).into())
}

/// What the package is, in some paragraphs.
pub(super) fn description(root: &Path) -> Result<String> {
    template(root, "pkg-descr")
}

/// The value of a variable of the Makefile.
pub(super) fn variable(root: &Path, name: &str) -> Result<String> {
    let text = template(root, "Makefile")?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    Ok(value.ok_or(format!("the port's Makefile has no {name}"))?.trim().to_owned())
}

/// A package of the registry, as `Cargo.lock` has it.
struct Crate {
    /// `NAME-VERSION`.
    name: String,
    sha256: String,
}

/// The packages that come from the registry, in the order of `Cargo.lock`, which is by name and version.
fn crates(lock: &str) -> Result<Vec<Crate>> {
    let lock: toml::Table = lock.parse()?;
    let packages = lock.get("package").and_then(toml::Value::as_array).ok_or("no package in Cargo.lock")?;
    let text = |package: &toml::Value, key: &str| package.get(key)?.as_str().map(str::to_owned);
    let registered = packages.iter().filter_map(|package| {
        let name = format!("{}-{}", text(package, "name")?, text(package, "version")?);
        Some(Crate { name, sha256: text(package, "checksum")? })
    });
    Ok(registered.collect())
}

/// The list that `USES=cargo` reads.
fn makefile(crates: &[Crate]) -> String {
    let names: Vec<&str> = crates.iter().map(|it| it.name.as_str()).collect();
    format!("CARGO_CRATES=\t{}\n", names.join(" \\\n\t\t"))
}

/// Sums and sizes as `make makesum` writes them. The crates' sums are those of `Cargo.lock`.
fn distinfo(source: &Path, crates: &[Crate]) -> Result<String> {
    let committed = Run::new("git").args(["log", "-1", "--format=%ct"]).text()?;
    let mut text = format!("TIMESTAMP = {}\n", committed.trim());
    let mut add = |name: &str, sum: &str, size: u64| {
        text += &format!("SHA256 ({name}) = {sum}\nSIZE ({name}) = {size}\n");
    };
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    add(&name, &sha256(source)?, fs::metadata(source)?.len());
    let cached = cached()?;
    for Crate { name, sha256 } in crates {
        let file = format!("{name}.crate");
        let found = cached.iter().find_map(|folder| fs::metadata(folder.join(&file)).ok());
        let found = found.ok_or(format!("cargo has fetched no {file}"))?;
        add(&format!("rust/crates/{file}"), sha256, found.len());
    }
    Ok(text)
}

/// Where cargo keeps what it fetched, a folder for each registry.
fn cached() -> Result<Vec<PathBuf>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let cache = home.ok_or("neither CARGO_HOME nor HOME is set")?.join("registry/cache");
    let folders = fs::read_dir(&cache).map_err(|e| format!("cannot read {}: {e}", cache.display()))?;
    Ok(folders.map(|folder| Ok(folder?.path())).collect::<std::io::Result<_>>()?)
}

/// The SHA-256 of a file, in hexadecimal.
pub(super) fn sha256(file: &Path) -> Result<String> {
    let line = Run::new("sha256sum").arg("--").arg(file).text()?;
    Ok(line.split(' ').next().unwrap_or_default().to_owned())
}

/// The script for rc.d, with the place that the port is installed at left open.
fn rc_script(root: &Path) -> Result<String> {
    Ok(fs::read_to_string(root.join("crates/cli/boot/qchroot.rc.d"))?.replace("/usr/local", "%%PREFIX%%"))
}

/// What the port installs. The framework adds the script for rc.d by itself, and compresses the manual page.
fn plist(root: &Path) -> Result<String> {
    let items = FREEBSD.items(root)?;
    let places = items.iter().map(|(_, place, _)| place.as_str()).filter(|place| !place.contains("/rc.d/"));
    let program = format!("{}/qchroot", FREEBSD.programs);
    let mut lines: Vec<String> =
        places.chain([program.as_str()]).map(|place| plist_line(place, &FREEBSD)).collect();
    lines.sort_by(|a, b| a.trim_start_matches("@sample ").cmp(b.trim_start_matches("@sample ")));
    lines.extend(FREEBSD.empty.iter().map(|place| format!("@dir {}", below_prefix(place))));
    Ok(lines.join("\n") + "\n")
}

fn plist_line(place: &str, places: &Places) -> String {
    if let Some(file) = place.strip_prefix(places.documents) {
        return format!("%%PORTDOCS%%%%DOCSDIR%%{file}");
    }
    if let Some(file) = place.strip_prefix(places.examples) {
        return format!("%%PORTEXAMPLES%%%%EXAMPLESDIR%%{file}");
    }
    let path = below_prefix(place);
    let is_completion = [places.bash, places.zsh, places.fish].iter().any(|folder| place.starts_with(folder));
    match () {
        () if is_completion => format!("%%COMPLETIONS%%{path}"),
        () if place.starts_with(places.manual) => format!("{path}.gz"),
        () if path.ends_with(".sample") => format!("@sample {path}"),
        () => path.to_owned(),
    }
}

fn below_prefix(place: &str) -> &str {
    place.trim_start_matches("usr/local/")
}

#[cfg(test)]
mod tests;
