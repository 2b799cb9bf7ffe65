//! Containers in sandboxes whose start or stop dies at any of its steps: the machine ends as it was before, or as it is
//! after a whole run.

use crate::crash::{start, stop};

#[test]
fn start_with_overlay() {
    start("overlay", "namespaces");
}

#[test]
fn start_with_nullfs() {
    start("nullfs", "namespaces");
}

#[test]
fn start_with_md() {
    start("md", "namespaces");
}

#[test]
fn stop_with_overlay() {
    stop("overlay", "namespaces");
}

#[test]
fn stop_with_nullfs() {
    stop("nullfs", "namespaces");
}

#[test]
fn stop_with_md() {
    stop("md", "namespaces");
}
