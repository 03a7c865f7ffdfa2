//! Values of the file <-> octets of an option, by what the option is.

use super::known::Form;
use crate::config::entry::type_words;
use crate::config::mistake::quoted;
use crate::config::value::{self, Wrong, address_of_somebody};
use crate::limit::OPTION_OCTETS_MAX;
use std::net::Ipv4Addr;
use toml::de::DeValue;

/// The octets of a value. None: the option is taken out.
pub(super) fn encode(form: Form, value: &DeValue<'_>) -> Result<Option<Vec<u8>>, Wrong> {
    let is_empty = value.as_str() == Some("");
    if is_empty || (value.as_bool() == Some(false) && form != Form::Flag) {
        return Ok(None);
    }
    let octets = octets(form, value)?;
    if octets.len() > OPTION_OCTETS_MAX {
        let message = format!("{} octets, and {OPTION_OCTETS_MAX} are allowed", octets.len());
        return Err(Wrong { message, remedy: None, within: None });
    }
    Ok(Some(octets))
}

fn octets(form: Form, value: &DeValue<'_>) -> Result<Vec<u8>, Wrong> {
    // Whatever the type is: octets can always be written as they are.
    if let Some(digits) = value.as_str().and_then(|text| text.strip_prefix(HEX)) {
        return hexadecimal(digits);
    }
    match form {
        Form::Flag => match value.as_bool() {
            Some(flag) => Ok(vec![u8::from(flag)]),
            None => Err(wrong(value, "a truth value", "true")),
        },
        Form::U8 => match value.as_bool() {
            Some(_) => Ok(vec![1]),
            None => Ok(u8::try_from(integer(value, 0, u8::MAX.into())?).into_iter().collect()),
        },
        Form::U16 => Ok(two_octets(integer(value, 0, u16::MAX.into())?)),
        Form::U32 => Ok(four_octets(integer(value, 0, u32::MAX.into())?)),
        Form::I32 => Ok(four_octets(integer(value, i32::MIN.into(), i32::MAX.into())?)),
        Form::U16s => each(value, |item| Ok(two_octets(integer(item, 0, u16::MAX.into())?))),
        Form::Address => Ok(address_of_somebody(text(value, ADDRESS)?)?.octets().into()),
        Form::AddressOrNone => Ok(address(text(value, ADDRESS)?)?.octets().into()),
        Form::Addresses => each_text(value, ADDRESS, |item| Ok(address_of_somebody(item)?.octets().into())),
        Form::AddressPairs => each_text(value, PAIR, pair),
        Form::Routes => each_text(value, ROUTE, route),
        Form::Domains => Ok(compressed(&words(value, DOMAIN)?)?),
        Form::PlainDomains => each_text(value, DOMAIN, domain),
        Form::Sip => sip(value),
        Form::Text => characters(text(value, "\"…\"")?),
        Form::Octets => match value.as_bool() {
            Some(_) => Ok(vec![1]),
            None => {
                let written = value.as_str().and_then(meant_octets);
                let example = written.map_or_else(|| "\"hex:0102\"".into(), |written| quoted(&written));
                Err(wrong(value, "octets", &example))
            }
        },
        Form::Unknown => unknown(value),
        Form::Owned(why) => Err(Wrong { message: why.into(), remedy: None, within: None }),
    }
}

const HEX: &str = "hex:";
const ADDRESS: &str = "\"10.77.0.1\"";
const PAIR: &str = "\"10.9.0.1 via 10.77.0.254\"";
const ROUTE: &str = "\"10.0.0.0/8 via 10.77.0.254\"";
const DOMAIN: &str = "\"cluster.example.org\"";

/// Whether a value says itself what it is.
pub(super) fn is_marked(value: &DeValue<'_>) -> bool {
    let mark = value.as_str().and_then(|text| text.split_once(':')).map(|(mark, _)| mark);
    matches!(mark, Some("u8" | "u16" | "u32" | "address" | "text"))
}

/// What nobody has a type for says itself what it is.
fn unknown(value: &DeValue<'_>) -> Result<Vec<u8>, Wrong> {
    if value.as_bool() == Some(true) {
        return Ok(vec![1]);
    }
    let text = text(value, "\"hex:0102\", \"u16:5\", \"address:10.77.0.1\" or a text")?;
    let number = |digits: &str, bits: u32| {
        let number = digits.trim().parse::<u32>().ok().filter(|n| u64::from(*n) >> bits == 0);
        number.map(|n| n.to_be_bytes()[4 - bits as usize / 8..].to_vec()).ok_or_else(|| {
            Wrong::with(
                format!("{} is no number of {bits} bits", quoted(digits)),
                format!("as \"u{bits}:5\""),
            )
        })
    };
    match text.split_once(':') {
        Some(("u8", digits)) => number(digits, 8),
        Some(("u16", digits)) => number(digits, 16),
        Some(("u32", digits)) => number(digits, 32),
        Some(("address", list)) => list
            .split(',')
            .map(|item| Ok(address(item.trim())?.octets()))
            .collect::<Result<Vec<_>, _>>()
            .map(|all| all.concat()),
        Some(("text", rest)) => characters(rest),
        Some(_) | None => characters(no_octets(text)?),
    }
}

