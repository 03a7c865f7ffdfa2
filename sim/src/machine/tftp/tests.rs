use super::super::kind::Program;
use super::*;

const START: Time = Time::from_nanoseconds(1_000_000_000);
const PORT: u16 = 2000;
const SERVER_SIDE: u16 = 40_000;
const ENDS: Ends = Ends {
    mac: Mac([2, 0, 0, 0, 0, 2]),
    address: Ipv4Addr::new(10, 77, 200, 1),
    server_mac: Mac([2, 0, 0, 0, 0, 1]),
    server: Ipv4Addr::new(10, 77, 0, 1),
};

/// What happens to a transfer.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// An OACK with these options; `|` stands for a zero octet.
    Agree(&'static str),
    /// DATA: block and octets.
    Data(u16, u16),
    /// DATA from another port than the transfer's.
    Stray(u16, u16),
    Error(&'static str),
    /// Time passes until it has answered.
    Answers,
    /// So many milliseconds pass.
    Pass(u64),
}
use Event::{Agree, Answers, Data, Error, Pass, Stray};

struct Trial {
    transfer: Transfer,
    now: Time,
    chance: Chance,
    out: Vec<Output>,
    ended: Option<Step>,
}

impl Trial {
    fn begin(program: Program, acknowledges_last: bool) -> Self {
        let order = Order {
            name: "image".into(),
            asked: b"image".into(),
            port: PORT,
            is_text: true,
            acknowledges_last,
            is_first: true,
        };
        let mut out = Vec::new();
        let mut transfer = Transfer::begin(START, ENDS, program.manner(), order, &mut out);
        // The request for the size alone is another test's.
        transfer.sizing = false;
        Self { transfer, now: START, chance: Chance::new(1), out: Vec::new(), ended: None }
    }

    fn happen(&mut self, event: Event) {
        let oack = |text: &str| [b"\0\x06", text.replace('|', "\0").as_bytes()].concat();
        match event {
            Agree(options) => self.frame(SERVER_SIDE, Payload::Octets(oack(options))),
            Data(block, octets) => self.frame(SERVER_SIDE, Payload::Data { block, octets }),
            Stray(block, octets) => self.frame(SERVER_SIDE + 1, Payload::Data { block, octets }),
            Error(text) => {
                self.frame(SERVER_SIDE, Payload::Octets([b"\0\x05\0\x01", text.as_bytes(), b"\0"].concat()));
            }
            Answers => {
                while self.transfer.answer.is_some() {
                    self.wake();
                }
            }
            Pass(milliseconds) => {
                let end = self.now + Duration::from_millis(milliseconds);
                while self.ended.is_none() && self.transfer.wakeup_at() <= end {
                    self.wake();
                }
                self.now = end;
            }
        }
    }

    fn frame(&mut self, port: u16, payload: Payload) {
        let frame = Frame {
            from: ENDS.server_mac,
            to: ENDS.mac,
            source: SocketAddrV4::new(ENDS.server, port),
            destination: SocketAddrV4::new(ENDS.address, PORT),
            payload,
        };
        let step = self.transfer.frame(self.now, &frame, &mut self.chance, &mut self.out);
        self.ended = self.ended.take().or_else(|| (step != Step::Goes).then_some(step));
    }

    fn wake(&mut self) {
        self.now = self.now.max(self.transfer.wakeup_at());
        let step = self.transfer.wakeup(self.now, &mut self.out);
        self.ended = self.ended.take().or_else(|| (step != Step::Goes).then_some(step));
    }

    /// The blocks that it acknowledged.
    fn acknowledged(&self) -> Vec<u16> {
        let blocks = sent(&self.out).filter_map(|frame| match frame.payload {
            Payload::Acknowledge(block) => Some(block),
            Payload::Octets(_)
            | Payload::Data { .. }
            | Payload::Segment { .. }
            | Payload::Received { .. } => None,
        });
        blocks.collect()
    }
}

fn sent(out: &[Output]) -> impl Iterator<Item = &Frame> {
    out.iter().filter_map(|output| match output {
        Output::Send(frame) => Some(frame),
        Output::Ask(_) | Output::Fetch(_) | Output::Told(_) => None,
    })
}

/// A name, who loads, what happens, which blocks it acknowledges, and what becomes of it.
type Case<'a> = (&'a str, Program, &'a [Event], &'a [u16], Option<Step>);

