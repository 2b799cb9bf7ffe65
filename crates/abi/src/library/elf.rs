//! What a shared library says of itself before anything of it runs: which machine it was made for, and the header of a
//! plug-in. The file is only read.

use std::env::consts;
use std::fs::File;

use camino::Utf8Path;
use object::elf::{
    ELFDATA2LSB, ELFOSABI_FREEBSD, ELFOSABI_GNU, ELFOSABI_NONE, EM_386, EM_AARCH64, EM_ARM, EM_PPC64,
    EM_RISCV, EM_X86_64, ET_DYN, Machine, OsAbi,
};
use object::read::elf::FileHeader;
use object::{Endianness, FileKind, Object, ObjectSection, ObjectSymbol, ReadCache};
use qchroot_api::{Error, ErrorKind, Result};

use crate::{HEADER_SYMBOL, Header};

/// Machines as Rust and uname(1) name them, with the numbers that elf(5) has for them.
const MACHINES: [(Machine, &str); 6] = [
    (EM_X86_64, "x86_64"),
    (EM_AARCH64, "aarch64"),
    (EM_386, "x86"),
    (EM_ARM, "arm"),
    (EM_PPC64, "powerpc64"),
    (EM_RISCV, "riscv64"),
];

type Library<'a> = object::File<'a, &'a ReadCache<File>>;

/// What a plug-in's file says of itself. The file is read, and nothing of it runs.
///
/// # Errors
/// Plug-in, with the file and what is wrong with it: that it is no library, made for another machine or system, no
/// plug-in, or made for another border.
pub fn read_header(file: &Utf8Path) -> Result<Header> {
    let opened = File::open(file).map_err(|error| Error::from_io(&error, format!("cannot read {file}")))?;
    let bytes = ReadCache::new(opened);
    if !matches!(FileKind::parse(&bytes), Ok(FileKind::Elf32 | FileKind::Elf64)) {
        return Err(broken(file, "is no shared library: it is not an ELF file"));
    }
    let library = Library::parse(&bytes);
    let library = library.map_err(|error| broken(file, "is damaged, or cut off").cause(error))?;
    match &library {
        Library::Elf64(elf) => refuse_elsewhere(file, elf.elf_header())?,
        Library::Elf32(elf) => refuse_elsewhere(file, elf.elf_header())?,
        _ => {}
    }
    let text = header_text(&library).ok_or_else(|| {
        broken(file, "is no plug-in of qchroot's").cause(format!("it has no header {HEADER_SYMBOL}"))
    })?;
    Header::parse(text)
        .map_err(|error| error.while_doing(format!("{file} cannot be used")).with("file", file))
}

fn header_text<'a>(library: &Library<'a>) -> Option<&'a [u8]> {
    let symbol = library.dynamic_symbols().find(|symbol| symbol.name() == Ok(HEADER_SYMBOL))?;
    let section = library.section_by_index(symbol.section_index()?).ok()?;
    section.data_range(symbol.address(), symbol.size()).ok()?
}

/// Refuses a file that the loader here would not take, in words that say more than the loader's.
fn refuse_elsewhere<H: FileHeader<Endian = Endianness>>(file: &Utf8Path, header: &H) -> Result<()> {
    let ident = header.e_ident();
    let endian = if ident.data == ELFDATA2LSB { Endianness::Little } else { Endianness::Big };
    if header.e_type(endian) != ET_DYN {
        return Err(broken(file, "is an ELF file, but no shared library"));
    }
    let here = MACHINES.iter().find(|(_, name)| *name == consts::ARCH);
    let fits = header.is_type_64() == cfg!(target_pointer_width = "64")
        && (endian == Endianness::Little) == cfg!(target_endian = "little")
        && here.is_none_or(|(machine, _)| *machine == header.e_machine(endian));
    if !fits {
        let made_for = machine_name(header, endian);
        return Err(broken(file, &format!("is made for {made_for}, and this is {}", consts::ARCH)));
    }
    match system_name(ident.os_abi) {
        Some(system) if !system.eq_ignore_ascii_case(consts::OS) => {
            Err(broken(file, &format!("is made for {system}, and this is {}", consts::OS)))
        }
        _ => Ok(()),
    }
}

fn machine_name<H: FileHeader<Endian = Endianness>>(header: &H, endian: Endianness) -> String {
    let machine = header.e_machine(endian);
    let name = MACHINES.iter().find(|(number, _)| *number == machine).map(|(_, name)| (*name).to_owned());
    let bits = if header.is_type_64() { 64 } else { 32 };
    let order = if endian == Endianness::Little { "little" } else { "big" };
    let name = name.unwrap_or_else(|| format!("machine number {}", machine.0));
    format!("{name} ({bits} bits, {order}-endian)")
}

/// The system that a library is branded for. Most libraries say nothing: those of Linux, unless they use what GNU added.
fn system_name(os_abi: OsAbi) -> Option<&'static str> {
    match os_abi {
        ELFOSABI_NONE => None,
        ELFOSABI_GNU => Some("Linux"),
        ELFOSABI_FREEBSD => Some("FreeBSD"),
        _ => Some("another system"),
    }
}

fn broken(file: &Utf8Path, what: &str) -> Error {
    Error::new(ErrorKind::Plugin, format!("{file} {what}")).with("file", file)
}
