use super::*;
use nix::sys::socket::{setsockopt, sockopt};
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

fn socket() -> (UdpSocket, SocketAddrV4) {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    setsockopt(&socket, sockopt::Ipv4PacketInfo, &true).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
}

/// Sends datagrams to one peer. How many left.
fn send(
    socket: BorrowedFd<'_>,
    local: Ipv4Addr,
    peer: SocketAddrV4,
    datagrams: &[[&[u8]; 3]],
) -> io::Result<usize> {
    let mut outbox = Outbox::new();
    let mut batch = outbox.batch();
    for datagram in datagrams {
        assert!(batch.add((Some(local), peer), None, datagram.iter().copied()));
    }
    batch.send(socket, 0)
}

fn receive(inbox: &mut Inbox, socket: &UdpSocket) -> usize {
    let give_up = Instant::now() + Duration::from_secs(2);
    loop {
        let count = inbox.receive(socket.as_fd()).unwrap();
        if count > 0 || Instant::now() > give_up {
            return count;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_datagram_tells_where_it_was_sent_and_the_answer_leaves_from_there() {
    let (ours, _) = socket();
    let (client, client_address) = socket();
    let asked = Ipv4Addr::new(127, 0, 0, 2);
    client.send_to(b"hello", (asked, ours.local_addr().unwrap().port())).unwrap();

    let mut inbox = Inbox::new();
    assert_eq!(receive(&mut inbox, &ours), 1);
    let (envelope, payload) = inbox.datagrams().next().unwrap();
    assert_eq!(payload, b"hello");
    assert_eq!((envelope.destination, envelope.local), (asked, asked));
    assert_eq!(envelope.source, client_address);
    assert_eq!(envelope.interface, nix::net::if_::if_nametoindex("lo").unwrap());

    assert_eq!(send(ours.as_fd(), asked, client_address, &[[b"an", b"sw", b"er"]]).unwrap(), 1);
    assert_eq!(receive(&mut inbox, &client), 1);
    let (envelope, payload) = inbox.datagrams().next().unwrap();
    assert_eq!(payload, b"answer");
    assert_eq!(*envelope.source.ip(), asked, "answered from another address than the one asked");
}

#[test]
fn a_batch_keeps_its_order_and_its_lengths() {
    let (ours, address) = socket();
    let (client, client_address) = socket();
    let payloads: Vec<Vec<u8>> = (0..40_u8).map(|n| vec![n; usize::from(n) * 30]).collect();
    let datagrams: Vec<[&[u8]; 3]> = payloads.iter().map(|p| [p.as_slice(), &[], &[]]).collect();
    assert_eq!(send(client.as_fd(), Ipv4Addr::LOCALHOST, address, &datagrams).unwrap(), 40);

    let mut inbox = Inbox::new();
    let mut received = Vec::new();
    while received.len() < 40 {
        assert!(receive(&mut inbox, &ours) > 0, "only {} came", received.len());
        for (envelope, payload) in inbox.datagrams() {
            assert_eq!((envelope.source, envelope.local), (client_address, Ipv4Addr::LOCALHOST));
            received.push(payload.to_vec());
        }
    }
    assert_eq!(received, payloads);
}

#[test]
fn nothing_there_is_no_error() {
    let (ours, _) = socket();
    let mut inbox = Inbox::new();
    assert_eq!(inbox.receive(ours.as_fd()).unwrap(), 0);
    assert_eq!(inbox.datagrams().count(), 0);
}

#[test]
fn the_largest_datagram_comes_whole() {
    let (ours, address) = socket();
    let (client, _) = socket();
    let payload = vec![7; PAYLOAD_OCTETS_MAX];
    client.send_to(&payload, address).unwrap();
    let mut inbox = Inbox::new();
    assert_eq!(receive(&mut inbox, &ours), 1);
    assert_eq!(inbox.datagrams().next().unwrap().1, payload);
}

#[test]
fn what_a_full_socket_dropped_is_told() {
    let (ours, address) = socket();
    setsockopt(&ours, sockopt::RcvBuf, &4096).unwrap();
    let (client, _) = socket();
    for _ in 0..100 {
        client.send_to(&[0; 1000], address).unwrap();
    }
    let mut inbox = Inbox::new();
    let mut taken = 0;
    assert!(dropped(ours.as_fd()) > 0, "it is told before anything is taken");
    while inbox.receive(ours.as_fd()).unwrap() > 0 {
        taken += inbox.datagrams().count();
    }
    assert_eq!(dropped(ours.as_fd()), 100 - taken as u64);
}

#[test]
fn a_train_is_cut_into_datagrams() {
    let (ours, address) = socket();
    let (server, _) = socket();
    let (mut inbox, mut outbox) = (Inbox::new(), Outbox::new());
    // With and without a word of where it comes from.
    for local in [Some(Ipv4Addr::LOCALHOST), None] {
        let mut batch = outbox.batch();
        let pieces: [&[u8]; 5] = [b"he", b"ad", &[1; 6], &[2; 10], &[3; 4]];
        assert!(batch.add((local, address), Some(10), pieces.into_iter()));
        assert!(batch.add((local, address), None, [b"alone".as_slice()].into_iter()));
        assert_eq!(batch.send(server.as_fd(), 0).unwrap(), 2);
        let mut received = Vec::new();
        while received.len() < 4 {
            assert!(receive(&mut inbox, &ours) > 0, "only {} came", received.len());
            received.extend(inbox.datagrams().map(|(_, payload)| payload.to_vec()));
        }
        let expected: [&[u8]; 4] = [b"head\x01\x01\x01\x01\x01\x01", &[2; 10], &[3; 4], b"alone"];
        assert_eq!(received, expected, "{local:?}");
    }
}

#[test]
fn a_batch_is_full_before_it_grows() {
    let (_, address) = socket();
    let mut outbox = Outbox::new();
    let mut batch = outbox.batch();
    let to = (Some(Ipv4Addr::LOCALHOST), address);
    let added = (0..2 * BATCH).filter(|_| batch.add(to, None, [b"x".as_slice()].into_iter())).count();
    assert_eq!(added, BATCH);
    let mut batch = outbox.batch();
    let octets = vec![0; PAYLOAD_OCTETS_MAX];
    let longest = || octets.chunks(1000);
    assert!(batch.add(to, Some(1000), longest()), "the longest train fits an empty batch");
    let added = 1 + (0..BATCH).filter(|_| batch.add(to, Some(1000), longest())).count();
    assert!((2..BATCH).contains(&added), "{added} of them fit, and no more");
    let alone: &[u8] = &octets;
    assert!(!batch.add(to, None, [alone].into_iter()), "nor does one piece");
}

#[test]
fn batches_of_a_bound_socket_of_either_family_know_their_peers() {
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let ours = UdpSocket::bind(local).unwrap();
        let clients: Vec<UdpSocket> = (0..3).map(|_| UdpSocket::bind(local).unwrap()).collect();
        for (client, octet) in clients.iter().zip(b"abc") {
            client.send_to(&[*octet], ours.local_addr().unwrap()).unwrap();
        }
        let (mut inbox, mut outbox, mut heard) = (Inbox::new(), Outbox::new(), Vec::new());
        while heard.len() < clients.len() {
            assert_ne!(receive(&mut inbox, &ours), 0, "{local}");
            heard.extend(inbox.senders().map(|(from, payload)| (from, payload.to_vec())));
        }
        let mut batch = outbox.batch();
        for (from, payload) in &heard {
            assert!(batch.add_from_bound(*from, [payload.as_slice(), b"!"].into_iter()));
        }
        assert_eq!(batch.send(ours.as_fd(), 0).unwrap(), 3);
        for (client, octet) in clients.iter().zip(b"abc") {
            let mut room = [0; 9];
            let (octets, from) = client.recv_from(&mut room).unwrap();
            assert_eq!((&room[..octets], from), (&[*octet, b'!'][..], ours.local_addr().unwrap()));
        }
    }
}

/// A peer that reads nothing takes what its kernel has room for, and then nothing.
#[test]
fn a_peer_that_reads_nothing_stands_still() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut socket, _) = listener.accept().unwrap();
    assert!(!stands_still(socket.as_fd(), false, &Taking::default()), "nothing is to be sent");
    socket.set_nonblocking(true).unwrap();
    let mut wait_until = |stands: bool, peer: &mut std::net::TcpStream| {
        let give_up = Instant::now() + Duration::from_secs(10);
        while stands_still(socket.as_fd(), false, &Taking::default()) != stands {
            assert!(Instant::now() < give_up);
            if stands {
                let _ = io::Write::write(&mut socket, &[0; 1 << 20]);
            } else {
                let _ = io::Read::read(peer, &mut [0; 1 << 20]);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    wait_until(true, &mut peer);
    wait_until(false, &mut peer);
}

/// A kernel whose program reads nothing, as Linux 6.18 was seen to take 8 kB every 5 ms (segments of 1,448): what it acknowledged, its window, what is under way.
#[test]
fn who_reads_nothing_is_known_before_all_is_acknowledged() {
    let taking = |(acknowledged, window)| Taking {
        resent: 0,
        acknowledged,
        window,
        window_most: 98_304,
        segment_octets: 1448,
    };
    for (told, under_way, fills_up) in [
        // From the first octets on its room grows less.
        ((16_384, 98_304), 0, false),
        ((57_344, 64_512), 0, false),
        // It acknowledges late now: there is room for more.
        ((57_344, 64_512), 40_028, false),
        ((106_080, 20_480), 7_656, false),
        // There is none: 15 ms before this is acknowledged, and 60 ms before all is.
        ((106_080, 20_480), 19_240, true),
        ((125_320, 2_048), 2_048, true),
        ((127_368, 0), 0, true),
        // A slow link, or a program that reads with little room: what it has stays as it was.
        ((106_080, 98_304), 98_304, false),
        ((106_080, 49_152), 49_152, false),
        // Who has read, and stops for a moment.
        ((1 << 20, 2_048), 2_048, false),
        // A kernel that does not tell of windows.
        ((106_080, u32::MAX), 1 << 20, false),
    ] {
        assert_eq!(taking(told).fills_up(under_way), fills_up, "{told:?} {under_way}");
    }
}

#[test]
fn a_kernel_tells_how_a_peer_takes_what_is_sent() {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let began = taking(server.as_fd()).unwrap();
    assert!(began.window > 0 && began.segment_octets > 0, "{began:?}");
    io::Write::write_all(&mut server, &[7; 1000]).unwrap();
    io::Read::read_exact(&mut client, &mut [0; 1000]).unwrap();
    let give_up = Instant::now() + Duration::from_secs(10);
    while began.again(server.as_fd()).acknowledged < 1000 {
        assert!(Instant::now() < give_up);
        std::thread::sleep(Duration::from_millis(1));
    }
    // Nobody reads: until nothing more is taken, and then it stands still.
    server.set_nonblocking(true).unwrap();
    let mut now = began;
    while !(now.window < now.window_most / 2 && stands_still(server.as_fd(), true, &now)) {
        assert!(Instant::now() < give_up, "{now:?}");
        let _ = io::Write::write(&mut server, &[7; 8192]);
        std::thread::sleep(Duration::from_millis(1));
        now = now.again(server.as_fd());
    }
}
