//! The objects of a built world: where they are, and whether they are complete, made for the wanted machine, from
//! this tree and with these knobs. It reads only.
//!
//! Sources: build(7) for the layout of object directories, and how that was before 12.0.

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, FileKind, Observe, Place, Result, Stat};

use crate::elf::Elf;
use crate::knobs::Knobs;
use crate::target::{Target, arch_of};
use crate::tree::{self, Tree};

/// In every world, from the first and the last directories that are built.
const ALWAYS: &[&str] =
    &["bin/sh/sh", "bin/ls/ls", "sbin/init/init", "usr.bin/login/login", "usr.sbin/vipw/vipw"];

/// Written anew by each buildworld since 12.0.
const STAMP: &str = "toolchain-metadata.mk";

/// A program for each of the bigger options, and what leaves it out.
const OPTIONAL: &[(&str, &[&str])] = &[
    ("bin/csh/csh", &["TCSH"]),
    ("games/fortune/fortune/fortune", &["GAMES"]),
    ("rescue/rescue/rescue", &["RESCUE"]),
    ("sbin/ipf/ipf/ipf", &["IPFILTER"]),
    ("sbin/pfctl/pfctl", &["PF"]),
    ("secure/usr.bin/ssh/ssh", &["OPENSSH", "OPENSSL", "CRYPT"]),
    ("usr.bin/fortune/fortune/fortune", &["GAMES"]),
    ("usr.bin/nc/nc", &["NETCAT"]),
    ("usr.bin/ypcat/ypcat", &["NIS"]),
    ("usr.sbin/lpr/lpr/lpr", &["LPR"]),
    ("usr.sbin/mailwrapper/mailwrapper", &["MAILWRAPPER", "MAIL"]),
    ("usr.sbin/named/named", &["BIND", "BIND_NAMED"]),
    ("usr.sbin/route6d/route6d", &["INET6", "ROUTED"]),
    ("usr.sbin/sendmail/sendmail", &["SENDMAIL", "MAIL"]),
    ("usr.sbin/unbound/daemon/unbound", &["UNBOUND", "LDNS"]),
    ("usr.sbin/usbconfig/usbconfig", &["USB"]),
];

/// A directory of objects.
#[derive(Debug)]
pub(crate) struct Objects {
    pub(crate) dir: Utf8PathBuf,
}

impl Objects {
    /// The objects of `tree` below `prefix`, which make calls `MAKEOBJDIRPREFIX`.
    pub(crate) fn find(host: &dyn Observe, tree: &Tree, prefix: &Utf8Path, target: &Target) -> Result<Self> {
        let inside = |top: Utf8PathBuf| top.join(tree.src.as_str().trim_start_matches('/'));
        let mut dirs = vec![
            inside(prefix.to_owned()).join(target.dotted()),
            inside(prefix.join(target.dotted())),
            inside(prefix.to_owned()),
        ];
        dirs.truncate(if target.is_given { 2 } else { 3 });
        for dir in &dirs {
            if file(host, &dir.join(ALWAYS[0]))?.is_some() {
                tree::refuse_open(host, dir)?;
                return Ok(Self { dir: dir.clone() });
            }
        }
        Err(missing(host, tree, prefix, target, &dirs))
    }

    /// Refuses objects that are not all there, or are for something else.
    pub(crate) fn check(
        &self,
        host: &dyn Observe,
        tree: &Tree,
        target: &Target,
        knobs: &Knobs,
    ) -> Result<()> {
        let lacks = |program: &str| -> Result<bool> {
            let dir = Utf8Path::new(program).parent().unwrap_or(Utf8Path::new(""));
            Ok(tree.builds(host, dir.as_str()) && file(host, &self.dir.join(program))?.is_none())
        };
        for program in ALWAYS {
            if lacks(program)? {
                let message = format!("the world in {} is not complete: it has no {program}", self.dir);
                return Err(Error::new(ErrorKind::BadData, message)
                    .hint(format!("let `make buildworld` in {} come to its end", tree.src)));
            }
        }
        self.check_program(host, tree, target)?;
        for (program, options) in OPTIONAL {
            if lacks(program)? && !options.iter().any(|option| knobs.leave_out(option)) {
                return Err(self.built_without(program, options[0]));
            }
        }
        Ok(())
    }

