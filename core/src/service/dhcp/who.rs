//! Whom the operator means by a client, and what that client is to be told.

use super::client::Client;
use super::namesake;
use crate::cluster::heard::Way;
use crate::cluster::node::Firmware;
use crate::cluster::reservation::{self, By, Entry, Traits};
use crate::cluster::unanswered::Why;
use crate::config::{Class, Host, ListedNode, OptionPath, OptionTable};
use crate::event::Kind;
use crate::hall::Turn;
use crate::limit::{HOST_SETTLES, MACS_PER_NODE_MAX};
use crate::mac::Mac;
use crate::promise::Promise;
use crate::wire::dhcp::relay::place;
use crate::wire::dhcp::{Message, option};
use std::net::Ipv4Addr;
use std::time::Duration;

/// The entries of the configuration that mean a client, by their places there.
#[derive(Clone, Debug, Default)]
pub(super) struct Meant {
    entry: Option<(Entry, By)>,
    /// The node that it says it is, and is not.
    refused: Option<Mac>,
    classes: Vec<usize>,
}

impl Meant {
    /// Looks for them: a few look-ups for nodes and hosts, and a comparison with each class.
    pub(super) fn find(turn: &Turn<'_>, client: &Client) -> Self {
        let mut traits = traits(turn, client);
        let classes = reservation::classes(turn.config, &traits);
        let mut entry = turn.hall.reservations.find(&traits);
        // Any user's program may have said last at which port it is. Of which node that is, it says nothing where something else is known.
        if let Some(relay) = surely_said_before(turn, client) {
            let (circuit, remote) = place(relay);
            let surely = Traits { circuit, remote, ..traits.clone() };
            let by_that = turn.hall.reservations.find(&surely);
            let is_node = |entry| matches!(entry, Some((Entry::Node(_), By::Relay)));
            // Whose address it renews that one it is, by whichever of the two words.
            let has_it = |entry| {
                let Some((Entry::Host(place), _)) = entry else { return false };
                let address = turn.config.hosts.get(place).and_then(|host| host.address);
                address.is_some_and(|address| address == client.message.ciaddr)
            };
            let is_by_that = is_node(entry) || is_node(by_that) || has_it(by_that);
            if is_by_that && !has_it(entry) {
                (traits, entry) = (surely, by_that);
            }
        }
        let mut refused = None;
        // Once for its identifier, once for its place.
        while namesake::is_another(turn, client, entry) {
            refused = refused.or_else(|| namesake::of(turn, client, entry));
            match entry {
                Some((_, By::Client)) => traits.client = None,
                Some((_, By::Mac | By::Relay)) | None => (traits.circuit, traits.remote) = (None, None),
            }
            entry = turn.hall.reservations.find(&traits);
        }
        Self { entry, refused, classes }
    }

    /// The `[[node]]` or `[[host]]` that it is, and what says so.
    pub(super) fn entry(&self) -> Option<(Entry, By)> {
        self.entry
    }

    /// The node that it says it is, and is not.
    pub(super) fn refused(&self) -> Option<Mac> {
        self.refused
    }

