//! Files that go out by TCP: HTTP's, whoever speaks it. The bytes, their order and their repeats are TCP's affair; when they may leave is decided here, by the same ring
//! and from the same tokens as for TFTP, or one would fill the link that the other has measured.
//!
//! ```text
//!  Begun ──> wants ──> its turn ──> Grant: a piece ──> ... the kernel has sent nearly all of it ──> Wants ──> its turn ──> ...
//!                                                      ... the peer has acknowledged so much     ──> Delivered: what the link is measured by
//! ```
//!
//! A connection without an end, as NFS has them, is a stream that grows with each thing that it is asked for: `Asks`. As long as nobody else loads anything it needs not ask at all
//! (`Rationed`): then there is nobody to be kept alive, and TCP shares a link among its own kind well enough.
//!
//! Whoever is first in rank gets a piece that is worth a wake-up. Who is served only because his deadline has come gets two packets: enough that no client gives up
//! (EDK2 waits 5 s for its next 1,500 octets), and little enough that the others go on.

use super::message::{Output, StreamId, StreamNews};
use super::{Member, State};
use crate::limit::{
    ENDLESS_STREAMS_MAX, LOAD_CLASS_OCTETS, LOAD_TICK, RATIONED_AFTER, STREAM_DRIP_PACKETS,
    STREAM_PACKET_OCTETS, STREAMS_MAX,
};
use crate::load::{Lane, Place, Rank, Wish};
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Streams {
    by_id: BTreeMap<StreamId, Stream>,
    /// Those without an end.
    endless: usize,
    /// Those that wait until less is under way.
    held_back: Vec<StreamId>,
    /// Whether those without an end have to ask, and since when nobody else has had anything to load.
    are_rationed: bool,
    alone_since: Option<Time>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stream {
    peer: Ipv4Addr,
    lane: usize,
    /// Whose turn it is before others, and what its machine was served before.
    order: u64,
    served_before: u64,
    /// Whether it never ends: its size is what it has asked for so far.
    is_endless: bool,
    /// Octets of the body, how many of them may leave, and how many were acknowledged.
    size: u64,
    granted: u64,
    delivered: u64,
    /// Octets that were granted in its turn and not acknowledged: the links count them too, as long as its peer takes something.
    under_way: u64,
    /// Octets that were granted, and of which it is not known yet whether the peer takes any; since when there are some.
    uncounted: u64,
    uncounted_since: Time,
    served_at: Time,
    place: Option<Place>,
    standing: Standing,
}

/// Whether a peer takes what is sent to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    #[default]
    Moves,
    /// It takes nothing.
    Still,
    /// It takes nothing, and there is room for more nevertheless.
    StillAndWants,
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
        // What an endless one has asked for says nothing of how much it will want.
        let class = match !self.is_endless && lane.is_small(self.size - self.delivered) {
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

    /// How many of them are files.
    fn files(&self) -> usize {
        self.by_id.len() - self.endless
    }

    /// Whether connections without an end have to ask.
    pub(super) fn are_rationed(&self) -> bool {
        self.are_rationed
    }
}

impl State {
    /// The link by which somebody is reached, and the one that it is behind.
    fn links(&self, lane: usize) -> impl Iterator<Item = usize> + Clone + use<> {
        [Some(lane), self.settings.load.links[lane].behind].into_iter().flatten()
    }

    /// What became of a stream.
    pub(super) fn stream(&mut self, now: Time, id: StreamId, news: StreamNews, out: &mut Vec<Output>) {
        match news {
            StreamNews::Begun { peer, octets } => self.begin_stream(now, id, peer, octets),
            StreamNews::Asks { peer, octets } => self.extend_stream(now, id, peer, octets, out),
            StreamNews::Wants => self.want(id),
            StreamNews::StandsStill => self.stand_still(id),
            StreamNews::Delivered { octets, resent } => self.delivered(id, octets, resent),
            StreamNews::Ended => self.end_stream(now, id),
        }
    }

    fn begin_stream(&mut self, now: Time, id: StreamId, peer: Ipv4Addr, octets: u64) {
        self.end_stream(now, id);
        if self.streams.files() >= STREAMS_MAX {
            return;
        }
        let stream = self.new_stream(now, peer, octets);
        let lane = &mut self.lanes[stream.lane];
        lane.join(stream.served_before);
        lane.expect(stream.served_before + octets);
        self.insert_stream(now, id, stream);
    }

    /// A connection without an end has more to send.
    fn extend_stream(&mut self, now: Time, id: StreamId, peer: Ipv4Addr, octets: u64, out: &mut Vec<Output>) {
        // Those who need not ask, and asked before they heard of it.
        if !self.streams.are_rationed {
            return out.push(Output::Grant { stream: id, octets });
        }
        if let Some(stream) = self.streams.by_id.get_mut(&id) {
            stream.size += octets;
            return self.want(id);
        }
        if self.streams.endless >= ENDLESS_STREAMS_MAX {
            return out.push(Output::Grant { stream: id, octets });
        }
        let stream = self.new_stream(now, peer, octets);
        self.streams.endless += 1;
        self.insert_stream(now, id, Stream { is_endless: true, ..stream });
    }

    fn new_stream(&mut self, now: Time, peer: Ipv4Addr, size: u64) -> Stream {
        let (order, served_before) = self.seniority.enter(peer);
        Stream {
            peer,
            lane: self.settings.load.link_to(peer),
            order,
            served_before,
            is_endless: false,
            size,
            granted: 0,
            delivered: 0,
            under_way: 0,
            uncounted: 0,
            uncounted_since: now,
            served_at: now,
            place: None,
            standing: Standing::Moves,
        }
    }

    fn insert_stream(&mut self, now: Time, id: StreamId, stream: Stream) {
        self.streams.by_id.insert(id, stream);
        self.tick = Some(self.tick.unwrap_or(now + LOAD_TICK).min(now + LOAD_TICK));
        self.want(id);
    }

    /// From the first file that is loaded on, connections without an end have to ask.
    pub(super) fn ration(&mut self, out: &mut Vec<Output>) {
        if self.flights.len() + self.streams.files() == 0 {
            return;
        }
        self.streams.alone_since = None;
        if !self.streams.are_rationed {
            self.streams.are_rationed = true;
            out.push(Output::Rationed(true));
        }
    }

    /// A while after the last one they need not any more, and those that wait get what they asked for.
    pub(super) fn stop_rationing(&mut self, now: Time, out: &mut Vec<Output>) {
        let streams = &mut self.streams;
        if !streams.are_rationed || self.flights.len() + streams.files() > 0 {
            return;
        }
        if now.since(*streams.alone_since.get_or_insert(now)) < RATIONED_AFTER {
            return;
        }
        streams.are_rationed = false;
        out.push(Output::Rationed(false));
        for (id, stream) in &mut streams.by_id {
            if let Some(place) = stream.place.take() {
                self.lanes[stream.lane].leave(Member::Stream(*id), place);
            }
            let octets = stream.size - std::mem::replace(&mut stream.granted, stream.size);
            if octets > 0 {
                out.push(Output::Grant { stream: *id, octets });
            }
        }
    }

    /// It gets a place among those who want to send, if it has none and there is anything left of it.
    fn want(&mut self, id: StreamId) {
        let Some(stream) = self.streams.by_id.get_mut(&id) else { return };
        if stream.standing != Standing::Moves {
            stream.standing = Standing::StillAndWants;
        } else if stream.place.is_none() && stream.granted < stream.size {
            let lane = &mut self.lanes[stream.lane];
            stream.place = Some(lane.enter(stream.served_at, Member::Stream(id), stream.wish(lane)));
        }
    }

    /// Too much is under way for it to be given anything now. Who is served because his deadline has come is not held back.
    fn hold_back(&mut self, id: StreamId) {
        let Some(stream) = self.streams.by_id.get_mut(&id) else { return };
        if let Some(place) = stream.place.take() {
            self.lanes[stream.lane].hold_back(Member::Stream(id), place);
            self.streams.held_back.push(id);
        }
    }

    /// A tick has passed: perhaps there is room for those who were held back.
    pub(super) fn let_go(&mut self) {
        std::mem::take(&mut self.streams.held_back).into_iter().for_each(|id| self.want(id));
    }

    /// Its peer takes nothing, and it gets nothing until that changes: a thousand machines that hang in the middle of a file would each fill a socket before anybody else is served, and
    /// what stays there would be taken for the link's fault.
    fn stand_still(&mut self, id: StreamId) {
        let Some(stream) = self.streams.by_id.get_mut(&id) else { return };
        stream.uncounted = 0;
        if stream.standing == Standing::Moves {
            stream.standing = Standing::Still;
            let (lane, octets) = (stream.lane, stream.under_way);
            for link in self.links(lane) {
                self.lanes[link].stands_still(octets);
            }
        }
        let Some(stream) = self.streams.by_id.get_mut(&id) else { return };
        if let Some(place) = stream.place.take() {
            stream.standing = Standing::StillAndWants;
            self.lanes[stream.lane].leave(Member::Stream(id), place);
        }
    }

    /// So many octets of what was granted have left, or wait for the link alone.
    fn count(&mut self, id: StreamId, octets: u64) {
        let Some(stream) = self.streams.by_id.get_mut(&id).filter(|stream| stream.uncounted > 0) else {
            return;
        };
        let octets = octets.min(stream.uncounted);
        stream.uncounted -= octets;
        let lane = stream.lane;
        let packets = octets.div_ceil(STREAM_PACKET_OCTETS);
        for link in self.links(lane) {
            self.lanes[link].piece_leaves(packets, SEGMENT_PAYLOAD_OCTETS);
        }
    }

    /// What has not been said to stand still for so long waits for the link: whoever looks does so twice in a tick.
    pub(super) fn count_streams(&mut self, now: Time) {
        let is_due = |stream: &Stream| stream.uncounted > 0 && now.since(stream.uncounted_since) >= LOAD_TICK;
        let due: Vec<StreamId> =
            self.streams.by_id.iter().filter(|(_, stream)| is_due(stream)).map(|(id, _)| *id).collect();
        due.into_iter().for_each(|id| self.count(id, u64::MAX));
    }

    fn delivered(&mut self, id: StreamId, octets: u64, resent: u64) {
        if octets > 0 {
            self.count(id, octets);
            if self.moves_again(id) {
                self.want(id);
            }
        }
        let Some(stream) = self.streams.by_id.get_mut(&id) else { return };
        // Whoever reports more than was granted counts what surrounds it.
        let octets = octets.min(stream.granted - stream.delivered);
        stream.delivered += octets;
        let arrived = octets.min(stream.under_way);
        stream.under_way -= arrived;
        let (link, is_endless) = (stream.lane, stream.is_endless);
        for link in self.links(link) {
            self.lanes[link].is_not_under_way(arrived);
            // What TCP sends again takes its part of the link.
            self.lanes[link].sent_to_nobody(resent, SEGMENT_PAYLOAD_OCTETS);
        }
        self.resent_total += resent;
        // What boots still want is not less for what goes without an end.
        let of_files = if is_endless { 0 } else { octets };
        self.acknowledged(link, octets.div_ceil(STREAM_PACKET_OCTETS), SEGMENT_PAYLOAD_OCTETS, of_files);
    }

    /// Its peer takes something. Whether it has waited for more since.
    fn moves_again(&mut self, id: StreamId) -> bool {
        let Some(stream) = self.streams.by_id.get_mut(&id) else { return false };
        let standing = std::mem::take(&mut stream.standing);
        if standing != Standing::Moves {
            let (lane, octets) = (stream.lane, stream.under_way);
            for link in self.links(lane) {
                self.lanes[link].is_under_way(octets);
            }
        }
        standing == Standing::StillAndWants
    }

    fn end_stream(&mut self, now: Time, id: StreamId) {
        let Some(stream) = self.streams.by_id.remove(&id) else { return };
        if stream.standing == Standing::Moves {
            for link in self.links(stream.lane) {
                self.lanes[link].is_not_under_way(stream.under_way);
            }
        }
        let lane = &mut self.lanes[stream.lane];
        match stream.is_endless {
            true => self.streams.endless -= 1,
            false => lane.part(stream.served_octets()),
        }
        if let Some(place) = stream.place {
            lane.leave(Member::Stream(id), place);
        }
        self.seniority.leave(now, stream.peer, stream.delivered);
    }

    /// It is this stream's turn. False: there are too few tokens for what it is to get.
    pub(super) fn grant_stream(&mut self, now: Time, id: StreamId, out: &mut Vec<Output>) -> bool {
        let Some(stream) = self.streams.by_id.get(&id) else { return false };
        let links = self.links(stream.lane);
        let is_first = self.lanes[stream.lane].is_first(Member::Stream(id));
        if is_first && links.clone().any(|link| self.lanes[link].is_congested()) {
            self.hold_back(id);
            return true;
        }
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
            self.lanes[link].is_under_way(octets);
        }
        let Some(stream) = self.streams.by_id.get_mut(&id) else { return false };
        stream.granted += octets;
        stream.under_way += octets;
        stream.served_at = now;
        if stream.uncounted == 0 {
            stream.uncounted_since = now;
        }
        stream.uncounted += octets;
        if let Some(place) = stream.place.take() {
            self.lanes[stream.lane].leave(Member::Stream(id), place);
        }
        out.push(Output::Grant { stream: id, octets });
        true
    }

    /// Other links: every stream finds its place anew.
    pub(super) fn move_streams(&mut self) {
        let mut waiting = Vec::new();
        for (id, stream) in &mut self.streams.by_id {
            stream.lane = self.settings.load.link_to(stream.peer);
            if stream.standing == Standing::Moves {
                let behind = self.settings.load.links[stream.lane].behind;
                for link in [Some(stream.lane), behind].into_iter().flatten() {
                    self.lanes[link].is_under_way(stream.under_way);
                }
            }
            if !stream.is_endless {
                self.lanes[stream.lane].join(stream.served_octets());
                self.lanes[stream.lane].expect(stream.served_before + stream.size);
            }
            waiting.extend(stream.place.take().map(|_| *id));
        }
        waiting.into_iter().for_each(|id| self.want(id));
    }
}

#[cfg(test)]
mod tests;
