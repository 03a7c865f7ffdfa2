//! Model clients: what a boot program does with a TFTP server, with the habits that were measured.

use heorot_core::wire::tftp::wire_number;
use std::time::Duration;

/// A program's habits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    pub(crate) name: &'static str,
    /// Octets of a block, if it asks for them.
    pub(crate) block_octets: Option<usize>,
    pub(crate) window: u64,
    /// Whether it asks for the size, and whether it then aborts and asks anew.
    pub(crate) size: Size,
    /// When it repeats its request, in ms after the last time; it gives up after the last one.
    pub(crate) asks: &'static [u64],
    /// The same for its ACKs; empty: it never repeats one, and waits for ever.
    pub(crate) repeats: &'static [u64],
    /// What it does about a block that it already has.
    pub(crate) old_block: OldBlock,
    /// Whether it acknowledges every block of a window, and not the last alone.
    pub(crate) acknowledges_singly: bool,
    /// Whether it acknowledges the last block.
    pub(crate) acknowledges_the_end: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Size {
    NotAsked,
    Asked,
    /// EDK2: an OACK, ERROR 8, and from the next port again.
    Probed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OldBlock {
    /// Acknowledges it again by its own number.
    AcknowledgeIt,
    /// Acknowledges the last one that it has.
    AcknowledgeLast,
    /// The same, once until it has come further.
    AcknowledgeOnce,
    Ignore,
}

pub(crate) const IPXE: Habits = Habits {
    name: "iPXE",
    block_octets: Some(1432),
    window: 1,
    size: Size::Asked,
    asks: &[270, 550, 1040, 2040, 4060, 10_000],
    repeats: &[270, 550, 1040, 2040, 4060, 10_000],
    old_block: OldBlock::AcknowledgeLast,
    acknowledges_singly: false,
    acknowledges_the_end: true,
};

pub(crate) const PXELINUX: Habits = Habits {
    name: "PXELINUX",
    block_octets: Some(1408),
    asks: PXELINUX_LADDER,
    repeats: PXELINUX_LADDER,
    ..IPXE
};

/// In all about 131 s.
const PXELINUX_LADDER: &[u64] = &[
    110, 110, 170, 170, 220, 280, 330, 390, 490, 550, 660, 820, 990, 1150, 1430, 1700, 2040, 2420, 2900,
    3500, 4200, 5100, 6000, 7300, 8700, 10_500, 12_600, 14_000, 14_000, 14_000, 14_000,
];

pub(crate) const GRUB: Habits = Habits {
    name: "GRUB",
    block_octets: Some(1024),
    asks: &[
        400, 420, 440, 460, 480, 500, 520, 540, 560, 580, 600, 620, 640, 660, 680, 700, 720, 740, 760, 780,
    ],
    repeats: &[],
    old_block: OldBlock::AcknowledgeIt,
    ..IPXE
};

pub(crate) const EDK2: Habits = Habits {
    name: "EDK2",
    block_octets: Some(1468),
    window: 4,
    size: Size::Probed,
    asks: &[4000, 4000, 4000, 4000, 4000, 4000],
    repeats: &[4000, 4000, 4000, 4000, 4000, 4000],
    ..IPXE
};

pub(crate) const BARE: Habits = Habits {
    name: "a ROM without options",
    block_octets: None,
    size: Size::NotAsked,
    old_block: OldBlock::Ignore,
    ..IPXE
};

/// One client, loading one file.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) habits: Habits,
    pub(crate) port: u16,
    pub(crate) path: &'static str,
    pub(crate) state: State,
    pub(crate) received: Vec<u8>,
    /// Counts what it waits for: a timer of an older count is void.
    pub(crate) waiting: u64,
    /// The port that it is answered from.
    pub(crate) server_port: Option<u16>,
    blocks: u64,
    /// Blocks of a window, as the server has it: no more than was asked for.
    pub(crate) window: u64,
    in_window: u64,
    /// The last block that it had when it last spoke of a gap.
    gap: Option<u64>,
    tries: usize,
    probing: bool,
    last: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    Asking,
    Loading,
    Done,
    Failed(String),
}

/// What a client sends: to port 69, or to the port that it was answered from.
#[derive(Debug)]
pub(crate) enum Said {
    Request(Vec<u8>),
    Packet(u16, Vec<u8>),
}

impl Client {
    pub(crate) fn new(habits: Habits, port: u16, path: &'static str) -> Self {
        Self {
            habits,
            port,
            path,
            state: State::Asking,
            received: Vec::new(),
            waiting: 0,
            server_port: None,
            blocks: 0,
            window: habits.window,
            in_window: 0,
            gap: None,
            tries: 0,
            probing: habits.size == Size::Probed,
            last: Vec::new(),
        }
    }

