//! The options of a packet.

use super::{Malformed, option};
use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

/// Options in the order of the packet, each code once: parts of a split option are joined (RFC 3396).
///
/// Padding, the end and option 52 are matters of the packet's layout and never among them.
///
/// All values stand in one piece of memory: a server takes thousands of packets a second apart, and a piece for each option is what that would cost most.
#[derive(Clone, Default)]
pub struct Options {
    places: Vec<Place>,
    octets: Vec<u8>,
    /// Which codes are there, a bit for each: most of those that are looked for are not.
    present: [u64; 4],
}

/// Where an option's value is.
#[derive(Clone, Copy)]
struct Place {
    code: u8,
    start: usize,
    end: usize,
}

impl Options {
    /// The option's octets, if it is there.
    pub fn get(&self, code: u8) -> Option<&[u8]> {
        if !self.contains(code) {
            return None;
        }
        let place = self.places.iter().find(|place| place.code == code)?;
        self.octets.get(place.start..place.end)
    }

    /// Whether the option is there, also without a value (rapid commit).
    pub fn contains(&self, code: u8) -> bool {
        let (word, bit) = bit(code);
        self.present[word] & bit > 0
    }

    /// The option as an address: the first, if it is a list of them. None if its length is no multiple of 4.
    pub fn address(&self, code: u8) -> Option<Ipv4Addr> {
        let (addresses, rest) = self.get(code)?.as_chunks::<4>();
        addresses.first().filter(|_| rest.is_empty()).map(|octets| Ipv4Addr::from(*octets))
    }

    /// The option as a number of 16 bits: the first, if it is a list of them (option 93). None if its length is no multiple of 2.
    pub fn u16(&self, code: u8) -> Option<u16> {
        let (numbers, rest) = self.get(code)?.as_chunks::<2>();
        numbers.first().filter(|_| rest.is_empty()).map(|octets| u16::from_be_bytes(*octets))
    }

    /// The option as a number of 32 bits. None if it has another length.
    pub fn u32(&self, code: u8) -> Option<u32> {
        self.get(code)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// The option as a number of 8 bits. None if it has another length.
    pub fn u8(&self, code: u8) -> Option<u8> {
        self.get(code)?.try_into().ok().map(u8::from_be_bytes)
    }

    /// The option as text without trailing zeros, which a receiver has to be ready for (RFC 2132 2). None if it is no UTF-8.
    pub fn text(&self, code: u8) -> Option<&str> {
        std::str::from_utf8(self.get(code)?).ok().map(|text| text.trim_end_matches('\0'))
    }

    /// Sets the option: in its place if it is there, else after all others.
    ///
    /// # Panics
    /// If the code is 0, 52 or 255, which no option has.
    pub fn set(&mut self, code: u8, value: impl AsRef<[u8]>) {
        assert!(is_content(code), "option {code} is the layout's");
        if self.octets.capacity() == 0 {
            // At once: to grow with each option costs more than all else that is done to it.
            self.places.reserve(USUAL_COUNT);
            self.octets.reserve(USUAL_OCTETS);
        }
        // What an old value leaves behind goes with the packet.
        let start = self.octets.len();
        self.octets.extend_from_slice(value.as_ref());
        let place = Place { code, start, end: self.octets.len() };
        if !self.contains(code) {
            let (word, bit) = bit(code);
            self.present[word] |= bit;
            self.places.push(place);
        } else if let Some(old) = self.places.iter_mut().find(|place| place.code == code) {
            *old = place;
        }
    }

    /// Takes the option out, if it is there.
    pub fn remove(&mut self, code: u8) {
        let (word, bit) = bit(code);
        self.present[word] &= !bit;
        self.places.retain(|place| place.code != code);
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.places
            .iter()
            .map(|place| (place.code, self.octets.get(place.start..place.end).unwrap_or_default()))
    }

    /// Reads the options field and, where option 52 says so, the other two: in this order, as RFC 3396 5 puts them together.
    pub(super) fn parse(options: &[u8], file: &[u8], sname: &[u8]) -> Result<(Self, Overload), Malformed> {
        let mut all = Self {
            places: Vec::with_capacity(USUAL_COUNT),
            octets: Vec::with_capacity(options.len() + file.len() + sname.len()),
            present: [0; 4],
        };
        let mut joined = BTreeMap::new();
        let overload = match all.parse_field(options, &mut joined)? {
            None => Overload { file: false, sname: false },
            Some([1]) => Overload { file: true, sname: false },
            Some([2]) => Overload { file: false, sname: true },
            Some([3]) => Overload { file: true, sname: true },
            Some(_) => return Err(Malformed::Overload),
        };
        // An option 52 in these fields has nothing left to say.
        if overload.file {
            all.parse_field(file, &mut joined)?;
        }
        if overload.sname {
            all.parse_field(sname, &mut joined)?;
        }
        for (code, value) in joined {
            all.set(code, value);
        }
        Ok((all, overload))
    }

    /// Adds the options of one field, but the values of those that came in parts: these are joined apart. Gives the value of its option 52.
    fn parse_field<'a>(
        &mut self,
        mut field: &'a [u8],
        joined: &mut BTreeMap<u8, Vec<u8>>,
    ) -> Result<Option<&'a [u8]>, Malformed> {
        let mut overload = None;
        loop {
            field = match field {
                [] | [option::END, ..] => return Ok(overload),
                [option::PAD, rest @ ..] => rest,
                [code, length, rest @ ..] => {
                    let (value, rest) =
                        rest.split_at_checked(usize::from(*length)).ok_or(Malformed::Option)?;
                    match self.get(*code) {
                        _ if *code == option::OVERLOAD => overload = Some(value),
                        // RFC 3396 7
                        Some(first) => {
                            joined.entry(*code).or_insert_with(|| first.to_vec()).extend_from_slice(value);
                        }
                        None => self.set(*code, value),
                    }
                    rest
                }
                [_] => return Err(Malformed::Option),
            }
        }
    }
}

/// In their order, and however they lie in memory.
impl PartialEq for Options {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Options {}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Which of the other fields carried options.
pub(super) struct Overload {
    pub(super) file: bool,
    pub(super) sname: bool,
}

/// A code's place among the codes that are there: which word, and which bit of it.
fn bit(code: u8) -> (usize, u64) {
    (usize::from(code >> 6), 1 << (code & 63))
}

/// Options of a usual packet.
const USUAL_COUNT: usize = 24;

/// Octets of their values.
const USUAL_OCTETS: usize = 192;

pub(super) fn is_content(code: u8) -> bool {
    !matches!(code, option::PAD | option::OVERLOAD | option::END)
}
