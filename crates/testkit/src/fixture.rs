//! Ready-made things to test with: a small userland of either brand, a release source that delivers it, a
//! base and a container on a fake host.

use std::collections::BTreeMap;
use std::io::empty;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Backend, Base, Brand, Capability, Container, Error, ErrorKind, Info, Kind, Limits, Node, NodeKind,
    Observe, OptionKind, OptionSpec, Options, Platform, Progress, Release, ReleaseSource, ReleaseWish,
    Result, SharedStorage, Work,
};

use crate::FakeHost;

/// One entry of the small userland.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Small {
    /// A directory with this mode.
    Dir(u32),
    /// A file with this text and mode.
    File(&'static str, u32),
    /// A symbolic link to this target.
    Link(&'static str),
}

use Small::{Dir, File, Link};

const SCRIPT: &str = "#!/bin/sh\necho \"$1\"\n";
const PASSWD: &str = "root:*:0:0:root:/root:/bin/sh\nwww:*:80:80:web:/nonexistent:/usr/sbin/nologin\n";
const GROUP: &str = "root:*:0:\nwww:*:80:\n";

/// A Linux userland with merged `/usr`.
const LINUX: &[(&str, Small)] = &[
    ("bin", Link("usr/bin")),
    ("dev", Dir(0o755)),
    ("etc", Dir(0o755)),
    ("etc/group", File(GROUP, 0o644)),
    ("etc/init.d", Dir(0o755)),
    ("etc/init.d/nginx", File(SCRIPT, 0o755)),
    ("etc/passwd", File(PASSWD, 0o644)),
    ("home", Dir(0o755)),
    ("lib", Link("usr/lib")),
    ("proc", Dir(0o555)),
    ("root", Dir(0o700)),
    ("run", Dir(0o755)),
    ("sbin", Link("usr/sbin")),
    ("tmp", Dir(0o1777)),
    ("usr", Dir(0o755)),
    ("usr/bin", Dir(0o755)),
    ("usr/bin/false", File("false", 0o755)),
    ("usr/bin/sh", File("sh", 0o755)),
    ("usr/bin/su", File("su", 0o4755)),
    ("usr/bin/true", File("true", 0o755)),
    ("usr/lib", Dir(0o755)),
    ("usr/lib/libc.so", File("libc", 0o644)),
    ("usr/local", Dir(0o755)),
    ("usr/sbin", Dir(0o755)),
    ("usr/sbin/nginx", File("nginx", 0o755)),
    ("var", Dir(0o755)),
    ("var/log", Dir(0o755)),
    ("var/run", Link("/run")),
];

/// A FreeBSD userland.
const FREEBSD: &[(&str, Small)] = &[
    ("bin", Dir(0o755)),
    ("bin/sh", File("sh", 0o755)),
    ("dev", Dir(0o755)),
    ("etc", Dir(0o755)),
    ("etc/group", File(GROUP, 0o644)),
    ("etc/master.passwd", File(PASSWD, 0o600)),
    ("etc/rc.d", Dir(0o755)),
    ("etc/rc.d/cron", File(SCRIPT, 0o755)),
    ("lib", Dir(0o755)),
    ("lib/libc.so.7", File("libc", 0o444)),
    ("libexec", Dir(0o755)),
    ("libexec/ld-elf.so.1", File("ld-elf", 0o555)),
    ("proc", Dir(0o555)),
    ("root", Dir(0o755)),
    ("sbin", Dir(0o755)),
    ("tmp", Dir(0o1777)),
    ("usr", Dir(0o755)),
    ("usr/bin", Dir(0o755)),
    ("usr/bin/false", File("false", 0o755)),
    ("usr/bin/true", File("true", 0o755)),
    ("usr/local", Dir(0o755)),
    ("usr/local/etc", Dir(0o755)),
    ("usr/local/etc/rc.d", Dir(0o755)),
    ("usr/local/etc/rc.d/nginx", File(SCRIPT, 0o755)),
    ("usr/sbin", Dir(0o755)),
    ("usr/sbin/cron", File("cron", 0o755)),
    ("var", Dir(0o755)),
    ("var/log", Dir(0o755)),
    ("var/run", Dir(0o755)),
];

/// The small userland of a brand, by path, parents first.
#[must_use]
pub fn userland(brand: Brand) -> &'static [(&'static str, Small)] {
    match brand {
        Brand::Linux | Brand::Kfreebsd => LINUX,
        Brand::Freebsd => FREEBSD,
    }
}

