#!/bin/sh
# All that must hold before a version is shipped. The last step needs qchroot on this machine, and the superuser.
set -eu
cd "$(dirname "$0")"
cargo fmt --check
cargo clippy --all-targets -- -D warnings
cargo test
cargo build --release
qchroot plugin check target/release/libacme_thing.so
