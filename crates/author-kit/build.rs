//! Packs what a new project consists of: the templates as they are, and the sources of the crates that plug-ins are
//! written with, as a workspace of their own.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use tar::{Builder, Header};
use toml::{Table, Value};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The crates that an author's project needs, in `crates/`.
const CRATES: [&str; 3] = ["abi", "api", "plugin"];

/// Modules of the program's side alone, which stand behind the feature `host` of the crate abi.
const HOST_FEATURE: &str = "#[cfg(feature = \"host\")]";

/// The best that is still quick to make; what is unpacked costs the same at every level.
const LEVEL: i32 = 19;

fn main() -> Result<()> {
    let package = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let workspace = package.join("../..");
    let mut pack = Pack(Builder::new(Vec::new()));
    pack.tree(&package.join("templates"), "templates", &BTreeSet::new())?;
    for name in CRATES {
        let from = workspace.join("crates").join(name);
        let lib = fs::read_to_string(from.join("src/lib.rs"))?;
        pack.tree(&from.join("src"), &format!("sdk/crates/{name}/src"), &of_host(&lib))?;
        pack.file(&from.join("Cargo.toml"), &format!("sdk/crates/{name}/Cargo.toml"))?;
    }
    pack.bytes("sdk/Cargo.toml", manifest(&workspace)?.as_bytes())?;
    pack.file(&workspace.join("LICENSE"), "sdk/LICENSE")?;
    pack.file(&workspace.join("Cargo.lock"), "Cargo.lock")?;
    let packed = zstd::encode_all(&*pack.0.into_inner()?, LEVEL)?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    fs::write(out.join("kit.tar.zst"), packed)?;
    Ok(())
}

struct Pack(Builder<Vec<u8>>);

impl Pack {
    fn tree(&mut self, from: &Path, to: &str, without: &BTreeSet<String>) -> Result<()> {
        println!("cargo::rerun-if-changed={}", from.display());
        let mut entries: Vec<_> = fs::read_dir(from)?.collect::<std::io::Result<_>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().into_string().map_err(|name| format!("{name:?} is no text"))?;
            let to = format!("{to}/{name}");
            match entry.file_type()?.is_dir() {
                _ if without.contains(&name) => {}
                true => self.tree(&entry.path(), &to, without)?,
                false => self.file(&entry.path(), &to)?,
            }
        }
        Ok(())
    }

    fn file(&mut self, from: &Path, to: &str) -> Result<()> {
        println!("cargo::rerun-if-changed={}", from.display());
        self.bytes(to, &fs::read(from)?)
    }

    fn bytes(&mut self, to: &str, content: &[u8]) -> Result<()> {
        let mut header = Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        Ok(self.0.append_data(&mut header, to, content)?)
    }
}

/// The files and folders of the modules that stand behind the feature.
fn of_host(lib: &str) -> BTreeSet<String> {
    let lines = lib.lines().zip(lib.lines().skip(1)).filter(|(line, _)| line.trim() == HOST_FEATURE);
    let names = lines.filter_map(|(_, next)| next.trim_start_matches("pub ").strip_prefix("mod "));
    let names = names.map(|name| name.trim_end_matches(';'));
    names.flat_map(|name| [name.to_owned(), format!("{name}.rs")]).collect()
}

/// The workspace's manifest, with no other members and nothing that these do not refer to.
fn manifest(workspace: &Path) -> Result<String> {
    let read = |path: PathBuf| -> Result<Table> { Ok(fs::read_to_string(path)?.parse()?) };
    println!("cargo::rerun-if-changed={}", workspace.join("Cargo.toml").display());
    let mut used = BTreeSet::new();
    for name in CRATES {
        let manifest = read(workspace.join("crates").join(name).join("Cargo.toml"))?;
        let tables = ["dependencies", "dev-dependencies"].map(|table| manifest.get(table)?.as_table());
        used.extend(tables.into_iter().flatten().flat_map(Table::keys).cloned());
    }
    let mut whole = read(workspace.join("Cargo.toml"))?;
    let own = whole.get_mut("workspace").and_then(Value::as_table_mut).ok_or("no workspace")?;
    own.remove("default-members");
    own.insert("members".into(), Value::Array(vec!["crates/*".into()]));
    let dependencies = own.get_mut("dependencies").and_then(Value::as_table_mut);
    dependencies.ok_or("no dependencies")?.retain(|name, _| used.contains(name));
    let only: Table = whole.into_iter().filter(|(name, _)| name == "workspace").collect();
    Ok(toml::to_string_pretty(&only)?)
}
