//! The knobs of a run: all that a seed decides.

use crate::chance::Chance;
use crate::machine::{Kind, Setup};
use crate::network::{Cabling, Weather};
use crate::restore::{KINDS, kind_name, profile_files};
use crate::run::{Deed, Plan, mac};
use crate::server::{Computer, DiskMood, Files, Mood};
use heorot_core::cluster::record::{NodeRecord, Record};
use heorot_core::config::{Config, Interface, LinkSpeed, render};
use heorot_core::limit::CHUNK_OCTETS;
use heorot_core::load::Control;
use heorot_core::transfer::Resend;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

/// All that a seed decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Knobs {
    seed: u64,
    kinds: Vec<Kind>,
    /// How many of the machines have their numbers already.
    numbered: usize,
    has_trial: bool,
    /// Numbers and temporary addresses beyond what is needed.
    spare: u32,
    image_octets: u64,
    link_bits_per_second: u64,
    is_link_known: bool,
    queue_octets: u64,
    hop_delay: Duration,
    spanning_tree: Duration,
    weather: Weather,
    receive_octets: u64,
    cache_octets: u64,
    commit: Duration,
    disk_latency: Duration,
    window: Duration,
    agent_after: Duration,
    /// When the weather clears.
    pub(super) clear_at: Duration,
    /// What is done on the way, in order.
    deeds: Vec<(Duration, Deed)>,
    /// Foreign hosts on temporary addresses, at most.
    squatters: u32,
    does_store_refuse: bool,
}

const fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Knobs {
    /// The knobs of this seed.
    pub fn draw(seed: u64) -> Self {
        let mut chance = Chance::of(seed, KNOBS);
        let most = [3, 10, 40][usize::try_from(chance.below(3)).unwrap_or_default()];
        let weighted = KINDS.map(|(kind, _)| (kind, u32::try_from(chance.below(4)).unwrap_or_default()));
        let kinds: Vec<Kind> =
            (0..=chance.below(most)).map(|_| chance.pick(&weighted).unwrap_or(Kind::Ipxe)).collect();
        let storm = seconds(20) + chance.between(Duration::ZERO, seconds(100));
        let mut knobs = Self {
            seed,
            numbered: if chance.happens(HALF) {
                kinds.len()
            } else {
                usize::try_from(chance.below(kinds.len() as u64)).unwrap_or_default()
            },
            has_trial: chance.happens(HALF),
            spare: u32::try_from(chance.below(100)).unwrap_or_default(),
            image_octets: 1 + chance.below(200_000),
            link_bits_per_second: chance
                .pick(&[(1_000_000_000, 3), (100_000_000, 3), (10_000_000, 2)])
                .unwrap_or(1_000_000_000),
            is_link_known: chance.happens(HALF),
            queue_octets: 10_000 + chance.below(250_000),
            hop_delay: chance.between(milliseconds(0), milliseconds(1)),
            // Thirty seconds are more than most ROMs' patience: those never boot at such a port.
            spanning_tree: if chance.happens(TENTH) { seconds(5) } else { Duration::ZERO },
            weather: draw_weather(&mut chance),
            receive_octets: 20_000 + chance.below(16 << 20),
            // A block can lie across two chunks, and several transfers are at several places.
            cache_octets: 4 * CHUNK_OCTETS + chance.below(4_000_000),
            commit: chance.between(milliseconds(1), milliseconds(30)),
            disk_latency: chance.between(Duration::from_micros(50), milliseconds(20)),
            window: chance.between(Duration::ZERO, milliseconds(500)),
            agent_after: chance.between(milliseconds(500), seconds(8)),
            clear_at: storm,
            deeds: Vec::new(),
            squatters: 0,
            does_store_refuse: false,
            kinds,
        };
        knobs.draw_deeds(&mut chance);
        knobs.draw_squatters(&mut chance);
        knobs
    }

    /// Foreign hosts on temporary addresses, in half of the runs. There are as many more of these.
    fn draw_squatters(&mut self, chance: &mut Chance) {
        if chance.happens(HALF) {
            return;
        }
        let count = 1 + chance.below(1 + self.kinds.len() as u64);
        self.squatters = u32::try_from(count).expect("there are forty machines");
        let (first, last) = (FIRST_TEMPORARY, self.last_temporary());
        for _ in 0..count {
            let place = chance.below(u64::from(u32::from(last) - u32::from(first)) + 1);
            let place = u32::try_from(place).expect("it is within the range");
            self.deeds.insert(0, (Duration::ZERO, Deed::Squat(Ipv4Addr::from(u32::from(first) + place))));
        }
    }

    /// What is done on the way.
    fn draw_deeds(&mut self, chance: &mut Chance) {
        let mut deeds = vec![(Duration::ZERO, Deed::Start), (Duration::ZERO, Deed::Weather(self.weather))];
        for place in self.places() {
            deeds.push((chance.between(Duration::ZERO, self.window), Deed::PowerOn(place)));
        }
        let last = self.clear_at;
        let mut some = |times: u64, deed: &mut dyn FnMut(&mut Chance, Duration)| {
            for _ in 0..chance.below(times + 1) {
                let at = chance.between(seconds(1), last);
                deed(chance, at);
            }
        };
        let places = self.places();
        some(3, &mut |chance, at| {
            let pause = chance.between(milliseconds(10), seconds(10));
            deeds.push((at, if chance.happens(HALF) { Deed::Kill } else { Deed::CutPower }));
            deeds.push((at + pause, Deed::Start));
        });
        some(3, &mut |chance, at| {
            deeds.push((at, Deed::Stall(chance.between(milliseconds(1), milliseconds(3000)))))
        });
        some(4, &mut |chance, at| {
            let place = u32::try_from(chance.below(u64::from(places.end))).unwrap_or_default();
            deeds.push((at, Deed::PowerOn(place)));
        });
        some(2, &mut |chance, at| {
            let slow = Mood { commit: chance.between(milliseconds(100), seconds(5)), refuses: None };
            deeds.push((at, Deed::Store(slow)));
        });
        let usual = self.store();
        let disk = self.disk();
        let mut refuses = false;
        some(1, &mut |chance, at| {
            if chance.happens(HALF) {
                refuses = true;
                deeds.push((
                    at,
                    Deed::Store(Mood { refuses: Some("no space left on device".into()), ..usual.clone() }),
                ));
                deeds.push((at + chance.between(milliseconds(100), seconds(10)), Deed::Store(usual.clone())));
            }
        });
        some(2, &mut |chance, at| {
            let slow = DiskMood { latency: chance.between(milliseconds(10), milliseconds(2000)), ..disk };
            deeds.push((at, Deed::Disk(slow)));
            deeds.push((at + chance.between(milliseconds(100), seconds(20)), Deed::Disk(disk)));
        });
        // Power fails altogether, and comes back.
        some(1, &mut |chance, at| {
            deeds.push((at, Deed::CutPower));
            deeds.extend(places.clone().map(|place| (at, Deed::PowerOff(place))));
            let back = at + chance.between(milliseconds(200), seconds(5));
            deeds.push((back + chance.between(Duration::ZERO, seconds(5)), Deed::Start));
            deeds.extend(places.clone().map(|place| {
                (back + chance.between(Duration::ZERO, milliseconds(100)), Deed::PowerOn(place))
            }));
        });
        deeds.retain(|(at, _)| *at <= last);
        deeds.extend([
            (last, Deed::Store(usual)),
            (last, Deed::Disk(disk)),
            (last, Deed::Weather(Weather::default())),
            (last, Deed::Start),
        ]);
        deeds.sort_by_key(|(at, _)| *at);
        self.deeds = deeds;
        self.does_store_refuse = refuses;
    }

    /// The run that they make.
    pub(super) fn plan(&self, with_lines: bool) -> Plan {
        let config = self.config();
        let mut chance = Chance::of(self.seed, SETUPS);
        let machines: Vec<_> = self
            .kinds
            .iter()
            .zip(0..)
            .map(|(kind, place)| Setup {
                kind: *kind,
                mac: mac(place),
                rom_delay: chance.between(milliseconds(100), seconds(3)),
                seed: chance.next_u64(),
                files: profile_files(&config),
                agent_after: Some(self.agent_after),
                root_octets: 0,
            })
            .collect();
        let known = machines.iter().zip(0..).take(self.numbered).map(|(setup, number)| {
            let facts = serde_json::Map::new();
            Record::Node(NodeRecord {
                mac: setup.mac,
                further_macs: Vec::new(),
                granted_to: None,
                number: Some(number),
                facts,
            })
        });
        Plan {
            records: known.collect(),
            machines,
            files: self.files(),
            control: Control::All,
            resend: Resend::Measured,
            computer: Computer {
                receive_octets: self.receive_octets,
                datagram_cost: Duration::from_micros(5),
                store: self.store(),
                disk: self.disk(),
                cache_octets: self.cache_octets,
                root_shares: true,
            },
            cabling: Cabling {
                link_bits_per_second: self.link_bits_per_second,
                server_bits_per_second: 10_000_000_000,
                port_bits_per_second: 1_000_000_000,
                queue_octets: self.queue_octets,
                send_buffer_octets: 1 << 20,
                hop_delay: self.hop_delay,
                spanning_tree: self.spanning_tree,
            },
            broadcasts_reach_all: true,
            deeds: self.deeds.clone(),
            seed: self.seed,
            with_lines,
            config,
        }
    }

    /// What the server told its operator to mend although nothing was wrong.
    pub(super) fn unexpected(&self, troubles: &[String]) -> Vec<String> {
        // GRUB waits 187 s for a block that a server without its notes does not know of, longer than its address is held.
        let waits_long = self.kinds.iter().any(|kind| matches!(kind, Kind::Grub | Kind::Shim));
        let has_cause = |trouble: &&String| {
            if (waits_long || self.squatters > 0) && trouble.contains("is used by") {
                return true;
            }
            // Machines lose their power in mid-boot, and what they said last comes when they boot anew; files are written over; and a PXELINUX whose question was lost looks elsewhere for what it needs.
            let of_boots =
                ["did not get through", "speaks with a token", "ldlinux.c32: there is no such file"];
            if of_boots.iter().any(|words| trouble.contains(words)) {
                return true;
            }
            let of_the_store =
                ["recorded", "nothing new can be promised", "the store keeps what is promised again"];
            self.does_store_refuse && of_the_store.iter().any(|words| trouble.contains(words))
        };
        troubles
            .iter()
            .filter(|trouble| !has_cause(trouble))
            .map(|trouble| format!("trouble without cause: {trouble}"))
            .collect()
    }

    fn places(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.kinds.len()).expect("there are forty")
    }

    fn store(&self) -> Mood {
        Mood { commit: self.commit, refuses: None }
    }

    fn disk(&self) -> DiskMood {
        DiskMood { latency: self.disk_latency, octets_per_second: 200_000_000 }
    }

    /// Loaders are small, so that a run is short; they take several blocks all the same.
    fn files(&self) -> Files {
        let mut files = Files::default();
        for (path, octets) in [
            ("pxelinux.0", 42_430),
            ("ldlinux.c32", 19_524),
            ("ipxe.efi", 70_000),
            ("grubx64.efi", 60_000),
            ("bootcode.bin", 5_120),
            ("vmlinuz", self.image_octets / 4),
            ("initrd.img", self.image_octets - self.image_octets / 4),
        ] {
            files.insert(path, octets);
        }
        files.insert_for(Kind::Grub, "ipxe.efi", 60_000);
        files.insert_for(Kind::Shim, "ipxe.efi", 30_000);
        files
    }

    fn last_temporary(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(FIRST_TEMPORARY) + self.places().end + self.spare + self.squatters)
    }

    fn config(&self) -> Config {
        let machines = self.places().end;
        let last = machines + self.spare;
        let pool = self.last_temporary();
        let policy = if self.has_trial { "report" } else { "none" };
        let text = format!(
            "[boot]\nbios = \"pxelinux.0\"\nuefi-x64 = \"ipxe.efi\"\n\
             [profile.default]\nkernel = \"vmlinuz\"\ninitrd = [\"initrd.img\"]\n[trial]\npolicy = \"{policy}\"\n\
             [[network]]\ninterface = \"eth1\"\naddress = \"10.77.0.1/16\"\nnumbers = \"0-{last}\"\n\
             first = \"10.77.1.0\"\ntemporary = \"10.77.200.1-{pool}\"\n"
        );
        let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
        let (config, _) = Config::parse(&text, &[interface])
            .unwrap_or_else(|mistakes| panic!("{}", render("seed", &text, &mistakes)));
        let link = if self.is_link_known {
            LinkSpeed::BitsPerSecond(self.link_bits_per_second)
        } else {
            LinkSpeed::Auto
        };
        Config { link, ..config }
    }
}

