//! What the border to plug-ins costs: the same back ends directly and across it, in one process.

use std::path::Path;

use super::Row;
use super::measure::by_turns_of;
use crate::run::Run;
use crate::workspace::{Workspace, make_directory};
use crate::{Result, mounts};

/// Fills of each kind.
const RUNS: usize = 7;

/// All rows about the border.
pub(super) fn measure(workspace: &Workspace, directory: &Path) -> Result<Vec<Row>> {
    let program = workspace.built("release", "border");
    Ok(vec![calls(&program)?, fill(&program, &directory.join("filled"))?])
}

/// A plan that looks at the host; what a call that does nothing takes stands beside it.
fn calls(program: &Path) -> Result<Row> {
    let text = Run::new(program).arg("calls").text()?;
    let mut measured = 0.0;
    let mut details = Vec::new();
    for line in text.lines() {
        let [name, direct, across] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("border said {line:?}").into());
        };
        let (direct, across): (f64, f64) = (direct.parse()?, across.parse()?);
        measured = across / direct.max(1.0);
        details.push(format!("{name} {:.1} µs, directly {:.1}", across / 1e3, direct / 1e3));
    }
    Ok(Row {
        what: "attach, border",
        target: 4.0,
        measured,
        unit: "× direct".into(),
        details: details.join("; "),
    })
}

/// Small files, each of which is a question to the host.
fn fill(program: &Path, target: &Path) -> Result<Row> {
    let filled = |how: &str| {
        mounts::remove_tree(target)?;
        make_directory(target)?;
        nix::unistd::sync();
        Ok(Run::new(program).args(["fill", how]).arg(target))
    };
    let (across, direct) = by_turns_of(RUNS, || filled("across"), || filled("direct"))?;
    mounts::remove_tree(target)?;
    let row = Row::ratio("fill, border", 1.5, &across, &direct);
    Ok(Row { unit: "× direct".into(), ..row })
}
