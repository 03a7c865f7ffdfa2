use super::offer::place;
use super::*;
use crate::config::Interface;

const LEASE: Duration = Duration::from_secs(60);
const POOL: PoolId = PoolId { network: 0, kind: PoolKind::Temporary };
const START: Time = Time::from_nanoseconds(1_000_000_000_000);

fn config(temporary: &str) -> Config {
    with_further(temporary, "")
}

fn with_further(temporary: &str, further: &str) -> Config {
    let text = format!(
        "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-9\"\nfirst = \"10.77.1.0\"\ntemporary = \"{temporary}\"\n{further}"
    );
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    Config::parse(&text, &[interface]).expect("the configuration is right").0
}

fn mac(last: u8) -> Mac {
    Mac([0x52, 0x54, 0, 0, 0, last])
}

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 200, last)
}

fn seconds(seconds: u64) -> Time {
    START + Duration::from_secs(seconds)
}

/// A machine's place is part of what it was promised: the same in every version and on every host.
#[test]
fn places_never_change() {
    let range = AddressRange { first: Ipv4Addr::new(10, 77, 200, 1), last: Ipv4Addr::new(10, 77, 203, 254) };
    for (last, expected) in
        [(0x0a, [10, 77, 203, 226]), (0x0b, [10, 77, 201, 180]), (0x0c, [10, 77, 203, 243])]
    {
        assert_eq!(place(mac(last), range), Ipv4Addr::from(expected));
    }
}

#[test]
fn the_same_machine_gets_the_same_offer_and_two_never_the_same() {
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.20"));
    let offers: Vec<_> = (0..20).map(|last| leases.offer(START, mac(last), POOL, None)).collect();
    let different: BTreeSet<_> = offers.iter().flatten().collect();
    assert_eq!(different.len(), 20, "every machine has an address of its own");
    for last in (0..20).rev() {
        assert_eq!(leases.offer(seconds(1), mac(last), POOL, None), offers[usize::from(last)]);
    }
}

#[test]
fn with_no_address_left_the_oldest_offer_gives_way_and_a_lease_does_not() {
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.2"));
    let first = leases.offer(START, mac(1), POOL, None).unwrap();
    leases.lend(START, first, mac(1), POOL, LEASE);
    let second = leases.offer(seconds(1), mac(2), POOL, None).unwrap();
    assert_eq!(leases.offer(seconds(5), mac(3), POOL, None), None, "it may be about to be taken");
    assert_eq!(leases.offer(seconds(5), mac(2), POOL, None), Some(second), "to its own machine, once more");
    assert_eq!(leases.offer(seconds(6), mac(3), POOL, None), Some(second), "what was only offered");
    assert_eq!(leases.check(second, mac(2), POOL), Err(NotFree::Taken));
    leases.lend(seconds(6), second, mac(3), POOL, LEASE);
    assert_eq!(leases.offer(seconds(7), mac(2), POOL, None), None);
    assert_eq!(leases.used(PoolKind::Temporary), (2, 2));
}

#[test]
fn an_address_is_held_after_the_last_sign_of_life() {
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.1"));
    let held_until = leases.lend(START, address(1), mac(1), POOL, LEASE);
    assert_eq!(held_until, seconds(150), "the longer of lease and hold");
    leases.alive(seconds(100), address(1));
    assert_eq!(leases.expire(seconds(150), address(1)), (None, Some(seconds(250))));
    let (ended, again) = leases.expire(seconds(250), address(1));
    assert_eq!((ended.map(|lease| lease.mac), again), (Some(mac(1)), None));
    // While it is probed it can be offered, but only its last borrower gets it.
    leases.end(address(1), seconds(251));
    assert_eq!(leases.check(address(1), mac(1), POOL), Ok(()));
    assert_eq!(leases.offer(seconds(250), mac(2), POOL, None), Some(address(1)));
    assert_eq!(leases.check(address(1), mac(2), POOL), Err(NotFree::Probed));
    assert_eq!(leases.check(address(1), mac(1), POOL), Err(NotFree::Taken), "it is offered to another now");
    assert_eq!(leases.expire(seconds(251), address(1)), (None, Some(seconds(285))), "the offer still stands");
    assert_eq!(leases.check(address(1), mac(2), POOL), Ok(()));
    assert_eq!(leases.expire(seconds(285), address(1)), (None, None));
    assert_eq!(leases.check(address(1), mac(3), POOL), Ok(()));
}

