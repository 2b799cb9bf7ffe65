//! The name that somebody meant. It does not know what the names are for.

/// The name nearest to `word`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(names: impl IntoIterator<Item = &'a str>, word: &str) -> Option<&'a str> {
    let near = names.into_iter().map(|name| (strsim::damerau_levenshtein(name, word), name)).min();
    near.filter(|(distance, _)| *distance <= 2).map(|(_, name)| name)
}
