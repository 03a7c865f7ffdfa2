use super::*;
use crate::forwarding::{Group, NameServer};
use crate::reading::{QR, RD, Read, TC, read};
use crate::resolver::{Input, Resolver};
use crate::{Prefix, Settings};
use heorot_names::{Directory, NumberRange, Numbering, Pattern};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

mod adversary;
mod cached;
mod checked;
mod cookies;
mod led;
mod local;
mod servers;
mod tls;

const A: u16 = 1;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const TXT: u16 = 16;
const AAAA: u16 = 28;

const SERVFAIL: u16 = 2;
const NXDOMAIN: u16 = 3;
const REFUSED: u16 = 5;
const RA: u16 = 0x80;
const CD: u16 = 0x10;
/// What a reply of the forwarder has at least.
const PLAIN: u16 = QR | RD | RA;

const FIRST: &str = "192.0.2.53:53";
const SECOND: &str = "192.0.2.54:53";
const CLIENT: &str = "10.77.1.9:4000";

fn forwarding() -> Forwarding {
    Forwarding {
        groups: vec![group("", &[FIRST])],
        clients: vec![Prefix { address: Ipv4Addr::new(10, 77, 0, 0).into(), length: 16 }],
        own_networks: vec![Prefix { address: Ipv4Addr::new(10, 77, 0, 0).into(), length: 16 }],
        find_loops: false,
        ..Forwarding::new([7; 32])
    }
}

fn group(domain: &str, servers: &[&str]) -> Group {
    Group { domain: domain.into(), servers: servers.iter().copied().map(name_server).collect() }
}

/// "192.0.2.53:53", or "192.0.2.53:853#dns.example" for one by TLS.
fn name_server(text: &str) -> NameServer {
    let (address, tls) =
        text.split_once('#').map_or((text, None), |(address, name)| (address, Some(name.into())));
    NameServer { address: address.parse().unwrap(), tls }
}

fn settings() -> Settings {
    Settings {
        reverse_prefixes: vec![Prefix { address: Ipv4Addr::new(10, 77, 0, 0).into(), length: 16 }],
        ..Settings::default()
    }
}

fn directory() -> Directory {
    let numbers = NumberRange { lowest: 0, highest: 1023 };
    Directory {
        networks: vec![Numbering {
            numbers,
            first: Ipv4Addr::new(10, 77, 1, 0),
            first_ipv6: None,
            suffix: String::new(),
        }],
        ..Directory::new("cluster", Pattern::parse("node{}").unwrap())
    }
}

/// A resolver, its clock, and what it wants.
struct Stage {
    resolver: Resolver,
    now: u64,
    asks: Vec<Exchange>,
    forgotten: Vec<ExchangeId>,
    replies: Vec<(SocketAddr, Vec<u8>)>,
}

impl Stage {
    fn new(forwarding: Forwarding) -> Self {
        let resolver = Resolver::new(settings(), Arc::new(directory())).unwrap();
        let (asks, forgotten, replies) = (Vec::new(), Vec::new(), Vec::new());
        let mut stage = Self { resolver, now: 1_000_000_000, asks, forgotten, replies };
        stage.handle(Input::Forward(Box::new(forwarding)));
        stage
    }

    fn handle(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.resolver.handle(self.now, input, &mut out);
        for output in out {
            match output {
                Output::Reply { to, payload, .. } => self.replies.push((to, payload)),
                Output::End { .. } | Output::More { .. } | Output::Notify { .. } => {
                    panic!("nobody is hung up on")
                }
                Output::Ask(exchange) => self.asks.push(exchange),
                Output::Forget { exchange } => self.forgotten.push(exchange),
                Output::Update { .. } | Output::Denied { .. } => panic!("these are questions"),
            }
        }
        assert!(self.resolver.next_wakeup().is_none_or(|when| when > self.now), "a wake-up in the past");
    }

    fn query(&mut self, from: &str, transport: Transport, payload: &[u8]) {
        let from = from.parse().unwrap();
        self.handle(Input::Query(Query { transport, from, id: QueryId(9), payload }));
    }

