//! The database `netgroup`: groups of nodes.
//!
//! `setnetgrent` finds a group, `getnetgrent_r` gives its members one after the other, and glibc's `innetgr` does the same with an entry
//! of its own and looks whether the host that is asked for comes by. All that is kept between two calls lies in glibc's entry.

use crate::SOURCE;
use crate::answer::{Caller, Refusal, Room, text};
use heorot_names::NamesFile;
use heorot_names::file::Group;
use libc::{c_char, c_int, c_ulong};
use std::sync::Arc;

/// The beginning of `struct __netgrent` (glibc, inet/netgroup.h), as far as a module is concerned.
#[repr(C)]
pub(crate) struct NetgroupEntry {
    kind: c_int,
    host: *const c_char,
    user: *const c_char,
    domain: *const c_char,
    /// Ours, from set to end: the file, by a reference that is counted.
    data: *mut c_char,
    /// Ours: which group of the file. 0 is that of all nodes.
    data_octets: usize,
    /// Ours: the lowest number that was not given yet.
    position: c_ulong,
}

/// `triple_val`: host, user and domain; the other kind is the name of a group.
const TRIPLE: c_int = 0;

/// A user that nobody is. With none every user would be a member of every group of nodes.
const NOBODY: &std::ffi::CStr = c"-";

/// # Safety
/// glibc's contract for this function (netgroup.h).
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_setnetgrent(
    name: *const c_char,
    entry: *mut NetgroupEntry,
) -> c_int {
    // SAFETY: glibc's contract.
    let answer = || unsafe {
        let file = SOURCE.current()?;
        let group = file.group(text(name)?).ok_or(Refusal::NotFound)?;
        (*entry).data = Arc::into_raw(file).cast_mut().cast();
        (*entry).data_octets = match group {
            Group::All => 0,
            Group::Named(place) => place.saturating_add(1),
        };
        (*entry).position = 0;
        Ok(())
    };
    // SAFETY: nothing is written.
    unsafe { Caller::without_place().answer(answer) }
}

/// # Safety
/// glibc's contract for this function (netgroup.h): the entry is one that `setnetgrent` filled, or is empty.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_getnetgrent_r(
    entry: *mut NetgroupEntry,
    buffer: *mut c_char,
    octets: usize,
    errno: *mut c_int,
) -> c_int {
    // SAFETY: glibc's contract; the reference that the entry holds keeps the file.
    let answer = || unsafe {
        let file = (*entry).data.cast::<NamesFile>().as_ref().ok_or(Refusal::End)?;
        let group = match (*entry).data_octets.checked_sub(1) {
            None => Group::All,
            Some(place) => Group::Named(place),
        };
        let from = u32::try_from((*entry).position).map_err(|_| Refusal::End)?;
        let number = file.member_from(group, from).ok_or(Refusal::End)?;
        (*entry).host = Room::new(buffer, octets).text(file.node_name(number))?;
        (*entry).user = NOBODY.as_ptr();
        (*entry).domain = std::ptr::null();
        (*entry).kind = TRIPLE;
        (*entry).position = c_ulong::from(number).saturating_add(1);
        Ok(())
    };
    // SAFETY: glibc's contract.
    unsafe { Caller { errno, h_errno: std::ptr::null_mut() }.answer(answer) }
}

/// # Safety
/// glibc's contract for this function (netgroup.h): the entry is one that `setnetgrent` filled, or is empty.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _nss_heorot_endnetgrent(entry: *mut NetgroupEntry) -> c_int {
    // SAFETY: glibc's contract; the reference was made by `setnetgrent`, and the entry forgets it.
    let answer = || unsafe {
        let data = std::mem::replace(&mut (*entry).data, std::ptr::null_mut());
        if !data.is_null() {
            drop(Arc::from_raw(data.cast::<NamesFile>()));
        }
        Ok(())
    };
    // SAFETY: nothing is written.
    unsafe { Caller::without_place().answer(answer) }
}
