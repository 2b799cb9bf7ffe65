//! `install`: a new base, beside the others, and the switch to it. Containers keep the base they have.

use qchroot_api::{Error, ErrorKind, Options, Place, Plan, Release, ReleaseId, ReleaseWish, Result, Step};

use crate::journal::Op;
use crate::transaction::Job;
use crate::version::{Standing, compare};
use crate::{Engine, Held, START_PATIENCE};

/// What `install` was asked for.
#[derive(Debug, Clone, Default)]
pub struct InstallWish {
    /// `--source`.
    pub source: Option<String>,
    /// `--release`.
    pub release: Option<String>,
    /// `-o KEY=VALUE`, in order.
    pub options: Vec<(String, String)>,
    /// `--any-release`.
    pub any: bool,
    /// `--across-major`.
    pub across_major: bool,
}

impl Engine<'_> {
    /// Installs a release and makes it the one that new containers get. Its identity.
    pub fn install(&self, wish: &InstallWish) -> Result<ReleaseId> {
        let _lock = self.lock_install()?;
        self.refuse_old_trees()?;
        let source_name = wish.source.clone().map_or_else(|| self.default_source(), Ok)?;
        let source = self.registry.source(&source_name)?;
        let info = source.info();
        let mut options = self.settings.source.get(&source_name).cloned().unwrap_or_default();
        set_options(&mut options, &info, &wish.options)?;
        source.check(&options)?;
        let want = ReleaseWish { release: wish.release.clone(), any: wish.any, options };
        let release = source.resolve(&want, self.view())?;
        self.refuse_across_major(&release, wish)?;
        let remember = self.remember(&release)?;
        let id = release.id()?;
        let installed = self.base(&id).is_ok();
        let mut plan = if installed { vec![] } else { self.build(&source_name, release, wish.any, &id)? };
        plan.extend(remember);
        plan.extend(self.switch_to(&id)?);
        let job = Job {
            op: Op::Install,
            container: None,
            journal: self.layout.install_journal(),
            deadline: self.deadline_in(START_PATIENCE),
        };
        self.run(&job, plan)?;
        Ok(id)
    }

    pub(crate) fn lock_install(&self) -> Result<Option<Held>> {
        if self.dry_run {
            return Ok(None);
        }
        self.require_superuser()?;
        self.host.make_own_dir(&self.layout.locks())?;
        let busy = || {
            Error::new(ErrorKind::Busy, "another install or removal of releases is running")
                .hint("wait for it to end, then try again")
        };
        let held = self.host.lock(&self.layout.install_lock(), false)?.ok_or_else(busy)?;
        if self.host.read_own(&self.layout.install_journal())?.is_some() {
            return Err(Error::new(
                ErrorKind::Busy,
                "an install or removal was interrupted and is half done",
            )
            .hint("`qchroot doctor --repair` puts it right"));
        }
        self.host.make_own_dir(&self.layout.releases())?;
        self.host.make_own_dir(&self.layout.journals())?;
        Ok(Some(held))
    }

    /// Where the old qchroot(8) had its directories, there are links here.
    fn refuse_old_trees(&self) -> Result<()> {
        let at = self.layout.lib.join("sharedfs");
        if !self.is_directory(&at)? {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Exists, format!("{at} is a tree that qchroot did not make this way"))
            .with("path", &at)
            .hint("`qchroot adopt` takes over what the old qchroot(8) left"))
    }

    /// Containers whose programs were made for one major release break under another.
    fn refuse_across_major(&self, release: &Release, wish: &InstallWish) -> Result<()> {
        let Ok(Some(current)) = self.current_base() else { return Ok(()) };
        let crosses = compare(&release.version, &current.file.version) == Standing::OtherMajor;
        if !crosses || wish.across_major || self.names()?.is_empty() {
            return Ok(());
        }
        let versions = format!("{} after {}", release.version, current.file.version);
        Err(Error::new(
            ErrorKind::Config,
            format!("{versions} is another major release, and there are containers"),
        )
        .hint("their programs may need the old one: update or delete them first, or say --across-major"))
    }

    fn build(&self, source: &str, release: Release, insisted: bool, id: &ReleaseId) -> Result<Plan> {
        let staging = self.layout.release_staging();
        let describe = staging.join("release.toml");
        let text = self.describe_text(&Self::new_base_file(source, &release, insisted))?;
        let tree = staging.join("tree");
        let brand = release.options.contains_key("brand").then_some(release.brand);
        Ok(vec![
            Step::Stage { at: staging.clone() },
            Step::WriteFile { at: Place::host(&describe), text, mode: 0o644, was: None },
            Step::MakeDir { at: Place::host(&tree), mode: 0o755 },
            Step::Fill { source: source.into(), release: Box::new(release), into: tree.clone() },
            Step::Split {
                tree,
                sharedfs: staging.join("sharedfs"),
                template: staging.join("template"),
                describe,
                brand,
            },
            Step::Record { base: staging.clone() },
            Step::Rename { from: staging, to: self.layout.release(id) },
        ])
    }

    /// `current` is turned at once; `sharedfs` and `template`, the names of the manual, lead through it.
    pub(crate) fn switch_to(&self, id: &ReleaseId) -> Result<Plan> {
        let link = |name: &str, to: String| {
            let at = self.layout.lib.join(name);
            let was = self.link_target(&at)?;
            Ok(Step::Link { at: Place::host(at), to: to.into(), was })
        };
        Ok(vec![
            link("sharedfs", "current/sharedfs".into())?,
            link("template", "current/template".into())?,
            link("current", format!("releases/{id}"))?,
        ])
    }
}

/// Puts `-o KEY=VALUE` into a table, each value of the type that its option has.
///
/// # Errors
/// Configuration, with the fact `key`, for a value that is of another type.
pub fn set_options(table: &mut Options, info: &qchroot_api::Info, given: &[(String, String)]) -> Result<()> {
    for (key, value) in given {
        let spec = info.options.iter().find(|spec| spec.key == *key);
        let value = spec.map_or_else(|| Ok(value.clone().into()), |spec| spec.parse(value))?;
        table.insert(key.clone(), value);
    }
    Ok(())
}
