//! The option `size`: the file system of the host's that holds a container's changes keeps the limit, as a project quota.

use camino::Utf8PathBuf;
use qchroot_api::{
    Container, Error, ErrorKind, Observe, OptionKind, OptionSpec, Options, Place, Plan, QuotaStep, Result,
    Step, Usage, parse_size, size_text,
};

/// What an empty layer and overlayfs' work directory take, with room for a first file.
const LEAST: u64 = 1 << 20;

/// How the option is declared.
pub(crate) fn spec() -> OptionSpec {
    let text = "limit of its changes; needs a host's file system with project quotas (xfs, ext4: prjquota)";
    OptionSpec::new("size", OptionKind::Size, "none", text)
}

/// Refuses a size that nothing fits into.
pub(crate) fn check(options: &Options) -> Result<()> {
    wanted(options).map(drop)
}

/// The limit in bytes, of whole KiB.
fn wanted(options: &Options) -> Result<Option<u64>> {
    let Some(value) = options.get("size") else { return Ok(None) };
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    let bytes = number.or_else(|| value.as_str().and_then(parse_size)).unwrap_or(0);
    if bytes < LEAST {
        let message = format!("size {} is too small: at least {}", size_text(bytes), size_text(LEAST));
        return Err(Error::new(ErrorKind::Config, message).with("key", "size"));
    }
    Ok(Some(bytes & !1023))
}

fn layers(container: &Container) -> Vec<Utf8PathBuf> {
    ["upper", "work"].map(|name| container.dir.join(name)).into()
}

/// The step that limits a container of this `size` that is just being made, or whose layer was exchanged.
pub(crate) fn limit(container: &Container, was: Option<u64>) -> Result<Plan> {
    let step = |bytes| Step::Quota(QuotaStep::Limit { dirs: layers(container), bytes: Some(bytes), was });
    Ok(wanted(&container.storage)?.map(step).into_iter().collect())
}

/// Refuses a size where nobody would keep it.
pub(crate) fn require_quotas(container: &Container, host: &dyn Observe) -> Result<()> {
    // The container's own directory is yet to be made.
    let near = container.dir.parent().unwrap_or(&container.dir);
    if wanted(&container.storage)?.is_none() || host.quota(near)?.is_some() {
        return Ok(());
    }
    Err(no_quotas(container, host)?)
}

fn no_quotas(container: &Container, host: &dyn Observe) -> Result<Error> {
    let near = container.dir.parent().unwrap_or(&container.dir);
    let fs = host.space(&Place::host(near))?.fs;
    let message =
        format!("nobody keeps a limit for {}: {fs} has no project quotas in {near}", container.name);
    Ok(Error::new(ErrorKind::Unavailable, message)
        .with("path", near)
        .hint("use --storage md, or mount xfs, or ext4 with the features project and quota, with prjquota"))
}

/// What the container takes and may take; `None` where nothing limits it.
pub(crate) fn usage(container: &Container, host: &dyn Observe) -> Result<Option<Usage>> {
    if wanted(&container.storage)?.is_none() {
        return Ok(None);
    }
    let upper = container.dir.join("upper");
    let Some(quota) = host.quota(&upper)? else { return Ok(None) };
    let space = host.space(&Place::host(&upper))?.free;
    let free = quota.limit.map(|limit| limit.saturating_sub(quota.used).min(space));
    Ok(Some(Usage { used: quota.used, free, limit: quota.limit, apparent: None, allocated: quota.used }))
}

/// The step that gives another limit, while it is started or not.
pub(crate) fn resize(container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
    let to = to & !1023;
    let quota = host.quota(&container.dir.join("upper"))?;
    if quota.is_none() {
        return Err(no_quotas(container, host)?);
    }
    let least = quota.map_or(0, |quota| quota.used).max(LEAST);
    if to < least {
        let message =
            format!("{} cannot be given {}: {} are needed", container.name, size_text(to), size_text(least));
        return Err(Error::new(ErrorKind::Usage, message).hint("remove something inside first"));
    }
    let was = quota
        .and_then(|quota| quota.limit)
        .filter(|_| wanted(&container.storage).is_ok_and(|size| size.is_some()));
    if was == Some(to) {
        return Ok(vec![]);
    }
    Ok(vec![Step::Quota(QuotaStep::Limit { dirs: layers(container), bytes: Some(to), was })])
}

/// The step that leaves no limit behind when the container goes.
pub(crate) fn forget(container: &Container, host: &dyn Observe) -> Result<Plan> {
    let upper = container.dir.join("upper");
    let near = container.dir.parent().unwrap_or(&container.dir).to_owned();
    if wanted(&container.storage)?.is_none() || host.stat(&Place::host(&upper))?.is_none() {
        return Ok(vec![]);
    }
    let own = host.quota(&upper)?.filter(|quota| quota.project != 0 && quota.limit.is_some());
    Ok(own
        .map(|quota| Step::Quota(QuotaStep::Forget { on: near, project: quota.project }))
        .into_iter()
        .collect())
}
