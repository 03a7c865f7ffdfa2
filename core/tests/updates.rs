//! Names by updates (RFC 2136): from what DNS asks to be kept to what is published, and after a restart; and who goes before.

use heorot_core::Heorot;
use heorot_core::cluster::record::Record;
use heorot_core::config::{Config, Interface};
use heorot_core::event::Kind;
use heorot_core::mac::Mac;
use heorot_core::message::{Answer, Datagram, Input, Output, Query, RequestId, Ticket, UpdateId};
use heorot_core::time::{Time, Wall};
use heorot_core::wire::dhcp::{Message, MessageType, Op, Options, option};
use heorot_names::{Dynamic, DynamicSet, HostsFile};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

const START: Time = Time::from_nanoseconds(1_000_000_000_000_000);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

const TEXT: &str = r#"
[[network]]
interface = "eth1"
numbers = "0-9"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.200.9"
guests = "10.77.210.0-10.77.210.255"
probe = false
[[host]]
mac = "52:54:00:00:00:27"
name = "switch"
address = "10.77.2.1"
[[dns.record]]
name = "www"
type = "CNAME"
value = "switch"
[[dns.record]]
name = "info"
type = "TXT"
value = "x"
"#;

struct World {
    heorot: Heorot,
    last: Ticket,
    kept: BTreeMap<String, Record>,
    /// What came out, in order, as far as it is of names.
    told: Vec<String>,
    serials: Vec<u32>,
}

fn config(further: &str) -> Config {
    let interface = Interface { name: "eth1".into(), addresses: vec![(SERVER, 16)] };
    Config::parse(&format!("{TEXT}{further}"), &[interface]).expect("the configuration is right").0
}

impl World {
    fn new(records: Vec<Record>) -> Self {
        let mut out = Vec::new();
        let kept = records.iter().map(|record| (record.key(), record.clone())).collect();
        let heorot = Heorot::restore(START, config(""), [7; 16], records, &mut out);
        let mut world = Self { heorot, last: Ticket::default(), kept, told: vec![], serials: vec![] };
        world.carry(out);
        world
    }

    fn carry(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Record(ticket, record) => {
                    self.last = ticket;
                    if let Record::Dynamic(_) = record {
                        self.told.push(format!("record {}", record.key()));
                    }
                    match record.value() {
                        Some(_) => drop(self.kept.insert(record.key(), record)),
                        None => drop(self.kept.remove(&record.key())),
                    }
                }
                Output::Names(changes) => {
                    self.told.extend(changes.changes.iter().map(ToString::to_string));
                    self.serials.push(changes.serial);
                }
                Output::Updated(UpdateId(id), kept) => self.told.push(format!("{id} {kept:?}")),
                Output::Event(event) if matches!(event.kind, Kind::Trouble | Kind::Update) => {
                    self.told.push(format!("* {event}"));
                }
                Output::Publish(directory, changes) => {
                    if !changes.is_empty() {
                        self.serials.push(directory.serial);
                    }
                    self.told.extend(changes.iter().map(ToString::to_string));
                }
                Output::Event(_)
                | Output::Dhcp(_)
                | Output::Neighbour(_)
                | Output::Probe { .. }
                | Output::AnswerArp { .. }
                | Output::Together { .. } => {}
                Output::Reply(_, answer) => {
                    let Answer::Json(200, text) = answer else { panic!("{answer:?}") };
                    self.told.push(text);
                }
            }
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.heorot.handle(START, input, &mut out);
        self.carry(out);
    }

    fn commit(&mut self) {
        self.handle(Input::Committed(self.last));
    }

    fn update(&mut self, id: u64, changes: &[Dynamic]) {
        let (id, by) = (UpdateId(id), "key from 10.77.0.9".into());
        self.handle(Input::Update { id, changes: changes.to_vec(), by });
    }

    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    /// A guest asks for an address, and to be called so.
    fn lend(&mut self, last: u8, name: &str) {
        let mut options = Options::default();
        options.set(option::MESSAGE_TYPE, vec![MessageType::Request as u8]);
        options.set(option::REQUESTED_ADDRESS, [10, 77, 210, last]);
        options.set(option::SERVER_IDENTIFIER, SERVER.octets());
        options.set(option::HOST_NAME, name);
        let mut chaddr = [0; 16];
        chaddr[..6].copy_from_slice(&Mac([0x52, 0x54, 1, 0, 0, last]).0);
        let none = Ipv4Addr::UNSPECIFIED;
        let message = Message {
            op: Op::BootRequest,
            htype: 1,
            hlen: 6,
            hops: 0,
            xid: 1,
            secs: 9,
            broadcast: false,
            ciaddr: none,
            yiaddr: none,
            siaddr: none,
            giaddr: none,
            chaddr,
            sname: vec![],
            file: vec![],
            options,
        };
        let payload = message.write(1472);
        let (source, destination) = (SocketAddrV4::new(none, 68), SERVER);
        self.handle(Input::Dhcp(Datagram { interface: "eth1", source, destination, payload: &payload }));
    }
}

