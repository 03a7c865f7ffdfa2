//! What is known of each firmware and loader, in tables: what it asks for, its timers, its patience.
//!
//! "Measured" is a real client under a silent server, recorded; "source" its published source. What is neither is called an assumption.

use super::Kind;
use std::time::Duration;

/// A program that loads something: a ROM, firmware, or a loader that one of them has loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// The PXE client of UEFI firmware.
    Edk2,
    /// The HTTP boot client of UEFI firmware.
    Edk2Http,
    /// A BIOS ROM by the PXE specification.
    SpecificationRom,
    /// A BIOS ROM that soon gives up.
    HastyRom,
    /// iPXE in a BIOS ROM.
    IpxeRom,
    /// iPXE as an EFI program.
    IpxeEfi,
    /// The mask ROM of a Raspberry Pi.
    PiRom,
    /// What a Raspberry Pi's ROM loads.
    PiBootcode,
    /// PXELINUX.
    Pxelinux,
    /// shim, through the firmware's PXE client.
    Shim,
    /// GRUB as an EFI program.
    Grub,
}

impl Kind {
    /// What runs first.
    pub(super) fn firmware(self) -> Program {
        match self {
            Self::Edk2 | Self::Grub | Self::Shim => Program::Edk2,
            Self::Ipxe | Self::IpxeHttp => Program::IpxeRom,
            Self::UefiHttp => Program::Edk2Http,
            Self::Pxelinux | Self::OddNames => Program::SpecificationRom,
            Self::IntelBios | Self::NoLastAck => Program::HastyRom,
            Self::RaspberryPi => Program::PiRom,
        }
    }

    /// What the boot file turns out to be. None: it is the system itself.
    pub(super) fn loader(self, program: Program, boot_file: &str) -> Option<Program> {
        match (self, program) {
            (Self::Edk2, Program::Edk2) | (Self::UefiHttp, Program::Edk2Http) => Some(Program::IpxeEfi),
            (Self::Grub, Program::Edk2) | (Self::Shim, Program::Shim) => Some(Program::Grub),
            (Self::Shim, Program::Edk2) => Some(Program::Shim),
            (_, Program::SpecificationRom | Program::HastyRom) if boot_file.ends_with("pxe") => {
                Some(Program::IpxeRom)
            }
            (_, Program::SpecificationRom | Program::HastyRom) => Some(Program::Pxelinux),
            (_, Program::IpxeRom) if boot_file.ends_with(".0") => Some(Program::Pxelinux),
            (_, Program::PiRom) => Some(Program::PiBootcode),
            (_, _) => None,
        }
    }
}

impl Kind {
    /// The longest first wait of its programs, before one repeats what was not answered: longer than this it sleeps only if nothing answers again.
    pub fn retry(self) -> Duration {
        let firmware = self.firmware();
        let loaders = std::iter::successors(Some(firmware), |program| self.loader(*program, ""));
        let first = |program: Program| {
            let first = |waits: &[Duration]| waits.first().copied();
            let asker = program.asker().into_iter();
            let asker = asker.flat_map(|asker| [first(asker.discover), first(asker.request)]).flatten();
            let manner = program.manner();
            let ladders =
                [manner.asking, manner.agreed, manner.receiving].into_iter().map(|waits| match waits {
                    // Who waits once does not repeat itself at all.
                    Waits::Ladder([] | [_]) => Duration::ZERO,
                    Waits::Ladder([first, ..]) => *first,
                    Waits::Adaptive { floor, .. } => floor,
                });
            asker.chain(ladders).max().unwrap_or_default()
        };
        loaders.map(first).max().unwrap_or_default()
    }
}

