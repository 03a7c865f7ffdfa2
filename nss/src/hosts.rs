//! The database `hosts`: names and addresses.

use crate::SOURCE;
use crate::answer::{Caller, Refusal, Room, text};
use crate::source::Walk;
use heorot_names::NamesFile;
use heorot_names::file::{Host, is_self};
use libc::{AF_INET, AF_INET6, c_char, c_int, c_void, hostent, socklen_t};
use std::net::IpAddr;

/// Who walks over all hosts.
static WALK: Walk = Walk::new();

/// `struct gaih_addrtuple` of nss.h: an address, and the next one.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct AddressTuple {
    next: *mut Self,
    name: *mut c_char,
    family: c_int,
    address: [u8; 16],
    scope: u32,
}

/// Octets of an address, and how many of them count.
fn octets(address: IpAddr) -> ([u8; 16], usize) {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            ([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 4)
        }
        IpAddr::V6(address) => (address.octets(), 16),
    }
}

fn family(address: IpAddr) -> c_int {
    if address.is_ipv4() { AF_INET } else { AF_INET6 }
}

/// Finds a name and answers with it. `self` is known without any file.
fn with_name(
    name: &str,
    answer: impl FnOnce(&NamesFile, Host) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    match SOURCE.current() {
        Ok(file) => answer(&file, file.find(name).ok_or(Refusal::NotFound)?),
        Err(_) if is_self(name) => {
            const NOTHING: &str = "heorot-names 1\nzone localdomain\nnodes node{}\nend\n";
            let nothing = NamesFile::read(NOTHING.to_owned()).map_err(|_| Refusal::NotFound)?;
            answer(&nothing, Host::Here)
        }
        Err(refusal) => Err(refusal),
    }
}

/// Lays the names of a host and some of its addresses, all of one family, into the room.
///
/// # Safety
/// `entry` may be written through.
unsafe fn lay(
    file: &NamesFile,
    host: Host,
    family: c_int,
    addresses: impl Iterator<Item = IpAddr> + Clone,
    entry: *mut hostent,
    mut room: Room,
) -> Result<(), Refusal> {
    let length = if family == AF_INET6 { 16 } else { 4 };
    let list = room.list(addresses.clone().count())?;
    for (place, address) in addresses.enumerate() {
        let (octets, length) = octets(address);
        // Callers read an address as a number: it is aligned as one.
        let start = room.array(length.div_ceil(4), 0_u32)?;
        // SAFETY: there is room for so many octets, and a place in the list for each address.
        unsafe {
            start.cast::<u8>().copy_from_nonoverlapping(octets.as_ptr(), length);
            list.add(place).write(start.cast());
        }
    }
    let mut names = file.spellings(host);
    let name = names.next().ok_or(Refusal::NotFound)?;
    let aliases = room.texts(names)?;
    let name = room.text(name)?;
    // SAFETY: the caller says so.
    unsafe {
        entry.write(hostent {
            h_name: name,
            h_aliases: aliases,
            h_addrtype: family,
            h_length: length,
            h_addr_list: list,
        });
    }
    Ok(())
}

/// # Safety
/// As glibc calls it: `name` ends with a zero, `entry` and so many octets of the room may be written, the other pointers are null or may.
unsafe fn by_name(
    name: *const c_char,
    wanted: c_int,
    entry: *mut hostent,
    room: Room,
    caller: Caller,
    canonical: *mut *mut c_char,
) -> c_int {
    let answer = || {
        if wanted != AF_INET && wanted != AF_INET6 {
            return Err(Refusal::Unavailable(libc::EAFNOSUPPORT));
        }
        // SAFETY: the caller says that it ends with a zero.
        with_name(unsafe { text(name) }?, |file, host| {
            let addresses = file.addresses(host).filter(|address| family(*address) == wanted);
            if addresses.clone().next().is_none() {
                return Err(Refusal::NoData);
            }
            // SAFETY: the caller says what may be written; `lay` has filled the entry when it says so.
            unsafe {
                lay(file, host, wanted, addresses, entry, room)?;
                if !canonical.is_null() {
                    canonical.write((*entry).h_name);
                }
            }
            Ok(())
        })
    };
    // SAFETY: the caller says that these are null or may be written.
    unsafe { caller.answer(answer) }
}

/// # Safety
/// As glibc calls it: so many octets of an address may be read, the rest as for [`by_name`].
unsafe fn by_address(
    address: *const c_void,
    length: socklen_t,
    wanted: c_int,
    entry: *mut hostent,
    room: Room,
    caller: Caller,
) -> c_int {
    let answer = || {
        // SAFETY: so many octets are there, says the caller; they may lie anywhere.
        let address = unsafe {
            match (wanted, length) {
                _ if address.is_null() => None,
                (AF_INET, 4) => Some(IpAddr::from(address.cast::<[u8; 4]>().read_unaligned())),
                (AF_INET6, 16) => Some(IpAddr::from(address.cast::<[u8; 16]>().read_unaligned())),
                _ => None,
            }
        };
        let address = address.ok_or(Refusal::Unavailable(libc::EAFNOSUPPORT))?;
        let file = SOURCE.current()?;
        // An IPv4 address in IPv6's form (RFC 4291 2.5.5.2) is the same host.
        let host = file.find_address(address.to_canonical()).ok_or(Refusal::NotFound)?;
        // SAFETY: the caller says what may be written.
        unsafe { lay(&file, host, wanted, std::iter::once(address), entry, room) }
    };
    // SAFETY: the caller says that these are null or may be written.
    unsafe { caller.answer(answer) }
}

