use super::super::{
    Body, ImageId, ImageIdentity, Input, Opened, Port, Send, Settings, TransferId, Transfers,
};
use super::*;
use crate::limit::{LOAD_RATE_MIN_BITS, LOAD_SERVED_WITHIN_MAX};
use crate::load::{self, Control, Link, LinkRate, Regime};
use crate::transfer::Resend;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddrV4;

const START: Time = Time::from_nanoseconds(1 << 40);

/// Transfers, and a kernel that sends at once what it may and whose peers acknowledge it a moment later.
struct Run {
    now: Time,
    transfers: Transfers,
    granted: BTreeMap<StreamId, u64>,
    /// What the kernel will tell in the next tenth of a millisecond.
    told: Vec<(StreamId, StreamNews)>,
    /// What a processor or the link has not come to yet, if that takes its time, and how many octets it sends in this tenth of a millisecond.
    to_send: Option<VecDeque<(StreamId, u64)>>,
    pace: fn(Time) -> u64,
    /// How much the peers of new streams take, if they read nothing, and who has taken so much of it; what else was granted to them, and when.
    room: Option<u64>,
    /// Whether their kernels acknowledge late what is not read, as Linux does, and ours repeats the last of it meanwhile: how soon it is seen that they are full.
    late: Option<Duration>,
    full: BTreeMap<StreamId, Full>,
    /// A client by TFTP, in lock-step: what it says in the next tenth of a millisecond, and how many blocks it has.
    opened: Option<TransferId>,
    acknowledges: Option<u64>,
    blocks: u64,
    regimes: Vec<Regime>,
}

/// A stream whose peer reads nothing.
struct Full {
    left: u64,
    waiting: u64,
    since: Option<Time>,
    /// What it has taken and not acknowledged, and since when.
    unacknowledged: u64,
    taken_at: Time,
}

/// How late Linux acknowledges what its program does not read: its shortest delay (RFC 1122 4.2.3.2 allows 500 ms).
const LATE: Duration = Duration::from_millis(40);

impl Run {
    fn new(rate: LinkRate) -> Self {
        Self::behind(vec![Link::new(rate)])
    }

