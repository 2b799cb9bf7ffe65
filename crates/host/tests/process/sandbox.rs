//! A sandbox has mounts and processes of its own, is sealed from the host, and leaves nothing behind.

use std::fs;
use std::os::unix::fs::symlink;

use camino::Utf8PathBuf;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qchroot_api::{ErrorKind, IdRange, Mount, MountFs, Network, Observe, Place, Step};
use qchroot_engine::{Host, Probe};
use qchroot_host::Machine;

use crate::cell::{Sandbox, is_seen_outside, probe};
use crate::support::{Test, program, role, run, soon, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("sandbox::starts_and_stops", starts_and_stops),
        ("sandbox::mounts_are_its_own", mounts_are_its_own),
        ("sandbox::nothing_of_the_host_is_seen", nothing_of_the_host_is_seen),
        ("sandbox::devices", devices),
        ("sandbox::covered_paths", covered_paths),
        ("sandbox::links_in_the_way", links_in_the_way),
        ("sandbox::changes_from_outside", changes_from_outside),
        ("sandbox::a_tree_in_use", a_tree_in_use),
        ("sandbox::a_second_one", a_second_one),
        ("sandbox::a_lock_inside_means_nothing", a_lock_inside_means_nothing),
        ("sandbox::users_of_its_own", users_of_its_own),
        ("sandbox::a_network_with_a_name", a_network_with_a_name),
        ("sandbox::members", members),
        ("sandbox::processes_end_and_mounts_stay", processes_end_and_mounts_stay),
        ("sandbox::a_dead_init", a_dead_init),
        ("sandbox::nothing_runs_without_it", nothing_runs_without_it),
    ]
}

fn starts_and_stops() {
    let web = Sandbox::new("sandbox");
    let (start, seal) = (web.start(), Step::Seal(web.seal.clone()));
    assert_eq!((probe(&start), probe(&seal)), (Probe::Absent, Probe::Absent));
    assert_eq!(probe(&start.inverse().unwrap()), Probe::Present);
    web.apply(&start);
    assert_eq!((probe(&start), probe(&seal)), (Probe::Present, Probe::Absent));
    web.apply(&seal);
    assert_eq!((probe(&start), probe(&seal)), (Probe::Present, Probe::Present));
    let [init] = web.processes().try_into().unwrap();
    assert_eq!((init.command.as_str(), &init.root), ("qchroot-init sandbox", &web.web.root));
    let open = || fs::read_dir(format!("/proc/{}/fd", init.pid)).unwrap().flatten();
    until("it holds its lock and nothing else", || open().count() == 1);
    let text = web.sh("cat /proc/sys/kernel/hostname; cat /proc/1/comm; ls /proc/sys/net/ipv4/conf");
    assert_eq!(text, "sandbox-inside\nqchroot-init\nall\ndefault\nlo\n");
    web.stop();
    assert_eq!((probe(&start), probe(&seal)), (Probe::Absent, Probe::Absent));
    web.stop();
    assert_eq!(web.processes(), []);
    assert!(!web.lock().exists());
}

fn mounts_are_its_own() {
    let web = Sandbox::new("itsmounts");
    let shown = web.web.dir.path().join("shown");
    fs::create_dir(&shown).unwrap();
    fs::write(shown.join("file"), "host").unwrap();
    let source = Utf8PathBuf::from_path_buf(shown).unwrap();
    let root = MountFs::Tmp { size: 1 << 20, mode: 0o755 };
    let on_root = Mount::new(Place::host(&web.web.root), root);
    let view = Mount::new(Place::within(&web.web.root, "view"), MountFs::Null { source }).read_only();
    web.apply(&web.start());
    web.apply(&Step::Mount(on_root.clone()));
    web.apply(&Step::MakeDir { at: Place::within(&web.web.root, "view"), mode: 0o755 });
    web.apply(&Step::Mount(view.clone()));
    for mount in [&on_root, &view] {
        assert_eq!(probe(&Step::Mount(mount.clone())), Probe::Present);
        assert_eq!(probe(&Step::Unmount(mount.clone())), Probe::Absent);
        web.apply(&Step::Unmount(mount.clone()));
        assert_eq!(probe(&Step::Mount(mount.clone())), Probe::Present, "mounts end with the sandbox");
    }
    assert!(!is_seen_outside(&web));
    assert!(!web.web.root.join("view").exists());
    let machine = Machine::new();
    let host: &dyn Observe = &machine;
    assert_eq!(host.read(&Place::within(&web.web.root, "view/file")).unwrap(), "host");
    assert_eq!(host.read(&Place::host(web.web.root.join("view/file"))).unwrap(), "host");
    assert_eq!(host.space(&Place::host(&web.web.root)).unwrap().fs, "tmpfs");
    web.stop();
    assert_eq!(probe(&Step::Mount(on_root)), Probe::Absent);
}

