//! Operators who change their minds: numbers, and the addresses of all numbers, that are moved about in the configuration, and machines that are denied, while machines boot, renew, check in, fall silent, let
//! their leases run out, and the power fails. Whoever gets an address, nobody who lives has it.

use heorot_core::limit::HOLD_AFTER_LIFE;
use heorot_core::mac::Mac;
use heorot_core::message::{
    Answer, ChangeRequest, Datagram, Input, Output, Query, Request, RequestId, Verb, Via,
};
use heorot_core::wire::dhcp::{Message, MessageType, option};
use heorot_sim::chance::Chance;
use heorot_sim::speaker::{Packet, Speaker, USUAL_XID};
use heorot_sim::world::World;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

const RELAY: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 9);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const MACHINES: u8 = 6;
const NUMBERS: u64 = 8;
const STEPS: u32 = 80;
const SEEDS: u64 = 200;

/// A card that has an address.
struct Life {
    address: Ipv4Addr,
    /// For how long, since the story began.
    until: Duration,
}

struct Story {
    world: World,
    chance: Chance,
    /// The cards of machines that live. The second card of a machine is [`MACHINES`] further.
    lives: BTreeMap<u8, Life>,
    /// When each card was heard last by DHCP, since the server started: who was heard just now need not answer.
    heard: BTreeMap<u8, Duration>,
    /// What lets a machine speak of itself, in its present boot.
    tokens: BTreeMap<u8, String>,
    /// Machines that get no answer.
    denied: BTreeSet<u8>,
    /// What was done, for who has to find out.
    told: Vec<String>,
    /// Which number a machine is to have, or a port of the relay's.
    listed: BTreeMap<u8, u64>,
    /// The last octet of the address of number 0.
    first: u8,
    /// Whether operators move that.
    moves_first: bool,
    /// Whether each machine has a second card, in another network. Who is in no list gets his number by a trial then, which sees both.
    has_two: bool,
    /// At which port each machine is, where it is the port that is listed.
    ports: Option<BTreeMap<u8, u8>>,
}

#[test]
fn no_address_is_two_machines() {
    tell(&|seed| Story::new(seed, None));
}

#[test]
fn no_address_is_two_machines_where_first_moves() {
    tell(&|seed| Story { moves_first: true, ..Story::new(seed, None) });
}

#[test]
fn no_address_is_two_machines_of_two_cards() {
    tell(&|seed| {
        let mut story = Story { has_two: true, ..Story::new(seed, None) };
        let config = story.config();
        story.world.configure(&config).expect("the configuration is right");
        story
    });
}

#[test]
fn no_address_is_two_boards_at_ports() {
    let ports = (0..MACHINES).map(|machine| (machine, machine)).collect();
    tell(&|seed| Story::new(seed, Some(BTreeMap::clone(&ports))));
}

fn tell(story: &dyn Fn(u64) -> Story) {
    for seed in 0..SEEDS {
        let mut story = story(seed);
        for _ in 0..STEPS {
            story.step();
        }
        story.comes_to_what_is_listed();
    }
}

impl Story {
    fn new(seed: u64, ports: Option<BTreeMap<u8, u8>>) -> Self {
        let config = config(&BTreeMap::new(), 0, false, ports.is_some());
        let (world, _) = World::new(&config).expect("the configuration is right");
        Self {
            world,
            chance: Chance::new(seed),
            lives: BTreeMap::new(),
            heard: BTreeMap::new(),
            tokens: BTreeMap::new(),
            denied: BTreeSet::new(),
            told: vec![format!("seed {seed}")],
            listed: BTreeMap::new(),
            first: 0,
            moves_first: false,
            has_two: false,
            ports,
        }
    }

