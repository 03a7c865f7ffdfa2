//! Octets of an image for a thread that sends them: as they were when they were handed over, though the image is closed or its chunks give way meanwhile.

use super::{pieces, slice};
use heorot_core::limit::CHUNK_OCTETS;
use std::ops::Range;
use std::sync::Arc;

/// What of an image a train is made of, by counted references.
#[derive(Debug)]
pub(crate) enum Retained {
    /// Of an empty train, or of a packet that is none.
    Nothing,
    /// All of a generated file.
    Whole(Arc<[u8]>),
    /// Chunks from this one on. Nearly every train lies in one chunk, and nothing is allocated for it.
    Chunks { number: u64, first: Arc<[u8]>, further: Vec<Arc<[u8]>> },
}

impl Retained {
    pub(super) fn whole(text: &Arc<[u8]>) -> Self {
        Self::Whole(Arc::clone(text))
    }

    /// What there is of a range, up to the first chunk that is missing; and where that is.
    pub(super) fn chunks<'a>(range: Range<u64>, get: impl Fn(u64) -> Option<&'a Arc<[u8]>>) -> (Self, u64) {
        if range.is_empty() {
            return (Self::Nothing, range.end);
        }
        let (number, last) = (range.start / CHUNK_OCTETS, (range.end - 1) / CHUNK_OCTETS);
        let Some(first) = get(number) else { return (Self::Nothing, range.start) };
        let further: Vec<_> = (number + 1..=last).map_while(&get).map(Arc::clone).collect();
        let end = (number + 1 + further.len() as u64) * CHUNK_OCTETS;
        (Self::Chunks { number, first: Arc::clone(first), further }, end.min(range.end))
    }

    /// The octets of a part of it, as of [`Images::octets`](super::Images::octets).
    pub(crate) fn octets(&self, range: Range<u64>) -> Option<[&[u8]; 2]> {
        match self {
            Self::Nothing => range.is_empty().then_some([&[], &[]]),
            Self::Whole(text) => Some([slice(text, range, 0)?, &[]]),
            Self::Chunks { number, first, further } => pieces(range, |chunk| {
                match usize::try_from(chunk.checked_sub(*number)?).ok()?.checked_sub(1) {
                    None => Some(first),
                    Some(place) => further.get(place).map(|octets| &**octets),
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_of_a_range_is_kept_and_where_it_ends_is_told() {
        const C: u64 = CHUNK_OCTETS;
        let chunks: Vec<Arc<[u8]>> = (1..4).map(|octet| vec![octet; C as usize].into()).collect();
        let keep = |range| Retained::chunks(range, |chunk| chunks.get(chunk as usize));
        for (range, end) in [
            (0..0, 0),
            (C..C, C),
            (0..1, 1),
            (5..C, C),
            (C - 1..C + 1, C + 1),
            (1..3 * C, 3 * C),
            (1..4 * C, 3 * C),
            (3 * C..3 * C + 1, 3 * C),
        ] {
            assert_eq!(keep(range.clone()).1, end, "{range:?}");
        }
        let (kept, _) = keep(C - 2..4 * C);
        assert_eq!(kept.octets(C - 2..C + 1).unwrap(), [&[1, 1][..], &[2]]);
        assert_eq!(kept.octets(2 * C..2 * C + 1).unwrap(), [&[3][..], &[]]);
        assert_eq!(kept.octets(3 * C - 1..3 * C + 1), None);
        assert_eq!(kept.octets(7..7), Some([&[][..], &[]]));
        let text = Retained::whole(&chunks[0]);
        assert_eq!(text.octets(3..5).unwrap(), [&[1, 1][..], &[]]);
    }
}
