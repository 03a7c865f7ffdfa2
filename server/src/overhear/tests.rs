use super::*;
use crate::frame::{arp_answer, frame};
use std::net::{Ipv4Addr, SocketAddrV4};

const OTHER: Mac = Mac([2, 0, 0, 0, 0, 9]);

/// A frame from another server: from this port, with BOOTP's operation in its first octet.
fn reply(port: u16, operation: u8) -> Vec<u8> {
    let mut payload = vec![0; 300];
    payload[0] = operation;
    let source = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 9), port);
    let everybody = SocketAddrV4::new(Ipv4Addr::BROADCAST, 68);
    frame(OTHER, Mac::BROADCAST, source, everybody, &payload).unwrap()
}

/// The same, with so many words of options in the IP header.
fn with_options(frame: &[u8], words: u8) -> Vec<u8> {
    let (head, rest) = frame.split_at(34);
    let mut longer = [head, &vec![1; usize::from(words) * 4], rest].concat();
    longer[14] += words;
    let octets = u16::from_be_bytes([longer[16], longer[17]]) + 4 * u16::from(words);
    longer[16..18].copy_from_slice(&octets.to_be_bytes());
    longer
}

/// The kernel runs filters on every kind of socket.
#[test]
fn the_kernel_lets_through_what_servers_reply_and_nothing_else() {
    let (ours, theirs) = Socket::pair(Domain::UNIX, Type::DGRAM.nonblocking(), None).unwrap();
    ours.attach_filter(&only_server_replies()).unwrap();
    let changed = |place: usize, octet: u8| {
        let mut frame = reply(67, 2);
        frame[place] = octet;
        frame
    };
    for (what, frame, is_heard) in [
        ("a reply", reply(67, 2), true),
        ("a PXE server's reply", reply(4011, 2), true),
        ("a reply with options in its IP header", with_options(&reply(67, 2), 3), true),
        ("a reply that may not be fragmented", changed(20, 0x40), true),
        ("a relayed request", reply(67, 1), false),
        ("another port", reply(69, 2), false),
        ("another port, and options in the IP header", with_options(&reply(69, 2), 1), false),
        ("a later fragment", changed(21, 8), false),
        ("no UDP", changed(23, 6), false),
        ("no IPv4", changed(13, 6), false),
        ("ARP", arp_answer(OTHER, Ipv4Addr::LOCALHOST, OTHER, Ipv4Addr::LOCALHOST), false),
        ("less than a header", reply(67, 2)[..20].to_vec(), false),
    ] {
        // What the filter refuses looks sent to the sender, or as if nobody listened.
        let _ = theirs.send(&frame);
        let mut buffer = [0; 2048];
        let heard = (&ours).read(&mut buffer);
        assert_eq!(heard.is_ok(), is_heard, "{what}");
        if let Ok(octets) = heard {
            assert_eq!(octets, frame.len(), "{what} is heard whole");
        }
    }
}

#[test]
fn our_own_frames_are_nobody_elses() {
    let (theirs, socket) = Socket::pair(Domain::UNIX, Type::DGRAM.nonblocking(), None).unwrap();
    let frame = reply(67, 2);
    theirs.send(&frame).unwrap();
    let listener = Listener { socket, mac: OTHER };
    assert_eq!(listener.frames(), [] as [Vec<u8>; 0]);
    theirs.send(&frame).unwrap();
    let listener = Listener { mac: Mac([2, 0, 0, 0, 0, 1]), ..listener };
    assert_eq!(listener.frames(), std::slice::from_ref(&frame));
    assert_eq!(datagram(&frame).unwrap().source, "10.77.0.9:67".parse().unwrap());
}
