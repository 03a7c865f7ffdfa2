//! A machine: what its firmware and loader do from power-on until its image is loaded and its agent has reported, each with its own timers,
//! patience and bugs, as they were measured.
//!
//! [`Machine`] has the form of the server's own machines: it takes a moment and one [`Input`], and says what it does as [`Output`]s. It knows no
//! network: the simulator carries its frames through simulated links, `heorot storm` through a real interface.
//!
//! ```text
//! power ──> firmware: DHCP ──> the boot file, by TFTP or HTTP ──> loader: its own files, kernel, RAM disks ──> loaded ──> agent ──> up
//!              ^                                                      │
//!              └────────────────── iPXE asks once more ───────────────┘
//! ```
//!
//! - [`message`]: what goes in and what comes out;
//! - `kind`: what is known of each firmware and loader, in tables;
//! - `dhcp`: one conversation; `tftp`, `fetch`: one file, by TFTP or by HTTP;
//! - `loader`, `plan`: which files, and what those say that were made for the machine;
//! - `agent`, `enquiry`: what runs at the end, and how it asks.
//!
//! Whether the network carries IPv6 is not simulated: an iPXE that was built with it waits up to 18 s for a router before its first file.

mod agent;
mod dhcp;
mod enquiry;
mod fetch;
mod kind;
mod loader;
pub mod message;
mod plan;
mod tftp;

pub use message::{Ask, Input, Kind, Output, Setup, Told};

use crate::chance::Chance;
use crate::frame::Frame;
use agent::Agent;
use dhcp::{Conversation, Lease};
use enquiry::Enquiry;
use fetch::Fetch;
use heorot_core::time::Time;
use kind::Program;
pub(crate) use loader::folder;
use loader::{Need, Reads, Wish};
use plan::{Plan, Url};
use std::collections::VecDeque;
use std::net::SocketAddrV4;
use std::time::Duration;
use tftp::{Ends, Order, Transfer};

/// A machine.
#[derive(Debug)]
pub struct Machine {
    setup: Setup,
    chance: Chance,
    boot: Boot,
    doing: Doing,
}

/// What it does now.
#[derive(Debug)]
enum Doing {
    /// Nothing: it is off, dead, or its system runs.
    Nothing,
    /// It waits.
    Waiting(Time, Then),
    /// A program asks for an address.
    Addressing(Conversation),
    /// iPXE asks for its script by HTTP.
    Asking(Enquiry),
    /// A program loads a file.
    Loading(Transfer),
    /// The same by HTTP.
    Fetching(Box<Fetch>),
    /// Its agent runs.
    Running(Agent),
}

/// What follows a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The program starts.
    Program,
    /// It loads the next file.
    Load,
    /// The script begins again.
    Script,
    /// The kernel has started its agent.
    Agent,
    /// The machine starts anew.
    PowerOn,
}

/// What it knows in this boot.
#[derive(Debug)]
struct Boot {
    program: Program,
    lease: Option<Lease>,
    boot_file: String,
    wishes: VecDeque<Wish>,
    /// What the program has read.
    plan: Plan,
    /// The port of its next file, if its ports follow each other.
    port: Option<u16>,
    stage: &'static str,
    has_data: bool,
    has_root: bool,
}

impl Machine {
    /// A machine that is off.
    pub fn new(setup: Setup) -> Self {
        let chance = Chance::new(setup.seed);
        let boot = Boot::new(setup.kind);
        Self { setup, chance, boot, doing: Doing::Nothing }
    }

