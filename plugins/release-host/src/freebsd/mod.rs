//! The userland of a FreeBSD host, taken from its own files: programs and libraries as they are, configuration as far as
//! FreeBSD brings it along, nothing of the host's users and secrets. It does not know how a base is split.

mod accounts;
mod etc;
mod layout;
mod selection;

use std::collections::{BTreeMap, HashMap};

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Brand, Command, Error, ErrorKind, FileKind, Node, NodeKind, Observe, Release, ReleaseWish, Result, Work,
};
use sha2::{Digest, Sha256};

use crate::Wanted;
use crate::output::Output;
use accounts::Accounts;
use selection::{Item, select};

/// The host's own userland; nothing says that it is FreeBSD's unchanged, so the user has to insist.
pub(crate) fn resolve(want: &ReleaseWish, host: &dyn Observe) -> Result<Release> {
    if Wanted::from(&want.options)?.packages.is_some() {
        return Err(Error::new(ErrorKind::Config, "source host takes no packages on FreeBSD")
            .with("key", "packages")
            .hint("install them into the containers with pkg(8)"));
    }
    let own = host.host_release()?;
    let version = format!("{own}-host");
    if let Some(other) = want.release.as_ref().filter(|release| **release != own && **release != version) {
        return Err(Error::new(
            ErrorKind::BadData,
            format!("this host is {own}: source host has no {other}"),
        ));
    }
    if !want.any {
        return Err(Error::new(ErrorKind::BadData, format!("nobody can tell whether this host's files are those of {own}"))
            .cause("FreeBSD keeps no checksums of its base system on the machine")
            .hint("--any-release takes the host's files as they are; `--source distset` installs the sets that FreeBSD published"));
    }
    let items = select(host)?;
    Ok(Release {
        version,
        brand: Brand::Freebsd,
        digest: digest(&items, &Accounts::of(host)?),
        pins: BTreeMap::new(),
        remember: BTreeMap::new(),
        host_dirs: vec![],
        options: want.options.clone(),
    })
}

/// Fills the staging directory.
pub(crate) fn fill(release: &Release, work: &mut dyn Work) -> Result<()> {
    let (items, accounts) = (select(work.host())?, Accounts::of(work.host())?);
    if digest(&items, &accounts) != release.digest {
        return Err(Error::new(
            ErrorKind::BadData,
            "the host's files were changed while they were looked up",
        )
        .hint("try again when whoever changes the host is done"));
    }
    let mut output = Output::new(work, items.len() as u64);
    layout::write(&mut output)?;
    let mut names = HashMap::new();
    items.iter().try_for_each(|item| take(item, &mut names, &mut output))?;
    accounts.write(&mut output)?;
    output.file("etc/hosts", 0o644, 0, b"::1\t\t\tlocalhost\n127.0.0.1\t\tlocalhost\n")?;
    databases(&mut output)?;
    output.finish()
}

/// What getpwent(3) reads is made from the new master.passwd; `-i` because nobody else works on it.
fn databases(output: &mut Output) -> Result<()> {
    let etc = output.work.staging().join("etc");
    let table = etc.join("master.passwd");
    let made =
        output.work.run(&Command::new(["pwd_mkdb", "-i", "-p", "-d", etc.as_str(), table.as_str()]))?;
    if made.status == 0 {
        return Ok(());
    }
    Err(Error::new(ErrorKind::System, "cannot make the database of users").cause(made.stderr.trim_end()))
}

/// Takes one entry of the host's; a further name of a file that was taken becomes a hard link.
fn take(item: &Item, names: &mut HashMap<(u64, u64), Utf8PathBuf>, output: &mut Output) -> Result<()> {
    let target = &item.target;
    if item.stat.kind == FileKind::File && item.stat.links > 1 {
        if let Some(first) = names.get(&item.stat.id) {
            let node = hard_link(target, first, item);
            return output.write(&node, &mut std::io::empty());
        }
        names.insert(item.stat.id, target.clone());
    }
    output.take(&item.source, target, item.stat.size)
}

fn hard_link(target: &Utf8Path, first: &Utf8Path, item: &Item) -> Node {
    Node {
        path: target.as_std_path().to_owned(),
        kind: NodeKind::HardLink { to: first.as_std_path().to_owned() },
        mode: item.stat.mode,
        uid: item.stat.uid,
        gid: item.stat.gid,
        mtime: item.stat.mtime,
        xattrs: vec![],
        flags: None,
    }
}

/// Over names, owners, modes, lengths and times; whoever changes a file's content changes one of the last two. The
/// times and lengths of directories follow what is in them.
fn digest(items: &[Item], accounts: &Accounts) -> String {
    let mut hash = Sha256::new();
    hash.update("qchroot host freebsd 1\n");
    for Item { target, stat, link, .. } in items {
        let content = match stat.kind {
            FileKind::Directory => String::new(),
            _ => format!("{} {:?}", stat.size, stat.mtime),
        };
        let link = link.as_deref().map_or("", Utf8Path::as_str);
        hash.update(format!(
            "{target}\t{:?} {:o} {} {} {content}\t{link}\n",
            stat.kind, stat.mode, stat.uid, stat.gid
        ));
    }
    hash.update(accounts.master());
    hash.update(accounts.group());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
