//! What an input costs does not grow with how many nodes there are.

use super::*;
use crate::cluster::stage::{Phase, Stage};
use crate::commits::Commits;
use crate::hall::LOOKED;
use crate::limit::{
    DECIDED_AT_ONCE, DUE_AT_ONCE, HARDWARE_ADDRESSES_PUBLISHED_EVERY, NODES_DUMPED_AT_ONCE,
    NODES_LISTED_AT_ONCE, NODES_MAX, SEEN_LINES_PER_MINUTE_MAX,
};
use crate::message::{ChangeRequest, Verb};
use std::collections::BTreeSet;
use std::time::Duration;

/// How many nodes there are.
const MANY: u32 = 1000;

const MILLISECOND: Duration = Duration::from_millis(1);

/// Room for all of them.
pub(super) fn room_for_many(further: &str) -> Heorot {
    let text = "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-1999\"\nfirst = \"10.77.1.0\"\n\
                temporary = \"10.77.200.1-10.77.203.254\"\nprobe = false\n";
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    let (config, _) =
        Config::parse(&format!("{text}{further}"), &[interface]).expect("the configuration is right");
    let mut out = Vec::new();
    let mut heorot = Heorot::restore(NOW, config, [7; 16], Vec::new(), &mut out);
    // From now on names are served under serials that are durable.
    let last = *tickets(&out).last().expect("a bound for them");
    assert_eq!(published(&handle(&mut heorot, NOW, Input::Committed(last))).len(), 1);
    heorot
}

pub(super) fn mac(machine: u32) -> [u8; 6] {
    let [_, _, high, low] = machine.to_be_bytes();
    [0x52, 0x54, 0, 1, high, low]
}

pub(super) fn of(machine: u32, packet: &[u8]) -> Vec<u8> {
    [&packet[..28], &mac(machine)[..], &packet[34..]].concat()
}

pub(super) fn handle(heorot: &mut Heorot, now: Time, input: Input<'_>) -> Vec<Output> {
    let mut out = Vec::new();
    heorot.handle(now, input, &mut out);
    out
}

pub(super) fn hear(heorot: &mut Heorot, now: Time, payload: &[u8]) -> Vec<Output> {
    let source = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
    let datagram = Datagram { interface: "eth1", source, destination: Ipv4Addr::BROADCAST, payload };
    handle(heorot, now, Input::Dhcp(datagram))
}

/// The first power-on after a configuration was written: each machine is put where the list has it. That was told with the list.
#[test]
fn a_machine_that_is_where_the_list_has_it_has_nothing_published_anew() {
    let entry = |machine: u32| {
        let name =
            if machine.is_multiple_of(3) { format!("name = \"rack{machine}\"\n") } else { String::new() };
        format!("[[node]]\nmac = \"{}\"\nnumber = {machine}\n{name}", Mac(mac(machine)))
    };
    let mut heorot = room_for_many(&(0..MANY).map(entry).collect::<String>());
    for machine in 0..MANY {
        let out = hear(&mut heorot, NOW, &of(machine, DISCOVER));
        let number = u16::try_from(machine).unwrap();
        assert_eq!(offered(&out)[2..], (number + 0x100).to_be_bytes());
        assert!(published(&out).is_empty(), "machine {machine}");
    }
    // All is as if it had been told.
    let before = Arc::clone(&heorot.hall.directory);
    heorot.turn(NOW, &mut Vec::new(), |turn| turn.publish());
    assert_eq!(heorot.hall.directory, before);
}

