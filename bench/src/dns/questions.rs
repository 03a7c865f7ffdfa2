//! What is asked: messages as they leave, and the zones in which servers find the answers.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// Names of each kind.
pub(super) const NAMES: u32 = 4096;
/// Of the cluster: node 0 has the first address.
pub(super) const ZONE: &str = "cluster";
pub(super) const FIRST: Ipv4Addr = Ipv4Addr::new(10, 77, 64, 0);
pub(super) const REVERSE_ZONE: &str = "77.10.in-addr.arpa";
/// Of others.
pub(super) const OUTSIDE: &str = "example.org";
const FIRST_OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);
/// How long everybody may keep everything: longer than any run.
pub(super) const TTL_SECONDS: u32 = 86_400;

/// Header (RFC 1035 4.1.1) without its id: RD as stubs set it, one question.
const HEADER: [u8; 10] = [1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const A: u8 = 1;
const PTR: u8 = 12;

/// A kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The address of a node.
    Names,
    /// The name of a node's address.
    Pointers,
    /// The address of somebody else's host, which was asked for before.
    Forwards,
}

/// All kinds, in the order of the table.
pub(super) const ALL: [Asked; 3] = [Asked::Names, Asked::Pointers, Asked::Forwards];

impl Asked {
    /// The name in the table, and in what is asked for.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::Pointers => "ptr",
            Self::Forwards => "forwards",
        }
    }

    /// The question's name, and its type as `dnsperf` wants it.
    pub(super) fn words(self, number: u32) -> (String, &'static str) {
        match self {
            Self::Names => (format!("node{number}.{ZONE}"), "A"),
            Self::Pointers => {
                let [_, _, high, low] = address(number).octets();
                (format!("{low}.{high}.{REVERSE_ZONE}"), "PTR")
            }
            Self::Forwards => (format!("host{number}.{OUTSIDE}"), "A"),
        }
    }

    /// Each question as a message; the id, its first two octets, is written when it leaves.
    pub(super) fn messages(self) -> Vec<Vec<u8>> {
        let message = |number| {
            let (name, kind) = self.words(number);
            let mut message = vec![0, 0];
            message.extend(HEADER);
            for label in name.split('.') {
                message.push(u8::try_from(label.len()).expect("our labels are short"));
                message.extend(label.bytes());
            }
            message.extend([0, 0, if kind == "A" { A } else { PTR }, 0, 1]);
            message
        };
        (0..NAMES).map(message).collect()
    }
}

/// The address of a node.
pub(super) fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST.to_bits() + number)
}

/// The zone of the nodes as a file (RFC 1035 5).
pub(super) fn cluster_zone() -> String {
    zone(ZONE, |number| format!("node{number} A {}", address(number)))
}

/// That of their addresses.
pub(super) fn reverse_zone() -> String {
    zone(REVERSE_ZONE, |number| {
        let [_, _, high, low] = address(number).octets();
        format!("{low}.{high} PTR node{number}.{ZONE}.")
    })
}

/// That of others.
pub(super) fn outside_zone() -> String {
    zone(OUTSIDE, |number| {
        format!("host{number} A {}", Ipv4Addr::from_bits(FIRST_OUTSIDE.to_bits() + number))
    })
}

fn zone(apex: &str, line: impl Fn(u32) -> String) -> String {
    let mut text = format!(
        "$ORIGIN {apex}.\n$TTL {TTL_SECONDS}\n@ SOA ns.{ZONE}. hostmaster.{ZONE}. 1 3600 600 604800 300\n@ NS ns.{ZONE}.\n"
    );
    for number in 0..NAMES {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line(number));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_messages_and_their_answers_stand_in_the_zones() {
        let messages = Asked::Names.messages();
        assert_eq!(messages.len(), 4096);
        assert_eq!(messages[23], b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x06node23\x07cluster\0\0\x01\0\x01");
        assert_eq!(Asked::Pointers.words(300), ("44.65.77.10.in-addr.arpa".to_owned(), "PTR"));
        assert!(cluster_zone().contains("\nnode4095 A 10.77.79.255\n"));
        assert!(reverse_zone().contains("\n44.65 PTR node300.cluster.\n"));
        assert!(outside_zone().contains("\nhost1 A 198.18.0.1\n"));
    }
}
