use super::*;
use heorot_core::limit::CHUNK_OCTETS;
use heorot_core::transfer::{Block, Body, ImageId, Port, TransferId, Unsent};
use socket2::{Domain, Socket, Type};
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::Ordering;

const BLOCK_OCTETS: u16 = 512;
const PATIENCE: Duration = Duration::from_secs(5);

/// The loop's socket.
fn way() -> Way {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM.nonblocking().cloexec(), None).unwrap();
    socket.bind(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    (Arc::new(socket), true)
}

/// So many of them, of a loop that has no time.
fn saturated(count: usize) -> Senders {
    let senders = Senders::start(count, vec![way(), way()], &Bell::new().unwrap()).unwrap();
    Senders { is_saturated: true, ..senders }
}

/// A queue that nobody empties but the test.
fn without_thread() -> (Senders, Worker) {
    let senders = Senders::start(0, Vec::new(), &Bell::new().unwrap()).unwrap();
    let line = Arc::<Line>::default();
    let worker = Worker {
        line: Arc::clone(&line),
        ways: vec![way()].into(),
        news: Arc::clone(&senders.news),
        cuts_trains: senders.cuts_trains(),
    };
    (Senders { lines: vec![line], gathered: vec![Jobs::default()], ..senders }, worker)
}

fn client() -> (UdpSocket, SocketAddrV4) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let std::net::SocketAddr::V4(address) = socket.local_addr().unwrap() else { unreachable!() };
    (socket, address)
}

fn train(transfer: u64, peer: SocketAddrV4, first: u64, count: u16, size: u64) -> Send {
    let body = Body::Train(Block { image: ImageId(1), first, count, block_octets: BLOCK_OCTETS, size });
    Send { transfer: Some(TransferId(transfer)), port: Port::Data(0), local: Ipv4Addr::LOCALHOST, peer, body }
}

/// The next block that came: its number and its octets.
fn block(socket: &UdpSocket) -> (u16, Vec<u8>) {
    let mut room = [0; 2048];
    let length = socket.recv(&mut room).expect("a block comes");
    let [0, 3, high, low, octets @ ..] = &room[..length] else { panic!("no DATA packet") };
    (u16::from_be_bytes([*high, *low]), octets.to_vec())
}

/// What the senders say, once they have said so much.
fn news(senders: &Senders, count: usize) -> Vec<News> {
    let give_up = std::time::Instant::now() + PATIENCE;
    let mut news = Vec::new();
    while news.len() < count {
        assert!(std::time::Instant::now() < give_up, "they say {news:?} alone");
        std::thread::sleep(Duration::from_millis(1));
        news.append(&mut senders.news());
    }
    news
}

#[test]
fn the_order_of_each_peer_is_kept() {
    const BLOCKS: u64 = 100;
    let mut senders = saturated(3);
    let clients: Vec<_> = (0..20).map(|_| client()).collect();
    let octets: Arc<[u8]> = vec![7; usize::from(BLOCK_OCTETS) * 100].into();
    for first in 1..=BLOCKS {
        for (transfer, (_, peer)) in (0..).zip(&clients) {
            let send = train(transfer, *peer, first, 1, octets.len() as u64 + 1);
            // By two sockets: runs of jobs by the same one are short.
            senders.gather((transfer % 2) as usize, send, Retained::Whole(Arc::clone(&octets)));
        }
        senders.hand_over();
    }
    for (client, _) in &clients {
        let numbers: Vec<u64> = (0..BLOCKS).map(|_| block(client).0.into()).collect();
        assert_eq!(numbers, (1..=BLOCKS).collect::<Vec<_>>());
    }
    let used: std::collections::BTreeSet<usize> =
        clients.iter().map(|(_, peer)| senders.place_of(*peer)).collect();
    assert!(used.len() > 1, "all clients have the same sender");
    let lines = senders.lines.clone();
    senders.end();
    let datagrams: u64 = lines.iter().map(|line| line.sent().0).sum();
    assert_eq!(datagrams, 20 * BLOCKS);
    assert!(lines.iter().all(|line| line.unfinished() == 0));
}

#[test]
fn octets_are_right_across_the_border_of_chunks_whoever_cuts() {
    let image: Vec<u8> = (0..2 * CHUNK_OCTETS as usize + 700).map(|place| (place / 7 % 251) as u8).collect();
    let mut chunks = image.chunks(CHUNK_OCTETS as usize).map(Arc::<[u8]>::from);
    let (first, further) = (chunks.next().unwrap(), chunks.collect::<Vec<_>>());
    let kept = || Retained::Chunks { number: 0, first: Arc::clone(&first), further: further.clone() };
    let per_chunk = CHUNK_OCTETS / u64::from(BLOCK_OCTETS);
    for cuts_trains in [true, false] {
        let mut senders = saturated(1);
        senders.cuts_trains.store(cuts_trains, Ordering::Relaxed);
        let (client, peer) = client();
        // Blocks on both sides of the first border, and the file's end behind the second.
        for (first, count) in [(per_chunk - 2, 5), (2 * per_chunk, 3)] {
            senders.gather(0, train(1, peer, first, count, image.len() as u64), kept());
            senders.hand_over();
            for number in first..first + u64::from(count) {
                let start = (number as usize - 1) * usize::from(BLOCK_OCTETS);
                let end = image.len().min(start + usize::from(BLOCK_OCTETS));
                assert_eq!(block(&client), (number as u16, image[start..end].to_vec()), "{cuts_trains}");
            }
        }
        let lines = senders.lines.clone();
        senders.end();
        let octets = 8 * (4 + u64::from(BLOCK_OCTETS)) - u64::from(BLOCK_OCTETS) + 188;
        assert_eq!(lines[0].sent(), (8, octets), "the last block is short");
    }
}