/// Which machine has a number is new here, and is no name.
#[test]
fn hardware_addresses_alone_are_published_now_and_then() {
    let mut heorot = room_for_many("[trial]\npolicy = \"none\"\n");
    let mut now = NOW;
    let mut snapshots = Vec::new();
    for machine in 0..MANY {
        now = now + MILLISECOND;
        let address = offered(&hear(&mut heorot, now, &of(machine, DISCOVER)));
        let out = hear(&mut heorot, now, &of(machine, &request_for(address)));
        let ticket = *tickets(&out).last().expect("its number waits for a record");
        let out = handle(&mut heorot, now, Input::Committed(ticket));
        assert!(is_answered(&out));
        snapshots.extend(published(&out));
        if heorot.next_wakeup().is_some_and(|at| at <= now) {
            snapshots.extend(published(&handle(&mut heorot, now, Input::Wakeup)));
        }
    }
    let every = HARDWARE_ADDRESSES_PUBLISHED_EVERY.as_millis();
    let most = usize::try_from(u128::from(MANY) / every + 1).unwrap();
    assert!((1..=most).contains(&snapshots.len()), "{} snapshots", snapshots.len());
    assert_eq!(snapshots[0], [(0, mac(0))], "the first one at once");
    // Whoever asks is told of all.
    let query = || Query::Export(heorot_names::export::Export::Ethers);
    let ask = Input::Operator { id: RequestId(1), wall: Wall(0), query: query() };
    let out = handle(&mut heorot, now, ask);
    let Some(Output::Reply(_, first)) = out.last().cloned() else { panic!("no answer: {out:?}") };
    let whole = first.whole(|query| Some(self::ask(&mut heorot, query)));
    let Some(Answer::Text(text)) = whole else { panic!("no text: {whole:?}") };
    assert_eq!(text.lines().count(), MANY as usize);
    assert_eq!(published(&out).last().map(Vec::len), Some(MANY as usize));
    // The last ones without being asked for.
    let address = offered(&hear(&mut heorot, now, &of(MANY, DISCOVER)));
    let out = hear(&mut heorot, now, &of(MANY, &request_for(address)));
    let ticket = *tickets(&out).last().unwrap();
    assert!(published(&handle(&mut heorot, now, Input::Committed(ticket))).is_empty());
    let at = heorot.next_wakeup().expect("it is to be published");
    let out = handle(&mut heorot, now + HARDWARE_ADDRESSES_PUBLISHED_EVERY, Input::Wakeup);
    assert!(at <= now + HARDWARE_ADDRESSES_PUBLISHED_EVERY);
    assert_eq!(published(&out).last().map(Vec::len), Some(MANY as usize + 1));
}

/// A name that its list has given no number: it is told with the commit that makes it true, and of several one snapshot.
#[test]
fn a_name_that_gets_its_number_is_published_with_its_commit() {
    let entry =
        |machine: u32| format!("[[node]]\nmac = \"{}\"\nname = \"rack{machine}\"\n", Mac(mac(machine)));
    let further = (0..9).map(entry).collect::<String>() + "[trial]\npolicy = \"none\"\n";
    let mut heorot = room_for_many(&further);
    let mut last = Ticket::default();
    for machine in 0..9 {
        let address = offered(&hear(&mut heorot, NOW, &of(machine, DISCOVER)));
        let out = hear(&mut heorot, NOW, &of(machine, &request_for(address)));
        last = *tickets(&out).last().unwrap();
    }
    let out = handle(&mut heorot, NOW, Input::Committed(last));
    assert_eq!(published(&out).iter().map(Vec::len).collect::<Vec<_>>(), [9]);
    assert_eq!(heorot.hall.directory.name(8), "rack8");
}

/// Offers and numbers that are given alternate, and every offer is the lowest number that nobody has and nobody is offered; whoever comes back has his.
#[test]
fn the_lowest_number_that_is_not_offered_is_offered() {
    let listed = "[[node]]\nmac = \"52:54:00:00:00:01\"\nnumber = 7\n";
    let mut heorot = room_for_many(&format!("[trial]\npolicy = \"none\"\n{listed}"));
    let address = |number: u32| Ipv4Addr::from(0x0a4d_0100 + number).octets();
    let mut last = Ticket::default();
    for machine in 0..MANY {
        let number = if machine < 7 { machine } else { machine + 1 };
        assert_eq!(offered(&hear(&mut heorot, NOW, &of(machine, DISCOVER))), address(number));
        if machine.is_multiple_of(3) {
            let out = hear(&mut heorot, NOW, &of(machine, &request_for(address(number))));
            last = *tickets(&out).last().unwrap();
        }
    }
    handle(&mut heorot, NOW, Input::Committed(last));
    assert_eq!(offered(&hear(&mut heorot, NOW, &of(1, DISCOVER))), address(1));
    // All offers end: the lowest is to be had again.
    let later = NOW + Duration::from_secs(36);
    handle(&mut heorot, later, Input::Wakeup);
    assert_eq!(offered(&hear(&mut heorot, later, &of(MANY, DISCOVER))), address(1));
    assert_eq!(offered(&hear(&mut heorot, later, &of(MANY + 1, DISCOVER))), address(2));
    assert_eq!(offered(&hear(&mut heorot, later, &of(MANY + 2, DISCOVER))), address(4));
}

