//! Work on many things at once whose answers come in the things' own order. It does not know what the work is.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Does `act` for each of `items`, at most `jobs` at once, begun in their order. `told` hears the answers in the same
/// order, each as soon as all before it are there. Where no thread can be made, the work is done all the same.
pub(crate) fn in_order<T: Sync, R: Send>(
    items: &[T],
    jobs: NonZeroUsize,
    act: impl Fn(usize, &T) -> R + Sync,
    mut told: impl FnMut(&T, R),
) {
    let threads = jobs.get().min(items.len());
    if threads < 2 {
        items.iter().enumerate().for_each(|(index, item)| told(item, act(index, item)));
        return;
    }
    let next = AtomicUsize::new(0);
    let (sender, answers) = mpsc::channel();
    let work = |sender: mpsc::Sender<(usize, R)>| {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return };
            let _ = sender.send((index, act(index, item))); // heard for as long as there is a sender
        }
    };
    let work = &work;
    thread::scope(|scope| {
        let start =
            |sender: mpsc::Sender<_>| thread::Builder::new().spawn_scoped(scope, move || work(sender));
        let begun = (0..threads).take_while(|_| start(sender.clone()).is_ok()).count();
        if begun == 0 {
            work(sender);
        } else {
            drop(sender);
        }
        let mut early = BTreeMap::new();
        let mut turn = items.iter().enumerate().peekable();
        for (index, answer) in answers {
            early.insert(index, answer);
            while let Some((_, item)) = turn.next_if(|(index, _)| early.contains_key(index)) {
                let (_, answer) = early.pop_first().unzip();
                answer.into_iter().for_each(|answer| told(item, answer));
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    fn heard(items: &[u32], jobs: usize, act: impl Fn(usize, &u32) -> u32 + Sync) -> Vec<(u32, u32)> {
        let mut heard = vec![];
        in_order(items, NonZeroUsize::new(jobs).unwrap(), act, |item, answer| heard.push((*item, answer)));
        heard
    }

    #[test]
    fn answers_come_in_the_order_of_the_items_for_any_number_of_jobs() {
        let items: Vec<u32> = (0..100).rev().collect();
        let expected: Vec<(u32, u32)> = items.iter().map(|&item| (item, item * 2)).collect();
        for jobs in [1, 2, 7, 100, 1000] {
            let uneven = |_, item: &u32| {
                (0..item % 5).for_each(|_| thread::yield_now());
                item * 2
            };
            assert_eq!(heard(&items, jobs, uneven), expected, "{jobs} jobs");
        }
        assert_eq!(heard(&[], 4, |_, item| *item), vec![]);
    }

    #[test]
    fn so_many_are_at_work_at_once() {
        let barrier = Barrier::new(4);
        let meets = |_, item: &u32| {
            barrier.wait();
            *item
        };
        assert_eq!(heard(&[1, 2, 3, 4], 4, meets).len(), 4);
    }
}
