//! Replies by UDP, in batches: a system call for each costs more than all that comes before it.

use super::bind::Datagrams;
use crate::netio::Outbox;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;

/// What waits to go out.
#[derive(Default)]
pub(super) struct Replies {
    unsent: Vec<Reply>,
}

/// A reply, and the socket that it leaves by.
struct Reply {
    socket: usize,
    to: SocketAddr,
    payload: Vec<u8>,
}

impl Replies {
    /// It leaves at the end of the turn.
    pub(super) fn queue(&mut self, socket: usize, to: SocketAddr, payload: Vec<u8>) {
        self.unsent.push(Reply { socket, to, payload });
    }

    /// Sends all that waits, in its order. How many did not leave: a socket that is full holds up nobody, for clients repeat their queries.
    pub(super) fn send(&mut self, outbox: &mut Outbox, sockets: &[Datagrams]) -> u64 {
        let mut lost = 0;
        for replies in self.unsent.chunk_by(|one, next| one.socket == next.socket) {
            let Some(sockets) = replies.first().and_then(|reply| sockets.get(reply.socket)) else { continue };
            lost += match replies {
                [_, _, ..] => send_together(outbox, sockets, replies),
                replies => send_each(sockets, replies),
            };
        }
        self.unsent.clear();
        lost
    }
}

fn send_together(outbox: &mut Outbox, sockets: &Datagrams, mut replies: &[Reply]) -> u64 {
    let mut lost = 0;
    while !replies.is_empty() {
        let mut batch = outbox.batch();
        let added = replies
            .iter()
            .take_while(|reply| batch.add_from_bound(reply.to, std::iter::once(reply.payload.as_slice())));
        let added = added.count();
        let mut sent = 0;
        while sent < added {
            match batch.send(sockets.socket.as_fd(), sent) {
                Ok(count) => sent += count.max(1),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The first one did not leave; those behind it may.
                Err(_) => {
                    lost += 1;
                    sent += 1;
                }
            }
        }
        // An empty batch has room for any datagram.
        replies = replies.get(added.max(1)..).unwrap_or_default();
    }
    lost
}

fn send_each(sockets: &Datagrams, replies: &[Reply]) -> u64 {
    let failed = replies.iter().filter(|reply| sockets.socket.send_to(&reply.payload, reply.to).is_err());
    failed.count() as u64
}
