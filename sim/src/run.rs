//! A run: one server and its machines in one network, from the first moment to the last, by a plan.
//!
//! ```text
//!   plan ──┐                    ┌─> server ──> Heorot, Transfers
//!          ├─> moments ──> run ─┤      │ ^
//!  timers ─┘      ^             └─> machines
//!                 └── network <────────┘
//! ```

use crate::happening::Happening;
use crate::machine::{self, Kind, Machine, Told};
use crate::moments::{Moments, Wakes};
use crate::network::{Cabling, Counts, Network, Weather};
use crate::server::{Computer, Deaths, DiskMood, Files, Mood, Server, transfer_settings};
use crate::surroundings::{Http, Question, Surroundings, Whereabouts, mac_of, question_delay};
use crate::watch::Watch;
use heorot_core::cluster::record::Record;
use heorot_core::config::Config;
use heorot_core::load::{self, Control};
use heorot_core::mac::Mac;
use heorot_core::time::Time;
use heorot_core::transfer::Resend;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Everything that a run begins with.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server's configuration.
    pub config: Config,
    /// How much of its load control is at work.
    pub control: Control,
    /// When its transfers answer silence.
    pub resend: Resend,
    /// What kind of computer it is.
    pub computer: Computer,
    /// Its files.
    pub files: Files,
    /// What its store keeps already.
    pub records: Vec<Record>,
    /// How the network is built.
    pub cabling: Cabling,
    /// Whether broadcasts of the server go to every machine, or to the one alone whose answer it is.
    pub broadcasts_reach_all: bool,
    /// The machines. Their hardware addresses are those of [`mac`].
    pub machines: Vec<machine::Setup>,
    /// What is done, and when, counted from the start.
    pub deeds: Vec<(Duration, Deed)>,
    /// From which all chance comes.
    pub seed: u64,
    /// Whether every event becomes a line.
    pub with_lines: bool,
}

/// Something that is done to server, machines and network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A machine is switched on, or reset.
    PowerOn(u32),
    /// A machine is switched off.
    PowerOff(u32),
    /// The server is started.
    Start,
    /// The server's process is killed.
    Kill,
    /// The server loses its power.
    CutPower,
    /// Somebody else has the server's processor for so long.
    Stall(Duration),
    /// The server's store changes its behaviour.
    Store(Mood),
    /// The server's disk changes its behaviour.
    Disk(DiskMood),
    /// The network's weather changes.
    Weather(Weather),
    /// A foreign host has this address from now on, and answers ARP for it.
    Squat(Ipv4Addr),
}

/// The moment at which every run begins: a long way from zero.
pub const START: Time = Time::from_nanoseconds(1_000_000_000_000_000);

/// The hardware address of the machine in this place.
pub fn mac(machine: u32) -> Mac {
    mac_of(machine)
}

/// A run.
#[derive(Debug)]
pub struct Run {
    pub(crate) surroundings: Surroundings,
    pub(crate) server: Server,
    pub(crate) machines: Vec<Host>,
    deeds: Vec<Deed>,
    /// A list of outputs that is not in use.
    spare: Vec<machine::Output>,
    /// Machines that are on and have neither done all they should nor given up.
    busy: usize,
    handled: u64,
}

/// A machine and what has become of it since it was last switched on.
#[derive(Debug)]
pub(crate) struct Host {
    machine: Machine,
    wakes: Wakes,
    /// How many questions it asked by HTTP.
    questions: u64,
    pub(crate) is_on: bool,
    pub(crate) tale: Tale,
}

/// What has become of a machine since it was last switched on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tale {
    pub(crate) powered: Option<Time>,
    pub(crate) first_data: Option<Time>,
    pub(crate) loaded: Option<Time>,
    pub(crate) up: Option<Time>,
    pub(crate) lost: Option<(Time, String)>,
    pub(crate) number: Option<u32>,
    pub(crate) retries: u64,
    /// Octets on the wire of what it loaded, if each block is sent once.
    pub(crate) wire_octets: u64,
    pub(crate) stage: &'static str,
}