/// A list and a dump come in parts, of which none is of more nodes than a turn has time for; and whatever happens between two of them, each node is told of once.
#[test]
fn what_is_told_of_all_nodes_comes_in_parts() {
    let mut heorot = room_for_many("");
    for machine in 0..MANY {
        hear(&mut heorot, NOW, &of(machine, DISCOVER));
    }
    for (query, most) in [
        (Query::Nodes { set: None, without: None }, NODES_LISTED_AT_ONCE),
        (Query::Dump, NODES_DUMPED_AT_ONCE),
    ] {
        let (mut longest, mut parts) = (0, 1);
        let mut count = |answer: &Answer| {
            if let Answer::Part(text, _) | Answer::Json(_, text) = answer {
                longest = longest.max(
                    text.matches("\"further_macs\":").count().max(text.matches("\"waiting_for\":").count()),
                );
            }
        };
        let first = ask(&mut heorot, query.clone());
        count(&first);
        // The last one gets the lowest number, and goes before all that were told of.
        let accepted = ChangeRequest {
            set: Mac(mac(MANY - 1)).to_string(),
            number: Some(0),
            ..ChangeRequest::default()
        };
        let out = handle(
            &mut heorot,
            NOW,
            Input::Operator {
                id: RequestId(2),
                wall: Wall(0),
                query: Query::Change(Verb::Number, Box::new(accepted)),
            },
        );
        if let Some(last) = tickets(&out).last() {
            handle(&mut heorot, NOW, Input::Committed(*last));
        }
        let whole = first.whole(|query| {
            parts += 1;
            let answer = ask(&mut heorot, query);
            count(&answer);
            Some(answer)
        });
        let Some(Answer::Json(200, text)) = whole else { panic!("no answer: {whole:?}") };
        let told: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        let nodes = told.get("nodes").unwrap_or(&told).as_array().expect("a list of them");
        let macs: BTreeSet<_> = nodes.iter().map(|node| node["mac"].as_str().unwrap()).collect();
        assert_eq!((nodes.len(), macs.len()), (MANY as usize, MANY as usize));
        assert_eq!(longest, most, "of so many nodes at most");
        assert!(parts >= MANY as usize / most, "{parts} parts");
        let offers = told.get("offers").map(|offers| offers.as_array().unwrap().len());
        assert!(offers.is_none_or(|offers| offers == MANY as usize), "{offers:?}");
    }
}

/// What is made of all nodes for other tools is gathered in parts, and written by who asked; the answer is the same.
#[test]
fn what_other_tools_read_of_all_nodes_is_gathered_in_parts() {
    let entry = |machine: u32| format!("[[node]]\nmac = \"{}\"\nnumber = {machine}\n", Mac(mac(machine)));
    let further = (0..MANY).map(entry).collect::<String>()
        + "[[node]]\nmac = \"02:00:00:00:00:01\"\nnumber = 1999\nprofile = \"big\"\n[profile.big]\n";
    let mut heorot = room_for_many(&further);
    for machine in 0..MANY {
        hear(&mut heorot, NOW, &of(machine, DISCOVER));
    }
    let mut parts = 0;
    let first = ask(&mut heorot, Query::Export(heorot_names::export::Export::Genders));
    let whole = first.whole(|query| {
        parts += 1;
        Some(ask(&mut heorot, query))
    });
    let Some(Answer::Text(text)) = whole else { panic!("no text: {whole:?}") };
    assert_eq!(parts, (MANY as usize).div_ceil(NODES_LISTED_AT_ONCE) - 1);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), MANY as usize + 1);
    assert_eq!(
        (lines[0], lines[MANY as usize]),
        ("node0 number=0,profile=default", "node1999 number=1999,profile=big")
    );
    // However often it speaks of them, all nodes are looked at once.
    let set = vec!["@state:ready!@state:booting,@*"; 60].join(",");
    let answer = ask(&mut heorot, Query::NodeSet { set, without: None });
    assert!(matches!(answer, Answer::Unwritten(_)), "{answer:?}");
    let Some(Answer::Json(200, text)) = answer.whole(|_| None) else { panic!("no JSON") };
    assert!(text.contains("\"folded\":\"node[0-999,1999]\"") && text.contains("\"size\":1001"), "{text}");
}

