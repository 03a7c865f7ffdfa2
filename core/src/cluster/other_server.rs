//! DHCP servers that answer where we serve and that nobody has allowed: rogues, until the operator says otherwise.

use super::lines::Lines;
use crate::limit::{
    OTHER_SERVER_TOLD_EVERY, OTHER_SERVERS_HEARD_TOLD_MAX, OTHER_SERVERS_MAX,
    OTHER_SERVERS_SPOKEN_OF_TOLD_MAX,
};
use crate::mac::Mac;
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// All that were noticed, by what they call themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OtherServers {
    noticed: BTreeMap<Ipv4Addr, OtherServer>,
    /// Lines about servers that only clients speak of.
    spoken_of: Lines,
    /// Lines about servers that were heard.
    heard: Lines,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherServer {
    /// Where its frames came from last; nothing as long as only a client has spoken of it.
    pub mac: Option<Mac>,
    /// The interface where it was noticed last.
    pub interface: String,
    /// The interfaces of whose own links it serves somebody, and what it did there last.
    links: BTreeMap<String, Deed>,
    /// When it was noticed first.
    pub first: Time,
    /// When it was noticed last.
    pub last: Time,
    /// How often it was noticed.
    pub count: u64,
    /// What it did last, in words that a client's address may follow: "offered 10.77.200.3 to".
    pub did: String,
    /// To whom, if that is a machine with an Ethernet address.
    pub client: Option<Mac>,
    /// When it was last told of.
    told: Option<Time>,
}

/// What a server did last on a link: when, in words as in [`OtherServer::did`], and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Deed {
    at: Time,
    did: String,
    client: Option<Mac>,
}

/// What was noticed of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it calls itself.
    pub server: Ipv4Addr,
    /// Where the frame came from, if it was the server's own.
    pub mac: Option<Mac>,
    /// On which interface.
    pub interface: String,
    /// Whether it serves somebody on that interface's own link, and not behind a relay.
    pub is_on_link: bool,
    /// What it did, as in [`OtherServer::did`].
    pub did: String,
    /// To whom.
    pub client: Option<Mac>,
}

impl OtherServers {
    /// Whether one serves somebody on the link of this interface.
    pub fn is_on(&self, interface: &str) -> bool {
        self.noticed.values().any(|other| other.links.contains_key(interface))
    }

    /// Keeps what was noticed. Whether it is time to tell of this server: it is new, or was last told of a while ago.
    pub fn notice(&mut self, now: Time, notice: Notice) -> bool {
        let Notice { server, mac, interface, is_on_link, did, client } = notice;
        let deed = Deed { at: now, did: did.clone(), client };
        let link = is_on_link.then(|| (interface.clone(), deed));
        if let Some(known) = self.noticed.get_mut(&server) {
            (known.last, known.count) = (now, known.count + 1);
            (known.mac, known.interface) = (mac.or(known.mac), interface);
            (known.did, known.client) = (did, client);
            known.links.extend(link);
            let (was_heard, told) = (known.mac.is_some(), known.told);
            let is_time = told.is_none_or(|told| now.since(told) >= OTHER_SERVER_TOLD_EVERY);
            let is_told = is_time && self.may_tell(now, was_heard);
            if let Some(known) = self.noticed.get_mut(&server).filter(|_| is_told) {
                known.told = Some(now);
            }
            return is_told;
        }
        if self.noticed.len() >= OTHER_SERVERS_MAX {
            // A client may say anything: what was heard itself is kept longer.
            let by_worth = self.noticed.iter().min_by_key(|(_, other)| (other.mac.is_some(), other.last));
            let least = by_worth.map(|(server, _)| *server);
            least.map(|server| self.noticed.remove(&server));
        }
        let is_told = self.may_tell(now, mac.is_some());
        let told = is_told.then_some(now);
        let links = link.into_iter().collect();
        let other = OtherServer { mac, interface, links, first: now, last: now, count: 1, did, client, told };
        self.noticed.insert(server, other);
        is_told
    }

    fn may_tell(&mut self, now: Time, was_heard: bool) -> bool {
        match was_heard {
            true => self.heard.take(now, OTHER_SERVER_TOLD_EVERY, OTHER_SERVERS_HEARD_TOLD_MAX),
            false => self.spoken_of.take(now, OTHER_SERVER_TOLD_EVERY, OTHER_SERVERS_SPOKEN_OF_TOLD_MAX),
        }
    }

    /// One of them.
    pub fn get(&self, server: Ipv4Addr) -> Option<&OtherServer> {
        self.noticed.get(&server)
    }

    /// All of them, by address.
    pub fn iter(&self) -> impl Iterator<Item = (Ipv4Addr, &OtherServer)> {
        self.noticed.iter().map(|(server, other)| (*server, other))
    }

    /// Forgets those that are allowed now where they were noticed. One that is allowed on one link may be on another one still, where it is not.
    pub fn retain(&mut self, is_rogue: impl Fn(Ipv4Addr, &str) -> bool) {
        self.noticed.retain(|server, other| {
            other.links.retain(|interface, _| is_rogue(*server, interface));
            if is_rogue(*server, &other.interface) {
                return true;
            }
            let Some((interface, deed)) = other.links.iter().max_by_key(|(_, deed)| deed.at) else {
                return false;
            };
            (other.interface, other.last) = (interface.clone(), deed.at);
            (other.did, other.client) = (deed.did.clone(), deed.client);
            true
        });
    }
}

#[cfg(test)]
mod tests;
