//! What firmware wants different from what the specifications say: one row each. Nothing of this is known anywhere else.
//!
//! A row says of whom it speaks, on which networks, and what it changes in the answer. All rows that fit hold. `docs/pxe.md` tells them to operators.

use super::node::Firmware;
use crate::config::Mode;
use crate::mac::Mac;
use std::ops::RangeInclusive;

/// What rows tell machines apart by.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Which program asks: by user class (option 77), iPXE's own option and vendor class (option 60).
    pub firmware: Firmware,
    /// What it says in option 93; 0 if nothing.
    pub architecture: u16,
    /// What it says in option 60.
    pub vendor_class: &'a [u8],
    /// Its hardware address.
    pub mac: Mac,
}

/// What an answer is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trait {
    /// Option 60 comes back: `PXEClient`, `HTTPClient`, or the maker's own word.
    ClassComesBack,
    /// Option 43 says that there is no menu and the file beside is the one to load (discovery control 8).
    FileIsNamed,
    /// It is told in option 175 not to wait for a proxy's offer (176, no-pxedhcp).
    NoProxyWait,
    /// Its menus are not to be relied on: where there is one entry, that is what it boots.
    NoMenuOfOne,
    /// It has no menu: it loads what it is told.
    NoMenu,
    /// It knows what its files are called, and needs no more than the address of their server.
    KnowsItsFiles,
    /// It comes to port 4011 of the server that the `siaddr` of its offer names, whoever sent that, and takes its file's server from the ACK there.
    AsksAtSiaddr,
    /// The server is named in text beside `siaddr`: in option 66 if asked for, and in `sname`.
    ServerIsNamed,
    /// It is told of no name server where its file is at an address.
    NoNameServers,
    /// Option 43 has `Raspberry Pi Boot` in its menu, and there is no boot file: it knows its files' names.
    RaspberryPi,
}

/// One peculiarity.
#[derive(Debug)]
pub struct Quirk {
    /// Its name, for tests and documents.
    pub name: &'static str,
    /// Of whom it speaks.
    pub who: Who,
    /// On what networks.
    pub modes: &'static [Mode],
    /// What it changes.
    pub traits: &'static [Trait],
}

/// Of whom a row speaks: all that is said has to hold.
#[derive(Debug)]
pub struct Who {
    /// One of these programs.
    firmware: &'static [Firmware],
    /// One of these architectures.
    architectures: RangeInclusive<u16>,
    /// How its vendor class begins. Whom the hardware address tells may also say none.
    vendor_class: &'static str,
    /// How its hardware address begins; no list: as it likes.
    makers: &'static [[u8; 3]],
}

const ANY: RangeInclusive<u16> = 0..=u16::MAX;
const BIOS: RangeInclusive<u16> = 0..=0;
/// 6 to 9 are EFI (RFC 4578 2.1); what the registry has after them is treated as such.
const UEFI: RangeInclusive<u16> = 6..=u16::MAX;

const GIVES_ADDRESSES: &[Mode] = &[Mode::Serve, Mode::Shadow];
const BESIDE_ANOTHER: &[Mode] = &[Mode::Proxy];
const EVERYWHERE: &[Mode] = &[Mode::Serve, Mode::Proxy, Mode::Shadow];

/// The registry's prefixes of Raspberry Pi (Trading) Ltd and the foundation before it.
const RASPBERRY_PI: &[[u8; 3]] = &[
    [0xb8, 0x27, 0xeb],
    [0xdc, 0xa6, 0x32],
    [0xe4, 0x5f, 0x01],
    [0x28, 0xcd, 0xc1],
    [0xd8, 0x3a, 0xdd],
    [0x2c, 0xcf, 0x67],
    [0x88, 0xa2, 0x9e],
];

