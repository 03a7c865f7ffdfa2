//! Interfaces that go and come back under the loop, and addresses that do.

use super::Loop;
use super::operate::{Reloaded, in_a_line};
use super::order::Source;
use crate::configuration::{self, Listening, Readdressed};
use crate::interface::{Change, Ethernet, Interface};
use crate::journal::Weight;
use crate::settings::{self, Served};
use heorot_core::cluster::network;
use heorot_core::config::{self, Config};
use heorot_core::message::Input;
use heorot_core::transfer;
use rustix::event::epoll::{self, EventData, EventFlags};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

/// The sockets of the interface at a place, and what comes there.
pub(super) fn sources(place: usize, interface: &Interface) -> impl Iterator<Item = (BorrowedFd<'_>, Source)> {
    let ports = [
        (interface.dhcp.as_fd(), Source::Dhcp(place)),
        (interface.boot_server.as_fd(), Source::BootServer(place)),
    ];
    ports.into_iter().chain(interface.ethernet.iter().flat_map(move |it| frames(place, it)))
}

/// Of these, the sockets by which frames come.
fn frames(place: usize, ethernet: &Ethernet) -> [(BorrowedFd<'_>, Source); 2] {
    [(ethernet.prober.as_fd(), Source::Arp(place)), (ethernet.listener.as_fd(), Source::OtherServers(place))]
}

/// What is known of the host's addresses.
#[derive(Debug)]
pub(super) struct Addresses {
    /// What the interfaces of the networks have.
    found: Vec<config::Interface>,
    /// What all interfaces have.
    own: BTreeSet<Ipv4Addr>,
    /// What the configuration was last tried with.
    pub(super) tried: Option<Vec<config::Interface>>,
    /// Where HTTP and DNS listen, or were found unable to: a socket stays as long as we do, also where the address is lost for a while.
    listened: BTreeSet<Ipv4Addr>,
}

impl Addresses {
    /// At the start.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            // Until the kernel was asked, what the configuration was read with.
            found: config.held(&[]).0,
            own: BTreeSet::new(),
            tried: None,
            listened: settings::own_addresses(config).into_iter().collect(),
        }
    }
}

impl Loop {
    pub(super) fn interface_changed(&mut self, change: Change) {
        match change {
            Change::Gone(name) => {
                self.refusals.frames(self.now, &name, None);
                self.heorot(Input::InterfaceGone(&name));
            }
            Change::Unfit(name, why) => {
                self.heorot(Input::InterfaceUnfit { interface: &name, why: &why });
            }
            Change::Back(interface) => {
                let name = interface.name.clone();
                self.refusals.frames(self.now, &name, None);
                let was_there = self.parts.interfaces.iter().any(|it| it.name == name);
                // Whether it has the address by which one that came late is to be served is told with its addresses.
                let became = if was_there {
                    "was made anew, and is served"
                } else {
                    "is there now, and is listened to"
                };
                self.serve_instead(*interface);
                self.parts.journal.say(Weight::Notice, format_args!("{name} {became}"));
                self.heorot(Input::InterfaceBack(&name));
            }
            Change::Swapped(bound, named) => {
                for interface in &mut self.parts.interfaces {
                    if interface.name == bound {
                        interface.name.clone_from(&named);
                    } else if interface.name == named {
                        interface.name.clone_from(&bound);
                    }
                }
                self.parts.journal.say(Weight::Notice, format_args!("{bound} is called {named} now"));
            }
            Change::Unframed(name, why) => {
                self.refusals.frames(self.now, &name, Some(why));
                let had = self.parts.interfaces.iter().find(|it| it.name == name).map(|it| it.served.mac);
                let had = had.map(|mac| mac.to_string()).unwrap_or_default();
                self.parts.journal.say(
                    Weight::Warning,
                    format_args!("{name} is served, and its frames go on coming from {had}"),
                );
                self.heorot(Input::InterfaceBack(&name));
            }
            Change::Again(name, served, ethernet) => {
                self.refusals.frames(self.now, &name, None);
                let had = self.parts.interfaces.iter().find(|it| it.name == name).map(|it| it.served.mac);
                self.take_frames(&name, served, ethernet);
                let became = match had == Some(served.mac) {
                    true => "is back".to_owned(),
                    false => format!("has the hardware address {} now", served.mac),
                };
                self.parts.journal.say(Weight::Notice, format_args!("{name} {became}, and is served"));
                // With the old address, or while it was down, the kernel has forgotten its neighbours (neigh_changeaddr), also those that are to stay.
                self.heorot(Input::InterfaceBack(&name));
            }
            Change::Flushed(name) => self.heorot(Input::InterfaceFlushed(&name)),
            Change::Deaf(deaf) => self.heorot(Input::InterfacesDeaf(deaf)),
            Change::Addresses { found, own } => {
                (self.addresses.found, self.addresses.own) = (found, own);
                self.look_at_addresses();
            }
            // Of whoever asks from now on. (The same links once more change nothing.)
            Change::Mtus(mtus) => {
                let links = network::links(&self.parts.config, |name| mtus.get(name).copied());
                self.transfer(transfer::Input::Configure(links));
            }
        }
    }