    /// The `[[host]]` that it is.
    pub(super) fn host<'a>(&self, turn: &Turn<'a>) -> Option<&'a Host> {
        match self.entry? {
            (Entry::Host(place), _) => turn.config.hosts.get(place),
            (Entry::Node(_), _) => None,
        }
    }

    /// The number that it has, or that the configuration gives it.
    pub(super) fn number(&self, turn: &Turn<'_>, mac: Mac) -> Option<u32> {
        if self.host(turn).is_some() {
            return None;
        }
        let has = || turn.hall.nodes.get(mac)?.promised();
        let listed = || self.node(turn).or_else(|| turn.hall.listed.get(turn.config, mac))?.number;
        has().or_else(listed)
    }

    fn node<'a>(&self, turn: &Turn<'a>) -> Option<&'a ListedNode> {
        match self.entry? {
            (Entry::Node(place), _) => turn.config.nodes.get(place),
            (Entry::Host(_), _) => None,
        }
    }

    /// Its classes, in the order of the file.
    fn classes<'a>(&self, turn: &Turn<'a>) -> impl DoubleEndedIterator<Item = &'a Class> {
        let config = turn.config;
        self.classes.iter().filter_map(|place| config.classes.get(*place))
    }

    /// It gets no answer at all, and who says so.
    pub(super) fn ignored_by(&self, turn: &Turn<'_>) -> Option<Why> {
        let host = match self.entry {
            Some((Entry::Host(place), _)) if turn.config.hosts.get(place)?.ignore => Some(place),
            Some((Entry::Host(_) | Entry::Node(_), _)) | None => None,
        };
        let is_ignored = |place: &&usize| turn.config.classes.get(**place).is_some_and(|class| class.ignore);
        let class = || self.classes.iter().find(is_ignored).copied();
        host.map(Why::IgnoredHost).or_else(|| class().map(Why::IgnoredClass))
    }

    /// The tables of options that are for it: what a later one says goes before what an earlier one says.
    pub(super) fn option_tables<'a>(&self, turn: &Turn<'a>, client: &Client) -> Vec<&'a OptionTable> {
        let config = turn.config;
        let mut tables = vec![&config.options, &config.networks[client.place].options];
        tables.extend(self.classes(turn).map(|class| &class.options));
        let host = self.host(turn);
        let node = turn.hall.nodes.node(client.mac).filter(|_| host.is_none());
        let profile = node.and_then(|node| turn.profile_of_boot(node));
        tables.extend(profile.map(|profile| &profile.options));
        let listed = self.node(turn).or_else(|| turn.hall.listed.get(config, client.mac));
        tables.extend(listed.filter(|_| host.is_none()).map(|listed| &listed.options));
        tables.extend(host.map(|host| &host.options));
        tables.retain(|table| !table.values.is_empty() || !table.forced.is_empty());
        tables
    }

    /// The name of the boot file that the operator means it to have: by option 67, by a class. An empty one: none at all.
    ///
    /// iPXE says of itself what the ROM says that loaded it. From what is meant for that ROM it would load itself for ever, so that it gets only
    /// what a class says by whose user class it is meant.
    pub(super) fn boot_file(
        &self,
        turn: &Turn<'_>,
        client: &Client,
        tables: &[&OptionTable],
    ) -> Option<String> {
        let mut classes = self.boot_classes(turn, client);
        if client.firmware == Some(Firmware::Ipxe) {
            let named = |class: &Class| boot_file_name([&class.options]).or_else(|| class.boot_file.clone());
            return classes.find_map(named);
        }
        let by_option = boot_file_name(tables.iter().rev().copied());
        by_option.or_else(|| classes.find_map(|class| class.boot_file.clone()))
    }

    /// The TFTP server that the operator means it to use, if it is another one than this.
    pub(super) fn next_server(&self, turn: &Turn<'_>, client: &Client) -> Option<Ipv4Addr> {
        self.boot_classes(turn, client).find_map(|class| class.next_server)
    }

    /// The classes that say what it boots, the last in the file first.
    fn boot_classes<'a>(&self, turn: &Turn<'a>, client: &Client) -> impl Iterator<Item = &'a Class> {
        let is_ipxe = client.firmware == Some(Firmware::Ipxe);
        self.classes(turn).rev().filter(move |class| !is_ipxe || !class.user_classes.is_empty())
    }

    /// The profile that its class gives it.
    pub(super) fn profile<'a>(&self, turn: &Turn<'a>) -> Option<&'a str> {
        self.classes(turn).rev().find_map(|class| class.profile.as_deref())
    }
}

/// What the first of these tables that speaks of option 67 says.
fn boot_file_name<'a>(tables: impl IntoIterator<Item = &'a OptionTable>) -> Option<String> {
    const NAME: OptionPath = OptionPath::Whole(option::BOOT_FILE);
    let name = tables.into_iter().find_map(|table| table.values.get(&NAME))?;
    Some(String::from_utf8_lossy(name.as_deref().unwrap_or_default()).into_owned())
}

/// The address that a host can be given on this network, as it is kept for it, and for how long. While somebody else was found to use it, or has just got it, it is
/// not to be had, unless the host had it before: it is a guest like others meanwhile.
pub(super) fn reserved(turn: &Turn<'_>, client: &Client) -> Option<(Ipv4Addr, Duration)> {
    let holds = |address| turn.hall.heard.has(turn.now, client.mac, address);
    let is_anothers = |address| {
        turn.hall.leases.is_quarantined_from(address, client.mac) || got_by(turn, client, address).is_some()
    };
    kept(turn, client).filter(|(address, _)| !is_anothers(*address) || holds(*address))
}

