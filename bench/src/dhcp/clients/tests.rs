use super::*;

const SERVER: [u8; 4] = [10, 77, 0, 1];

fn load(exchanges: u32, at_once: u32) -> Load {
    let repeats_after = Duration::from_secs(4);
    Load { hosts: 0..4, exchanges, at_once, within: Duration::from_secs(9), repeats_after, takes: true }
}

fn answer(host: u32, xid: u32, kind: Kind) -> Answer {
    Answer { host, xid, kind, address: Ipv4Addr::new(10, 77, 1, 1), server: SERVER }
}

#[test]
fn as_many_are_under_way_as_asked_for_and_each_takes_its_offer() {
    let (now, load) = (Instant::now(), load(5, 2));
    let mut clients = Clients::new(&load, 70);
    clients.begin(now);
    assert_eq!((clients.begun, clients.outbox.len()), (2, 2));
    clients.take(now, &answer(0, 70, Kind::Offer));
    clients.take(now, &answer(0, 70, Kind::Offer)); // a second server's
    assert_eq!(clients.outbox.len(), 3, "one REQUEST");
    clients.take(now, &answer(0, 69, Kind::Ack)); // of another exchange
    assert_eq!(clients.outcome.done, 0);
    clients.take(now + Duration::from_millis(2), &answer(0, 70, Kind::Ack));
    assert_eq!((clients.outcome.done, clients.outcome.within(Duration::from_millis(1))), (1, 0));
    clients.begin(now);
    assert_eq!((clients.begun, clients.under_way.len()), (3, 2));
}

#[test]
fn who_is_not_answered_repeats_what_it_said_last() {
    let (now, load) = (Instant::now(), load(1, 1));
    let mut clients = Clients::new(&load, 70);
    clients.begin(now);
    let second = Duration::from_secs(1);
    clients.take(now + 3 * second, &answer(0, 70, Kind::Offer));
    clients.outbox.clear();
    clients.repeat(now + 4 * second);
    assert_eq!(clients.outbox.len(), 0, "its REQUEST is one second old");
    clients.repeat(now + 7 * second);
    assert_eq!((clients.outbox.len(), clients.outcome.repeats), (1, 1));
    clients.take(now + 8 * second, &answer(0, 70, Kind::Nak));
    assert_eq!((clients.outbox.len(), clients.outcome.naks), (2, 1));
    assert_eq!(clients.outbox[1], clients.forms.discover(0, 70));
}
