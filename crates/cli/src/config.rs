//! `config`: what the user asked, in the engine's terms, and what is shown.

use qchroot_api::{Error, ErrorKind, Name, Result};
use qchroot_engine::{ConfigChange, Outcome, ServiceKey, ServiceSetting};

use crate::args::{Config, ServiceSettings};
use crate::print;
use crate::run::{Front, backend_options, key_value, pairs};

impl Front<'_> {
    pub(crate) fn config(&self, args: Config) -> Result<()> {
        let name: Name = args.name.parse()?;
        let (storage_options, isolation_options) = backend_options(&args.options)?;
        let change = ConfigChange {
            services: args.services,
            commands: pairs(&args.command)?,
            limits: pairs(&args.limit)?,
            settings: settings(&args.settings)?,
            remove: args.remove,
            permissions: args.permission,
            boot: yes_or_no("--boot", args.boot.as_deref())?,
            after: containers(&args.settings.after)?,
            remove_after: args.order.remove_after,
            requires: containers(&args.settings.requires)?,
            remove_requires: args.order.remove_requires,
            keep_run_files: yes_or_no("--keep-run-files", args.order.keep_run_files.as_deref())?,
            storage_options,
            isolation_options,
        };
        if change.is_empty() { self.show_config(&name) } else { self.engine.configure(&name, &change) }
    }

    fn show_config(&self, name: &Name) -> Result<()> {
        let loaded = self.engine.load(name)?;
        if self.json {
            return print::json(&loaded.file);
        }
        if loaded.services.is_empty() {
            return print::line(Outcome::Bypassed.phrase());
        }
        loaded.services.iter().try_for_each(|service| print::line(&print::escape(&service.to_string())))
    }
}

/// Whether a need is one of a service's: no container has such a name.
fn is_of_service(text: &&String) -> bool {
    text.contains('=')
}

fn containers(needs: &[String]) -> Result<Vec<Name>> {
    needs.iter().filter(|text| !is_of_service(text)).map(|name| name.parse()).collect()
}

fn settings(given: &ServiceSettings) -> Result<Vec<ServiceSetting>> {
    let needs = |texts: &'_ [String]| texts.iter().filter(is_of_service).cloned().collect();
    let by_key: [(ServiceKey, Vec<String>); 6] = [
        (ServiceKey::After, needs(&given.after)),
        (ServiceKey::Requires, needs(&given.requires)),
        (ServiceKey::Ready, given.ready.clone()),
        (ServiceKey::Restart, given.restart.clone()),
        (ServiceKey::User, given.user.clone()),
        (ServiceKey::StopSignal, given.stop_signal.clone()),
    ];
    let all = by_key.iter().flat_map(|(key, texts)| texts.iter().map(move |text| (*key, text)));
    all.map(|(key, text)| {
        let (service, value) = key_value(text)?;
        Ok(ServiceSetting { service, key, value })
    })
    .collect()
}

fn yes_or_no(option: &str, text: Option<&str>) -> Result<Option<bool>> {
    match text {
        None => Ok(None),
        Some("yes") => Ok(Some(true)),
        Some("no") => Ok(Some(false)),
        Some(other) => Err(Error::new(ErrorKind::Usage, format!("{option} is yes or no, not {other:?}"))),
    }
}
