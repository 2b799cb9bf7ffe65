//! Servers of HTTP and FTP on the loopback address, for tests: they send what they were given, and misbehave as
//! they are told. They know nothing of who asks.

mod files;
mod ftp;
mod http;

pub use files::{Fault, Request};
pub use ftp::FtpServer;
pub use http::HttpServer;
