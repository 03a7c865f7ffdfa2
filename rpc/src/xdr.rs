//! External data representation (RFC 4506): everything is a multiple of four octets, the most significant first.

/// Reads from the front of octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// Appends to the end of octets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer {
    octets: Vec<u8>,
}

const UNIT_OCTETS: usize = 4;

impl<'a> Reader<'a> {
    /// Of these.
    pub fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// An unsigned integer (RFC 4506 4.2).
    pub fn u32(&mut self) -> Option<u32> {
        let (first, rest) = self.rest.split_first_chunk::<UNIT_OCTETS>()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*first))
    }

    /// An unsigned hyper integer (RFC 4506 4.5).
    pub fn u64(&mut self) -> Option<u64> {
        let (first, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u64::from_be_bytes(*first))
    }

    /// Opaque data or a string with its length before it (RFC 4506 4.10, 4.11). What it is filled up with nobody looks at.
    pub fn opaque(&mut self, octets_max: usize) -> Option<&'a [u8]> {
        let mut after = *self;
        let length = usize::try_from(after.u32()?).ok().filter(|length| *length <= octets_max)?;
        let filled = length.next_multiple_of(UNIT_OCTETS);
        let (data, rest) = after.rest.split_at_checked(filled)?;
        self.rest = rest;
        data.get(..length)
    }
}

impl Writer {
    /// An unsigned integer (RFC 4506 4.2).
    pub fn u32(&mut self, number: u32) {
        self.octets.extend(number.to_be_bytes());
    }

    /// An unsigned hyper integer (RFC 4506 4.5).
    pub fn u64(&mut self, number: u64) {
        self.octets.extend(number.to_be_bytes());
    }

    /// Several unsigned integers.
    pub fn u32s(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.u32(*number);
        }
    }

    /// A truth (RFC 4506 4.4).
    pub fn bool(&mut self, truth: bool) {
        self.u32(u32::from(truth));
    }

    /// Opaque data or a string, with its length before it.
    ///
    /// # Panics
    /// It has 4 GiB.
    pub fn opaque(&mut self, data: &[u8]) {
        self.u32(u32::try_from(data.len()).expect("no message has 4 GiB"));
        self.octets.extend_from_slice(data);
        self.octets.resize(self.octets.len().next_multiple_of(UNIT_OCTETS), 0);
    }

    /// Octets as they are, which fill whole units.
    pub fn fixed(&mut self, data: &[u8]) {
        debug_assert!(data.len().is_multiple_of(UNIT_OCTETS), "what follows would stand askew");
        self.octets.extend_from_slice(data);
    }

    /// Writes another number in the place of one that was written before.
    ///
    /// # Panics
    /// Nothing stands there yet.
    pub fn put_u32(&mut self, at: usize, number: u32) {
        self.octets[at..at + UNIT_OCTETS].copy_from_slice(&number.to_be_bytes());
    }

    /// Goes on after what another one has written.
    pub fn append(&mut self, other: &Self) {
        self.octets.extend_from_slice(&other.octets);
    }

    /// Takes back all that was written behind this place.
    pub fn truncate(&mut self, octets: usize) {
        self.octets.truncate(octets);
    }

    /// What was written.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// What was written.
    pub fn into_octets(self) -> Vec<u8> {
        self.octets
    }
}
