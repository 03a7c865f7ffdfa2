//! Who begins to boot waits, as long as that costs it nothing, when the link is full.
//!
//! Nobody is made to wait past a moment at which it would do something else: what a DHCP client does next is known, and never is it left alone twice.

use super::Regime;
use std::time::Duration;

/// What asks for an address to boot with, for the first time in this boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiter {
    /// UEFI: DISCOVERs at 0, 4, 12 and 28 s; it collects offers for 4 s whatever it gets.
    Uefi,
    /// iPXE, told not to wait for others: DISCOVERs at 0, 1, 3 and 7 s, and goes on with the first offer.
    Ipxe,
    /// A ROM that nobody knows: some ask again after half a second.
    Rom,
}

/// When somebody is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// At once.
    Now,
    /// After so long.
    Later(Duration),
    /// When it asks again.
    WhenAskedAgain,
}

/// When a boot that begins may go on. `chance` is the same for the same machine, and spreads those who ask together.
pub fn admit(regime: Regime, waiter: Waiter, chance: u64) -> Admission {
    let within = |milliseconds: u64| Admission::Later(Duration::from_millis(chance % (milliseconds + 1)));
    match (regime, waiter) {
        (Regime::Paced | Regime::RoundRobin, _) => Admission::Now,
        (Regime::Deferring, Waiter::Uefi) => Admission::WhenAskedAgain,
        (Regime::Deferring, Waiter::Ipxe) => within(900),
        (Regime::Deferring, Waiter::Rom) => within(300),
    }
}