/// Whoever makes up hardware addresses fills neither the journal nor the disk, and keeps no machine out that is listed.
#[test]
fn machines_that_somebody_makes_up_cost_next_to_nothing() {
    let listed = "[[node]]\nmac = \"52:54:00:01:ff:ff\"\nnumber = 7\n";
    let mut heorot = room_for_many(listed);
    let discover = with_options(&[b"\x35\x01\x01\x3c\x09PXEClient".as_slice(), &[255]].concat());
    let (mut lines, mut records) = (0, 0);
    let mut count = |out: &[Output]| {
        lines += out.iter().filter(|output| matches!(output, Output::Event(_))).count();
        records += out.iter().filter(|output| matches!(output, Output::Record(..))).count();
    };
    for machine in 0..u32::try_from(NODES_MAX).unwrap() + 1000 {
        count(&hear(&mut heorot, NOW, &of(machine, &discover)));
    }
    let minute = NOW + Duration::from_secs(60);
    let mut out = Vec::new();
    while heorot.next_wakeup().is_some_and(|at| at <= minute) {
        out.extend(handle(&mut heorot, minute, Input::Wakeup));
    }
    assert_eq!(lines, SEEN_LINES_PER_MINUTE_MAX as usize);
    assert_eq!(records, 0, "nothing was kept of those that were forgotten");
    let left_out =
        |output: &Output| matches!(output, Output::Event(event) if event.detail.contains("left out"));
    assert_eq!(out.iter().filter(|output| left_out(output)).count(), 1);
    // All of the table has an address by now.
    let strangers: Vec<_> = heorot.hall.nodes.iter().map(|node| node.mac).collect();
    for mac in strangers {
        heorot.hall.nodes.get_mut(mac).unwrap().stage = Stage::Temporary;
    }
    let now = NOW + Duration::from_secs(61);
    let is_offer = |output: &Output| matches!(output, Output::Dhcp(_));
    hear(&mut heorot, now, &of(0xfffe, &discover));
    assert!(heorot.hall.nodes.get(Mac(mac(0xfffe))).is_none(), "there is no room for a stranger");
    assert!(hear(&mut heorot, now, &of(0xffff, &discover)).iter().any(is_offer));
    assert_eq!(heorot.hall.nodes.get(Mac(mac(0xffff))).and_then(|node| node.number), Some(7));
}

