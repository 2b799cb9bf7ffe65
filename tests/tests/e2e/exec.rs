//! `exec`: what a program inside is given, and what its end gives back.

use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::program::Ran;
use crate::world::World;

/// Each check with the container stopped and started.
fn both(check: impl Fn(&World)) {
    let world = World::with_sleeper("overlay");
    check(&world);
    world.assert_quiet();
    world.run(["start", "web"]).ok();
    let before = world.inside();
    check(&world);
    assert_eq!(world.inside(), before, "the started container goes on");
}

#[test]
fn the_status_of_the_program_is_passed_on() {
    both(|world| {
        assert_eq!(world.sh("exit 7").status, 7);
        assert_eq!(world.sh("kill -9 $$").status, 137);
        assert_eq!(world.sh("kill -15 $$").status, 143);
        world.run(["exec", "web", "--", "no-such-program"]).fails(127, &["no-such-program"]);
        world.run(["exec", "web", "--", "/etc/not-executable"]).fails(126, &["/etc/not-executable"]);
        world.run(["exec", "web", "--", "/etc"]).fails(126, &["/etc"]);
        world
            .run(["exec", "web", "-U", "nobody-here", "--", "id"])
            .fails(66, &["there is no user \"nobody-here\""]);
    });
}

#[test]
fn options_of_the_program_are_the_programs() {
    let world = World::with_web("nullfs");
    assert_eq!(world.run(["exec", "web", "echo", "-n", "--json", "-A"]).ok(), "--json -A");
}

#[test]
fn standard_streams_are_pipes_through() {
    both(|world| {
        let mut command = world.command(["exec", "web", "--", "sh", "-c", "cat; echo on-stderr >&2"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let text: String = (0..20_000).map(|n| format!("line {n}\n")).collect();
        let mut input = child.stdin.take().unwrap();
        let sent = text.clone();
        let feeder = std::thread::spawn(move || input.write_all(sent.as_bytes()).unwrap());
        let ran = Ran::new("exec cat", &child.wait_with_output().unwrap());
        feeder.join().unwrap();
        assert_eq!((ran.status, ran.err.as_str()), (0, "on-stderr\n"));
        assert!(ran.out == text, "{} of {} bytes arrive", ran.out.len(), text.len());
    });
}

#[test]
fn nothing_of_the_callers_surroundings_gets_inside() {
    both(|world| {
        let open =
            std::fs::File::open("/etc/hostname").or_else(|_| std::fs::File::open("/etc/passwd")).unwrap();
        let leak: OwnedFd = rustix::io::fcntl_dupfd_cloexec(&open, 77).unwrap();
        let number = leak.as_raw_fd();
        let script = "pwd; umask; env | cut -d= -f1; ls /proc/self/fd | grep -v '^[012]$'";
        let mut command = world.command(["exec", "web", "--", "sh", "-c", script]);
        command
            .env("SECRET_OF_THE_HOST", "1")
            .env("LD_PRELOAD", "/x.so")
            .env("TERM", "vt100")
            .current_dir("/etc");
        // SAFETY: one system call on a descriptor that lives until the child has been started.
        unsafe {
            command.pre_exec(move || match nix::libc::fcntl(number, nix::libc::F_SETFD, 0) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            })
        };
        let shown = Ran::of(&mut command).out;
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[..2], ["/", "0022"], "{shown}");
        let allowed = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "PWD", "SHLVL", "OLDPWD"];
        for name in &lines[2..] {
            // ls(1) itself has the directory open as 3.
            assert!(allowed.contains(name) || *name == "3", "{name} in {shown}");
        }
    });
}

