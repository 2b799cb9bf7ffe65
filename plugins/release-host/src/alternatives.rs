//! update-alternatives(1): links from a general name to the best of the programs that are there. What the host's
//! administrator chose is not taken over: in the userland every name is in automatic mode.

use qchroot_api::{Place, Result};

use crate::manifest::Manifest;
use crate::output::Output;

const DATABASE: &str = "/var/lib/dpkg/alternatives";

/// One name: its link, the links that go with it, and the programs it can stand for.
#[derive(Debug, PartialEq, Eq)]
struct Group<'a> {
    /// Name and link, the main one first.
    links: Vec<(&'a str, &'a str)>,
    choices: Vec<Choice<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice<'a> {
    priority: i64,
    /// A target for each link; empty where there is none.
    targets: Vec<&'a str>,
}

/// Writes the links of all names for which a program is there, and dpkg's record of them.
pub(crate) fn write(manifest: &mut Manifest, output: &mut Output) -> Result<()> {
    let Ok(names) = output.host().list(&Place::host(DATABASE)) else { return Ok(()) };
    for name in names {
        let Ok(text) = output.host().read(&Place::host(format!("{DATABASE}/{name}"))) else { continue };
        let Some(mut group) = parse(&name, &text) else { continue };
        group.choices.retain(|choice| manifest.has(output.host(), choice.targets[0]));
        if let Some(best) = group.choices.iter().max_by_key(|choice| choice.priority).cloned() {
            link(&group, &best, manifest, output)?;
            output.file(format!("{}/{name}", &DATABASE[1..]), 0o644, 0, group.record().as_bytes())?;
        }
    }
    Ok(())
}

fn link(group: &Group, best: &Choice, manifest: &mut Manifest, output: &mut Output) -> Result<()> {
    for ((name, link), target) in group.links.iter().zip(&best.targets) {
        if !target.is_empty() && manifest.has(output.host(), target) {
            let place = manifest.place(output.host(), link)?;
            output.link(place, &format!("/etc/alternatives/{name}"))?;
            output.link(format!("etc/alternatives/{name}"), target)?;
        }
    }
    Ok(())
}

/// The file's lines: mode, link; then name and link of each that goes with it, an empty line; then of each choice
/// its path, priority and one target for each of the others, and an empty line at the end.
fn parse<'a>(name: &'a str, text: &'a str) -> Option<Group<'a>> {
    let mut lines = text.lines().skip(1);
    let mut links = vec![(name, lines.next()?)];
    while let Some(name) = lines.next().filter(|name| !name.is_empty()) {
        links.push((name, lines.next()?));
    }
    let mut choices = Vec::new();
    while let Some(path) = lines.next().filter(|path| !path.is_empty()) {
        let priority = lines.next()?.parse().ok()?;
        let mut targets = vec![path];
        for _ in 1..links.len() {
            targets.push(lines.next()?);
        }
        choices.push(Choice { priority, targets });
    }
    Some(Group { links, choices })
}

impl Group<'_> {
    fn record(&self) -> String {
        let mut lines = vec!["auto".to_owned(), self.links[0].1.to_owned()];
        lines
            .extend(self.links[1..].iter().flat_map(|(name, link)| [(*name).to_owned(), (*link).to_owned()]));
        lines.push(String::new());
        for choice in &self.choices {
            lines.extend([choice.targets[0].to_owned(), choice.priority.to_string()]);
            lines.extend(choice.targets[1..].iter().map(|&target| target.to_owned()));
        }
        lines.join("\n") + "\n\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_and_written_alike_but_for_the_mode() {
        let text = "manual\n/usr/bin/awk\nawk.1.gz\n/usr/share/man/man1/awk.1.gz\n\n/usr/bin/mawk\n5\n\
                    /usr/share/man/man1/mawk.1.gz\n/usr/bin/gawk\n10\n\n\n";
        let group = parse("awk", text).unwrap();
        assert_eq!(group.links, [("awk", "/usr/bin/awk"), ("awk.1.gz", "/usr/share/man/man1/awk.1.gz")]);
        assert_eq!(group.choices[1], Choice { priority: 10, targets: vec!["/usr/bin/gawk", ""] });
        assert_eq!(group.record(), text.replace("manual", "auto"));
        assert_eq!(parse("awk", "auto\n/usr/bin/awk\n\n/usr/bin/mawk\nx\n"), None);
    }
}