fn draw_weather(chance: &mut Chance) -> Weather {
    let mut up_to = |ppm: u64| {
        if chance.happens(HALF) { u32::try_from(chance.below(ppm)).unwrap_or_default() } else { 0 }
    };
    Weather {
        loss_ppm: up_to(50_000),
        duplicate_ppm: up_to(30_000),
        reorder_ppm: up_to(50_000),
        reorder_delay: chance.between(milliseconds(1), milliseconds(20)),
    }
}

impl fmt::Display for Knobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut knob = |name: &str, value: &dyn fmt::Debug| writeln!(f, "{name:<22} {value:?}");
        knob("seed", &self.seed)?;
        knob("machines", &self.kinds.iter().map(|kind| kind_name(*kind)).collect::<Vec<_>>())?;
        knob("numbered", &self.numbered)?;
        knob("trial", &self.has_trial)?;
        knob("spare addresses", &self.spare)?;
        knob("squatters", &self.squatters)?;
        knob("image octets", &self.image_octets)?;
        knob("link bits per second", &self.link_bits_per_second)?;
        knob("link known", &self.is_link_known)?;
        knob("queue octets", &self.queue_octets)?;
        knob("hop delay", &self.hop_delay)?;
        knob("spanning tree", &self.spanning_tree)?;
        knob("loss ppm", &self.weather.loss_ppm)?;
        knob("duplicate ppm", &self.weather.duplicate_ppm)?;
        knob("reorder ppm", &self.weather.reorder_ppm)?;
        knob("reorder delay", &self.weather.reorder_delay)?;
        knob("receive octets", &self.receive_octets)?;
        knob("cache octets", &self.cache_octets)?;
        knob("commit", &self.commit)?;
        knob("disk latency", &self.disk_latency)?;
        knob("window", &self.window)?;
        knob("agent after", &self.agent_after)?;
        knob("clear at", &self.clear_at)?;
        for (at, deed) in
            self.deeds.iter().filter(|(_, deed)| !matches!(deed, Deed::PowerOn(_) | Deed::PowerOff(_)))
        {
            writeln!(f, "{:<22} {:>6}.{:06} {deed:?}", "deed", at.as_secs(), at.subsec_micros())?;
        }
        Ok(())
    }
}

const FIRST_TEMPORARY: Ipv4Addr = Ipv4Addr::new(10, 77, 200, 1);

const HALF: u32 = 500_000;
const TENTH: u32 = 100_000;

/// The streams of chance that make the knobs, and the machines.
const KNOBS: u64 = 4;
const SETUPS: u64 = 5;
