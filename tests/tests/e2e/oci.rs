//! Container images made by others' programs become bases by a third party's source: a real Debian in layers, from a
//! layout and from a real registry.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qchroot_testkit::server::{Fault, HttpServer};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ran, build};
use crate::world::{World, free_port, until};

/// A layout with the host's own Debian, made by mmdebstrap(1) from the host's own mirrors, and kept for the next run.
fn debian() -> &'static Path {
    static DEBIAN: OnceLock<PathBuf> = OnceLock::new();
    DEBIAN.get_or_init(|| {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian-in-three-layers");
        if !kept.exists() {
            let dir = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
            image(dir.path(), &dir.path().join("layout"));
            fs::rename(dir.path().join("layout"), &kept).unwrap();
        }
        kept
    })
}

/// A layout with the image `12`, made of three layers: Debian; a change; a change of the change.
fn image(dir: &Path, layout: &Path) {
    let (tar, bundle, tagged) =
        (dir.join("debian.tar"), dir.join("bundle"), format!("{}:12", layout.display()));
    let os = fs::read_to_string("/etc/os-release").unwrap();
    let suite = os.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).unwrap();
    let lists = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"];
    let sources = lists.iter().find(|list| Path::new(list).exists()).unwrap();
    tool("mmdebstrap", &["--quiet", "--variant=essential", suite, text(&tar), sources]);
    tool("umoci", &["init", "--layout", text(layout)]);
    tool("umoci", &["new", "--image", &tagged]);
    let root = bundle.join("rootfs");
    layer(&tagged, &bundle, || tool("tar", &["-C", text(&root), "-xpf", text(&tar), "--numeric-owner"]));
    layer(&tagged, &bundle, || {
        fs::remove_dir_all(root.join("usr/share/doc")).unwrap();
        fs::write(root.join("etc/motd"), "the second layer\n").unwrap();
        fs::create_dir_all(root.join("opt/thing/old")).unwrap();
        fs::write(root.join("opt/thing/old/file"), "x").unwrap();
        fs::hard_link(root.join("bin/cat"), root.join("opt/thing/kitten")).unwrap();
    });
    layer(&tagged, &bundle, || {
        fs::remove_file(root.join("etc/motd")).unwrap();
        fs::remove_dir_all(root.join("opt/thing/old")).unwrap();
        fs::write(root.join("opt/thing/old"), "a file now").unwrap();
        fs::create_dir_all(root.join("usr/share/doc/new")).unwrap();
    });
    fs::remove_file(tar).unwrap();
}

fn layer(tagged: &str, bundle: &Path, change: impl FnOnce()) {
    tool("umoci", &["unpack", "--image", tagged, text(bundle)]);
    change();
    tool("umoci", &["repack", "--image", tagged, text(bundle)]);
    fs::remove_dir_all(bundle).unwrap();
}

#[track_caller]
fn tool(program: &str, arguments: &[&str]) {
    Ran::of(Command::new(program).args(arguments).stdin(Stdio::null())).ok();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A system with the plug-in.
fn world() -> World {
    let world = World::new();
    world.put_plugin("example.oci", &build(&["--package=qchroot-example-oci"], "libqchroot_example_oci.so"));
    world
}

fn install(world: &World, options: &[&str]) -> Ran {
    let mut command = world.command(["install", "--source", "example.oci"]);
    for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(variable);
    }
    command.args(options.iter().flat_map(|option| ["-o", option]));
    Ran::of(&mut command)
}

/// The name of the base that was installed.
#[track_caller]
fn base(ran: Ran) -> String {
    ran.ok().split_whitespace().next().unwrap().to_owned()
}

/// A container of the base runs Debian's own programs, and has what the layers left.
#[track_caller]
fn runs_debian(world: &World, base: &str) {
    world.run(["create", "web", "--release", base]).ok();
    world.run(["start", "web"]).ok();
    assert!(world.sh(". /etc/os-release && echo $ID $VERSION_ID").ok().starts_with("debian "));
    assert!(world.sh("dpkg-query -W -f='${Status}' bash").ok().contains("installed"));
    assert_eq!(world.sh("cat /opt/thing/old; ls /usr/share/doc").ok(), "a file nownew\n");
    assert_eq!(world.sh("echo 'by another name' | /opt/thing/kitten").ok(), "by another name\n");
    world.sh("test ! -e /etc/motd && test -u /bin/su && test -k /tmp").ok();
    world.run(["stop", "web"]).ok();
    world.run(["delete", "web"]).ok();
}

/// docker-registry(1) on the loopback address, which ends with this.
struct Registry {
    dir: TempDir,
    child: Child,
    port: u16,
}

