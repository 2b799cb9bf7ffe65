//! A storage that copies the template, or has trouble.

use qchroot_plugin::camino::{Utf8Path, Utf8PathBuf};
use qchroot_plugin::{
    Backend, Base, Capability, Container, Derived, DiskCheck, Info, Kind, Mount, MountFs, Observe, Options,
    Place, Plan, ReleaseId, Result, SHARED_PART, SharedStorage, Snapshot, Step, Usage, check_options,
    forget_steps, restore_steps, shared_links, shared_plan, snapshot_data, snapshot_steps, snapshots_of,
};

use crate::bad::{self, may_panic, wish};

qchroot_plugin::export! { storage "acme.storage" = Storage }

struct Storage;

impl Backend for Storage {
    fn info(&self) -> Info {
        use Capability::{Check, Clone, Export, Quota, Resize, Snapshot};
        bad::info("acme.storage", Kind::SharedStorage, &[Check, Clone, Export, Quota, Resize, Snapshot])
    }

    fn check(&self, options: &Options) -> Result<()> {
        may_panic(options, "check");
        check_options("acme.storage", &self.info().options, options)
    }
}

/// The path that the option `at` says without its slash: one that an option names would be the user's own wish.
fn at(container: &Container) -> String {
    format!("/{}", wish(&container.storage, "at"))
}

/// The plan, after what `do` says is done beside it: `STEP in CALL`.
fn spoilt(plan: Plan, container: &Container, call: &str) -> Plan {
    may_panic(&container.storage, call);
    let at = at(container);
    let at = at.as_str();
    let Some(what) =
        wish(&container.storage, "do").strip_suffix(call).and_then(|what| what.strip_suffix(" in "))
    else {
        return plan;
    };
    let root = container.root();
    let run = |argv: &[&str]| Step::Run {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        check: None,
        undo: None,
    };
    let step = match what {
        "remove" => Step::RemoveTree { at: at.into() },
        "write" => Step::WriteFile { at: Place::host(at), text: "mine".into(), mode: 0o644, was: None },
        "write into the root" => Step::WriteFile {
            at: Place::host(root.join("etc/mine")),
            text: "mine".into(),
            mode: 0o644,
            was: None,
        },
        "copy" => Step::CopyTree { from: at.into(), to: container.dir.join("copy") },
        "mount" => Step::Mount(Mount::new(Place::host(at), MountFs::Null { source: root })),
        "show" => Step::Mount(Mount::new(Place::within(root, "mnt"), MountFs::Null { source: at.into() })),
        "stop" => Step::StopProcesses { container: container.name.clone(), root },
        "run undeclared" => run(&["rm", "-rf", at]),
        "run on" => run(&["true", at]),
        _ => return plan,
    };
    plan.into_iter().chain([step]).collect()
}

impl SharedStorage for Storage {
    fn create(&self, base: &Base, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        let root = container.root();
        let mut plan = vec![
            Step::CopyTree { from: base.template.clone(), to: root.clone() },
            Step::MakeDir { at: Place::within(&root, SHARED_PART), mode: 0o755 },
        ];
        let link = |(path, to)| Step::Link { at: Place::within(&root, path), to, was: None };
        plan.extend(shared_links(base).into_iter().map(link));
        Ok(spoilt(plan, container, "create"))
    }

    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        Ok(spoilt(shared_plan(base, container, host)?, container, "attach"))
    }

    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        may_panic(&container.storage, "layers");
        let first = match wish(&container.storage, "do") {
            "show in layers" => at(container).into(),
            _ => container.root(),
        };
        Ok(vec![first, base.sharedfs.clone()])
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        may_panic(&container.storage, "private");
        Ok(match wish(&container.storage, "do") {
            "show in private" => at(container).into(),
            _ => container.root(),
        })
    }

    fn derived(&self, base: &Base, container: &Container) -> Result<Option<Derived>> {
        may_panic(&container.storage, "derived");
        Ok(Some(Derived::Copy { at: container.root(), links: shared_links(base) }))
    }

    fn usage(&self, container: &Container, _host: &dyn Observe) -> Result<Option<Usage>> {
        may_panic(&container.storage, "usage");
        Ok(None)
    }

    fn resize(&self, _base: &Base, container: &Container, _to: u64, _host: &dyn Observe) -> Result<Plan> {
        Ok(spoilt(vec![], container, "resize"))
    }

    fn examine(&self, container: &Container, _how: DiskCheck, _host: &dyn Observe) -> Result<Plan> {
        Ok(spoilt(vec![], container, "examine"))
    }

    fn delete(&self, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        Ok(spoilt(vec![], container, "delete"))
    }

    fn prune(&self, _installed: &[ReleaseId], _host: &dyn Observe) -> Result<Plan> {
        Ok(vec![])
    }

    fn rename(&self, container: &Container, _to: &Container, _host: &dyn Observe) -> Result<Plan> {
        Ok(spoilt(vec![], container, "rename"))
    }

    fn clone_of(&self, _base: &Base, from: &Container, to: &Container, _host: &dyn Observe) -> Result<Plan> {
        Ok(spoilt(vec![Step::CopyTree { from: from.root(), to: to.root() }], to, "clone-of"))
    }

    fn receive(
        &self,
        _base: &Base,
        container: &Container,
        _disk: Option<&Utf8Path>,
        _host: &dyn Observe,
    ) -> Result<Plan> {
        let root = Step::MakeDir { at: Place::host(container.root()), mode: 0o755 };
        Ok(spoilt(vec![root], container, "receive"))
    }

    fn snapshot(&self, container: &Container, name: &str, _host: &dyn Observe) -> Result<Plan> {
        Ok(spoilt(snapshot_steps(container, &container.root(), name), container, "snapshot"))
    }

    fn restore(&self, container: &Container, name: &str, _host: &dyn Observe) -> Result<Plan> {
        let from = snapshot_data(container, name);
        let plan = restore_steps(container, &container.root(), |to| Step::CopyTree { from, to });
        Ok(spoilt(plan, container, "restore"))
    }

    fn forget(&self, container: &Container, name: &str, _host: &dyn Observe) -> Result<Plan> {
        Ok(spoilt(forget_steps(container, name), container, "forget"))
    }

    fn snapshots(&self, container: &Container, host: &dyn Observe) -> Result<Vec<Snapshot>> {
        may_panic(&container.storage, "snapshots");
        snapshots_of(container, host)
    }
}