/// Of all that wait for him an operator accepts one after another in one change: what is looked at for each does not grow with how many there are, and what holds when it is durable comes in
/// parts.
#[test]
fn all_that_wait_for_an_operator_are_accepted_at_once() {
    let mut heorot = room_for_many("[trial]\npolicy = \"accept\"\n");
    for machine in 0..MANY {
        hear(&mut heorot, NOW, &of(machine, DISCOVER));
        let node = heorot.hall.nodes.get_mut(Mac(mac(machine))).unwrap();
        (node.stage, node.phase) = (Stage::Temporary, Some(Phase::Agent));
    }
    let change = |verb: Verb, set: &str, dry_run: bool| {
        let request = ChangeRequest { set: set.into(), dry_run, ..ChangeRequest::default() };
        let query = Query::Change(verb, Box::new(request));
        Input::Operator { id: RequestId(2), wall: Wall(0), query }
    };
    let looked = || LOOKED.replace(0);
    looked();
    let out = handle(&mut heorot, NOW, change(Verb::Accept, "@state:temporary", true));
    let [Output::Reply(_, Answer::Json(200, told))] = &out[..] else { panic!("it is told: {out:?}") };
    assert!(told.contains("\"after\":\"999\""), "{told}");
    let most = 3 * u64::from(MANY);
    let looks = looked();
    assert!(looks <= most, "{looks} looks");
    let out = handle(&mut heorot, NOW, change(Verb::Accept, "@state:temporary", false));
    assert_eq!(records(&out), 2 * MANY as usize, "what it is, and what was decided about it");
    let told = commit(&mut heorot, out);
    let looks = looked();
    assert!(looks <= most, "{looks} looks");
    let (last, parts) = told.split_last().expect("it comes in parts");
    let is_reply = |output: &Output| matches!(output, Output::Reply(..));
    assert!(last.iter().any(is_reply) && !parts.iter().flatten().any(is_reply));
    let longest = told.iter().map(Vec::len).max().unwrap();
    assert!(longest <= 4 * usize::try_from(DECIDED_AT_ONCE).unwrap(), "{longest} at once");
    for machine in 0..MANY {
        let node = heorot.hall.nodes.get(Mac(mac(machine))).unwrap();
        assert_eq!((node.number, node.stage), (Some(machine), Stage::Ready));
    }
    // And they are given back.
    for verb in [Verb::Retire, Verb::Free] {
        let out = handle(&mut heorot, NOW, change(verb, "all", false));
        let told = commit(&mut heorot, out);
        let longest = told.iter().map(Vec::len).max().unwrap();
        assert!(longest <= 4 * usize::try_from(DECIDED_AT_ONCE).unwrap(), "{longest} at once");
    }
    assert!(heorot.hall.nodes.iter().all(|node| node.number.is_none()));
    assert!(heorot.hall.changing.is_none());
}

/// Each gets its number when it asks: what is looked at for a packet does not grow with how many have theirs already.
#[test]
fn who_gets_his_number_at_his_request_has_few_numbers_looked_at() {
    let mut heorot = room_for_many("[trial]\npolicy = \"none\"\n");
    let mut most = 0;
    for machine in 0..MANY {
        LOOKED.set(0);
        let address = offered(&hear(&mut heorot, NOW, &of(machine, DISCOVER)));
        let out = hear(&mut heorot, NOW, &of(machine, &request_for(address)));
        commit(&mut heorot, out);
        most = most.max(LOOKED.get());
    }
    assert!(most <= 40, "{most} looks for a machine");
}

/// Its records become durable. What comes of each part.
fn commit(heorot: &mut Heorot, out: Vec<Output>) -> Vec<Vec<Output>> {
    let mut commits = Commits::default();
    for output in out {
        if let Output::Record(ticket, record) = output {
            commits.gather(NOW, ticket, record);
        }
    }
    assert!(commits.begin(NOW).is_some());
    let mut told = Vec::new();
    let mut part = commits.end(Ok(()));
    while let Some(input) = part {
        told.push(handle(heorot, NOW, input));
        part = commits.more();
    }
    told
}

pub(super) fn records(out: &[Output]) -> usize {
    out.iter().filter(|output| matches!(output, Output::Record(..))).count()
}

/// After a restart all have as long again, and fall silent in one moment.
#[test]
fn what_ends_in_one_moment_ends_in_parts() {
    let mut heorot = room_for_many("");
    for machine in 0..MANY {
        let address = offered(&hear(&mut heorot, NOW, &of(machine, DISCOVER)));
        let out = hear(&mut heorot, NOW, &of(machine, &request_for(address)));
        commit(&mut heorot, out);
    }
    let later = NOW + Duration::from_secs(1000);
    let (mut ended, mut turns) = (0, 0);
    while heorot.next_wakeup().is_some_and(|at| at <= later) {
        let out = handle(&mut heorot, later, Input::Wakeup);
        let ends = |output: &&Output| matches!(output, Output::Record(_, Record::LeaseEnded(_)));
        let here = out.iter().filter(ends).count();
        assert!(here <= DUE_AT_ONCE, "{here} at once");
        (ended, turns) = (ended + here, turns + 1);
        assert!(turns < 100, "it comes to an end");
    }
    assert_eq!(ended, MANY as usize);
}
