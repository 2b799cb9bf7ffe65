//! `create`: a container's private tree and its administration file. Nothing is mounted.

use qchroot_api::{
    Capability, Error, ErrorKind, Info, Kind, Name, Options, Place, Plan, ReleaseId, Result, Step,
};

use crate::config::{Choice, ContainerFile, FORMAT};
use crate::journal::Op;
use crate::ops::install::set_options;
use crate::space::size_of;
use crate::{Engine, LimitsTable};

/// What `create` was asked for.
#[derive(Debug, Clone, Default)]
pub struct CreateWish {
    /// `--storage`.
    pub storage: Option<String>,
    /// `--isolation`.
    pub isolation: Option<String>,
    /// `--release`; the current one when not given.
    pub release: Option<ReleaseId>,
    /// `-o storage.KEY=VALUE`, in order.
    pub storage_options: Vec<(String, String)>,
    /// `--size`, the storage's option of that name.
    pub size: Option<String>,
    /// `-o isolation.KEY=VALUE`, in order.
    pub isolation_options: Vec<(String, String)>,
    /// `--limit`.
    pub limits: Vec<(String, String)>,
    /// `--permission`.
    pub permissions: Vec<crate::PermissionEntry>,
}

/// The storage that works on every kernel and file system.
const FALLBACK_STORAGE: &str = "nullfs";

impl Engine<'_> {
    /// Makes the container `name`.
    pub fn create(&self, name: &Name, wish: &CreateWish) -> Result<()> {
        let _lock = self.lock_container(name)?;
        let _bases = self.share_releases()?;
        self.refuse_half_done(name)?;
        self.refuse_taken(name)?;
        let plan = self.plan_with_fallback(name, wish)?;
        if !self.dry_run {
            self.host.make_own_dir(&self.layout.containers)?;
            self.host.make_own_dir(&self.layout.all_trash())?; // now, while there is space
        }
        self.run_durable(name, Op::Create, plan)?;
        if self.dry_run { Ok(()) } else { self.warn_of_overcommit(name) }
    }

    /// Where nobody chose the storage and the machine cannot have the usual one, the next best is taken.
    fn plan_with_fallback(&self, name: &Name, wish: &CreateWish) -> Result<Plan> {
        let planned = |wish: &CreateWish| self.create_plan(name, &self.new_file(wish)?);
        let is_chosen = wish.storage.is_some() || self.settings.defaults.storage.is_some();
        match planned(wish) {
            Err(error) if error.kind() == ErrorKind::Unavailable && !is_chosen => {
                let other = CreateWish { storage: Some(FALLBACK_STORAGE.into()), ..wish.clone() };
                let Ok(plan) = planned(&other) else { return Err(error) };
                self.watch.warn(&format!("{error}; {name} gets storage {FALLBACK_STORAGE} instead"));
                Ok(plan)
            }
            plan => plan,
        }
    }

    fn create_plan(&self, name: &Name, file: &ContainerFile) -> Result<Plan> {
        let staging = self.layout.staging(name);
        let isolation = self.registry.isolation(&file.isolation.backend)?.info();
        self.refuse_elsewhere(name, &isolation)?;
        self.refuse_limits(name, &file.limits, &isolation)?;
        let container = self.container(name, staging.clone(), file);
        let storage = self.registry.storage(&file.storage.backend)?;
        let installed = self.base_of(file, storage)?;
        let mut plan = vec![Step::Stage { at: staging.clone() }];
        plan.extend(storage.create(&installed.base, &container, self.view())?);
        plan.push(Step::Rename { from: staging, to: self.layout.container(name) });
        plan.push(self.write_file(name, file)?);
        Ok(plan)
    }

    /// The step that writes a container's new administration file.
    pub(super) fn write_file(&self, name: &Name, file: &ContainerFile) -> Result<Step> {
        let text = toml::to_string_pretty(file).map_err(|error| {
            Error::new(ErrorKind::Internal, "cannot write the administration file").cause(error)
        })?;
        Ok(Step::WriteFile { at: Place::host(self.layout.file(name)), text, mode: 0o644, was: None })
    }

    pub(crate) fn refuse_taken(&self, name: &Name) -> Result<()> {
        for taken in [self.layout.file(name), self.layout.container(name)] {
            if self.view().stat(&Place::host(&taken))?.is_some() {
                return Err(Error::new(ErrorKind::Exists, format!("there is a container {name} already"))
                    .cause(format!("{taken} exists"))
                    .with("container", name)
                    .hint("choose another name, or delete that one first"));
            }
        }
        Ok(())
    }

    /// The release that a container is to be pinned to; none where its storage brings a root of its own.
    fn release_for(&self, wish: &CreateWish, storage: &Info) -> Result<Option<ReleaseId>> {
        let own_root = storage.capabilities.contains(&Capability::OwnRoot);
        match &wish.release {
            Some(id) if own_root => {
                let message = format!("storage {} takes no release, and {id} was given", storage.name);
                Err(Error::new(ErrorKind::Usage, message).hint("leave out --release"))
            }
            Some(id) => self.base(id).map(|installed| Some(installed.base.id)),
            None if own_root => Ok(None),
            None => self.current_base()?.map(|installed| Some(installed.base.id)).ok_or_else(|| {
                Error::new(ErrorKind::NotFound, "no release is installed").hint("run `qchroot install` first")
            }),
        }
    }

    fn set_size(&self, options: &mut Options, storage: &Info, size: Option<&str>) -> Result<()> {
        let Some(size) = size else { return Ok(()) };
        size_of(size)?;
        let takes_size = |info: &Info| info.options.iter().any(|option| option.key == "size");
        if takes_size(storage) {
            return set_options(options, storage, &[("size".into(), size.into())]);
        }
        let infos = self.registry.infos();
        let others: Vec<&str> = infos
            .iter()
            .filter(|info| info.kind == Kind::SharedStorage && takes_size(info))
            .map(|info| info.name.as_str())
            .collect();
        Err(Error::new(
            ErrorKind::Usage,
            format!("storage {} cannot limit a container's space", storage.name),
        )
        .with("storage", &storage.name)
        .hint(format!("leave out --size, or take a storage that can: {}", others.join(", "))))
    }

    fn new_file(&self, wish: &CreateWish) -> Result<ContainerFile> {
        let storage_name = wish.storage.clone().map_or_else(|| self.default_storage(), Ok)?;
        let isolation_name = wish.isolation.clone().unwrap_or_else(|| self.default_isolation());
        let (storage, isolation) =
            (self.registry.storage(&storage_name)?, self.registry.isolation(&isolation_name)?);
        let mut storage_choice = Choice { backend: storage_name, options: Default::default() };
        let mut isolation_choice = Choice { backend: isolation_name, options: Default::default() };
        set_options(&mut storage_choice.options, &storage.info(), &wish.storage_options)?;
        self.set_size(&mut storage_choice.options, &storage.info(), wish.size.as_deref())?;
        set_options(&mut isolation_choice.options, &isolation.info(), &wish.isolation_options)?;
        storage.check(&storage_choice.options)?;
        isolation.check(&isolation_choice.options)?;
        Ok(ContainerFile {
            format: FORMAT,
            release: self.release_for(wish, &storage.info())?,
            boot: true,
            after: vec![],
            requires: vec![],
            keep_run_files: false,
            storage: storage_choice,
            isolation: isolation_choice,
            limits: LimitsTable::of(&wish.limits)?,
            service: vec![],
            permission: wish.permissions.clone(),
            node: vec![],
        })
    }
}
