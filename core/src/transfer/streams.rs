//! Files that go out by TCP: HTTP's, whoever speaks it. The bytes, their order and their repeats are TCP's affair; when they may leave is decided here, by the same ring
//! and from the same tokens as for TFTP, or one would fill the link that the other has measured.
//!
//! ```text
//!  Begun ──> wants ──> its turn ──> Grant: a piece ──> ... the kernel has sent nearly all of it ──> Wants ──> its turn ──> ...
//!                                                      ... the peer has acknowledged so much     ──> Delivered: what the link is measured by
//! ```
//!
//! Whoever is first in rank gets a piece that is worth a wake-up. Who is served only because his deadline has come gets two packets: enough that no client gives up
//! (EDK2 waits 5 s for its next 1,500 octets), and little enough that the others go on.

use super::message::{Output, StreamId, StreamNews};
use super::{Member, State};
use crate::limit::{LOAD_CLASS_OCTETS, LOAD_TICK, STREAM_DRIP_PACKETS, STREAM_PACKET_OCTETS, STREAMS_MAX};
use crate::load::{Lane, Place, Rank, Wish};
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Streams {
    by_id: BTreeMap<StreamId, Stream>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stream {
    peer: Ipv4Addr,
    lane: usize,
    /// Whose turn it is before others, and what its machine was served before.
    order: u64,
    served_before: u64,
    /// Octets of the body, how many of them may leave, and how many were acknowledged.
    size: u64,
    granted: u64,
    delivered: u64,
    served_at: Time,
    place: Option<Place>,
}

/// Octets of payload that cost as much on the wire as a full segment of TCP: its head is longer than that of UDP.
const SEGMENT_PAYLOAD_OCTETS: u64 = STREAM_PACKET_OCTETS + 24;

impl Stream {
    /// Octets that its machine was served in all.
    fn served_octets(&self) -> u64 {
        self.served_before + self.delivered
    }

    /// Where it stands among those who want to send.
    fn wish<K: Ord + Copy>(&self, lane: &Lane<K>) -> Wish {
        let class = match lane.is_small(self.size - self.delivered) {
            true => 0,
            false => 1 + self.served_octets() / LOAD_CLASS_OCTETS,
        };
        let rank = Rank(u32::try_from(class).unwrap_or(u32::MAX), self.order);
        // TCP fills what the link leaves it: no stream is slow by nature.
        Wish { rank, served: self.served_at, opens: self.granted == 0, alone: Duration::ZERO }
    }
}

/// Of so many octets those that are read of a file with the least effort: many whole pages at a time, as a kernel hands them to TCP.
const fn whole_pages(octets: u64) -> u64 {
    const PAGES_OCTETS: u64 = 65_536;
    if octets < 2 * PAGES_OCTETS { octets } else { octets - octets % PAGES_OCTETS }
}

impl Streams {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }
}

impl State {
    /// What became of a stream.
    pub(super) fn stream(&mut self, now: Time, id: StreamId, news: StreamNews) {
        match news {
            StreamNews::Begun { peer, octets } => self.begin_stream(now, id, peer, octets),
            StreamNews::Wants => self.want(id),
            StreamNews::Delivered { octets, resent } => self.delivered(id, octets, resent),
            StreamNews::Ended => self.end_stream(now, id),
        }
    }

    fn begin_stream(&mut self, now: Time, id: StreamId, peer: Ipv4Addr, octets: u64) {
        self.end_stream(now, id);
        if self.streams.len() >= STREAMS_MAX {
            return;
        }
        let (order, served_before) = self.seniority.enter(peer);
        let stream = Stream {
            peer,
            lane: self.settings.load.link_to(peer),
            order,
            served_before,
            size: octets,
            granted: 0,
            delivered: 0,
            served_at: now,
            place: None,
        };
        let lane = &mut self.lanes[stream.lane];
        lane.join(served_before);
        lane.expect(served_before + octets);
        self.streams.by_id.insert(id, stream);
        self.tick = Some(self.tick.unwrap_or(now + LOAD_TICK).min(now + LOAD_TICK));
        self.want(id);
    }