/// What a base of this brand shares.
#[must_use]
pub fn shared(brand: Brand) -> &'static [&'static str] {
    match brand {
        Brand::Linux | Brand::Kfreebsd => &["usr/bin", "usr/lib", "usr/sbin"],
        Brand::Freebsd => &["bin", "lib", "libexec", "sbin", "usr/bin", "usr/sbin"],
    }
}

/// The brand that is native to a kernel.
#[must_use]
pub fn native(platform: Platform) -> Brand {
    match platform {
        Platform::Linux => Brand::Linux,
        Platform::Freebsd => Brand::Freebsd,
    }
}

/// Plants an installed base of this brand below `releases`.
pub fn plant_base(host: &FakeHost, releases: impl AsRef<Utf8Path>, brand: Brand) -> Base {
    let id = "small-1-0123456789ab";
    let dir = releases.as_ref().join(id);
    let (sharedfs, template) = (dir.join("sharedfs"), dir.join("template"));
    for &(path, small) in userland(brand) {
        let is_shared = shared(brand).iter().any(|dir| Utf8Path::new(path).starts_with(dir));
        let at = if is_shared { sharedfs.join(path) } else { template.join(path) };
        plant(host, &at, small);
    }
    for path in ["usr/src", "usr/ports"] {
        host.plant_dir(sharedfs.join(path), 0o755);
    }
    let shared = shared(brand).iter().chain(&["usr/src", "usr/ports"]).map(Utf8PathBuf::from).collect();
    Base {
        id: id.parse().expect("the id is well-formed"),
        sharedfs,
        template,
        brand,
        shared,
        host_dirs: vec![],
    }
}

/// Plants the userland of this brand as one tree, with a directory for homes; what the engine gives the back ends
/// of a container over it.
pub fn plant_tree(host: &FakeHost, tree: impl AsRef<Utf8Path>, brand: Brand) -> Base {
    let tree = tree.as_ref();
    for &(path, small) in userland(brand).iter().chain(&[("home", Dir(0o755))]) {
        plant(host, &tree.join(path), small);
    }
    Base {
        id: "tree".parse().expect("the id is well-formed"),
        sharedfs: tree.into(),
        template: tree.into(),
        brand,
        shared: vec![],
        host_dirs: vec![],
    }
}

fn plant(host: &FakeHost, at: &Utf8Path, small: Small) {
    match small {
        Dir(mode) => host.plant_dir(at, mode),
        File(text, mode) => host.plant_file(at, text, mode),
        Link(to) => host.plant_link(at, to),
    }
}

/// The data set that containers lie below whose storage wants one.
pub const DATASET: &str = "tank/qchroot";

/// Whether a storage keeps containers in a pool of ZFS.
#[must_use]
pub fn needs_pool(storage: &dyn SharedStorage) -> bool {
    storage.info().options.iter().any(|option| option.key == "dataset")
}

/// Plants a pool of 4 GiB with the data set [`DATASET`].
pub fn plant_pool(host: &FakeHost) {
    host.plant_pool("tank", 4 << 30, None);
    let made = host.zfs(&format!("create -o mountpoint=none {DATASET}"));
    assert_eq!(made.status, 0, "{}", made.stderr);
}

/// What a container may take whose storage wants to know, in bytes.
pub const LIMIT: u64 = 64 << 20;

/// The container with the options that its storage cannot do without: the tree of one with a root of its own, the
/// size of one that keeps a container to it.
#[must_use]
pub fn with_required(mut container: Container, storage: &dyn SharedStorage, base: &Base) -> Container {
    let info = storage.info();
    if info.capabilities.contains(&Capability::OwnRoot) {
        container.storage.insert("path".into(), base.template.to_string().into());
    }
    if keeps_its_limit(&info) {
        container.storage.insert("size".into(), format!("{}M", LIMIT >> 20).into());
    }
    if needs_pool(storage) {
        container.storage.insert("dataset".into(), DATASET.into());
    }
    container
}

/// Whether the storage keeps containers to their limits on every host. One that puts layers on the host's own file system
/// can only where that has quotas.
pub(crate) fn keeps_its_limit(info: &Info) -> bool {
    info.capabilities.contains(&Capability::Quota) && !info.capabilities.contains(&Capability::CopyOnWrite)
}

/// A container without options in the directory `dir`.
#[must_use]
pub fn container(name: &str, dir: impl Into<Utf8PathBuf>) -> Container {
    let name = name.parse().expect("the name is well-formed");
    Container {
        name,
        dir: dir.into(),
        log: "/q/log".into(),
        storage: Options::new(),
        isolation: Options::new(),
        limits: Limits::default(),
        own_dev: false,
    }
}

