use super::file::{self, Seen, open_beneath};
use super::open_files::OpenFiles;
use super::trees::{Found, Trees, split};
use super::unreadable::Unreadable;
use heorot_nfs::asked::{Asked, Listing, Name, Question, What, asked};
use heorot_nfs::attributes::{Attributes, Kind};
use heorot_nfs::handle::Handle;
use heorot_nfs::limit::{COPIED_OCTETS_MAX, FILES_OPEN_MAX};
use heorot_nfs::mount::{self, Mount};
use heorot_nfs::reply::{self, Entries, Entry, Usage};
use heorot_nfs::{Status, rights};
use heorot_rpc::credential::User;
use heorot_rpc::xdr::Writer;
use heorot_rpc::{Answer, Call, NoCall};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, RwLock};

/// What stands behind the answers: the trees, and the files of them that are open.
pub(super) struct Answerer {
    pub(super) trees: Trees,
    pub(super) files: OpenFiles,
    pub(super) unreadable: Unreadable,
    /// Whom everything is served to, as clients are told.
    pub(super) networks: RwLock<Vec<String>>,
    /// Octets of a READ that are copied; more goes from the kernel's memory, and may have to wait for its share.
    pub(super) copied_octets_max: AtomicU32,
    /// Whether everybody is believed who he is, whatever port he calls from.
    pub(super) believes_all: AtomicBool,
}

/// What goes back to a client.
pub(super) enum Reply {
    /// This, behind the record's mark.
    Whole(Vec<u8>),
    /// This, and then octets of a file.
    WithFile(Vec<u8>, Body),
}

/// Octets of a file that go from the kernel's memory to the network.
pub(super) struct Body {
    pub(super) file: Arc<OwnedFd>,
    /// What the client calls it.
    pub(super) handle: Handle,
    pub(super) offset: u64,
    pub(super) left: u32,
    /// What fills it up to a multiple of four.
    pub(super) padding: u8,
}

/// Room for the names of a directory, which belongs to the thread that fills it.
pub(super) struct Room(Vec<MaybeUninit<u8>>);

/// Octets of names read at once: about as many as one reply has room for, which are fewer if their attributes go with them.
const NAMES_OCTETS: usize = 32 << 10;
const NAMES_WITH_ATTRIBUTES_OCTETS: usize = 12 << 10;

impl Room {
    pub(super) fn new() -> Self {
        Self(vec![MaybeUninit::uninit(); NAMES_OCTETS])
    }
}

/// A file that was asked for cannot be told of, but its attributes may: those of it, or of the directory it should be in.
struct Failure(Status, Option<Attributes>);

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self(status, None)
    }
}

impl Answerer {
    pub(super) fn new(secret: &[u8; 16], directories: &[String], networks: Vec<String>) -> Self {
        Self {
            trees: Trees::new(secret, directories),
            files: OpenFiles::new(FILES_OPEN_MAX),
            unreadable: Unreadable::default(),
            networks: RwLock::new(networks),
            copied_octets_max: AtomicU32::new(COPIED_OCTETS_MAX),
            believes_all: AtomicBool::new(false),
        }
    }

    /// Answers a message. None: nobody answers such a thing. Who it is says so himself (AUTH_SYS); from a port that any user of a host may have, each of them could say that he is
    /// another, or root, and is nobody.
    pub(super) fn answer(&self, message: &[u8], is_privileged: bool, room: &mut Room) -> Option<Reply> {
        let call = match Call::parse(message) {
            Ok(call) => call,
            Err(NoCall::Denied(reply)) => return Some(Reply::Whole(reply)),
            Err(NoCall::Short | NoCall::Reply) => return None,
        };
        let answer = match asked(&call, &self.trees.keys) {
            Asked::Answered(answer) => answer,
            Asked::Mount(Mount::Exports) => {
                let networks = self.networks.read().expect("nobody panics while he has the list");
                mount::exports(self.trees.directories().iter().map(String::as_str), &networks)
            }
            Asked::Mount(Mount::Mount(path)) => mount::mounted(self.trees.mount(path)),
            Asked::File(question) => {
                let is_believed = is_privileged || self.believes_all.load(Ordering::Relaxed);
                let user = call.credential.user().filter(|_| is_believed).unwrap_or(User::NOBODY);
                return Some(self.of_file(&call, &question, &user, room));
            }
        };
        Some(Reply::Whole(answer.reply(call.xid)))
    }

    fn of_file(&self, call: &Call<'_>, question: &Question<'_>, user: &User, room: &mut Room) -> Reply {
        let handle = &question.handle;
        let told = match question.what {
            What::Read { offset, count } => match self.read(call.xid, handle, (offset, count), user) {
                Ok(reply) => return reply,
                Err(failure) => Err(failure),
            },
            What::Attributes => self.find(handle).map(|found| reply::attributes(&found.seen.attributes)),
            What::Lookup(name) => self.lookup(handle, name, user),
            What::Access(wanted) => self.find(handle).map(|found| {
                let attributes = &found.seen.attributes;
                reply::access(attributes, rights::granted(attributes, user, wanted))
            }),
            What::ReadLink => self.read_link(handle),
            What::List(listing) => self.list(handle, listing, user, room),
            What::Usage => self.usage(handle),
            What::Information => self.find(handle).map(|found| reply::information(&found.seen.attributes)),
            What::Names => self.find(handle).map(|found| reply::names(&found.seen.attributes)),
        };
        let results = told.unwrap_or_else(|Failure(status, attributes)| match attributes {
            Some(attributes) => reply::failed_with(status, &attributes),
            None => reply::failed(question.what == What::Attributes, status),
        });
        Reply::Whole(Answer::Success(results).reply(call.xid))
    }

