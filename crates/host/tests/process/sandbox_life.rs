//! What a sandbox is used for, and what is left of one whatever ends it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::libc;
use qchroot_api::{DiskFs, Mount, MountFs, Observe, Place, Service, ServiceRun, ServiceStep, Step};
use qchroot_engine::Probe;
use qchroot_host::Machine;

use crate::cell::{Sandbox, is_seen_outside, probe};
use crate::support::{Test, caller, program, role, run, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("sandbox_life::overlay", overlay),
        ("sandbox_life::bind_mounts_in_a_directory", bind_mounts_in_a_directory),
        ("sandbox_life::disks", disks),
        ("sandbox_life::services", services),
        ("sandbox_life::a_service_ends_with_it", a_service_ends_with_it),
        ("sandbox_life::a_terminal", a_terminal),
        ("sandbox_life::what_enters_ends_with_its_caller", what_enters_ends_with_its_caller),
        ("sandbox_life::memory_of_its_own", memory_of_its_own),
        ("sandbox_life::a_maker_killed_between_steps", a_maker_killed_between_steps),
        ("sandbox_life::a_maker_killed_at_any_time", a_maker_killed_at_any_time),
        ("sandbox_life::what_forks_without_end_is_ended", what_forks_without_end_is_ended),
    ]
}

/// The files of a container as lower layer of an overlay on its root.
fn layers(web: &Sandbox) -> Step {
    let beside = |name: &str| {
        let dir = web.web.root.with_file_name(name);
        fs::create_dir_all(&dir).unwrap();
        dir
    };
    let base = beside("base");
    fs::remove_dir(&base).unwrap();
    fs::rename(&web.web.root, &base).unwrap();
    let fs =
        MountFs::Overlay { lower: vec![beside("none"), base], upper: beside("upper"), work: beside("work") };
    Step::Mount(Mount::new(Place::host(beside("root")), fs))
}

fn overlay() {
    let web = Sandbox::new("overlay");
    let mount = layers(&web);
    let seal = Step::Seal(web.seal.clone());
    for step in [&web.start(), &mount, &seal] {
        web.apply(step);
    }
    assert!(!is_seen_outside(&web));
    web.sh("echo changed >/etc/file; cat /etc/file");
    let upper = web.web.root.with_file_name("upper/etc/file");
    assert_eq!(fs::read_to_string(&upper).unwrap(), "changed\n");
    let host = Machine::new();
    let seen = |path: &str| (&host as &dyn Observe).read(&Place::within(&web.web.root, path)).unwrap();
    assert_eq!(seen("etc/file"), "changed\n");
    for step in [&seal, &mount, &web.start()] {
        web.apply(&step.inverse().unwrap());
    }
    assert_eq!(fs::read_dir(&web.web.root).unwrap().count(), 0);
    // Nothing holds the layers any more.
    web.apply(&web.start());
    web.apply(&mount);
    assert_eq!(seen("etc/file"), "changed\n");
    web.stop();
}

fn bind_mounts_in_a_directory() {
    let web = Sandbox::new("binds");
    let shared = web.web.root.with_file_name("shared");
    fs::create_dir_all(&shared).unwrap();
    fs::write(shared.join("file"), "shared").unwrap();
    let dir = Step::MakeDir { at: Place::within(&web.web.root, "opt"), mode: 0o755 };
    let view = Mount::new(Place::within(&web.web.root, "opt"), MountFs::Null { source: shared }).read_only();
    let steps = [web.start(), dir, Step::Mount(view), Step::Seal(web.seal.clone())];
    steps.iter().for_each(|step| web.apply(step));
    assert_eq!(web.sh("cat /opt/file"), "shared");
    assert_eq!(run(&web.entry(&["touch", "/opt/new"])).0, 1);
    assert!(!is_seen_outside(&web) && !web.web.root.join("opt/file").exists());
    for step in steps.iter().rev() {
        web.apply(&step.inverse().unwrap());
    }
    assert!(!web.web.root.join("opt").exists(), "a directory is removed that the sandbox had a mount on");
}

fn service(web: &Sandbox, script: &str) -> ServiceStep {
    let below = |name: &str| web.web.root.with_file_name(name);
    let run = ServiceRun::Command { argv: ["sh", "-c", script].map(str::to_owned).into() };
    ServiceStep {
        container: web.web.name.clone(),
        root: web.web.root.clone(),
        way: web.entry(&[]).way,
        service: Service::new("http", run),
        lock: below("http.lock"),
        log: below("http.log"),
        status: below("http.status"),
    }
}

fn services() {
    let web = Sandbox::sealed("sandboxsvc");
    let http = service(&web, "cat /proc/sys/kernel/hostname; sleep 1000 & wait");
    web.apply(&Step::StartService(http.clone()));
    until("it prints", || fs::read_to_string(&http.log).unwrap().contains("sandboxsvc-inside"));
    assert!(web.processes().iter().any(|process| process.command == "sleep 1000"));
    web.apply(&Step::StopService(http));
    assert_eq!(web.processes().len(), 1, "only the init is left");
}

fn a_service_ends_with_it() {
    let web = Sandbox::sealed("svcends");
    let http = service(&web, "sleep 1000 & wait");
    web.apply(&Step::StartService(http.clone()));
    web.stop();
    until("its supervisor ends", || probe(&Step::StartService(http.clone())) == Probe::Absent);
    assert_eq!(web.processes(), []);
    web.apply(&web.start());
    web.apply(&Step::Seal(web.seal.clone()));
    assert_eq!(web.processes().len(), 1, "it does not come back in another sandbox");
}

