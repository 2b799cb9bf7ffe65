//! A back end behind the border, for whoever knows only the three traits: each method is one call.
//!
//! It does not know how a call gets across; that is a [`Carrier`]'s business.

use std::collections::BTreeMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Backend, Base, Container, Derived, DiskCheck, Error, ErrorKind, Info, Isolation, Observe, Options, Plan,
    Release, ReleaseId, ReleaseSource, ReleaseWish, Result, Service, SharedStorage, Snapshot, Usage, Way,
    Work,
};
use serde::de::DeserializeOwned;

use crate::text::{from_text, to_text};
use crate::{Call, HostSide, judge};

/// How a call gets to a back end and its answer back.
pub trait Carrier: Send + Sync {
    /// Carries one call, and what is asked meanwhile to `host`. Both are JSON.
    ///
    /// # Errors
    /// What the back end said; plug-in for what broke the border's rules.
    fn carry(&self, call: &str, host: &HostSide<'_>) -> Result<String>;
}

/// The back end.
pub struct Remote {
    info: Info,
    carrier: Box<dyn Carrier>,
    /// Whether what it answers is taken as it is.
    trusted: bool,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Remote {
    /// The back end that `carrier` leads to, once it has said who it is. It is a third party's: whatever it answers is
    /// judged before it is handed on.
    ///
    /// # Errors
    /// What it said instead; plug-in for what it must not say of itself.
    pub fn new(carrier: Box<dyn Carrier>) -> Result<Self> {
        let remote = Self::trusted(carrier)?;
        judge::info(&remote.info)?;
        Ok(Self { trusted: false, ..remote })
    }

    /// The same for a back end of ours, which is taken at its word.
    ///
    /// # Errors
    /// What it said instead.
    pub fn trusted(carrier: Box<dyn Carrier>) -> Result<Self> {
        let text =
            carrier.carry(&to_text(&Call::Info)?, &HostSide::nobody()).map_err(|e| judge::cleaned(&e))?;
        let info = from_text("the plug-in", &text).map_err(|error| judge::cleaned(&error))?;
        Ok(Self { info, carrier, trusted: true })
    }

    fn say<T: DeserializeOwned>(&self, call: &Call, host: &HostSide<'_>) -> Result<T> {
        let answer = self.carrier.carry(&to_text(call)?, host);
        answer.and_then(|text| from_text(&self.info.name, &text)).map_err(|error| self.told(call, error))
    }

    /// What a third party's error is to the user: who says so, and what it was asked for where it broke the rules.
    fn told(&self, call: &Call, error: Error) -> Error {
        if self.trusted {
            return error;
        }
        let (name, error) = (&self.info.name, judge::cleaned(&error).with("plugin", &self.info.name));
        match error.kind() {
            ErrorKind::Plugin | ErrorKind::Internal => {
                let doing = format!("plug-in {name} failed in `{}`", judge::verb_of(call));
                error.of_kind(ErrorKind::Plugin).while_doing(doing).hint(format!("tell the author of {name}"))
            }
            _ => error,
        }
    }

    fn say_seeing<T: DeserializeOwned>(&self, call: &Call, host: &dyn Observe) -> Result<T> {
        self.say(call, &HostSide::seeing(host))
    }

    fn say_blindly<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        self.say(call, &HostSide::nobody())
    }

    /// An answer, when the judge has nothing against it.
    fn judged<T>(&self, answer: T, judge: impl FnOnce(&Info, &T) -> Result<()>) -> Result<T> {
        if !self.trusted {
            judge(&self.info, &answer)?;
        }
        Ok(answer)
    }

    fn plan(&self, call: &Call, host: &dyn Observe) -> Result<Plan> {
        self.judged(self.say_seeing(call, host)?, |info, plan: &Plan| judge::plan(info, call, plan))
    }
}

impl Backend for Remote {
    fn info(&self) -> Info {
        self.info.clone()
    }

    fn check(&self, options: &Options) -> Result<()> {
        qchroot_api::check_options(&self.info.name, &self.info.options, options)?;
        self.say_blindly(&Call::Check { options: options.clone() })
    }
}

impl ReleaseSource for Remote {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let release = self.say_seeing(&Call::Resolve { want: want.clone() }, host)?;
        self.judged(release, judge::release)
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        let call = Call::Fill {
            release: release.clone(),
            staging: work.staging().into(),
            cache: work.cache().into(),
            log: work.log().into(),
        };
        self.say(&call, &HostSide::working(work))
    }
}

