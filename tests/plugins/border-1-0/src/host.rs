//! What is asked of the host.

use std::io::Read;

use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RErr, ROk, ROption, RResult, RSliceMut, RString};
use qchroot_abi::{Content, Content_TO, HostRef};
use serde_json::Value;

pub struct Host<'a>(pub HostRef<'a>);

#[cfg_attr(feature = "storage", expect(dead_code, reason = "a storage asks nothing"))]
impl Host<'_> {
    /// Asks, with what a file to write holds.
    pub fn ask(&self, ask: &Value, content: &[u8]) -> Result<Value, String> {
        let mut content = Bytes(content);
        let lent = Content_TO::from_ptr(&mut content, TD_Opaque);
        match self.0.ask(ask.to_string().as_str().into(), ROption::RSome(lent)) {
            ROk(told) => serde_json::from_str(&told.json).map_err(|error| error.to_string()),
            RErr(why) => Err(why.into()),
        }
    }
}

struct Bytes<'a>(&'a [u8]);

impl Content for Bytes<'_> {
    fn read(&mut self, mut into: RSliceMut<'_, u8>) -> RResult<usize, RString> {
        match self.0.read(into.as_mut_slice()) {
            Ok(length) => ROk(length),
            Err(error) => RErr(error.to_string().into()),
        }
    }
}
