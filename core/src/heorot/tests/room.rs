//! Machines that are forgotten, and who gives way to whom where the table of nodes is full: what is forgotten in memory is forgotten on disk.

use super::many::{handle, hear, mac, of, records, room_for_many};
use super::*;
use crate::cluster::orders::{Exclusion, Orders, Standing};
use crate::cluster::record::{NodeRecord, OrdersRecord, SecretsRecord};
use crate::cluster::stage::Step;
use crate::limit::NODES_MAX;
use crate::message::Measured;
use std::collections::BTreeSet;
use std::time::Duration;

const A: Mac = Mac([2, 0, 0, 0, 0, 10]);
const B: Mac = Mac([2, 0, 0, 0, 0, 11]);
const LISTED: u32 = 0xffff;

fn discover() -> Vec<u8> {
    with_options(&[b"\x35\x01\x01\x3c\x09PXEClient".as_slice(), &[255]].concat())
}

/// What is kept of a machine, and of its further cards.
fn kept(mac: Mac, further_macs: Vec<Mac>, number: Option<u32>) -> Record {
    Record::Node(NodeRecord { mac, further_macs, granted_to: None, number, facts: Default::default() })
}

fn forgotten(out: &[Output]) -> Vec<String> {
    let nothing = |output: &Output| {
        let Output::Record(_, record) = output else { return None };
        record.value().is_none().then(|| record.key())
    };
    out.iter().filter_map(nothing).collect()
}

/// All of the table asks, from the first machine that is not there.
fn fill(heorot: &mut Heorot, now: Time) {
    for machine in 0..u32::try_from(NODES_MAX).unwrap() {
        hear(heorot, now, &of(machine, &discover()));
    }
    assert!(heorot.hall.nodes.is_full());
}

/// The same, as far as the table is concerned.
fn meet_all(heorot: &mut Heorot, now: Time) {
    for machine in 0..u32::try_from(NODES_MAX).unwrap() {
        heorot.hall.nodes.meet(now, Mac(mac(machine))).expect("there is room");
    }
    assert!(heorot.hall.nodes.is_full());
}