/// A text that does not look like octets in hexadecimal. Other servers' files have these without a mark, and a text that nobody means matches no client.
pub(in crate::config) fn no_octets(text: &str) -> Result<&str, Wrong> {
    let Some(written) = meant_octets(text) else { return Ok(text) };
    let message = format!("{} is a text of {} characters as it is", quoted(text), text.chars().count());
    let remedy = format!(
        "if octets are meant, write {}; if it is this text, {}",
        quoted(&written),
        quoted(&format!("text:{text}"))
    );
    Err(Wrong::with(message, remedy))
}

/// How octets are written here that other servers have as `0x0104`, `00:04:06`, `1:52:54:0:0:1:1`, `52-54-00-00-01-01` or, in dnsmasq, `id:01:52:54`. None of
/// what may as well be a text: `1:2`, `1:2:3` and `525400000101` are names of ports and machines.
fn meant_octets(text: &str) -> Option<String> {
    let plain = text.strip_prefix("id:").unwrap_or(text);
    let is_hexadecimal =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if let Some(digits) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        let zero = if digits.len() % 2 == 1 { "0" } else { "" };
        return is_hexadecimal(digits).then(|| format!("{HEX}{zero}{digits}"));
    }
    let (separator, least) = if plain.contains('-') { ('-', MAC_OCTETS) } else { (':', 3) };
    let octets: Vec<&str> = plain.split(separator).collect();
    // In front of a hardware address dhcpd has its type in one digit; it leaves zeros out of all octets.
    let may_be_short = |place: usize| place == 0 || octets.len() >= MAC_OCTETS;
    let is_octet = |(place, octet): (usize, &&str)| {
        is_hexadecimal(octet) && (octet.len() == 2 || (octet.len() == 1 && may_be_short(place)))
    };
    let fits = octets.len() >= least && octets.iter().enumerate().all(is_octet);
    fits.then(|| {
        let padded: Vec<_> = octets.iter().map(|octet| format!("{octet:0>2}")).collect();
        format!("{HEX}{}", padded.join(":"))
    })
}

/// Octets of a hardware address.
const MAC_OCTETS: usize = 6;

/// Octets in hexadecimal; colons and blanks may stand between them.
pub(in crate::config) fn hexadecimal(digits: &str) -> Result<Vec<u8>, Wrong> {
    let plain: Vec<u8> = digits.bytes().filter(|b| !matches!(b, b':' | b' ' | b'-')).collect();
    let wrong =
        || Wrong::with(format!("{} are no octets in hexadecimal", quoted(digits)), "as \"hex:0102ff\"");
    let (pairs, rest) = plain.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() || !plain.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong());
    }
    let octet = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(octet).collect::<Option<_>>().ok_or_else(wrong)
}

fn characters(text: &str) -> Result<Vec<u8>, Wrong> {
    match text.find('\0') {
        Some(_) => Err(Wrong::with("a zero in a text", "write \"hex:…\", if it belongs there")),
        None => Ok(text.into()),
    }
}

fn address(text: &str) -> Result<Ipv4Addr, Wrong> {
    value::address(text)
}

/// "A via B" or "A B".
fn pair(text: &str) -> Result<Vec<u8>, Wrong> {
    let words: Vec<_> = text.split_whitespace().filter(|word| *word != "via").collect();
    let [first, second] = words.as_slice() else {
        return Err(Wrong::with(format!("{} are no two addresses", quoted(text)), format!("as {PAIR}")));
    };
    Ok([address(first)?.octets(), address(second)?.octets()].concat())
}

/// A destination, of which only the octets are written that are not all host's, and its router (RFC 3442, page 3).
fn route(text: &str) -> Result<Vec<u8>, Wrong> {
    let wrong = |message: &str| Wrong::with(format!("{} {message}", quoted(text)), format!("as {ROUTE}"));
    let (destination, router) = text.split_once(" via ").ok_or_else(|| wrong("is no route"))?;
    let (network, length) = match destination.trim() {
        "default" => ("0.0.0.0", "0"),
        destination => destination.split_once('/').unwrap_or((destination, "32")),
    };
    let length = length
        .parse::<u8>()
        .ok()
        .filter(|length| *length <= 32)
        .ok_or_else(|| wrong("has no length from 0 to 32"))?;
    let network = u32::from(address(network)?);
    let host_bits = u32::MAX.checked_shr(length.into()).unwrap_or(0);
    if network & host_bits != 0 {
        let remedy = format!("write \"{}/{length}\"", Ipv4Addr::from(network & !host_bits));
        return Err(Wrong::with(format!("{} has bits after its prefix", quoted(destination.trim())), remedy));
    }
    let significant = usize::from(length.div_ceil(8));
    let mut octets = vec![length];
    octets.extend(&network.to_be_bytes()[..significant]);
    octets.extend(address(router.trim())?.octets());
    Ok(octets)
}

