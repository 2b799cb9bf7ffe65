//! Steps as data: in journals, taken back, and in words.

#![allow(clippy::unwrap_used, reason = "tests report by panicking")]

use qchroot_api::{Access, Mount, MountFs, Name, Place, Service, ServiceStep, Step, Way};

fn examples() -> Vec<Step> {
    let at = Place::within("/q/web/root", "dev/null");
    let name: Name = "web".parse().unwrap();
    let run = qchroot_api::ServiceRun::Command { argv: vec!["httpd".into(), "-f".into()] };
    let service = Service::new("http", run);
    vec![
        Step::MakeDir { at: at.clone(), mode: 0o755 },
        Step::Stage { at: "/q/.staging-web".into() },
        Step::WriteFile { at: at.clone(), text: "x".into(), mode: 0o600, was: Some("y".into()) },
        Step::Link { at: at.clone(), to: "usr/bin".into(), was: None },
        Step::Rename { from: "/a".into(), to: "/b".into() },
        Step::Move { from: at.clone(), to: Place::host("/q/.previous/web/1") },
        Step::SetAccess {
            at: at.clone(),
            to: Access { mode: 0o700, uid: 1, gid: 2 },
            was: Access { mode: 0o755, uid: 0, gid: 0 },
        },
        Step::Device { at: at.clone(), major: 1, minor: 3 },
        Step::Mount(Mount::new(at, MountFs::Null { source: "/q/sharedfs".into() }).read_only()),
        Step::StartInit { container: name.clone(), root: "/q/web/root".into(), proc: None },
        Step::StartService(ServiceStep {
            container: name,
            root: "/q/web/root".into(),
            way: Way::chroot("/q/web/root"),
            service,
            lock: "/run/x".into(),
            log: "/log/x".into(),
            status: "/run/x.status".into(),
        }),
        Step::Run { argv: vec!["zfs".into()], check: None, undo: Some(vec!["zfs".into(), "destroy".into()]) },
    ]
}

#[test]
fn every_step_survives_its_journal_line() {
    for step in examples() {
        let line = serde_json::to_string(&step).unwrap();
        assert_eq!(serde_json::from_str::<Step>(&line).unwrap(), step, "{line}");
    }
}

#[test]
fn an_inverse_taken_back_is_the_step_itself() {
    for step in examples() {
        let inverse = step.inverse().unwrap();
        if let Some(again) = inverse.inverse() {
            let same = match &step {
                Step::Run { argv, .. } => matches!(&again, Step::Run { argv: a, .. } if a == argv),
                _ => again == step,
            };
            assert!(same, "{step} / {again}");
        }
    }
}

#[test]
fn a_step_reads_as_one_line() {
    for step in examples() {
        assert!(!step.to_string().contains('\n'));
    }
    assert_eq!(examples()[8].to_string(), "mount nullfs /q/sharedfs on /q/web/root/./dev/null (read-only)");
}
