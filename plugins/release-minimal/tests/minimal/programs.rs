//! Programs taken and used through chroot(8).

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use qchroot_api::{ErrorKind, toml};

use crate::support::{Lab, compile, fill, inside, paths, resolve, run};

#[test]
fn a_program_comes_with_its_libraries_and_nothing_else() {
    let release = resolve(toml::toml! { programs = ["ls"] }).unwrap();
    assert!(release.version.ends_with("-minimal-ls"), "{}", release.version);
    let lab = Lab::new();
    fill(&release, &lab.root).unwrap();
    assert!(inside(&lab.root, &["/bin/ls", "/"]).contains("usr\n"));

    let files: Vec<String> = paths(&lab.root).into_iter().filter(|path| lab.is_file(path)).collect();
    let expected = [
        "etc/group",
        "etc/hosts",
        "etc/nsswitch.conf",
        "etc/passwd",
        "usr/bin/ls",
        "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
        "usr/lib/x86_64-linux-gnu/libc.so.6",
        "usr/lib/x86_64-linux-gnu/libselinux.so.1",
    ];
    let (pcre, rest): (Vec<_>, Vec<_>) = files.iter().partition(|path| path.contains("libpcre2-8.so"));
    assert_eq!(rest, expected);
    assert_eq!(pcre.len(), 1, "{pcre:?}");
    assert_eq!(fs::read_link(lab.root.join("lib64")).unwrap(), Path::new("usr/lib64"));
}

