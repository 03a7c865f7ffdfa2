//! DHCP's further conversations, packet by packet: what relays decide, INFORM, names; BOOTP, hosts and leasequery in files of their own.

mod bootp;
mod hosts;
mod leasequery;

use heorot_core::Heorot;
use heorot_core::config::{Config, Interface, Lacks, Missing};
use heorot_core::event::Kind;
use heorot_core::mac::Mac;
use heorot_core::message::{Datagram, DhcpSend, DhcpTarget, Input, Output, Ticket};
use heorot_core::time::Time;
use heorot_core::wire::dhcp::{Message, MessageType, Options, option};
use leasequery::{ACTIVE, Query, about};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

const START: Time = Time::from_nanoseconds(1_000_000_000_000_000);

/// A network on the link with everything that may be asked of it, and one behind a relay.
const BOTH: &str = r#"
[[network]]
interface = "eth1"
numbers = "0-9"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.200.9"
guests = "10.77.210.1-10.77.210.9"
leasequery = ["10.77.0.2"]
probe = false
bootp = true
[[network]]
interface = "eth1"
address = "10.88.0.0/16"
numbers = "100-109"
first = "10.88.1.0"
temporary = "10.88.200.1-10.88.200.9"
probe = false
[boot]
bios = "pxelinux.0"
[[node]]
mac = "52:54:00:00:00:07"
number = 7
[[node]]
mac = "52:54:00:00:00:17"
number = 100
[[host]]
mac = "52:54:00:00:00:27"
name = "switch"
address = "10.77.220.1"
"#;

const fn mac(last: u8) -> Mac {
    Mac([0x52, 0x54, 0, 0, 0, last])
}

