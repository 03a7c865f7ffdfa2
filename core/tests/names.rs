//! Names of hosts to which addresses are lent: from the packet to what is published, and after a restart.

use heorot_core::Heorot;
use heorot_core::cluster::record::Record;
use heorot_core::config::{Config, Interface};
use heorot_core::mac::Mac;
use heorot_core::message::{Datagram, Input, Output, Ticket};
use heorot_core::time::Time;
use heorot_core::wire::dhcp::{Message, MessageType, Options, option};
use heorot_names::HostsFile;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

const START: Time = Time::from_nanoseconds(1_000_000_000_000_000);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const NONE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

const TEXT: &str = r#"
[[network]]
interface = "eth1"
numbers = "0-9"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.200.9"
guests = "10.77.210.0-10.77.250.255"
probe = false
[[node]]
mac = "52:54:00:00:00:17"
name = "login"
[[host]]
mac = "52:54:00:00:00:27"
name = "switch"
address = "10.77.2.1"
[[dns.record]]
name = "www"
type = "CNAME"
value = "switch"
"#;

struct World {
    heorot: Heorot,
    now: Time,
    last: Ticket,
    kept: BTreeMap<String, Record>,
    names: Vec<String>,
    serials: Vec<u32>,
    /// Names that clients were told are true, by option 81.
    told: Vec<String>,
}

impl World {
    fn new(records: Vec<Record>) -> Self {
        Self::beside(records, "")
    }

    /// With a file of hosts.
    fn beside(records: Vec<Record>, file: &str) -> Self {
        let interface = Interface { name: "eth1".into(), addresses: vec![(SERVER, 16)] };
        let (config, _) = Config::parse(TEXT, &[interface]).expect("the configuration is right");
        let mut out = Vec::new();
        let kept = records.iter().map(|record| (record.key(), record.clone())).collect();
        let lines = HostsFile::read(file).lines.into();
        let heorot = Heorot::restore_beside(START, config, [7; 16], (records, lines), &mut out);
        let (names, serials, told) = (vec![], vec![], vec![]);
        let mut world = Self { heorot, now: START, last: Ticket::default(), kept, names, serials, told };
        world.carry(out);
        world
    }

    fn carry(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Record(ticket, record) => {
                    self.last = ticket;
                    match record.value() {
                        Some(_) => drop(self.kept.insert(record.key(), record)),
                        None => drop(self.kept.remove(&record.key())),
                    }
                }
                Output::Names(changes) => {
                    self.names.extend(changes.changes.iter().map(ToString::to_string));
                    self.serials.push(changes.serial);
                }
                Output::Publish(directory, changes) => {
                    self.names.extend(changes.iter().map(ToString::to_string));
                    self.serials.push(directory.serial);
                }
                Output::Dhcp(send) => {
                    let message = Message::parse(&send.payload).expect("the server writes what can be read");
                    if let Some([flags, _, _, name @ ..]) = message.options.get(option::FQDN)
                        && flags & 1 != 0
                    {
                        self.told.push(String::from_utf8_lossy(name).into_owned());
                    }
                }
                Output::Neighbour(_)
                | Output::Probe { .. }
                | Output::AnswerArp { .. }
                | Output::Together { .. }
                | Output::Reply(..)
                | Output::Updated(..)
                | Output::Event(_) => {}
            }
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.heorot.handle(self.now, input, &mut out);
        self.carry(out);
    }

    fn commit(&mut self) {
        self.handle(Input::Committed(self.last));
    }

    fn says(&mut self, mac: Mac, address: Ipv4Addr, case: Case, name: &str) {
        let mut options = Options::default();
        let kind = if case == Case::Release { MessageType::Release } else { MessageType::Request };
        options.set(option::MESSAGE_TYPE, vec![kind as u8]);
        if case == Case::Select {
            options.set(option::REQUESTED_ADDRESS, address.octets());
            options.set(option::SERVER_IDENTIFIER, SERVER.octets());
        }
        match name.split_once(' ') {
            // RFC 4702 2.1: S, the server is to enter it; N, nobody is.
            Some(("fqdn", name)) => options.set(option::FQDN, [&[1, 0, 0], name.as_bytes()].concat()),
            Some(("for-nobody", name)) => options.set(option::FQDN, [&[8, 0, 0], name.as_bytes()].concat()),
            Some(_) | None if name.is_empty() => {}
            Some(_) | None => options.set(option::HOST_NAME, name),
        }
        let mut chaddr = [0; 16];
        chaddr[..6].copy_from_slice(&mac.0);
        let message = Message {
            xid: 1,
            secs: 9,
            ciaddr: if case == Case::Select { NONE } else { address },
            chaddr,
            options,
            ..Message::request()
        };
        let payload = message.write(1472);
        let source = SocketAddrV4::new(message.ciaddr, 68);
        self.handle(Input::Dhcp(Datagram {
            interface: "eth1",
            source,
            destination: SERVER,
            payload: &payload,
        }));
    }

    /// The file of hosts says this from now on.
    fn file_says(&mut self, text: &str) {
        self.handle(Input::HostsFiles(HostsFile::read(text).lines.into()));
        self.commit();
    }

    fn names(&mut self) -> Vec<String> {
        std::mem::take(&mut self.names)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Select,
    Renew,
    Release,
}

