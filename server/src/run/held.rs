//! DHCP packets that wait for neighbour entries.

use crate::neighbour::keeper::Moment;
use heorot_core::limit::NODES_MAX;
use heorot_core::message::DhcpSend;
use heorot_core::time::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// Packets that wait at a time: one for each node.
const HELD_MAX: usize = NODES_MAX;

/// How long one waits: the kernel was seen to take 146 ms, and firmware repeats itself after a second at the earliest. After that it is better that the machine is asked for
/// by ARP, which most answer, than that it hears nothing.
const HELD_FOR: Duration = Duration::from_millis(500);

/// The packets, in their order.
#[derive(Debug, Default)]
pub(super) struct Held(VecDeque<(Moment, Time, DhcpSend)>);

impl Held {
    /// Keeps a packet until this moment is done. If there are too many, the oldest comes back, to leave now.
    pub(super) fn hold(&mut self, now: Time, until: Moment, send: DhcpSend) -> Option<DhcpSend> {
        self.0.push_back((until, now, send));
        let oldest = if self.0.len() > HELD_MAX { self.0.pop_front() } else { None };
        oldest.map(|(_, _, send)| send)
    }

    /// The next packet that may leave.
    pub(super) fn next(&mut self, now: Time, done: Moment) -> Option<DhcpSend> {
        let (until, since, _) = self.0.front()?;
        let may_leave = *until <= done || now.since(*since) >= HELD_FOR;
        let next = if may_leave { self.0.pop_front() } else { None };
        next.map(|(_, _, send)| send)
    }

    /// When the first of them leaves in any case.
    pub(super) fn due(&self) -> Option<Time> {
        self.0.front().map(|(_, since, _)| *since + HELD_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heorot_core::message::DhcpTarget;
    use std::net::{Ipv4Addr, SocketAddrV4};

    const NOW: Time = Time::from_nanoseconds(1 << 40);

    fn send(n: u32) -> DhcpSend {
        let target = DhcpTarget::Address(SocketAddrV4::new(Ipv4Addr::from(n), 68));
        DhcpSend { interface: "eth1".into(), source: Ipv4Addr::LOCALHOST, target, payload: vec![] }
    }

    fn leaving(held: &mut Held, now: Time, done: Moment) -> Vec<DhcpSend> {
        std::iter::from_fn(|| held.next(now, done)).collect()
    }

    #[test]
    fn a_packet_leaves_when_its_moment_is_done_or_after_a_while() {
        let moment = Moment::of;
        let mut held = Held::default();
        assert_eq!(held.due(), None);
        for (n, until) in [(1, 1), (2, 1), (3, 2), (4, 3)] {
            assert_eq!(held.hold(NOW, moment(until), send(n)), None);
        }
        assert_eq!(leaving(&mut held, NOW, moment(0)), []);
        assert_eq!(leaving(&mut held, NOW, moment(1)), [send(1), send(2)]);
        assert_eq!(leaving(&mut held, NOW, moment(2)), [send(3)]);
        let due = held.due().unwrap();
        assert_eq!(leaving(&mut held, NOW + HELD_FOR / 2, moment(2)), []);
        assert_eq!(leaving(&mut held, due, moment(2)), [send(4)]);
        assert_eq!(held.due(), None);
    }

    #[test]
    fn too_many_make_the_oldest_leave() {
        let mut held = Held::default();
        let left: Vec<DhcpSend> =
            (0..NODES_MAX as u32 + 2).filter_map(|n| held.hold(NOW, Moment::of(1), send(n))).collect();
        assert_eq!(left, [send(0), send(1)]);
    }
}
