//! The order in which things start that need others. It does not know what they are, nor what needing means.

use std::collections::{BTreeMap, BTreeSet};

/// `items` in an order in which each comes after those it needs, and that is otherwise the one given. What an item
/// needs that is not among the items does not count.
///
/// # Errors
/// A cycle: each needs the next, and the last is the first once more.
pub(crate) fn sequence<N: Ord + Clone>(items: &[N], needs: impl Fn(&N) -> Vec<N>) -> Result<Vec<N>, Vec<N>> {
    let mut walk =
        Walk { items: items.iter().cloned().collect(), path: vec![], done: BTreeSet::new(), order: vec![] };
    items.iter().try_for_each(|item| walk.visit(item, &needs))?;
    Ok(walk.order)
}

/// `items` in levels: each needs only what is in earlier ones, so that all of one level can start together. Within a
/// level the order is the one given.
///
/// # Errors
/// As with [`sequence`].
pub(crate) fn levels<N: Ord + Clone>(
    items: &[N],
    needs: impl Fn(&N) -> Vec<N>,
) -> Result<Vec<Vec<N>>, Vec<N>> {
    let mut level_of: BTreeMap<N, usize> = BTreeMap::new();
    for item in sequence(items, &needs)? {
        let below =
            needs(&item).iter().filter_map(|need| level_of.get(need)).max().map_or(0, |level| level + 1);
        level_of.insert(item, below);
    }
    let mut levels = vec![vec![]; level_of.values().max().map_or(0, |last| last + 1)];
    for item in items {
        if let Some(level) = level_of.remove(item) {
            levels[level].push(item.clone());
        }
    }
    Ok(levels)
}

/// A walk along the needs, depth first.
struct Walk<N> {
    items: BTreeSet<N>,
    path: Vec<N>,
    done: BTreeSet<N>,
    order: Vec<N>,
}

impl<N: Ord + Clone> Walk<N> {
    fn visit(&mut self, item: &N, needs: &impl Fn(&N) -> Vec<N>) -> Result<(), Vec<N>> {
        if self.done.contains(item) || !self.items.contains(item) {
            return Ok(());
        }
        if let Some(start) = self.path.iter().position(|on_path| on_path == item) {
            let mut cycle = self.path.split_off(start);
            cycle.push(item.clone());
            return Err(cycle);
        }
        self.path.push(item.clone());
        needs(item).iter().try_for_each(|need| self.visit(need, needs))?;
        self.path.pop();
        self.done.insert(item.clone());
        self.order.push(item.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `web db` says that web needs db.
    fn needs(pairs: &'static [&'static str]) -> impl Fn(&&'static str) -> Vec<&'static str> {
        move |item| {
            pairs
                .iter()
                .filter_map(|pair| pair.split_once(' '))
                .filter(|pair| pair.0 == *item)
                .map(|pair| pair.1)
                .collect()
        }
    }

    #[test]
    fn what_needs_nothing_stays_in_its_order() {
        assert_eq!(sequence(&["c", "a", "b"], needs(&[])), Ok(vec!["c", "a", "b"]));
        assert_eq!(levels(&["c", "a", "b"], needs(&[])), Ok(vec![vec!["c", "a", "b"]]));
        assert_eq!(levels::<&str>(&[], needs(&[])), Ok(vec![]));
    }

    #[test]
    fn an_order_that_is_right_already_is_kept() {
        assert_eq!(sequence(&["db", "web", "cron"], needs(&["web db"])), Ok(vec!["db", "web", "cron"]));
    }

    #[test]
    fn what_is_needed_comes_first() {
        let pairs = &["web app", "app db", "app cache", "web db"];
        let items = ["web", "cron", "app", "cache", "db"];
        assert_eq!(sequence(&items, needs(pairs)), Ok(vec!["db", "cache", "app", "web", "cron"]));
        let expected = vec![vec!["cron", "cache", "db"], vec!["app"], vec!["web"]];
        assert_eq!(levels(&items, needs(pairs)), Ok(expected));
    }

    #[test]
    fn what_is_not_there_does_not_count() {
        assert_eq!(levels(&["web", "db"], needs(&["web mail", "mail web"])), Ok(vec![vec!["web", "db"]]));
    }

    #[test]
    fn a_cycle_is_told_by_its_path() {
        let pairs = &["cron web", "web app", "app db", "db web"];
        assert_eq!(
            sequence(&["cron", "web", "app", "db"], needs(pairs)),
            Err(vec!["web", "app", "db", "web"])
        );
        assert_eq!(levels(&["web"], needs(&["web web"])), Err(vec!["web", "web"]));
    }
}
