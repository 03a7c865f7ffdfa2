//! Percent signs and ranges.

use std::ops::Range;

/// A path or a query's value without its percent signs (RFC 3986 2.1). None: not UTF-8, or a percent sign without two digits.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet == b'%' {
            let digit = |octet: u8| char::from(octet).to_digit(16);
            let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
            octets.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            octets.push(octet);
        }
    }
    String::from_utf8(octets).ok()
}

/// The value of a key in a query, decoded.
pub(super) fn query_value(query: &str, key: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))?;
    percent_decoded(&value.replace('+', " "))
}

/// What of a file is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    Part(Range<u64>),
    /// A range that the file does not reach.
    Nothing,
}

/// Reads a Range header for a file of this size. What is not understood, and several ranges at once, mean the whole (RFC 9110 14.2: a server may ignore it).
pub(super) fn range(header: &str, size: u64) -> Wanted {
    // A number that is beyond all files is beyond the end of this one (RFC 9110 14.1.2), however many digits it has.
    let parse = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    // RFC 9110 14.1: the name of a unit is the same in capital and small letters.
    let Some(set) = header
        .trim()
        .split_once('=')
        .and_then(|(unit, set)| unit.eq_ignore_ascii_case("bytes").then_some(set))
    else {
        return Wanted::Whole;
    };
    let Some((first, last)) = set.split_once('-') else { return Wanted::Whole };
    let range = match (first, last) {
        ("", last) => match parse(last) {
            Some(0) => return Wanted::Nothing,
            // 14.1.2: the last octets of what has fewer are all of it; and no Content-Range can say a part of nothing (14.4).
            Some(_) if size == 0 => return Wanted::Whole,
            Some(octets) => size.saturating_sub(octets)..size,
            None => return Wanted::Whole,
        },
        (first, "") => match parse(first) {
            Some(first) => first..size,
            None => return Wanted::Whole,
        },
        (first, last) => match (parse(first), parse(last)) {
            (Some(first), Some(last)) if first <= last => first..size.min(last.saturating_add(1)),
            _ => return Wanted::Whole,
        },
    };
    if range.is_empty() { Wanted::Nothing } else { Wanted::Part(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs() {
        for (text, expected) in [
            ("/boot.ipxe", Some("/boot.ipxe")),
            ("/a%20b%2Fc", Some("/a b/c")),
            ("/%c3%a4", Some("/ä")),
            ("/%c3", None),
            ("/%4", None),
            ("/%zz", None),
            ("/%+1", None),
            ("%", None),
            ("", Some("")),
        ] {
            assert_eq!(percent_decoded(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn query_values() {
        for (query, expected) in [
            ("set=node%5B0-9%5D", Some("node[0-9]")),
            ("other=1&set=a", Some("a")),
            ("setting=1", None),
            ("set", None),
            ("", None),
        ] {
            assert_eq!(query_value(query, "set").as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn ranges() {
        use Wanted::{Nothing, Part, Whole};
        for (header, size, expected) in [
            ("bytes=0-99", 1000, Part(0..100)),
            ("bytes=900-", 1000, Part(900..1000)),
            ("bytes=-1", 1000, Part(999..1000)),
            ("bytes=-2000", 1000, Part(0..1000)),
            ("bytes=990-2000", 1000, Part(990..1000)),
            ("bytes=0-18446744073709551615", 1000, Part(0..1000)),
            ("bytes=1000-", 1000, Nothing),
            ("bytes=-0", 1000, Nothing),
            ("bytes=0-", 0, Nothing),
            ("bytes=5-4", 1000, Whole),
            ("bytes=0-1,5-6", 1000, Whole),
            ("bytes=+1-2", 1000, Whole),
            ("bytes=18446744073709551616-", 1000, Nothing),
            ("bytes=0-99999999999999999999", 1000, Part(0..1000)),
            ("bytes=-99999999999999999999", 1000, Part(0..1000)),
            ("bytes=-", 1000, Whole),
            ("Bytes=0-10", 1000, Part(0..11)),
            ("BYTES=-1", 1000, Part(999..1000)),
            ("bytes=-5", 0, Whole),
            ("bytes=-0", 0, Nothing),
            ("lines=1-2", 1000, Whole),
            ("bytes", 1000, Whole),
        ] {
            assert_eq!(range(header, size), expected, "{header} of {size}");
        }
    }
}
