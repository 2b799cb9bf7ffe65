//! The tests that run on a FreeBSD machine, with all that they need beside them, as one archive.

use super::kit::Kit;
use super::{Arch, symbols};
use crate::dist::{self, Built};
use crate::run::Run;
use crate::workspace::Workspace;
use crate::{Result, test};

/// The program that holds the tests.
pub(super) const TESTS: &str = "qchroot-acceptance";

/// Builds the tests, the program with its crash points, and the plug-ins that are examples; leaves the archive.
pub(super) fn pack(workspace: &Workspace, kit: &Kit, arch: Arch) -> Result<()> {
    let build = kit.cargo("build").args(["--release", test::CRASH_POINTS, "--package=acceptance"]);
    build.args(dist::packages(workspace)).run()?;
    let tests = kit.built("release").join(TESTS);
    symbols::check(&tests)?;
    let name = format!("qchroot-{}-freebsd-{}-tests", dist::version(workspace)?, arch.name());
    let all = workspace.target.join("dist");
    let stage = all.join(&name).join("qchroot-tests");
    if stage.exists() {
        std::fs::remove_dir_all(&stage)?;
    }
    let built = Built::below(workspace, &kit.built("release"));
    let run = workspace.root.join("tests/acceptance/run.sh");
    let files = built.examples.iter().map(|file| (file, dist::plugin_file(file)));
    let own = [(&tests, TESTS.to_owned()), (&built.program, "qchroot".into()), (&run, "run.sh".into())];
    for (file, name) in own.into_iter().chain(files) {
        Run::new("install").args(["-D", "-m", "755"]).arg(file).arg(stage.join(name)).text()?;
    }
    println!("{}", dist::archive(&all, &name)?.display());
    Ok(())
}
