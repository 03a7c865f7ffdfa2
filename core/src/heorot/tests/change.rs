//! An operator's change that is being recorded, and what else happens to its machines meanwhile: what is known afterwards is what is durable.

use super::*;
use crate::cluster::orders::Exclusion;
use crate::message::{ChangeRequest, Verb};
use crate::promise::Promise;

const MAC: Mac = Mac([0x52, 0x54, 0, 0, 0, 7]);
const HOLDER: Mac = Mac([0x52, 0x54, 0, 0, 0, 8]);

/// A server with a disk.
struct Room {
    heorot: Heorot,
    durable: BTreeMap<String, Record>,
    under_way: Vec<(Ticket, Record)>,
}

impl Room {
    fn new() -> Self {
        let further = "probe = false\n[trial]\npolicy = \"none\"\n";
        let heorot = with_configuration(further, Vec::new());
        Self { heorot, durable: BTreeMap::new(), under_way: Vec::new() }
    }

    fn gather(&mut self, out: Vec<Output>) -> Vec<Output> {
        let is_record = |output: &Output| matches!(output, Output::Record(..));
        let (records, others) = out.into_iter().partition::<Vec<_>, _>(is_record);
        for output in records {
            if let Output::Record(ticket, record) = output {
                self.under_way.push((ticket, record));
            }
        }
        others
    }

    fn turn(&mut self, act: impl FnOnce(&mut Turn<'_>)) {
        let mut out = Vec::new();
        self.heorot.turn(NOW, &mut out, act);
        self.gather(out);
    }

    fn change(&mut self, verb: Verb, number: Option<u32>) {
        let request = ChangeRequest { set: MAC.to_string(), number, ..ChangeRequest::default() };
        let query = Query::Change(verb, Box::new(request));
        let mut out = Vec::new();
        self.heorot.handle(NOW, Input::Operator { id: RequestId(1), wall: Wall(0), query }, &mut out);
        assert_eq!(self.gather(out), [], "it waits for its records");
    }

    /// Until nothing is under way.
    fn commit(&mut self) {
        while let Some((through, _)) = self.under_way.last() {
            self.commit_through(*through);
        }
    }

    fn commit_through(&mut self, through: Ticket) {
        let of_others = self.under_way.iter().position(|(ticket, _)| *ticket > through);
        for (_, record) in self.under_way.drain(..of_others.unwrap_or(self.under_way.len())) {
            self.durable.insert(record.key(), record);
        }
        let mut out = Vec::new();
        self.heorot.handle(NOW, Input::Committed(through), &mut out);
        self.gather(out);
    }

    fn refuse(&mut self) {
        let (through, _) = self.under_way.pop().expect("something is under way");
        self.under_way.clear();
        let mut out = Vec::new();
        self.heorot.handle(NOW, Input::Refused { through, why: "full".into() }, &mut out);
        self.gather(out);
    }

    fn restarted(&self) -> Heorot {
        with_configuration("", self.durable.values().cloned().collect())
    }

    /// A machine's number, and how it is kept from serving: as they are known, and as a restart would know them.
    fn knows(&self, mac: Mac) -> [(Option<u32>, Option<Exclusion>); 2] {
        [&self.heorot, &self.restarted()].map(|heorot| {
            let node = heorot.hall.nodes.get(mac).expect("it is known");
            (node.number, node.orders.exclusion())
        })
    }
}

/// It is known on the first network, and has a number if it is to have one.
fn meet(turn: &mut Turn<'_>, mac: Mac, number: Option<u32>) {
    turn.hall.nodes.meet(turn.now, mac).expect("there is room").0.network = Some(0);
    if let Some(number) = number {
        assert!(turn.hall.nodes.claim(mac, number));
        turn.keep_node(mac);
        turn.promise(Promise::Number { mac, reason: "it passed".into(), in_mid_boot: false });
    }
}

#[test]
fn who_is_being_given_a_number_gets_no_other_meanwhile() {
    let mut room = Room::new();
    room.change(Verb::Number, Some(5));
    let of = |packet: &[u8]| [&packet[..28], &MAC.0[..], &packet[34..]].concat();
    let out = take(&mut room.heorot, &of(DISCOVER));
    assert_eq!(offered(&out), [10, 77, 1, 5], "the one that it is to have");
    room.gather(out);
    let out = take(&mut room.heorot, &of(&request_for([10, 77, 1, 5])));
    assert!(!is_answered(&room.gather(out)), "before that is durable");
    room.commit();
    assert_eq!(room.knows(MAC), [(Some(5), None); 2]);
    assert!(is_answered(&take(&mut room.heorot, &of(&request_for([10, 77, 1, 5])))));
}

#[test]
fn a_number_that_is_taken_is_not_recorded_again_meanwhile() {
    for is_kept in [true, false] {
        let mut room = Room::new();
        room.turn(|turn| meet(turn, HOLDER, Some(5)));
        room.turn(|turn| meet(turn, MAC, Some(3)));
        room.commit();
        room.turn(|turn| turn.hall.nodes.get_mut(HOLDER).expect("it was met").stage = Stage::Down);
        room.change(Verb::Number, Some(5));
        // Each got its address by another of its hardware addresses, say.
        room.turn(|turn| {
            turn.keep_node(HOLDER);
            turn.keep_node(MAC);
        });
        let (mac, holder) = if is_kept {
            ((Some(5), None), (None, Some(Exclusion::Retired)))
        } else {
            room.refuse();
            ((Some(3), None), (Some(5), None))
        };
        room.commit();
        assert_eq!(room.knows(MAC), [mac; 2], "kept: {is_kept}");
        assert_eq!(room.knows(HOLDER), [holder; 2], "kept: {is_kept}");
    }
}

/// It was accepted before it had passed; it passes, and an operator holds it before its number is durable.
#[test]
fn what_an_operator_decides_is_not_written_over_by_what_he_had_decided() {
    for is_kept in [true, false] {
        let mut room = Room::new();
        room.turn(|turn| {
            meet(turn, MAC, None);
            turn.hall.nodes.get_mut(MAC).expect("it was met").orders.accepted = true;
            turn.keep_orders(MAC);
        });
        room.commit();
        room.turn(|turn| meet(turn, MAC, Some(0)));
        let (of_number, _) = *room.under_way.last().expect("its number is under way");
        room.change(Verb::Hold, None);
        if !is_kept {
            room.commit_through(of_number);
            room.refuse();
        }
        room.commit();
        assert_eq!(room.knows(MAC), [(Some(0), is_kept.then_some(Exclusion::Held)); 2]);
        let is_accepted =
            |heorot: &Heorot| heorot.hall.nodes.get(MAC).is_some_and(|node| node.orders.accepted);
        assert!(
            !is_accepted(&room.heorot) && !is_accepted(&room.restarted()),
            "it has its number: that is done"
        );
    }
}
