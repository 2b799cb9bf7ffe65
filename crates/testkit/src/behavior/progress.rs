//! What a source told of its progress, and whether that can have been so.

use std::collections::BTreeMap;

use qchroot_api::Progress;

/// Each piece of work goes forward only, never beyond its totals, and reaches those in the end.
#[track_caller]
pub(crate) fn is_plausible(told: &[Progress]) {
    let mut last: BTreeMap<&str, &Progress> = BTreeMap::new();
    for now in told {
        let within = |done: u64, total: Option<u64>| total.is_none_or(|total| done <= total);
        let fits = within(now.bytes, now.total_bytes) && within(now.entries, now.total_entries);
        assert!(fits, "more is done than there is: {now:?}");
        if let Some(before) = last.insert(&now.what, now) {
            let forward = now.bytes >= before.bytes && now.entries >= before.entries;
            assert!(forward, "progress goes backwards, from {before:?} to {now:?}");
        }
    }
    for end in last.values() {
        let bytes = end.total_bytes.is_none_or(|total| total == end.bytes);
        let entries = end.total_entries.is_none_or(|total| total == end.entries);
        assert!(bytes && entries, "progress ends before its totals: {end:?}");
    }
}
