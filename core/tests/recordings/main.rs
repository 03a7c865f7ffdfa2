//! What real clients sent, as it was recorded, is understood as they meant it.
//!
//! The recordings were made with Debian 12's packages: iPXE's ROM, OVMF, PXELINUX, and the DHCP clients of operating systems, in network namespaces.

mod answers;
mod pcap;

use heorot_core::mac::Mac;
use heorot_core::wire::dhcp::{Malformed, Message, MessageType, Op, option};
use heorot_core::wire::tftp::{OPTIONS_REFUSED, Options, Packet};
use std::net::Ipv4Addr;

/// What one client says of itself in its first DISCOVER.
struct Client {
    name: &'static str,
    recording: &'static [u8],
    mac: Mac,
    broadcast: bool,
    vendor_class: Option<&'static str>,
    architecture: Option<u16>,
    user_class: Option<&'static str>,
    client_identifier: Option<&'static [u8]>,
    client_machine: bool,
    max_size: (Option<u16>, Option<u16>), // in DISCOVER and in REQUEST
    ipxe: bool,
    rapid_commit: bool,
    asked: &'static [u8],
}

const NODE1: Mac = Mac([0x52, 0x54, 0, 0x77, 0, 1]);
const NODE5: Mac = Mac([0x52, 0x54, 0, 0x77, 0, 5]);

const OS: Client = Client {
    name: "",
    recording: &[],
    mac: NODE5,
    broadcast: false,
    vendor_class: None,
    architecture: None,
    user_class: None,
    client_identifier: None,
    client_machine: false,
    max_size: (None, None),
    ipxe: false,
    rapid_commit: false,
    asked: &[],
};

const CLIENTS: &[Client] = &[
    Client {
        name: "iPXE, a BIOS ROM",
        recording: include_bytes!("ipxe.pcap"),
        mac: NODE1,
        vendor_class: Some("PXEClient:Arch:00000:UNDI:002001"),
        architecture: Some(0),
        user_class: Some("iPXE"),
        client_identifier: Some(&[1, 0x52, 0x54, 0, 0x77, 0, 1]),
        client_machine: true,
        max_size: (Some(1472), Some(1472)),
        ipxe: true,
        asked: &[
            1, 3, 6, 7, 12, 15, 17, 26, 43, 60, 66, 67, 119, 128, 129, 130, 131, 132, 133, 134, 135, 175, 203,
        ],
        ..OS
    },
    Client {
        name: "OVMF, PXE over IPv4",
        recording: include_bytes!("ovmf-request.pcap"),
        mac: NODE1,
        broadcast: true,
        vendor_class: Some("PXEClient:Arch:00007:UNDI:003000"),
        architecture: Some(7),
        client_machine: true,
        max_size: (Some(1472), Some(65_280)),
        asked: &[
            1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67,
            97, 128, 129, 130, 131, 132, 133, 134, 135,
        ],
        ..OS
    },
    Client {
        name: "klibc ipconfig",
        recording: include_bytes!("ipconfig.pcap"),
        broadcast: true,
        vendor_class: Some("Linux ipconfig"),
        asked: &[1, 3, 6, 12, 15, 17, 26, 28, 40, 119, 121],
        ..OS
    },
    Client {
        name: "udhcpc",
        recording: include_bytes!("udhcpc.pcap"),
        vendor_class: Some("udhcp 1.35.0"),
        client_identifier: Some(&[1, 0x52, 0x54, 0, 0x77, 0, 5]),
        max_size: (Some(576), Some(576)),
        asked: &[1, 3, 6, 12, 15, 28, 42],
        ..OS
    },
    Client {
        name: "udhcpc -C",
        recording: include_bytes!("udhcpc-no-client-id.pcap"),
        vendor_class: Some("udhcp 1.35.0"),
        max_size: (Some(576), Some(576)),
        asked: &[1, 3, 6, 12, 15, 28, 42],
        ..OS
    },
    Client {
        name: "dhclient",
        recording: include_bytes!("dhclient.pcap"),
        asked: &[1, 28, 2, 3, 15, 6, 12, 26, 42, 40, 41],
        ..OS
    },
    Client {
        name: "dhclient with a DUID",
        recording: include_bytes!("dhclient-duid.pcap"),
        client_identifier: Some(&[0xff, 0, 0x77, 0, 5, 0, 3, 0, 1, 0x52, 0x54, 0, 0x77, 0, 5]),
        asked: &[1, 28, 2, 3, 15, 6, 12, 26, 42, 40, 41],
        ..OS
    },
    Client {
        name: "dhcpcd",
        recording: include_bytes!("dhcpcd.pcap"),
        client_identifier: Some(&[
            0xff, 0, 0x77, 0, 5, 0, 1, 0, 1, 0x32, 0x95, 0x58, 0x85, 0x52, 0x54, 0, 0x77, 0, 5,
        ]),
        max_size: (Some(1472), Some(1472)),
        rapid_commit: true,
        asked: &[1, 121, 3, 6, 12, 15, 26, 28, 33, 51, 54, 58, 59, 119],
        ..OS
    },
    Client {
        name: "systemd-networkd",
        recording: include_bytes!("networkd.pcap"),
        client_identifier: Some(&[
            0xff, 0x6a, 0, 0x60, 3, 0, 2, 0, 0, 0xab, 0x11, 0x8a, 0x49, 0xbc, 0xe3, 0x9a, 0x87, 0x59, 0x9e,
        ]),
        max_size: (Some(1472), Some(1472)),
        asked: &[1, 3, 6, 12, 15, 33, 42, 120, 121],
        ..OS
    },
];

