use super::*;
use crate::attributes::Moment;

fn file(kind: Kind, mode: u32) -> Attributes {
    let moment = Moment::default();
    Attributes {
        kind,
        mode,
        links: 1,
        uid: 1000,
        gid: 100,
        size: 0,
        used: 0,
        device: (0, 0),
        file_system: 1,
        inode: 1,
        accessed: moment,
        modified: moment,
        changed: moment,
    }
}

#[test]
fn modes_are_kept() {
    use Kind::{Directory, Regular};
    let root = User::new(0, 0, &[]);
    let (owner, group) = (User::new(1000, 1, &[]), User::new(7, 4, &[24, 100]));
    let all = 0x3f;
    let table = [
        ("root reads what nobody may", Regular, 0o000, root, READ),
        ("root runs what somebody may", Regular, 0o100, root, READ | EXECUTE),
        ("root searches every directory", Directory, 0o000, root, READ | LOOKUP),
        ("the owner", Regular, 0o700, owner, READ | EXECUTE),
        ("the owner, who took it from himself", Regular, 0o077, owner, 0),
        ("the group", Regular, 0o640, group, READ),
        ("the group, where others may more", Regular, 0o604, group, 0),
        ("others", Regular, 0o645, User::NOBODY, READ | EXECUTE),
        ("others, who may not", Regular, 0o750, User::NOBODY, 0),
        ("a directory to be searched alone", Directory, 0o711, User::NOBODY, LOOKUP),
        ("a directory to be listed alone", Directory, 0o744, User::NOBODY, READ),
        ("a link", Kind::Link, 0o777, User::NOBODY, READ),
        (
            "a device, which is the client's",
            Kind::CharacterDevice,
            0o666,
            User::NOBODY,
            READ | MODIFY | EXTEND,
        ),
        ("a device that others may not write to", Kind::BlockDevice, 0o664, User::NOBODY, READ),
        ("a pipe, for root", Kind::Pipe, 0o000, root, READ | MODIFY | EXTEND),
        ("a file that all may write to", Regular, 0o666, User::NOBODY, READ),
    ];
    for (what, kind, mode, user, expected) in table {
        assert_eq!(granted(&file(kind, mode), &user, all), expected, "{what}");
        assert_eq!(granted(&file(kind, mode), &user, 0), 0, "{what}: nothing asked");
    }
}

#[test]
fn what_may_be_run_may_be_read_and_what_was_opened_too() {
    let (owner, other) = (User::new(1000, 1, &[]), User::NOBODY);
    for (mode, user, expected) in [
        (0o711, other, true),
        (0o744, other, true),
        (0o700, other, false),
        (0o640, other, false),
        (0o000, owner, true),
        (0o000, User::new(0, 0, &[]), true),
    ] {
        assert_eq!(may_read(&file(Kind::Regular, mode), &user), expected, "{mode:o}");
    }
    for (mode, search, list) in [(0o711, true, false), (0o744, false, true), (0o700, false, false)] {
        let directory = file(Kind::Directory, mode);
        assert_eq!(
            (may_search(&directory, &other), may_list(&directory, &other)),
            (search, list),
            "{mode:o}"
        );
    }
}
