//! What becomes of files that are on their way: what the link is measured by, and what the history of a machine says.

use super::super::News;
use super::super::connection::{Connection, Stage};
use super::{LIFE_EVERY, REQUEST_BITS, Worker};
use crate::ask::Ask;
use crate::streams::Stream as _;
use heorot_core::transfer::{Outcome, Part, Protocol, StreamId, StreamNews, Transfer};
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::ops::Range;
use std::time::{Duration, Instant};

/// A file of the boot directory that is on its way, or a part of one.
#[derive(Debug)]
pub(super) struct Going {
    peer: SocketAddrV4,
    path: String,
    /// The part that is sent, of how many octets, and how much of it was acknowledged.
    part: Range<u64>,
    size: u64,
    acknowledged: u64,
    /// Whether all of it is with the kernel.
    is_given: bool,
    resent: u64,
}

/// Why a connection is gone.
#[derive(Debug)]
pub(super) enum End {
    /// The peer said no more, or all was said.
    Over,
    /// Nobody has said or taken anything for too long.
    Silent,
    /// Others needed its place.
    GaveWay,
    /// By this, or the peer has broken it off and nothing says why.
    Broken(Option<io::Error>),
}

/// A peer that has all may break off before it has acknowledged it, as EDK2 does: of the two last segments ("an ACK SHOULD be generated for at least every second full-sized segment",
/// RFC 1122 4.2.3.2), and of our FIN.
const UNCONFIRMED_OCTETS: u64 = 4096;

impl Worker {
    /// A file of so many octets is on its way, or a part of it, which the history of its machine tells of.
    pub(super) fn sends(&mut self, key: u64, path: String, (part, size): (Range<u64>, u64)) {
        let Some(connection) = self.streams.get_mut(key) else { return };
        let port = connection.socket().peer_addr().as_ref().map_or(0, SocketAddr::port);
        let peer = SocketAddrV4::new(connection.peer, port);
        self.news.push(News::Sending { to: peer, path: path.clone() });
        let going = Going { peer, path, part, size, acknowledged: 0, is_given: false, resent: 0 };
        self.going.insert(key, going);
    }

    /// What has been acknowledged, and what was lost, everywhere.
    pub(super) fn look(&mut self, now: Instant) {
        let keys: Vec<u64> = self.under_way.iter().copied().collect();
        for key in keys {
            let resent = self.streams.get_mut(key).map_or(0, Connection::resent);
            let octets = self.tell_delivered(key, resent, now);
            // Who has it all has less time from now on, or none.
            if !self.under_way.contains(&key)
                && let Ok(false) = self.streams.settle(&self.epoll, key)
            {
                self.closed(key, End::Over);
            }
            if octets > 0 {
                continue;
            }
            let stands = self.streams.get_mut(key).and_then(Connection::stands_still);
            self.news.extend(stands.map(|stream| News::Stream(stream, StreamNews::StandsStill)));
        }
    }

    /// Tells what of a file has been acknowledged, if anything, with so many segments that were sent again, and that the machine lives. How many octets.
    pub(super) fn tell_delivered(&mut self, key: u64, resent: u64, now: Instant) -> u64 {
        let Some(connection) = self.streams.get_mut(key) else { return 0 };
        let is_sending = connection.body.is_some();
        let Some((stream, octets, is_empty)) = connection.delivered() else { return 0 };
        // Who takes the end of it slowly is not silent.
        if octets > 0 && !is_sending {
            connection.deadline = now + self.limits.silence;
        }
        if octets > 0
            && connection.life_told.is_none_or(|told| now.saturating_duration_since(told) >= LIFE_EVERY)
        {
            connection.life_told = Some(now);
            // If the line is full, the next octets tell.
            let _ = self.asks.try_say(Ask::SignOfLife(connection.peer));
        }
        self.count_delivered(key, stream, (octets, resent));
        if let Some(going) = self.going.get_mut(&key) {
            going.is_given = !is_sending;
        }
        if is_empty {
            self.under_way.remove(&key);
            if !is_sending {
                self.settle_account(key, now);
            }
        }
        octets
    }

    fn count_delivered(&mut self, key: u64, stream: Option<StreamId>, (octets, resent): (u64, u64)) {
        if octets == 0 && resent == 0 {
            return;
        }
        let delivered = StreamNews::Delivered { octets, resent };
        self.news.extend(stream.map(|stream| News::Stream(stream, delivered)));
        if let Some(going) = self.going.get_mut(&key) {
            going.acknowledged += octets;
            going.resent += resent;
        }
    }

