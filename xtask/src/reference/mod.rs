//! The reference of the border: what authors of plug-ins can look up, made from the sources that say it, so that it
//! cannot say anything else. It is committed, as the manual page is.
//!
//! It must not know what a type means: names, documentation and serde's attributes are all that it reads. An attribute
//! that it does not know is an error, so that the page cannot be wrong in silence.

mod json;
mod links;
mod methods;
mod page;
mod sources;
mod types;

use std::path::Path;

use crate::Result;
use crate::workspace::{Workspace, write_file};

/// The committed page.
const PAGE: &str = "docs/plugin-reference.md";

/// `cargo xtask reference`.
pub(crate) fn task(workspace: &Workspace) -> Result<()> {
    write_file(&workspace.root.join(PAGE), &page::written(&sources::Sources::read(&workspace.root)?)?)
}

/// A complaint if the committed page is not what the sources give.
pub(crate) fn complaint(root: &Path) -> Result<Option<String>> {
    let fresh = page::written(&sources::Sources::read(root)?)?;
    let same = std::fs::read_to_string(root.join(PAGE)).is_ok_and(|committed| committed == fresh);
    Ok((!same).then(|| format!("{PAGE}: not as generated: run `cargo xtask reference` and commit")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use qchroot_api::{
        Answer, Check, Command, DiskCheck, Error, ErrorKind, Mount, MountFs, Place, Service, Step,
    };
    use serde_json::{Value, json};

    use super::*;

    fn page() -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        page::written(&sources::Sources::read(root).unwrap()).unwrap()
    }

    fn section<'a>(page: &'a str, of: &str) -> &'a str {
        let (_, rest) = page.split_once(&format!("\n### {of}\n")).unwrap_or_else(|| panic!("no {of}"));
        rest.split("\n##").next().unwrap()
    }

    #[test]
    fn every_link_leads_to_a_heading() {
        let page = page();
        let headings = page.lines().filter(|line| line.starts_with('#'));
        let anchors: Vec<String> =
            headings.map(|line| links::anchor(line.trim_start_matches('#').trim())).collect();
        assert_eq!(anchors.iter().collect::<BTreeSet<_>>().len(), anchors.len(), "two headings of one name");
        for link in page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let known = !link.starts_with('#') || anchors.iter().any(|anchor| anchor == link);
            assert!(known, "{link} leads nowhere");
        }
    }

    /// What serde really writes, against what the page says that it writes.
    #[test]
    fn the_names_are_those_of_the_text_that_crosses() {
        let page = page();
        let told = |of: &str, value: Value| {
            for (key, value) in value.as_object().unwrap() {
                let name = value.as_str().filter(|_| ["do", "type", "is", "as"].contains(&key.as_str()));
                let wanted = name.map_or(format!("`{key}`"), |name| format!("- `\"{name}\"`"));
                assert!(section(&page, of).contains(&wanted), "{of} does not tell {wanted}");
            }
        };
        let root = Place::host("/x");
        let mount = Mount::new(root.clone(), MountFs::Tmp { size: 1, mode: 2 });
        told("Mount", json!(mount));
        told("MountFs", json!(mount.fs));
        told("Step", json!(Step::RemoveDir { at: root }));
        told("Answer", json!(Answer::Flag(true)));
        told("Command", json!(Command::new(["true"])));
        told("Error", json!(Error::new(ErrorKind::Busy, "x")));
        let service = json!({"name": "web", "run": {"as": "command", "argv": ["true"]}});
        let service: Service = serde_json::from_value(service).unwrap();
        told("Service", json!(service));
        assert_eq!(json!(Check::Succeeds(vec![])), json!([]));
        assert_eq!(json!(DiskCheck::Preen), "preen");
        assert!(section(&page, "DiskCheck").contains("- `\"preen\"`, `DiskCheck::Preen`: "));
    }

    #[test]
    fn a_method_has_its_message_and_its_capability() {
        let page = page();
        let resize = page.split_once("#### SharedStorage::resize\n").unwrap().1;
        let resize = resize.split("\n####").next().unwrap();
        for part in
            ["to: u64", r#"{"call": "resize", "base": …, "container": …, "to": …}"#, "`resize`. Need not"]
        {
            assert!(resize.contains(part), "no {part} in {resize}");
        }
    }
}
