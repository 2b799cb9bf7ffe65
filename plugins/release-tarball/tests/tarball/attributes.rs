//! What files carry beside their content, as the programs that make archives write it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use qchroot_api::ErrorKind;
use tar::EntryType;

use crate::support::{Entry, Lab, run, says};

/// A tree with lists, attributes, a capability and times between two seconds.
fn tree(lab: &Lab) -> std::path::PathBuf {
    let tree = lab.dir().join("tree");
    fs::create_dir_all(tree.join("dir/below")).unwrap();
    for name in ["file", "plain", "dir/below/inherits"] {
        fs::write(tree.join(name), name).unwrap();
    }
    symlink("file", tree.join("link")).unwrap();
    for line in [
        "mkfifo fifo",
        "setfacl -m u:1234:rw,g:1:r,u:5:x file",
        "setfacl -m u:1234:rw fifo",
        "setfacl -d -m u:777:rwx dir",
        "setfattr -n user.no=te% -v value file",
        "setfattr -n user.binary -v 0x00ff0a00 file",
        "setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 plain",
        "setfattr -n trusted.overlay.opaque -v y dir",
        "touch -d 2001-02-03T04:05:06.123456789 file dir fifo",
        "touch -h -d 1969-12-31T23:59:58Z link",
        "chmod 4710 plain",
    ] {
        run(&tree, line);
    }
    tree
}

/// Everything about the tree that must be the same in the copy.
fn facts(dir: &std::path::Path) -> String {
    let names = "dir dir/below dir/below/inherits fifo file plain";
    let acls = run(dir, &format!("getfacl -n -p {names}"));
    let attributes = run(dir, &format!("getfattr -h -m ^(user|security) -d -e hex {names} link"));
    let stats = run(dir, &format!("stat -c %n:%a:%u:%g:%.9Y {names} link"));
    format!("{acls}{attributes}{stats}")
}

#[test]
fn archives_of_both_programs_bring_lists_attributes_and_times() {
    for make in ["tar --acls --xattrs --xattrs-include=* -cf", "bsdtar --acls --xattrs --format=pax -cf"] {
        let lab = Lab::new();
        let tree = tree(&lab);
        run(&tree, &format!("{make} ../made.tar ."));
        lab.unpack(&lab.dir().join("made.tar")).unwrap();
        assert_eq!(facts(&lab.at("")), facts(&tree), "{make}");
        let trusted = run(&lab.at(""), "getfattr -h -m ^trusted -d -R .");
        assert_eq!(trusted, "", "the host's own bookkeeping came along");
    }
}

#[test]
fn names_without_numbers_are_refused_with_the_entry_and_what_to_do() {
    let lab = Lab::new();
    let tree = tree(&lab);
    run(&tree, "tar --acls -cf ../made.tar .");
    let error = lab.unpack(&lab.dir().join("made.tar")).unwrap_err();
    says(&error, ErrorKind::BadData, &["entry ./file", "name without a number", "--xattrs"]);
}

#[test]
fn flags_are_kept_on_whatever_has_them_and_come_back_out() {
    let lab = Lab::new();
    let flagged = |entry: Entry| entry.with("SCHILY.fflags", "schg,uarch");
    lab.write(&[
        flagged(Entry::dir("var/empty")),
        flagged(Entry::file("sbin/init", "program").mode(0o4555)),
        flagged(Entry::symlink("link", "sbin/init")),
        flagged(Entry::special("fifo", EntryType::Fifo)),
        Entry::hard("sbin/also", "sbin/init"),
        Entry::file("plain", ""),
    ])
    .unwrap();
    let kept = |lab: &Lab, name: &str| {
        run(&lab.at(""), &format!("getfattr -h -m ^trusted.qchroot.fflags$ -d --only-values {name}"))
    };
    for name in ["var/empty", "sbin/init", "sbin/also", "link", "fifo"] {
        assert_eq!(kept(&lab, name), "schg,uarch", "{name}");
    }
    assert_eq!(kept(&lab, "plain"), "");
    assert_eq!(fs::metadata(lab.at("sbin/init")).unwrap().permissions().mode() & 0o7777, 0o4555);

    let again = Lab::new();
    run(&lab.at(""), &format!("tar --xattrs --xattrs-include=* -cf {}/again.tar .", again.dir().display()));
    again.unpack(&again.dir().join("again.tar")).unwrap();
    assert_eq!(kept(&again, "sbin/init"), "schg,uarch");
}

#[test]
fn what_a_directory_hands_down_does_not_reach_what_is_unpacked_into_it() {
    let lab = Lab::new();
    let list = "user::rwx,user:777:rwx,group::r-x,mask::rwx,other::r-x";
    lab.write(&[
        Entry::dir("dir").with("SCHILY.acl.default", list),
        Entry::file("dir/file", "x").mode(0o640),
        Entry::dir("dir/below").mode(0o700),
    ])
    .unwrap();
    assert_eq!(fs::metadata(lab.at("dir/file")).unwrap().mode() & 0o7777, 0o640);
    let lists = run(&lab.at("dir"), "getfacl -n -c file below");
    assert!(!lists.contains("777"), "{lists}");
    assert!(run(&lab.at(""), "getfacl -n -c dir").contains("default:user:777:rwx"));
}

#[test]
fn what_is_no_list_no_attribute_and_no_flag_is_refused_by_name() {
    for (key, value, words) in [
        ("SCHILY.acl.access", "nonsense", "no entry of an access control list"),
        ("SCHILY.acl.default", "user::rwx", "one entry each"),
        ("SCHILY.acl.access", "user::rwx,group::rwx,other::rwx,user:5:rwx", "mask"),
        ("LIBARCHIVE.xattr.user.x", "@@", "base64"),
        ("SCHILY.fflags", "schg\x1b[2J", "no names"),
    ] {
        let error = Lab::new().write(&[Entry::file("culprit", "x").with(key, value)]).unwrap_err();
        says(&error, ErrorKind::BadData, &["culprit", words]);
    }
    let binary = Entry::file("culprit", "x").with("SCHILY.xattr.system.posix_acl_access", "no list");
    let error = Lab::new().write(&[binary]).unwrap_err();
    assert!(error.to_string().contains("culprit: system.posix_acl_access"), "{error}");
}
