//! An exchange that we only look on: what we would have answered, and what another server did.

use crate::limit::{SHADOW_OFFERS_MAX, SHADOW_WAIT};
use crate::time::Time;
use std::net::Ipv4Addr;

/// One exchange of a host with another server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The number of its host's last packet.
    xid: u32,
    /// What we would have answered, in words: "would have OFFERed 10.77.1.23".
    would: String,
    /// What was offered to it, the first of each server.
    offers: Vec<Answer>,
    /// From which server it wanted which address.
    wanted: Option<(Option<Ipv4Addr>, Ipv4Addr)>,
    /// When nothing more is waited for.
    pub until: Time,
}

/// What another server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which.
    pub server: Ipv4Addr,
    /// The address that it speaks of.
    pub address: Ipv4Addr,
    /// The boot file that it names.
    pub file: Option<String>,
}

/// How an exchange ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With an ACK.
    Acknowledged(Answer),
    /// With a NAK of this server.
    Refused(Ipv4Addr),
    /// Nothing more was seen of it. Answers to one host alone pass us by where a switch knows its place.
    Unseen,
}

impl Exchange {
    /// It begins.
    pub fn new(now: Time, xid: u32, would: String) -> Self {
        Self { xid, would, offers: Vec::new(), wanted: None, until: now + SHADOW_WAIT }
    }

    /// Whether a packet of this number begins another one: its host has said what it wants in this one, and says something new. That is the next program of the same machine (ROM, loader, system), where the
    /// answers to this one passed us by. As long as it wants nothing, it repeats itself: some take a new number then.
    pub fn is_followed_by(&self, xid: u32) -> bool {
        self.wanted.is_some() && self.xid != xid
    }

    /// The host speaks; what it wants from whom, if it says so.
    pub fn spoken(&mut self, now: Time, xid: u32, wanted: Option<(Option<Ipv4Addr>, Ipv4Addr)>) {
        self.xid = xid;
        self.until = now + SHADOW_WAIT;
        self.wanted = wanted.or(self.wanted);
    }

    /// A server offers.
    pub fn offered(&mut self, now: Time, offer: Answer) {
        self.until = now + SHADOW_WAIT;
        let is_known = self.offers.iter().any(|known| known.server == offer.server);
        if !is_known && self.offers.len() < SHADOW_OFFERS_MAX {
            self.offers.push(offer);
        }
    }

    /// The whole exchange in one line.
    pub fn told(&self, end: &End) -> String {
        let mut parts = vec![self.would.clone()];
        parts.extend(self.offers.iter().map(|offer| offer.told("offered")));
        let is_offer = |answer: &Answer| {
            let same = |offer: &Answer| offer.server == answer.server && offer.address == answer.address;
            self.offers.iter().any(same)
        };
        match (end, self.wanted) {
            (End::Acknowledged(ack), _) if is_offer(ack) => {
                parts.push(format!("{} acknowledged {}", ack.server, ack.address));
            }
            (End::Acknowledged(ack), _) => parts.push(ack.told("acknowledged")),
            (End::Refused(server), _) => parts.push(format!("{server} refused what it asked for")),
            (End::Unseen, Some((Some(server), address))) => {
                parts.push(format!("it asked {server} for {address}"));
            }
            (End::Unseen, Some((None, address))) => {
                parts.push(format!("it asked for {address}, and no answer was seen"));
            }
            (End::Unseen, None) if self.offers.is_empty() => parts.push("no other answer was seen".into()),
            (End::Unseen, None) => parts.push("it asked for none of them".into()),
        }
        parts.join("; ")
    }
}

impl Answer {
    fn told(&self, verb: &str) -> String {
        let Self { server, address, file } = self;
        let file = file.as_ref().map(|file| format!(", boot file {file}")).unwrap_or_default();
        match address.is_unspecified() {
            true => format!("{server} {verb} no address{file}"),
            false => format!("{server} {verb} {address}{file}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_is_one_line() {
        let now = Time::from_nanoseconds(0);
        let (server, address) = (Ipv4Addr::new(10, 77, 0, 2), Ipv4Addr::new(10, 77, 5, 9));
        let answer = |server, file: Option<&str>| Answer { server, address, file: file.map(str::to_owned) };
        let proxy = Answer {
            server: [10, 77, 0, 3].into(),
            address: Ipv4Addr::UNSPECIFIED,
            file: Some("x.efi".into()),
        };
        let offer = answer(server, Some("y.0"));
        let ack = End::Acknowledged(answer(server, None));
        let chosen = Some((Some(server), address));
        for (offers, wanted, end, expected) in [
            (vec![], None, End::Unseen, "would; no other answer was seen"),
            (
                vec![offer.clone()],
                None,
                End::Unseen,
                "would; 10.77.0.2 offered 10.77.5.9, boot file y.0; it asked for none of them",
            ),
            (
                vec![offer.clone()],
                chosen,
                ack.clone(),
                "would; 10.77.0.2 offered 10.77.5.9, boot file y.0; 10.77.0.2 acknowledged 10.77.5.9",
            ),
            (
                vec![offer.clone(), proxy],
                chosen,
                End::Unseen,
                "would; 10.77.0.2 offered 10.77.5.9, boot file y.0; 10.77.0.3 offered no address, boot file x.efi; it asked 10.77.0.2 for 10.77.5.9",
            ),
            (vec![], chosen, End::Unseen, "would; it asked 10.77.0.2 for 10.77.5.9"),
            (
                vec![],
                Some((None, address)),
                End::Unseen,
                "would; it asked for 10.77.5.9, and no answer was seen",
            ),
            (vec![], Some((None, address)), ack, "would; 10.77.0.2 acknowledged 10.77.5.9"),
            (vec![], chosen, End::Refused(server), "would; 10.77.0.2 refused what it asked for"),
        ] {
            let mut exchange = Exchange::new(now, 1, "would".into());
            for offer in offers {
                exchange.offered(now, offer.clone());
                exchange.offered(now, offer); // repeated
            }
            exchange.spoken(now, 1, wanted);
            exchange.spoken(now, 1, None);
            assert_eq!(exchange.told(&end), expected);
        }
    }
}