const fn address(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

const NONE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
const SERVER: Ipv4Addr = address(10, 77, 0, 1);
const RELAY: Ipv4Addr = address(10, 88, 0, 1);

struct World {
    heorot: Heorot,
    now: Time,
    /// Records are durable at once, or when it is said.
    is_prompt: bool,
    last: Ticket,
    /// What operators are told.
    troubles: Vec<String>,
}

impl World {
    fn new(text: &str) -> Self {
        let interface = Interface { name: "eth1".into(), addresses: vec![(SERVER, 16)] };
        let (config, _) = Config::parse(text, &[interface]).expect("the configuration is right");
        let heorot = Heorot::restore(START, config, [7; 16], Vec::new(), &mut Vec::new());
        Self { heorot, now: START, is_prompt: true, last: Ticket::default(), troubles: Vec::new() }
    }

    /// What is sent as an answer.
    fn take(&mut self, message: &Message) -> Vec<DhcpSend> {
        self.take_from(NONE, message)
    }

    fn take_from(&mut self, source: Ipv4Addr, message: &Message) -> Vec<DhcpSend> {
        self.take_between(source, SERVER, message)
    }

    /// It was sent to this address of ours.
    fn take_at(&mut self, destination: Ipv4Addr, message: &Message) -> Vec<DhcpSend> {
        self.take_between(NONE, destination, message)
    }

    fn take_between(&mut self, source: Ipv4Addr, destination: Ipv4Addr, message: &Message) -> Vec<DhcpSend> {
        let payload = message.write(1472);
        let source = SocketAddrV4::new(source, 68);
        let datagram = Datagram { interface: "eth1", source, destination, payload: &payload };
        let mut out = Vec::new();
        self.heorot.handle(self.now, Input::Dhcp(datagram), &mut out);
        let mut sent = self.sent(out);
        if self.is_prompt {
            sent.extend(self.commit());
        }
        sent
    }

    fn commit(&mut self) -> Vec<DhcpSend> {
        let mut out = Vec::new();
        self.heorot.handle(self.now, Input::Committed(self.last), &mut out);
        self.sent(out)
    }

    fn sent(&mut self, out: Vec<Output>) -> Vec<DhcpSend> {
        let mut sent = Vec::new();
        for output in out {
            if let Output::Record(ticket, _) = output {
                self.last = ticket;
            } else if let Output::Dhcp(send) = output {
                sent.push(send);
            } else if let Output::Event(event) = output
                && event.kind == Kind::Trouble
            {
                self.troubles.push(event.to_string());
            }
        }
        sent
    }

    /// What is sent in this time by itself.
    fn wait(&mut self, time: Duration) -> Vec<DhcpSend> {
        let end = self.now + time;
        let mut sent = Vec::new();
        while let Some(next) = self.heorot.next_wakeup().filter(|next| *next <= end) {
            self.now = next;
            let mut out = Vec::new();
            self.heorot.handle(next, Input::Wakeup, &mut out);
            sent.extend(self.sent(out));
            sent.extend(self.commit());
        }
        self.now = end;
        sent
    }

    /// The one answer.
    fn answer(&mut self, message: &Message) -> (Message, DhcpSend) {
        let mut sent = self.take(message);
        assert_eq!(sent.len(), 1, "{sent:?}");
        let send = sent.remove(0);
        (Message::parse(&send.payload).expect("the server writes what can be read"), send)
    }

    /// A machine gets the address it is offered.
    fn boots(&mut self, machine: Mac, with: impl Fn(&mut Message)) -> Ipv4Addr {
        let mut discover = asked(machine, Some(MessageType::Discover));
        with(&mut discover);
        let (offer, _) = self.answer(&discover);
        let mut request = asked(machine, Some(MessageType::Request));
        with(&mut request);
        request.options.set(option::REQUESTED_ADDRESS, offer.yiaddr.octets());
        let server = offer.options.get(option::SERVER_IDENTIFIER).expect("an offer names its server");
        request.options.set(option::SERVER_IDENTIFIER, server);
        let (ack, _) = self.answer(&request);
        assert_eq!((ack.message_type(), ack.yiaddr), (Some(MessageType::Ack), offer.yiaddr));
        ack.yiaddr
    }
}

fn asked(Mac(octets): Mac, message_type: Option<MessageType>) -> Message {
    let mut options = Options::default();
    if let Some(message_type) = message_type {
        options.set(option::MESSAGE_TYPE, vec![message_type as u8]);
    }
    let mut chaddr = [0; 16];
    chaddr[..6].copy_from_slice(&octets);
    Message {
        xid: 0x77,
        secs: 0xffff, // iPXE's counter: nobody is to take it for an age
        chaddr,
        options,
        ..Message::request()
    }
}

fn is_firmware(message: &mut Message) {
    message.options.set(option::VENDOR_CLASS, b"PXEClient:Arch:00000:UNDI:002001");
    message.options.set(option::ARCHITECTURE, vec![0, 0]);
}

fn by_relay(sub_options: &[u8]) -> impl Fn(&mut Message) + use<> {
    let sub_options = sub_options.to_vec();
    move |message| {
        message.giaddr = RELAY;
        message.options.set(option::RELAY_AGENT, sub_options.clone());
    }
}

/// RFC 3527 3 and RFC 3011 4: link selection, then subnet selection, then giaddr. The address that is offered tells the network.
#[test]
fn the_network_is_the_one_that_is_selected() {
    let link = |octet: u8| vec![5, 4, 10, octet, 0, 0];
    for (giaddr, subnet, link, first_octets) in [
        (NONE, None, None, Some([10, 77])),
        (RELAY, None, None, Some([10, 88])),
        (RELAY, Some(77), None, Some([10, 77])),
        (RELAY, Some(88), Some(link(77)), Some([10, 77])),
        (SERVER, Some(77), Some(link(88)), Some([10, 88])),
        (NONE, Some(88), None, Some([10, 88])),
        // "0.0.0.0" and what is no address select nothing.
        (RELAY, None, Some(vec![5, 4, 0, 0, 0, 0]), Some([10, 88])),
        (RELAY, None, Some(vec![5, 3, 10, 77, 0]), Some([10, 88])),
        // A network that is not served: nothing is a reason to give an address of another one.
        (RELAY, Some(66), None, None),
        (RELAY, None, Some(link(66)), None),
        (address(10, 66, 0, 1), None, None, None),
    ] {
        let mut world = World::new(BOTH);
        let mut discover = asked(mac(1), Some(MessageType::Discover));
        is_firmware(&mut discover);
        discover.giaddr = giaddr;
        if let Some(octet) = subnet {
            discover.options.set(option::SUBNET_SELECTION, vec![10, octet, 0, 0]);
        }
        if let Some(link) = link.clone() {
            discover.options.set(option::RELAY_AGENT, link);
        }
        let sent = world.take(&discover);
        let offers: Vec<_> = sent.iter().map(|send| Message::parse(&send.payload).unwrap()).collect();
        let offered = offers.first().map(|offer| [offer.yiaddr.octets()[0], offer.yiaddr.octets()[1]]);
        assert_eq!(offered, first_octets, "{giaddr} {subnet:?} {link:?}");
        // RFC 3011 4 and RFC 3046 2.2: both come back as they came.
        for offer in offers {
            for code in [option::SUBNET_SELECTION, option::RELAY_AGENT] {
                assert_eq!(offer.options.get(code), discover.options.get(code), "{code}");
            }
            let target = match giaddr {
                // Whoever came without a relay and has no address is on the link where it was heard, whatever it selects.
                NONE => DhcpTarget::Frame(mac(1), offer.yiaddr),
                relay => DhcpTarget::Address(SocketAddrV4::new(relay, 67)),
            };
            assert_eq!((sent[0].target, sent[0].interface.as_str()), (target, "eth1"));
            assert_eq!(sent[0].source, SERVER, "no answer comes from an address of everybody's");
        }
    }
}

/// RFC 5107 4: the relay's address is the server's in option 54, and there alone: files still come from us.
#[test]
fn a_relay_may_stand_for_the_server() {
    let mut world = World::new(BOTH);
    let stand_in = address(10, 88, 0, 254);
    let with = by_relay(&[1, 1, 9, 11, 4, 10, 88, 0, 254]);
    let booted = world.boots(mac(0x17), |message| {
        is_firmware(message);
        with(message);
    });
    assert_eq!(booted, address(10, 88, 1, 0));
    let mut request = asked(mac(0x17), Some(MessageType::Request));
    is_firmware(&mut request);
    request.options.set(option::REQUESTED_ADDRESS, booted.octets());
    for (server, through, is_answered) in [
        (stand_in, &[11, 4, 10, 88, 0, 254][..], true),
        (SERVER, &[11, 4, 10, 88, 0, 254], true),
        (stand_in, &[1, 1, 9], false),
        (address(10, 88, 0, 253), &[11, 4, 10, 88, 0, 254], false),
    ] {
        let mut request = request.clone();
        by_relay(through)(&mut request);
        request.options.set(option::SERVER_IDENTIFIER, server.octets());
        let sent = world.take(&request);
        assert_eq!(sent.len() == 1, is_answered, "{server} through {through:?}");
        for send in sent {
            let ack = Message::parse(&send.payload).unwrap();
            assert_eq!(ack.options.address(option::SERVER_IDENTIFIER), Some(stand_in));
            assert_eq!((ack.siaddr, send.source), (SERVER, SERVER));
            assert_eq!(ack.options.get(option::RELAY_AGENT), Some(through));
        }
    }
    // A NAK carries the relay's information and its address as well (RFC 3046 2.2).
    let mut wrong = asked(mac(0x17), Some(MessageType::Request));
    with(&mut wrong);
    wrong.options.set(option::REQUESTED_ADDRESS, vec![10, 88, 1, 9]);
    wrong.options.set(option::CLIENT_IDENTIFIER, vec![1, 9]);
    let (nak, send) = world.answer(&wrong);
    // So that the relay looks for nobody at the address: "the server MUST set the broadcast bit in the DHCPNAK" (RFC 2131 4.3.2).
    assert_eq!((nak.message_type(), nak.broadcast), (Some(MessageType::Nak), true));
    // Why, for who prints it (RFC 2131, table 3; RFC 2132 9.9).
    assert_eq!(nak.options.text(option::MESSAGE), Some("10.88.1.9 is not the address of this machine"));
    // RFC 6842 3: "whether a DHCPOFFER, DHCPACK, or DHCPNAK".
    assert_eq!(nak.options.get(option::CLIENT_IDENTIFIER), Some(&[1, 9][..]));
    assert_eq!(send.target, DhcpTarget::Address(SocketAddrV4::new(RELAY, 67)));
    assert_eq!(nak.options.get(option::RELAY_AGENT), wrong.options.get(option::RELAY_AGENT));
    assert_eq!(nak.options.address(option::SERVER_IDENTIFIER), Some(stand_in));
}

/// RFC 2131 4.1: "A server with multiple network addresses MUST be prepared to accept any of its network addresses as identifying that server". A router has two of our addresses as its
/// helpers, and the REQUEST for what was offered by one comes to both.
#[test]
fn every_address_of_ours_is_the_server() {
    const SECOND: Ipv4Addr = address(10, 77, 0, 2);
    for (own, is_another) in [([SERVER, SECOND].as_slice(), false), (&[SERVER], true)] {
        let mut world = World::new(BOTH);
        let addresses = Input::Addresses { own: own.iter().copied().collect(), missing: Vec::new() };
        world.heorot.handle(world.now, addresses, &mut Vec::new());
        let mut discover = asked(mac(0x17), Some(MessageType::Discover));
        is_firmware(&mut discover);
        discover.giaddr = RELAY;
        let offers = [SERVER, SECOND].map(|to| {
            let sent = world.take_at(to, &discover);
            Message::parse(&sent[0].payload).unwrap()
        });
        assert_eq!(offers[0].yiaddr, offers[1].yiaddr);
        // Names are told at the addresses of networks alone.
        let name_servers = offers.each_ref().map(|offer| offer.options.address(option::DNS));
        assert_eq!(name_servers, [Some(SERVER); 2]);
        let mut request = discover.clone();
        request.options.set(option::MESSAGE_TYPE, [MessageType::Request as u8]);
        request.options.set(option::REQUESTED_ADDRESS, offers[0].yiaddr.octets());
        request.options.set(option::SERVER_IDENTIFIER, SECOND.octets());
        let answered = [SERVER, SECOND].map(|to| world.take_at(to, &request).len());
        assert_eq!(answered, if is_another { [0, 1] } else { [1, 1] });
        let told = world.troubles.iter().any(|trouble| trouble.contains("another DHCP server"));
        assert_eq!(told, is_another, "{:?}", world.troubles);
    }
}

/// Who reads the journal is told that an address that was lost is back, once, and not of one that another stands in the place of, or that went with its interface.
#[test]
fn that_a_lost_address_is_back_is_told() {
    let lost = |address| Missing { interface: "eth1".into(), what: Lacks::Own(address) };
    let mut world = World::new(BOTH);
    let mut told = |input: Input<'_>| {
        let mut out = Vec::new();
        world.heorot.handle(world.now, input, &mut out);
        let told = out.into_iter().filter_map(|output| {
            let Output::Event(event) = output else { return None };
            Some(event.detail.to_string())
        });
        told.collect::<Vec<_>>()
    };
    let addresses =
        |missing: &[Missing]| Input::Addresses { own: [SERVER].into(), missing: missing.to_vec() };
    assert_eq!(told(addresses(&[lost(SERVER)])).len(), 1);
    assert_eq!(told(addresses(&[lost(SERVER)])), [""; 0]);
    assert_eq!(told(addresses(&[])), [format!("eth1 has {SERVER} again")]);
    assert_eq!(told(addresses(&[])), [""; 0]);
    told(addresses(&[lost(address(10, 77, 0, 9))]));
    assert_eq!(told(addresses(&[])), [""; 0]);
    told(addresses(&[lost(SERVER)]));
    told(Input::InterfaceGone("eth1"));
    assert_eq!(told(addresses(&[])), [""; 0]);
}