    fn step(&mut self) {
        let machine = self.machine();
        match self.chance.below(16) {
            0 | 1 => {
                let config = self.other_config();
                self.world.configure(&config).expect("the configuration is right");
            }
            2..=4 => self.boot(machine),
            5 | 6 => self.renew(machine),
            7 => {
                self.switch_off(machine);
                let other = self.machine();
                self.exchange(machine, other);
            }
            8 => {
                let seconds = 1 + self.chance.below(400);
                self.pass(Duration::from_secs(seconds));
            }
            9 => {
                let minutes = 1 + self.chance.below(15 * 60);
                self.pass(Duration::from_secs(60 * minutes));
            }
            10 | 11 => self.check_in(machine),
            // Boards at one port are one node, and what is decided about one is about all.
            12 if self.ports.is_none() => self.deny_or_accept(machine),
            13 | 14 if self.has_two => self.use_second_card(machine),
            13 if self.moves_first => {
                let config = self.other_config();
                self.world.crash_into(&config).expect("the configuration is right");
                self.crashed();
            }
            _ => {
                self.world.crash();
                self.crashed();
            }
        }
        self.check_records();
    }

    fn machine(&mut self) -> u8 {
        u8::try_from(self.chance.below(MACHINES.into())).expect("there are few")
    }

    /// Some of the machines are listed, with numbers of chance.
    fn other_config(&mut self) -> String {
        let mut numbers: Vec<u64> = (0..NUMBERS).collect();
        self.listed.clear();
        for machine in 0..MACHINES {
            if self.chance.below(3) > 0 {
                let at = usize::try_from(self.chance.below(numbers.len() as u64)).expect("there are few");
                self.listed.insert(machine, numbers.remove(at));
            }
        }
        if self.moves_first {
            self.first = u8::try_from(self.chance.below(4)).expect("there are few");
        }
        self.told.push(format!("listed {:?}, first {}", self.listed, self.first));
        self.config()
    }

    fn config(&self) -> String {
        config(&self.listed, self.first, self.has_two, self.ports.is_some())
    }

    /// The power has failed. Who was heard is forgotten by that.
    fn crashed(&mut self) {
        self.told.push("crash".into());
        self.heard.clear();
        self.wait(Duration::from_secs(1));
    }

    /// Its firmware starts: whatever its system had it does not use any more. It may be refused what it was offered, as what it is to have was left by another one meanwhile; but not twice.
    fn boot(&mut self, machine: u8) {
        self.lives.remove(&(machine + MACHINES));
        self.tokens.remove(&machine);
        let is_granted = self.asks(machine, Speaker::Bios) || self.asks(machine, Speaker::Bios);
        assert!(is_granted, "{machine} is refused what it is offered:\n{}", self.told.join("\n"));
        if self.has_two && self.lives.get(&machine).is_some_and(Life::is_temporary) {
            self.is_tried(machine);
        }
    }

    /// Its agent reports a trial that has seen both cards, and asks for the address of the number that it got by that.
    fn is_tried(&mut self, machine: u8) {
        let cards = [machine, machine + MACHINES].map(|card| json!({ "mac": mac(card).to_string() }));
        let report = json!({ "passed": true, "checks": [], "facts": { "interfaces": cards } });
        self.post(machine, machine, "ask", &json!({}));
        let answer = self.post(machine, machine, "trial", &report);
        if answer.is_some_and(|answer| answer["number"].is_u64()) {
            self.asks(machine, Speaker::System);
        }
    }

    /// A card looks for an address: whatever it had it does not use any more. Whether it was not refused what it was offered.
    fn asks(&mut self, card: u8, speaker: Speaker) -> bool {
        self.lives.remove(&card);
        let discover = Packet { speaker, ..self.packet(card, MessageType::Discover) };
        let replies = self.say(card, &discover);
        let offer = replies.into_iter().find(|reply| reply.0 == MessageType::Offer);
        let Some((_, address, _)) = offer else {
            self.told.push(format!("{card} as {speaker:?}: no offer"));
            return true;
        };
        let server = Some(SERVER);
        let select =
            Packet { requested: Some(address), server, speaker, ..self.packet(card, MessageType::Request) };
        self.ask(card, address, &select, "takes")
    }

    fn renew(&mut self, machine: u8) {
        let card = if self.has_two && self.chance.below(2) == 0 { machine + MACHINES } else { machine };
        let Some(address) = self.lives.get(&card).map(|life| life.address) else { return };
        let renew = Packet {
            speaker: Speaker::System,
            ciaddr: address,
            relay: Ipv4Addr::UNSPECIFIED,
            port: None,
            ..self.packet(card, MessageType::Request)
        };
        self.ask(card, address, &renew, "renews");
    }

