//! Updates as messages, from lines as `nsupdate` takes them.

use super::super::*;

fn wire_name(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    let labels = labels.flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat());
    labels.chain([0]).collect()
}

fn type_of(word: &str) -> u16 {
    let known = [
        ("A", A),
        ("AAAA", AAAA),
        ("CNAME", CNAME),
        ("MX", MX),
        ("NS", NS),
        ("PTR", PTR),
        ("SOA", SOA),
        ("SRV", SRV),
        ("TXT", TXT),
        ("ANY", ANY),
    ];
    let found = known.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
    found.unwrap_or_else(|| word.strip_prefix("TYPE").unwrap().parse().unwrap())
}

fn data_of(kind: u16, text: &str) -> Vec<u8> {
    let words: Vec<_> = text.split(' ').collect();
    let numbers = |words: &[&str]| -> Vec<u8> {
        words.iter().flat_map(|word| word.parse::<u16>().unwrap().to_be_bytes()).collect()
    };
    match kind {
        _ if text.is_empty() => Vec::new(),
        A => text.parse::<Ipv4Addr>().unwrap().octets().to_vec(),
        AAAA => text.parse::<std::net::Ipv6Addr>().unwrap().octets().to_vec(),
        CNAME | NS | PTR => wire_name(text),
        MX => [numbers(&words[..1]), wire_name(words[1])].concat(),
        SRV => [numbers(&words[..3]), wire_name(words[3])].concat(),
        SOA => [wire_name("a"), wire_name("b"), vec![0; 20]].concat(),
        _ => [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat(),
    }
}

/// One record: owner, type, class, TTL, data.
fn record(owner: &str, kind: u16, class: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let fixed = [kind.to_be_bytes(), class.to_be_bytes()].concat();
    [&wire_name(owner), fixed.as_slice(), &ttl.to_be_bytes(), &length, data].concat()
}

/// A line as nsupdate takes them, without "prereq" and "update". `raw` is owner, type, class, TTL and data as they are: for what no program sends.
fn line(text: &str) -> (bool, Vec<u8>) {
    let words: Vec<_> = text.splitn(5, ' ').collect();
    let kind = |at: usize| words.get(at).map_or(ANY, |word| type_of(word));
    let rest = |at: usize| words.get(at..).map(|words| words.join(" ")).unwrap_or_default();
    match words[0] {
        "yxdomain" | "yxrrset" if words.len() > 3 => {
            (true, record(words[1], kind(2), 1, 0, &data_of(kind(2), &rest(3))))
        }
        "yxdomain" | "yxrrset" => (true, record(words[1], kind(2), 255, 0, &[])),
        "nxdomain" | "nxrrset" => (true, record(words[1], kind(2), 254, 0, &[])),
        "add" => {
            let data = data_of(kind(3), &rest(4));
            (false, record(words[1], kind(3), 1, words[2].parse().unwrap(), &data))
        }
        "delete" if words.len() > 3 => {
            (false, record(words[1], kind(2), 254, 0, &data_of(kind(2), &rest(3))))
        }
        "delete" => (false, record(words[1], kind(2), 255, 0, &[])),
        which @ ("prereq" | "update") => {
            let words: Vec<_> = text.splitn(6, ' ').collect();
            let number = |at: usize| words[at].parse::<u32>().unwrap();
            let data = data_of(type_of(words[2]), words.get(5).unwrap_or(&""));
            let class = u16::try_from(number(3)).unwrap();
            (which == "prereq", record(words[1], type_of(words[2]), class, number(4), &data))
        }
        other => panic!("{other}"),
    }
}

/// The message of an update, not signed.
pub(super) fn plain(zone: &str, lines: &[&str]) -> Vec<u8> {
    let mut sections = [(0_u16, Vec::new()), (0, Vec::new())];
    for text in lines {
        let (is_prerequisite, octets) = line(text);
        let (count, section) = &mut sections[usize::from(!is_prerequisite)];
        *count += 1;
        section.extend(octets);
    }
    let [(conditions, first), (changes, second)] = sections;
    let header = [0xabcd, 5 << 11, 1, conditions, changes, 0].map(u16::to_be_bytes).concat();
    [header, wire_name(zone), vec![0, 6, 0, 1], first, second].concat()
}
