//! A back end behind the border, for whoever knows only the three traits: each method is one call.
//!
//! It does not know how a call gets across; that is a [`Carrier`]'s business.

use std::collections::BTreeMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Backend, Base, Container, Derived, DiskCheck, Info, Isolation, Observe, Options, Plan, Release,
    ReleaseId, ReleaseSource, ReleaseWish, Result, Service, SharedStorage, Snapshot, Usage, Way, Work,
};
use serde::de::DeserializeOwned;

use crate::text::{from_text, to_text};
use crate::{Call, HostSide};

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
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Remote {
    /// The back end that `carrier` leads to, once it has said who it is.
    ///
    /// # Errors
    /// What it said instead.
    pub fn new(carrier: Box<dyn Carrier>) -> Result<Self> {
        let text = carrier.carry(&to_text(&Call::Info)?, &HostSide::nobody())?;
        Ok(Self { info: from_text("the plug-in", &text)?, carrier })
    }

    fn say<T: DeserializeOwned>(&self, call: &Call, host: &HostSide<'_>) -> Result<T> {
        let text = self.carrier.carry(&to_text(call)?, host)?;
        from_text(&self.info.name, &text)
    }

    fn say_seeing<T: DeserializeOwned>(&self, call: &Call, host: &dyn Observe) -> Result<T> {
        self.say(call, &HostSide::seeing(host))
    }

    fn say_blindly<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        self.say(call, &HostSide::nobody())
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
        self.say_seeing(&Call::Resolve { want: want.clone() }, host)
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
        self.say_seeing(&Call::Create { base: base.clone(), container: container.clone() }, host)
    }

    fn attach(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        self.say_seeing(&Call::Attach { base: base.clone(), container: container.clone() }, host)
    }

    fn layers(&self, base: &Base, container: &Container) -> Result<Vec<Utf8PathBuf>> {
        self.say_blindly(&Call::Layers { base: base.clone(), container: container.clone() })
    }

    fn private(&self, container: &Container) -> Result<Utf8PathBuf> {
        self.say_blindly(&Call::Private { container: container.clone() })
    }

    fn derived(&self, base: &Base, container: &Container) -> Result<Option<Derived>> {
        self.say_blindly(&Call::Derived { base: base.clone(), container: container.clone() })
    }

    fn usage(&self, container: &Container, host: &dyn Observe) -> Result<Option<Usage>> {
        self.say_seeing(&Call::Usage { container: container.clone() }, host)
    }

    fn resize(&self, base: &Base, container: &Container, to: u64, host: &dyn Observe) -> Result<Plan> {
        self.say_seeing(&Call::Resize { base: base.clone(), container: container.clone(), to }, host)
    }

    fn examine(&self, container: &Container, how: DiskCheck, host: &dyn Observe) -> Result<Plan> {
        self.say_seeing(&Call::Examine { container: container.clone(), how }, host)
    }

    fn delete(&self, container: &Container, host: &dyn Observe) -> Result<Plan> {
        self.say_seeing(&Call::Delete { container: container.clone() }, host)
    }

    fn prune(&self, installed: &[ReleaseId], host: &dyn Observe) -> Result<Plan> {
        self.say_seeing(&Call::Prune { installed: installed.to_vec() }, host)
    }

    fn rename(&self, container: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
        self.say_seeing(&Call::Rename { container: container.clone(), to: to.clone() }, host)
    }

    fn clone_of(&self, base: &Base, from: &Container, to: &Container, host: &dyn Observe) -> Result<Plan> {
        let call = Call::CloneOf { base: base.clone(), from: from.clone(), to: to.clone() };
        self.say_seeing(&call, host)
    }

    fn receive(
        &self,
        base: &Base,
        container: &Container,
        disk: Option<&Utf8Path>,
        host: &dyn Observe,
    ) -> Result<Plan> {
        let disk = disk.map(Utf8Path::to_owned);
        self.say_seeing(&Call::Receive { base: base.clone(), container: container.clone(), disk }, host)
    }

    fn snapshot(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        self.say_seeing(&Call::Snapshot { container: container.clone(), name: name.into() }, host)
    }

    fn restore(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        self.say_seeing(&Call::Restore { container: container.clone(), name: name.into() }, host)
    }

    fn forget(&self, container: &Container, name: &str, host: &dyn Observe) -> Result<Plan> {
        self.say_seeing(&Call::Forget { container: container.clone(), name: name.into() }, host)
    }

    fn snapshots(&self, container: &Container, host: &dyn Observe) -> Result<Vec<Snapshot>> {
        self.say_seeing(&Call::Snapshots { container: container.clone() }, host)
    }
}

impl Isolation for Remote {
    fn enclose(&self, container: &Container, host: &dyn Observe) -> Result<Plan> {
        self.say_seeing(&Call::Enclose { container: container.clone() }, host)
    }

    fn up(&self, base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
        self.say_seeing(&Call::Up { base: base.clone(), container: container.clone() }, host)
    }

    fn services(&self, container: &Container) -> Result<Vec<Service>> {
        self.say_blindly(&Call::Services { container: container.clone() })
    }

    fn facts(&self, container: &Container, host: &dyn Observe) -> Result<BTreeMap<String, String>> {
        self.say_seeing(&Call::Facts { container: container.clone() }, host)
    }

    fn way(&self, container: &Container, host: &dyn Observe) -> Result<Way> {
        self.say_seeing(&Call::Way { container: container.clone() }, host)
    }
}
