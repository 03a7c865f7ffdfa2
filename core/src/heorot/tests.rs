mod change;
mod many;
mod room;
mod sets;

use super::*;
use crate::cluster::node::Node;
use crate::cluster::stage::{Phase, Stage};
use crate::config::Interface;
use crate::limit::{
    HOST_LINES_PER_MINUTE_MAX, OFFERS_HELD_BACK_MAX, PROBE_WAIT, STRANGE_RELAY_LINES_PER_HOUR_MAX,
    UNANSWERED_MAX,
};
use crate::mac::Mac;
use crate::message::{Answer, Datagram, Overheard, Query, RequestId, Ticket};
use crate::time::Wall;
use proptest::prelude::*;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

const NOW: Time = Time::from_nanoseconds(1_000_000_000_000);
const DISCOVER: &[u8] = include_bytes!("../../fixtures/discover-ipxe.bin");

fn heorot() -> Heorot {
    with_configuration("", Vec::new())
}

/// With further lines of the configuration, and what was kept.
fn with_configuration(further: &str, records: Vec<Record>) -> Heorot {
    let text = "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-9\"\nfirst = \"10.77.1.0\"\n\
                temporary = \"10.77.200.1-10.77.200.9\"\nguests = \"10.77.210.1-10.77.210.9\"\n";
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    let (config, _) =
        Config::parse(&format!("{text}{further}"), &[interface]).expect("the configuration is right");
    Heorot::restore(NOW, config, [7; 16], records, &mut Vec::new())
}

fn take(heorot: &mut Heorot, payload: &[u8]) -> Vec<Output> {
    take_from(heorot, SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68), payload)
}

fn take_from(heorot: &mut Heorot, source: SocketAddrV4, payload: &[u8]) -> Vec<Output> {
    let mut out = Vec::new();
    let datagram = Datagram { interface: "eth1", source, destination: Ipv4Addr::BROADCAST, payload };
    heorot.handle(NOW, Input::Dhcp(datagram), &mut out);
    out
}

fn dump(heorot: &mut Heorot) -> String {
    match ask(heorot, Query::Dump).whole(|query| Some(ask(heorot, query))) {
        Some(Answer::Json(200, body)) => body,
        other => panic!("a dump is answered with JSON: {other:?}"),
    }
}

fn ask(heorot: &mut Heorot, query: Query) -> Answer {
    let mut out = Vec::new();
    heorot.handle(NOW, Input::Operator { id: RequestId(1), wall: Wall(0), query }, &mut out);
    match out.pop() {
        Some(Output::Reply(_, answer)) => answer,
        other => panic!("a question is answered: {other:?}"),
    }
}

/// The packet with some octets replaced.
fn with(at: usize, octets: &[u8]) -> Vec<u8> {
    let mut packet = DISCOVER.to_vec();
    packet[at..at + octets.len()].copy_from_slice(octets);
    packet
}

/// A header with these octets as options.
fn with_options(options: &[u8]) -> Vec<u8> {
    [&DISCOVER[..240], options].concat()
}

#[test]
fn the_packet_that_the_others_are_made_from_is_right() {
    let mut heorot = heorot();
    let before = dump(&mut heorot);
    assert!(
        take(&mut heorot, DISCOVER)
            .iter()
            .any(|output| matches!(output, Output::Dhcp(_) | Output::Probe { .. }))
    );
    assert_ne!(dump(&mut heorot), before, "a dump shows what a packet changes");
}

