//! Options: what each becomes for jail(8), and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

mod support;

use qchroot_api::{Backend, ErrorKind, Options, Step, toml};
use qchroot_isolation_jail::Jail;
use support::World;

/// The words that jail(8) is given for these options.
fn words(options: Options) -> Vec<String> {
    Jail.check(&options).expect("the options are good");
    let world = World::new(options);
    world.host.plant_interface("epair0b");
    let jail = |step| match step {
        Step::Run { argv, .. } => Some(argv).filter(|argv| argv[0] == "jail"),
        _ => None,
    };
    world.up().into_iter().find_map(jail).expect("a jail is made")
}

#[test]
fn each_option_is_one_word_of_jail_8() {
    let of = |key: &str, value: toml::Value| words([(key.to_owned(), value)].into_iter().collect());
    for (key, value, word) in [
        ("host.hostname", "db.example.org".into(), "host.hostname=db.example.org"),
        ("ip4", "inherit".into(), "ip4=inherit"),
        ("ip6", "new".into(), "ip6=new"),
        ("securelevel", 3.into(), "securelevel=3"),
        ("devfs_ruleset", 5.into(), "devfs_ruleset=5"),
        ("enforce_statfs", 0.into(), "enforce_statfs=0"),
        ("children.max", 7.into(), "children.max=7"),
        ("sysvmsg", "new".into(), "sysvmsg=new"),
        ("sysvsem", "inherit".into(), "sysvsem=inherit"),
        ("osrelease", "12.4-RELEASE".into(), "osrelease=12.4-RELEASE"),
        ("osreldate", 1_204_000.into(), "osreldate=1204000"),
        ("allow.raw_sockets", true.into(), "allow.raw_sockets"),
        ("allow.chflags", true.into(), "allow.chflags"),
        ("allow.socket_af", true.into(), "allow.socket_af"),
        ("allow.sysvipc", true.into(), "allow.sysvipc"),
        ("allow.mlock", true.into(), "allow.mlock"),
        ("allow.read_msgbuf", true.into(), "allow.read_msgbuf"),
        ("allow.quotas", true.into(), "allow.quotas"),
        ("allow.mount.zfs", true.into(), "allow.mount.zfs"),
        ("allow.reserved_ports", false.into(), "allow.noreserved_ports"),
        ("allow.unprivileged_proc_debug", false.into(), "allow.nounprivileged_proc_debug"),
    ] {
        let argv = of(key, value);
        assert_eq!(argv.iter().filter(|argument| *argument == word).count(), 1, "{key}: {argv:?}");
    }
    assert!(!of("allow.set_hostname", true.into()).iter().any(|word| word.contains("set_hostname")));
    assert!(words(Options::new()).contains(&"allow.noset_hostname".to_owned()));
}

#[test]
fn addresses_are_given_to_the_jail_without_interface_and_prefix() {
    let argv = words(toml::toml! { "ip4.addr" = ["lo1|10.0.0.1/24", "192.0.2.7"] });
    assert!(argv.contains(&"ip4.addr=10.0.0.1,192.0.2.7".to_owned()), "{argv:?}");
    assert!(argv.contains(&"ip6=disable".to_owned()), "{argv:?}");
}

#[test]
fn a_network_of_its_own_says_nothing_of_addresses() {
    let argv = words(toml::toml! { vnet = true "vnet.interface" = ["epair0b"] });
    assert!(argv.contains(&"vnet".to_owned()), "{argv:?}");
    assert!(!argv.iter().any(|word| word.starts_with("ip4") || word.starts_with("ip6")), "{argv:?}");
    assert!(argv.contains(&"devfs_ruleset=5".to_owned()), "{argv:?}");
}

