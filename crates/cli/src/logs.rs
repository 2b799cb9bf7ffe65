//! `logs`: lines of services on standard output.

use std::io::Write;
use std::time::SystemTime;

use qchroot_api::{Error, ErrorKind, Name, Result};
use qchroot_engine::{LogLine, LogWish};

use crate::args::Logs;
use crate::print::escape;
use crate::run::Front;

/// With `-f`, so many lines of what was.
const FEW: usize = 10;

impl Front<'_> {
    pub(crate) fn logs(&self, args: Logs) -> Result<()> {
        let name: Name = args.name.parse()?;
        let names_service = args.service.is_none();
        let wish = LogWish {
            service: args.service,
            last: args.lines.or(args.follow.then_some(FEW)),
            since: args.since.as_deref().map(since).transpose()?,
            follow: args.follow,
        };
        let mut is_heard = true;
        let shown = self.engine.logs(&name, &wish, &mut |line| {
            let text = if self.json { json(line)? } else { plain(line, names_service) };
            let mut out = std::io::stdout().lock();
            writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| {
                is_heard = error.kind() != std::io::ErrorKind::BrokenPipe;
                Error::from_io(&error, "cannot write to standard output")
            })
        });
        if is_heard { shown } else { Ok(()) }
    }
}

fn json(line: &LogLine) -> Result<String> {
    serde_json::to_string(line)
        .map_err(|error| Error::new(ErrorKind::Internal, "cannot print JSON").cause(error))
}

/// Tabs stay: they move nothing but what comes after them.
fn plain(line: &LogLine, names_service: bool) -> String {
    let text = line.text.split('\t').map(escape).collect::<Vec<_>>().join("\t");
    match names_service {
        true => format!("{} {}: {text}", line.time, line.service),
        false => format!("{} {text}", line.time),
    }
}

/// A time in RFC 3339, UTC, to the millisecond, from one in that form or from how long ago it was.
fn since(text: &str) -> Result<String> {
    let ago = || SystemTime::now().checked_sub(humantime::parse_duration(text).ok()?);
    let time = humantime::parse_rfc3339_weak(text).ok().or_else(ago).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("{text:?} is no time"))
            .hint("for example 2026-11-22T10:00:00Z, or 10m for ten minutes ago")
    })?;
    Ok(humantime::format_rfc3339_millis(time).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_service_obeys_nothing_and_keeps_its_tabs() {
        let line = LogLine {
            time: "2026-11-22T10:00:00.000Z".into(),
            container: "web".parse().unwrap(),
            service: "db".into(),
            text: "a\tb\u{1b}[2J".into(),
        };
        assert_eq!(plain(&line, true), "2026-11-22T10:00:00.000Z db: a\tb\\u{1b}[2J");
        assert_eq!(plain(&line, false), "2026-11-22T10:00:00.000Z a\tb\\u{1b}[2J");
    }

    #[test]
    fn a_time_is_given_or_counted_back() {
        assert_eq!(since("2026-11-22 10:00:00").unwrap(), "2026-11-22T10:00:00.000Z");
        assert!(since("10m").unwrap() > since("1h").unwrap());
        assert_eq!(since("yesterday").unwrap_err().kind(), ErrorKind::Usage);
    }
}
