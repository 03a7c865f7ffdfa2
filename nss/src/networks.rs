//! The database `networks`: the cluster's networks by name.

use crate::SOURCE;
use crate::answer::{Caller, Refusal, Room, text};
use crate::source::Walk;
use libc::{AF_INET, AF_UNSPEC, c_char, c_int};
use std::fmt::Display;
use std::net::Ipv4Addr;

/// Who walks over all networks.
static WALK: Walk = Walk::new();

/// `struct netent` of netdb.h.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct NetworkEntry {
    name: *mut c_char,
    aliases: *mut *mut c_char,
    address_family: c_int,
    /// A number, in the host's order.
    network: u32,
}

/// # Safety
/// `entry` may be written through.
unsafe fn lay(
    name: impl Display,
    network: Ipv4Addr,
    entry: *mut NetworkEntry,
    mut room: Room,
) -> Result<(), Refusal> {
    let aliases = room.list(0)?;
    let name = room.text(name)?;
    // SAFETY: the caller says so.
    unsafe {
        entry.write(NetworkEntry { name, aliases, address_family: AF_INET, network: u32::from(network) })
    };
    Ok(())
}

/// `10.77` is 10.77.0.0: networks were written without the zeros at their end.
fn whole(mut network: u32) -> u32 {
    while network != 0 && network & 0xff00_0000 == 0 {
        network <<= 8;
    }
    network
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_getnetbyname_r(
    name: *const c_char,
    entry: *mut NetworkEntry,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> c_int {
    // SAFETY: glibc's contract.
    let answer = || unsafe {
        let file = SOURCE.current()?;
        let (name, network) = file.network(text(name)?).ok_or(Refusal::NotFound)?;
        lay(name, network, entry, Room::new(buffer, octets))
    };
    // SAFETY: glibc's contract.
    unsafe { Caller { errno, h_errno }.answer(answer) }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_getnetbyaddr_r(
    network: u32,
    family: c_int,
    entry: *mut NetworkEntry,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> c_int {
    let answer = || {
        if family != AF_INET && family != AF_UNSPEC {
            return Err(Refusal::NotFound);
        }
        let file = SOURCE.current()?;
        let is_it = |(_, lowest): &(_, Ipv4Addr)| u32::from(*lowest) == whole(network);
        let mut networks = (0..).map_while(|place| file.nth_network(place));
        let (name, lowest) = networks.find(is_it).ok_or(Refusal::NotFound)?;
        // SAFETY: glibc's contract.
        unsafe { lay(name, lowest, entry, Room::new(buffer, octets)) }
    };
    // SAFETY: glibc's contract.
    unsafe { Caller { errno, h_errno }.answer(answer) }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_setnetent(_stay_open: c_int) -> c_int {
    // SAFETY: nothing is written.
    unsafe { Caller::without_place().answer(|| WALK.start(&SOURCE)) }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_endnetent() -> c_int {
    // SAFETY: nothing is written.
    unsafe {
        Caller::without_place().answer(|| {
            WALK.end();
            Ok(())
        })
    }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_getnetent_r(
    entry: *mut NetworkEntry,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> c_int {
    let answer = || {
        WALK.next(&SOURCE, |file, place| {
            let at = usize::try_from(place).map_err(|_| Refusal::NotFound)?;
            let (name, lowest) = file.nth_network(at).ok_or(Refusal::NotFound)?;
            // SAFETY: glibc's contract.
            unsafe { lay(name, lowest, entry, Room::new(buffer, octets)) }?;
            Ok(place.saturating_add(1))
        })
    };
    // SAFETY: glibc's contract.
    unsafe { Caller { errno, h_errno }.answer(answer) }
}
