//! `resize`: a container gets another limit, and its file says so.

use qchroot_api::{Error, ErrorKind, Name, Place, Result, Step};
use serde::Serialize;
use toml_edit::DocumentMut;

use super::config::set_backend_options;
use crate::journal::Op;
use crate::space::size_of;
use crate::{Engine, Loaded};

/// What a container's limit was and is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resized {
    /// The container.
    pub name: Name,
    /// Its limit before, in bytes; none where there was none.
    pub from_bytes: Option<u64>,
    /// Its limit now.
    pub to_bytes: u64,
}

impl Engine<'_> {
    /// Gives a container the limit `size`, such as `2G`, while it is started where its storage can. What is inside stays
    /// whole whenever the run dies. In a dry run `to_bytes` is what was asked for.
    ///
    /// # Errors
    /// Usage, for what is no size or cannot be; unavailable, where its storage sets no limit.
    pub fn resize(&self, name: &Name, size: &str) -> Result<Resized> {
        let to = size_of(size)?;
        let _lock = self.lock_container(name)?;
        self.refuse_half_done(name)?;
        let loaded = self.load(name)?;
        let from_bytes = self.limit_of(&loaded)?;
        let mut plan = loaded
            .storage
            .resize(&loaded.installed.base, &loaded.container, to, self.view())
            .map_err(of_the_command_line)?;
        plan.extend(self.size_in_file(&loaded, size)?);
        if !plan.is_empty() {
            self.run_resize(&loaded, plan)?;
        }
        let now = if self.dry_run { None } else { self.limit_of(&loaded)? };
        Ok(Resized { name: name.clone(), from_bytes, to_bytes: now.unwrap_or(to) })
    }

    fn limit_of(&self, loaded: &Loaded<'_>) -> Result<Option<u64>> {
        let usage = loaded.storage.usage(&loaded.container, self.view())?;
        Ok(usage.and_then(|usage| usage.limit))
    }

    fn run_resize(&self, loaded: &Loaded<'_>, plan: Vec<Step>) -> Result<()> {
        let name = &loaded.name;
        self.make_log_dir(name)?;
        self.run_durable(name, Op::Resize, plan)?;
        if self.dry_run { Ok(()) } else { self.warn_of_overcommit(name) }
    }

    /// The step that puts the size into the container's file as it was given, comments kept; none when it is there.
    fn size_in_file(&self, loaded: &Loaded<'_>, size: &str) -> Result<Option<Step>> {
        let (_, was) = self.read_file(&loaded.name)?;
        let mut document: DocumentMut = was
            .parse()
            .map_err(|e| Error::new(ErrorKind::Config, "the administration file is damaged").cause(e))?;
        let given = [("size".to_owned(), size.to_owned())];
        set_backend_options(&mut document, "storage", &loaded.storage.info(), &given)?;
        let text = document.to_string();
        let at = Place::host(self.layout.file(&loaded.name));
        Ok((text != was).then_some(Step::WriteFile { at, text, mode: 0o644, was: Some(was) }))
    }
}

/// What would be wrong in a file is wrong on the command line.
fn of_the_command_line(error: Error) -> Error {
    if error.kind() == ErrorKind::Config { error.of_kind(ErrorKind::Usage) } else { error }
}
