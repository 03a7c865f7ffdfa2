//! Whose turn it is: what epoll says is ready, and in which order that is taken.
//!
//! There is one circle of all sockets. A turn goes round it as far as its time allows, and the next one begins where that was cut off: so a socket that is
//! always full keeps nobody waiting for longer than once round, whoever stands behind it. What costs little and concerns everybody comes first in the circle,
//! then DHCP, then the ports of transfers, and port 69 last: a client whose transfer ends may ask for the next one from the same port, at once, and its last ACK is
//! to be taken before.

/// What epoll watches, in the circle's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Bell,
    Signals,
    /// Port 67, by its place among the interfaces; as those that follow.
    Dhcp(usize),
    /// Port 4011.
    BootServer(usize),
    Arp(usize),
    Echo,
    OtherServers(usize),
    /// A socket of the ports of transfers.
    Data(usize),
    /// Port 69.
    Tftp,
}

/// From here on, tokens are those of data ports, then those of port 67, of ARP, of port 4011, and of what other servers say.
const DATA_TOKENS_FROM: u64 = 16;
const DHCP_TOKENS_FROM: u64 = 1 << 16;
const ARP_TOKENS_FROM: u64 = 1 << 17;
const BOOT_SERVER_TOKENS_FROM: u64 = 1 << 18;
const OTHER_SERVERS_TOKENS_FROM: u64 = 1 << 19;

impl Source {
    /// By which epoll tells it from the others.
    pub(super) fn token(self) -> u64 {
        match self {
            Self::Bell => 0,
            Self::Signals => 1,
            Self::Tftp => 2,
            Self::Echo => 3,
            Self::Data(place) => DATA_TOKENS_FROM + place as u64,
            Self::Dhcp(place) => DHCP_TOKENS_FROM + place as u64,
            Self::Arp(place) => ARP_TOKENS_FROM + place as u64,
            Self::BootServer(place) => BOOT_SERVER_TOKENS_FROM + place as u64,
            Self::OtherServers(place) => OTHER_SERVERS_TOKENS_FROM + place as u64,
        }
    }

    /// The one of a token.
    pub(super) fn of(token: u64) -> Self {
        let place = |from: u64| usize::try_from(token - from).expect("it was made from a place");
        match token {
            0 => Self::Bell,
            1 => Self::Signals,
            2 => Self::Tftp,
            3 => Self::Echo,
            data if data < DHCP_TOKENS_FROM => Self::Data(place(DATA_TOKENS_FROM)),
            dhcp if dhcp < ARP_TOKENS_FROM => Self::Dhcp(place(DHCP_TOKENS_FROM)),
            arp if arp < BOOT_SERVER_TOKENS_FROM => Self::Arp(place(ARP_TOKENS_FROM)),
            pxe if pxe < OTHER_SERVERS_TOKENS_FROM => Self::BootServer(place(BOOT_SERVER_TOKENS_FROM)),
            _ => Self::OtherServers(place(OTHER_SERVERS_TOKENS_FROM)),
        }
    }
}

/// Where in the circle a turn begins.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The first that got nothing in the last turn, as its time was over. None: all got theirs.
    cut_off: Option<Source>,
}

impl Order {
    /// Puts into order what is ready.
    pub(super) fn begin(&mut self, ready: &mut [Source]) {
        ready.sort_unstable();
        if let Some(first) = self.cut_off.take() {
            let behind = ready.partition_point(|source| *source < first);
            ready.rotate_left(behind);
        }
    }

    /// The turn's time was over before this one got anything.
    pub(super) fn cut_off_at(&mut self, source: Source) {
        self.cut_off = Some(source);
    }
}

#[cfg(test)]
mod tests;
