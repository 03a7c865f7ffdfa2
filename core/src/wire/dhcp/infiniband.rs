//! Who speaks over InfiniBand (RFC 4390). Its hardware addresses have twenty octets, which chaddr cannot hold: the client identifier has to tell,
//! and everybody makes it in a way of his own. What all of them have in common is that it ends in the GUID of the port.

use super::{ETHERNET, IEEE_802, Message, option};
use crate::mac::Mac;

/// The hardware type of InfiniBand (RFC 4390 2.1).
const INFINIBAND: u8 = 32;

/// Octets of a port's GUID, and of a link-layer address, which ends in one.
const GUID: usize = 8;
const LINK_LAYER: usize = 20;

/// The GUID of the port that a client identifier ends in. None: it is made of something else.
///
/// | who | identifier |
/// |---|---|
/// | FlexBoot, dracut, dhclient as Mellanox has it configured | ff, IAID 0, DUID-EN of Mellanox, 00, GUID |
/// | FlexBoot with "client identifier of the hardware type", iPXE, NetworkManager | 20, GUID |
/// | dhclient by RFC 4361, dhcpcd | ff, IAID, DUID-LL or DUID-LLT of hardware type 32, GUID or the whole address |
/// | older dhclients | 00, GUID or the whole address |
pub fn port_guid(identifier: &[u8]) -> Option<[u8; GUID]> {
    let hardware = match identifier {
        [0 | INFINIBAND, hardware @ ..] => hardware,
        // RFC 4361 6.1: four octets of IAID, then the DUID (RFC 3315 9).
        [0xff, _, _, _, _, duid @ ..] => match duid {
            [0, 1, 0, INFINIBAND, _, _, _, _, hardware @ ..] => hardware,
            [0, 2, 0, 0, 0x02, 0xc9, 0, hardware @ ..] => hardware,
            [0, 3, 0, INFINIBAND, hardware @ ..] => hardware,
            _ => return None,
        },
        _ => return None,
    };
    let is_whole = matches!(hardware.len(), GUID | LINK_LAYER);
    hardware.last_chunk::<GUID>().copied().filter(|_| is_whole)
}

impl Message {
    /// By which hardware address its machine is known. A machine is the same whichever of its stages asks: over InfiniBand it is the 48-bit address
    /// that its ROM makes of the port's GUID.
    ///
    /// # Errors
    /// The packet does not tell: a word for the counter.
    pub fn identity(&self) -> Result<Mac, &'static str> {
        let chaddr = |octets: usize| self.chaddr.get(..octets).unwrap_or_default();
        let identifier = self.options.get(option::CLIENT_IDENTIFIER);
        match (self.htype, self.hlen) {
            (ETHERNET | IEEE_802, 6) => self.mac().ok_or("dhcp-hardware-address"),
            // RFC 4390 2.1: hlen is 0, and there has to be a client identifier.
            (INFINIBAND, 0) => {
                let identifier = identifier.filter(|identifier| identifier.len() > 1);
                let identifier = identifier.ok_or("dhcp-client-identifier")?;
                let by_port = port_guid(identifier).map(Mac::of_port).filter(|mac| mac.is_one_machine());
                // A system that does not say by which port it asks is not known to be the machine of its ROM.
                Ok(by_port.unwrap_or_else(|| Mac::of_identifier(identifier)))
            }
            // iPXE says the GUID; FlexBoot the 48-bit address, as if it were on Ethernet.
            (INFINIBAND, 6 | 8) => {
                let by_port = chaddr(GUID).try_into().ok().map(Mac::of_port);
                let by_mac = chaddr(6).try_into().ok().map(Mac);
                let mac = if self.hlen == 8 { by_port } else { by_mac };
                mac.filter(|mac| mac.is_one_machine()).ok_or("dhcp-hardware-address")
            }
            _ => Err("dhcp-hardware-address"),
        }
    }

    /// Whether its client is on InfiniBand: no frame can be sent to the hardware address of the packet. FlexBoot gives itself away by its identifier alone.
    pub fn is_infiniband(&self) -> bool {
        let by_identifier = self.options.get(option::CLIENT_IDENTIFIER).and_then(port_guid).map(Mac::of_port);
        self.htype == INFINIBAND || (by_identifier.is_some() && by_identifier == self.mac())
    }
}

#[cfg(test)]
mod tests;
