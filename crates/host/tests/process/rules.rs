//! A program inside is held to its rules, and has nothing else from whoever started it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::libc;
use qchroot_api::{KEPT_CAPABILITIES, Rules, SyscallRules, Way};

use crate::support::{Box, Test, caller, program, run};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("rules::capabilities", capabilities),
        ("rules::a_user_has_none", a_user_has_none),
        ("rules::no_new_privs", no_new_privs),
        ("rules::limits", limits),
        ("rules::a_limit_that_cannot_be", a_limit_that_cannot_be),
        ("rules::the_filter", the_filter),
        ("rules::the_filter_changed", the_filter_changed),
        ("rules::the_filter_of_a_user", the_filter_of_a_user),
        ("rules::nothing_else_is_inherited", nothing_else_is_inherited),
        ("rules::limits_are_the_first_processes", limits_are_the_first_processes),
    ]
}

fn held(web: &Box, rules: Rules, script: &str) -> qchroot_api::Entry {
    let mut entry = web.sh(script);
    entry.way = Way::Chroot { root: web.root.clone(), rules };
    entry
}

fn names(list: &[&str]) -> Option<Vec<String>> {
    Some(list.iter().map(|&name| name.to_owned()).collect())
}

/// One line of the program's `/proc/self/status`.
fn status(text: &str, name: &str) -> String {
    text.lines().find_map(|line| line.strip_prefix(name)).expect(name).trim().to_owned()
}

const STATUS: &str = "cat /proc/self/status";

fn capabilities() {
    let web = Box::started("capabilities");
    let rules = Rules { capabilities: names(&["chown", "net_bind_service"]), ..Rules::default() };
    let (_, text) = run(&held(&web, rules, STATUS));
    for set in ["CapPrm:", "CapEff:", "CapBnd:"] {
        assert_eq!(status(&text, set), "0000000000000401", "{set}");
    }
    for set in ["CapInh:", "CapAmb:"] {
        assert_eq!(status(&text, set), "0000000000000000", "{set}");
    }
    let misspelt = Rules { capabilities: names(&["chwon"]), ..Rules::default() };
    assert_eq!(run(&held(&web, misspelt, STATUS)), (78, "there is no capability \"chwon\"\n".into()));
}

fn a_user_has_none() {
    let web = Box::started("user");
    for filter in [None, Some(SyscallRules::default())] {
        let rules = Rules { capabilities: names(&KEPT_CAPABILITIES), syscalls: filter, ..Rules::default() };
        let mut entry = held(&web, rules, STATUS);
        (entry.credentials.uid, entry.credentials.gid) = (1000, 1000);
        let (_, text) = run(&entry);
        for set in ["CapPrm:", "CapEff:", "CapInh:", "CapAmb:"] {
            assert_eq!(status(&text, set), "0000000000000000", "{set}");
        }
    }
}

fn no_new_privs() {
    let web = Box::started("privileges");
    let rules = |no_new_privs| Rules { no_new_privs, ..Rules::default() };
    assert_eq!(status(&run(&held(&web, rules(true), STATUS)).1, "NoNewPrivs:"), "1");
    assert_eq!(status(&run(&held(&web, rules(false), STATUS)).1, "NoNewPrivs:"), "0");
}

fn limits() {
    let web = Box::started("limits");
    let process_limits = BTreeMap::from([("nofile".to_owned(), 77), ("core".to_owned(), 0)]);
    let rules = Rules { process_limits, ..Rules::default() };
    let script = "ulimit -n; ulimit -Hn; ulimit -c; ulimit -n 78";
    let (code, text) = run(&held(&web, rules, script));
    assert!(code != 0 && text.starts_with("77\n77\n0\n"), "{code} {text}");
}