fn nothing_of_the_host_is_seen() {
    let web = Sandbox::sealed("sealed");
    let mounts = web.sh("cat /proc/1/mountinfo");
    let at: Vec<&str> = mounts.lines().filter_map(|line| line.split(' ').nth(4)).collect();
    let known = ["/", "/dev", "/dev/mqueue", "/dev/pts", "/dev/shm", "/proc", "/proc/irq", "/proc/kcore"];
    let more = ["/proc/keys", "/proc/tty", "/proc/sys", "/sys", "/sys/fs/cgroup"];
    assert!(at.iter().all(|at| known.contains(at) || more.contains(at)), "{mounts}");
    assert_eq!(at.iter().filter(|&&at| at == "/").count(), 1, "{mounts}");
    assert!(!mounts.contains("master:") && !mounts.contains("shared:"), "{mounts}");
    assert_eq!(web.sh("cd /proc; ls -d [0-9]*").lines().next(), Some("1"));
    let ours = |name: &str| fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
    for name in ["mnt", "pid", "uts", "ipc", "cgroup", "net"] {
        let theirs = web.sh(&format!("ls -l /proc/self/ns/{name}"));
        assert!(!theirs.contains(ours(name).to_str().unwrap()), "{name}: {theirs}");
    }
}

fn devices() {
    let web = Sandbox::sealed("devices");
    let names = "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n";
    assert_eq!(web.sh("ls /dev"), names);
    web.sh("echo x >/dev/null; [ -w /dev/shm ]; touch /dev/log; cat </dev/null; [ -c /dev/pts/ptmx ]");
    let (status, text) = run(&web.entry(&["sh", "-c", "cat /dev/zero >/dev/shm/all"]));
    assert!(status != 0 && text.contains("No space"), "{text}");
    assert_eq!(
        fs::read_dir(web.web.root.join("dev")).unwrap().count(),
        1,
        "the files below are as they were"
    );
}

fn covered_paths() {
    let web = Sandbox::sealed("covered");
    assert_eq!(web.sh("cat /proc/keys; ls /proc/tty"), "");
    for path in ["/proc/sys/kernel/hostname", "/proc/irq/default_smp_affinity", "/sys/kernel/uevent_seqnum"] {
        let (status, text) = run(&web.entry(&["sh", "-c", &format!("echo 1 >{path}")]));
        assert!(status != 0 && text.contains("Read-only"), "{path}: {text}");
    }
}

fn links_in_the_way() {
    for name in ["dev", "proc", "sys"] {
        let web = Sandbox::new("links");
        let trap = web.web.dir.path().join("trap");
        fs::create_dir(&trap).unwrap();
        fs::remove_dir_all(web.web.root.join(name)).unwrap();
        symlink(&trap, web.web.root.join(name)).unwrap();
        web.apply(&web.start());
        let error = Machine::new().apply(&Step::Seal(web.seal.clone()), soon(5)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exists);
        assert!(error.to_string().contains(&format!("/{name}")), "{error}");
        assert_eq!(fs::read_dir(&trap).unwrap().count(), 0);
        assert_eq!(run(&web.entry(&["true"])).0, 75, "it was not sealed");
        fs::remove_file(web.web.root.join(name)).unwrap();
    }
}

fn a_tree_in_use() {
    let web = Sandbox::new("inuse");
    web.apply(&web.start());
    let dir = Utf8PathBuf::from_path_buf(web.web.dir.path().to_owned()).unwrap();
    let error = Machine::new().apply(&Step::RemoveTree { at: dir }, soon(5)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(web.web.root.join("bin/sh").exists());
}

fn changes_from_outside() {
    let web = Sandbox::sealed("outside");
    let at = Place::within(&web.web.root, "dev/shm/note");
    let step = Step::WriteFile { at: at.clone(), text: "from outside\n".into(), mode: 0o600, was: None };
    web.apply(&step);
    assert_eq!(web.sh("cat /dev/shm/note"), "from outside\n");
    assert_eq!(probe(&step), Probe::Present);
    web.apply(&step.inverse().unwrap());
    assert_eq!(web.sh("ls /dev/shm"), "");
}

/// Who is root inside locks a file like that of a sandbox. Nobody is led astray by it.
fn a_lock_inside_means_nothing() {
    let web = Sandbox::new("lockinside");
    let trap = web.web.root.join("tmp/root");
    fs::create_dir_all(&trap).unwrap();
    fs::write(trap.join("mine"), "").unwrap();
    let file = fs::File::create(web.web.root.join("tmp/root.init")).unwrap();
    // SAFETY: a structure of numbers, for which zero means all of the file.
    let mut lock: nix::libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = nix::libc::F_WRLCK as nix::libc::c_short;
    nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_SETLK(&lock)).unwrap();
    let mut asking = role(&["list", trap.as_str()]);
    let seen = String::from_utf8(asking.output().unwrap().stdout).unwrap();
    assert_eq!(seen, "mine\n");
    fs::remove_file(web.web.root.join("tmp/root.init")).unwrap();
    nix::unistd::mkfifo(web.web.root.join("tmp/root.init").as_std_path(), nix::sys::stat::Mode::S_IRUSR)
        .unwrap();
    let seen = String::from_utf8(asking.output().unwrap().stdout).unwrap();
    assert_eq!(seen, "mine\n", "nor does anybody wait for a writer");
}

