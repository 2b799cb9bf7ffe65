//! What a userland says of itself in its own files: the kernel it was made for, its name and version. It reads
//! text and ELF headers beneath the tree's root and runs nothing.

use camino::Utf8Path;
use object::elf::{ELF_NOTE_OS_FREEBSD, ELF_NOTE_OS_LINUX, ELFOSABI_FREEBSD, ELFOSABI_GNU, NT_GNU_ABI_TAG};
use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, FileKind};
use qchroot_api::{Brand, Observe, Place};

/// Programs that nearly every userland has some of, those of the base system first.
const PROGRAMS: &[&str] =
    &["bin/sh", "sbin/init", "bin/ls", "usr/bin/env", "bin/busybox", "usr/bin/sh", "rescue/sh"];

/// How much of a program is looked at: headers, notes and the interpreter's name stand at its beginning.
const HEAD: u64 = 1 << 20;

/// FreeBSD's own note: its name, and its type `NT_FREEBSD_ABI_TAG`; `sys/sys/elf_common.h`.
const FREEBSD_NOTE: (&[u8], u32) = (b"FreeBSD", 1);

/// Where os-release(5) is looked for.
const OS_RELEASE: &[&str] = &["etc/os-release", "usr/lib/os-release"];

/// What the userland below `tree` was made for, where its own files tell: its programs, then os-release(5),
/// freebsd-version(1) and `debian_version` as text.
pub(crate) fn brand(tree: &Utf8Path, host: &dyn Observe) -> Option<Brand> {
    let of_program = |path: &&str| brand_of_program(&host.bytes(&Place::within(tree, path), 0, HEAD).ok()?);
    PROGRAMS.iter().find_map(of_program).or_else(|| brand_of_texts(tree, host))
}

/// Its name and version, such as `debian-12` or `14.3-RELEASE-p2`, in the terms of [`crate::compare`].
pub(crate) fn version(tree: &Utf8Path, host: &dyn Observe) -> Option<String> {
    if let Some(version) = freebsd_version(tree, host) {
        return Some(version);
    }
    let text = os_release(tree, host)?;
    let id = value(&text, "ID")?;
    Some(match value(&text, "VERSION_ID") {
        Some(version) => format!("{id}-{version}"),
        None => id.to_owned(),
    })
}

fn brand_of_texts(tree: &Utf8Path, host: &dyn Observe) -> Option<Brand> {
    if let Some(text) = os_release(tree, host) {
        return brand_of_os_release(&text);
    }
    if freebsd_version(tree, host).is_some() {
        return Some(Brand::Freebsd);
    }
    let debian = host.read(&Place::within(tree, "etc/debian_version"));
    debian.is_ok().then_some(Brand::Linux)
}

/// Debian has the same `ID` on every kernel; its `NAME` says which.
fn brand_of_os_release(text: &str) -> Option<Brand> {
    let (id, name) = (value(text, "ID")?, value(text, "NAME").unwrap_or_default());
    let like = value(text, "ID_LIKE").unwrap_or_default();
    if name.contains("kFreeBSD") {
        Some(Brand::Kfreebsd)
    } else if id == "freebsd" || like.split(' ').any(|id| id == "freebsd") {
        Some(Brand::Freebsd)
    } else {
        (!name.contains("Hurd")).then_some(Brand::Linux)
    }
}

fn os_release(tree: &Utf8Path, host: &dyn Observe) -> Option<String> {
    OS_RELEASE.iter().find_map(|path| host.read(&Place::within(tree, path)).ok())
}

/// A value of os-release(5): shell syntax, of which its files use quotes at most.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(line.trim().trim_matches(['"', '\''])).filter(|value| !value.is_empty())
}

fn freebsd_version(tree: &Utf8Path, host: &dyn Observe) -> Option<String> {
    let text = host.read(&Place::within(tree, "bin/freebsd-version")).ok()?;
    value(&text, "USERLAND_VERSION").map(str::to_owned)
}

fn brand_of_program(program: &[u8]) -> Option<Brand> {
    match FileKind::parse(program).ok()? {
        FileKind::Elf32 => brand_of_elf::<FileHeader32<Endianness>>(program),
        FileKind::Elf64 => brand_of_elf::<FileHeader64<Endianness>>(program),
        _ => None,
    }
}

/// By the rules of FreeBSD's ELF activator, `sys/kern/imgact_elf.c`: the note, then `EI_OSABI`, then the
/// interpreter. A note that names another system settles that it is none of ours.
fn brand_of_elf<H: FileHeader<Endian = Endianness>>(program: &[u8]) -> Option<Brand> {
    let header = H::parse(program).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, program).ok()?;
    if let Some(noted) = segments.iter().find_map(|segment| brand_of_notes::<H>(segment, endian, program)) {
        return noted;
    }
    match header.e_ident().os_abi {
        ELFOSABI_FREEBSD => Some(Brand::Freebsd),
        ELFOSABI_GNU => Some(Brand::Linux),
        _ => segments
            .iter()
            .find_map(|segment| brand_of_interpreter(segment.interpreter(endian, program).ok().flatten()?)),
    }
}