/// raspberrypi/documentation 1067: a Pi 3's ROM asks for nothing that it was offered, and loads.
#[test]
fn an_offer_whose_machine_was_heard_at_its_address_stands_like_a_loan() {
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.2"));
    let taken = leases.offer(START, mac(1), POOL, None).unwrap();
    leases.alive(seconds(20), taken);
    assert_eq!(leases.expire(seconds(35), taken), (None, Some(seconds(170))));
    let other = leases.offer(seconds(36), mac(2), POOL, None).unwrap();
    assert_ne!(other, taken);
    assert_eq!(leases.check(taken, mac(2), POOL), Err(NotFree::Taken));
    // What was only offered gives way, and not where somebody lives.
    assert_eq!(leases.offer(seconds(41), mac(3), POOL, None), Some(other));
    leases.lend(seconds(41), other, mac(3), POOL, LEASE);
    assert_eq!(leases.offer(seconds(42), mac(2), POOL, None), None);
    // Its own machine is offered it again, and gets it.
    assert_eq!(leases.offer(seconds(43), mac(1), POOL, None), Some(taken));
    leases.alive(seconds(44), taken);
    assert_eq!(leases.offer(seconds(45), mac(2), POOL, None), None);
    assert_eq!(leases.check(taken, mac(1), POOL), Ok(()));
    assert_eq!(leases.expire(seconds(193), taken), (None, Some(seconds(194))));
    assert_eq!(leases.expire(seconds(194), taken), (None, None));
    assert_eq!(leases.offer(seconds(195), mac(2), POOL, None), Some(taken));
}

#[test]
fn a_guest_renews_or_loses() {
    let lease = Lease {
        mac: mac(1),
        pool: PoolId { network: 0, kind: PoolKind::Guest },
        until: seconds(60),
        length: LEASE,
        recorded_length: LEASE,
        life: seconds(59),
        superseded: false,
        recorded: true,
        is_restored: false,
    };
    assert_eq!(lease.held_until(), seconds(60));
}

#[test]
fn who_gave_an_address_back_may_answer_for_it_once() {
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.1"));
    leases.lend(START, address(1), mac(1), POOL, LEASE);
    leases.end(address(1), seconds(1));
    assert!(!leases.linger(address(1), Some(mac(2)), seconds(3), seconds(4)), "another machine has it");
    assert!(leases.linger(address(1), Some(mac(1)), seconds(3), seconds(4)));
    assert!(
        leases.linger(address(1), Some(mac(1)), seconds(5), seconds(6)),
        "it is asked once, as was said first"
    );
    assert_eq!(leases.expire(seconds(1), address(1)), (None, Some(seconds(3))));
    assert!(!leases.asks_again(seconds(2), address(1)));
    assert_eq!(
        (leases.asks_again(seconds(3), address(1)), leases.asks_again(seconds(3), address(1))),
        (true, false)
    );
    assert_eq!(leases.expire(seconds(3), address(1)), (None, Some(seconds(4))));
    assert!(!leases.linger(address(1), Some(mac(1)), seconds(5), seconds(6)), "it keeps the address");
    assert_eq!((leases.expire(seconds(4), address(1)), leases.is_probed(address(1))), ((None, None), false));
}

