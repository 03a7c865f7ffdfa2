//! Why somebody gets no address, in words, and what the operator can do.

use super::Turn;
use crate::cluster::lease::{Held, PoolId, PoolKind};
use crate::cluster::node::Trouble;
use crate::cluster::unanswered::Why;
use crate::limit::{DECLINED_PER_MACHINE_MAX, QUARANTINE};

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
            Why::NoneLeft => return self.none_left(PoolId { network: place, kind: PoolKind::Guest }),
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

    /// No address of a range is left.
    pub(crate) fn none_left(&self, id: PoolId) -> Trouble {
        let interface = self.config.networks.get(id.network).map_or("-", |network| &network.interface);
        let (whose, to_make_larger) = match id.kind {
            PoolKind::Temporary | PoolKind::Number | PoolKind::Elsewhere => (
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
        let what = format!("none of the {size} {whose} of {interface} is left: {}", parts.join(", "));
        let to_do = if quarantined > lent + kept {
            "find who answers for these addresses by ARP (the journal names them): the range is for this server alone"
        } else {
            to_make_larger
        };
        Trouble { what, to_do: Some(to_do.into()) }
    }
}
