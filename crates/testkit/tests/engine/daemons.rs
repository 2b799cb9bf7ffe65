//! What `doctor` says of the host's daemons, and what it does not.

use qchroot_api::{Platform, Transport};
use qchroot_testkit::FakeHost;

use crate::with_engine;

fn advice(host: &FakeHost) -> Vec<(String, String)> {
    let findings = with_engine(host, |engine| engine.doctor(false)).unwrap();
    assert!(findings.iter().all(|finding| finding.advice && !finding.repaired), "{findings:?}");
    findings.into_iter().map(|finding| (finding.what, finding.hint.unwrap())).collect()
}

#[test]
fn daemons_that_answer_on_every_address_are_named_with_their_line() {
    let host = FakeHost::freebsd();
    let sshd = host.plant_process("/", "/usr/sbin/sshd -D");
    let syslogd = host.plant_process("/", "/usr/sbin/syslogd");
    let inside = host.plant_process("/q/lib/web/root", "/usr/sbin/httpd");
    host.listen(Some(sshd), Transport::Tcp, "0.0.0.0:22".parse().unwrap());
    host.listen(Some(sshd), Transport::Tcp, "[::]:22".parse().unwrap());
    host.listen(Some(syslogd), Transport::Udp, "[::]:514".parse().unwrap());
    host.listen(Some(inside), Transport::Tcp, "0.0.0.0:80".parse().unwrap());
    host.listen(None, Transport::Tcp, "0.0.0.0:2049".parse().unwrap());
    let expected = [
        ("the host's kernel, or a process that cannot be seen, answers on every address: tcp port 2049 of 0.0.0.0".into(), "NFS"),
        (
            format!("sshd of the host (process {sshd}) answers on every address: tcp port 22 of 0.0.0.0 and ::"),
            "in /etc/ssh/sshd_config: ListenAddress ADDRESS",
        ),
        (
            format!("syslogd of the host (process {syslogd}) answers on every address: udp port 514 of ::"),
            "in /etc/rc.conf: syslogd_flags=\"-ss\"",
        ),
    ];
    let said = advice(&host);
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for ((what, hint), (expected, line)) in said.iter().zip(&expected) {
        assert_eq!(what, expected);
        assert!(hint.contains(line), "{hint}");
    }
}

#[test]
fn one_address_and_answers_to_own_questions_are_no_matter() {
    for (platform, dynamic) in [(Platform::Linux, 40000), (Platform::Freebsd, 50000)] {
        let host = FakeHost::new(platform);
        let named = host.plant_process("/", "named");
        host.listen(Some(named), Transport::Tcp, "192.0.2.1:53".parse().unwrap());
        host.listen(Some(named), Transport::Udp, "[::1]:53".parse().unwrap());
        host.listen(Some(named), Transport::Udp, ([0, 0, 0, 0], dynamic).into());
        assert_eq!(advice(&host), []);
        host.listen(Some(named), Transport::Tcp, ([0, 0, 0, 0], dynamic).into());
        assert_eq!(advice(&host).len(), 1);
    }
}
