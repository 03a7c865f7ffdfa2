//! What clients are told by DHCP, as an operator configures it: whole exchanges, each answer in one line. Whom he means stands in a file of its own.

mod meant;

use heorot_core::Heorot;
use heorot_core::config::{Config, Interface, render};
use heorot_core::mac::Mac;
use heorot_core::message::{Answer, Datagram, DhcpSend, Input, Output, Request, RequestId, Ticket, Via};
use heorot_core::time::Time;
use heorot_core::wire::dhcp::{Message, MessageType, Options, option};
use std::net::{Ipv4Addr, SocketAddrV4};

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const NETWORK: &str = r#"
[[network]]
interface = "eth1"
numbers = "0-9"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.200.9"
probe = false
guests = "10.77.210.1-10.77.210.3"
gateway = "10.77.0.254"
"#;

/// A server that keeps whatever it is told at once.
struct World {
    heorot: Heorot,
    now: Time,
    events: Vec<String>,
}

/// What a client says.
#[derive(Clone)]
struct Said {
    mac: Mac,
    kind: MessageType,
    ciaddr: Ipv4Addr,
    options: Options,
}

fn config(text: &str) -> Config {
    let interface = Interface { name: "eth1".into(), addresses: vec![(SERVER, 16)] };
    match Config::parse(text, &[interface]) {
        Ok((config, _)) => config,
        Err(mistakes) => panic!("{}", render("heorot.toml", text, &mistakes)),
    }
}

impl World {
    fn new(text: &str) -> Self {
        Self::of(&format!("{NETWORK}{text}"))
    }

    fn of(text: &str) -> Self {
        let now = Time::from_nanoseconds(1_000_000_000);
        Self {
            heorot: Heorot::restore(now, config(text), [0; 16], Vec::new(), &mut Vec::new()),
            now,
            events: Vec::new(),
        }
    }

    fn happen(&mut self, input: Input<'_>) -> Vec<Output> {
        let mut out = Vec::new();
        self.heorot.handle(self.now, input, &mut out);
        let ticket = |output: &Output| {
            let Output::Record(ticket, _) = output else { return None };
            Some(*ticket)
        };
        if let Some(through) = out.iter().filter_map(ticket).max_by_key(|Ticket(number)| *number) {
            self.heorot.handle(self.now, Input::Committed(through), &mut out);
        }
        let event = |output: &Output| {
            let Output::Event(event) = output else { return None };
            Some(event.to_string())
        };
        self.events.extend(out.iter().filter_map(event));
        out
    }

    /// The answer, and its octets.
    fn send(&mut self, said: &Said) -> Option<(Message, DhcpSend)> {
        let payload = said.write();
        let source = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
        let out = self.happen(Input::Dhcp(Datagram {
            interface: "eth1",
            source,
            destination: Ipv4Addr::BROADCAST,
            payload: &payload,
        }));
        let send = out.into_iter().find_map(|output| {
            let Output::Dhcp(send) = output else { return None };
            Some(send)
        })?;
        Some((Message::parse(&send.payload).expect("what is written can be read"), send))
    }

    /// The options of the answer from 60 or below 50, as the operator thinks of them.
    fn told(&mut self, said: &Said) -> Vec<(u8, Vec<u8>)> {
        let (answer, _) = self.send(said).expect("an answer");
        let is_protocol = |code: u8| (50..60).contains(&code) || matches!(code, 61 | 82 | 93 | 97);
        answer
            .options
            .iter()
            .filter(|(code, _)| !is_protocol(*code))
            .map(|(code, value)| (code, value.to_vec()))
            .collect()
    }

    /// What the answer is: "OFFER 10.77.1.3 for 60".
    fn line(&mut self, said: &Said) -> String {
        let Some((answer, _)) = self.send(said) else { return "nothing".into() };
        let kind = format!("{:?}", answer.message_type().expect("a type")).to_uppercase();
        let lease =
            answer.options.u32(option::LEASE_TIME).map(|lease| format!(" for {lease}")).unwrap_or_default();
        let name =
            answer.options.text(option::HOST_NAME).map(|name| format!(" as {name}")).unwrap_or_default();
        format!("{kind} {}{lease}{name}", answer.yiaddr)
    }

    fn file(&mut self, from: Ipv4Addr, path: &str) -> String {
        let request = Request { id: RequestId(1), from, local: SERVER, via: Via::HttpGet, path: path.into() };
        let out = self.happen(Input::Request(request));
        out.into_iter()
            .find_map(|output| {
                let Output::Reply(_, answer) = output else { return None };
                let Answer::Text(text) = answer else { return Some(format!("{answer:?}")) };
                Some(text)
            })
            .expect("every request is answered")
    }
}

