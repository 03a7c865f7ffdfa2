//! What server and machines act upon: the moment, what will happen, the network, who is where, and who watches.

use crate::frame::Frame;
use crate::happening::Happening;
use crate::machine::Ask;
use crate::moments::Moments;
use crate::network::{Full, Network};
use crate::slab::Slab;
use crate::watch::Watch;
use heorot_core::limit::PROBE_WAIT;
use heorot_core::mac::Mac;
use heorot_core::message::Answer;
use heorot_core::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

/// All of that.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) now: Time,
    pub(crate) moments: Moments<Happening>,
    pub(crate) network: Network,
    pub(crate) whereabouts: Whereabouts,
    /// Addresses that foreign hosts have, whom nobody has asked to.
    pub(crate) squatted: BTreeSet<Ipv4Addr>,
    pub(crate) http: Http,
    pub(crate) watch: Watch,
    /// Whether broadcasts of the server go to every machine, and not to the one alone whose answer it is.
    pub(crate) broadcasts_reach_all: bool,
}

/// The server's hardware address.
pub(crate) const SERVER_MAC: Mac = Mac([0x52, 0x54, 0x01, 0, 0, 1]);

/// The hardware address of foreign hosts.
pub(crate) const FOREIGN_MAC: Mac = Mac([0x52, 0x54, 0x02, 0, 0, 1]);

/// The hardware address of a machine.
pub(crate) fn mac_of(machine: u32) -> Mac {
    let [_, a, b, c] = machine.to_be_bytes();
    Mac([0x52, 0x54, 0, a, b, c])
}

/// The machine of a hardware address.
fn machine_of(mac: Mac) -> Option<u32> {
    let [0x52, 0x54, 0, a, b, c] = mac.0 else { return None };
    Some(u32::from_be_bytes([0, a, b, c]))
}

impl Surroundings {
    /// The server sends a frame to whoever has its hardware address.
    ///
    /// # Errors
    /// The server's send buffer is full.
    pub(crate) fn send_from_server(&mut self, frame: Frame) -> Result<(), Full> {
        let count = self.whereabouts.count();
        let machines = match machine_of(frame.to) {
            Some(machine) => machine..machine + 1,
            None if frame.to != Mac::BROADCAST => 0..0,
            None if self.broadcasts_reach_all => 0..count,
            None => match client_of(&frame).and_then(machine_of) {
                Some(machine) => machine..machine + 1,
                None => 0..count,
            },
        };
        let known = machines.start..machines.end.min(count);
        self.network.server_sends(self.now, &mut self.moments, frame, known)
    }

    /// Somebody asks by ARP who has an address. Machines answer at once, foreign hosts when they get to it: the slowest just within the time that is waited
    /// for them.
    pub(crate) fn probe(&mut self, address: Ipv4Addr) -> Option<Mac> {
        if self.squatted.contains(&address) {
            let [.., last] = address.octets();
            let after = PROBE_WAIT * u32::from(last % 100) / 100;
            self.moments.push(self.now + after, Happening::ForeignHostAnswers(address));
        }
        self.whereabouts.holder(address).map(mac_of)
    }

    /// The hardware address of whoever has this address, as ARP would find out.
    pub(crate) fn resolve(&self, address: Ipv4Addr) -> Option<Mac> {
        self.whereabouts.holder(address).map(mac_of)
    }
}

/// The hardware address of the client whose DHCP answer a frame is (`chaddr`, RFC 2131 2).
fn client_of(frame: &Frame) -> Option<Mac> {
    const CLIENT_HARDWARE_ADDRESS: usize = 28;
    let crate::frame::Payload::Octets(octets) = &frame.payload else { return None };
    octets.get(CLIENT_HARDWARE_ADDRESS..)?.first_chunk().copied().map(Mac)
}

/// Which machine has which address.
#[derive(Debug, Default)]
pub(crate) struct Whereabouts {
    holders: BTreeMap<Ipv4Addr, u32>,
    addresses: Vec<Option<Ipv4Addr>>,
}

impl Whereabouts {
    /// So many machines, none of which has an address.
    pub(crate) fn new(machines: usize) -> Self {
        Self { holders: BTreeMap::new(), addresses: vec![None; machines] }
    }

