use super::*;
use crate::clock;
use crate::images::Wanted;
use crate::testing;
use crate::wake::{Bell, line};
use heorot_core::limit::{CHUNK_OCTETS, LOAD_TICK};
use heorot_core::transfer::{ImageId, Opened};
use heorot_core::wire::tftp::Mode;
use socket2::{Domain, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

const PEER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9);
const BLOCK_OCTETS: u16 = 1000;

fn next(images: &mut Images) -> Input<'static> {
    let give_up = Instant::now() + Duration::from_secs(5);
    loop {
        if let Some(input) = images.take() {
            return input;
        }
        assert!(Instant::now() < give_up, "the threads say nothing");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn send(image: ImageId, size: u64, first: u64, count: u16) -> Send {
    let body = Body::Train(Block { image, first, count, block_octets: BLOCK_OCTETS, size });
    Send { transfer: Some(TransferId(1)), port: Port::Data(0), local: Ipv4Addr::LOCALHOST, peer: PEER, body }
}

/// Trains are cut off before what is not in memory, and what is kept of them stays when the image is closed.
#[test]
fn a_train_is_kept_as_far_as_it_is_in_memory() {
    let directory = testing::directory("senders");
    let size = 2 * CHUNK_OCTETS + 10;
    std::fs::write(directory.path().join("image"), vec![7; size as usize]).unwrap();
    let (caller, results) = line(&Bell::new().unwrap(), 8);
    let mut images = Images::start(testing::boot_files(&directory), caller, results).unwrap();
    let paths = vec!["image".to_owned()];
    let wanted = Wanted { paths, case_fold: false, mode: Mode::Octet, from: Ipv4Addr::LOCALHOST };
    images.open(TransferId(1), wanted);
    let Input::Opened { result: Ok(Opened { image, .. }), .. } = next(&mut images) else { panic!() };
    assert!(images.fetch(image, 0).is_none() && matches!(next(&mut images), Input::Fetched { .. }));
    let text = images.open_text(&"x".repeat(2500), Mode::Octet);

    // Block 263 has the chunk's last 144 octets and what follows. A whole number of blocks ends with an empty one.
    let mut kept = Vec::new();
    for (mut send, count, missing) in [
        (send(image, size, 1, 4), 4, None),
        (send(image, size, 260, 4), 3, Some(263)),
        (send(image, size, 263, 2), 0, Some(263)),
        (send(image, size, 300, 2), 0, Some(300)),
        (send(text.image, 2500, 1, 3), 3, None),
        (send(ImageId(99), 2000, 3, 1), 1, None),
    ] {
        let told = format!("{send:?}");
        let (octets, block) = keep(&images, &mut send);
        let Body::Train(train) = send.body else { panic!() };
        assert_eq!((train.count, block), (count, missing), "{told}");
        kept.push(octets);
    }
    let packet = Body::Packet(vec![0, 6]);
    assert_eq!(keep(&images, &mut Send { body: packet, ..send(image, 0, 0, 0) }).1, None);

    images.close(image);
    images.close(text.image);
    assert_eq!(images.octets(image, 0..4), None);
    assert_eq!(kept[0].octets(0..4), Some([&[7, 7, 7, 7][..], &[]]));
    assert_eq!(kept[4].octets(2498..2500), Some([b"xx".as_slice(), &[]]));
}

#[test]
fn the_loop_hands_over_what_it_has_no_time_for_and_else_nothing() {
    let directory = testing::directory("senders");
    let (caller, results) = line(&Bell::new().unwrap(), 8);
    let mut images = Images::start(testing::boot_files(&directory), caller, results).unwrap();
    let text = images.open_text(&"x".repeat(2500), Mode::Octet);
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let SocketAddr::V4(peer) = client.local_addr().unwrap() else { unreachable!() };
    let socket = Socket::new(Domain::IPV4, Type::DGRAM.nonblocking().cloexec(), None).unwrap();
    let mut senders = Senders::start(1, vec![(Arc::new(socket), false)], &Bell::new().unwrap()).unwrap();
    let hand_over = |senders: &mut Senders| {
        let here = |send| Send { peer, ..send };
        let mut sends = vec![here(send(text.image, 2500, 1, 3)), here(send(ImageId(99), 2500, 2, 1))];
        let mut failed = Vec::new();
        hand_over(0, &mut sends, &images, senders, &mut failed);
        (sends.len(), failed)
    };
    assert_eq!(hand_over(&mut senders), (2, vec![]));

    let mut now = clock::now();
    for _ in 0..3 {
        now = now + LOAD_TICK;
        assert!(senders.slept(now, Duration::ZERO));
    }
    assert!(senders.are_at_work());
    assert_eq!(hand_over(&mut senders), (0, vec![(TransferId(1), 2, Unsent::NotInMemory)]));
    let mut room = [0; 1100];
    for (number, octets) in [(1, 1000), (2, 1000), (3, 500)] {
        assert_eq!(client.recv(&mut room).unwrap(), 4 + octets);
        assert_eq!(room[..5], [0, 3, 0, number, b'x']);
    }

    senders.slept(now + 100 * LOAD_TICK, 100 * LOAD_TICK);
    let give_up = Instant::now() + Duration::from_secs(5);
    while senders.are_at_work() {
        assert!(Instant::now() < give_up, "its sender has something left");
    }
    assert_eq!(hand_over(&mut senders), (2, vec![]));
    assert_eq!(senders.sent(), (3, 2500 + 3 * 4));
}