    pub(crate) fn ask(&mut self) -> Vec<Said> {
        let mut text = format!("\0\x01{}\0octet\0", self.path);
        if self.habits.size == Size::Asked || self.probing {
            text += "tsize\x000\0";
        }
        if let Some(octets) = self.habits.block_octets {
            text += &format!("blksize\0{octets}\0");
        }
        if self.habits.window > 1 {
            text += &format!("windowsize\0{}\0", self.habits.window);
        }
        self.last = text.into_bytes();
        self.waiting += 1;
        vec![Said::Request(self.last.clone())]
    }

    /// How long it waits before it repeats itself.
    pub(crate) fn patience(&self) -> Option<Duration> {
        let ladder = match self.state {
            State::Asking => self.habits.asks,
            State::Loading => self.habits.repeats,
            State::Done | State::Failed(_) => return None,
        };
        ladder.get(self.tries.min(ladder.len().saturating_sub(1))).map(|ms| Duration::from_millis(*ms))
    }

    pub(crate) fn tired(&mut self) -> Vec<Said> {
        let ladder = if self.state == State::Asking { self.habits.asks } else { self.habits.repeats };
        self.tries += 1;
        if self.tries >= ladder.len() {
            self.state = State::Failed(format!("silence at block {}", self.blocks));
            return Vec::new();
        }
        self.waiting += 1;
        vec![match self.server_port {
            Some(port) if self.state == State::Loading => Said::Packet(port, self.last.clone()),
            _ => Said::Request(self.last.clone()),
        }]
    }

    pub(crate) fn hear(&mut self, from: u16, bytes: &[u8]) -> Vec<Said> {
        if matches!(self.state, State::Done | State::Failed(_))
            || self.server_port.is_some_and(|port| port != from)
        {
            return Vec::new();
        }
        match (bytes[1], &self.state) {
            (5, _) => {
                let text = String::from_utf8_lossy(&bytes[4..bytes.len() - 1]);
                self.state = State::Failed(format!("ERROR {}: {text}", bytes[3]));
                Vec::new()
            }
            (6, State::Asking) if self.probing => {
                self.probing = false;
                self.port += 1;
                self.tries = 0;
                let mut said = vec![Said::Packet(from, b"\0\x05\0\x08User aborted the transfer\0".to_vec())];
                said.extend(self.ask());
                said
            }
            (6, State::Asking) => {
                self.window = window_of(bytes).unwrap_or(1);
                self.server_port = Some(from);
                self.state = State::Loading;
                self.acknowledge(0)
            }
            (6, State::Loading) if self.blocks == 0 => self.acknowledge(0),
            (3, State::Asking) if self.habits.block_octets.is_some() || self.probing => Vec::new(), // no OACK yet
            (3, _) => {
                self.server_port = Some(from);
                self.state = State::Loading;
                self.block(u16::from_be_bytes([bytes[2], bytes[3]]), &bytes[4..])
            }
            _ => Vec::new(),
        }
    }

    fn block(&mut self, number: u16, content: &[u8]) -> Vec<Said> {
        let expected = wire_number(self.blocks + 1);
        if number != expected {
            let is_old = expected.wrapping_sub(number) < 32_768;
            return match self.habits.old_block {
                OldBlock::AcknowledgeIt if is_old => self.acknowledge_number(number),
                OldBlock::AcknowledgeLast => self.acknowledge(self.blocks),
                OldBlock::AcknowledgeOnce if self.gap != Some(self.blocks) => {
                    self.gap = Some(self.blocks);
                    self.acknowledge(self.blocks)
                }
                OldBlock::AcknowledgeIt | OldBlock::AcknowledgeOnce | OldBlock::Ignore => Vec::new(),
            };
        }
        self.received.extend(content);
        self.blocks += 1;
        self.in_window += 1;
        self.tries = 0;
        let is_last = content.len() < self.habits.block_octets.unwrap_or(512);
        if is_last {
            let said = self.acknowledge(self.blocks);
            self.state = State::Done;
            return if self.habits.acknowledges_the_end { said } else { Vec::new() };
        }
        if self.in_window >= self.window || self.habits.acknowledges_singly {
            return self.acknowledge(self.blocks);
        }
        self.waiting += 1;
        Vec::new()
    }

    fn acknowledge(&mut self, block: u64) -> Vec<Said> {
        self.in_window = 0;
        self.acknowledge_number(wire_number(block))
    }

    fn acknowledge_number(&mut self, number: u16) -> Vec<Said> {
        let [high, low] = number.to_be_bytes();
        self.last = vec![0, 4, high, low];
        self.waiting += 1;
        vec![Said::Packet(self.server_port.expect("it was answered"), self.last.clone())]
    }
}

/// What an OACK says of windows (RFC 7440 3).
fn window_of(oack: &[u8]) -> Option<u64> {
    let mut words = oack[2..]
        .split(|octet| *octet == 0)
        .map(|word| std::str::from_utf8(word).expect("options are words"));
    words.find(|word| *word == "windowsize")?;
    words.next()?.parse().ok()
}
