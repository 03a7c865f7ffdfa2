//! Files by HTTP, and what is read by NFS: as much of TCP as it takes to fill a link, to share it and to lose nothing. The kernel's part in the real server.
//!
//! A window that grows with what is acknowledged and halves with a loss (RFC 5681), the hole filled at the third ACK that tells nothing new, or after 200 ms without any, and twice
//! as long each time that nothing came of it (RFC 6298), as in Linux. What may be sent at all is granted by [`Transfers`](heorot_core::transfer::Transfers).

use super::Server;
use super::carry::Doing;
use crate::frame::{Frame, Payload};
use crate::surroundings::{SERVER_MAC, Surroundings};
use heorot_core::limit::STREAM_PACKET_OCTETS;
use heorot_core::time::Time;
use heorot_core::transfer::{Input, StreamId, StreamNews};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: BTreeMap<u64, Stream>,
    last: u64,
    /// Segments that were sent again.
    resent: u64,
}

/// How a stream is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// A file, as a whole.
    File,
    /// One READ after another, on a connection that goes on.
    Root,
    /// Not at all: it goes beside all that is shared.
    Beside,
}

#[derive(Debug)]
struct Stream {
    peer: Ipv4Addr,
    local: SocketAddrV4,
    manner: Manner,
    size: u64,
    /// How much of it was asked for: all of a file.
    asked: u64,
    granted: u64,
    sent: u64,
    acknowledged: u64,
    has_asked: bool,
    /// Segments that may be under way; up to `slow_below` it doubles in each round trip.
    window: u64,
    slow_below: u64,
    /// ACKs in a row that told nothing new.
    repeated: u32,
    /// Until this is acknowledged, each ACK that tells of progress tells of the next hole, too.
    recovers_until: u64,
    progress_at: Time,
    /// Times in a row that nothing came at all.
    silent: u32,
}

/// The initial window (RFC 6928).
const WINDOW_FIRST: u64 = 10;
/// RTO_MIN of Linux.
const SILENCE: Duration = Duration::from_millis(200);
/// So often nothing came, which is 102 s: before the next repeat the server gives the machine up for gone (TCP_USER_TIMEOUT, 150 s).
const SILENT_MAX: u32 = 9;
/// What Linux asks for at once, of what it reads ahead.
const READ_OCTETS: u64 = 1 << 20;
const HTTP_PORT: u16 = 80;

impl Streams {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// All connections are gone with the process.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }
}

impl Server {
    /// The head of an answer has left, and the file follows it. Its name.
    pub(super) fn begin_stream(
        &mut self,
        s: &mut Surroundings,
        peer: Ipv4Addr,
        local: Ipv4Addr,
        size: u64,
        manner: Manner,
    ) -> u64 {
        let manner =
            if manner == Manner::Root && !self.computer.root_shares { Manner::Beside } else { manner };
        self.streams.last += 1;
        let id = self.streams.last;
        let stream = Stream {
            peer,
            local: SocketAddrV4::new(local, HTTP_PORT),
            manner,
            size,
            asked: if manner == Manner::Root { READ_OCTETS.min(size) } else { size },
            granted: if manner == Manner::Beside { size } else { 0 },
            sent: 0,
            acknowledged: 0,
            has_asked: true,
            window: WINDOW_FIRST,
            slow_below: u64::MAX,
            repeated: 0,
            recovers_until: 0,
            progress_at: s.now,
            silent: 0,
        };
        self.streams.open.insert(id, stream);
        self.begin(s, s.now + SILENCE, Doing::LookAtStream { id });
        match manner {
            Manner::File => self.tell_stream(s, id, StreamNews::Begun { peer, octets: size }),
            Manner::Root => {
                self.tell_stream(s, id, StreamNews::Asks { peer, octets: READ_OCTETS.min(size) });
            }
            Manner::Beside => self.send_segments(s, id),
        }
        id
    }

    /// So much more may leave.
    pub(super) fn grant(&mut self, s: &mut Surroundings, id: u64, octets: u64) {
        let Some(stream) = self.streams.open.get_mut(&id) else { return };
        stream.granted += octets;
        stream.has_asked = false;
        self.send_segments(s, id);
    }