impl Program {
    /// How it asks for an address. None: it goes on with the one that its firmware has.
    pub(super) fn asker(self) -> Option<&'static Asker> {
        match self {
            Self::Edk2 => Some(&EDK2_ASKER),
            Self::Edk2Http => Some(&EDK2_HTTP_ASKER),
            Self::SpecificationRom | Self::HastyRom => Some(&SPECIFICATION_ASKER),
            Self::IpxeRom => Some(&IPXE_ROM_ASKER),
            Self::IpxeEfi => Some(&IPXE_EFI_ASKER),
            Self::PiRom => Some(&PI_ASKER),
            Self::PiBootcode | Self::Pxelinux | Self::Shim | Self::Grub => None,
        }
    }

    /// How it loads a file.
    pub(super) fn manner(self) -> &'static Manner {
        match self {
            // Of HTTP's client only the pause between two files counts.
            Self::Edk2 | Self::Edk2Http => &EDK2,
            Self::SpecificationRom => &SPECIFICATION,
            Self::HastyRom => &HASTY,
            Self::IpxeRom | Self::IpxeEfi => &IPXE,
            Self::PiRom => &PI_ROM,
            Self::PiBootcode => &PI_BOOTCODE,
            Self::Pxelinux => &PXELINUX,
            Self::Shim => &SHIM,
            Self::Grub => &GRUB,
        }
    }

    /// From its last octet to its first packet.
    pub(super) fn start(self) -> Duration {
        match self {
            // Firmware starts with the machine: `Setup::rom_delay`.
            Self::Edk2 | Self::Edk2Http | Self::SpecificationRom | Self::HastyRom | Self::PiRom => {
                Duration::ZERO
            }
            Self::IpxeRom => Duration::ZERO,
            // Measured: from PXELINUX's last block to its first request 0.06-0.12 s.
            Self::Pxelinux => milliseconds(100),
            // Assumptions: it takes the card over from the firmware.
            Self::IpxeEfi | Self::Grub => milliseconds(500),
            Self::Shim | Self::PiBootcode => milliseconds(100),
        }
    }
}

/// How long a program waits after each of its sends, before the next or the end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waits {
    /// The wait after the first send, after the second, ...; after the last it gives up.
    Ladder(&'static [Duration]),
    /// Doubled with every send; after a wait that cannot be doubled within `cap` it gives up, `last` later. `floor` is the least; it grows to four times the measured
    /// round trip.
    Adaptive {
        /// The first wait, while round trips are short.
        floor: Duration,
        /// No wait is longer.
        cap: Duration,
        /// How much longer the last wait is.
        last: Duration,
    },
}

/// How a program asks for an address.
#[derive(Debug)]
pub(super) struct Asker {
    /// Option 60.
    pub(super) vendor_class: &'static str,
    /// Where its transaction numbers come from.
    pub(super) xid: Xid,
    /// Options 93 and 94: what it is, and its network interface. Both or none.
    pub(super) architecture: Option<(u16, [u8; 3])>,
    /// Option 77.
    pub(super) user_class: Option<&'static str>,
    /// The options after the message type, in order. Those that a packet has no value for are left out of it: 50 and 54 of a DISCOVER.
    pub(super) order: &'static [u8],
    /// Option 175, as sent.
    pub(super) features: &'static [u8],
    /// Whether it wants its answers broadcast.
    pub(super) broadcast: bool,
    /// Option 57 in DISCOVER and in REQUEST.
    pub(super) size_max: (u16, u16),
    /// Option 55, in order.
    pub(super) wanted: &'static [u8],
    /// What it writes into `secs`.
    pub(super) seconds: Seconds,
    /// DISCOVERs.
    pub(super) discover: &'static [Duration],
    /// REQUESTs. None: it takes an offer for its address.
    pub(super) request: &'static [Duration],
    /// When it takes an offer.
    pub(super) collects: Collects,
    /// How much shorter or longer its waits may be, in percent.
    pub(super) scatter_percent: u32,
    /// Whether it goes back to its next DISCOVER after its last REQUEST, or a NAK that comes first; else the last REQUEST was its end.
    pub(super) goes_back: bool,
}

/// Where transaction numbers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Xid {
    /// By chance.
    Chance,
    /// From the hardware address alone: the same in every boot.
    HardwareAddress,
    /// From the clock: machines that ask in the same moment have the same one.
    Clock,
}

/// What a program writes into `secs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seconds {
    /// Seconds since its first DISCOVER, in DISCOVERs alone.
    InDiscover,
    /// iPXE: four times the number of the packet, and two flags (source: dhcp.c); 2 is "an offer came".
    Counter,
    /// Seconds since its first DISCOVER.
    Always,
}

/// When a program takes an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Collects {
    /// At the end of the wait that it came in: further servers may speak.
    UntilTheTimer,
    /// At the first timer more than this after its first DISCOVER, or at once after that; at once if the offer says (175.176) that no others are to be expected.
    AtLeast(Duration),
    /// At once.
    Not,
}

