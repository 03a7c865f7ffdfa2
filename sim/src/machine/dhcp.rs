//! How a machine gets an address: DISCOVER, offers, REQUEST, ACK, with the timers and options of the program that asks.
//!
//! ```text
//!            offer, and it is time to take it (the ROM of a Raspberry Pi takes it for the ACK)
//! Selecting ─────────────────────────────────> Requesting ──> ACK: it has an address
//!    │ ^                                        │   │
//!    │ └─────────────── NAK ────────────────────┘   │
//!    └─> no offer after the last DISCOVER           └─> no answer after the last REQUEST: it gives up
//! ```

use super::kind::{Asker, Collects, Seconds, Xid};
use super::message::{Output, Told};
use crate::chance::Chance;
use crate::frame::{Frame, Payload};
use heorot_core::mac::Mac;
use heorot_core::time::Time;
use heorot_core::wire::dhcp::{Message, MessageType, Op, Options, option};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// An address, and what came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) address: Ipv4Addr,
    /// Who gave it, by option 54.
    pub(super) server: Ipv4Addr,
    /// The hardware address that the ACK came from.
    pub(super) server_mac: Mac,
    /// Where the boot file is.
    pub(super) next_server: Ipv4Addr,
    /// Its name.
    pub(super) boot_file: Option<String>,
}

/// One program asks for an address.
#[derive(Debug)]
pub(super) struct Conversation {
    asker: &'static Asker,
    mac: Mac,
    xid: u32,
    began: Time,
    /// What iPXE counts in `secs`.
    counter: u16,
    /// DISCOVERs or REQUESTs so far.
    sends: usize,
    /// DISCOVERs before a NAK or a REQUEST without an answer.
    discovers: usize,
    /// The offer says that no others are to be expected.
    is_alone: bool,
    state: State,
    deadline: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Selecting(Option<Offer>),
    Requesting(Offer),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offer {
    address: Ipv4Addr,
    server: Ipv4Addr,
}

/// What has become of a conversation.
#[derive(Debug)]
pub(super) enum Step {
    /// It goes on.
    Goes,
    /// The address is there.
    Has(Box<Lease>),
    /// Nobody answered.
    GaveUp(&'static str),
}

/// From an offer that says that no others are to be expected to iPXE's REQUEST: measured.
const AT_ONCE: Duration = Duration::from_millis(10);

impl Conversation {
    /// Begins with a DISCOVER.
    pub(super) fn begin(
        now: Time,
        asker: &'static Asker,
        mac: Mac,
        chance: &mut Chance,
        out: &mut Vec<Output>,
    ) -> Self {
        let mut new = Self {
            asker,
            mac,
            xid: 0,
            began: now,
            counter: 0,
            sends: 0,
            discovers: 0,
            is_alone: false,
            state: State::Selecting(None),
            deadline: now,
        };
        new.discover(now, chance, out);
        new
    }

    /// When it wants to be woken.
    pub(super) fn wakeup_at(&self) -> Time {
        self.deadline
    }

    /// A frame came.
    pub(super) fn frame(
        &mut self,
        now: Time,
        frame: &Frame,
        chance: &mut Chance,
        out: &mut Vec<Output>,
    ) -> Step {
        let Some(reply) = self.reply(frame) else { return Step::Goes };
        match (self.state, reply.message_type()) {
            (State::Selecting(None), Some(MessageType::Offer)) if self.asker.request.is_empty() => {
                return Step::Has(Box::new(lease(frame, offer(&reply), &reply)));
            }
            (State::Selecting(None), Some(MessageType::Offer)) => self.offered(now, &reply),
            (State::Requesting(offer), Some(MessageType::Ack)) if reply.yiaddr == offer.address => {
                return Step::Has(Box::new(lease(frame, offer, &reply)));
            }
            (State::Requesting(_), Some(MessageType::Nak)) => {
                // RFC 2131 4.4.1: back to INIT.
                return self.begin_again(now, chance, out);
            }
            (State::Selecting(_) | State::Requesting(_), _) => {}
        }
        Step::Goes
    }

    /// Its moment has come.
    pub(super) fn wakeup(&mut self, now: Time, chance: &mut Chance, out: &mut Vec<Output>) -> Step {
        match self.state {
            State::Selecting(Some(offer)) if self.takes(now) => {
                self.counter += 1;
                self.sends = 0;
                self.state = State::Requesting(offer);
                self.request(now, offer, chance, out);
            }
            State::Selecting(_) if self.discovers == self.asker.discover.len() => {
                return Step::GaveUp("no answer to its DISCOVERs");
            }
            State::Selecting(_) => {
                out.push(Output::Told(Told::Retry));
                self.discover(now, chance, out);
            }
            State::Requesting(_) if self.sends == self.asker.request.len() && self.asker.goes_back => {
                return self.begin_again(now, chance, out);
            }
            State::Requesting(_) if self.sends == self.asker.request.len() => {
                return Step::GaveUp("no answer to its REQUESTs");
            }
            State::Requesting(offer) => {
                out.push(Output::Told(Told::Retry));
                self.request(now, offer, chance, out);
            }
        }
        Step::Goes
    }