#[test]
fn state_and_event() {
    use Program::{Edk2, Grub, HastyRom, IpxeRom, PiRom, Pxelinux, Shim};
    const PLAIN: Event = Agree("blksize|1024|tsize|5000|");
    const WINDOW: Event = Agree("blksize|1024|windowsize|4|");
    const HAS: Option<Step> = Some(Step::Has);
    let cases: &[Case<'_>] = &[
        ("an OACK that comes again", IpxeRom, &[PLAIN, Answers, PLAIN, Answers], &[0, 0], None),
        (
            "an OACK that comes late",
            IpxeRom,
            &[PLAIN, Answers, Data(1, 1024), Answers, PLAIN, Answers],
            &[0, 1],
            None,
        ),
        (
            "block by block",
            Pxelinux,
            &[PLAIN, Answers, Data(1, 1024), Answers, Data(2, 1), Answers],
            &[0, 1, 2],
            HAS,
        ),
        (
            "a block twice: iPXE",
            IpxeRom,
            &[PLAIN, Answers, Data(1, 1024), Answers, Data(1, 1024), Answers],
            &[0, 1, 1],
            None,
        ),
        (
            "a block twice: EDK2",
            Edk2,
            &[PLAIN, Answers, Data(1, 1024), Answers, Data(1, 1024), Answers],
            &[0, 1, 1],
            None,
        ),
        (
            "a block twice: PXELINUX",
            Pxelinux,
            &[PLAIN, Answers, Data(1, 1024), Answers, Data(1, 1024), Answers],
            &[0, 1, 1],
            None,
        ),
        (
            "an older block: iPXE",
            IpxeRom,
            &[PLAIN, Data(1, 1024), Data(2, 1024), Answers, Data(1, 1024), Answers],
            &[2, 2],
            None,
        ),
        (
            "an older block: GRUB",
            Grub,
            &[PLAIN, Data(1, 1024), Data(2, 1024), Answers, Data(1, 1024), Answers],
            &[2, 1],
            None,
        ),
        ("a block ahead: iPXE", IpxeRom, &[PLAIN, Answers, Data(2, 1024), Answers], &[0, 0], None),
        ("a block ahead: GRUB", Grub, &[PLAIN, Answers, Data(2, 1024), Pass(5)], &[0], None),
        (
            "copies within its turnaround",
            IpxeRom,
            &[PLAIN, Answers, Data(1, 1024), Data(1, 1024), Data(1, 1024), Answers],
            &[0, 1, 1, 1],
            None,
        ),
        (
            "a window",
            Edk2,
            &[WINDOW, Answers, Data(1, 1024), Data(2, 1024), Data(3, 1024), Pass(5), Data(4, 1024), Answers],
            &[0, 4],
            None,
        ),
        (
            "a gap in a window",
            Edk2,
            &[WINDOW, Answers, Data(1, 1024), Data(2, 1024), Data(4, 1024), Answers],
            &[0, 2],
            None,
        ),
        (
            "each block after a gap has its ACK",
            Edk2,
            &[WINDOW, Answers, Data(2, 1024), Data(3, 1024), Data(4, 1024), Answers],
            &[0, 0, 0, 0],
            None,
        ),
        (
            "the window after a gap begins behind it",
            Shim,
            &[
                WINDOW,
                Answers,
                Data(1, 1024),
                Data(3, 1024),
                Answers,
                Data(2, 1024),
                Data(3, 1024),
                Data(4, 1024),
                Pass(5),
                Data(5, 1024),
                Answers,
            ],
            &[0, 1, 5],
            None,
        ),
        (
            "a window cut short by the end",
            Edk2,
            &[WINDOW, Answers, Data(1, 1024), Data(2, 3), Answers],
            &[0, 2],
            HAS,
        ),
        (
            "a repeat in mid-window is of what was said",
            Edk2,
            &[WINDOW, Answers, Data(1, 1024), Data(2, 1024), Pass(4100)],
            &[0, 0],
            None,
        ),
        (
            "an empty last block",
            IpxeRom,
            &[PLAIN, Answers, Data(1, 1024), Answers, Data(2, 0), Answers],
            &[0, 1, 2],
            HAS,
        ),
        ("after the end", IpxeRom, &[PLAIN, Answers, Data(1, 5), Data(1, 5), Answers], &[0, 1], HAS),
        ("a server without options", PiRom, &[Data(1, 512), Answers, Data(2, 511), Answers], &[1, 2], HAS),
        ("another port", IpxeRom, &[PLAIN, Answers, Stray(1, 1024), Pass(100)], &[0], None),
        ("an ERROR", IpxeRom, &[Error("not found")], &[], Some(Step::Refused("not found".into()))),
        (
            "an ERROR in mid-file",
            HastyRom,
            &[PLAIN, Answers, Data(1, 1024), Error("gone")],
            &[0],
            Some(Step::Refused("gone".into())),
        ),
        ("an OACK that comes again: PXELINUX", Pxelinux, &[PLAIN, Answers, PLAIN, Pass(100)], &[0], None),
        (
            "a copy leaves PXELINUX's clock alone",
            Pxelinux,
            &[PLAIN, Answers, Data(1, 1024), Answers, Pass(100), Data(1, 1024), Answers, Pass(30)],
            &[0, 1, 1, 1],
            None,
        ),
        (
            "a copy starts EDK2's clock anew",
            Edk2,
            &[PLAIN, Answers, Pass(3900), PLAIN, Answers, Pass(3900)],
            &[0, 0],
            None,
        ),
        (
            "GRUB waits in vain",
            Grub,
            &[PLAIN, Answers, Data(1, 1024), Answers, Pass(186_000), Pass(2000)],
            &[0, 1],
            Some(Step::GaveUp),
        ),
    ];
    for (name, program, events, acknowledged, ended) in cases {
        let mut trial = Trial::begin(*program, true);
        events.iter().for_each(|event| trial.happen(*event));
        assert_eq!((trial.acknowledged().as_slice(), &trial.ended), (*acknowledged, ended), "{name}");
    }
}

