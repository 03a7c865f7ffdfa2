//! What is opened of an interface that is served, and whether it is still the same one.
//!
//! Where a driver is loaded again, or a bond or a VLAN is set up afresh, the interface of that name is another one afterwards, and sockets that were bound to the old one hear nothing
//! for ever. So a thread is told of all changes of links and of their addresses (rtnetlink(7)), opens what a new one needs, and hands it to the loop.

use crate::link::Link;
use crate::netio;
use crate::overhear::Listener;
use crate::probe::Prober;
use crate::problem::Problem;
use crate::settings::{self, LinkKind, Served};
use crate::udp::UdpPort;
use crate::wake::Caller;
use heorot_core::config::{self, Config};
use heorot_core::message::Deaf;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{RecvFlags, recv};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::time::Duration;

/// An interface, and its sockets.
#[derive(Debug)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) served: Served,
    /// Port 67.
    pub(crate) dhcp: UdpPort,
    /// Port 4011.
    pub(crate) boot_server: UdpPort,
    /// None: no frames of our own making can be sent there.
    pub(crate) ethernet: Option<Ethernet>,
}

/// The packet sockets of an Ethernet interface.
#[derive(Debug)]
pub(crate) struct Ethernet {
    pub(crate) link: Link,
    pub(crate) prober: Prober,
    /// Where other DHCP servers are heard.
    pub(crate) listener: Listener,
}

/// What became of an interface.
#[derive(Debug)]
pub(crate) enum Change {
    /// There is none of that name any more.
    Gone(String),
    /// There is another one of that name.
    Back(Box<Interface>),
    /// There is one of that name, and it cannot be served, for this reason: it is tried again every second.
    Unfit(String, String),
    /// The ports that are bound by the first of these names belong to the interface that is called by the second now, and those of the second to the first, if there are any.
    Swapped(String, String),
    /// Its ports are bound, and its frames come from the hardware address that it had, for this reason: it is tried again every second.
    Unframed(String, String),
    /// It is the one that its ports are bound to, which they cannot be a second time; it was away under another name, or has another hardware address, from which frames are to come.
    Again(String, Served, Option<Ethernet>),
    /// It was down, or had lost an address, and is up and has one again.
    Flushed(String),
    /// These interfaces hear nobody, and no others: it is not what was told last.
    Deaf(BTreeMap<String, Deaf>),
    /// Interfaces have other addresses than was told last, or it is the first time.
    Addresses {
        /// Those that are served.
        found: Vec<config::Interface>,
        /// The addresses of all of them.
        own: BTreeSet<Ipv4Addr>,
    },
    /// The interfaces take packets of so many octets at most, which is not what was told last, or it is the first time.
    Mtus(BTreeMap<String, u32>),
}

/// Links have changed for so long that they are looked at: whoever sets one up does so in several steps.
const SETTLES_WITHIN: Duration = Duration::from_millis(200);
/// When an interface that could not be served is tried again.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// `RTMGRP_LINK` and `RTMGRP_IPV4_IFADDR`: links and addresses that come, go or change.
const LINKS_AND_ADDRESSES: u32 = 0x1 | 0x10;
/// Octets of one reading of what the kernel says: it makes its messages no longer than this.
const TOLD_OCTETS: usize = 16 << 10;

impl Interface {
    /// Opens them.
    ///
    /// # Errors
    /// What is in the way, and what to do.
    pub(crate) fn open(config: &Config, name: &str, served: Served) -> Result<Self, Problem> {
        let (dhcp, boot_server) = (UdpPort::dhcp(name)?, UdpPort::boot_server(name)?);
        let ethernet = Ethernet::open(name, &served)?;
        let opened = Self { name: name.to_owned(), served, dhcp, boot_server, ethernet };
        opened.hear_requests(config);
        Ok(opened)
    }

    /// Hears what others ask by ARP, or not, as a configuration says.
    pub(crate) fn hear_requests(&self, config: &Config) {
        if let Some(ethernet) = &self.ethernet {
            ethernet.prober.hear_requests(settings::answers_arp(config, &self.name));
        }
    }

    /// What its sockets have lost because they were full, coming or going.
    pub(crate) fn lost(&self) -> u64 {
        self.dhcp.dropped() + self.boot_server.dropped() + self.ethernet.as_ref().map_or(0, Ethernet::lost)
    }
}

impl Ethernet {
    /// Opens them, where there is Ethernet.
    fn open(name: &str, served: &Served) -> Result<Option<Self>, Problem> {
        match served.kind {
            LinkKind::Ethernet => Ok(Some(Self {
                link: Link::open(name, served.index, served.mac)?,
                prober: Prober::open(name, served.index, served.mac)?,
                listener: Listener::open(name, served.index, served.mac)?,
            })),
            LinkKind::InfiniBand => Ok(None),
        }
    }

    /// What its sockets have lost because they were full, coming or going.
    pub(crate) fn lost(&self) -> u64 {
        self.link.lost() + netio::dropped(self.prober.as_fd()) + netio::dropped(self.listener.as_fd())
    }
}

