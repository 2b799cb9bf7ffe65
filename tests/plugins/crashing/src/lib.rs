//! `acme.crashing`: a release source, or with the feature `storage` a storage, that does in the method that the option
//! `in` names what the option `does` says.

mod misdeed;
#[cfg(not(feature = "storage"))]
mod source;
#[cfg(feature = "storage")]
mod storage;

#[cfg(not(feature = "storage"))]
qchroot_plugin::export! { release_source "acme.crashing" = source::Source }
#[cfg(feature = "storage")]
qchroot_plugin::export! { storage "acme.crashing" = storage::Storage }