/// What is wrong is counted, by what is wrong, and leaves everything as it was.
#[test]
fn malformed_packets_change_nothing_but_a_counter() {
    for (what, packet, word) in [
        ("nothing", vec![], "dhcp-short"),
        ("one octet", vec![1], "dhcp-short"),
        ("an octet too short", DISCOVER[..239].to_vec(), "dhcp-short"),
        ("64 KiB", vec![1; 65_507], "dhcp-long"),
        ("64 KiB of options", with_options(&vec![0; 65_000]), "dhcp-long"),
        ("operation 0", with(0, &[0]), "dhcp-operation"),
        ("operation 3", with(0, &[3]), "dhcp-operation"),
        ("a server's", with(0, &[2]), "dhcp-reply"),
        ("hardware address of 17 octets", with(2, &[17]), "dhcp-hardware-length"),
        ("hardware address of 255 octets", with(2, &[255]), "dhcp-hardware-length"),
        ("no hardware address", with(2, &[0]), "dhcp-hardware-address"),
        ("ARCNET", with(1, &[7]), "dhcp-hardware-address"),
        ("a group's address", with(28, &[0x01, 0, 0x5e]), "dhcp-hardware-address"),
        ("another vendor's options", with(236, &[1, 0, 0, 0]), "dhcp-cookie"),
        ("an option past the end", with_options(&[53, 1, 1, 60, 200, 0]), "dhcp-option"),
        ("a code without a length", with_options(&[53, 1, 1, 60]), "dhcp-option"),
        ("overload of 4", with_options(&[53, 1, 1, 52, 1, 4, 255]), "dhcp-overload"),
        ("a leasequery of nobody known", with_options(&[53, 1, 10, 255]), "dhcp-leasequery-refused"),
        ("type 0", with_options(&[53, 1, 0, 255]), "dhcp-message-type"),
        ("type 99", with_options(&[53, 1, 99, 255]), "dhcp-message-type"),
        ("a type of two octets", with_options(&[53, 2, 1, 1, 255]), "dhcp-message-type"),
        ("an OFFER", with_options(&[53, 1, 2, 255]), "dhcp-reply"),
        ("a REQUEST for nothing", with_options(&[53, 1, 3, 255]), "dhcp-request-address"),
        ("firmware's REQUEST for nothing", with(242, &[3]), "dhcp-request-address"),
        ("a DECLINE of nothing", with_options(&[53, 1, 4, 255]), "dhcp-decline-address"),
    ] {
        let mut heorot = heorot();
        let before = dump(&mut heorot);
        let out = take(&mut heorot, &packet);
        assert_eq!(out, [], "{what}");
        assert_eq!(dump(&mut heorot), before, "{what}");
        assert_eq!(heorot.hall.malformed.iter().collect::<Vec<_>>(), [(&word, &1)], "{what}");
    }
}

/// Who asks by BOOTP where that is not served is counted, and told of once.
#[test]
fn bootp_that_is_not_served_leaves_a_trace() {
    for packet in [with(236, &[0, 0, 0, 0]), with_options(&[55, 1, 1, 255])] {
        let mut heorot = heorot();
        let out = [take(&mut heorot, &packet), take(&mut heorot, &packet)].map(|out| out.len());
        assert_eq!((out, heorot.hall.unanswered.count()), ([1, 0], 1));
        assert_eq!(heorot.hall.malformed.iter().collect::<Vec<_>>(), [(&"dhcp-bootp", &2)]);
    }
}

/// Whoever makes up relays and machines fills no table and no journal, and nothing but that is kept of them.
#[test]
fn relays_that_nobody_knows_are_counted_and_told_of() {
    let mut heorot = heorot();
    let before = dump(&mut heorot);
    let mut told = 0;
    for machine in 0..3000_u32 {
        let [_, a, b, c] = machine.to_be_bytes();
        let mut packet = with(24, &[11, a, b, c]);
        packet[28..34].copy_from_slice(&[2, 0, 0, a, b, c]);
        let out = take(&mut heorot, &packet);
        assert!(out.iter().all(|output| matches!(output, Output::Event(_))), "{out:?}");
        told += out.len();
    }
    assert_eq!(told, STRANGE_RELAY_LINES_PER_HOUR_MAX as usize);
    assert_eq!(heorot.hall.malformed.iter().collect::<Vec<_>>(), [(&"dhcp-network", &3000)]);
    assert_eq!(heorot.hall.unanswered.count(), UNANSWERED_MAX);
    assert_eq!(dump(&mut heorot), before);
}