/// RFC 4039 3.1: an ACK with option 80, and not before its record is durable. Without both wishes an offer, which has none.
#[test]
fn an_address_is_granted_at_once_where_both_want_it() {
    for (is_configured, is_asked_for, answer) in
        [(true, true, MessageType::Ack), (true, false, MessageType::Offer), (false, true, MessageType::Offer)]
    {
        let text = BOTH.replace("bootp = true", &format!("rapid-commit = {is_configured}"));
        let mut world = World::new(&text);
        world.is_prompt = false;
        let mut discover = asked(mac(1), Some(MessageType::Discover));
        if is_asked_for {
            discover.options.set(option::RAPID_COMMIT, Vec::new());
        }
        let at_once = world.take(&discover);
        assert_eq!(at_once.is_empty(), answer == MessageType::Ack, "an ACK waits for its record");
        assert_eq!(
            world.take(&discover).is_empty(),
            answer == MessageType::Ack,
            "however often it is asked for"
        );
        let sent = [at_once, world.commit()].concat();
        let [send] = sent.as_slice() else { panic!("{sent:?}") };
        let message = Message::parse(&send.payload).unwrap();
        assert_eq!(message.message_type(), Some(answer));
        assert_eq!(message.options.contains(option::RAPID_COMMIT), answer == MessageType::Ack);
    }
}

