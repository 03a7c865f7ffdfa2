//! What the server answers to the DISCOVERs that real clients sent: each gets what it was seen to need.

use crate::pcap::datagrams;
use heorot_core::Heorot;
use heorot_core::config::{Config, Interface};
use heorot_core::mac::Mac;
use heorot_core::message::{Datagram, DhcpSend, DhcpTarget, Input, Output};
use heorot_core::time::Time;
use heorot_core::wire::dhcp::{Message, MessageType, option};
use std::net::{Ipv4Addr, SocketAddrV4};

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

const CONFIG: &str = r#"
[[network]]
interface = "eth1"
numbers = "0-9"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.203.254"
probe = false
gateway = "10.77.0.254"
[boot]
bios = "pxelinux.0"
uefi-x64 = "rocky/shimx64.efi"
http-x64 = "grub/bootx64.efi"
[[node]]
mac = "52:54:00:77:00:01"
number = 1
[[node]]
mac = "52:54:00:77:00:05"
number = 5
"#;

/// The first DISCOVER of a recording, and what is answered.
fn exchange(recording: &[u8]) -> (Message, DhcpSend, Message) {
    let interface = Interface { name: "eth1".into(), addresses: vec![(SERVER, 16)] };
    let (config, _) = Config::parse(CONFIG, &[interface]).expect("the configuration is right");
    let now = Time::from_nanoseconds(1_000_000_000);
    let mut out = Vec::new();
    let mut heorot = Heorot::restore(now, config, [0; 16], Vec::new(), &mut out);
    let (payload, asked) = datagrams(recording)
        .into_iter()
        .filter(|datagram| datagram.destination_port == 67)
        .find_map(|datagram| {
            let message = Message::parse(datagram.payload).ok()?;
            (message.message_type() == Some(MessageType::Discover)).then_some((datagram.payload, message))
        })
        .expect("every recording begins with a DISCOVER");
    let source = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
    let datagram = Datagram { interface: "eth1", source, destination: Ipv4Addr::BROADCAST, payload };
    heorot.handle(now, Input::Dhcp(datagram), &mut out);
    let send = out
        .into_iter()
        .find_map(|output| {
            let Output::Dhcp(send) = output else { return None };
            Some(send)
        })
        .expect("a node is offered its address");
    let answer = Message::parse(&send.payload).expect("what we write can be read");
    (asked, send, answer)
}

const ALL: [(&str, &[u8]); 12] = [
    ("iPXE", include_bytes!("ipxe.pcap")),
    ("OVMF", include_bytes!("ovmf.pcap")),
    ("OVMF, HTTP", include_bytes!("ovmf-http.pcap")),
    ("ipconfig", include_bytes!("ipconfig.pcap")),
    ("udhcpc", include_bytes!("udhcpc.pcap")),
    ("udhcpc -C", include_bytes!("udhcpc-no-client-id.pcap")),
    ("dhclient", include_bytes!("dhclient.pcap")),
    ("dhclient, DUID", include_bytes!("dhclient-duid.pcap")),
    ("dhcpcd", include_bytes!("dhcpcd.pcap")),
    ("networkd", include_bytes!("networkd.pcap")),
    ("PXELINUX's ROM", include_bytes!("pxelinux.pcap")),
    ("OVMF, in another run", include_bytes!("ovmf-request.pcap")),
];

