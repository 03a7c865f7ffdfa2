use crate::load::{Link, Regime};
use crate::wire::tftp::Mode;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

/// What happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram came to one of our TFTP ports.
    Datagram {
        /// Which of ours.
        port: Port,
        /// Our address it was sent to.
        local: Ipv4Addr,
        /// Who sent it.
        peer: SocketAddrV4,
        /// The UDP payload.
        payload: &'a [u8],
    },
    /// The file that [`Output::Open`] asked for is open, or there is none.
    Opened {
        /// Echoed from the question.
        transfer: TransferId,
        /// What it is, or why not.
        result: Result<Opened, Refusal>,
    },
    /// The chunk that [`Output::Fetch`] asked for is in memory now. It may be forgotten again later: see [`Unsent::NotInMemory`].
    Fetched {
        /// Of which image.
        image: ImageId,
        /// Which chunk: bytes from `chunk * CHUNK_OCTETS`.
        chunk: u64,
    },
    /// The image can no longer be read, or is no longer what it was when it was opened: it was changed in place. Whoever is sent it is told why, in these words.
    Broken {
        /// Which.
        image: ImageId,
        /// Why, as a sentence for the client and the journal.
        why: String,
    },
    /// A [`Send`] could not be carried out, or only in part: nothing from `block` on left. What is not reported was sent.
    /// It may be late, if a thread of its own sends: whatever was sent meanwhile lies behind a gap, or repeats what is missing.
    Unsent {
        /// Whose it was.
        transfer: TransferId,
        /// The first block of the train that did not leave (counted from 1, not wrapped). 0 for an OACK.
        block: u64,
        /// Why.
        why: Unsent,
    },
    /// Something became of a file that goes out by TCP.
    Stream {
        /// Which.
        stream: StreamId,
        /// What.
        news: StreamNews,
    },
    /// So many octets, on the wire, went out by the interface of a link since this was told last, ours among them: the others' count against its budget.
    Carried {
        /// The link, by its place in the settings.
        link: usize,
        /// How many.
        octets: u64,
    },
    /// The links are these from now on. No transfer ends; what was measured of the old ones is forgotten.
    Configure(Vec<Link>),
    /// The moment of `next_wakeup` has come.
    Wakeup,
}

/// What is to be done, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask what this path is for this peer, and open it: answered by [`Input::Opened`].
    Open {
        /// Echoed in the answer.
        transfer: TransferId,
        /// Who asks.
        peer: SocketAddrV4,
        /// Our address that was asked.
        local: Ipv4Addr,
        /// As it was asked for, in UTF-8, without the trailing zero octet.
        path: String,
        /// As what it is to come: the size that is told back is that of what is sent.
        mode: Mode,
    },
    /// The transfer has ended that waited for this to be opened: it need not be any more. If it was already, that is answered, and closed, as ever.
    Unwanted {
        /// As in [`Self::Open`].
        transfer: TransferId,
        /// Who asked.
        peer: Ipv4Addr,
    },
    /// Send one packet or a train of blocks.
    Send(Send),
    /// So many octets more of a stream may be given to the kernel. It says [`StreamNews::Wants`] when that has taken them, and has sent nearly all that it took before.
    Grant {
        /// Which.
        stream: StreamId,
        /// How many; one at least.
        octets: u64,
    },
    /// Whether connections without an end have to ask before they send ([`StreamNews::Asks`]). At first they need not: nobody loads anything.
    Rationed(bool),
    /// Bring this chunk into memory, off the loop: answered by [`Input::Fetched`] or [`Input::Broken`].
    Fetch {
        /// Of which image.
        image: ImageId,
        /// Which chunk.
        chunk: u64,
    },
    /// This transfer needs its image no more: one `Close` for each successful [`Input::Opened`].
    Close(ImageId),
    /// Keep this where a killed server finds it when it comes back (no sync, no waiting), or forget what is kept there.
    Note {
        /// The place, below [`TRANSFERS_MAX`](crate::limit::TRANSFERS_MAX).
        slot: u32,
        /// What to keep.
        note: Option<Note>,
    },
    /// The transfer of a note has come further. As quick as a store to memory: there is one for each ACK.
    Advance {
        /// The note's place.
        slot: u32,
        /// As in the [`Note`].
        options_acknowledged: bool,
        /// As in the [`Note`].
        acknowledged: u64,
    },
    /// This peer lives: something that a TFTP client says came from it. Of a transfer that is said at most every few seconds.
    SignOfLife(Ipv4Addr),
    /// A link is used in another way from now on.
    Regime {
        /// Which, by its place in the settings.
        link: usize,
        /// How.
        regime: Regime,
    },
    /// A transfer whose file was open has ended. For the journal and the node's history. Firmware that asked for the size alone had none.
    Ended(Transfer),
}

/// One of our TFTP ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    /// Port 69, where requests come.
    Request,
    /// One of the fixed set from which all transfers are sent, by its place in the set.
    Data(u16),
}

/// Names a transfer; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransferId(pub u64);

/// Names a file that goes out by TCP: the caller's own number, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub u64);

/// What became of a file that goes out by TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamNews {
    /// It begins, and wants to send. Heads and what is short are none: they go out at once.
    Begun {
        /// To whom it goes.
        peer: Ipv4Addr,
        /// Octets of the whole.
        octets: u64,
    },
    /// A connection without an end (NFS) has so many octets more to send. It begins with the first of them. Small answers are none: they go at once.
    Asks {
        /// To whom they go.
        peer: Ipv4Addr,
        /// How many, beside those that it asked for before.
        octets: u64,
    },
    /// What was granted is with the kernel, which holds little that it has not sent: it wants more.
    Wants,
    /// The peer takes nothing: all that was sent is acknowledged, or what is not fills the last of the room that its kernel has for what nobody reads; and what else our kernel has been given
    /// stays with it. It moves again with the next [`Self::Delivered`].
    StandsStill,
    /// The peer has acknowledged more of it.
    Delivered {
        /// So many octets, since this was said last.
        octets: u64,
        /// Segments that TCP had to send again meanwhile.
        resent: u64,
    },
    /// All was delivered, or its connection is gone.
    Ended,
}

