//! What a standard says stands at the line that obeys it and at the test that proves it: held for those of DHCP, PXE and TFTP.
#![allow(clippy::unwrap_used, reason = "what does not hold in a test shall fail it")]
#![expect(clippy::disallowed_methods, reason = "a test, which reads what is committed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// BOOTP and DHCP with their relays, and what of them is for PXE; then TFTP, with what RFC 1123 says of it.
const STANDARDS: [u16; 37] = [
    951, 1497, 1534, 1542, 2131, 2132, 3004, 3011, 3046, 3203, 3315, 3396, 3397, 3442, 3527, 3825, 3925,
    4039, 4361, 4388, 4390, 4391, 4578, 4702, 5010, 5071, 5107, 5227, 6842, 6926, 8357, 1123, 1350, 2347,
    2348, 2349, 7440,
];

/// Where lines obey, and where they are proved.
const CRATES: [&str; 6] = ["names", "core", "server", "agent", "sim", "lab"];

/// A clause: the standard, and which part of it.
type Clause = (u16, String);

/// The clauses that a text names: "RFC 2131 4.3.2", "RFC 951 3, 7.3", "RFC 3046 2.1 and 2.2", "RFC 2131, table 3".
fn named(text: &str) -> Vec<Clause> {
    let mut found = Vec::new();
    // A comment goes on in the next line.
    let text = text
        .lines()
        .map(|line| line.trim().trim_start_matches(['/', '!', '#']).trim())
        .collect::<Vec<_>>()
        .join(" ");
    for (place, word) in text.match_indices("RFC ") {
        let rest = &text[place + word.len()..];
        let (number, mut rest) =
            rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let Ok(standard) = number.parse() else { continue };
        while let Some((part, behind)) = part(rest) {
            found.push((standard, part));
            rest = behind;
        }
    }
    found
}

/// The next part of a standard that a list names, and what is behind it.
fn part(rest: &str) -> Option<(String, &str)> {
    let start = ["", ",", ", and", " and", " to"]
        .iter()
        .filter_map(|between| rest.strip_prefix(between)?.strip_prefix(' '));
    start.into_iter().find_map(|rest| {
        let (kind, rest) = match rest.strip_prefix("table ") {
            Some(rest) => ("table ", rest),
            None => ("", rest),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number = rest[..end].trim_end_matches('.');
        let is_section = number.split('.').all(|part| (1..=2).contains(&part.len()));
        // "RFC 2131 4 octets" is nobody's way to write; "RFC 1350 and 2347" are two standards.
        is_section.then(|| (format!("{kind}{number}"), &rest[number.len()..]))
    })
}

#[test]
fn clauses_are_found() {
    for (text, parts) in [
        ("RFC 2131 4.3.2: a NAK", &["4.3.2"][..]),
        ("(RFC 951 3, 7.3)", &["3", "7.3"]),
        ("RFC 3046 2.1 and 2.2. Then", &["2.1", "2.2"]),
        ("RFC 2131, table 3, of an ACK", &["table 3"]),
        ("// as RFC 2131\n    // 4.4.5 says", &["4.4.5"]),
        ("RFC 1350 and 2347, 576 octets", &[]),
        ("RFC 4578", &[]),
    ] {
        let found: Vec<_> = named(text).into_iter().map(|(_, part)| part).collect();
        assert_eq!(found, parts, "{text}");
    }
}

/// Every file of the crates in which a clause may stand, by its path.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let mut waiting: Vec<PathBuf> = CRATES.iter().map(|member| root.join(member)).collect();
    let mut found = Vec::new();
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                waiting.push(path);
            } else if name.ends_with(".rs")
                || name.starts_with("sim/scenarios/")
                || name.ends_with("mistakes.txt")
            {
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn every_clause_of_a_line_is_one_of_a_test() {
    let (mut obeyed, mut proved) = (BTreeMap::<Clause, String>::new(), BTreeSet::<Clause>::new());
    for (name, text) in files() {
        let is_test =
            name.contains("/tests") || name.starts_with("lab/") || name.starts_with("sim/scenarios/");
        let (code, tests) = match text.split_once("#[cfg(test)]\nmod tests {") {
            _ if is_test => ("", text.as_str()),
            Some(parts) => parts,
            None => (text.as_str(), ""),
        };
        obeyed.extend(named(code).into_iter().map(|clause| (clause, name.clone())));
        proved.extend(named(tests));
    }
    let is_proved = |(standard, part): &Clause| {
        let mut parts = std::iter::successors(Some(part.as_str()), |part| Some(part.rsplit_once('.')?.0));
        parts.any(|part| proved.contains(&(*standard, part.to_owned())))
    };
    obeyed.retain(|(standard, _), _| STANDARDS.contains(standard));
    assert!(obeyed.len() > 60, "{} clauses", obeyed.len());
    let lacking: Vec<_> = obeyed.iter().filter(|(clause, _)| !is_proved(clause)).collect();
    let lacking: Vec<_> = lacking
        .into_iter()
        .map(|((standard, part), name)| format!("RFC {standard} {part}, obeyed in {name}, stands at no test"))
        .collect();
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}
