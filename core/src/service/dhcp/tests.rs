use super::client::{Client, Unread};
use crate::config::{Config, FirmwareKind, Interface};
use crate::message::Datagram;
use crate::wire::dhcp::{Message, Options, option};
use std::net::{Ipv4Addr, SocketAddrV4};

fn config() -> Config {
    let text = "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-9\"\nfirst = \"10.77.1.0\"\n\
                temporary = \"10.77.200.1-10.77.200.9\"\n";
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    Config::parse(text, &[interface]).expect("the configuration is right").0
}

fn read(htype: u8, hlen: u8, options: &[(u8, &[u8])]) -> Result<Client, Unread> {
    read_from(Ipv4Addr::UNSPECIFIED, htype, hlen, options)
}

fn read_from(ciaddr: Ipv4Addr, htype: u8, hlen: u8, options: &[(u8, &[u8])]) -> Result<Client, Unread> {
    let mut said = Options::default();
    for (code, value) in options {
        said.set(*code, value);
    }
    let none = Ipv4Addr::UNSPECIFIED;
    let mut chaddr = [0; 16];
    chaddr[..6].copy_from_slice(&[0x52, 0x54, 0, 0, 0, 1]);
    let message = Message { htype, hlen, xid: 1, ciaddr, chaddr, options: said, ..Message::request() };
    let source = SocketAddrV4::new(none, 68);
    let datagram = Datagram { interface: "eth1", source, destination: Ipv4Addr::BROADCAST, payload: &[] };
    Client::read(&config(), datagram, message)
}

#[test]
fn firmware_is_told_from_systems() {
    const PXE: (u8, &[u8]) = (option::VENDOR_CLASS, b"PXEClient:Arch:00007:UNDI:003000");
    const UEFI: (u8, &[u8]) = (option::ARCHITECTURE, &[0, 7]);
    for (options, kind, described) in [
        (&[][..], None, ""),
        (&[(option::VENDOR_CLASS, &b"udhcp 1.35.0"[..])], None, " from udhcp 1.35.0"),
        (&[(option::VENDOR_CLASS, b"\x1b[31mred\n")], None, " from [31mred"),
        (&[PXE, UEFI], Some(FirmwareKind::UefiX64), " from UEFI PXE (architecture 7)"),
        // Option 93 alone says that its client is to be booted (RFC 4578 2.1), and there 9 is x86-64.
        (&[UEFI], Some(FirmwareKind::UefiX64), " from UEFI PXE (architecture 7)"),
        (&[(option::ARCHITECTURE, &[0, 9])], Some(FirmwareKind::UefiX64), " from UEFI PXE (architecture 9)"),
        (&[(option::ARCHITECTURE, &[0, 0])], Some(FirmwareKind::Bios), " from BIOS PXE"),
        (&[(option::ARCHITECTURE, &[0, 6])], Some(FirmwareKind::UefiX86), " from UEFI PXE (architecture 6)"),
        (
            &[(option::ARCHITECTURE, &[0, 10])],
            Some(FirmwareKind::UefiArm32),
            " from UEFI PXE (architecture 10)",
        ),
        (&[(option::ARCHITECTURE, &[0, 12])], None, " from UEFI PXE (architecture 12)"),
        // RFC 5010 1: whether its relay got it as a unicast, which a renewal is.
        (&[(option::RELAY_AGENT, &[10, 1, 0x80])], None, " by unicast to its relay"),
        (&[(option::RELAY_AGENT, &[10, 1, 0])], None, ""),
        // A loaded iPXE still says PXEClient. Its class comes bare, or with its length before it (RFC 3004 4).
        (&[PXE, UEFI, (option::USER_CLASS, b"iPXE")], Some(FirmwareKind::Ipxe), " from iPXE"),
        (&[PXE, UEFI, (option::USER_CLASS, b"\x04iPXE")], Some(FirmwareKind::Ipxe), " from iPXE"),
        (&[PXE, UEFI, (option::IPXE, &[0xeb, 3, 1, 0, 0])], Some(FirmwareKind::Ipxe), " from iPXE"),
        // It may call itself otherwise (`set user-class`): its features tell.
        (
            &[PXE, UEFI, (option::USER_CLASS, b"mine"), (option::IPXE, &[0x13, 1, 1])],
            Some(FirmwareKind::Ipxe),
            " from iPXE",
        ),
        // gPXE and Etherboot know none of its scripts.
        (
            &[PXE, UEFI, (option::USER_CLASS, b"gPXE"), (option::IPXE, &[0xeb, 3, 0, 9, 9])],
            Some(FirmwareKind::UefiX64),
            " from UEFI PXE (architecture 7)",
        ),
        (
            &[(option::VENDOR_CLASS, b"Etherboot-5.4"), (option::IPXE, &[1, 1, 1])],
            Some(FirmwareKind::Bios),
            " from BIOS PXE",
        ),
        (
            &[PXE, UEFI, (option::IPXE, &[0x13, 9, 1])],
            Some(FirmwareKind::UefiX64),
            " from UEFI PXE (architecture 7)",
        ),
        (
            &[(option::VENDOR_CLASS, b"U-Boot.armv8"), (option::ARCHITECTURE, &[0, 22])],
            None,
            " from U-Boot (architecture 22)",
        ),
        (
            &[PXE, UEFI, (option::USER_CLASS, b"else")],
            Some(FirmwareKind::UefiX64),
            " from UEFI PXE (architecture 7)",
        ),
        (
            &[(option::VENDOR_CLASS, b"HTTPClient:Arch:00016:UNDI:003000"), (option::ARCHITECTURE, &[0, 16])],
            Some(FirmwareKind::HttpX64),
            " from UEFI HTTP (architecture 16)",
        ),
        // RFC 4578 2.1: it may say several, of which those count that load as it does.
        (
            &[(option::VENDOR_CLASS, b"HTTPClient"), (option::ARCHITECTURE, &[0, 7, 0, 16])],
            Some(FirmwareKind::HttpX64),
            " from UEFI HTTP (architecture 16)",
        ),
        (
            &[(option::VENDOR_CLASS, b"PXEClient"), (option::ARCHITECTURE, &[0, 16, 0, 7])],
            Some(FirmwareKind::UefiX64),
            " from UEFI PXE (architecture 7)",
        ),
        (&[(option::ARCHITECTURE, &[0, 12, 0, 13])], None, " from UEFI PXE (architecture 12)"),
        // Who does not say it there, or nothing that can be understood, says it in its class (PXE 2.1, 2.2.1).
        (&[PXE], Some(FirmwareKind::UefiX64), " from UEFI PXE (architecture 7)"),
        (
            &[PXE, (option::ARCHITECTURE, &[7])],
            Some(FirmwareKind::UefiX64),
            " from UEFI PXE (architecture 7)",
        ),
        (&[PXE, (option::ARCHITECTURE, &[])], Some(FirmwareKind::UefiX64), " from UEFI PXE (architecture 7)"),
        (
            &[(option::VENDOR_CLASS, b"HTTPClient:Arch:00016:UNDI:003001")],
            Some(FirmwareKind::HttpX64),
            " from UEFI HTTP (architecture 16)",
        ),
        // What option 93 says goes before it.
        (
            &[PXE, (option::ARCHITECTURE, &[0, 11])],
            Some(FirmwareKind::UefiArm64),
            " from UEFI PXE (architecture 11)",
        ),
        (&[PXE, (option::ARCHITECTURE, &[0, 0])], Some(FirmwareKind::Bios), " from BIOS PXE"),
        (&[(option::VENDOR_CLASS, b"PXEClient")], Some(FirmwareKind::Bios), " from BIOS PXE"),
        (&[(option::VENDOR_CLASS, b"PXEClient:Arch:7")], Some(FirmwareKind::Bios), " from BIOS PXE"),
        (&[(option::VENDOR_CLASS, b"PXEClient:Arch:99999:UNDI")], Some(FirmwareKind::Bios), " from BIOS PXE"),
        (&[(option::VENDOR_CLASS, b"mine:Arch:00007")], None, " from mine:Arch:00007"),
    ] {
        let client = read(1, 6, options).expect("an Ethernet client");
        assert_eq!(
            (client.firmware_kind, client.describe().to_string().as_str()),
            (kind, described),
            "{options:?}"
        );
    }
}

