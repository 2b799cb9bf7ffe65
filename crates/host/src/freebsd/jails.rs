//! Jails as the kernel knows them, jail_get(2). It does not know which of them is a container's.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_int};

use camino::Utf8PathBuf;
use nix::libc::{self, iovec};

/// Room for the root of a jail: MAXPATHLEN of sys/param.h.
const LONGEST_PATH: usize = 1024;

/// The root directory of every jail by its number, as the kernel has kept it since the jail was made.
pub(crate) fn roots() -> BTreeMap<i32, Utf8PathBuf> {
    all(0)
}

/// The same, with those that were removed and are not gone yet: processes may still be in them.
pub(crate) fn roots_of_all() -> BTreeMap<i32, Utf8PathBuf> {
    all(libc::JAIL_DYING)
}

/// The root directories of jails that were removed and are not gone yet.
pub(crate) fn dying() -> Vec<Utf8PathBuf> {
    let living = roots();
    roots_of_all().into_iter().filter(|(jid, _)| !living.contains_key(jid)).map(|(_, root)| root).collect()
}

/// The number and the root directory of the living jail `name`.
pub(crate) fn named(name: &str) -> Option<(i32, Utf8PathBuf)> {
    let name = CString::new(name).ok()?;
    let mut path = [0_u8; LONGEST_PATH];
    let mut parts = [
        part(c"name".to_bytes_with_nul().as_ptr().cast_mut(), 5),
        part(name.as_ptr().cast::<u8>().cast_mut(), name.as_bytes_with_nul().len()),
        part(c"path".to_bytes_with_nul().as_ptr().cast_mut(), 5),
        part(path.as_mut_ptr(), LONGEST_PATH),
    ];
    // SAFETY: names are only read; the path lives for the call and has the length that is said.
    let jid = unsafe { libc::jail_get(parts.as_mut_ptr(), 4, 0) };
    let root = CStr::from_bytes_until_nul(&path).ok()?.to_str().ok()?;
    (jid > 0).then(|| (jid, root.into()))
}

fn all(flags: c_int) -> BTreeMap<i32, Utf8PathBuf> {
    let (mut roots, mut last) = (BTreeMap::new(), 0);
    while let Some((jid, root)) = after(last, flags) {
        last = jid;
        roots.extend(root.map(|root| (jid, root)));
    }
    roots
}

/// The first jail with a greater number; its root, if that is text.
fn after(mut last: c_int, flags: c_int) -> Option<(c_int, Option<Utf8PathBuf>)> {
    let mut path = [0_u8; LONGEST_PATH];
    let mut parts = [
        part(c"lastjid".to_bytes_with_nul().as_ptr().cast_mut(), 8),
        part((&raw mut last).cast(), size_of::<c_int>()),
        part(c"path".to_bytes_with_nul().as_ptr().cast_mut(), 5),
        part(path.as_mut_ptr(), LONGEST_PATH),
    ];
    // SAFETY: names are only read; the number and the path live for the call and have the lengths that are said.
    let jid = unsafe { libc::jail_get(parts.as_mut_ptr(), 4, flags) };
    let root = CStr::from_bytes_until_nul(&path).ok().and_then(|path| path.to_str().ok());
    (jid > 0).then(|| (jid, root.map(Utf8PathBuf::from)))
}

fn part(base: *mut u8, length: usize) -> iovec {
    iovec { iov_base: base.cast(), iov_len: length }
}
