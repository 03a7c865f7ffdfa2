//! Interfaces that go and come back under the loop.

use super::Loop;
use super::order::Source;
use crate::interface::{Change, Interface};
use crate::journal::Weight;
use heorot_core::message::Input;
use rustix::event::epoll::{self, EventData, EventFlags};
use std::os::fd::{AsFd, BorrowedFd};

/// The sockets of the interface at a place, and what comes there.
pub(super) fn sources(place: usize, interface: &Interface) -> impl Iterator<Item = (BorrowedFd<'_>, Source)> {
    let ports = [
        (interface.dhcp.as_fd(), Source::Dhcp(place)),
        (interface.boot_server.as_fd(), Source::BootServer(place)),
    ];
    let ethernet = interface.ethernet.iter().flat_map(move |ethernet| {
        [
            (ethernet.prober.as_fd(), Source::Arp(place)),
            (ethernet.listener.as_fd(), Source::OtherServers(place)),
        ]
    });
    ports.into_iter().chain(ethernet)
}

impl Loop {
    pub(super) fn interface_changed(&mut self, change: Change) {
        match change {
            Change::Gone(name) => self.heorot(Input::InterfaceGone(&name)),
            Change::Unfit(name, problem) => {
                let what = format_args!(
                    "{name} is another interface now: {problem}\n  it is tried again every second"
                );
                self.parts.journal.say(Weight::Warning, what);
                self.heorot(Input::InterfaceGone(&name));
            }
            Change::Back(interface) => {
                let name = interface.name.clone();
                self.serve_instead(*interface);
                self.parts.journal.say(Weight::Notice, format_args!("{name} was made anew, and is served"));
                self.heorot(Input::InterfaceBack(&name));
            }
        }
    }

    /// Another interface stands in the place of the one of its name, whose sockets hear nothing any more.
    fn serve_instead(&mut self, new: Interface) {
        new.hear_requests(&self.parts.config);
        let place = self.parts.interfaces.iter().position(|old| old.name == new.name);
        let Some(place) = place else { return };
        for (socket, source) in sources(place, &new) {
            let data = EventData::new_u64(source.token());
            if let Err(error) = epoll::add(&self.epoll, socket, data, EventFlags::IN) {
                self.parts.journal.say(
                    Weight::Warning,
                    format_args!("{} cannot be listened to: {error}; restart heorot", new.name),
                );
            }
        }
        // The old sockets leave the loop as they are closed.
        self.lost_before += self.parts.interfaces[place].lost();
        self.parts.interfaces[place] = new;
    }
}
