//! From a JSON schema (draft 2020-12), as schemars derives it, to the options of a back end. It reads no options.

use qchroot_api::{Error, ErrorKind, OptionKind, OptionSpec, Result};
use schemars::JsonSchema;
use serde_json::Value;

use crate::size::SIZE_FORMAT;

/// The schema of one struct.
pub(crate) struct Schema(Value);

impl Schema {
    pub(crate) fn of<T: JsonSchema>() -> Self {
        Self(schemars::schema_for!(T).to_value())
    }

    /// Keys that must be given.
    pub(crate) fn required(&self) -> Vec<String> {
        let keys = self.0["required"].as_array().into_iter().flatten();
        keys.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    pub(crate) fn options(&self) -> Result<Vec<OptionSpec>> {
        match (self.0["properties"].as_object(), self.0["type"].as_str()) {
            (Some(fields), _) => fields.iter().map(|(key, field)| self.option(key, field)).collect(),
            (None, Some("object")) if self.0["additionalProperties"].is_boolean() => Ok(vec![]),
            (None, Some("object")) if self.0["additionalProperties"].is_null() => Ok(vec![]),
            _ => {
                Err(Error::new(ErrorKind::Plugin, format!("{} is no struct with named fields", self.name())))
            }
        }
    }

    fn name(&self) -> &str {
        self.0["title"].as_str().unwrap_or("the type of the options")
    }

    fn option(&self, key: &str, field: &Value) -> Result<OptionSpec> {
        let refused = |why: String| {
            let message = format!("field {key} of {} {why}", self.name());
            Error::new(ErrorKind::Plugin, message).with("field", key)
        };
        let Some((kind, words)) = self.kind(field) else {
            return Err(refused(format!("has a type that is no option: {}", described(field)))
                .hint("text, flags, whole numbers, Size, HostPath, enums of words, lists of text or words"));
        };
        let default = self.default(key, field).ok_or_else(|| {
            refused("has a default that cannot be shown".into()).hint("derive Serialize for its type")
        })?;
        let summary = summary(field["description"].as_str().unwrap_or_default(), &words);
        Ok(OptionSpec::new(key, kind, &default, &summary))
    }

    /// What a field takes, and the words where it takes no others.
    fn kind(&self, field: &Value) -> Option<(OptionKind, Vec<String>)> {
        let field = self.itself(field);
        if let Some(words) = words(field) {
            return Some((OptionKind::Text, words));
        }
        let kind = match (field["format"].as_str(), type_of(field)?) {
            (Some(SIZE_FORMAT), _) => OptionKind::Size,
            (_, "string") => OptionKind::Text,
            (_, "boolean") => OptionKind::Flag,
            (_, "integer") => OptionKind::Number,
            (_, "array") => return self.list(field),
            _ => return None,
        };
        Some((kind, vec![]))
    }

    fn list(&self, field: &Value) -> Option<(OptionKind, Vec<String>)> {
        match self.kind(field.get("items")?)? {
            (OptionKind::Text, words) => Some((OptionKind::List, words)),
            _ => None,
        }
    }

    /// The schema that is meant by one that names another, or that allows nothing beside it.
    fn itself<'a>(&'a self, field: &'a Value) -> &'a Value {
        let named = field["$ref"].as_str().and_then(|name| self.0.pointer(name.trim_start_matches('#')));
        let one_of_two = || {
            let choices = field["anyOf"].as_array()?;
            let mut meant = choices.iter().filter(|choice| choice["type"] != "null");
            meant.next().filter(|_| meant.next().is_none())
        };
        named.or_else(one_of_two).map_or(field, |other| self.itself(other))
    }

    /// For people to read; `None` where there is one that nobody can tell.
    fn default(&self, key: &str, field: &Value) -> Option<String> {
        if self.required().iter().any(|required| required == key) {
            return Some("none, must be given".into());
        }
        match field.get("default") {
            Some(value) => Some(shown(value)),
            None => is_optional(field).then(|| "none".into()),
        }
    }
}

fn is_optional(field: &Value) -> bool {
    let null = |value: &Value| value == "null";
    let among = |key: &str| field[key].as_array().into_iter().flatten();
    among("type").any(null) || among("anyOf").any(|choice| null(&choice["type"]))
}

/// The one type that a field has beside nothing.
fn type_of(field: &Value) -> Option<&str> {
    match &field["type"] {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

/// The words of an enum.
fn words(field: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(all) = field["enum"].as_array() {
        return all.iter().filter(|word| !word.is_null()).map(text).collect();
    }
    if let Some(word) = text(&field["const"]) {
        return Some(vec![word]);
    }
    let several: Option<Vec<_>> = field["oneOf"].as_array()?.iter().map(words).collect();
    several.map(|all| all.concat())
}

fn summary(text: &str, words: &[String]) -> String {
    let first = text.split("\n\n").next().unwrap_or_default();
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned();
    match words {
        [] => line,
        [one] => format!("{line}: {one}"),
        [others @ .., last] => format!("{line}: {} or {last}", others.join(", ")),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) if text.is_empty() => "none".into(),
        Value::String(text) => text.clone(),
        Value::Array(all) if all.is_empty() => "none".into(),
        Value::Array(all) => all.iter().map(shown).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn described(field: &Value) -> String {
    let name = field["$ref"].as_str().and_then(|name| name.rsplit('/').next());
    let kind = type_of(field).map(|kind| match (kind, field["items"].get("type")) {
        ("object", _) => "a table".to_owned(),
        ("array", Some(items)) => format!("a list of {}", items.as_str().unwrap_or("lists")),
        ("number", _) => "a number with a fraction".to_owned(),
        (other, _) => format!("of JSON's type {other}"),
    });
    name.map(str::to_owned).or(kind).unwrap_or_else(|| field.to_string())
}
