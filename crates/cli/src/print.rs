//! Results on standard output: tables for people, JSON for programs. What comes from a container is escaped.

use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use camino::Utf8PathBuf;
use comfy_table::{Table, presets};
use qchroot_api::{Error, Result, size_text};
use qchroot_engine::{Changed, Finding, ReleaseLine, SpaceReport, State, StatusReport, Verified};
use serde::Serialize;

/// Control characters shown, not obeyed.
pub(crate) fn escape(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let (shown, plain) =
                if c.is_control() { (Some(c.escape_default()), None) } else { (None, Some(c)) };
            shown.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// One line of a result.
///
/// # Errors
/// Input or output; a reader that went away is not an error (see [`quiet_when_closed`]).
pub(crate) fn line(text: &str) -> Result<()> {
    quiet_when_closed(writeln!(std::io::stdout().lock(), "{text}"))
}

/// A value as JSON, on one line.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value)
        .map_err(|e| Error::new(qchroot_api::ErrorKind::Internal, "cannot print JSON").cause(e))?;
    line(&text)
}

/// `qchroot list | head -1` ends the reader, not the program.
fn quiet_when_closed(written: std::io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::from_io(&error, "cannot write to standard output"))
        }
        _ => Ok(()),
    }
}

/// A table.
pub(crate) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<()> {
    lines(head, rows).iter().try_for_each(|text| line(text))
}

/// The lines of a table; what its cells have of control characters is shown.
pub(crate) fn lines(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| escape(cell)));
    }
    let last = table.column_count();
    for (n, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if n + 1 == last { 0 } else { 2 }));
    }
    table.lines().map(|text| text.trim_end().to_owned()).collect()
}

pub(crate) fn word(state: State) -> &'static str {
    match state {
        State::Stopped => "stopped",
        State::Started => "started",
        State::Partial => "partial",
    }
}

/// `list`.
pub(crate) fn list(reports: &[StatusReport]) -> Result<()> {
    let row = |report: &StatusReport| {
        let services: Vec<_> = report.services.iter().map(|service| service.name.as_str()).collect();
        vec![
            report.name.to_string(),
            word(report.state).into(),
            if report.release.is_empty() { "-".into() } else { report.release.clone() },
            report.storage.clone(),
            report.isolation.clone(),
            report.processes.to_string(),
            report.mounts.to_string(),
            report.used_bytes.map_or("-".into(), size_text),
            report.limit_bytes.map_or("-".into(), size_text),
            if report.boot { "yes" } else { "no" }.into(),
            if services.is_empty() { "-".into() } else { services.join(",") },
        ]
    };
    let head = [
        "NAME",
        "STATE",
        "RELEASE",
        "STORAGE",
        "ISOLATION",
        "PROCS",
        "MOUNTS",
        "USED",
        "LIMIT",
        "BOOT",
        "SERVICES",
    ];
    table(&head, reports.iter().map(row))
}

/// `55 MiB of 64 MiB, 7 MiB free (89 % full), 61 MiB on the host`.
pub(crate) fn space_line(space: &SpaceReport) -> String {
    let (used, host) = (size_text(space.used_bytes), size_text(space.allocated_bytes));
    let free = space.free_bytes.map_or(String::new(), |free| format!(", {} free", size_text(free)));
    match (space.limit_bytes, space.percent) {
        (Some(limit), Some(percent)) => {
            format!("{used} of {}{free} ({percent} % full), {host} on the host", size_text(limit))
        }
        _ if space.used_bytes == space.allocated_bytes => used,
        _ => format!("{used}, {host} on the host"),
    }
}

/// `release list`.
pub(crate) fn releases(releases: &[ReleaseLine]) -> Result<()> {
    let row = |release: &ReleaseLine| {
        let installed =
            humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(release.installed));
        vec![
            if release.current { "*" } else { "" }.into(),
            release.id.to_string(),
            release.version.clone(),
            release.source.clone(),
            release.brand.to_string(),
            installed.to_string(),
            size_text(release.size_bytes),
            release.containers.len().to_string(),
        ]
    };
    let head = ["", "ID", "VERSION", "SOURCE", "BRAND", "INSTALLED", "SIZE", "CONTAINERS"];
    table(&head, releases.iter().map(row))
}

/// `release verify`.
pub(crate) fn verified(verified: &Verified) -> Result<()> {
    if verified.drift.is_empty() {
        return line(&format!("{}: {} files as installed", verified.id, verified.files));
    }
    verified.drift.iter().try_for_each(|drift| {
        line(&format!("{}: {}: {}", verified.id, escape(&drift.path), drift.what.join(", ")))
    })
}

/// What became of a container's files.
pub(crate) fn changes(changes: &[Changed]) -> Result<()> {
    changes.iter().try_for_each(|change| {
        let beside = change.beside.as_ref().map_or(String::new(), |at| format!(" (see /{})", escape(at)));
        line(&format!("  {} /{}{beside}", change.what, escape(&change.path)))
    })
}

/// `doctor`.
pub(crate) fn findings(findings: &[Finding]) -> Result<()> {
    if findings.iter().all(|finding| finding.advice) {
        line("nothing is wrong")?;
    }
    for finding in findings {
        let state = match finding {
            Finding { advice: true, .. } => "advice",
            Finding { repaired: true, .. } => "repaired",
            _ => "found",
        };
        line(&format!("{state}: {}", escape(&finding.what)))?;
        if let Some(hint) = &finding.hint {
            line(&format!("  hint: {}", escape(hint)))?;
        }
    }
    Ok(())
}

/// The option of source `minimal` that brings these files; where a shell's line cannot say it, the line for TOML.
pub(crate) fn proposal(files: &[Utf8PathBuf]) -> Result<()> {
    let list: Vec<&str> = files.iter().map(|file| file.as_str()).collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._+-@".contains(c);
    if list.is_empty() {
        return line("nothing that it asked for is on the host and not inside");
    }
    if list.iter().all(|file| file.chars().all(plain)) {
        return line(&format!("-o files={}", list.join(",")));
    }
    line(&escape(&format!("files = {list:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_are_shown_not_obeyed() {
        assert_eq!(escape("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\nc");
        assert_eq!(escape("Grüße"), "Grüße");
    }
}
