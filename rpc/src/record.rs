//! Record marking (RFC 5531 11): how messages are told apart in a stream.

/// Puts the messages of a stream together, however it is cut. What it holds is bounded.
#[derive(Debug)]
pub struct Records {
    /// Octets of the longest message.
    octets_max: usize,
    /// What came and is no whole message yet, with the marks of its fragments.
    received: Vec<u8>,
}

/// No client of ours sends so long a message, or so many pieces of nothing: the connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

const MARK_OCTETS: usize = 4;
/// Set in the mark of a message's last fragment; the other bits are the fragment's length.
const LAST: u32 = 1 << 31;
/// Pieces of the longest message, if they are all of one size; clients send calls in one.
const PIECES_MAX: usize = 41;

impl Records {
    /// Puts together messages of so many octets at most. Nothing is kept for it before it comes.
    pub fn new(octets_max: usize) -> Self {
        Self { octets_max, received: Vec::new() }
    }

    /// How many octets [`Records::push`] may be given now.
    pub fn room(&self) -> usize {
        self.octets_max + PIECES_MAX * MARK_OCTETS - self.received.len()
    }

    /// Takes what came next, at most [`Records::room`] octets.
    pub fn push(&mut self, octets: &[u8]) {
        debug_assert!(octets.len() <= self.room(), "more than was asked for");
        self.received.extend_from_slice(octets);
    }

    /// Whether something came that is no whole message yet.
    pub fn is_in_mid_message(&self) -> bool {
        !self.received.is_empty()
    }

    /// The next whole message.
    ///
    /// # Errors
    /// [`TooLong`], and again whenever it is asked.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        let mut message = Vec::new();
        let mut rest = self.received.as_slice();
        while let Some((mark, after)) = rest.split_first_chunk::<MARK_OCTETS>() {
            let mark = u32::from_be_bytes(*mark);
            let length = usize::try_from(mark & !LAST).unwrap_or(usize::MAX);
            if length > self.octets_max - message.len() {
                return Err(TooLong);
            }
            let Some((fragment, after)) = after.split_at_checked(length) else { break };
            message.extend_from_slice(fragment);
            rest = after;
            if mark & LAST != 0 {
                let taken = self.received.len() - rest.len();
                self.received.drain(..taken);
                if self.received.is_empty() {
                    // Between its calls a client costs no memory.
                    self.received = Vec::new();
                }
                return Ok(Some(message));
            }
        }
        if self.room() == 0 { Err(TooLong) } else { Ok(None) }
    }
}

/// A message, or a piece of one, with its mark.
///
/// # Panics
/// It has 2 GiB.
pub fn mark(fragment: &[u8], last: bool) -> Vec<u8> {
    let length = u32::try_from(fragment.len()).expect("pieces are small");
    debug_assert!(length < LAST, "the highest bit says something else");
    let mark = if last { length | LAST } else { length };
    [&mark.to_be_bytes(), fragment].concat()
}

#[cfg(test)]
mod tests;