    /// A file has been delivered whole.
    pub(super) fn settle_account(&mut self, key: u64, now: Instant) {
        let Some(connection) = self.streams.get_mut(key) else { return };
        let resent = connection.resent();
        let delivered = connection.delivered();
        if let Some(account) = connection.account.take() {
            match &connection.stage {
                Stage::Reading => {
                    connection.deadline = now + self.limits.request_within;
                    connection.give_up_if_ended();
                }
                Stage::Lingering => {
                    connection.deadline = now + self.limits.lingers;
                    connection.give_up_if_ended();
                }
                Stage::Receiving(_)
                | Stage::Asking(_)
                | Stage::Opening(_)
                | Stage::Sending(_)
                | Stage::Over => {}
            }
            if let Some((stream, octets, _)) = delivered {
                self.count_delivered(key, stream, (octets, resent));
            }
            account.stream.into_iter().for_each(|stream| self.end_account(stream));
        }
        self.under_way.remove(&key);
        if let Some(going) = self.going.remove(&key) {
            self.sent(Going { acknowledged: going.part.end - going.part.start, ..going }, Outcome::Complete);
        }
    }

    fn end_account(&mut self, stream: StreamId) {
        if self.accounts.remove(&stream) {
            self.news.push(News::Stream(stream, StreamNews::Ended));
        }
    }

    fn sent(&mut self, going: Going, outcome: Outcome) {
        self.news.push(News::Sent(Transfer {
            peer: going.peer,
            path: going.path,
            part: (going.part != (0..going.size))
                .then(|| Part { octets: going.part.clone(), size: going.size }),
            by: Protocol::Http,
            octets: going.part.start + going.acknowledged,
            resent: going.resent,
            outcome,
        }));
    }

    pub(super) fn remove(&mut self, key: u64, end: End, now: Instant) {
        // The last octets may have been acknowledged since anybody looked.
        self.tell_delivered(key, 0, now);
        if self.streams.remove(key) {
            self.closed(key, end);
        }
    }

    /// A connection is gone.
    pub(super) fn closed(&mut self, key: u64, end: End) {
        self.give_up_job(key);
        self.holding.gone(key);
        self.under_way.remove(&key);
        let first = StreamId(key << REQUEST_BITS);
        let last = StreamId((key + 1) << REQUEST_BITS);
        let streams: Vec<StreamId> = self.accounts.range(first..last).copied().collect();
        for stream in streams {
            self.end_account(stream);
        }
        if let Some(going) = self.going.remove(&key) {
            let outcome = going.outcome(end, self.limits.silence);
            self.sent(going, outcome);
        }
    }
}

impl Going {
    /// What became of a file whose connection is gone before all of it was acknowledged.
    fn outcome(&self, end: End, silence: Duration) -> Outcome {
        let lacking = self.part.end - self.part.start - self.acknowledged;
        let is_unconfirmed = self.is_given && lacking <= UNCONFIRMED_OCTETS;
        let by_peer = || match is_unconfirmed {
            true => Outcome::Unconfirmed,
            false => Outcome::BrokenOff("it broke off the connection".into()),
        };
        // A loader may go over to its kernel without a word, and its last ACK be lost.
        let unless_unconfirmed = |why: String| match is_unconfirmed && self.acknowledged > 0 {
            true => Outcome::Unconfirmed,
            false => Outcome::Failed(why),
        };
        let silent = || unless_unconfirmed(format!("nothing heard for {} s", silence.as_secs()));
        match end {
            End::Over | End::Broken(None) => by_peer(),
            End::Silent => silent(),
            End::GaveWay => unless_unconfirmed("its connection gave way to others".into()),
            End::Broken(Some(error)) if is_of_peer(&error) => by_peer(),
            End::Broken(Some(error)) if error.kind() == io::ErrorKind::TimedOut => silent(),
            End::Broken(Some(error)) => Outcome::Failed(error.to_string()),
        }
    }
}

/// Whether the peer has broken off.
fn is_of_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
    matches!(error.kind(), ConnectionReset | ConnectionAborted | BrokenPipe | NotConnected)
}

#[cfg(test)]
mod tests;