/// How a program loads a file by TFTP.
#[derive(Debug)]
pub(super) struct Manner {
    /// A first request only for the file's size: its options, and the ERROR that ends it.
    pub(super) sizing: Option<(&'static str, u16, &'static str)>,
    /// The options of a request, as they stand in it.
    pub(super) options: &'static str,
    /// The first port. None: by chance, for every file another.
    pub(super) first_port: Option<u16>,
    /// From a packet that is to be answered to the answer; chance adds up to a fifth.
    pub(super) turnaround: Duration,
    /// Requests.
    pub(super) asking: Waits,
    /// After an OACK.
    pub(super) agreed: Waits,
    /// After a block.
    pub(super) receiving: Waits,
    /// What happens to a block that is not the next one.
    pub(super) unexpected: Unexpected,
    /// The ERROR with which it leaves a server that fell silent.
    pub(super) farewell: Option<(u16, &'static str)>,
}

/// What a program acknowledges when a block comes that is not the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unexpected {
    /// The last block in order again, at once, and its timer starts anew. An OACK that comes again is acknowledged again.
    Last,
    /// The same, but its timer goes on, and an OACK that comes again is not looked at.
    LastByItsClock,
    /// That block, if it is an old one; one that is ahead is left.
    Itself,
}

const fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

// ---- EDK2 -------------------------------------------------------------------------------------------------------------------------------------------------

/// EDK2's PXE client. Options and waits measured; source: it takes an offer only when its timer runs out.
static EDK2_ASKER: Asker = Asker {
    vendor_class: "PXEClient:Arch:00007:UNDI:003000",
    xid: Xid::Clock,
    architecture: Some((7, [1, 3, 0])),
    user_class: None,
    order: &[54, 50, 57, 55, 97, 94, 93, 60],
    features: &[],
    broadcast: true,
    size_max: (1472, 65_280),
    wanted: &[
        1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97,
        128, 129, 130, 131, 132, 133, 134, 135,
    ],
    seconds: Seconds::InDiscover,
    discover: &[milliseconds(3910), milliseconds(8020), milliseconds(16_000), milliseconds(32_100)],
    request: &[milliseconds(4000), milliseconds(8000), milliseconds(16_020), milliseconds(32_000)],
    collects: Collects::UntilTheTimer,
    scatter_percent: 1,
    goes_back: false,
};

/// EDK2's HTTP client: order, class and waits measured, 60 s in all.
static EDK2_HTTP_ASKER: Asker = Asker {
    vendor_class: "HTTPClient:Arch:00016:UNDI:003000",
    architecture: Some((16, [1, 3, 0])),
    size_max: (1472, 1472),
    wanted: &[
        1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97,
        235,
    ],
    ..EDK2_ASKER
};

/// Four seconds, six sends: measured, requests and ACKs alike.
const EDK2_WAITS: Waits = Waits::Ladder(&[milliseconds(4010); 6]);

/// An ACK's turnaround: 1,878 windows took 1.4 s at the quickest, in software emulation; real firmware is not slower than that.
const EDK2_TURNAROUND: Duration = Duration::from_micros(750);
/// A request for the size alone, aborted, then the file in windows of 4 (measured). Source: a block that is not the next one has the last in order acknowledged again.
static EDK2: Manner = Manner {
    sizing: Some(("tsize\x000\0blksize\x001468\0windowsize\x004\0", 8, "User aborted the transfer")),
    options: "blksize\x001468\0windowsize\x004\0",
    first_port: None,
    turnaround: EDK2_TURNAROUND,
    asking: EDK2_WAITS,
    agreed: EDK2_WAITS,
    receiving: EDK2_WAITS,
    unexpected: Unexpected::Last,
    farewell: None,
};

/// shim asks through EDK2's client: its options measured, its timers those of EDK2.
static SHIM: Manner = Manner {
    sizing: None,
    options: "blksize\x00512\0windowsize\x004\0",
    first_port: None,
    turnaround: EDK2_TURNAROUND,
    asking: EDK2_WAITS,
    agreed: EDK2_WAITS,
    receiving: EDK2_WAITS,
    unexpected: Unexpected::Last,
    farewell: None,
};

// ---- iPXE -------------------------------------------------------------------------------------------------------------------------------------------------

