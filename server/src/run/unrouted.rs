//! Relays and hosts that DHCP packets cannot be sent to, because this host knows no way there: whoever looks for why nobody behind a relay boots looks at
//! the status.

use crate::journal::Weight;
use heorot_core::message::MeasuredTrouble;
use heorot_core::time::Time;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// Those that there is no way to, by their address and ours: what a host may reach can depend on where it sends from (ip-rule(8)).
#[derive(Debug, Default)]
pub(super) struct Unrouted {
    known: BTreeMap<(Ipv4Addr, Ipv4Addr), Failing>,
    /// Since when, and when last, there were more than are kept.
    more: Option<(Time, Time)>,
}

/// Since when, and when last, a packet had no way there; and whether that is a relay.
#[derive(Debug)]
struct Failing {
    since: Time,
    last: Time,
    is_relay: bool,
}

impl Unrouted {
    /// A packet could not be sent from an address of ours. What the journal says of it, if that is new.
    pub(super) fn failed(&mut self, now: Time, from: Ipv4Addr, to: SocketAddrV4) -> Option<(Weight, String)> {
        let way = (*to.ip(), from);
        if let Some(known) = self.known.get_mut(&way).filter(|known| known.is_recent(now)) {
            known.last = now;
            return None;
        }
        // Anybody may send a packet that says it came by some relay.
        self.known.retain(|_, known| known.is_recent(now));
        if self.known.len() >= KEPT_MAX {
            let since = self.more_since(now);
            self.more = Some((since.unwrap_or(now), now));
            return since.is_none().then(|| (Weight::Warning, format!("{}\n  {}", more(), REMEDY_OF_MORE)));
        }
        let failing = Failing { since: now, last: now, is_relay: to.port() != CLIENT_PORT };
        let line = format!("{}\n  {}", failing.what(way), remedy(way));
        self.known.insert(way, failing);
        Some((Weight::Warning, line))
    }

    /// One was sent there from this address. What the journal says of it, if that is new.
    pub(super) fn sent(&mut self, from: Ipv4Addr, to: SocketAddrV4) -> Option<(Weight, String)> {
        let failing = self.known.remove(&(*to.ip(), from))?;
        Some((Weight::Notice, format!("there is a way to {} again", failing.named(*to.ip()))))
    }

    pub(super) fn told(&self, now: Time) -> impl Iterator<Item = MeasuredTrouble> + '_ {
        let recent = self.known.iter().filter(move |(_, known)| known.is_recent(now));
        let recent = recent.map(|(way, known)| MeasuredTrouble {
            what: format!("{},", known.what(*way)),
            since: known.since,
            why: remedy(*way),
        });
        let more = self.more_since(now).map(|since| MeasuredTrouble {
            what: format!("{},", more()),
            since,
            why: REMEDY_OF_MORE.into(),
        });
        recent.chain(more)
    }

    fn more_since(&self, now: Time) -> Option<Time> {
        self.more.filter(|(_, last)| now.since(*last) < FORGOTTEN_AFTER).map(|(since, _)| since)
    }
}

impl Failing {
    fn is_recent(&self, now: Time) -> bool {
        now.since(self.last) < FORGOTTEN_AFTER
    }

    fn what(&self, (to, from): (Ipv4Addr, Ipv4Addr)) -> String {
        let whom = if self.is_relay { "nobody behind it is answered" } else { "it is not answered" };
        format!("this host has no way from {from} to {}, and {whom}", self.named(to))
    }

    fn named(&self, address: Ipv4Addr) -> String {
        let relay = if self.is_relay { "the relay " } else { "" };
        format!("{relay}{address}")
    }
}

fn remedy((to, from): (Ipv4Addr, Ipv4Addr)) -> String {
    format!("`ip route get {to} from {from}` has to show a way: give this host a route there")
}

fn more() -> String {
    format!("this host has no way to more than {KEPT_MAX} relays and hosts that ask")
}