/// As before an offer, it is asked first who has the address; then the ACK goes out by itself. A number's address is nobody else's.
#[test]
fn an_address_is_asked_about_before_it_is_granted_at_once() {
    let text =
        BOTH.replace("probe = false\n", "").replace("bootp = true", "bootp = true\nrapid-commit = true");
    for message_type in [Some(MessageType::Discover), None] {
        let mut question = asked(mac(9), message_type);
        question.options.set(option::RAPID_COMMIT, Vec::new());
        let mut world = World::new(&text);
        assert_eq!(world.take(&question), []);
        let granted = world.wait(Duration::from_millis(300));
        assert_eq!(granted.len(), 1, "{message_type:?}: {granted:?}");
        let first = Message::parse(&granted[0].payload).unwrap();
        assert_eq!(first.message_type(), message_type.map(|_| MessageType::Ack));
        // Somebody has it: the next one is asked about, and granted.
        let mut world = World::new(&text);
        assert_eq!(world.take(&question), []);
        let occupied = Input::Occupied { address: first.yiaddr, mac: Some(mac(0x77)) };
        world.heorot.handle(world.now, occupied, &mut Vec::new());
        let granted = world.wait(Duration::from_millis(700));
        assert_eq!(granted.len(), 1, "{message_type:?}: {granted:?}");
        assert_ne!(Message::parse(&granted[0].payload).unwrap().yiaddr, first.yiaddr);
        question.chaddr[5] = 7;
        assert_eq!(world.take(&question).len(), 1, "{message_type:?}: a numbered node waits for nothing");
    }
}