    /// What it is.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Takes one input. What it does is appended to `out`, in order.
    pub fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::Frame(frame) => self.frame(now, frame, out),
            Input::Wakeup => self.wakeup(now, out),
            Input::Answer { status, body } => self.answer(now, status, body, out),
            Input::Begins { stream, octets } => self.begins(now, stream, octets, out),
            Input::PowerOn => self.power_on(now),
            Input::PowerOff => self.doing = Doing::Nothing,
        }
    }

    /// When [`Input::Wakeup`] is wanted next.
    pub fn next_wakeup(&self) -> Option<Time> {
        match &self.doing {
            Doing::Nothing => None,
            Doing::Waiting(at, _) => Some(*at),
            Doing::Addressing(conversation) => Some(conversation.wakeup_at()),
            Doing::Asking(enquiry) => Some(enquiry.wakeup_at()),
            Doing::Loading(transfer) => Some(transfer.wakeup_at()),
            Doing::Fetching(fetch) => Some(fetch.wakeup_at()),
            Doing::Running(agent) => Some(agent.wakeup_at()),
        }
    }

    fn power_on(&mut self, now: Time) {
        self.boot = Boot::new(self.setup.kind);
        self.doing = Doing::Waiting(now + self.setup.rom_delay, Then::Program);
    }

    fn frame(&mut self, now: Time, frame: &Frame, out: &mut Vec<Output>) {
        let chance = &mut self.chance;
        match &mut self.doing {
            Doing::Loading(transfer) => {
                let step = transfer.frame(now, frame, chance, out);
                self.transferred(now, step, out);
            }
            Doing::Fetching(fetch) => {
                let step = fetch.frame(now, frame, out);
                self.fetched(now, step, out);
            }
            Doing::Addressing(conversation) => {
                let step = conversation.frame(now, frame, chance, out);
                self.addressed(now, step, out);
            }
            Doing::Running(agent) => {
                let step = agent.frame(now, frame, chance, out);
                self.ran(now, step);
            }
            Doing::Nothing | Doing::Waiting(..) | Doing::Asking(_) => {}
        }
    }

    fn wakeup(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.next_wakeup().is_none_or(|at| at > now) {
            return;
        }
        let chance = &mut self.chance;
        match &mut self.doing {
            Doing::Loading(transfer) => {
                let step = transfer.wakeup(now, out);
                self.transferred(now, step, out);
            }
            Doing::Fetching(fetch) => {
                let step = fetch.wakeup(now);
                self.fetched(now, step, out);
            }
            Doing::Addressing(conversation) => {
                let step = conversation.wakeup(now, chance, out);
                self.addressed(now, step, out);
            }
            Doing::Asking(enquiry) => {
                if !enquiry.wakeup(now, out) {
                    let is_uefi = self.boot.program == Program::Edk2Http;
                    let what = if is_uefi {
                        "EDK2: no answer to its HEAD"
                    } else {
                        "iPXE: no answer to its request for a script"
                    };
                    self.lost(what.into(), out);
                }
            }
            Doing::Running(agent) => {
                let step = agent.wakeup(now, chance, out);
                self.ran(now, step);
            }
            Doing::Waiting(_, then) => match then {
                Then::Program => self.program(now, out),
                Then::Load => self.load(now, out),
                Then::Script => {
                    self.boot.wishes = loader::images(self.boot.plan.files.clone()).collect();
                    self.load(now, out);
                }
                Then::Agent => self.agent(now, out),
                Then::PowerOn => self.power_on(now),
            },
            Doing::Nothing => {}
        }
    }

    fn answer(&mut self, now: Time, status: u16, body: &str, out: &mut Vec<Output>) {
        match &mut self.doing {
            Doing::Running(agent) => {
                let step = agent.answer(now, status, body, &mut self.chance, out);
                self.ran(now, step);
            }
            Doing::Fetching(fetch) => {
                let step = fetch.answered(status);
                self.fetched(now, step, out);
            }
            // The HEAD of UEFI: it is there.
            Doing::Asking(_) if self.boot.program == Program::Edk2Http && (200..300).contains(&status) => {
                self.boot.wishes = [Wish::must(self.boot.boot_file.clone(), "loader")].into();
                self.load(now, out);
            }
            Doing::Asking(_) if (200..300).contains(&status) => {
                let script = Wish { reads: Reads::Ipxe, ..Wish::must(self.boot.boot_file.clone(), "loader") };
                self.read(&script, body);
                self.doing = Doing::Nothing;
                self.load(now, out);
            }
            Doing::Asking(_) => self.lost(format!("iPXE: {} answered {status}", self.boot.boot_file), out),
            Doing::Nothing | Doing::Waiting(..) | Doing::Addressing(_) | Doing::Loading(_) => {}
        }
    }

    /// A program starts: it asks for an address, or goes on with the one that there is.
    fn program(&mut self, now: Time, out: &mut Vec<Output>) {
        match self.boot.program.asker() {
            Some(asker) => {
                self.stage("dhcp", out);
                let conversation = Conversation::begin(now, asker, self.setup.mac, &mut self.chance, out);
                self.doing = Doing::Addressing(conversation);
            }
            None => self.begin_to_load(now, out),
        }
    }

    fn addressed(&mut self, now: Time, step: dhcp::Step, out: &mut Vec<Output>) {
        let lease = match step {
            dhcp::Step::Goes => return,
            dhcp::Step::GaveUp(why) => return self.lost(format!("{:?}: {why}", self.boot.program), out),
            dhcp::Step::Has(lease) => *lease,
        };
        out.push(Output::Told(Told::Address(lease.address)));
        let boot_file = lease.boot_file.clone().unwrap_or_default();
        if boot_file.is_empty() && self.boot.program != Program::PiRom {
            return self.lost(format!("{:?}: an address, but no boot file", self.boot.program), out);
        }
        self.boot.boot_file = boot_file;
        self.boot.lease = Some(lease);
        self.begin_to_load(now, out);
    }

    /// A program with an address: iPXE may be given a URL, all others load files by TFTP.
    fn begin_to_load(&mut self, now: Time, out: &mut Vec<Output>) {
        let Some(lease) = &self.boot.lease else { return };
        if let (Program::IpxeRom | Program::IpxeEfi | Program::Edk2Http, Some(url)) =
            (self.boot.program, Url::parse(&self.boot.boot_file))
        {
            let ask = Ask { from: lease.address, to: url.server, path: url.path, body: None };
            self.stage("loader", out);
            let patience =
                if self.boot.program == Program::Edk2Http { fetch::EDK2.head } else { SCRIPT_PATIENCE };
            self.doing = Doing::Asking(Enquiry::begin(now, ask, patience, out));
            return;
        }
        let start = loader::Start {
            kind: self.setup.kind,
            mac: self.setup.mac,
            address: lease.address,
            boot_file: &self.boot.boot_file,
            files: &self.setup.files,
        };
        self.boot.wishes = loader::wishes(self.boot.program, &start);
        self.boot.port = self.boot.program.manner().first_port;
        self.load(now, out);
    }

    /// Begins with the next file, or with what follows when all are there.
    fn load(&mut self, now: Time, out: &mut Vec<Output>) {
        let (Some(wish), Some(lease)) = (self.boot.wishes.front(), &self.boot.lease) else {
            return self.all_loaded(now, out);
        };
        let port = match self.boot.port {
            Some(port) => port,
            None => 1025 + self.chance.below(60_000) as u16,
        };
        let stage = wish.stage;
        if let (Some(patience), Some(url)) = (self.http_patience(), Url::parse(&self.boot.boot_file)) {
            let name = Url::parse(&wish.name).map_or_else(|| wish.name.clone(), |url| url.path);
            let ends = ends(&self.setup, lease);
            let is_first = !self.boot.has_data;
            self.stage(stage, out);
            let fetch = Fetch::begin(now, (ends, url.server), name, patience, is_first, out);
            self.doing = Doing::Fetching(Box::new(fetch));
            return;
        }
        let order = Order {
            name: wish.name.clone(),
            asked: asked(&self.setup, self.boot.program, &wish.name),
            port,
            is_text: wish.reads != Reads::Nothing,
            acknowledges_last: self.setup.kind != Kind::NoLastAck,
            is_first: !self.boot.has_data,
        };
        let ends = ends(&self.setup, lease);
        self.stage(stage, out);
        self.doing = Doing::Loading(Transfer::begin(now, ends, self.boot.program.manner(), order, out));
    }

    /// How patient its program is with HTTP, if that is what it loads files by.
    fn http_patience(&self) -> Option<fetch::Patience> {
        match (self.setup.kind, self.boot.program) {
            (_, Program::Edk2Http) => Some(fetch::EDK2),
            (Kind::UefiHttp | Kind::IpxeHttp, Program::IpxeRom | Program::IpxeEfi) => Some(fetch::IPXE),
            (_, _) => None,
        }
    }

    fn begins(&mut self, now: Time, stream: u64, octets: u64, out: &mut Vec<Output>) {
        if let Doing::Fetching(fetch) = &mut self.doing {
            let step = fetch.begins(now, stream, octets);
            self.fetched(now, step, out);
        }
    }

    fn fetched(&mut self, now: Time, step: fetch::Step, out: &mut Vec<Output>) {
        if step == fetch::Step::Goes {
            return;
        }
        let Doing::Fetching(fetch) = std::mem::replace(&mut self.doing, Doing::Nothing) else { return };
        self.boot.has_data = !fetch.is_first();
        let Some(wish) = self.boot.wishes.pop_front() else { return };
        let why = match step {
            fetch::Step::Goes => return,
            fetch::Step::Has => {
                let (name, octets) = fetch.into_file();
                let block_octets = SEGMENT_OCTETS;
                out.push(Output::Told(Told::File { name, octets, block_octets }));
                return self.soon(now, Then::Load);
            }
            fetch::Step::Refused(status) => format!("answered {status}"),
            fetch::Step::GaveUp => "nothing came for too long".into(),
        };
        self.lost(format!("{:?}: {}: {why}", self.boot.program, wish.name), out);
    }

    fn transferred(&mut self, now: Time, step: tftp::Step, out: &mut Vec<Output>) {
        if step == tftp::Step::Goes {
            return;
        }
        let Doing::Loading(transfer) = std::mem::replace(&mut self.doing, Doing::Nothing) else { return };
        self.boot.has_data = !transfer.is_first();
        self.boot.port = self.boot.port.map(|_| transfer.port().wrapping_add(1));
        let Some(wish) = self.boot.wishes.pop_front() else { return };
        let why = match step {
            tftp::Step::Goes => return,
            tftp::Step::Has => {
                let (octets, block_octets) = transfer.size();
                let (name, text) = transfer.into_content();
                out.push(Output::Told(Told::File { name, octets, block_octets }));
                self.read(&wish, &text);
                return self.soon(now, Then::Load);
            }
            tftp::Step::Refused(text) => text,
            tftp::Step::GaveUp => "no answer".into(),
        };
        match wish.need {
            Need::May => self.soon(now, Then::Load),
            Need::Must if self.boot.plan.never_gives_up => {
                self.doing = Doing::Waiting(now + SCRIPT_WAIT, Then::Script);
            }
            Need::Must => self.lost(format!("{:?}: {}: {why}", self.boot.program, wish.name), out),
        }
    }

    /// A file is read, if it is one to be read: the next files are those that it names.
    fn read(&mut self, wish: &Wish, text: &str) {
        let rest = std::mem::take(&mut self.boot.wishes);
        let (wishes, plan) = loader::after(wish, text, rest, &self.boot.boot_file);
        self.boot.wishes = wishes;
        if let Some(plan) = plan {
            self.boot.plan = plan;
        }
    }

    /// A program has all its files: another program, or the system.
    fn all_loaded(&mut self, now: Time, out: &mut Vec<Output>) {
        let boot = &mut self.boot;
        if let Some(loader) = self.setup.kind.loader(boot.program, &boot.boot_file) {
            boot.program = loader;
            self.doing = Doing::Waiting(now + loader.start(), Then::Program);
            return;
        }
        if self.setup.root_octets > 0
            && !std::mem::replace(&mut boot.has_root, true)
            && let Some(lease) = &boot.lease
        {
            boot.wishes = [Wish::must(self.setup.root_octets.to_string(), "root")].into();
            let server = SocketAddrV4::new(lease.next_server, NFS_PORT);
            let place = (ends(&self.setup, lease), server);
            let is_first = !boot.has_data;
            let fetch =
                Fetch::begin(now, place, self.setup.root_octets.to_string(), fetch::ROOT, is_first, out);
            self.stage("root", out);
            self.doing = Doing::Fetching(Box::new(fetch));
            return;
        }
        out.push(Output::Told(Told::Loaded));
        // Without a file that was made for it, its kernel does not know whom to report to: it stays as it is.
        self.doing = match (self.setup.agent_after, &boot.plan.url) {
            (Some(after), Some(_)) => Doing::Waiting(now + after, Then::Agent),
            (Some(_), None) | (None, _) => Doing::Nothing,
        };
    }

    fn agent(&mut self, now: Time, out: &mut Vec<Output>) {
        let Some(url) = self.boot.plan.url.clone() else { return };
        self.stage("agent", out);
        self.doing = Doing::Running(Agent::begin(now, self.setup.mac, url, &mut self.chance, out));
    }

    fn ran(&mut self, now: Time, step: agent::Step) {
        match step {
            agent::Step::Goes => {}
            agent::Step::Up => self.doing = Doing::Nothing,
            agent::Step::StartsAnew(later) => self.doing = Doing::Waiting(now + later, Then::PowerOn),
        }
    }

    /// The same program goes on as fast as it does anything.
    fn soon(&mut self, now: Time, then: Then) {
        self.doing = Doing::Waiting(now + self.boot.program.manner().turnaround, then);
    }

    fn stage(&mut self, stage: &'static str, out: &mut Vec<Output>) {
        if self.boot.stage != stage {
            self.boot.stage = stage;
            out.push(Output::Told(Told::Stage(stage)));
        }
    }

    /// It gave up. EDK2 would try its next boot option, which here leads nowhere; a BIOS halts.
    fn lost(&mut self, why: String, out: &mut Vec<Output>) {
        self.doing = Doing::Nothing;
        out.push(Output::Told(Told::Lost(why)));
    }
}