impl Said {
    fn by(last: u8, kind: MessageType) -> Self {
        let mut options = Options::default();
        options.set(option::MESSAGE_TYPE, vec![kind as u8]);
        Self { mac: Mac([0x52, 0x54, 0, 0, 0, last]), kind, ciaddr: Ipv4Addr::UNSPECIFIED, options }
    }

    fn discover(last: u8) -> Self {
        Self::by(last, MessageType::Discover)
    }

    /// A REQUEST from INIT-REBOOT.
    fn reboot(last: u8, address: [u8; 4]) -> Self {
        Self::by(last, MessageType::Request).with(option::REQUESTED_ADDRESS, &address)
    }

    /// A REQUEST for what was offered.
    fn select(last: u8, address: [u8; 4]) -> Self {
        Self::reboot(last, address).with(option::SERVER_IDENTIFIER, &SERVER.octets())
    }

    fn with(mut self, code: u8, value: &[u8]) -> Self {
        self.options.set(code, value);
        self
    }

    fn asking(self, codes: &[u8]) -> Self {
        self.with(option::PARAMETER_LIST, codes)
    }

    fn firmware(self, architecture: u8, class: &str) -> Self {
        self.with(option::VENDOR_CLASS, class.as_bytes()).with(option::ARCHITECTURE, &[0, architecture])
    }

    fn write(&self) -> Vec<u8> {
        let _none = Ipv4Addr::UNSPECIFIED;
        let mut chaddr = [0; 16];
        chaddr[..6].copy_from_slice(&self.mac.0);
        let message = Message {
            xid: 7,
            ciaddr: self.ciaddr,
            chaddr,
            options: self.options.clone(),
            ..Message::request()
        };
        assert_eq!(message.message_type(), Some(self.kind));
        message.write(1472)
    }
}

/// `[options]` < `[[network]]` < `[[class]]` in the order of the file < profile < node.
#[test]
fn later_tables_go_before_earlier_ones() {
    const ALL: &str = "[options]\nmtu = 1001\n224 = \"all\"\n";
    // The text of the network stands before it.
    const HERE: &str = "options = { mtu = 1002, 225 = \"here\" }\n";
    const A: &str = "[[class]]\nname = \"a\"\nvendor-class = \"V\"\noptions = { mtu = 1003, 226 = \"a\" }\n";
    const B: &str = "[[class]]\nname = \"b\"\nvendor-class = \"V\"\noptions = { mtu = 1004 }\n";
    const PROFILE: &str = "[profile.default]\noptions = { mtu = 1005, 227 = \"p\" }\n";
    const NODE: &str = "[[node]]\nmac = \"52:54:00:00:00:01\"\nnumber = 1\n";
    const ITS_OWN: &str = "options = { mtu = 1006 }\n";
    for (what, layers, mtu, others) in [
        ("for everybody", &[ALL][..], 1001_u16, &[224][..]),
        ("of the network", &[HERE, ALL], 1002, &[224, 225]),
        ("of a class", &[HERE, A, ALL], 1003, &[224, 225, 226]),
        ("of the later class", &[HERE, ALL, A, B], 1004, &[224, 225, 226]),
        ("in the order of the file", &[HERE, ALL, B, A], 1003, &[224, 225, 226]),
        ("of the profile, which guests have none of", &[HERE, ALL, A, PROFILE], 1003, &[224, 225, 226]),
        ("of the profile", &[HERE, ALL, A, PROFILE, NODE], 1005, &[224, 225, 226, 227]),
        ("of the node", &[HERE, PROFILE, NODE, ITS_OWN, ALL, A, B], 1006, &[224, 225, 226, 227]),
    ] {
        let mut world = World::new(&layers.concat());
        let said = Said::discover(1).with(option::VENDOR_CLASS, b"V2").asking(&[26, 224, 225, 226, 227]);
        let told = world.told(&said);
        let codes: Vec<_> = told.iter().map(|(code, _)| *code).collect();
        assert_eq!((&told[0].1[..], &codes[1..]), (&mtu.to_be_bytes()[..], others), "{what}");
    }
}

