use super::*;

/// The kernel runs filters on every kind of socket.
#[test]
fn the_kernel_lets_our_replies_through_and_nothing_else() {
    let (ours, theirs) = Socket::pair(Domain::UNIX, Type::DGRAM.nonblocking(), None).unwrap();
    ours.attach_filter(&only_replies(0x1234)).unwrap();
    let from = Ipv4Addr::new(10, 88, 200, 3);
    let packet = |words: u8, kind, identifier| {
        let mut header = vec![0; usize::from(words) * 4];
        header[0] = 0x40 | words;
        header[12..16].copy_from_slice(&from.octets());
        [header, frame::icmp_echo(kind, identifier, 7)].concat()
    };
    for (what, packet, expected) in [
        ("a reply", packet(5, 0, 0x1234), Some(from)),
        ("a reply with options", packet(7, 0, 0x1234), Some(from)),
        ("a request", packet(5, ECHO_REQUEST, 0x1234), None),
        ("somebody else's reply", packet(5, 0, 0x1235), None),
        ("a cut one", packet(5, 0, 0x1234)[..24].to_vec(), None),
    ] {
        let _ = theirs.send(&packet);
        let mut buffer = [0; 128];
        let heard = (&ours).read(&mut buffer).ok().and_then(|octets| source(&buffer[..octets]));
        assert_eq!(heard, expected, "{what}");
    }
}

/// RFC 792: the ones' complement sum over a message with its check sum is all ones.
#[test]
fn a_request_has_its_check_sum() {
    let request = frame::icmp_echo(ECHO_REQUEST, 0xfffe, 3);
    let words = request.chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum: u32 = words.sum();
    assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
    assert_eq!(request[..2], [8, 0]);
    assert_eq!(request[4..], [0xff, 0xfe, 0, 3]);
}
