//! `adopt`: what other tools left, what becomes of it, and what is left to be done by hand.

use qchroot_api::Result;
use qchroot_engine::{AdoptWish, AdoptedContainer, AdoptedRelease, AdoptedSystem, Adoption};

use crate::args::Adopt;
use crate::fail;
use crate::print::{self, escape, line};
use crate::run::{Front, absolute};

impl Front<'_> {
    pub(crate) fn adopt(&self, args: Adopt) -> Result<u8> {
        let top = absolute(&args.path)?.into();
        let Adopt { names, from, isolation, apply, .. } = args;
        let adoption = self.engine.adopt(&AdoptWish { from, top, names, isolation, apply })?;
        let shows_steps = apply && self.engine.dry_run;
        if self.json && !shows_steps {
            print::json(&adoption)?;
        } else if !(self.screen.is_quiet() || shows_steps) {
            tell(&adoption, apply)?;
        }
        for error in &adoption.failures {
            fail::tell(error, fail::status(error), self.json);
        }
        Ok(adoption.failures.first().map_or(0, fail::status))
    }
}

fn tell(adoption: &Adoption, apply: bool) -> Result<()> {
    if adoption.systems.is_empty() {
        return line("nothing to adopt");
    }
    adoption.systems.iter().try_for_each(|system| tell_system(system, adoption.applied))?;
    let is_plan =
        adoption.systems.iter().any(|system| !system.containers.is_empty() || !system.releases.is_empty());
    if is_plan && !apply { line("nothing was changed; `qchroot adopt --apply` does it") } else { Ok(()) }
}

fn tell_system(system: &AdoptedSystem, applied: bool) -> Result<()> {
    line(&format!("{}:", system.tool))?;
    system.releases.iter().try_for_each(|release| tell_release(release, applied))?;
    system.containers.iter().try_for_each(|container| tell_container(container, applied))?;
    for left in &system.left {
        line(&escape(&format!("  {}: not taken: {}", left.name, left.why)))?;
        if let Some(hint) = &left.hint {
            line(&escape(&format!("    hint: {hint}")))?;
        }
    }
    for note in &system.notes {
        line(&escape(&format!("  {}:{}: {}", note.file, note.line, note.what)))?;
    }
    let is_any = !system.containers.is_empty() || !system.releases.is_empty();
    for by_hand in system.by_hand.iter().filter(|_| is_any) {
        line(&escape(&format!("  by hand: {by_hand}")))?;
    }
    Ok(())
}

fn tell_release(release: &AdoptedRelease, applied: bool) -> Result<()> {
    let word = if applied { if release.done { "adopted" } else { "failed" } } else { "to be adopted" };
    line(&escape(&format!("  release {}: {word} from {}", release.id, release.from)))
}

fn tell_container(container: &AdoptedContainer, applied: bool) -> Result<()> {
    let word = if applied { if container.done { "adopted" } else { "failed" } } else { "to be adopted" };
    let file = &container.file;
    let services: Vec<&str> = file.service.iter().map(|service| service.name.as_str()).collect();
    let boot = if file.boot { "" } else { ", not at boot" };
    let services =
        if services.is_empty() { String::new() } else { format!(", services {}", services.join(",")) };
    let what = format!("isolation {}{services}{boot}", file.isolation.backend);
    line(&escape(&format!("  {}: {word} from {} ({what})", container.name, container.from)))?;
    for (key, value) in &file.isolation.options {
        line(&escape(&format!("    {key} = {value}")))?;
    }
    for warning in &container.warnings {
        line(&escape(&format!("    warning: {warning}")))?;
    }
    if container.done {
        line(&escape(&format!("    the way back: {}", container.back.join(" && "))))?;
    }
    Ok(())
}
