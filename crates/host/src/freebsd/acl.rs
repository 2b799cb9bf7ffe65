//! Access control lists of open files, acl(3): both kinds, as attributes that archives and Linux know too. It does not
//! know what they allow.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use nix::libc;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::Errno;

use super::xattr::Pair;

/// Kinds of lists, sys/acl.h.
const ACCESS: c_int = 2;
const DEFAULT: c_int = 3;
const NFS4: c_int = 4;

/// Which kind a file system has, sys/unistd.h.
const HAS_POSIX: c_int = 59;
const HAS_NFS4: c_int = 64;

/// Numbers instead of names: those of a container are not the host's.
const NUMBERS: c_int = 2;

/// How Linux names the lists of POSIX.1e, whose form they are kept in.
const POSIX: [(&[u8], c_int); 2] =
    [(b"system.posix_acl_access", ACCESS), (b"system.posix_acl_default", DEFAULT)];

// sys/acl.h; all of it is in the C library.
unsafe extern "C" {
    fn acl_get_fd_np(fd: c_int, kind: c_int) -> *mut c_void;
    fn acl_set_fd_np(fd: c_int, list: *mut c_void, kind: c_int) -> c_int;
    fn acl_is_trivial_np(list: *mut c_void, trivial: *mut c_int) -> c_int;
    fn acl_to_text_np(list: *mut c_void, length: *mut isize, flags: c_int) -> *mut c_char;
    fn acl_from_text(text: *const c_char) -> *mut c_void;
    fn acl_free(memory: *mut c_void) -> c_int;
}

/// Memory of the library's.
struct Owned(*mut c_void);

impl Owned {
    fn new(memory: *mut c_void) -> Result<Self, Errno> {
        if memory.is_null() { Err(super::last_error()) } else { Ok(Self(memory)) }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the library handed the memory out, and nobody else frees it.
        unsafe { acl_free(self.0) };
    }
}

/// The lists of a file that say more than its mode; `None` where the file system has no lists.
pub(super) fn all(file: &OwnedFd) -> Result<Option<Vec<Pair>>, Errno> {
    if has(file, HAS_NFS4) {
        let text = text(file, NFS4)?;
        return Ok(Some(
            text.map(|text| (qchroot_unpack::NFS4_LIST.to_vec(), text.into_bytes())).into_iter().collect(),
        ));
    }
    if !has(file, HAS_POSIX) {
        return Ok(None);
    }
    let mut found = vec![];
    for (name, kind) in POSIX {
        if let Some(text) = text(file, kind)? {
            let value = qchroot_unpack::posix_list(&text).map_err(|_| Errno::INVAL)?;
            found.push((name.to_vec(), value));
        }
    }
    Ok(Some(found))
}

fn has(file: &OwnedFd, kind: c_int) -> bool {
    // SAFETY: fpathconf(2) takes numbers only.
    unsafe { libc::fpathconf(file.as_raw_fd(), kind) == 1 }
}

/// What is in a list beyond the mode.
fn text(file: &OwnedFd, kind: c_int) -> Result<Option<String>, Errno> {
    // SAFETY: acl_get_fd_np(3) takes numbers only.
    let list = match Owned::new(unsafe { acl_get_fd_np(file.as_raw_fd(), kind) }) {
        // Only directories have a list for what is made in them.
        Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(None),
        list => list?,
    };
    let mut trivial = 0;
    // SAFETY: the list lives, and `trivial` is written to.
    let status = unsafe { acl_is_trivial_np(list.0, &raw mut trivial) };
    if kind != DEFAULT && status == 0 && trivial == 1 {
        return Ok(None);
    }
    // SAFETY: the list lives; a null length is allowed.
    let text = Owned::new(unsafe { acl_to_text_np(list.0, std::ptr::null_mut(), NUMBERS) }.cast())?;
    // SAFETY: acl_to_text_np(3) returns a terminated string, which lives as long as `text`.
    let words = unsafe { CStr::from_ptr(text.0.cast()) }.to_string_lossy().into_owned();
    Ok(Some(words).filter(|words| !words.trim().is_empty()))
}

/// Gives a file a list if the attribute is one; false when it is something else. Where the file system has no such
/// lists, the mode is all there is.
pub(super) fn set(file: &OwnedFd, name: &[u8], value: &[u8]) -> Result<bool, Errno> {
    let (text, kind) = if name == qchroot_unpack::NFS4_LIST {
        (String::from_utf8_lossy(value).into_owned(), NFS4)
    } else if let Some(&(_, kind)) = POSIX.iter().find(|(known, _)| *known == name) {
        (qchroot_unpack::posix_list_text(value).ok_or(Errno::INVAL)?, kind)
    } else {
        return Ok(false);
    };
    if !has(file, if kind == NFS4 { HAS_NFS4 } else { HAS_POSIX }) {
        return Ok(true);
    }
    let text = CString::new(text).map_err(|_| Errno::INVAL)?;
    // SAFETY: `text` is terminated and lives until the call returns.
    let list = Owned::new(unsafe { acl_from_text(text.as_ptr()) })?;
    // SAFETY: the list lives until the call returns.
    match unsafe { acl_set_fd_np(file.as_raw_fd(), list.0, kind) } {
        0 => Ok(true),
        _ => Err(super::last_error()),
    }
}
