//! A container of another tool as one of this system: its administration file, and the steps that take its tree.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_adopt::{Found, Shared, System};
use qchroot_api::{
    Error, ErrorKind, FileKind, Name, Place, Plan, ReleaseId, Result, SHARED_PART, Step, into_shared,
};

use super::report::AdoptedContainer;
use super::standing::Machine;
use super::{AdoptWish, Sharing};
use crate::config::{Choice, ContainerFile, FORMAT};
use crate::ops::install::set_options;
use crate::service_entry::in_order;
use crate::{Engine, LimitsTable, ServiceEntry};

/// The storage that these tools have in common with this project.
const STORAGE: &str = "nullfs";

/// The isolation of tools that make jails.
const JAIL: &str = "jail";

impl Engine<'_> {
    pub(super) fn container_taken(
        &self,
        system: &System,
        found: &Found,
        sharing: &[Sharing],
        machine: &Machine,
        wish: &AdoptWish,
    ) -> Result<AdoptedContainer> {
        let name: Name = found.name.parse()?;
        Machine::require_directory(self, &found.name, &found.root)?;
        machine.refuse_running(self, system, found)?;
        machine.refuse_unmovable(self, &found.name, &found.root)?;
        self.refuse_name(&name, found)?;
        let sharing = sharing.iter().find(|sharing| sharing.shared.at == found.shared);
        let sharing = sharing.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("{} shares {}, which is not there", name, found.shared))
        })?;
        let release = sharing.base.clone()?;
        self.refuse_nested(system, found)?;
        let mut warnings = vec![];
        let file = self.adopted_file(&name, found, &release, wish, &mut warnings)?;
        let steps = self.container_plan(&name, found, &sharing.shared, &file, &mut warnings)?;
        let back = self.way_back(&name, found);
        let from = found.root.clone();
        Ok(AdoptedContainer { name, from, release, file, warnings, done: false, steps, back })
    }

    /// As when a container is made, but for its own tree, which may stand where it will be.
    fn refuse_name(&self, name: &Name, found: &Found) -> Result<()> {
        let own = self.view().real_path(&self.layout.container(name))?;
        if found.root == own && self.host.read_own(&self.layout.file(name))?.is_none() {
            return Ok(());
        }
        self.refuse_taken(name)
    }

    /// A tree in another's, or in what is shared, is nobody's to rename.
    fn refuse_nested(&self, system: &System, found: &Found) -> Result<()> {
        let others = system.containers.iter().filter(|other| *other != found).map(|other| &other.root);
        let others = others.chain(system.shared.iter().map(|shared| &shared.at));
        for other in others {
            if found.root.starts_with(other) || other.starts_with(&found.root) {
                let message = format!("{} of {} and {other} lie one in the other", found.root, found.name);
                return Err(Error::new(ErrorKind::Config, message).with("container", &found.name));
            }
        }
        Ok(())
    }

    fn adopted_file(
        &self,
        name: &Name,
        found: &Found,
        release: &ReleaseId,
        wish: &AdoptWish,
        warnings: &mut Vec<String>,
    ) -> Result<ContainerFile> {
        let usual = if found.jail { JAIL } else { "chroot" };
        let backend = wish.isolation.clone().unwrap_or_else(|| usual.into());
        let isolation = self.registry.isolation(&backend)?;
        let info = isolation.info();
        let mut choice = Choice { backend, options: Default::default() };
        if choice.backend == usual {
            set_options(&mut choice.options, &info, &found.options)?;
        } else if !found.options.is_empty() {
            warnings.push(format!("its jail's options are left out: isolation is {}", choice.backend));
        }
        isolation.check(&choice.options)?;
        self.refuse_foreign_isolation(&info)?;
        let limits = LimitsTable::of(&found.limits)?;
        self.refuse_limits(name, &limits, &info)?;
        let is_whole = choice.options.get("style").and_then(|style| style.as_str()) == Some("system");
        Ok(ContainerFile {
            format: FORMAT,
            release: Some(release.clone()),
            boot: found.boot,
            after: vec![],
            requires: required(found, warnings),
            keep_run_files: false,
            storage: Choice { backend: STORAGE.into(), options: Default::default() },
            isolation: choice,
            limits,
            service: if is_whole { vec![] } else { self.services_of(found)? },
            permission: vec![],
            node: vec![],
        })
    }

    fn refuse_foreign_isolation(&self, info: &qchroot_api::Info) -> Result<()> {
        let platform = self.view().platform()?;
        if info.platforms.contains(&platform) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            format!("isolation {} does not work on {platform}", info.name),
        )
        .hint("choose another one with --isolation, for example chroot"))
    }

    fn services_of(&self, found: &Found) -> Result<Vec<ServiceEntry>> {
        let script = |service: &String| qchroot_adopt::script(self.view(), &found.root, service);
        let entry = |service: &String| Some(ServiceEntry::of_script(service, script(service)?.as_str()));
        let entries: Vec<ServiceEntry> = found.services.iter().filter_map(entry).collect();
        in_order(&entries)?;
        Ok(entries)
    }

    fn container_plan(
        &self,
        name: &Name,
        found: &Found,
        shared: &Shared,
        file: &ContainerFile,
        warnings: &mut Vec<String>,
    ) -> Result<Plan> {
        let dir = self.layout.container(name);
        let root = dir.join("root");
        let make = Step::MakeDir { at: Place::host(&dir), mode: 0o700 };
        let mv = |from: &Utf8Path, to: &Utf8Path| Step::Move { from: Place::host(from), to: Place::host(to) };
        let mut plan = if found.root == self.view().real_path(&dir)? {
            let aside = self.layout.aside(name);
            vec![mv(&dir, &aside), make, mv(&aside, &root)]
        } else {
            vec![make, mv(&found.root, &root)]
        };
        plan.extend(self.own_links(found, shared, &root, warnings)?);
        plan.push(self.write_file(name, file)?);
        Ok(plan)
    }

    /// The old tool's links into the shared tree become those that storage `nullfs` makes. Others are the container's.
    fn own_links(
        &self,
        found: &Found,
        shared: &Shared,
        root: &Utf8Path,
        warnings: &mut Vec<String>,
    ) -> Result<Plan> {
        let place = |path: &Utf8Path| Place::within(&found.root, path);
        let mut plan = self.mount_point(found, root, &shared.mount)?;
        let mut thin = false;
        for path in &shared.paths {
            let to = into_shared(path);
            match self.view().link(&place(path))? {
                Some(was) if was == to || leads_to(&was, &shared.mount, path) => {
                    thin = true;
                    let was = Some(was);
                    plan.push(Step::Link { at: Place::within(root, path), to, was });
                }
                _ => warnings.push(format!("/{path} is not the old tool's link, and stays as it is")),
            }
        }
        if thin {
            return Ok(plan);
        }
        let name = &found.name;
        Err(Error::new(ErrorKind::Unavailable, format!("{name} has a userland of its own: {}", found.root))
            .with("container", name)
            .hint(format!("run it where it lies: `qchroot create {name} --source-tree {}`", found.root)))
    }

    /// The mount point of a tree that will lie at `then`, under its name here. The old name becomes a link to it, for
    /// links that lead through it.
    fn mount_point(&self, found: &Found, then: &Utf8Path, mount: &Utf8Path) -> Result<Plan> {
        let kind = |path: &Utf8Path| {
            let stat = self.view().stat(&Place::within(&found.root, path))?;
            Ok::<_, Error>(stat.map(|stat| stat.kind))
        };
        let is_linked =
            self.view().link(&Place::within(&found.root, mount))?.is_some_and(|to| to == SHARED_PART);
        let (old, new) = (Place::within(then, mount), Place::within(then, SHARED_PART));
        let make = Step::MakeDir { at: new.clone(), mode: 0o755 };
        let link = Step::Link { at: old.clone(), to: SHARED_PART.into(), was: None };
        match (kind(mount)?, kind(SHARED_PART.into())?) {
            (_, Some(FileKind::Directory)) if is_linked || mount == SHARED_PART => Ok(vec![]),
            (None, None) if mount == SHARED_PART => Ok(vec![make]),
            (None, None) => Ok(vec![make, link]),
            (Some(FileKind::Directory), None) => Ok(vec![Step::Move { from: old, to: new }, link]),
            _ => Err(Error::new(
                ErrorKind::Config,
                format!(
                    "where the shared tree is to be mounted in {} is something else: {mount}",
                    found.root
                ),
            )
            .with("container", &found.name)
            .hint(format!(
                "{mount} must be an empty directory, and {SHARED_PART} must not be there beside it"
            ))),
        }
    }

    fn way_back(&self, name: &Name, found: &Found) -> Vec<String> {
        let (dir, file) = (self.layout.container(name), self.layout.file(name));
        let mut back = vec![format!("rm {file}")];
        if self.view().real_path(&dir).is_ok_and(|dir| dir == found.root) {
            let aside = self.layout.aside(name);
            back.extend([
                format!("mv {dir}/root {aside}"),
                format!("rmdir {dir}"),
                format!("mv {aside} {dir}"),
            ]);
        } else {
            back.extend([format!("mv {dir}/root {}", found.root), format!("rmdir {dir}")]);
        }
        back
    }
}

fn required(found: &Found, warnings: &mut Vec<String>) -> Vec<Name> {
    let mut names = vec![];
    for name in &found.requires {
        match name.parse() {
            Ok(name) => names.push(name),
            Err(error) => warnings.push(format!("that it needs {name} is left out: {error}")),
        }
    }
    names
}

/// Whether a link at `path` leads to the same path of what is mounted on `mount`: from the root on, or by a way up that
/// stays inside.
fn leads_to(target: &Utf8Path, mount: &Utf8Path, path: &Utf8Path) -> bool {
    let up = path.components().skip(1).map(|_| "..").collect::<Utf8PathBuf>();
    let there = mount.join(path);
    target == Utf8Path::new("/").join(&there) || target == up.join(there)
}