/// All of them.
pub static QUIRKS: &[Quirk] = &[
    // An HTTP boot client takes no offer that does not say so (UEFI 24.7.3): measured of EDK2, which asks four times and gives up after 60 s.
    Quirk {
        name: "http-class",
        who: Who { firmware: &[Firmware::Http], architectures: ANY, vendor_class: "", makers: &[] },
        modes: EVERYWHERE,
        traits: &[Trait::ClassComesBack, Trait::NoMenu],
    },
    // EDK2 writes the name servers between address and URL into the path of the device that a program was loaded from. GRUB 2.06 takes
    // its address and its server from there, and does not know itself with them in between: measured, it ends in its prompt.
    Quirk {
        name: "http-no-name-servers",
        who: Who { firmware: &[Firmware::Http], architectures: ANY, vendor_class: "", makers: &[] },
        modes: GIVES_ADDRESSES,
        traits: &[Trait::NoNameServers],
    },
    // iPXE waits 2 s more for a proxy's offer unless it is told that there is none: measured, 10 ms instead of 3 s. Its script is its menu.
    Quirk {
        name: "ipxe-no-pxedhcp",
        who: Who { firmware: &[Firmware::Ipxe], architectures: ANY, vendor_class: "", makers: &[] },
        modes: GIVES_ADDRESSES,
        traits: &[Trait::NoProxyWait, Trait::NoMenu],
    },
    // A proxy's offer is one by its class alone (PXE 2.1, 2.2.3). iPXE takes file and next server from it and asks no further.
    Quirk {
        name: "ipxe-proxy",
        who: Who { firmware: &[Firmware::Ipxe], architectures: ANY, vendor_class: "", makers: &[] },
        modes: BESIDE_ANOTHER,
        traits: &[Trait::ClassComesBack, Trait::NoMenu],
    },
    // A BIOS ROM waits for a proxy, until 12 s have gone by, unless the offer is a PXE server's (PXE 2.1, 2.2.2); with discovery control 8 and a file in
    // the offer it loads that at once.
    Quirk {
        name: "bios-file-is-named",
        who: Who { firmware: &[Firmware::Pxe], architectures: BIOS, vendor_class: "", makers: &[] },
        modes: EVERYWHERE,
        traits: &[Trait::ClassComesBack, Trait::FileIsNamed],
    },
    // Where one server gives all, next server, server identifier and sender are one address, and nobody was ever seen to need a fourth. Beside another
    // server some ROMs take the other one's unless ours is named in every place.
    Quirk {
        name: "server-is-named",
        who: Who {
            firmware: &[Firmware::Pxe, Firmware::Ipxe],
            architectures: ANY,
            vendor_class: "",
            makers: &[],
        },
        modes: BESIDE_ANOTHER,
        traits: &[Trait::ServerIsNamed],
    },
    // UEFI with option 60 in the offer goes to port 4011 after its ACK: measured of EDK2, 10 s if nobody answers there. So it is not said where the offer
    // has everything. Its menus were broken for long: with one entry it is given that.
    Quirk {
        name: "uefi-no-class",
        who: Who { firmware: &[Firmware::Pxe], architectures: UEFI, vendor_class: "", makers: &[] },
        modes: GIVES_ADDRESSES,
        traits: &[Trait::NoMenuOfOne],
    },
    // Beside another server that is just what is wanted: many do not merge two offers, older ones take discovery control for a broken menu, but all of
    // them ask at port 4011 and boot what the ACK from there names. The file stands in the offer too, for those that skip 4011. EDK2 prefers `siaddr` to the server
    // identifier when it looks for that port (PxeBcRetryBinlOffer), and gives up after 10 s if nobody answers there.
    Quirk {
        name: "uefi-port-4011",
        who: Who { firmware: &[Firmware::Pxe], architectures: UEFI, vendor_class: "", makers: &[] },
        modes: BESIDE_ANOTHER,
        traits: &[Trait::ClassComesBack, Trait::NoMenuOfOne, Trait::AsksAtSiaddr],
    },
    // U-Boot says its architecture, and no word of PXE: it has no menu and asks no proxy. Its `pxe get` looks for `pxelinux.cfg/*` at the server in `siaddr`,
    // whether a boot file is named or not.
    Quirk {
        name: "u-boot",
        who: Who { firmware: &[Firmware::Pxe], architectures: ANY, vendor_class: "U-Boot", makers: &[] },
        modes: EVERYWHERE,
        traits: &[Trait::KnowsItsFiles, Trait::NoMenu],
    },
    // A Raspberry Pi says that it is a BIOS, a Pi 4 in its DISCOVER alone: its REQUEST has no vendor class. Its ROM cannot be changed, boots only where a menu has this entry,
    // and loads files of fixed names. (raspberrypi/documentation 1686, rpi-eeprom 60 and 82; that it stumbles over padding is why it gets no option 67.)
    Quirk {
        name: "raspberry-pi",
        who: Who {
            firmware: &[Firmware::Pxe],
            architectures: BIOS,
            vendor_class: "PXEClient:Arch:00000",
            makers: RASPBERRY_PI,
        },
        modes: EVERYWHERE,
        traits: &[Trait::RaspberryPi, Trait::ClassComesBack, Trait::ServerIsNamed],
    },
];

/// What the rows that fit change in the answers to a machine.
pub fn traits(asker: &Asker<'_>, mode: Mode) -> Vec<Trait> {
    let fits = |quirk: &&Quirk| quirk.modes.contains(&mode) && quirk.who.is(asker);
    QUIRKS.iter().filter(fits).flat_map(|quirk| quirk.traits).copied().collect()
}

impl Who {
    fn is(&self, asker: &Asker<'_>) -> bool {
        let [a, b, c, ..] = asker.mac.0;
        let says_none = asker.vendor_class.is_empty() && !self.makers.is_empty();
        self.firmware.contains(&asker.firmware)
            && self.architectures.contains(&asker.architecture)
            && (says_none || asker.vendor_class.starts_with(self.vendor_class.as_bytes()))
            && (self.makers.is_empty() || self.makers.contains(&[a, b, c]))
    }
}

#[cfg(test)]
mod tests;
