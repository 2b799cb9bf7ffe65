//! A real staging directory and cache, archives to fetch, and little patience.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use qchroot_api::camino::Utf8PathBuf;
use qchroot_api::{Error, Progress, Result, Work};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use qchroot_unpack::{Fetcher, Headers, Limits, Patience, Proxies, Summary, Wanted};

/// An archive with one file of this name, which cannot be compressed and is `size` bytes long.
pub(crate) fn archive(name: &str, size: usize) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, name, noise(name, size).as_slice()).unwrap();
    builder.into_inner().unwrap()
}

/// Bytes that look like chance (xorshift) and are the same each time.
pub(crate) fn noise(seed: &str, size: usize) -> Vec<u8> {
    let mut x = seed.bytes().fold(88_172_645_463_325_252_u64, |x, byte| x.rotate_left(9) ^ u64::from(byte));
    let next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x.to_le_bytes()
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(next).take(size / 8 + 1).flatten().collect();
    bytes.truncate(size);
    bytes
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    qchroot_unpack::sha256(bytes).unwrap().0
}

/// All that is to be known of `bytes`, to be had at these addresses.
pub(crate) fn wanted(bytes: &[u8], mirrors: &[String]) -> Wanted {
    Wanted {
        name: "a.tar".into(),
        mirrors: mirrors.iter().map(|mirror| mirror.parse().unwrap()).collect(),
        sha256: Some(sha256(bytes)),
        size: Some(bytes.len() as u64),
        entries: Some(1),
        headers: Headers::default(),
    }
}

/// The same, with nothing to compare with.
pub(crate) fn unchecked(mirrors: &[String]) -> Wanted {
    Wanted { sha256: None, size: None, entries: None, ..wanted(b"", mirrors) }
}

/// With nothing but the digest to compare with.
pub(crate) fn by_digest(bytes: &[u8], mirrors: &[String]) -> Wanted {
    Wanted { size: None, entries: None, ..wanted(bytes, mirrors) }
}

/// Gives up on silence soon, and does not pause between attempts.
pub(crate) fn patience() -> Patience {
    Patience { stall: Duration::from_millis(1500), tries: 3, pause: Duration::ZERO, ..Patience::default() }
}

/// Where archives are unpacked.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) fetcher: Fetcher,
    pub(crate) cancelled: Arc<AtomicBool>,
    place: Workplace,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name| Utf8PathBuf::from_path_buf(dir.path().join(name)).unwrap();
        let place = Workplace { staging: path("staging"), cache: path("cache"), log: path("log") };
        let fetcher = Fetcher::new(patience(), Proxies::default());
        Self { dir, fetcher, cancelled: Arc::default(), place }
    }

    /// The same, with another cache.
    pub(crate) fn with_cache(mut self, cache: impl Into<Utf8PathBuf>) -> Self {
        self.place.cache = cache.into();
        self
    }

    /// Calls `run` with a new staging directory.
    pub(crate) fn work<T>(&self, run: impl FnOnce(&mut dyn Work) -> T) -> T {
        self.shown(run).0
    }

    /// The same, with all progress that was shown.
    pub(crate) fn shown<T>(&self, run: impl FnOnce(&mut dyn Work) -> T) -> (T, Vec<Progress>) {
        let _ = fs::remove_dir_all(&self.place.staging);
        fs::create_dir(&self.place.staging).unwrap();
        let machine = Machine::with_cancel(Arc::clone(&self.cancelled));
        let mut all = Vec::new();
        let mut show = |progress: &Progress| all.push(progress.clone());
        let result = run(&mut *machine.work(&self.place, &mut show).unwrap());
        (result, all)
    }

    pub(crate) fn unpack(&self, wanted: &[Wanted]) -> Result<Vec<Summary>> {
        self.work(|work| self.fetcher.unpack_all(wanted, work, &Limits::default()))
    }

    /// Unpacks one archive that holds one file of this name as [`archive`] makes it.
    #[track_caller]
    pub(crate) fn gets(&self, wanted: &Wanted, name: &str, size: usize) {
        let summaries = self.unpack(std::slice::from_ref(wanted)).unwrap_or_else(|e| panic!("{e:#?}"));
        assert_eq!(summaries.len(), 1);
        assert!(self.unpacked(name) == noise(name, size), "{name} is not what was sent");
        assert_eq!(self.cached("partial"), Vec::<String>::new());
    }

    #[track_caller]
    pub(crate) fn fails(&self, wanted: &Wanted, words: &[&str]) -> Error {
        let error = self.unpack(std::slice::from_ref(wanted)).unwrap_err();
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        error
    }

    /// The content of a file that was unpacked.
    #[track_caller]
    pub(crate) fn unpacked(&self, name: &str) -> Vec<u8> {
        fs::read(self.place.staging.join(name)).unwrap()
    }

    /// How many entries there are in the staging directory.
    pub(crate) fn entries(&self) -> usize {
        fs::read_dir(&self.place.staging).unwrap().count()
    }

    /// Names in a directory of the cache.
    pub(crate) fn cached(&self, directory: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.place.cache.join(directory)) else { return vec![] };
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn in_cache(&self, path: &str) -> PathBuf {
        self.place.cache.join(path).into()
    }
}
