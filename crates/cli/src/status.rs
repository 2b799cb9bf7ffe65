//! `status`: each service of each container, what it may use and uses, and what is missing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qchroot_api::{GroupUsage, Limits, Result, ServiceStatus, Standing, size_text};
use qchroot_engine::{ServiceReport, ServiceState, StatusReport};

use crate::print::{self, escape, line};

/// `status`.
pub(crate) fn status(reports: &[StatusReport]) -> Result<()> {
    reports.iter().try_for_each(container)
}

fn container(report: &StatusReport) -> Result<()> {
    let counts = format!("{} processes, {} mounts", report.processes, report.mounts);
    line(&format!("{}: {} ({counts})", report.name, print::word(report.state)))?;
    if let Some(space) = &report.space {
        line(&format!("  space: {}", print::space_line(space)))?;
    }
    if let Some(count) = report.snapshots.filter(|&count| count > 0) {
        line(&format!("  snapshots: {count}"))?;
    }
    if let Some(limits) = &report.limits {
        line(&format!("  limits: {}", limits_line(limits, report.usage.unwrap_or_default())))?;
    }
    for (name, fact) in &report.facts {
        line(&format!("  {name}: {}", escape(fact)))?;
    }
    for one in &report.services {
        line(&format!("  service {}: {}", escape(&one.name), service(one)))?;
    }
    report.problems.iter().try_for_each(|problem| line(&format!("  problem: {}", escape(problem))))
}

/// `running since 2026-11-22T10:00:00Z (5m), pids 12 13, started again 2 times, last exit 1`
fn service(report: &ServiceReport) -> String {
    let Some(status) = &report.status else { return format!("{:?}", report.state).to_lowercase() };
    let mut parts = vec![standing(report.state, status)];
    if !report.pids.is_empty() {
        let pids: Vec<String> = report.pids.iter().map(ToString::to_string).collect();
        parts.push(format!("pids {}", pids.join(" ")));
    }
    match status.restarts {
        0 => {}
        1 => parts.push("started again once".into()),
        times => parts.push(format!("started again {times} times")),
    }
    parts.extend(status.last_exit.map(|exit| format!("last exit {exit}")));
    parts.join(", ")
}

/// What the lock says, in the supervisor's words where these do not contradict it.
fn standing(state: ServiceState, status: &ServiceStatus) -> String {
    let word = match (state, status.standing) {
        (ServiceState::Running, Standing::Starting) => "starting, not ready yet",
        (ServiceState::Running, Standing::Unhealthy) => "running, not well",
        (ServiceState::Running, Standing::Waiting) => "about to be started again",
        (ServiceState::Running, _) => "running",
        (ServiceState::Ended, Standing::Failed) => "failed",
        (ServiceState::Ended, _) => "ended",
        (ServiceState::Stopped, _) => "stopped",
        (ServiceState::Unknown, _) => "unknown",
    };
    let since = UNIX_EPOCH + Duration::from_secs(status.since);
    let ago = SystemTime::now().duration_since(since).unwrap_or_default().as_secs();
    let ago = humantime::format_duration(Duration::from_secs(ago));
    format!("{word} since {} ({ago})", humantime::format_rfc3339_seconds(since))
}

/// `memory 12 MiB of 64 MiB, processes 3 of 50, cpu 1.5`
fn limits_line(limits: &Limits, used: GroupUsage) -> String {
    let of = |used: Option<String>| used.map_or(String::new(), |used| format!("{used} of "));
    let parts = [
        limits.cpu_percent.map(|percent| {
            let had = used.cpu_millis.map_or(String::new(), |millis| {
                format!(" ({} used)", humantime::format_duration(Duration::from_millis(millis)))
            });
            format!("cpu {}{had}", f64::from(percent) / 100.0)
        }),
        limits
            .memory_bytes
            .map(|most| format!("memory {}{}", of(used.memory_bytes.map(size_text)), size_text(most))),
        limits
            .processes
            .map(|most| format!("processes {}{most}", of(used.processes.map(|number| number.to_string())))),
        limits.open_files.map(|most| format!("open files {most} each")),
        limits.read_bps.map(|most| format!("read {}/s", size_text(most))),
        limits.write_bps.map(|most| format!("write {}/s", size_text(most))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stands_before_what_may_be() {
        let limits = Limits {
            cpu_percent: Some(150),
            memory_bytes: Some(64 << 20),
            processes: Some(50),
            open_files: Some(9),
            ..Limits::default()
        };
        let used = GroupUsage { memory_bytes: Some(3 << 20), processes: Some(2), cpu_millis: Some(1500) };
        assert_eq!(
            limits_line(&limits, used),
            "cpu 1.5 (1s 500ms used), memory 3 MiB of 64 MiB, processes 2 of 50, open files 9 each"
        );
        assert_eq!(
            limits_line(&limits, GroupUsage::default()),
            "cpu 1.5, memory 64 MiB, processes 50, open files 9 each"
        );
    }

    #[test]
    fn a_service_is_told_by_its_lock_first() {
        let status = ServiceStatus {
            standing: Standing::Running,
            since: 0,
            restarts: 2,
            last_exit: Some(137),
            reaper: Some(4),
        };
        let mut report = ServiceReport {
            name: "db".into(),
            state: ServiceState::Ended,
            status: Some(status),
            pids: vec![],
        };
        assert!(service(&report).starts_with("ended since 1970-01-01T00:00:00Z ("), "{}", service(&report));
        assert!(service(&report).ends_with(", started again 2 times, last exit 137"), "{}", service(&report));
        report.state = ServiceState::Stopped;
        report.status = None;
        assert_eq!(service(&report), "stopped");
    }
}
