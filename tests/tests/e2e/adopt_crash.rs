//! An adoption that dies at any of its steps, and its repair that dies too: each tree is where it was or where it belongs,
//! and the next run takes what is left.

use std::fs;

use crate::adopt::old::Old;
use crate::crash::repair_that_dies;

#[test]
fn of_the_old_qchroot() {
    sweep("qchroot");
}

#[test]
fn of_ezjail() {
    sweep("ezjail");
}

#[test]
fn of_bastille() {
    sweep("bastille");
}

fn sweep(tool: &'static str) {
    for point in 1.. {
        let old = Old::of(tool);
        let before = old.lasting();
        let args = [&old.words()[..], &["web", "--apply"]].concat();
        let ran = old.world.crash(point, args);
        if !ran.has_crashed() {
            ran.ok();
            assert!(point > 15, "{point} points only: build the program with --features crash-points");
            return;
        }
        let at = format!("{tool}, died at point {point}");
        repair_that_dies(&old.world);
        old.world.assert_sound();
        assert_whole(&old, &at);
        if fs::read_dir(old.world.lib("releases")).map_or(0, Iterator::count) == 0 {
            before.assert_same(&old.lasting(), &at);
        }
        old.adopt(&["--apply"]).ok();
        assert_eq!(old.world.sh("cat /root/thesis").ok(), "precious web", "{at}");
        assert_eq!(old.world.run(["exec", "db", "cat", "/root/thesis"]).ok(), "precious db", "{at}");
        if point % 15 == 0 {
            old.assert_works();
        }
    }
}

/// A container is taken altogether or not at all.
#[track_caller]
fn assert_whole(old: &Old, at: &str) {
    for name in ["web", "db"] {
        let is_taken = old.world.file(name).exists();
        let tree = if is_taken { old.world.lib(&format!("{name}/root")) } else { old.at(&old.tree_of(name)) };
        let thesis = fs::read_to_string(tree.join("root/thesis")).unwrap_or_default();
        assert_eq!(thesis, format!("precious {name}"), "{at}: {name} is taken: {is_taken}");
        let link = fs::read_link(tree.join("usr/bin")).unwrap();
        assert_eq!(link.is_relative(), is_taken, "{at}: {name} has {link:?}");
    }
}