fn a_terminal() {
    let web = Sandbox::sealed("terminalbox");
    let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY;
    let screen = rustix::pty::openpt(flags).unwrap();
    rustix::pty::unlockpt(&screen).unwrap();
    let terminal = rustix::pty::ioctl_tiocgptpeer(&screen, flags).unwrap();
    let mut command = caller(&web.entry(&["sh", "-c", "tty; [ -c $(tty) ] && echo there"]));
    let mut child = command.stdin(Stdio::from(terminal)).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "/dev/pts/0");
    assert_eq!(lines.next().unwrap().unwrap(), "there");
    assert!(child.wait().unwrap().success());
}

fn what_enters_ends_with_its_caller() {
    let web = Sandbox::sealed("calledbox");
    let mut child = caller(&web.entry(&["sleep", "1000"])).spawn().unwrap();
    until("it runs", || web.processes().iter().any(|process| process.command == "sleep 1000"));
    child.kill().unwrap();
    child.wait().unwrap();
    until("it has ended", || web.processes().len() == 1);
}

/// System V shared memory that somebody inside can find is gone with it; sysvipc(7).
fn memory_of_its_own() {
    let web = Sandbox::sealed("ipcbox");
    // SAFETY: a number in, a number out.
    let id = unsafe { libc::shmget(0x5171_6368, 4096, libc::IPC_CREAT | 0o600) };
    let inside = web.sh("cat /proc/sysvipc/shm");
    // SAFETY: removes what was made above.
    unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) };
    assert!(id >= 0 && inside.lines().count() == 1, "{inside}");
}

/// A process that has applied `count` steps, and was killed.
fn killed_after(steps: &[Step], count: usize) {
    let mut command = role(&["apply", &serde_json::to_string(&steps[..count]).unwrap()]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.take(count).flatten().count(), count);
    child.kill().unwrap();
    child.wait().unwrap();
}

fn a_maker_killed_between_steps() {
    let web = Sandbox::new("killedmaker");
    let steps = [web.start(), layers(&web), Step::Seal(web.seal.clone())];
    for count in 1..=steps.len() {
        killed_after(&steps, count);
        assert_eq!(probe(&steps[0]), Probe::Present);
        assert_eq!(probe(&steps[1]), if count > 1 { Probe::Present } else { Probe::Absent });
        assert_eq!(probe(&steps[2]), if count > 2 { Probe::Present } else { Probe::Absent });
        for step in steps[..count].iter().rev() {
            web.apply(&step.inverse().unwrap());
        }
        assert!(!web.lock().exists() && web.processes().is_empty() && !is_seen_outside(&web));
    }
}

/// Processes that say that they are its init, whatever holds the lock.
fn inits(name: &str) -> usize {
    let words = format!("qchroot-init {name}");
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter(|entry| {
        fs::read_to_string(entry.path().join("cmdline")).is_ok_and(|text| text.starts_with(&words))
    })
    .count()
}

fn a_maker_killed_at_any_time() {
    let web = Sandbox::new("killedever");
    let steps = [web.start(), layers(&web), Step::Seal(web.seal.clone())];
    let words = serde_json::to_string(&steps).unwrap();
    let begun = Instant::now();
    let mut whole = role(&["apply", &words]).stdout(Stdio::piped()).spawn().unwrap();
    BufReader::new(whole.stdout.take().unwrap()).lines().nth(2).unwrap().unwrap();
    let took = begun.elapsed();
    whole.kill().unwrap();
    whole.wait().unwrap();
    web.stop();
    for part in 0..40 {
        let mut child = role(&["apply", &words]).stdout(Stdio::null()).spawn().unwrap();
        // Not for an event: any moment will do.
        std::thread::sleep(took * part / 40);
        child.kill().unwrap();
        child.wait().unwrap();
        steps.iter().rev().for_each(|step| web.apply(&step.inverse().unwrap()));
        until("nothing is left", || inits("killedever") == 0);
        web.stop();
        assert!(!web.lock().exists() && web.processes().is_empty() && !is_seen_outside(&web));
    }
}

fn what_forks_without_end_is_ended() {
    let web = Sandbox::sealed("forkbox");
    web.leave_behind("trap '' TERM; f() { f & }; f & f & f & exit 0");
    let begun = Instant::now();
    web.stop();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(web.processes(), []);
}

fn disks() {
    let web = Sandbox::new("diskbox");
    let file = web.web.root.with_file_name("disk.img");
    fs::File::create_new(&file).unwrap().set_len(64 << 20).unwrap();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let made = program("/usr/sbin/mkfs.ext4")
        .args(["-q", "-b", "4096", "-d"])
        .arg(&web.web.root)
        .arg(&file)
        .status();
    assert!(made.unwrap().success());
    let fs = MountFs::Disk { file: file.clone(), fs: DiskFs::Ext4 };
    let mount = Step::Mount(Mount::new(Place::host(&web.web.root), fs));
    let machine = Machine::new();
    let disk = || (&machine as &dyn Observe).disk(&file).unwrap().unwrap();
    let before = disk().used;
    for _ in 0..2 {
        for step in [web.start(), mount.clone(), Step::Seal(web.seal.clone())] {
            web.apply(&step);
        }
        assert!(!is_seen_outside(&web));
        web.sh("cat /bin/busybox /bin/busybox /bin/busybox >/root/more");
        nix::unistd::sync();
        assert!(disk().used > before, "what is used is asked of the file system that is mounted");
        web.stop();
        assert_eq!(disk().attached, [""; 0], "its device is free as soon as it has ended");
    }
}