#[test]
fn hardware_that_is_not_ethernet_is_counted() {
    // InfiniBand has to have a client identifier (RFC 4390 2.1).
    assert_eq!(read(32, 0, &[]).err(), Some(Unread::Malformed("dhcp-client-identifier")));
    for (htype, hlen) in [(1, 0), (1, 16), (7, 6), (0, 6)] {
        assert_eq!(
            read(htype, hlen, &[]).err(),
            Some(Unread::Malformed("dhcp-hardware-address")),
            "{htype} {hlen}"
        );
    }
}

/// RFC 2131, table 5: a DISCOVER has none. Whoever looks for servers is not answered at an address that stands there all the same.
#[test]
fn a_discover_has_no_address() {
    let stray = Ipv4Addr::new(192, 168, 1, 9);
    for (kind, expected) in [(1, Ipv4Addr::UNSPECIFIED), (3, stray), (8, stray)] {
        let client = read_from(stray, 1, 6, &[(option::MESSAGE_TYPE, &[kind])]).expect("a client");
        assert_eq!(client.message.ciaddr, expected, "{kind}");
    }
}

/// RFC 3046 2.1: what a relay added without giving its address (giaddr), as one of the client's own link may that the operator trusts, is a relay's word. Where there is none, whoever asks from its
/// address comes straight.
#[test]
fn a_relay_that_gives_no_address_has_its_word() {
    let (own, server) = (Ipv4Addr::new(10, 77, 200, 5), Ipv4Addr::new(10, 77, 0, 1));
    let relay = Ipv4Addr::new(10, 77, 0, 9);
    for (ciaddr, giaddr, destination, is_marked, is_straight) in [
        (own, Ipv4Addr::UNSPECIFIED, server, false, true),
        (own, Ipv4Addr::UNSPECIFIED, server, true, false),
        (own, relay, server, false, false),
        (own, Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, false, false),
        (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED, server, false, false),
    ] {
        let mut options = Options::default();
        options.set(option::MESSAGE_TYPE, [3]);
        if is_marked {
            options.set(option::RELAY_AGENT, [1, 2, b'p', b'4']);
        }
        let mut chaddr = [0; 16];
        chaddr[..6].copy_from_slice(&[0x52, 0x54, 0, 0, 0, 1]);
        let message =
            Message { htype: 1, hlen: 6, xid: 1, ciaddr, giaddr, chaddr, options, ..Message::request() };
        let source = SocketAddrV4::new(ciaddr, 68);
        let datagram = Datagram { interface: "eth1", source, destination, payload: &[] };
        let client = Client::read(&config(), datagram, message).expect("a client");
        assert_eq!(client.is_straight, is_straight, "{ciaddr} {giaddr} {destination} {is_marked}");
    }
}
