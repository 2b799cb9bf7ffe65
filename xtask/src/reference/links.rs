//! Which names a type mentions, what can be reached from where, and documentation whose links lead to places of the page.

use std::collections::BTreeSet;

use syn::visit::Visit;
use syn::{Block, Item, ItemTrait, PathSegment, TraitItem};

use super::json::words;
use super::sources::{Sources, text_of};

/// What stands on the page, so that a link can lead to it.
pub(super) struct Links(BTreeSet<String>);

impl Links {
    /// Everything that `roots` lead to.
    pub(super) fn from(sources: &Sources, roots: &[&str]) -> Self {
        let mut reached = BTreeSet::new();
        let mut open: Vec<String> = roots.iter().map(|&name| name.to_owned()).collect();
        while let Some(name) = open.pop() {
            if let Some(source) = sources.get(&name).filter(|_| name != "Result")
                && reached.insert(name)
            {
                open.extend(mentioned(&source.item));
            }
        }
        reached.retain(|name| sources.get(name).is_some_and(|source| source.public));
        Self(reached)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// A type as it stands in Rust, with a link to the first of its parts that is on the page.
    pub(super) fn type_text(&self, of: &syn::Type) -> String {
        let text = text_of(of);
        match names(of).iter().find(|name| self.0.contains(*name)) {
            Some(name) => format!("[`{text}`]({})", anchor(name)),
            None => format!("`{text}`"),
        }
    }

    /// Links to all that a signature mentions.
    pub(super) fn mentioned(&self, signature: &syn::Signature) -> Vec<String> {
        let mut found = Names::default();
        found.visit_signature(signature);
        let known = found.0.iter().filter(|name| self.0.contains(*name));
        known.map(|name| format!("[{name}]({})", anchor(name))).collect()
    }

    /// Documentation as Markdown: links among the sources become links on the page, headings become words.
    pub(super) fn markdown(&self, doc: &str) -> String {
        let mut lines = Vec::new();
        let mut heading = String::new();
        for line in doc.lines() {
            match line.strip_prefix("# ") {
                Some(title) => heading = format!("{title}: "),
                None => lines.push(std::mem::take(&mut heading) + line),
            }
        }
        let text = lines.join("\n");
        let mut parts = text.split("[`");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |done, part| match part.split_once("`]") {
            Some((path, rest)) => done + &self.link(path) + rest,
            None => done + "[`" + part,
        })
    }

    /// The same in one line.
    pub(super) fn line(&self, doc: &str) -> String {
        self.markdown(doc).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The method that a variant of a message stands for.
    pub(super) fn method(&self, sources: &Sources, message: &str, variant: &str) -> Option<String> {
        let traits = MESSAGES.iter().find(|(name, _)| *name == message)?.1;
        let name = words(variant);
        let has =
            |it: &&&str| matches!(sources.get(it).map(|s| &s.item), Some(Item::Trait(of)) if has(of, &name));
        let of = traits.iter().find(has)?;
        Some(self.link(&format!("{of}::{name}")) + ". ")
    }

    fn link(&self, path: &str) -> String {
        let path = path.trim_start_matches("crate::");
        let (of, part) = path.split_once("::").unwrap_or((path, ""));
        if !self.0.contains(of) {
            return format!("`{path}`");
        }
        // Methods of traits have a heading of their own; variants and fields stand below their type.
        let method = part.starts_with(char::is_lowercase) && is_trait(of);
        format!("[`{path}`]({})", anchor(if method { path } else { of }))
    }
}

/// The traits, and the messages that stand for their methods on the border: those that an author writes, and those that
/// an author calls.
pub(super) const MESSAGES: [(&str, &[&str]); 2] = [
    ("Call", &["Backend", "ReleaseSource", "SharedStorage", "Isolation"]),
    ("Ask", &["Observe", "Work", "TreeWriter"]),
];

/// Whether something is one of the traits, whose methods have headings.
pub(super) fn is_trait(name: &str) -> bool {
    MESSAGES.iter().any(|(_, traits)| traits.contains(&name))
}

fn has(of: &ItemTrait, method: &str) -> bool {
    of.items.iter().any(|item| matches!(item, TraitItem::Fn(it) if it.sig.ident == method))
}

/// Where a heading is.
pub(super) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    format!("#{}", kept.collect::<String>().to_lowercase().replace(' ', "-"))
}

/// The names that a type mentions, in their order.
pub(super) fn names(of: &syn::Type) -> Vec<String> {
    let mut found = Names::default();
    found.visit_type(of);
    found.0
}

/// The names in the fields of a type or in the signatures of a trait.
fn mentioned(item: &Item) -> Vec<String> {
    let mut found = Names::default();
    found.visit_item(item);
    found.0
}

#[derive(Default)]
struct Names(Vec<String>);

impl Visit<'_> for Names {
    fn visit_path_segment(&mut self, segment: &PathSegment) {
        let name = segment.ident.to_string();
        if !self.0.contains(&name) {
            self.0.push(name);
        }
        syn::visit::visit_path_segment(self, segment);
    }

    /// What a method does by itself, when its author leaves it out, is nobody's concern.
    fn visit_block(&mut self, _block: &Block) {}
}