/// A flood of machines that nobody knows, all within the time of one probe: the nine who asked first keep what they are offered.
#[test]
fn no_more_offers_are_held_back_than_there_are_addresses() {
    let mut heorot = heorot();
    for machine in 0..u32::try_from(OFFERS_HELD_BACK_MAX).unwrap() {
        let [_, a, b, c] = machine.to_be_bytes();
        let out = take(&mut heorot, &with(28, &[2, 0, 0, a, b, c]));
        assert!(!out.iter().any(|output| matches!(output, Output::Dhcp(_))), "machine {machine}");
    }
    assert_eq!(heorot.hall.held_back.len(), 9);
    // Nine addresses were asked about, each once; and nothing is left when the time is over.
    let mut out = Vec::new();
    let over = NOW + PROBE_WAIT;
    while heorot.next_wakeup().is_some_and(|at| at <= over) {
        heorot.handle(over, Input::Wakeup, &mut out);
    }
    assert_eq!(heorot.hall.held_back.len(), 0);
    let offers = out.iter().filter(|output| matches!(output, Output::Dhcp(_))).count();
    assert_eq!(offers, 9, "an address is offered to one machine alone");
}

/// A REQUEST of the same machine's firmware for an address that we offered.
fn request_for(address: [u8; 4]) -> Vec<u8> {
    let [a, b, c, d] = address;
    with_options(&[53, 1, 3, 50, 4, a, b, c, d, 54, 4, 10, 77, 0, 1, 93, 2, 0, 0, 255])
}

fn tickets(out: &[Output]) -> Vec<Ticket> {
    let ticket = |output: &Output| match output {
        Output::Record(ticket, _) => Some(*ticket),
        Output::Dhcp(_)
        | Output::Neighbour(_)
        | Output::Probe { .. }
        | Output::AnswerArp { .. }
        | Output::Together { .. }
        | Output::Reply(..)
        | Output::Publish(..)
        | Output::Names(_)
        | Output::Updated(..)
        | Output::Event(_) => None,
    };
    out.iter().filter_map(ticket).collect()
}

fn is_answered(out: &[Output]) -> bool {
    out.iter().any(|output| matches!(output, Output::Dhcp(_)))
}

/// The address in the first packet.
fn offered(out: &[Output]) -> [u8; 4] {
    let sent = out.iter().find_map(|output| if let Output::Dhcp(send) = output { Some(send) } else { None });
    let sent = &sent.expect("it is answered").payload;
    [sent[16], sent[17], sent[18], sent[19]]
}