impl Boot {
    fn new(kind: Kind) -> Self {
        Self {
            program: kind.firmware(),
            lease: None,
            boot_file: String::new(),
            wishes: VecDeque::new(),
            plan: Plan::default(),
            port: None,
            stage: "",
            has_data: false,
            has_root: false,
        }
    }
}

/// The name as it stands in the request: some ROMs write what nobody told them.
fn asked(setup: &Setup, program: Program, name: &str) -> Vec<u8> {
    let is_odd = setup.kind == Kind::OddNames && program == setup.kind.firmware();
    match setup.seed % 2 {
        _ if !is_odd => name.into(),
        0 => Vec::new(),
        _ => [name.as_bytes(), &[0xff]].concat(),
    }
}

fn ends(setup: &Setup, lease: &Lease) -> Ends {
    Ends { mac: setup.mac, address: lease.address, server_mac: lease.server_mac, server: lease.next_server }
}

/// To which a root is asked for: by its size, for that is all that matters of it.
pub(crate) const NFS_PORT: u16 = 2049;
/// Octets of a full segment.
const SEGMENT_OCTETS: u16 = 1448;
/// iPXE's script begins again after so long.
const SCRIPT_WAIT: Duration = Duration::from_secs(3);
/// iPXE, whose connections nobody answers: measured.
const SCRIPT_PATIENCE: Duration = Duration::from_millis(18_200);

#[cfg(test)]
mod tests;