/// Nobody can close a range by himself, and what a DECLINE alone has closed gives way where nothing else is left.
#[test]
fn a_machine_closes_a_few_addresses_and_they_give_way_to_others() {
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.5"));
    let declines = |leases: &mut Leases, at: u64, by: u8| {
        let given = leases.offer(seconds(at), mac(by), POOL, None).expect("one is left");
        leases.lend(seconds(at), given, mac(by), POOL, LEASE);
        leases.end(given, seconds(at));
        (given, leases.decline(given, mac(by), seconds(at + 600)))
    };
    let closed: Vec<_> = (1..=3).map(|at| declines(&mut leases, at, 1)).collect();
    assert!(closed.iter().all(|(_, is_closed)| *is_closed) && DECLINED_PER_MACHINE_MAX == 3);
    let (fourth, is_closed) = declines(&mut leases, 4, 1);
    assert!(!is_closed, "as many as one machine's may be");
    leases.expire(seconds(4), fourth);
    let held = leases.held(POOL).unwrap();
    assert_eq!((held.size, held.quarantined, held.lent, held.offered, held.probed), (5, 3, 0, 0, 0));
    for (other, lent) in [(2, 1), (3, 2)] {
        let free = leases.offer(seconds(5), mac(other), POOL, None).unwrap();
        leases.lend(seconds(5), free, mac(other), POOL, LEASE);
        assert_eq!(leases.held(POOL).map(|held| (held.quarantined, held.lent)), Some((3, lent)));
    }
    // None is left for whoever closed them; for others the one that was closed first.
    assert_eq!(leases.offer(seconds(6), mac(1), POOL, None), None);
    assert_eq!(leases.offer(seconds(6), mac(4), POOL, None), Some(closed[0].0));
    assert_eq!(leases.check(closed[0].0, mac(4), POOL), Ok(()));
    // What another host answered for was true: it stays closed, and the machine is believed again.
    leases.confirm(closed[1].0, Some(mac(1)));
    assert_eq!(
        leases.offer(seconds(7), mac(5), POOL, None),
        Some(closed[1].0),
        "the machine answered itself"
    );
    leases.confirm(closed[2].0, Some(mac(9)));
    assert_eq!(
        leases.offer(seconds(11), mac(6), POOL, None),
        Some(closed[0].0),
        "the oldest offer, for a want of others"
    );
    assert!(leases.is_quarantined(closed[2].0));
    assert!(leases.decline(closed[0].0, mac(1), seconds(608)), "it keeps one closed less");
}

#[test]
fn quarantine_is_only_ever_longer() {
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.1"));
    leases.quarantine(address(1), seconds(600), None);
    leases.quarantine(address(1), seconds(1), None);
    assert_eq!(leases.expire(seconds(2), address(1)), (None, Some(seconds(600))));
    assert_eq!(leases.check(address(1), mac(1), POOL), Err(NotFree::Taken));
    assert_eq!(leases.check(address(2), mac(1), POOL), Err(NotFree::Elsewhere));
}

#[test]
fn what_is_lent_survives_another_configuration() {
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.9"));
    leases.lend(START, address(1), mac(1), POOL, LEASE);
    leases.lend(START, address(9), mac(9), POOL, LEASE);
    leases.quarantine(address(5), seconds(600), None);
    let mut leases = leases.reconfigured(&config("10.77.200.5-10.77.200.9"));
    assert_eq!(
        leases.get(address(1)).map(|lease| lease.mac),
        Some(mac(1)),
        "its range is gone, its lease is not"
    );
    assert_eq!(leases.check(address(9), mac(2), POOL), Err(NotFree::Taken));
    assert_eq!(leases.check(address(5), mac(2), POOL), Err(NotFree::Taken));
    assert_eq!(leases.check(address(6), mac(2), POOL), Ok(()));
    leases.end(address(1), seconds(1));
    leases.expire(seconds(1), address(1));
    assert_eq!(leases.check(address(1), mac(2), POOL), Err(NotFree::Elsewhere), "nobody gets it any more");
}

