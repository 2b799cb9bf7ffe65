//! One type of the page: what it is, how it stands in JSON, its fields or variants, and what it offers in Rust.

use syn::{Fields, Item, ItemEnum, ItemStruct, Type, Variant};

use super::json::{Absent, Rules, Spelling};
use super::links::{Links, names};
use super::sources::{Sources, doc, text_of};
use crate::Result;

/// What writing about types needs.
pub(super) struct Types<'a> {
    pub(super) sources: &'a Sources,
    pub(super) links: &'a Links,
}

impl Types<'_> {
    /// The section about the type `name`; nothing for a trait.
    pub(super) fn section(&self, name: &str) -> Result<String> {
        let Some(source) = self.sources.get(name) else { return Ok(String::new()) };
        let (attributes, body) = match &source.item {
            Item::Struct(it) => (&it.attrs, self.of_struct(it)?),
            Item::Enum(it) => (&it.attrs, self.of_enum(it)?),
            Item::Type(it) => (&it.attrs, format!("Another name of {}.\n", self.links.type_text(&it.ty))),
            _ => return Ok(String::new()),
        };
        let about = self.links.markdown(&doc(attributes));
        Ok(format!("### {name}\n\n{about}\n\n{body}{}\n", self.offers(name)))
    }

    fn of_struct(&self, item: &ItemStruct) -> Result<String> {
        let rules = Rules::of(&item.attrs)?;
        if let Some(other) = &rules.as_type {
            return Ok(format!("As JSON: {}.\n", if other == "String" { "text" } else { other }));
        }
        match &item.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => self.of_content(&fields.unnamed[0].ty),
            fields => {
                let list = self.fields(fields, rules.variants, "")?;
                Ok(format!("As JSON: an object{}.\n\n{list}", strictness(&rules)))
            }
        }
    }

    /// Of a struct that only wraps another, which need not be public.
    fn of_content(&self, inner: &Type) -> Result<String> {
        let private = names(inner).iter().rev().find_map(|name| self.sources.get(name));
        match private.map(|source| &source.item) {
            Some(Item::Struct(it)) => self.of_struct(it),
            _ => Ok(format!("As JSON: as {}.\n", self.links.type_text(inner))),
        }
    }

    fn of_enum(&self, item: &ItemEnum) -> Result<String> {
        let rules = Rules::of(&item.attrs)?;
        let intro = match (&rules.tag, &rules.content) {
            (Some(tag), Some(content)) => {
                format!("an object whose `{tag}` says which of these, and whose `{content}` holds the rest")
            }
            (Some(tag), None) => format!("an object whose `{tag}` says which of these, the fields beside it"),
            _ if rules.untagged => "one of these, told apart by what is there".to_owned(),
            _ => "one of these texts".to_owned(),
        };
        let mut text = format!("As JSON: {intro}{}.\n\n", strictness(&rules));
        for variant in &item.variants {
            text += &self.variant(&item.ident.to_string(), variant, &rules)?;
        }
        Ok(text)
    }

    fn variant(&self, of: &str, variant: &Variant, rules: &Rules) -> Result<String> {
        let own = Rules::of(&variant.attrs)?;
        let spelling = if own.variants == Spelling::AsInRust { rules.fields } else { own.variants };
        let name = own.rename.unwrap_or_else(|| rules.variants.variant(&variant.ident.to_string()));
        let said = if rules.untagged { String::new() } else { format!("`\"{name}\"`, ") };
        let method = self.links.method(self.sources, of, &variant.ident.to_string());
        let about = method.unwrap_or_default() + &self.links.line(&doc(&variant.attrs));
        let content = match &variant.fields {
            Fields::Unnamed(fields) => {
                let held = &fields.unnamed[0].ty;
                format!(" Holds {}.", self.links.type_text(held))
            }
            _ if own.other => " Also read where an unknown word stands.".to_owned(),
            _ => String::new(),
        };
        let line = format!("- {said}`{of}::{}`: {about}{content}", variant.ident);
        let nested = matches!(variant.fields, Fields::Named(_));
        let list = if nested { self.fields(&variant.fields, spelling, "  ")? } else { String::new() };
        Ok(format!("{}\n{list}", line.trim_end()))
    }

    fn fields(&self, fields: &Fields, spelling: Spelling, indent: &str) -> Result<String> {
        let mut text = String::new();
        for field in fields {
            let rules = Rules::of(&field.attrs)?;
            let rust = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
            let name = rules.rename.clone().unwrap_or_else(|| spelling.field(&rust));
            let other = if name == rust { String::new() } else { format!(", in Rust `{rust}`") };
            let about = self.links.line(&doc(&field.attrs));
            let of = self.links.type_text(&field.ty);
            let note = self.note(&field.ty, &rules)?;
            let line = format!("{of}{other}. {about}");
            text += &format!("{indent}- `{name}`: {}{note}", line.trim_end());
            text.push('\n');
        }
        Ok(text)
    }

    /// What there is to say of a field beside its documentation.
    fn note(&self, of: &Type, rules: &Rules) -> Result<String> {
        let bytes = match rules.with.as_deref() {
            None => "",
            Some("crate::os_path") => " As JSON: text, or a list of bytes where it is not UTF-8.",
            Some(other) => return Err(format!("the reference does not know what {other} writes").into()),
        };
        let absent = match &rules.absent {
            Some(Absent::Function(name)) => self.sources.literal(name).map(str::to_owned),
            Some(Absent::OfType) => Some(self.default_of(of)?),
            None if rules.optional || text_of(of).starts_with("Option<") => Some("null".to_owned()),
            None => None,
        };
        Ok(bytes.to_owned() + &absent.map(|value| format!(" If left out: `{value}`.")).unwrap_or_default())
    }

    /// A type's default, as JSON.
    fn default_of(&self, of: &Type) -> Result<String> {
        let text = text_of(of);
        let outer = text.split('<').next().unwrap_or_default();
        let known = match outer {
            "Option" => Some("null"),
            "Vec" | "BTreeSet" => Some("[]"),
            "BTreeMap" | "Options" => Some("{}"),
            "String" => Some("\"\""),
            "bool" => Some("false"),
            "u8" | "u16" | "u32" | "u64" | "i32" | "i64" => Some("0"),
            _ => None,
        };
        match (known, self.sources.get(outer).map(|source| &source.item)) {
            (Some(known), _) => Ok(known.to_owned()),
            (None, Some(Item::Enum(it))) => default_variant(it),
            (None, Some(Item::Struct(_))) => Ok("{}".to_owned()),
            (None, _) => Err(format!("the reference does not know the default of {text}").into()),
        }
    }

    /// What a type can do in Rust, in one line each.
    fn offers(&self, name: &str) -> String {
        let lines = self.sources.methods(name).iter().map(|method| {
            let signature = text_of(&method.sig).split_whitespace().collect::<Vec<_>>().join(" ");
            let doc = doc(&method.attrs);
            let first = doc.split("\n\n").next().unwrap_or_default();
            format!("- `{}`: {}\n", signature.replace("( ", "(").replace(", )", ")"), self.links.line(first))
        });
        let lines: String = lines.collect();
        if lines.is_empty() { lines } else { format!("\nIn Rust:\n\n{lines}") }
    }
}

fn strictness(rules: &Rules) -> &'static str {
    if rules.strict { "; an unknown key is refused" } else { "" }
}

fn default_variant(of: &ItemEnum) -> Result<String> {
    let marked =
        |variant: &&Variant| variant.attrs.iter().any(|attribute| attribute.path().is_ident("default"));
    let variant = of.variants.iter().find(marked).ok_or_else(|| format!("{} has no default", of.ident))?;
    Ok(format!("{:?}", Rules::of(&of.attrs)?.variants.variant(&variant.ident.to_string())))
}
