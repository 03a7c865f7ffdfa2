//! How a transfer begins: a client asks, or it goes on after a restart; and its file is opened.

use super::flight::{End, Event, Flight};
use super::flights::GivesWay;
use super::terms::Terms;
use super::{Note, Opened, Output, Port, Refusal, State, TransferId, error};
use crate::limit::TRANSFERS_MAX;
use crate::time::Time;
use crate::wire::tftp::{ErrorCode, ReadRequest};
use std::net::{Ipv4Addr, SocketAddrV4};

/// Why a transfer ends that gives way to one of others.
const CROWDED: &str = "its address has too many transfers";

/// The same of one that nobody waits for.
const SUPPLANTED: &str = "its machine fell silent and asked anew, and there was no room for both";

impl State {
    /// A request came.
    pub(super) fn asked(
        &mut self,
        now: Time,
        local: Ipv4Addr,
        peer: SocketAddrV4,
        request: ReadRequest,
        out: &mut Vec<Output>,
    ) {
        let link = &self.settings.load.links[self.settings.load.link_to(*peer.ip())];
        let terms = Terms::of(request.mode, &request.options, link.block_octets_max);
        let mut port_before = None;
        if let Some(flight) = self.flights.to(peer) {
            let id = flight.id;
            port_before = Some(flight.port);
            if flight.is_for(&request.name, &terms) {
                self.step(now, id, Event::AskedAgain, out);
                if self.flights.get(id).is_some() {
                    return;
                }
            } else {
                self.end(now, id, End::Left("the client asked for something else".into()), out);
            }
        }
        // Who is refused has asked all the same: his next request finds the room that he leaves.
        self.flights.asked_anew(now, *peer.ip());
        if let Some((id, way)) = self.flights.gives_way(*peer.ip()) {
            let end = match way {
                // Whoever has acknowledged nothing repeats his request, if he is there: an error would end his boot.
                GivesWay::Unanswered => End::Quiet,
                GivesWay::Left => End::Left(SUPPLANTED.into()),
                GivesWay::UnderWay => End::Refused(ErrorCode::Other, CROWDED.into()),
            };
            self.end(now, id, end, out);
        }
        if self.flights.len() >= TRANSFERS_MAX {
            let text = "too many transfers, try again";
            out.push(Output::SignOfLife(*peer.ip()));
            return out.push(error(Port::Request, local, peer, ErrorCode::Other, text));
        }
        let slot = self.slots.take().expect("there are as many slots as transfers");
        let place = (self.port_after(port_before), local, peer);
        let id = self.flights.name(slot);
        let (path, mode) = (request.name, request.mode);
        out.push(Output::Open { transfer: id, peer, local, path: path.clone(), mode });
        self.insert(now, Flight::asked(now, id, place, (path, terms), slot, self.settings.resend));
    }

    /// A transfer goes on after a restart. False if that makes no sense.
    pub(super) fn resume(&mut self, now: Time, slot: u32, note: Note, out: &mut Vec<Output>) -> bool {
        if note.port >= self.settings.data_ports
            || self.flights.to(note.peer).is_some()
            || slot as usize >= TRANSFERS_MAX
        {
            return false;
        }
        let id = self.flights.name(slot);
        let Some(flight) = Flight::noted(now, id, slot, note, self.settings.resend) else { return false };
        if !self.slots.take_this(slot) {
            return false;
        }
        out.push(Output::Open {
            transfer: id,
            peer: flight.peer,
            local: flight.local,
            path: flight.path.clone(),
            mode: flight.terms.mode,
        });
        self.insert(now, flight);
        true
    }

    pub(super) fn opened(
        &mut self,
        now: Time,
        id: TransferId,
        result: Result<Opened, Refusal>,
        out: &mut Vec<Output>,
    ) {
        if let Some(flight) = self.flights.get_mut(id) {
            flight.is_told = true;
        }
        let waiting = self.flights.get(id).filter(|flight| flight.is_opening());
        let expected = waiting.and_then(Flight::expected);
        let result = match result {
            // It ended meanwhile.
            Ok(opened) if waiting.is_none() => return out.push(Output::Close(opened.image)),
            // It goes on after a restart, and the file is another one now.
            Ok(opened) if expected.is_some_and(|identity| identity != opened.identity) => {
                out.push(Output::Close(opened.image));
                Err(Refusal::Changed)
            }
            Ok(opened) => {
                self.images.open(opened.image, opened.size(), id);
                let active = self.flights.sharing() + self.streams.len();
                if let Some(flight) = self.flights.get_mut(id) {
                    let lane = &mut self.lanes[flight.lane];
                    flight.limit_window(lane.window_max(active));
                    lane.expect(flight.served_before + opened.size());
                }
                Ok(opened)
            }
            Err(refusal) => Err(refusal),
        };
        self.step(now, id, Event::Opened(result), out);
    }

    /// The port of a transfer to a peer whose last one has just ended: another one. All others share the first: what many say at once is then taken, and answered, at once.
    fn port_after(&self, before: Option<u16>) -> u16 {
        before.map_or(0, |port| (port + 1) % self.settings.data_ports)
    }
}