#[test]
fn what_does_not_leave_is_reported_and_the_others_leave() {
    let mut senders = saturated(1);
    let (client, peer) = client();
    let octets: Arc<[u8]> = vec![7; 4096].into();
    let whole = || Retained::Whole(Arc::clone(&octets));
    // Nobody said that a broadcast is wanted, EACCES, as a firewall says it: it is lost, and the journal is told why.
    let everybody = SocketAddrV4::new(Ipv4Addr::new(127, 255, 255, 255), 2070);
    // Nothing leaves from a loopback address for anywhere else, ENETUNREACH or EINVAL as routes are: lost too.
    let nowhere = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 2070);
    senders.gather(0, train(1, peer, 1, 2, 4096), whole());
    senders.gather(0, train(2, everybody, 3, 2, 4096), whole());
    senders.gather(0, train(4, nowhere, 3, 2, 4096), whole());
    senders.gather(0, train(1, peer, 3, 2, 4096), whole());
    // What was kept of it is not what it names: as good as not in memory.
    senders.gather(0, train(3, peer, 5, 2, 4096), Retained::Nothing);
    senders.hand_over();
    assert_eq!((0..4).map(|_| block(&client).0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let (mut unsent, mut complaints) = (Vec::new(), 0);
    for news in news(&senders, 2) {
        match news {
            News::Unsent(failed) => unsent.push(failed),
            News::Complaint(_) => complaints += 1,
        }
    }
    let expected = [(TransferId(3), 5, Unsent::NotInMemory)];
    assert_eq!((unsent.as_slice(), complaints), (expected.as_slice(), 1));
    assert_eq!(senders.newly_sent(), (4, 4 * 516));
    assert_eq!(senders.newly_sent(), (0, 0));
    senders.end();
}

#[test]
fn what_was_handed_over_leaves_before_the_end() {
    let mut senders = saturated(2);
    let clients: Vec<_> = (0..8).map(|_| client()).collect();
    let octets: Arc<[u8]> = vec![7; 64 * 512].into();
    for first in (1..=64).step_by(16) {
        for (_, peer) in &clients {
            senders.gather(0, train(1, *peer, first, 16, 64 * 512 + 1), Retained::Whole(Arc::clone(&octets)));
        }
    }
    senders.hand_over();
    senders.end();
    for (client, _) in &clients {
        client.set_nonblocking(true).unwrap();
        assert_eq!((0..64).map(|_| block(client).0).collect::<Vec<_>>(), (1..=64).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_late_at_the_end_does_not_leave() {
    let (mut senders, worker) = without_thread();
    let (client, peer) = client();
    senders.gather(0, train(1, peer, 1, 1, 512), Retained::Whole(vec![7; 512].into()));
    senders.hand_over();
    senders.lines[0].end(clock::now());
    worker.run();
    client.set_nonblocking(true).unwrap();
    assert!(client.recv(&mut [0; 1]).is_err());
}

#[test]
fn the_loop_overtakes_nothing_that_it_has_handed_over() {
    let (mut senders, worker) = without_thread();
    let (client, peer) = client();
    assert!(!senders.are_at_work() && !senders.are_for(peer));
    senders.is_saturated = true;
    assert!(senders.are_at_work() && senders.are_for(peer));
    senders.gather(0, train(1, peer, 1, 1, 512), Retained::Whole(vec![7; 512].into()));
    senders.is_saturated = false;
    assert!(senders.are_for(peer), "before it is handed over");
    senders.hand_over();
    assert!(senders.are_at_work() && senders.are_for(peer), "as long as it is in the queue");
    senders.lines[0].end(clock::now() + PATIENCE);
    worker.run();
    assert!(!senders.are_for(peer) && !senders.are_at_work());
    assert_eq!(block(&client).0, 1);
}

#[test]
fn a_sender_that_stands_still_is_given_no_more_than_it_may_hold() {
    let (mut senders, _worker) = without_thread();
    let (_client, peer) = client();
    for _ in 0..QUEUED_MAX {
        assert!(senders.has_room(peer));
        senders.gather(0, train(1, peer, 1, 1, 0), Retained::Nothing);
        if senders.gathered[0].len() > 1000 {
            senders.hand_over();
        }
    }
    assert!(!senders.has_room(peer));
}

#[test]
fn they_are_used_while_the_loop_has_no_time_to_sleep() {
    let (mut senders, _worker) = without_thread();
    let mut now = clock::now();
    senders.tick_begun = now;
    // Ten turns of 5 ms in each tick, of which it slept so much; what epoll takes is no sleep.
    let mut ticks = |senders: &mut Senders, slept, count| {
        let mut over = 0;
        for _ in 0..10 * count {
            now = now + Duration::from_millis(5);
            over += u32::from(senders.slept(now, slept));
        }
        assert_eq!(over, count);
        senders.are_at_work()
    };
    assert!(!ticks(&mut senders, Duration::from_micros(500), 10));
    assert!(!ticks(&mut senders, NO_SLEEP, 2));
    assert!(ticks(&mut senders, NO_SLEEP, 1));
    assert!(ticks(&mut senders, Duration::from_millis(1), 20));
    assert!(!ticks(&mut senders, Duration::from_millis(4), 10));
}

#[test]
fn without_threads_nothing_is_measured_or_handed_over() {
    let mut senders = Senders::start(0, Vec::new(), &Bell::new().unwrap()).unwrap();
    assert!(!senders.slept(clock::now() + PATIENCE, Duration::ZERO) && !senders.are_at_work());
    assert_eq!(senders.sent(), (0, 0));
    senders.end();
}