impl SharedStorage for Remote {
    fn create(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        self.plan(&Call::Create { base: base.clone(), container: container.clone() }, host)
    }

    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        self.plan(&Call::Attach { base: base.clone(), container: container.clone() }, host)
    }

    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        let layers: Vec<_> =
            self.say_blindly(&Call::Layers { base: base.clone(), container: container.clone() })?;
        self.judged(layers, |info, layers| judge::layers(info, base, container, layers))
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        let path: Utf8PathBuf = self.say_blindly(&Call::Private { container: container.clone() })?;
        self.judged(path, |info, path| judge::private(info, container, path))
    }

    fn derived(&self, base: &Base, container: &Container) -> Result<Option<Derived>> {
        let derived: Option<_> =
            self.say_blindly(&Call::Derived { base: base.clone(), container: container.clone() })?;
        let of = |info: &Info, derived: &Option<Derived>| {
            derived.as_ref().map_or(Ok(()), |derived| judge::derived(info, base, container, derived))
        };
        self.judged(derived, of)
    }

    fn usage(&self, container: &Container, host: &dyn Observe) -> Result<Option<Usage>> {
        self.say_seeing(&Call::Usage { container: container.clone() }, host)
    }

    fn resize(&self, base: &Base, container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
        self.plan(&Call::Resize { base: base.clone(), container: container.clone(), to }, host)
    }

    fn examine(&self, container: &Container, how: DiskCheck, host: &dyn Observe) -> Result<Plan> {
        self.plan(&Call::Examine { container: container.clone(), how }, host)
    }

    fn delete(&self, container: &Container, host: &dyn Observe) -> Result<Plan> {
        self.plan(&Call::Delete { container: container.clone() }, host)
    }

    fn prune(&self, installed: &[ReleaseId], host: &dyn Observe) -> Result<Plan> {
        self.plan(&Call::Prune { installed: installed.to_vec() }, host)
    }

    fn rename(&self, container: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
        self.plan(&Call::Rename { container: container.clone(), to: to.clone() }, host)
    }

    fn clone_of(&self, base: &Base, from: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
        let call = Call::CloneOf { base: base.clone(), from: from.clone(), to: to.clone() };
        self.plan(&call, host)
    }

    fn receive(
        &self,
        base: &Base,
        container: &Container,
        disk: Option<&Utf8Path>,
        host: &dyn Observe,
    ) -> Result<Plan> {
        let disk = disk.map(Utf8Path::to_owned);
        self.plan(&Call::Receive { base: base.clone(), container: container.clone(), disk }, host)
    }

    fn snapshot(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        self.plan(&Call::Snapshot { container: container.clone(), name: name.into() }, host)
    }

    fn restore(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        self.plan(&Call::Restore { container: container.clone(), name: name.into() }, host)
    }

    fn forget(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        self.plan(&Call::Forget { container: container.clone(), name: name.into() }, host)
    }

    fn snapshots(&self, container: &Container, host: &dyn Observe) -> Result<Vec<Snapshot>> {
        let snapshots: Vec<_> = self.say_seeing(&Call::Snapshots { container: container.clone() }, host)?;
        self.judged(snapshots, |info, snapshots| judge::snapshots(info, snapshots))
    }
}

impl Isolation for Remote {
    fn enclose(&self, container: &Container, host: &dyn Observe) -> Result<Plan> {
        self.plan(&Call::Enclose { container: container.clone() }, host)
    }

    fn up(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        self.plan(&Call::Up { base: base.clone(), container: container.clone() }, host)
    }

    fn services(&self, container: &Container) -> Result<Vec<Service>> {
        let services: Vec<_> = self.say_blindly(&Call::Services { container: container.clone() })?;
        self.judged(services, |info, services| judge::services(info, services))
    }

    fn facts(&self, container: &Container, host: &dyn Observe) -> Result<BTreeMap<String, String>> {
        let facts = self.say_seeing(&Call::Facts { container: container.clone() }, host)?;
        self.judged(facts, judge::facts)
    }

    fn way(&self, container: &Container, host: &dyn Observe) -> Result<Way> {
        let call = Call::Way { container: container.clone() };
        self.judged(self.say_seeing(&call, host)?, |info, way| judge::way(info, &call, container, way))
    }
}
