//! What PXE says in option 43: sub-options of the PXE specification 2.1, table 2-1.
//!
//! ```text
//!   6  discovery control, 1 octet        9  the menu: for each entry type (2), length (1), text
//!   8  boot servers: for each            10  the prompt: seconds (1; 255 waits for a key), text
//!      type (2), count (1), addresses    71  the entry that was chosen: type (2), layer (2)
//! ```
//! A client sends the chosen entry alone; everything else is ours to say.

use std::net::Ipv4Addr;

/// How boot servers are found (sub-option 6).
pub mod control {
    /// Not by broadcast.
    pub const NO_BROADCAST: u8 = 1;
    /// Not by multicast.
    pub const NO_MULTICAST: u8 = 2;
    /// At the addresses of sub-option 8 alone.
    pub const LISTED_SERVERS_ONLY: u8 = 4;
    /// Not at all: there is no menu, and the file that is named beside is the one to load.
    pub const FILE_IS_NAMED: u8 = 8;
}

/// The boot server type of what the machine boots without us.
pub const TYPE_LOCAL: u16 = 0;

/// Boot server types from here on are a maker's own to give (PXE 2.1, table 2-1, sub-option 8).
pub const TYPE_OWN_FIRST: u16 = 0x8000;

/// What an answer says in option 43. What is empty is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VendorOptions {
    /// How boot servers are found: bits of [`control`].
    pub control: Option<u8>,
    /// Where boot servers are, by their type.
    pub servers: Vec<(u16, Ipv4Addr)>,
    /// The menu: types and texts of its entries.
    pub menu: Vec<(u16, String)>,
    /// For how many seconds which line stands before the menu.
    pub prompt: Option<(u8, String)>,
    /// The entry that this answers.
    pub item: Option<Item>,
}

/// The entry of a menu that was chosen (sub-option 71).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its type.
    pub kind: u16,
    /// Which part of it: 0 is the boot file. The highest bit asks for its credentials, which we have none of.
    pub layer: u16,
}

const DISCOVERY_CONTROL: u8 = 6;
const BOOT_SERVERS: u8 = 8;
const BOOT_MENU: u8 = 9;
const MENU_PROMPT: u8 = 10;
const BOOT_ITEM: u8 = 71;
const PAD: u8 = 0;
const END: u8 = 255;

impl VendorOptions {
    /// The octets of option 43.
    ///
    /// # Panics
    /// If a text or the whole menu is longer than a sub-option: the configuration sees to that.
    pub fn write(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut put = |code: u8, value: &[u8]| {
            if !value.is_empty() {
                octets.extend([code, length(value)]);
                octets.extend(value);
            }
        };
        put(DISCOVERY_CONTROL, self.control.as_slice());
        let servers = self.servers.iter();
        let servers = servers.flat_map(|(kind, at)| [&kind.to_be_bytes()[..], &[1], &at.octets()].concat());
        put(BOOT_SERVERS, &servers.collect::<Vec<_>>());
        let menu = self.menu.iter();
        let menu = menu.flat_map(|(kind, text)| {
            [&kind.to_be_bytes()[..], &[length(text.as_bytes())], text.as_bytes()].concat()
        });
        put(BOOT_MENU, &menu.collect::<Vec<_>>());
        if let Some((seconds, text)) = &self.prompt {
            put(MENU_PROMPT, &[&[*seconds], text.as_bytes()].concat());
        }
        if let Some(Item { kind, layer }) = self.item {
            put(BOOT_ITEM, &[kind.to_be_bytes(), layer.to_be_bytes()].concat());
        }
        octets.push(END);
        octets
    }
}

impl Item {
    /// The entry that a client has chosen, out of its option 43. None: it has chosen none, or what it says is not to be understood.
    pub fn read(option: &[u8]) -> Option<Self> {
        let mut rest = option;
        loop {
            rest = match rest {
                [PAD, rest @ ..] => rest,
                [BOOT_ITEM, 4, a, b, c, d, ..] => {
                    let (kind, layer) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
                    return Some(Self { kind, layer });
                }
                [] | [END, ..] | [_] => return None,
                [_, length, rest @ ..] => rest.get(usize::from(*length)..)?,
            }
        }
    }
}

fn length(value: &[u8]) -> u8 {
    u8::try_from(value.len()).expect("the configuration keeps menus short")
}

#[cfg(test)]
mod tests;
