//! Images into trees on a real file system: what layers make together, registries that want to know who asks, and images
//! that are not in order.

#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

mod layers;
mod refusals;
mod registry;
#[path = "../support/mod.rs"]
mod support;
mod world;
