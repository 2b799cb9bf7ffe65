//! What every userland has beside its programs: directories that anybody expects, the superuser, names that mean
//! this machine. It knows nothing of the host.

use qchroot_api::Brand;
use qchroot_api::camino::Utf8Path;

/// Directories with their modes, parents first.
pub(crate) const DIRECTORIES: &[(&str, u32)] = &[
    ("etc", 0o755),
    ("root", 0o700),
    ("run", 0o755),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("var", 0o755),
    ("var/run", 0o755),
    ("var/tmp", 0o1777),
];

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "csh", "tcsh", "fish"];

/// The shell of the superuser: the first program that is one.
pub(crate) fn shell(programs: &[String]) -> String {
    let is_shell = |path: &&Utf8Path| path.file_name().is_some_and(|name| SHELLS.contains(&name));
    match programs.iter().map(|program| Utf8Path::new(program.as_str())).find(is_shell) {
        Some(path) if path.is_absolute() => path.to_string(),
        Some(name) => format!("/bin/{name}"),
        None => "/bin/sh".into(),
    }
}

/// The table that pwd_mkdb(8) makes the database from in which FreeBSD's programs look up users.
pub(crate) const MASTER: &str = "etc/master.passwd";

/// Its content: passwd(5).
pub(crate) fn master(shell: &str) -> String {
    format!(
        "root:*:0:0::0:0:root:/root:{shell}\nnobody:*:65534:65534::0:0:nobody:/nonexistent:/usr/sbin/nologin\n"
    )
}

/// Files with their content. No account can be logged in to by a password.
pub(crate) fn files(brand: Brand, shell: &str) -> Vec<(&'static str, String)> {
    let (superusers, nobodies, nologin) = match brand {
        Brand::Linux | Brand::Kfreebsd => ("root", "nogroup", "/usr/sbin/nologin"),
        Brand::Freebsd => ("wheel", "nobody", "/usr/sbin/nologin"),
    };
    vec![
        (
            "etc/passwd",
            format!("root:*:0:0:root:/root:{shell}\nnobody:*:65534:65534:nobody:/nonexistent:{nologin}\n"),
        ),
        ("etc/group", format!("{superusers}:*:0:\n{nobodies}:*:65534:\n")),
        ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n".into()),
        ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n".into()),
    ]
}
