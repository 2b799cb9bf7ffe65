//! A host with pkg(8), the keys of FreeBSD 15, and a repository in a directory.

use std::sync::{Arc, Mutex};

use qchroot_api::{Output, ReleaseWish, toml};
use qchroot_testkit::FakeHost;

/// Where the repository is.
pub(crate) const REPOSITORY: &str = "/srv/base";

/// What the host's pkg(8) was asked for beside whether it is there.
pub(crate) type Asked = Arc<Mutex<Vec<Vec<String>>>>;

/// Plants all of it. What is installed is a shell.
pub(crate) fn plant(host: &FakeHost) -> Asked {
    host.plant_file(format!("{REPOSITORY}/data.pkg"), "the list of packages", 0o644);
    host.plant_file("/usr/share/keys/pkgbase-15/trusted/awskms-15", "fingerprint", 0o644);
    host.plant_dir("/usr/share/keys/pkgbase-15/revoked", 0o755);
    let asked: Asked = Arc::default();
    let (heard, machine) = (Arc::clone(&asked), host.clone());
    host.on_run("pkg", move |argv| {
        if argv[1..] == ["-N"] {
            return said(0, "");
        }
        heard.lock().unwrap().push(argv.to_vec());
        if argv.contains(&"install".to_owned()) {
            machine.plant_file(format!("{}/bin/sh", argv[2]), "sh", 0o555);
        }
        said(0, "")
    });
    asked
}

/// What a program leaves behind.
pub(crate) fn said(status: i32, stderr: &str) -> Output {
    Output { status, stdout: String::new(), stderr: stderr.into() }
}

/// A wish for the repository's packages.
pub(crate) fn wish() -> ReleaseWish {
    let options = toml::toml! { url = "file:///srv/base" abi = "FreeBSD:15:amd64" };
    // What the fake host is may have another major release.
    ReleaseWish { release: Some("15.0-RELEASE".into()), any: true, options }
}
