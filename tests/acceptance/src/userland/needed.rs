//! Which libraries an ELF file names; elf(5). Nothing is run for it.

use std::fs;
use std::path::Path;

use object::Endianness;
use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::{Dyn, FileHeader};

/// The names; none for a file that is not ELF or not there.
pub(crate) fn needed(file: &Path) -> Vec<String> {
    fs::read(file).ok().and_then(|data| names(&data).ok()).unwrap_or_default()
}

fn names(data: &[u8]) -> object::Result<Vec<String>> {
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let Some((entries, strings)) = sections.dynamic(endian, data)? else { return Ok(vec![]) };
    let strings = sections.strings(endian, data, strings)?;
    let entries = entries.iter().filter(|entry| entry.tag(endian) == DT_NEEDED);
    let name = |entry: &object::elf::Dyn64<Endianness>| entry.string(endian, strings).ok();
    Ok(entries.filter_map(name).map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_names_its_libraries_and_a_script_has_none() {
        let own = std::env::current_exe().unwrap();
        assert!(needed(&own).iter().any(|name| name.starts_with("libc.so")), "{:?}", needed(&own));
        assert_eq!(needed(Path::new("/etc/passwd")), Vec::<String>::new());
    }
}