    /// The one message that goes upstream for this question.
    fn ask(&mut self, name: &str, rtype: u16) -> Exchange {
        self.query(CLIENT, Transport::Udp, &query(name, rtype));
        self.asked()
    }

    fn asked(&mut self) -> Exchange {
        assert_eq!(self.asks.len(), 1, "one message goes upstream: {:?}, {:?}", self.asks, self.replies);
        self.asks.remove(0)
    }

    fn answer(&mut self, exchange: &Exchange, payload: &[u8]) {
        self.handle(Input::Answer { exchange: exchange.id, from: exchange.server, payload });
    }

    fn told(&mut self) -> Read {
        assert_eq!(self.replies.len(), 1, "one reply");
        read(&self.replies.remove(0).1)
    }

    /// From the question to the reply.
    fn resolve(&mut self, name: &str, rtype: u16, records: &[Given<'_>]) -> Read {
        let exchange = self.ask(name, rtype);
        self.answer(&exchange, &answer(&exchange, 0x8180, records));
        self.told()
    }

    /// What is told without asking anybody.
    fn recall(&mut self, name: &str, rtype: u16) -> Read {
        self.query(CLIENT, Transport::Udp, &query(name, rtype));
        assert!(self.asks.is_empty(), "{name} is asked for again");
        self.told()
    }

    /// Lets time pass, with every wake-up in it.
    fn wait(&mut self, span: Duration) {
        let end = self.now + nanoseconds(span);
        while let Some(when) = self.resolver.next_wakeup().filter(|when| *when <= end) {
            self.now = when;
            self.handle(Input::Wake);
        }
        self.now = end;
    }

    fn counts(&self) -> ForwardCounts {
        self.resolver.forward_counts()
    }
}

/// Header and question of a query with RD.
fn query(name: &str, rtype: u16) -> Vec<u8> {
    let mut message = vec![0xab, 0xcd, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
    message.extend(wire(name));
    message.extend(rtype.to_be_bytes());
    message.extend([0, 1]);
    message
}

fn with_opt(mut message: Vec<u8>, udp_octets: u16, dnssec_ok: bool) -> Vec<u8> {
    message[11] += 1;
    message.extend([0, 0, 41]);
    message.extend(udp_octets.to_be_bytes());
    message.extend([0, 0, if dnssec_ok { 0x80 } else { 0 }, 0, 0, 0]);
    message
}

fn wire(name: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        octets.push(u8::try_from(label.len()).unwrap());
        octets.extend(label.as_bytes());
    }
    octets.push(0);
    octets
}

/// A record of an answer: section (6 answer, 8 authority, 10 additional), owner, type, TTL, data.
type Given<'a> = (usize, &'a str, u16, u32, Vec<u8>);

fn address(name: &str, ttl: u32, octets: [u8; 4]) -> Given<'_> {
    (6, name, A, ttl, octets.to_vec())
}

fn alias<'a>(name: &'a str, ttl: u32, target: &str) -> Given<'a> {
    (6, name, CNAME, ttl, wire(target))
}

fn soa(name: &str, ttl: u32, minimum: u32) -> Given<'_> {
    let mut data = [wire("ns.example"), wire("admin.example")].concat();
    for number in [1, 2, 3, 4, minimum] {
        data.extend(u32::to_be_bytes(number));
    }
    (8, name, SOA, ttl, data)
}

