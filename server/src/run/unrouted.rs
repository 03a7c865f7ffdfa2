//! Relays and hosts that DHCP packets cannot be sent to, because this host knows no way there: whoever looks for why nobody behind a relay boots looks at
//! the status.

use crate::journal::Weight;
use heorot_core::message::MeasuredTrouble;
use heorot_core::time::Time;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// Since when, and when last, a packet had no way there; and whether that is a relay.
#[derive(Debug)]
struct Failing {
    since: Time,
    last: Time,
    is_relay: bool,
}

#[derive(Debug, Default)]
pub(super) struct Unrouted(BTreeMap<Ipv4Addr, Failing>);

impl Unrouted {
    /// A packet could not be sent. What the journal says of it, if that is new.
    pub(super) fn failed(&mut self, now: Time, to: SocketAddrV4) -> Option<(Weight, String)> {
        if let Some(known) = self.0.get_mut(to.ip()).filter(|known| now.since(known.last) < FORGOTTEN_AFTER) {
            known.last = now;
            return None;
        }
        // Anybody may send a packet that says it came by some relay.
        self.0.retain(|_, known| now.since(known.last) < FORGOTTEN_AFTER);
        if self.0.len() >= KEPT_MAX {
            return None;
        }
        let failing = Failing { since: now, last: now, is_relay: to.port() != CLIENT_PORT };
        let line = format!("{}\n  {}", failing.what(*to.ip()), remedy(*to.ip()));
        self.0.insert(*to.ip(), failing);
        Some((Weight::Warning, line))
    }

    /// One was sent there. What the journal says of it, if that is new.
    pub(super) fn sent(&mut self, to: SocketAddrV4) -> Option<(Weight, String)> {
        let failing = self.0.remove(to.ip())?;
        Some((Weight::Notice, format!("there is a way to {} again", failing.named(*to.ip()))))
    }

    pub(super) fn told(&self, now: Time) -> impl Iterator<Item = MeasuredTrouble> + '_ {
        let recent = self.0.iter().filter(move |(_, known)| now.since(known.last) < FORGOTTEN_AFTER);
        recent.map(|(address, known)| MeasuredTrouble {
            what: format!("{},", known.what(*address)),
            since: known.since,
            why: remedy(*address),
        })
    }
}

impl Failing {
    fn what(&self, address: Ipv4Addr) -> String {
        let whom = if self.is_relay { "nobody behind it is answered" } else { "it is not answered" };
        format!("this host has no way to {}, and {whom}", self.named(address))
    }

    fn named(&self, address: Ipv4Addr) -> String {
        let relay = if self.is_relay { "the relay " } else { "" };
        format!("{relay}{address}")
    }
}

fn remedy(address: Ipv4Addr) -> String {
    format!("`ip route get {address}` has to show a way: give this host a route there")
}

/// Whether the kernel found no route, or one that says that there is none (route(8): unreachable).
pub(super) fn is_no_way(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENETUNREACH | libc::EHOSTUNREACH))
}

/// A client is answered there (RFC 2131 4.1); a relay at the port of servers, or at one of its own (RFC 8357).
const CLIENT_PORT: u16 = 68;
/// Those behind a relay that is not reached ask again all the time: where nobody did for so long, nobody is there.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);
/// More than so many relays at once are told by the first of them.
const KEPT_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 9, 0, 1), 67);

    fn at(seconds: u64) -> Time {
        Time::from_nanoseconds(seconds * 1_000_000_000)
    }

    #[test]
    fn a_relay_without_a_way_is_told_until_there_is_one() {
        let mut unrouted = Unrouted::default();
        let (weight, line) = unrouted.failed(at(1), RELAY).unwrap();
        let what = "this host has no way to the relay 10.9.0.1, and nobody behind it is answered";
        let why = "`ip route get 10.9.0.1` has to show a way: give this host a route there";
        assert_eq!((weight as u8, line), (Weight::Warning as u8, format!("{what}\n  {why}")));
        assert!(unrouted.failed(at(500), RELAY).is_none(), "it was told");
        let told: Vec<_> = unrouted.told(at(501)).collect();
        assert_eq!(told, [MeasuredTrouble { what: format!("{what},"), since: at(1), why: why.into() }]);
        let (_, line) = unrouted.sent(RELAY).unwrap();
        assert_eq!(line, "there is a way to the relay 10.9.0.1 again");
        assert!(unrouted.sent(RELAY).is_none());
        assert_eq!(unrouted.told(at(502)).count(), 0);
    }

    /// Strangers who name relays that do not exist neither fill our memory nor hide for ever what is true.
    #[test]
    fn who_is_not_asked_for_any_more_is_forgotten() {
        let mut unrouted = Unrouted::default();
        let said = (0..=u8::MAX)
            .filter_map(|last| unrouted.failed(at(1), SocketAddrV4::new(Ipv4Addr::new(10, 66, 0, last), 67)));
        assert_eq!(said.count(), KEPT_MAX);
        assert!(unrouted.failed(at(2), RELAY).is_none());
        assert_eq!(unrouted.told(at(601)).count(), 0);
        assert!(unrouted.failed(at(601), RELAY).is_some());
        assert_eq!(unrouted.told(at(602)).count(), 1);
    }

    #[test]
    fn a_client_is_not_taken_for_a_relay() {
        let (_, line) = Unrouted::default().failed(at(1), SocketAddrV4::new(*RELAY.ip(), 68)).unwrap();
        assert!(line.starts_with("this host has no way to 10.9.0.1, and it is not answered\n"), "{line}");
    }
}
