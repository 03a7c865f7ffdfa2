//! The MOUNT protocol, version 3 (RFC 1813 5): a path becomes the handle of a directory. Who has mounted what is kept by nobody: the answer to that is an empty list.

use crate::handle::Sealed;
use crate::limit::PATH_OCTETS_MAX;
use heorot_rpc::xdr::Writer;
use heorot_rpc::{Answer, Call};

/// Program MOUNT.
pub const PROGRAM: u32 = 100_005;
/// The version of NFS 3.
pub const VERSION: u32 = 3;

/// What is asked of MOUNT that needs to know what is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount<'a> {
    /// The handle of this directory is wanted.
    Mount(&'a [u8]),
    /// The list of what is served.
    Exports,
}

/// Why a path cannot be mounted (`mountstat3`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not there.
    NoEntry = 2,
    /// The disk fails.
    Io = 5,
    /// It is not served.
    Access = 13,
    /// It is no directory.
    NotDirectory = 20,
}

const NULL: u32 = 0;
const MOUNT: u32 = 1;
const DUMP: u32 = 2;
const UNMOUNT: u32 = 3;
const UNMOUNT_ALL: u32 = 4;
const EXPORT: u32 = 5;

/// The one kind of credential that says something here: `AUTH_SYS`.
const AUTH_SYS: u32 = 1;

/// What a call wants; or its answer, if it needs nothing.
///
/// # Errors
/// The answer.
pub fn asked<'a>(call: &Call<'a>) -> Result<Mount<'a>, Answer> {
    if call.version != VERSION {
        return Err(Answer::ProgramMismatch { lowest: VERSION, highest: VERSION });
    }
    let mut arguments = call.arguments;
    let mut results = Writer::default();
    match call.procedure {
        NULL | UNMOUNT_ALL => {}
        MOUNT => {
            return arguments.opaque(PATH_OCTETS_MAX).map(Mount::Mount).ok_or(Answer::GarbageArguments);
        }
        DUMP => results.bool(false),
        UNMOUNT => {
            arguments.opaque(PATH_OCTETS_MAX).ok_or(Answer::GarbageArguments)?;
        }
        EXPORT => return Ok(Mount::Exports),
        _ => return Err(Answer::ProcedureUnavailable),
    }
    Err(Answer::Success(results))
}

/// The answer to [`Mount::Mount`].
pub fn mounted(handle: Result<Sealed, Refusal>) -> Answer {
    let mut results = Writer::default();
    match handle {
        Ok(handle) => {
            results.u32(0);
            results.opaque(handle.octets());
            results.u32s(&[1, AUTH_SYS]);
        }
        Err(refusal) => results.u32(refusal as u32),
    }
    Answer::Success(results)
}

/// The answer to [`Mount::Exports`]: each directory, and the networks that it is served to.
pub fn exports<'e>(directories: impl Iterator<Item = &'e str>, networks: &[String]) -> Answer {
    let mut results = Writer::default();
    for directory in directories {
        results.bool(true);
        results.opaque(directory.as_bytes());
        for network in networks {
            results.bool(true);
            results.opaque(network.as_bytes());
        }
        results.bool(false);
    }
    results.bool(false);
    Answer::Success(results)
}

#[cfg(test)]
mod tests;