    /// An offer that it keeps: the first.
    fn offered(&mut self, now: Time, reply: &Message) {
        self.state = State::Selecting(Some(offer(reply)));
        self.is_alone = reply.options.get(option::IPXE).is_some_and(says_no_others);
        match self.asker.collects {
            Collects::UntilTheTimer => {}
            Collects::Not => self.deadline = now,
            Collects::AtLeast(_) if self.is_alone => self.deadline = now + AT_ONCE,
            Collects::AtLeast(least) if now.since(self.began) > least => self.deadline = now,
            Collects::AtLeast(_) => {}
        }
    }

    /// Whether it takes the offer that it has, now that its timer ran out.
    fn takes(&self, now: Time) -> bool {
        match self.asker.collects {
            Collects::UntilTheTimer | Collects::Not => true,
            Collects::AtLeast(least) => self.is_alone || now.since(self.began) > least,
        }
    }

    /// Back to INIT: another DISCOVER, if one is left.
    fn begin_again(&mut self, now: Time, chance: &mut Chance, out: &mut Vec<Output>) -> Step {
        if self.discovers == self.asker.discover.len() {
            return Step::GaveUp("its REQUEST was refused");
        }
        self.state = State::Selecting(None);
        out.push(Output::Told(Told::Retry));
        self.discover(now, chance, out);
        Step::Goes
    }

    fn discover(&mut self, now: Time, chance: &mut Chance, out: &mut Vec<Output>) {
        // One number for one walk; who goes back to INIT takes another.
        if self.discovers == 0 || self.asker.goes_back {
            self.xid = match self.asker.xid {
                Xid::Chance => (chance.next_u64() >> 32) as u32,
                Xid::HardwareAddress => {
                    let [.., a, b, c, d] = self.mac.0;
                    u32::from_be_bytes([a, b, c, d]) ^ IPXE_XID
                }
                Xid::Clock => (Chance::new(now.as_nanoseconds() >> CLOCK_SHIFT).next_u64() >> 32) as u32,
            };
        }
        let wait = self.asker.discover[self.discovers];
        self.discovers += 1;
        self.send(now, MessageType::Discover, None, out);
        self.deadline = now + self.scattered(wait, chance);
    }

    fn request(&mut self, now: Time, offer: Offer, chance: &mut Chance, out: &mut Vec<Output>) {
        let wait = self.asker.request[self.sends];
        self.sends += 1;
        self.send(now, MessageType::Request, Some(offer), out);
        self.deadline = now + self.scattered(wait, chance);
    }

    fn scattered(&self, wait: Duration, chance: &mut Chance) -> Duration {
        let scatter = wait * self.asker.scatter_percent / 100;
        if scatter.is_zero() { wait } else { chance.between(wait - scatter, wait + scatter) }
    }

    fn send(&mut self, now: Time, message_type: MessageType, offer: Option<Offer>, out: &mut Vec<Output>) {
        self.counter += 1;
        let has_offer = self.state != State::Selecting(None);
        let elapsed = u16::try_from(now.since(self.began).as_secs()).unwrap_or(u16::MAX);
        let secs = match self.asker.seconds {
            Seconds::Counter => (self.counter << 2) | if has_offer { 2 } else { 0 },
            Seconds::InDiscover if offer.is_some() => 0,
            // Measured: the wait of 3.9 s counts as 4.
            Seconds::InDiscover => {
                u16::try_from((now.since(self.began) + Duration::from_millis(500)).as_secs())
                    .unwrap_or(u16::MAX)
            }
            Seconds::Always => elapsed,
        };
        let mut options = Options::default();
        options.set(option::MESSAGE_TYPE, vec![message_type as u8]);
        for code in self.asker.order {
            if let Some(value) = self.value(*code, offer) {
                options.set(*code, value);
            }
        }
        let message =
            Message { secs, broadcast: self.asker.broadcast, ..message(self.mac, self.xid, options) };
        out.push(Output::Send(Frame {
            from: self.mac,
            to: Mac::BROADCAST,
            source: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT),
            destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT),
            payload: Payload::Octets(message.write(usize::from(ETHERNET_OCTETS_MAX))),
        }));
    }