impl Run {
    /// Puts everything in its place. Nothing has happened yet.
    ///
    /// # Panics
    /// If a machine's hardware address is not that of its place.
    pub fn new(plan: Plan) -> Self {
        let count = plan.machines.len();
        let in_place = plan.machines.iter().zip(0..).all(|(setup, place)| setup.mac == mac_of(place));
        assert!(in_place, "a machine's hardware address says which one it is");
        let transfers = transfer_settings(&plan.config, plan.control, plan.resend);
        let kinds = plan.machines.iter().map(|setup| setup.kind).collect();
        let mut surroundings = Surroundings {
            now: START,
            moments: Moments::default(),
            network: Network::new(plan.cabling, count, plan.seed),
            whereabouts: Whereabouts::new(count),
            squatted: BTreeSet::new(),
            http: Http::default(),
            watch: Watch::new(START, plan.with_lines, &plan.config, &plan.records),
            broadcasts_reach_all: plan.broadcasts_reach_all,
        };
        let mut deeds = Vec::new();
        for ((at, deed), place) in plan.deeds.into_iter().zip(0..) {
            surroundings.moments.push(START + at, Happening::Planned(place));
            deeds.push(deed);
        }
        let host = |setup| Host {
            machine: Machine::new(setup),
            wakes: Wakes::default(),
            questions: 0,
            is_on: false,
            tale: Tale::default(),
        };
        Self {
            surroundings,
            server: Server::new(
                (plan.config, transfers),
                plan.computer,
                (&plan.files, kinds),
                &plan.records,
                plan.seed,
            ),
            machines: plan.machines.into_iter().map(host).collect(),
            deeds,
            spare: Vec::new(),
            busy: 0,
            handled: 0,
        }
    }

    /// Has the next thing happen. False: nothing will happen any more.
    pub fn step(&mut self) -> bool {
        let Some((at, happening)) = self.surroundings.moments.pop() else { return false };
        self.surroundings.now = at;
        self.handled += 1;
        self.happen(happening);
        true
    }

    /// Has everything happen up to this long after the start.
    pub fn run_until(&mut self, elapsed: Duration) {
        let end = START + elapsed;
        while self.surroundings.moments.next_at().is_some_and(|at| at <= end) {
            self.step();
        }
        self.surroundings.now = end;
    }

    /// How long it has been going on.
    pub fn elapsed(&self) -> Duration {
        self.surroundings.now.since(START)
    }

    /// How many machines are on and still have something to do.
    pub fn busy(&self) -> usize {
        self.busy
    }

    /// How many things have happened.
    pub fn handled(&self) -> u64 {
        self.handled
    }

    /// What went through the network, and what did not.
    pub fn counts(&self) -> Counts {
        self.surroundings.network.counts()
    }

    /// How often the server ended while it ran, and how.
    pub fn deaths(&self) -> Deaths {
        self.server.deaths()
    }

    /// Compares all that the server knows with all that was promised, and with what its kernel and its store hold.
    pub fn compare(&mut self) {
        self.server.compare(&mut self.surroundings);
    }

    /// What always holds and did not, so far.
    pub fn broken(&self) -> &[String] {
        self.surroundings.watch.broken_so_far()
    }

    /// What is still there although nothing is left to be done. Nothing, if all is well.
    pub fn left_over(&self) -> Vec<String> {
        let mut left = self.server.left_over();
        let frames = self.surroundings.network.under_way();
        let questions = self.surroundings.http.len();
        left.extend((frames > 0).then(|| format!("{frames} frames")));
        left.extend((questions > 0).then(|| format!("{questions} questions by HTTP")));
        left
    }

    /// The lines that came since they were last asked for.
    pub fn take_lines(&mut self) -> String {
        self.surroundings.watch.take_lines()
    }

    fn happen(&mut self, happening: Happening) {
        let s = &mut self.surroundings;
        match happening {
            Happening::ToServer { frame } => self.server.frame(s, frame),
            Happening::ToMachine { machine, frame } => {
                let frame = s.network.take(frame);
                if self.machines[machine as usize].is_on {
                    s.watch.delivered(s.now, machine, &frame, &s.whereabouts);
                    self.machine(machine, machine::Input::Frame(&frame));
                }
            }
            Happening::MachineWake(machine) => self.wake(machine),
            Happening::ServerTurn => self.server.turn(s),
            Happening::HeorotWake => self.server.wake_heorot(s),
            Happening::TransfersWake => self.server.wake_transfers(s),
            Happening::Done { life, place } => self.server.done(s, life, place),
            Happening::Http { place } => self.http(place),
            Happening::ForeignHostAnswers(address) => self.server.foreign_host_answers(s, address),
            Happening::Planned(place) => self.carry_out(self.deeds[place as usize].clone()),
        }
    }

