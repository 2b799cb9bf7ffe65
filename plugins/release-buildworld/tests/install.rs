//! Worlds in small, built and installed with bmake.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot prepare has failed")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use qchroot_api::{Brand, Error, ErrorKind, ReleaseSource, ReleaseWish, toml};
use qchroot_host::Machine;
use qchroot_release_buildworld::Buildworld;
use support::World;

#[track_caller]
fn says(error: &Error, kind: ErrorKind, words: &[&str]) {
    let text = format!("{error} {}", error.hint_text().unwrap_or(""));
    assert!(error.kind() == kind && words.iter().all(|word| text.contains(word)), "{kind:?} {text}");
}

#[test]
fn a_built_world_becomes_a_userland() {
    let world = World::built();
    let release = world.resolve(toml::Table::new()).unwrap();
    assert_eq!((release.version.as_str(), release.brand), ("14.1-RELEASE-p5", Brand::Freebsd));
    release.id().unwrap();
    world.fill(&release).unwrap();
    let staging = world.staging();
    for path in ["bin/sh", "usr/bin/fortune", "usr/sbin/sendmail", "usr/lib/libypclnt.so.4", "etc/passwd"] {
        assert!(staging.join(path).exists(), "{path}");
    }
    let mode = fs::metadata(staging.join("usr/bin/login")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o4555);
    assert!(!world.src.join("sys/conf/was-run").exists(), "the version is read, not run");
    let log = fs::read_to_string(world.log()).unwrap();
    assert!(log.contains("installworld") && log.contains("distribution"), "{log}");
}

#[test]
fn knobs_come_by_the_environment_and_from_nowhere_else() {
    let world = World::built();
    world.write("hostile.conf", "WITHOUT_SENDMAIL=\nDESTDIR=/evil\n.error the host's settings were read\n");
    let release = world.resolve(toml::toml! { knobs = ["WITHOUT_GAMES=yes", "WITHOUT_MAN"] }).unwrap();
    world.fill(&release).unwrap();
    assert!(!world.staging().join("usr/bin/fortune").exists());
    assert!(world.staging().join("usr/sbin/sendmail").exists());
    let env = fs::read_to_string(world.staging().join("etc/make.env")).unwrap();
    for line in ["WITHOUT_GAMES=yes", "WITHOUT_MAN=yes", "__MAKE_CONF=/dev/null", "SRCCONF=/dev/null"] {
        assert!(env.lines().any(|l| l == line), "{line} is not in {env}");
    }
}

#[test]
fn a_trimmed_world_has_less_in_names_of_the_trees_time() {
    let world = World::built();
    let trimmed = world.resolve(toml::toml! { profile = "trimmed" knobs = ["WITH_NIS"] }).unwrap();
    world.fill(&trimmed).unwrap();
    assert!(!world.staging().join("usr/bin/fortune").exists());
    assert!(!world.staging().join("usr/sbin/sendmail").exists());
    let env = &trimmed.pins["env"];
    assert!(env.contains("WITHOUT_TOOLCHAIN=yes") && !env.contains("WITHOUT_NIS"), "{env}");
    assert!(!env.contains("NO_"), "{env}");

    let old = World::of("world-2006");
    old.build(&[]);
    let trimmed = old.resolve(toml::toml! { profile = "trimmed" }).unwrap();
    assert_eq!(trimmed.version, "6.1-RELEASE");
    let env = &trimmed.pins["env"];
    assert!(["NO_GAMES=yes", "NOINET6=yes"].iter().all(|knob| env.contains(knob)), "{env}");
    assert!(!env.contains("WITHOUT_"), "{env}");
    old.fill(&trimmed).unwrap();
    assert!(old.staging().join("bin/sh").exists() && old.staging().join("etc/group").exists());
    assert!(!old.staging().join("usr/games/fortune").exists());
}

#[test]
fn the_digest_follows_what_decides_the_content() {
    let world = World::built();
    let plain = world.resolve(toml::Table::new()).unwrap();
    assert_eq!(plain.digest, world.resolve(toml::Table::new()).unwrap().digest);
    for more in [toml::toml! { knobs = ["WITHOUT_GAMES"] }, toml::toml! { profile = "trimmed" }] {
        assert_ne!(plain.digest, world.resolve(more).unwrap().digest);
    }
    assert_eq!(plain.digest, world.resolve(toml::toml! { jobs = 2 }).unwrap().digest);
    world.build(&[]);
    let rebuilt = world.resolve(toml::Table::new()).unwrap();
    assert_ne!(plain.digest, rebuilt.digest, "a new build is another release");
    fs::create_dir_all(world.src.join(".git/refs/heads")).unwrap();
    world.write(".git/HEAD", "ref: refs/heads/releng\n");
    world.write(".git/refs/heads/releng", "0123\n");
    let committed = world.resolve(toml::Table::new()).unwrap();
    assert_ne!(rebuilt.digest, committed.digest);
    world.write(".git/refs/heads/releng", "4567\n");
    assert_ne!(committed.digest, world.resolve(toml::Table::new()).unwrap().digest);
}

#[test]
fn only_production_releases_by_default() {
    let world = World::built();
    let wish = |release: Option<&str>, any| ReleaseWish {
        release: release.map(str::to_owned),
        any,
        options: world.options(toml::Table::new()),
    };
    let resolve = |wish: &ReleaseWish| Buildworld.resolve(wish, &Machine::new());
    for name in ["14.1-RELEASE", "14.1-RELEASE-p5"] {
        assert_eq!(resolve(&wish(Some(name), false)).unwrap().version, "14.1-RELEASE-p5");
    }
    let other = resolve(&wish(Some("13.2-RELEASE"), true)).unwrap_err();
    says(&other, ErrorKind::NotFound, &["14.1-RELEASE-p5", "13.2-RELEASE"]);
    for branch in ["CURRENT", "STABLE", "RC1", "BETA2", "PRERELEASE"] {
        let text = format!("REVISION=\"15.0\"\nBRANCH=\"{branch}\"\n");
        world.write("sys/conf/newvers.sh", &text);
        says(&resolve(&wish(None, false)).unwrap_err(), ErrorKind::BadData, &[branch, "--any-release"]);
        assert_eq!(resolve(&wish(None, true)).unwrap().version, format!("15.0-{branch}"));
    }
}

#[test]
fn a_failing_make_shows_its_last_words_and_where_all_of_them_are() {
    let world = World::built();
    let release = world.resolve(toml::Table::new()).unwrap();
    let noise = "\t@i=0; while [ $$i -lt 500 ]; do echo noise $$i; i=$$((i + 1)); done\n";
    let cry = "\t@printf 'cannot \\033[31mstat\\n' >&2; exit 3\n";
    world.write("etc/Makefile", &format!("distribution: .PHONY\n{noise}{cry}"));
    let error = world.fill(&release).unwrap_err();
    let log = world.log();
    says(&error, ErrorKind::System, &["make distribution", "status", "stat", "noise 499", log.as_str()]);
    assert!(!error.to_string().contains("noise 400"), "{error}");
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("noise 0\n") && log.contains("cannot \\u{1b}[31mstat"), "{log}");
}

#[test]
fn objects_that_change_under_way_are_told() {
    let world = World::built();
    let release = world.resolve(toml::Table::new()).unwrap();
    world.append("etc/Makefile", &format!("\techo new > {}/toolchain-metadata.mk\n", world.objects()));
    says(&world.fill(&release).unwrap_err(), ErrorKind::BadData, &["changed while they were installed"]);
}
