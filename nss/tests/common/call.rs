//! Calls without looking at the answers, to be measured.

use super::memory::empty;
use super::{Name2, Tuple};
use libc::{AF_INET, c_char, c_int, c_void, hostent};
use std::ffi::CStr;

pub(super) type Name4 = unsafe extern "C" fn(
    *const c_char,
    *mut *mut Tuple,
    *mut c_char,
    usize,
    *mut c_int,
    *mut c_int,
    *mut i32,
) -> c_int;
pub(super) type Address = unsafe extern "C" fn(
    *const c_void,
    u32,
    c_int,
    *mut hostent,
    *mut c_char,
    usize,
    *mut c_int,
    *mut c_int,
) -> c_int;

/// Calls without looking at the answers, to be measured.
pub(crate) struct Call {
    pub(super) name: Name2,
    pub(super) name_4: Name4,
    pub(super) address: Address,
}

impl Call {
    pub(crate) fn name(&self, name: &CStr) -> c_int {
        let (mut entry, mut buffer, mut errno, mut h_errno) = (empty(), [0; 1024], 0, 0);
        // SAFETY: what is written to is there.
        unsafe {
            (self.name)(
                name.as_ptr(),
                AF_INET,
                &raw mut entry,
                (&raw mut buffer).cast(),
                1024,
                &raw mut errno,
                &raw mut h_errno,
            )
        }
    }

    pub(crate) fn name_4(&self, name: &CStr) -> c_int {
        let (mut first, mut buffer, mut errno, mut h_errno) = (std::ptr::null_mut(), [0_u64; 128], 0, 0);
        let life = std::ptr::null_mut();
        // SAFETY: what is written to is there.
        unsafe {
            (self.name_4)(
                name.as_ptr(),
                &raw mut first,
                (&raw mut buffer).cast(),
                1024,
                &raw mut errno,
                &raw mut h_errno,
                life,
            )
        }
    }

    pub(crate) fn address(&self, address: [u8; 4]) -> c_int {
        let (mut entry, mut buffer, mut errno, mut h_errno) = (empty(), [0_u64; 128], 0, 0);
        let start = address.as_ptr().cast();
        // SAFETY: what is written to is there.
        unsafe {
            (self.address)(
                start,
                4,
                AF_INET,
                &raw mut entry,
                (&raw mut buffer).cast(),
                1024,
                &raw mut errno,
                &raw mut h_errno,
            )
        }
    }
}
