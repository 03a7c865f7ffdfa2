//! Options in options: code, length, value once more, in 43, 82, 175 and others, and by enterprise in 125 (RFC 3925).

use super::option;

/// The options in an option, in their order. None: it is made in another way, or broken.
pub fn parts(mut octets: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut parts = Vec::new();
    loop {
        octets = match octets {
            [] | [option::END, ..] => return Some(parts),
            [option::PAD, rest @ ..] => rest,
            [code, length, rest @ ..] => {
                let (value, rest) = rest.split_at_checked(usize::from(*length))?;
                parts.push((*code, value));
                rest
            }
            [_] => return None,
        };
    }
}

/// The first of this code among the options in an option.
pub fn part(octets: &[u8], code: u8) -> Option<&[u8]> {
    parts(octets)?.into_iter().find(|(known, _)| *known == code).map(|(_, value)| value)
}

/// An option with one of its options set, or without it: in its place if it is there, else after the others. What is made in another way is
/// replaced. An end stays where it was (PXE 2.1 has one in option 43).
///
/// # Panics
/// If the value is longer than 255 octets, which have no way to be written.
pub fn with_part(octets: &[u8], code: u8, value: Option<&[u8]>) -> Vec<u8> {
    let old = parts(octets).unwrap_or_default();
    let mut new = Vec::with_capacity(octets.len());
    let mut is_set = false;
    for (old_code, old_value) in old {
        match value {
            _ if old_code != code => put(&mut new, old_code, old_value),
            Some(value) if !is_set => {
                put(&mut new, code, value);
                is_set = true;
            }
            Some(_) | None => {}
        }
    }
    if let Some(value) = value.filter(|_| !is_set) {
        put(&mut new, code, value);
    }
    if octets.last() == Some(&option::END) && !new.is_empty() {
        new.push(option::END);
    }
    new
}

/// Option 125 with one option of one enterprise set, or without it (RFC 3925 4: the enterprise, the length of what is its own, its options).
///
/// # Panics
/// As [`with_part`].
pub fn with_vendor_part(octets: &[u8], enterprise: u32, code: u8, value: Option<&[u8]>) -> Vec<u8> {
    let mut all = vendors(octets).unwrap_or_default();
    if !all.iter().any(|(known, _)| *known == enterprise) {
        all.push((enterprise, Vec::new()));
    }
    let mut new = Vec::new();
    for (known, data) in all {
        let data = if known == enterprise { with_part(&data, code, value) } else { data };
        for data in portions(&data) {
            new.extend(known.to_be_bytes());
            new.extend(u8::try_from(data.len()));
            new.extend(data);
        }
    }
    new
}

/// Options, in as many portions as one octet for the length of each needs.
fn portions(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for (code, value) in parts(octets).unwrap_or_default() {
        match all.last_mut().filter(|last| last.len() + 2 + value.len() <= 255) {
            Some(last) => put(last, code, value),
            None => {
                let mut next = Vec::new();
                put(&mut next, code, value);
                all.push(next);
            }
        }
    }
    all
}

/// What each enterprise has in option 125, also where that stands in several portions.
fn vendors(mut octets: &[u8]) -> Option<Vec<(u32, Vec<u8>)>> {
    let mut all: Vec<(u32, Vec<u8>)> = Vec::new();
    while let Some((enterprise, rest)) = octets.split_first_chunk::<4>() {
        let (length, rest) = rest.split_first()?;
        let (data, rest) = rest.split_at_checked(usize::from(*length))?;
        let enterprise = u32::from_be_bytes(*enterprise);
        match all.iter_mut().find(|(known, _)| *known == enterprise) {
            Some((_, joined)) => joined.extend(data),
            None => all.push((enterprise, data.to_vec())),
        }
        octets = rest;
    }
    octets.is_empty().then_some(all)
}

fn put(octets: &mut Vec<u8>, code: u8, value: &[u8]) {
    octets.push(code);
    octets.push(u8::try_from(value.len()).expect("who sets an option has looked at its length"));
    octets.extend(value);
}

#[cfg(test)]
mod tests;
