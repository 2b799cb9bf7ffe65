//! `logs`: what services printed, in the order of time, from all files that a log was put into, and what they print
//! from now on. It changes nothing.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Name, Place, Result, Stat};
use serde::Serialize;

use crate::Engine;

/// Older files of a log that are looked for: `log.1`, `log.2` …
const OLDER: u32 = 9;

/// As many bytes are read at once.
const PIECE: u64 = 1 << 20;

/// What `logs` was asked for.
#[derive(Debug, Clone, Default)]
pub struct LogWish {
    /// One service only.
    pub service: Option<String>,
    /// As many of the last lines as this.
    pub last: Option<usize>,
    /// No line from before this time, in RFC 3339, UTC.
    pub since: Option<String>,
    /// Go on with what is printed from now on, for ever.
    pub follow: bool,
}

/// One line of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// When it was printed: RFC 3339, UTC, to the millisecond. Empty where the file does not tell.
    pub time: String,
    /// The container.
    pub container: Name,
    /// The service.
    pub service: String,
    /// The line, control characters shown as `\u{1b}`.
    pub text: String,
}

/// Where reading of a log stands.
#[derive(Debug, Clone, Copy)]
struct Position {
    /// The file's identity, which it keeps when it is put aside.
    file: (u64, u64),
    offset: u64,
}

impl Engine<'_> {
    /// Shows the lines that were asked for; with `follow` until `show` fails.
    ///
    /// # Errors
    /// Not found, when the container or the service has no log.
    pub fn logs(
        &self,
        name: &Name,
        wish: &LogWish,
        show: &mut dyn FnMut(&LogLine) -> Result<()>,
    ) -> Result<()> {
        self.read_file(name)?;
        let directory = self.layout.container_log(name);
        let mut changes = match wish.follow {
            true => {
                self.host.make_own_dir(&directory)?;
                Some(self.host.changes(&directory)?)
            }
            false => None,
        };
        let mut positions = BTreeMap::new();
        let mut lines = self.new_lines(name, wish, &mut positions)?;
        if lines.is_empty() && wish.service.is_some() && positions.is_empty() && !wish.follow {
            return Err(self.no_log(name, wish.service.as_deref().unwrap_or_default()));
        }
        lines.retain(|line| wish.since.as_ref().is_none_or(|since| line.time >= *since));
        let skipped = wish.last.map_or(0, |last| lines.len().saturating_sub(last));
        lines[skipped..].iter().try_for_each(&mut *show)?;
        while let Some(changes) = &mut changes {
            changes.wait()?;
            self.new_lines(name, wish, &mut positions)?.iter().try_for_each(&mut *show)?;
        }
        Ok(())
    }

    fn no_log(&self, name: &Name, service: &str) -> Error {
        let known = self.logged_services(name).unwrap_or_default().join(", ");
        let error = Error::new(ErrorKind::NotFound, format!("service {service} of {name} has no log"))
            .with("container", name)
            .with("service", service);
        match known.as_str() {
            "" => error.hint(format!("it has printed nothing; `qchroot config {name}` shows the services")),
            known => error.hint(format!("there are logs of: {known}")),
        }
    }

    /// Services with a log.
    fn logged_services(&self, name: &Name) -> Result<Vec<String>> {
        let services = self.load(name)?.services;
        let known = |name: &&str| services.iter().any(|service| service.name == *name);
        let files = self.host.list_own(&self.layout.container_log(name))?;
        let logged = files.iter().filter_map(|file| file.strip_suffix(".log")).filter(known);
        Ok(logged.map(str::to_owned).collect())
    }

    /// What was printed since the last look, in the order of time.
    fn new_lines(
        &self,
        name: &Name,
        wish: &LogWish,
        positions: &mut BTreeMap<String, Position>,
    ) -> Result<Vec<LogLine>> {
        let services = match &wish.service {
            Some(service) => {
                crate::service_entry::check_service_name(service)?;
                vec![service.clone()]
            }
            None => self.logged_services(name)?,
        };
        let mut lines = Vec::new();
        for service in services {
            let log = self.layout.service_log(name, &service);
            let (text, position) = self.text_since(&log, positions.get(&service).copied())?;
            positions.extend(position.map(|position| (service.clone(), position)));
            lines.extend(parse(name, &service, &text));
        }
        lines.sort_by(|one, other| one.time.cmp(&other.time));
        Ok(lines)
    }

    /// Whole lines from a position on, through the files that were put aside since, and where they end.
    fn text_since(&self, log: &Utf8Path, from: Option<Position>) -> Result<(String, Option<Position>)> {
        let mut bytes = Vec::new();
        let mut position = from;
        for (at, stat) in self.files_since(log, from)? {
            let file = stat.id;
            let offset = from.filter(|from| from.file == file).map_or(0, |from| from.offset);
            let read = self.read_from(&at, offset)?;
            // A line that has no end yet is read when it has.
            let end = read.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
            bytes.extend_from_slice(&read[..end]);
            position = Some(Position { file, offset: offset + end as u64 });
        }
        Ok((String::from_utf8_lossy(&bytes).into_owned(), position))
    }

    /// The files of a log from the one at `from` on, the oldest first.
    fn files_since(&self, log: &Utf8Path, from: Option<Position>) -> Result<Vec<(Utf8PathBuf, Stat)>> {
        let mut files = Vec::new();
        for number in 0..=OLDER {
            let at = if number == 0 { log.to_owned() } else { format!("{log}.{number}").into() };
            let Some(stat) = self.view().stat(&Place::host(&at))? else {
                if number == 0 { continue } else { break }
            };
            files.push((at, stat));
            if from.is_some_and(|from| from.file == stat.id) {
                break;
            }
        }
        files.reverse();
        Ok(files)
    }

    fn read_from(&self, at: &Utf8Path, offset: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            match self.view().bytes(&Place::host(at), offset + bytes.len() as u64, PIECE) {
                Ok(piece) if piece.is_empty() => return Ok(bytes),
                Ok(piece) => bytes.extend(piece),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(bytes), // put aside this moment
                Err(error) => return Err(error),
            }
        }
    }
}

/// Lines with their times; one without a time has that of the line before.
fn parse(name: &Name, service: &str, text: &str) -> Vec<LogLine> {
    let mut last = String::new();
    let line = |line: &str| {
        let stamped = line.split_once(' ').filter(|(time, _)| is_time(time));
        let (time, text) = stamped.unwrap_or((&last, line));
        let line = LogLine {
            time: time.to_owned(),
            container: name.clone(),
            service: service.to_owned(),
            text: text.to_owned(),
        };
        last.clone_from(&line.time);
        line
    };
    text.lines().map(line).collect()
}

/// `2026-11-22T02:02:14.080Z`
fn is_time(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && humantime::parse_rfc3339(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_a_time_stays_with_the_one_before() {
        let name = "web".parse().unwrap();
        let text = "2026-11-22T02:02:14.080Z one two\nno time\n2026-11-22T02:02:15.000Z \n";
        let lines = parse(&name, "db", text);
        let shown: Vec<_> = lines.iter().map(|line| (line.time.as_str(), line.text.as_str())).collect();
        assert_eq!(shown[0], ("2026-11-22T02:02:14.080Z", "one two"));
        assert_eq!(shown[1], ("2026-11-22T02:02:14.080Z", "no time"));
        assert_eq!(shown[2], ("2026-11-22T02:02:15.000Z", ""));
    }
}