fn a_limit_that_cannot_be() {
    let web = Box::started("unlimited");
    let with = |name: &str, limit| {
        let process_limits = BTreeMap::from([(name.to_owned(), limit)]);
        run(&held(&web, Rules { process_limits, ..Rules::default() }, "echo here"))
    };
    let (code, text) = with("nofiles", 7);
    assert_eq!((code, text.trim()), (78, "there is no limit \"nofiles\""));
    let most: u64 = fs::read_to_string("/proc/sys/fs/nr_open").unwrap().trim().parse().unwrap();
    let (code, text) = with("nofile", most + 1);
    assert!(code == 77 && text.contains("cannot raise the limit nofile"), "{code} {text}");
}

/// A program of the machine's own word size that makes calls of other kinds, too.
fn calls(web: &Box) {
    let source = web.dir.path().join("calls.c");
    let text = r#"
        #include <errno.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        int main(int argc, char **argv) {
            long number = atol(argv[1]), first = argc > 2 ? strtol(argv[2], 0, 0) : 0;
            errno = 0;
            if (number == -32) {
        #ifdef __x86_64__
                long pid;
                __asm__ volatile("int $0x80" : "=a"(pid) : "a"(20));
                return 0;
        #endif
            }
            long answer = syscall(number, first, 0, 0, 0, 0, 0);
            printf("%s\n", answer >= 0 ? "done" : strerrorname_np(errno));
            return 0;
        }"#;
    fs::write(&source, text).unwrap();
    let mut gcc: Command = program("/usr/bin/gcc");
    gcc.args(["-static", "-D_GNU_SOURCE", "-o"]).arg(web.root.join("bin/calls")).arg(&source);
    assert!(gcc.status().unwrap().success(), "gcc builds static programs: Debian's gcc and libc6-dev");
}

fn answer(web: &Box, calls: SyscallRules, capabilities: &[&str], words: &str) -> (i32, String) {
    let rules = Rules { capabilities: names(capabilities), syscalls: Some(calls), ..Rules::default() };
    let (code, text) = run(&held(web, rules, &format!("exec calls {words}")));
    (code, text.trim().to_owned())
}

fn the_filter() {
    let web = Box::started("filter");
    calls(&web);
    let call = |number: libc::c_long, first: libc::c_long, capabilities: &[&str]| {
        answer(&web, SyscallRules::default(), capabilities, &format!("{number} {first}")).1
    };
    assert_eq!(call(libc::SYS_getpid, 0, &[]), "done");
    assert_eq!(call(libc::SYS_keyctl, 0, &["sys_admin"]), "EPERM");
    assert_eq!(call(libc::SYS_io_uring_setup, 0, &["sys_admin"]), "ENOSYS");
    assert_eq!(call(libc::SYS_clone3, 0, &[]), "ENOSYS");
    assert_eq!(call(libc::SYS_clone3, 0, &["sys_admin"]), "EINVAL");
    for namespace in [libc::CLONE_NEWUSER, libc::CLONE_NEWNS, libc::CLONE_NEWNET] {
        assert_eq!(call(libc::SYS_unshare, namespace.into(), &[]), "EPERM");
        assert_eq!(call(libc::SYS_clone, namespace.into(), &[]), "EPERM");
    }
    assert_eq!(call(libc::SYS_unshare, libc::CLONE_FS.into(), &[]), "done");
    assert_eq!(call(libc::SYS_unshare, libc::CLONE_NEWUTS.into(), &["sys_admin"]), "done");
    assert_eq!(call(libc::SYS_personality, 0xffff_ffff, &[]), "done");
    assert_eq!(call(libc::SYS_personality, 0x004_0000, &[]), "EPERM");
    assert_eq!(call(libc::SYS_socket, libc::AF_VSOCK.into(), &[]), "EPERM");
    assert_eq!(call(0x4000_0000 + libc::SYS_getpid, 0, &[]), "ENOSYS", "x32");
    assert_eq!(call(9999, 0, &[]), "ENOSYS");
    if cfg!(target_arch = "x86_64") {
        let bad_system_call = 128 + libc::SIGSYS;
        assert_eq!(answer(&web, SyscallRules::default(), &[], "-32").0, bad_system_call, "i386");
    }
}

