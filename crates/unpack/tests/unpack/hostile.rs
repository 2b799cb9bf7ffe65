//! Archives that are broken or mean harm: refused with the entry named.

use std::io::Write;

use crate::support::{Memory, archive, entry, file, pax, sized, unpack, unpack_within};
use qchroot_api::{Error, ErrorKind};
use qchroot_unpack::Limits;
use tar::EntryType;

fn refused(bytes: &[u8]) -> Error {
    let error = unpack(bytes).map(|(memory, _)| memory.nodes.len()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
    error
}

#[track_caller]
fn says(error: &Error, words: &[&str]) {
    let text = error.to_string();
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn names_that_lead_out_are_refused() {
    for name in [&b"../evil"[..], b"a/../../evil", b"/../evil", b"usr/.."] {
        let error = refused(&archive(&[file(b"good", b"x"), file(name, b"x")]));
        says(&error, &["cannot unpack test.tar", "\"..\"", &String::from_utf8_lossy(name)]);
    }
    says(
        &refused(&archive(&[entry(b"h", EntryType::Link, "../../etc/passwd", b"")])),
        &["entry h", "\"..\""],
    );
    says(&refused(&archive(&[pax(&[("path", b"a/../../b")]), file(b"x", b"")])), &["a/../../b"]);
    says(&refused(&archive(&[pax(&[("path", b"a\0b")]), file(b"x", b"")])), &["zero byte"]);
}

#[test]
fn a_cut_off_tail_names_the_entry_wherever_it_is_cut() {
    let whole = archive(&[file(b"first", &[1; 700]), file(b"second", &[2; 3000])]);
    for at in [1700, 2000, 2560, 4000, whole.len() - 1024] {
        says(&refused(&whole[..at]), &["cut off", if at < 2048 { "first" } else { "second" }]);
    }
    says(&refused(&[]), &["cut off", "before the first entry"]);
    let packed = gzip(&whole);
    for at in [packed.len() - 1, packed.len() - 9, packed.len() / 2] {
        says(&refused(&packed[..at]), &["cut off"]);
    }
}

#[test]
fn nothing_but_zeros_may_follow_the_end() {
    let whole = archive(&[file(b"a", b"x")]);
    assert!(unpack(&[&whole[..], &[0; 10_000]].concat()).is_ok());
    says(&refused(&[&whole[..], &[0; 9000], b"garbage"].concat()), &["entry a", "after its end"]);
    assert!(unpack(&[&gzip(&whole)[..], &[0; 5000]].concat()).is_ok());
    says(&refused(&[&gzip(&whole)[..], b"garbage garbage"].concat()), &["damaged"]);
    says(&refused(&[gzip(&whole), gzip(&whole)].concat()), &["after its end"]);
}

#[test]
fn damage_is_told() {
    let mut flipped = archive(&[file(b"a", b"x"), file(b"b", b"y")]);
    flipped[1024 + 100] ^= 1;
    says(&refused(&flipped), &["entry a", "checksum"]);
    says(&refused(b"this is a text and no archive at all".repeat(40).as_slice()), &["checksum"]);
    let mut packed = gzip(&archive(&[file(b"a", &[7; 5000])]));
    let crc = packed.len() - 6;
    packed[crc] ^= 1;
    says(&refused(&packed), &["damaged"]);
}

#[test]
fn too_much_is_refused() {
    let limits = Limits { total_bytes: 1 << 20, entries: 3, expansion: 50 };
    let told = |bytes: &[u8]| unpack_within(bytes, &limits).map(|_| ()).unwrap_err();
    says(&told(&archive(&vec![file(b"many", b""); 4])), &["entry many", "3 entries"]);
    let terabyte = sized(b"nothing", EntryType::Regular, "", 1 << 40, b"");
    says(&told(&archive(&[terabyte])), &["entry nothing", "1048576 bytes"]);
    let endless = sized(b"endless", EntryType::Regular, "", u64::MAX, b"");
    says(&told(&archive(&[endless])), &["endless"]);
    let bomb = gzip(&archive(&[file(b"zeros", &vec![0; 100 << 20])]));
    let limits = Limits { total_bytes: 1 << 30, ..limits };
    says(&unpack_within(&bomb, &limits).map(|_| ()).unwrap_err(), &["zeros", "50 times"]);
    says(&refused(&archive(&[sized(b"x", EntryType::XHeader, "", 1 << 33, b"")])), &["extended header"]);
}

#[test]
fn what_readers_disagree_about_is_refused() {
    says(
        &refused(&archive(&[entry(b"h", EntryType::Link, "a", b"content")])),
        &["entry h", "not a regular file"],
    );
    says(&refused(&archive(&[entry(b"v", EntryType::new(b'V'), "", b"")])), &["entry v", "type 'V'"]);
    let global = entry(b"g", EntryType::XGlobalHeader, "", b"10 path=x\n");
    says(&refused(&archive(&[global, file(b"a", b"")])), &["global", "path"]);
}

#[test]
fn escapes_in_names_do_not_reach_the_terminal() {
    let error = refused(&archive(&[file(b"\x1b[2J/../x", b"")]));
    assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
    says(&error, &["\\u{1b}[2J"]);
}

#[test]
fn a_user_who_gave_up_is_heard_and_the_reader_ends() {
    struct Endless;
    impl std::io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            buffer.fill(b'x');
            Ok(buffer.len())
        }
    }
    let mut memory = Memory { cancelled: true, ..Memory::default() };
    let start = std::io::Cursor::new(file(b"a", b"x"));
    let input = std::io::Read::chain(start, Endless);
    let error = qchroot_unpack::unpack(input, "endless", None, &mut memory, &Limits::default()).unwrap_err();
    says(&error, &["interrupted"]);
}

#[test]
fn an_error_of_the_disk_is_no_bad_data() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from_raw_os_error(5))
        }
    }
    let start = std::io::Cursor::new(file(b"a", &[1; 4096])[..2000].to_vec());
    let mut memory = Memory::default();
    let input = std::io::Read::chain(start, Broken);
    let error = qchroot_unpack::unpack(input, "x.tar", None, &mut memory, &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    says(&error, &["entry a", "cannot read the archive"]);
}
