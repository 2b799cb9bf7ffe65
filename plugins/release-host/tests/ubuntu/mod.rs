//! A small Ubuntu in memory: three packages, with dpkg's database of them.

use md5::{Digest, Md5};
use qchroot_testkit::FakeHost;

/// Paths with their content.
type Files = &'static [(&'static str, &'static str)];

/// Names, fields of the stanza, files.
const PACKAGES: &[(&str, &str, Files)] = &[
    (
        "base-files",
        "Essential: yes\nVersion: 13ubuntu10\nDepends: libc6 (>= 2.39)\n",
        &[("/etc/dpkg/origins/debian", "Vendor: Debian\n"), ("/etc/dpkg/origins/ubuntu", "Vendor: Ubuntu\n")],
    ),
    ("dash", "Essential: yes\nVersion: 0.5.12-6ubuntu5\nDepends: libc6\n", &[("/bin/sh", "dash\n")]),
    ("libc6", "Version: 2.39-0ubuntu8\nMulti-Arch: same\n", &[("/lib/x86_64-linux-gnu/libc.so.6", "libc\n")]),
    ("vim", "Version: 2:9.1\nDepends: libc6\n", &[("/usr/bin/vim", "vim\n")]),
];

/// Puts it on the machine, with `/bin` and `/lib` as links into `/usr`.
pub(crate) fn plant(host: &FakeHost) {
    for dir in ["bin", "lib"] {
        host.plant_dir(format!("/usr/{dir}"), 0o755);
        host.plant_link(format!("/{dir}"), &format!("usr/{dir}"));
    }
    let mut status = String::new();
    for (name, fields, files) in PACKAGES {
        status += &format!("Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n{fields}\n");
        let stem =
            if fields.contains("Multi-Arch: same") { format!("{name}:amd64") } else { (*name).to_owned() };
        let info = |kind: &str, text: &str| {
            host.plant_file(format!("/var/lib/dpkg/info/{stem}.{kind}"), text, 0o644);
        };
        let (mut list, mut sums) = (String::from("/.\n"), String::new());
        for (path, content) in *files {
            // dpkg spells paths as the packages do.
            let merged = ["/bin/", "/lib/"].iter().any(|dir| path.starts_with(dir));
            let real = if merged { format!("/usr{path}") } else { (*path).to_owned() };
            host.plant_file(real, content, 0o755);
            list += &format!("{path}\n");
            let sum: String = Md5::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
            sums += &format!("{sum}  {}\n", &path[1..]);
        }
        info("list", &list);
        info("md5sums", &sums);
    }
    host.plant_file("/var/lib/dpkg/status", &status, 0o644);
    host.plant_dir("/var/lib/dpkg/triggers", 0o755);
    for (path, text) in [
        ("/usr/share/base-passwd/passwd.master", "root::0:0:root:/root:/bin/bash\n"),
        ("/usr/share/base-passwd/group.master", "root::0:\nshadow:*:42:\n"),
        (
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nubuntu:x:1000:1000:Ubuntu:/home/ubuntu:/bin/bash\n",
        ),
        ("/etc/group", "root:x:0:\nubuntu:x:1000:\n"),
    ] {
        host.plant_file(path, text, 0o644);
    }
}