fn the_filter_changed() {
    let web = Box::started("changed");
    calls(&web);
    let (keyctl, unshare, getppid) = (libc::SYS_keyctl, libc::SYS_unshare, libc::SYS_getppid);
    let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let rules = || SyscallRules { allow: list(&["keyctl", "unshare"]), deny: list(&["getppid"]) };
    assert_eq!(answer(&web, rules(), &[], &keyctl.to_string()).1, "EINVAL", "by the kernel");
    // The kernel still asks for the capability.
    let user = format!("{unshare} {}", libc::CLONE_NEWUTS);
    assert_eq!(answer(&web, rules(), &["sys_admin"], &user).1, "done");
    assert_eq!(answer(&web, rules(), &[], &getppid.to_string()).1, "EPERM");
    let misspelt = SyscallRules { allow: vec![], deny: list(&["keyctrl"]) };
    assert_eq!(answer(&web, misspelt, &[], "0"), (78, "there is no system call \"keyctrl\"".into()));
}

fn the_filter_of_a_user() {
    let web = Box::started("filtered");
    for no_new_privs in [false, true] {
        let syscalls = Some(SyscallRules::default());
        let mut entry = held(&web, Rules { syscalls, no_new_privs, ..Rules::default() }, STATUS);
        (entry.credentials.uid, entry.credentials.gid) = (1000, 1000);
        let (code, text) = run(&entry);
        assert_eq!((code, status(&text, "Seccomp:").as_str()), (0, "2"), "{text}");
        assert_eq!(status(&text, "NoNewPrivs:"), u8::from(no_new_privs).to_string());
    }
}

fn nothing_else_is_inherited() {
    let web = Box::started("inherited");
    let script = "cd /proc/self; umask; cut -d' ' -f19 stat; cat oom_score_adj personality; \
                  grep Cpus_allowed_list status";
    let mut command = caller(&web.sh(script));
    // SAFETY: system calls on numbers.
    unsafe {
        command.pre_exec(|| {
            libc::umask(0o077);
            libc::nice(7);
            libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong);
            let mut one: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(0, &mut one);
            libc::sched_setaffinity(0, size_of_val(&one), &one);
            fs::write("/proc/self/oom_score_adj", "100")
        })
    };
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let cpus = format!("Cpus_allowed_list:\t{}", status(&own, "Cpus_allowed_list:"));
    assert_eq!(text.lines().collect::<Vec<_>>(), ["0022", "0", "0", "00000000", &cpus]);
}

fn effective() -> u64 {
    let own = fs::read_to_string("/proc/self/status").unwrap();
    u64::from_str_radix(&status(&own, "CapEff:"), 16).unwrap()
}

fn limits_are_the_first_processes() {
    let web = Box::started("usual");
    let mut command = caller(&web.sh("ulimit -Sn; ulimit -Sc"));
    // SAFETY: a structure that lives for the calls.
    unsafe {
        command.pre_exec(|| {
            for (resource, soft) in [(libc::RLIMIT_NOFILE, 33), (libc::RLIMIT_CORE, 4096)] {
                let mut own: libc::rlimit = std::mem::zeroed();
                libc::getrlimit(resource, &mut own);
                own.rlim_cur = soft;
                libc::setrlimit(resource, &own);
            }
            Ok(())
        })
    };
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let first = fs::read_to_string("/proc/1/limits").unwrap();
    let own = fs::read_to_string("/proc/self/limits").unwrap();
    let limit = |table: &str, name: &str, column: usize| -> u64 {
        let line = table.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().nth(column).unwrap().parse::<u64>().unwrap_or(u64::MAX)
    };
    let may_raise = (effective() >> 24) & 1 == 1; // CAP_SYS_RESOURCE
    let soft = |name| match limit(&first, name, 0) {
        usual if may_raise => usual,
        usual => usual.min(limit(&own, name, 1)),
    };
    let words = |limit: u64, unit: u64| {
        if limit == u64::MAX { "unlimited".to_owned() } else { (limit / unit).to_string() }
    };
    let (files, core) = (words(soft("Max open files"), 1), words(soft("Max core file size"), 512));
    assert_eq!(text.lines().collect::<Vec<_>>(), [files, core]);
}