    /// A machine has an address now, or none any more. Whoever else had it, if somebody did.
    pub(crate) fn set(&mut self, machine: u32, address: Option<Ipv4Addr>) -> Option<u32> {
        let before = std::mem::replace(&mut self.addresses[machine as usize], address);
        if let Some(before) = before.filter(|before| self.holders.get(before) == Some(&machine)) {
            self.holders.remove(&before);
        }
        self.holders.insert(address?, machine).filter(|holder| *holder != machine)
    }

    /// Who has this address.
    pub(crate) fn holder(&self, address: Ipv4Addr) -> Option<u32> {
        self.holders.get(&address).copied()
    }

    /// The address of a machine.
    pub(crate) fn address(&self, machine: u32) -> Option<Ipv4Addr> {
        self.addresses.get(machine as usize).copied().flatten()
    }

    fn count(&self) -> u32 {
        u32::try_from(self.addresses.len()).expect("hardware addresses are for millions of machines")
    }
}

/// Questions of machines by HTTP that are under way. TCP carries them: they come after a round trip, or their connection is gone.
#[derive(Debug, Default)]
pub(crate) struct Http {
    questions: Slab<Question>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Question {
    /// Who asks.
    pub(crate) machine: u32,
    /// Its own count of questions: an older one's answer is for nobody.
    pub(crate) sequence: u64,
    /// What.
    pub(crate) ask: Ask,
    /// Whether a file is wanted, with its octets.
    pub(crate) fetches: bool,
    /// What the server said, once it has.
    pub(crate) answer: Option<(u16, String)>,
    /// The stream that follows, and its size.
    pub(crate) begins: Option<(u64, u64)>,
}

impl Http {
    /// A question sets out. It takes one round trip to make a connection, and half of one to get there.
    pub(crate) fn ask(&mut self, at: Time, moments: &mut Moments<Happening>, question: Question) {
        let place = self.questions.put(question);
        moments.push(at, Happening::Http { place });
    }

    /// Takes what has arrived.
    pub(crate) fn take(&mut self, place: u32) -> Question {
        self.questions.take(place)
    }

    /// Leaves a question with the server.
    pub(crate) fn put(&mut self, question: Question) -> u32 {
        self.questions.put(question)
    }

    /// Who asks.
    pub(crate) fn asker(&self, place: u32) -> Option<Mac> {
        self.questions.get(place).map(|question| mac_of(question.machine))
    }

    /// Forgets a question: its connection is gone.
    pub(crate) fn forget(&mut self, place: u32) {
        self.questions.take(place);
    }

    /// The server answers.
    pub(crate) fn answer(&mut self, at: Time, moments: &mut Moments<Happening>, place: u32, answer: Answer) {
        let mut question = self.questions.take(place);
        question.answer = Some(match answer {
            Answer::Text(text) => (200, text),
            Answer::File(_) | Answer::FirstOf(_) => (200, String::new()),
            Answer::Json(status, body) => (status, body),
            Answer::Part(body, _) => (200, body),
            Answer::Missing(why) => (404, why),
            Answer::Refused(why) => (403, why),
            Answer::Unwritten(_) | Answer::Files(_) | Answer::HostKeys(_) => (200, String::new()),
        });
        self.ask(at, moments, question);
    }

    /// Whether somebody wants a file with its octets: who, and whom he asked.
    pub(crate) fn fetches(&self, place: u32) -> Option<(Ipv4Addr, Ipv4Addr)> {
        let question = self.questions.get(place).filter(|question| question.fetches)?;
        Some((question.ask.from, *question.ask.to.ip()))
    }

    /// The server answers with a file: its stream, and its size.
    pub(crate) fn begin(
        &mut self,
        at: Time,
        moments: &mut Moments<Happening>,
        place: u32,
        begins: (u64, u64),
    ) {
        let mut question = self.questions.take(place);
        question.answer = Some((200, String::new()));
        question.begins = Some(begins);
        self.ask(at, moments, question);
    }

    /// How many are under way.
    pub(crate) fn len(&self) -> usize {
        self.questions.len()
    }
}

/// How long a question by HTTP takes to get to the server: a connection is made first.
pub(crate) fn question_delay(round_trip: Duration) -> Duration {
    round_trip + round_trip / 2
}
