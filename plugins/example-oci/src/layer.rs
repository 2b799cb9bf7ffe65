//! The layers of an image as streams of entries: decompressed, and checked against both of their digests each time that
//! they are read. It does not know what an entry means.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use qchroot_plugin::{Error, ErrorKind, Node, Progress, Result, Work};

use crate::digest::{Digest, Hashing};
use crate::document::{Config, Descriptor, Manifest};
use crate::entry;
use crate::store::{Piece, Store};

/// Entries between two looks at whether the user has given up.
const GLANCE: u64 = 64;

/// One layer, on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    /// Such as `layer 1 of 3`.
    name: String,
    piece: Piece,
    size: u64,
    digest: Digest,
    /// Its digest without the compression.
    diff_id: Digest,
}

/// Is given each entry, its number in the layer, and its content.
pub(crate) type Take<'a> = dyn FnMut(&mut dyn Work, u64, Node, &mut dyn Read) -> Result<()> + 'a;

/// Brings all layers onto this machine, the lowest first.
pub(crate) fn locate(
    store: &dyn Store,
    manifest: &Manifest,
    config: &Config,
    work: &mut dyn Work,
) -> Result<Vec<Layer>> {
    let (layers, diff_ids) = (&manifest.layers, config.diff_ids());
    if layers.len() != diff_ids.len() {
        let message =
            format!("the manifest names {} layers, the configuration {}", layers.len(), diff_ids.len());
        return Err(
            Error::new(ErrorKind::BadData, message).hint("the image was made wrong; tell whoever made it")
        );
    }
    layers.iter().try_for_each(Descriptor::refuse_unknown_layer)?;
    let one = |(n, (wanted, diff_id)): (usize, (&Descriptor, &Digest))| {
        let name = format!("layer {} of {}", n + 1, layers.len());
        let piece = store.layer(wanted, &name, work)?;
        Ok(Layer { name, piece, size: wanted.size, digest: wanted.digest.clone(), diff_id: diff_id.clone() })
    };
    layers.iter().zip(diff_ids).enumerate().map(one).collect()
}

impl Layer {
    /// Reads all of it; `doing` says what for.
    pub(crate) fn each(&self, doing: &str, work: &mut dyn Work, take: &mut Take<'_>) -> Result<()> {
        let input = work.open_at(&self.piece.path, self.piece.offset)?;
        let mut packed = Hashing::new(input.take(self.size));
        let what = format!("{doing} {}", self.name);
        let mut reading = Reading { done: packed.count(), what, total: self.size, entries: 0 };
        let read = self.unpack(&mut packed, &mut reading, work, take);
        // Content that was damaged is said to be so, whatever came of reading it.
        let damaged = packed.finish().map_err(|e| self.unreadable(e));
        damaged.and_then(|found| self.digest.expect(&found, &self.name))?;
        read?;
        reading.show(work)
    }

    fn unpack(
        &self,
        packed: &mut dyn Read,
        reading: &mut Reading,
        work: &mut dyn Work,
        take: &mut Take<'_>,
    ) -> Result<()> {
        let told = |error: io::Error| self.unreadable(error);
        let mut plain = Hashing::new(decompressed(packed).map_err(told)?);
        let mut archive = tar::Archive::new(&mut plain);
        for entry in archive.entries().map_err(told)? {
            let mut entry = entry.map_err(told)?;
            if let Some(node) = entry::node(&mut entry)? {
                take(work, reading.entries, node, &mut entry)?;
            }
            reading.next(work)?;
        }
        let found = plain.finish().map_err(told)?;
        self.diff_id.expect(&found, &format!("{}, decompressed,", self.name))
    }

    fn unreadable(&self, error: io::Error) -> Error {
        Error::new(ErrorKind::BadData, format!("cannot read {}, {}", self.name, self.digest))
            .cause(error)
            .hint("the image was made wrong; have it made again, or tell whoever made it")
    }
}

/// How far the reading has come.
struct Reading {
    done: Rc<Cell<u64>>,
    what: String,
    total: u64,
    entries: u64,
}

impl Reading {
    fn next(&mut self, work: &mut dyn Work) -> Result<()> {
        self.entries += 1;
        if self.entries.is_multiple_of(GLANCE) { self.show(work) } else { Ok(()) }
    }

    fn show(&self, work: &mut dyn Work) -> Result<()> {
        work.progress(&Progress {
            what: self.what.clone(),
            bytes: self.done.get(),
            total_bytes: Some(self.total),
            entries: self.entries,
            total_entries: None,
        });
        if work.cancelled() { Err(Error::new(ErrorKind::System, "interrupted")) } else { Ok(()) }
    }
}

/// The first bytes tell how it is compressed (RFC 1952, RFC 8878); media types are not always right.
fn decompressed<'a>(packed: &'a mut dyn Read) -> io::Result<Box<dyn Read + 'a>> {
    let mut packed = BufReader::with_capacity(128 << 10, packed);
    Ok(match packed.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(packed)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::with_buffer(packed)?),
        _ => Box::new(packed),
    })
}