/// RFC 2131 4.3.5: to ciaddr, without yiaddr and lease times. `secs` and the flag change nothing.
#[test]
fn who_has_an_address_is_told_the_rest() {
    let mut world = World::new(BOTH);
    world.boots(mac(7), is_firmware);
    for (who, ciaddr, target) in [
        (mac(7), address(10, 77, 1, 7), Some(DhcpTarget::Frame(mac(7), address(10, 77, 1, 7)))),
        // A guest with an address of its own choice: a lease is not looked for.
        (mac(9), address(10, 77, 9, 9), Some(DhcpTarget::Frame(mac(9), address(10, 77, 9, 9)))),
        // Without an address, or with one of elsewhere.
        (mac(9), NONE, None),
        (mac(9), address(10, 66, 9, 9), None),
        // Hosts that are no nodes are not served there.
        (mac(9), address(10, 88, 9, 9), None),
        (
            mac(7),
            address(10, 88, 9, 9),
            Some(DhcpTarget::Address(SocketAddrV4::new(address(10, 88, 9, 9), 68))),
        ),
    ] {
        let mut inform = asked(who, Some(MessageType::Inform));
        (inform.ciaddr, inform.broadcast) = (ciaddr, true);
        // RFC 3046 2.1: a relay takes its word out of what it sends on. This goes by none, also where one brought the question. But a switch that gave no address of
        // its own sees it go by, and has its word back (RFC 3046 2.2).
        by_relay(&[1, 2, b'p', b'4'])(&mut inform);
        if ciaddr != address(10, 88, 9, 9) {
            inform.giaddr = NONE;
        }
        let sent = world.take(&inform);
        let said = inform.options.get(option::RELAY_AGENT).filter(|_| inform.giaddr == NONE);
        for send in &sent {
            let ack = Message::parse(&send.payload).unwrap();
            assert_eq!(ack.options.get(option::RELAY_AGENT), said, "{who} {ciaddr}");
        }
        assert_eq!(sent.first().map(|send| send.target), target, "{who} {ciaddr}");
        for send in sent {
            let ack = Message::parse(&send.payload).unwrap();
            assert_eq!((ack.message_type(), ack.yiaddr), (Some(MessageType::Ack), NONE));
            for code in [option::LEASE_TIME, option::T1, option::T2] {
                assert!(!ack.options.contains(code), "option {code}");
            }
            assert!(
                ack.options.contains(option::SUBNET_MASK) && ack.options.contains(option::SERVER_IDENTIFIER)
            );
        }
    }
}