#[test]
fn real_clients_are_understood() {
    for client in CLIENTS {
        let name = client.name;
        let first = |wanted: MessageType| {
            dhcp(client.recording)
                .into_iter()
                .find(|m| m.message_type() == Some(wanted))
                .unwrap_or_else(|| panic!("{name}: no {wanted:?}"))
        };
        let discover = first(MessageType::Discover);
        let request = first(MessageType::Request);
        for message in [&discover, &request] {
            let options = &message.options;
            assert_eq!((message.op, message.mac()), (Op::BootRequest, Some(client.mac)), "{name}");
            assert_eq!(message.broadcast, client.broadcast, "{name}: broadcast");
            assert_eq!(options.text(option::VENDOR_CLASS), client.vendor_class, "{name}: 60");
            assert_eq!(options.u16(option::ARCHITECTURE), client.architecture, "{name}: 93");
            assert_eq!(options.text(option::USER_CLASS), client.user_class, "{name}: 77");
            assert_eq!(options.get(option::CLIENT_IDENTIFIER), client.client_identifier, "{name}: 61");
            assert_eq!(options.contains(option::CLIENT_MACHINE), client.client_machine, "{name}: 97");
            assert_eq!(options.contains(option::IPXE), client.ipxe, "{name}: 175");
            assert_eq!(options.get(option::PARAMETER_LIST), Some(client.asked), "{name}: 55");
            assert!(message.sname.is_empty() && message.file.is_empty(), "{name}: no names");
        }
        assert_eq!(discover.xid, request.xid, "{name}: one exchange");
        assert_eq!(discover.options.contains(option::RAPID_COMMIT), client.rapid_commit, "{name}: 80");
        let sizes = [&discover, &request].map(|m| m.options.u16(option::MAX_SIZE));
        assert_eq!((sizes[0], sizes[1]), client.max_size, "{name}: 57");
        let address = Ipv4Addr::new(10, 77, 1, if client.mac == NODE1 { 1 } else { 5 });
        assert_eq!(request.options.address(option::REQUESTED_ADDRESS), Some(address), "{name}: 50");
        let server = Some(Ipv4Addr::new(10, 77, 0, 1));
        assert_eq!(request.options.address(option::SERVER_IDENTIFIER), server, "{name}: 54");
    }
}

#[test]
fn http_boot_and_release_are_told_apart() {
    let http = dhcp(include_bytes!("ovmf-request.pcap")).into_iter().rfind(|m| m.op == Op::BootRequest);
    let http = http.expect("OVMF goes on to HTTP boot");
    assert_eq!(http.options.text(option::VENDOR_CLASS), Some("HTTPClient:Arch:00016:UNDI:003000"));
    assert_eq!(http.options.u16(option::ARCHITECTURE), Some(16));
    let last = dhcp(include_bytes!("networkd.pcap")).pop().expect("networkd lets go at its end");
    assert_eq!(last.message_type(), Some(MessageType::Release));
    assert_eq!(last.ciaddr, Ipv4Addr::new(10, 77, 1, 5));
}

