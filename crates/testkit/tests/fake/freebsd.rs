//! The fake machine's programs of FreeBSD say what the real ones say.

use qchroot_testkit::FakeHost;

/// Runs a program that must end with `status` and print exactly `words`, wherever it prints them.
#[track_caller]
fn says(host: &FakeHost, line: &str, status: i32, words: &str) {
    let output = host.freebsd_says(line);
    assert_eq!((output.status, output.stdout + &output.stderr), (status, words.into()), "{line}");
}

fn machine() -> FakeHost {
    let host = FakeHost::freebsd();
    host.plant_dir("/tmp/q/c1", 0o755);
    host
}

#[test]
fn jails() {
    let host = machine();
    says(&host, "jail -r nosuch", 1, "jail: \"nosuch\" not found\n");
    says(
        &host,
        "jail -c name=bad path=/nonexistent persist",
        1,
        "jail: path /nonexistent: No such file or directory\n",
    );
    says(
        &host,
        "jail -c name=1x path=/tmp/q/c1 nosuchparam=1 persist",
        1,
        "jail: unknown parameter: nosuchparam\n",
    );
    says(&host, "jail -c name=dup path=/tmp/q/c1 persist", 0, "");
    says(&host, "jail -c name=dup path=/tmp/q/c1 persist", 1, "jail: \"dup\" already exists\n");
    says(&host, "jls -j dup jid", 0, "1\n");
    says(&host, "jls -n name ip4.addr", 0, "name=dup ip4.addr=\n");
    says(&host, "jail -r dup", 0, "");
    says(&host, "jls -j dup jid", 1, "jls: jail \"dup\" not found\n");
    says(&host, "jls -n name ip4.addr", 0, "");
    says(&host, "jail -c name=dup path=/tmp/q/c1 persist", 0, "");
    says(&host, "jail -R dup", 0, "");
}

#[test]
fn addresses_of_two_jails_clash_unless_each_has_but_one() {
    let host = machine();
    says(&host, "jail -c name=one path=/tmp/q/c1 ip4.addr=127.0.0.9 persist", 0, "");
    says(&host, "jail -c name=two path=/tmp/q/c1 ip4.addr=127.0.0.9 persist", 0, "");
    says(
        &host,
        "jail -c name=three path=/tmp/q/c1 ip4.addr=127.0.0.8,127.0.0.9 persist",
        1,
        "jail: IPv4 addresses clash\n",
    );
    says(&host, "jls -n name ip4.addr", 0, "name=one ip4.addr=127.0.0.9\nname=two ip4.addr=127.0.0.9\n");
}

#[test]
fn interfaces_go_to_a_jail_and_come_back() {
    let host = machine();
    host.plant_interface("epair0b");
    says(&host, "ifconfig epair0b vnet vn", 1, "ifconfig: jail \"vn\" not found\n");
    says(&host, "jail -c name=vn path=/tmp/q/c1 vnet persist", 0, "");
    says(&host, "ifconfig epair0b vnet vn", 0, "");
    says(&host, "ifconfig epair0b", 1, "ifconfig: interface epair0b does not exist\n");
    says(&host, "ifconfig epair0b -vnet vn", 0, "");
    assert_eq!(host.freebsd_says("ifconfig epair0b").status, 0);
    says(&host, "ifconfig epair0b vnet vn", 0, "");
    says(&host, "jail -R vn", 0, "");
    assert_eq!(host.freebsd_says("ifconfig epair0b").status, 0);
}

#[test]
fn aliases_stay_when_a_jail_goes() {
    let host = machine();
    says(&host, "ifconfig lo0 inet 127.0.0.9/32 alias", 0, "");
    says(&host, "ifconfig lo0 inet 127.0.0.9/32 alias", 0, "");
    says(&host, "jail -c name=ip path=/tmp/q/c1 ip4.addr=127.0.0.9 persist", 0, "");
    says(&host, "jail -r ip", 0, "");
    let shown = host.freebsd_says("ifconfig lo0 inet").stdout;
    let lines: Vec<&str> = shown.lines().skip(1).map(str::trim).collect();
    assert_eq!(lines, ["inet 127.0.0.1 netmask 0xff000000", "inet 127.0.0.9 netmask 0xffffffff"]);
    says(&host, "ifconfig lo0 inet 127.0.0.9 -alias", 0, "");
    assert_ne!(host.freebsd_says("ifconfig lo0 inet 127.0.0.9 -alias").status, 0);
    says(&host, "ifconfig lo9", 1, "ifconfig: interface lo9 does not exist\n");
}

#[test]
fn rules_need_a_kernel_that_counts() {
    let off = "rctl: RACCT/RCTL present, but disabled; enable using kern.racct.enable=1 tunable\n";
    says(&machine(), "rctl -a jail:x:memoryuse:deny=67108864", 1, off);
    says(&machine(), "sysctl -n kern.racct.enable", 0, "0\n");
    let host = machine().with_accounting();
    says(&host, "sysctl -n kern.racct.enable", 0, "1\n");
    says(&host, "rctl -a jail:x:memoryuse:deny=67108864", 0, "");
    says(&host, "rctl jail:x:memoryuse", 0, "jail:x:memoryuse:deny=67108864\n");
    assert_ne!(
        host.freebsd_says("rctl -a jail:x:readbps:deny=1").status,
        0,
        "reading can only be slowed down"
    );
    says(&host, "rctl -r jail:x", 0, "");
    says(&host, "rctl jail:x", 0, "");
}

#[test]
fn rule_sets() {
    says(&machine(), "devfs rule showsets", 0, "1\n2\n3\n4\n5\n");
}
