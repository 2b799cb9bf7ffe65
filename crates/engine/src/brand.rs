//! What is in every base, whatever it was made for. It knows nothing of any machine.

/// Directories of the host's own trees, empty in every base.
pub(crate) const HOST_TREES: &[&str] = &["usr/src", "usr/ports"];