    /// The value of one option, if this packet has it.
    fn value(&self, code: u8, offer: Option<Offer>) -> Option<Vec<u8>> {
        let asker = self.asker;
        Some(match code {
            option::REQUESTED_ADDRESS => offer?.address.octets().into(),
            option::SERVER_IDENTIFIER => offer?.server.octets().into(),
            option::MAX_SIZE => {
                let (discover, request) = asker.size_max;
                if offer.is_some() { request } else { discover }.to_be_bytes().into()
            }
            option::PARAMETER_LIST => asker.wanted.into(),
            option::VENDOR_CLASS => asker.vendor_class.into(),
            option::USER_CLASS => asker.user_class?.into(),
            option::ARCHITECTURE => asker.architecture?.0.to_be_bytes().into(),
            option::CLIENT_NDI => asker.architecture?.1.into(),
            option::CLIENT_IDENTIFIER => [&[1][..], &self.mac.0].concat(),
            option::CLIENT_MACHINE => [&MACHINE_IDENTIFIER[..], &self.mac.0].concat(),
            option::IPXE => asker.features.into(),
            _ => return None,
        })
    }

    /// What a frame says, if it is an answer to this conversation.
    fn reply(&self, frame: &Frame) -> Option<Message> {
        let Payload::Octets(octets) = &frame.payload else { return None };
        let message = Message::parse(octets).ok().filter(|_| frame.destination.port() == CLIENT_PORT)?;
        let is_mine =
            message.op == Op::BootReply && message.xid == self.xid && message.mac() == Some(self.mac);
        is_mine.then_some(message)
    }
}

/// A RELEASE, from the address that is given back (RFC 2131 4.4.6).
pub(super) fn release(mac: Mac, lease: &Lease, chance: &mut Chance) -> Frame {
    let mut options = Options::default();
    options.set(option::MESSAGE_TYPE, vec![MessageType::Release as u8]);
    options.set(option::SERVER_IDENTIFIER, lease.server.octets());
    options.set(option::VENDOR_CLASS, super::kind::AGENT_ASKER.vendor_class);
    let xid = (chance.next_u64() >> 32) as u32;
    let message = Message { ciaddr: lease.address, ..message(mac, xid, options) };
    Frame {
        from: mac,
        to: lease.server_mac,
        source: SocketAddrV4::new(lease.address, CLIENT_PORT),
        destination: SocketAddrV4::new(lease.server, SERVER_PORT),
        payload: Payload::Octets(message.write(usize::from(ETHERNET_OCTETS_MAX))),
    }
}

/// A client's packet with nothing in it but its options.
fn message(mac: Mac, xid: u32, options: Options) -> Message {
    let _none = Ipv4Addr::UNSPECIFIED;
    let mut chaddr = [0; 16];
    chaddr[..6].copy_from_slice(&mac.0);
    Message { xid, chaddr, options, ..Message::request() }
}

fn offer(reply: &Message) -> Offer {
    let server = reply.options.address(option::SERVER_IDENTIFIER).unwrap_or(reply.siaddr);
    Offer { address: reply.yiaddr, server }
}

fn lease(frame: &Frame, offer: Offer, ack: &Message) -> Lease {
    let server = ack.options.address(option::SERVER_IDENTIFIER).unwrap_or(offer.server);
    let in_option = ack.options.text(option::BOOT_FILE).map(str::to_owned);
    let in_field = || (!ack.file.is_empty()).then(|| String::from_utf8_lossy(&ack.file).into_owned());
    Lease {
        address: ack.yiaddr,
        server,
        server_mac: frame.from,
        next_server: if ack.siaddr.is_unspecified() { server } else { ack.siaddr },
        boot_file: in_option.or_else(in_field).filter(|name| !name.is_empty()),
    }
}

/// Whether option 175 holds 176 = 1, "no-pxedhcp".
fn says_no_others(mut options: &[u8]) -> bool {
    while let [code, length, rest @ ..] = options {
        let Some((value, after)) = rest.split_at_checked(usize::from(*length)) else { return false };
        if *code == NO_PXEDHCP {
            return value == [1];
        }
        options = after;
    }
    false
}

const CLIENT_PORT: u16 = 68;
const SERVER_PORT: u16 = 67;
const ETHERNET_OCTETS_MAX: u16 = 1472;
const NO_PXEDHCP: u8 = 176;
/// Anything: what counts is that it is always the same.
const IPXE_XID: u32 = 0x4d6f_0000;
/// A clock that ticks every 134 ms: two machines were seen with the same number 79 ms apart.
const CLOCK_SHIFT: u32 = 27;
/// Type 0 and a UUID that ends in the hardware address, as the recorded machines have it.
const MACHINE_IDENTIFIER: [u8; 11] = [0, 0x44, 0x45, 0x4c, 0x4c, 0x77, 0, 0, 0x4a, 0x80, 0];