/// Every packet of every recording says the same after it was written and read once more, whoever sent it.
#[test]
fn recorded_packets_survive_the_writer() {
    let mut seen = 0;
    for client in CLIENTS {
        for message in dhcp(client.recording) {
            let back = Message::parse(&message.write(1472)).expect("what is written can be read");
            let sorted = |m: &Message| {
                let mut all: Vec<_> = m.options.iter().map(|(code, value)| (code, value.to_vec())).collect();
                all.sort();
                all
            };
            assert_eq!(sorted(&back), sorted(&message), "{}", client.name);
            assert_eq!(Message { options: message.options.clone(), ..back }, message, "{}", client.name);
            seen += 1;
        }
    }
    assert!(seen >= 40, "{seen} packets are fewer than were recorded");
}

/// Cut anywhere before its end option, a recorded packet is refused whole or loses its last options, and is never misread.
#[test]
fn recorded_packets_cut_short_are_never_misread() {
    let frames = pcap::datagrams(include_bytes!("ipxe.pcap"));
    let bytes = frames.iter().find(|d| d.destination_port == 67).expect("a DISCOVER").payload;
    let whole = Message::parse(bytes).expect("a real packet");
    for length in 0..bytes.len() {
        match Message::parse(&bytes[..length]) {
            Ok(part) => assert!(
                part.options.iter().all(|(code, value)| whole.options.get(code) == Some(value)),
                "cut at {length}"
            ),
            Err(Malformed::Short) => assert!(length < 240),
            Err(Malformed::Option) => assert!(length > 240),
            Err(other) => panic!("cut at {length}: {other}"),
        }
    }
}

/// The DHCP packets of a recording, in order.
fn dhcp(recording: &[u8]) -> Vec<Message> {
    let all = pcap::datagrams(recording).into_iter();
    let ours = all.filter(|d| d.source_port == 67 || d.destination_port == 67);
    ours.map(|d| Message::parse(d.payload).expect("recorded from a working program")).collect()
}

#[test]
fn real_tftp_clients_are_understood() {
    let options = |block: u16, size, window| Options {
        block_octets: Some(block),
        size,
        timeout_seconds: None,
        window_blocks: window,
    };
    type Asked = [(&'static str, Options)];
    let table: &[(&str, &[u8], &Asked)] = &[
        ("iPXE", include_bytes!("ipxe.pcap"), &[("tftp.ipxe", options(1432, true, None))]),
        (
            "OVMF asks twice",
            include_bytes!("ovmf.pcap"),
            &[
                ("grubnet/x86_64-efi/core.efi", options(1468, true, Some(4))),
                ("grubnet/x86_64-efi/core.efi", options(1468, false, Some(4))),
            ],
        ),
        (
            "PXELINUX, started by iPXE; silence is a missing file to it",
            include_bytes!("pxelinux.pcap"),
            &[
                ("pxelinux.0", options(1432, true, None)),
                ("ldlinux.c32", options(1408, true, None)),
                ("/boot/isolinux/ldlinux.c32", options(1408, true, None)),
            ],
        ),
    ];
    for (name, recording, expected) in table {
        let asked = tftp(recording).into_iter();
        let asked = asked.filter_map(|(port, packet)| {
            let Packet::Read(request) = packet else { return None };
            (port == 69).then_some((request.name, request.options))
        });
        let mut asked: Vec<_> = asked.collect();
        asked.dedup(); // repeats of a request that was not answered
        let asked: Vec<_> = asked.iter().map(|(name, options)| (name.as_str(), *options)).collect();
        assert_eq!(asked, *expected, "{name}");
    }
    let aborted = tftp(include_bytes!("ovmf.pcap")).into_iter().find_map(|(_, packet)| {
        let Packet::Error { code, text } = packet else { return None };
        Some((code, text))
    });
    assert_eq!(aborted, Some((OPTIONS_REFUSED, "User aborted the transfer".into())));
}

/// What clients sent by TFTP, in order: the port it was sent to, and the packet.
fn tftp(recording: &[u8]) -> Vec<(u16, Packet)> {
    let all = pcap::datagrams(recording).into_iter().filter(|d| ![67, 68].contains(&d.destination_port));
    all.map(|d| (d.destination_port, Packet::parse(d.payload).expect("recorded from a working program")))
        .collect()
}