/// RFC 2132 9.8, and the server's own parameters among the others.
#[test]
fn what_is_asked_for_is_told_in_the_order_of_the_list() {
    let mut world =
        World::new("[options]\nntp-servers = \"10.0.0.1\"\nmtu = 1400\n225 = \"x\"\nforce = [225]\n");
    let codes = |told: Vec<(u8, Vec<u8>)>| told.into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    assert_eq!(codes(world.told(&Said::discover(1).asking(&[42, 6, 3, 1, 99]))), [225, 42, 6, 1, 3]);
    assert_eq!(codes(world.told(&Said::discover(1).asking(&[225, 1]))), [225, 1]);
    // What is forced is not what is dropped for want of room, of those who list nothing either.
    assert_eq!(codes(world.told(&Said::discover(1))), [225, 1, 28, 3, 6, 15, 26, 42]);
    // To an INFORM too (RFC 2131 4.3.5).
    let inform = Said { ciaddr: Ipv4Addr::new(10, 77, 5, 5), ..Said::by(1, MessageType::Inform) };
    assert_eq!(codes(world.told(&inform.asking(&[26, 1]))), [225, 26, 1]);
}

#[test]
fn the_servers_own_parameters_are_replaced_and_taken_out() {
    let mut world = World::new(
        "[options]\nrouters = \"\"\ndns-servers = [\"192.0.2.1\", \"192.0.2.2\"]\ndomain-name = \"example.org\"\n",
    );
    let expected = vec![(15, b"example.org".to_vec()), (6, vec![192, 0, 2, 1, 192, 0, 2, 2])];
    assert_eq!(world.told(&Said::discover(1).asking(&[15, 3, 6])), expected);
}

#[test]
fn options_in_options_stand_beside_the_servers_own() {
    let mut world = World::new(
        "[options]\n\"175.177\" = \"hex:0102\"\n\"43.6\" = 8\n\"43.10\" = \"hex:0042\"\n\"125.9.1\" = \"a\"\n",
    );
    let ipxe = Said::discover(1).firmware(0, "PXEClient:Arch:00000").with(option::USER_CLASS, b"iPXE");
    let told = world.told(&ipxe.asking(&[43, 125]));
    assert!(told.contains(&(175, vec![176, 1, 1, 177, 2, 1, 2])), "{told:?}");
    assert!(told.contains(&(43, vec![6, 1, 8, 10, 2, 0, 0x42])), "{told:?}");
    assert!(told.contains(&(125, vec![0, 0, 0, 9, 3, 1, 1, b'a'])), "{told:?}");
}

#[test]
fn a_class_gives_a_boot_file() {
    let text = r#"
        [boot]
        uefi-x64 = "ipxe.efi"
        [[class]]
        name = "arm"
        architecture = ["uefi-arm64", "http-arm64"]
        boot-file = "arm/grub.efi"
        [[class]]
        name = "script"
        user-class = "iPXE"
        boot-file = "http://192.0.2.1/menu.ipxe"
        [[class]]
        name = "phone"
        vendor-class = "phone"
        options = { boot-file-name = "phone.cfg", tftp-server-name = "10.77.0.9", force = ["tftp-server-name"] }
        [[class]]
        name = "none"
        mac = "52:54:00:00:00:09"
        options = { 67 = "" }
    "#;
    for (what, said, file) in [
        ("what [boot] says", Said::discover(1).firmware(7, "PXEClient"), "ipxe.efi"),
        ("a class", Said::discover(1).firmware(11, "PXEClient"), "arm/grub.efi"),
        ("as a URL", Said::discover(1).firmware(19, "HTTPClient"), "http://10.77.0.1/arm/grub.efi"),
        (
            "a URL",
            Said::discover(1).firmware(7, "PXEClient").with(option::USER_CLASS, b"\x04iPXE"),
            "http://192.0.2.1/menu.ipxe",
        ),
        (
            "iPXE does not get what is meant for the ROM that loaded it",
            Said::discover(1).firmware(11, "PXEClient").with(option::IPXE, &[19, 1, 1]),
            "http://10.77.0.1/boot.ipxe",
        ),
        ("no firmware", Said::discover(1).with(option::VENDOR_CLASS, b"phone 3"), "phone.cfg"),
        ("taken out", Said::discover(9).firmware(7, "PXEClient"), ""),
    ] {
        let mut world = World::new(text);
        let (answer, _) = world.send(&said.clone().asking(&[67])).unwrap();
        assert_eq!(answer.options.text(option::BOOT_FILE).unwrap_or_default(), file, "{what}: option 67");
        assert_eq!(String::from_utf8_lossy(&answer.file), file, "{what}: the field beside it");
        let server = match file {
            // Its class names another server, by option 66.
            "phone.cfg" => Ipv4Addr::new(10, 77, 0, 9),
            _ => SERVER,
        };
        assert_eq!(answer.siaddr, server, "{what}");
        let (answer, _) = world.send(&said.asking(&[1])).unwrap();
        assert_eq!(String::from_utf8_lossy(&answer.file), file, "{what}: the field");
        assert_eq!(answer.options.get(option::BOOT_FILE), None, "{what}: not asked for");
        assert!(
            !world.events.iter().any(|event| event.contains("no boot file")),
            "{what}: {:?}",
            world.events
        );
    }
}

