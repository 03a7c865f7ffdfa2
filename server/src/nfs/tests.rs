use super::answer::{Reply, Room};
use super::connection::Connection;
use super::table::Table;
use super::*;
use crate::testing;
use heorot_nfs::handle::Keys;
use heorot_rpc::Call;
use heorot_rpc::xdr::{Reader, Writer};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::{fs, thread};

mod answers;
mod connections;
mod rations;

const SECRET: [u8; 16] = *b"sixteen octets..";
const NFS: u32 = 100_003;
const MOUNT: u32 = 100_005;
const ROOT: (u32, u32) = (0, 0);

/// Status of a reply, and what stands behind it.
type Told = (u32, Vec<u8>);

/// A client that asks an [`Answerer`] without a network between.
struct Client {
    answerer: Answerer,
    room: Room,
    user: (u32, u32),
    /// Whether it calls from a port that only root has.
    is_privileged: bool,
    /// What was read by replies that come with a file.
    directory: String,
}

impl Client {
    fn new(directory: &Path) -> Self {
        let directory = directory.to_str().unwrap().to_owned();
        let answerer = Answerer::new(&SECRET, std::slice::from_ref(&directory), vec!["10.77.0.0/16".into()]);
        Self { answerer, room: Room::new(), user: ROOT, is_privileged: true, directory }
    }

    /// The same after a restart: nothing is remembered.
    fn restarted(self) -> Self {
        Self { user: self.user, ..Self::new(Path::new(&self.directory)) }
    }

    fn ask(&mut self, program: u32, procedure: u32, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let call = call(program, procedure, self.user, write);
        match self.answerer.answer(&call, self.is_privileged, &mut self.room).expect("a call has a reply") {
            Reply::Whole(reply) => reply,
            Reply::WithFile(mut head, body) => {
                let mut octets = vec![0; body.left as usize];
                rustix::io::pread(&body.file, &mut octets, body.offset).unwrap();
                head.extend(octets);
                head.extend(vec![0; body.padding.into()]);
                head
            }
        }
    }

    fn told(&mut self, procedure: u32, handle: &[u8], write: impl FnOnce(&mut Writer)) -> Told {
        let reply = self.ask(NFS, procedure, |w| {
            w.opaque(handle);
            write(w);
        });
        status(&reply)
    }

    fn mount(&mut self, path: &str) -> Result<Vec<u8>, u32> {
        let (status, rest) = status(&self.ask(MOUNT, 1, |w| w.opaque(path.as_bytes())));
        if status != 0 {
            return Err(status);
        }
        Ok(Reader::new(&rest).opaque(64).unwrap().to_vec())
    }

    fn root(&mut self) -> Vec<u8> {
        let directory = self.directory.clone();
        self.mount(&directory).unwrap()
    }

    fn attributes(&mut self, handle: &[u8]) -> Result<Attributes, u32> {
        match self.told(1, handle, |_| {}) {
            (0, rest) => Ok(attributes(&mut Reader::new(&rest))),
            (status, _) => Err(status),
        }
    }

    fn lookup(&mut self, directory: &[u8], name: &str) -> Result<Vec<u8>, u32> {
        let (status, rest) = self.told(3, directory, |w| w.opaque(name.as_bytes()));
        if status == 0 { Ok(Reader::new(&rest).opaque(64).unwrap().to_vec()) } else { Err(status) }
    }

    /// The handle of a path below the root.
    fn walk(&mut self, path: &str) -> Result<Vec<u8>, u32> {
        let root = self.root();
        path.split('/').try_fold(root, |directory, name| self.lookup(&directory, name))
    }

    fn read(&mut self, handle: &[u8], offset: u64, count: u32) -> Result<(Vec<u8>, bool), u32> {
        let (status, rest) = self.told(6, handle, |w| {
            w.u64(offset);
            w.u32(count);
        });
        if status != 0 {
            return Err(status);
        }
        let mut reader = Reader::new(&rest);
        assert_eq!(reader.u32(), Some(1), "attributes come with it");
        attributes(&mut reader);
        let (count, is_end) = (reader.u32().unwrap(), reader.u32().unwrap() == 1);
        let octets = reader.opaque(1 << 20).unwrap().to_vec();
        assert_eq!(octets.len(), count as usize);
        Ok((octets, is_end))
    }