    fn find(&self, handle: &Handle) -> Result<Found, Failure> {
        self.trees.find(handle).map_err(Failure::from)
    }

    fn lookup(&self, handle: &Handle, name: Name<'_>, user: &User) -> Result<Writer, Failure> {
        let directory = self.find_directory(handle)?;
        let its = directory.seen.attributes;
        let fail = |status| Failure(status, Some(its));
        if !rights::may_search(&its, user) {
            return Err(fail(Status::Access));
        }
        let trees = &self.trees;
        let (place, seen) = match name {
            Name::Itself => (directory.place, directory.seen),
            Name::Parent => {
                // Above a root there is nothing.
                let (parent, _) = split(&directory.path);
                let place = trees.keys.place(directory.tree.id, parent);
                let found = trees.look(Arc::clone(&directory.tree), place, parent.into());
                (place, found.map_err(|error| fail(file::status(error)))?.seen)
            }
            Name::Entry(name) => {
                let Some(open) = &directory.file else { return Err(fail(Status::NoEntry)) };
                let place = trees.keys.child(&directory.place, name);
                let seen = trees.seen_in(&directory.tree, open, &place, name);
                let seen = seen.map_err(|error| fail(file::status(error)))?;
                trees.paths.remember(&place, &directory.path, name);
                (place, seen)
            }
        };
        if seen.is_covered && seen.attributes.kind != Kind::Directory {
            return Err(fail(Status::Access));
        }
        Ok(reply::found(&trees.seal(&directory.tree, place, &seen), &seen.attributes, &its))
    }

    fn find_directory(&self, handle: &Handle) -> Result<Found, Failure> {
        let found = self.find(handle)?;
        match found.seen.attributes.kind {
            Kind::Directory => Ok(found),
            Kind::Regular
            | Kind::BlockDevice
            | Kind::CharacterDevice
            | Kind::Link
            | Kind::Socket
            | Kind::Pipe => Err(Failure(Status::NotDirectory, Some(found.seen.attributes))),
        }
    }

    fn read_link(&self, handle: &Handle) -> Result<Writer, Failure> {
        let found = self.find(handle)?;
        let attributes = found.seen.attributes;
        let fail = |status| Failure(status, Some(attributes));
        let link = found.file.as_ref().filter(|_| attributes.kind == Kind::Link);
        let link = link.ok_or_else(|| fail(Status::Invalid))?;
        // An empty path means the link itself, if that is open (readlinkat(2)).
        let target = rustix::fs::readlinkat(link, c"", Vec::new());
        let target = target.map_err(|error| fail(file::status(error)))?;
        Ok(reply::link(&attributes, target.as_bytes()))
    }

    fn read(
        &self,
        xid: u32,
        handle: &Handle,
        (offset, count): (u64, u32),
        user: &User,
    ) -> Result<Reply, Failure> {
        let (file, attributes) = self.open(handle)?;
        let fail = |status| Failure(status, Some(attributes));
        if !rights::may_read(&attributes, user) {
            return Err(fail(Status::Access));
        }
        let left = attributes.size.saturating_sub(offset);
        let count = u32::try_from(left).unwrap_or(u32::MAX).min(count);
        let is_end = |count: u32| u64::from(count) >= left;
        let is_short = count <= self.copied_octets_max.load(Ordering::Relaxed);
        if is_short || self.unreadable.is_within(handle, offset, count) {
            let mut octets = vec![0; count as usize];
            let (read, error) = read_at(&file, &mut octets, offset);
            if let Some(error) = error {
                self.unreadable.note(handle, offset + read as u64);
                if read == 0 {
                    return Err(fail(file::status(error)));
                }
            }
            let read_count = u32::try_from(read).expect("no more than was asked for");
            // Cut off meanwhile: then this is its end. What comes before a place that cannot be read is told (RFC 1813 3.3.6), and the client asks for the rest.
            let is_end = error.is_none() && (is_end(count) || read_count < count);
            let results = reply::read(&attributes, read_count, is_end);
            let mut whole = Answer::Success(results).reply(xid);
            whole.extend_from_slice(&octets[..read]);
            whole.resize(whole.len().next_multiple_of(4), 0);
            return Ok(Reply::Whole(whole));
        }
        let head = Answer::Success(reply::read(&attributes, count, is_end(count))).reply(xid);
        let padding = u8::try_from(count.next_multiple_of(4) - count).expect("three at most");
        Ok(Reply::WithFile(head, Body { file, handle: *handle, offset, left: count, padding }))
    }

