//! Who is let in, and who gives way.

use super::super::connection::Connection;
use super::Worker;
use super::delivering::End;
use crate::journal::Weight;
use crate::streams::ACCEPTS_A_TURN;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

/// How often it is said that there are too many connections.
const COMPLAINS_EVERY: Duration = Duration::from_secs(60);

impl Worker {
    pub(super) fn accept(&mut self, listener: usize, now: Instant) {
        for _ in 0..ACCEPTS_A_TURN {
            let Some((socket, peer)) = self.streams.accept(&self.epoll, listener, now) else { return };
            let SocketAddr::V4(peer) = peer else { continue };
            if let Some(key) = self.streams.make_room(IpAddr::V4(*peer.ip())) {
                self.closed(key, End::GaveWay);
                self.complain_of_crowd(now);
            }
            let tls = self.tls.as_ref().filter(|_| self.are_secured.get(listener) == Some(&true));
            // A connection that broke before it began ends here, by being dropped.
            let _ = Connection::new(socket, *peer.ip(), tls, now + self.limits.request_within)
                .and_then(|connection| self.streams.insert(&self.epoll, connection, IpAddr::V4(*peer.ip())));
        }
    }

    pub(super) fn listen(&mut self, listener: TcpListener, is_secured: bool) {
        match self.streams.listen_too(&self.epoll, listener) {
            Ok(()) => self.are_secured.push(is_secured),
            Err(error) => {
                let text = format!("HTTP cannot listen to another address: {error}; restart heorot");
                self.journal.say(Weight::Warning, text);
            }
        }
    }

    fn complain_of_crowd(&mut self, now: Instant) {
        if self.complained.is_none_or(|then| now.saturating_duration_since(then) >= COMPLAINS_EVERY) {
            self.complained = Some(now);
            let most = self.limits.connections;
            let text = format!(
                "there are {most} connections by HTTP, which is the most: for each that comes, one is closed of the address that has most, the one that has been idle longest"
            );
            self.journal.say(Weight::Warning, text);
        }
    }
}
