//! External data representation (RFC 4506): everything is a multiple of four octets, the most significant first.

/// Reads from the front of octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

/// Appends to the end of octets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Writer {
    octets: Vec<u8>,
}

const UNIT_OCTETS: usize = 4;

impl<'a> Reader<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        let (first, rest) = self.rest.split_first_chunk::<UNIT_OCTETS>()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*first))
    }

    /// Opaque data or a string with its length before it (RFC 4506 4.10, 4.11). What it is filled up with nobody looks at.
    pub(crate) fn opaque(&mut self, octets_max: usize) -> Option<&'a [u8]> {
        let mut after = *self;
        let length = usize::try_from(after.u32()?).ok().filter(|length| *length <= octets_max)?;
        let filled = length.next_multiple_of(UNIT_OCTETS);
        let (data, rest) = after.rest.split_at_checked(filled)?;
        self.rest = rest;
        data.get(..length)
    }
}

impl Writer {
    pub(crate) fn u32(&mut self, number: u32) {
        self.octets.extend(number.to_be_bytes());
    }

    pub(crate) fn u32s(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.u32(*number);
        }
    }

    pub(crate) fn bool(&mut self, truth: bool) {
        self.u32(u32::from(truth));
    }

    /// Opaque data or a string, with its length before it.
    pub(crate) fn opaque(&mut self, data: &[u8]) {
        self.u32(u32::try_from(data.len()).expect("no message has 4 GiB"));
        self.octets.extend_from_slice(data);
        self.octets.resize(self.octets.len().next_multiple_of(UNIT_OCTETS), 0);
    }

    pub(crate) fn append(&mut self, other: &Self) {
        self.octets.extend_from_slice(&other.octets);
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    pub(crate) fn into_octets(self) -> Vec<u8> {
        self.octets
    }
}
