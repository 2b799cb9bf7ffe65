//! File flags are in the way of nothing that has to be done, and stay on what is kept.

use std::fs::{self, File};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Access, Step};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

use crate::support::Lab;

/// A lab whose root has a directory and a file in it, all of them immutable.
struct Frozen {
    lab: Lab,
    all: Vec<Utf8PathBuf>,
}

impl Frozen {
    fn new() -> Self {
        let lab = Lab::new();
        fs::create_dir(lab.root.join("dir")).unwrap();
        fs::write(lab.root.join("file"), "before").unwrap();
        let all = vec![lab.root.join("dir"), lab.root.join("file"), lab.root.clone()];
        all.iter().for_each(|path| set(path, IFlags::IMMUTABLE));
        assert!(fs::remove_dir(&all[0]).is_err() && fs::write(&all[1], "x").is_err());
        Self { lab, all }
    }

    fn apply(&self, step: &Step) {
        self.lab.apply(step).unwrap_or_else(|error| panic!("{step}: {error}"));
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.all.iter().filter(|path| path.exists()).for_each(|path| set(path, IFlags::empty()));
    }
}

fn set(path: &Utf8Path, flag: IFlags) {
    let file = File::open(path).unwrap();
    let others = ioctl_getflags(&file).unwrap() - IFlags::IMMUTABLE;
    ioctl_setflags(&file, others | flag).expect("a file system with flags");
}

fn is_frozen(path: &Utf8Path) -> bool {
    ioctl_getflags(File::open(path).unwrap()).unwrap().contains(IFlags::IMMUTABLE)
}

#[test]
fn names_in_a_frozen_directory_change_and_it_stays_frozen() {
    let frozen = Frozen::new();
    let root = &frozen.lab.root;
    let write = |text: &str| Step::WriteFile {
        at: frozen.lab.inside("file"),
        text: text.into(),
        mode: 0o644,
        was: Some("before".into()),
    };
    frozen.apply(&write("after"));
    assert_eq!(fs::read_to_string(root.join("file")).unwrap(), "after");
    frozen.apply(&Step::RemoveDir { at: frozen.lab.inside("dir") });
    frozen.apply(&Step::MakeDir { at: frozen.lab.inside("new"), mode: 0o755 });
    frozen.apply(&Step::Link { at: frozen.lab.inside("link"), to: "new".into(), was: None });
    assert!(!root.join("dir").exists() && root.join("link").is_dir());
    assert!(is_frozen(root));
}

#[test]
fn what_is_moved_given_up_or_given_another_owner_stays_frozen() {
    let frozen = Frozen::new();
    let root = &frozen.lab.root;
    let access = |mode| Access { mode, uid: 7, gid: 7 };
    let at = frozen.lab.inside("dir");
    frozen.apply(&Step::SetAccess { at: at.clone(), to: access(0o700), was: access(0o755) });
    assert!(is_frozen(&root.join("dir")));
    frozen.apply(&Step::Move { from: at.clone(), to: frozen.lab.inside("moved") });
    assert!(is_frozen(&root.join("moved")) && is_frozen(root));
    frozen.apply(&Step::Move { from: frozen.lab.inside("moved"), to: at });
    let gone = frozen.lab.host.join("gone");
    frozen.apply(&Step::Discard { from: root.clone(), to: gone.clone() });
    assert!(!root.exists() && is_frozen(&gone) && is_frozen(&gone.join("dir")));
    frozen.apply(&Step::RemoveTree { at: gone.clone() });
    assert!(!gone.exists());
}
