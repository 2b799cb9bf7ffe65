//! The names of a source tree's knobs, taken from the tree's own files. It reads text and runs nothing.
//!
//! Sources: src.conf(5) for `WITH_*` and `WITHOUT_*`, which FreeBSD has since 7.0; make.conf(5) of the releases
//! before for `NO_*` and `NO*`.

use std::collections::BTreeSet;

use qchroot_api::camino::Utf8Path;
use qchroot_api::{ErrorKind, Observe, Place, Result};

/// Where options are declared since 7.0.
const OPTIONS: &[&str] = &["share/mk/src.opts.mk", "share/mk/bsd.opts.mk", "share/mk/bsd.own.mk"];

/// Where names that are taken as they are stand in words.
const WORDS: &[&str] =
    &["Makefile.inc1", "Makefile", "share/man/man5/make.conf.5", "share/examples/etc/make.conf"];

/// What a tree knows.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// `GAMES` of `WITHOUT_GAMES`.
    options: BTreeSet<String>,
    /// `MAN` of a `NO_MAN` that is still understood beside `WITHOUT_MAN`.
    also_no: BTreeSet<String>,
    /// `NO_SHARE`, `NOINET6`.
    whole: BTreeSet<String>,
}

impl Names {
    /// Reads those of the files that the tree has.
    pub(crate) fn read(host: &dyn Observe, src: &Utf8Path) -> Result<Self> {
        let text = |path: &&str| match host.read(&Place::host(src.join(path))) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            other => other,
        };
        let mut names = Self::default();
        for path in OPTIONS {
            names.declared_in(&text(path)?);
        }
        for path in WORDS {
            let spaced = text(path)?.replace("-D", " ");
            names.whole.extend(tokens(&spaced).filter(|token| token.starts_with("NO")).map(str::to_owned));
        }
        Ok(names)
    }

    fn declared_in(&mut self, text: &str) {
        if !text.contains("WITHOUT_") {
            return;
        }
        for line in text.lines() {
            self.options.extend(listed(line).map(str::to_owned));
            let made = tokens(line).filter_map(|token| token.strip_prefix("MK_"));
            self.options.extend(made.filter(|stem| !stem.is_empty()).map(str::to_owned));
        }
        for block in text.split(".for ").skip(1) {
            let (list, body) = block.split_once(".if").unwrap_or((block, ""));
            if body.split(".endfor").next().is_some_and(|body| body.contains("defined(NO_${")) {
                self.also_no.extend(tokens(list).map(str::to_owned));
            }
        }
    }

    /// Whether the tree knows a knob by this name.
    pub(crate) fn know(&self, name: &str) -> bool {
        let option = |stem: &str| {
            self.options.contains(stem)
                || stem.strip_suffix("_SUPPORT").is_some_and(|stem| self.options.contains(stem))
        };
        match stem(name) {
            Some(("WITH_" | "WITHOUT_", stem)) => option(stem),
            Some((_, stem)) => self.whole.contains(name) || self.also_no.contains(stem),
            None => false,
        }
    }

    /// What the tree calls the knob that leaves something out: `WITHOUT_GAMES`, `NO_GAMES` or `NOGAMES`.
    pub(crate) fn without(&self, stem: &str) -> Option<String> {
        let forms = [format!("WITHOUT_{stem}"), format!("NO_{stem}"), format!("NO{stem}")];
        forms.into_iter().find(|name| self.know(name))
    }
}

/// `WITHOUT_` and `GAMES` of `WITHOUT_GAMES`; `None` when it is no name of a knob.
pub(crate) fn stem(name: &str) -> Option<(&'static str, &str)> {
    let prefixes = ["WITHOUT_", "WITH_", "NO_", "NO"];
    let found = prefixes.into_iter().find_map(|prefix| Some((prefix, name.strip_prefix(prefix)?)));
    found.filter(|(_, stem)| !stem.is_empty() && tokens(stem).next() == Some(*stem))
}

/// Options that stand in a list: alone on a line that goes on, or behind `…_OPTIONS=`.
fn listed(line: &str) -> impl Iterator<Item = &str> {
    let list = match line.split_once('=') {
        Some((name, list)) if name.trim_end_matches(['+', ' ', '\t', '?', ':']).ends_with("_OPTIONS") => list,
        Some(_) => "",
        None => line.trim_end_matches('\\'),
    };
    let words = list.split_whitespace().flat_map(|word| word.split('/'));
    let is_list = words.clone().all(|word| word == "\\" || tokens(word).next() == Some(word));
    words.filter(move |word| is_list && *word != "\\")
}

/// Words of capital letters, digits and underscores.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let other = |c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    text.split(other).filter(|token| token.starts_with(|c: char| c.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modern() -> Names {
        let mut names = Names::default();
        names.declared_in(
            "# WITHOUT_FOO\nBINOWN?= root\n__DEFAULT_YES_OPTIONS = \\\n    ACPI \\\n    GAMES \\\n    INET6\n\n\
             __DEFAULT_DEPENDENT_OPTIONS= \\\n    CLANG_FULL/CLANG \\\n__DEFAULT_YES_OPTIONS+=LLDB\n\
             .for var in \\\n    MAN \\\n    PROFILE\n.if defined(NO_${var})\nWITHOUT_${var}=\n.endif\n.endfor\n\
             .if ${MK_PF} == \"no\"\nMK_AUTHPF:= no\n.endif\n",
        );
        names.whole.insert("NO_SHARE".into());
        names
    }

    #[test]
    fn options_are_known_in_the_form_that_works() {
        let names = modern();
        for name in ["WITHOUT_GAMES", "WITH_ACPI", "WITHOUT_CLANG", "WITHOUT_LLDB", "WITHOUT_AUTHPF"] {
            assert!(names.know(name), "{name}");
        }
        assert!(names.know("WITHOUT_INET6_SUPPORT") && names.know("NO_MAN") && names.know("NO_SHARE"));
        for name in ["WITHOUT_GAME", "NO_GAMES", "NOGAMES", "GAMES", "WITHOUT_", "WITHOUT_BINOWN", "PATH"] {
            assert!(!names.know(name), "{name}");
        }
        assert_eq!(names.without("GAMES").as_deref(), Some("WITHOUT_GAMES"));
        assert_eq!(names.without("SHARE").as_deref(), Some("NO_SHARE"));
        assert_eq!(names.without("VINUM"), None);
    }

    #[test]
    fn before_options_names_are_taken_as_they_stand() {
        let mut names = Names::default();
        names.declared_in("BINOWN?= root\n.for x in \\\n  GAMES\n.endfor\n");
        names.whole.extend(["NO_GAMES", "NOINET6"].map(str::to_owned));
        assert!(!names.know("WITHOUT_GAMES"));
        assert_eq!(names.without("GAMES").as_deref(), Some("NO_GAMES"));
        assert_eq!(names.without("INET6").as_deref(), Some("NOINET6"));
    }
}