/// What iPXE wants to know, measured.
const IPXE_WANTED: &[u8] =
    &[1, 3, 6, 7, 12, 15, 17, 26, 43, 60, 66, 67, 119, 128, 129, 130, 131, 132, 133, 134, 135, 175, 203];
/// Its DISCOVERs, and from the last to its end: measured.
const IPXE_DISCOVER: &[Duration] =
    &[milliseconds(1040), milliseconds(2010), milliseconds(4060), milliseconds(11_180)];
/// Its REQUESTs, the same: a last one is followed by 10.3 s.
const IPXE_REQUEST: &[Duration] = &[
    milliseconds(270),
    milliseconds(550),
    milliseconds(1040),
    milliseconds(2030),
    milliseconds(4060),
    milliseconds(10_350),
];
/// Source: PROXYDHCP_MAX_TIMEOUT.
const IPXE_COLLECTS: Collects = Collects::AtLeast(milliseconds(2000));

/// A BIOS ROM: all measured.
static IPXE_ROM_ASKER: Asker = Asker {
    vendor_class: "PXEClient:Arch:00000:UNDI:002001",
    xid: Xid::Chance,
    architecture: Some((0, [1, 2, 1])),
    user_class: Some("iPXE"),
    order: &[57, 93, 94, 60, 77, 55, 175, 61, 97, 54, 50],
    features: &[
        0xb1, 0x05, 0x01, 0x1a, 0xf4, 0x10, 0x00, 0xeb, 0x03, 0x01, 0x00, 0x00, 0x17, 0x01, 0x01, 0x22, 0x01,
        0x01, 0x13, 0x01, 0x01, 0x11, 0x01, 0x01, 0x27, 0x01, 0x01, 0x19, 0x01, 0x01, 0x29, 0x01, 0x01, 0x10,
        0x01, 0x02, 0x21, 0x01, 0x01, 0x15, 0x01, 0x01, 0x18, 0x01, 0x01, 0x12, 0x01, 0x01,
    ],
    broadcast: false,
    size_max: (1472, 1472),
    wanted: IPXE_WANTED,
    seconds: Seconds::Counter,
    discover: IPXE_DISCOVER,
    request: IPXE_REQUEST,
    collects: IPXE_COLLECTS,
    scatter_percent: 1,
    goes_back: false,
};

/// `ipxe.efi`: measured, its features as the ROM's.
static IPXE_EFI_ASKER: Asker = Asker {
    vendor_class: "PXEClient:Arch:00007:UNDI:003010",
    xid: Xid::HardwareAddress,
    architecture: Some((7, [1, 3, 10])),
    user_class: Some("iPXE"),
    order: &[57, 93, 94, 60, 77, 55, 175, 61, 97, 54, 50],
    features: IPXE_ROM_ASKER.features,
    broadcast: false,
    size_max: (1472, 1472),
    wanted: IPXE_WANTED,
    seconds: Seconds::Counter,
    discover: IPXE_DISCOVER,
    request: IPXE_REQUEST,
    collects: IPXE_COLLECTS,
    scatter_percent: 1,
    goes_back: false,
};

/// Measured: 0.27, 0.55, 1.04, 2.03, 4.06 s and the end at 18.3 s. Source (retry.c): a quarter of a second in ticks of 55 ms, doubled up to 10 s, four times the round trip.
const IPXE_WAITS: Waits =
    Waits::Adaptive { floor: milliseconds(260), cap: milliseconds(10_000), last: milliseconds(1900) };

/// Options and waits measured. Source (tftp.c): every DATA is answered by an ACK of what has come in order, and that starts the timer.
static IPXE: Manner = Manner {
    sizing: None,
    options: "blksize\x001432\0tsize\x000\0",
    first_port: None,
    turnaround: Duration::from_micros(300),
    asking: IPXE_WAITS,
    agreed: IPXE_WAITS,
    receiving: IPXE_WAITS,
    unexpected: Unexpected::Last,
    farewell: None,
};

// ---- BIOS ROMs and PXELINUX -------------------------------------------------------------------------------------------------------------------------------