/// As long as somebody is heard at it, the address that a ROM took of its offer is nobody else's, whatever configuration is read meanwhile.
#[test]
fn an_offer_that_was_taken_survives_another_configuration() {
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.2"));
    let taken = leases.offer(START, mac(1), POOL, None).unwrap();
    leases.alive(seconds(20), taken);
    // Its range is where it was.
    let mut leases = leases.reconfigured(&config("10.77.200.1-10.77.200.3"));
    let others =
        [2, 3].map(|other| leases.offer(seconds(19 + u64::from(other)), mac(other), POOL, None).unwrap());
    assert!(!others.contains(&taken), "{others:?}");
    assert_eq!(leases.offer(seconds(26), mac(4), POOL, None), Some(others[0]), "the oldest gives way");
    assert_eq!(leases.offer(seconds(27), mac(1), POOL, None), Some(taken), "its own machine is offered it");
    leases.alive(seconds(28), taken);
    // It is another range now, of which it would not be offered to it any more, and not to others before it is free.
    let guests = with_further("10.77.9.1-10.77.9.2", "guests = \"10.77.200.1-10.77.200.2\"\n");
    let guest = PoolId { network: 0, kind: PoolKind::Guest };
    let free_guests = Leases::new(&guests);
    for (range, id) in [(guests, guest), (config("10.77.200.4-10.77.200.9"), POOL)] {
        let mut leases = leases.clone().reconfigured(&range);
        assert_eq!(leases.offered(taken), Some(mac(1)));
        assert_ne!(leases.offer(seconds(29), mac(5), id, None), Some(taken));
        assert_ne!(leases.offer(seconds(29), mac(1), POOL, None), Some(taken));
        leases.forget_offers(mac(1));
        assert_eq!(leases.offered(taken), Some(mac(1)), "another offer that it gave up is not this one");
        assert_eq!(leases.expire(seconds(177), taken), (None, Some(seconds(178))));
        assert_eq!(leases.expire(seconds(178), taken), (None, None));
        let is_of_range = free_guests.check(taken, mac(5), id).is_ok();
        assert_eq!(leases.check(taken, mac(5), id).is_ok(), is_of_range);
    }
}

/// What was only offered stands where it would be offered still, and its range has all its addresses.
#[test]
fn an_offer_stands_where_another_configuration_would_make_it() {
    const NUMBERS: PoolId = PoolId { network: 0, kind: PoolKind::Number };
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.2"));
    let first = leases.offer(START, mac(1), POOL, None).unwrap();
    let second = leases.offer(seconds(1), mac(2), POOL, None).unwrap();
    let number = Ipv4Addr::new(10, 77, 1, 3);
    leases.offer_number(seconds(1), mac(3), 0, Some(number));
    let mut leases = leases.reconfigured(&config("10.77.200.1-10.77.200.2"));
    assert_eq!([first, second, number].map(|a| leases.offered(a)), [1, 2, 3].map(|last| Some(mac(last))));
    assert_eq!(leases.held(POOL).map(|held| (held.lent, held.offered)), Some((0, 2)));
    assert_eq!(leases.standing(mac(3), NUMBERS), Some(number));
    assert_eq!(leases.offer(seconds(5), mac(4), POOL, None), Some(first), "the oldest gives way, as ever");
    assert_eq!(leases.expire(seconds(36), second), (None, None), "and it ends when it would have");
    assert_eq!(leases.check(second, mac(5), POOL), Ok(()));
    assert_eq!(leases.reconfigured(&config("10.77.9.1-10.77.9.2")).offered(first), None);
    // What is kept for a host by then is another's.
    const GUESTS: PoolId = PoolId { network: 0, kind: PoolKind::Guest };
    let with = |hosts: &str| {
        with_further("10.77.9.1-10.77.9.2", &format!("guests = \"10.77.200.1-10.77.200.2\"\n{hosts}"))
    };
    let mut leases = Leases::new(&with(""));
    let guest = leases.offer(START, mac(1), GUESTS, None).unwrap();
    let mut leases = leases.reconfigured(&with(""));
    assert_eq!((leases.offered(guest), leases.standing(mac(1), GUESTS)), (Some(mac(1)), Some(guest)));
    let host = format!("[[host]]\nmac = \"02:00:00:00:00:01\"\naddress = \"{guest}\"\n");
    leases = leases.reconfigured(&with(&host));
    assert_eq!(leases.offered(guest), None);
}

