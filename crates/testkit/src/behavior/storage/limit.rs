//! Limits: nobody takes more than was given, and what was given can be changed.

use qchroot_api::{ErrorKind, Place};

use super::Trials;
use super::world::{DIR, World};
use crate::behavior::footprint::stays_within;
use crate::behavior::transaction::{ends_before_or_after, succeed};
use crate::behavior::{round_trips, view};
use crate::fixture::LIMIT;

/// Bytes that are written at once.
const PIECE: u64 = 1 << 20;

pub(super) const QUOTA: Trials = &[
    ("nobody takes more than was given", nobody_takes_more),
    ("a container that is full can be attached again", full_again),
];

pub(super) const RESIZE: Trials = &[
    ("plans for another limit stay in the container", |w| {
        w.created();
        let [more, less] = World::other_limits();
        for (verb, to) in [("grow", more), ("shrink", less)] {
            let plan = w.resize(to).expect("another limit can be planned");
            w.compare(verb, &plan);
            round_trips(&plan);
            stays_within(&plan, DIR.into(), &w.others());
        }
    }),
    ("a larger limit keeps what is there", |w| {
        w.created();
        keeps_and_allows(w, World::other_limits()[0]);
    }),
    ("a smaller limit keeps what is there", |w| {
        w.created();
        keeps_and_allows(w, World::other_limits()[1]);
    }),
    ("a container grows while it is attached", grows_attached),
    ("the same limit is nothing to do", |w| {
        assert_eq!(w.created().resize(LIMIT), Ok(vec![]));
    }),
    ("a limit that what is there does not fit in is refused with the figures", too_small),
    ("a change of the limit that fails leaves the old one or the new one", |w| {
        w.created();
        w.while_attached(|w| fill(w, 3));
        for to in World::other_limits() {
            ends_before_or_after(|| {
                let w = w.twin();
                let plan = w.resize(to).expect("another limit can be planned");
                (w.host, plan)
            });
        }
    }),
];

/// Writes as many pieces as go in, at most so many.
fn fill(w: &World, most: u64) -> u64 {
    let piece = "x".repeat(usize::try_from(PIECE).expect("a piece is small"));
    for n in 0..most {
        if let Err(error) = w.write_text(format!("fill-{}-{n}", w.usage().limit.unwrap_or(0)), &piece) {
            assert_eq!(error.kind(), ErrorKind::Io, "{error}");
            assert!(error.to_string().contains("no space"), "{error}");
            return n;
        }
    }
    most
}

/// More pieces than any limit allows.
const ALL: u64 = 4 * LIMIT / PIECE;

fn nobody_takes_more(w: &World) {
    w.attached();
    let second = w.second();
    let free = |w: &World| view(&w.host).space(&Place::host(DIR)).expect("the host can tell").free;
    let before = free(w);
    let pieces = fill(w, ALL);
    assert!(pieces * PIECE > LIMIT / 2, "only {pieces} MiB of {} can be used", LIMIT / PIECE);
    assert!(pieces * PIECE <= LIMIT, "{pieces} MiB were written");
    assert!(before - free(w) <= LIMIT, "the host has lost more than was given");
    let usage = w.usage();
    assert_eq!(usage.limit, Some(LIMIT));
    assert!(usage.used <= LIMIT && usage.used > LIMIT / 2, "{usage:?}");
    assert!(usage.free.is_some_and(|free| free < 2 * PIECE), "{usage:?}");
    assert!(usage.percent().is_some_and(|percent| percent >= 90), "{usage:?}");
    let other = w.host.write_inside(second.root(), "etc/new", "new");
    assert_eq!(other, Ok(()), "another container has no space any more");
}

fn full_again(w: &World) {
    w.created();
    let pieces = w.while_attached(|w| fill(w, ALL));
    w.while_attached(|w| {
        let last = w.read(format!("fill-{LIMIT}-{}", pieces - 1));
        assert!(last.is_some_and(|text| text.len() as u64 == PIECE), "the last piece is lost");
    });
}

fn keeps_and_allows(w: &World, to: u64) {
    w.while_attached(|w| w.write("etc/new").expect("a container can write its own files"));
    let plan = w.resize(to).expect("another limit can be planned");
    succeed(&w.host, &plan);
    assert_eq!(w.usage().limit, Some(to));
    w.while_attached(|w| {
        assert_eq!(w.read("etc/new").as_deref(), Some("new"), "what was written is lost");
        assert_eq!(w.read("etc/group"), w.again(|w| w.attached().read("etc/group")));
        let room = fill(w, ALL) * PIECE;
        assert!(room > to / 2 && room <= to, "{room} bytes went into {to}");
    });
}

fn grows_attached(w: &World) {
    w.attached();
    let (before, to) = (fill(w, ALL), World::other_limits()[0]);
    succeed(&w.host, &w.resize(to).expect("a container can grow while it is attached"));
    let more = fill(w, ALL);
    assert!(more * PIECE >= (to - LIMIT) / 2, "only {more} more MiB went in after {before}");
    assert_eq!(w.usage().limit, Some(to));
}

fn too_small(w: &World) {
    w.created();
    w.while_attached(|w| fill(w, LIMIT / PIECE * 3 / 4));
    let before = w.host.snapshot(["/"]);
    let error = w.resize(World::other_limits()[1]).expect_err("what is inside does not fit");
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    let figures = [error.fact("used"), error.fact("least")];
    let figures = figures.map(|figure| figure.and_then(|figure| figure.parse::<u64>().ok()));
    assert!(matches!(figures, [Some(used), Some(least)] if used > LIMIT / 2 && least >= used), "{error:?}");
    before.assert_same(&w.host.snapshot(["/"]), "after a refusal");
}
