//! Operators who change their minds: numbers, and the addresses of all numbers, that are moved about in the configuration while machines boot, renew, fall silent and the power fails. Whoever gets an address, nobody who lives has it.

use heorot_core::mac::Mac;
use heorot_core::message::{Datagram, Input, Output};
use heorot_core::wire::dhcp::{Message, MessageType};
use heorot_sim::chance::Chance;
use heorot_sim::speaker::{Packet, Speaker};
use heorot_sim::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

const RELAY: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 9);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const MACHINES: u8 = 6;
const NUMBERS: u64 = 8;
const STEPS: u32 = 80;
const SEEDS: u64 = 200;

struct Story {
    world: World,
    chance: Chance,
    /// Who lives, and with which address.
    lives: BTreeMap<u8, Ipv4Addr>,
    /// What was done, for who has to find out.
    told: Vec<String>,
    /// Which number a machine is to have, or a port of the relay's.
    listed: BTreeMap<u8, u64>,
    /// The last octet of the address of number 0.
    first: u8,
    /// Whether operators move that.
    moves_first: bool,
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
        let config = config(&BTreeMap::new(), 0, ports.is_some());
        let (world, _) = World::new(&config).expect("the configuration is right");
        let chance = Chance::new(seed);
        let told = vec![format!("seed {seed}")];
        let (lives, listed) = (BTreeMap::new(), BTreeMap::new());
        Self { world, chance, lives, told, listed, first: 0, moves_first: false, ports }
    }

    fn step(&mut self) {
        let machine = self.machine();
        match self.chance.below(10) {
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
            _ if self.moves_first && self.chance.below(2) == 0 => {
                let config = self.other_config();
                self.told.push("crash".into());
                self.world.crash_into(&config).expect("the configuration is right");
            }
            _ => {
                self.told.push("crash".into());
                self.world.crash();
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
        config(&self.listed, self.first, self.ports.is_some())
    }

    /// Its firmware starts. It may be refused what it was offered, as what it is to have was left by another one meanwhile; but not twice.
    fn boot(&mut self, machine: u8) {
        let is_granted = self.asks(machine) || self.asks(machine);
        assert!(is_granted, "{machine} is refused what it is offered:\n{}", self.told.join("\n"));
    }

    /// It looks for an address: whatever it had it does not use any more. Whether it was not refused what it was offered.
    fn asks(&mut self, machine: u8) -> bool {
        self.lives.remove(&machine);
        let discover = self.packet(machine, MessageType::Discover);
        let replies = self.say(&discover);
        let Some((_, address)) = replies.into_iter().find(|(kind, _)| *kind == MessageType::Offer) else {
            self.told.push(format!("{machine} boots: no offer"));
            return true;
        };
        let server = Some(SERVER);
        let select =
            Packet { requested: Some(address), server, ..self.packet(machine, MessageType::Request) };
        self.ask(machine, address, &select, "boots")
    }

    fn renew(&mut self, machine: u8) {
        let Some(address) = self.lives.get(&machine).copied() else { return };
        let renew = Packet {
            ciaddr: address,
            relay: Ipv4Addr::UNSPECIFIED,
            port: None,
            ..self.packet(machine, MessageType::Request)
        };
        self.ask(machine, address, &renew, "renews");
    }

    /// Whether it was not told that the address is not its own.
    fn ask(&mut self, machine: u8, address: Ipv4Addr, packet: &Packet, what: &str) -> bool {
        let replies = self.say(packet);
        self.told.push(format!("{machine} {what} {address}: {replies:?}"));
        match replies.last() {
            Some((MessageType::Ack, address)) => {
                let other = self.lives.iter().find(|(other, its)| **other != machine && *its == address);
                assert!(other.is_none(), "{address} is {other:?}'s too:\n{}", self.told.join("\n"));
                self.lives.insert(machine, *address);
            }
            Some((MessageType::Nak, _)) => drop(self.lives.remove(&machine)),
            _ => {}
        }
        !matches!(replies.last(), Some((MessageType::Nak, _)))
    }

    fn switch_off(&mut self, machine: u8) {
        self.told.push(format!("{machine} is switched off"));
        self.lives.remove(&machine);
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
        let port = self.ports.as_ref().map(|ports| ports[&machine]);
        let relay = if port.is_some() { RELAY } else { Ipv4Addr::UNSPECIFIED };
        Packet { port, relay, ..packet(machine, message_type) }
    }

    /// Time passes. Who has a temporary address renews that in time, or is gone.
    fn pass(&mut self, duration: Duration) {
        self.told.push(format!("{duration:?}"));
        self.lives.retain(|_, address| address.octets()[2] == 1);
        let out = self.world.wait(duration);
        self.answer(out.into_iter().map(|(_, output)| output).collect());
    }

    /// A packet, and what is answered within half a second.
    fn say(&mut self, packet: &Packet) -> Vec<(MessageType, Ipv4Addr)> {
        let payload = &packet.write();
        let source = SocketAddrV4::new(packet.ciaddr, 68);
        let datagram = Datagram { interface: "eth1", source, destination: SERVER, payload };
        let out = self.world.happen(Input::Dhcp(datagram));
        let mut replies = self.answer(out);
        let out = self.world.wait(Duration::from_millis(500));
        replies.extend(self.answer(out.into_iter().map(|(_, output)| output).collect()));
        replies
    }

    /// Who lives answers for his address. The replies among what the server did.
    fn answer(&mut self, mut out: Vec<Output>) -> Vec<(MessageType, Ipv4Addr)> {
        let mut replies = Vec::new();
        while !out.is_empty() {
            let mut more = Vec::new();
            for output in out {
                if let Output::Probe { address, .. } = output {
                    let user = self.lives.iter().find(|(_, its)| **its == address);
                    if let Some(mac) = user.map(|(machine, _)| mac(*machine)) {
                        // An echo does not say who answers it.
                        let mac = Some(mac).filter(|_| self.ports.is_none());
                        more.extend(self.world.happen(Input::Occupied { address, mac }));
                    }
                } else if let Output::Dhcp(send) = output {
                    let message = Message::parse(&send.payload).expect("the server writes what it reads");
                    replies.extend(message.message_type().map(|kind| (kind, message.yiaddr)));
                }
            }
            out = more;
        }
        replies
    }

    /// No two machines have one number in what is kept.
    fn check_records(&self) {
        let mut numbers = BTreeSet::new();
        for (key, value) in self.world.kept().iter().filter(|(key, _)| key.starts_with("node/")) {
            let record: serde_json::Value = serde_json::from_str(value).expect("records are JSON");
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
                self.lives.get(&machine),
                Some(&address),
                "{machine}:\n{}\n{:#?}",
                self.told.join("\n"),
                self.world.kept()
            );
        }
    }
}

fn mac(machine: u8) -> Mac {
    Mac([0x52, 0x54, 0, 0, 0, 0x10 + machine])
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
        quiet: false,
    }
}

fn config(listed: &BTreeMap<u8, u64>, first: u8, by_port: bool) -> String {
    let node = |(machine, number): (&u8, &u64)| {
        let who = if by_port {
            format!("circuit-id = \"port{machine}\"")
        } else {
            format!("mac = \"{}\"", mac(*machine))
        };
        format!("[[node]]\n{who}\nnumber = {number}\n")
    };
    let nodes: String = listed.iter().map(node).collect();
    let (second, address, order) =
        if by_port { (88, "address = \"10.88.0.0/16\"", "port") } else { (77, "", "passed") };
    format!(
        r#"
[[network]]
interface = "eth1"
{address}
numbers = "0-99"
first = "10.{second}.1.{first}"
temporary = "10.{second}.200.1-10.{second}.200.99"
probe = true
[trial]
policy = "none"
order = "{order}"
{nodes}"#
    )
}
