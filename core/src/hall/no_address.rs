//! Why somebody gets no address, in words, and what the operator can do.

use super::Turn;
use super::listed::of_network;
use crate::cluster::lease::{Held, PoolId, PoolKind};
use crate::cluster::node::{Node, Trouble};
use crate::cluster::unanswered::Why;
use crate::config::Mode;
use crate::event::Kind;
use crate::limit::{DECLINED_PER_MACHINE_MAX, QUARANTINE};
use crate::mac::Mac;
use std::net::Ipv4Addr;

impl Turn<'_> {
    /// Of a host that is no node.
    pub(crate) fn no_address(&self, place: usize, why: Why) -> Trouble {
        let interface = self.config.networks.get(place).map_or("-", |network| &network.interface);
        let (what, to_do) = match why {
            Why::NoRange => (
                format!("{interface} has no range for hosts that are no nodes"),
                format!(
                    "set guests in [[network]] of {interface}, or list it: [[host]] with an address, or [[node]]"
                ),
            ),
            Why::NoBootp => {
                let has_range = self.config.networks.get(place).is_some_and(|network| network.guests.is_some());
                let guests = if has_range { "" } else { " and guests" };
                (
                    format!("it asks by BOOTP, which is not served on {interface} but for hosts that are listed"),
                    format!(
                        "set bootp = true{guests} in [[network]] of {interface}, or list it: [[host]] with an address, or [[node]]"
                    ),
                )
            }
            Why::IgnoredClass(place) => {
                let name = self.config.classes.get(place).map_or("-", |class| &class.name);
                let what = format!("[[class]] {name} says that it is to be ignored");
                (
                    what,
                    format!(
                        "take ignore out of [[class]] {name}, or out of what that says its machines are, if it is to be served"
                    ),
                )
            }
            Why::IgnoredHost(place) => {
                let host = self.config.hosts.get(place);
                let by_mac = || host.and_then(|host| Some(host.macs.first()?.to_string()));
                let name = host.and_then(|host| host.name.clone()).or_else(by_mac).unwrap_or_default();
                let what = format!("[[host]] {name} says that it is to be ignored");
                (what, format!("take ignore out of [[host]] {name}, if it is to be served"))
            }
            Why::NoNetwork => (
                "it asks without a relay, from where no [[network]] is".into(),
                "add a [[network]] with the addresses that are used there, or mend its relay".into(),
            ),
            Why::StrangeRelay(address) => (
                format!("{address}, by which it asks, is in no [[network]]"),
                "add a [[network]] with that address's prefix, or mend what its relay says of itself (giaddr)"
                    .into(),
            ),
            Why::NoneLeft => return self.none_left(PoolId { network: place, kind: PoolKind::Guest }),
            Why::Former(address) => match self.user_of(address) {
                Some(other) => (
                    format!("{address} is kept for it, and {other} has that still"),
                    format!("start {other} again, if it is to have another address; or switch it off"),
                ),
                None => (
                    format!("{address} is kept for it, and was another machine's until now"),
                    "wait until it asks again, or start it again".into(),
                ),
            },
            Why::Declines => {
                let minutes = QUARANTINE.as_secs() / 60;
                (
                    format!(
                        "it declines what it is given: {DECLINED_PER_MACHINE_MAX} addresses that were lent to it are closed for {minutes} minutes each at most, and its other DECLINEs close nothing"
                    ),
                    "find what answers it for each address by ARP, or what is wrong with its DHCP client"
                        .into(),
                )
            }
        };
        Trouble { what, to_do: Some(to_do) }
    }

    /// Who has an address, as far as is known: it is lent to him, or he has taken an offer for it.
    fn user_of(&self, address: Ipv4Addr) -> Option<Mac> {
        let lent = self.hall.leases.get(address).map(|lease| lease.mac);
        lent.or_else(|| self.hall.leases.taken(address))
    }

    /// That another server gives a node an address, and not the one that its name says: names of nodes are arithmetic there too. One that has that by one of its cards may have others by others.
    pub(crate) fn misaddressed(&self, node: &Node) -> Option<Trouble> {
        let place = node.network?;
        let settings = self.config.networks.get(place).filter(|network| network.mode == Mode::Proxy)?;
        let named = settings.numbering.address(node.number?)?;
        let elsewhere = PoolId { network: place, kind: PoolKind::Elsewhere };
        let macs = [node.mac].into_iter().chain(node.further_macs.iter().copied());
        let mut lent = macs.filter_map(|mac| Some((mac, self.hall.leases.borrowed(mac, elsewhere)?)));
        let (mac, address) = lent.next()?;
        if address == named || lent.any(|(_, address)| address == named) {
            return None;
        }
        Some(Trouble {
            what: format!("it has {address} from another server, and its name says {named}"),
            to_do: Some(format!("reserve {named} for {mac} in the other server")),
        })
    }

    /// Tells the journal of that.
    pub(crate) fn tell_misaddressed(&mut self, mac: Mac) {
        let trouble = self.hall.nodes.get(mac).and_then(|node| self.misaddressed(node));
        if let Some(Trouble { what, .. }) = trouble {
            self.event(Some(mac), Kind::Trouble, what);
        }
    }

    /// No address of a range is left.
    pub(crate) fn none_left(&self, id: PoolId) -> Trouble {
        let network = self.config.networks.get(id.network).map_or_else(|| "-".into(), of_network);
        let (whose, to_make_larger) = match id.kind {
            PoolKind::Number => {
                return Trouble {
                    what: format!(
                        "all free numbers of {network} were offered to other machines a moment ago"
                    ),
                    to_do: Some("make network.numbers larger, if they are taken".into()),
                };
            }
            PoolKind::Temporary | PoolKind::Elsewhere => (
                "temporary addresses",
                "make network.temporary larger: firmware keeps an address for 150 s after its last sign of life",
            ),
            PoolKind::Guest => {
                ("addresses for guests", "make network.guests larger, or network.guest-lease shorter")
            }
        };
        let Held { size, lent, offered, quarantined, probed, kept } =
            self.hall.leases.held(id).unwrap_or_default();
        let parts = [
            (lent, "lent"),
            (offered, "offered"),
            (quarantined, "in quarantine, because another host was found to use them"),
            (probed, "asked for by ARP before they are lent again"),
            (kept, "kept for [[host]]s"),
        ];
        let parts: Vec<_> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let what = format!("none of the {size} {whose} of {network} is left: {}", parts.join(", "));
        let to_do = if quarantined > lent + kept {
            "find who answers for these addresses by ARP (the journal names them): the range is for this server alone"
        } else {
            to_make_larger
        };
        Trouble { what, to_do: Some(to_do.into()) }
    }
}
