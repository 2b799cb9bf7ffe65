//! Requests to a proxy, which are for the whole address instead of its path (RFC 9112 3.2.2). It knows the first
//! line of a request and nothing else.

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

const METHOD: &[u8] = b"GET ";

/// Puts `origin`, such as `http://host:81`, in front of the path.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) origin: String,
}

impl<T: Transport> Connector<T> for Relay {
    type Out = ToProxy<T>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<T>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|inner| ToProxy { inner, origin: Some(self.origin.clone()) }))
    }
}

/// A connection to a proxy.
#[derive(Debug)]
pub(super) struct ToProxy<T> {
    inner: T,
    /// Until the first line has been sent.
    origin: Option<String>,
}

impl<T: Transport> Transport for ToProxy<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let Some(origin) = self.origin.take() else { return self.inner.transmit_output(amount, timeout) };
        let output = self.inner.buffers().output();
        let longer = amount + origin.len();
        if !output.starts_with(METHOD) || longer > output.len() {
            return Err(ureq::Error::ConnectProxyFailed("the request is too long".into()));
        }
        output.copy_within(METHOD.len()..amount, METHOD.len() + origin.len());
        output[METHOD.len()..][..origin.len()].copy_from_slice(origin.as_bytes());
        self.inner.transmit_output(longer, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}
