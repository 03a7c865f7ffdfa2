//! What a power restore is made of, as text: every assumption has its line.

use crate::machine::Kind;
use crate::network::{Cabling, Weather};
use crate::server::{Computer, DiskMood, Mood};
use heorot_core::load::Control;
use heorot_core::transfer::Resend;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A power restore: what there is, and how it behaves. Text in TOML; what is left out is as in [`Scenario::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// Machines.
    pub nodes: u32,
    /// From which all chance comes.
    pub seed: u64,
    /// All machines have power within this.
    pub window_milliseconds: u64,
    /// The power fails for a moment once more, so long after it came back. None: it stays.
    pub fails_again_after_seconds: Option<f64>,
    /// The image: kernel and initial RAM disk together.
    pub image_octets: u64,
    /// How much of it is the kernel. None: a quarter, and at most 10 MB.
    pub kernel_octets: Option<u64>,
    /// How large every loader is. None: as the real ones.
    pub loader_octets: Option<u64>,
    /// Whether the machines have their numbers already. Else the server sees them for the first time.
    pub numbered: bool,
    /// What each machine reads of its root by NFS when its image is loaded.
    pub root_octets: u64,
    /// Whether that waits for its share, as everything else. Else it goes beside, as from another server behind the same link.
    pub root_shares: bool,
    /// Seconds from the loaded image to the agent's first word. None: the run is about loading only.
    pub agent_after_seconds: Option<f64>,
    /// When to stop, if machines are still neither loaded nor lost. None: ten times what the link needs for all, and ten minutes.
    pub time_limit_seconds: Option<u64>,
    /// The server's configuration, as text. None: one network that is large enough.
    pub config: Option<String>,
    /// Of the narrowest link between the server and the switch of the machines.
    pub link_bits_per_second: u64,
    /// Whether the server is told that rate, unless its configuration says another. Else it has to find out.
    pub link_known: bool,
    /// How much of the server's load control is at work.
    pub control: ControlWord,
    /// When the server's transfers answer silence with a repeat. None: after a measured round trip.
    pub resend_milliseconds: Option<u64>,
    /// Whether the next repeat comes twice as late.
    pub resend_doubles: bool,
    /// Of the server's interface. None: ten times the link, at least 10 Gbit/s, so that a burst meets the link's queue and not the server's own.
    pub server_bits_per_second: Option<u64>,
    /// Of each machine's port.
    pub port_bits_per_second: u64,
    /// Before the link and before each port, both ways.
    pub queue_octets: u64,
    /// In the server before its interface.
    pub send_buffer_octets: u64,
    /// For each of the three cables of the way.
    pub hop_delay_microseconds: u64,
    /// Part of the frames that is lost on the wire, each way: 0.01 is one in a hundred.
    pub loss: f64,
    /// Part of the frames that comes twice.
    pub duplicates: f64,
    /// Part of the frames that comes late.
    pub reordering: f64,
    /// How late at most.
    pub reorder_delay_microseconds: u64,
    /// How long a port passes nothing after its machine was switched on.
    pub spanning_tree_seconds: u64,
    /// Whether broadcasts of the server are carried to every machine. It changes nothing but the time that the simulation takes.
    pub broadcasts_reach_all: bool,
    /// In the server's sockets, as the kernel counts.
    pub receive_octets: u64,
    /// What a datagram costs the server's processor.
    pub datagram_microseconds: u64,
    /// What a commit takes.
    pub commit_milliseconds: u64,
    /// Before the server's disk gives anything.
    pub disk_latency_microseconds: u64,
    /// How fast the disk reads then.
    pub disk_octets_per_second: u64,
    /// What the server keeps of files in memory.
    pub cache_octets: u64,
    /// How many of each kind of machine there are, in proportion.
    pub mix: BTreeMap<String, u32>,
    /// From power-on to the first packet of each kind of machine, from and to.
    pub rom_delay_seconds: BTreeMap<String, [f64; 2]>,
}

/// How much of the load control is at work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlWord {
    /// Each ACK is answered at once, windows are as asked for.
    Nothing,
    /// The total is limited.
    Total,
    /// Windows as well.
    TotalAndWindows,
    /// Everything.
    #[default]
    All,
}

/// The names of the kinds of machines.
pub const KINDS: [(Kind, &str); 9] = [
    (Kind::Edk2, "edk2"),
    (Kind::Ipxe, "ipxe"),
    (Kind::Pxelinux, "pxelinux"),
    (Kind::Grub, "grub"),
    (Kind::Shim, "shim"),
    (Kind::IntelBios, "intel-bios"),
    (Kind::RaspberryPi, "raspberry-pi"),
    (Kind::NoLastAck, "no-last-ack"),
    (Kind::OddNames, "odd-names"),
];

/// Those that load all by HTTP. They are in a mix only if it names them: who has them has not the mix that was measured.
pub const HTTP_KINDS: [(Kind, &str); 2] = [(Kind::UefiHttp, "uefi-http"), (Kind::IpxeHttp, "ipxe-http")];

/// Every kind, with its name.
pub(crate) fn all_kinds() -> impl Iterator<Item = (Kind, &'static str)> {
    KINDS.into_iter().chain(HTTP_KINDS)
}

/// The name of a kind of machine.
pub fn kind_name(kind: Kind) -> &'static str {
    all_kinds().find(|(of, _)| *of == kind).map_or("unknown", |(_, name)| name)
}

/// The kind of machine of this name.
pub fn kind_named(name: &str) -> Option<Kind> {
    all_kinds().find(|(_, of)| *of == name).map(|(kind, _)| kind)
}

impl Default for Scenario {
    fn default() -> Self {
        let mix = [30, 20, 15, 10, 5, 10, 5, 3, 2];
        let rom = |kind| match kind {
            Kind::Edk2 | Kind::Grub | Kind::Shim | Kind::UefiHttp => [4.0, 6.0],
            Kind::Ipxe | Kind::IpxeHttp => [2.0, 3.0],
            Kind::Pxelinux | Kind::IntelBios | Kind::NoLastAck | Kind::OddNames => [2.0, 4.0],
            Kind::RaspberryPi => [1.0, 2.0],
        };
        Self {
            nodes: 100,
            seed: 1,
            window_milliseconds: 100,
            fails_again_after_seconds: None,
            image_octets: 4_000_000,
            kernel_octets: None,
            loader_octets: None,
            numbered: true,
            root_octets: 0,
            root_shares: true,
            agent_after_seconds: None,
            time_limit_seconds: None,
            config: None,
            link_bits_per_second: 1_000_000_000,
            link_known: true,
            control: ControlWord::All,
            resend_milliseconds: None,
            resend_doubles: false,
            server_bits_per_second: None,
            port_bits_per_second: 1_000_000_000,
            queue_octets: 256_000,
            send_buffer_octets: 4 << 20,
            hop_delay_microseconds: 30,
            loss: 0.0,
            duplicates: 0.0,
            reordering: 0.0,
            reorder_delay_microseconds: 1000,
            spanning_tree_seconds: 0,
            broadcasts_reach_all: false,
            receive_octets: 16 << 20,
            datagram_microseconds: 5,
            commit_milliseconds: 5,
            disk_latency_microseconds: 100,
            disk_octets_per_second: 500_000_000,
            cache_octets: 1 << 30,
            mix: KINDS.iter().zip(mix).map(|((_, name), weight)| ((*name).into(), weight)).collect(),
            rom_delay_seconds: all_kinds().map(|(kind, name)| (name.into(), rom(kind))).collect(),
        }
    }
}

impl Scenario {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let scenario: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Every line of it, so that it can be read again.
    pub fn print(&self) -> String {
        toml::to_string(self).expect("numbers and names have their form in TOML")
    }

    /// Whether it can be.
    ///
    /// # Errors
    /// What cannot, for people.
    pub fn check(&self) -> Result<(), String> {
        let names = self.mix.keys().chain(self.rom_delay_seconds.keys());
        if let Some(name) = names.into_iter().find(|name| kind_named(name).is_none()) {
            let known: Vec<_> = all_kinds().map(|(_, name)| name).collect();
            return Err(format!("{name} is no kind of machine: there are {}", known.join(", ")));
        }
        let parts = [("loss", self.loss), ("duplicates", self.duplicates), ("reordering", self.reordering)];
        if let Some((name, part)) = parts.iter().find(|(_, part)| !(0.0..=1.0).contains(part)) {
            return Err(format!("{name} = {part}: a part of the frames is from 0 to 1"));
        }
        let delays = self.rom_delay_seconds.values();
        if let Some([from, to]) =
            delays.into_iter().find(|[from, to]| !(0.0 <= *from && from <= to && *to < 1e6))
        {
            return Err(format!("rom-delay-seconds: from {from} to {to} is no span"));
        }
        let rates =
            [Some(self.link_bits_per_second), self.server_bits_per_second, Some(self.port_bits_per_second)];
        if let Some(rate) =
            rates.into_iter().flatten().find(|rate| !(1000..=1_000_000_000_000).contains(rate))
        {
            return Err(format!("{rate} bits per second is no link's rate"));
        }
        if self.nodes == 0 || self.mix.values().all(|weight| *weight == 0) {
            return Err("there are no machines".into());
        }
        if self.queue_octets < FRAME_OCTETS || self.send_buffer_octets < FRAME_OCTETS {
            return Err(format!("queues hold a whole frame at least, {FRAME_OCTETS} octets"));
        }
        Ok(())
    }

    /// The kernel, and the rest of the image.
    pub(crate) fn split_image(&self) -> (u64, u64) {
        const KERNEL_OCTETS_MAX: u64 = 10_000_000;
        let kernel = self.kernel_octets.unwrap_or_else(|| (self.image_octets / 4).min(KERNEL_OCTETS_MAX));
        (kernel.min(self.image_octets), self.image_octets.saturating_sub(kernel))
    }

    pub(crate) fn control(&self) -> Control {
        match self.control {
            ControlWord::Nothing => Control::Nothing,
            ControlWord::Total => Control::Total,
            ControlWord::TotalAndWindows => Control::TotalAndWindows,
            ControlWord::All => Control::All,
        }
    }

    pub(crate) fn resend(&self) -> Resend {
        match self.resend_milliseconds.map(Duration::from_millis) {
            None => Resend::Measured,
            Some(after) if self.resend_doubles => Resend::Doubling(after),
            Some(after) => Resend::Fixed(after),
        }
    }

    pub(crate) fn cabling(&self) -> Cabling {
        const SERVER_BITS_PER_SECOND_MIN: u64 = 10_000_000_000;
        const TERABIT: u64 = 1_000_000_000_000;
        let fast = self.link_bits_per_second.saturating_mul(10).clamp(SERVER_BITS_PER_SECOND_MIN, TERABIT);
        Cabling {
            link_bits_per_second: self.link_bits_per_second,
            server_bits_per_second: self.server_bits_per_second.unwrap_or(fast),
            port_bits_per_second: self.port_bits_per_second,
            queue_octets: self.queue_octets,
            send_buffer_octets: self.send_buffer_octets,
            hop_delay: Duration::from_micros(self.hop_delay_microseconds),
            spanning_tree: Duration::from_secs(self.spanning_tree_seconds),
        }
    }

    pub(crate) fn weather(&self) -> Weather {
        Weather {
            loss_ppm: millionths(self.loss),
            duplicate_ppm: millionths(self.duplicates),
            reorder_ppm: millionths(self.reordering),
            reorder_delay: Duration::from_micros(self.reorder_delay_microseconds),
        }
    }

    pub(crate) fn computer(&self) -> Computer {
        Computer {
            receive_octets: self.receive_octets,
            datagram_cost: Duration::from_micros(self.datagram_microseconds),
            store: Mood { commit: Duration::from_millis(self.commit_milliseconds), refuses: None },
            disk: DiskMood {
                latency: Duration::from_micros(self.disk_latency_microseconds),
                octets_per_second: self.disk_octets_per_second,
            },
            cache_octets: self.cache_octets,
            root_shares: self.root_shares,
        }
    }
}

/// The longest frame, with all that surrounds it.
const FRAME_OCTETS: u64 = 1538;

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it was checked to be from 0 to 1"
)]
fn millionths(part: f64) -> u32 {
    (part * 1e6).round() as u32
}

#[cfg(test)]
mod tests;