fn mac(n: u32) -> Mac {
    let [_, b, c, d] = n.to_be_bytes();
    Mac([0x52, 0x54, 1, b, c, d])
}

fn guest(n: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 77, 210, 0)) + n)
}

#[test]
fn a_name_comes_with_its_loan_and_goes_with_it() {
    let mut world = World::new(vec![]);
    world.commit();
    world.says(mac(1), guest(1), Case::Select, "Tux");
    assert_eq!(world.names(), [""; 0], "its loan is not durable");
    world.commit();
    assert_eq!(world.names(), ["tux is 10.77.210.1"]);
    let serial = *world.serials.last().unwrap();
    world.says(mac(1), guest(1), Case::Renew, "tux");
    assert_eq!(world.names(), ["tux is 10.77.210.1"], "for longer");
    assert_eq!(*world.serials.last().unwrap(), serial, "which nobody can see");
    // A ROM says nothing, its system another name.
    world.says(mac(1), guest(1), Case::Renew, "");
    assert_eq!(world.names(), ["tux is 10.77.210.1"]);
    world.says(mac(1), guest(1), Case::Renew, "fqdn gnu.example.org");
    assert_eq!(world.names(), ["10.77.210.1 has none", "gnu is 10.77.210.1"]);
    assert_eq!(world.told, ["gnu.cluster"]);
    assert_eq!(*world.serials.last().unwrap(), serial + 1);
    world.says(mac(1), guest(1), Case::Release, "");
    assert_eq!(world.names(), ["10.77.210.1 has none"]);
    // Or when it runs out.
    world.says(mac(2), guest(2), Case::Select, "tux");
    world.commit();
    assert_eq!(world.names(), ["tux is 10.77.210.2"]);
    world.now = world.now + Duration::from_secs(3600);
    world.handle(Input::Wakeup);
    assert_eq!(world.names(), ["10.77.210.2 has none"]);
}

/// RFC 4702 3.1 and 4: who asks that nobody enter its name has none from then on, also after a restart, and it is not told otherwise.
#[test]
fn who_wants_no_name_any_more_has_none() {
    let mut world = World::new(vec![]);
    world.commit();
    world.says(mac(1), guest(1), Case::Select, "fqdn tux");
    world.commit();
    assert_eq!((world.names(), world.told.len()), (vec!["tux is 10.77.210.1".into()], 1));
    world.says(mac(1), guest(1), Case::Renew, "for-nobody tux");
    world.commit();
    assert_eq!((world.names(), world.told.len()), (vec!["10.77.210.1 has none".into()], 1));
    let mut again = World::new(world.kept.values().cloned().collect());
    again.commit();
    assert_eq!(again.names(), [""; 0]);
    // It is anybody's then. Who says no name, or what is none, keeps his.
    world.says(mac(2), guest(2), Case::Select, "tux");
    world.commit();
    assert_eq!(world.names(), ["tux is 10.77.210.2"]);
    for name in ["", "(none)", "login"] {
        world.says(mac(2), guest(2), Case::Renew, name);
        world.commit();
        assert_eq!(world.names(), ["tux is 10.77.210.2"], "{name}");
    }
}