    /// All that the server knows of nodes, as `state.json` has it, and of transfers, as a debugger shows it. Nothing if it does not run.
    pub fn dump(&mut self) -> Option<(String, String)> {
        self.server.dump(self.surroundings.now)
    }

    /// How many machines have done all that they should since they were last switched on, and how many gave up.
    pub fn done(&self) -> (usize, usize) {
        let lost = self.machines.iter().filter(|host| host.tale.lost.is_some()).count();
        let done = self.machines.iter().filter(|host| host.is_on && !host.is_busy()).count();
        (done - lost, lost)
    }

    /// Does something now.
    pub fn carry_out(&mut self, deed: Deed) {
        let s = &mut self.surroundings;
        match deed {
            Deed::PowerOn(machine) => self.power_on(machine),
            Deed::PowerOff(machine) => self.power_off(machine),
            Deed::Start => self.server.start(s),
            Deed::Kill => self.server.crash(s),
            Deed::CutPower => self.server.cut_power(s),
            Deed::Stall(duration) => self.server.stall(s.now + duration),
            Deed::Store(mood) => {
                s.watch.line(s.now, "store", format_args!("{mood:?}"));
                self.server.set_store_mood(mood);
            }
            Deed::Disk(mood) => {
                s.watch.line(s.now, "disk", format_args!("{mood:?}"));
                self.server.set_disk_mood(mood);
            }
            Deed::Squat(address) => {
                s.squatted.insert(address);
                s.watch.squatted(s.now, address);
            }
            Deed::Weather(weather) => {
                s.watch.line(s.now, "network", format_args!("{weather:?}"));
                s.network.set_weather(weather);
            }
        }
    }

    fn power_on(&mut self, machine: u32) {
        let s = &mut self.surroundings;
        let host = &mut self.machines[machine as usize];
        self.busy += usize::from(!host.is_busy());
        host.is_on = true;
        host.questions += 1; // What it asked before is answered to nobody.
        host.tale = Tale { powered: Some(s.now), ..Tale::default() };
        s.whereabouts.set(machine, None);
        s.network.link_up(s.now, machine);
        say(s, machine, format_args!("is switched on: {:?}", host.machine.setup().kind));
        self.machine(machine, machine::Input::PowerOn);
    }

    fn power_off(&mut self, machine: u32) {
        let s = &mut self.surroundings;
        let host = &mut self.machines[machine as usize];
        self.busy -= usize::from(host.is_busy());
        host.is_on = false;
        host.questions += 1;
        s.whereabouts.set(machine, None);
        say(s, machine, format_args!("is switched off"));
        self.machine(machine, machine::Input::PowerOff);
    }

    /// Gives a machine an input and carries out what it does.
    fn machine(&mut self, place: u32, input: machine::Input<'_>) {
        let host = &mut self.machines[place as usize];
        let mut out = std::mem::take(&mut self.spare);
        host.machine.handle(self.surroundings.now, input, &mut out);
        host.arm(&mut self.surroundings, place);
        for output in out.drain(..) {
            let s = &mut self.surroundings;
            match output {
                machine::Output::Send(frame) => {
                    s.watch.sent(s.now, place, &frame);
                    s.network.machine_sends(s.now, &mut s.moments, place, frame);
                }
                machine::Output::Ask(ask) => self.ask(place, ask, false),
                machine::Output::Fetch(ask) => self.ask(place, ask, true),
                machine::Output::Told(told) => self.told(place, told),
            }
        }
        self.spare = out;
    }

    fn wake(&mut self, place: u32) {
        let host = &mut self.machines[place as usize];
        if !host.wakes.come(self.surroundings.now) {
            return;
        }
        if host.machine.next_wakeup().is_some_and(|at| at <= self.surroundings.now) {
            self.machine(place, machine::Input::Wakeup);
        } else {
            host.arm(&mut self.surroundings, place);
        }
    }

    fn ask(&mut self, place: u32, ask: machine::Ask, fetches: bool) {
        let s = &mut self.surroundings;
        let host = &mut self.machines[place as usize];
        host.questions += 1;
        say(s, place, format_args!("asks {} by HTTP", ask.path));
        let at = s.now + question_delay(s.network.round_trip());
        let sequence = host.questions;
        let question = Question { machine: place, sequence, ask, fetches, answer: None, begins: None };
        s.http.ask(at, &mut s.moments, question);
    }