    /// An ACK has come.
    pub(super) fn acknowledged(&mut self, s: &mut Surroundings, id: u64, through: u64) {
        let Some(stream) = self.streams.open.get_mut(&id) else { return };
        let octets = through.saturating_sub(stream.acknowledged);
        let resent_before = self.streams.resent;
        if octets > 0 {
            stream.acknowledged = through;
            (stream.repeated, stream.silent, stream.progress_at) = (0, 0, s.now);
            let is_slow = stream.window < stream.slow_below;
            // Beyond that a segment a round trip: by chance, one of a window of ACKs.
            let grows = is_slow || (through / STREAM_PACKET_OCTETS).is_multiple_of(stream.window);
            stream.window += u64::from(grows);
            if through < stream.recovers_until {
                self.fill_hole(s, id);
            }
        } else {
            stream.repeated += 1;
            if stream.repeated == 3 && through >= stream.recovers_until {
                stream.window = (stream.window / 2).max(2);
                stream.slow_below = stream.window;
                stream.recovers_until = stream.sent;
                self.fill_hole(s, id);
            }
        }
        let resent = self.streams.resent - resent_before;
        if octets > 0 || resent > 0 {
            self.tell_stream(s, id, StreamNews::Delivered { octets, resent });
        }
        if self.streams.open.get(&id).is_some_and(|stream| stream.acknowledged == stream.size) {
            self.streams.open.remove(&id);
            return self.tell_stream(s, id, StreamNews::Ended);
        }
        self.send_segments(s, id);
    }

    /// Whether it has been silent for too long.
    pub(super) fn look_at_stream(&mut self, s: &mut Surroundings, id: u64) {
        let Some(stream) = self.streams.open.get_mut(&id) else { return };
        // RFC 6298 5.5: "back off the timer". Without that a thousand connections repeat a segment each five times a second, which fills 60 Mbit/s for ever.
        let patience = SILENCE.saturating_mul(1 << stream.silent);
        let is_silent = stream.sent > stream.acknowledged && s.now.since(stream.progress_at) >= patience;
        if is_silent {
            stream.silent += 1;
            stream.progress_at = s.now;
            stream.slow_below = (stream.window / 2).max(2);
            stream.window = 1;
            stream.recovers_until = stream.sent;
            if stream.silent > SILENT_MAX {
                self.streams.open.remove(&id);
                return self.tell_stream(s, id, StreamNews::Ended);
            }
            self.fill_hole(s, id);
            self.tell_stream(s, id, StreamNews::Delivered { octets: 0, resent: 1 });
        }
        self.send_segments(s, id);
        self.begin(s, s.now + SILENCE, Doing::LookAtStream { id });
    }

    /// Sends what may be sent, and wants more when all of it has left.
    fn send_segments(&mut self, s: &mut Surroundings, id: u64) {
        while let Some(stream) = self.streams.open.get_mut(&id) {
            let under_way = (stream.sent - stream.acknowledged).div_ceil(STREAM_PACKET_OCTETS);
            if stream.sent >= stream.granted.min(stream.size) || under_way >= stream.window {
                break;
            }
            let first = stream.sent;
            let last = (first + STREAM_PACKET_OCTETS).min(stream.granted).min(stream.size);
            if under_way == 0 {
                stream.progress_at = s.now;
            }
            if !self.send_segment(s, id, first, last) {
                break;
            }
            let Some(stream) = self.streams.open.get_mut(&id) else { return };
            stream.sent = last;
        }
        let Some(stream) = self.streams.open.get_mut(&id) else { return };
        if stream.sent != stream.granted || stream.granted == stream.size || stream.has_asked {
            return;
        }
        stream.has_asked = true;
        if stream.granted < stream.asked {
            return self.tell_stream(s, id, StreamNews::Wants);
        }
        let octets = READ_OCTETS.min(stream.size - stream.asked);
        stream.asked += octets;
        let peer = stream.peer;
        self.tell_stream(s, id, StreamNews::Asks { peer, octets });
    }

    /// Sends again what the peer waits for.
    fn fill_hole(&mut self, s: &mut Surroundings, id: u64) {
        let Some(stream) = self.streams.open.get(&id) else { return };
        let first = stream.acknowledged;
        let last = (first + STREAM_PACKET_OCTETS).min(stream.sent);
        self.streams.resent += 1;
        self.send_segment(s, id, first, last);
    }

    /// False: the interface's queue is full.
    fn send_segment(&self, s: &mut Surroundings, id: u64, first: u64, last: u64) -> bool {
        let Some(stream) = self.streams.open.get(&id) else { return false };
        let Some(to) = self.neighbour(s, stream.peer) else { return true };
        let octets = u16::try_from(last - first).expect("a segment is shorter than 64 KiB");
        let frame = Frame {
            from: SERVER_MAC,
            to,
            source: stream.local,
            destination: SocketAddrV4::new(stream.peer, HTTP_PORT),
            payload: Payload::Segment { stream: id, first, octets },
        };
        s.send_from_server(frame).is_ok()
    }

    fn tell_stream(&mut self, s: &mut Surroundings, id: u64, news: StreamNews) {
        if self.streams.open.get(&id).is_some_and(|stream| stream.manner == Manner::Beside) {
            return;
        }
        self.transfer(s, Input::Stream { stream: StreamId(id), news });
    }
}
