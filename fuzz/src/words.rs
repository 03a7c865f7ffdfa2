//! What people write, and what was kept: configurations, sets of nodes, names, command lines, records, reports.

use heorot_core::cluster::record::Record;
use heorot_core::cluster::trial::Report;
use heorot_core::config::{Config, Interface, Severity, render};
use heorot_core::mac::Mac;
use heorot_names::{Directory, NodeSet, NumberRange, Numbering, Pattern};
use std::net::Ipv4Addr;

/// Any text is a configuration, or is refused with at least one mistake that can be shown.
pub fn config_parse(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let interfaces = ["eth1", "eth2"]
        .map(|name| Interface { name: name.into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] });
    match Config::parse(text, &interfaces) {
        Ok((_, warnings)) => {
            assert!(warnings.iter().all(|mistake| mistake.severity == Severity::Warning));
            render("heorot.toml", text, &warnings);
        }
        Err(mistakes) => {
            assert!(
                mistakes.iter().any(|mistake| mistake.severity == Severity::Error),
                "refused without why"
            );
            render("heorot.toml", text, &mistakes);
        }
    }
}

/// Any text is one of these or is refused; what is read is written, and read again as the same.
pub fn words_parse(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match kind % 5 {
        0 => nodeset(text),
        1 => pattern(text),
        2 => record(text),
        3 => {
            if let Ok(report) = Report::parse(rest) {
                let _ = (report.verdict(&[]), report.macs());
            }
        }
        _ => {
            if let Ok(mac) = text.parse::<Mac>() {
                assert_eq!(mac.to_string().parse(), Ok(mac));
            }
        }
    }
}

fn nodeset(text: &str) {
    let numbers = NumberRange { lowest: 0, highest: 1023 };
    let directory = Directory {
        networks: vec![Numbering {
            numbers,
            first: Ipv4Addr::new(10, 77, 1, 0),
            first_ipv6: None,
            suffix: String::new(),
        }],
        groups: [("rack1".to_owned(), (0..32).collect::<NodeSet>())].into(),
        ..Directory::new("cluster", Pattern::parse("n{:04}").expect("it is a pattern"))
    };
    let Ok(set) = NodeSet::parse(text, &directory) else { return };
    let size: u64 = set.ranges().iter().map(|range| range.size()).sum();
    assert_eq!(size, set.size());
    assert!(set.ranges().windows(2).all(|pair| u64::from(pair[0].highest) + 1 < u64::from(pair[1].lowest)));
    let folded = set.fold(&directory.pattern).to_string();
    if !set.is_empty() && folded.len() <= NODESET_OCTETS_MAX {
        // Not shown by the assertion: it may be long.
        assert!(NodeSet::parse(&folded, &directory).as_ref() == Ok(&set), "{folded:.1000}");
    }
}

/// The longest text of a set that is read.
const NODESET_OCTETS_MAX: usize = 65_536;

fn pattern(text: &str) {
    let Ok(pattern) = Pattern::parse(text) else { return };
    for number in [0, 1, 9, 10, 1023, u32::MAX] {
        assert_eq!(pattern.number(&pattern.name(number)), Some(number), "{text}");
    }
}

fn record(text: &str) {
    let Some((key, value)) = text.split_once('\n') else { return };
    let Ok(record) = Record::parse(key, value) else { return };
    assert_eq!(record.key(), key);
    let again = record.value().expect("what has a value keeps it");
    assert_eq!(Record::parse(key, &again).as_ref(), Ok(&record), "{again}");
}
