//! One trait of the page: each method with its signature, what it needs, and the message that it is on the border.

use syn::{Fields, Item, ItemTrait, TraitItem, TraitItemFn, Variant};

use super::json::{Rules, words};
use super::links::{Links, anchor};
use super::sources::{Sources, doc, text_of};
use crate::Result;

/// How a method's documentation names the capability that it belongs to.
const NEEDS: &str = "With [`Capability::";

/// The messages that stand for the methods of a trait: an enum of the border.
pub(super) struct Messages<'a> {
    sources: &'a Sources,
    links: &'a Links,
    name: &'a str,
}

impl<'a> Messages<'a> {
    /// Those of the enum `name`.
    pub(super) fn new(sources: &'a Sources, links: &'a Links, name: &'a str) -> Self {
        Self { sources, links, name }
    }

    /// The section about the trait `name`.
    pub(super) fn section(&self, name: &str) -> Result<String> {
        let Some(Item::Trait(of)) = self.sources.get(name).map(|source| &source.item) else {
            return Err(format!("there is no trait {name}").into());
        };
        let mut text = format!("### {name}\n\n{}\n\n", self.links.markdown(&doc(&of.attrs)));
        for method in methods(of) {
            text += &self.method(name, method)?;
        }
        Ok(text + &self.shortcuts(name))
    }

    fn method(&self, of: &str, method: &TraitItemFn) -> Result<String> {
        let name = method.sig.ident.to_string();
        let signature = text_of(&method.sig).replace("\n    ", "\n");
        let doc = doc(&method.attrs);
        let mut facts = Vec::new();
        if let Some(message) = self.message(&name)? {
            facts.push(format!("[{}]({}): `{message}`.", self.name, anchor(self.name)));
        }
        if let Some(capability) = needed(&doc) {
            facts.push(format!("Needs the [capability](#capability) `{capability}`."));
        }
        if method.default.is_some() {
            facts.push("Need not be written.".to_owned());
        }
        let types = self.links.mentioned(&method.sig);
        if !types.is_empty() {
            facts.push(format!("See {}.", types.join(", ")));
        }
        let about = self.links.markdown(&doc);
        Ok(format!("#### {of}::{name}\n\n```rust\n{signature}\n```\n\n{about}\n\n{}\n\n", facts.join(" ")))
    }

    /// The message of a method, its fields left open.
    fn message(&self, method: &str) -> Result<Option<String>> {
        let Some(Item::Enum(all)) = self.sources.get(self.name).map(|source| &source.item) else {
            return Err(format!("there is no enum {}", self.name).into());
        };
        let rules = Rules::of(&all.attrs)?;
        let variant = all.variants.iter().find(|variant| words(&variant.ident.to_string()) == method);
        Ok(variant.map(|variant| form(variant, &rules)))
    }

    /// Methods beside the trait's own, which every one of its kind has.
    fn shortcuts(&self, name: &str) -> String {
        let lines = self.sources.methods(name).iter().map(|method| {
            let signature = text_of(&method.sig).split_whitespace().collect::<Vec<_>>().join(" ");
            format!("- `{signature}`: {}\n", self.links.line(&doc(&method.attrs)))
        });
        let lines: String = lines.collect();
        if lines.is_empty() { lines } else { format!("Easier to call:\n\n{lines}\n") }
    }
}

fn methods(of: &ItemTrait) -> impl Iterator<Item = &TraitItemFn> {
    of.items.iter().filter_map(|item| if let TraitItem::Fn(method) = item { Some(method) } else { None })
}

/// A message as JSON, its fields left open.
fn form(variant: &Variant, rules: &Rules) -> String {
    let tag = rules.tag.as_deref().unwrap_or_default();
    let mut parts = vec![format!("\"{tag}\": \"{}\"", rules.variants.variant(&variant.ident.to_string()))];
    if let Fields::Named(fields) = &variant.fields {
        let names = fields.named.iter().filter_map(|field| field.ident.as_ref());
        parts.extend(names.map(|name| format!("\"{}\": …", rules.fields.field(&name.to_string()))));
    }
    format!("{{{}}}", parts.join(", "))
}

/// The capability that a back end must say it has when it offers a method.
fn needed(doc: &str) -> Option<String> {
    let flat = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, rest) = flat.split_once(NEEDS)?;
    let (name, _) = rest.split_once('`')?;
    Some(words(name).replace('_', "-"))
}