    /// Whether it was not told that the address is not its own.
    fn ask(&mut self, card: u8, address: Ipv4Addr, packet: &Packet, what: &str) -> bool {
        let replies = self.say(card, packet);
        self.told.push(format!("{card} {what} {address}: {replies:?}"));
        match replies.last() {
            Some((MessageType::Ack, address, lease)) => {
                let has_it = |(other, life): &(&u8, &Life)| **other != card && life.address == *address;
                let other = self.lives.iter().find(has_it).map(|(other, _)| other);
                assert!(other.is_none(), "{address} is {other:?}'s too:\n{}", self.told.join("\n"));
                let until = self.world.elapsed() + *lease;
                self.lives.insert(card, Life { address: *address, until });
            }
            Some((MessageType::Nak, ..)) => drop(self.lives.remove(&card)),
            _ => {}
        }
        !matches!(replies.last(), Some((MessageType::Nak, ..)))
    }

    /// Its agent says that the system runs, and will say so again.
    fn check_in(&mut self, machine: u8) {
        let mut cards = [machine, machine + MACHINES].into_iter();
        let Some(card) = cards.find(|card| self.lives.get(card).is_some_and(|life| !life.is_temporary()))
        else {
            return;
        };
        self.post(machine, card, "up", &json!({ "checks_in": true }));
    }

    /// What its agent is answered that speaks by this card.
    fn post(&mut self, machine: u8, card: u8, what: &str, body: &Value) -> Option<Value> {
        let from = self.lives.get(&card)?.address;
        if !self.tokens.contains_key(&machine) {
            let (_, text) = self.request(from, Via::Tftp(2070), "pxelinux.cfg/default")?;
            let (_, rest) = text.split_once("/node/")?;
            self.tokens.insert(machine, rest.split_whitespace().next()?.into());
        }
        let path = format!("node/{}/{what}", self.tokens[&machine]);
        let (status, text) = self.request(from, Via::HttpPost(body.to_string().into()), &path)?;
        self.told.push(format!("{machine} says {what} from {from}: {status} {text}"));
        (status == 200).then(|| serde_json::from_str(&text).expect("answers are JSON"))
    }

    fn request(&mut self, from: Ipv4Addr, via: Via, path: &str) -> Option<(u16, String)> {
        let request = Request { id: RequestId(0), from, local: SERVER, via, path: path.into() };
        let out = self.world.happen(Input::Request(request));
        let answer = out
            .into_iter()
            .find_map(|output| if let Output::Reply(_, answer) = output { Some(answer) } else { None });
        let answer = answer?;
        let answer = if let Answer::Unwritten(unwritten) = answer { unwritten.write() } else { answer };
        if let Answer::Json(status, body) = answer {
            Some((status, body))
        } else if let Answer::Text(text) = answer {
            Some((200, text))
        } else {
            None
        }
    }

    fn deny_or_accept(&mut self, machine: u8) {
        let (verb, what) = match self.denied.remove(&machine) {
            true => (Verb::Accept, "accepted"),
            false => (Verb::Deny, "denied"),
        };
        if what == "denied" {
            self.denied.insert(machine);
        }
        self.told.push(format!("{machine} is {what}"));
        let request = ChangeRequest { set: mac(machine).to_string(), ..ChangeRequest::default() };
        let query = Query::Change(verb, Box::new(request));
        let wall = self.world.wall();
        let out = self.world.happen(Input::Operator { id: RequestId(0), wall, query });
        self.answer(out);
    }

    /// The system of a machine asks by its second card, or loses the first one.
    fn use_second_card(&mut self, machine: u8) {
        let second = machine + MACHINES;
        if self.lives.contains_key(&second) && self.chance.below(2) == 0 {
            self.told.push(format!("{machine} loses its first card"));
            self.lives.remove(&machine);
        } else if self.lives.get(&machine).is_some_and(|life| !life.is_temporary()) {
            self.asks(second, Speaker::System);
        }
    }

    fn switch_off(&mut self, machine: u8) {
        self.told.push(format!("{machine} is switched off"));
        self.lives.remove(&machine);
        self.lives.remove(&(machine + MACHINES));
    }

