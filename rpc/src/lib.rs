//! ONC RPC version 2 (RFC 5531), the part that a server needs: a call read, a reply written. Pure: without sockets.
//!
//! Written by hand: it is a dozen numbers in a row, and what matters is what is said to a call that is wrong. Programs are not known here, but for
//! the one that tells where the others are.
//!
//! - [`xdr`]: how numbers and texts are written;
//! - [`record`]: how messages are told apart in a stream;
//! - [`credential`]: who a caller says that he is;
//! - [`portmap`]: which program is at which port.

pub mod credential;
pub mod limit;
pub mod portmap;
pub mod record;
pub mod xdr;

use credential::Credential;
use limit::AUTH_OCTETS_MAX;
use xdr::{Reader, Writer};

/// A call whose head was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The client's number of the call, which its reply repeats.
    pub xid: u32,
    /// Which program is asked.
    pub program: u32,
    /// Which version of it.
    pub version: u32,
    /// What is to be done.
    pub procedure: u32,
    /// Who calls, as he says.
    pub credential: Credential<'a>,
    /// What the procedure is told.
    pub arguments: Reader<'a>,
}

/// What is no call that a program could be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCall {
    /// It ends before it says what it wants.
    Short,
    /// It is a reply. Who answers those can be made to talk to his like for ever.
    Reply,
    /// It is answered at once, with this.
    Denied(Vec<u8>),
}

/// What a program says to a call (RFC 5531 9, `accept_stat`, and one `reject_stat`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its results.
    Success(Writer),
    /// There is no such program here.
    ProgramUnavailable,
    /// There are only these versions of it.
    ProgramMismatch {
        /// The oldest.
        lowest: u32,
        /// The newest.
        highest: u32,
    },
    /// It has no such procedure.
    ProcedureUnavailable,
    /// The arguments cannot be read.
    GarbageArguments,
    /// Nobody may ask that.
    Denied(Denial),
}

/// Why a caller is not who may ask (RFC 5531 9, `auth_stat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The credential cannot be understood.
    BadCredential = 1,
    /// The verifier cannot be understood.
    BadVerifier = 3,
    /// No credential would do.
    TooWeak = 5,
}

/// `msg_type` of a call.
const CALL: u32 = 0;
/// `msg_type` of a reply.
const REPLY: u32 = 1;
/// The version of RPC itself.
const RPC_VERSION: u32 = 2;

const ACCEPTED: u32 = 0;
const DENIED: u32 = 1;
const SUCCESS: u32 = 0;
const PROGRAM_UNAVAILABLE: u32 = 1;
const PROGRAM_MISMATCH: u32 = 2;
const PROCEDURE_UNAVAILABLE: u32 = 3;
const GARBAGE_ARGUMENTS: u32 = 4;
const RPC_MISMATCH: u32 = 0;
const AUTH_ERROR: u32 = 1;

const AUTH_NONE: u32 = 0;

impl<'a> Call<'a> {
    /// Reads the head of a call. Who calls is not looked at: a credential of AUTH_SYS is what anybody likes to write there.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(payload: &'a [u8]) -> Result<Self, NoCall> {
        let mut reader = Reader::new(payload);
        let mut next = || reader.u32().ok_or(NoCall::Short);
        let xid = next()?;
        match next()? {
            CALL => {}
            REPLY => return Err(NoCall::Reply),
            _ => return Err(NoCall::Short),
        }
        if next()? != RPC_VERSION {
            let mut reply = Writer::default();
            reply.u32s(&[xid, REPLY, DENIED, RPC_MISMATCH, RPC_VERSION, RPC_VERSION]);
            return Err(NoCall::Denied(reply.into_octets()));
        }
        let (program, version, procedure) = (next()?, next()?, next()?);
        let denied = |denial| NoCall::Denied(Answer::Denied(denial).reply(xid));
        let flavor = next()?;
        // RFC 5531 8.2: at most 400 octets.
        let body = reader.opaque(AUTH_OCTETS_MAX).ok_or_else(|| denied(Denial::BadCredential))?;
        let credential = Credential::new(flavor, body).ok_or_else(|| denied(Denial::BadCredential))?;
        reader.u32().ok_or(NoCall::Short)?;
        reader.opaque(AUTH_OCTETS_MAX).ok_or_else(|| denied(Denial::BadVerifier))?;
        Ok(Self { xid, program, version, procedure, credential, arguments: reader })
    }

    /// The call as octets, without a credential.
    pub fn write(xid: u32, program: u32, version: u32, procedure: u32, arguments: &[u32]) -> Vec<u8> {
        let mut call = Writer::default();
        call.u32s(&[xid, CALL, RPC_VERSION, program, version, procedure, AUTH_NONE, 0, AUTH_NONE, 0]);
        call.u32s(arguments);
        call.into_octets()
    }
}

impl Answer {
    /// The whole reply to the call with this xid.
    pub fn reply(self, xid: u32) -> Vec<u8> {
        let mut reply = Writer::default();
        match self {
            Self::Success(results) => {
                reply = Self::head_of_success(xid);
                reply.append(&results);
            }
            Self::ProgramUnavailable => reply.accepted(xid, &[PROGRAM_UNAVAILABLE]),
            Self::ProgramMismatch { lowest, highest } => {
                reply.accepted(xid, &[PROGRAM_MISMATCH, lowest, highest]);
            }
            Self::ProcedureUnavailable => reply.accepted(xid, &[PROCEDURE_UNAVAILABLE]),
            Self::GarbageArguments => reply.accepted(xid, &[GARBAGE_ARGUMENTS]),
            Self::Denied(denial) => reply.u32s(&[xid, REPLY, DENIED, AUTH_ERROR, denial as u32]),
        }
        reply.into_octets()
    }

    /// What goes before the results of a call that succeeded.
    pub fn head_of_success(xid: u32) -> Writer {
        let mut head = Writer::default();
        head.accepted(xid, &[SUCCESS]);
        head
    }
}

impl Writer {
    fn accepted(&mut self, xid: u32, rest: &[u32]) {
        self.u32s(&[xid, REPLY, ACCEPTED, AUTH_NONE, 0]);
        self.u32s(rest);
    }
}

/// The results of a reply that says that the call with this xid succeeded.
pub fn results(xid: u32, payload: &[u8]) -> Option<Reader<'_>> {
    let mut reader = Reader::new(payload);
    let head = (reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?);
    reader.opaque(AUTH_OCTETS_MAX)?;
    let (its_xid, kind, status, _) = head;
    let accepted = its_xid == xid && kind == REPLY && status == ACCEPTED;
    (accepted && reader.u32()? == SUCCESS).then_some(reader)
}

#[cfg(test)]
mod tests;