#[test]
fn what_makes_no_sense_is_refused_by_its_key() {
    for (options, key) in [
        (toml::toml! { ip4 = "some" }, "ip4"),
        (toml::toml! { ip4 = "inherit" "ip4.addr" = ["10.0.0.1"] }, "ip4"),
        (toml::toml! { "ip4.addr" = ["10.0.0.300"] }, "ip4.addr"),
        (toml::toml! { "ip6.addr" = ["fe80::1%lo0"] }, "ip6.addr"),
        (toml::toml! { vnet = true ip4 = "inherit" }, "ip4"),
        (toml::toml! { vnet = true interface = "em0" }, "interface"),
        (toml::toml! { "vnet.interface" = ["epair0b"] }, "vnet.interface"),
        (toml::toml! { vnet = true "vnet.interface" = ["-l"] }, "vnet.interface"),
        (toml::toml! { interface = "em0 up" }, "interface"),
        (toml::toml! { securelevel = 4 }, "securelevel"),
        (toml::toml! { devfs_ruleset = 0 }, "devfs_ruleset"),
        (toml::toml! { "host.hostname" = "a b" }, "host.hostname"),
        (toml::toml! { jid_file = "web.jid" }, "jid_file"),
        (toml::toml! { style = "vps" }, "style"),
        (toml::toml! { parameters = ["exec.start=/bin/sh"] }, "parameters"),
        (toml::toml! { parameters = ["mount.fstab=/etc/fstab"] }, "parameters"),
        (toml::toml! { parameters = ["path=/"] }, "parameters"),
        (toml::toml! { parameters = ["allow.raw_sockets"] }, "parameters"),
        (toml::toml! { parameters = ["allow.noraw_sockets"] }, "parameters"),
        (toml::toml! { parameters = ["novnet"] }, "parameters"),
        (toml::toml! { parameters = ["-r"] }, "parameters"),
        (toml::toml! { "ip6.addr" = ["lo1|fe80::1"] }, "ip6.addr"),
        (toml::toml! { "children.max" = 999_999 }, "children.max"),
        (toml::toml! { osrelease = "12.4 RELEASE" }, "osrelease"),
        (toml::toml! { osrelease = "12.4-RELEASE-of-somebody-with-time" }, "osrelease"),
        (toml::toml! { "allow.mount.ext2" = true }, "allow.mount.ext2"),
    ] {
        let error = Jail.check(&options).expect_err(&options.to_string());
        assert_eq!((error.kind(), error.fact("key")), (ErrorKind::Config, Some(key)), "{error}");
    }
}

#[test]
fn a_host_that_lacks_something_is_told_what() {
    let error = World::new(toml::toml! { "ip4.addr" = ["lo7|10.0.0.1"] }).plan().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.hint_text().unwrap().contains("cloned_interfaces+=lo7"), "{error:?}");

    let error = World::new(toml::toml! { vnet = true "vnet.interface" = ["epair7b"] }).plan().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.hint_text().unwrap().contains("cloned_interfaces+=epair7`"), "{error:?}");

    let mut world = World::new(toml::toml! { vnet = true });
    world.host = world.host.with_one_network_stack();
    assert_eq!(world.plan().unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn a_secure_level_below_the_hosts_is_refused_before_the_kernel_does() {
    let error = |hosts: &str| {
        let mut world = World::new(toml::toml! { securelevel = 1 });
        world.host = world.host.with_variable("kern.securelevel", hosts);
        world.plan().err().map(|error| (error.kind(), error.fact("key").map(str::to_owned)))
    };
    assert_eq!(error("2"), Some((ErrorKind::Config, Some("securelevel".into()))));
    assert_eq!((error("-1"), error("1")), (None, None));
}

#[test]
fn a_system_that_is_a_jail_says_what_it_lacks() {
    let lacking = |variables: &[(&str, &str)]| {
        let mut world = World::new(Options::new());
        for (name, value) in variables {
            world.host = world.host.with_variable(&format!("security.jail.{name}"), value);
        }
        world.plan().err().map(|error| (error.kind(), error.causes().join(" ")))
    };
    let (kind, why) = lacking(&[("jailed", "1"), ("children.max", "0"), ("children.cur", "0")]).unwrap();
    assert_eq!(kind, ErrorKind::Unavailable);
    assert!(why.contains("children.max"), "{why}");
    let able = [
        ("jailed", "1"),
        ("children.max", "9"),
        ("children.cur", "8"),
        ("enforce_statfs", "1"),
        ("mount_allowed", "1"),
    ];
    assert!(lacking(&able).unwrap().1.contains("allow.mount.devfs"));
    assert_eq!(lacking(&[&able[..], &[("mount_devfs_allowed", "1")]].concat()), None);
}

#[test]
fn an_address_of_another_jail_is_refused_where_it_would_be_taken_away_again() {
    let refused = |address: &str| {
        let world = World::new(toml::toml! { "ip4.addr" = [address] });
        world.host.plant_dir("/other", 0o755);
        let made =
            world.host.freebsd_says("jail -c name=other path=/other ip4.addr=10.0.0.1,10.0.0.2 persist");
        assert_eq!(made.status, 0, "{}", made.stderr);
        world.plan().err().map(|error| (error.kind(), error.to_string()))
    };
    let (kind, text) = refused("lo1|10.0.0.2").unwrap();
    assert_eq!(kind, ErrorKind::Exists);
    assert!(text.contains("the jail other has the address 10.0.0.2 already"), "{text}");
    assert_eq!((refused("lo1|10.0.0.22"), refused("10.0.0.2")), (None, None));
}
