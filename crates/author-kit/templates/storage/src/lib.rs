//! Storage `acme.thing`: a private copy of the template, and the shared base mounted read-only inside it.
//!
//! A storage never acts. It answers with a plan, whose steps qchroot carries out, writes into a journal, and takes back
//! when one of them fails.

use qchroot_plugin::camino::Utf8PathBuf;
use qchroot_plugin::{
    Backend, Base, Capability, Container, Derived, Info, Kind, Observe, Options, Place, Plan, Result,
    SHARED_PART, SharedStorage, Step, check, options_of, shared_links, shared_plan,
};
use schemars::JsonSchema;
use serde::Deserialize;

qchroot_plugin::export! { storage "acme.thing" = Thing::new()? }

/// What users may set: `-o storage.KEY=VALUE`, or below `[storage.options]` of a container's file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {}

struct Thing {
    info: Info,
}

impl Thing {
    fn new() -> Result<Self> {
        let summary = "a private copy of the template, the shared base mounted read-only inside";
        let info = Info {
            capabilities: [Capability::SharedReadOnly].into(),
            options: options_of::<Settings>()?,
            ..Info::new(Kind::SharedStorage, "acme.thing", summary)
        };
        Ok(Self { info })
    }
}

impl Backend for Thing {
    fn info(&self) -> Info {
        self.info.clone()
    }

    fn check(&self, options: &Options) -> Result<()> {
        check::<Settings>(&self.info, options)
    }
}

impl SharedStorage for Thing {
    /// Once for each container, in a directory that gets its real name only when everything is there.
    fn create(&self, base: &Base, container: &Container, _host: &dyn Observe) -> Result<Plan> {
        let root = container.root();
        let mut plan = vec![
            Step::CopyTree { from: base.template.clone(), to: root.clone() },
            Step::MakeDir { at: Place::within(&root, SHARED_PART), mode: 0o755 },
        ];
        let link = |(path, to)| Step::Link { at: Place::within(&root, path), to, was: None };
        plan.extend(shared_links(base).into_iter().map(link));
        Ok(plan)
    }

    /// At each start; the steps' inverses are carried out at each stop.
    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        shared_plan(base, container, host)
    }

    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        Ok(vec![container.root(), base.sharedfs.clone()])
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        Ok(container.root())
    }

    /// Lets `qchroot upgrade` move a container to another release.
    fn derived(&self, base: &Base, container: &Container) -> Result<Option<Derived>> {
        Ok(Some(Derived::Copy { at: container.root(), links: shared_links(base) }))
    }
}

#[cfg(test)]
mod tests {
    use qchroot_plugin::testing::{Desk, base, container};
    use qchroot_plugin::{Brand, toml};

    use super::*;

    #[test]
    fn a_container_is_a_copy_with_links_into_what_is_shared() {
        let (base, web) = (base(Brand::Linux).unwrap(), container("web").unwrap());
        let plan = Thing::new().unwrap().create(&base, &web, &Desk::new()).unwrap();
        assert_eq!(plan[0], Step::CopyTree { from: base.template, to: web.root() });
        let bin = Place::within(web.root(), "bin");
        assert!(plan.contains(&Step::Link { at: bin, to: "sharedfs/bin".into(), was: None }));
    }

    #[test]
    fn it_takes_no_options() {
        let error = Thing::new().unwrap().check(&toml::toml! { size = "1G" }).unwrap_err();
        assert_eq!(error.fact("key"), Some("size"));
    }
}