/// What is to be done about those that are not named.
const REMEDY_OF_MORE: &str = "those that are named come first; a default route gives a way to all";

/// Whether the kernel found no route, or one that says that there is none (ip-route(8): unreachable, prohibit, blackhole).
pub(super) fn is_no_way(error: &io::Error) -> bool {
    let no_way = [libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EACCES, libc::EINVAL];
    error.raw_os_error().is_some_and(|code| no_way.contains(&code))
}

/// A client is answered there (RFC 2131 4.1); a relay at the port of servers, or at one of its own (RFC 8357).
const CLIENT_PORT: u16 = 68;
/// Those behind a relay that is not reached ask again all the time: where nobody did for so long, nobody is there.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);
/// So many are told by their addresses, and of more that there are some.
const KEPT_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
    const RELAY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 9, 0, 1), 67);

    fn at(seconds: u64) -> Time {
        Time::from_nanoseconds(seconds * 1_000_000_000)
    }

    #[test]
    fn a_relay_without_a_way_is_told_until_there_is_one() {
        let mut unrouted = Unrouted::default();
        let (weight, line) = unrouted.failed(at(1), OURS, RELAY).unwrap();
        let what =
            "this host has no way from 10.77.0.1 to the relay 10.9.0.1, and nobody behind it is answered";
        let why = "`ip route get 10.9.0.1 from 10.77.0.1` has to show a way: give this host a route there";
        assert_eq!((weight as u8, line), (Weight::Warning as u8, format!("{what}\n  {why}")));
        assert!(unrouted.failed(at(500), OURS, RELAY).is_none(), "it was told");
        let told: Vec<_> = unrouted.told(at(501)).collect();
        assert_eq!(told, [MeasuredTrouble { what: format!("{what},"), since: at(1), why: why.into() }]);
        let (_, line) = unrouted.sent(OURS, RELAY).unwrap();
        assert_eq!(line, "there is a way to the relay 10.9.0.1 again");
        assert!(unrouted.sent(OURS, RELAY).is_none());
        assert_eq!(unrouted.told(at(502)).count(), 0);
    }

    /// Strangers who name relays that do not exist neither fill our memory nor hide for ever what is true.
    #[test]
    fn who_is_not_asked_for_any_more_is_forgotten() {
        let mut unrouted = Unrouted::default();
        let said = (0..=u8::MAX).filter_map(|last| {
            unrouted.failed(at(1), OURS, SocketAddrV4::new(Ipv4Addr::new(10, 66, 0, last), 67))
        });
        // And once that there are more.
        assert_eq!(said.count(), KEPT_MAX + 1);
        assert!(unrouted.failed(at(2), OURS, RELAY).is_none());
        let last = unrouted.told(at(600)).last().unwrap();
        assert_eq!(last.what, "this host has no way to more than 16 relays and hosts that ask,");
        assert_eq!(unrouted.told(at(602)).count(), 0);
        assert!(unrouted.failed(at(602), OURS, RELAY).is_some());
        assert_eq!(unrouted.told(at(603)).count(), 1);
    }

    /// By what rules a packet goes may depend on where it comes from: what is so from one address is nothing new from the other.
    #[test]
    fn a_way_from_one_address_is_none_from_another() {
        let mut unrouted = Unrouted::default();
        let other = Ipv4Addr::new(10, 88, 0, 1);
        assert!(unrouted.failed(at(1), OURS, RELAY).is_some());
        assert!(unrouted.sent(other, RELAY).is_none());
        assert!(unrouted.failed(at(2), OURS, RELAY).is_none());
        assert_eq!(unrouted.told(at(3)).count(), 1);
    }

    #[test]
    fn a_client_is_not_taken_for_a_relay() {
        let (_, line) = Unrouted::default().failed(at(1), OURS, SocketAddrV4::new(*RELAY.ip(), 68)).unwrap();
        let what = "this host has no way from 10.77.0.1 to 10.9.0.1, and it is not answered\n";
        assert!(line.starts_with(what), "{line}");
    }
}