/// Whether a host has found somebody else at its address, or somebody else was, and has it no more: it is asked about when it is to be had again.
pub(super) fn declined(turn: &Turn<'_>, client: &Client, address: Ipv4Addr) -> bool {
    let hall = &turn.hall;
    let closure = hall.leases.closure(address).filter(|closure| closure.probed.is_none());
    closure.is_some_and(|closure| closure.answered_by != Some(client.mac))
        && !hall.heard.has(turn.now, client.mac, address)
        && !hall.tenants.has(turn.now, address, client.mac)
}

/// Another machine that says that it is the same host, and got its address so short ago that it may not answer for it yet.
pub(super) fn got_by(turn: &Turn<'_>, client: &Client, address: Ipv4Addr) -> Option<Mac> {
    let (heard, is_probed) = (&turn.hall.heard, turn.config.networks[client.place].probe);
    let other = heard.by_address(address).filter(|other| is_probed && *other != client.mac)?;
    let is_fresh = heard.get(other).is_some_and(|said| turn.now.since(said.at) < HOST_SETTLES);
    (is_fresh && heard.has(turn.now, other, address)).then_some(other)
}

/// The address that is kept for a host on this network, and for how long it gets it. While it is still lent to another machine, or one is heard there that was offered it, it is not to be had.
pub(super) fn kept(turn: &Turn<'_>, client: &Client) -> Option<(Ipv4Addr, Duration)> {
    of_host(turn, client).filter(|(address, _)| user(turn, client, *address).is_none())
}

/// The same, as long as it is not to be had.
pub(super) fn waits_for(turn: &Turn<'_>, client: &Client) -> Option<(Ipv4Addr, Duration)> {
    of_host(turn, client).filter(|(address, _)| user(turn, client, *address).is_some())
}

/// Whether the configuration keeps an address for it on this network, to be had now or not.
pub(super) fn has_one_kept(turn: &Turn<'_>, client: &Client) -> bool {
    of_host(turn, client).is_some()
}

/// The address that the configuration keeps for a host on this network, and for how long it gets it.
fn of_host(turn: &Turn<'_>, client: &Client) -> Option<(Ipv4Addr, Duration)> {
    let settings = &turn.config.networks[client.place];
    let host = client.meant.host(turn)?;
    let address = host.address.filter(|address| settings.contains(*address))?;
    Some((address, host.lease.unwrap_or(settings.lease)))
}

/// The other machine to which an address is lent, or that is heard there.
fn user(turn: &Turn<'_>, client: &Client, address: Ipv4Addr) -> Option<Mac> {
    let leases = &turn.hall.leases;
    let user = leases.get(address).map(|lease| lease.mac).or_else(|| leases.taken(address));
    user.filter(|mac| *mac != client.mac)
}

/// Tells of a client that gets another address than its host's, because another machine that says the same has just got that.
pub(super) fn tell_twice(turn: &mut Turn<'_>, client: &Client) {
    let Some((address, _)) = kept(turn, client) else { return };
    let Some(other) = got_by(turn, client, address) else { return };
    let what = format!(
        "it says that it is the host at {address}, as {other} does, which has just got that: it is a guest until {other} is silent; they are two machines, or two cards of one"
    );
    turn.event(Some(client.mac), Kind::Trouble, what);
}

/// How long an address of `guests` is lent to this one.
pub(super) fn guest_lease(turn: &Turn<'_>, client: &Client) -> Duration {
    let said = client.meant.host(turn).and_then(|host| host.lease);
    said.unwrap_or(turn.config.networks[client.place].guest_lease)
}

/// A machine that is listed by something else than its hardware address is from now on known by that too.
pub(super) fn recognise(turn: &mut Turn<'_>, client: &Client) {
    let Some((Entry::Node(place), by @ (By::Client | By::Relay))) = client.meant.entry else { return };
    if by == By::Relay && !is_surely_placed(turn, client) {
        return;
    }
    // The same node with another hardware address: what it is called says so.
    if let Some(known) = namesake::of(turn, client, client.meant.entry)
        && turn.hall.nodes.join_latest(known, client.mac, MACS_PER_NODE_MAX)
    {
        turn.keep_node(known);
        turn.promise(Promise::Join(client.mac));
    }
    let is_without_number = turn.config.nodes.get(place).is_some_and(|listed| listed.number.is_none());
    if let Some(before) = turn.hall.listed.bound(place).filter(|_| is_without_number)
        && turn.hall.nodes.identity(before) != turn.hall.nodes.identity(client.mac)
    {
        // Nothing but this says whose the entry is.
        turn.hall.listed.unbind(before);
    }
    turn.hall.listed.bind(client.mac, place);
    turn.hall.listed.bind(turn.hall.nodes.identity(client.mac), place);
}

