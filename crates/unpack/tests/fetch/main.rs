//! Fetching from servers that misbehave: what is unpacked is what was wanted, or nothing.

#![expect(clippy::unwrap_used, reason = "a test whose surroundings fail has failed")]

mod answers;
mod breaks;
mod cache;
mod ftp;
mod http;
mod real;
mod several;
mod support;