#[test]
fn every_client_is_offered_the_one_address_of_its_machine() {
    for (name, recording) in ALL {
        let (asked, send, answer) = exchange(recording);
        let mac = asked.mac().unwrap();
        let expected = Ipv4Addr::new(10, 77, 1, mac.0[5]);
        assert_eq!(answer.yiaddr, expected, "{name}: by hardware address, whatever its client identifier");
        assert_eq!(answer.message_type(), Some(MessageType::Offer), "{name}");
        assert_eq!(
            answer.options.iter().next().map(|(code, _)| code),
            Some(option::MESSAGE_TYPE),
            "{name}: first"
        );
        assert_eq!((answer.xid, answer.chaddr), (asked.xid, asked.chaddr), "{name}");
        for echoed in [option::CLIENT_IDENTIFIER, option::CLIENT_MACHINE] {
            assert_eq!(
                answer.options.get(echoed),
                asked.options.get(echoed),
                "{name}: {echoed} comes back (RFC 6842)"
            );
        }
        let asked_for = asked.options.get(option::PARAMETER_LIST).expect("every one of them asks");
        let given: Vec<_> = answer.options.iter().map(|(code, _)| code).collect();
        let places = asked_for.iter().filter_map(|code| given.iter().position(|given| given == code));
        // In the client's order, but for what every answer begins with.
        let places: Vec<_> = places.filter(|place| given[*place] < 50).collect();
        assert!(places.is_sorted(), "{name}: asked for {asked_for:?}, and was given {given:?}");
        for (code, address) in [
            (option::SERVER_IDENTIFIER, SERVER),
            (option::SUBNET_MASK, Ipv4Addr::new(255, 255, 0, 0)),
            (option::BROADCAST, Ipv4Addr::new(10, 77, 255, 255)),
            (option::ROUTER, Ipv4Addr::new(10, 77, 0, 254)),
            (option::DNS, SERVER),
        ] {
            // HTTP boot writes name servers to where GRUB stumbles over them, and needs none for a URL with an address.
            let is_better_untold = code == option::DNS && name == "OVMF, HTTP";
            let is_asked =
                code == option::SERVER_IDENTIFIER || asked_for.contains(&code) && !is_better_untold;
            assert_eq!(answer.options.address(code), is_asked.then_some(address), "{name}: option {code}");
        }
        assert_eq!(
            answer.options.text(option::HOST_NAME),
            Some(format!("node{}", mac.0[5]).as_str()),
            "{name}"
        );
        let times = [option::LEASE_TIME, option::T1, option::T2].map(|code| answer.options.u32(code));
        let [Some(lease), Some(renews), Some(rebinds)] = times else { panic!("{name}: {times:?}") };
        // Each machine at its own time, around half of the lease and seven eighths (RFC 2131 4.4.5).
        let is_around = (18_900..=21_600).contains(&renews) && (35_100..=37_800).contains(&rebinds);
        assert!(lease == 43_200 && is_around, "{name}: {times:?}");
        let target = if asked.broadcast {
            DhcpTarget::Frame(Mac::BROADCAST, Ipv4Addr::BROADCAST)
        } else {
            DhcpTarget::Frame(mac, expected)
        };
        assert_eq!(send.target, target, "{name}: a frame, so that no ARP is needed and none is left behind");
        assert!((300..=548).contains(&send.payload.len()), "{name}: {} octets", send.payload.len());
    }
}

#[test]
fn firmware_is_told_what_to_load_and_nobody_else_is() {
    for (name, recording) in ALL {
        let (_, _, answer) = exchange(recording);
        let option = |code| answer.options.text(code).map(str::to_owned);
        let said =
            (option(option::BOOT_FILE), option(option::VENDOR_CLASS), answer.options.get(option::IPXE));
        let file = |file: &str| Some(file.to_owned());
        let expected = match name {
            // Told not to wait for a proxy's offer: that saves it 2 s.
            "iPXE" | "PXELINUX's ROM" => (file("http://10.77.0.1/boot.ipxe"), None, Some(&[176, 1, 1][..])),
            // Without option 60, which would send it to port 4011.
            "OVMF" | "OVMF, in another run" => (file("rocky/shimx64.efi"), None, None),
            // With option 60, without which it ignores the offer.
            "OVMF, HTTP" => (file("http://10.77.0.1/grub/bootx64.efi"), file("HTTPClient"), None),
            _ => (None, None, None),
        };
        assert_eq!(said, expected, "{name}");
        // Kernels and klibc's ipconfig take it for the server of their root.
        assert_eq!(answer.siaddr, SERVER, "{name}");
        // They asked for option 67. What they load looks into the field for the folder that it came from.
        let field = String::from_utf8_lossy(&answer.file);
        assert_eq!(*field, expected.0.unwrap_or_default(), "{name}");
        assert!(answer.sname.is_empty(), "{name}");
    }
}