    /// Two machines change their places, of which the first one is off, and the second one is not there any more.
    fn exchange(&mut self, machine: u8, other: u8) {
        let Some(ports) = &mut self.ports else { return };
        let [port, others] = [machine, other].map(|machine| ports[&machine]);
        ports.extend([(machine, others), (other, port)]);
        self.told.push(format!("{machine} is at port {others}, {other} at port {port}"));
        self.lives.remove(&other);
    }

    /// A packet of a machine where it is.
    fn packet(&self, machine: u8, message_type: MessageType) -> Packet {
        let port = self.ports.as_ref().and_then(|ports| ports.get(&machine).copied());
        let relay = if port.is_some() { RELAY } else { Ipv4Addr::UNSPECIFIED };
        Packet { port, relay, ..packet(machine, message_type) }
    }

    /// Time passes. Who has a temporary address renews that in time, or is gone.
    fn pass(&mut self, duration: Duration) {
        self.told.push(format!("{duration:?}"));
        self.lives.retain(|_, life| !life.is_temporary());
        self.wait(duration);
    }

    /// A packet of a card, and what is answered within half a second.
    fn say(&mut self, card: u8, packet: &Packet) -> Vec<(MessageType, Ipv4Addr, Duration)> {
        let payload = &packet.write();
        let source = SocketAddrV4::new(packet.ciaddr, 68);
        let interface = if card < MACHINES { "eth1" } else { "eth2" };
        let datagram = Datagram { interface, source, destination: SERVER, payload };
        let out = self.world.happen(Input::Dhcp(datagram));
        if !self.denied.contains(&(card % MACHINES)) {
            self.heard.insert(card, self.world.elapsed());
        }
        let mut replies = self.answer(out);
        replies.extend(self.wait(Duration::from_millis(500)));
        replies
    }

    /// Time passes, and whatever the server asks is answered at once.
    fn wait(&mut self, duration: Duration) -> Vec<(MessageType, Ipv4Addr, Duration)> {
        let mut replies = Vec::new();
        let end = self.world.elapsed() + duration;
        loop {
            let now = self.world.elapsed();
            let next = self.lives.values().map(|life| life.until).filter(|until| *until > now).min();
            let until = next.map_or(end, |next| next.min(end));
            if let Some(out) = self.world.wait_for_next(until - now) {
                replies.extend(self.answer(out));
                continue;
            }
            self.leases_end();
            if until == end {
                return replies;
            }
        }
    }

    /// Who has let his lease run out leaves his address.
    fn leases_end(&mut self) {
        let now = self.world.elapsed();
        let told = &mut self.told;
        self.lives.retain(|card, life| {
            if life.until <= now {
                told.push(format!("the lease of {card} has ended"));
            }
            life.until > now
        });
    }

    /// Who lives answers for his address, unless the frame is lost of one who was heard just now. The replies among what the server did.
    fn answer(&mut self, mut out: Vec<Output>) -> Vec<(MessageType, Ipv4Addr, Duration)> {
        let mut replies = Vec::new();
        while !out.is_empty() {
            let mut more = Vec::new();
            for output in out {
                if let Output::Probe { address, .. } = output {
                    let user = self.lives.iter().find(|(_, life)| life.address == address);
                    let user = user.map(|(card, _)| *card);
                    if let Some(card) = user.filter(|card| !self.is_lost(*card)) {
                        // An echo does not say who answers it.
                        let mac = Some(mac(card)).filter(|_| self.ports.is_none());
                        more.extend(self.world.happen(Input::Occupied { address, mac }));
                    }
                } else if let Output::Dhcp(send) = output {
                    let message = Message::parse(&send.payload).expect("the server writes what it reads");
                    let lease = message.options.u32(option::LEASE_TIME).unwrap_or_default();
                    let lease = Duration::from_secs(lease.into());
                    replies.extend(message.message_type().map(|kind| (kind, message.yiaddr, lease)));
                }
            }
            out = more;
        }
        replies
    }

    fn is_lost(&mut self, card: u8) -> bool {
        let heard = self.heard.get(&card).map(|at| self.world.elapsed() - *at);
        let is_lost = heard.is_some_and(|ago| ago < HOLD_AFTER_LIFE)
            && !self.denied.contains(&(card % MACHINES))
            && self.chance.below(4) == 0;
        if is_lost {
            self.told.push(format!("an answer of {card} is lost"));
        }
        is_lost
    }

