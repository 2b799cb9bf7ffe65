//! The manual page and the completions: made from the program's own definition of its command line, and
//! committed, so that a package needs no Rust to ship them.

use std::path::{Path, PathBuf};

use crate::run::Run;
use crate::workspace::{Workspace, make_directory};
use crate::{Result, setup};

/// The committed files, and what reads each to see that it is well formed.
const FILES: &[(&str, &[&str])] = &[
    ("man/qchroot.8", &["mandoc", "-T", "lint", "-W", "error"]),
    ("completions/qchroot.bash", &["bash", "-n"]),
    ("completions/qchroot.zsh", &["zsh", "-n"]),
    ("completions/qchroot.fish", &["fish", "--no-execute"]),
    ("completions/qchroot.csh", &["tcsh", "-f", "-n"]),
    ("completions/qchroot.ksh", &["mksh", "-n"]),
];

/// The committed files below `docs`.
pub(crate) fn files() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(file, _)| *file)
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing: fail if the committed files are not what would be written
    #[arg(long)]
    check: bool,
}

/// `cargo xtask man`.
pub(crate) fn task(workspace: &Workspace, args: &Args) -> Result<()> {
    if args.check { check(workspace) } else { generate(&workspace.root.join("docs")) }
}

/// Fails if a committed file differs from what the program's definition gives, or is not well formed.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    setup::ensure(setup::MANUAL)?;
    let fresh = workspace.target.join("generated");
    generate(&fresh)?;
    let committed = workspace.root.join("docs");
    let stale: Vec<&str> = files().filter(|file| differ(&fresh, &committed, file)).collect();
    if !stale.is_empty() {
        return Err(format!("not as generated: {}: run `cargo xtask man` and commit", stale.join(" ")).into());
    }
    for (file, reader) in FILES {
        read_with(reader, &committed.join(file))?;
    }
    println!("man: {} files are as generated and well formed", FILES.len());
    Ok(())
}

/// A program of its own, because it needs all of qchroot to be compiled and the other tasks do not.
fn generate(into: &Path) -> Result<()> {
    for folder in ["man", "completions"] {
        make_directory(&into.join(folder))?;
    }
    let program = ["run", "--quiet", "--package=xtask", "--features=generate", "--bin=generate", "--"];
    Run::cargo().args(program).arg(into).run()
}

fn differ(one: &Path, other: &Path, file: &str) -> bool {
    let read = |directory: &Path| std::fs::read(directory.join(file)).ok();
    read(one).is_none() || read(one) != read(other)
}

fn read_with(reader: &[&str], file: &PathBuf) -> Result<()> {
    let output = Run::new(reader[0]).args(&reader[1..]).arg(file).capture()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{} rejects {}: {}", reader[0], file.display(), String::from_utf8_lossy(&said)).into())
}
