//! The back ends by name. It knows none of them: they register themselves.

use std::collections::BTreeMap;

use qchroot_abi::{Found, Plugins, Remote, is_plugin_name};
use qchroot_api::{
    Backend, Error, ErrorKind, Info, Isolation, Kind, Registration, ReleaseSource, Result, SharedStorage,
};

/// The back ends that this program was linked with, and the plug-ins that third parties ship.
#[derive(Default)]
pub struct Registry {
    plugins: Option<Plugins>,
    sources: BTreeMap<String, Box<dyn ReleaseSource>>,
    storages: BTreeMap<String, Box<dyn SharedStorage>>,
    isolations: BTreeMap<String, Box<dyn Isolation>>,
}

impl Registry {
    /// Everything that registered itself.
    ///
    /// # Errors
    /// Configuration, when two back ends of one kind have the same name.
    pub fn linked() -> Result<Self> {
        Self::of(qchroot_api::registrations())
    }

    /// These back ends.
    pub fn of<'a>(all: impl IntoIterator<Item = &'a Registration>) -> Result<Self> {
        let mut registry = Self::default();
        for registration in all {
            match registration {
                Registration::Source(make) => add(&mut registry.sources, make())?,
                Registration::Storage(make) => add(&mut registry.storages, make())?,
                Registration::Isolation(make) => add(&mut registry.isolations, make())?,
            }
        }
        Ok(registry)
    }

    /// These, and third parties' plug-ins, whose names carry a dot; each is opened when it is asked for.
    #[must_use]
    pub fn with_plugins(self, plugins: Plugins) -> Self {
        Self { plugins: Some(plugins), ..self }
    }

    /// A release source by name.
    pub fn source(&self, name: &str) -> Result<&dyn ReleaseSource> {
        self.find(&self.sources, Kind::ReleaseSource, name, |remote| remote)
    }

    /// A storage by name.
    pub fn storage(&self, name: &str) -> Result<&dyn SharedStorage> {
        self.find(&self.storages, Kind::SharedStorage, name, |remote| remote)
    }

    /// All storages that are built in, by name.
    pub fn storages(&self) -> impl Iterator<Item = &dyn SharedStorage> {
        self.storages.values().map(|storage| &**storage)
    }

    /// An isolation by name.
    pub fn isolation(&self, name: &str) -> Result<&dyn Isolation> {
        self.find(&self.isolations, Kind::Isolation, name, |remote| remote)
    }

    /// A plug-in by a plug-in's name, else what is built in; `shown` says what a plug-in is for its kind.
    fn find<'a, T: Backend + ?Sized>(
        &self,
        among: &'a BTreeMap<String, Box<T>>,
        kind: Kind,
        name: &str,
        shown: fn(&'static Remote) -> &'a T,
    ) -> Result<&'a T> {
        match &self.plugins {
            Some(plugins) if is_plugin_name(name) => plugins.find(kind, name).map(shown),
            _ => built_in(among, kind, name),
        }
    }

    /// What a plug-in of this kind and name says of itself.
    pub(crate) fn info(&self, kind: Kind, name: &str) -> Result<Info> {
        match kind {
            Kind::ReleaseSource => self.source(name).map(Backend::info),
            Kind::SharedStorage => self.storage(name).map(Backend::info),
            Kind::Isolation => self.isolation(name).map(Backend::info),
        }
    }

    /// The files that are, or would be, plug-ins of third parties; none of them is opened as a library.
    pub(crate) fn found(&self) -> Result<Vec<Found>> {
        self.plugins.as_ref().map_or(Ok(vec![]), Plugins::survey)
    }

    /// The same for one name.
    pub(crate) fn found_as(&self, name: &str) -> Result<Option<Found>> {
        self.plugins.as_ref().map_or(Ok(None), |plugins| plugins.look(name))
    }

    /// What every back end that is built in says of itself, by kind and name. What plug-ins can do is known only when
    /// they are opened, so those who only give hints leave them out.
    #[must_use]
    pub fn infos(&self) -> Vec<Info> {
        let sources = self.sources.values().map(|b| b.info());
        let storages = self.storages.values().map(|b| b.info());
        sources.chain(storages).chain(self.isolations.values().map(|b| b.info())).collect()
    }
}

fn add<T: Backend + ?Sized>(to: &mut BTreeMap<String, Box<T>>, backend: Box<T>) -> Result<()> {
    let info = backend.info();
    match to.insert(info.name.clone(), backend) {
        None => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::Config,
            format!("there are two back ends of kind {} named {}", info.kind, info.name),
        )),
    }
}

fn built_in<'a, T: Backend + ?Sized>(
    among: &'a BTreeMap<String, Box<T>>,
    kind: Kind,
    name: &str,
) -> Result<&'a T> {
    among.get(name).map(|backend| &**backend).ok_or_else(|| {
        let names: Vec<_> = among.keys().map(String::as_str).collect();
        Error::new(ErrorKind::Config, format!("there is no {kind} named {name:?}"))
            .with("backend", name)
            .hint(format!("there are: {}", names.join(", ")))
    })
}
