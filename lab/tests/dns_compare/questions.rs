//! Questions by chance, the same for the same seed: names that are there and names that nearly are, of all types, in odd letters and with odd wishes.

use std::fmt;

/// A question, and how it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) labels: Vec<Vec<u8>>,
    pub(crate) kind: u16,
    pub(crate) class: u16,
    /// RD, AD and CD.
    pub(crate) flags: u16,
    pub(crate) edns: Option<Edns>,
}

/// Of the OPT record.
#[derive(Clone, Debug)]
pub(crate) struct Edns {
    pub(crate) octets: u16,
    pub(crate) version: u8,
    pub(crate) dnssec_ok: bool,
    pub(crate) option: Option<(u16, Vec<u8>)>,
}

/// Chance from a seed (Knuth's MMIX).
pub(crate) struct Chance(pub(crate) u64);

/// Names that the configuration writes down, below the zone, and some below or beside them.
const WRITTEN: [&str; 27] = [
    "heorot",
    "printer",
    "switch",
    "www",
    "first",
    "second",
    "gone",
    "away",
    "mail",
    "info",
    "many",
    "texts",
    "_ldap._tcp",
    "_none._udp",
    "_tcp",
    "_udp",
    "deep.er",
    "er",
    "x.node3",
    "below",
    "ns.below",
    "a.below",
    "b.c.below",
    "to-below",
    "login",
    "xn--nde-sna",
    "hostmaster",
];
const APEXES: [&str; 3] = ["cluster", "77.10.in-addr.arpa", "0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa"];
const OUTSIDE: [&str; 12] = [
    "",
    "org",
    "example.org",
    "www.example.org",
    "arpa",
    "in-addr.arpa",
    "10.in-addr.arpa",
    "1.78.10.in-addr.arpa",
    "ip6.arpa",
    "mycluster",
    "cluster.example",
    "7.d.f.ip6.arpa",
];
/// How often of a hundred, and the type.
const KINDS: [(u64, u16); 22] = [
    (28, 1),
    (10, 28),
    (12, 12),
    (6, 2),
    (6, 6),
    (5, 5),
    (5, 15),
    (5, 33),
    (5, 16),
    (5, 255),
    (3, 43),
    (1, 48),
    (1, 47),
    (1, 46),
    (1, 13),
    (1, 257),
    (1, 35),
    (1, 65),
    (1, 39),
    (1, 65_280),
    (1, 41),
    (1, 250),
];

impl Chance {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A question.
    pub(crate) fn question(&mut self) -> Question {
        let mut labels = self.labels();
        if self.once_in(2) {
            for octet in labels.iter_mut().flatten() {
                if self.once_in(2) {
                    *octet = octet.to_ascii_uppercase();
                }
            }
        }
        let mut left = self.below(101);
        let kind = KINDS.iter().find(|(weight, _)| {
            let is_it = left < *weight;
            left = left.saturating_sub(*weight);
            is_it
        });
        // Beyond the hundred: whatever type there may be, but copies of zones, which are other conversations.
        let any = self.below(65_536) as u16;
        let kind = kind.map_or(if matches!(any, 251 | 252) { 1 } else { any }, |(_, kind)| *kind);
        let class = if self.once_in(25) { self.of(&[3, 4, 254, 255, 2, 0, 77]) } else { 1 };
        let mut flags = if self.once_in(2) { 0x0100 } else { 0 };
        flags |= if self.once_in(8) { 0x0020 } else { 0 } | if self.once_in(8) { 0x0010 } else { 0 };
        let edns = self.once_in(2).then(|| Edns {
            octets: self.of(&[0, 100, 512, 513, 700, 1232, 1400, 4096, 65_535]),
            version: if self.once_in(30) { 1 } else { 0 },
            dnssec_ok: self.once_in(3),
            option: self
                .once_in(6)
                .then(|| {
                    self.of(&[
                        (3, &[][..]),
                        (10, b"01234567"),
                        (65_001, b"what?"),
                        (12, &[0; 20]),
                        (8, b"\0\x01\x18\0\x0a\x4d\0"),
                    ])
                })
                .map(|(code, value)| (code, value.to_vec())),
        });
        Question { labels, kind, class, flags, edns }
    }

