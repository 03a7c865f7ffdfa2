use super::*;

const A: Ipv4Addr = Ipv4Addr::new(10, 77, 200, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 77, 200, 2);

/// With serials to spare.
fn naming() -> Naming {
    let mut naming = Naming::starting(None, 1);
    record(&mut naming, Ticket(1));
    naming
}

fn record(naming: &mut Naming, ticket: Ticket) -> u32 {
    let bound = naming.next_bound().unwrap();
    naming.proposed(ticket, bound);
    naming.decided(ticket, true);
    bound
}

fn lent(name: &str, address: Ipv4Addr, until_nanoseconds: u64) -> Change {
    Change::Lent { name: name.into(), address, until_nanoseconds }
}

#[test]
fn a_name_is_seen_when_its_loan_is_durable_and_until_it_ends() {
    let mut naming = naming();
    naming.keep(A, "tux".into());
    assert_eq!(naming.due(), None, "nothing is durable yet");
    assert_eq!((naming.name(A), naming.address("tux")), (Some("tux"), Some(A)));
    naming.lent(A, 5);
    assert_eq!(naming.due(), Some((2, vec![lent("tux", A, 5)], false)));
    // A renewal is nobody's news: the same serial.
    naming.lent(A, 9);
    assert_eq!(naming.due(), Some((2, vec![lent("tux", A, 9)], false)));
    naming.ended(A);
    naming.ended(A);
    assert_eq!(naming.due(), Some((3, vec![Change::Returned { address: A }], false)));
    naming.keep(A, "tux".into());
    naming.ended(A);
    naming.lent(A, 9);
    assert_eq!(naming.due(), None, "it was never lent");
    assert_eq!(naming.iter().count(), 0);
}

#[test]
fn a_host_that_moves_or_changes_its_name() {
    let mut naming = naming();
    naming.keep(A, "tux".into());
    naming.lent(A, 1);
    naming.keep(B, "tux".into());
    naming.lent(B, 1);
    assert_eq!(
        naming.due().unwrap().1,
        [Change::Returned { address: A }, lent("tux", B, 1)],
        "what was over before it was told is over"
    );
    naming.keep(B, "gnu".into());
    naming.lent(B, 2);
    assert_eq!(naming.due().unwrap().1, [Change::Returned { address: B }, lent("gnu", B, 2)]);
    assert_eq!((naming.address("tux"), naming.address("gnu")), (None, Some(B)));
}

/// While the disk is full no serial is to be had, and hosts renew, and change their names, all the same.
#[test]
fn what_waits_for_a_serial_does_not_grow_with_time() {
    let mut naming = Naming::starting(None, 1);
    for renewal in 0..1000 {
        naming.keep(A, format!("name-{}", renewal % 2));
        naming.lent(A, renewal);
        naming.keep(B, "tux".into());
        naming.lent(B, renewal);
        assert_eq!(naming.due(), None);
    }
    record(&mut naming, Ticket(1));
    let over = [A, B].map(|address| Change::Returned { address });
    let now = [lent("name-1", A, 999), lent("tux", B, 999)];
    assert_eq!(naming.due().unwrap().1, [over, now].concat());
}

#[test]
fn all_changes_of_a_batch_have_one_serial() {
    let mut naming = naming();
    naming.directory_changed();
    for n in 0..10_000_u32 {
        let address = Ipv4Addr::from(0x0a4e_0000 + n);
        naming.keep(address, format!("host-{n}"));
        naming.lent(address, 1);
    }
    let (serial, changes, directory_changed) = naming.due().unwrap();
    assert_eq!((serial, changes.len(), directory_changed), (2, 10_000, true));
    assert_eq!(naming.due(), None);
}

#[test]
fn no_serial_is_served_that_is_not_durable() {
    let mut naming = Naming::starting(None, 1);
    let bound = naming.next_bound().unwrap();
    assert_eq!(bound, 2 + SERIALS_RESERVED);
    naming.directory_changed();
    assert_eq!(naming.due(), None);
    naming.proposed(Ticket(7), bound);
    assert_eq!(naming.next_bound(), None, "one at a time");
    naming.decided(Ticket(6), true);
    assert_eq!(naming.due(), None);
    // The disk refused it: again.
    naming.decided(Ticket(7), false);
    assert_eq!((naming.due(), naming.next_bound()), (None, Some(bound)));
    naming.proposed(Ticket(8), bound);
    naming.decided(Ticket(9), true);
    assert_eq!(naming.due(), Some((2, vec![], true)));
    let mut served = 2;
    loop {
        naming.directory_changed();
        let Some((serial, ..)) = naming.due() else { break };
        assert_eq!(serial, served + 1);
        served = serial;
    }
    assert_eq!(served, bound - 1);
}

/// Whatever is killed when, no start serves a serial that was served with other names, but for the moment in which its own record is under way.
#[test]
fn serials_never_go_back() {
    let mut recorded = None;
    let mut highest = 0;
    for start in 0..50 {
        let mut naming = Naming::starting(recorded, 1);
        assert!(naming.serial() >= highest, "start {start}");
        for batch in 0..start % 7 * 20 {
            if let Some(bound) = naming.next_bound() {
                naming.proposed(Ticket(batch), bound);
                // Killed before it was durable, or not.
                if batch == 3 && start % 5 == 0 {
                    break;
                }
                recorded = Some(bound);
                naming.decided(Ticket(batch), true);
            }
            naming.directory_changed();
            let (serial, ..) = naming.due().unwrap();
            assert!(serial > highest, "start {start}, batch {batch}");
            highest = serial;
        }
    }
}

#[test]
fn serials_wrap_and_the_operators_counts_if_it_is_higher() {
    let table: &[(Option<u32>, u32, u32)] = &[
        (None, 1, 1),
        (None, 2_026_112_801, 2_026_112_801),
        (Some(66), 1, 65),
        (Some(66), 2_000, 2_000),
        (Some(3_000), 2_000, 2_999),
        // RFC 1982 3.2: what is ahead by less than half of all is higher.
        (Some(5), u32::MAX - 5, 4),
        (Some(0), 1, 1),
    ];
    for (recorded, at_least, served) in table {
        let naming = Naming::starting(*recorded, *at_least);
        assert_eq!(naming.serial(), *served, "{recorded:?} {at_least}");
    }
    let mut naming = Naming::starting(Some(0), u32::MAX - 1);
    assert_eq!(naming.serial(), u32::MAX);
    record(&mut naming, Ticket(1));
    naming.directory_changed();
    assert_eq!(naming.due(), Some((0, vec![], true)));
}