/// Whatever happens in whatever order: no address is two machines', and every address is counted once.
#[test]
fn no_order_of_things_gives_one_address_to_two() {
    let config = config("10.77.200.1-10.77.200.6");
    for seed in 0_u64..300 {
        let mut leases = Leases::new(&config);
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut chance = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for step in 0..200 {
            let (now, who) = (seconds(step * 3), mac(u8::try_from(chance(9)).unwrap()));
            let some_address = address(u8::try_from(1 + chance(6)).unwrap());
            match chance(7) {
                0 | 1 => drop(leases.offer(now, who, POOL, None)),
                2 | 3
                    if leases.borrowed(who, POOL).is_none()
                        && leases.check(some_address, who, POOL).is_ok() =>
                {
                    leases.lend(now, some_address, who, POOL, LEASE);
                }
                4 => drop(leases.end(some_address, now + LEASE)),
                5 => leases.quarantine(some_address, now + LEASE, None),
                _ => drop(leases.expire(now, some_address)),
            }
            let borrowers: BTreeSet<_> = leases.iter().map(|(_, lease)| lease.mac).collect();
            assert_eq!(borrowers.len(), leases.iter().count(), "seed {seed}: one address a machine");
            for (address, _, _) in leases.offers() {
                assert!(leases.get(address).is_none(), "seed {seed}: {address} is lent and offered");
            }
            let pool = &leases.pools[&POOL];
            let busy: BTreeSet<_> =
                leases.iter().map(|(a, _)| a).chain(leases.offers().map(|(a, ..)| a)).collect();
            let closed = leases.closed().filter(|(a, _)| !busy.contains(a)).count();
            assert_eq!(pool.free.len() + busy.len() + closed, 6, "seed {seed}: every address is somewhere");
        }
    }
}

/// RFC 2131 4.3.1: "the address requested in the 'Requested IP Address' option, if that address is valid and not already allocated".
#[test]
fn a_wish_is_heard_if_the_address_is_free() {
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.9"));
    let own = leases.offer(START, mac(1), POOL, None).unwrap();
    let wished = address(if own == address(5) { 6 } else { 5 });
    assert_eq!(leases.offer(START, mac(1), POOL, Some(wished)), Some(wished));
    assert_eq!((leases.offered(own), leases.offered(wished)), (None, Some(mac(1))), "one offer for each");
    assert_eq!(leases.offer(START, mac(1), POOL, None), Some(wished), "what was offered last");
    leases.lend(START, wished, mac(1), POOL, LEASE);
    for (who, wish, why) in [
        (1, own, "it has one"),
        (2, wished, "it is another's"),
        (3, Ipv4Addr::LOCALHOST, "it is in no range"),
    ] {
        let offered = leases.offer(START, mac(who), POOL, Some(wish));
        assert!(offered.is_some_and(|offered| offered != wish || who == 1), "{who}: {why}");
        assert_eq!(offered == Some(wished), who == 1, "{who}: {why}");
    }
}

#[test]
fn what_is_lent_where_nothing_is_lent_any_more_is_nobody_elses_before_it_ends() {
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.4"));
    leases.lend(START, address(3), mac(1), POOL, LEASE);
    let mut leases = leases.reconfigured(&config("10.77.200.5-10.77.200.9"));
    assert!(leases.is_stranded(address(3)));
    assert_eq!(leases.stranded(mac(1)).collect::<Vec<_>>(), [address(3)]);
    let another = leases.offer(START, mac(1), POOL, None).unwrap();
    assert!(another > address(4), "{another}");
    leases.lend(START, another, mac(1), POOL, LEASE);
    assert_eq!(leases.of(mac(1)).count(), 2);
    leases.end(address(3), seconds(1));
    assert_eq!(leases.borrowed(mac(1), POOL), Some(another), "the other one stays");
    // And where the range comes back before that, it is as it was.
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.4"));
    leases.lend(START, address(3), mac(1), POOL, LEASE);
    let leases = leases.reconfigured(&config("10.77.200.5-10.77.200.9"));
    let leases = leases.reconfigured(&config("10.77.200.1-10.77.200.4"));
    assert!(!leases.is_stranded(address(3)));
    assert_eq!(leases.borrowed(mac(1), POOL), Some(address(3)));
}

