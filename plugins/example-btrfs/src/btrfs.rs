//! The only place that knows btrfs(8): its command lines, and what `btrfs qgroup show` prints. It knows no container.

use qchroot_plugin::camino::Utf8Path;
use qchroot_plugin::{Check, Error, ErrorKind, Observe, Result, Step};

/// The program.
pub(crate) const PROGRAM: &str = "btrfs";

/// What a subvolume takes and may take, in bytes.
pub(crate) struct Counted {
    /// All that it shows.
    pub(crate) referenced: u64,
    /// What is in no other subvolume.
    pub(crate) exclusive: u64,
    /// What it may show at most.
    pub(crate) limit: Option<u64>,
}

fn argv(words: &[&str]) -> Vec<String> {
    [PROGRAM].iter().chain(words).map(|&word| word.to_owned()).collect()
}

/// Succeeds for a subvolume alone.
fn is_subvolume(at: &Utf8Path) -> Check {
    Check::Succeeds(argv(&["subvolume", "show", at.as_str()]))
}

/// Prints the line of one subvolume: its group, what it refers to, what it alone has, and both limits.
fn count(at: &Utf8Path) -> [&str; 6] {
    ["qgroup", "show", "--raw", "-ref", "--", at.as_str()]
}

/// Makes an empty subvolume.
pub(crate) fn create(at: &Utf8Path) -> Step {
    Step::Run {
        argv: argv(&["subvolume", "create", at.as_str()]),
        check: Some(is_subvolume(at)),
        undo: Some(argv(&["subvolume", "delete", at.as_str()])),
    }
}

/// Makes a subvolume with all that another one shows. It can be written to, and so be removed as any directory is: with
/// what is around it.
pub(crate) fn snapshot(of: &Utf8Path, at: &Utf8Path) -> Step {
    Step::Run {
        argv: argv(&["subvolume", "snapshot", of.as_str(), at.as_str()]),
        check: Some(is_subvolume(at)),
        undo: Some(argv(&["subvolume", "delete", at.as_str()])),
    }
}

/// Limits what a subvolume may refer to; the limit was `was`.
pub(crate) fn limit(at: &Utf8Path, bytes: u64, was: Option<u64>) -> Step {
    let to = |bytes: Option<u64>| bytes.map_or_else(|| "none".to_owned(), |bytes| bytes.to_string());
    let set = |bytes| argv(&["qgroup", "limit", &to(bytes), at.as_str()]);
    // The two limits stand side by side, and the other one is never set.
    let check = Check::Shows { argv: argv(&count(at)), shows: format!("{bytes} none") };
    Step::Run { argv: set(Some(bytes)), check: Some(check), undo: Some(set(was)) }
}

/// Whether the file system of a directory counts what its subvolumes take.
pub(crate) fn counts(dir: &Utf8Path, host: &dyn Observe) -> Result<bool> {
    let output = host.ask(&[PROGRAM, "qgroup", "show", "--", dir.as_str()])?;
    Ok(output.status == 0)
}

/// What a subvolume takes and may take; `None` where nobody counts.
pub(crate) fn counted(at: &Utf8Path, host: &dyn Observe) -> Result<Option<Counted>> {
    let words = count(at);
    let output = host.ask(&[&[PROGRAM], &words[..]].concat())?;
    if output.status != 0 {
        return Ok(None);
    }
    let line = output.stdout.lines().find(|line| line.starts_with("0/"));
    let columns: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    let bytes = |column: usize| columns.get(column).and_then(|text| text.parse::<u64>().ok());
    let unexpected = || {
        Error::new(ErrorKind::System, format!("btrfs {} printed something unexpected", words.join(" ")))
            .cause(format!("{line:?}"))
    };
    Ok(Some(Counted {
        referenced: bytes(1).ok_or_else(unexpected)?,
        exclusive: bytes(2).ok_or_else(unexpected)?,
        limit: bytes(3),
    }))
}
