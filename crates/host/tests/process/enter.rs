//! A program inside has what it was given and nothing else.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qchroot_api::{Credentials, Rules, Way};

use crate::support::{Box, Test, caller, first_line, program, run};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("enter::status", status),
        ("enter::what_cannot_run", what_cannot_run),
        ("enter::environment", environment),
        ("enter::identity", identity),
        ("enter::directory", directory),
        ("enter::descriptors", descriptors),
        ("enter::capabilities_and_signals", capabilities_and_signals),
        ("enter::signals_are_passed_on", signals_are_passed_on),
        ("enter::ends_with_its_caller", ends_with_its_caller),
        ("enter::command", command),
        ("enter::a_directory_as_stdin", a_directory_as_stdin),
    ]
}

fn status() {
    let web = Box::new("status");
    assert_eq!(run(&web.sh("exit 7")), (7, String::new()));
    assert_eq!(run(&web.sh("kill -9 $$")).0, 128 + 9);
    assert_eq!(run(&web.entry(&["true"])).0, 0);
}

fn what_cannot_run() {
    let web = Box::new("cannot");
    fs::write(web.root.join("etc/passwd"), "").unwrap();
    fs::write(web.root.join("bin/orphan"), "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(web.root.join("bin/orphan"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let (code, text) = run(&web.entry(&["nosuch"]));
    assert_eq!((code, text.trim()), (127, "no program nosuch inside"));
    let (code, text) = run(&web.entry(&["/etc/passwd"]));
    assert_eq!((code, text.trim()), (126, "cannot execute /etc/passwd: permission denied"));
    let (code, text) = run(&web.entry(&["orphan"]));
    assert_eq!(code, 126, "{text}");
    assert!(text.contains("interpreter"), "{text}");
}

fn environment() {
    let web = Box::new("environment");
    let mut entry = web.entry(&["env"]);
    entry.env.insert("LANG".into(), "C.UTF-8".into());
    let output = caller(&entry).env("SECRET", "1").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "LANG=C.UTF-8\nPATH=/bin\n");
}

fn identity() {
    let web = Box::new("identity");
    let mut entry = web.sh("id -u; id -g; id -G; umask");
    entry.credentials = Credentials { uid: 1000, gid: 1001, groups: vec![7, 8], user: None };
    assert_eq!(run(&entry), (0, "1000\n1001\n1001 7 8\n0022\n".into()));
    assert_eq!(run(&web.sh("id -G")), (0, "0\n".into()));
}

fn directory() {
    let web = Box::new("directory");
    let mut entry = web.entry(&["pwd"]);
    entry.directory = "/tmp".into();
    assert_eq!(run(&entry).1, "/tmp\n");
    entry.directory = "/no/such".into();
    assert_eq!(run(&entry).1, "/\n");
}

fn descriptors() {
    let web = Box::started("descriptors");
    let secret = fs::File::open("/").unwrap();
    let mut command = caller(&web.entry(&["ls", "/proc/self/fd"]));
    let number = secret.as_raw_fd();
    // SAFETY: dup2 in the child, to a number that nothing there uses.
    unsafe {
        command.pre_exec(move || {
            if nix::libc::dup2(number, 33) == 33 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
        })
    };
    // The last one is the directory that ls reads.
    assert_eq!(String::from_utf8(command.output().unwrap().stdout).unwrap(), "0\n1\n2\n3\n");
}

fn capabilities_and_signals() {
    let web = Box::started("capabilities");
    let (_, text) = run(&web.entry(&["cat", "/proc/self/status"]));
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    for name in ["CapInh:", "CapAmb:", "SigBlk:", "SigCgt:"] {
        assert_eq!(value(name), 0, "{name}");
    }
    let the_c_librarys_own = 3 << 31; // 32 and 33; signal(7)
    assert_eq!(value("SigIgn:") & !the_c_librarys_own, 0);
}

fn signals_are_passed_on() {
    let web = Box::new("signals");
    let script = "trap 'exit 5' USR1; echo ready; while :; do sleep 0.1; done";
    let (mut child, line) = first_line(&mut caller(&web.sh(script)));
    assert_eq!(line, "ready");
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGUSR1).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

fn ends_with_its_caller() {
    let web = Box::started("caller");
    let (mut child, _) = first_line(&mut caller(&web.sh("echo ready; exec sleep 1000")));
    child.kill().unwrap();
    child.wait().unwrap();
    crate::support::until("the program ends", || web.processes().len() == 1);
}

fn command() {
    let web = Box::new("command");
    let way = Way::Command {
        prefix: vec!["/usr/sbin/chroot".into(), web.root.to_string()],
        rules: Rules::default(),
    };
    let mut entry = web.entry(&["env"]);
    entry.way = way.clone();
    assert_eq!(run(&entry), (0, "PATH=/bin\n".into()));
    entry = web.sh("pwd; exit 3");
    entry.way = way;
    assert_eq!(run(&entry), (3, "/\n".into()));
    entry.credentials.uid = 1000;
    assert_eq!(run(&entry).0, 69);
}

fn a_directory_as_stdin() {
    let web = Box::new("stdin");
    let mut command = caller(&web.sh("cd /proc/self/fd/0/.. && ls"));
    let output = command.stdin(Stdio::from(fs::File::open("/").unwrap())).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    assert!(program("/bin/true").status().unwrap().success());
}
