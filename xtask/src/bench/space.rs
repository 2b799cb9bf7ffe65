//! What capped containers and removals cost, against the least that does the same and runs by turns with it.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use super::Row;
use super::ground::Ground;
use super::measure::{Series, by_turns_of};
use crate::Result;
use crate::run::Run;
use crate::workspace::{make_directory, write_file};

/// Files of the container that is deleted.
const FILES: usize = 700;

pub(super) fn measure(ground: &Ground, runs: usize) -> Result<Vec<Row>> {
    let program = &ground.program;
    program.command(&["create", "capped", "--storage", "md", "--size", "256M"]).text()?;
    let rows = vec![create(ground, runs)?, start(ground, runs)?, delete(ground, runs)?];
    program.command(&["delete", "--wait", "capped"]).text()?;
    Ok(rows)
}

fn image(ground: &Ground) -> PathBuf {
    ground.program.root().join("lib/capped/disk.img")
}

/// Making a capped container against copying its disk.
fn create(ground: &Ground, runs: usize) -> Result<Row> {
    let (program, copy) = (&ground.program, ground.tree("copy.img"));
    let ours = || {
        if program.root().join("lib/new").exists() {
            program.command(&["delete", "--wait", "new"]).text()?;
        }
        Ok(program.command(&["create", "new", "--storage", "md", "--size", "256M"]))
    };
    let peer = || {
        if copy.exists() {
            fs::remove_file(&copy)?;
        }
        Ok(Run::new("cp").args(["--sparse=always", "--reflink=auto"]).arg(image(ground)).arg(&copy))
    };
    let (ours, peer) = by_turns_of(runs, ours, peer)?;
    program.command(&["delete", "--wait", "new"]).text()?;
    Ok(Row::wall_ratio("create, capped", 1.5, "× cp", (&ours, &peer)))
}

/// Opening a capped container against attaching and mounting a disk like its own.
fn start(ground: &Ground, runs: usize) -> Result<Row> {
    let (program, root, copy) = (&ground.program, ground.tree("root"), ground.tree("copy.img"));
    program.command(&["config", "capped", "--command", "wait=/bin/busybox sleep 1000000"]).text()?;
    let ours = || {
        program.command(&["stop", "capped"]).text()?;
        Ok(program.command(&["start", "capped"]))
    };
    let mounted = Cell::new(false);
    let unmount = || if mounted.replace(false) { Run::new("umount").arg(&root).silently() } else { Ok(()) };
    let floor = || {
        unmount()?;
        mounted.set(true);
        Ok(ground.floor_disk(&copy, &root))
    };
    let measured = by_turns_of(runs, ours, floor);
    unmount()?;
    program.command(&["stop", "capped"]).text()?;
    let (ours, floor) = measured?;
    Ok(Row::ratio("start, capped", 1.3, &ours, &floor))
}

/// Deleting a container against a rename with a removal in the background, and against a removal.
fn delete(ground: &Ground, runs: usize) -> Result<Row> {
    let (program, tree) = (&ground.program, ground.tree("full"));
    let ours = || {
        program.command(&["create", "full", "--storage", "overlay"]).text()?;
        fill(&program.root().join("lib/full/upper"))?;
        Ok(program.command(&["delete", "full"]))
    };
    let number = Cell::new(0);
    let background = || {
        number.set(number.get() + 1);
        fill(&tree)?;
        let script = "mv \"$0\" \"$1\" && { rm -rf \"$1\" >/dev/null 2>&1 & }";
        Ok(Run::new("sh").args(["-c", script]).arg(&tree).arg(tree.with_extension(number.get().to_string())))
    };
    let (deleted, renamed) = by_turns_of(runs, ours, background)?;
    let at_once = || {
        fill(&tree)?;
        Ok(Run::new("rm").arg("-rf").arg(&tree))
    };
    let (again, removed) = by_turns_of(runs, ours, at_once)?;
    Ok(either(&[
        (&deleted, &renamed, 1.2, "rename and rm in the background"),
        (&again, &removed, 0.2, "rm -rf"),
    ]))
}

/// A row that is met when one of several ratios is.
fn either(ratios: &[(&Series, &Series, f64, &str)]) -> Row {
    let (mut measured, mut details) = (f64::INFINITY, vec![]);
    for (ours, peer, target, name) in ratios {
        let row = Row::wall_ratio("", *target, "", (ours, peer));
        measured = f64::min(measured, row.measured / target);
        details.push(format!("× {:.2} of {name} ({})", row.measured, row.details));
    }
    let unit = "of one".to_owned();
    Row { what: "delete, 700", target: 1.0, measured, unit, details: details.join("; ") }
}

fn fill(directory: &Path) -> Result<()> {
    make_directory(directory)?;
    for number in 0..FILES {
        write_file(&directory.join(number.to_string()), "some bytes of a file\n")?;
    }
    Ok(())
}
