//! `export` and `import`: their arguments, and how their results are shown.

use std::io::IsTerminal;

use camino::Utf8PathBuf;
use clap::Args;
use qchroot_api::{Error, ErrorKind, Result};
use qchroot_engine::{ContainerFile, ExportTo, Exported, ImportWish, Imported, Watch};

use crate::print;
use crate::run::{Front, absolute};

const EXPORT_EXAMPLES: &str = "Examples:
  qchroot export web /srv/web.qchroot
  qchroot export web - | ssh HOST 'cat > web.qchroot'
  tar --zstd -tvf web.qchroot              see what is in it

The container must be stopped. An export that was interrupted leaves FILE.part;
the same command goes on with it, and so does one after a crash. The file holds
all of the container's secrets: it is made for root's eyes only.
Upgrades and snapshots that could be rolled back are not in it.";

const IMPORT_EXAMPLES: &str = "Examples:
  qchroot --dry-run import /srv/web.qchroot   show its services and options first
  qchroot import /srv/web.qchroot
  qchroot import /srv/web.qchroot web2
  qchroot import /srv/web.qchroot --release debian-12-amd64-1f0c2a9be4d7

The release that the container was exported with must be installed. A file that is
cut off or changed is refused, and nothing is left of it.";

/// Write a stopped container into one file, to be carried to another host
#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct Export {
    /// The container
    pub(crate) name: String,
    /// The file; - is standard output
    pub(crate) file: Utf8PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Make a container of the file that an export made
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(crate) struct Import {
    /// The file that an export made
    pub(crate) file: Utf8PathBuf,
    /// The container's name [default: the exported one]
    pub(crate) name: Option<String>,
    /// Another installed release of the same version
    #[arg(long, value_name = "ID")]
    pub(crate) release: Option<String>,
}

impl Front<'_> {
    pub(crate) fn export(&self, args: &Export) -> Result<()> {
        let name = args.name.parse()?;
        if args.file == "-" {
            let mut out = std::io::stdout();
            if out.is_terminal() {
                let error = Error::new(ErrorKind::Usage, "an export is not written to a terminal");
                return Err(error.hint("name a file, or send it through a pipe"));
            }
            return self.engine.export(&name, ExportTo::Stream(&mut out)).map(drop);
        }
        let to = ExportTo::File { path: absolute(&args.file)?.into(), force: args.force };
        match self.engine.export(&name, to)? {
            None => Ok(()),
            Some(exported) if self.json => print::json(&exported),
            Some(_) if self.screen.is_quiet() => Ok(()),
            Some(Exported { file, bytes, .. }) => {
                let file = file.unwrap_or_default();
                print::line(&format!("{name}: exported to {} ({bytes} bytes)", print::escape(file.as_str())))
            }
        }
    }

    pub(crate) fn import(&self, args: Import) -> Result<()> {
        let name = args.name.map(|name| name.parse()).transpose()?;
        let release = args.release.map(|id| id.parse()).transpose()?;
        let file = absolute(&args.file)?.into();
        let imported = self.engine.import(&ImportWish { file, name, release })?;
        match (self.engine.dry_run, self.json) {
            (true, true) => Ok(()),
            (true, false) => comes_with_it(&imported.file),
            (false, true) => print::json(&imported),
            (false, false) => {
                let Imported { name, release, .. } = imported;
                self.screen.said(&name, &format!("imported, with release {release}"));
                Ok(())
            }
        }
    }
}

/// What somebody else decided, which holds here from now on.
fn comes_with_it(file: &ContainerFile) -> Result<()> {
    let boot = if file.boot { "yes" } else { "no" };
    print::line(&format!("comes with it: starts with the system: {boot}"))?;
    for (what, choice) in [("storage", &file.storage), ("isolation", &file.isolation)] {
        print::line(&print::escape(&format!("comes with it: {what} {}", choice.backend)))?;
        for (key, value) in &choice.options {
            print::line(&print::escape(&format!("comes with it: {what}.{key} = {value}")))?;
        }
    }
    for service in &file.service {
        print::line(&print::escape(&format!("comes with it: service {}", service.service()?)))?;
    }
    for entry in &file.permission {
        print::line(&print::escape(&format!("comes with it: permission of {}", entry.path)))?;
    }
    file.node
        .iter()
        .try_for_each(|node| print::line(&print::escape(&format!("comes with it: device {}", node.path))))
}