    fn labels(&mut self) -> Vec<Vec<u8>> {
        let text = match self.below(100) {
            0..22 => format!("node{}.cluster", self.below(1024)),
            22..30 => {
                let odd = [
                    "node1024",
                    "node4096",
                    "node007",
                    "node",
                    "node-1",
                    "node99999999999",
                    "node1x",
                    "nodes3",
                    "Xnode3",
                    "node0-ib",
                ];
                format!("{}.cluster", self.of(&odd))
            }
            30..50 => format!("{}.cluster", self.of(&WRITTEN)),
            50..55 => self.of(&APEXES).to_owned(),
            55..61 => format!("x.{}.cluster", self.of(&WRITTEN)),
            61..64 => format!("{}.node{}.cluster", self.of(&["x", "a.b", "node3", "_"]), self.below(1100)),
            64..68 => format!(
                "{}.cluster",
                self.of(&["*", "*.node3", "*.deep.er", "*.*", "_", "-", "*.below", "*.gone"])
            ),
            68..73 => return self.odd_labels(),
            73..83 => {
                let host = self.below(6) * 256 + self.below(256);
                let [high, low] = [host / 256, host % 256];
                format!("{low}.{high}.77.10.in-addr.arpa")
            }
            83..88 => {
                let odd = [
                    "1", "0", "200", "01", "256", "x", "1.1.1", "00.1", "*", "-1.1", "9.9", "1.0", "20.0",
                    "9.0", "*.1",
                ];
                format!("{}.77.10.in-addr.arpa", self.of(&odd))
            }
            88..91 => format!("{}.{}", ipv6_labels(0x1_0000 + self.below(1100), 16), APEXES[2]),
            91..93 => {
                let octets = 1 + self.below(16) as usize;
                let host = self.of(&[0x1_0017, 9, 0x1_0400, 0x77]);
                format!("{}.{}", ipv6_labels(host >> (4 * (16 - octets)), octets), APEXES[2])
            }
            _ => {
                let name = self.of(&OUTSIDE);
                if self.once_in(3) && !name.is_empty() { format!("x.{name}") } else { name.to_owned() }
            }
        };
        text.split('.').filter(|label| !label.is_empty()).map(|label| label.as_bytes().to_vec()).collect()
    }

    /// Labels of any octets below the zone.
    fn odd_labels(&mut self) -> Vec<Vec<u8>> {
        let mut labels = Vec::new();
        for _ in 0..1 + self.below(3) {
            let octets = self.of(&[1, 3, 10, 63]);
            labels.push((0..octets).map(|_| self.below(256) as u8).collect());
        }
        labels.push(b"cluster".to_vec());
        labels
    }
}

/// The lowest half octets of a number, the last first.
fn ipv6_labels(number: u64, count: usize) -> String {
    let digits: Vec<String> =
        (0..count).map(|at| format!("{:x}", number.checked_shr(4 * at as u32).unwrap_or(0) & 15)).collect();
    digits.join(".")
}

impl Question {
    /// The question's section.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        for label in &self.labels {
            octets.push(u8::try_from(label.len()).expect("63 octets at most"));
            octets.extend(label);
        }
        octets.push(0);
        octets.extend(self.kind.to_be_bytes());
        octets.extend(self.class.to_be_bytes());
        octets
    }

    /// The message.
    pub(crate) fn message(&self, id: u16) -> Vec<u8> {
        let mut message = id.to_be_bytes().to_vec();
        message.extend(self.flags.to_be_bytes());
        message.extend([0, 1, 0, 0, 0, 0, 0, u8::from(self.edns.is_some())]);
        message.extend(self.octets());
        if let Some(edns) = &self.edns {
            message.extend([0, 0, 41]);
            message.extend(edns.octets.to_be_bytes());
            message.extend([0, edns.version, if edns.dnssec_ok { 0x80 } else { 0 }, 0]);
            let option = edns.option.iter().flat_map(|(code, value)| {
                let octets = u16::try_from(value.len()).expect("it is short");
                [code.to_be_bytes(), octets.to_be_bytes()].concat().into_iter().chain(value.iter().copied())
            });
            let option: Vec<u8> = option.collect();
            message.extend(u16::try_from(option.len()).expect("it is short").to_be_bytes());
            message.extend(option);
        }
        message
    }

    /// The name in lower case, without a final dot.
    pub(crate) fn name(&self) -> String {
        let labels: Vec<String> =
            self.labels.iter().map(|label| String::from_utf8_lossy(label).to_lowercase()).collect();
        labels.join(".")
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<String> = self.labels.iter().map(|label| label.escape_ascii().to_string()).collect();
        write!(f, "{}. type {} class {} flags {:04x}", labels.join("."), self.kind, self.class, self.flags)?;
        match &self.edns {
            Some(edns) => write!(f, " {edns:?}"),
            None => Ok(()),
        }
    }
}