/// A release source that delivers the small userland, as often and as badly as it is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeSource;

impl Backend for FakeSource {
    fn info(&self) -> Info {
        let text = |key, default, summary| OptionSpec::new(key, OptionKind::Text, default, summary);
        Info {
            name: "fake".into(),
            kind: Kind::ReleaseSource,
            programs: vec![],
            summary: "a small userland for tests".into(),
            platforms: vec![Platform::Linux, Platform::Freebsd],
            capabilities: [Capability::Verified].into(),
            options: vec![
                text("version", "1", "version to deliver"),
                text("brand", "the host's", "linux, freebsd or kfreebsd"),
                text("fail", "nowhere", "resolve or fill: where to fail"),
                text("index", "none", "content of fake:index, whose digest is remembered"),
                text("pin", "none", "the digest that fake:index must have"),
                OptionSpec::new("differ", OptionKind::Flag, "false", "add files that tell the version"),
                OptionSpec::new("entries", OptionKind::Number, "0", "this many files in usr/share/many"),
            ],
        }
    }
}

impl ReleaseSource for FakeSource {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        if text(&want.options, "fail") == Some("resolve") {
            return Err(Error::new(ErrorKind::Unavailable, "the fake source was told to fail"));
        }
        let brand = match text(&want.options, "brand") {
            Some("linux") => Brand::Linux,
            Some("freebsd") => Brand::Freebsd,
            Some("kfreebsd") => Brand::Kfreebsd,
            _ => native(host.platform()?),
        };
        let version = text(&want.options, "version").or(want.release.as_deref()).unwrap_or("1");
        Ok(Release {
            version: format!("fake-{version}"),
            brand,
            digest: digest(&format!("{version} {brand} {}", entries(&want.options))),
            pins: BTreeMap::new(),
            remember: text(&want.options, "index")
                .map(|content| ("fake:index".into(), digest(content)))
                .into_iter()
                .collect(),
            host_dirs: vec![],
            options: want.options.clone(),
        })
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        let all = userland(release.brand);
        for (n, &(path, small)) in (0..).zip(all) {
            if n == all.len() / 2 && text(&release.options, "fail") == Some("fill") {
                return Err(Error::new(ErrorKind::BadData, format!("bad entry {path}")));
            }
            write(work, path, small)?;
            work.progress(&Progress { what: "writing".into(), entries: n as u64, ..Progress::default() });
        }
        if release.options.get("differ").and_then(|value| value.as_bool()) == Some(true) {
            write_text(work, "etc/version", &release.version)?;
            write_text(work, &format!("etc/only-{}/file", release.version), &release.version)?;
        }
        for n in 0..entries(&release.options) {
            write(work, &format!("usr/share/many/{n}"), File("", 0o644))?;
        }
        work.tree().finish()
    }
}

fn text<'a>(options: &'a Options, key: &str) -> Option<&'a str> {
    options.get(key).and_then(|value| value.as_str())
}

fn entries(options: &Options) -> i64 {
    options.get("entries").and_then(|value| value.as_integer()).unwrap_or(0)
}

/// Not a digest, but as long as one and another one for another text.
fn digest(text: &str) -> String {
    let hash = |seed: u64| {
        text.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    (1..=4).map(|n| format!("{:016x}", hash(0xcbf2_9ce4_8422_2325 ^ n))).collect()
}

fn write_text(work: &mut dyn Work, path: &str, text: &str) -> Result<()> {
    let kind = NodeKind::File { size: text.len() as u64 };
    let (mtime, xattrs, flags) = ((0, 0), vec![], None);
    let node = Node { path: path.into(), kind, mode: 0o644, uid: 0, gid: 0, mtime, xattrs, flags };
    work.tree().write(&node, &mut text.as_bytes())
}

fn write(work: &mut dyn Work, path: &str, small: Small) -> Result<()> {
    let (kind, mode, content) = match small {
        Dir(mode) => (NodeKind::Directory, mode, ""),
        File(text, mode) => (NodeKind::File { size: text.len() as u64 }, mode, text),
        Link(to) => (NodeKind::Symlink { to: to.into() }, 0o777, ""),
    };
    let node =
        Node { path: path.into(), kind, mode, uid: 0, gid: 0, mtime: (0, 0), xattrs: vec![], flags: None };
    match content {
        "" => work.tree().write(&node, &mut empty()),
        content => work.tree().write(&node, &mut content.as_bytes()),
    }
}