/// What is said to everybody is for systems and for devices: firmware boots by what it is told in these options, or is not. A class may say it all the same.
#[test]
fn what_firmware_boots_by_is_no_general_option() {
    let text = r#"
        [boot]
        bios = "pxelinux.0"
        uefi-x64 = "ipxe.efi"
        http-x64 = "ipxe.efi"
        [options]
        vendor-class = "PXEClient"
        dns-servers = "10.77.0.5"
        [[class]]
        name = "mine"
        mac = "52:54:00:00:00:09"
        options = { vendor-class = "other", dns-servers = "10.77.0.6" }
    "#;
    const FIFTH: &[u8] = &[10, 77, 0, 5];
    for (what, said, class, name_servers) in [
        ("a system", Said::discover(1), Some("PXEClient"), Some(FIFTH)),
        ("a ROM", Said::discover(1).firmware(0, "PXEClient"), Some("PXEClient"), Some(FIFTH)),
        ("UEFI would ask at port 4011", Said::discover(1).firmware(7, "PXEClient"), None, Some(FIFTH)),
        ("HTTP Boot", Said::discover(1).firmware(16, "HTTPClient"), Some("HTTPClient"), None),
        ("its class", Said::discover(9).firmware(16, "HTTPClient"), Some("other"), Some(&[10, 77, 0, 6])),
    ] {
        let (answer, _) = World::new(text).send(&said.asking(&[1, 6, 60])).unwrap();
        assert_eq!(answer.options.text(option::VENDOR_CLASS), class, "{what}");
        assert_eq!(answer.options.get(option::DNS), name_servers, "{what}");
    }
}

/// RFC 4578 2.1: a class by architecture is of who says several, and of who says it in its vendor class alone.
#[test]
fn a_class_is_of_whoever_says_its_architecture() {
    let text = r#"
        [[class]]
        name = "http"
        architecture = "http-x64"
        boot-file = "http.efi"
    "#;
    let said = Said::discover(1).with(option::VENDOR_CLASS, b"HTTPClient:Arch:00016:UNDI:003001");
    for (what, said) in [
        ("several", said.clone().with(option::ARCHITECTURE, &[0, 7, 0, 16])),
        ("by its class alone", said.clone()),
        ("what cannot be understood", said.with(option::ARCHITECTURE, &[16])),
    ] {
        let (answer, _) = World::new(text).send(&said.asking(&[1, 67])).unwrap();
        assert_eq!(answer.options.text(option::BOOT_FILE), Some("http://10.77.0.1/http.efi"), "{what}");
    }
}

/// RFC 2132 9.14: a client identifier has two octets at least, and an option without an octet is none to come back.
#[test]
fn an_empty_identifier_does_not_come_back() {
    for (identifier, told) in [(&[][..], None), (&[1, 7][..], Some(&[1, 7][..]))] {
        let (answer, _) = World::new("").send(&Said::discover(1).with(61, identifier)).unwrap();
        assert_eq!(answer.options.get(61), told);
    }
}

