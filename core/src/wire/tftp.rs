//! TFTP packets: RFC 1350, options of RFC 2347, 2348 (blksize), 2349 (tsize, timeout) and 7440 (windowsize).
//!
//! [`Packet::parse`] reads what clients send, the functions below it write what the server sends: OACK, ERROR, and the head of DATA.

use crate::limit::{TFTP_DATAGRAM_OCTETS_MAX, TFTP_NAME_OCTETS_MAX, TFTP_TEXT_OCTETS_MAX};
use std::fmt;

/// A packet from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// RRQ: it wants a file.
    Read(ReadRequest),
    /// RRQ in a mode that is none: mail is long gone (RFC 1350 1), others never were.
    ReadOtherMode,
    /// RRQ with a name longer than any file's here ([`TFTP_NAME_OCTETS_MAX`]).
    ReadLongName,
    /// RRQ that is cut off: a string of it does not end, or an option has no value (RFC 1350 5, RFC 2347: each ends with a zero octet).
    ReadCutOff,
    /// WRQ: it wants to leave a file.
    Write,
    /// DATA or OACK: only servers that are read from send these.
    OfAServer,
    /// ACK of the block with this number.
    Acknowledge(u16),
    /// ERROR: the client ends its transfer.
    Error {
        /// What kind: 8 is "options not agreed", also sent by firmware that asked for the size alone.
        code: u16,
        /// In words, cut to [`TFTP_TEXT_OCTETS_MAX`].
        text: String,
    },
}

/// A wish to read a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// The file, as it was asked for; without the octets 255 and the blanks that some firmware leaves at its end. What is no UTF-8 is replaced, and so names no file.
    pub name: String,
    /// As what it is to come.
    pub mode: Mode,
    /// The options that are known and well-formed.
    pub options: Options,
}

/// As what a file comes (RFC 1350 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// As it is.
    #[default]
    Octet,
    /// As a text of a terminal (RFC 764): each line ends in CR LF, and a CR of the file itself is followed by a zero.
    Netascii,
}

/// Options of a request. One that is unknown, or whose value is none, was not asked for (RFC 2347: it is omitted from the OACK).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Octets of a block: 8 to 65464.
    pub block_octets: Option<u16>,
    /// Whether the file's size is wanted.
    pub size: bool,
    /// Seconds after which the server shall repeat: 1 to 255.
    pub timeout_seconds: Option<u8>,
    /// Blocks in a window: 1 to 65535.
    pub window_blocks: Option<u16>,
}

/// What an OACK agrees to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// Octets of a block: no more than were asked for.
    pub block_octets: Option<u16>,
    /// Octets of the file.
    pub size: Option<u64>,
    /// Seconds after which the server repeats: exactly what was asked for.
    pub timeout_seconds: Option<u8>,
    /// Blocks in a window: no more than were asked for.
    pub window_blocks: Option<u16>,
}

/// Why a datagram is no packet of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Malformed {
    /// It ends before its operation or number does.
    Short,
    /// It is longer than any client's packet ([`TFTP_DATAGRAM_OCTETS_MAX`]).
    Long,
    /// No operation has this number.
    Operation,
}

/// Error codes of RFC 1350 and 2347.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// 0: see the text.
    Other = 0,
    /// 1: there is no such file.
    NotFound = 1,
    /// 2: the file may not be read, or not be written.
    Denied = 2,
    /// 4: no such operation here.
    Illegal = 4,
    /// 5: no such transfer.
    UnknownTransfer = 5,
}

/// ERROR "options not agreed" (RFC 2347), which firmware sends after an OACK that told it the file's size.
pub const OPTIONS_REFUSED: u16 = 8;

impl Packet {
    /// Understands a datagram, or says why it is none of a client's.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > TFTP_DATAGRAM_OCTETS_MAX {
            // Its name may be why.
            let name = bytes.strip_prefix(&[0, 1]).and_then(string);
            return match name {
                Some((name, _)) if is_long(without_rest(name)) => Ok(Self::ReadLongName),
                Some(_) | None => Err(Malformed::Long),
            };
        }
        let (operation, rest) = bytes.split_first_chunk::<2>().ok_or(Malformed::Short)?;
        match u16::from_be_bytes(*operation) {
            1 => Ok(read_request(rest).unwrap_or(Self::ReadCutOff)),
            2 => Ok(Self::Write),
            3 | 6 => Ok(Self::OfAServer),
            4 => number(rest).map(|(block, _)| Self::Acknowledge(block)),
            5 => number(rest).map(|(code, text)| Self::Error { code, text: error_text(text) }),
            _ => Err(Malformed::Operation),
        }
    }
}

/// An OACK. Values are written as RFC 2347 has them: in decimal, without padding; some clients take nothing else.
pub fn option_ack(agreed: &Agreed) -> Vec<u8> {
    let values = [
        ("blksize", agreed.block_octets.map(u64::from)),
        ("tsize", agreed.size),
        ("timeout", agreed.timeout_seconds.map(u64::from)),
        ("windowsize", agreed.window_blocks.map(u64::from)),
    ];
    let mut bytes = vec![0, 6];
    for (name, value) in values {
        if let Some(value) = value {
            bytes.extend(format!("{name}\0{value}\0").bytes());
        }
    }
    bytes
}