/// Where another server gives the addresses by now, it gives what we had lent to a machine to another one.
#[test]
fn what_is_lent_to_another_machine_is_the_first_ones_no_more() {
    const ELSEWHERE: PoolId = PoolId { network: 0, kind: PoolKind::Elsewhere };
    let mut leases = Leases::new(&config("10.77.200.1-10.77.200.4"));
    leases.lend(START, address(2), mac(1), POOL, LEASE);
    leases.lend(START, address(3), mac(1), POOL, LEASE);
    let mut leases = leases.reconfigured(&config("10.77.200.5-10.77.200.9"));
    for last in [2, 3] {
        leases.lend(START, address(last), mac(last), ELSEWHERE, LEASE);
    }
    assert_eq!(leases.of(mac(1)).count(), 0);
    assert_eq!(leases.of(mac(3)).map(|(address, _)| address).collect::<Vec<_>>(), [address(3)]);
    assert!(!leases.is_stranded(address(3)));
}

/// The operator keeps an address for a host while it is asked who still has it.
#[test]
fn an_address_that_is_kept_for_a_host_is_offered_to_nobody_though_it_is_probed() {
    const GUESTS: PoolId = PoolId { network: 0, kind: PoolKind::Guest };
    let with = |hosts: &str| {
        with_further("10.77.9.1-10.77.9.2", &format!("guests = \"10.77.200.1-10.77.200.2\"\n{hosts}"))
    };
    let mut leases = Leases::new(&with(""));
    for last in [1, 2] {
        leases.lend(START, address(last), mac(last), GUESTS, LEASE);
    }
    leases.end(address(1), seconds(3));
    let host = "[[host]]\nmac = \"02:00:00:00:00:01\"\naddress = \"10.77.200.1\"\n";
    let mut leases = leases.reconfigured(&with(host));
    assert!(leases.is_probed(address(1)));
    assert_eq!(leases.offer(seconds(1), mac(3), GUESTS, None), None);
    assert_eq!(leases.offer(seconds(1), mac(3), GUESTS, Some(address(1))), None);
    leases.end(address(2), seconds(3));
    assert_eq!(leases.offer(seconds(1), mac(3), GUESTS, None), Some(address(2)), "what is kept for nobody");
}

/// A machine keeps the address of the number that it had before, and another configuration has that in its range.
#[test]
fn a_former_address_that_is_in_a_range_now_is_offered_to_nobody() {
    const FORMER: PoolId = PoolId { network: 0, kind: PoolKind::Number };
    let mut leases = Leases::new(&config("10.77.200.5-10.77.200.9"));
    leases.lend(START, address(3), mac(1), FORMER, LEASE);
    let mut leases = leases.reconfigured(&config("10.77.200.3-10.77.200.4"));
    let offered = [(0, 2), (5, 3)].map(|(at, other)| leases.offer(seconds(at), mac(other), POOL, None));
    assert_eq!(
        offered,
        [Some(address(4)); 2],
        "the oldest offer gives way, and the other one's address does not"
    );
    leases.retract(address(3));
    assert_eq!(leases.offer(seconds(5), mac(4), POOL, None), Some(address(3)), "and then it is free");
}

/// Its machine took the offer for the address, and another configuration makes it a number's: that number is found again when the machine has fallen silent.
#[test]
fn an_address_that_was_offered_may_be_a_numbers_by_now() {
    let mut leases = Leases::new(&config("10.77.1.20-10.77.1.29"));
    let offered = leases.offer(START, mac(1), POOL, None).unwrap();
    leases.alive(START, offered);
    let mut now = config("10.77.200.1-10.77.200.4");
    now.networks[0].numbering.numbers.highest = 99;
    assert!(now.networks[0].numbering.number(offered).is_some());
    let mut leases = leases.reconfigured(&now);
    assert_eq!(leases.taken(offered), Some(mac(1)));
    leases.returned();
    leases.expire(START + HOLD_AFTER_LIFE, offered);
    assert_eq!((leases.taken(offered), leases.returned()), (None, vec![offered]));
}
