//! How an answer is laid into the caller's memory, and how a refusal is told.

use libc::{c_char, c_int};
use std::ffi::CStr;
use std::fmt::{self, Display, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a function returns to glibc: `enum nss_status` of nss.h.
pub(crate) const TRY_AGAIN: c_int = -2;
pub(crate) const UNAVAILABLE: c_int = -1;
pub(crate) const NOT_FOUND: c_int = 0;
pub(crate) const SUCCESS: c_int = 1;
/// There is no more in this group.
pub(crate) const RETURN: c_int = 2;

/// `h_errno`: netdb.h.
mod h_errno {
    use libc::c_int;

    pub(super) const NETDB_INTERNAL: c_int = -1;
    pub(super) const NETDB_SUCCESS: c_int = 0;
    pub(super) const HOST_NOT_FOUND: c_int = 1;
    pub(super) const TRY_AGAIN: c_int = 2;
    pub(super) const NO_RECOVERY: c_int = 3;
    pub(super) const NO_DATA: c_int = 4;
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such entry, or no further one.
    NotFound,
    /// The name is there, and has no address of this family.
    NoData,
    /// The caller's memory is too small: glibc comes again with more.
    TooSmall,
    /// The file is not to be had: glibc asks the next service.
    Unavailable(c_int),
    /// This time there is no memory or no descriptor.
    Again(c_int),
    /// The end of a group.
    End,
}

/// Where the caller wants to read what was wrong.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) errno: *mut c_int,
    /// Null for databases that have none.
    pub(crate) h_errno: *mut c_int,
}

impl Caller {
    /// Of a function that has nowhere to tell it.
    pub(crate) fn without_place() -> Self {
        Self { errno: std::ptr::null_mut(), h_errno: std::ptr::null_mut() }
    }

    /// Answers, and tells what came of it; a panic is an answer too.
    ///
    /// # Safety
    /// Both pointers are null or may be written through.
    pub(crate) unsafe fn answer(self, answer: impl FnOnce() -> Result<(), Refusal>) -> c_int {
        let outcome = catch_unwind(AssertUnwindSafe(answer));
        let outcome = outcome.unwrap_or(Err(Refusal::Unavailable(libc::EIO)));
        let (status, errno, why) = match outcome {
            Ok(()) => (SUCCESS, None, h_errno::NETDB_SUCCESS),
            Err(Refusal::NotFound) => (NOT_FOUND, Some(libc::ENOENT), h_errno::HOST_NOT_FOUND),
            Err(Refusal::NoData) => (NOT_FOUND, Some(libc::ENOENT), h_errno::NO_DATA),
            // Only these three together make glibc come again: with another h_errno the entry would be lost.
            Err(Refusal::TooSmall) => (TRY_AGAIN, Some(libc::ERANGE), h_errno::NETDB_INTERNAL),
            Err(Refusal::Unavailable(errno)) => (UNAVAILABLE, Some(errno), h_errno::NO_RECOVERY),
            Err(Refusal::Again(errno)) => (TRY_AGAIN, Some(errno), h_errno::TRY_AGAIN),
            Err(Refusal::End) => (RETURN, None, h_errno::NETDB_SUCCESS),
        };
        // SAFETY: the caller says that what is not null may be written through.
        unsafe {
            if let (Some(errno), false) = (errno, self.errno.is_null()) {
                self.errno.write(errno);
            }
            if !self.h_errno.is_null() {
                self.h_errno.write(why);
            }
        }
        status
    }
}

/// A name that the caller asks for. What is no text is no name of ours.
///
/// # Safety
/// The pointer is null or leads to a text that ends with a zero and outlives its use.
pub(crate) unsafe fn text<'a>(name: *const c_char) -> Result<&'a str, Refusal> {
    if name.is_null() {
        return Err(Refusal::Unavailable(libc::EINVAL));
    }
    // SAFETY: it is not null, and the caller says that it ends.
    unsafe { CStr::from_ptr(name) }.to_str().map_err(|_| Refusal::NotFound)
}

/// The caller's memory for what an answer leads to.
pub(crate) struct Room {
    next: *mut u8,
    octets_left: usize,
}

impl Room {
    /// # Safety
    /// So many octets may be written from there on, and nobody else does while the room lives.
    pub(crate) unsafe fn new(start: *mut c_char, octets: usize) -> Self {
        let octets_left = if start.is_null() { 0 } else { octets };
        Self { next: start.cast(), octets_left }
    }

    /// Room for so many items in a row, aligned, all of them set to this one.
    pub(crate) fn array<T: Copy>(&mut self, count: usize, item: T) -> Result<*mut T, Refusal> {
        let gap = self.next.align_offset(align_of::<T>());
        let octets = size_of::<T>().checked_mul(count).and_then(|octets| octets.checked_add(gap));
        let octets = octets.filter(|octets| *octets <= self.octets_left).ok_or(Refusal::TooSmall)?;
        // SAFETY: gap and items lie in the room, and the gap leads to where such items may lie.
        let start = unsafe {
            let start = self.next.add(gap).cast::<T>();
            for place in 0..count {
                start.add(place).write(item);
            }
            self.next = self.next.add(octets);
            start
        };
        self.octets_left = self.octets_left.saturating_sub(octets);
        Ok(start)
    }

    /// A text and the zero behind it.
    pub(crate) fn text(&mut self, text: impl Display) -> Result<*mut c_char, Refusal> {
        let start = self.next;
        write!(self, "{text}\0").map_err(|_| Refusal::TooSmall)?;
        Ok(start.cast())
    }

    /// A list of pointers with a null at its end, which are to be set afterwards.
    pub(crate) fn list(&mut self, count: usize) -> Result<*mut *mut c_char, Refusal> {
        self.array(count.checked_add(1).ok_or(Refusal::TooSmall)?, std::ptr::null_mut())
    }

    /// A list of texts with a null at its end.
    pub(crate) fn texts(
        &mut self,
        texts: impl Iterator<Item: Display> + Clone,
    ) -> Result<*mut *mut c_char, Refusal> {
        let list = self.list(texts.clone().count())?;
        for (place, text) in texts.enumerate() {
            let text = self.text(text)?;
            // SAFETY: the list has one place for each text, and was made for this.
            unsafe { list.add(place).write(text) };
        }
        Ok(list)
    }
}

impl Write for Room {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if part.len() > self.octets_left {
            return Err(fmt::Error);
        }
        // SAFETY: so many octets are left, and a text of ours does not lie in memory that the caller gave to be written.
        unsafe {
            self.next.copy_from_nonoverlapping(part.as_ptr(), part.len());
            self.next = self.next.add(part.len());
        }
        self.octets_left = self.octets_left.saturating_sub(part.len());
        Ok(())
    }
}
