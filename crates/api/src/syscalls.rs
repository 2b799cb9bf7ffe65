//! System calls of Linux by their names. It filters none.

use std::str::FromStr;

use syscalls::{aarch64, x86_64};

use crate::nearest::nearest;
use crate::{Error, ErrorKind, Result};

/// The numbers that a system call has; `None` where a machine lacks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallNumbers {
    /// On x86-64.
    pub x86_64: Option<i32>,
    /// On 64-bit ARM.
    pub aarch64: Option<i32>,
}

impl CallNumbers {
    /// The numbers of the system call `name`; syscalls(2). Both are `None` for a name that no machine knows.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self {
            x86_64: x86_64::Sysno::from_str(name).ok().map(|call| call.id()),
            aarch64: aarch64::Sysno::from_str(name).ok().map(|call| call.id()),
        }
    }

    /// The last ones that this program knows by name.
    #[must_use]
    pub fn last() -> Self {
        Self { x86_64: Some(x86_64::Sysno::last().id()), aarch64: Some(aarch64::Sysno::last().id()) }
    }
}

/// Refuses names that are no system call's.
///
/// # Errors
/// Config, with the nearest name.
pub fn check_calls<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    names.into_iter().try_for_each(|name| {
        if CallNumbers::of(name) != (CallNumbers { x86_64: None, aarch64: None }) {
            return Ok(());
        }
        let error = Error::new(ErrorKind::Config, format!("there is no system call {name:?}"));
        Err(match nearest(x86_64::Sysno::iter().map(|call| call.name()), name) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint("syscalls(2) lists them"),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ_between_machines() {
        assert_eq!(CallNumbers::of("openat"), CallNumbers { x86_64: Some(257), aarch64: Some(56) });
        assert_eq!(CallNumbers::of("open").aarch64, None);
    }

    #[test]
    fn a_misspelt_name_names_the_right_one() {
        assert!(check_calls(["mount", "io_uring_setup"]).is_ok());
        let error = check_calls(["keyctrl"]).unwrap_err();
        assert_eq!((error.kind(), error.hint_text()), (ErrorKind::Config, Some("did you mean keyctl?")));
        assert_eq!(check_calls(["no such thing"]).unwrap_err().hint_text(), Some("syscalls(2) lists them"));
    }
}