impl Registry {
    /// One that wants the password `s3cret` of `me`, if `guarded`.
    fn start(guarded: bool) -> Self {
        let (dir, port) =
            (TempDir::with_prefix_in("qchroot-e2e-registry-", "/var/tmp").unwrap(), free_port());
        let path = |name: &str| dir.path().join(name);
        fs::write(path("users"), "me:$2b$04$412ry3f/pivZ7tjVSTEasupVVe9/MYXxm2Wnsm71Sp8m59JTj4VK.\n")
            .unwrap();
        let auth = format!("auth: {{htpasswd: {{realm: here, path: {}}}}}\n", path("users").display());
        let config = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n{}",
            path("data").display(),
            if guarded { &auth } else { "" }
        );
        fs::write(path("config.yml"), config).unwrap();
        let log = File::create(path("log")).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(path("config.yml")).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        until("the registry listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { dir, child, port }
    }

    fn name(&self, rest: &str) -> String {
        format!("127.0.0.1:{}/acme/debian{rest}", self.port)
    }

    fn auth_file(&self) -> String {
        text(&self.dir.path().join("auth.json")).to_owned()
    }

    /// Brings the image there.
    fn push(&self, arguments: &[&str]) {
        let from = format!("oci:{}:12", debian().display());
        let to = format!("docker://{}", self.name(":12"));
        tool("skopeo", &[&["copy", "--quiet", "--dest-tls-verify=false"], arguments, &[&from, &to]].concat());
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

#[test]
fn a_real_debian_from_a_layout_runs_its_programs() {
    let world = world();
    let layout = format!("image={}:12", debian().display());
    let of_layout = base(install(&world, &[&layout]));
    assert!(of_layout.starts_with("debian-in-three-layers-12-"), "{of_layout}");
    runs_debian(&world, &of_layout);
    let archive = world.dir().join("debian-in-three-layers.tar");
    tool(
        "skopeo",
        &[
            "copy",
            "--quiet",
            &format!("oci:{}:12", debian().display()),
            &format!("oci-archive:{}:12", archive.display()),
        ],
    );
    let of_archive = base(install(&world, &[&format!("image={}:12", archive.display())]));
    assert_eq!(of_archive, of_layout, "the same digest is the same base");
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn a_real_debian_from_a_real_registry_runs_its_programs() {
    let (world, registry) = (world(), Registry::start(false));
    registry.push(&[]);
    let first = base(install(&world, &[&format!("image={}", registry.name(":12"))]));
    assert!(first.starts_with("debian-12-"), "{first}");
    runs_debian(&world, &first);
    registry.push(&["--format=v2s2"]);
    let moved = base(install(&world, &[&format!("image={}", registry.name(":12"))]));
    assert!(moved != first, "the tag names another manifest now");
    let said = install(&world, &[&format!("image={}", registry.name(":13"))])
        .fails(66, &["acme/debian:13", "MANIFEST_UNKNOWN"]);
    assert!(said.contains("list-tags"), "{said}");
    world.assert_quiet();
    world.assert_sound();
}

#[test]
fn a_registry_that_wants_a_password_gets_the_one_that_skopeo_keeps() {
    let (world, registry) = (world(), Registry::start(true));
    let (place, file) = (format!("127.0.0.1:{}", registry.port), registry.auth_file());
    tool("skopeo", &["login", "--tls-verify=false", "--authfile", &file, "-u", "me", "-p", "s3cret", &place]);
    registry.push(&["--authfile", &file]);
    let image = format!("image={}", registry.name(":12"));
    install(&world, &[&image]).fails(77, &["UNAUTHORIZED", "auth_file"]);
    let first = base(install(&world, &[&image, &format!("auth_file={file}")]));
    runs_debian(&world, &first);
    let known: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let secret = known["auths"][&place]["auth"].as_str().unwrap();
    let found =
        Command::new("grep").args(["-rlF", "-e", secret, "-e", "s3cret"]).arg(&world.root).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "", "the password is kept nowhere");
}

#[test]
fn a_registry_that_breaks_off_is_asked_for_the_rest() {
    let (world, server) = (world(), HttpServer::start());
    let index: Value = serde_json::from_slice(&fs::read(debian().join("index.json")).unwrap()).unwrap();
    let manifest = index["manifests"][0]["digest"].as_str().unwrap();
    let blobs = debian().join("blobs/sha256");
    let read = |digest: &str| fs::read(blobs.join(digest.trim_start_matches("sha256:"))).unwrap();
    let described: Value = serde_json::from_slice(&read(manifest)).unwrap();
    for name in ["12", manifest] {
        server.put(&format!("/v2/debian/manifests/{name}"), read(manifest));
    }
    let layers = described["layers"].as_array().unwrap().iter().chain([&described["config"]]);
    layers
        .map(|one| one["digest"].as_str().unwrap())
        .for_each(|digest| server.put(&format!("/v2/debian/blobs/{digest}"), read(digest)));
    let first = format!("/v2/debian/blobs/{}", described["layers"][0]["digest"].as_str().unwrap());
    server.fault_once(&first, Fault::CloseAfter(5_000_000));
    let image = format!("image={}/debian:12", server.url("").trim_start_matches("http://"));
    let base = base(install(&world, &[&image]));
    assert_eq!(server.offsets(&first), [0, 5_000_000]);
    runs_debian(&world, &base);
}
