//! The server in a simulated world: its clock is set by the story, and its store does what the story wants.

use heorot_core::Heorot;
use heorot_core::cluster::record::Record;
use heorot_core::config::{Config, Interface, render};
use heorot_core::message::{Input, Output, Ticket};
use heorot_core::time::{Time, Wall};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// A server, its store and its clock.
#[derive(Debug)]
pub struct World {
    heorot: Heorot,
    config: Config,
    now: Time,
    store: Store,
}

/// What is kept, and what is on its way there.
#[derive(Debug, Default)]
struct Store {
    kept: BTreeMap<String, String>,
    on_the_way: Vec<(Ticket, Record)>,
    mood: Mood,
}

/// How the store behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// It keeps everything at once.
    #[default]
    Prompt,
    /// It takes its time, until it is told otherwise.
    Slow,
    /// It keeps nothing, and says why.
    Refusing(String),
}

/// The moment at which every story begins, and what the calendar says then.
const START: Time = Time::from_nanoseconds(1_000_000_000_000_000);
const CALENDAR_SECONDS: u64 = 1_795_344_312;

/// The server's secret: the same in every run, so that every run is the same.
const SECRET: [u8; 16] = *b"no secret at all";

impl World {
    /// A server that starts for the first time. Its host has 10.77.0.1/16 and 10.79.0.1/16 on `eth1`, and 10.78.0.1/16 on `eth2`.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: &str) -> Result<(Self, Vec<Output>), String> {
        let config = parse(config)?;
        let mut out = Vec::new();
        let heorot = Heorot::restore(START, config.clone(), SECRET, Vec::new(), &mut out);
        let mut world = Self { heorot, config, now: START, store: Store::default() };
        let out = world.settle_with_calendar(out);
        Ok((world, out))
    }

    /// How long the story has been going on.
    pub fn elapsed(&self) -> Duration {
        self.now.since(START)
    }

    /// What the calendar says.
    pub fn wall(&self) -> Wall {
        let elapsed = u64::try_from(self.elapsed().as_nanos()).expect("no story lasts for centuries");
        Wall(CALENDAR_SECONDS * 1_000_000_000 + elapsed)
    }

    /// Something happens now. Everything that follows from it at once, but records.
    pub fn happen(&mut self, input: Input<'_>) -> Vec<Output> {
        let mut out = Vec::new();
        self.heorot.handle(self.now, input, &mut out);
        self.settle(out)
    }

    /// Time passes. What the server does meanwhile, each with its moment.
    pub fn wait(&mut self, duration: Duration) -> Vec<(Duration, Output)> {
        let end = self.now + duration;
        let mut all = Vec::new();
        while let Some(out) = self.wait_for_next(end.since(self.now)) {
            all.extend(out.into_iter().map(|output| (self.elapsed(), output)));
        }
        all
    }

    /// Time passes until the server has something to do, and no longer than this. What it does then; none: all of that time has passed.
    pub fn wait_for_next(&mut self, longest: Duration) -> Option<Vec<Output>> {
        let end = self.now + longest;
        let Some(at) = self.heorot.next_wakeup().filter(|at| *at <= end) else {
            self.now = end;
            return None;
        };
        self.now = at.max(self.now);
        Some(self.happen(Input::Wakeup))
    }

    /// The store changes its behaviour. What it had on its way is kept or refused, unless it is slow from now on.
    pub fn set_mood(&mut self, mood: Mood) -> Vec<Output> {
        self.store.mood = mood;
        self.settle(Vec::new())
    }

    /// Power is cut and comes back: what was on its way to the store is lost, and so is all that was in memory.
    pub fn crash(&mut self) -> Vec<Output> {
        self.store = Store { kept: std::mem::take(&mut self.store.kept), ..Store::default() };
        let kept = self.store.kept.iter();
        let records =
            kept.map(|(key, value)| Record::parse(key, value).expect("the store gives back what it got"));
        let mut out = Vec::new();
        self.heorot = Heorot::restore(self.now, self.config.clone(), SECRET, records.collect(), &mut out);
        self.settle_with_calendar(out)
    }

    /// The same, and the operator has changed the configuration meanwhile.
    ///
    /// # Errors
    /// What is wrong with it. The old one stays, and nothing happens.
    pub fn crash_into(&mut self, config: &str) -> Result<Vec<Output>, String> {
        self.config = parse(config)?;
        Ok(self.crash())
    }

    /// The operator changes the configuration.
    ///
    /// # Errors
    /// What is wrong with it. The old one stays.
    pub fn configure(&mut self, config: &str) -> Result<Vec<Output>, String> {
        self.config = parse(config)?;
        Ok(self.happen(Input::Configure(Box::new(self.config.clone()))))
    }

    /// Everything that is kept, as key and value.
    pub fn kept(&self) -> &BTreeMap<String, String> {
        &self.store.kept
    }

    /// After a start, the server is told what the calendar says.
    fn settle_with_calendar(&mut self, mut out: Vec<Output>) -> Vec<Output> {
        let wall = self.wall();
        self.heorot.handle(self.now, Input::Calendar(wall), &mut out);
        self.settle(out)
    }

    /// Gives records to the store and hears what became of them, until nothing more follows. The rest is the caller's.
    fn settle(&mut self, mut out: Vec<Output>) -> Vec<Output> {
        let mut rest = Vec::new();
        loop {
            for output in out.drain(..) {
                if let Output::Record(ticket, record) = output {
                    self.store.on_the_way.push((ticket, record));
                } else {
                    rest.push(output);
                }
            }
            let Some(input) = self.store.decide() else { return rest };
            self.heorot.handle(self.now, input, &mut out);
        }
    }
}

impl Store {
    /// What the server is told about the records that are on their way, if anything.
    fn decide(&mut self) -> Option<Input<'static>> {
        let through = self.on_the_way.last()?.0;
        match &self.mood {
            Mood::Slow => None,
            Mood::Refusing(why) => {
                self.on_the_way.clear();
                Some(Input::Refused { through, why: why.clone() })
            }
            Mood::Prompt => {
                for (_, record) in self.on_the_way.drain(..) {
                    match record.value() {
                        Some(value) => drop(self.kept.insert(record.key(), value)),
                        None => drop(self.kept.remove(&record.key())),
                    }
                }
                Some(Input::Committed(through))
            }
        }
    }
}

/// Offers are not preceded by probes unless the story asks for them with `probe = true`: each would take a wait of 300 ms.
fn parse(config: &str) -> Result<Config, String> {
    let interface = |name: &str, networks: &[u8]| Interface {
        name: name.into(),
        addresses: networks.iter().map(|second| (Ipv4Addr::new(10, *second, 0, 1), 16)).collect(),
    };
    let probes = config.contains("probe = true");
    let with_probes = |(mut config, _): (Config, _)| {
        for network in &mut config.networks {
            network.probe &= probes;
        }
        config
    };
    Config::parse(config, &[interface("eth1", &[77, 79]), interface("eth2", &[78])])
        .map(with_probes)
        .map_err(|mistakes| render("scenario", config, &mistakes))
}