/// Whether no user's program can have said at which place of its relay a client is: else any user of a node could give a number that is free to a board that is at no place, or that does not exist.
fn is_surely_placed(turn: &Turn<'_>, client: &Client) -> bool {
    if client.is_straight { surely_said_before(turn, client).is_some() } else { client.is_of_the_system }
}

/// The `[[node]]` that a relay which is not believed says a client to be, where nothing else says so.
pub(super) fn doubtful_place(turn: &Turn<'_>, client: &Client) -> Option<usize> {
    let Some((Entry::Node(place), By::Relay)) = client.meant.entry else { return None };
    let is_known = is_surely_placed(turn, client) || turn.hall.listed.place(client.mac) == Some(place);
    (!is_known).then_some(place)
}

/// Keeps what a client says of itself, and what its relay says of it.
pub(super) fn note(turn: &mut Turn<'_>, client: &Client) {
    let options = &client.message.options;
    let (relay, ours) = (options.get(option::RELAY_AGENT), turn.config.networks[client.place].address);
    let way = match (client.is_straight, client.is_of_the_system) {
        (true, _) => Way::Straight,
        (false, true) => Way::Placed(relay, ours),
        (false, false) => Way::Hearsay(relay, ours),
    };
    turn.hall.heard.note(turn.now, client.mac, options.get(option::CLIENT_IDENTIFIER), way);
    turn.hall.heard.speaks_in(client.mac, client.message.xid);
    if let Some(firmware) = client.firmware_kind {
        turn.hall.heard.boots(client.mac, firmware);
    }
}

/// What a client's relay said when it came by it last, where it speaks to us without it. None: that is not known any more.
fn said_before<'a>(turn: &'a Turn<'_>, client: &Client) -> Option<Option<&'a [u8]>> {
    let here = &turn.config.networks[client.place];
    turn.hall.heard.relay(client.mac, |ours| here.contains(ours))
}

/// The same, of what no user's program can have said.
fn surely_said_before<'a>(turn: &'a Turn<'_>, client: &Client) -> Option<Option<&'a [u8]>> {
    let here = &turn.config.networks[client.place];
    turn.hall.heard.relay_surely(client.mac, |ours| here.contains(ours)).filter(|_| client.is_straight)
}

/// Whether it depends on what a relay says who a client is or what it is told, and that was forgotten (a restart): a renewal that comes straight to us waits then. Who gets no answer asks
/// everybody at T2 (RFC 2131 4.4.5), and so by its relay, with whose word it gets what it had; a NAK would take its address from it, and an ACK without its classes its routes.
pub(super) fn lacks_its_relay(turn: &Turn<'_>, client: &Client, address: Ipv4Addr) -> bool {
    if !client.is_straight || said_before(turn, client).is_some() {
        return false;
    }
    let known = &turn.hall.reservations;
    let is_relayed = !turn.config.networks[client.place].on_link;
    let is_host = client.meant.entry.is_none()
        && (known.is_by_relay(address) || (is_relayed && known.relays_say_more()));
    is_host || (is_relayed && reservation::has_class_by_relay(turn.config, client.place))
}

/// What tells a client.
fn traits<'a>(turn: &'a Turn<'_>, client: &'a Client) -> Traits<'a> {
    let options = &client.message.options;
    let relay = match client.is_straight {
        true => said_before(turn, client).flatten(),
        false => options.get(option::RELAY_AGENT),
    };
    let (circuit, remote) = place(relay);
    Traits {
        mac: Some(client.mac),
        network: client.place,
        client: options.get(option::CLIENT_IDENTIFIER),
        vendor_class: options.get(option::VENDOR_CLASS),
        user_classes: user_classes(&client.message),
        architectures: client.architectures.clone(),
        circuit,
        remote,
    }
}

/// The user classes: each with its length before it (RFC 3004 4), or, as iPXE and others write it, one alone.
fn user_classes(message: &Message) -> Vec<&[u8]> {
    let Some(whole) = message.options.get(option::USER_CLASS) else { return Vec::new() };
    let mut classes = vec![whole];
    let mut rest = whole;
    while let [length, after @ ..] = rest {
        let Some((class, after)) = after.split_at_checked(usize::from(*length)) else { return vec![whole] };
        classes.push(class);
        rest = after;
    }
    classes
}
