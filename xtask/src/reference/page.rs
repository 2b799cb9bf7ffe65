//! The page as a whole: its head, its contents, its parts in an order in which they can be read, its index.

use super::links::{Links, MESSAGES, anchor, is_trait};
use super::methods::Messages;
use super::sources::Sources;
use super::types::Types;
use crate::Result;

/// Types that no signature mentions.
const FURTHER: &[&str] = &["Call", "Ask", "Header", "Error"];

/// The types by what they are for, module by module; the last part takes the rest.
const PARTS: &[(&str, &[&str])] = &[
    ("What a back end says of itself", &["backend", "options", "platform"]),
    ("Errors", &["error"]),
    ("Releases", &["release"]),
    ("Filling a staging directory", &["tree", "download"]),
    ("Bases and containers", &["container", "name", "limits", "usage", "derived"]),
    ("Plans", &["step", "place", "check", "mount", "disk", "quota"]),
    ("Processes in a container", &["entry", "rules", "group", "sandbox", "service"]),
    ("Questions and answers", &["observe", "listener"]),
    ("Messages on the border", &["call", "ask", "header"]),
    ("Other types", &[]),
];

const HEAD: &str = "\
Every trait, type and message that a plug-in meets, in the version of the border that stands above. This page is written
by `cargo xtask reference` from the sources of `crates/api` and `crates/abi`; whoever writes a plug-in in Rust has all of it
from the crate `qchroot-plugin`. How to write one is told in the [guide](plugin-guide.md), what stays as it is from one
version to the next in [the promise](plugin-compatibility.md), what a plug-in can do to a machine in
[security](security.md).

Authors who write Rust never see the JSON. It is told all the same, for those who look at it on its way across the border:

| in Rust | as JSON |
| --- | --- |
| `String`, paths (`Utf8PathBuf`), addresses (`IpAddr`, `SocketAddr`) | text |
| `u32`, `i64` … | a number |
| `bool` | `true` or `false` |
| `Option<T>` | as `T`, or `null` |
| `Vec<T>`, `BTreeSet<T>`, `(T, U)` | a list |
| `BTreeMap<String, T>`, `Options` (`toml::Table`) | an object |
| `Box<T>` | as `T` |
| `()` | `null` |
| structs and enums | as each says below |
| `Result<T>` | one of two messages: `T`, or an [`Error`](#error) |

Where a field says *if left out*, an object without it is read as if it were there with that value; all other fields must be
there. Long bytes ([`Answer::Bytes`](#answer), the body of a [`Reply`](#reply), what files hold) go beside the JSON.
";

/// The page.
pub(super) fn written(sources: &Sources) -> Result<String> {
    let roots: Vec<&str> = MESSAGES.iter().flat_map(|(_, traits)| *traits).chain(FURTHER).copied().collect();
    let links = Links::from(sources, &roots);
    let titles = ["The traits of a back end", "What it may ask of the host"];
    let mut parts: Vec<_> = titles.into_iter().zip(MESSAGES.map(|(_, traits)| traits.to_vec())).collect();
    let types = sorted(sources, &links);
    parts.extend(PARTS.iter().map(|(title, _)| (*title, of_part(title, &types))));
    parts.retain(|(_, names)| !names.is_empty());
    let mut page = format!("# Plug-in reference\n\nBorder {}.\n\n{HEAD}\n", border(sources)?);
    page += &contents(&parts);
    for (title, names) in &parts {
        page += &format!("## {title}\n\n");
        for name in names {
            page += &section(sources, &links, name)?;
        }
    }
    Ok(page + &index(&links))
}

fn section(sources: &Sources, links: &Links, name: &str) -> Result<String> {
    for (messages, traits) in MESSAGES {
        if traits.contains(&name) {
            return Messages::new(sources, links, messages).section(name);
        }
    }
    Types { sources, links }.section(name)
}

/// The border's version, major and minor.
fn border(sources: &Sources) -> Result<String> {
    let text = sources.literal("BORDER_TEXT").ok_or("there is no BORDER_TEXT")?;
    let numbers: Vec<&str> = text.trim_matches('"').split('.').take(2).collect();
    Ok(numbers.join("."))
}

/// The types with their modules, in the order of the sources.
fn sorted<'a>(sources: &'a Sources, links: &'a Links) -> Vec<(&'a str, &'a str)> {
    let types = links.all().filter(|name| !is_trait(name));
    let mut found: Vec<_> = types.filter_map(|name| Some((sources.get(name)?, name))).collect();
    found.sort_by_key(|(source, _)| source.order);
    found.into_iter().map(|(source, name)| (source.module.as_str(), name)).collect()
}

fn of_part<'a>(title: &str, types: &[(&'a str, &'a str)]) -> Vec<&'a str> {
    let names =
        |module: &str| types.iter().filter(move |it| it.0 == module).map(|it| it.1).collect::<Vec<_>>();
    match PARTS.iter().find(|part| part.0 == title) {
        Some((_, [])) => {
            let elsewhere = |module: &str| PARTS.iter().any(|(_, modules)| modules.contains(&module));
            types.iter().filter(|(module, _)| !elsewhere(module)).map(|(_, name)| *name).collect()
        }
        Some((_, modules)) => modules.iter().flat_map(|module| names(module)).collect(),
        None => vec![],
    }
}

fn contents(parts: &[(&str, Vec<&str>)]) -> String {
    let lines = parts.iter().map(|(title, names)| {
        let links: Vec<String> = names.iter().map(|name| link(name)).collect();
        format!("- [{title}]({}): {}\n", anchor(title), links.join(", "))
    });
    format!("## Contents\n\n{}\n", lines.collect::<String>())
}

fn index(links: &Links) -> String {
    let all: Vec<String> = links.all().map(link).collect();
    format!("## Index\n\n{}\n", all.join(" ·\n"))
}

fn link(name: &str) -> String {
    format!("[{name}]({})", anchor(name))
}