    fn behind(links: Vec<Link>) -> Self {
        let load = load::Settings { control: Control::All, links };
        let settings = Settings { data_ports: 1, single_port: false, load, resend: Resend::Measured };
        Self {
            now: START,
            transfers: Transfers::new(START, settings),
            granted: BTreeMap::new(),
            told: Vec::new(),
            to_send: None,
            pace: processor,
            room: None,
            late: None,
            full: BTreeMap::new(),
            opened: None,
            acknowledges: None,
            blocks: 0,
            regimes: Vec::new(),
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.transfers.handle(self.now, input, &mut out);
        for output in out {
            if let Output::Open { transfer, .. } = &output {
                self.opened = Some(*transfer);
            }
            if let Output::Send(Send { body: Body::Train(block), .. }) = &output {
                self.acknowledges = Some(block.first);
            }
            if let Output::Regime { regime, .. } = &output {
                self.regimes.push(*regime);
            }
            if let Output::Grant { stream, octets } = output {
                assert!(octets > 0);
                *self.granted.entry(stream).or_default() += octets;
                if let Some(to_send) = &mut self.to_send {
                    to_send.push_back((stream, octets));
                    continue;
                }
                let octets = match self.full.get_mut(&stream) {
                    Some(full) if self.late.is_some() => full.take_late(self.now, octets),
                    Some(full) => full.take(self.now, octets),
                    None => octets,
                };
                self.told.push((stream, StreamNews::Delivered { octets, resent: 0 }));
                // A socket takes half a megabyte before it says that it is full.
                if self.full.get(&stream).is_none_or(|full| full.waiting < 512 << 10) {
                    self.told.push((stream, StreamNews::Wants));
                }
            }
        }
    }

    /// Who looks every 25 ms tells of those that have taken nothing meanwhile, or are full.
    fn look(&mut self) {
        if self.now.as_nanoseconds() % 25_000_000 >= 100_000 {
            return;
        }
        let within = self.late.unwrap_or(Duration::from_millis(25));
        for (stream, full) in &mut self.full {
            if full.unacknowledged > 0 && self.now.since(full.taken_at) >= LATE {
                // Of who stands still no repeats are told.
                let resent = u64::from(full.waiting == 0 || full.since.is_some());
                let octets = std::mem::take(&mut full.unacknowledged);
                self.told.push((*stream, StreamNews::Delivered { octets, resent }));
                full.since = (full.waiting > 0).then_some(self.now);
            }
            if full.since.take_if(|since| self.now.since(*since) >= within).is_some() {
                self.told.push((*stream, StreamNews::StandsStill));
            }
        }
    }

    fn read_on(&mut self, stream: u64) {
        let full = self.full.remove(&StreamId(stream)).unwrap();
        self.tell(stream, StreamNews::Delivered { octets: full.waiting, resent: 0 });
        self.tell(stream, StreamNews::Wants);
    }

    fn tell(&mut self, stream: u64, news: StreamNews) {
        self.handle(Input::Stream { stream: StreamId(stream), news });
    }

    fn begin(&mut self, stream: u64, octets: u64) {
        let peer = Ipv4Addr::from(0x0a4d_0000 + u32::try_from(stream).unwrap());
        let now = self.now;
        let full = |left| Full { left, waiting: 0, since: None, unacknowledged: 0, taken_at: now };
        let full = self.room.map(|left| (StreamId(stream), full(left)));
        self.full.extend(full);
        self.tell(stream, StreamNews::Begun { peer, octets });
    }

    fn load_by_tftp(&mut self) {
        self.datagram(Port::Request, b"\0\x01boot\0octet\0");
        let transfer = self.opened.take().unwrap();
        let identity = ImageIdentity { file: 1, size: 1 << 24, modified: 1 };
        let opened = Opened { image: ImageId(1), identity };
        self.handle(Input::Opened { transfer, result: Ok(opened) });
    }

    fn datagram(&mut self, port: Port, payload: &[u8]) {
        let (local, peer) =
            (Ipv4Addr::new(10, 77, 0, 1), SocketAddrV4::new(Ipv4Addr::new(10, 77, 9, 9), 2070));
        self.handle(Input::Datagram { port, local, peer, payload });
    }

    /// So many milliseconds pass.
    fn pass(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds * 10 {
            let until = self.now + Duration::from_micros(100);
            while let Some(at) = self.transfers.next_wakeup().filter(|at| *at <= until) {
                self.now = self.now.max(at);
                self.handle(Input::Wakeup);
            }
            self.now = until;
            self.send();
            self.look();
            for (stream, news) in std::mem::take(&mut self.told) {
                self.handle(Input::Stream { stream, news });
            }
            if let Some(block) = self.acknowledges.take() {
                self.blocks = block;
                self.datagram(Port::Data(0), &[0, 4, (block >> 8) as u8, block as u8]);
            }
        }
    }

    /// Sends what has been granted first.
    fn send(&mut self) {
        let Some(to_send) = &mut self.to_send else { return };
        let mut octets = (self.pace)(self.now);
        while let Some((stream, left)) = to_send.front_mut().filter(|_| octets > 0) {
            let sent = octets.min(*left);
            octets -= sent;
            *left -= sent;
            self.told.push((*stream, StreamNews::Delivered { octets: sent, resent: 0 }));
            if *left == 0 {
                self.told.push((*stream, StreamNews::Wants));
                to_send.pop_front();
            }
        }
    }

    /// Octets that were granted and wait.
    fn waiting(&self) -> u64 {
        self.to_send.iter().flatten().map(|(_, octets)| octets).sum()
    }

    fn total(&self) -> u64 {
        self.granted.values().sum()
    }

    fn of(&self, stream: u64) -> u64 {
        self.granted.get(&StreamId(stream)).copied().unwrap_or(0)
    }
}

/// 40 Gbit/s, with a moment in which little goes on, and one that makes up for it: so it is where readers and writers share processors.
fn processor(now: Time) -> u64 {
    let milliseconds = now.as_nanoseconds() / 1_000_000;
    if milliseconds % 300 < 250 { 300_000 } else { 1_500_000 }
}

/// A segment every so many tenths of a millisecond: 12 of them are 10 Mbit/s.
fn segment_each(now: Time, tenths: u64) -> u64 {
    if (now.as_nanoseconds() / 100_000).is_multiple_of(tenths) { STREAM_PACKET_OCTETS } else { 0 }
}

impl Full {
    /// So many octets are granted: how many of them arrive.
    fn take(&mut self, now: Time, octets: u64) -> u64 {
        let taken = octets.min(self.left);
        self.left -= taken;
        self.waiting += octets - taken;
        if taken > 0 || self.waiting == octets - taken {
            self.since = (self.waiting > 0).then_some(now);
        }
        taken
    }

