//! Containers in sandboxes whose start or stop dies at any of its steps: the machine ends as it was before, or as it is
//! after a whole run.

use crate::crash::{Cure, Sweep, nothing, started, stopped, used_in};

fn start(storage: &str) {
    Sweep {
        world: &used_in(storage, "namespaces"),
        args: &["start", "web"],
        prepare: &stopped,
        cures: &[Cure::Doctor, Cure::Stop],
        refused: &["start", "web"],
        always: &nothing,
    }
    .run();
}

fn stop(storage: &str) {
    Sweep {
        world: &used_in(storage, "namespaces"),
        args: &["stop", "web", "--timeout", "3"],
        prepare: &started,
        cures: &[Cure::Doctor, Cure::Stop],
        refused: &["start", "web"],
        always: &nothing,
    }
    .run();
}

#[test]
fn start_with_overlay() {
    start("overlay");
}

#[test]
fn start_with_nullfs() {
    start("nullfs");
}

#[test]
fn start_with_md() {
    start("md");
}

#[test]
fn stop_with_overlay() {
    stop("overlay");
}

#[test]
fn stop_with_nullfs() {
    stop("nullfs");
}

#[test]
fn stop_with_md() {
    stop("md");
}
