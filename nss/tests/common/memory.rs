//! Memory that is lent to the library, and what lies in it afterwards.

use libc::{AF_INET, AF_INET6, c_char, hostent};
use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr};

/// Octets before and behind the memory that is lent, which have to stay as they are.
const AROUND: usize = 64;
const CANARY: u8 = 0xa5;

/// Memory to answer into: so many octets, beginning at this place in a word.
pub(super) struct Lent {
    words: Vec<u64>,
    shift: usize,
    octets: usize,
}

impl Lent {
    pub(super) fn new(octets: usize, shift: usize) -> Self {
        let words = vec![u64::from_ne_bytes([CANARY; 8]); (octets + 2 * AROUND + 16) / 8];
        Self { words, shift, octets }
    }

    pub(super) fn start(&mut self) -> *mut c_char {
        // SAFETY: it lies within.
        unsafe { self.words.as_mut_ptr().cast::<u8>().add(AROUND + self.shift).cast() }
    }

    /// Nothing was written outside.
    pub(super) fn check(&self) {
        let all: Vec<u8> = self.words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let (before, rest) = all.split_at(AROUND + self.shift);
        assert!(before.iter().chain(&rest[self.octets..]).all(|octet| *octet == CANARY), "written outside");
    }

    /// A pointer leads into the memory, and to where such a thing may lie.
    pub(super) fn holds<T>(&mut self, pointer: *const T) -> *const T {
        let (start, place) = (self.start() as usize, pointer as usize);
        assert!(place >= start && place + size_of::<T>() <= start + self.octets, "a pointer leads elsewhere");
        assert_eq!(place % align_of::<T>(), 0, "a pointer is not aligned");
        pointer
    }

    pub(super) fn text(&mut self, pointer: *const c_char) -> String {
        // SAFETY: it lies within, and the library has ended it.
        unsafe { CStr::from_ptr(self.holds(pointer)) }.to_str().unwrap().to_owned()
    }

    pub(super) fn list(&mut self, list: *const *mut c_char) -> Vec<*mut c_char> {
        let mut found = Vec::new();
        for place in 0.. {
            // SAFETY: it lies within, as is looked at first.
            let item = unsafe { *self.holds(list.wrapping_add(place)) };
            if item.is_null() {
                return found;
            }
            found.push(item);
        }
        unreachable!()
    }
}

pub(super) fn empty() -> hostent {
    hostent {
        h_name: std::ptr::null_mut(),
        h_aliases: std::ptr::null_mut(),
        h_addrtype: 0,
        h_length: 0,
        h_addr_list: std::ptr::null_mut(),
    }
}

pub(super) fn show(entry: &hostent, lent: &mut Lent) -> String {
    let mut names = vec![lent.text(entry.h_name)];
    for alias in lent.list(entry.h_aliases) {
        names.push(lent.text(alias));
    }
    let length = usize::try_from(entry.h_length).unwrap();
    assert!(matches!((entry.h_addrtype, length), (AF_INET, 4) | (AF_INET6, 16)));
    let mut addresses = Vec::new();
    for item in lent.list(entry.h_addr_list) {
        // Whoever reads it reads a number.
        lent.holds(item.cast::<u32>());
        // SAFETY: so many octets lie there.
        addresses.push(address(unsafe { std::slice::from_raw_parts(item.cast(), length) }));
    }
    format!("{} | {}", names.join(" "), addresses.join(" "))
}

pub(super) fn address(octets: &[u8]) -> String {
    match <[u8; 4]>::try_from(octets) {
        Ok(octets) => Ipv4Addr::from(octets).to_string(),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(octets).unwrap()).to_string(),
    }
}
