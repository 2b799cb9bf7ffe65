//! qchroot against its targets: ratios to a floor that runs by turns with it, so that the machine cancels out,
//! and a few absolute times that a person would notice.

mod border;
mod ground;
mod isolation;
mod measure;
mod space;
mod unpacking;
mod userland;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::run::Run;
use crate::workspace::Workspace;
use crate::{Result, setup};
use ground::Ground;
use measure::{Series, alone, by_turns};

/// How many containers `list` is measured with.
const MANY: usize = 1_000;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fail if a target is missed
    #[arg(long)]
    check: bool,
    /// What to measure
    #[arg(long, value_enum, default_value_t = Part::All)]
    part: Part,
    /// How many runs of each command that takes milliseconds
    #[arg(long, default_value_t = 100)]
    runs: usize,
    /// Where to work, on a real disk [default: target/bench]
    #[arg(long)]
    directory: Option<PathBuf>,
}

/// What there is to measure.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    All,
    /// Creating, entering and listing containers
    Containers,
    /// Containers in namespaces of their own, one and many
    Isolation,
    /// Unpacking and installing
    Archives,
    /// Back ends behind the border to plug-ins
    Border,
}

/// One line of the table.
struct Row {
    what: &'static str,
    target: f64,
    measured: f64,
    unit: String,
    details: String,
}

impl Row {
    fn met(&self) -> bool {
        self.measured <= self.target
    }

    /// The least processor time of `ours` over that of `floor`.
    fn ratio(what: &'static str, target: f64, ours: &Series, floor: &Series) -> Self {
        let over = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64().max(1e-9);
        let measured = over(ours.cpu().min, floor.cpu().min);
        let wall = over(ours.wall().median, floor.wall().median);
        let details = format!("{}; floor {}; wall × {wall:.2}", spread(ours), spread(floor));
        Self { what, target, measured, unit: "× floor".into(), details }
    }

    /// The least time on the wall of the first over that of the second.
    fn wall_ratio(what: &'static str, target: f64, unit: &str, (ours, peer): (&Series, &Series)) -> Self {
        let measured = ours.wall().min.as_secs_f64() / peer.wall().min.as_secs_f64().max(1e-9);
        let details = format!("{}; peer {}", spread(ours), spread(peer));
        Self { what, target, measured, unit: unit.into(), details }
    }

    /// The middle time on the wall.
    fn time(what: &'static str, target: f64, series: &Series) -> Self {
        Self {
            what,
            target,
            measured: millis(series.wall().median),
            unit: "ms".into(),
            details: spread(series),
        }
    }
}

/// `cargo xtask bench`.
pub(crate) fn task(workspace: &Workspace, args: &Args) -> Result<()> {
    setup::require_root("bench", "mounts and enters containers")?;
    setup::ensure(setup::TESTS)?;
    setup::ensure(setup::BENCH)?;
    Run::cargo().args(["build", "--release", "--package=qchroot"]).run()?;
    Run::cargo().args(["build", "--release", "--package=xtask", "--features=measure", "--bins"]).run()?;
    let directory = args.directory.clone().unwrap_or_else(|| workspace.target.join("bench"));
    let ground = Ground::prepare(workspace, &directory)?;
    let rows = measure_parts(workspace, &ground, args, &directory);
    ground.clear()?;
    let rows = rows?;
    print(&rows);
    if args.check && !rows.iter().all(Row::met) {
        return Err("a target was missed".into());
    }
    Ok(())
}

fn measure_parts(workspace: &Workspace, ground: &Ground, args: &Args, directory: &Path) -> Result<Vec<Row>> {
    let mut rows = vec![];
    let wanted = |part| args.part == Part::All || args.part == part;
    if wanted(Part::Containers) {
        rows.extend(containers(ground, args.runs.max(1))?);
        rows.extend(space::measure(ground, args.runs.clamp(1, 20))?);
    }
    if wanted(Part::Isolation) {
        rows.extend(isolation::measure(ground, args.runs.clamp(1, 30))?);
    }
    if wanted(Part::Archives) {
        rows.extend(unpacking::measure(workspace, ground, directory)?);
        rows.push(again(ground, args.runs.clamp(1, 20))?);
    }
    if wanted(Part::Border) {
        rows.extend(border::measure(workspace, directory)?);
    }
    Ok(rows)
}

/// A second install of what is there.
fn again(ground: &Ground, runs: usize) -> Result<Row> {
    Ok(Row::time("install again", 100.0, &alone(runs, || ground.install_again())?))
}

fn containers(ground: &Ground, runs: usize) -> Result<Vec<Row>> {
    let program = &ground.program;
    let exec = || program.command(&["exec", "bench", "--", "/bin/true"]);
    program.command(&["create", "bench", "--storage", "overlay"]).text()?;
    let (stopped, floor) = by_turns(runs, exec, || ground.floor_mounts())?;
    let stopped = Row::ratio("exec, stopped", 1.5, &stopped, &floor);
    program.command(&["config", "bench", "--command", "wait=/bin/busybox sleep 1000000"]).text()?;
    program.command(&["start", "bench"]).text()?;
    let (started, floor) = by_turns(runs, exec, || ground.floor_exec())?;
    let started = Row::ratio("exec, started", 1.2, &started, &floor);
    program.command(&["stop", "bench"]).text()?;
    let mut rows = vec![started, stopped];
    rows.push(Row::time("version", 2.0, &alone(runs, || program.command(&["version"]))?));
    rows.extend(create_many(ground)?);
    rows.push(Row::time("list of 1,000", 50.0, &alone(runs.min(20), || program.command(&["list"]))?));
    Ok(rows)
}

/// Makes the containers that `list` then shows, and measures that.
fn create_many(ground: &Ground) -> Result<[Row; 2]> {
    let mut series = Series::default();
    let before = ground.disk_use()?;
    for number in 1..MANY {
        series.add(ground.program.command(&["create", &format!("c{number}"), "--storage", "overlay"]))?;
    }
    let grown = ground.disk_use()?.saturating_sub(before);
    let each = Row {
        what: "create, disk",
        target: 24.0,
        measured: f64::from(u32::try_from(grown / 1024)?) / f64::from(u32::try_from(MANY - 1)?),
        unit: "KiB".into(),
        details: String::new(),
    };
    Ok([Row::time("create, overlay", 2.0, &series), each])
}

fn spread(series: &Series) -> String {
    let (cpu, wall) = (series.cpu(), series.wall());
    let times = [cpu.min, cpu.median, wall.min, wall.median].map(|time| format!("{:.2}", millis(time)));
    format!("cpu {}/{} wall {}/{} ms", times[0], times[1], times[2], times[3])
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn print(rows: &[Row]) {
    println!("{:15} {:>8} {:>9} {:8} {:6}  least/middle", "what", "target", "measured", "", "");
    for row in rows {
        let verdict = if row.met() { "met" } else { "missed" };
        println!(
            "{:15} {:>8} {:>9.2} {:8} {verdict:6}  {}",
            row.what, row.target, row.measured, row.unit, row.details
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_up_to_its_very_value() {
        let row = |measured: f64| Row {
            what: "x",
            target: 2.0,
            measured,
            unit: "ms".into(),
            details: String::new(),
        };
        assert!(row(2.0).met() && !row(2.01).met());
    }
}