/// Watches the interfaces of a configuration as long as the loop listens: those that were opened, and those that were not there.
///
/// # Errors
/// The kernel's.
pub(crate) fn watch(
    config: Config,
    now: BTreeMap<String, Option<Served>>,
    changes: Caller<Change>,
) -> io::Result<()> {
    let kinds = (Domain::from(libc::AF_NETLINK), Type::RAW.cloexec(), Protocol::from(libc::NETLINK_ROUTE));
    let socket = Socket::new(kinds.0, kinds.1, Some(kinds.2))?;
    rustix::net::bind(&socket, &SocketAddrNetlink::new(0, LINKS_AND_ADDRESSES))?;
    let mut watched = Watched {
        config,
        bound: now.iter().filter_map(|(name, served)| Some((name.clone(), (*served)?))).collect(),
        now,
        unfit: BTreeMap::new(),
        addresses: None,
        mtus: None,
        deaf: BTreeMap::new(),
        flushed: BTreeSet::new(),
    };
    std::thread::Builder::new().name("interfaces".into()).spawn(move || {
        // What was changed before the socket was there.
        let mut is_settled = watched.look(&changes);
        while let Some(settled) = is_settled {
            let flushed = wait(&socket, (!settled).then_some(TRIED_AGAIN_AFTER));
            watched.flushed(&flushed);
            is_settled = watched.look(&changes);
        }
    })?;
    Ok(())
}

/// Waits until something has changed and has settled. Only what cannot be seen afterwards is read of what the kernel says: it may have had more to say than there was room for, and the interfaces
/// themselves tell.
fn wait(socket: &Socket, at_most: Option<Duration>) -> Flushed {
    let mut buffer = vec![0; TOLD_OCTETS];
    let mut flushed = Flushed::default();
    if socket.set_read_timeout(at_most).is_ok() {
        let told = recv(socket, &mut buffer[..], RecvFlags::empty());
        flushed.take(&buffer, told);
    }
    std::thread::sleep(SETTLES_WITHIN);
    loop {
        let told = recv(socket, &mut buffer[..], RecvFlags::DONTWAIT);
        let goes_on = matches!(told, Ok(_) | Err(Errno::NOBUFS | Errno::INTR));
        flushed.take(&buffer, told);
        if !goes_on {
            return flushed;
        }
    }
}

/// The interfaces, as the loop knows them.
struct Watched {
    config: Config,
    /// None: there is none, or it is not fit.
    now: BTreeMap<String, Option<Served>>,
    /// What the loop's ports are bound to, also where there is none of that name any more: a name that is taken away and given back is the same interface's.
    bound: BTreeMap<String, Served>,
    /// Why those that are there and are not fit are not, as the loop was told.
    unfit: BTreeMap<String, String>,
    /// What the loop was told last.
    addresses: Option<(Vec<config::Interface>, BTreeSet<Ipv4Addr>)>,
    /// The same of what they take in one packet.
    mtus: Option<BTreeMap<String, u32>>,
    /// Those that hear nobody, as the loop was told last.
    deaf: BTreeMap<String, Deaf>,
    /// Those whose neighbour entries the kernel has forgotten.
    flushed: BTreeSet<String>,
}

impl Watched {
    fn flushed(&mut self, flushed: &Flushed) {
        let is_flushed = |served: &Served| flushed.all || flushed.indices.contains(&served.index);
        let names = self.now.iter().filter(|(_, served)| served.as_ref().is_some_and(is_flushed));
        self.flushed.extend(names.map(|(name, _)| name.clone()));
    }

    /// Tells what has changed. Whether there is nothing to be tried again; none if the loop is gone.
    fn look(&mut self, changes: &Caller<Change>) -> Option<bool> {
        let Ok(found) = settings::served(&self.config) else { return Some(false) };
        for (bound, named) in swapped(&mut self.bound, &found) {
            if !changes.say(Change::Swapped(bound, named)) {
                return None;
            }
        }
        let mut is_settled = true;
        for (name, known) in &mut self.now {
            let found = found.get(name).copied().flatten();
            // One that could not be served is known as one that is not there.
            if found == *known && !self.unfit.contains_key(name) {
                continue;
            }
            let is_bound_to = |served: &Served| {
                let mut bound = self.bound.get(name).into_iter();
                bound.any(|bound| *served == Served { mac: served.mac, ..*bound })
            };
            let is_bound = found.as_ref().is_some_and(is_bound_to);
            let opened = found.map(|served| match is_bound {
                true => Ethernet::open(name, &served).map(|it| Change::Again(name.clone(), served, it)),
                false => Interface::open(&self.config, name, served).map(|it| Change::Back(Box::new(it))),
            });
            let change = match opened {
                None => {
                    self.unfit.remove(name);
                    Change::Gone(name.clone())
                }
                Some(Ok(change)) => {
                    self.unfit.remove(name);
                    change
                }
                Some(Err(problem)) => {
                    (is_settled, *known) = (false, None);
                    let why = problem.in_one_line();
                    // As long as it is the same it is said once.
                    if self.unfit.insert(name.clone(), why.clone()).as_ref() == Some(&why) {
                        continue;
                    }
                    match is_bound {
                        true => Change::Unframed(name.clone(), why),
                        false => Change::Unfit(name.clone(), why),
                    }
                }
            };
            *known = found.filter(|_| !matches!(change, Change::Unfit(..) | Change::Unframed(..)));
            self.bound.extend(known.map(|served| (name.clone(), served)));
            if !changes.say(change) {
                return None;
            }
        }
        (self.look_at_addresses(changes) && self.look_at_mtus(changes)).then_some(is_settled)
    }

