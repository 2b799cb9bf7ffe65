//! What belongs where on each system.
//!
//! Must not know what is made of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Result, man};

/// One file of a tree: where it is, where it goes, its mode.
pub(super) type Item = (PathBuf, String, u32);

/// Where a system has its files, from `/` on.
pub(super) struct Places {
    pub(super) programs: &'static str,
    pub(super) manual: &'static str,
    pub(super) bash: &'static str,
    pub(super) zsh: &'static str,
    pub(super) fish: &'static str,
    pub(super) documents: &'static str,
    pub(super) examples: &'static str,
    /// The settings to begin with, every one with its default.
    settings: &'static str,
    /// Directories that are empty at first: containers' settings, plug-ins of third parties.
    pub(super) empty: &'static [&'static str],
    /// How the archive's name ends, and so how it is compressed.
    pub(super) archive: &'static str,
    /// What starts and stops containers with the system: file below `crates/cli/boot`, place, mode.
    pub(super) boot: &'static [(&'static str, &'static str, u32)],
}

/// hier(7), the Filesystem Hierarchy Standard, and where each shell looks by itself.
pub(super) const LINUX: Places = Places {
    programs: "usr/sbin",
    manual: "usr/share/man/man8",
    bash: "usr/share/bash-completion/completions",
    zsh: "usr/share/zsh/vendor-completions",
    fish: "usr/share/fish/vendor_completions.d",
    documents: "usr/share/doc/qchroot",
    examples: "usr/share/doc/qchroot/examples",
    settings: "usr/share/doc/qchroot/examples/qchroot.toml",
    empty: &["usr/lib/qchroot/plugins"],
    archive: "tar.gz",
    boot: &[
        ("qchroot.service", "usr/lib/systemd/system/qchroot.service", 0o644),
        ("qchroot@.service", "usr/lib/systemd/system/qchroot@.service", 0o644),
        ("qchroot.init.d", "etc/init.d/qchroot", 0o755),
        ("qchroot.default", "etc/default/qchroot", 0o644),
    ],
};

/// hier(7) of FreeBSD; man(1) of 13 looks below `share` as well as ports of today install there.
pub(super) const FREEBSD: Places = Places {
    programs: "usr/local/sbin",
    manual: "usr/local/share/man/man8",
    bash: "usr/local/share/bash-completion/completions",
    zsh: "usr/local/share/zsh/site-functions",
    fish: "usr/local/share/fish/vendor_completions.d",
    documents: "usr/local/share/doc/qchroot",
    examples: "usr/local/share/examples/qchroot",
    settings: "usr/local/etc/qchroot.toml.sample",
    empty: &["usr/local/etc/qchroot.local", "usr/local/lib/qchroot/plugins"],
    archive: "tar",
    boot: &[("qchroot.rc.d", "usr/local/etc/rc.d/qchroot", 0o755)],
};

impl Places {
    /// Everything but the program.
    pub(super) fn items(&self, root: &Path) -> Result<Vec<Item>> {
        let boot = self
            .boot
            .iter()
            .map(|(from, to, mode)| (root.join("crates/cli/boot").join(from), (*to).to_owned(), *mode));
        let mut items: Vec<Item> = boot.collect();
        for file in man::files() {
            items.push((root.join("docs").join(file), self.generated(file)?, 0o644));
        }
        items.push((root.join("docs/qchroot.toml.example"), self.settings.to_owned(), 0o644));
        for page in pages(root)? {
            let name = page.file_name().unwrap_or_default().to_string_lossy().into_owned();
            items.push((page, format!("{}/{name}", self.documents), 0o644));
        }
        Ok(items)
    }

    /// Where a file goes that is made from the definition of the command line. csh and ksh look nowhere.
    fn generated(&self, file: &str) -> Result<String> {
        let (_, extension) = file.rsplit_once('.').unwrap_or_default();
        Ok(match extension {
            "8" => format!("{}/qchroot.8", self.manual),
            "bash" => format!("{}/qchroot", self.bash),
            "zsh" => format!("{}/_qchroot", self.zsh),
            "fish" => format!("{}/qchroot.fish", self.fish),
            "csh" | "ksh" => format!("{}/qchroot.{extension}", self.examples),
            _ => return Err(format!("no system has a place for {file}").into()),
        })
    }
}

/// Directories of a tree that are the program's own. Those that it shares with others, such as `/usr/local`, are no part
/// of an archive: unpacked over `/`, it would give them its owner and mode.
pub(super) fn own_directories(files: &[String], places: &Places) -> Vec<String> {
    let mut own = BTreeSet::new();
    for path in
        files.iter().filter_map(|file| Path::new(file).parent()).chain(places.empty.iter().map(Path::new))
    {
        let ours = |path: &&Path| path.iter().any(|name| name.to_string_lossy().starts_with("qchroot"));
        own.extend(path.ancestors().filter(ours).map(|path| path.display().to_string()));
    }
    own.into_iter().collect()
}

/// What there is to read.
fn pages(root: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(root.join("docs"))?.collect::<std::io::Result<Vec<_>>>()?;
    let pages = entries.into_iter().map(|entry| entry.path());
    let mut pages: Vec<PathBuf> =
        pages.filter(|page| page.extension().is_some_and(|it| it == "md")).collect();
    pages.extend(["README.md", "CHANGELOG.md", "LICENSE"].map(|file| root.join(file)));
    Ok(pages)
}