    /// The host's addresses, or what the configuration says of them, may be others.
    pub(super) fn look_at_addresses(&mut self) {
        let (held, missing) = self.parts.config.held(&self.addresses.found);
        // One that was taken away counts as ours until it is back.
        let held_addresses = held.iter().flat_map(|interface| &interface.addresses);
        let own = held_addresses.map(|(address, _)| *address).chain(self.addresses.own.iter().copied());
        let own = own.collect();
        self.heorot(Input::Addresses { own, missing });
        let is_another = self.parts.config.is_readdressed(&held);
        if !is_another {
            self.refusals.addresses(self.now, None);
        }
        let is_news = self.addresses.tried.as_ref() != Some(&held);
        if self.reloading || self.ends_by.is_some() || !is_news || !is_another {
            return;
        }
        let tried = held.clone();
        let (config, listened) = (self.parts.config.clone(), self.addresses.listened.clone());
        let (path, text) = (self.parts.config_path.clone(), Arc::clone(&self.parts.config_text));
        self.begin_reading(move || {
            Reloaded::Addresses(configuration::readdress(&config, (&path, &text), &held, &listened))
        });
        // What is refused is refused once.
        self.addresses.tried = Some(tried).filter(|_| self.reloading);
    }

    /// Takes what other addresses make of the configuration.
    pub(super) fn readdress(&mut self, readdressed: Result<Readdressed, String>) {
        let Readdressed { config, links, wrong, listening, problems } = match readdressed {
            Ok(readdressed) => readdressed,
            Err(mistakes) => return self.wrong_for_addresses(&mistakes, "it is served as before"),
        };
        if wrong.is_empty() {
            self.refusals.addresses(self.now, None);
        } else {
            self.wrong_for_addresses(&wrong, "where it is, it is served as before");
        }
        for problem in problems {
            self.parts.journal.say(Weight::Warning, problem);
        }
        for Listening { plain, secured, dns } in listening {
            plain.into_iter().for_each(|listener| self.parts.http.listen(listener, false));
            secured.into_iter().for_each(|listener| self.parts.http.listen(listener, true));
            dns.into_iter().for_each(|bound| self.parts.dns.listen(bound));
        }
        self.addresses.listened.extend(settings::own_addresses(&config));
        let on_link: BTreeSet<String> = config
            .networks
            .iter()
            .filter(|network| network.on_link)
            .map(|network| format!("{} of {}", network.address, network.interface))
            .collect();
        let on_link: Vec<_> = on_link.into_iter().collect();
        self.use_configuration(config, links);
        let text = format!("the addresses are others: now {} are served", on_link.join(", "));
        self.parts.journal.say(Weight::Notice, text);
    }

    fn wrong_for_addresses(&mut self, mistakes: &str, served: &str) {
        self.refusals.addresses(self.now, Some(in_a_line(mistakes, &self.parts.config_path)));
        let text = format!(
            "this host has other addresses, for which the configuration is wrong; {served}:\n{mistakes}"
        );
        self.parts.journal.say(Weight::Warning, text.trim_end());
    }

    /// Another interface stands in the place of the one of its name, whose sockets hear nothing any more; or there was none when the server began.
    fn serve_instead(&mut self, new: Interface) {
        new.hear_requests(&self.parts.config);
        let place = self.parts.interfaces.iter().position(|old| old.name == new.name);
        let Some(place) = place else {
            self.listen_to(&new.name, sources(self.parts.interfaces.len(), &new));
            return self.parts.interfaces.push(new);
        };
        self.listen_to(&new.name, sources(place, &new));
        // The old sockets leave the loop as they are closed.
        self.lost_before += self.parts.interfaces[place].lost();
        self.parts.interfaces[place] = new;
    }

    /// Frames come by these sockets from now on, maybe from another hardware address; the ports of the interface stay as they are.
    fn take_frames(&mut self, name: &str, served: Served, ethernet: Option<Ethernet>) {
        let Some(place) = self.parts.interfaces.iter().position(|interface| interface.name == name) else {
            return;
        };
        self.listen_to(name, ethernet.iter().flat_map(|it| frames(place, it)));
        let interface = &mut self.parts.interfaces[place];
        interface.served = served;
        let old = std::mem::replace(&mut interface.ethernet, ethernet);
        self.lost_before += old.as_ref().map_or(0, Ethernet::lost);
        interface.hear_requests(&self.parts.config);
    }

    fn listen_to<'s>(&self, name: &str, sockets: impl Iterator<Item = (BorrowedFd<'s>, Source)>) {
        for (socket, source) in sockets {
            let data = EventData::new_u64(source.token());
            if let Err(error) = epoll::add(&self.epoll, socket, data, EventFlags::IN) {
                self.parts.journal.say(
                    Weight::Warning,
                    format_args!("{name} cannot be listened to: {error}; restart heorot"),
                );
            }
        }
    }
}
