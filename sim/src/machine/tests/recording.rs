//! Recordings of real machines, their own side alone, made under a server that falls silent; see `sim/recordings`.

use crate::frame::{Frame, Payload};
use heorot_core::mac::Mac;
use std::net::{Ipv4Addr, SocketAddrV4};

/// What a recorded machine sent, with its moments in seconds: libpcap's first format, little-endian, Ethernet.
pub(in crate::machine) fn frames(recording: &[u8]) -> Vec<(f64, Frame)> {
    assert_eq!(recording[..4], [0xd4, 0xc3, 0xb2, 0xa1], "not a recording");
    assert_eq!(recording[20..24], [1, 0, 0, 0], "not Ethernet");
    let mut rest = &recording[24..];
    let mut all = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<16>() {
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (frame, after) = after.split_at(number(8) as usize);
        rest = after;
        all.push((f64::from(number(0)) + f64::from(number(4)) / 1e6, udp(frame)));
    }
    all
}

fn udp(frame: &[u8]) -> Frame {
    let mac = |at: usize| Mac(frame[at..at + 6].try_into().expect("six octets"));
    let packet = &frame[14..];
    let address = |at: usize| Ipv4Addr::from(<[u8; 4]>::try_from(&packet[at..at + 4]).expect("four octets"));
    let datagram = &packet[usize::from(packet[0] & 15) * 4..];
    let number = |at: usize| u16::from_be_bytes([datagram[at], datagram[at + 1]]);
    let payload = &datagram[8..usize::from(number(4))];
    Frame {
        from: mac(6),
        to: mac(0),
        source: SocketAddrV4::new(address(12), number(0)),
        destination: SocketAddrV4::new(address(16), number(2)),
        payload: match payload {
            [0, 4, high, low] => Payload::Acknowledge(u16::from_be_bytes([*high, *low])),
            _ => Payload::Octets(payload.into()),
        },
    }
}
