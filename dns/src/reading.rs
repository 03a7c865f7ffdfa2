//! A second, naive reader of messages, so that the tests do not believe the codec they test.

use std::fmt::Write as _;

/// A message as a person reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) id: u16,
    pub(super) flags: u16,
    pub(super) questions: Vec<String>,
    pub(super) answer: Vec<String>,
    pub(super) authority: Vec<String>,
    pub(super) additional: Vec<String>,
}

/// The second word of the header (RFC 1035 4.1.1).
pub(super) const QR: u16 = 0x8000;
pub(super) const AA: u16 = 0x0400;
pub(super) const TC: u16 = 0x0200;
pub(super) const RD: u16 = 0x0100;

pub(super) fn read(message: &[u8]) -> Read {
    let mut at = 12;
    let counts: Vec<u16> = (2..6).map(|n| word(message, 2 * n)).collect();
    let questions = (0..counts[0])
        .map(|_| {
            let name = name(message, &mut at);
            at += 4;
            format!("{name} {}", word(message, at - 4))
        })
        .collect();
    let mut section = |count| (0..count).map(|_| record(message, &mut at)).collect();
    let (answer, authority, additional) = (section(counts[1]), section(counts[2]), section(counts[3]));
    assert_eq!(at, message.len(), "nothing behind the last record");
    Read { id: word(message, 0), flags: word(message, 2), questions, answer, authority, additional }
}

fn word(message: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([message[at], message[at + 1]])
}

fn double_word(message: &[u8], at: usize) -> u32 {
    u32::from(word(message, at)) << 16 | u32::from(word(message, at + 2))
}

fn name(message: &[u8], at: &mut usize) -> String {
    let mut text = String::new();
    let mut place = *at;
    let mut jumped = false;
    for _ in 0..130 {
        let octet = usize::from(message[place]);
        if octet >= 0xc0 {
            if !jumped {
                *at = place + 2;
            }
            jumped = true;
            place = (octet & 0x3f) << 8 | usize::from(message[place + 1]);
            continue;
        }
        place += 1;
        if octet == 0 {
            if !jumped {
                *at = place;
            }
            return if text.is_empty() { ".".into() } else { text };
        }
        write!(text, "{}.", String::from_utf8_lossy(&message[place..place + octet])).unwrap();
        place += octet;
    }
    panic!("a name has an end");
}

/// "node0.cluster. 300 A 10.77.1.0"
fn record(message: &[u8], at: &mut usize) -> String {
    let owner = name(message, at);
    let (rtype, class, ttl) = (word(message, *at), word(message, *at + 2), double_word(message, *at + 4));
    let length = usize::from(word(message, *at + 8));
    *at += 10;
    let end = *at + length;
    let data = match rtype {
        1 => {
            let octets: Vec<_> = message[*at..end].iter().map(u8::to_string).collect();
            *at = end;
            format!("A {}", octets.join("."))
        }
        2 => format!("NS {}", name(message, at)),
        5 => format!("CNAME {}", name(message, at)),
        15 => {
            *at += 2;
            format!("MX {} {}", word(message, *at - 2), name(message, at))
        }
        16 => {
            let mut text = String::from("TXT");
            while *at < end {
                let part = *at + 1..*at + 1 + usize::from(message[*at]);
                *at = part.end;
                write!(text, " {:?}", String::from_utf8_lossy(&message[part])).unwrap();
            }
            text
        }
        28 => {
            let octets: [u8; 16] = message[*at..end].try_into().unwrap();
            *at = end;
            format!("AAAA {}", std::net::Ipv6Addr::from(octets))
        }
        33 => {
            let numbers: Vec<_> = (0..3).map(|n| word(message, *at + 2 * n).to_string()).collect();
            *at += 6;
            // RFC 2782: no compression there.
            assert!(message[*at] < 0xc0);
            format!("SRV {} {}", numbers.join(" "), name(message, at))
        }
        12 => format!("PTR {}", name(message, at)),
        6 => {
            let (server, mailbox) = (name(message, at), name(message, at));
            let numbers: Vec<_> = (0..5).map(|n| double_word(message, *at + 4 * n).to_string()).collect();
            *at += 20;
            format!("SOA {server} {mailbox} {}", numbers.join(" "))
        }
        41 => {
            let options: String = message[*at..end].iter().map(|octet| format!("{octet:02x}")).collect();
            *at = end;
            return format!("OPT {class} {ttl:08x} {options}").trim_end().to_owned();
        }
        // What DNSSEC has, and an alias of a tree: as RFC 3597 5 writes what is not known.
        35 | 39 | 43 | 46 | 47 | 48 | 50 => {
            *at = end;
            format!("TYPE{rtype} \\# {length}")
        }
        other => panic!("type {other}"),
    };
    assert_eq!(*at, end, "the length of {data}");
    assert_eq!(class, 1, "class IN");
    format!("{owner} {ttl} {data}")
}
