//! `top`: who uses the machine, looked at twice and then again and again.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyModifiers, poll, read};
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute, queue, terminal};
use qchroot_api::{Error, Name, Result, size_text};
use qchroot_engine::Member;
use serde::Serialize;

use crate::args::{Sort, Top};
use crate::print;
use crate::processes::seconds;
use crate::run::Front;

/// What all processes of a container use together.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Sum {
    container: Name,
    processes: usize,
    cpu_percent: f64,
    memory_bytes: u64,
}

/// One look.
#[derive(Debug, Serialize)]
struct Look {
    containers: Vec<Sum>,
    processes: Vec<Member>,
}

impl Front<'_> {
    pub(crate) fn top(&self, args: &Top) -> Result<()> {
        let names = self.named(&args.names)?;
        let delay = seconds(args.delay)?;
        let live = !self.json && args.iterations.is_none() && stdin().is_terminal() && stdout().is_terminal();
        let mut before = (Instant::now(), self.engine.ps(&names)?);
        if live {
            return Screen::taken()?.show(delay, || self.look(&names, args, &mut before), args);
        }
        for _ in 0..args.iterations.unwrap_or(1) {
            std::thread::sleep(delay);
            let look = self.look(&names, args, &mut before)?;
            if self.json {
                print::json(&look)?;
            } else {
                lines(&look, args).iter().try_for_each(|text| print::line(text))?;
            }
        }
        Ok(())
    }

    fn look(&self, names: &[Name], args: &Top, before: &mut (Instant, Vec<Member>)) -> Result<Look> {
        let now = (Instant::now(), self.engine.ps(names)?);
        let passed = now.0.duration_since(before.0);
        let mut processes = since(&before.1, &now.1, passed);
        *before = now;
        let mut containers = sums(names, &processes);
        match args.sort {
            Sort::Cpu => {
                processes.sort_by(|a, b| b.cpu_percent.total_cmp(&a.cpu_percent));
                containers.sort_by(|a, b| b.cpu_percent.total_cmp(&a.cpu_percent));
            }
            Sort::Memory => {
                processes.sort_by_key(|member| std::cmp::Reverse(member.memory_bytes));
                containers.sort_by_key(|sum| std::cmp::Reverse(sum.memory_bytes));
            }
        }
        Ok(Look { containers, processes })
    }
}

/// The processes with their share since the look before; a new one is counted from its start on.
fn since(before: &[Member], now: &[Member], passed: Duration) -> Vec<Member> {
    let known: BTreeMap<(i32, u64), u64> =
        before.iter().map(|member| ((member.pid, member.started), member.cpu_millis)).collect();
    let share = |member: &Member| {
        let old = known.get(&(member.pid, member.started)).copied().unwrap_or(0);
        let millis = member.cpu_millis.saturating_sub(old);
        #[expect(clippy::cast_precision_loss, reason = "tenths of a percent")]
        let percent = millis as f64 / passed.as_secs_f64().max(0.001) / 10.0;
        Member { cpu_percent: (percent * 10.0).round() / 10.0, ..member.clone() }
    };
    now.iter().map(share).collect()
}

fn sums(names: &[Name], processes: &[Member]) -> Vec<Sum> {
    let sum = |name: &Name| {
        let own: Vec<&Member> = processes.iter().filter(|member| member.container == *name).collect();
        Sum {
            container: name.clone(),
            processes: own.len(),
            cpu_percent: own.iter().map(|member| member.cpu_percent).sum(),
            memory_bytes: own.iter().map(|member| member.memory_bytes).sum(),
        }
    };
    names.iter().map(sum).filter(|sum| sum.processes > 0).collect()
}

/// What is shown: containers, and where some are named, their processes.
fn lines(look: &Look, args: &Top) -> Vec<String> {
    let of_container = |sum: &Sum| {
        vec![
            sum.container.to_string(),
            sum.processes.to_string(),
            format!("{:.1}", sum.cpu_percent),
            size_text(sum.memory_bytes),
        ]
    };
    let of_process = |member: &Member| {
        vec![
            member.container.to_string(),
            member.pid.to_string(),
            member.user.clone(),
            format!("{:.1}", member.cpu_percent),
            size_text(member.memory_bytes),
            member.command.clone(),
        ]
    };
    let mut lines =
        print::lines(&["CONTAINER", "PROCS", "%CPU", "MEMORY"], look.containers.iter().map(of_container));
    if !args.names.is_empty() {
        let head = ["CONTAINER", "PID", "USER", "%CPU", "MEMORY", "COMMAND"];
        lines.push(String::new());
        lines.extend(print::lines(&head, look.processes.iter().map(of_process)));
    }
    lines
}

/// The terminal, taken for a while: given back as it was, whatever happens.
struct Screen;

impl Screen {
    fn taken() -> Result<Self> {
        terminal::enable_raw_mode().map_err(|error| failed(&error))?;
        let screen = Self;
        execute!(stdout(), EnterAlternateScreen, cursor::Hide).map_err(|error| failed(&error))?;
        Ok(screen)
    }

    fn show(self, delay: Duration, mut look: impl FnMut() -> Result<Look>, args: &Top) -> Result<()> {
        draw(&["one moment …".into()])?;
        // Soon a first time.
        let mut pause = delay.min(Duration::from_millis(500));
        while !wants_to_end(pause)? {
            draw(&lines(&look()?, args))?;
            pause = delay;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(stdout(), cursor::Show, LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}

fn failed(error: &std::io::Error) -> Error {
    Error::from_io(error, "cannot use the terminal")
}

/// As many lines as there is room for, none of them broken.
fn draw(lines: &[String]) -> Result<()> {
    let draw = || {
        // A terminal that does not know its size is as large as most were.
        let (width, height) = match terminal::size()? {
            (0, _) | (_, 0) => (80, 24),
            known => known,
        };
        let mut out = stdout().lock();
        queue!(out, cursor::MoveTo(0, 0))?;
        for text in lines.iter().take(height.saturating_sub(1).into()) {
            let shown: String = text.chars().take(width.into()).collect();
            write!(out, "{shown}")?;
            queue!(out, Clear(ClearType::UntilNewLine), cursor::MoveToNextLine(1))?;
        }
        queue!(out, Clear(ClearType::FromCursorDown))?;
        out.flush()
    };
    draw().map_err(|error| failed(&error))
}

/// Waits; true when the user has had enough.
fn wants_to_end(pause: Duration) -> Result<bool> {
    let end = Instant::now() + pause;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if !poll(left).map_err(|error| failed(&error))? {
            return Ok(false);
        }
        if let Event::Key(key) = read().map_err(|error| failed(&error))? {
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            match key.code {
                KeyCode::Char('q') => return Ok(true),
                KeyCode::Char('c' | 'd') if control => return Ok(true),
                _ => {}
            }
        }
    }
}