#[test]
fn nobody_takes_a_name_that_is_somebodys() {
    let mut world = World::new(vec![]);
    world.commit();
    for (n, name) in [
        "node3",
        "NODE99",
        "login",
        "switch",
        "www",
        "heorot",
        "localhost",
        "master",
        "23",
        "a_b",
        "ns",
        "gateway",
        "WPAD",
        "wpad.example.org",
        "isatap",
    ]
    .into_iter()
    .enumerate()
    {
        let n = u32::try_from(n).unwrap();
        world.says(mac(n), guest(n), Case::Select, name);
        world.commit();
        assert_eq!(world.names(), [""; 0], "{name}");
    }
    // Two hosts ask for one name: the first keeps it, and the second gets it when it is free.
    world.says(mac(20), guest(20), Case::Select, "tux");
    world.says(mac(21), guest(21), Case::Select, "fqdn tux");
    world.commit();
    assert_eq!(world.names(), ["tux is 10.77.210.20"]);
    world.says(mac(21), guest(21), Case::Renew, "tux");
    assert_eq!((world.names(), world.told.clone()), (vec![], vec![]));
    world.says(mac(20), guest(20), Case::Release, "");
    world.says(mac(21), guest(21), Case::Renew, "tux");
    assert_eq!(world.names(), ["10.77.210.20 has none", "tux is 10.77.210.21"]);
}

/// As dnsmasq, which says "not giving name web.cluster to the DHCP lease".
#[test]
fn nobody_takes_a_name_that_stands_in_a_file_of_hosts() {
    let file = "10.77.0.60 web.apps.cluster web.cluster\n10.77.0.61 svc.example.org lead\n";
    let mut world = World::new(vec![]);
    world.commit();
    world.says(mac(1), guest(1), Case::Select, "tux");
    world.commit();
    assert_eq!(world.names(), ["tux is 10.77.210.1"]);
    let serial = world.serials.last().copied();
    world.file_says(file);
    assert!(world.serials.last().copied() > serial, "whoever copies the zones has to know");
    for name in ["web", "fqdn Web", "web.example.org", "lead"] {
        world.says(mac(2), guest(2), Case::Select, name);
        world.commit();
        assert_eq!((world.names(), world.told.clone()), (vec![], vec![]), "{name}");
    }
    // No name of our zone.
    world.says(mac(3), guest(3), Case::Select, "svc");
    world.commit();
    assert_eq!(world.names(), ["svc is 10.77.210.3"]);
    // The file takes a name that a guest has.
    world.file_says("10.77.0.62 tux");
    assert_eq!(world.names(), ["10.77.210.1 has none"]);
    world.says(mac(1), guest(1), Case::Renew, "tux");
    world.says(mac(2), guest(2), Case::Renew, "web");
    world.commit();
    assert_eq!(world.names(), ["web is 10.77.210.2"], "it stands there no more");
    // It is there from the first moment of a start on.
    let mut world = World::beside(world.kept.into_values().collect(), file);
    world.commit();
    assert_eq!(
        world.names(),
        ["10.77.210.2 has none", "tux is 10.77.210.1", "svc is 10.77.210.3"],
        "of tux the file says nothing any more"
    );
}

#[test]
fn a_disk_that_is_full_gives_no_names() {
    let mut world = World::new(vec![]);
    world.commit();
    world.says(mac(1), guest(1), Case::Select, "tux");
    world.handle(Input::Refused { through: world.last, why: "it is full".into() });
    assert_eq!(world.names(), [""; 0]);
    world.says(mac(2), guest(2), Case::Select, "tux");
    world.commit();
    assert_eq!(world.names(), ["tux is 10.77.210.2"], "the name was free again");
}

#[test]
fn a_restart_knows_the_names_and_raises_the_serial() {
    let mut world = World::new(vec![]);
    world.commit();
    for n in 1..4 {
        world.says(mac(n), guest(n), Case::Select, &format!("host-{n}"));
        world.commit();
    }
    let before = world.names();
    let highest = *world.serials.last().unwrap();
    // Killed here, whatever was about to be written.
    let mut again = World::new(world.kept.into_values().collect());
    assert!(*again.serials.first().unwrap() >= highest, "{:?} after {highest}", again.serials);
    // At once, before any record is durable.
    assert_eq!((again.serials.len(), again.names()), (1, before));
    again.commit();
    let raised = *again.serials.last().unwrap();
    assert!(raised > highest && raised - highest <= 65, "{raised} after {highest}");
}

/// Ten thousand loans in one commit are one batch under one serial, and nothing but what has changed is published.
#[test]
fn a_storm_of_loans_is_one_batch() {
    let mut world = World::new(vec![]);
    world.commit();
    let published = world.serials.len();
    for n in 0..10_000 {
        world.says(mac(n), guest(n), Case::Select, &format!("host-{n}"));
    }
    world.commit();
    assert_eq!(world.names().len(), 10_000);
    assert_eq!(world.serials.len(), published + 1);
}
