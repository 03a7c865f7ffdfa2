use super::*;

const AT: Time = Time::from_nanoseconds(1 << 40);

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

/// As it is found: its place is not known yet.
fn noted(slot: u32, port_number: u16, note: Note) -> Noted {
    Noted { slot, port_number, note: Note { port: 0, ..note } }
}

#[test]
fn what_a_killed_server_noted_is_found() {
    let directory = crate::testing::directory("notes");
    let path = directory.path().join("transfers.notes");
    let (mut notes, found) = Notes::open(&path).unwrap();
    assert_eq!(found, Found::default());
    notes.begin(&[40_001, 40_002, 40_003], found).unwrap();
    for (slot, n) in [(0, 1), (1, 2), (5, 3), (16_383, 4)] {
        notes.write(slot, Some(&note(n))).unwrap();
    }
    notes.write(1, None).unwrap();
    notes.write(5, Some(&note(30))).unwrap();
    notes.advance(AT, 0, true, 99_000);
    notes.advance(AT, 16_383, true, 7);
    notes.write(16_383, Some(&note(4))).unwrap();
    drop(notes);

    let (notes, found) = Notes::open(&path).unwrap();
    let expected = vec![
        noted(0, 40_002, Note { options_acknowledged: true, acknowledged: 99_000, ..note(1) }),
        noted(5, 40_001, note(30)),
        noted(16_383, 40_002, note(4)),
    ];
    assert_eq!(found, Found { ports: vec![40_001, 40_002, 40_003], notes: expected });
    notes.remove().unwrap();
    assert!(!path.exists());
}

/// What counts is the port that the client knows, wherever it stands now. A slot whose port is another's is empty from then on, also for servers after this one.
#[test]
fn a_note_goes_with_the_number_of_its_port() {
    let directory = crate::testing::directory("notes-ports");
    let path = directory.path().join("transfers.notes");
    let restart = |ports: &[u16]| {
        let (mut notes, found) = Notes::open(&path).unwrap();
        let kept = notes.begin(ports, found).unwrap();
        kept.iter().map(|(slot, note)| (*slot, note.port)).collect::<Vec<_>>()
    };
    let (mut notes, found) = Notes::open(&path).unwrap();
    notes.begin(&[40, 41, 42], found).unwrap();
    for (slot, port) in [(0, 0), (1, 1), (2, 2), (3, 1)] {
        notes.write(slot, Some(&Note { port, ..note(1) })).unwrap();
    }
    drop(notes);
    for (ports, expected) in [
        (&[40, 41, 42][..], vec![(0, 0), (1, 1), (2, 2), (3, 1)]),
        (&[42, 40, 41], vec![(0, 1), (1, 2), (2, 0), (3, 2)]),
        (&[40, 42, 43], vec![(0, 0), (2, 1)]),
        (&[40, 41, 42], vec![(0, 0), (2, 2)]),
        (&[69], vec![]),
        (&[40, 41, 42], vec![]),
    ] {
        assert_eq!(restart(ports), expected, "{ports:?}");
    }
}

#[test]
fn a_note_that_is_old_torn_or_of_another_boot_is_none() {
    let directory = crate::testing::directory("notes-old");
    let path = directory.path().join("transfers.notes");
    let (mut notes, _) = Notes::open(&path).unwrap();
    notes.begin(&[1, 2, 3], Found::default()).unwrap();
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
    let room = SLOT_OCTETS - encode(&long(0), 7, now()).unwrap().iter().take(FIXED_OCTETS).count();
    let longest =
        (room..SLOT_OCTETS).take_while(|octets| encode(&long(*octets), 7, now()).is_some()).last().unwrap();
    let slot = encode(&long(longest), 7, now()).unwrap();
    assert_eq!(decode(0, slot.as_slice().try_into().unwrap()).unwrap().0.note.path.len(), longest);
    assert!(encode(&long(longest + 1), 7, now()).is_none());
}

#[test]
fn a_slot_out_of_bounds_is_refused() {
    let directory = crate::testing::directory("notes-bounds");
    let (mut notes, _) = Notes::open(&directory.path().join("transfers.notes")).unwrap();
    assert!(notes.write(16_384, Some(&note(1))).is_err());
    notes.advance(AT, 16_384, true, 1);
}

#[test]
fn progress_of_a_transfer_before_is_not_this_one_s() {
    let directory = crate::testing::directory("notes-progress");
    let path = directory.path().join("transfers.notes");
    let (mut notes, _) = Notes::open(&path).unwrap();
    notes.begin(&[1, 2, 3], Found::default()).unwrap();
    notes.advance(AT, 3, true, 500_000);
    notes.write(3, Some(&note(1))).unwrap();
    assert_eq!(notes.read(boot_id().unwrap(), now()).unwrap().notes, [noted(3, 2, note(1))]);
    notes.write(3, None).unwrap();
    notes.advance(AT + Duration::from_nanos(1), 3, true, 600_000);
    assert_eq!(notes.read(boot_id().unwrap(), now()).unwrap().notes, [], "progress alone is no note");
}

#[test]
fn a_file_of_another_version_is_empty_from_now_on() {
    let directory = crate::testing::directory("notes-version");
    let path = directory.path().join("transfers.notes");
    std::fs::write(&path, vec![7; 5000]).unwrap();
    let (mut notes, found) = Notes::open(&path).unwrap();
    assert_eq!(found, Found::default());
    notes.begin(&[1], found).unwrap();
    assert_eq!(notes.read(boot_id().unwrap(), now()).unwrap(), Found { ports: vec![1], notes: vec![] });
}
