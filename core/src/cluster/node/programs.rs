//! Programs that ask for an address before there is an operating system, and when each of them asked last.

use crate::time::Time;

/// Programs that ask for an address before there is an operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Firmware {
    /// The machine's own, by PXE.
    Pxe,
    /// The machine's own, by HTTP.
    Http,
    /// iPXE, from ROM or loaded.
    Ipxe,
}

const ALL: [Firmware; 3] = [Firmware::Pxe, Firmware::Http, Firmware::Ipxe];

/// When each firmware of a machine asked last. There are three of them and ten thousand machines: each has its place, and no map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Programs([Option<Time>; ALL.len()]);

impl Programs {
    /// All of them, as if they had asked at this moment.
    pub fn all(at: Time) -> Self {
        Self([Some(at); ALL.len()])
    }

    /// One asks. When it did so before.
    pub fn asks(&mut self, firmware: Firmware, at: Time) -> Option<Time> {
        self.0[firmware as usize].replace(at)
    }

    /// When one asked last.
    pub fn asked(&self, firmware: Firmware) -> Option<Time> {
        self.0[firmware as usize]
    }

    /// How many have asked.
    pub fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// The one that asked last.
    pub fn last(&self) -> Option<Firmware> {
        let asked = ALL.into_iter().filter_map(|firmware| Some((self.asked(firmware)?, firmware)));
        asked.max().map(|(_, firmware)| firmware)
    }
}
