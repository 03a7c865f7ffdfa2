//! What a call wants, in our words. What is wrong with it, and what needs no file, has its answer already.

use crate::handle::{Handle, Keys};
use crate::limit::{HANDLE_OCTETS_MAX, LISTING_OCTETS_MAX, NAME_OCTETS_MAX, READ_OCTETS_MAX};
use crate::mount::{self, Mount};
use crate::{PROGRAM, Status, VERSION, reply};
use heorot_rpc::xdr::Reader;
use heorot_rpc::{Answer, Call};

/// What a call wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// This is the answer, whatever files there are.
    Answered(Answer),
    /// Something of the MOUNT protocol.
    Mount(Mount<'a>),
    /// Something of a file.
    File(Question<'a>),
}

/// Something of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// Of which.
    pub handle: Handle,
    /// What.
    pub what: What<'a>,
}

/// What is asked of a file (RFC 1813 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// Its attributes.
    Attributes,
    /// What has this name in it.
    Lookup(Name<'a>),
    /// Which of these things the caller may do.
    Access(u32),
    /// Where a symbolic link leads to.
    ReadLink,
    /// Some of its content.
    Read {
        /// From here on.
        offset: u64,
        /// So many octets.
        count: u32,
    },
    /// The names in it.
    List(Listing),
    /// How full its file system is.
    Usage,
    /// What can be asked at once.
    Information,
    /// What names may be like.
    Names,
}

/// A name in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// `.`
    Itself,
    /// `..`
    Parent,
    /// One that may be there.
    Entry(&'a [u8]),
}

/// A piece of a directory that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What stands behind the entry that had this; 0: from the beginning.
    pub cookie: u64,
    /// Octets of names alone.
    pub names_octets_max: u32,
    /// Octets of the whole result.
    pub octets_max: u32,
    /// Whether attributes and handles are wanted too: READDIRPLUS.
    pub with_attributes: bool,
}

/// The procedures, by their numbers.
const NULL: u32 = 0;
const GET_ATTRIBUTES: u32 = 1;
const SET_ATTRIBUTES: u32 = 2;
const LOOKUP: u32 = 3;
const ACCESS: u32 = 4;
const READ_LINK: u32 = 5;
const READ: u32 = 6;
const WRITE: u32 = 7;
const REMOVE_DIRECTORY: u32 = 13;
const RENAME: u32 = 14;
const LINK: u32 = 15;
const READ_DIRECTORY: u32 = 16;
const READ_DIRECTORY_PLUS: u32 = 17;
const FILE_SYSTEM_STATUS: u32 = 18;
const FILE_SYSTEM_INFORMATION: u32 = 19;
const PATH_CONFIGURATION: u32 = 20;
const COMMIT: u32 = 21;

/// Reads a call.
pub fn asked<'a>(call: &Call<'a>, keys: &Keys) -> Asked<'a> {
    match call.program {
        mount::PROGRAM => mount::asked(call).map_or_else(Asked::Answered, Asked::Mount),
        PROGRAM if call.version != VERSION => {
            Asked::Answered(Answer::ProgramMismatch { lowest: VERSION, highest: VERSION })
        }
        PROGRAM => file(call, keys).unwrap_or_else(Asked::Answered),
        // Linux asks for NFSACL (100227) when it mounts, and takes this for "there is none".
        _ => Asked::Answered(Answer::ProgramUnavailable),
    }
}

fn file<'a>(call: &Call<'a>, keys: &Keys) -> Result<Asked<'a>, Answer> {
    let failed = |status| Answer::Success(reply::failed(call.procedure == GET_ATTRIBUTES, status));
    match call.procedure {
        NULL => return Err(Answer::Success(heorot_rpc::xdr::Writer::default())),
        // Without a look at the arguments: whatever they are, nothing is written.
        SET_ATTRIBUTES | WRITE..=REMOVE_DIRECTORY | COMMIT => return Err(refused_to_write(2)),
        LINK => return Err(refused_to_write(3)),
        RENAME => return Err(refused_to_write(4)),
        GET_ATTRIBUTES | LOOKUP..=READ | READ_DIRECTORY..=PATH_CONFIGURATION => {}
        _ => return Err(Answer::ProcedureUnavailable),
    }
    let mut arguments = call.arguments;
    let handle = arguments.opaque(HANDLE_OCTETS_MAX).ok_or(Answer::GarbageArguments)?;
    let read = what(call.procedure, &mut arguments).ok_or(Answer::GarbageArguments)?;
    let handle = keys.open(handle).ok_or_else(|| failed(Status::BadHandle))?;
    Ok(Asked::File(Question { handle, what: read.map_err(failed)? }))
}

/// The arguments behind the handle. None: they cannot be read.
fn what<'a>(procedure: u32, arguments: &mut Reader<'a>) -> Option<Result<What<'a>, Status>> {
    Some(Ok(match procedure {
        GET_ATTRIBUTES => What::Attributes,
        LOOKUP => return Some(name(arguments.opaque(usize::MAX)?).map(What::Lookup)),
        ACCESS => What::Access(arguments.u32()?),
        READ_LINK => What::ReadLink,
        READ => {
            let (offset, count) = (arguments.u64()?, arguments.u32()?);
            What::Read { offset, count: count.min(READ_OCTETS_MAX) }
        }
        READ_DIRECTORY => {
            // The verifier says nothing here: cookies are good for as long as their directory.
            let (cookie, _verifier) = (arguments.u64()?, arguments.u64()?);
            let octets_max = arguments.u32()?.min(LISTING_OCTETS_MAX);
            What::List(Listing { cookie, names_octets_max: octets_max, octets_max, with_attributes: false })
        }
        READ_DIRECTORY_PLUS => {
            let (cookie, _verifier) = (arguments.u64()?, arguments.u64()?);
            let (names_octets_max, octets_max) = (arguments.u32()?, arguments.u32()?);
            let octets_max = octets_max.min(LISTING_OCTETS_MAX);
            What::List(Listing { cookie, names_octets_max, octets_max, with_attributes: true })
        }
        FILE_SYSTEM_STATUS => What::Usage,
        FILE_SYSTEM_INFORMATION => What::Information,
        _ => What::Names,
    }))
}

/// One name alone: nobody climbs out by what stands between slashes.
fn name(name: &[u8]) -> Result<Name<'_>, Status> {
    match name {
        b"." => Ok(Name::Itself),
        b".." => Ok(Name::Parent),
        // RFC 1813 3.2.
        [] => Err(Status::Invalid),
        name if name.iter().any(|octet| matches!(octet, 0 | b'/')) => Err(Status::Invalid),
        name if name.len() > NAME_OCTETS_MAX => Err(Status::NameTooLong),
        name => Ok(Name::Entry(name)),
    }
}

/// The answer to whatever would change something: the status, and so many times that nothing is told of what was before and after.
fn refused_to_write(attributes: usize) -> Answer {
    let mut results = heorot_rpc::xdr::Writer::default();
    results.u32(Status::ReadOnly as u32);
    for _ in 0..attributes {
        results.bool(false);
    }
    Answer::Success(results)
}

#[cfg(test)]
mod tests;