    /// The same, of which all is acknowledged later.
    fn take_late(&mut self, now: Time, octets: u64) -> u64 {
        let taken = self.take(now, octets);
        if self.unacknowledged == 0 {
            self.taken_at = now;
        }
        self.unacknowledged += taken;
        0
    }
}

const GIGABIT: u64 = 1_000_000_000;
/// Octets of files that a gigabit carries in a second by TCP, at 99 of a hundred.
const SECOND: u64 = GIGABIT / 8 * 99 / 100 * 1448 / 1538;

#[test]
fn a_link_is_filled_and_no_more() {
    let mut run = Run::new(LinkRate::Given(GIGABIT));
    for stream in 0..20 {
        run.begin(stream, 100 << 20);
    }
    run.pass(1000);
    let total = run.total();
    assert!((SECOND * 98 / 100..=SECOND * 101 / 100).contains(&total), "{total} of {SECOND}");
}

#[test]
fn a_single_stream_fills_a_link_of_unknown_rate_in_two_seconds() {
    let mut run = Run::new(LinkRate::Measured);
    run.begin(1, u64::MAX / 4);
    run.pass(2000);
    let before = run.total();
    run.pass(1000);
    assert!(run.total() - before > 4 * SECOND, "{} after {before}", run.total());
}

#[test]
fn a_processor_that_is_slower_than_the_link_is_not_taken_for_it() {
    for phase in 0..6 {
        let mut run = Run::new(LinkRate::Measured);
        run.to_send = Some(VecDeque::new());
        run.pass(50 * phase);
        for stream in 0..100 {
            run.begin(stream, u64::MAX / 4);
        }
        run.pass(3000);
        let before = run.total();
        run.pass(3000);
        let share = (run.total() - before) / 150_000_000;
        assert!(share >= 95, "begun in phase {phase}: {share} of 100 parts of what the processor can send");
    }
}

/// A slow link behind a fast interface: each of five hundred connections would have its piece before it is known how slow the link is, and the queue drops what they send.
#[test]
fn little_is_under_way_on_a_link_that_is_taken_for_a_faster_one() {
    for mbit in [10, 30] {
        let mut run = Run::new(LinkRate::Measured);
        run.to_send = Some(VecDeque::new());
        run.pace = if mbit == 10 { |now| segment_each(now, 12) } else { |now| segment_each(now, 4) };
        for stream in 0..500 {
            run.begin(stream, 1 << 20);
        }
        let mut most = 0;
        for _ in 0..60 {
            run.pass(50);
            most = most.max(run.waiting());
        }
        // A tenth of a second of 112 Mbit/s, and a quarter of one of what arrives; and a piece that was granted just before.
        assert!(most < 1_700_000 + mbit * 31_250 + 64_000, "{mbit} Mbit/s: {most}");
        let before = run.granted.clone();
        run.pass(10_000);
        let waits = run.waiting() * 8 / mbit / 1000;
        assert!(waits < 350, "{mbit} Mbit/s: for {waits} ms");
        let ceiling = run.transfers.state.lanes[0].ceiling_bits().unwrap_or(0) / 1_000_000;
        assert!((mbit * 9 / 10..=mbit * 11 / 10).contains(&ceiling), "{ceiling} of {mbit} Mbit/s");
        let served = |stream: &u64| run.of(*stream) >= before.get(&StreamId(*stream)).unwrap_or(&0) + 1500;
        let alone = (0..500).filter(|stream| !served(stream) && run.of(*stream) < 1 << 20).count();
        assert_eq!(alone, 0, "{mbit} Mbit/s: nobody is left alone for ten seconds");
    }
}

#[test]
fn what_a_peer_does_not_take_is_not_under_way() {
    let mut run = Run::new(LinkRate::Given(GIGABIT / 10));
    run.room = Some(128 << 10);
    for stream in 0..20 {
        run.begin(stream, 100 << 20);
    }
    run.pass(3000);
    run.room = None;
    run.begin(1000, 1 << 30);
    run.pass(1000);
    assert!(run.of(1000) > SECOND / 10 * 90 / 100, "{}", run.of(1000));
}

#[test]
fn the_first_goes_on_and_nobody_is_left_alone() {
    let mut run = Run::new(LinkRate::Given(GIGABIT));
    for stream in 0..500 {
        run.begin(stream, 20 << 20);
    }
    run.pass(3000);
    let whole = (0..500).filter(|stream| run.of(*stream) == 20 << 20).count();
    assert!(whole >= 14, "{whole} are done of 16 that the link carries in this time");
    let before = run.granted.clone();
    run.pass(u64::try_from(LOAD_SERVED_WITHIN_MAX.as_millis()).unwrap() + 100);
    for stream in 0..500 {
        let (was, is) = (before.get(&StreamId(stream)).copied().unwrap_or(0), run.of(stream));
        assert!(was == 20 << 20 || is >= was + 1500, "{stream} had {was} and has {is}");
    }
}

#[test]
fn a_machine_that_was_there_first_stays_first_with_its_next_file() {
    let mut run = Run::new(LinkRate::Given(GIGABIT));
    run.begin(1, 10 << 20);
    run.begin(2, 500 << 20);
    run.pass(100);
    run.tell(1, StreamNews::Ended);
    run.tell(101, StreamNews::Begun { peer: Ipv4Addr::new(10, 77, 0, 1), octets: 30 << 20 });
    let before = run.of(2);
    run.pass(150);
    assert!(run.of(101) > 10 * (run.of(2) - before), "{} and {}", run.of(101), run.of(2) - before);
}

#[test]
fn what_is_behind_a_relay_counts_on_both_links() {
    let net = vec![(Ipv4Addr::new(10, 77, 0, 0), 16)];
    let far = Link { reaches: net, behind: Some(0), ..Link::new(LinkRate::Given(GIGABIT)) };
    let mut run = Run::behind(vec![Link::new(LinkRate::Given(GIGABIT / 10)), far]);
    run.begin(1, 100 << 20);
    run.pass(1000);
    assert!(run.total() <= SECOND / 10 * 102 / 100, "{}", run.total());
    assert!(run.total() >= SECOND / 10 * 95 / 100, "{}", run.total());
}

#[test]
fn others_on_the_interface_count_and_what_leaves_late_does_not_count_twice() {
    let mut run = Run::new(LinkRate::Given(GIGABIT));
    run.begin(1, 1 << 40);
    let tick = GIGABIT / 8 / 20;
    let (mut seen, mut late) = (0, 0);
    for number in 0..40_u64 {
        run.pass(50);
        // What was granted leaves half a tick later, in turns.
        let ours = (run.total() - seen) * 1538 / 1448;
        seen = run.total();
        let held = if number % 2 == 0 { ours / 2 } else { 0 };
        let carried = ours + late - held;
        late = held;
        run.handle(Input::Carried { link: 0, octets: carried });
    }
    assert!(run.total() > 2 * SECOND * 95 / 100, "ours alone: {} of {}", run.total(), 2 * SECOND);
    let before = run.total();
    for _ in 0..20 {
        run.pass(50);
        let ours = (run.total() - seen) * 1538 / 1448;
        seen = run.total();
        run.handle(Input::Carried { link: 0, octets: ours + tick / 2 });
    }
    let got = run.total() - before;
    assert!((SECOND * 45 / 100..SECOND * 56 / 100).contains(&got), "half is others': {got}");
}

#[test]
fn what_ends_leaves_nothing() {
    let mut run = Run::new(LinkRate::Given(GIGABIT / 100));
    let left = |run: &Run| {
        let State { lanes, streams, timers, seniority, images, .. } = &run.transfers.state;
        let lane = (lanes[0].expected_octets(0), lanes[0].is_wanted(), lanes[0].regime());
        // The order of machines goes on, and nobody is remembered for it.
        let streams = (&streams.by_id, streams.endless, streams.are_rationed);
        format!("{lane:?} {streams:?} {timers:?} {:?} {images:?}", seniority.next())
    };
    let fresh = left(&run);
    for stream in 0..50 {
        run.begin(stream, 1 << 20);
    }
    run.pass(300);
    assert_eq!(run.transfers.streams(), 50);
    run.told.clear();
    for stream in 0..50 {
        run.tell(stream, StreamNews::Ended);
    }
    assert_eq!((run.transfers.streams(), run.transfers.active()), (0, 0));
    // Reports of what has ended, and of what never was, are nobody's.
    let before = run.total();
    for news in [StreamNews::Wants, StreamNews::Delivered { octets: 9, resent: 9 }, StreamNews::Ended] {
        run.tell(7, news);
        run.tell(777, news);
    }
    assert_eq!(run.total(), before);
    run.pass(70_000);
    assert_eq!(run.transfers.next_wakeup(), None);
    assert_eq!(left(&run), fresh);
}

/// What is dripped is more than there ever are tokens for at once.
#[test]
fn the_slowest_link_carries_all_the_same() {
    for bits in [LOAD_RATE_MIN_BITS, 1_500_000, 2_000_000, 3_500_000] {
        for tftp in [false, true] {
            let mut run = Run::new(LinkRate::Given(bits));
            for stream in 0..3 {
                run.begin(stream, 100 << 20);
            }
            if tftp {
                run.load_by_tftp();
            }
            run.pass(10_000);
            for stream in 0..3 {
                assert!(run.of(stream) >= 5 * 1500, "{bits}: {stream} has {}", run.of(stream));
            }
            assert!(!tftp || run.blocks >= 5, "{bits}: {}", run.blocks);
            let all = run.total() * 1538 / 1448 + run.blocks * 578;
            let share = all * 800 / bits / 10;
            assert!((94..=101).contains(&share), "{bits}: {share} of 100 parts of the link");
        }
    }
}

#[test]
fn new_links_take_the_streams_along() {
    let mut run = Run::new(LinkRate::Given(GIGABIT / 1000));
    for stream in 0..10 {
        run.begin(stream, 1 << 20);
    }
    run.pass(500);
    assert_eq!(run.regimes.last(), Some(&Regime::RoundRobin));
    run.handle(Input::Configure(vec![Link::new(LinkRate::Given(GIGABIT / 1000))]));
    assert_eq!(run.regimes.last(), Some(&Regime::RoundRobin), "they are the same");
    run.handle(Input::Configure(vec![Link::new(LinkRate::Given(GIGABIT))]));
    assert_eq!(run.regimes.last(), Some(&Regime::Paced), "whoever waits for this one is told");
    run.pass(200);
    assert_eq!(run.total(), 10 << 20);
}

/// Told of by [`Run`] as everything else is; what was asked of the caller.
fn outputs(run: &mut Run, stream: u64, news: StreamNews) -> Vec<Output> {
    let mut out = Vec::new();
    run.transfers.handle(run.now, Input::Stream { stream: StreamId(stream), news }, &mut out);
    out
}

#[test]
fn a_connection_without_an_end_asks_only_while_somebody_loads_a_file() {
    let mut run = Run::new(LinkRate::Given(GIGABIT));
    let nfs = Ipv4Addr::new(10, 77, 1, 1);
    let peer = Ipv4Addr::new(10, 77, 1, 2);
    let asks = StreamNews::Asks { peer: nfs, octets: 1 << 20 };
    // Nobody else: all of it at once, and nothing is remembered.
    let all = vec![Output::Grant { stream: StreamId(1), octets: 1 << 20 }];
    assert_eq!(outputs(&mut run, 1, asks), all);
    assert_eq!(run.transfers.streams(), 0);

    let out = outputs(&mut run, 2, StreamNews::Begun { peer, octets: 10 << 20 });
    assert_eq!(out[0], Output::Rationed(true));
    // The file's first piece took what may be sent at once, or leaves no more than a piece.
    let granted = |out: &[Output]| -> u64 {
        let of = |output: &Output| {
            let Output::Grant { stream: StreamId(1), octets } = output else { return 0 };
            *octets
        };
        out.iter().map(of).sum()
    };
    let out = outputs(&mut run, 1, asks);
    assert!(granted(&out) < 1 << 17, "{out:?}");
    assert_eq!(run.transfers.streams(), 2);

    // The file has ended: a second later what waits gets all that it asked for.
    let mut sum = granted(&out);
    outputs(&mut run, 2, StreamNews::Ended);
    let ended = run.now;
    let mut free_at = None;
    while free_at.is_none() && run.now.since(ended) < Duration::from_secs(3) {
        run.now = run.transfers.next_wakeup().expect("the tick goes on");
        let mut out = Vec::new();
        run.transfers.handle(run.now, Input::Wakeup, &mut out);
        sum += granted(&out);
        free_at = out.contains(&Output::Rationed(false)).then_some(run.now);
    }
    let free_after = free_at.expect("it ends").since(ended);
    assert!(free_after >= RATIONED_AFTER && free_after < RATIONED_AFTER + LOAD_TICK * 3, "{free_after:?}");
    assert_eq!(sum, 1 << 20);
    outputs(&mut run, 1, StreamNews::Ended);
    assert_eq!(run.transfers.streams(), 0);
}

#[test]
fn connections_without_an_end_leave_a_file_its_turn() {
    let mut run = Run::new(LinkRate::Given(GIGABIT));
    run.begin(500, 1 << 30);
    for id in 1..=200 {
        let peer = Ipv4Addr::from(0x0a4d_0000 + u32::try_from(id).unwrap());
        run.tell(id, StreamNews::Asks { peer, octets: 64 << 20 });
    }
    let before = run.granted.get(&StreamId(500)).copied().unwrap_or(0);
    run.pass(4000);
    let sum: u64 = run.granted.values().sum();
    let file = run.granted[&StreamId(500)] - before;
    // It was there first: it has most of the link, and the others are kept alive.
    assert!(file > sum / 2, "{file} of {sum}");
    assert!((1..=200).all(|id| run.granted.contains_key(&StreamId(id))));
    let carried = 4 * 125_000_000;
    assert!(sum < carried + (4 << 20) && sum > carried / 10 * 8, "{sum}");
}

/// A thousand machines hang in the middle of a file: their kernels take 64 kB each, and nobody reads it. Who comes then is served as if they were not there, whether the link's rate is known
/// or not: before this was told, he waited for minutes.
#[test]
fn who_reads_nothing_holds_up_nobody() {
    for rate in [LinkRate::Given(GIGABIT), LinkRate::Measured] {
        let mut run = Run::new(rate);
        run.room = Some(64 << 10);
        (0..1000).for_each(|stream| run.begin(stream, 16 << 20));
        run.pass(6000);
        run.room = None;
        run.begin(1000, 16 << 20);
        let before = run.now;
        while run.of(1000) < 16 << 20 {
            run.pass(10);
            assert!(run.now.since(before) < Duration::from_millis(1000), "{rate:?}: {}", run.of(1000));
        }
        // One of them reads on, and gets the rest.
        run.read_on(7);
        run.pass(2000);
        assert_eq!(run.of(7), 16 << 20, "{rate:?}");
    }
}

/// Nothing is known of the link yet when many come who read nothing. Their kernels acknowledge late, and ours repeats meanwhile: that they are full is said before that, at the first look, or who came
/// with them would wait for his 3 MB as long as on a link of some Mbit/s (3.5 s beside 50 of them, 46 s beside 1,333).
#[test]
fn who_reads_nothing_does_not_make_a_link_slow() {
    for (count, within) in [(50, Duration::from_millis(1500)), (1333, Duration::from_secs(4))] {
        let mut run = Run::new(LinkRate::Measured);
        run.room = Some(64 << 10);
        run.late = Some(Duration::ZERO);
        (0..count).for_each(|stream| run.begin(stream, 16 << 20));
        run.pass(100);
        run.load_by_tftp();
        let before = run.now;
        while run.blocks < 3_000_000 / 512 {
            run.pass(10);
            assert!(run.now.since(before) < within, "{count}: {}", run.blocks);
        }
    }
}