#[test]
fn the_skeleton_is_what_an_administrator_expects() {
    let lab = Lab::new();
    fill(&resolve(toml::toml! { programs = ["bash", "id"] }).unwrap(), &lab.root).unwrap();
    let mode = |path: &str| fs::metadata(lab.root.join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(["", "tmp", "var/tmp", "root", "etc"].map(mode), [0o755, 0o1777, 0o1777, 0o700, 0o755]);
    assert_eq!(inside(&lab.root, &["id"]), "uid=0(root) gid=0(root) groups=0(root)\n");
    let passwd = fs::read_to_string(lab.root.join("etc/passwd")).unwrap();
    assert_eq!(passwd.lines().count(), 2, "{passwd}");
    assert!(passwd.starts_with("root:*:0:0:root:/root:/bin/bash\n"), "{passwd}");
    assert_eq!(inside(&lab.root, &["bash", "-c", "echo ~nobody $BASH_VERSINFO"]).trim_end(), {
        let bash = run("bash", &["-c", "echo $BASH_VERSINFO"]);
        format!("/nonexistent {}", bash.trim_end())
    });
}

#[test]
fn a_static_program_needs_nothing() {
    let lab = Lab::new();
    fill(&resolve(toml::toml! { programs = ["/bin/busybox"] }).unwrap(), &lab.root).unwrap();
    assert_eq!(inside(&lab.root, &["/bin/busybox", "echo", "hi"]), "hi\n");
    assert!(!paths(&lab.root).iter().any(|path| path.contains(".so")));
}

#[test]
fn a_script_brings_its_interpreters() {
    let lab = Lab::new();
    let script = lab.host.join("greet");
    lab.script("greet", "#!/usr/bin/env -S bash\necho hello from $0; pwd\n");
    fill(&resolve(toml::Table::from_iter([list("programs", &[&script])])).unwrap(), &lab.root).unwrap();
    let path = script.to_str().unwrap();
    assert_eq!(inside(&lab.root, &[path]), format!("hello from {path}\n/\n"));
    assert!(lab.is_file("usr/bin/env") && lab.is_file("usr/bin/bash"));
}

#[test]
fn python_runs_with_its_library_listed() {
    let lab = Lab::new();
    let script = lab.host.join("sum.py");
    lab.script("sum.py", "#!/usr/bin/env python3\nimport ctypes, json\nprint(json.dumps(sum(range(5))))\n");
    let library =
        run("python3", &["-c", "import json, os; print(os.path.dirname(os.path.dirname(json.__file__)))"]);
    let options = toml::Table::from_iter([
        list("programs", &[&script]),
        list("files", &[Path::new(library.trim_end())]),
    ]);
    fill(&resolve(options).unwrap(), &lab.root).unwrap();
    assert_eq!(inside(&lab.root, &[script.to_str().unwrap()]), "10\n");
    let brought = paths(&lab.root).iter().filter(|path| path.contains("libffi.so")).count();
    assert!(brought >= 1, "the library of a module that is opened at run time comes along");
}

#[test]
fn libraries_are_found_as_their_loader_does() {
    let lab = Lab::new();
    let app = lab.host.join("app");
    for dir in ["bin", "lib", "lib/deep", "wrong"] {
        fs::create_dir_all(app.join(dir)).unwrap();
    }
    let lib = |path: &str| app.join(path);
    compile("int deep(void) { return 20; }", &lib("lib/deep/libdeep.so"), &["-shared"]);
    let deep = format!("-L{} -ldeep -Wl,-rpath,$ORIGIN/deep", lib("lib/deep").display());
    compile(
        "int deep(void); int near(void) { return deep() + 1; }",
        &lib("lib/libnear.so"),
        &[&["-shared"][..], &words(&deep)].concat(),
    );
    // The loader passes over a library for another kind of machine.
    compile("int near(void) { return 0; }", &lib("wrong/libnear.so"), &["-shared", "-m32", "-nostdlib"]);
    let near = format!("-L{0}/lib -lnear -Wl,-rpath,{0}/wrong:$ORIGIN/../$LIB:$ORIGIN/../lib", app.display());
    let near = [&words(&near)[..], &["-Wl,--allow-shlib-undefined"]].concat();
    compile(
        "#include <stdio.h>\nint near(void); int main(void) { printf(\"%d\\n\", 2 * near()); }",
        &lib("bin/answer"),
        &near,
    );
    std::os::unix::fs::symlink("app/bin/answer", lab.host.join("answer")).unwrap();

    let program = lab.host.join("answer");
    fill(&resolve(toml::Table::from_iter([list("programs", &[&program])])).unwrap(), &lab.root).unwrap();
    assert_eq!(inside(&lab.root, &[program.to_str().unwrap()]), "42\n");
    assert!(!paths(&lab.root).iter().any(|path| path.contains("wrong/libnear")));

    fs::remove_file(lib("lib/deep/libdeep.so")).unwrap();
    let error = resolve(toml::Table::from_iter([list("programs", &[&program])])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let said = format!("{error} {:?}", error.causes());
    for part in ["libdeep.so", "lib/libnear.so needs it", "lib/deep", "/usr/lib/x86_64-linux-gnu", "64 bits"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_program_of_musl_has_its_own_loader() {
    let lab = Lab::new();
    let program = lab.host.join("hello");
    let source = lab.host.join("hello.c");
    fs::write(&source, "#include <stdio.h>\nint main(void) { puts(\"musl\"); }\n").unwrap();
    run("musl-gcc", &["-o", program.to_str().unwrap(), source.to_str().unwrap()]);
    fill(&resolve(toml::Table::from_iter([list("programs", &[&program])])).unwrap(), &lab.root).unwrap();
    assert_eq!(inside(&lab.root, &[program.to_str().unwrap()]), "musl\n");
    assert!(!paths(&lab.root).iter().any(|path| path.contains("libc.so.6")));
}

#[test]
fn hard_links_are_made_where_nothing_can_write_only() {
    let lab = Lab::beside("/usr/bin/ls");
    let options = toml::toml! { programs = ["ls"] files = ["/etc/debian_version"] mode = "link" };
    fill(&resolve(options).unwrap(), &lab.root).unwrap();
    let same = |path: &str| {
        let (there, here) =
            (fs::metadata(Path::new("/").join(path)).unwrap(), fs::metadata(lab.root.join(path)).unwrap());
        (there.dev(), there.ino()) == (here.dev(), here.ino())
    };
    assert!(same("usr/bin/ls") && same("usr/lib/x86_64-linux-gnu/libc.so.6"));
    assert!(!same("etc/debian_version"));
    assert_eq!(inside(&lab.root, &["ls", "/etc/debian_version"]), "/etc/debian_version\n");
}

#[test]
fn mounts_leave_only_the_places() {
    let release = resolve(toml::toml! { programs = ["ls"] files = ["/etc/apt"] mode = "mount" }).unwrap();
    assert_eq!(release.host_dirs, ["etc/apt", "usr/bin", "usr/lib"]);
    let lab = Lab::new();
    fill(&release, &lab.root).unwrap();
    for dir in &release.host_dirs {
        assert_eq!(fs::read_dir(lab.root.join(dir)).unwrap().count(), 0, "{dir}");
    }
    assert_eq!(fs::read_link(lab.root.join("bin")).unwrap(), Path::new("usr/bin"));
    assert!(fs::read_link(lab.root.join("lib64/ld-linux-x86-64.so.2")).is_ok());
}

fn list(key: &str, paths: &[&Path]) -> (String, toml::Value) {
    (key.into(), paths.iter().map(|path| path.to_str().unwrap()).collect::<Vec<_>>().into())
}

fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}
