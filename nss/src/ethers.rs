//! The database `ethers`: hardware addresses of nodes.

use crate::SOURCE;
use crate::answer::{Caller, Refusal, Room, text};
use crate::source::Walk;
use heorot_names::NamesFile;
use libc::{c_char, c_int};

/// Who walks over all hardware addresses.
static WALK: Walk = Walk::new();

/// `struct etherent` of nss.h.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct EtherEntry {
    name: *const c_char,
    address: [u8; 6],
}

/// # Safety
/// `entry` may be written through.
unsafe fn lay(
    file: &NamesFile,
    number: u32,
    address: [u8; 6],
    entry: *mut EtherEntry,
    mut room: Room,
) -> Result<(), Refusal> {
    let name = room.text(file.node_name(number))?;
    // SAFETY: the caller says so.
    unsafe { entry.write(EtherEntry { name, address }) };
    Ok(())
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_gethostton_r(
    name: *const c_char,
    entry: *mut EtherEntry,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
) -> c_int {
    // SAFETY: glibc's contract.
    let answer = || unsafe {
        let file = SOURCE.current()?;
        let (number, address) = file.hardware_address(text(name)?).ok_or(Refusal::NotFound)?;
        lay(&file, number, address, entry, Room::new(buffer, octets))
    };
    // SAFETY: glibc's contract.
    unsafe { Caller { errno, h_errno: std::ptr::null_mut() }.answer(answer) }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_getntohost_r(
    address: *const [u8; 6],
    entry: *mut EtherEntry,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
) -> c_int {
    // SAFETY: glibc's contract.
    let answer = || unsafe {
        let file = SOURCE.current()?;
        let address = address.as_ref().copied().ok_or(Refusal::NotFound)?;
        let number = file.node_at(address).ok_or(Refusal::NotFound)?;
        lay(&file, number, address, entry, Room::new(buffer, octets))
    };
    // SAFETY: glibc's contract.
    unsafe { Caller { errno, h_errno: std::ptr::null_mut() }.answer(answer) }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_setetherent(_stay_open: c_int) -> c_int {
    // SAFETY: nothing is written.
    unsafe { Caller::without_place().answer(|| WALK.start(&SOURCE)) }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_endetherent() -> c_int {
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
pub(crate) unsafe extern "C" fn _nss_heorot_getetherent_r(
    entry: *mut EtherEntry,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
) -> c_int {
    let answer = || {
        WALK.next(&SOURCE, |file, place| {
            let at = usize::try_from(place).map_err(|_| Refusal::NotFound)?;
            let (number, address) = file.nth_hardware_address(at).ok_or(Refusal::NotFound)?;
            // SAFETY: glibc's contract.
            unsafe { lay(file, number, address, entry, Room::new(buffer, octets)) }?;
            Ok(place.saturating_add(1))
        })
    };
    // SAFETY: glibc's contract.
    unsafe { Caller { errno, h_errno: std::ptr::null_mut() }.answer(answer) }
}