fn set(name: &str, kind: u16, data: &[u8]) -> Dynamic {
    let set = DynamicSet { kind, ttl_seconds: 60, data: vec![data.to_vec()] };
    Dynamic { name: name.into(), sets: vec![set] }
}

fn address(name: &str) -> Dynamic {
    set(name, 1, &[10, 77, 9, 9])
}

fn nothing(name: &str) -> Dynamic {
    Dynamic { name: name.into(), sets: vec![] }
}

/// Recorded, then durable, then told, then answered: in that order, under one serial for all.
#[test]
fn an_update_is_durable_before_it_is_told_and_told_before_it_is_answered() {
    let mut world = World::new(vec![]);
    world.commit();
    world.update(1, &[address("web.cluster"), set("x.deep.cluster", 16, b"\x01y")]);
    let first = [
        "* web.cluster has A 10.77.9.9 (update by key from 10.77.0.9)",
        "record dynamic/web.cluster",
        "* x.deep.cluster has TXT \"y\" (update by key from 10.77.0.9)",
        "record dynamic/x.deep.cluster",
    ];
    assert_eq!(world.told(), first);
    let before = world.serials.len();
    world.commit();
    let then = ["web.cluster has A 10.77.9.9", "x.deep.cluster has TXT \"y\"", "1 Kept"];
    assert_eq!(world.told(), then);
    assert_eq!(world.serials.len(), before + 1);
    world.update(2, &[nothing("web.cluster")]);
    world.commit();
    assert_eq!(world.told()[2..], ["web.cluster has nothing by updates", "2 Kept"]);
    assert!(!world.kept.contains_key("dynamic/web.cluster"));
}

#[test]
fn a_disk_that_is_full_keeps_no_update() {
    let mut world = World::new(vec![]);
    world.commit();
    world.update(1, &[address("web.cluster")]);
    // One at a time: the caller waits, and if he does not, nothing is mixed up.
    world.update(2, &[address("two.cluster")]);
    assert_eq!(world.told().last().map(String::as_str), Some("2 Failed"));
    world.handle(Input::Refused { through: world.last, why: "it is full".into() });
    assert!(world.told().contains(&"1 Failed".to_owned()));
    world.update(3, &[address("web.cluster")]);
    world.commit();
    let then = ["* the store keeps what is promised again", "web.cluster has A 10.77.9.9", "3 Kept"];
    assert_eq!(world.told()[2..], then);
}

/// Without a serial that is durable nothing is told, and so nothing is answered.
#[test]
fn an_update_waits_for_its_serial() {
    let mut world = World::new(vec![]);
    let recorded = world.last;
    world.update(1, &[address("web.cluster")]);
    world.handle(Input::Refused { through: recorded, why: "it is full".into() });
    let update = world.last;
    world.told();
    world.handle(Input::Committed(update));
    if world.told().is_empty() {
        world.commit();
        assert_eq!(world.told(), ["web.cluster has A 10.77.9.9", "1 Kept"]);
    }
}

