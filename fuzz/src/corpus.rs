//! A corpus in one file: of each input the length in two octets (network order), and its octets. A thousand inputs of some dozen octets each are
//! no thousand files.

/// The inputs in a file.
pub fn inputs(mut packed: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = packed.split_first_chunk::<2>()?;
        let (input, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        packed = rest;
        Some(input)
    })
}