/// A ROM by the letter of PXE 2.1: DISCOVERs of 4, 8, 16 and 32 s, offers collected until the timer; REQUESTs of 1, 2, 3 and 4 s.
static SPECIFICATION_ASKER: Asker = Asker {
    vendor_class: "PXEClient:Arch:00000:UNDI:002001",
    xid: Xid::Chance,
    architecture: Some((0, [1, 2, 1])),
    user_class: None,
    order: &[54, 50, 57, 55, 97, 94, 93, 60],
    features: &[],
    broadcast: true,
    size_max: (1260, 1260),
    // PXE 2.1 table 2-1.
    wanted: &[1, 2, 3, 5, 6, 11, 12, 13, 16, 17, 18, 43, 54, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135],
    seconds: Seconds::Always,
    discover: &[milliseconds(4000), milliseconds(8000), milliseconds(16_000), milliseconds(32_000)],
    request: &[milliseconds(1000), milliseconds(2000), milliseconds(3000), milliseconds(4000)],
    collects: Collects::UntilTheTimer,
    scatter_percent: 1,
    goes_back: false,
};

/// An assumption: PXE 2.1 says nothing of TFTP's timers. Intel wrote both it and EDK2: four seconds, six sends.
static SPECIFICATION: Manner = Manner {
    sizing: None,
    options: "tsize\x000\0blksize\x001456\0",
    first_port: Some(2070),
    turnaround: Duration::from_micros(400),
    asking: Waits::Ladder(&[milliseconds(4000); 6]),
    agreed: Waits::Ladder(&[milliseconds(4000); 6]),
    receiving: Waits::Ladder(&[milliseconds(4000); 6]),
    unexpected: Unexpected::Last,
    farewell: None,
};

/// About a second, five sends, and then the machine is left on and useless: Becker, on the beowulf list, 2006.
const HASTY_WAITS: Waits = Waits::Ladder(&[milliseconds(1000); 5]);

/// Intel's boot agent, as servers logged it: port 2070 for the size, aborted, then 2071 and blocks of 1456.
static HASTY: Manner = Manner {
    sizing: Some(("tsize\x000\0", 0, "TFTP Aborted")),
    options: "blksize\x001456\0",
    first_port: Some(2070),
    turnaround: Duration::from_micros(400),
    asking: HASTY_WAITS,
    agreed: HASTY_WAITS,
    receiving: HASTY_WAITS,
    unexpected: Unexpected::Last,
    farewell: None,
};

/// PXELINUX's table, in ticks of its clock (source: core/fs/pxe/tftp.c); the measured waits are these.
const PXELINUX_TICKS: [u64; 31] = [
    2, 2, 3, 3, 4, 5, 6, 7, 9, 10, 12, 15, 18, 21, 26, 31, 37, 44, 53, 64, 77, 92, 110, 132, 159, 191, 229,
    255, 255, 255, 255,
];
const PXELINUX_TICK_NANOSECONDS: u64 = 54_925_494;
const PXELINUX_LADDER: [Duration; 31] = {
    let mut ladder = [Duration::ZERO; 31];
    let mut step = 0;
    while step < ladder.len() {
        ladder[step] = Duration::from_nanos(PXELINUX_TICKS[step] * PXELINUX_TICK_NANOSECONDS);
        step += 1;
    }
    ladder
};
const PXELINUX_WAITS: Waits = Waits::Ladder(&PXELINUX_LADDER);

/// Options and waits measured. Source: a wrong block has the last one acknowledged again at once, and the clock goes on.
static PXELINUX: Manner = Manner {
    sizing: None,
    options: "tsize\x000\0blksize\x001408\0",
    first_port: Some(49_152),
    turnaround: Duration::from_micros(250),
    asking: PXELINUX_WAITS,
    agreed: PXELINUX_WAITS,
    receiving: PXELINUX_WAITS,
    unexpected: Unexpected::LastByItsClock,
    farewell: None,
};

// ---- GRUB -------------------------------------------------------------------------------------------------------------------------------------------------

/// 0.40, 0.42, ... 1.18 s by its own clock: measured where the clock was right, and source (include/grub/net.h).
const GRUB_LADDER: [Duration; 40] = {
    let mut ladder = [Duration::ZERO; 40];
    let mut step = 0;
    while step < ladder.len() {
        ladder[step] = milliseconds(400 + 20 * step as u64);
        step += 1;
    }
    ladder
};

