//! What containers in namespaces of their own cost, against the least that does the same, and against crun.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::ground::Ground;
use super::measure::{by_turns, by_turns_of};
use super::{Row, millis};
use crate::Result;
use crate::run::Run;
use crate::workspace::{make_directory, write_file};

/// Containers that run side by side.
const MANY: u32 = 500;

/// How many of them are started at once.
const AT_ONCE: &str = "16";

/// What a service is that does nothing.
const WAIT: &str = "wait=/bin/busybox sleep 1000000";

pub(super) fn measure(ground: &Ground, runs: usize) -> Result<Vec<Row>> {
    hide_second_hierarchy()?;
    create(ground, "boxed")?;
    let mut rows = start(ground, runs)?;
    rows.push(exec(ground, runs)?);
    rows.extend(many(ground)?);
    Ok(rows)
}

/// crun refuses a machine with both kinds of control groups; from here on, this process and its children see one.
fn hide_second_hierarchy() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
    let unified = "/sys/fs/cgroup/unified";
    if fs::exists(unified)? {
        umount2(unified, MntFlags::MNT_DETACH)?;
    }
    Ok(())
}

fn create(ground: &Ground, name: &str) -> Result<()> {
    let isolation = ["--storage", "overlay", "--isolation", "namespaces", "-o", "isolation.network=none"];
    ground.program.command(&[&["create", name], &isolation[..]].concat()).text()?;
    ground.program.command(&["config", name, "--command", WAIT]).text().map(drop)
}

/// Starting a container, against the floor and against crun with an overlay that is mounted already.
fn start(ground: &Ground, runs: usize) -> Result<Vec<Row>> {
    let (program, sandboxes) = (&ground.program, Sandboxes::new(ground)?);
    let ours = || {
        program.command(&["stop", "boxed"]).text()?;
        Ok(program.command(&["start", "boxed"]))
    };
    let floor = || {
        sandboxes.end()?;
        Ok(sandboxes.start())
    };
    let (started, least) = by_turns_of(runs, ours, floor)?;
    sandboxes.end()?;
    let bundle = Bundle::new(ground)?;
    let crun = || {
        bundle.end()?;
        Ok(bundle.start())
    };
    let measured = by_turns_of(runs, ours, crun);
    bundle.clear()?;
    let (again, peer) = measured?;
    Ok(vec![
        Row::wall_ratio("start, boxed", 2.0, "× floor", (&started, &least)),
        Row::wall_ratio("start, boxed", 1.0, "× crun", (&again, &peer)),
    ])
}

/// Running a program in a container that is started.
fn exec(ground: &Ground, runs: usize) -> Result<Row> {
    let sandboxes = Sandboxes::new(ground)?;
    sandboxes.start().text()?;
    let ours = || ground.program.command(&["exec", "boxed", "--", "/bin/true"]);
    let (ours, floor) = by_turns(runs, ours, || sandboxes.join())?;
    sandboxes.end()?;
    Ok(Row::ratio("exec, boxed", 1.5, &ours, &floor))
}

