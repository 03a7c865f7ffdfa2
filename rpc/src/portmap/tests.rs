use super::*;

const MAPPINGS: [Mapping; 3] = [
    Mapping { program: 100_000, version: 2, protocol: Protocol::Udp, port: 111 },
    Mapping { program: 100_004, version: 2, protocol: Protocol::Udp, port: 903 },
    Mapping { program: 100_004, version: 2, protocol: Protocol::Tcp, port: 904 },
];

fn ask(version: u32, procedure: u32, arguments: &[u32]) -> Vec<u8> {
    Call::write(1, PROGRAM, version, procedure, arguments)
}

fn said(call: &[u8]) -> Vec<u32> {
    let Said::Answer(answer) = answer(&Call::parse(call).unwrap(), &MAPPINGS) else { panic!("not that") };
    let reply = answer.reply(1);
    // Without xid, REPLY and the verifier.
    reply.chunks(4).skip(5).map(|number| u32::from_be_bytes(number.try_into().unwrap())).collect()
}

#[test]
fn procedures() {
    let table: &[(&str, Vec<u8>, &[u32])] = &[
        ("NULL", ask(2, 0, &[]), &[0]),
        ("GETPORT", ask(2, 3, &[100_004, 2, 17, 0]), &[0, 903]),
        ("GETPORT by TCP", ask(2, 3, &[100_004, 2, 6, 0]), &[0, 904]),
        ("GETPORT of a version that is not there", ask(2, 3, &[100_004, 1, 17, 0]), &[0, 903]),
        ("GETPORT of nothing", ask(2, 3, &[100_005, 3, 17, 0]), &[0, 0]),
        ("GETPORT by a protocol that is none", ask(2, 3, &[100_004, 2, 1, 0]), &[0, 0]),
        ("GETPORT cut", ask(2, 3, &[100_004, 2, 17]), &[4]),
        ("SET", ask(2, 1, &[100_003, 3, 17, 2049]), &[0, 0]),
        ("UNSET", ask(2, 2, &[100_004, 2, 0, 0]), &[0, 0]),
        ("SET cut", ask(2, 1, &[]), &[4]),
        (
            "DUMP",
            ask(2, 4, &[]),
            &[0, 1, 100_000, 2, 17, 111, 1, 100_004, 2, 17, 903, 1, 100_004, 2, 6, 904, 0],
        ),
        ("CALLIT cut", ask(2, 5, &[100_004, 2, 2, 12]), &[4]),
        ("a procedure that is none", ask(2, 6, &[]), &[3]),
        // rpcbind's versions: whoever is told goes down to 2, and whoever is not waits.
        ("GETADDR of version 4", ask(4, 3, &[]), &[2, 2, 2]),
        ("GETADDR of version 3", ask(3, 3, &[]), &[2, 2, 2]),
        ("version 1", ask(1, 0, &[]), &[2, 2, 2]),
    ];
    for (what, call, expected) in table {
        assert_eq!(&said(call), expected, "{what}");
    }
}

#[test]
fn an_indirect_call_is_taken_out() {
    let arguments: Vec<u32> =
        [&[100_004, 2, 2, 12, 7][..], &[u32::from_be_bytes(*b"clus"), 0x7465_7200]].concat();
    let call = ask(2, 5, &arguments);
    let call = Call::parse(&call).unwrap();
    let Said::Indirect(mut indirect) = answer(&call, &MAPPINGS) else { panic!("it is one") };
    assert_eq!((indirect.program, indirect.version, indirect.procedure), (100_004, 2, 2));
    assert_eq!(indirect.arguments.opaque(64), Some(&b"cluster"[..]));
}

#[test]
fn what_a_portmapper_of_the_host_says_is_read() {
    let reply = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
    let port = reply(&[7, 1, 0, 0, 0, 0, 903]);
    assert_eq!((number_told(7, &port), number_told(8, &port)), (Some(903), None));
    assert!(results(7, &reply(&[7, 1, 0, 0, 0, 0])).is_some());
    assert!(results(7, &reply(&[7, 1, 0, 0, 0, 2, 3, 4])).is_none());
    assert!(results(7, b"heorot").is_none());
}

#[test]
fn what_we_ask_another_portmapper_is_what_we_would_understand() {
    let mapping = MAPPINGS[1];
    assert_eq!(said(&mapping.get_port(1)), [0, 903]);
    assert_eq!(said(&mapping.set(1)), [0, 0]);
    assert_eq!(said(&mapping.unset(1)), [0, 0]);
    assert_eq!(said(&ping(1)), [0]);
}