    /// A file open for reading, and what it is now.
    fn open(&self, handle: &Handle) -> Result<(Arc<OwnedFd>, Attributes), Failure> {
        if let Some(file) = self.files.find(handle) {
            let tree = self.trees.tree(handle.root)?;
            let stat = file::stat(&file).map_err(|error| Failure::from(file::status(error)))?;
            return Ok((file, file::seen(&stat, &tree.facts, &self.trees.keys).attributes));
        }
        let found = self.find(handle)?;
        let attributes = found.seen.attributes;
        match attributes.kind {
            Kind::Regular if !found.seen.is_covered => {}
            Kind::Directory => return Err(Failure(Status::IsDirectory, Some(attributes))),
            Kind::Regular
            | Kind::BlockDevice
            | Kind::CharacterDevice
            | Kind::Link
            | Kind::Socket
            | Kind::Pipe => return Err(Failure(Status::Invalid, Some(attributes))),
        }
        let opened = open_beneath(&found.tree.root, &found.path, OFlags::RDONLY);
        let file = opened.map_err(|error| match error {
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO => Failure::from(Status::Stale),
            error => Failure(file::status(error), Some(attributes)),
        })?;
        let stat = file::stat(&file).map_err(|error| Failure::from(file::status(error)))?;
        let Seen { attributes, inode, birth, .. } = file::seen(&stat, &found.tree.facts, &self.trees.keys);
        // Replaced since it was looked at.
        if (inode, birth, attributes.kind) != (handle.inode, handle.birth, Kind::Regular) {
            return Err(Status::Stale.into());
        }
        let file = Arc::new(file);
        self.files.keep(handle, Arc::clone(&file));
        Ok((file, attributes))
    }

    fn list(
        &self,
        handle: &Handle,
        listing: Listing,
        user: &User,
        Room(room): &mut Room,
    ) -> Result<Writer, Failure> {
        let found = self.find_directory(handle)?;
        let its = found.seen.attributes;
        let fail = |status| Failure(status, Some(its));
        if !rights::may_list(&its, user) {
            return Err(fail(Status::Access));
        }
        let mut entries = Entries::new(&its, listing);
        if found.file.is_none() {
            return Ok(entries.finish(true, &its));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let opened = open_beneath(&found.tree.root, &found.path, flags);
        let directory = opened.map_err(|error| fail(file::status(error)))?;
        let stat = file::stat(&directory).map_err(|error| fail(file::status(error)))?;
        let now = file::seen(&stat, &found.tree.facts, &self.trees.keys);
        // Replaced since it was looked at.
        if (now.inode, now.birth) != (handle.inode, handle.birth) {
            return Err(Status::Stale.into());
        }
        let octets = if listing.with_attributes { NAMES_WITH_ATTRIBUTES_OCTETS } else { NAMES_OCTETS };
        let read = file::list(&directory, listing.cookie, &mut room[..octets], |listed| {
            // What is above a root is its own affair.
            let inode = if listed.name == b".." && found.path.is_empty() { its.inode } else { listed.inode };
            let entry = Entry { inode, name: listed.name, cookie: listed.next, file: None };
            if !listing.with_attributes || matches!(listed.name, b"." | b"..") {
                return entries.add(&entry);
            }
            let place = self.trees.keys.child(&found.place, listed.name);
            match self.trees.seen_in(&found.tree, &directory, &place, listed.name) {
                Ok(seen) => {
                    let sealed = self.trees.seal(&found.tree, place, &seen);
                    let file = Some((&seen.attributes, &sealed));
                    let added = entries.add(&Entry { inode: seen.attributes.inode, file, ..entry });
                    if added {
                        self.trees.paths.remember(&place, &found.path, listed.name);
                    }
                    added
                }
                // Gone since its name was read.
                Err(Errno::NOENT) => true,
                Err(_) => entries.add(&entry),
            }
        });
        match read {
            Ok(is_end) => Ok(entries.finish(is_end, &its)),
            Err(Errno::INVAL) => Err(fail(Status::BadCookie)),
            Err(error) => Err(fail(file::status(error))),
        }
    }

    fn usage(&self, handle: &Handle) -> Result<Writer, Failure> {
        let found = self.find(handle)?;
        let told = rustix::fs::fstatvfs(&found.tree.root);
        let told = told.map_err(|error| Failure(file::status(error), Some(found.seen.attributes)))?;
        let usage = Usage {
            octets: told.f_blocks.saturating_mul(told.f_frsize),
            octets_free: told.f_bfree.saturating_mul(told.f_frsize),
            files: told.f_files,
            files_free: told.f_ffree,
        };
        Ok(reply::usage(&found.seen.attributes, &usage))
    }
}

/// Reads as many octets as there are room for and left in the file, or up to what cannot be read.
pub(super) fn read_at(file: &OwnedFd, octets: &mut [u8], offset: u64) -> (usize, Option<Errno>) {
    let mut read = 0;
    while read < octets.len() {
        match rustix::io::pread(file, &mut octets[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(Errno::INTR) => {}
            Err(error) => return (read, Some(error)),
        }
    }
    (read, None)
}