    /// False if the loop is gone.
    fn look_at_mtus(&mut self, changes: &Caller<Change>) -> bool {
        let mtu = |name: &String| Some((name.clone(), settings::mtu_octets(name)?));
        let mtus: BTreeMap<String, u32> = self.now.keys().filter_map(mtu).collect();
        if self.mtus.as_ref() == Some(&mtus) {
            return true;
        }
        self.mtus = Some(mtus.clone());
        changes.say(Change::Mtus(mtus))
    }

    /// False if the loop is gone.
    fn look_at_addresses(&mut self, changes: &Caller<Change>) -> bool {
        let read = settings::interfaces().and_then(|found| Ok((found, settings::hearing()?)));
        let Ok((mut found, hearing)) = read else { return true };
        let all = found.iter().flat_map(|interface| &interface.addresses);
        let own: BTreeSet<_> = all.map(|(address, _)| *address).collect();
        found.retain(|interface| self.now.contains_key(&interface.name));
        let has_one = |name: &String| {
            let mut named = found.iter().filter(|interface| interface.name == *name);
            let is_up = hearing.get(name).is_some_and(|deaf| *deaf != Some(Deaf::Down));
            named.any(|interface| !interface.addresses.is_empty()) && is_up
        };
        // An entry can be set only there.
        let (back, rest) = std::mem::take(&mut self.flushed).into_iter().partition(has_one);
        self.flushed = rest;
        let back: BTreeSet<String> = back;
        let addresses = (found, own);
        let are_others = self.addresses.as_ref() != Some(&addresses);
        if are_others {
            self.addresses = Some(addresses.clone());
        }
        let (found, own) = addresses;
        let deaf: BTreeMap<String, Deaf> = hearing
            .iter()
            .filter(|(name, _)| self.now.contains_key(*name))
            .filter_map(|(name, deaf)| Some((name.clone(), (*deaf)?)))
            .collect();
        let are_other_deaf = self.deaf != deaf;
        if are_other_deaf {
            self.deaf.clone_from(&deaf);
        }
        (!are_other_deaf || changes.say(Change::Deaf(deaf)))
            && (!are_others || changes.say(Change::Addresses { found, own }))
            && back.into_iter().all(|name| changes.say(Change::Flushed(name)))
    }
}

/// Interfaces that were renamed, one to the name of another: by which name the ports of each were bound, and how it is called now. What is bound by that name, or was, is the other's
/// from then on, so that there is no name twice; two that exchange their names are one pair.
fn swapped(
    bound: &mut BTreeMap<String, Served>,
    found: &BTreeMap<String, Option<Served>>,
) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, served) in found {
        let Some(served) = served else { continue };
        let by = bound.iter().find(|(_, bound)| bound.index == served.index);
        let Some(by) = by.map(|(by, _)| by.clone()).filter(|by| by != name) else { continue };
        let (of_by, of_name) = (bound.remove(&by), bound.remove(name));
        bound.extend(of_by.map(|served| (name.clone(), served)));
        bound.extend(of_name.map(|served| (by.clone(), served)));
        pairs.push((by, name.clone()));
    }
    pairs
}

/// The interfaces, by the kernel's numbers, that were down or lost an address: with the last one the kernel forgets all neighbour entries, also those that are to stay.
#[derive(Debug, Default, PartialEq, Eq)]
struct Flushed {
    indices: BTreeSet<u32>,
    /// The kernel had more to say than there was room for.
    all: bool,
}

impl Flushed {
    /// Takes what was read.
    fn take(&mut self, buffer: &[u8], read: Result<(usize, usize), Errno>) {
        match read {
            Ok((octets, _)) => self.messages(&buffer[..octets.min(buffer.len())]),
            Err(error) => self.all |= error == Errno::NOBUFS,
        }
    }

    /// Takes the messages of one reading (netlink(7)): each has its length, its kind, and after 16 octets what is of the interface, with its number behind four more.
    fn messages(&mut self, mut octets: &[u8]) {
        const UP: u32 = libc::IFF_UP as u32;
        let word = |octets: &[u8], at: usize| Some(u32::from_ne_bytes(*octets.get(at..)?.first_chunk()?));
        while let Some(length) = word(octets, 0).map(|length| length as usize) {
            let Some(message) = octets.get(..length).filter(|_| length >= 16) else { return };
            let kind = u16::from_ne_bytes([message[4], message[5]]);
            let is_flushed = match kind {
                libc::RTM_DELADDR => true,
                libc::RTM_NEWLINK => word(message, 24).is_some_and(|flags| flags & UP == 0),
                _ => false,
            };
            self.indices.extend(word(message, 20).filter(|_| is_flushed));
            octets = octets.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests;