#[test]
fn a_new_loan_waits_for_its_record_and_a_known_node_for_none() {
    let mut heorot = with_configuration("probe = false\n", Vec::new());
    let address = offered(&take(&mut heorot, DISCOVER));
    let out = take(&mut heorot, &request_for(address));
    let [ticket] = tickets(&out)[..] else { panic!("one record, for the loan: {out:?}") };
    assert!(!is_answered(&out), "before it is durable");
    assert!(!is_answered(&take(&mut heorot, &request_for(address))), "nor if it is asked for again");
    let mut out = Vec::new();
    heorot.handle(NOW, Input::Committed(ticket), &mut out);
    assert!(is_answered(&out));
    assert_eq!(tickets(&out), [], "the loan's record says all");

    let listed = "[[node]]\nmac = \"52:54:00:12:34:56\"\nnumber = 3\n";
    let mut heorot = with_configuration(listed, Vec::new());
    let mac = Mac([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
    let of_node = |packet: &[u8]| [&packet[..28], &mac.0[..], &packet[34..]].concat();
    let out = take(&mut heorot, &of_node(DISCOVER));
    assert!(is_answered(&out) && !tickets(&out).is_empty(), "its history is recorded");
    let address = offered(&out);
    assert_eq!(address, [10, 77, 1, 3]);
    assert!(is_answered(&take(&mut heorot, &of_node(&request_for(address)))), "whatever the disk does");
}

#[test]
fn what_is_lent_to_another_one_meanwhile_is_not_durable_by_the_record_before() {
    let mut heorot = with_configuration("probe = false\n", Vec::new());
    let address = offered(&take(&mut heorot, DISCOVER));
    let out = take(&mut heorot, &request_for(address));
    let [first] = tickets(&out)[..] else { panic!("one record, for the loan: {out:?}") };
    let given_back = with_options(&[53, 1, 7, 54, 4, 10, 77, 0, 1, 255]);
    take(&mut heorot, &[&given_back[..12], &address, &given_back[16..]].concat());
    heorot.handle(NOW + PROBE_WAIT, Input::Wakeup, &mut Vec::new());
    // The record of the first loan is still on its way to the disk when it is lent to another machine.
    let another = |packet: &[u8]| [&packet[..28], &[0x52, 0x54, 0, 0, 0, 2], &packet[34..]].concat();
    let out = take(&mut heorot, &another(&request_for(address)));
    let [second] = tickets(&out)[..] else { panic!("one record, for the other loan: {out:?}") };
    let mut out = Vec::new();
    heorot.handle(NOW, Input::Committed(first), &mut out);
    assert!(!is_answered(&out), "whoever gave it back is granted nothing");
    assert!(!is_answered(&take(&mut heorot, &another(&request_for(address)))), "before its own is durable");
    heorot.handle(NOW, Input::Committed(second), &mut out);
    assert!(is_answered(&out));
}

#[test]
fn what_bootp_grants_has_no_end_after_a_restart_either() {
    let node = r#"{"mac":"52:54:00:00:00:02","number":3}"#;
    let boot = r#"{"mac":"52:54:00:00:00:02","token":"0123456789abcdef","stage":"up","reason":"it says so"}"#;
    let kept = [
        Record::Node(serde_json::from_str(node).expect("it is a record")),
        Record::Boot(Box::new(serde_json::from_str(boot).expect("it is one too"))),
    ];
    let stage_after = |mut heorot: Heorot, hours: u64| {
        let later = NOW + Duration::from_secs(hours * 3600);
        heorot.handle(later, Input::Wakeup, &mut Vec::new());
        heorot.hall.nodes.get(Mac([0x52, 0x54, 0, 0, 0, 2])).map(|node| node.stage)
    };
    assert_eq!(stage_after(with_configuration("", kept.to_vec()), 13), Some(Stage::Down), "its lease has");

    let mut heorot = with_configuration("", kept.to_vec());
    let bootp = with_options(&[255]);
    let out = take(&mut heorot, &[&bootp[..28], &[0x52, 0x54, 0, 0, 0, 2], &bootp[34..]].concat());
    assert_eq!(offered(&out), [10, 77, 1, 3]);
    let is_boot = |output: &Output| {
        if let Output::Record(_, record @ Record::Boot(_)) = output { Some(record.clone()) } else { None }
    };
    let boot = out.iter().find_map(is_boot).expect("it is recorded, as it is up already");
    let kept = vec![kept[0].clone(), boot];
    assert_eq!(stage_after(heorot, 13), Some(Stage::Up));
    assert_eq!(stage_after(with_configuration("", kept), 13), Some(Stage::Up));
}

#[test]
fn what_any_user_may_send_is_neither_bootp_of_a_node_that_has_booted_nor_its_end() {
    let node = r#"{"mac":"52:54:00:00:00:02","number":3}"#;
    let boot = r#"{"mac":"52:54:00:00:00:02","token":"0123456789abcdef","stage":"up","reason":"it says so"}"#;
    let by_bootp = boot.replace("\"}", "\",\"is_bootp\":true}");
    let user = SocketAddrV4::new(Ipv4Addr::new(10, 77, 1, 9), 40000);
    let bootp = with_options(&[255]);
    let request = with_options(&[53, 1, 3, 50, 4, 10, 77, 1, 3, 255]);
    let cases = [
        ("DHCP's, and BOOTP in its name", boot.to_owned(), &bootp, Some(Stage::Down)),
        ("BOOTP's, and a REQUEST in its name", by_bootp, &request, Some(Stage::Up)),
    ];
    for (what, boot, said, stage) in cases {
        let kept = vec![
            Record::Node(serde_json::from_str(node).expect("it is a record")),
            Record::Boot(Box::new(serde_json::from_str(&boot).expect("it is one too"))),
        ];
        let mut heorot = with_configuration("", kept);
        let said = [&said[..28], &[0x52, 0x54, 0, 0, 0, 2], &said[34..]].concat();
        let out = take_from(&mut heorot, user, &said);
        assert_eq!(offered(&out), [10, 77, 1, 3], "{what}: it is answered");
        assert!(!out.iter().any(|output| matches!(output, Output::Record(_, Record::Boot(_)))), "{what}");
        heorot.handle(NOW + Duration::from_secs(13 * 3600), Input::Wakeup, &mut Vec::new());
        let node = heorot.hall.nodes.get(Mac([0x52, 0x54, 0, 0, 0, 2]));
        assert_eq!(node.map(|node| node.stage), stage, "{what}");
    }
}

#[test]
fn who_asks_by_bootp_where_it_is_not_believed_to_be_is_told_of() {
    let further = "probe = false\nbootp = true\n[trial]\npolicy = \"none\"\n[[node]]\ncircuit-id = \"port2\"\nnumber = 2\n";
    let user = SocketAddrV4::new(Ipv4Addr::new(10, 77, 1, 9), 40000);
    let at_port = |of_type: &[u8]| with_options(&[of_type, b"\x52\x07\x01\x05port2\xff"].concat());
    let is_told = |out: &[Output]| {
        let is_it = |output: &Output| matches!(output, Output::Event(event) if event.detail.contains("says at which place"));
        out.iter().any(is_it)
    };
    let lent = |out: &[Output]| {
        let lent = out.iter().find_map(|output| {
            if let Output::Record(_, Record::Lease(lease)) = output {
                Some(lease.address.octets()[2])
            } else {
                None
            }
        });
        lent.expect("it is lent an address")
    };
    let mut heorot = with_configuration(further, Vec::new());
    let out = take_from(&mut heorot, user, &at_port(&[]));
    assert_eq!((lent(&out), is_told(&out)), (210, true), "nothing says that it is a node");
    let mut heorot = with_configuration(further, Vec::new());
    let out = take_from(&mut heorot, user, &at_port(&[53, 1, 1, 93, 2, 0, 0]));
    assert!(is_told(&out));
    let out = take_from(&mut heorot, user, &at_port(&[]));
    assert_eq!(lent(&out), 200, "it has no number as a stranger");
    take_from(&mut heorot, SocketAddrV4::new(*user.ip(), 67), &at_port(&[]));
    let mac = Mac(DISCOVER[28..34].try_into().unwrap());
    assert_eq!(
        heorot.hall.nodes.get(mac).and_then(Node::promised),
        Some(2),
        "who is believed has its place's"
    );
}

/// The hardware addresses by number, in the last names that were published.
fn published(out: &[Output]) -> Vec<Vec<(u32, [u8; 6])>> {
    let names = out.iter().filter_map(|output| match output {
        Output::Publish(directory, _) => Some(&directory.hardware_addresses),
        Output::Record(..)
        | Output::Dhcp(_)
        | Output::Neighbour(_)
        | Output::Probe { .. }
        | Output::AnswerArp { .. }
        | Output::Together { .. }
        | Output::Reply(..)
        | Output::Names(_)
        | Output::Updated(..)
        | Output::Event(_) => None,
    });
    names.map(|addresses| addresses.iter().map(|(number, mac)| (*number, *mac)).collect()).collect()
}

#[test]
fn the_numbers_of_one_commit_are_published_at_once() {
    let further =
        "probe = false\n[trial]\npolicy = \"none\"\n[[node]]\nmac = \"52:54:00:00:00:01\"\nnumber = 7\n";
    let mut heorot = with_configuration(further, Vec::new());
    let mut last = Ticket::default();
    for machine in [2, 3] {
        let of = |packet: &[u8]| [&packet[..28], &[0x52, 0x54, 0, 0, 0, machine], &packet[34..]].concat();
        let address = offered(&take(&mut heorot, &of(DISCOVER)));
        let out = take(&mut heorot, &of(&request_for(address)));
        last = *tickets(&out).last().expect("its number waits for a record");
        assert_eq!(published(&out), Vec::<Vec<_>>::new(), "not before it is durable");
    }
    let mut out = Vec::new();
    heorot.handle(NOW, Input::Committed(last), &mut out);
    let mac = |last| [0x52, 0x54, 0, 0, 0, last];
    assert_eq!(published(&out), [[(0, mac(2)), (1, mac(3)), (7, mac(1))]]);
}

#[test]
fn who_had_a_temporary_address_is_known_after_a_restart() {
    let mut heorot = with_configuration("probe = false\n", Vec::new());
    let address = offered(&take(&mut heorot, DISCOVER));
    let records: Vec<Record> = take(&mut heorot, &request_for(address))
        .into_iter()
        .filter_map(|output| if let Output::Record(_, record) = output { Some(record) } else { None })
        .collect();
    let restarted = with_configuration("", records);
    let node = restarted.hall.nodes.iter().next().expect("one node");
    assert_eq!((node.stage, node.phase), (Stage::Temporary, Some(Phase::Dhcp)));
    assert_eq!((node.network, node.boot.token.len()), (Some(0), 32));
}

/// Since when something is so outlives a restart, if somebody has said what day it was.
#[test]
fn since_when_a_node_is_up_is_known_after_a_restart() {
    const CALENDAR: u64 = 1_795_344_312;
    const THEN: u64 = CALENDAR - 900;
    let restarted = |at_seconds: Option<u64>| {
        let at = at_seconds.map(|at| format!("\"at_seconds\":{at},")).unwrap_or_default();
        let standing = format!("{at}\"standing\":{{\"state\":\"held\"}}");
        let records = [
            ("node/52:54:00:00:00:01", "\"number\":1".to_owned()),
            (
                "boot/52:54:00:00:00:01",
                format!("{at}\"token\":\"1\",\"stage\":\"up\",\"reason\":\"its agent says so\""),
            ),
            ("orders/52:54:00:00:00:02", standing),
        ];
        let record = |(key, value): &(&str, String)| {
            let mac = key.split('/').next_back().unwrap();
            Record::parse(key, &format!("{{\"mac\":\"{mac}\",{value}}}")).expect("a record of an earlier day")
        };
        let mut heorot = with_configuration("", records.iter().map(record).collect());
        heorot.handle(NOW, Input::Calendar(Wall(CALENDAR * 1_000_000_000)), &mut Vec::new());
        heorot
    };
    let shown = |heorot: &mut Heorot, name: &str| {
        let Answer::Json(200, body) = ask(heorot, Query::Explain(name.into())) else { panic!("{name}") };
        let view: crate::service::view::ExplainView = serde_json::from_str(&body).unwrap();
        (view.summary.split(": ").next().unwrap().to_owned(), view.node.since_unknown)
    };
    let mut heorot = restarted(Some(THEN));
    assert_eq!(shown(&mut heorot, "node1"), ("node1 is up for 15 min 0 s".into(), false));
    let held = "52:54:00:00:00:02";
    assert_eq!(shown(&mut heorot, held), (format!("{held} is held for 15 min 0 s"), false));
    // It stays so with the next record, and with that of a version that kept none.
    let out = {
        let mut out = Vec::new();
        heorot.turn(NOW, &mut out, |turn| turn.keep_boot(Mac([0x52, 0x54, 0, 0, 0, 1])));
        out
    };
    let kept = out.iter().find_map(|output| {
        if let Output::Record(_, Record::Boot(boot)) = output { boot.at_seconds } else { None }
    });
    assert_eq!(kept, Some(THEN));
    // The head had booted with a clock that was behind, and that was set later.
    let mut heorot = restarted(Some(THEN));
    let mut told = |seconds: u64| {
        heorot.handle(NOW, Input::Calendar(Wall(seconds * 1_000_000_000)), &mut Vec::new());
        shown(&mut heorot, "node1")
    };
    assert_eq!(told(THEN - 5000), ("node1 is up since before this server started".into(), true));
    assert_eq!(told(CALENDAR + 60), ("node1 is up for 16 min 0 s".into(), false));
    let mut heorot = restarted(None);
    assert_eq!(shown(&mut heorot, "node1"), ("node1 is up since before this server started".into(), true));
    assert_eq!(shown(&mut heorot, held), (format!("{held} is held since before this server started"), true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Whatever is overheard, nobody is answered, and nobody is promised anything.
    #[test]
    fn what_is_overheard_is_at_most_told(damage in prop::collection::vec((0_usize..600, any::<u8>()), 0..12), length in 200_usize..600) {
        let mut packet = DISCOVER.to_vec();
        packet.resize(600, 0);
        packet[0] = 2;
        for (at, octet) in damage {
            packet[at] = octet;
        }
        packet.truncate(length);
        let mut heorot = heorot();
        let mut out = Vec::new();
        let mac = Mac([2, 0, 0, 0, 0, 9]);
        let (source, destination) = ("10.77.0.9:67".parse().unwrap(), "255.255.255.255:68".parse().unwrap());
        let overheard = Overheard { interface: "eth1", mac, source, destination, payload: &packet };
        heorot.handle(NOW, Input::Overheard(overheard), &mut out);
        prop_assert!(out.iter().all(|output| matches!(output, Output::Event(_))), "{:?}", out);
        prop_assert!(out.len() <= 1);
    }

    /// However a packet is damaged, it does not stop the server; and if it was counted as malformed, it changed nothing. Of a relay that nobody knows, and of BOOTP that is not served, the journal has a line.
    #[test]
    fn damaged_packets_are_harmless(damage in prop::collection::vec((0_usize..600, any::<u8>()), 0..12), length in 0_usize..600) {
        let mut packet = DISCOVER.to_vec();
        packet.resize(600, 0);
        for (at, octet) in damage {
            packet[at] = octet;
        }
        packet.truncate(length);
        let mut heorot = heorot();
        let before = dump(&mut heorot);
        let out = take(&mut heorot, &packet);
        if !heorot.hall.malformed.is_empty() {
            let is_told = ["dhcp-network", "dhcp-bootp"].map(|word| heorot.hall.malformed.contains_key(word));
            prop_assert!(out.iter().all(|output| matches!(output, Output::Event(_))), "{:?}", out);
            prop_assert!(out.len() <= usize::from(is_told.contains(&true)), "{:?}", out);
            prop_assert_eq!(dump(&mut heorot), before);
        }
    }
}

/// Sets by groups of the configuration, by states, by profiles, and by what all nodes are called; and what other tools are told of them.
#[test]
fn sets_and_exports_of_what_is_known() {
    let further = "[profile.default]\nkernel = \"vmlinuz\"\n[profile.big]\nkernel = \"big\"\n\
        [groups]\nrack1 = \"node[0-3]\"\nlogin = \"login\"\n\
        [[node]]\nmac = \"52:54:00:00:00:05\"\nnumber = 5\nprofile = \"big\"\n\
        [[node]]\nmac = \"52:54:00:00:00:02\"\nnumber = 2\nname = \"login\"\n";
    let mut heorot = with_configuration(further, Vec::new());
    let mut answer = |query: Query| match ask(&mut heorot, query).whole(|query| Some(ask(&mut heorot, query)))
    {
        Some(Answer::Json(status, body)) => format!("{status} {body}"),
        Some(Answer::Text(text)) => text,
        other => panic!("not an answer: {other:?}"),
    };
    let set = |folded: &str, names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
        format!("200 {{\"folded\":\"{folded}\",\"size\":{},\"names\":[{}]}}", names.len(), names.join(","))
    };
    let wrong = |error: &str| format!("400 {{\"error\":\"{error}\"}}");
    for (text, without, expected) in [
        ("@rack1", None, set("node[0-1,3],login", &["node0", "node1", "login", "node3"])),
        ("@rack1", Some("@login,0"), set("node[1,3]", &["node1", "node3"])),
        ("all", None, set("node5,login", &["login", "node5"])),
        ("@*&/5$/", None, set("node5", &["node5"])),
        ("log*", None, set("login", &["login"])),
        ("@state:up", None, set("", &[])),
        ("@profile:big", None, set("", &[])),
        ("@state:odd", None, wrong("@state:odd: there is no group 'state:odd'")),
        ("1,@rack2", None, wrong("1,@rack2: \\\"@rack2\\\": there is no group 'rack2'")),
        (
            "^/etc/passwd",
            None,
            wrong("^/etc/passwd: files are read where the command is given, first or after a comma"),
        ),
    ] {
        let query = Query::NodeSet { set: text.into(), without: without.map(str::to_owned) };
        assert_eq!(answer(query), expected, "{text}");
    }
    assert_eq!(
        answer(Query::Export(heorot_names::export::Export::Genders)),
        "login number=2,profile=default,login,rack1\nnode5 number=5,profile=big\n"
    );
}

/// What a host that is no node says in a loop does not fill the journal.
#[test]
fn of_a_guest_in_a_loop_so_many_lines_are_told_and_how_many_were_left_out() {
    let mut heorot = with_configuration("probe = false\n", Vec::new());
    let mac = Mac([2, 0, 0, 0, 0, 7]);
    let packet = |ciaddr: Ipv4Addr, options: &[u8]| {
        let mut packet = with_options(options);
        packet[12..16].copy_from_slice(&ciaddr.octets());
        packet[28..34].copy_from_slice(&mac.0);
        packet
    };
    let address = Ipv4Addr::new(10, 77, 210, 3);
    let asks = [&[53, 1, 3, 50, 4][..], &address.octets(), &[255]].concat();
    let asks = packet(Ipv4Addr::UNSPECIFIED, &asks);
    let gives_back = packet(address, &[53, 1, 7, 54, 4, 10, 77, 0, 1, 255]);
    let mut lines = Vec::new();
    let mut now = NOW;
    let mut tell = |heorot: &mut Heorot, now: Time, input: Input<'_>| {
        let mut out = Vec::new();
        heorot.handle(now, input, &mut out);
        let last =
            out.iter().filter_map(|it| if let Output::Record(ticket, _) = it { Some(*ticket) } else { None });
        if let Some(last) = last.max() {
            heorot.handle(now, Input::Committed(last), &mut out);
        }
        lines.extend(out.into_iter().filter_map(|output| {
            let Output::Event(event) = output else { return None };
            (event.machine == Some(mac)).then(|| event.detail.to_string())
        }));
    };
    let source = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
    for _ in 0..500 {
        now = now + Duration::from_millis(100);
        for payload in [&asks, &gives_back] {
            let datagram = Datagram { interface: "eth1", source, destination: Ipv4Addr::BROADCAST, payload };
            tell(&mut heorot, now, Input::Dhcp(datagram));
        }
    }
    while let Some(at) = heorot.next_wakeup().filter(|at| at.since(NOW).as_secs() < 120) {
        tell(&mut heorot, at, Input::Wakeup);
    }
    let most = usize::try_from(HOST_LINES_PER_MINUTE_MAX).unwrap();
    assert_eq!(lines.len(), most + 1, "{lines:#?}");
    assert!(lines[0].starts_with("ACK 10.77.210.3") && lines[1].starts_with("RELEASE"), "{lines:?}");
    assert_eq!(
        lines[most],
        format!("{} more lines in a minute were left out: it asks in a loop", 1000 - most)
    );
}
