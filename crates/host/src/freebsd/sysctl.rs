//! Kernel state by name, sysctl(3). It does not know what the values mean.

use std::ffi::CString;

use nix::libc;
use qchroot_api::Result;
use rustix::io::Errno;

use crate::errors::OrError;

/// The value as bytes.
pub(crate) fn bytes(name: &str) -> Result<Vec<u8>> {
    let message = || format!("cannot read {name}");
    let c_name = CString::new(name).or_error(message)?;
    let mut value = vec![0_u8; 1024];
    let mut length = value.len();
    // SAFETY: `c_name` is terminated, and the kernel writes at most `length` bytes to `value`.
    let status = unsafe {
        libc::sysctlbyname(c_name.as_ptr(), value.as_mut_ptr().cast(), &raw mut length, std::ptr::null(), 0)
    };
    if status != 0 {
        return Err::<_, Errno>(super::last_error()).or_error(message);
    }
    value.truncate(length);
    Ok(value)
}

/// The value as a number; `None` where there is no such name or it has another type.
pub(crate) fn integer(name: &str) -> Option<i32> {
    Some(i32::from_ne_bytes(bytes(name).ok()?.try_into().ok()?))
}

/// The value as text, without the zero at its end.
pub(crate) fn text(name: &str) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes(name)?).trim_end_matches('\0').to_owned())
}
