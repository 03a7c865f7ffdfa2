//! What goes into a machine and what comes out: the whole contract.

use crate::frame::Frame;
use heorot_core::mac::Mac;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// What kind of machine it is: firmware, loader, and what is wrong with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// UEFI (EDK2) that loads iPXE, which loads the rest.
    Edk2,
    /// A BIOS with an iPXE ROM.
    Ipxe,
    /// A BIOS with a ROM by the PXE specification that loads PXELINUX.
    Pxelinux,
    /// UEFI that loads GRUB, which never repeats an ACK.
    Grub,
    /// UEFI that loads shim, which loads GRUB in blocks of 512.
    Shim,
    /// A BIOS ROM of about 1 s and 5 tries, and then dead, that loads PXELINUX.
    IntelBios,
    /// A Raspberry Pi.
    RaspberryPi,
    /// As [`Kind::IntelBios`], and never acknowledges a last block.
    NoLastAck,
    /// UEFI (EDK2) that boots iPXE by HTTP, which loads the rest by HTTP.
    UefiHttp,
    /// A BIOS with an iPXE ROM that loads all by HTTP.
    IpxeHttp,
    /// As [`Kind::Pxelinux`], and asks for its boot file by no name at all, or by `NAME\xff`.
    OddNames,
}

/// Everything that makes one machine this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// What it is.
    pub kind: Kind,
    /// Its hardware address.
    pub mac: Mac,
    /// From power-on to its first packet.
    pub rom_delay: Duration,
    /// Its share of chance: transaction numbers, jitter of its timers.
    pub seed: u64,
    /// What its loader loads after the boot file, if no file that the server made for it says so.
    pub files: Vec<String>,
    /// Whether it goes on after its image is loaded: so long later its agent runs, asks what to do, reports and comes up.
    pub agent_after: Option<Duration>,
    /// What its system reads of its root by NFS before it is up. Nothing: its root is in memory.
    pub root_octets: u64,
}

/// What happens to a machine.
#[derive(Debug)]
pub enum Input<'a> {
    /// It is switched on, or reset: all that it knew is gone.
    PowerOn,
    /// It is switched off.
    PowerOff,
    /// A frame came to its interface: for its hardware address or for everybody.
    Frame(&'a Frame),
    /// The answer to [`Output::Ask`], or to [`Output::Fetch`] if no file follows it.
    Answer {
        /// HTTP status.
        status: u16,
        /// The body.
        body: &'a str,
    },
    /// The head of the answer to [`Output::Fetch`]: a file of so many octets follows, in segments of this stream.
    Begins {
        /// The server's name for it.
        stream: u64,
        /// Its size.
        octets: u64,
    },
    /// The moment of `next_wakeup` has come.
    Wakeup,
}

/// What a machine does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// It sends this frame.
    Send(Frame),
    /// It asks by HTTP, which is carried by TCP: answered by [`Input::Answer`], or never.
    Ask(Ask),
    /// It asks for a file by HTTP: answered by [`Input::Begins`] and frames, by [`Input::Answer`], or never.
    Fetch(Ask),
    /// Something happened that people want to see.
    Told(Told),
}

/// An HTTP request: POST if there is a body, else GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The address it asks from.
    pub from: Ipv4Addr,
    /// Whom it asks.
    pub to: SocketAddrV4,
    /// The path, with its leading slash.
    pub path: String,
    /// What is posted.
    pub body: Option<String>,
}

/// Something that happened to a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It goes on to another stage: `dhcp`, `loader`, `kernel`, ...
    Stage(&'static str),
    /// It has this address.
    Address(Ipv4Addr),
    /// The first DATA of this boot came.
    FirstData,
    /// A file has come whole.
    File {
        /// Its name.
        name: String,
        /// Its size.
        octets: u64,
        /// Octets of its blocks.
        block_octets: u16,
    },
    /// A timer of its own ran out, and it repeats itself.
    Retry,
    /// All that it loads has come.
    Loaded,
    /// Its agent was told that it is this number.
    Number(u32),
    /// Its agent has reported that it is up.
    Up,
    /// It gave up, and stays dead until somebody comes: why.
    Lost(String),
}