/// What a note says, if there is one about the system: the outer `None` is no such note.
///
/// Source of `NT_GNU_ABI_TAG`: the Linux Standard Base, section "Note sections"; its numbers in `elf.h` of the
/// GNU C library.
fn brand_of_notes<H: FileHeader<Endian = Endianness>>(
    segment: &H::ProgramHeader,
    endian: Endianness,
    program: &[u8],
) -> Option<Option<Brand>> {
    let mut notes = segment.notes(endian, program).ok().flatten()?;
    while let Ok(Some(note)) = notes.next() {
        let (name, kind) = (note.name(), note.n_type(endian));
        if (name, kind.0) == FREEBSD_NOTE {
            return Some(Some(Brand::Freebsd));
        }
        if let (b"GNU", NT_GNU_ABI_TAG, Some(word)) = (name, kind, note.desc().first_chunk::<4>()) {
            let little = endian == Endianness::Little;
            let system = if little { u32::from_le_bytes(*word) } else { u32::from_be_bytes(*word) };
            return Some(match system {
                ELF_NOTE_OS_LINUX => Some(Brand::Linux),
                ELF_NOTE_OS_FREEBSD => Some(Brand::Kfreebsd),
                _ => None,
            });
        }
    }
    None
}

/// The interpreters of the GNU C library and musl on Linux, of FreeBSD and of GNU/kFreeBSD, by name.
fn brand_of_interpreter(path: &[u8]) -> Option<Brand> {
    let name = path.rsplit(|&byte| byte == b'/').next()?;
    let starts = |prefix: &str| name.starts_with(prefix.as_bytes());
    if starts("ld-kfreebsd") {
        Some(Brand::Kfreebsd)
    } else if starts("ld-elf") {
        Some(Brand::Freebsd)
    } else {
        (starts("ld-linux") || starts("ld-musl")).then_some(Brand::Linux)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program as small as can be: an ELF header and, where there is one, one segment.
    fn program(os_abi: u8, segment: Option<(u32, Vec<u8>)>) -> Vec<u8> {
        let mut elf = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, os_abi];
        elf.resize(16, 0);
        let number = u16::from(segment.is_some());
        for half in [2_u16, 62, 1, 0] {
            elf.extend(half.to_le_bytes()); // executable, x86-64, version
        }
        for word in [0_u64, 64, 0] {
            elf.extend(word.to_le_bytes()); // entry, program headers, sections
        }
        for half in [0, 0, 64, 56, number, 64, 0, 0] {
            elf.extend(half.to_le_bytes());
        }
        if let Some((kind, content)) = segment {
            elf.extend(kind.to_le_bytes());
            elf.extend(4_u32.to_le_bytes());
            let size = content.len() as u64;
            [120, 0, 0, size, size, 4].iter().for_each(|word: &u64| elf.extend(word.to_le_bytes()));
            elf.extend(content);
        }
        elf
    }

    fn note(name: &[u8], word: u32) -> Option<(u32, Vec<u8>)> {
        let mut note = vec![];
        [name.len() as u32, 4, 1].iter().for_each(|word: &u32| note.extend(word.to_le_bytes()));
        note.extend(name);
        note.resize(note.len().next_multiple_of(4), 0);
        note.extend(word.to_le_bytes());
        Some((4, note))
    }

    #[test]
    fn a_note_comes_before_all_else() {
        assert_eq!(brand_of_program(&program(0, note(b"GNU\0", 0))), Some(Brand::Linux));
        assert_eq!(brand_of_program(&program(9, note(b"GNU\0", 3))), Some(Brand::Kfreebsd));
        assert_eq!(brand_of_program(&program(0, note(b"FreeBSD\0", 1_403_000))), Some(Brand::Freebsd));
        assert_eq!(brand_of_program(&program(3, note(b"GNU\0", 1))), None, "the Hurd's");
    }

    #[test]
    fn without_a_note_the_header_and_the_interpreter_tell() {
        assert_eq!(brand_of_program(&program(9, None)), Some(Brand::Freebsd));
        let interpreter = |path: &[u8]| brand_of_program(&program(0, Some((3, path.to_vec()))));
        assert_eq!(interpreter(b"/libexec/ld-elf.so.1\0"), Some(Brand::Freebsd));
        assert_eq!(interpreter(b"/lib/ld-musl-x86_64.so.1\0"), Some(Brand::Linux));
        assert_eq!(interpreter(b"/lib/ld-kfreebsd-x86-64.so.1\0"), Some(Brand::Kfreebsd));
        assert_eq!(brand_of_program(&program(0, None)), None, "a static program without notes");
    }

    #[test]
    fn damaged_programs_say_nothing() {
        let whole = program(0, note(b"GNU\0", 0));
        for length in 0..whole.len() {
            assert_eq!(brand_of_program(&whole[..length]), None, "cut off after {length} bytes");
        }
        assert_eq!(brand_of_program(b"#!/bin/sh\n"), None);
    }

    #[test]
    fn os_release_tells_debian_on_three_kernels_apart() {
        let brand = |name: &str| brand_of_os_release(&format!("NAME=\"Debian {name}\"\nID=debian\n"));
        assert_eq!(brand("GNU/Linux"), Some(Brand::Linux));
        assert_eq!(brand("GNU/kFreeBSD"), Some(Brand::Kfreebsd));
        assert_eq!(brand("GNU/Hurd"), None);
        assert_eq!(brand_of_os_release("ID=ghostbsd\nID_LIKE=\"freebsd\"\n"), Some(Brand::Freebsd));
    }
}
