//! A client of NFS 3 in a few lines, the same for every server.

use super::servers::Peer;
use crate::link::SERVER;
use heorot_rpc::results;
use heorot_rpc::xdr::{Reader, Writer};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

/// A connection.
pub(super) struct Client {
    stream: TcpStream,
    xid: u32,
    /// What was asked last: for what goes wrong.
    procedure: u32,
    reply: Vec<u8>,
}

const NFS: u32 = 100_003;
const MOUNT: u32 = 100_005;
const PATIENCE: Duration = Duration::from_secs(20);
const LAST: u32 = 1 << 31;
/// What a reply says of a file, with its mark.
const ATTRIBUTES_OCTETS: usize = 84;
/// Octets of a list of names, as Linux asks for them.
const LIST_OCTETS: u32 = 64 << 10;

impl Client {
    /// A connection to the port of files.
    pub(super) fn connect(server: Peer) -> Result<Self, String> {
        Self::to(server.port())
    }

    fn to(port: u16) -> Result<Self, String> {
        let stream = TcpStream::connect((SERVER, port)).map_err(|error| format!("port {port}: {error}"))?;
        let set = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(PATIENCE)));
        set.map_err(|error| error.to_string())?;
        Ok(Self { stream, xid: 0, procedure: 0, reply: Vec::new() })
    }

    /// The handle of what is exported, which is asked for at the port of mounts.
    pub(super) fn mount(&mut self, server: Peer, export: &Path) -> Result<Vec<u8>, String> {
        let mut mounter = Self::to(server.mount_port())?;
        let path = export.to_string_lossy().into_owned();
        mounter.ask(MOUNT, 1, |w| w.opaque(path.as_bytes()))?;
        let mut reader = mounter.told()?;
        reader.opaque(64).map(<[u8]>::to_vec).ok_or_else(|| "no handle".into())
    }

    pub(super) fn lookup(&mut self, directory: &[u8], name: &str) -> Result<Vec<u8>, String> {
        self.ask(NFS, 3, |w| {
            w.opaque(directory);
            w.opaque(name.as_bytes());
        })?;
        self.told()?.opaque(64).map(<[u8]>::to_vec).ok_or_else(|| "no handle".into())
    }

    pub(super) fn attributes(&mut self, file: &[u8]) -> Result<(), String> {
        self.ask(NFS, 1, |w| w.opaque(file))?;
        self.told().map(drop)
    }

    /// Asks, and waits for nothing yet.
    pub(super) fn ask_to_read(&mut self, file: &[u8], offset: u64, octets: u32) -> Result<(), String> {
        self.ask(NFS, 6, |w| {
            w.opaque(file);
            w.u64(offset);
            w.u32(octets);
        })
    }

    /// The next reply to that: how many octets came.
    pub(super) fn octets_read(&mut self) -> Result<u64, String> {
        let mut reader = self.told()?;
        skip_attributes(&mut reader);
        reader.u32().map(u64::from).ok_or_else(|| "no count".into())
    }

    /// All names in a directory but those of itself and what is above, with their handles.
    pub(super) fn list(&mut self, directory: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
        let (mut found, mut cookie, mut verifier) = (Vec::new(), 0, 0);
        loop {
            self.ask(NFS, 17, |w| {
                w.opaque(directory);
                w.u64(cookie);
                w.u64(verifier);
                w.u32s(&[LIST_OCTETS, LIST_OCTETS]);
            })?;
            let mut reader = self.told()?;
            skip_attributes(&mut reader);
            let cut = || "a list is cut".to_owned();
            verifier = reader.u64().ok_or_else(cut)?;
            while reader.u32() == Some(1) {
                reader.u64().ok_or_else(cut)?;
                let name = String::from_utf8_lossy(reader.opaque(255).ok_or_else(cut)?).into_owned();
                cookie = reader.u64().ok_or_else(cut)?;
                skip_attributes(&mut reader);
                let has_handle = reader.u32() == Some(1);
                let handle = has_handle.then(|| reader.opaque(64)).flatten().unwrap_or_default().to_vec();
                if name != "." && name != ".." {
                    found.push((name, handle));
                }
            }
            if reader.u32() == Some(1) {
                return Ok(found);
            }
        }
    }

    fn ask(&mut self, program: u32, procedure: u32, write: impl FnOnce(&mut Writer)) -> Result<(), String> {
        self.xid += 1;
        self.procedure = procedure;
        let mut call = Writer::default();
        // The mark; the head; AUTH_SYS as root of a nameless host; no verifier.
        call.u32s(&[0, self.xid, 0, 2, program, 3, procedure, 1, 20, 0, 0, 0, 0, 0, 0, 0]);
        write(&mut call);
        let octets = u32::try_from(call.octets().len() - 4).map_err(|error| error.to_string())?;
        call.put_u32(0, octets | LAST);
        self.stream.write_all(call.octets()).map_err(|error| error.to_string())
    }

    /// The results of the next reply, if its status is a good one.
    fn told(&mut self) -> Result<Reader<'_>, String> {
        let mut filled = 0;
        loop {
            let mut mark = [0; 4];
            self.stream.read_exact(&mut mark).map_err(|error| format!("no reply: {error}"))?;
            let mark = u32::from_be_bytes(mark);
            let end = filled + (mark & !LAST) as usize;
            if self.reply.len() < end {
                self.reply.resize(end, 0);
            }
            let read = self.stream.read_exact(&mut self.reply[filled..end]);
            read.map_err(|error| format!("half a reply: {error}"))?;
            filled = end;
            if mark & LAST != 0 {
                break;
            }
        }
        let reply = &self.reply[..filled];
        let xid = reply.first_chunk().map_or(0, |octets| u32::from_be_bytes(*octets));
        let mut reader = results(xid, reply).ok_or("it was not accepted")?;
        match reader.u32() {
            Some(0) => Ok(reader),
            status => Err(format!("procedure {}: status {status:?}", self.procedure)),
        }
    }
}

fn skip_attributes(reader: &mut Reader<'_>) {
    if reader.u32() == Some(1) {
        for _ in 0..ATTRIBUTES_OCTETS / 4 {
            reader.u32();
        }
    }
}
