use super::read::{Seen, read};
use super::*;

fn address(text: &str) -> SocketAddrV4 {
    text.parse().unwrap()
}

/// The check of a receiver: header and pseudo-header sum up to all ones (RFC 1071 1).
fn verifies(octets: &[u8], start: u32) -> bool {
    complement(sum(start, octets)) == 0
}

fn pseudo(packet: &[u8]) -> u32 {
    sum(0, &packet[12..20]) + 17 + u32::try_from(packet.len() - 20).unwrap()
}

#[test]
fn a_header_known_to_be_right() {
    // The worked example of an IPv4 header whose check sum is 0xb861.
    let header = [0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7];
    assert_eq!(complement(sum(0, &header)), 0xb861);
}

#[test]
fn both_check_sums_hold_for_every_length_and_content() {
    for length in (0..40).chain([299, 300, 548, 1472, 9000, 65_507]) {
        for fill in [0, 1, 0x7f, 0xff] {
            let payload = vec![fill; length];
            let packet = packet(address("10.77.0.1:67"), address("10.77.200.1:68"), &payload).unwrap();
            assert!(verifies(&packet[..20], 0), "IPv4 header with {length} octets of {fill:#x}");
            assert!(verifies(&packet[20..], pseudo(&packet)), "UDP with {length} octets of {fill:#x}");
            assert_ne!(packet[26..28], [0, 0], "no check sum with {length} octets of {fill:#x}");
            assert_eq!(&packet[28..], payload);
        }
    }
}

#[test]
fn a_check_sum_of_zero_is_sent_as_all_ones() {
    let (source, destination) = (address("0.0.0.0:0"), address("0.0.0.0:0"));
    // Lengths 10 and 10 and protocol 17 sum up to 37: this payload brings it to 0xffff, whose complement is 0.
    let payload = (0xffff_u16 - 37).to_be_bytes();
    let packet = packet(source, destination, &payload).unwrap();
    assert_eq!(packet[26..28], [0xff, 0xff]);
}

#[test]
fn a_frame_has_its_addresses_its_type_and_the_least_length() {
    let (from, to) = (Mac([2, 0, 0, 0, 0, 1]), Mac::BROADCAST);
    let frame = frame(from, to, address("10.77.0.1:67"), address("255.255.255.255:68"), b"x").unwrap();
    assert_eq!(frame.len(), 60);
    assert_eq!(&frame[..14], [255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 0]);
    assert_eq!(u16::from_be_bytes([frame[16], frame[17]]), 29, "the padding is not the packet's");
}

#[test]
fn what_no_packet_can_hold_is_none() {
    assert!(packet(address("10.0.0.1:67"), address("10.0.0.2:68"), &vec![0; 65_508]).is_none());
}

#[test]
fn a_probe_is_no_reply_and_a_reply_is_read() {
    let (mac, address) = (Mac([0x52, 0x54, 0, 0, 0, 1]), Ipv4Addr::new(10, 77, 200, 1));
    let probe = arp_probe(mac, address);
    let asks = Seen::ArpRequest { from: mac, sender: Ipv4Addr::UNSPECIFIED, target: address };
    assert_eq!((probe.len(), read(&probe)), (60, asks));
    // What a host with that address answers (RFC 826).
    let mut reply = probe;
    reply.splice(20..22, [0, 2]);
    reply.splice(28..32, address.octets());
    assert_eq!(read(&reply), Seen::ArpReply { to: Mac::BROADCAST, address, mac });
    for length in 0..42 {
        assert_eq!(read(&reply[..length]), Seen::Other, "cut to {length} octets");
    }
}

#[test]
fn an_answer_in_anothers_place_comes_from_our_own_port() {
    let (us, mac, asker) = (Mac([2, 0, 0, 0, 0, 1]), Mac([2, 0, 0, 0, 0, 2]), Mac([2, 0, 0, 0, 0, 3]));
    let (address, sender) = (Ipv4Addr::new(10, 77, 200, 1), Ipv4Addr::new(10, 77, 0, 5));
    let frame = arp_answer_for(us, (mac, address), asker, sender);
    assert_eq!((&frame[..6], &frame[6..12]), (&asker.0[..], &us.0[..]));
    assert_eq!(read(&frame), Seen::ArpReply { to: asker, address, mac });
}

#[path = "../../../fuzz/src/frames.rs"]
#[allow(unreachable_pub)]
mod fuzz;

#[test]
fn all_that_the_fuzzer_found_to_reach_something_new() {
    let packed = include_bytes!("../../../fuzz/corpora/frames_read");
    let inputs = crate::testing::corpus::inputs(packed).map(fuzz::frames_read).count();
    assert!(inputs > 0, "the corpus is empty");
}