/// The files of some are on another TFTP server.
#[test]
fn a_class_gives_the_server_of_its_file() {
    const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 9);
    let text = r#"
        [boot]
        uefi-x64 = "ipxe.efi"
        [[class]]
        name = "bios"
        architecture = ["bios", "uefi-arm64"]
        next-server = "10.77.0.9"
        [[class]]
        name = "phone"
        vendor-class = "phone"
        next-server = "10.77.0.9"
    "#;
    let ipxe = |said: Said| said.with(option::IPXE, &[19, 1, 1]);
    for (what, said, server) in [
        ("another class", Said::discover(1).firmware(7, "PXEClient"), SERVER),
        ("its class", Said::discover(1).firmware(0, "PXEClient"), ELSEWHERE),
        ("a class without a file", Said::discover(1).firmware(11, "PXEClient"), ELSEWHERE),
        ("no firmware", Said::discover(1).with(option::VENDOR_CLASS, b"phone 3"), ELSEWHERE),
        ("iPXE gets its script from here", ipxe(Said::discover(1).firmware(0, "PXEClient")), SERVER),
        ("nobody's: it may ask for a root by itself", Said::discover(1), SERVER),
    ] {
        let (answer, _) = World::new(text).send(&said.clone().asking(&[67])).unwrap();
        assert_eq!(answer.siaddr, server, "{what}");
    }
    // Beside another server it is named too, as the other one is in the offer beside.
    let network = NETWORK.replace("probe", "mode = \"proxy\"\nprobe");
    let said = Said::discover(1).firmware(0, "PXEClient").asking(&[66, 67]);
    let (answer, _) = World::of(&format!("{network}{text}")).send(&said).unwrap();
    assert_eq!((answer.siaddr, answer.options.text(option::TFTP_SERVER)), (ELSEWHERE, Some("10.77.0.9")));
}

/// Beside another server, who boots is told what is for booting, and of the rest nothing, whatever is asked for.
#[test]
fn beside_another_server_there_are_options_for_booting_alone() {
    let text = r#"
        [boot]
        uefi-x64 = "ipxe.efi"
        [options]
        ntp-servers = "10.77.0.5"
        210 = "pxelinux/"
        209 = "all.cfg"
        force = [210, "ntp-servers"]
        [[class]]
        name = "bios"
        architecture = "bios"
        options = { 209 = "bios.cfg", "43.128" = "hex:07", tftp-server-name = "boot.example.org" }
    "#;
    let network = NETWORK.replace("probe", "mode = \"proxy\"\nprobe");
    let mut world = World::of(&format!("{network}{text}"));
    let said = Said::discover(1).firmware(0, "PXEClient").asking(&[3, 6, 42, 66, 67, 209]);
    let told = world.told(&said);
    let codes: Vec<_> = told.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [67, 66, 60, 43, 210, 209], "{told:?}");
    assert!(told.contains(&(209, b"bios.cfg".to_vec())), "{told:?}");
    assert!(told.contains(&(66, b"boot.example.org".to_vec())), "{told:?}");
    assert!(told.contains(&(43, vec![6, 1, 8, 128, 1, 7, 255])), "{told:?}");
    let of_7 = world.told(&Said::discover(2).firmware(7, "PXEClient").asking(&[209]));
    assert!(of_7.contains(&(209, b"all.cfg".to_vec())), "{of_7:?}");
    // Who has nothing to boot is told nothing: EDK2 takes an offer without option 60 for one of an address.
    assert_eq!(world.line(&Said::discover(3).firmware(11, "PXEClient").asking(&[209])), "nothing");
}

