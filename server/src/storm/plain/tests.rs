use super::*;

const MAC: Mac = Mac([2, 0, 0, 0, 0, 9]);
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 10, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

fn at(milliseconds: u64) -> Time {
    Time::from_nanoseconds(1_000_000_000) + Duration::from_millis(milliseconds)
}

struct Table {
    client: Client,
    now: u64,
}

impl Table {
    fn new(window_blocks: u16) -> Self {
        Self::with_waits(window_blocks, &[Duration::from_secs(3); 6])
    }

    fn with_waits(window_blocks: u16, waits: &[Duration]) -> Self {
        let wish = Wish { server: SERVER, file: "image".into(), window_blocks, waits: waits.into() };
        Self { client: Client::new(wish, MAC, ADDRESS), now: 0 }
    }

    fn input(&mut self, input: &Input<'_>) -> Vec<String> {
        let mut out = Vec::new();
        self.client.handle(at(self.now), input, &mut out);
        out.into_iter().map(shown).collect()
    }

    fn on(&mut self) -> Vec<String> {
        self.input(&Input::PowerOn)
    }

    fn from(&mut self, port: u16, payload: Payload) -> Vec<String> {
        let source = SocketAddrV4::new(SERVER, port);
        let destination = SocketAddrV4::new(ADDRESS, CLIENT_PORT);
        self.input(&Input::Frame(&Frame { from: Mac([9; 6]), to: MAC, source, destination, payload }))
    }

    fn data(&mut self, block: u16, octets: u16) -> Vec<String> {
        self.from(5000, Payload::Data { block, octets })
    }

    fn says(&mut self, octets: &[u8]) -> Vec<String> {
        self.from(5000, Payload::Octets(octets.to_vec()))
    }

    /// Sleeps until it wants to be woken.
    fn wake(&mut self) -> Vec<String> {
        let next = self.client.next_wakeup().unwrap();
        self.now = u64::try_from(next.since(at(0)).as_millis()).unwrap();
        self.input(&Input::Wakeup)
    }
}

fn shown(output: Output) -> String {
    match output {
        Output::Send(frame) => {
            assert_eq!((*frame.source.ip(), *frame.destination.ip(), frame.from), (ADDRESS, SERVER, MAC));
            match frame.payload {
                Payload::Octets(octets) => {
                    format!("{}: {}", frame.destination.port(), octets.escape_ascii())
                }
                Payload::Acknowledge(block) => format!("{}: ACK {block}", frame.destination.port()),
                Payload::Data { .. } | Payload::Segment { .. } | Payload::Received { .. } => {
                    panic!("a client sends no DATA")
                }
            }
        }
        Output::Told(told) => format!("{told:?}"),
        Output::Ask(ask) | Output::Fetch(ask) => panic!("{ask:?}"),
    }
}

#[test]
fn lock_step_from_request_to_the_last_block_and_the_last_block_again() {
    let mut table = Table::new(1);
    let asked = "69: \\x00\\x01image\\x00octet\\x00blksize\\x001468\\x00";
    assert_eq!(table.on(), ["Address(10.77.10.1)", "Stage(\"file\")", asked]);
    assert_eq!(table.says(b"\0\x06blksize\x001000\0"), ["5000: ACK 0"]);
    assert_eq!(table.data(1, 1000), ["FirstData", "5000: ACK 1"]);
    assert_eq!(table.data(2, 1000), ["5000: ACK 2"]);
    assert_eq!(table.data(2, 1000), ["5000: ACK 2"], "its ACK was lost");
    let end = ["5000: ACK 3", "File { name: \"image\", octets: 2000, block_octets: 1000 }", "Loaded"];
    assert_eq!(table.data(3, 0), end);
    assert_eq!(table.client.next_wakeup(), None);
    assert_eq!(table.data(3, 0), ["5000: ACK 3"]);
}

