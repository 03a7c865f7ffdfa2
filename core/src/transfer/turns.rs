//! Whose turn it is to send: transfers that want to, and the links that they share.

use super::flight::{Counted, Flight, NotLeft, Step};
use super::message::Output;
use super::{Member, State, TransferId};
use crate::limit::{LOAD_CLASS_OCTETS, TFTP_SILENT_REPEATS};
use crate::load::{self, Lane, Link, Rank, Wish};
use crate::time::Time;

impl State {
    /// How many packets with so many octets of payload may be sent by a link now, and by the one that it is behind.
    pub(super) fn allowance(&mut self, now: Time, lane: usize, payload_octets: u64) -> u64 {
        let allowed = self.lanes[lane].allowance(now, payload_octets);
        match self.settings.load.links[lane].behind {
            Some(link) if allowed > 0 => allowed.min(self.lanes[link].allowance(now, payload_octets)),
            Some(_) | None => allowed,
        }
    }

    /// Packets were acknowledged, and with them so many octets of files: they have passed their link, and the one that it is behind.
    pub(super) fn acknowledged(&mut self, lane: usize, packets: u64, payload_octets: u64, file_octets: u64) {
        self.lanes[lane].delivered_blocks(packets, payload_octets, file_octets);
        if let Some(behind) = self.settings.load.links[lane].behind {
            self.lanes[behind].delivered_blocks(packets, payload_octets, 0);
        }
    }

    /// Blocks that were granted did not leave: they are counted at neither link.
    pub(super) fn not_left(
        &mut self,
        lane: usize,
        payload_octets: u64,
        NotLeft { blocks, counted }: NotLeft,
    ) {
        let behind = self.settings.load.links[lane].behind;
        for link in [Some(lane), behind].into_iter().flatten() {
            match counted {
                Counted::AsSent { lost } => self.lanes[link].unsent_blocks(blocks, payload_octets, lost),
                Counted::AsToNobody => self.lanes[link].unsent_to_nobody(blocks, payload_octets),
            }
        }
    }

    /// As long as there are tokens: whose turn it is sends.
    pub(super) fn pump(&mut self, now: Time, out: &mut Vec<Output>) {
        let count = self.lanes.len();
        self.lane_turn = (self.lane_turn + 1) % count;
        for place in (self.lane_turn..self.lane_turn + count).map(|place| place % count) {
            while let Some(member) = self.lanes[place].next(now) {
                let id = match member {
                    Member::Transfer(id) => id,
                    Member::Stream(id) if self.grant_stream(now, id, out) => continue,
                    Member::Stream(_) => break,
                };
                let payload = self.flights.get(id).expect("who waits is there").payload_octets();
                let allowed = self.allowance(now, place, payload);
                if allowed == 0 {
                    break;
                }
                self.grant(now, id, allowed, out);
            }
        }
    }

    /// It is this transfer's turn.
    pub(super) fn grant(&mut self, now: Time, id: TransferId, blocks_max: u64, out: &mut Vec<Output>) {
        let Some(flight) = self.flights.get_mut(id) else { return };
        let resent_before = flight.resent;
        let payload = flight.payload_octets();
        let step = flight.grant(now, blocks_max);
        let resent = flight.resent - resent_before;
        self.resent_total += resent;
        let counted = match flight.unanswered() >= TFTP_SILENT_REPEATS {
            true => Counted::AsToNobody,
            false => Counted::AsSent { lost: flight.lost(resent) },
        };
        flight.count(counted);
        let behind = self.settings.load.links[flight.lane].behind;
        for link in [Some(flight.lane), behind].into_iter().flatten() {
            let lane = &mut self.lanes[link];
            match (&step, counted) {
                (Step::Send(block), Counted::AsToNobody) => {
                    lane.sent_to_nobody(u64::from(block.count), payload);
                }
                (Step::Send(block), Counted::AsSent { lost }) => {
                    lane.sent_blocks(u64::from(block.count), payload);
                    lane.lost_blocks(lost);
                }
                (Step::Offer(packet), _) => lane.sent_to_nobody(1, packet.len() as u64),
                (Step::Wait | Step::Fetch(..) | Step::Reset | Step::End(_), _) => {}
            }
        }
        self.carry_out(now, id, step, out);
    }

    /// Other links: everybody who waits finds his place anew.
    pub(super) fn configure(&mut self, now: Time, links: Vec<Link>, out: &mut Vec<Output>) {
        if links == self.settings.load.links || links.is_empty() {
            return;
        }
        self.settings.load.links = links;
        let before = std::mem::replace(&mut self.lanes, lanes(now, &self.settings.load));
        for (link, (lane, before)) in self.lanes.iter().zip(before).enumerate() {
            if lane.regime() != before.regime() {
                out.push(Output::Regime { link, regime: lane.regime() });
            }
        }
        // What all of them want is known before anybody has his place.
        for flight in self.flights.iter_mut() {
            flight.lane = self.settings.load.link_to(*flight.peer.ip());
            flight.place = None;
            let lane = &mut self.lanes[flight.lane];
            lane.join(flight.served_octets());
            if let Some(image) = flight.image() {
                lane.expect(flight.served_before + image.size());
            }
        }
        self.move_streams();
        for flight in self.flights.iter_mut() {
            find_place(&mut self.lanes[flight.lane], now, flight, false);
        }
    }
}

pub(super) fn lanes(now: Time, settings: &load::Settings) -> Vec<Lane<Member>> {
    assert!(!settings.links.is_empty(), "transfers need a link to be sent by");
    settings.links.iter().map(|link| Lane::new(now, link, settings.control)).collect()
}

/// Finds a transfer its place among those who want to send. If it was served just now and wants more, it is in the middle of a window.
pub(super) fn find_place(lane: &mut Lane<Member>, now: Time, flight: &mut Flight, is_served: bool) {
    let id = Member::Transfer(flight.id);
    // Who has acknowledged what he got of his window begins another one, behind those whose turn it is meanwhile: a client that acknowledges every block would have the link to the end of his file.
    if !is_served
        && !flight.is_in_window()
        && lane.stays(id)
        && let Some(place) = flight.place.take()
    {
        lane.leave(id, place);
    }
    match (flight.wishes(), flight.place) {
        (Some(_), Some(_)) if is_served => lane.stay(id),
        (Some(opens), None) => {
            let class = match lane.is_small(flight.owed_octets()) {
                true => 0,
                false => 1 + flight.served_octets() / LOAD_CLASS_OCTETS,
            };
            let rank = Rank(u32::try_from(class).unwrap_or(u32::MAX), flight.order);
            let alone = flight.alone(lane.expected_octets(flight.served_octets()));
            let wish = Wish { rank, served: flight.served_at(), opens, alone };
            flight.place = Some(lane.enter(now, id, wish));
            if is_served {
                lane.stay(id);
            }
        }
        (None, Some(place)) => {
            lane.leave(id, place);
            flight.place = None;
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
}
