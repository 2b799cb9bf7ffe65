//! A source tree as its files tell of it: which release it is of, how new it is. It reads text and runs nothing.

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Observe, Place, Result};

const NEWVERS: &str = "sys/conf/newvers.sh";
const PARAM: &str = "sys/sys/param.h";

/// A source tree.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Where it is, no link on the way.
    pub(crate) src: Utf8PathBuf,
    /// `14.1`.
    revision: String,
    /// `RELEASE-p5`, `STABLE`, `CURRENT`.
    branch: String,
    /// `__FreeBSD_version` of sys/param.h.
    pub(crate) osreldate: Option<u32>,
    /// When the newer of the two was changed last.
    pub(crate) changed: (i64, u32),
    /// What else tells this state of it from others.
    pub(crate) identity: Vec<String>,
}

impl Tree {
    /// Reads the tree at `src`.
    pub(crate) fn read(host: &dyn Observe, src: &Utf8Path) -> Result<Self> {
        let src = host.real_path(src)?;
        let newvers = host.read(&Place::host(src.join(NEWVERS))).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::new(
                ErrorKind::NotFound,
                format!("{src} is no FreeBSD source tree: it has no {NEWVERS}"),
            )
            .hint("give the tree that the world was built from, as -o src=DIR"),
            _ => error,
        })?;
        let assigned = |name| {
            assignment(&newvers, name).ok_or_else(|| {
                Error::new(ErrorKind::BadData, format!("{src}/{NEWVERS} does not say what {name} is"))
            })
        };
        let param = host.read(&Place::host(src.join(PARAM))).unwrap_or_default();
        refuse_open(host, &src)?;
        Ok(Self {
            revision: assigned("REVISION")?,
            branch: assigned("BRANCH")?,
            osreldate: osreldate(&param),
            changed: changed(host, &src, NEWVERS).max(changed(host, &src, PARAM)),
            identity: vec![newvers, param, head(host, &src)],
            src,
        })
    }

    /// `14.1-RELEASE-p5`.
    pub(crate) fn version(&self) -> String {
        format!("{}-{}", self.revision, self.branch)
    }

    /// Whether it is a release, patched or not, and not on its way to one.
    pub(crate) fn is_production(&self) -> bool {
        self.branch == "RELEASE" || self.branch.starts_with("RELEASE-p")
    }

    /// Whether the tree is of the release `name`; without patch level, of any.
    pub(crate) fn is(&self, name: &str) -> bool {
        let version = self.version();
        version == name || version.rsplit_once("-p").is_some_and(|(plain, _)| plain == name)
    }

    /// Whether the tree has a directory that is built.
    pub(crate) fn builds(&self, host: &dyn Observe, dir: &str) -> bool {
        let makefile = Place::host(self.src.join(dir).join("Makefile"));
        host.stat(&makefile).ok().flatten().is_some()
    }

    /// The directory in which `make distribution` is understood: the top one since 7.0, `etc` before.
    pub(crate) fn distribution(&self, host: &dyn Observe) -> Utf8PathBuf {
        let top = host.read(&Place::host(self.src.join("Makefile"))).unwrap_or_default();
        let is_target = top.split(|c: char| c.is_whitespace() || c == ':').any(|word| word == "distribution");
        if is_target { self.src.clone() } else { self.src.join("etc") }
    }
}

/// The value of a plain assignment at the beginning of a line; what would need a shell is not understood.
fn assignment(script: &str, name: &str) -> Option<String> {
    let value = script.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    let value = value.split('#').next().unwrap_or("").trim().trim_matches(['"', '\'']);
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    (!value.is_empty() && value.chars().all(plain)).then(|| value.to_owned())
}

fn osreldate(param: &str) -> Option<u32> {
    let mut words = param.lines().map(str::split_whitespace);
    words.find_map(|mut words| match (words.next()?, words.next()?) {
        ("#define", "__FreeBSD_version") => words.next()?.parse().ok(),
        _ => None,
    })
}

fn changed(host: &dyn Observe, src: &Utf8Path, file: &str) -> (i64, u32) {
    host.stat(&Place::host(src.join(file))).ok().flatten().map_or((0, 0), |stat| stat.mtime)
}

/// What make reads as root must not be anybody's to write.
pub(crate) fn refuse_open(host: &dyn Observe, dir: &Utf8Path) -> Result<()> {
    match host.stat(&Place::host(dir))? {
        Some(stat) if stat.mode & 0o002 != 0 => {
            Err(Error::new(ErrorKind::Permission, format!("everybody can write to {dir}"))
                .cause("what lies there would be run as root")
                .hint(format!("see that all of it is as it should be, then chmod -R o-w {dir}")))
        }
        _ => Ok(()),
    }
}

/// The commit that is checked out, where the tree is git's and says so.
fn head(host: &dyn Observe, src: &Utf8Path) -> String {
    let read = |name: &str| host.read(&Place::host(src.join(".git").join(name))).ok();
    let Some(head) = read("HEAD") else { return String::new() };
    let Some(name) = head.trim().strip_prefix("ref: ") else { return head };
    let packed = || {
        let text = read("packed-refs")?;
        text.lines().find(|line| line.ends_with(&format!(" {name}"))).map(str::to_owned)
    };
    read(name).or_else(packed).unwrap_or(head.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_and_never_run() {
        let script = "#!/bin/sh -\nTYPE=\"FreeBSD\"\nREVISION=\"14.1\"\nBRANCH=\"RELEASE-p5\" # now\n\
                      if [ -n \"${BRANCH_OVERRIDE}\" ]; then\n\tBRANCH=${BRANCH_OVERRIDE}\nfi\n\
                      RELEASE=\"${REVISION}-${BRANCH}\"\nEVIL=\"$(touch /evil)\"\n";
        assert_eq!(assignment(script, "REVISION").as_deref(), Some("14.1"));
        assert_eq!(assignment(script, "BRANCH").as_deref(), Some("RELEASE-p5"));
        assert_eq!(assignment(script, "RELEASE"), None);
        assert_eq!(assignment(script, "EVIL"), None);
        assert_eq!(
            osreldate("#undef __FreeBSD_version\n#define __FreeBSD_version 1401000\t/* x */\n"),
            Some(1_401_000)
        );
    }
}
