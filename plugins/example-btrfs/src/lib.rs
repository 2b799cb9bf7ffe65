//! Storage `example.btrfs`: a subvolume of btrfs for each container, with a quota, and snapshots that take no time.
//!
//! It is an example of a plug-in by a third party, and a whole one: it uses nothing but the crate that authors write
//! plug-ins with. `storage.rs` plans, `btrfs.rs` knows btrfs(8).

#![allow(unsafe_code, reason = "the macro exports symbols")]

mod btrfs;
mod storage;

qchroot_plugin::export! { storage "example.btrfs" = storage::Btrfs }
