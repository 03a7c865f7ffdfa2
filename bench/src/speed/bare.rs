//! The least that a TFTP server can do: a loop that takes what has come, finds the next blocks in memory, and sends them, in batches.
//!
//! It knows no client and no time: the number in an ACK is all that it needs, because the file has fewer than 65536 blocks and nothing is lost. Windows leave as trains that
//! the kernel cuts (UDP_SEGMENT). What a server needs more than this is what it costs to be one.

use super::clients::BLOCK_OCTETS;
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, MultiHeaders, SockFlag, SockType, SockaddrIn, bind, recvmmsg,
    sendmmsg, setsockopt, socket, sockopt,
};
use nix::{cmsg_space, errno::Errno};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

/// Datagrams taken and given in one system call.
const BATCH: usize = 64;
/// Octets of the longest datagram that a client sends.
const REQUEST_OCTETS_MAX: usize = 600;
/// Octets of DATA's header.
const HEAD_OCTETS: usize = 4;

/// Serves one file on port 69 for ever.
///
/// # Errors
/// The kernel's, in words.
pub(crate) fn serve(file: &Path) -> Result<(), String> {
    let image = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let blocks = Blocks::of(&image)?;
    let socket = open().map_err(|error| error.to_string())?;
    let mut rooms = vec![[0; REQUEST_OCTETS_MAX]; BATCH];
    let mut incoming = MultiHeaders::<SockaddrIn>::preallocate(BATCH, None);
    let mut outgoing = MultiHeaders::<SockaddrIn>::preallocate(BATCH, Some(cmsg_space!(u16)));
    let mut window = 1;
    loop {
        let heads = match receive(&socket, &mut incoming, &mut rooms) {
            Ok(heads) => heads,
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.to_string()),
        };
        let (mut answers, mut peers): (Vec<[IoSlice<'_>; 1]>, Vec<Option<SockaddrIn>>) = Default::default();
        let mut agreed = Vec::new();
        for ((peer, octets), room) in heads.into_iter().zip(&rooms) {
            let request = room.get(..octets).unwrap_or_default();
            match *request {
                [0, 1, ..] => {
                    window = asked_window(request);
                    agreed.push((peer, option_ack(window)));
                }
                [0, 4, high, low] => {
                    for train in blocks.after(u16::from_be_bytes([high, low]), window) {
                        answers.push([IoSlice::new(train)]);
                        peers.push(peer);
                    }
                }
                _ => {}
            }
        }
        for (peer, answer) in &agreed {
            answers.push([IoSlice::new(answer)]);
            peers.push(*peer);
        }
        let mut sent = 0;
        while sent < answers.len() {
            let segment = Blocks::SEGMENT_OCTETS;
            let cut = [ControlMessage::UdpGsoSegments(&segment)];
            let left = (answers[sent..].iter(), &peers[sent..]);
            match sendmmsg(socket.as_raw_fd(), &mut outgoing, left.0, left.1, &cut[..], MsgFlags::empty()) {
                Ok(results) => sent += results.count().max(1),
                Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::EINTR) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

/// Waits for a datagram, and takes what else is there: whose each is, and how long.
fn receive(
    socket: &OwnedFd,
    incoming: &mut MultiHeaders<SockaddrIn>,
    rooms: &mut [[u8; REQUEST_OCTETS_MAX]],
) -> nix::Result<Vec<(Option<SockaddrIn>, usize)>> {
    let mut slices: Vec<_> = rooms.iter_mut().map(|room| [IoSliceMut::new(room)]).collect();
    let flags = MsgFlags::MSG_WAITFORONE;
    let received = recvmmsg(socket.as_raw_fd(), incoming, slices.iter_mut(), flags, None)?;
    Ok(received.map(|message| (message.address, message.bytes)).collect())
}

fn open() -> nix::Result<OwnedFd> {
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    setsockopt(&socket, sockopt::RcvBufForce, &(16 << 20))?;
    setsockopt(&socket, sockopt::SndBuf, &(4 << 20))?;
    bind(socket.as_raw_fd(), &SockaddrIn::new(0, 0, 0, 0, super::clients::SERVER_PORT))?;
    Ok(socket)
}

/// All DATA packets of the file, one behind the other, so that a window is one piece of memory.
struct Blocks {
    packets: Vec<u8>,
}

impl Blocks {
    const SEGMENT_OCTETS: u16 = BLOCK_OCTETS + HEAD_OCTETS as u16;
    /// What one message may be (the kernel's UDP_MAX_SEGMENTS, and the length field of UDP).
    const TRAIN_BLOCKS_MAX: usize = 65_507 / Self::SEGMENT_OCTETS as usize;

    fn of(image: &[u8]) -> Result<Self, String> {
        let mut packets = Vec::with_capacity(image.len() + image.len() / 256);
        let chunks = image.chunks(usize::from(BLOCK_OCTETS));
        let ends_full = image.len().is_multiple_of(usize::from(BLOCK_OCTETS));
        let chunks = chunks.chain(ends_full.then_some([].as_slice()));
        for (place, chunk) in chunks.enumerate() {
            let number =
                u16::try_from(place + 1).map_err(|_| "the file has too many blocks for the bare loop")?;
            packets.extend([0, 3]);
            packets.extend(number.to_be_bytes());
            packets.extend(chunk);
        }
        Ok(Self { packets })
    }

    /// The blocks after this one, up to a window, in messages as long as one may be.
    fn after(&self, block: u16, window: usize) -> impl Iterator<Item = &[u8]> {
        let segment = usize::from(Self::SEGMENT_OCTETS);
        let start = usize::from(block) * segment;
        let end = (start + window * segment).min(self.packets.len());
        self.packets.get(start..end).unwrap_or_default().chunks(Self::TRAIN_BLOCKS_MAX * segment)
    }
}

fn asked_window(request: &[u8]) -> usize {
    let mut words = request.split(|octet| *octet == 0).skip_while(|word| *word != b"windowsize");
    let value = words.nth(1).and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
    value.unwrap_or(1)
}

fn option_ack(window: usize) -> Vec<u8> {
    let mut packet = format!("\0\x06blksize\0{BLOCK_OCTETS}\0").into_bytes();
    if window > 1 {
        packet.extend(format!("windowsize\0{window}\0").into_bytes());
    }
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_the_blocks_after_the_acknowledged_one() {
        let blocks = |count: u16| Blocks::of(&vec![7; usize::from(count * BLOCK_OCTETS)]).unwrap();
        let sent =
            |count, after, window| blocks(count).after(after, window).map(<[u8]>::len).collect::<Vec<_>>();
        assert_eq!(blocks(3).after(0, 1).next().unwrap()[..5], [0, 3, 0, 1, 7]);
        assert_eq!(sent(3, 0, 1), [1472]);
        assert_eq!(sent(3, 1, 16), [2 * 1472 + 4], "the last one is empty: the file ends with a full one");
        assert_eq!(sent(3, 4, 16), [0; 0]);
        assert_eq!(sent(40, 0, 64), [40 * 1472 + 4]);
        let long = Blocks::of(&vec![7; 100 * usize::from(BLOCK_OCTETS)]).unwrap();
        let trains: Vec<usize> = long.after(1, 64).map(<[u8]>::len).collect();
        assert_eq!(trains, [44 * 1472, 20 * 1472], "no message is longer than UDP's length field says");
    }

    #[test]
    fn windows_are_granted_as_asked() {
        let request = b"\0\x01image\0octet\0blksize\x001468\0windowsize\x0016\0";
        assert_eq!(asked_window(request), 16);
        assert_eq!(asked_window(b"\0\x01image\0octet\0blksize\x001468\0"), 1);
        assert_eq!(option_ack(16), b"\0\x06blksize\x001468\0windowsize\x0016\0");
    }
}