#[test]
fn a_restart_knows_what_came_by_updates_and_tells_it_at_once() {
    let mut world = World::new(vec![]);
    world.commit();
    world.update(1, &[address("web.cluster"), set("a.cluster", 257, &[0, 255, 128])]);
    world.commit();
    world.update(2, &[nothing("a.cluster"), set("b.cluster", 257, &[0, 255, 128])]);
    world.commit();
    let highest = *world.serials.last().unwrap();
    let records: Vec<_> = world.kept.into_values().collect();
    let mut out = Vec::new();
    Heorot::restore(START, config(""), [7; 16], records.clone(), &mut out);
    // A secondary that copies the zones between two outputs would lack the rest for good: it has that serial already.
    let published = out.iter().filter(|output| matches!(output, Output::Publish(..) | Output::Names(_)));
    let published: Vec<_> = published.collect();
    assert!(matches!(published[..], [Output::Publish(_, changes)] if changes.len() == 2), "{published:?}");
    let mut again = World::new(records);
    assert_eq!(again.told(), ["b.cluster has CAA \\# 3 00ff80", "web.cluster has A 10.77.9.9"]);
    assert!(again.serials[0] >= highest, "no serial goes back");
    again.handle(Input::Operator { id: RequestId(1), wall: Wall(0), query: Query::Dump });
    let dump: serde_json::Value = serde_json::from_str(&again.told()[0]).expect("it is JSON");
    let expected = serde_json::json!([
        { "name": "b.cluster", "records": ["CAA \\# 3 00ff80"] },
        { "name": "web.cluster", "records": ["A 10.77.9.9"] },
    ]);
    assert_eq!(dump["updates"], expected);
}

/// DNS looks before it asks; what has changed meanwhile is looked at here.
#[test]
fn numbers_hosts_records_and_loans_go_before() {
    let table = [
        (address("node3.cluster"), Some("a node or host has it")),
        (set("node3.cluster", 28, &[0; 16]), Some("a node or host has it")),
        (set("node3.cluster", 5, b"\x03web\x07cluster\0"), Some("a node or host has it")),
        (set("node3.cluster", 16, b"\x01x"), None),
        (address("node10.cluster"), None),
        (address("switch.cluster"), Some("a node or host has it")),
        (address("heorot.cluster"), Some("a node or host has it")),
        (address("www.cluster"), Some("a [[dns.record]] has it")),
        (set("www.cluster", 16, b"\x01x"), Some("a [[dns.record]] has it")),
        (set("info.cluster", 16, b"\x01x"), Some("a [[dns.record]] has it")),
        (set("info.cluster", 5, b"\0"), Some("a [[dns.record]] has it")),
        (address("info.cluster"), None),
        (address("tux.cluster"), Some("a host with a lease has it")),
        (set("3.1.77.10.in-addr.arpa", 12, b"\0"), Some("a node or host has it")),
        (set("1.2.77.10.in-addr.arpa", 12, b"\0"), Some("a node or host has it")),
        (set("1.210.77.10.in-addr.arpa", 12, b"\0"), Some("a host with a lease has it")),
        (set("9.9.77.10.in-addr.arpa", 12, b"\0"), None),
    ];
    for (change, who) in table {
        let mut world = World::new(vec![]);
        world.commit();
        world.lend(1, "tux");
        world.commit();
        world.told();
        world.update(1, std::slice::from_ref(&change));
        let told = world.told();
        match who {
            Some(who) => {
                let why = format!("* an update by key from 10.77.0.9 was refused: {}: {who}", change.name);
                assert_eq!(told, [why, "1 Refused".into()], "{change}");
                // The journal is told once.
                world.update(2, std::slice::from_ref(&change));
                assert_eq!(world.told(), ["2 Refused"]);
            }
            None => {
                world.commit();
                assert_eq!(world.told().last().map(String::as_str), Some("1 Kept"), "{change}");
            }
        }
    }
}

#[test]
fn no_host_is_called_as_an_update_says() {
    let mut world = World::new(vec![]);
    world.commit();
    world.update(1, &[address("tux.cluster")]);
    // Already while that is being recorded.
    world.lend(1, "tux");
    world.commit();
    assert!(!world.told().iter().any(|line| line == "tux is 10.77.210.1"));
    world.update(2, &[nothing("tux.cluster")]);
    world.commit();
    world.lend(2, "tux");
    world.commit();
    assert_eq!(world.told().last().map(String::as_str), Some("tux is 10.77.210.2"));
}