/// Many containers, up and down again.
fn many(ground: &Ground) -> Result<Vec<Row>> {
    let program = &ground.program;
    let names: Vec<String> = (1..=MANY).map(|number| format!("b{number}")).collect();
    names.iter().try_for_each(|name| create(ground, name))?;
    let least = floor_of_many(ground)?;
    let of_all = |verb: &str| {
        let words =
            [&[verb, "-j", AT_ONCE], &names.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat();
        timed(program.command(&words))
    };
    let (before, mounts) = (memory_free()?, host_mounts()?);
    let up = of_all("start")?;
    let memory = before.saturating_sub(memory_free()?) / 1024 / u64::from(MANY);
    let mounts = host_mounts()?.saturating_sub(mounts);
    let down = of_all("stop")?;
    let row = |what, target, measured, unit: &str, details: String| Row {
        what,
        target,
        measured,
        unit: unit.into(),
        details,
    };
    let details = format!("{:.0} ms; floor {:.0} ms", millis(up), millis(least));
    Ok(vec![
        row("500 up", 2.0, up.as_secs_f64() / least.as_secs_f64().max(1e-9), "× floor", details),
        row("500 down", 3000.0, millis(down), "ms", String::new()),
        row("500, memory", 1024.0, f64::from(u32::try_from(memory)?), "KiB each", String::new()),
        row("500, mounts", 1.0, f64::from(u32::try_from(mounts)?) / f64::from(MANY), "each", String::new()),
    ])
}

fn floor_of_many(ground: &Ground) -> Result<Duration> {
    let above = ground.tree("many");
    for number in 1..=MANY {
        for name in ["root", "upper", "work"] {
            make_directory(&above.join(number.to_string()).join(name))?;
        }
    }
    let sandboxes = Sandboxes::new(ground)?;
    let time = timed(
        ground.floor("many").arg(&sandboxes.numbers).arg(MANY.to_string()).args([above, ground.tree("base")]),
    )?;
    sandboxes.end()?;
    Ok(time)
}

fn timed(run: Run) -> Result<Duration> {
    let start = Instant::now();
    run.silently()?;
    Ok(start.elapsed())
}

/// `MemAvailable` of proc_meminfo(5), in bytes.
fn memory_free() -> Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")).ok_or("no MemAvailable")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn host_mounts() -> Result<usize> {
    Ok(fs::read_to_string("/proc/self/mountinfo")?.lines().count())
}

/// Sandboxes of the floor's.
struct Sandboxes<'a> {
    ground: &'a Ground,
    numbers: PathBuf,
}

impl<'a> Sandboxes<'a> {
    fn new(ground: &'a Ground) -> Result<Self> {
        let numbers = ground.tree("numbers");
        write_file(&numbers, "")?;
        Ok(Self { ground, numbers })
    }

    fn start(&self) -> Run {
        self.ground.floor("start").arg(&self.numbers).arg(self.ground.tree("root")).arg(self.ground.layers())
    }

    fn join(&self) -> Run {
        self.ground.floor("join").arg(&self.numbers)
    }

    fn end(&self) -> Result<()> {
        let text = fs::read_to_string(&self.numbers)?;
        let pids =
            text.lines().map(|number| Ok(Pid::from_raw(number.parse()?))).collect::<Result<Vec<_>>>()?;
        // The kernel takes its time for the end of a namespace: they end side by side.
        pids.iter().try_for_each(|pid| kill(*pid, Signal::SIGKILL))?;
        for pid in pids {
            while kill(pid, None).is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        write_file(&self.numbers, "")
    }
}

/// A bundle for crun: the floor's tree behind an overlay that is mounted for all runs.
struct Bundle<'a> {
    ground: &'a Ground,
    dir: PathBuf,
}

const CONTAINER: &str = "qchroot-bench";

impl<'a> Bundle<'a> {
    fn new(ground: &'a Ground) -> Result<Self> {
        let dir = ground.tree("bundle");
        make_directory(&dir)?;
        Run::new("crun").args(["spec", "-b"]).arg(&dir).text()?;
        let config = fs::read_to_string(dir.join("config.json"))?;
        let root = ground.tree("root").display().to_string();
        let config = config
            .replace("\"path\": \"rootfs\"", &format!("\"path\": \"{root}\""))
            .replace("\"terminal\": true", "\"terminal\": false")
            .replace("\"sh\"", "\"/bin/busybox\", \"sleep\", \"1000000\"");
        write_file(&dir.join("config.json"), &config)?;
        let bundle = Self { ground, dir };
        Run::new("mount")
            .args(["-t", "overlay", "overlay", "-o"])
            .arg(ground.layers())
            .arg(ground.tree("root"))
            .text()?;
        Ok(bundle)
    }

    fn start(&self) -> Run {
        let output = self.dir.join("output");
        Run::new("sh")
            .args(["-c", "exec crun run -d -b \"$0\" \"$1\" >\"$2\" 2>&1 </dev/null"])
            .arg(&self.dir)
            .arg(CONTAINER)
            .arg(output)
    }

    fn end(&self) -> Result<()> {
        Run::new("crun").args(["delete", "-f", CONTAINER]).capture().map(drop)
    }

    fn clear(&self) -> Result<()> {
        self.end()?;
        Run::new("umount").arg(self.ground.tree("root")).silently()
    }
}
