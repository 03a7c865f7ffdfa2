//! What happens to a transfer, and what it does about it.

use super::super::{Block, Opened, Refusal, Unsent};
use crate::wire::tftp::ErrorCode;

/// What happened to a transfer.
#[derive(Debug)]
pub(in crate::transfer) enum Event<'a> {
    /// The file is open, or is not to be had.
    Opened(Result<Opened, Refusal>),
    /// ACK with this number.
    Acknowledged(u16),
    /// ERROR from the client.
    Aborted { code: u16, text: &'a str },
    /// The same request came again.
    AskedAgain,
    /// Nothing from this block on left.
    Unsent { block: u64, why: Unsent },
    /// The chunks it waited for are in memory.
    InMemory,
    /// The image can no longer be read.
    Broken(&'a str),
    /// The moment of [`Flight::wake`] has come.
    Due,
}

impl Event<'_> {
    /// Whether it is a packet of the client.
    pub(in crate::transfer) const fn is_of_the_client(&self) -> bool {
        match self {
            Self::Acknowledged(_) | Self::Aborted { .. } | Self::AskedAgain => true,
            Self::Opened(_) | Self::Unsent { .. } | Self::InMemory | Self::Broken(_) | Self::Due => false,
        }
    }
}

/// What a transfer does about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::transfer) enum Step {
    /// Nothing now. Perhaps it wants to send: then it is to be granted its turn.
    Wait,
    /// Send this OACK. Only when it is its turn.
    Offer(Vec<u8>),
    /// Send these blocks. Only when it is its turn.
    Send(Block),
    /// Wait for these octets of the image, from the first to the last.
    Fetch(Opened, u64, u64),
    /// The machine was reset: this transfer ends and a new one begins for the same request.
    Reset,
    /// It ends.
    End(End),
}

/// How a transfer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::transfer) enum End {
    /// The last block was acknowledged.
    Complete,
    /// There never was a transfer: the client wanted the size alone, or left before the file was open.
    Quiet,
    /// All was sent, and nobody said that it came.
    Unconfirmed,
    /// It ends for this reason.
    Failed(String),
    /// The client left it, for this reason.
    Left(String),
    /// It ends for this reason, and the client is told.
    Refused(ErrorCode, String),
}

impl Step {
    /// The file is not to be had, and the client is told why.
    pub(super) fn refused(refusal: Refusal) -> Self {
        Self::End(match refusal {
            Refusal::Missing(why) => End::Refused(ErrorCode::NotFound, why),
            Refusal::Denied(why) => End::Refused(ErrorCode::Denied, why),
            Refusal::Unfit(why) => End::Refused(ErrorCode::Other, why),
            Refusal::Changed => End::Refused(ErrorCode::Other, Refusal::Changed.why().into()),
        })
    }
}