/// A configuration that says something of such a name is told once, and deletes nothing.
#[test]
fn a_configuration_that_takes_a_name_is_told() {
    let mut world = World::new(vec![]);
    world.commit();
    world.update(1, &[address("web.cluster")]);
    world.commit();
    world.told();
    let with_web = "[[dns.record]]\nname = \"web\"\nvalue = \"10.77.9.8\"\n";
    let trouble = "* web.cluster: a node or host has it, so that its records by updates are not told";
    for expected in [&[trouble][..], &[]] {
        world.handle(Input::Configure(Box::new(config(with_web))));
        let told: Vec<_> = world.told().into_iter().filter(|line| line.starts_with('*')).collect();
        assert_eq!(told, expected);
    }
    assert!(world.kept.contains_key("dynamic/web.cluster"));
    world.handle(Input::Configure(Box::new(config(""))));
    world.handle(Input::Configure(Box::new(config(with_web))));
    assert!(world.told().contains(&trouble.to_owned()), "it was away in between");
}

#[test]
fn there_is_room_for_so_much() {
    let mut world = World::new(vec![]);
    world.commit();
    let many = |name: &str, count: u32| {
        let data = (0..count).map(|n| n.to_be_bytes().to_vec()).collect();
        Dynamic { name: name.into(), sets: vec![DynamicSet { kind: 1, ttl_seconds: 60, data }] }
    };
    world.update(1, &[many("many.cluster", 8192)]);
    world.commit();
    assert_eq!(world.told().last().map(String::as_str), Some("1 Kept"));
    world.update(2, &[address("one.cluster")]);
    let why =
        "* an update by key from 10.77.0.9 was refused: names have as many records by updates as they may";
    assert_eq!(world.told(), [why, "2 Refused"]);
    // One goes, another comes.
    world.update(3, &[many("many.cluster", 8191), address("one.cluster")]);
    world.commit();
    assert_eq!(world.told().last().map(String::as_str), Some("3 Kept"));
    let large = |name: &str| set(name, 16, &vec![b'x'; 4096 * 1024]);
    world.update(4, &[nothing("many.cluster"), large("large.cluster")]);
    assert_eq!(world.told().last().map(String::as_str), Some("4 Refused"));
}

#[test]
fn what_dns_refuses_is_told_once() {
    let mut world = World::new(vec![]);
    for why in ["a", "a", "b"] {
        world.handle(Input::UpdateDenied { by: "k".into(), why: why.into() });
    }
    let line = |why: &str| format!("* an update by k was refused: {why}");
    assert_eq!(world.told(), [line("a"), line("b")]);
}

/// What stands in a file of hosts is told, and other types have their place beside it.
#[test]
fn files_of_hosts_go_before() {
    let file = HostsFile::read("10.77.0.60 web.cluster\n10.77.0.61 svc.example.org");
    let who = "a file of dns.hosts has it";
    for (change, who) in [
        (address("web.cluster"), Some(who)),
        (set("web.cluster", 5, b"\0"), Some(who)),
        (set("60.0.77.10.in-addr.arpa", 12, b"\0"), Some(who)),
        (set("61.0.77.10.in-addr.arpa", 12, b"\0"), Some(who)),
        (set("web.cluster", 16, b"\x01x"), None),
        (set("_acme-challenge.web.cluster", 16, b"\x01x"), None),
    ] {
        let mut world = World::new(vec![]);
        world.commit();
        world.handle(Input::HostsFiles(file.lines.clone().into()));
        world.commit();
        world.told();
        world.update(1, std::slice::from_ref(&change));
        world.commit();
        let told = world.told();
        let refused =
            who.map(|who| format!("* an update by key from 10.77.0.9 was refused: {}: {who}", change.name));
        assert_eq!(told.iter().find(|line| line.contains("refused")), refused.as_ref(), "{change}");
        let outcome = if refused.is_some() { "1 Refused" } else { "1 Kept" };
        assert_eq!(told.last().map(String::as_str), Some(outcome), "{change}");
    }
}