/// All addresses of a name, of both families.
///
/// # Safety
/// `first` leads to null or to a tuple that is the caller's; the rest as for [`by_name`].
unsafe fn tuples(name: &str, first: *mut *mut AddressTuple, mut room: Room) -> Result<(), Refusal> {
    with_name(name, |file, host| {
        let addresses = file.addresses(host);
        let called = file.spellings(host).next().ok_or(Refusal::NotFound)?;
        let called = room.text(called)?;
        let empty =
            AddressTuple { next: std::ptr::null_mut(), name: called, family: 0, address: [0; 16], scope: 0 };
        let count = addresses.clone().count();
        let list = room.array(count, empty)?;
        if count == 0 {
            return Err(Refusal::NoData);
        }
        for (place, address) in addresses.enumerate() {
            let (octets, _) = octets(address);
            // SAFETY: the list has a place for each address.
            unsafe {
                let this = list.add(place);
                (*this).family = family(address);
                (*this).address = octets;
                if place.saturating_add(1) < count {
                    (*this).next = this.add(1);
                }
            }
        }
        // SAFETY: the caller says so; a first tuple of its own is filled, as nss_dns does it.
        unsafe {
            if (*first).is_null() {
                first.write(list);
            } else {
                (*first).write(*list);
            }
        }
        Ok(())
    })
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_gethostbyname_r(
    name: *const c_char,
    entry: *mut hostent,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> c_int {
    let caller = Caller { errno, h_errno };
    // SAFETY: glibc's contract.
    unsafe { by_name(name, AF_INET, entry, Room::new(buffer, octets), caller, std::ptr::null_mut()) }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_gethostbyname2_r(
    name: *const c_char,
    family: c_int,
    entry: *mut hostent,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> c_int {
    let caller = Caller { errno, h_errno };
    // SAFETY: glibc's contract.
    unsafe { by_name(name, family, entry, Room::new(buffer, octets), caller, std::ptr::null_mut()) }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_gethostbyname3_r(
    name: *const c_char,
    family: c_int,
    entry: *mut hostent,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
    life: *mut i32,
    canonical: *mut *mut c_char,
) -> c_int {
    let caller = Caller { errno, h_errno };
    // SAFETY: glibc's contract.
    unsafe {
        keep_nothing(life);
        by_name(name, family, entry, Room::new(buffer, octets), caller, canonical)
    }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_gethostbyname4_r(
    name: *const c_char,
    first: *mut *mut AddressTuple,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
    life: *mut i32,
) -> c_int {
    let caller = Caller { errno, h_errno };
    // SAFETY: glibc's contract.
    unsafe {
        keep_nothing(life);
        caller.answer(|| tuples(text(name)?, first, Room::new(buffer, octets)))
    }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_gethostbyaddr_r(
    address: *const c_void,
    length: socklen_t,
    family: c_int,
    entry: *mut hostent,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> c_int {
    let caller = Caller { errno, h_errno };
    // SAFETY: glibc's contract.
    unsafe { by_address(address, length, family, entry, Room::new(buffer, octets), caller) }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_gethostbyaddr2_r(
    address: *const c_void,
    length: socklen_t,
    family: c_int,
    entry: *mut hostent,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
    life: *mut i32,
) -> c_int {
    let caller = Caller { errno, h_errno };
    // SAFETY: glibc's contract.
    unsafe {
        keep_nothing(life);
        by_address(address, length, family, entry, Room::new(buffer, octets), caller)
    }
}

/// A cache need not keep what costs a microsecond and may change.
///
/// # Safety
/// The pointer is null or may be written through.
unsafe fn keep_nothing(life: *mut i32) {
    if !life.is_null() {
        // SAFETY: the caller says so.
        unsafe { life.write(0) };
    }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_sethostent(_stay_open: c_int) -> c_int {
    // SAFETY: nothing is written.
    unsafe { Caller::without_place().answer(|| WALK.start(&SOURCE)) }
}

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_endhostent() -> c_int {
    // SAFETY: nothing is written.
    unsafe {
        Caller::without_place().answer(|| {
            WALK.end();
            Ok(())
        })
    }
}

/// Hosts with no IPv4 address are passed over: so many at once and no more.
const PASSED_OVER_MAX: usize = 1024;

/// # Safety
/// glibc's contract for this function (nss.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_gethostent_r(
    entry: *mut hostent,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
    h_errno: *mut c_int,
) -> c_int {
    let next = |file: &NamesFile, mut place: u64| {
        for _ in 0..PASSED_OVER_MAX {
            let host = file.nth_host(place).ok_or(Refusal::NotFound)?;
            let addresses = file.addresses(host).filter(IpAddr::is_ipv4);
            place = place.saturating_add(1);
            if addresses.clone().next().is_some() {
                // SAFETY: glibc's contract.
                unsafe { lay(file, host, AF_INET, addresses, entry, Room::new(buffer, octets)) }?;
                return Ok(place);
            }
        }
        Err(Refusal::NotFound)
    };
    // SAFETY: glibc's contract.
    unsafe { Caller { errno, h_errno }.answer(|| WALK.next(&SOURCE, next)) }
}

// As nss.h has it on machines of 64 bits.
const _: () = assert!(size_of::<AddressTuple>() == 40 || size_of::<usize>() != 8);
