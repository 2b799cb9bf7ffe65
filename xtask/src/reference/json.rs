//! What serde's attributes make of a type when it is written as JSON. It knows the attributes that the sources use; any
//! other is an error.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr, Token};

use crate::Result;

/// How serde is told to write names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Spelling {
    #[default]
    AsInRust,
    Kebab,
    Lowercase,
}

impl Spelling {
    fn from(text: &str) -> Option<Self> {
        match text {
            "kebab-case" => Some(Self::Kebab),
            "lowercase" => Some(Self::Lowercase),
            "snake_case" => Some(Self::AsInRust),
            _ => None,
        }
    }

    /// A field's name.
    pub(super) fn field(self, name: &str) -> String {
        let name = name.trim_start_matches("r#");
        if self == Self::Kebab { name.replace('_', "-") } else { name.to_owned() }
    }

    /// A variant's name.
    pub(super) fn variant(self, name: &str) -> String {
        match self {
            Self::AsInRust => name.to_owned(),
            Self::Lowercase => name.to_lowercase(),
            Self::Kebab => words(name).replace('_', "-"),
        }
    }
}

/// A name such as `CloneOf` as `clone_of`.
pub(super) fn words(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.extend(c.to_lowercase());
    }
    words
}

/// What is put for a field that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Absent {
    /// What its type has by itself.
    OfType,
    /// What a function says.
    Function(String),
}

/// What serde is told of a type, a variant or a field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) variants: Spelling,
    pub(super) fields: Spelling,
    pub(super) tag: Option<String>,
    pub(super) content: Option<String>,
    pub(super) untagged: bool,
    /// It is written as another type, such as `String`.
    pub(super) as_type: Option<String>,
    pub(super) strict: bool,
    pub(super) absent: Option<Absent>,
    pub(super) rename: Option<String>,
    /// It is left out when there is nothing to say.
    pub(super) optional: bool,
    /// It is also read where something else stands that nobody knows.
    pub(super) other: bool,
    /// A module that writes it another way.
    pub(super) with: Option<String>,
}

impl Rules {
    /// Those in `attributes`.
    pub(super) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut rules = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| rules.take(&meta))?;
        }
        Ok(rules)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        let value = meta.input.peek(Token![=]).then(|| meta.value()?.parse::<LitStr>()).transpose()?;
        self.set(&key, value.map(|text| text.value()))
            .ok_or_else(|| meta.error(format!("the reference does not know serde's {key}")))
    }

    fn set(&mut self, key: &str, value: Option<String>) -> Option<()> {
        match (key, value) {
            // For a struct it is the fields' spelling, too; whoever asks knows which.
            ("rename_all", Some(text)) => self.variants = Spelling::from(&text)?,
            ("rename_all_fields", Some(text)) => self.fields = Spelling::from(&text)?,
            ("tag", value @ Some(_)) => self.tag = value,
            ("content", value @ Some(_)) => self.content = value,
            ("rename", value @ Some(_)) => self.rename = value,
            ("with", value @ Some(_)) => self.with = value,
            ("try_from" | "from" | "into", value @ Some(_)) => self.as_type = value,
            ("default", None) => self.absent = Some(Absent::OfType),
            ("default", Some(function)) => self.absent = Some(Absent::Function(function)),
            ("skip_serializing_if", Some(_)) => self.optional = true,
            ("other", None) => self.other = true,
            ("untagged", None) => self.untagged = true,
            ("deny_unknown_fields", None) => self.strict = true,
            ("transparent", None) => {}
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(attribute: &str) -> Result<Rules> {
        let item: syn::ItemStruct = syn::parse_str(&format!("{attribute} struct S;")).unwrap();
        Rules::of(&item.attrs)
    }

    #[test]
    fn names_are_spelt_as_serde_spells_them() {
        assert_eq!(Spelling::Kebab.variant("CloneOf"), "clone-of");
        assert_eq!(Spelling::Kebab.field("read_only"), "read-only");
        assert_eq!(Spelling::Lowercase.variant("FreeBsd"), "freebsd");
        assert_eq!(Spelling::AsInRust.field("read_only"), "read_only");
    }

    #[test]
    fn attributes_are_read_and_unknown_ones_are_refused() {
        let rules = of(r#"#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]"#).unwrap();
        assert_eq!((rules.tag.as_deref(), rules.variants, rules.strict), (Some("do"), Spelling::Kebab, true));
        assert_eq!(of("#[serde(default)]").unwrap().absent, Some(Absent::OfType));
        let error = of("#[serde(flatten)]").unwrap_err().to_string();
        assert!(error.contains("does not know serde's flatten"), "{error}");
    }
}