fn users_of_its_own() {
    let web = Sandbox::new("users");
    let Step::StartSandbox(mut step) = web.start() else { unreachable!() };
    step.users = Some(IdRange { first: 100_000, count: 65536 });
    let error = Machine::new().apply(&Step::StartSandbox(step), soon(5)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!web.lock().exists());
}

fn a_network_with_a_name() {
    let web = Sandbox::new("named");
    let Step::StartSandbox(mut step) = web.start() else { unreachable!() };
    for name in ["../../proc/1/ns/net", "nosuch-qchroot", ".", ""] {
        step.network = Network::Named { name: name.into() };
        let error = Machine::new().apply(&Step::StartSandbox(step.clone()), soon(5)).unwrap_err();
        assert!(error.to_string().contains(&format!("network namespace {name}")), "{error}");
    }
    let name = format!("qchroot-test-{}", std::process::id());
    let ip = |argv: &[&str]| assert!(program("/usr/sbin/ip").args(argv).status().unwrap().success());
    ip(&["netns", "add", &name]);
    ip(&["-n", &name, "link", "add", "inside0", "type", "veth", "peer", "name", "inside1"]);
    step.network = Network::Named { name: name.clone() };
    web.apply(&Step::StartSandbox(step));
    web.apply(&Step::Seal(web.seal.clone()));
    let seen = web.sh("ls /sys/class/net");
    web.stop();
    ip(&["netns", "delete", &name]);
    assert_eq!(seen, "inside0\ninside1\nlo\n");
}

fn a_second_one() {
    let web = Sandbox::sealed("second");
    let error = Machine::new().apply(&web.start(), soon(5)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(web.processes().len(), 1);
    assert_eq!(web.sh("echo alive"), "alive\n");
}

fn members() {
    let web = Sandbox::sealed("members");
    web.leave_behind("setsid sleep 1000 & mkdir -p /tmp/x/bin; cp /bin/busybox /tmp/x/bin/; setsid chroot /tmp/x /bin/busybox sleep 1001 & unshare -p -f sleep 1002 &");
    until("all of them sleep", || {
        let count = |word: &str| web.processes().iter().filter(|p| p.command.ends_with(word)).count();
        ["sleep 1000", "sleep 1001", "sleep 1002"].map(count) >= [1; 3]
    });
    assert!(web.processes().iter().all(|process| process.root == web.web.root));
    let above = web.web.root.parent().unwrap().parent().unwrap();
    let seen = (&Machine::new() as &dyn Observe).processes(above).unwrap();
    let mine = seen.iter().filter(|process| process.root == web.web.root).count();
    assert_eq!(mine, web.processes().len());
    web.stop();
    assert_eq!(web.processes(), []);
}

fn processes_end_and_mounts_stay() {
    let web = Sandbox::sealed("endall");
    let end = Step::Seal(web.seal.clone()).inverse().unwrap();
    assert_eq!(probe(&end), Probe::Present);
    web.leave_behind("trap '' TERM; sleep 1000 & f() { f & }; f & f & exit 0");
    assert_eq!(probe(&end), Probe::Absent);
    Machine::new().apply(&end, soon(1)).unwrap();
    assert_eq!(web.processes().len(), 1);
    assert_eq!(probe(&end), Probe::Present);
    assert!(web.sh("cat /proc/self/mountinfo").contains(" /dev/shm "));
}

fn a_dead_init() {
    let web = Sandbox::sealed("deadsandbox");
    web.leave_behind("sleep 1000 &");
    kill(Pid::from_raw(web.init()), Signal::SIGKILL).unwrap();
    until("the kernel ends all of it", || web.processes().is_empty());
    assert_eq!(probe(&web.start()), Probe::Absent);
    assert_eq!(probe(&web.start().inverse().unwrap()), Probe::Absent, "its lock is left");
}

fn nothing_runs_without_it() {
    let web = Sandbox::new("without");
    let entry = web.entry(&["touch", "/tmp/outside"]);
    assert_eq!(run(&entry).0, 75);
    web.apply(&web.start());
    assert_eq!(run(&entry).0, 75);
    assert!(!web.web.root.join("tmp/outside").exists());
}