#[test]
fn block_numbers_go_back_to_0_after_65535() {
    for program in [Program::IpxeRom, Program::Grub, Program::Edk2] {
        let mut trial = Trial::begin(program, true);
        trial.happen(Agree("blksize|1024|"));
        trial.happen(Answers);
        for block in 1..=70_000_u32 {
            trial.happen(Data(block as u16, 1024));
            trial.happen(Answers);
        }
        trial.happen(Data(70_001_u32 as u16, 7));
        trial.happen(Answers);
        let expected: Vec<_> = (0..=70_001_u32).map(|block| block as u16).collect();
        assert_eq!(trial.acknowledged(), expected, "{program:?}");
        assert_eq!(trial.transfer.size(), (70_000 * 1024 + 7, 1024), "{program:?}");
        assert_eq!(trial.ended, Some(Step::Has), "{program:?}");
    }
}

#[test]
fn a_copy_of_a_block_before_the_numbers_went_round_is_an_old_block() {
    let mut trial = Trial::begin(Program::Grub, true);
    trial.happen(Agree("blksize|8|"));
    trial.happen(Answers);
    for block in 1..=65_537_u32 {
        trial.happen(Data(block as u16, 8));
        trial.happen(Answers);
    }
    trial.out.clear();
    for block in [65_535_u16, 0, 1, 3] {
        trial.happen(Data(block, 8));
        trial.happen(Answers);
    }
    assert_eq!(trial.acknowledged(), [65_535, 0, 1]);
}

#[test]
fn a_last_block_is_not_acknowledged_by_who_never_does() {
    let mut trial = Trial::begin(Program::HastyRom, false);
    for event in [Agree("blksize|1456|"), Answers, Data(1, 1456), Answers, Data(2, 3), Answers] {
        trial.happen(event);
    }
    assert_eq!(trial.acknowledged(), [0, 1]);
    assert_eq!(trial.ended, Some(Step::Has));
}

#[test]
fn the_size_is_asked_for_first_and_that_transfer_is_aborted() {
    let mut trial = Trial::begin(Program::Edk2, true);
    trial.transfer.sizing = true;
    trial.happen(Agree("tsize|5000|blksize|1468|"));
    trial.happen(Answers);
    let describe = |frame: &Frame| {
        let Payload::Octets(octets) = &frame.payload else { panic!("{frame:?}") };
        let text = String::from_utf8_lossy(octets).replace('\0', "|");
        (frame.source.port(), frame.destination.port(), text)
    };
    let sent: Vec<_> = sent(&trial.out).map(describe).collect();
    let abort = (PORT, SERVER_SIDE, "|\u{5}|\u{8}User aborted the transfer|".to_owned());
    let request = (PORT + 1, 69, "|\u{1}image|octet|blksize|1468|windowsize|4|".to_owned());
    assert_eq!(sent, [abort, request]);
}

#[test]
fn ipxe_waits_for_four_round_trips() {
    let mut trial = Trial::begin(Program::IpxeRom, true);
    trial.happen(Agree("blksize|1432|"));
    trial.happen(Answers);
    for block in 1..100 {
        // The first ones come after its timer ran out: it learns from those that do not.
        trial.happen(Pass(400));
        trial.happen(Data(block, 1432));
        trial.happen(Answers);
    }
    let wait = trial.transfer.deadline.since(trial.now);
    assert!((1500..1700).contains(&wait.as_millis()), "{wait:?}");
}

#[test]
fn texts_are_kept_and_bulk_is_only_counted() {
    let mut trial = Trial::begin(Program::Pxelinux, true);
    trial.happen(Agree("blksize|16|"));
    let text = "KERNEL vmlinuz\nINITRD a";
    for (place, part) in text.as_bytes().chunks(16).enumerate() {
        let block = [&[0, 3, 0, place as u8 + 1][..], part].concat();
        // Each comes twice.
        trial.frame(SERVER_SIDE, Payload::Octets(block.clone()));
        trial.frame(SERVER_SIDE, Payload::Octets(block));
        trial.happen(Answers);
    }
    assert_eq!(trial.ended, Some(Step::Has));
    assert_eq!(trial.transfer.size(), (text.len() as u64, 16));
    assert_eq!(trial.transfer.into_content(), ("image".into(), text.into()));
}