/// The answer to what was sent, with these flags and records.
fn answer(exchange: &Exchange, flags: u16, records: &[Given<'_>]) -> Vec<u8> {
    let end = 12 + exchange.payload[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
    let mut message = exchange.payload[..end].to_vec();
    message[2..4].copy_from_slice(&flags.to_be_bytes());
    message[11] = 0;
    for (section, owner, rtype, ttl, data) in records {
        message[section + 1] += 1;
        message.extend(wire(owner));
        message.extend(rtype.to_be_bytes());
        message.extend([0, 1]);
        message.extend(ttl.to_be_bytes());
        message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend(data);
    }
    message
}

#[test]
fn a_question_goes_upstream_and_its_answer_back() {
    let mut stage = Stage::new(forwarding());
    let exchange = stage.ask("Www.Example.ORG", A);
    assert_eq!((exchange.server.to_string().as_str(), exchange.transport), (FIRST, Transport::Udp));
    let sent = read(&exchange.payload);
    // RD alone: not the client's id, nor his letters; our own OPT.
    assert_eq!(sent.flags, RD);
    assert!(sent.questions[0].eq_ignore_ascii_case("www.example.org. 1"), "{:?}", sent.questions);
    assert_ne!(sent.questions[0], "Www.Example.ORG. 1");
    assert_eq!(exchange.payload[exchange.payload.len() - 11..], [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    assert!(stage.replies.is_empty());
    let records = [address("www.example.org", 300, [198, 51, 100, 7])];
    stage.answer(&exchange, &answer(&exchange, 0x8180, &records));
    assert_eq!(stage.forgotten, [exchange.id]);
    let told = stage.told();
    assert_eq!((told.id, told.flags), (0xabcd, PLAIN));
    assert_eq!(told.questions, ["Www.Example.ORG. 1"]);
    assert_eq!(told.answer, ["Www.Example.ORG. 300 A 198.51.100.7"]);
    assert_eq!((told.authority.len(), told.additional.len()), (0, 0));
    assert_eq!(stage.resolver.next_wakeup(), None);
}

#[test]
fn each_attempt_has_an_id_a_port_and_letters_of_its_own() {
    let mut stage = Stage::new(forwarding());
    let mut seen = BTreeSet::new();
    for number in 0..50 {
        let exchange = stage.ask(&format!("a{number}.abcdefghijklmnop.example"), A);
        let letters = exchange.payload[16..40].to_vec();
        seen.insert((exchange.payload[..2].to_vec(), exchange.port, letters));
    }
    let ids: BTreeSet<_> = seen.iter().map(|(id, _, _)| id).collect();
    let ports: BTreeSet<_> = seen.iter().map(|(_, port, _)| port).collect();
    let letters: BTreeSet<_> = seen.iter().map(|(_, _, letters)| letters).collect();
    assert!(ids.len() > 45 && ports.len() > 45 && letters.len() > 45, "{ids:?}, {ports:?}");
}

#[test]
fn many_who_ask_the_same_are_one_question() {
    let mut stage = Stage::new(forwarding());
    let exchange = stage.ask("example.org", A);
    for host in 1..=200 {
        let from = format!("10.77.2.{host}:5000");
        stage.query(&from, Transport::Udp, &query("EXAMPLE.org", A));
        // Who repeats himself waits once.
        stage.query(&from, Transport::Udp, &query("EXAMPLE.org", A));
    }
    assert!(stage.asks.is_empty() && stage.replies.is_empty());
    // Another type, and the same with signatures, are questions of their own.
    stage.query(CLIENT, Transport::Udp, &query("example.org", AAAA));
    stage.query(CLIENT, Transport::Udp, &with_opt(query("example.org", A), 1232, true));
    assert_eq!(stage.asks.len(), 2);
    stage.answer(&exchange, &answer(&exchange, 0x8180, &[address("example.org", 60, [198, 51, 100, 1])]));
    assert_eq!(stage.replies.len(), 201);
    let last = read(&stage.replies[200].1);
    assert_eq!(last.answer, ["EXAMPLE.org. 60 A 198.51.100.1"]);
    assert_eq!((stage.counts().misses, stage.counts().joined), (3, 200));
}

#[test]
fn what_does_not_fit_is_asked_for_by_tcp_on_either_side() {
    let mut stage = Stage::new(forwarding());
    let exchange = stage.ask("many.example", A);
    // Towards the server: TC is followed by a stream to the same server.
    stage.answer(&exchange, &answer(&exchange, 0x8380, &[]));
    let stream = stage.asked();
    assert_eq!((stream.transport, stream.server), (Transport::Tcp, exchange.server));
    assert_eq!(stage.forgotten, [exchange.id]);
    let many: Vec<_> = (0..100).map(|host| address("many.example", 60, [198, 51, 100, host])).collect();
    stage.answer(&stream, &answer(&stream, 0x8180, &many));
    // Towards the client: 512 octets do not do (RFC 1035 4.2.1), 1232 neither, a stream does.
    let told = stage.told();
    assert_eq!((told.flags, told.answer.len()), (PLAIN | TC, 0));
    stage.query(CLIENT, Transport::Udp, &with_opt(query("many.example", A), 4096, false));
    assert_eq!(stage.replies.remove(0).1.len(), 12 + 18 + 11);
    stage.query(CLIENT, Transport::Tcp, &query("many.example", A));
    assert_eq!(stage.told().answer.len(), 100);
    assert!(stage.asks.is_empty());
}

#[test]
fn edns_is_answered_with_edns_and_its_bits_go_upstream() {
    let mut stage = Stage::new(forwarding());
    let mut asked = with_opt(query("example.org", A), 4096, true);
    asked[3] |= 0x30; // AD and CD
    stage.query(CLIENT, Transport::Udp, &asked);
    let exchange = stage.asked();
    // RFC 4035 3.2.2: CD goes upstream, and DO; AD would say what we do not know.
    assert_eq!(read(&exchange.payload).flags, RD | CD);
    assert_eq!(exchange.payload[exchange.payload.len() - 4], 0x80);
    // RFC 6840 5.8: the server's AD is its own opinion.
    stage.answer(&exchange, &answer(&exchange, 0x81b0, &[address("example.org", 60, [198, 51, 100, 1])]));
    let reply = stage.replies.remove(0).1;
    assert_eq!(read(&reply).flags, PLAIN | CD);
    assert_eq!(reply[reply.len() - 11..], [0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0]);
}

#[test]
fn who_may_ask() {
    for (from, flags) in [
        ("10.77.1.9:1", None),
        ("127.0.0.1:1", None),
        ("[::1]:1", None),
        ("[::ffff:10.77.1.9]:1", None),
        ("10.78.1.9:1", Some(QR | RD | REFUSED)),
        ("198.51.100.1:1", Some(QR | RD | REFUSED)),
        ("[2001:db8::1]:1", Some(QR | RD | REFUSED)),
    ] {
        let mut stage = Stage::new(forwarding());
        stage.query(from, Transport::Udp, &query("example.org", A));
        assert_eq!(stage.asks.len(), usize::from(flags.is_none()), "{from}");
        assert_eq!(stage.replies.pop().map(|(_, reply)| read(&reply).flags), flags, "{from}");
        // Our own names are for everybody.
        stage.query(from, Transport::Udp, &query("node1.cluster", A));
        assert_eq!(stage.told().answer, ["node1.cluster. 300 A 10.77.1.1"], "{from}");
    }
}

#[test]
fn without_rd_nobody_is_asked() {
    let mut stage = Stage::new(forwarding());
    let mut asked = query("example.org", A);
    asked[2] = 0;
    stage.query(CLIENT, Transport::Udp, &asked);
    assert_eq!(stage.told().flags, QR | RA | REFUSED);
    stage.resolve("example.org", A, &[address("example.org", 60, [198, 51, 100, 1])]);
    stage.query(CLIENT, Transport::Udp, &asked);
    let told = stage.told();
    assert_eq!((told.flags, told.answer.len()), (QR | RA, 1));
    assert!(stage.asks.is_empty());
}

#[test]
fn a_client_that_asks_too_much_is_refused_and_others_are_not() {
    let mut stage = Stage::new(Forwarding { rate_per_second: 10, ..forwarding() });
    for number in 0..40 {
        stage.query(CLIENT, Transport::Udp, &query(&format!("n{number}.example"), A));
    }
    // Two seconds' worth at once.
    assert_eq!((stage.asks.len(), stage.replies.len()), (20, 20));
    assert_eq!(read(&stage.replies[0].1).flags, PLAIN | REFUSED);
    stage.query("10.77.1.10:1", Transport::Udp, &query("other.example", A));
    assert_eq!(stage.asks.len(), 21);
    stage.wait(Duration::from_millis(500));
    stage.asks.clear();
    for number in 0..10 {
        stage.query(CLIENT, Transport::Udp, &query(&format!("m{number}.example"), A));
    }
    assert_eq!(stage.asks.len(), 5);
    assert_eq!(stage.counts().rate_limited, 25);
}

#[test]
fn what_is_no_question_for_data_goes_nowhere() {
    for rtype in [252, 251, 253, 254, 41, 250] {
        let mut stage = Stage::new(forwarding());
        stage.query(CLIENT, Transport::Udp, &query("example.org", rtype));
        assert!(stage.asks.is_empty(), "{rtype}");
        assert_eq!(stage.replies.len(), 1, "{rtype}");
    }
    let mut chaos = query("version.bind", TXT);
    *chaos.last_mut().unwrap() = 3;
    let mut stage = Stage::new(forwarding());
    stage.query(CLIENT, Transport::Udp, &chaos);
    assert_eq!((stage.asks.len(), stage.told().flags), (0, PLAIN | REFUSED));
}

#[test]
fn of_too_many_questions_the_oldest_give_way_and_later_ones_do_not() {
    let mut stage = Stage::new(Forwarding { rate_per_second: 0, ..forwarding() });
    for number in 0..QUESTIONS_MAX + 3 {
        stage.query(CLIENT, Transport::Udp, &query(&format!("n{number}.example"), A));
    }
    assert_eq!((stage.asks.len(), stage.replies.len()), (QUESTIONS_MAX + 3, 3));
    assert_eq!(read(&stage.replies[0].1).flags, PLAIN | SERVFAIL);
    stage.wait(Duration::from_secs(5));
    assert_eq!(stage.replies.len(), QUESTIONS_MAX + 3, "each is told in the end");
    assert_eq!(stage.forgotten.len(), stage.asks.len(), "no socket stays open");
    stage.asks.clear();
    stage.query(CLIENT, Transport::Udp, &query("late.example", A));
    assert_eq!(stage.asks.len(), 1);
}

/// Names that nobody answers, as many as there may be, of one client: everybody else is asked for as ever, and nobody who asks for less than he does gives way.
#[test]
fn one_client_does_not_use_up_all_questions() {
    ask_without_end(forwarding());
}

fn ask_without_end(forwarding: Forwarding) {
    let mut stage = Stage::new(Forwarding { rate_per_second: 0, ..forwarding });
    for number in 0..20 {
        stage.query("127.0.0.1:4000", Transport::Udp, &query(&format!("own{number}.example"), A));
    }
    for number in 0..2 * QUESTIONS_MAX {
        stage.query(CLIENT, Transport::Udp, &query(&format!("n{number}.example"), A));
    }
    let opened = stage.asks.len();
    stage.asks.clear();
    for number in 0..50 {
        let from = format!("10.77.2.{number}:4000");
        stage.query(&from, Transport::Udp, &query(&format!("other{number}.example"), A));
    }
    assert_eq!(stage.asks.len(), 50);
    // Nor do retries have all sockets.
    stage.wait(Duration::from_secs(2));
    let open = opened + stage.asks.len() - stage.forgotten.len();
    assert!(open <= crate::limit::EXCHANGES_MAX, "{open}");
    assert!(stage.replies.iter().all(|(to, _)| *to == CLIENT.parse().unwrap()), "nobody else gives way");
    // That it had to is not remembered as a failure of that name.
    stage.asks.clear();
    stage.query("10.77.2.1:4000", Transport::Udp, &query("n0.example", A));
    assert_eq!(stage.asks.len(), 1);
    stage.wait(Duration::from_secs(5));
    stage.asks.clear();
    stage.query(CLIENT, Transport::Udp, &query("late.example", A));
    assert_eq!(stage.asks.len(), 1, "nothing is left of it");
}