/// RFC 3361 3: names, or addresses, and an octet that says which.
fn sip(value: &DeValue<'_>) -> Result<Vec<u8>, Wrong> {
    let words = words(value, ADDRESS)?;
    let addresses: Result<Vec<_>, _> = words.iter().map(|word| address(word).map(|a| a.octets())).collect();
    if let Ok(addresses) = addresses {
        return Ok([vec![1], addresses.concat()].concat());
    }
    let names: Result<Vec<_>, _> = words.iter().map(|word| domain(word)).collect();
    Ok([vec![0], names?.concat()].concat())
}

/// A domain name as DNS writes it (RFC 1035 3.1).
fn domain(name: &str) -> Result<Vec<u8>, Wrong> {
    let mut octets = Vec::new();
    for label in labels(name)? {
        octets.extend(u8::try_from(label.len()));
        octets.extend(label.bytes());
    }
    octets.push(0);
    Ok(octets)
}

fn labels(name: &str) -> Result<Vec<&str>, Wrong> {
    let plain = name.strip_suffix('.').unwrap_or(name);
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(allowed);
    // RFC 1035 2.3.4: 255 octets on the wire are 253 in text.
    if plain.len() > 253 || !plain.split('.').all(is_label) {
        return Err(Wrong::with(format!("{} is no domain name", quoted(name)), format!("as {DOMAIN}")));
    }
    Ok(plain.split('.').collect())
}

/// Domain names, each ending in a pointer to what an earlier one ended in, if it did (RFC 3397 2, RFC 1035 4.1.4).
fn compressed(names: &[&str]) -> Result<Vec<u8>, Wrong> {
    let mut octets = Vec::new();
    let mut known: Vec<(String, usize)> = Vec::new();
    for name in names {
        let labels = labels(name)?;
        let mut at = 0;
        let pointer = loop {
            let Some(label) = labels.get(at) else { break None };
            let rest = labels[at..].join(".").to_ascii_lowercase();
            if let Some((_, place)) = known.iter().find(|(ending, _)| *ending == rest) {
                break u16::try_from(*place).ok();
            }
            // A pointer has 14 bits.
            if octets.len() < 1 << 14 {
                known.push((rest, octets.len()));
            }
            octets.extend(u8::try_from(label.len()));
            octets.extend(label.bytes());
            at += 1;
        };
        match pointer {
            Some(place) => octets.extend((0xc000 | place).to_be_bytes()),
            None => octets.push(0),
        }
    }
    Ok(octets)
}

fn integer(value: &DeValue<'_>, least: i64, most: i64) -> Result<i64, Wrong> {
    let Some(integer) = value.as_integer() else {
        let unquoted = value.as_str().filter(|text| text.parse::<i64>().is_ok());
        return Err(match unquoted {
            Some(text) => {
                Wrong::with("it is a whole number", format!("write it without quotation marks: {text}"))
            }
            None => wrong(value, "a whole number", "5"),
        });
    };
    // What does not fit into 64 bits is out of bounds like anything else that is too large.
    let number = i64::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(i64::MAX);
    if !(least..=most).contains(&number) {
        return Err(Wrong::with("it is out of bounds", format!("it is from {least} to {most}")));
    }
    Ok(number)
}

fn two_octets(number: i64) -> Vec<u8> {
    number.to_be_bytes()[6..].into()
}

fn four_octets(number: i64) -> Vec<u8> {
    number.to_be_bytes()[4..].into()
}

fn text<'v>(value: &'v DeValue<'_>, example: &str) -> Result<&'v str, Wrong> {
    value.as_str().ok_or_else(|| wrong(value, "a string", example))
}

/// The texts of a list, or of a string with commas.
fn words<'v>(value: &'v DeValue<'_>, example: &str) -> Result<Vec<&'v str>, Wrong> {
    let words: Vec<&str> = match value.as_array() {
        Some(items) => items.iter().map(|item| text(item.get_ref(), example)).collect::<Result<_, _>>()?,
        None => text(value, example)?.split(',').collect(),
    };
    if words.is_empty() {
        return Err(Wrong::with("the list is empty", format!("as {example}; \"\" takes the option out")));
    }
    Ok(words.into_iter().map(str::trim).collect())
}

fn each_text(
    value: &DeValue<'_>,
    example: &str,
    encode: impl Fn(&str) -> Result<Vec<u8>, Wrong>,
) -> Result<Vec<u8>, Wrong> {
    Ok(words(value, example)?.into_iter().map(encode).collect::<Result<Vec<_>, _>>()?.concat())
}

fn each(
    value: &DeValue<'_>,
    encode: impl Fn(&DeValue<'_>) -> Result<Vec<u8>, Wrong>,
) -> Result<Vec<u8>, Wrong> {
    match value.as_array() {
        Some(items) if items.is_empty() => Err(Wrong::with("the list is empty", "\"\" takes the option out")),
        Some(items) => {
            Ok(items.iter().map(|item| encode(item.get_ref())).collect::<Result<Vec<_>, _>>()?.concat())
        }
        None => encode(value),
    }
}

fn wrong(value: &DeValue<'_>, wanted: &str, example: &str) -> Wrong {
    let is = type_words(value);
    Wrong::with(format!("it is {wanted}, not {is}"), format!("as {example}"))
}
