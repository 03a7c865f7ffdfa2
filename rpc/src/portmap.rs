//! The portmapper: program 100000 version 2 (RFC 1833 3), by which clients find out at which port a program is.
//!
//! Clients ask for version 4 first, and go down to 2 when they are told so (libtirpc); a question without an answer makes them wait.

use crate::limit::INDIRECT_OCTETS_MAX;
use crate::xdr::{Reader, Writer};
use crate::{Answer, Call, results};

/// A program and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its number.
    pub program: u32,
    /// Its version.
    pub version: u32,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Its port.
    pub port: u16,
}

/// What a program is reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Streams: IP protocol 6.
    Tcp,
    /// Datagrams: IP protocol 17.
    Udp,
}

impl Protocol {
    fn number(self) -> u32 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }
}

/// What the portmapper says to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// This.
    Answer(Answer),
    /// What the program says that is asked here, with its port before it, if it succeeds; else nothing (RFC 1833 3.2, PMAPPROC_CALLIT).
    Indirect(Indirect<'a>),
}

/// A call of another program in the arguments of this one: how clients find a server by a broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indirect<'a> {
    /// Which program is meant.
    pub program: u32,
    /// Which version of it.
    pub version: u32,
    /// What is to be done.
    pub procedure: u32,
    /// What the procedure is told.
    pub arguments: Reader<'a>,
}

/// The portmapper's own port (RFC 1833 3).
pub const PORT: u16 = 111;
/// The portmapper's own program.
pub const PROGRAM: u32 = 100_000;
/// Its only version here: 3 and 4 are rpcbind's.
pub const VERSION: u32 = 2;

const NULL: u32 = 0;
const SET: u32 = 1;
const UNSET: u32 = 2;
const GET_PORT: u32 = 3;
const DUMP: u32 = 4;
const CALL_IT: u32 = 5;

/// Says what there is to say, when these are the programs here.
pub fn answer<'a>(call: &Call<'a>, mappings: &[Mapping]) -> Said<'a> {
    if call.version != VERSION {
        return Said::Answer(Answer::ProgramMismatch { lowest: VERSION, highest: VERSION });
    }
    let mut arguments = call.arguments;
    let mut results = Writer::default();
    match call.procedure {
        NULL => {}
        // Nobody but us has a program here; "false" is what a portmapper says to whom it does not trust.
        SET | UNSET => match read_mapping(&mut arguments) {
            Some(_) => results.bool(false),
            None => return Said::Answer(Answer::GarbageArguments),
        },
        GET_PORT => match read_mapping(&mut arguments) {
            Some([program, version, protocol, _]) => {
                results.u32(find(mappings, program, version, protocol).map_or(0, |found| found.port.into()));
            }
            None => return Said::Answer(Answer::GarbageArguments),
        },
        DUMP => {
            for mapping in mappings {
                results.bool(true);
                results.u32s(&mapping.numbers());
            }
            results.bool(false);
        }
        CALL_IT => {
            return match read_indirect(&mut arguments) {
                Some(indirect) => Said::Indirect(indirect),
                None => Said::Answer(Answer::GarbageArguments),
            };
        }
        _ => return Said::Answer(Answer::ProcedureUnavailable),
    }
    Said::Answer(Answer::Success(results))
}

/// The results of an indirect call.
pub fn indirect_results(port: u16, results: &Writer) -> Writer {
    let mut reply = Writer::default();
    reply.u32(port.into());
    reply.opaque(results.octets());
    reply
}

/// Where a program is by this protocol. Another version of it will do: the program itself says which it has.
pub fn find(mappings: &[Mapping], program: u32, version: u32, protocol: u32) -> Option<&Mapping> {
    let here = || mappings.iter().filter(|m| m.program == program && m.protocol.number() == protocol);
    here().find(|mapping| mapping.version == version).or_else(|| here().next())
}

fn read_mapping(arguments: &mut Reader<'_>) -> Option<[u32; 4]> {
    Some([arguments.u32()?, arguments.u32()?, arguments.u32()?, arguments.u32()?])
}

fn read_indirect<'a>(arguments: &mut Reader<'a>) -> Option<Indirect<'a>> {
    let (program, version, procedure) = (arguments.u32()?, arguments.u32()?, arguments.u32()?);
    let arguments = Reader::new(arguments.opaque(INDIRECT_OCTETS_MAX)?);
    Some(Indirect { program, version, procedure, arguments })
}

impl Mapping {
    /// A program's number and version, the protocol's, the port.
    fn numbers(&self) -> [u32; 4] {
        [self.program, self.version, self.protocol.number(), self.port.into()]
    }

    /// The call that tells the portmapper of this host of the program.
    pub fn set(&self, xid: u32) -> Vec<u8> {
        Call::write(xid, PROGRAM, VERSION, SET, &self.numbers())
    }

    /// The call that takes the program back from the portmapper of this host, by every protocol.
    pub fn unset(&self, xid: u32) -> Vec<u8> {
        Call::write(xid, PROGRAM, VERSION, UNSET, &[self.program, self.version, 0, 0])
    }

    /// The call that asks the portmapper of this host where the program is.
    pub fn get_port(&self, xid: u32) -> Vec<u8> {
        Call::write(xid, PROGRAM, VERSION, GET_PORT, &[self.program, self.version, self.protocol.number(), 0])
    }

    /// The call that asks the program itself whether it is there: its procedure 0.
    pub fn ping(&self, xid: u32) -> Vec<u8> {
        Call::write(xid, self.program, self.version, NULL, &[])
    }
}

/// The number that the reply of a portmapper has for results, if it is one to the call with this xid: a port, or a truth.
pub fn number_told(xid: u32, payload: &[u8]) -> Option<u32> {
    results(xid, payload).and_then(|mut results: Reader<'_>| results.u32())
}

/// The call that asks whether a portmapper is there.
pub fn ping(xid: u32) -> Vec<u8> {
    Call::write(xid, PROGRAM, VERSION, NULL, &[])
}

#[cfg(test)]
mod tests;
