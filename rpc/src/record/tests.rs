use super::*;

const CALL_OCTETS_MAX: usize = 4096;

fn fragment(mark: u32, data: &[u8]) -> Vec<u8> {
    [&mark.to_be_bytes(), data].concat()
}

/// All messages of a stream that is read in pieces of so many octets; `Err` ends it.
fn read(stream: &[u8], piece: usize) -> Result<Vec<Vec<u8>>, TooLong> {
    let (mut records, mut found, mut rest) = (Records::new(CALL_OCTETS_MAX), Vec::new(), stream);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(piece.min(rest.len()).min(records.room()));
        assert!(!now.is_empty(), "there is room, or an error");
        records.push(now);
        rest = later;
        while let Some(message) = records.next_message()? {
            found.push(message);
        }
    }
    Ok(found)
}

#[test]
fn messages_are_found_however_the_stream_is_cut() {
    let stream = [
        mark(b"whole", true),
        fragment(2, b"in"),
        fragment(0, b""),
        fragment(LAST | 7, b" pieces"),
        mark(b"", true),
        mark(&[7; CALL_OCTETS_MAX], true),
        fragment(3, b"not"),
    ]
    .concat();
    for piece in [1, 3, 4, 5, 1000, usize::MAX] {
        let found = read(&stream, piece).unwrap();
        let expected: [&[u8]; 4] = [b"whole", b"in pieces", b"", &[7; CALL_OCTETS_MAX]];
        assert_eq!(found, expected, "in pieces of {piece}");
    }
}

#[test]
fn what_is_too_long_is_refused_before_it_is_here() {
    let one_too_many = u32::try_from(CALL_OCTETS_MAX + 1).unwrap();
    let endless_nothing: Vec<u8> = fragment(0, b"").repeat(2000);
    let table: [(&str, Vec<u8>); 5] = [
        ("at once", fragment(LAST | one_too_many, b"")),
        ("2 GiB", fragment(u32::MAX, b"")),
        ("in two fragments", [fragment(4000, &[0; 4000]), fragment(LAST | 97, b"")].concat()),
        ("pieces of nothing", endless_nothing),
        ("TLS, or HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
    ];
    for (what, stream) in table {
        assert_eq!(read(&stream, 1), Err(TooLong), "{what}");
    }
}
