//! Which functions of the C library a program needs, by the versions that FreeBSD gives them: a program that needs a newer
//! one is refused by the dynamic linker before it begins.

use std::path::Path;

use crate::Result;
use crate::run::Run;

/// The versions of 13.x end with this one; `lib/libc/Versions.def`.
const NEWEST: u32 = 6;

/// Where a program of 14.0 begins; the linker brings it, no code of ours. Linked against an older release it is `_start`'s
/// own business again.
const START: &str = "__libc_start1";

/// Refuses a program or library that needs what FreeBSD 13.2 lacks.
pub(super) fn check(file: &Path) -> Result<()> {
    let table = Run::new("readelf").args(["--wide", "--dyn-syms"]).arg(file).text()?;
    let newer = newer(&table);
    if newer.is_empty() {
        return Ok(());
    }
    Err(format!("{} needs what FreeBSD 13.2 lacks: {}", file.display(), newer.join(", ")).into())
}

/// Symbols of a table that a version after [`NEWEST`] came with, such as `inotify_init@FBSD_1.8`. Weak ones may be missing:
/// the standard library asks for some that way and does without.
fn newer(table: &str) -> Vec<&str> {
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let needed = rows.filter(|row| row.get(4) == Some(&"GLOBAL") && row.get(6) == Some(&"UND"));
    needed.filter_map(|row| row.get(7).copied()).filter(|name| is_newer(name)).collect()
}

fn is_newer(symbol: &str) -> bool {
    let Some((name, version)) = symbol.split_once('@') else { return false };
    let number = version.trim_start_matches('@').strip_prefix("FBSD_1.").and_then(|n| n.parse::<u32>().ok());
    name != START && number.is_some_and(|number| number > NEWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_release_brought_is_named() {
        let table = "\
Symbol table '.dynsym' contains 4 entries:
   Num:    Value          Size Type    Bind   Vis      Ndx Name
     1: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND openat@FBSD_1.2 (2)
     2: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND __libc_start1@FBSD_1.7 (3)
     3: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND inotify_init1@FBSD_1.8 (4)
     4: 0000000000000000     0 FUNC    WEAK   DEFAULT  UND posix_spawn_file_actions_addchdir_np@FBSD_1.7 (3)
     5: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND free
";
        assert_eq!(newer(table), ["inotify_init1@FBSD_1.8"]);
    }
}
