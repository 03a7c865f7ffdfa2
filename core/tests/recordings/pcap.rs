//! Reads recordings: libpcap's first format, little-endian, Ethernet, as tcpdump writes it here.

/// A UDP datagram of a recording.
pub(crate) struct Datagram<'a> {
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) payload: &'a [u8],
}

/// All UDP datagrams over IPv4, in order.
pub(crate) fn datagrams(recording: &[u8]) -> Vec<Datagram<'_>> {
    assert_eq!(recording[..4], [0xd4, 0xc3, 0xb2, 0xa1], "not a recording");
    assert_eq!(recording[20..24], [1, 0, 0, 0], "not Ethernet");
    let mut rest = &recording[24..];
    let mut all = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<16>() {
        let captured = u32::from_le_bytes([head[8], head[9], head[10], head[11]]) as usize;
        let (frame, after) = after.split_at(captured);
        rest = after;
        all.extend(udp(frame));
    }
    all
}

fn udp(frame: &[u8]) -> Option<Datagram<'_>> {
    let packet = frame.strip_prefix(&frame[..12])?.strip_prefix(&[8, 0])?;
    let header = usize::from(packet.first()? & 15) * 4;
    let datagram = packet.get(header..).filter(|_| packet[9] == 17)?;
    let number = |at: usize| u16::from_be_bytes([datagram[at], datagram[at + 1]]);
    let payload = datagram.get(8..usize::from(number(4)))?;
    Some(Datagram { source_port: number(0), destination_port: number(2), payload })
}
