//! Plans, step by step: whether a plan may hold such a step at all, and whether the step acts where it may.

use qchroot_api::{
    Error, GroupStep, Info, Name, Place, QuotaStep, SAFE_DEVICES, SandboxStep, SealStep, Step,
};

use super::ground::{Ground, is_plain_inside};
use super::{Verdict, disks, mounts, programs, refused, require, verb_of, verbs, words};
use crate::Call;

/// Steps of one plan.
const MOST: usize = 4096;

/// Judges the plan that a back end answered a call with.
///
/// # Errors
/// Plug-in, with the step, what is wrong with it, and what such a plan may do.
pub(crate) fn plan(info: &Info, call: &Call, plan: &[Step]) -> Result<(), Error> {
    let verb = verb_of(call);
    if plan.len() > MOST {
        let message = format!("planned {} steps for `{verb}`, more than {MOST}", plan.len());
        return Err(refused(&info.name, &verb, &message));
    }
    let court = Court { info, call, verb: &verb, ground: Ground::of(info, call) };
    plan.iter().try_for_each(|step| court.judge(step))
}

struct Court<'a> {
    info: &'a Info,
    call: &'a Call,
    verb: &'a str,
    ground: Ground,
}

impl Court<'_> {
    fn judge(&self, step: &Step) -> Result<(), Error> {
        let refuse = |why: &str| {
            let shown = words::one_line(&step.to_string(), words::SHORT);
            refused(&self.info.name, self.verb, &format!("planned to {shown}, {why}"))
        };
        if !verbs::allows(self.verb, step) {
            let all = format!("a plan for `{}` may hold: {}", self.verb, verbs::steps_of(self.verb));
            return Err(refuse(&format!("which `{}` never does", self.verb)).cause(all));
        }
        self.shown(step).and_then(|()| self.acts(step)).map_err(|why| refuse(&why).cause(self.bounds()))
    }

    fn bounds(&self) -> String {
        format!("`{}` acts in the container's directory and on what its options name", self.verb)
    }

    /// What a person reads of it must be what it is; names with control characters are never meant.
    fn shown(&self, step: &Step) -> Verdict {
        let has_controls = step.to_string().chars().any(char::is_control);
        require(!has_controls, || "whose words hold control characters".to_owned())?;
        let is_final = self.verb == "rename" && step.inverse().is_none();
        require(!is_final, || "which cannot be taken back".to_owned())
    }

    fn acts(&self, step: &Step) -> Verdict {
        let ground = &self.ground;
        match step {
            Step::MakeDir { at, .. }
            | Step::WriteFile { at, .. }
            | Step::Link { at, .. }
            | Step::SetAccess { at, .. }
            | Step::Own { at, .. } => ground.change_at(at),
            Step::RemoveDir { at } | Step::RemoveFile { at, .. } | Step::Unlink { at, .. } => {
                self.takes_away(at).and_then(|()| ground.remove_at(at))
            }
            Step::RemoveTree { at } => self.takes_away(&Place::host(at)).and_then(|()| ground.remove(at)),
            Step::CopyTree { from, to } | Step::CopyInto { from, into: to } => {
                ground.read(from).and_then(|()| ground.change(to))
            }
            Step::Rename { from, to } => ground.remove(from).and_then(|()| ground.change(to)),
            Step::Move { from, to } => ground.remove_at(from).and_then(|()| ground.change_at(to)),
            Step::Device { at, major, minor } => self.device(at, (*major, *minor)),
            Step::Mount(mount) => mounts::judge(ground, self.verb, mount),
            Step::Disk(step) => disks::judge(ground, step),
            Step::Quota(step) => self.quota(step),
            Step::Run { argv, check, undo } => {
                let checked = check.as_ref().map(qchroot_api::Check::argv);
                let also = check.as_ref().and_then(qchroot_api::Check::fails);
                let all = [Some(argv.as_slice()), checked, also, undo.as_deref()];
                all.into_iter().flatten().try_for_each(|argv| programs::judge(self.info, ground, argv))
            }
            step => self.of_processes(step),
        }
    }

    /// The one who removes a snapshot removes nothing else.
    fn takes_away(&self, at: &Place) -> Verdict {
        let Call::Forget { container, name } = self.call else { return Ok(()) };
        let snapshot = qchroot_api::snapshot_dir(container, name);
        let path = at.lexical();
        let is_another = path.starts_with(&container.dir) && !path.starts_with(&snapshot);
        require(!is_another, || format!("which is not the snapshot {name}"))
    }

    fn device(&self, at: &Place, number: (u32, u32)) -> Verdict {
        let is_safe = SAFE_DEVICES.iter().any(|&(_, major, minor)| (major, minor) == number);
        require(is_safe, || "which is none of the devices that are safe to have inside".to_owned())?;
        require(self.is_inside(at), || "which is not inside the root".to_owned())
    }

    fn is_inside(&self, at: &Place) -> bool {
        self.ground.root().as_deref() == Some(at.root()) && !at.path().as_str().is_empty()
    }

    fn quota(&self, step: &QuotaStep) -> Verdict {
        match step {
            QuotaStep::Limit { dirs, .. } => dirs.iter().try_for_each(|dir| self.ground.change(dir)),
            QuotaStep::Forget { on, project } => {
                require(*project != 0, || "which is the number of whatever has none".to_owned())?;
                let is_near = self.ground.state() == Some(on.as_path());
                if is_near { Ok(()) } else { self.ground.change(on) }
            }
            _ => Err("which is not known here".to_owned()),
        }
    }

    fn of_processes(&self, step: &Step) -> Verdict {
        match step {
            Step::StartInit { container, root, proc } => {
                self.is_ours(container, root)?;
                let inside = proc.as_ref().is_none_or(|at| self.is_inside(at));
                require(inside, || "whose procfs is not inside the root".to_owned())
            }
            Step::StartSandbox(step) => self.sandbox(step),
            Step::Seal(step) => self.seal(step),
            Step::Group(GroupStep::Make { group, directory, .. }) => {
                self.is_group(Some(group))?;
                let own = self.container().is_some_and(|container| container.dir == *directory);
                require(own, || format!("by a directory that is not {}'s", self.ground.name))
            }
            _ => Err("which is not known here".to_owned()),
        }
    }

    fn container(&self) -> Option<&qchroot_api::Container> {
        match self.call {
            Call::Enclose { container } | Call::Up { container, .. } => Some(container),
            _ => None,
        }
    }

    fn is_ours(&self, name: &Name, root: &camino::Utf8Path) -> Verdict {
        let ours = name.as_str() == self.ground.name && self.ground.root().as_deref() == Some(root);
        require(ours, || format!("which is not {}'s", self.ground.name))
    }

    fn is_group(&self, group: Option<&str>) -> Verdict {
        let own = self.container().map(qchroot_api::Container::system_name);
        let ours = group.is_none_or(|group| own.as_deref() == Some(group));
        require(ours, || format!("which is not the control group of {}", self.ground.name))
    }

    fn sandbox(&self, step: &SandboxStep) -> Verdict {
        self.is_ours(&step.container, &step.root)?;
        self.is_group(step.group.as_deref())?;
        let is_name = match &step.network {
            qchroot_api::Network::Named { name } => {
                is_plain_inside(name.as_str().into()) && !name.contains('/')
            }
            _ => true,
        };
        require(is_name, || "whose network has no name".to_owned())
    }

    fn seal(&self, step: &SealStep) -> Verdict {
        self.is_ours(&step.container, &step.root)?;
        self.is_group(step.rules.group.as_deref())?;
        let mut paths = step.masked.iter().chain(&step.read_only);
        let inside = paths.all(|path| super::ground::is_plain(path));
        require(inside, || "whose covered paths are not all absolute ones inside".to_owned())
    }
}
