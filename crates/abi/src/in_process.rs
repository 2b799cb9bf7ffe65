//! A back end on the other side of the border, but in this process: in a library that is loaded, or, in tests, linked in.

use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RErr, ROk, ROption, RResult, RStr, RString};
use qchroot_api::{Error, Result};

use crate::author::guard;
use crate::module::{ContentRef, HostPort, HostPort_TO, HostRef, PortBox, Told};
use crate::text::{error_of, error_text, from_text};
use crate::{Answered, Carrier, Exported, HostSide, Remote};

/// Carries calls to a port in this process.
pub struct InProcess(PortBox);

impl InProcess {
    /// Calls go to `port`.
    #[must_use]
    pub fn new(port: PortBox) -> Self {
        Self(port)
    }

    /// A call and its answer as they cross the border.
    pub(crate) fn raw(&self, call: &str, host: HostRef<'_>) -> RResult<RString, RString> {
        self.0.call(call.into(), host)
    }
}

impl Carrier for InProcess {
    fn carry(&self, call: &str, host: &HostSide<'_>) -> Result<String> {
        let host = Near(host);
        match self.raw(call, HostPort_TO::from_ptr(&host, TD_Opaque)) {
            ROk(text) => Ok(text.into()),
            RErr(text) => Err(error_of("the plug-in", &text)),
        }
    }
}

impl Remote {
    /// A back end of this program's, behind the border all the same, and taken at its word.
    ///
    /// # Errors
    /// What it says instead of who it is.
    pub fn looped(back_end: Exported) -> Result<Self> {
        Self::trusted(Box::new(InProcess::new(back_end.port())))
    }
}

/// The program's side of questions that come as the border's types.
struct Near<'a, 'h>(&'a HostSide<'h>);

impl HostPort for Near<'_, '_> {
    fn ask(&self, ask: RStr<'_>, content: ROption<ContentRef<'_>>) -> RResult<Told, RString> {
        let answered = guard("qchroot", || {
            let ask = from_text("the plug-in", &ask)?;
            self.0.answer(ask, &mut Handed(content.into_option()))
        });
        match answered {
            Ok(Answered { json, bytes }) => {
                ROk(Told { json: json.into(), bytes: bytes.into(), cancelled: self.0.cancelled() })
            }
            Err(error) => RErr(error_text(&error).into()),
        }
    }
}

/// Content of the author's, to be read here.
struct Handed<'a>(Option<ContentRef<'a>>);

impl std::io::Read for Handed<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let Some(content) = &mut self.0 else { return Ok(0) };
        match content.read(into.into()) {
            ROk(length) => Ok(length),
            RErr(text) => {
                let error: Error = error_of("the plug-in", &text);
                Err(std::io::Error::other(error))
            }
        }
    }
}
