use super::records::{Piece, Record, Section, Writer, read};
use crate::asked::header_and_question;
use proptest::prelude::*;

fn question() -> Vec<u8> {
    b"\x03www\x07example\x03org\x00\x00\x01\x00\x01".to_vec()
}

fn record(section: Section, owner: &[u8], rtype: u16, data: Vec<Piece>) -> Record {
    Record { section, owner: owner.to_vec(), rtype, class: 1, ttl_seconds: 60, data }
}

#[test]
fn names_are_compressed_and_read_again() {
    let name = |octets: &[u8]| Piece::Name(octets.to_vec());
    let octets = |octets: &[u8]| Piece::Octets(octets.to_vec());
    let records = [
        record(
            Section::Answer,
            b"\x03www\x07example\x03org\x00",
            5,
            vec![name(b"\x03web\x07example\x03net\x00")],
        ),
        record(Section::Answer, b"\x03web\x07example\x03net\x00", 1, vec![octets(&[198, 51, 100, 1])]),
        record(
            Section::Authority,
            b"\x07example\x03net\x00",
            6,
            vec![name(b"\x02ns\x07example\x03net\x00"), name(b"\x00"), octets(&[1; 20])],
        ),
        // RFC 3597 4: not in newer types, and read all the same.
        record(
            Section::Additional,
            b"\x00",
            33,
            vec![octets(&[0; 6]), name(b"\x03web\x07example\x03net\x00")],
        ),
        record(Section::Additional, b"\x01x\x00", 35, vec![octets(b"\0\0\0\0\x01U\0\x02ab"), name(b"\x00")]),
        record(Section::Additional, b"\x01x\x00", 15, vec![octets(&[0, 1]), name(b"\x01x\x00")]),
        record(Section::Additional, b"\x01x\x00", 999, vec![octets(b"whatever")]),
    ];
    let mut writer = Writer::new(header_and_question(&question(), 0));
    for record in &records {
        writer.push(record, record.ttl_seconds).unwrap();
    }
    let (message, ttl_offsets) = writer.finish();
    assert_eq!(
        message.iter().filter(|octet| **octet == b'w').count(),
        3 + 1 + 1 + 1,
        "www, web, web in SRV, whatever"
    );
    for offset in &ttl_offsets {
        assert_eq!(message[usize::from(*offset)..][..4], [0, 0, 0, 60]);
    }
    assert_eq!(read(&message, question().len()).unwrap(), records);
}

proptest! {
    /// Whatever is read can be written, and reads the same.
    #[test]
    fn what_is_read_is_written_and_read_again(tail in proptest::collection::vec(any::<u8>(), 0..120), count in 0_u8..4) {
        let mut message = header_and_question(&question(), 0);
        message[7] = count;
        message.extend(tail);
        if let Some(records) = read(&message, question().len()) {
            let mut writer = Writer::new(header_and_question(&question(), 0));
            for record in &records {
                prop_assert!(writer.push(record, record.ttl_seconds).is_some());
            }
            let (written, _) = writer.finish();
            let again = read(&written, question().len()).unwrap();
            prop_assert_eq!(again.len(), records.len());
            for (again, record) in again.iter().zip(&records) {
                prop_assert!(again.owner.eq_ignore_ascii_case(&record.owner));
                prop_assert_eq!(again.rtype, record.rtype);
            }
        }
    }
}