#[test]
fn users_are_the_containers_or_the_hosts() {
    both(|world| {
        assert_eq!(world.run(["exec", "web", "--", "id", "-u"]).ok(), "0\n");
        let inside = world.run(["exec", "web", "-U", "www", "--", "id"]).ok();
        assert_eq!(inside, "uid=80(www) gid=80(www) groups=4(logs),80(www)\n");
        let home =
            world.run(["exec", "web", "-U", "www", "-l", "--", "sh", "-c", "pwd; echo $USER $HOME"]).ok();
        assert_eq!(home, "/home/www\nwww /home/www\n");
        let nobody = world.run(["exec", "web", "-u", "nobody", "--", "id", "-u"]).ok();
        let host = Ran::of(Command::new("id").args(["-u", "nobody"])).ok();
        assert_eq!(nobody, host, "nobody is a user of the host's only");
        world.run(["exec", "web", "-U", "nobody", "--", "id"]).fails(66, &["there is no user \"nobody\""]);
    });
}

#[test]
fn a_login_has_the_environment_of_its_user() {
    let world = World::with_web("nullfs");
    world.sh("echo 'odd:x:81:80:::' >> /etc/passwd").ok();
    let env = |words: &[&str]| {
        let all = world.run([&["exec", "web"], words, &["--", "env"]].concat()).ok();
        let mut lines: Vec<String> = all.lines().map(str::to_owned).collect();
        lines.retain(|line| !line.starts_with("TERM="));
        lines.sort();
        lines
    };
    let of = |user: &str, home: &str, shell: &str, path: &str| {
        let (user, mail) = (format!("USER={user}"), format!("MAIL=/var/mail/{user}"));
        let name = user.replacen("USER", "LOGNAME", 1);
        let (home, shell, path) = (format!("HOME={home}"), format!("SHELL={shell}"), format!("PATH={path}"));
        vec![home, "LANG=C.UTF-8".into(), name, mail, path, shell, user]
    };
    let (root, users) =
        ("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "/usr/local/bin:/usr/bin:/bin");
    assert_eq!(env(&["-l"]), of("root", "/root", "/bin/sh", root));
    assert_eq!(env(&["-U", "80", "-l"]), of("www", "/home/www", "/bin/sh", users));
    assert_eq!(env(&["-U", "odd", "-l"]), of("odd", "/", "/bin/sh", users));
    assert_eq!(env(&["-U", "www"]).len(), 6, "and no mail");
}

#[test]
fn accounts_that_are_odd_files_end_in_an_error() {
    let world = World::with_web("nullfs");
    world
        .sh(r"printf 'jos\351:x:82:80:Jos\351:/:/bin/sh\nann:x:83:80:Ren\351e:/:/bin/sh\n' >> /etc/passwd")
        .ok();
    assert_eq!(world.run(["exec", "web", "-U", "ann", "--", "id", "-u"]).ok(), "83\n");
    world.sh("echo all:x:4294967295:4294967295::/:/bin/sh >> /etc/passwd").ok();
    world.run(["exec", "web", "-U", "all", "--", "id"]).fails(66, &["there is no user \"all\""]);
    let passwd = world.lib("web/root/etc/passwd");
    std::fs::remove_file(&passwd).unwrap();
    nix::unistd::mkfifo(&passwd, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let ran = world.run(["exec", "web", "-U", "www", "--", "id"]);
    assert!(ran.status != 0 && ran.err.contains("etc/passwd"), "{ran}");
    world.run(["exec", "web", "--", "true"]).ok();
}

#[test]
fn a_user_keeps_no_capability() {
    let world = World::with_web("overlay");
    let shown = world.run(["exec", "web", "-U", "www", "--", "grep", "Cap", "/proc/self/status"]).ok();
    for line in shown.lines().filter(|line| !line.starts_with("CapBnd")) {
        assert!(line.ends_with("\t0000000000000000"), "{shown}");
    }
    assert_eq!(shown.lines().count(), 5, "{shown}");
    let root = world.run(["exec", "web", "--", "grep", "-E", "CapInh|CapAmb", "/proc/self/status"]).ok();
    assert!(root.lines().all(|line| line.ends_with("\t0000000000000000")), "nothing to inherit: {root}");
}

#[test]
fn signals_to_qchroot_reach_the_program() {
    let world = World::with_web("overlay");
    let script = "trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 1 & wait; done";
    let mut child =
        world.command(["exec", "web", "--", "sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "caught");
    assert_eq!(child.wait().unwrap().code(), Some(5));
    world.assert_quiet();
}