    /// Some entries from a cookie on: name, cookie, handle if there is one; and whether these were all.
    fn list(&mut self, plus: bool, handle: &[u8], cookie: u64, octets: u32) -> Result<(Vec<Row>, bool), u32> {
        let (status, rest) = self.told(if plus { 17 } else { 16 }, handle, |w| {
            w.u64(cookie);
            w.u64(0);
            w.u32(octets);
            if plus {
                w.u32(octets);
            }
        });
        if status != 0 {
            return Err(status);
        }
        let mut reader = Reader::new(&rest);
        assert_eq!(reader.u32(), Some(1));
        attributes(&mut reader);
        reader.u64().unwrap();
        let mut rows = Vec::new();
        while reader.u32() == Some(1) {
            let inode = reader.u64().unwrap();
            let name = String::from_utf8(reader.opaque(255).unwrap().to_vec()).unwrap();
            let cookie = reader.u64().unwrap();
            let its = (plus && reader.u32() == Some(1)).then(|| attributes(&mut reader));
            let handle = (plus && reader.u32() == Some(1)).then(|| reader.opaque(64).unwrap().to_vec());
            rows.push(Row { inode, name, cookie, attributes: its, handle });
        }
        Ok((rows, reader.u32() == Some(1)))
    }

    /// All of a directory, in pieces of so many octets.
    fn list_all(&mut self, plus: bool, handle: &[u8], octets: u32) -> Vec<Row> {
        let (mut all, mut cookie): (Vec<Row>, u64) = (Vec::new(), 0);
        for _ in 0..100_000 {
            let (rows, is_end) = self.list(plus, handle, cookie, octets).unwrap();
            cookie = rows.last().map_or(cookie, |row| row.cookie);
            all.extend(rows);
            if is_end {
                return all;
            }
        }
        panic!("a directory has no end");
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    inode: u64,
    name: String,
    cookie: u64,
    attributes: Option<Attributes>,
    handle: Option<Vec<u8>>,
}

/// Kind, mode, links, uid, gid, size, device and inode: what a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attributes {
    kind: u32,
    mode: u32,
    uid: u32,
    gid: u32,
    size: u64,
    device: (u32, u32),
    inode: u64,
}

fn attributes(reader: &mut Reader<'_>) -> Attributes {
    let mut next = || reader.u32().unwrap();
    let (kind, mode, _links, uid, gid) = (next(), next(), next(), next(), next());
    let size = reader.u64().unwrap();
    let _used = reader.u64().unwrap();
    let device = (reader.u32().unwrap(), reader.u32().unwrap());
    let _file_system = reader.u64().unwrap();
    let inode = reader.u64().unwrap();
    (0..3).for_each(|_| _ = reader.u64().unwrap());
    Attributes { kind, mode, uid, gid, size, device, inode }
}

fn call(program: u32, procedure: u32, (uid, gid): (u32, u32), write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.u32s(&[7, 0, 2, program, 3, procedure]);
    // AUTH_SYS: stamp, machine, uid, gid, no further groups; no verifier.
    writer.u32s(&[1, 20, 9, 0, uid, gid, 0, 0, 0]);
    write(&mut writer);
    writer.into_octets()
}

/// What stands behind the head of a call that was accepted.
fn status(reply: &[u8]) -> Told {
    let mut reader =
        heorot_rpc::results(7, reply).unwrap_or_else(|| panic!("it was not accepted: {reply:x?}"));
    let status = reader.u32().unwrap();
    let rest = reply[reply.len() - remaining(reader)..].to_vec();
    (status, rest)
}

/// Octets that a reader has left.
fn remaining(mut reader: Reader<'_>) -> usize {
    let mut count = 0;
    while reader.u32().is_some() {
        count += 4;
    }
    count
}
