//! Jails of other tools on the fake FreeBSD machine: what their files say becomes options of isolation `jail`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use qchroot_api::{Registration, Result};
use qchroot_engine::{AdoptWish, AdoptedSystem, AdoptedTool, Adoption, Engine};
use qchroot_isolation_chroot::Chroot;
use qchroot_isolation_jail::Jail;
use qchroot_storage_nullfs::Nullfs;
use qchroot_testkit::FakeHost;

const BACK_ENDS: [Registration; 3] = [
    Registration::Storage(|| Box::new(Nullfs)),
    Registration::Isolation(|| Box::new(Jail)),
    Registration::Isolation(|| Box::new(Chroot)),
];

fn with_engine<T>(host: &FakeHost, run: impl FnOnce(&Engine<'_>) -> Result<T>) -> Result<T> {
    qchroot_testkit::with_engine(host, &BACK_ENDS, run)
}

/// A machine with a shared tree, and a container `web` of the tool that mounts it on `mount`.
fn machine(trees: &str, [shared, template, mount]: [&str; 3], root: &str) -> FakeHost {
    let host = FakeHost::freebsd();
    host.on_run("jls", |_| qchroot_api::Output { status: 0, stdout: String::new(), stderr: String::new() });
    for dir in ["lib/.journal", "lib/.trash", "lib/releases", "etc/containers", "run"] {
        host.plant_dir(format!("/q/{dir}"), 0o755);
    }
    host.plant_dir(format!("{trees}/{shared}/bin"), 0o755);
    let version = "USERLAND_VERSION=\"13.2-RELEASE\"\n";
    host.plant_file(format!("{trees}/{shared}/bin/freebsd-version"), version, 0o755);
    for tree in [format!("{trees}/{template}"), root.to_owned()] {
        host.plant_dir(format!("{tree}/{mount}"), 0o755);
        host.plant_dir(format!("{tree}/etc"), 0o755);
        host.plant_link(format!("{tree}/bin"), &format!("/{mount}/bin"));
    }
    host
}

fn adopt(host: &FakeHost, tool: AdoptedTool, apply: bool) -> Adoption {
    let wish = AdoptWish { from: Some(tool), top: "/".into(), names: vec![], isolation: None, apply };
    with_engine(host, |engine| engine.adopt(&wish)).unwrap()
}

/// The options that `web` gets, one a line.
fn options(system: &AdoptedSystem) -> Vec<String> {
    assert!(system.left.is_empty(), "{:?}", system.left);
    let options = &system.containers[0].file.isolation.options;
    options.iter().map(|(key, value)| format!("{key} = {value}")).collect()
}

fn notes(system: &AdoptedSystem) -> Vec<String> {
    system.notes.iter().map(|note| format!("{}:{}: {}", note.file, note.line, note.what)).collect()
}

#[test]
fn a_jail_of_qjail() {
    let host = machine("/usr/jails", ["sharedfs", "template", "sharedfs"], "/usr/jails/web");
    let text = "name=\"web\"\nip4=\"10.0.0.1,lo1|10.0.0.2\"\nip6=\"fd00::1\"\npath=\"/usr/jails/web\"\n\
                interface=\"em0\"\nsecurelevel=\"2\"\ncpuset=\"0-1\"\nrsockets=\"yes\"\nruleset=\"7\"\ntmpfs=\"yes\"\n\
                image=\"\"\n";
    host.plant_file("/usr/local/etc/qjail.local/web", text, 0o644);
    let adoption = adopt(&host, AdoptedTool::Qjail, true);
    let system = &adoption.systems[0];
    assert_eq!(
        options(system),
        [
            "allow.mount = true",
            "allow.mount.tmpfs = true",
            "allow.raw_sockets = true",
            "devfs_ruleset = 7",
            "enforce_statfs = 1",
            "host.hostname = \"web\"",
            "interface = \"em0\"",
            "ip4.addr = [\"10.0.0.1\", \"lo1|10.0.0.2\"]",
            "ip6.addr = [\"fd00::1\"]",
            "securelevel = 2",
            "style = \"system\"",
        ]
    );
    assert_eq!(notes(system), ["/usr/local/etc/qjail.local/web:7: cpuset=0-1 is not taken over"]);
    assert!(adoption.failures.is_empty() && system.containers[0].done, "{:?}", adoption.failures);
    assert!(system.releases[0].id.as_str().starts_with("13.2-RELEASE-"), "{:?}", system.releases[0].id);
    let web = with_engine(&host, |engine| engine.load(&"web".parse()?).map(|loaded| loaded.services.len()));
    assert_eq!(web.unwrap(), 1, "the whole system is its service");
    assert!(adopt(&host, AdoptedTool::Qjail, true).systems.is_empty());
}

#[test]
fn a_jail_of_ezjail() {
    let host = machine("/usr/jails", ["basejail", "newjail", "basejail"], "/usr/jails/foo.org");
    let text = "# PROVIDE: standard_ezjail\nexport jail_foo_org_hostname=\"foo.org\"\n\
                export jail_foo_org_ip=\"em0|10.0.0.1,lo1|127.0.1.1\"\n\
                export jail_foo_org_rootdir=\"/usr/jails/foo.org\"\nexport jail_foo_org_procfs_enable=\"NO\"\n\
                export jail_foo_org_fdescfs_enable=\"YES\"\n\
                export jail_foo_org_parameters=\"allow.raw_sockets=1 allow.sysvipc allow.odd=1\"\n";
    host.plant_file("/usr/local/etc/ezjail/foo_org.norun", text, 0o644);
    let fstab = "/usr/jails/basejail /usr/jails/foo.org/basejail nullfs ro 0 0\n/home /usr/jails/foo.org/home nullfs rw 0 0\n";
    host.plant_file("/etc/fstab.foo_org", fstab, 0o644);
    let adoption = adopt(&host, AdoptedTool::Ezjail, false);
    let system = &adoption.systems[0];
    assert_eq!(
        options(system),
        [
            "allow.raw_sockets = true",
            "allow.sysvipc = true",
            "host.hostname = \"foo.org\"",
            "ip4.addr = [\"em0|10.0.0.1\", \"lo1|127.0.1.1\"]",
            "mount.fdescfs = true",
            "mount.procfs = false",
            "style = \"system\"",
        ]
    );
    let web = &system.containers[0];
    assert!(web.name.as_str() == "foo_org" && !web.file.boot, "{web:?}");
    assert_eq!(
        notes(system),
        [
            "/usr/local/etc/ezjail/foo_org.norun:7: the parameter allow.odd=1 is not taken over",
            "/etc/fstab.foo_org:2: the mount of /home on /usr/jails/foo.org/home (nullfs) is not taken over",
        ]
    );
}

#[test]
fn a_jail_of_bastille() {
    let dir = "/usr/local/bastille/jails/web";
    let trees = "/usr/local/bastille/releases";
    let host = machine(trees, ["13.2-RELEASE", "unused", ".bastille"], &format!("{dir}/root"));
    host.plant_dir(format!("{trees}/13.2-RELEASE/etc"), 0o755);
    let conf = "web {\n  enforce_statfs = 2;\n  devfs_ruleset = 4;\n  exec.clean;\n  exec.start = '/bin/sh /etc/rc';\n  \
                exec.stop = '/bin/sh /etc/rc.shutdown';\n  exec.prestart += \"touch /trap\";\n  host.hostname = web;\n  \
                path = /usr/local/bastille/jails/web/root;\n  osrelease = 13.2-RELEASE;\n  ip4.addr = \
                em0|10.0.0.1;\n  ip4.addr += em0|10.0.0.2;\n  ip6 = disable;\n}\n";
    host.plant_file(format!("{dir}/jail.conf"), conf, 0o644);
    let fstab = format!("{trees}/13.2-RELEASE {dir}/root/.bastille nullfs ro 0 0\n");
    host.plant_file(format!("{dir}/fstab"), &fstab, 0o644);
    host.plant_file(format!("{dir}/settings.conf"), "boot=\"off\"\ndepend=\"db\"\n", 0o644);
    host.plant_file(
        format!("{dir}/rctl.conf"),
        "jail:web:memoryuse:deny=1G/jail\njail:web:nthr:deny=9\n",
        0o644,
    );
    let adoption = adopt(&host, AdoptedTool::Bastille, false);
    let system = &adoption.systems[0];
    assert_eq!(
        options(system),
        [
            "devfs_ruleset = 4",
            "enforce_statfs = 2",
            "host.hostname = \"web\"",
            "ip4.addr = [\"em0|10.0.0.1\", \"em0|10.0.0.2\"]",
            "ip6 = \"disable\"",
            "osrelease = \"13.2-RELEASE\"",
            "style = \"system\"",
        ]
    );
    let file = &system.containers[0].file;
    assert!(!file.boot && file.requires[0].as_str() == "db", "{file:?}");
    assert!(!file.limits.is_empty(), "{file:?}");
    let expected = [
        format!("{dir}/jail.conf:7: exec.prestart = touch /trap is not taken over"),
        format!("{dir}/rctl.conf:2: the rule jail:web:nthr:deny=9 is not taken over"),
    ];
    assert_eq!(notes(system), expected);
}

#[test]
fn a_jail_that_runs_is_seen_by_its_root() {
    let host = machine("/usr/jails", ["sharedfs", "template", "sharedfs"], "/usr/jails/web");
    host.plant_file("/usr/local/etc/qjail.local/web", "name=\"web\"\n", 0o644);
    let say = |text: &'static str| {
        move |_: &[String]| qchroot_api::Output { status: 0, stdout: text.into(), stderr: String::new() }
    };
    host.on_run("jls", say("/elsewhere\n/usr/jails/web\n"));
    let system = adopt(&host, AdoptedTool::Qjail, true).systems.remove(0);
    assert!(system.containers.is_empty() && system.releases.is_empty(), "{system:?}");
    let left = &system.left[0];
    assert!(left.why.starts_with("web is running"), "{left:?}");
    assert_eq!(left.hint.as_deref(), Some("stop it with the old tool first: `qjail stop web`"));
}