/// Options measured; so is that it never repeats an ACK: it waits 68 s after an OACK, and more than 187 s in the middle of a file (both with a clock that ran slow),
/// and leaves with an ERROR.
/// Source (tftp.c): a block that comes again is acknowledged again, by its own number. Its turnaround is reckoned: kernel and initial RAM disk of 12.7 MB came in 3 to
/// 5 s in software emulation, which leaves 0.4 ms for each block with its way there and back.
static GRUB: Manner = Manner {
    sizing: None,
    options: "blksize\x001024\0tsize\x000\0",
    first_port: Some(25_300),
    turnaround: Duration::from_micros(300),
    asking: Waits::Ladder(&GRUB_LADDER),
    agreed: Waits::Ladder(&[milliseconds(68_000)]),
    receiving: Waits::Ladder(&[milliseconds(187_000)]),
    unexpected: Unexpected::Itself,
    farewell: Some((0, "closed")),
};

// ---- Raspberry Pi -----------------------------------------------------------------------------------------------------------------------------------------

/// The mask ROM of a Pi 3: five DISCOVERs (its manual), and none again for a minute (raspberrypi/firmware 1120). It says that it is a BIOS.
/// It takes the offer for its address, and sends no REQUEST (raspberrypi/documentation 1067). An assumption: it takes any offer; early ones wanted "Raspberry Pi Boot" in option 43.
static PI_ASKER: Asker = Asker {
    vendor_class: "PXEClient:Arch:00000:UNDI:002001",
    xid: Xid::Chance,
    architecture: Some((0, [1, 2, 1])),
    user_class: None,
    order: &[54, 50, 57, 55, 97, 94, 93, 60],
    features: &[],
    broadcast: false,
    size_max: (1260, 1260),
    wanted: &[1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135],
    seconds: Seconds::Always,
    discover: &[milliseconds(60_000); 5],
    request: &[],
    collects: Collects::Not,
    scatter_percent: 1,
    goes_back: false,
};

/// An assumption: nobody has written them down.
const PI_WAITS: Waits = Waits::Ladder(&[milliseconds(1000); 5]);

/// Recorded (raspberrypi/firmware 1041, 745): the ROM asks without any option, and so in blocks of 512.
static PI_ROM: Manner = Manner {
    sizing: None,
    options: "",
    first_port: Some(49_152),
    turnaround: Duration::from_micros(500),
    asking: PI_WAITS,
    agreed: PI_WAITS,
    receiving: PI_WAITS,
    unexpected: Unexpected::Last,
    farewell: None,
};

/// The same recordings: bootcode.bin asks for the size and still in blocks of 512.
static PI_BOOTCODE: Manner = Manner {
    sizing: None,
    options: "tsize\x000\0",
    first_port: Some(49_153),
    turnaround: Duration::from_micros(500),
    asking: PI_WAITS,
    agreed: PI_WAITS,
    receiving: PI_WAITS,
    unexpected: Unexpected::Last,
    farewell: None,
};

// ---- the agent --------------------------------------------------------------------------------------------------------------------------------------------

/// heorot-agent: agent/src/client.rs. Its first DISCOVERs are 2, 4, 8, ... 32 s apart, and then every 32 s, for ten minutes in all.
pub(super) static AGENT_ASKER: Asker = Asker {
    vendor_class: "heorot-agent",
    xid: Xid::Chance,
    architecture: None,
    user_class: None,
    order: &[50, 54, 60, 57, 55],
    features: &[],
    broadcast: false,
    size_max: (1472, 1472),
    wanted: &[1, 3, 6, 12, 15, 26, 28, 51, 54, 58, 59],
    seconds: Seconds::Always,
    discover: &AGENT_DISCOVER,
    request: &[milliseconds(1000), milliseconds(2000), milliseconds(4000), milliseconds(8000)],
    collects: Collects::Not,
    scatter_percent: 25,
    goes_back: true,
};

/// The same when it has an address already: it may not hear a unicast frame to another.
pub(super) static MOVING_AGENT_ASKER: Asker = Asker { broadcast: true, ..AGENT_ASKER };

const AGENT_DISCOVER: [Duration; 22] = {
    let mut waits = [milliseconds(32_000); 22];
    let mut step = 0;
    while step < 4 {
        waits[step] = milliseconds(2000 << step);
        step += 1;
    }
    waits
};
