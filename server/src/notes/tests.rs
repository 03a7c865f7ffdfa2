use super::*;

fn note(n: u16) -> Note {
    Note {
        port: n % 3,
        local: Ipv4Addr::new(10, 77, 0, 1),
        peer: SocketAddrV4::new(Ipv4Addr::new(10, 77, 200, 5), 2000 + n),
        path: format!("initrd-{n}.img"),
        identity: ImageIdentity {
            file: u64::MAX - 1,
            size: 5_000_000_000,
            modified: 1_732_000_000_123_456_789,
        },
        block_octets: 1428,
        window_blocks: 8,
        timeout_milliseconds: n.is_multiple_of(2).then_some(3000),
        block_octets_asked: n & 1 != 0,
        window_blocks_asked: n & 2 != 0,
        size_asked: n & 4 != 0,
        options_acknowledged: n & 8 != 0,
        acknowledged: 70_000 + u64::from(n),
    }
}

#[test]
fn what_a_killed_server_noted_is_found() {
    let directory = crate::testing::directory("notes");
    let path = directory.path().join("transfers.notes");
    let (notes, found) = Notes::open(&path).unwrap();
    assert_eq!(found, Found::default());
    notes.begin(&[40_001, 40_002, 40_003]).unwrap();
    for (slot, n) in [(0, 1), (1, 2), (5, 3), (16_383, 4)] {
        notes.write(slot, Some(&note(n))).unwrap();
    }
    notes.write(1, None).unwrap();
    notes.write(5, Some(&note(30))).unwrap();
    notes.advance(0, true, 99_000);
    notes.advance(16_383, true, 7);
    notes.write(16_383, Some(&note(4))).unwrap();
    drop(notes);

    let (notes, found) = Notes::open(&path).unwrap();
    let expected = vec![
        (0, Note { options_acknowledged: true, acknowledged: 99_000, ..note(1) }),
        (5, note(30)),
        (16_383, note(4)),
    ];
    assert_eq!(found, Found { ports: vec![40_001, 40_002, 40_003], notes: expected });
    notes.remove().unwrap();
    assert!(!path.exists());
}

#[test]
fn a_note_that_is_old_torn_or_of_another_boot_is_none() {
    let directory = crate::testing::directory("notes-old");
    let path = directory.path().join("transfers.notes");
    let (notes, _) = Notes::open(&path).unwrap();
    notes.begin(&[1, 2, 3]).unwrap();
    notes.write(0, Some(&note(1))).unwrap();
    let boot = boot_id().unwrap();
    assert_eq!(notes.read(boot, now()).unwrap().notes.len(), 1);
    assert_eq!(notes.read(boot, now() + NOTES_LAST).unwrap().notes.len(), 0, "too old");
    assert_eq!(
        notes.read(boot, now() + NOTES_LAST).unwrap().ports,
        [1, 2, 3],
        "the ports are good for as long as the host runs"
    );
    assert_eq!(notes.read([7; 16], now()).unwrap(), Found::default(), "another boot");
    for octet in 0..FIXED_OCTETS + 10 {
        let place = SLOTS_BEGIN_AT + octet as u64;
        let mut was = [0];
        notes.file.read_exact_at(&mut was, place).unwrap();
        notes.file.write_all_at(&[was[0] ^ 0x10], place).unwrap();
        assert_eq!(notes.read(boot, now()).unwrap().notes.len(), 0, "octet {octet} is wrong");
        notes.file.write_all_at(&was, place).unwrap();
    }
    notes.file.write_all_at(&[9], 26).unwrap();
    assert_eq!(notes.read(boot, now()).unwrap(), Found::default(), "a wrong header");
}

#[test]
fn a_path_that_fits_no_slot_is_not_noted() {
    let long = |octets| Note { path: "x".repeat(octets), ..note(1) };
    let room = SLOT_OCTETS - encode(&long(0), now()).unwrap().iter().take(FIXED_OCTETS).count();
    let longest =
        (room..SLOT_OCTETS).take_while(|octets| encode(&long(*octets), now()).is_some()).last().unwrap();
    let slot = encode(&long(longest), now()).unwrap();
    assert_eq!(decode(slot.as_slice().try_into().unwrap()).unwrap().0.path.len(), longest);
    assert!(encode(&long(longest + 1), now()).is_none());
}

#[test]
fn a_slot_out_of_bounds_is_refused() {
    let directory = crate::testing::directory("notes-bounds");
    let (notes, _) = Notes::open(&directory.path().join("transfers.notes")).unwrap();
    assert!(notes.write(16_384, Some(&note(1))).is_err());
    notes.advance(16_384, true, 1);
}

#[test]
fn progress_of_a_transfer_before_is_not_this_one_s() {
    let directory = crate::testing::directory("notes-progress");
    let path = directory.path().join("transfers.notes");
    let (notes, _) = Notes::open(&path).unwrap();
    notes.begin(&[1, 2, 3]).unwrap();
    notes.advance(3, true, 500_000);
    notes.write(3, Some(&note(1))).unwrap();
    assert_eq!(notes.read(boot_id().unwrap(), now()).unwrap().notes, [(3, note(1))]);
    notes.write(3, None).unwrap();
    notes.advance(3, true, 600_000);
    assert_eq!(notes.read(boot_id().unwrap(), now()).unwrap().notes, [], "progress alone is no note");
}

#[test]
fn a_file_of_another_version_is_empty_from_now_on() {
    let directory = crate::testing::directory("notes-version");
    let path = directory.path().join("transfers.notes");
    std::fs::write(&path, vec![7; 5000]).unwrap();
    let (notes, found) = Notes::open(&path).unwrap();
    assert_eq!(found, Found::default());
    notes.begin(&[1]).unwrap();
    assert_eq!(notes.read(boot_id().unwrap(), now()).unwrap(), Found { ports: vec![1], notes: vec![] });
}