#[test]
fn windows_are_acknowledged_at_their_end_at_a_gap_once_and_at_the_end() {
    let mut table = Table::new(4);
    assert!(table.on()[2].ends_with("windowsize\\x004\\x00"));
    assert_eq!(table.says(b"\0\x06blksize\x001468\0windowsize\x004\0"), ["5000: ACK 0"]);
    for (block, octets, expected) in [
        (1, 1468, &["FirstData"][..]),
        (2, 1468, &[]),
        (3, 1468, &[]),
        (4, 1468, &["5000: ACK 4"]),
        (5, 1468, &[]),
        (7, 1468, &["5000: ACK 5"]),
        (8, 1468, &[]),
        (6, 1468, &[]),
        (7, 1468, &[]),
        (8, 1468, &[]),
        (9, 1468, &["5000: ACK 9"]),
        (3, 1468, &[]),
        (9, 1468, &["5000: ACK 9"]),
        (10, 100, &["5000: ACK 10", "File { name: \"image\", octets: 13312, block_octets: 1468 }", "Loaded"]),
    ] {
        assert_eq!(table.data(block, octets), expected, "block {block}");
    }
}

#[test]
fn a_server_without_options_sends_blocks_of_512_at_once() {
    let mut table = Table::new(16);
    table.on();
    assert_eq!(table.data(1, 512), ["FirstData", "5000: ACK 1"]);
    assert_eq!(table.data(2, 511).last().unwrap(), "Loaded");
}

#[test]
fn silence_is_waited_for_five_times() {
    let mut table = Table::new(1);
    table.on();
    for number in 1..=5 {
        let said = table.wake();
        assert_eq!((said[0].as_str(), said[1].starts_with("69: ")), ("Retry", true), "{number}");
        assert_eq!(table.now, number * 3000);
    }
    assert_eq!(table.wake(), ["Lost(\"the server is silent\")"]);
    assert_eq!((table.client.next_wakeup(), table.data(1, 512)), (None, vec![]));
}

/// As iPXE and PXELINUX, who wait longer each time, and give up after the last wait.
#[test]
fn silence_is_waited_for_as_long_as_was_asked() {
    let mut table = Table::with_waits(1, &[100, 200, 500].map(Duration::from_millis));
    table.on();
    for at in [100, 300] {
        assert_eq!((table.wake()[0].as_str(), table.now), ("Retry", at));
    }
    table.says(b"\0\x06blksize\x001468\0");
    for at in [400, 600] {
        assert_eq!((table.wake()[0].as_str(), table.now), ("Retry", at), "an answer starts them anew");
    }
    assert_eq!(table.wake(), ["Lost(\"the server is silent\")"]);
    assert_eq!(table.now, 1100);
}

#[test]
fn every_block_starts_its_patience_anew() {
    let mut table = Table::new(1);
    table.on();
    table.says(b"\0\x06blksize\x001468\0");
    for block in 1..20 {
        assert_eq!(table.wake()[0], "Retry");
        assert_eq!(table.data(block, 1468).last().unwrap(), &format!("5000: ACK {block}"));
    }
}

#[test]
fn what_another_port_says_ends_there_and_an_error_ends_all() {
    let mut table = Table::new(1);
    table.on();
    table.says(b"\0\x06blksize\x001468\0");
    let answer = table.from(5001, Payload::Octets(b"\0\x06blksize\x001468\0".to_vec()));
    assert_eq!(answer, ["5001: \\x00\\x05\\x00\\x05\\x00"]);
    assert_eq!(table.says(b"\0\x05\0\x01no such file\0"), ["Lost(\"the server says: no such file\")"]);
}

#[test]
fn numbers_begin_again_after_65535() {
    let mut table = Table::new(1);
    table.on();
    table.says(b"\0\x06blksize\x00512\0");
    for block in 1..=65_540_u32 {
        let wire = u16::try_from(block & 0xffff).unwrap();
        assert_eq!(table.data(wire, 512).last().unwrap(), &format!("5000: ACK {wire}"));
    }
}
