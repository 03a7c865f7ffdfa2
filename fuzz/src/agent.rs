//! Any octets to the agent, which is a node's first process: if it panics, so does the kernel.

use heorot_agent::{cmdline::Cmdline, dhcp, frame, http, resolve};

/// Nothing panics, and what is read lies within what came.
pub fn agent_read(bytes: &[u8]) {
    for octets in [bytes.to_vec(), behind_headers(bytes)] {
        if let Some(datagram) = frame::Datagram::parse(&octets) {
            assert!(datagram.payload.len() <= octets.len());
            let _ = dhcp::Reply::parse(datagram.payload);
        }
        let _ = frame::Arp::parse(&octets);
    }
    let _ = (dhcp::Reply::parse(bytes), dhcp::Reply::parse(&behind_cookie(bytes)));
    if let Ok(answer) = http::read_answer(bytes) {
        assert!(answer.body.len() <= bytes.len());
    }
    if let Some(question) = resolve::question("storage.cluster", 7) {
        // As an answer with as many records as it has room to say.
        let mut answer = question.clone();
        (answer[2], answer[7]) = (0x80, 0xff);
        answer.extend(bytes);
        let _ = (resolve::answered(&answer, &question), resolve::answered(bytes, &question));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = (Cmdline::parse(text), text.parse::<http::Url>());
    }
}

/// The octets as a UDP datagram's header and what follows it, behind headers that are right but for their check sums.
fn behind_headers(bytes: &[u8]) -> Vec<u8> {
    let mut octets = vec![2; 12];
    octets.extend([8, 0, 0x45, 0]);
    octets.extend(u16::try_from(bytes.len() + 20).unwrap_or(u16::MAX).to_be_bytes());
    octets.extend([0, 0, 0, 0, 64, 17, 0, 0, 10, 77, 0, 1, 10, 77, 0, 9]);
    octets.extend(bytes);
    octets
}

/// The octets as the options of a server's packet.
fn behind_cookie(bytes: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 240];
    packet[..3].copy_from_slice(&[2, 1, 6]);
    packet[236..].copy_from_slice(&[99, 130, 83, 99]);
    packet.extend(bytes);
    packet
}