    /// It gets a place among those who want to send, if it has none and there is anything left of it.
    fn want(&mut self, id: StreamId) {
        let Some(stream) = self.streams.by_id.get_mut(&id) else { return };
        if stream.place.is_none() && stream.granted < stream.size {
            let lane = &mut self.lanes[stream.lane];
            stream.place = Some(lane.enter(stream.served_at, Member::Stream(id), stream.wish(lane)));
        }
    }

    fn delivered(&mut self, id: StreamId, octets: u64, resent: u64) {
        let Some(stream) = self.streams.by_id.get_mut(&id) else { return };
        // Whoever reports more than was granted counts what surrounds it.
        let octets = octets.min(stream.granted - stream.delivered);
        stream.delivered += octets;
        let link = stream.lane;
        let behind = self.settings.load.links[link].behind;
        for link in [Some(link), behind].into_iter().flatten() {
            self.lanes[link].lost_blocks(resent);
        }
        self.resent_total += resent;
        self.acknowledged(link, octets.div_ceil(STREAM_PACKET_OCTETS), SEGMENT_PAYLOAD_OCTETS, octets);
    }

    fn end_stream(&mut self, now: Time, id: StreamId) {
        let Some(stream) = self.streams.by_id.remove(&id) else { return };
        let lane = &mut self.lanes[stream.lane];
        lane.part(stream.served_octets());
        if let Some(place) = stream.place {
            lane.leave(Member::Stream(id), place);
        }
        self.seniority.leave(now, stream.peer, stream.delivered);
    }

    /// It is this stream's turn. False: there are too few tokens for what it is to get.
    pub(super) fn grant_stream(&mut self, now: Time, id: StreamId, out: &mut Vec<Output>) -> bool {
        let Some(stream) = self.streams.by_id.get(&id) else { return false };
        let links = [Some(stream.lane), self.settings.load.links[stream.lane].behind];
        let links = links.into_iter().flatten();
        let is_first = self.lanes[stream.lane].is_first(Member::Stream(id));
        let left = stream.size - stream.granted;
        let mut packets = if is_first { u64::MAX } else { STREAM_DRIP_PACKETS };
        for link in links.clone().filter(|_| is_first) {
            packets = packets.min(self.lanes[link].piece_packets(now, SEGMENT_PAYLOAD_OCTETS));
        }
        let octets = left.min(whole_pages(packets.saturating_mul(STREAM_PACKET_OCTETS)));
        let packets = octets.div_ceil(STREAM_PACKET_OCTETS);
        for link in links.clone() {
            if !self.lanes[link].admits(now, packets, SEGMENT_PAYLOAD_OCTETS) {
                return false;
            }
        }
        for link in links {
            self.lanes[link].sent_piece(packets, SEGMENT_PAYLOAD_OCTETS);
        }
        let Some(stream) = self.streams.by_id.get_mut(&id) else { return false };
        stream.granted += octets;
        stream.served_at = now;
        if let Some(place) = stream.place.take() {
            self.lanes[stream.lane].leave(Member::Stream(id), place);
        }
        out.push(Output::Grant { stream: id, octets });
        true
    }

    /// Other links: every stream finds its place anew.
    pub(super) fn move_streams(&mut self) {
        let ids: Vec<StreamId> = self.streams.by_id.keys().copied().collect();
        for id in ids {
            let Some(stream) = self.streams.by_id.get_mut(&id) else { continue };
            stream.lane = self.settings.load.link_to(stream.peer);
            self.lanes[stream.lane].join(stream.served_octets());
            self.lanes[stream.lane].expect(stream.served_before + stream.size);
            if stream.place.take().is_some() {
                self.want(id);
            }
        }
    }
}

#[cfg(test)]
mod tests;
