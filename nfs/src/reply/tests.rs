use super::*;
use crate::attributes::{Kind, Moment};
use crate::handle::{Handle, Keys, RootId};

fn file() -> Attributes {
    Attributes {
        kind: Kind::CharacterDevice,
        mode: 0o104_755,
        links: 2,
        uid: 3,
        gid: 4,
        size: 5 << 32 | 6,
        used: 7,
        device: (8, 9),
        file_system: 10,
        inode: 11 << 32 | 12,
        accessed: Moment { seconds: 13, nanoseconds: 14 },
        modified: Moment { seconds: 15, nanoseconds: 16 },
        changed: Moment { seconds: 17, nanoseconds: 18 },
    }
}

/// `fattr3`, by hand. Of the mode the kind is left out; setuid stays.
const FILE: [u32; 21] = [4, 0o4755, 2, 3, 4, 5, 6, 0, 7, 8, 9, 0, 10, 11, 12, 13, 14, 15, 16, 17, 18];

fn numbers(writer: &Writer) -> Vec<u32> {
    writer.octets().chunks(4).map(|number| u32::from_be_bytes(number.try_into().unwrap())).collect()
}

fn sealed() -> Sealed {
    let keys = Keys::new(&[0; 16]);
    keys.seal(&Handle { root: RootId(9), place: keys.top(RootId(9)), inode: 2, birth: 3 })
}

#[test]
fn every_answer_is_written_as_the_standard_says() {
    let with = |before: &[u32], after: &[u32]| [before, &FILE, after].concat();
    let handle = sealed();
    let handle_numbers: Vec<u32> =
        handle.octets().chunks(4).map(|number| u32::from_be_bytes(number.try_into().unwrap())).collect();
    let octets = handle.octets().len() as u32;
    let status = Usage { octets: 1 << 32, octets_free: 2, files: 3, files_free: 4 };
    let found = [&[0, octets][..], &handle_numbers, &[1], &FILE, &[1], &FILE].concat();
    let table: [(&str, Writer, Vec<u32>); 11] = [
        ("GETATTR", attributes(&file()), with(&[0], &[])),
        ("GETATTR fails", failed(true, Status::Stale), vec![70]),
        ("the others fail", failed(false, Status::Stale), vec![70, 0]),
        ("and tell of what was asked", failed_with(Status::NoEntry, &file()), with(&[2, 1], &[])),
        ("LOOKUP", super::found(&handle, &file(), &file()), found),
        ("ACCESS", access(&file(), 0x21), with(&[0, 1], &[0x21])),
        ("READLINK", link(&file(), b"../a"), with(&[0, 1], &[4, u32::from_be_bytes(*b"../a")])),
        ("READ", read(&file(), 9, true), with(&[0, 1], &[9, 1, 9])),
        ("FSSTAT", usage(&file(), &status), with(&[0, 1], &[1, 0, 0, 2, 0, 0, 0, 3, 0, 4, 0, 0, 0])),
        (
            "FSINFO",
            information(&file()),
            with(
                &[0, 1],
                &[1 << 20, 1 << 20, 4096, 8192, 8192, 4096, 65_536, i32::MAX as u32, u32::MAX, 0, 1, 11],
            ),
        ),
        ("PATHCONF", names(&file()), with(&[0, 1], &[65_000, 255, 1, 1, 0, 1])),
    ];
    for (what, written, expected) in table {
        assert_eq!(numbers(&written), expected, "{what}");
    }
}

fn listing(octets_max: u32, with_attributes: bool) -> asked::Listing {
    asked::Listing { cookie: 0, names_octets_max: octets_max, octets_max, with_attributes }
}

fn entry<'a>(name: &'a [u8], file: Option<(&'a Attributes, &'a Sealed)>) -> Entry<'a> {
    Entry { inode: 77, name, cookie: 1 << 40, file }
}

#[test]
fn names_are_listed() {
    let file = file();
    let name = u32::from_be_bytes(*b"name");
    let mut plain = Entries::new(&file, listing(4096, false));
    assert!(plain.add(&entry(b"name", None)));
    let plain = numbers(&plain.finish(true, &file));
    assert_eq!(plain, [&[0, 1][..], &FILE, &[0, 0], &[1, 0, 77, 4, name, 256, 0], &[0, 1]].concat());

    let handle = sealed();
    let mut plus = Entries::new(&file, listing(4096, true));
    assert!(plus.add(&entry(b"name", Some((&file, &handle)))));
    assert!(plus.add(&entry(b"name", None)), "what cannot be told of is named all the same");
    let plus = numbers(&plus.finish(false, &file));
    let head = [&[0, 1][..], &FILE, &[0, 0], &[1, 0, 77, 4, name, 256, 0], &[1], &FILE, &[1]].concat();
    assert_eq!(plus[..head.len()], head);
    assert_eq!(plus[plus.len() - 11..], [1, 0, 77, 4, name, 256, 0, 0, 0, 0, 0]);
}

#[test]
fn a_list_is_never_longer_than_was_asked_for() {
    let (file, handle) = (file(), sealed());
    for with_attributes in [false, true] {
        for octets_max in [0, 100, 128, 130, 500, 4096, 65_536] {
            let mut entries = Entries::new(&file, listing(octets_max, with_attributes));
            let mut count = 0;
            while entries.add(&entry(&[b'n'; 9][..1 + count % 9], Some((&file, &handle)))) {
                count += 1;
            }
            let written = entries.finish(false, &file);
            if count == 0 {
                assert_eq!(numbers(&written)[0], Status::TooSmall as u32, "{octets_max}");
            } else {
                assert!(written.octets().len() <= octets_max as usize, "{octets_max}");
                // The next one would not have had room.
                assert!(written.octets().len() + 250 > octets_max as usize, "{octets_max}");
            }
        }
    }
    let empty = Entries::new(&file, listing(0, true)).finish(true, &file);
    assert_eq!(numbers(&empty)[0], 0, "an end needs no entry");
}

/// RFC 1813 3.3.17: `dircount` bounds what is told of names alone.
#[test]
fn names_alone_are_bounded_too() {
    let file = file();
    let mut entries = Entries::new(
        &file,
        asked::Listing { cookie: 0, names_octets_max: 64, octets_max: 65_536, with_attributes: true },
    );
    // 4 + 8 + 4 + 4 + 8 octets each.
    assert_eq!([0; 4].map(|_| entries.add(&entry(b"name", None))), [true, true, false, false]);
    let mut entries = Entries::new(
        &file,
        asked::Listing { cookie: 0, names_octets_max: 0, octets_max: 65_536, with_attributes: true },
    );
    assert_eq!([0; 2].map(|_| entries.add(&entry(b"name", None))), [true, false], "one at least");
}
