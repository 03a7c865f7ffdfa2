//! What a transfer runs with.

use super::Note;
use crate::limit::{TFTP_BLOCK_OCTETS_MAX, TFTP_WINDOW_BLOCKS_MAX};
use crate::wire::tftp::{self, Agreed, Mode};

/// What a client asked for, within our bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) mode: Mode,
    pub(super) block_octets: u16,
    pub(super) window_blocks: u16,
    pub(super) timeout_seconds: Option<u8>,
    pub(super) block_octets_asked: bool,
    pub(super) window_blocks_asked: bool,
    pub(super) size_asked: bool,
}

impl Terms {
    /// What we agree to of what was asked for, where the way takes blocks of so many octets.
    pub(super) fn of(mode: Mode, options: &tftp::Options, block_octets_max: u16) -> Self {
        Self {
            mode,
            // RFC 2348: no more than was asked for. Without the option it is 512 (RFC 1350 2), whatever the way takes.
            block_octets: options.block_octets.map_or(512, |octets| octets.min(block_octets_max)),
            window_blocks: options.window_blocks.unwrap_or(1).min(TFTP_WINDOW_BLOCKS_MAX),
            timeout_seconds: options.timeout_seconds,
            block_octets_asked: options.block_octets.is_some(),
            window_blocks_asked: options.window_blocks.is_some(),
            size_asked: options.size,
        }
    }

    /// What was agreed to before a restart. None if we never agree to such things.
    pub(super) fn of_note(note: &Note) -> Option<Self> {
        let timeout_seconds = match note.timeout_milliseconds {
            None => None,
            Some(milliseconds) => {
                Some(u8::try_from(milliseconds / 1000).ok().filter(|seconds| *seconds > 0)?)
            }
        };
        let possible = (8..=TFTP_BLOCK_OCTETS_MAX).contains(&note.block_octets)
            && (1..=TFTP_WINDOW_BLOCKS_MAX).contains(&note.window_blocks);
        possible.then_some(Self {
            mode: Mode::Octet, // No text is noted.
            block_octets: note.block_octets,
            window_blocks: note.window_blocks,
            timeout_seconds,
            block_octets_asked: note.block_octets_asked,
            window_blocks_asked: note.window_blocks_asked,
            size_asked: note.size_asked,
        })
    }

    /// Whether they are what may come of what was asked for: windows may be smaller.
    pub(super) fn is_within(&self, asked: &Self) -> bool {
        *self == Self { window_blocks: self.window_blocks, ..*asked }
            && self.window_blocks <= asked.window_blocks
    }

    /// Whether an OACK is due.
    pub(super) fn any_asked(&self) -> bool {
        self.block_octets_asked
            || self.window_blocks_asked
            || self.size_asked
            || self.timeout_seconds.is_some()
    }

    /// What the OACK says of a file of this size.
    pub(super) fn agreed(&self, size: u64) -> Agreed {
        Agreed {
            block_octets: self.block_octets_asked.then_some(self.block_octets),
            size: self.size_asked.then_some(size),
            timeout_seconds: self.timeout_seconds,
            window_blocks: self.window_blocks_asked.then_some(self.window_blocks),
        }
    }
}