    /// A question or an answer has arrived.
    fn http(&mut self, place: u32) {
        let question = self.surroundings.http.take(place);
        let Some((status, body)) = &question.answer else {
            return self.server.question(&mut self.surroundings, question);
        };
        let host = &self.machines[question.machine as usize];
        let is_wanted = host.is_on && host.questions == question.sequence;
        if let Some((stream, octets)) = question.begins.filter(|_| is_wanted) {
            self.machine(question.machine, machine::Input::Begins { stream, octets });
        } else if is_wanted {
            say(&mut self.surroundings, question.machine, format_args!("is answered {status} {body}"));
            self.machine(question.machine, machine::Input::Answer { status: *status, body });
        }
    }

    fn told(&mut self, place: u32, told: Told) {
        let s = &mut self.surroundings;
        let host = &mut self.machines[place as usize];
        let was_busy = host.is_busy();
        let tale = &mut host.tale;
        say_told(s, place, &told);
        match told {
            Told::Stage(stage) => tale.stage = stage,
            Told::Address(address) => {
                let other = s.whereabouts.set(place, Some(address));
                s.watch.addressed(s.now, place, address, other);
            }
            Told::FirstData => tale.first_data = tale.first_data.or(Some(s.now)),
            Told::File { octets, block_octets, .. } => {
                tale.wire_octets += load::file_wire_octets(octets, block_octets);
            }
            Told::Retry => tale.retries += 1,
            Told::Loaded => {
                tale.loaded = Some(s.now);
                // Its firmware is gone, and nobody answers for its address until its system has asked for one.
                s.whereabouts.set(place, None);
            }
            Told::Number(number) => {
                tale.number = Some(number);
            }
            Told::Up => tale.up = Some(s.now),
            Told::Lost(why) => {
                tale.lost = Some((s.now, why));
                s.whereabouts.set(place, None);
            }
        }
        self.busy -= usize::from(was_busy && !host.is_busy());
    }
}

impl Host {
    /// Whether it is on and has something left to do.
    pub(crate) fn is_busy(&self) -> bool {
        let setup = self.machine.setup();
        let has_agent = setup.agent_after.is_some() && is_told_of_its_agent(setup.kind);
        let done = if has_agent { self.tale.up } else { self.tale.loaded };
        self.is_on && done.is_none() && self.tale.lost.is_none()
    }

    /// What it is.
    pub(crate) fn setup(&self) -> &machine::Setup {
        self.machine.setup()
    }

    /// Sees to it that it is woken in time.
    fn arm(&mut self, s: &mut Surroundings, place: u32) {
        if let Some(at) = self.machine.next_wakeup().map(|at| at.max(s.now))
            && self.wakes.want(at)
        {
            s.moments.push(at, Happening::MachineWake(place));
        }
    }
}

/// Whether a machine of this kind boots by a file that was made for it: only such a file tells its agent where to report.
pub(crate) fn is_told_of_its_agent(kind: Kind) -> bool {
    match kind {
        Kind::Edk2 | Kind::Ipxe | Kind::Pxelinux | Kind::IntelBios | Kind::NoLastAck | Kind::OddNames => true,
        Kind::UefiHttp | Kind::IpxeHttp => true,
        Kind::Grub | Kind::Shim | Kind::RaspberryPi => false,
    }
}

/// A line about a machine.
fn say(s: &mut Surroundings, machine: u32, what: std::fmt::Arguments<'_>) {
    if s.watch.has_lines() {
        s.watch.line(s.now, &format!("machine {machine}"), what);
    }
}

fn say_told(s: &mut Surroundings, machine: u32, told: &Told) {
    match told {
        Told::Stage(stage) => say(s, machine, format_args!("goes on to {stage}")),
        Told::Address(address) => say(s, machine, format_args!("has {address}")),
        Told::FirstData => say(s, machine, format_args!("gets its first block")),
        Told::File { name, octets, block_octets } => {
            say(s, machine, format_args!("has {name} whole: {octets} octets in blocks of {block_octets}"));
        }
        Told::Retry => say(s, machine, format_args!("repeats itself")),
        Told::Loaded => say(s, machine, format_args!("has loaded everything")),
        Told::Number(number) => say(s, machine, format_args!("is number {number}")),
        Told::Up => say(s, machine, format_args!("is up")),
        Told::Lost(why) => say(s, machine, format_args!("is lost: {why}")),
    }
}