/// Option 52 is for systems; a ROM may take what stands in `file` for a name. What has no room is told once.
#[test]
fn full_packets_use_the_other_fields_but_not_to_firmware() {
    let long = "x".repeat(100);
    let text = format!(
        "[options]\nroot-path = \"{long}\"\nnis-domain = \"{long}\"\n224 = \"{long}\"\n225 = \"{long}\"\n"
    );
    let mut world = World::new(&text);
    let asked = [1, 3, 6, 15, 17, 40, 224, 225];
    let (answer, send) = world.send(&Said::discover(1).asking(&asked)).unwrap();
    assert!(send.payload.len() <= 548, "{} octets (RFC 2131 2)", send.payload.len());
    assert_eq!(send.payload[243..246], [52, 1, 1], "after the type");
    let given: Vec<_> =
        answer.options.iter().map(|(code, _)| code).filter(|code| asked.contains(code)).collect();
    assert_eq!(given, [1, 3, 6, 15, 17, 40, 224], "what stands last in the list is left out");
    let told = |world: &World| {
        world.events.iter().filter(|event| event.contains("no room")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(told(&world), ["52:54:00:00:00:01 there is no room in its packets for option 225"]);
    world.send(&Said::discover(1).asking(&asked));
    assert_eq!(told(&world).len(), 1, "once");
    let roomy = Said::discover(2).with(option::MAX_SIZE, &1472_u16.to_be_bytes());
    let (answer, _) = world.send(&roomy.asking(&asked)).unwrap();
    assert!(answer.options.contains(225));
    let firmware = Said::discover(3).firmware(0, "PXEClient").asking(&asked);
    let (answer, send) = world.send(&firmware).unwrap();
    assert_ne!(send.payload[243], 52);
    assert_eq!((answer.file.as_slice(), answer.options.contains(224)), (&b"pxelinux.0"[..], false));
}

/// RFC 4702 4: an OFFER says of a name what its ACK will say: that it will be true (S), or that nobody makes it so (N).
#[test]
fn an_offer_says_of_a_name_what_its_ack_will_say() {
    let text = r#"
        [[host]]
        mac = "52:54:00:00:00:03"
        address = "10.77.5.3"
        [[host]]
        mac = "52:54:00:00:00:04"
        address = "10.77.5.4"
        name = "printer"
        [[node]]
        mac = "52:54:00:00:00:05"
        number = 5
    "#;
    for (what, last, asked, expected) in [
        ("a guest", 1, &b"\x01\0\0pc7"[..], &b"\x01\xff\xffpc7.cluster"[..]),
        ("a guest that wants to do it", 1, b"\x00\0\0pc7", b"\x03\xff\xffpc7.cluster"),
        ("a guest that wants nobody to", 1, b"\x08\0\0pc7", b"\x08\xff\xffpc7"),
        ("a guest whose name is another's", 1, b"\x01\0\0printer", b"\x0a\xff\xffprinter"),
        ("a host without a name", 3, b"\x01\0\0pc7", b"\x0a\xff\xffpc7"),
        ("a host with one", 4, b"\x01\0\0pc7", b"\x01\xff\xffprinter.cluster"),
        ("a node", 5, b"\x01\0\0pc7", b"\x01\xff\xffnode5.cluster"),
    ] {
        let mut world = World::new(text);
        let (offer, _) = world.send(&Said::discover(last).with(81, asked)).unwrap();
        let select = Said::select(last, offer.yiaddr.octets()).with(81, asked);
        let (ack, _) = world.send(&select).unwrap();
        assert_eq!(ack.message_type(), Some(MessageType::Ack), "{what}");
        assert_eq!(ack.options.get(81), Some(expected), "{what}: ACK");
        assert_eq!(offer.options.get(81), Some(expected), "{what}: OFFER");
        // And once more, by what it has.
        let (offer, _) = world.send(&Said::discover(last).with(81, asked)).unwrap();
        assert_eq!(offer.options.get(81), Some(expected), "{what}: the next OFFER");
    }
    // Its number is recorded with its REQUEST.
    let mut world = World::new("[trial]\npolicy = \"none\"\n");
    let rom = |said: Said| said.firmware(0, "PXEClient").with(81, b"\x01\0\0pc7");
    let (offer, _) = world.send(&rom(Said::discover(1))).unwrap();
    let (ack, _) = world.send(&rom(Said::select(1, offer.yiaddr.octets()))).unwrap();
    assert_eq!(ack.options.get(81), Some(&b"\x01\xff\xffnode0.cluster"[..]));
    assert_eq!(offer.options.get(81), ack.options.get(81));
}

/// RFC 2131 4.4.5: T1 before T2, and both before the lease ends. One table is for leases of several lengths.
#[test]
fn times_that_do_not_fit_a_lease_are_left_alone() {
    for (text, is_theirs) in [
        ("[options]\nt1 = 600\nt2 = 1200\n", true),
        ("[options]\nt2 = 3599\n", true),
        ("[options]\nt1 = 600\nt2 = 3600\n", false),
        ("[options]\nt1 = 3599\n", false),
    ] {
        let mut world = World::new(text);
        let (answer, _) = world.send(&Said::discover(1).asking(&[51, 58, 59])).unwrap();
        let [lease, t1, t2] =
            [option::LEASE_TIME, option::T1, option::T2].map(|code| answer.options.u32(code).unwrap());
        assert!(t1 < t2 && t2 < lease && lease == 3600, "{text} {t1} {t2} {lease}");
        assert_eq!(
            [600, 1200, 3599].contains(&t1) || [1200, 3599].contains(&t2),
            is_theirs,
            "{text} {t1} {t2}"
        );
    }
}

/// EDK2 says 65280 in its REQUESTs: nothing above a frame is believed.
#[test]
fn nobody_is_sent_more_than_a_frame() {
    let long = "x".repeat(1000);
    let mut world = World::new(&format!("[options]\n224 = \"{long}\"\n225 = \"{long}\"\n"));
    let said = Said::discover(1).with(option::MAX_SIZE, &65_280_u16.to_be_bytes()).asking(&[1, 224, 225]);
    let (answer, send) = world.send(&said).unwrap();
    assert!(send.payload.len() <= 1472, "{}", send.payload.len());
    assert!(answer.options.contains(224) && !answer.options.contains(225));
}
