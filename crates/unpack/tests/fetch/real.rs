//! Servers as the world runs them: busybox(1) for HTTP, Python's pyftpdlib for FTP, Python's ssl(3) for HTTPS.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{World, archive, sha256, unchecked, wanted};

const SIZE: usize = 3_000_000;

/// A server in a process of its own, and the directory that it serves.
struct Real {
    process: Child,
    dir: tempfile::TempDir,
    port: u16,
}

impl Real {
    /// Starts `argv`, in which `PORT` and `DIR` stand for what they say.
    fn start(argv: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.tar"), archive("file", SIZE)).unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let fill =
            |arg: &&str| arg.replace("PORT", &port.to_string()).replace("DIR", dir.path().to_str().unwrap());
        let argv: Vec<String> = argv.iter().map(fill).collect();
        #[expect(clippy::disallowed_methods, reason = "the server is to be a real one")]
        let mut command = std::process::Command::new(&argv[0]);
        command.args(&argv[1..]).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", argv[0]));
        let real = Self { process, dir, port };
        real.wait();
        real
    }

    fn wait(&self) {
        let (address, deadline) =
            (SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)), Duration::from_secs(30));
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < deadline, "nobody answers at {address}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}/a.tar", self.port)
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Fetches, and fetches the second half.
#[track_caller]
fn serves(real: &Real, scheme: &str) {
    let bytes = fs::read(real.dir.path().join("a.tar")).unwrap();
    World::new().gets(&unchecked(&[real.url(scheme)]), "file", SIZE);
    let world = World::new();
    let half = world.in_cache(&format!("partial/{}", sha256(&bytes)));
    fs::create_dir_all(half.parent().unwrap()).unwrap();
    fs::write(half, &bytes[..SIZE / 2]).unwrap();
    world.gets(&wanted(&bytes, &[real.url(scheme)]), "file", SIZE);
    let missing = real.url(scheme).replace("a.tar", "b.tar");
    let error = world.fails(&unchecked(&[missing]), &["cannot fetch"]);
    assert_eq!(error.kind(), qchroot_api::ErrorKind::NotFound, "{error}");
}

#[test]
fn busybox_serves_http() {
    serves(&Real::start(&["busybox", "httpd", "-f", "-p", "127.0.0.1:PORT", "-h", "DIR"]), "http");
}

#[test]
fn python_serves_http() {
    serves(
        &Real::start(&["/usr/bin/python3", "-m", "http.server", "-b", "127.0.0.1", "-d", "DIR", "PORT"]),
        "http",
    );
}

#[test]
fn pyftpdlib_serves_ftp() {
    serves(
        &Real::start(&["/usr/bin/python3", "-m", "pyftpdlib", "-i", "127.0.0.1", "-p", "PORT", "-d", "DIR"]),
        "ftp",
    );
}

/// Says its port when it is ready.
const HTTPS: &str = r#"
import http.server, os, ssl, sys
os.chdir(sys.argv[1])
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/down":
            return super().do_GET()
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1/a.tar")
        self.end_headers()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.pem", "server.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

fn openssl(dir: &Path, args: &[&str]) {
    #[expect(clippy::disallowed_methods, reason = "the certificates are to be made by the real program")]
    let mut command = std::process::Command::new("openssl");
    let output = command.args(args).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// `ca.pem`, and `server.pem` for 127.0.0.1 that it signed.
fn certificates(dir: &Path) {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
    let ca = ["req", "-x509", "-subj", "/CN=qchroot test", "-keyout", "ca.key", "-out", "ca.pem"];
    openssl(dir, &[&ca[..], &key].concat());
    let server = ["req", "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr"];
    openssl(dir, &[&server[..], &key[..5]].concat());
    fs::write(dir.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    let sign = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
    openssl(dir, &[&sign[..], &["-days", "30", "-extfile", "names", "-out", "server.pem"]].concat());
}

fn https() -> Real {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.tar"), archive("file", SIZE)).unwrap();
    certificates(dir.path());
    #[expect(clippy::disallowed_methods, reason = "the server is to be a real one")]
    let mut command = std::process::Command::new("/usr/bin/python3");
    command.arg("-c").arg(HTTPS).arg(dir.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = command.spawn().unwrap();
    let mut port = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
    Real { process, dir, port: port.trim().parse().unwrap() }
}

/// The certificates come from the environment, which belongs to a process: this test runs itself with another.
#[test]
fn https_needs_a_certificate_that_is_trusted() {
    if let Ok(url) = std::env::var("QCHROOT_TEST_HTTPS") {
        let world = World::new();
        world.gets(&unchecked(std::slice::from_ref(&url)), "file", SIZE);
        world.fails(
            &unchecked(&[url.replace("a.tar", "down")]),
            &["http://127.0.0.1/a.tar, which is refused"],
        );
        world.fails(&unchecked(&[url.replace("127.0.0.1", "localhost")]), &["certificate"]);
        return;
    }
    let server = https();
    World::new().fails(&unchecked(&[server.url("https")]), &["invalid peer certificate"]);
    #[expect(clippy::disallowed_methods, reason = "only another process has another environment")]
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "real::https_needs_a_certificate_that_is_trusted"]);
    again
        .env("QCHROOT_TEST_HTTPS", server.url("https"))
        .env("SSL_CERT_FILE", server.dir.path().join("ca.pem"));
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