/// RFC 4702 4: the node's own name goes back, in the client's encoding, and a guest's that is free; who has none with us gets its wish refused.
#[test]
fn a_name_is_answered_by_the_true_one() {
    let mut world = World::new(BOTH);
    for (who, said, answer) in [
        (mac(7), &b"\x01\0\0laptop"[..], &b"\x01\xff\xffnode7.cluster"[..]),
        (mac(7), b"\x04\0\0\x06laptop", b"\x07\xff\xff\x05node7\x07cluster\0"),
        (mac(9), b"\x01\0\0laptop", b"\x01\xff\xfflaptop.cluster"),
        (mac(9), b"\x01\0\0switch", b"\x0a\xff\xffswitch"),
        (mac(0x27), b"\x01\0\0laptop", b"\x01\xff\xffswitch.cluster"),
    ] {
        let mut discover = asked(who, Some(MessageType::Discover));
        discover.options.set(option::FQDN, said);
        let (offer, _) = world.answer(&discover);
        assert_eq!(offer.options.get(option::FQDN), Some(answer), "{who} {said:?}");
        discover.options.set(option::FQDN, vec![4, 0]);
        assert!(!world.answer(&discover).0.options.contains(option::FQDN), "{who}: broken");
    }
}

/// RFC 4390 2.1: over InfiniBand zeros stand for a hardware address, whatever the client left there.
#[test]
fn over_infiniband_no_hardware_address_comes_back() {
    let mut discover = asked(mac(1), Some(MessageType::Discover));
    is_firmware(&mut discover);
    (discover.htype, discover.hlen) = (32, 0);
    discover.options.set(option::CLIENT_IDENTIFIER, [0x20, 0, 2, 0xc9, 3, 0, 5, 0xcf, 0xfb]);
    let (offer, _) = World::new(BOTH).answer(&discover);
    assert_eq!((offer.htype, offer.hlen, offer.chaddr), (32, 0, [0; 16]));
}

/// RFC 4578 2.3: the machine's identifier comes back. What else RFC 4578 2.1 and 2.2 have in servers' packets too does not: nobody was seen to look for it.
#[test]
fn of_what_firmware_says_of_itself_its_identifier_comes_back() {
    let mut discover = asked(mac(7), Some(MessageType::Discover));
    is_firmware(&mut discover);
    discover.options.set(94, [1, 2, 1]);
    discover.options.set(option::CLIENT_MACHINE, [[0].as_slice(), &[7; 16]].concat());
    let (offer, _) = World::new(BOTH).answer(&discover);
    assert_eq!(offer.options.get(option::CLIENT_MACHINE), discover.options.get(option::CLIENT_MACHINE));
    assert!(!offer.options.contains(option::ARCHITECTURE) && !offer.options.contains(94));
}

/// A machine with another adapter is known by what it calls itself, which is recorded before anything is promised on the strength of it.
#[test]
fn another_hardware_address_is_durable_before_its_grant() {
    let text = BOTH.to_owned() + "[[node]]\nclient-id = \"hex:ff01\"\nnumber = 3\n";
    let with = |message_type, machine| {
        let mut message = asked(machine, Some(message_type));
        message.options.set(option::CLIENT_IDENTIFIER, [0xff, 1]);
        message
    };
    let reboot = |machine| {
        let mut message = with(MessageType::Request, machine);
        message.options.set(option::REQUESTED_ADDRESS, [10, 77, 1, 3]);
        message
    };
    let mut world = World::new(&text);
    world.answer(&with(MessageType::Discover, mac(1)));
    world.is_prompt = false;
    for again in [1, 2] {
        assert_eq!(world.take(&reboot(mac(2))), [], "{again}: it is not durable yet");
    }
    let mut out = Vec::new();
    let refused = Input::Refused { through: world.last, why: "the disk is full".into() };
    world.heorot.handle(world.now, refused, &mut out);
    assert_eq!(world.sent(out), []);
    let before = world.last;
    assert_eq!(world.take(&reboot(mac(2))), []);
    assert!(world.last > before, "it is recorded anew");
    let granted = world.commit();
    assert!(!granted.is_empty() && granted.iter().all(|send| send.target == granted[0].target));
    assert_eq!(Message::parse(&granted[0].payload).unwrap().yiaddr, address(10, 77, 1, 3));
    let known = world.take(&reboot(mac(2)));
    assert_eq!(known.len(), 1, "and nothing is waited for any more");
}
