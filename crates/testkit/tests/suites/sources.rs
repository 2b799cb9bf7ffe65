//! Release sources with one fault each, and what all kinds say of themselves.

use qchroot_api::{
    Backend, Error, ErrorKind, Info, Node, NodeKind, Observe, Options, Platform, Release, ReleaseSource,
    ReleaseWish, Result, Work,
};
use qchroot_testkit::behavior::{self, Trial};
use qchroot_testkit::fixture::FakeSource;

use super::{another, are_caught};

const NOTHING: u8 = 0;
const NEVER_THE_SAME: u8 = 1;
const NO_DEFAULT: u8 = 2;
const NEEDS_OPTION: u8 = 3;
const ANY_OPTION: u8 = 4;
const OTHER_DIGEST: u8 = 5;
const NO_NUMBER: u8 = 6;
const NO_USERLAND: u8 = 7;
const OTHER_TREE: u8 = 8;
const ALL_IS_WELL: u8 = 9;

struct Bad<const FAULT: u8>;

impl<const FAULT: u8> Backend for Bad<FAULT> {
    fn info(&self) -> Info {
        let mut info = Info { platforms: vec![Platform::Linux], ..FakeSource.info() };
        match FAULT {
            NEVER_THE_SAME => info.summary = format!("number {}", another()),
            NO_DEFAULT => info.options[0].default.clear(),
            _ => {}
        }
        info
    }

    fn check(&self, options: &Options) -> Result<()> {
        match FAULT {
            ANY_OPTION => Ok(()),
            NEEDS_OPTION if options.is_empty() => Err(Error::new(ErrorKind::Config, "it needs an option")),
            _ => FakeSource.check(options),
        }
    }
}

impl<const FAULT: u8> ReleaseSource for Bad<FAULT> {
    fn resolve(&self, want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
        let mut release = FakeSource.resolve(want, host)?;
        match FAULT {
            OTHER_DIGEST => release.digest = format!("{:064x}", another()),
            NO_NUMBER => drop(release.options.insert("number".into(), f64::NAN.into())),
            _ => {}
        }
        Ok(release)
    }

    fn fill(&self, release: &Release, work: &mut dyn Work) -> Result<()> {
        let text = another().to_string();
        match FAULT {
            NO_USERLAND => return write(work, "etc/only", "x"),
            OTHER_TREE => write(work, "etc/number", &text)?,
            _ => {}
        }
        let filled = FakeSource.fill(release, work);
        if FAULT == ALL_IS_WELL { Ok(()) } else { filled }
    }
}

fn write(work: &mut dyn Work, path: &str, text: &str) -> Result<()> {
    let kind = NodeKind::File { size: text.len() as u64 };
    let (mtime, xattrs, flags) = ((0, 0), vec![], None);
    let node = Node { path: path.into(), kind, mode: 0o644, uid: 0, gid: 0, mtime, xattrs, flags };
    work.tree().write(&node, &mut text.as_bytes())
}

fn suite<const FAULT: u8>() -> Vec<Trial> {
    behavior::source(|| Box::new(Bad::<FAULT>), |_| ReleaseWish::default())
}

#[test]
fn every_check_of_a_source_can_fail() {
    are_caught(
        suite::<NOTHING>,
        &[
            (suite::<NEVER_THE_SAME>, &["what it says of itself is in order and never changes"]),
            (suite::<NO_DEFAULT>, &["every option has a default, and one line on what it does"]),
            (
                suite::<NEEDS_OPTION>,
                &[
                    "no option is needed to be checked at all",
                    "the same wish gives the same release, and asking changes nothing",
                    "a release crosses the border unchanged",
                    "fill leaves a userland in the staging directory and nothing else",
                    "filling twice gives the same tree",
                    "a source that is interrupted says so",
                ],
            ),
            (suite::<ANY_OPTION>, &["an option that is unknown, or of another type, is refused by name"]),
            (suite::<OTHER_DIGEST>, &["the same wish gives the same release, and asking changes nothing"]),
            (
                suite::<NO_NUMBER>,
                &[
                    "the same wish gives the same release, and asking changes nothing",
                    "a release crosses the border unchanged",
                ],
            ),
            (suite::<NO_USERLAND>, &["fill leaves a userland in the staging directory and nothing else"]),
            (suite::<OTHER_TREE>, &["filling twice gives the same tree"]),
            (suite::<ALL_IS_WELL>, &["a source that is interrupted says so"]),
        ],
    );
}
