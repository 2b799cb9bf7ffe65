//! A shared tree as a base: renamed into `releases`, with a link where it was, so that containers that stay with the old
//! tool still find it.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_adopt::{Shared, System, Template};
use qchroot_api::{
    Brand, Error, ErrorKind, Options, Place, Plan, Platform, Release, ReleaseId, Result, Step,
};
use sha2::{Digest, Sha256};

use super::Sharing;
use super::standing::Machine;
use crate::{BaseFile, Engine, Installed, userland};

/// What a base's description says of its source.
pub(crate) const SOURCE: &str = "adopted";

impl Engine<'_> {
    pub(super) fn sharing(&self, system: &System, shared: &Shared, machine: &Machine) -> Sharing {
        let mut shared = shared.clone();
        let taken = self.taken_before(&shared.at).and_then(|known| match known {
            Some(Installed { base, file }) => {
                shared.paths = file.shared;
                Ok((base.id, vec![]))
            }
            None => self.base_taken(system, &shared, machine),
        });
        match taken {
            Ok((id, plan)) => Sharing { shared, base: Ok(id), plan },
            Err(error) => Sharing { shared, base: Err(error), plan: vec![] },
        }
    }

    fn base_taken(&self, system: &System, shared: &Shared, machine: &Machine) -> Result<(ReleaseId, Plan)> {
        let what = format!("the shared tree of {}", system.tool);
        Machine::require_directory(self, &what, &shared.at)?;
        if let Some((name, why)) = &machine.running {
            return Err(Error::new(ErrorKind::Busy, format!("{what} is in use by {name}: {why}"))
                .with("container", name)
                .hint(format!("stop everything with the old tool first: `{}`", system.tool.stop(name))));
        }
        machine.refuse_unmovable(self, &what, &shared.at)?;
        if shared.paths.is_empty() {
            return Err(Error::new(
                ErrorKind::BadData,
                format!("nothing says which paths of {} are shared", shared.at),
            )
            .with("path", &shared.at)
            .hint("the template beside it has links to them, such as bin; put it back, or make it anew"));
        }
        if let Template::Tree(template) = &shared.template {
            let what = format!("the template of {}", system.tool);
            Machine::require_directory(self, &what, template)?;
            machine.refuse_unmovable(self, &what, template)?;
        }
        let file = self.description_of(system, shared)?;
        let id = Release::new(&file.version, file.brand, &file.digest, &Options::new()).id()?;
        let plan = self.base_plan(shared, &id, file)?;
        Ok((id, plan))
    }

    /// The base that a shared tree became: a link stands where it was.
    fn taken_before(&self, at: &Utf8Path) -> Result<Option<Installed>> {
        if self.link_target(at)?.is_none() {
            return Ok(None);
        }
        let releases = self.view().real_path(&self.layout.releases())?;
        let real = self.view().real_path(at)?;
        let id = real.strip_prefix(&releases).ok().and_then(|path| path.iter().next());
        let Some(id) = id else {
            return Err(Error::new(
                ErrorKind::Config,
                format!("{at} is a link to {real}, which is no release here"),
            )
            .with("path", at));
        };
        self.base(&id.parse()?).map(Some)
    }

    fn description_of(&self, system: &System, shared: &Shared) -> Result<BaseFile> {
        let trees = [
            Some(&shared.at),
            match &shared.template {
                Template::Tree(template) => Some(template),
                Template::Paths(_) => None,
            },
        ];
        let mut trees = trees.into_iter().flatten();
        let version = trees.clone().find_map(|tree| userland::version(tree, self.view()));
        let version = version.unwrap_or_else(|| system.tool.name().into());
        let brand = trees.find_map(|tree| userland::brand(tree, self.view()));
        let brand = match brand {
            Some(brand) => brand,
            None if self.view().platform()? == Platform::Linux => Brand::Linux,
            None => Brand::Freebsd,
        };
        let stat = self.view().stat(&Place::host(&shared.at))?;
        let known_by = format!("{} {} {version} {:?}", system.tool, shared.at, stat.map(|stat| stat.id));
        let digest: String = Sha256::digest(known_by).iter().map(|byte| format!("{byte:02x}")).collect();
        let release = Release::new(version, brand, digest, &Options::new());
        Ok(BaseFile { shared: shared.paths.clone(), ..Self::new_base_file(SOURCE, &release, true) })
    }

    fn base_plan(&self, shared: &Shared, id: &ReleaseId, file: BaseFile) -> Result<Plan> {
        let dir = self.layout.release(id);
        let (sharedfs, template) = (dir.join("sharedfs"), dir.join("template"));
        let mut plan = vec![Step::MakeDir { at: Place::host(&dir), mode: 0o755 }];
        plan.extend(self.moved(&shared.at, &sharedfs)?);
        match &shared.template {
            Template::Tree(tree) => {
                plan.extend(self.moved(tree, &template)?);
                plan.extend(self.without_links(tree, &template, shared)?);
            }
            Template::Paths(paths) => plan.extend(copies(&sharedfs, &template, paths)),
        }
        let text = self.describe_text(&file)?;
        plan.push(Step::WriteFile {
            at: Place::host(dir.join("release.toml")),
            text,
            mode: 0o644,
            was: None,
        });
        plan.push(Step::Record { base: dir });
        if self.link_target(&self.layout.current())?.is_none() {
            plan.extend(self.switch_to(id)?);
        }
        Ok(plan)
    }

    /// A tree is renamed, and a link left in its place, unless its place is where this system has its own link.
    fn moved(&self, from: &Utf8Path, to: &Utf8Path) -> Result<Plan> {
        let lib = self.view().real_path(&self.layout.lib)?;
        let mut plan = vec![Step::Move { from: Place::host(from), to: Place::host(to) }];
        let is_own_name = from == lib.join("sharedfs") || from == lib.join("template");
        if !is_own_name {
            plan.push(Step::Link { at: Place::host(from), to: to.into(), was: None });
        }
        Ok(plan)
    }

    /// A template here has neither links into the shared part nor its mount point: the storage puts its own beside a
    /// copy of it. The mount point stays beside the template, so that the way back is whole.
    fn without_links(&self, tree: &Utf8Path, template: &Utf8Path, shared: &Shared) -> Result<Plan> {
        let mut plan = vec![];
        if self.view().stat(&Place::within(tree, &shared.mount))?.is_some() {
            let to = Place::host(template.with_file_name("mount-point"));
            plan.push(Step::Move { from: Place::within(template, &shared.mount), to });
        }
        for path in &shared.paths {
            if let Some(was) = self.view().link(&Place::within(tree, path))? {
                plan.push(Step::Unlink { at: Place::within(template, path), was });
            }
        }
        Ok(plan)
    }
}

/// A template from a whole userland: what its containers have copies of, which is small.
fn copies(tree: &Utf8Path, template: &Utf8Path, paths: &[Utf8PathBuf]) -> Plan {
    let make = |path: &Utf8Path| Step::MakeDir { at: Place::host(path), mode: 0o755 };
    let mut plan = vec![make(template), make(&template.join("usr")), make(&template.join("usr/local"))];
    let copy = |path: &Utf8PathBuf| Step::CopyTree { from: tree.join(path), to: template.join(path) };
    plan.extend(paths.iter().map(copy));
    plan
}
