//! Detached signatures of signify(1) and minisign(1). It knows bytes and keys, not what is signed.
//!
//! Both are Ed25519 (RFC 8032) in base64 below a comment, with a number that says which key made them. minisign
//! adds a comment that is signed too, and signs the BLAKE2b digest (RFC 7693) of the content unless it is told
//! not to. The content passes through once, whatever its length.

use std::io::Read;

use base64ct::{Base64, Encoding};
use blake2::{Blake2b512, Digest};
use ed25519_dalek::{Signature as Ed25519, Verifier, VerifyingKey};
use qchroot_api::{Error, ErrorKind, Result};

const COMMENT: &str = "untrusted comment: ";
const TRUSTED: &str = "trusted comment: ";

/// Checks the detached `signature` of `content` against `key`, both as the text of their files; of the key the
/// base64 line alone will do.
///
/// # Errors
/// Bad data when it was not made with that key over that content; configuration when the key is no key.
pub fn check_signature(content: &mut dyn Read, signature: &str, key: &str) -> Result<()> {
    let key = Key::parse(key)?;
    let signature = Signature::parse(signature)?;
    if signature.number != key.number {
        let (made_with, known) = (shown(signature.number), shown(key.number));
        return Err(bad(format!("the signature was made with the key {made_with}, not with {known}"))
            .hint("take the public key of whoever made the signature, if you trust it"));
    }
    if signature.prehashed { digested(content, &signature, &key) } else { whole(content, &signature, &key) }?;
    signature.trusted.as_ref().map_or(Ok(()), |trusted| comment(trusted, &signature, &key))
}

/// What both programs put before a key and a signature: the algorithm and the number of the key.
fn split(bytes: &[u8]) -> Option<([u8; 2], [u8; 8], &[u8])> {
    let (algorithm, rest) = bytes.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    Some((*algorithm, *number, rest))
}

struct Key {
    number: [u8; 8],
    key: VerifyingKey,
}

impl Key {
    fn parse(text: &str) -> Result<Self> {
        // What was given is not repeated: it may be a secret key.
        let no_key = || {
            Error::new(ErrorKind::Config, "the key is no public key of signify(1) or minisign(1)")
                .hint("give the line that begins with RW, or the .pub file that holds it")
        };
        let line = text.lines().find(|line| !line.starts_with(COMMENT) && !line.trim().is_empty());
        let bytes = Base64::decode_vec(line.unwrap_or_default().trim()).map_err(|_| no_key())?;
        let (algorithm, number, key) = split(&bytes).ok_or_else(no_key)?;
        let key = VerifyingKey::try_from(key).map_err(|_| no_key())?;
        if &algorithm != b"Ed" || key.is_weak() {
            return Err(no_key());
        }
        Ok(Self { number, key })
    }
}

struct Signature {
    number: [u8; 8],
    prehashed: bool,
    of_content: Ed25519,
    /// minisign's comment, and the signature of the signature with that.
    trusted: Option<(String, Ed25519)>,
}

impl Signature {
    fn parse(text: &str) -> Result<Self> {
        let no_signature = |why| bad(format!("this is no signature of signify(1) or minisign(1): {why}"));
        let mut lines = text.lines();
        if !lines.next().is_some_and(|line| line.starts_with(COMMENT)) {
            return Err(no_signature("it does not begin with a comment"));
        }
        let bytes = Base64::decode_vec(lines.next().unwrap_or_default().trim())
            .map_err(|_| no_signature("its second line is not base64"))?;
        let (algorithm, number, signature) =
            split(&bytes).ok_or_else(|| no_signature("its second line is too short"))?;
        let of_content =
            Ed25519::try_from(signature).map_err(|_| no_signature("its second line has the wrong length"))?;
        let trusted = trusted(lines).map_err(no_signature)?;
        match (&algorithm, &trusted) {
            (b"Ed", _) | (b"ED", Some(_)) => {}
            (b"ED", None) => return Err(no_signature("its last two lines are missing")),
            _ => return Err(no_signature("its algorithm is unknown")),
        }
        Ok(Self { number, prehashed: &algorithm == b"ED", of_content, trusted })
    }
}

fn trusted<'a>(
    mut lines: impl Iterator<Item = &'a str>,
) -> std::result::Result<Option<(String, Ed25519)>, &'static str> {
    let Some(line) = lines.next() else { return Ok(None) };
    let comment =
        line.strip_prefix(TRUSTED).ok_or("it has more lines than one; signed content inside it?")?;
    let bytes = Base64::decode_vec(lines.next().unwrap_or_default().trim());
    let signature = bytes.ok().and_then(|bytes| Ed25519::try_from(bytes.as_slice()).ok());
    let signature = signature.ok_or("its last line is missing or damaged")?;
    if lines.next().is_some() {
        return Err("something follows its last line");
    }
    Ok(Some((comment.to_owned(), signature)))
}

fn whole(content: &mut dyn Read, signature: &Signature, key: &Key) -> Result<()> {
    let mut verifier = key.key.verify_stream(&signature.of_content).map_err(|_| does_not_fit())?;
    pieces(content, |piece| verifier.update(piece))?;
    verifier.finalize_and_verify().map_err(|_| does_not_fit())
}

fn digested(content: &mut dyn Read, signature: &Signature, key: &Key) -> Result<()> {
    let mut digest = Blake2b512::new();
    pieces(content, |piece| digest.update(piece))?;
    key.key.verify(&digest.finalize(), &signature.of_content).map_err(|_| does_not_fit())
}

fn comment((text, of_both): &(String, Ed25519), signature: &Signature, key: &Key) -> Result<()> {
    let both = [&signature.of_content.to_bytes(), text.as_bytes()].concat();
    let verified = key.key.verify(&both, of_both);
    verified.map_err(|_| bad("the trusted comment of the signature was changed after it was signed"))
}

fn pieces(content: &mut dyn Read, mut each: impl FnMut(&[u8])) -> Result<()> {
    let mut buffer = vec![0; 128 << 10];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => each(&buffer[..n]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::from_io(&error, "cannot read what is signed")),
        }
    }
}

/// The number of a key as minisign(1) shows it.
fn shown(number: [u8; 8]) -> String {
    format!("{:016X}", u64::from_le_bytes(number))
}

fn does_not_fit() -> Error {
    bad("the signature does not fit the content: one of them was changed, or they do not belong together")
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadData, message)
}
