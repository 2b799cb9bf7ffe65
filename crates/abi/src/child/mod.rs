//! A plug-in in a process of its own: calls and questions as frames on a stream, both ends of it. How the process is
//! started is the host layer's business.

mod conversation;
mod frame;
mod in_child;
mod serve;

pub use in_child::{Caller, Heard, InChild, Launch, Peer};
pub use serve::serve;
