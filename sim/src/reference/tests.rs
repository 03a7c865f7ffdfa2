use super::*;
use heorot_core::cluster::record::LeaseRecord;
use heorot_core::config::Interface;
use heorot_core::wire::dhcp::Options;

const START: Time = Time::from_nanoseconds(1_000_000_000_000_000);

fn later(seconds: u64) -> Time {
    START + Duration::from_secs(seconds)
}

fn machine(last: u8) -> Mac {
    Mac([0x52, 0x54, 0, 0, 0, last])
}

fn permanent(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 1, last)
}

fn temporary(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 200, last)
}

fn reference() -> Reference {
    let text = "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-9\"\nfirst = \"10.77.1.0\"\ntemporary = \"10.77.200.1-10.77.200.9\"\n";
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    Reference::new(&Config::parse(text, &[interface]).unwrap().0, &[])
}

fn kept(records: &[Record]) -> Kept {
    records.iter().map(|record| (record.key(), record.value().unwrap())).collect()
}

fn node(mac: Mac, number: u32) -> Record {
    let facts = serde_json::Map::new();
    Record::Node(NodeRecord { mac, further_macs: Vec::new(), granted_to: None, number: Some(number), facts })
}

fn lease(mac: Mac, address: Ipv4Addr) -> Record {
    Record::Lease(LeaseRecord {
        address,
        mac,
        name: None,
        is_guest: false,
        of_host: false,
        of_number: false,
        is_elsewhere: false,
        lease_seconds: None,
        is_left: false,
    })
}

fn message(kind: MessageType, op: Op, mac: Mac, address: Ipv4Addr) -> Message {
    let mut options = Options::default();
    options.set(option::MESSAGE_TYPE, vec![kind as u8]);
    options.set(option::LEASE_TIME, 60_u32.to_be_bytes());
    let mut chaddr = [0; 16];
    chaddr[..6].copy_from_slice(&mac.0);
    let none = Ipv4Addr::UNSPECIFIED;
    let (ciaddr, yiaddr) = if op == Op::BootReply { (none, address) } else { (address, none) };
    Message { op, xid: 1, ciaddr, yiaddr, chaddr, options, ..Message::request() }
}

fn answer(kind: MessageType, mac: Mac, address: Ipv4Addr) -> DhcpSend {
    let payload = message(kind, Op::BootReply, mac, address).write(1472);
    let target = DhcpTarget::Frame(mac, address);
    DhcpSend { interface: "eth1".into(), source: Ipv4Addr::new(10, 77, 0, 1), target, payload }
}

/// An answer, its moment, and what the store keeps then.
type Seen<'a> = (u64, DhcpSend, &'a Kept);

