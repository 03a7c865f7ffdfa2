//! What is opened of an interface that is served, and whether it is still the same one.
//!
//! Where a driver is loaded again, or a bond or a VLAN is set up afresh, the interface of that name is another one afterwards, and sockets that were bound to the old one hear nothing
//! for ever. So a thread is told of all changes of links (rtnetlink(7)), opens what the new one needs, and hands it to the loop.

use crate::link::Link;
use crate::netio;
use crate::overhear::Listener;
use crate::probe::Prober;
use crate::problem::Problem;
use crate::settings::{self, LinkKind, Served};
use crate::udp::UdpPort;
use crate::wake::Caller;
use heorot_core::config::Config;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{RecvFlags, recv};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeMap;
use std::io;
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
    /// There is another one, and it cannot be served: it is tried again every second.
    Unfit(String, Problem),
}

/// Links have changed for so long that they are looked at: whoever sets one up does so in several steps.
const SETTLES_WITHIN: Duration = Duration::from_millis(200);
/// When an interface that could not be served is tried again.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// `RTMGRP_LINK`: links that come, go or change.
const LINKS: u32 = 1;

impl Interface {
    /// Opens them.
    ///
    /// # Errors
    /// What is in the way, and what to do.
    pub(crate) fn open(config: &Config, name: &str, served: Served) -> Result<Self, Problem> {
        let (dhcp, boot_server) = (UdpPort::dhcp(name)?, UdpPort::boot_server(name)?);
        let ethernet = match served.kind {
            LinkKind::Ethernet => {
                let link = Link::open(name, served.index, served.mac)?;
                let prober = Prober::open(name, served.index, served.mac)?;
                let listener = Listener::open(name, served.index, served.mac)?;
                Some(Ethernet { link, prober, listener })
            }
            LinkKind::InfiniBand => None,
        };
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
        let of_frames = |Ethernet { link, prober, listener }: &Ethernet| {
            link.lost() + netio::dropped(prober.as_fd()) + netio::dropped(listener.as_fd())
        };
        self.dhcp.dropped() + self.boot_server.dropped() + self.ethernet.as_ref().map_or(0, of_frames)
    }
}

/// Watches the interfaces of a configuration, of which these were opened, as long as the loop listens.
///
/// # Errors
/// The kernel's.
pub(crate) fn watch(
    config: Config,
    opened: BTreeMap<String, Served>,
    changes: Caller<Change>,
) -> io::Result<()> {
    let kinds = (Domain::from(libc::AF_NETLINK), Type::RAW.cloexec(), Protocol::from(libc::NETLINK_ROUTE));
    let socket = Socket::new(kinds.0, kinds.1, Some(kinds.2))?;
    rustix::net::bind(&socket, &SocketAddrNetlink::new(0, LINKS))?;
    let mut watched =
        Watched { config, now: opened.into_iter().map(|(name, it)| (name, Some(it))).collect() };
    std::thread::Builder::new().name("interfaces".into()).spawn(move || {
        // What was changed before the socket was there.
        let mut is_settled = watched.look(&changes);
        while let Some(settled) = is_settled {
            wait(&socket, (!settled).then_some(TRIED_AGAIN_AFTER));
            is_settled = watched.look(&changes);
        }
    })?;
    Ok(())
}

/// Waits until links have changed and have settled. What the kernel says of them is not read: it may have had more to say than there was room for, and the interfaces
/// themselves tell.
fn wait(socket: &Socket, at_most: Option<Duration>) {
    let mut buffer = [0; 4096];
    if socket.set_read_timeout(at_most).is_ok() {
        let _ = recv(socket, &mut buffer, RecvFlags::empty());
    }
    std::thread::sleep(SETTLES_WITHIN);
    while matches!(recv(socket, &mut buffer, RecvFlags::DONTWAIT), Ok(_) | Err(Errno::NOBUFS | Errno::INTR)) {
    }
}

/// The interfaces, as the loop knows them.
struct Watched {
    config: Config,
    /// None: there is none, or it is not fit.
    now: BTreeMap<String, Option<Served>>,
}

impl Watched {
    /// Tells what has changed. Whether there is nothing to be tried again; none if the loop is gone.
    fn look(&mut self, changes: &Caller<Change>) -> Option<bool> {
        let Ok(found) = settings::served(&self.config) else { return Some(false) };
        let mut is_settled = true;
        for (name, known) in &mut self.now {
            let found = found.get(name).copied().flatten();
            if found == *known {
                continue;
            }
            let change = match found.map(|served| Interface::open(&self.config, name, served)) {
                None => Change::Gone(name.clone()),
                Some(Ok(interface)) => Change::Back(Box::new(interface)),
                Some(Err(problem)) => {
                    is_settled = false;
                    // Said once.
                    if known.take().is_none() {
                        continue;
                    }
                    Change::Unfit(name.clone(), problem)
                }
            };
            *known = found.filter(|_| matches!(change, Change::Back(..)));
            if !changes.say(change) {
                return None;
            }
        }
        Some(is_settled)
    }
}