    fn check_program(&self, host: &dyn Observe, tree: &Tree, target: &Target) -> Result<()> {
        let program = self.dir.join(ALWAYS[0]);
        let bad = |message: String| Err(Error::new(ErrorKind::BadData, message).hint(rebuild(tree)));
        let elf = Elf::read(host, Place::host(&program))
            .map_err(|error| Error::new(ErrorKind::BadData, format!("{program} is damaged")).cause(error))?;
        let Some(elf) = elf else { return bad(format!("{program} is no program")) };
        if !target.runs(elf.machine) {
            let (is, wanted) = (arch_of(elf.machine), &target.arch);
            return bad(format!("the objects in {} are for {is}, not for {wanted}", self.dir));
        }
        match (elf.osreldate, tree.osreldate) {
            (Some(built), Some(wanted)) if built != wanted => {
                let what =
                    format!("the objects in {} were not built from this state of {}", self.dir, tree.src);
                bad(what)
                    .map_err(|e| e.cause(format!("they are of version {built}, the tree is of {wanted}")))
            }
            _ => Ok(()),
        }
    }

    /// Refuses objects that are older than what the tree says of its own version.
    pub(crate) fn check_age(&self, host: &dyn Observe, tree: &Tree) -> Result<()> {
        let (path, built) = self.stamp(host)?;
        if built.mtime >= tree.changed {
            return Ok(());
        }
        let message = format!("{} was brought to {} after its world was built", tree.src, tree.version());
        Err(Error::new(ErrorKind::BadData, message)
            .cause(format!("{path} is older than the tree"))
            .hint(format!("{}; --any-release takes it as it is", rebuild(tree))))
    }

    /// What changes with every build: each by its time, length and, where it is text, content.
    pub(crate) fn identity(&self, host: &dyn Observe) -> Result<Vec<String>> {
        let mut all = vec![];
        for path in [STAMP].iter().chain(ALWAYS) {
            if let Some(stat) = file(host, &self.dir.join(path))? {
                all.push(format!("{path} {} {} {}", stat.mtime.0, stat.mtime.1, stat.size));
            }
        }
        all.push(host.read(&Place::host(self.dir.join(STAMP))).unwrap_or_default());
        Ok(all)
    }

    fn stamp(&self, host: &dyn Observe) -> Result<(Utf8PathBuf, Stat)> {
        for path in [STAMP, ALWAYS[0]] {
            let path = self.dir.join(path);
            if let Some(stat) = file(host, &path)? {
                return Ok((path, stat));
            }
        }
        Err(Error::new(ErrorKind::NotFound, format!("the objects in {} have vanished", self.dir)))
    }

    fn built_without(&self, program: &str, option: &str) -> Error {
        let message =
            format!("the world in {} was built without {option}, and is to be installed with it", self.dir);
        Error::new(ErrorKind::BadData, message)
            .cause(format!("it has no {program}"))
            .hint(format!("add WITHOUT_{option} (in old trees NO_{option}) to knobs, or build it"))
    }
}

fn rebuild(tree: &Tree) -> String {
    format!("run `make buildworld` in {} anew", tree.src)
}

fn file(host: &dyn Observe, path: &Utf8Path) -> Result<Option<Stat>> {
    Ok(host.stat(&Place::host(path))?.filter(|stat| stat.kind == FileKind::File))
}

fn missing(
    host: &dyn Observe,
    tree: &Tree,
    prefix: &Utf8Path,
    target: &Target,
    dirs: &[Utf8PathBuf],
) -> Error {
    let message = format!("no world is built from {} for {} below {prefix}", tree.src, target.arch);
    let looked: Vec<_> = dirs.iter().map(|dir| dir.join(ALWAYS[0]).into_string()).collect();
    let error =
        Error::new(ErrorKind::NotFound, message).cause(format!("there is no {}", looked.join(", no ")));
    let beside = prefix.join(tree.src.as_str().trim_start_matches('/'));
    let others = host.list(&Place::host(beside)).unwrap_or_default();
    match others.iter().find(|name| Target::new(Some(name)).is_ok()) {
        Some(other) => {
            error.hint(format!("there is one for {other}: say -o target={other}, or build this one"))
        }
        None => {
            error.hint(format!("{} first, or say where its objects are with -o objdir=DIR", rebuild(tree)))
        }
    }
}
