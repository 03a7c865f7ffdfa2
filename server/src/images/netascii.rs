//! Files as texts of a terminal: netascii (RFC 1350 1, RFC 764).
//!
//! A line's end, LF here, is CR LF there, and a CR of the file itself is CR and a zero. What is sent is longer than the file: it is counted when the file is opened, so that the
//! client is told the right size, and where each chunk begins is kept, so that any of them can be made again without those before it. No more than a chunk is in memory.

use heorot_core::limit::CHUNK_OCTETS;
use std::io;

/// Octets of the largest file that is sent as a text: it is read whole when it is opened, octet by octet, which takes a thread a millisecond or two. Texts are small; images
/// come in mode octet.
pub(super) const FILE_OCTETS_MAX: u64 = 1 << 20;

/// Octets of a file that are read at a time.
const PIECE_OCTETS: usize = 64 * 1024;

/// A file as a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// Octets of the whole text.
    pub(super) octets: u64,
    /// Where each chunk of the text begins.
    chunks: Vec<Start>,
}

/// Where a chunk of the text begins: with this octet of the file, or with the second of the two that it becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Start {
    octet: u64,
    in_pair: bool,
}

/// What an octet of the file becomes.
fn sent(octet: u8) -> ([u8; 2], usize) {
    match octet {
        b'\n' => (*b"\r\n", 2),
        b'\r' => (*b"\r\0", 2),
        other => ([other, 0], 1),
    }
}

impl Text {
    /// Reads a file of so many octets through and counts. `read` fills a buffer from a place in the file on.
    pub(super) fn count(
        file_octets: u64,
        read: impl Fn(&mut [u8], u64) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut text = Self::default();
        let mut buffer = vec![0; PIECE_OCTETS];
        let mut place = 0;
        while place < file_octets {
            let piece = piece(&mut buffer, file_octets - place);
            read(piece, place)?;
            for octet in &*piece {
                for half in 0..sent(*octet).1 {
                    if text.octets.is_multiple_of(CHUNK_OCTETS) {
                        text.chunks.push(Start { octet: place, in_pair: half == 1 });
                    }
                    text.octets += 1;
                }
                place += 1;
            }
        }
        Ok(text)
    }

    /// A chunk of the text; none, if it has no such chunk.
    pub(super) fn chunk(
        &self,
        chunk: u64,
        file_octets: u64,
        read: impl Fn(&mut [u8], u64) -> io::Result<()>,
    ) -> Option<io::Result<Vec<u8>>> {
        let start = *self.chunks.get(usize::try_from(chunk).ok()?)?;
        let octets = usize::try_from(CHUNK_OCTETS.min(self.octets - chunk * CHUNK_OCTETS)).ok()?;
        Some(make(start, octets, file_octets, read))
    }
}

/// So many octets of the text, from a place on.
fn make(
    start: Start,
    octets: usize,
    file_octets: u64,
    read: impl Fn(&mut [u8], u64) -> io::Result<()>,
) -> io::Result<Vec<u8>> {
    let mut made = Vec::with_capacity(octets + 2);
    let mut buffer = vec![0; PIECE_OCTETS];
    let mut place = start.octet;
    while made.len() < octets + usize::from(start.in_pair) && place < file_octets {
        let piece = piece(&mut buffer, file_octets - place);
        read(piece, place)?;
        place += piece.len() as u64;
        for octet in &*piece {
            let (pair, count) = sent(*octet);
            made.extend_from_slice(&pair[..count]);
        }
    }
    made.drain(..usize::from(start.in_pair));
    made.truncate(octets);
    Ok(made)
}

/// A text that is in memory whole.
pub(super) fn converted(text: &[u8]) -> Vec<u8> {
    text.iter()
        .flat_map(|octet| {
            let (pair, count) = sent(*octet);
            pair.into_iter().take(count)
        })
        .collect()
}

fn piece(buffer: &mut [u8], left: u64) -> &mut [u8] {
    let octets = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
    &mut buffer[..octets]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 764: CR LF is the end of a line, CR NUL a CR. Every chunk can be made without the others, and together they are the whole.
    #[test]
    fn chunks_are_the_text_in_pieces() {
        let chunk = usize::try_from(CHUNK_OCTETS).unwrap();
        let plain = |count: usize| vec![b'a'; count];
        let table: [(&str, Vec<u8>, Vec<u8>); 7] = [
            ("nothing", vec![], vec![]),
            ("plain", b"abc".to_vec(), b"abc".to_vec()),
            ("lines", b"a\nb\n".to_vec(), b"a\r\nb\r\n".to_vec()),
            ("a CR", b"a\rb\r\n".to_vec(), b"a\r\0b\r\0\r\n".to_vec()),
            ("a whole chunk", plain(chunk), plain(chunk)),
            (
                "a pair on the border",
                [plain(chunk - 1), b"\nb".to_vec()].concat(),
                [plain(chunk - 1), b"\r\nb".to_vec()].concat(),
            ),
            ("ends only", vec![b'\n'; chunk + 7], b"\r\n".repeat(chunk + 7)),
        ];
        for (what, file, expected) in table {
            let read = |room: &mut [u8], at: u64| {
                let at = usize::try_from(at).unwrap();
                room.copy_from_slice(&file[at..at + room.len()]);
                Ok(())
            };
            let octets = file.len() as u64;
            let text = Text::count(octets, read).unwrap();
            assert_eq!(text.octets, expected.len() as u64, "{what}");
            let made: Vec<u8> =
                (0..).map_while(|n| text.chunk(n, octets, read)).flat_map(Result::unwrap).collect();
            assert!(made == expected, "{what}");
            assert_eq!(converted(&file), expected, "{what}");
            let last = text.chunks.len().saturating_sub(1) as u64;
            let tail = text.chunk(last, octets, read).map(Result::unwrap).unwrap_or_default();
            assert!(expected.ends_with(&tail), "{what}");
        }
    }
}
