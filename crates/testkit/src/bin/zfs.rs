//! A stand-in for zfs(8), and for mount.zfs(8) under that name, on a machine whose kernel has no ZFS.
//!
//! It keeps pools in the directory that the file `zfs.state` beside it names. What a data set holds is a directory
//! there, mounted as the upper layer of an overlay whose source is the data set's name; a snapshot or clone is a copy.
//! Limits are told and reckoned with, but a directory cannot be kept to one.

#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "it stands in for a program of the host's, and runs mount(8)")]

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use qchroot_testkit::zfs::{Known, Pools, Store};

fn main() -> ExitCode {
    match run() {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            let _ = writeln!(io::stderr(), "stand-in for zfs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<u8> {
    let mut args = std::env::args();
    let is_mount = args.next().is_some_and(|name| name.ends_with("mount.zfs"));
    let args: Vec<String> = args.collect();
    let state = std::env::current_exe()?.with_file_name("zfs.state");
    let mut store = Directories(PathBuf::from(fs::read_to_string(state)?.trim()));
    let lock = File::create(store.0.join("lock"))?;
    lock.lock()?;
    if is_mount { mount(&args, &store) } else { zfs(&args, &mut store) }
}

fn zfs(args: &[String], store: &mut Directories) -> io::Result<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?.as_secs();
    let mut pools = store.load()?;
    let output = match args {
        // What zpool(8) does on a real machine.
        [verb, name, size] if verb == "stand-in-pool" => {
            let size = size.parse().map_err(io::Error::other)?;
            return pools
                .add_pool(name, size, store)
                .map_err(io::Error::other)
                .and_then(|()| store.save(&pools))
                .map(|()| 0);
        }
        args => pools.run(args, now, store),
    };
    store.save(&pools)?;
    io::stdout().write_all(output.stdout.as_bytes())?;
    io::stderr().write_all(output.stderr.as_bytes())?;
    Ok(u8::try_from(output.status).unwrap_or(u8::MAX))
}

/// `mount.zfs DATASET DIRECTORY [-sfnv] [-o OPTIONS]`, as mount(8) calls it.
fn mount(args: &[String], store: &Directories) -> io::Result<u8> {
    let [dataset, at, rest @ ..] = args else { return Err(io::Error::other("usage: mount.zfs DATASET DIR")) };
    let options = rest.iter().position(|word| word == "-o").and_then(|flag| rest.get(flag + 1));
    let done = store
        .load()?
        .legacy(dataset)
        .and_then(|content| store.mount_with(dataset, content, at, options.map_or("rw", String::as_str)));
    Ok(match done {
        Ok(()) => 0,
        Err(words) => {
            writeln!(io::stderr(), "{words}")?;
            1
        }
    })
}

/// Pools and contents as files of a directory.
struct Directories(PathBuf);

impl Directories {
    fn load(&self) -> io::Result<Pools> {
        match fs::read(self.0.join("pools.json")) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Pools::default()),
            Err(error) => Err(error),
        }
    }

    /// A run that dies meanwhile leaves the old state or the new one.
    fn save(&self, pools: &Pools) -> io::Result<()> {
        let new = self.0.join("pools.new");
        fs::write(&new, serde_json::to_vec_pretty(pools)?)?;
        fs::rename(new, self.0.join("pools.json"))
    }

    fn content(&self, content: u32) -> PathBuf {
        self.0.join(format!("content/{content}"))
    }

    fn files(&self, content: u32) -> PathBuf {
        self.content(content).join("files")
    }

    fn mount_with(&self, dataset: &str, content: u32, at: &str, options: &str) -> Result<(), String> {
        let (empty, files, work) =
            (self.0.join("empty"), self.files(content), self.content(content).join("work"));
        let layers = format!(
            "{options},lowerdir={},upperdir={},workdir={}",
            empty.display(),
            files.display(),
            work.display()
        );
        fs::create_dir_all(&empty).and_then(|()| fs::create_dir_all(at)).map_err(words)?;
        does(Command::new("mount").args(["-t", "overlay", "-o", &layers, dataset, at]))
    }
}

impl Known for Directories {
    fn bytes(&self, content: u32) -> u64 {
        length(&self.files(content)).unwrap_or(0)
    }

    fn mounted_on(&self, dataset: &str) -> Vec<String> {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let at = |line: &str| {
            let (mount, fs) = line.split_once(" - ")?;
            let source = fs.split(' ').nth(1)?;
            (source == dataset).then(|| mount.split(' ').nth(4).map(str::to_owned))?
        };
        table.lines().filter_map(at).collect()
    }

    /// By names, kinds and bytes of files.
    fn is_same(&self, one: u32, other: u32) -> bool {
        let mut diff = Command::new("diff");
        diff.args(["-rq", "--no-dereference"]).arg(self.files(one)).arg(self.files(other));
        diff.output().is_ok_and(|output| output.status.success())
    }
}

impl Store for Directories {
    fn make(&mut self, content: u32) -> Result<(), String> {
        // What a run left there that died before it wrote its state.
        self.remove(content)?;
        let made = ["files", "work"].map(|name| fs::create_dir_all(self.content(content).join(name)));
        made.into_iter().collect::<io::Result<()>>().map_err(words)
    }

    fn copy(&mut self, from: u32, to: u32) -> Result<(), String> {
        self.make(to)?;
        does(Command::new("cp").arg("-aT").arg(self.files(from)).arg(self.files(to)))
    }

    fn remove(&mut self, content: u32) -> Result<(), String> {
        match fs::remove_dir_all(self.content(content)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(words(error)),
            _ => Ok(()),
        }
    }

    fn limit(&mut self, _content: u32, _bytes: u64) {}

    fn mount(&mut self, dataset: &str, content: u32, at: &str) -> Result<(), String> {
        self.mount_with(dataset, content, at, "rw")
    }

    fn unmount(&mut self, at: &str) -> Result<(), String> {
        does(Command::new("umount").arg(at))
    }
}

/// Bytes of all files below a directory.
fn length(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let meta = entry.as_ref().map_err(|error| io::Error::other(error.to_string()))?.metadata()?;
        bytes += if meta.is_dir() { length(&entry?.path())? } else { meta.len() };
    }
    Ok(bytes)
}

fn words(error: io::Error) -> String {
    error.to_string()
}

fn does(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(words)?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}
