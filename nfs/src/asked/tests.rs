use super::*;
use crate::handle::RootId;
use heorot_rpc::xdr::Writer;

fn keys() -> Keys {
    Keys::new(&[7; 16])
}

fn handle() -> Handle {
    let root = RootId(1);
    Handle { root, place: keys().place(root, b"etc"), inode: 5, birth: 6 }
}

/// Octets, from what stands in a call.
fn arguments(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.opaque(keys().seal(&handle()).octets());
    write(&mut writer);
    writer.into_octets()
}

fn call(procedure: u32, arguments: &[u8]) -> Vec<u8> {
    [Call::write(7, PROGRAM, VERSION, procedure, &[]), arguments.to_vec()].concat()
}

fn read(octets: &[u8]) -> Asked<'_> {
    asked(&Call::parse(octets).unwrap(), &keys())
}

/// The numbers behind xid, REPLY and the verifier.
fn answered(octets: &[u8]) -> Vec<u32> {
    let Asked::Answered(answer) = read(octets) else { panic!("it needs a file: {:?}", read(octets)) };
    let reply = answer.reply(7);
    reply.chunks(4).skip(5).map(|number| u32::from_be_bytes(number.try_into().unwrap())).collect()
}

#[test]
fn procedures_that_read() {
    let listing = |with_attributes, names_octets_max, octets_max| {
        What::List(Listing { cookie: 3, names_octets_max, octets_max, with_attributes })
    };
    let table: [(u32, Vec<u8>, What<'_>); 12] = [
        (1, arguments(|_| {}), What::Attributes),
        (3, arguments(|w| w.opaque(b"passwd")), What::Lookup(Name::Entry(b"passwd"))),
        (3, arguments(|w| w.opaque(b".")), What::Lookup(Name::Itself)),
        (3, arguments(|w| w.opaque(b"..")), What::Lookup(Name::Parent)),
        (4, arguments(|w| w.u32(0x1f)), What::Access(0x1f)),
        (5, arguments(|_| {}), What::ReadLink),
        (
            6,
            arguments(|w| {
                w.u64(1 << 40);
                w.u32(4096);
            }),
            What::Read { offset: 1 << 40, count: 4096 },
        ),
        (
            6,
            arguments(|w| {
                w.u64(0);
                w.u32(u32::MAX);
            }),
            What::Read { offset: 0, count: READ_OCTETS_MAX },
        ),
        (16, arguments(|w| w.u32s(&[0, 3, 0, 9, 5000])), listing(false, 5000, 5000)),
        (17, arguments(|w| w.u32s(&[0, 3, 0, 9, 512, u32::MAX])), listing(true, 512, LISTING_OCTETS_MAX)),
        (18, arguments(|_| {}), What::Usage),
        (19, arguments(|_| {}), What::Information),
    ];
    for (procedure, arguments, what) in table {
        let octets = call(procedure, &arguments);
        assert_eq!(read(&octets), Asked::File(Question { handle: handle(), what }), "procedure {procedure}");
        // Cut anywhere they are no arguments: GARBAGE_ARGS.
        for length in (0..arguments.len()).step_by(4) {
            assert_eq!(
                answered(&call(procedure, &arguments[..length])),
                [4],
                "procedure {procedure} cut to {length}"
            );
        }
    }
    assert_eq!(
        read(&call(20, &arguments(|_| {}))),
        Asked::File(Question { handle: handle(), what: What::Names })
    );
}

/// RFC 1813 3.3: each in the form of its procedure, so that clients can read why.
#[test]
fn what_writes_is_refused() {
    for (procedure, attributes) in
        [(2, 2), (7, 2), (8, 2), (9, 2), (10, 2), (11, 2), (12, 2), (13, 2), (14, 4), (15, 3), (21, 2)]
    {
        let expected = [&[0, 30][..], &vec![0; attributes]].concat();
        assert_eq!(answered(&call(procedure, &[])), expected, "procedure {procedure}");
    }
}

#[test]
fn what_is_wrong_is_told_at_once() {
    let of_another = {
        let mut writer = Writer::default();
        writer.opaque(Keys::new(&[8; 16]).seal(&handle()).octets());
        writer.into_octets()
    };
    let mut too_long = Writer::default();
    too_long.opaque(&[1; 68]);
    let lookup = |name: &[u8]| call(3, &arguments(|w| w.opaque(name)));
    let table: [(&str, Vec<u8>, &[u32]); 12] = [
        ("NULL", call(0, &[]), &[0]),
        ("a handle that was made up", call(1, &of_another), &[0, 10_001]),
        ("the same, to be read", call(5, &of_another), &[0, 10_001, 0]),
        ("a handle of no octets", call(1, &[0; 4]), &[0, 10_001]),
        ("a handle that is too long", call(1, too_long.octets()), &[4]),
        ("a name that is a path", lookup(b"../../etc/shadow"), &[0, 22, 0]),
        ("a name with a slash before it", lookup(b"/etc"), &[0, 22, 0]),
        ("a name with a zero", lookup(b"a\0b"), &[0, 22, 0]),
        ("no name", lookup(b""), &[0, 22, 0]),
        ("a name of 256 octets", lookup(&[b'a'; 256]), &[0, 63, 0]),
        ("a procedure that is none", call(22, &[]), &[3]),
        ("NFS version 4", Call::write(7, PROGRAM, 4, 1, &[]), &[2, 3, 3]),
    ];
    for (what, octets, expected) in table {
        assert_eq!(answered(&octets), expected, "{what}");
    }
    assert_eq!(answered(&Call::write(7, 100_227, 3, 0, &[])), [1], "NFSACL");
    assert_eq!(answered(&Call::write(7, 100_021, 4, 0, &[])), [1], "locks");
}
