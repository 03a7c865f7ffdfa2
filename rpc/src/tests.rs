use super::*;

/// A call with the whole of its head, in numbers, and octets after it.
fn call(numbers: &[u32], rest: &[u8]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).chain(rest.iter().copied()).collect()
}

#[test]
fn what_is_no_call_is_told_apart() {
    let denied = |numbers: &[u32]| Err(NoCall::Denied(call(numbers, &[])));
    let long = vec![0; 404];
    type Head = (u32, u32, u32, u32);
    let table: &[(&str, Vec<u8>, Result<Head, NoCall>)] = &[
        ("whole", call(&[7, 0, 2, 100_004, 2, 3, 0, 0, 0, 0], b"args"), Ok((7, 100_004, 2, 3))),
        // The credential of libtirpc's clnt_broadcast: stamp, machine name "node1", uid, gid, no groups.
        (
            "by AUTH_SYS",
            call(
                &[7, 0, 2, 100_000, 2, 5, 1, 32, 0x6552_1000, 5, 0x6e6f_6465, 0x3100_0000, 0, 0, 1, 0, 0, 0],
                &[],
            ),
            Ok((7, 100_000, 2, 5)),
        ),
        ("nothing", vec![], Err(NoCall::Short)),
        ("half a head", call(&[7, 0, 2, 100_004], &[]), Err(NoCall::Short)),
        ("no verifier", call(&[7, 0, 2, 100_004, 2, 3, 0, 0], &[]), Err(NoCall::Short)),
        ("a reply", call(&[7, 1, 0, 0, 0, 0], &[]), Err(NoCall::Reply)),
        ("neither call nor reply", call(&[7, 2, 2, 100_004, 2, 3, 0, 0, 0, 0], &[]), Err(NoCall::Short)),
        ("RPC version 3", call(&[7, 0, 3, 100_004, 2, 3, 0, 0, 0, 0], &[]), denied(&[7, 1, 1, 0, 2, 2])),
        (
            "a credential that ends early",
            call(&[7, 0, 2, 100_004, 2, 3, 1, 400, 0, 0], &[]),
            denied(&[7, 1, 1, 1, 1]),
        ),
        (
            "a credential of 404 octets",
            call(&[7, 0, 2, 100_004, 2, 3, 1, 404], &long),
            denied(&[7, 1, 1, 1, 1]),
        ),
        ("RPCSEC_GSS", call(&[7, 0, 2, 100_004, 2, 3, 6, 0, 0, 0], &[]), denied(&[7, 1, 1, 1, 1])),
        (
            "a verifier of 404 octets",
            call(&[7, 0, 2, 100_004, 2, 3, 0, 0, 0, 404], &long),
            denied(&[7, 1, 1, 1, 3]),
        ),
        (
            "lengths that run over",
            call(&[7, 0, 2, 100_004, 2, 3, 0, u32::MAX, 0, 0], &[]),
            denied(&[7, 1, 1, 1, 1]),
        ),
    ];
    for (what, payload, expected) in table {
        let parsed = Call::parse(payload).map(|call| (call.xid, call.program, call.version, call.procedure));
        assert_eq!(&parsed, expected, "{what}");
    }
}

#[test]
fn every_answer_is_written_as_the_standard_says() {
    let mut port = Writer::default();
    port.u32(903);
    let table: [(Answer, &[u32]); 6] = [
        (Answer::Success(port), &[9, 1, 0, 0, 0, 0, 903]),
        (Answer::ProgramUnavailable, &[9, 1, 0, 0, 0, 1]),
        (Answer::ProgramMismatch { lowest: 2, highest: 2 }, &[9, 1, 0, 0, 0, 2, 2, 2]),
        (Answer::ProcedureUnavailable, &[9, 1, 0, 0, 0, 3]),
        (Answer::GarbageArguments, &[9, 1, 0, 0, 0, 4]),
        (Answer::Denied(Denial::TooWeak), &[9, 1, 1, 1, 5]),
    ];
    for (answer, expected) in table {
        let is_success = matches!(answer, Answer::Success(_));
        let reply = answer.clone().reply(9);
        assert_eq!(reply, call(expected, &[]), "{answer:?}");
        assert_eq!(results_of(9, &reply), is_success.then_some(903), "{answer:?}");
        assert_eq!(results_of(8, &reply), None, "another's reply");
    }
}

fn results_of(xid: u32, payload: &[u8]) -> Option<u32> {
    results(xid, payload)?.u32()
}

#[test]
fn a_call_of_ours_can_be_read() {
    let written = Call::write(5, 100_000, 2, 1, &[100_004, 2, 17, 834]);
    let mut read = Call::parse(&written).unwrap();
    assert_eq!((read.xid, read.program, read.version, read.procedure), (5, 100_000, 2, 1));
    assert_eq!([(); 4].map(|()| read.arguments.u32().unwrap()), [100_004, 2, 17, 834]);
    assert_eq!(read.arguments.u32(), None);
}

#[test]
fn opaque_data_is_filled_up_and_bounded() {
    for (data, written) in [
        (&b""[..], &[0, 0, 0, 0][..]),
        (b"abc", b"\0\0\0\x03abc\0"),
        (b"abcd", b"\0\0\0\x04abcd"),
        (b"abcde", b"\0\0\0\x05abcde\0\0\0"),
    ] {
        let mut writer = Writer::default();
        writer.opaque(data);
        assert_eq!(writer.octets(), written);
        let mut reader = Reader::new(written);
        assert_eq!(reader.opaque(data.len()), Some(data));
        assert_eq!(reader, Reader::new(&[]), "all is taken");
        if !data.is_empty() {
            assert_eq!(Reader::new(written).opaque(data.len() - 1), None, "longer than allowed");
            assert_eq!(Reader::new(&written[..written.len() - 1]).opaque(64), None, "cut");
        }
    }
}