/// An ERROR. The text is cut to [`TFTP_TEXT_OCTETS_MAX`] and to its first zero.
pub fn error(code: ErrorCode, text: &str) -> Vec<u8> {
    let text = text.split('\0').next().unwrap_or_default();
    let mut bytes = vec![0, 5];
    bytes.extend((code as u16).to_be_bytes());
    let end =
        (0..=text.len().min(TFTP_TEXT_OCTETS_MAX)).rfind(|end| text.is_char_boundary(*end)).unwrap_or(0);
    bytes.extend(text[..end].bytes());
    bytes.push(0);
    bytes
}

/// The four octets before a block's content.
pub fn data_head(block: u64) -> [u8; 4] {
    let [high, low] = wire_number(block).to_be_bytes();
    [0, 3, high, low]
}

/// A block's number on the wire: counted from 1 without end, it goes back to 0 after 65535.
pub fn wire_number(block: u64) -> u16 {
    let [.., high, low] = block.to_be_bytes();
    u16::from_be_bytes([high, low])
}

/// What a request wants. None: it is cut off.
fn read_request(bytes: &[u8]) -> Option<Packet> {
    let (name, rest) = string(bytes)?;
    let name = without_rest(name);
    if is_long(name) {
        return Some(Packet::ReadLongName);
    }
    let (mut mode, mut rest) = string(rest)?;
    // A name in a field of fixed size is filled up with zeros.
    while mode.is_empty() && !rest.is_empty() {
        (mode, rest) = string(rest)?;
    }
    let mut options = Options::default();
    while !rest.is_empty() {
        let (option, after) = string(rest)?;
        if option.is_empty() {
            // Padding: a request of fixed size.
            rest = after;
            continue;
        }
        let (value, after) = string(after)?;
        options.take(option, value);
        rest = after;
    }
    // RFC 1350 5: modes, as options (RFC 2347), come in any mixture of cases.
    let mode = match mode.to_ascii_lowercase().as_slice() {
        b"octet" => Mode::Octet,
        b"netascii" => Mode::Netascii,
        _ => return Some(Packet::ReadOtherMode),
    };
    Some(Packet::Read(ReadRequest { name: String::from_utf8_lossy(name).into_owned(), mode, options }))
}

/// A name without what some firmware leaves at its end.
fn without_rest(name: &[u8]) -> &[u8] {
    let is_rest = |octet: &u8| *octet == 0xff || octet.is_ascii_whitespace();
    &name[..name.iter().rposition(|octet| !is_rest(octet)).map_or(0, |last| last + 1)]
}

fn is_long(name: &[u8]) -> bool {
    name.len() > TFTP_NAME_OCTETS_MAX
}

impl Options {
    /// Whether any was asked for, so that an OACK is due.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// Takes one option of a request. RFC 2347 has each come once; the first counts.
    fn take(&mut self, option: &[u8], value: &[u8]) {
        let Some(value) = decimal(value) else { return };
        if option.eq_ignore_ascii_case(b"blksize") {
            let octets = u16::try_from(value).ok().filter(|octets| (8..=65464).contains(octets));
            self.block_octets = self.block_octets.or(octets);
        } else if option.eq_ignore_ascii_case(b"tsize") {
            self.size = true;
        } else if option.eq_ignore_ascii_case(b"timeout") {
            let seconds = u8::try_from(value).ok().filter(|seconds| *seconds > 0);
            self.timeout_seconds = self.timeout_seconds.or(seconds);
        } else if option.eq_ignore_ascii_case(b"windowsize") {
            let blocks = u16::try_from(value).ok().filter(|blocks| *blocks > 0);
            self.window_blocks = self.window_blocks.or(blocks);
        }
    }
}

impl Malformed {
    /// A short word that stays the same: the name of its counter.
    pub fn word(self) -> &'static str {
        match self {
            Self::Short => "tftp-short",
            Self::Long => "tftp-long",
            Self::Operation => "tftp-operation",
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "shorter than its operation needs",
            Self::Long => "longer than any client's packet",
            Self::Operation => "an operation that TFTP does not have",
        })
    }
}

impl std::error::Error for Malformed {}

/// A zero-terminated string and what follows it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|octet| *octet == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

fn number(bytes: &[u8]) -> Result<(u16, &[u8]), Malformed> {
    let (octets, rest) = bytes.split_first_chunk::<2>().ok_or(Malformed::Short)?;
    Ok((u16::from_be_bytes(*octets), rest))
}

/// Digits alone: `parse` would take a plus sign.
fn decimal(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
    text.parse().ok()
}

/// An error's text need not end: it is for people.
fn error_text(bytes: &[u8]) -> String {
    let text = bytes.split(|octet| *octet == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(&text[..text.len().min(TFTP_TEXT_OCTETS_MAX)]);
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests;
