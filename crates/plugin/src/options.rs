//! Options as a struct of the author's: the schema that is declared comes from the same lines as the values that are
//! read. It knows no back end, and nothing of the files that options stand in.

use std::cell::RefCell;

use qchroot_api::toml::Value;
use qchroot_api::{Error, ErrorKind, Info, OptionSpec, Options, Result, check_options};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;

use crate::schema::Schema;

/// The options that the fields of `T` stand for, in the order of their keys.
///
/// A field's doc comment, its first paragraph, is what users read. Its type says what fits: `String`, `bool`, the whole
/// numbers, [`crate::Size`], [`crate::HostPath`], an enum of words without content, a `Vec` of text or of words, or an
/// `Option` of one of these. What serde is told counts: `rename`, `rename_all`, `default`, `flatten`, `skip`. A field
/// that is neither an `Option` nor has a default must be given. The type of a field with a default has to implement
/// `Serialize`, so that the default can be shown.
///
/// ```
/// use qchroot_plugin::{OptionKind, Result, Size, options_of};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Settings {
///     /// the image: a path or an address
///     image: String,
///     /// how files get into the base
///     #[serde(default)]
///     mode: Mode,
///     /// room for what is unpacked
///     limit: Option<Size>,
/// }
///
/// #[derive(Default, Deserialize, Serialize, JsonSchema)]
/// #[serde(rename_all = "kebab-case")]
/// enum Mode {
///     #[default]
///     Copy,
///     Link,
/// }
///
/// let options = options_of::<Settings>()?;
/// assert_eq!(options[0].key, "image");
/// assert_eq!(options[0].default, "none, must be given");
/// assert_eq!((options[1].kind, options[1].default.as_str()), (OptionKind::Size, "none"));
/// assert_eq!(options[2].default, "copy");
/// assert_eq!(options[2].summary, "how files get into the base: copy or link");
/// # Ok::<(), qchroot_plugin::Error>(())
/// ```
///
/// # Errors
/// Plug-in, with field and type, for a field whose type has no place among options, and for a default that cannot be
/// shown.
pub fn options_of<T: JsonSchema>() -> Result<Vec<OptionSpec>> {
    Schema::of::<T>().options()
}

/// The values that `options` has for the fields of `T`.
///
/// ```
/// # use qchroot_plugin::{Size, read, toml::toml};
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Settings {
///     /// most bytes
///     limit: Size,
/// }
/// assert_eq!(read::<Settings>(&toml! { limit = "512M" })?.limit.bytes(), 512 << 20);
/// let error = read::<Settings>(&toml! { limit = "much" }).err();
/// assert_eq!(error.as_ref().and_then(|error| error.fact("key")), Some("limit"));
/// # Ok::<(), qchroot_plugin::Error>(())
/// ```
///
/// # Errors
/// Configuration, with the fact `key`, from which the program finds file, line and column: a value that does not fit,
/// or an option that must be given and is not.
pub fn read<T: DeserializeOwned + JsonSchema>(options: &Options) -> Result<T> {
    match missing::<T>(options) {
        Some(key) => Err(config(&key, format!("option {key} must be given"))
            .hint(format!("add {key}; `qchroot plugin info` shows what it is for"))),
        None => values(options),
    }
}

/// What [`qchroot_api::Backend::check`] is to do with options of this kind: every key one of `info`, every value one that `T` takes.
/// Options that must be given may still be missing.
///
/// # Errors
/// Configuration, with the fact `key`.
pub fn check<T: DeserializeOwned + JsonSchema>(info: &Info, options: &Options) -> Result<()> {
    check_options(&info.name, &info.options, options)?;
    match values::<T>(options) {
        Err(error) if error.fact("key").is_some() || missing::<T>(options).is_none() => Err(error),
        _ => Ok(()),
    }
}

fn missing<T: JsonSchema>(options: &Options) -> Option<String> {
    Schema::of::<T>().required().into_iter().find(|key| !options.contains_key(key))
}

/// serde names the type that it cannot make, but not the field; the key that was handed out last is the one.
fn values<T: DeserializeOwned>(options: &Options) -> Result<T> {
    let last = RefCell::new(None);
    let handed = options.iter().map(|(key, value)| {
        last.replace(Some(key));
        (key.as_str(), value.clone())
    });
    let entries = handed.chain(std::iter::from_fn(|| {
        last.replace(None);
        None::<(&str, Value)>
    }));
    let read = T::deserialize(MapDeserializer::new(entries));
    read.map_err(|error: qchroot_api::toml::de::Error| match last.take() {
        Some(key) => config(key, format!("option {key}: {}", one_line(&error))),
        None => Error::new(ErrorKind::Config, one_line(&error)),
    })
}

fn one_line(error: &qchroot_api::toml::de::Error) -> String {
    error.message().trim().replace('\n', ", ")
}

fn config(key: &str, message: String) -> Error {
    Error::new(ErrorKind::Config, message).with("key", key)
}
