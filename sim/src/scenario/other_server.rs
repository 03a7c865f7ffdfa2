//! Another server answers machines, and is heard.

use super::{Teller, said_source};
use crate::speaker::{OTHER_SERVER_MAC, other_reply};
use heorot_core::message::{Input, Overheard};
use heorot_core::wire::dhcp::MessageType;
use std::net::{Ipv4Addr, SocketAddrV4};

impl Teller {
    /// What comes of its answer to a machine.
    pub(super) fn another_server(
        &mut self,
        (server, verb): (&str, &str),
        address: &str,
        name: &str,
        rest: &[&str],
    ) -> Option<Vec<String>> {
        let message_type = match verb {
            "offers" => MessageType::Offer,
            "grants" => MessageType::Ack,
            "refuses" => MessageType::Nak,
            _ => return None,
        };
        let server = server.parse().ok()?;
        let file = rest.iter().find(|word| word.contains("://") || !word.contains('=')).copied();
        let class = rest.iter().find_map(|word| word.strip_prefix("class="));
        let next = rest.iter().find_map(|word| word.strip_prefix("next=")?.parse().ok());
        let (address, mac) = (address.parse().ok()?, self.mac(name)?);
        let payload = other_reply(server, message_type, address, mac, (file, next, class));
        let overheard = Overheard {
            interface: "eth1",
            mac: OTHER_SERVER_MAC,
            source: said_source(rest).unwrap_or_else(|| SocketAddrV4::new(server, 67)),
            destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, 68),
            payload: &payload,
        };
        let out = self.world()?.happen(Input::Overheard(overheard));
        Some(self.lines(out, None))
    }
}