/// Names an open image: the caller's own number. Two openings of the same file may or may not have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageId(pub u64);

/// An image that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its name from now on.
    pub image: ImageId,
    /// What tells it from another file of the same path; and its size, as it is sent.
    pub identity: ImageIdentity,
}

impl Opened {
    /// Its size in octets.
    pub fn size(&self) -> u64 {
        self.identity.size
    }
}

/// What tells a file from another one that has, or will have, its path. For a generated file: made from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageIdentity {
    /// Device, inode, and when that was changed last, folded.
    pub file: u64,
    /// Octets.
    pub size: u64,
    /// Time of the last change, nanoseconds.
    pub modified: u64,
}

/// Why a file is not to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is none of this name for this machine. Error 1.
    Missing(String),
    /// It is there and may not or cannot be read. Error 2.
    Denied(String),
    /// It is there, and not to be had in the way in which it was asked for. Error 0: RFC 1350 has none for that.
    Unfit(String),
    /// It is no longer the file that the transfer began with. Error 0.
    Changed,
}

impl Refusal {
    /// In words.
    pub fn why(&self) -> &str {
        match self {
            Self::Missing(why) | Self::Denied(why) | Self::Unfit(why) => why,
            Self::Changed => "the file changed while it was sent",
        }
    }
}

/// Packets to send from one of our ports to one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// Whose it is; echoed in [`Input::Unsent`]. None: an answer that belongs to no transfer, and is not reported.
    pub transfer: Option<TransferId>,
    /// From which of our ports.
    pub port: Port,
    /// From which of our addresses.
    pub local: Ipv4Addr,
    /// To whom.
    pub peer: SocketAddrV4,
    /// What.
    pub body: Body,
}

/// What a [`Send`] sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// One packet: an OACK or an ERROR.
    Packet(Vec<u8>),
    /// DATA packets of consecutive blocks.
    Train(Block),
}

/// A train of DATA packets: `count` blocks of one image, all full but perhaps the last.
/// Block number b (from 1) carries the octets from `(b - 1) * block_octets`, as many as there are up to `block_octets`; its number on the wire is `b % 65536`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Of which image.
    pub image: ImageId,
    /// The first block's number, from 1, not wrapped.
    pub first: u64,
    /// How many blocks.
    pub count: u16,
    /// Octets of a full block.
    pub block_octets: u16,
    /// Octets of the whole image.
    pub size: u64,
}

/// Why a [`Send`] did not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// The socket is full: try again soon.
    Full,
    /// These bytes are not in memory: they have to be fetched (again).
    NotInMemory,
    /// It never can be: the packet is larger than the way takes, or the peer is out of reach.
    Impossible,
}

/// A transfer in flight, as it is kept for a restart. Fits one fixed slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// From which of our ports it is sent, by its place in the set.
    pub port: u16,
    /// Our address.
    pub local: Ipv4Addr,
    /// The client.
    pub peer: SocketAddrV4,
    /// What it asked for.
    pub path: String,
    /// The file it gets.
    pub identity: ImageIdentity,
    /// Octets of a full block.
    pub block_octets: u16,
    /// Blocks in a window.
    pub window_blocks: u16,
    /// Milliseconds before the server repeats, if the client asked for one (RFC 2349).
    pub timeout_milliseconds: Option<u32>,
    /// Whether the client asked for a block size: the OACK says again what was asked for, and nothing else.
    pub block_octets_asked: bool,
    /// Whether the client asked for a window.
    pub window_blocks_asked: bool,
    /// Whether the client asked for the file's size.
    pub size_asked: bool,
    /// Whether the client acknowledged the OACK, with block 0. True as well if none is due.
    pub options_acknowledged: bool,
    /// The last block that the client acknowledged, from 0, not wrapped.
    pub acknowledged: u64,
}

impl Note {
    /// The transfer has come further.
    pub fn advance(&mut self, options_acknowledged: bool, acknowledged: u64) {
        (self.options_acknowledged, self.acknowledged) = (options_acknowledged, acknowledged);
    }
}

/// A transfer that has ended, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The client.
    pub peer: SocketAddrV4,
    /// What it asked for. By HTTP, as it is written in the boot directory.
    pub path: String,
    /// What of it, if not all: by HTTP alone.
    pub part: Option<Part>,
    /// By what.
    pub by: Protocol,
    /// Octets acknowledged. By HTTP, of a part, those before it too.
    pub octets: u64,
    /// Packets that had to be sent again.
    pub resent: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// From its first octet to the one after its last.
    pub octets: Range<u64>,
    /// Octets of the whole file.
    pub size: u64,
}

/// By what a file goes to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// By UDP, block by block.
    Tftp,
    /// By TCP, or by TLS on that.
    Http,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tftp => "TFTP",
            Self::Http => "HTTP",
        })
    }
}

/// How a transfer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The last block was acknowledged.
    Complete,
    /// All was sent, and the last block was not acknowledged: some clients never do, and an ACK may be lost.
    Unconfirmed,
    /// This came in between, on the way or here.
    Failed(String),
    /// The client left it, and wants something else: it said so, or asked anew.
    Left(String),
    /// The client broke off its connection without a word, as HTTP has none for that: it cannot take the file, or wants another part of it (GRUB does, many times for one kernel).
    BrokenOff(String),
}
