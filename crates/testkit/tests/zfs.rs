//! The pools of the test kit answer as zfs(8) does: what it prints, what it refuses, and its exit status.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

use qchroot_testkit::FakeHost;

/// A machine with the pool `tank` of 1 MiB and `tank/a`, whose mount point is legacy.
fn machine() -> FakeHost {
    let host = FakeHost::linux();
    host.plant_pool("tank", 1 << 20, None);
    does(&host, "create -o mountpoint=legacy tank/a");
    host
}

#[track_caller]
fn does(host: &FakeHost, args: &str) -> String {
    let output = host.zfs(args);
    assert_eq!((output.status, output.stderr.as_str()), (0, ""), "zfs {args}");
    output.stdout
}

/// What it refuses, by the first line it prints.
#[track_caller]
fn refuses(host: &FakeHost, args: &str, words: &str) {
    let output = host.zfs(args);
    assert_eq!((output.status, output.stderr.lines().next()), (1, Some(words)), "zfs {args}");
    assert_eq!(output.stdout, "");
}

#[test]
fn names_are_checked_before_anything_is_made() {
    let host = machine();
    let before = host.datasets();
    for (args, words) in [
        ("create tank/a", "cannot create 'tank/a': dataset already exists"),
        ("create tank/b/c", "cannot create 'tank/b/c': parent does not exist"),
        ("create pool/a", "cannot create 'pool/a': no such pool 'pool'"),
        ("create tank/c++", "cannot create 'tank/c++': invalid character '+' in name"),
        ("create -o size=1 tank/b", "cannot create 'tank/b': invalid property 'size'"),
        ("create -o quota=much tank/b", "cannot create 'tank/b': bad numeric value 'much'"),
        ("snapshot tank/none@s", "cannot open 'tank/none': dataset does not exist"),
        ("clone tank/a@none tank/b", "cannot open 'tank/a@none': dataset does not exist"),
        ("rename tank/none tank/b", "cannot open 'tank/none': dataset does not exist"),
        ("destroy tank/none", "cannot open 'tank/none': dataset does not exist"),
        ("destroy tank/a@none", "could not find any snapshots to destroy; check snapshot names."),
        ("promote tank/a", "cannot promote 'tank/a': not a cloned filesystem"),
        ("mount tank/a", "cannot mount 'tank/a': legacy mountpoint"),
        ("unmount tank/a", "cannot unmount 'tank/a': not currently mounted"),
        ("list tank/none", "cannot open 'tank/none': dataset does not exist"),
    ] {
        refuses(&host, args, words);
    }
    for args in
        ["", "frobnicate tank", "create", "create tank/b tank/c", "list -Q", "set tank/a", "snapshot tank/a"]
    {
        assert_eq!(host.zfs(args).status, 2, "zfs {args}");
    }
    assert_eq!(host.datasets(), before);
    does(&host, "create -p tank/b/c/d");
    does(&host, "create -p tank/b/c/d");
    assert_eq!(host.datasets(), ["tank", "tank/a", "tank/b", "tank/b/c", "tank/b/c/d"]);
}

#[test]
fn snapshots_hold_their_data_set_and_clones_their_snapshot() {
    let host = machine();
    does(&host, "snapshot tank/a@s");
    refuses(&host, "snapshot tank/a@s", "cannot create snapshot 'tank/a@s': dataset already exists");
    refuses(&host, "destroy tank/a", "cannot destroy 'tank/a': filesystem has children");
    does(&host, "clone -o mountpoint=none tank/a@s tank/b");
    refuses(&host, "destroy tank/a@s", "cannot destroy 'tank/a@s': snapshot has dependent clones");
    refuses(&host, "destroy -r tank/a", "cannot destroy 'tank/a': filesystem has dependent clones");
    assert_eq!(does(&host, "get -H -o value origin tank/b"), "tank/a@s\n");
    assert_eq!(does(&host, "get -H -o value clones tank/a@s"), "tank/b\n");
    does(&host, "promote tank/b");
    assert_eq!(does(&host, "get -H -o name,value origin tank/a"), "tank/a\ttank/b@s\n");
    does(&host, "destroy -d tank/b@s");
    assert_eq!(does(&host, "get -H -o value defer_destroy tank/b@s"), "on\n");
    does(&host, "destroy tank/a");
    assert_eq!(host.datasets(), ["tank", "tank/b"], "a deferred snapshot goes with its last clone");
}

#[test]
fn going_back_over_a_later_snapshot_needs_r() {
    let host = machine();
    ["a", "b"].iter().for_each(|name| drop(does(&host, &format!("snapshot tank/a@{name}"))));
    let words = "cannot rollback to 'tank/a@a': more recent snapshots or bookmarks exist";
    refuses(&host, "rollback tank/a@a", words);
    does(&host, "rollback tank/a@b");
    does(&host, "rollback -r tank/a@a");
    assert_eq!(host.datasets(), ["tank", "tank/a", "tank/a@a"]);
}

#[test]
fn limits_are_kept_to_each_other_and_to_the_pool() {
    let host = machine();
    host.plant_dir("/mnt", 0o755);
    does(&host, "set mountpoint=/mnt tank/a");
    host.plant_file("/mnt/file", &"x".repeat(100_000), 0o644);
    let small = "cannot set property for 'tank/a': size is less than current used or reserved space";
    refuses(&host, "set refquota=65536 tank/a", small);
    does(&host, "set refquota=200000 tank/a");
    let large = "cannot set property for 'tank/a': size is greater than available space";
    refuses(&host, "set refreservation=300000 tank/a", large);
    does(&host, "set refreservation=200000 tank/a");
    refuses(&host, "set refquota=150000 tank/a", small);
    refuses(&host, "set reservation=2M tank/a", large);
    let figures = does(&host, "get -Hp -o value used,refquota,quota tank/a");
    assert_eq!(figures, "200000\n200000\n0\n");
    assert_eq!(does(&host, "get -H -o value quota tank/a"), "none\n");
    let error = host.write_inside("/", "mnt/more", &"x".repeat(150_000)).unwrap_err();
    assert!(error.to_string().contains("no space"), "{error}");
    does(&host, "set mountpoint=legacy tank/a");
    assert_eq!(host.text("/mnt/file"), None, "it is not mounted any more");
    refuses(&host, "destroy tank", "cannot destroy 'tank': filesystem has children");
}

#[test]
fn sources_tell_what_was_set_here() {
    let host = machine();
    does(&host, "set org.example:mark=yes tank");
    does(&host, "snapshot tank/a@s");
    let get = |args: &str| does(&host, &format!("get -H -o value,source {args}"));
    assert_eq!(get("org.example:mark tank"), "yes\tlocal\n");
    assert_eq!(get("org.example:mark tank/a"), "yes\tinherited from tank\n");
    assert_eq!(get("-s local org.example:mark tank/a"), "");
    assert_eq!(get("org.example:other tank/a"), "-\t-\n");
    assert_eq!(get("mountpoint tank"), "/tank\tdefault\n");
    assert_eq!(does(&host, "get -H -o name -s local -t filesystem org.example:mark"), "tank\n");
    assert_eq!(does(&host, "list -Hp -t snapshot -d 1 -o name tank/a"), "tank/a@s\n");
    assert_eq!(does(&host, "list -H -o name -t filesystem,volume -r tank"), "tank\ntank/a\n");
}