/// It had a number and another card; the card goes into another machine later.
#[test]
fn who_is_forgotten_in_memory_is_forgotten_on_disk() {
    let secrets =
        SecretsRecord { mac: A, token: "ab".into(), to: Some(Ipv4Addr::new(10, 77, 1, 1)), at_seconds: None };
    let boot = format!(r#"{{"mac":"{A}","token":"ab","stage":"seen","reason":"it was switched on"}}"#);
    let boot = serde_json::from_str(&boot).unwrap();
    let records_kept = vec![kept(A, vec![B], None), Record::Boot(boot), Record::Secrets(secrets)];
    let mut heorot = with_configuration("", records_kept);
    assert_eq!(heorot.hall.nodes.identity(B), A);
    assert!(heorot.hall.nodes.get(A).unwrap().is_secrets_kept);
    let later = NOW + Duration::from_secs(1);
    let mut out = Vec::new();
    for machine in 0..u32::try_from(NODES_MAX).unwrap() {
        out.extend(hear(&mut heorot, later, &of(machine, &discover())));
    }
    assert!(heorot.hall.nodes.get(A).is_none());
    assert_eq!(heorot.hall.nodes.identity(B), B);
    let all = ["node", "boot", "secrets"].map(|kind| format!("{kind}/{A}"));
    assert_eq!(forgotten(&out), all);
    assert_eq!(records(&out), all.len());
}

/// As a version kept it that forgot machines in memory alone.
#[test]
fn a_card_with_a_record_of_its_own_is_nobody_elses() {
    for (a, b) in [(None, Some(3)), (Some(2), Some(3)), (None, None)] {
        let Record::Node(whose) = kept(A, vec![B], a) else { unreachable!() };
        let whose = Record::Node(NodeRecord { granted_to: Some(B), ..whose });
        let records = vec![whose, kept(B, Vec::new(), b)];
        let mut heorot = with_configuration("probe = false\n", records);
        assert_eq!(heorot.hall.nodes.get(A).unwrap().granted_to, None);
        assert_eq!(heorot.hall.nodes.identity(B), B);
        assert!(heorot.hall.nodes.get(A).unwrap().further_macs.is_empty());
        let packet = [&DISCOVER[..28], &B.0[..], &DISCOVER[34..]].concat();
        let address = offered(&take(&mut heorot, &packet));
        assert_eq!(address == [10, 77, 1, 3], b == Some(3), "{address:?}");
    }
}

/// It was met for itself, became a machine's with a number, and what was recorded of it before stayed.
#[test]
fn a_card_of_a_numbered_machine_stays_its() {
    let words = Orders { attributes: [("rack".to_owned(), "a7".to_owned())].into(), ..Orders::default() };
    let decided = Record::Orders(OrdersRecord { mac: B, orders: words, at_seconds: None });
    let records = vec![kept(A, vec![B], Some(2)), kept(B, Vec::new(), None), decided];
    let heorot = with_configuration("", records.clone());
    assert_eq!(heorot.hall.nodes.identity(B), A);
    assert_eq!(heorot.hall.nodes.iter().count(), 1);
    let mut out = Vec::new();
    Heorot::restore(NOW, heorot.config.clone(), [7; 16], records, &mut out);
    let gone = forgotten(&out);
    assert!(gone.contains(&format!("node/{B}")) && gone.contains(&format!("orders/{B}")), "{gone:?}");
    assert!(!gone.contains(&format!("node/{A}")));
}

#[test]
fn more_than_there_is_room_for_is_not_restored() {
    let many = u32::try_from(NODES_MAX).unwrap() + 5;
    let number =
        |machine: u32| (machine < 3 || machine >= many - 3).then_some(machine.min(many - machine + 3));
    let records = (0..many).map(|machine| kept(Mac(mac(machine)), Vec::new(), number(machine))).collect();
    let text = "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-9\"\nfirst = \"10.77.1.0\"\ntemporary = \"10.77.200.1-10.77.200.9\"\n";
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    let (config, _) = Config::parse(text, &[interface]).expect("the configuration is right");
    let mut out = Vec::new();
    let heorot = Heorot::restore(NOW, config, [7; 16], records, &mut out);
    assert_eq!(heorot.hall.nodes.iter().count(), NODES_MAX);
    assert_eq!(forgotten(&out).len(), 5);
    assert!(heorot.hall.nodes.get(Mac(mac(many - 1))).is_some(), "it has a number");
}

/// A machine that failed stays for people to see, and keeps nobody out for ever.
#[test]
fn who_failed_and_has_no_address_gives_way_when_nobody_else_does() {
    let mut heorot = room_for_many("");
    fill(&mut heorot, NOW);
    let all: Vec<_> = heorot.hall.nodes.iter().map(|node| node.mac).collect();
    for mac in &all {
        heorot.hall.nodes.get_mut(*mac).unwrap().stage = Stage::Failed;
    }
    let later = NOW + Duration::from_secs(1000);
    hear(&mut heorot, later, &of(0xfff0, &discover()));
    assert!(heorot.hall.nodes.get(Mac(mac(0xfff0))).is_none(), "they may be there");
    for (seconds, machine) in [(0, 6), (0, 7), (1, 5)] {
        let at = later + Duration::from_secs(seconds);
        heorot.turn(at, &mut Vec::new(), |turn| turn.expired(Mac(mac(machine)), "it fell silent"));
    }
    assert_eq!(heorot.hall.nodes.get(Mac(mac(7))).unwrap().stage, Stage::Failed);
    // Its system is given an address once more.
    heorot.turn(later, &mut Vec::new(), |turn| turn.step(Mac(mac(6)), Step::Lent, "it got an address"));
    assert_eq!(heorot.hall.nodes.get(Mac(mac(6))).unwrap().stage, Stage::Failed);
    for (machine, gone) in [(0xfff0, 7), (0xfff1, 5)] {
        // Nobody is merely seen, so that it is the one whose address was taken back first.
        hear(&mut heorot, later, &of(machine, &discover()));
        assert!(heorot.hall.nodes.get(Mac(mac(gone))).is_none());
        heorot.hall.nodes.get_mut(Mac(mac(machine))).expect("it took its place").stage = Stage::Temporary;
    }
    hear(&mut heorot, later, &of(0xfff2, &discover()));
    assert!(heorot.hall.nodes.get(Mac(mac(0xfff2))).is_none());
    // What can be done about it stands in the status, as long as it asks.
    let full = |heorot: &mut Heorot, seconds| {
        let query = Query::Status(Measured::default());
        let input = Input::Operator { id: RequestId(1), wall: Wall(0), query };
        let out = handle(heorot, later + Duration::from_secs(seconds), input);
        let told = out.iter().find_map(|output| {
            let Output::Reply(_, Answer::Json(200, status)) = output else { return None };
            Some(status.contains("heorot node forget @state:failed"))
        });
        told.expect("a status")
    };
    assert!(full(&mut heorot, 599) && !full(&mut heorot, 600));
    // And until it is known.
    let at = later + Duration::from_secs(700);
    hear(&mut heorot, at, &of(0xfff2, &discover()));
    assert!(full(&mut heorot, 700));
    heorot.turn(at, &mut Vec::new(), |turn| turn.expired(Mac(mac(9)), "it fell silent"));
    hear(&mut heorot, at, &of(0xfff2, &discover()));
    assert!(!full(&mut heorot, 700));
}

/// With `heorot node set all attributes.…`, and after years of boards that were exchanged, each machine has words of an operator.
#[test]
fn who_has_only_words_gives_way_to_the_list_and_who_is_kept_out_does_not() {
    let mut heorot = room_for_many(&format!("[[node]]\nmac = \"{}\"\nnumber = 7\n", Mac(mac(LISTED))));
    fill(&mut heorot, NOW);
    let all: Vec<_> = heorot.hall.nodes.iter().map(|node| node.mac).collect();
    let kept = |state| Some(Standing { state, reason: String::new() });
    for known in &all {
        let node = heorot.hall.nodes.get_mut(*known).unwrap();
        let standing = if *known == Mac(mac(9)) { kept(Exclusion::Retired) } else { kept(Exclusion::Denied) };
        node.orders = Orders { standing, ..Orders::default() };
    }
    let replaced = heorot.hall.nodes.get_mut(Mac(mac(8))).unwrap();
    replaced.orders.standing = Some(Standing::replaced(A));
    for machine in [4, 6] {
        let node = heorot.hall.nodes.get_mut(Mac(mac(machine))).unwrap();
        node.orders =
            Orders { attributes: [("rack".to_owned(), "a7".to_owned())].into(), ..Orders::default() };
    }
    // Those are heard once more.
    let later = NOW + Duration::from_secs(100);
    for machine in [4, 6] {
        hear(&mut heorot, later, &of(machine, &discover()));
    }
    let is_known = |heorot: &Heorot, machine| heorot.hall.nodes.get(Mac(mac(machine))).is_some();
    hear(&mut heorot, later, &of(0xfff0, &discover()));
    assert!(!is_known(&heorot, 0xfff0), "nobody gives way to a stranger");
    let out = hear(&mut heorot, later, &of(LISTED, &discover()));
    assert!(is_known(&heorot, LISTED) && !is_known(&heorot, 8), "the longest unheard");
    assert!(forgotten(&out).contains(&format!("orders/{}", Mac(mac(8)))));
    assert!([0, 4, 6, 9].iter().all(|machine| is_known(&heorot, *machine)), "there is room for one");
}

/// That is durable before it is so; and what happens to them meanwhile does not last.
#[test]
fn an_operator_has_machines_forgotten() {
    let words = Orders { attributes: [("rack".to_owned(), "a7".to_owned())].into(), ..Orders::default() };
    let decided = OrdersRecord { mac: A, orders: words, at_seconds: None };
    let numbered = Mac([2, 0, 0, 0, 0, 12]);
    let mut heorot = with_configuration(
        "[[node]]\nmac = \"02:00:00:00:00:0d\"\n",
        vec![kept(A, vec![B], None), kept(numbered, Vec::new(), Some(3)), Record::Orders(decided)],
    );
    let forget = |set: &str| {
        let request = crate::message::ChangeRequest { set: set.into(), ..Default::default() };
        let query = Query::Change(crate::message::Verb::Forget, Box::new(request));
        Input::Operator { id: RequestId(1), wall: Wall(0), query }
    };
    let out = handle(&mut heorot, NOW, forget(&format!("{A},{numbered}")));
    assert!(heorot.hall.nodes.get(A).is_some(), "it is not durable yet");
    let last = *tickets(&out).last().expect("it is recorded");
    let keys: BTreeSet<_> = forgotten(&out).into_iter().collect();
    for kind in ["node", "boot", "trials", "orders", "secrets"] {
        assert!(keys.contains(&format!("{kind}/{A}")), "{keys:?}");
    }
    // Meanwhile it has something recorded once more.
    let mut meanwhile = Vec::new();
    heorot.turn(NOW, &mut meanwhile, |turn| turn.keep_trials(A));
    assert!(!forgotten(&meanwhile).contains(&format!("node/{A}")));
    let out = handle(&mut heorot, NOW, Input::Committed(last));
    assert!(heorot.hall.nodes.get(A).is_none());
    assert_eq!(heorot.hall.nodes.identity(B), B);
    assert!(heorot.hall.nodes.get(numbered).is_some(), "it has a number");
    assert!(forgotten(&out).contains(&format!("node/{A}")), "{out:?}");
    let told = out.iter().find_map(|output| {
        if let Output::Reply(_, Answer::Json(200, told)) = output { Some(told.clone()) } else { None }
    });
    let told = told.expect("he is told so");
    assert!(told.contains("heorot node number --free it first"), "{told}");
}

/// In a flood the machines that an operator names are those that are forgotten next: nobody takes their places while what he decided is recorded, also not whom he named beside them.
#[test]
fn whom_an_operator_decides_about_gives_way_to_nobody_meanwhile() {
    for is_kept in [true, false] {
        let mut heorot = room_for_many("");
        meet_all(&mut heorot, NOW);
        let (oldest, gone) = (Mac(mac(0)), Mac(mac(0xfff0)));
        let request = crate::message::ChangeRequest { set: format!("{oldest},{gone}"), ..Default::default() };
        let query = Query::Change(crate::message::Verb::Deny, Box::new(request));
        let later = NOW + Duration::from_secs(1);
        let out = handle(&mut heorot, later, Input::Operator { id: RequestId(1), wall: Wall(0), query });
        let through = *tickets(&out).last().expect("it is recorded");
        for machine in 0xfff1..0xfff9 {
            hear(&mut heorot, later, &of(machine, &discover()));
        }
        let known = |heorot: &Heorot, mac| heorot.hall.nodes.get(mac).map(|node| node.orders.exclusion());
        assert_eq!([oldest, gone].map(|mac| known(&heorot, mac)), [Some(None); 2], "it is not durable yet");
        assert_eq!(known(&heorot, Mac(mac(1))), None, "others were forgotten");
        let input = match is_kept {
            true => Input::Committed(through),
            false => Input::Refused { through, why: "full".into() },
        };
        let out = handle(&mut heorot, later, input);
        assert!(out.iter().any(|output| matches!(output, Output::Reply(..))), "he is told");
        let decided = is_kept.then_some(Exclusion::Denied);
        // Of whom nothing but that was known nothing is, if it was not recorded.
        let are_known = [Some(decided), is_kept.then_some(decided)];
        assert_eq!([oldest, gone].map(|mac| known(&heorot, mac)), are_known, "kept: {is_kept}");
        // If nothing is decided about them, they are as all others: where those have addresses, they give way.
        let others: Vec<_> = heorot.hall.nodes.iter().map(|node| node.mac).collect();
        for mac in others.into_iter().filter(|mac| ![oldest, gone].contains(mac)) {
            heorot.hall.nodes.get_mut(mac).unwrap().stage = Stage::Temporary;
        }
        for machine in [0xfffa, 0xfffb] {
            hear(&mut heorot, later, &of(machine, &discover()));
            if let Some(node) = heorot.hall.nodes.get_mut(Mac(mac(machine))) {
                node.stage = Stage::Temporary;
            }
        }
        let gave_way = is_kept.then_some(decided);
        assert_eq!([oldest, gone].map(|mac| known(&heorot, mac)), [gave_way; 2], "kept: {is_kept}");
    }
}

/// There is room for one of two that an operator names: then nothing is decided, and who was there is forgotten as before.
#[test]
fn what_there_is_no_room_for_is_decided_about_nobody() {
    let mut heorot = room_for_many("");
    meet_all(&mut heorot, NOW);
    let (first, last) = (Mac(mac(0)), Mac(mac(1)));
    for machine in 1..u32::try_from(NODES_MAX).unwrap() {
        heorot.hall.nodes.get_mut(Mac(mac(machine))).unwrap().stage = Stage::Temporary;
    }
    let request = crate::message::ChangeRequest {
        set: format!("{first},{last},{}", Mac(mac(0xfff0))),
        ..Default::default()
    };
    let query = Query::Change(crate::message::Verb::Deny, Box::new(request));
    let out = handle(&mut heorot, NOW, Input::Operator { id: RequestId(1), wall: Wall(0), query });
    let [Output::Reply(_, Answer::Json(503, why))] = &out[..] else { panic!("there is no room: {out:?}") };
    assert!(why.contains("the table of nodes is full"), "{why}");
    assert!(heorot.hall.changing.is_none());
    hear(&mut heorot, NOW, &of(0xfff0, &discover()));
    assert!(heorot.hall.nodes.get(first).is_none() && heorot.hall.nodes.get(last).is_some());
}