/// What the model says about a row of answers. None: nothing was wrong.
fn judge(answers: &[Seen<'_>]) -> Option<String> {
    let mut reference = reference();
    answers.iter().find_map(|(at, send, kept)| reference.answered(later(*at), send, kept).err())
}

#[test]
fn what_may_be_is_let_pass() {
    let kept = kept(&[node(machine(1), 0), lease(machine(2), temporary(2))]);
    let answers = [
        (0, answer(MessageType::Offer, machine(1), permanent(0)), &kept),
        (1, answer(MessageType::Offer, machine(1), permanent(0)), &kept),
        (2, answer(MessageType::Ack, machine(1), permanent(0)), &kept),
        (3, answer(MessageType::Offer, machine(2), temporary(2)), &kept),
        (4, answer(MessageType::Ack, machine(2), temporary(2)), &kept),
        (5, answer(MessageType::Nak, machine(3), Ipv4Addr::UNSPECIFIED), &kept),
    ];
    assert_eq!(judge(&answers), None);
}

#[test]
fn what_must_not_be_is_found() {
    use MessageType::{Ack, Offer};
    let nothing = Kept::new();
    let one = kept(&[node(machine(1), 0), lease(machine(1), temporary(2))]);
    let other = kept(&[node(machine(2), 0), node(machine(1), 1), lease(machine(2), temporary(2))]);
    let cases: &[(&[Seen<'_>], &str)] = &[
        (
            &[(0, answer(Ack, machine(1), permanent(0)), &nothing)],
            "promised number 0, and the store keeps None",
        ),
        (
            &[(0, answer(Ack, machine(1), temporary(1)), &nothing)],
            "granted 10.77.200.1, and the store keeps None",
        ),
        (&[(0, answer(Ack, machine(1), Ipv4Addr::new(10, 9, 9, 9)), &nothing)], "in no range"),
        (
            &[
                (0, answer(Ack, machine(1), permanent(0)), &one),
                (1, answer(Ack, machine(2), permanent(0)), &other),
            ],
            "number 0 of 52:54:00:00:00:01 is given to 52:54:00:00:00:02",
        ),
        (
            &[
                (0, answer(Ack, machine(1), permanent(0)), &one),
                (1, answer(Offer, machine(2), permanent(0)), &one),
            ],
            "which is 52:54:00:00:00:01's by its number",
        ),
        (
            &[
                (0, answer(Ack, machine(1), permanent(0)), &one),
                (1, answer(Ack, machine(1), permanent(1)), &other),
            ],
            "was 0 and is 1",
        ),
        (
            &[
                (0, answer(Ack, machine(1), temporary(2)), &one),
                (140, answer(Ack, machine(2), temporary(2)), &other),
            ],
            "which is lent to 52:54:00:00:00:01",
        ),
        (
            &[
                (0, answer(Offer, machine(1), temporary(2)), &one),
                (34, answer(Offer, machine(1), temporary(3)), &one),
            ],
            "nothing was decided between",
        ),
    ];
    for (answers, expected) in cases {
        let told = judge(answers).unwrap_or_else(|| panic!("nothing was found where {expected}"));
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn an_address_that_was_given_back_or_fell_silent_is_free() {
    let (one, other) = (kept(&[lease(machine(1), temporary(2))]), kept(&[lease(machine(2), temporary(2))]));
    let first = (0, answer(MessageType::Ack, machine(1), temporary(2)), &one);
    assert_eq!(
        judge(&[first.clone(), (151, answer(MessageType::Ack, machine(2), temporary(2)), &other)]),
        None
    );
    let mut reference = reference();
    reference.answered(START, &first.1, &one).unwrap();
    reference.asked(&message(MessageType::Release, Op::BootRequest, machine(1), temporary(2)).write(1472));
    reference.answered(later(1), &answer(MessageType::Ack, machine(2), temporary(2)), &other).unwrap();
}

#[test]
fn a_promise_outlives_a_restart() {
    let mut reference = reference();
    let kept = kept(&[node(machine(1), 4)]);
    reference.told(machine(1), r#"{"number":4,"state":"ready"}"#, &kept).unwrap();
    assert_eq!(reference.started(&kept), Ok(()));
    assert!(reference.started(&Kept::new()).unwrap_err().contains("promised number 4"));
}

#[test]
fn what_the_server_knows_is_compared() {
    let mut reference = reference();
    let kept = kept(&[node(machine(1), 4), lease(machine(2), temporary(1))]);
    reference.told(machine(1), r#"{"number":4}"#, &kept).unwrap();
    let pins = BTreeMap::from([(temporary(1), machine(2))]);
    let dump = |nodes: &str, leases: &str, neighbours: &str| {
        format!(r#"{{"nodes":[{nodes}],"leases":[{leases}],"neighbours":[{neighbours}]}}"#)
    };
    let node = r#"{"mac":"52:54:00:00:00:01","number":4}"#;
    let lent = r#"{"address":"10.77.200.1","mac":"52:54:00:00:00:02"}"#;
    assert_eq!(reference.compare(&dump(node, lent, lent), &pins, Some(&kept)), Ok(()));
    let twice = format!("{node},{node}");
    for (told, expected) in [
        (dump("", lent, lent), "promised number 4, and the server knows None"),
        (dump(&twice, lent, lent), "number 4 is there twice"),
        (dump(node, "", lent), "the store keeps the leases"),
        (dump(node, &format!("{lent},{lent}"), lent), "lent twice"),
        (dump(node, lent, ""), "the kernel has the neighbours"),
    ] {
        let found = reference.compare(&told, &pins, Some(&kept)).unwrap_err();
        assert!(found.contains(expected), "{found}");
    }
}