    /// No two machines have one number in what is kept.
    fn check_records(&self) {
        let mut numbers = BTreeSet::new();
        for (key, value) in self.world.kept().iter().filter(|(key, _)| key.starts_with("node/")) {
            let record: Value = serde_json::from_str(value).expect("records are JSON");
            if let Some(number) = record["number"].as_u64() {
                assert!(numbers.insert(number), "{key}: {number} twice:\n{}", self.told.join("\n"));
            }
        }
    }

    /// When nobody else lives any more, whoever is listed gets what he is listed for.
    fn comes_to_what_is_listed(&mut self) {
        let config = self.other_config();
        self.world.configure(&config).expect("the configuration is right");
        self.lives.clear();
        for machine in std::mem::take(&mut self.denied) {
            self.denied.insert(machine);
            self.deny_or_accept(machine);
        }
        self.pass(Duration::from_secs(200));
        let is_listed = |machine: &u8, ports: &Option<BTreeMap<u8, u8>>| {
            let place = ports.as_ref().map_or(*machine, |ports| ports[machine]);
            self.listed.get(&place).copied()
        };
        let all = (0..MACHINES).filter_map(|machine| Some((machine, is_listed(&machine, &self.ports)?)));
        let all: Vec<_> = all.collect();
        for _ in 0..2 {
            for (machine, _) in &all {
                self.boot(*machine);
            }
        }
        for (machine, number) in all {
            let network = if self.ports.is_some() { 88 } else { 77 };
            let number = u8::try_from(number).expect("there are few");
            let address = Ipv4Addr::new(10, network, 1, self.first + number);
            // An echo that is not answered does not say that a machine that is listed has left what it had before.
            if self.ports.is_some() && self.world.kept().contains_key(&format!("lease/{address}")) {
                continue;
            }
            assert_eq!(
                self.lives.get(&machine).map(|life| life.address),
                Some(address),
                "{machine}:\n{}\n{:#?}",
                self.told.join("\n"),
                self.world.kept()
            );
        }
    }
}

impl Life {
    fn is_temporary(&self) -> bool {
        self.address.octets()[2] != 1
    }
}

fn mac(card: u8) -> Mac {
    Mac([0x52, 0x54, 0, 0, 0, 0x10 + card])
}

fn packet(machine: u8, message_type: MessageType) -> Packet {
    Packet {
        speaker: Speaker::Bios,
        mac: mac(machine),
        message_type,
        ciaddr: Ipv4Addr::UNSPECIFIED,
        requested: None,
        server: None,
        entry: None,
        broadcast: false,
        relay: Ipv4Addr::UNSPECIFIED,
        link: None,
        stands_for: None,
        port: None,
        subnet: None,
        rapid: false,
        own_port: false,
        name: None,
        quiet: false,
        xid: USUAL_XID,
    }
}

fn config(listed: &BTreeMap<u8, u64>, first: u8, has_two: bool, by_port: bool) -> String {
    let node = |(machine, number): (&u8, &u64)| {
        let who = if by_port {
            format!("circuit-id = \"port{machine}\"")
        } else if has_two {
            format!("mac = [\"{}\", \"{}\"]", mac(*machine), mac(*machine + MACHINES))
        } else {
            format!("mac = \"{}\"", mac(*machine))
        };
        format!("[[node]]\n{who}\nnumber = {number}\n")
    };
    let nodes: String = listed.iter().map(node).collect();
    let (network, address, order) =
        if by_port { (88, "address = \"10.88.0.0/16\"", "port") } else { (77, "", "passed") };
    let policy = if has_two { "report" } else { "none" };
    let second = if has_two { of_network("eth2", "suffix = \"-ib\"", 78, first) } else { String::new() };
    format!(
        "{}{second}[trial]\npolicy = \"{policy}\"\norder = \"{order}\"\n{nodes}",
        of_network("eth1", address, network, first)
    )
}

fn of_network(interface: &str, more: &str, second: u8, first: u8) -> String {
    format!(
        r#"
[[network]]
interface = "{interface}"
{more}
numbers = "0-99"
first = "10.{second}.1.{first}"
temporary = "10.{second}.200.1-10.{second}.200.99"
probe = true
"#
    )
}
